/*
 * parse: the bytes of one head to a request.
 */
#ifndef PARSE_H
#define PARSE_H

#include "slice.h"
#include "verdict.h"

enum method { METHOD_GET, METHOD_HEAD, METHOD_OTHER };

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
	bool has_content; /* bytes that are no request follow the head */
};

/*
 * Parses a head as read_head() returns it, strictly by RFC 9112: whatever two
 * parsers could read differently is refused.  PROCEED: *ret_request is whole
 * and its method is GET or HEAD.  METHOD_NOT_ALLOWED, METHOD_UNKNOWN: it is
 * whole, and the method is another one.  Any other verdict: the head is
 * malformed, and of *ret_request only `line` is whole; the other members are
 * what was found until then.
 *
 * Also takes what there is of a head that never became whole, to find its
 * request line for the log.
 */
enum verdict parse_request(struct slice head, struct request *ret_request);

#endif
