/*
 * A strict reader of what the program sends: RFC 9112's response grammar
 * without any of its leniency, and what RFC 9110 asks of each status.
 */
#ifndef FUZZ_ANSWERS_H
#define FUZZ_ANSWERS_H

#include "fuzz.h"

#define PARTS_MAX 256

/* A part of the content, as Content-Range has it. */
struct part {
	uint64_t first, last, complete;
	struct slice bytes;
};

struct answer {
	struct slice all; /* head and content, as far as they came */
	int status;
	bool close;
	struct slice type, coding, tag, location;
	bool varies, has_date, retry;
	uint64_t length; /* as announced */
	bool is_whole; /* all of the content came */
	struct slice content;
	size_t parts_count; /* of a 206; its content's for a single range */
	const struct part *parts; /* until the next answer is read */
};

/*
 * Reads one answer from the start of s, to a HEAD request or another, and
 * requires that it is one.  How many bytes it has; 0, where the bytes may be
 * cut off, if they end before its head does.
 */
size_t read_answer(
    struct slice s, bool to_head, bool may_be_cut, struct answer *ret_answer);

#endif
