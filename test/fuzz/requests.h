/*
 * What a strict reader of RFC 9112 takes a request head for.
 */
#ifndef FUZZ_REQUESTS_H
#define FUZZ_REQUESTS_H

#include "fuzz.h"

#include "verdict.h"

struct reading {
	bool whole; /* well-formed: it means one thing to everybody */
	struct slice method;
	struct slice path; /* of the target; "/" where there is none */
	struct slice query; /* with its "?" */
	struct slice authority; /* of the target, or else of Host */
	int minor;
	bool close, keep_alive;
	bool chunked;
	bool coding_unknown; /* well-formed, and chunked last */
	uint64_t length;
	bool expects, expects_other;
};

/* The reading of a head whose lines, the last one empty, end with CRLF. */
void read_request(struct slice head, struct reading *ret_reading);

/* The value of a field's n-th line, without blanks around it. */
bool reading_field(
    struct slice head, const char *name, size_t n, struct slice *ret_value);

/*
 * What lies at the start of s as a chunked body: its verdict as that of
 * chunks_feed(), and where it is whole, its length.
 */
enum verdict read_chunks(struct slice s, uint64_t max, size_t *ret_len);

#endif
