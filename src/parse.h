/*
 * parse: the bytes of one head to a request.
 */
#ifndef PARSE_H
#define PARSE_H

#include "request.h"
#include "verdict.h"

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
