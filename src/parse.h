/*
 * parse: the bytes of one head to a request.
 */
#ifndef PARSE_H
#define PARSE_H

#include "slice.h"
#include "verdict.h"

#include <stdint.h>

enum method { METHOD_GET, METHOD_HEAD, METHOD_OTHER };

/* Fields that only some answers look at; see request_next_field(). */
enum field {
	FIELD_IF_MATCH,
	FIELD_IF_NONE_MATCH,
	FIELD_IF_MODIFIED_SINCE,
	FIELD_IF_UNMODIFIED_SINCE,
	FIELD_RANGE,
	FIELD_IF_RANGE,
	FIELD_ACCEPT_ENCODING,
	FIELD_COUNT
};

/* All slices lie in the head that was parsed and live as long as it. */
struct request {
	struct slice line; /* the request line, or what there is of it */
	enum method method;
	struct slice path; /* of the target, still percent-encoded */
	struct slice query; /* with its "?"; empty where there is none */
	struct slice host; /* uri-host [":" port] of the target URI */
	struct slice referer;
	struct slice user_agent;
	int minor_version; /* 0 for HTTP/1.0, 1 for any later 1.x */
	bool says_close; /* Connection lists "close" */
	bool says_keep_alive; /* Connection lists "keep-alive" */
	bool has_content; /* bytes that are no request follow, still unread */
	bool is_chunked; /* they are chunks; else content_length of them */
	uint64_t content_length;
	bool expects_continue;
	bool is_tunnel; /* CONNECT: they have no end */
	struct slice fields; /* all field lines */
	unsigned char occurs[FIELD_COUNT]; /* how often each of those occurs */
};

/*
 * Parses a head as read_head() returns it, strictly by RFC 9112: whatever two
 * parsers could read differently is refused.  PROCEED: *ret_request is whole
 * and its method is GET or HEAD.  OPTIONS, METHOD_NOT_ALLOWED, METHOD_UNKNOWN,
 * EXPECTATION_FAILED: it is whole, and this is the answer.  Any other verdict:
 * the head is malformed, and of *ret_request only `line` is whole; the other
 * members are what was found until then.
 *
 * Also takes what there is of a head that never became whole, to find its
 * request line for the log.
 */
enum verdict parse_request(struct slice head, struct request *ret_request);

/*
 * The value of the next line of a field, without blanks around it.  *rest is
 * where to look: r->fields at first, and left behind the line that was found.
 * false: there is no further one.
 */
bool request_next_field(
    struct slice *rest, enum field field, struct slice *ret_value);

/* The value of a field that occurs exactly once; false: it does not. */
bool request_only_field(
    const struct request *r, enum field field, struct slice *ret_value);

/*
 * The next member of a comma-separated list (RFC 9110 5.6.1), without blanks
 * around it; empty members are passed over.  false: there is no further one.
 * Commas in quoted strings are not looked for: no list that is read here may
 * hold them.
 */
bool list_next(struct slice *rest, struct slice *ret_member);

#endif
