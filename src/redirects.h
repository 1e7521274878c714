/*
 * redirects: searches the file of redirect rules.
 */
#ifndef REDIRECTS_H
#define REDIRECTS_H

#include "rules.h"
#include "verdict.h"

/* How much of the file is read at a time; more than a rule can have. */
#define REDIRECTS_BLOCK 8192

/* A search; nothing of it need be set before. */
struct redirects {
	char block[REDIRECTS_BLOCK]; /* where rule's slices lie */
	size_t have; /* bytes of it */
	struct slice path; /* that is looked for */
	unsigned long number; /* of the line that is looked at */
	bool in_long_line; /* the rest of a line too long for the block */
	struct rule rule; /* the last one that was read */
};

/* A line that is no rule; number 0: there was none. */
struct bad_rule {
	unsigned long line;
	const char *problem; /* the end of a sentence */
};

/*
 * Reads the file `fd` from where it stands to the first rule that matches a
 * canonical path (target.h).
 *
 * REDIRECTED: s->rule is that rule, until s is used again.  NOT_FOUND: there is
 * none.  FILE_ERROR: it cannot be read.  *ret_bad is the first line on the way
 * that is no rule.
 */
enum verdict redirects_search(
    int fd, struct slice path, struct redirects *s, struct bad_rule *ret_bad);

#endif
