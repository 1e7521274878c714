/*
 * Redirect rules: the lines of _redirects.
 */
#ifndef RULES_H
#define RULES_H

#include "slice.h"

/*
 * The longest rule.  Its target and the longest query, each grown threefold by
 * percent-encoding, fit together in a head of ours (respond.h).
 */
#define RULE_LINE_MAX 2000

/* The slices lie in the line that was parsed. */
struct rule {
	struct slice from; /* a path, still percent-encoded */
	struct slice to; /* a path or an absolute http(s) URI */
	int status; /* 301, 302, 303, 307 or 308 */
};

enum rule_kind {
	RULE_NONE, /* an empty line or a comment */
	RULE_REDIRECT,
	RULE_BAD,
};

/*
 * Parses one line, without its line end: FROM TO [STATUS], separated by
 * blanks, the format of Netlify's _redirects files.  A field that starts with
 * "#" ends the line; the default status is 301.
 *
 * RULE_REDIRECT: *ret_rule is written.  RULE_BAD: *ret_problem says what is
 * wrong, as the end of a sentence for the operator.
 */
enum rule_kind rule_parse(
    struct slice line, struct rule *ret_rule, const char **ret_problem);

/*
 * Whether a rule answers for a canonical path (target.h).  Dot segments of the
 * rule's path are removed as those of a target are, and a slash at the end
 * makes no difference on either side.
 */
bool rule_matches(const struct rule *rule, struct slice path);

#endif
