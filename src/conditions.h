/*
 * conditions: validators, and the requests that depend on them (RFC 9110 8.8,
 * 13).
 */
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include "codings.h"
#include "file-times.h"
#include "parse.h"

/* What tells one state of a representation from another. */
struct validators {
	char tag[96]; /* opaque-tag, with its quotes */
	size_t tag_len; /* 0: no tag of a client's matches */
	bool is_unsettled; /* send a tag that no other response has, and weak */
	int64_t modified; /* seconds since 1970; -1: it is not known */
	bool modified_is_strong; /* RFC 9110 8.8.2.2 */
};

/*
 * The validators of a file that holds a representation in a coding, at the
 * time `now`.  A tag is strong: it is made of the inode, the size and the times
 * of the last modification and the last change, of which programs can set only
 * the former.  A portable tag leaves out the inode and the time of the change.
 *
 * A file is unsettled while it could change again without one of its times
 * telling (change_is_settled()).  A date in the future was set by a program and
 * does not count for that.
 *
 * Files dated 0 or 1 are those of image builders and package stores, whose
 * dates never change: their date, and a portable tag, say nothing.
 */
void validators_of_file(const struct file_facts *f, enum coding coding,
    bool portable, const struct timespec *now,
    struct validators *ret_validators);

/*
 * Evaluates the preconditions of a GET or HEAD whose answer would be 200, in
 * the order of RFC 9110 13.2.2.  FOUND: they hold; else NOT_MODIFIED or
 * PRECONDITION_FAILED.
 */
enum verdict conditions_evaluate(
    const struct request *r, const struct validators *v, int64_t now);

/* Whether a Range may be honoured: If-Range holds, or there is none. */
bool conditions_allow_range(
    const struct request *r, const struct validators *v, int64_t now);

#endif
