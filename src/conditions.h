/*
 * conditions: validators, and the requests that depend on them (RFC 9110 8.8,
 * 13).
 */
#ifndef CONDITIONS_H
#define CONDITIONS_H

#include "codings.h"
#include "parse.h"

#include <time.h>

/*
 * Whether what changed at that time did so at least a second before now: if it
 * changes again, the time is another one then.
 */
bool change_is_settled(int64_t seconds, int64_t ns, const struct timespec *now);

/* What tells one state of a representation from another. */
struct validators {
	char tag[64]; /* opaque-tag, with its quotes */
	size_t tag_len; /* 0: there is none */
	bool tag_is_weak;
	int64_t modified; /* seconds since 1970; -1: it is not known */
	bool modified_is_strong; /* RFC 9110 8.8.2.2 */
};

/* What is known of a file: as of stat(2). */
struct file_facts {
	uint64_t size;
	uint64_t inode;
	int64_t modified; /* seconds since 1970 */
	uint32_t modified_ns;
};

/*
 * The validators of a file that holds a representation in a coding, at the
 * time `now`.  A file that changed less than a second ago may change again
 * without its date telling, so they are weak then.  A portable tag leaves out
 * the inode.  Files dated 0 or 1 are those of image builders and package
 * stores, whose dates never change: their date, and a tag that has nothing
 * else, say nothing.
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
