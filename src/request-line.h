/*
 * request-line: the first line of a head.
 */
#ifndef REQUEST_LINE_H
#define REQUEST_LINE_H

#include "request.h"
#include "verdict.h"

/*
 * Parses a line without its line end into the method, path, query, host and
 * minor_version of *r, and is_tunnel and has_content where it is CONNECT.
 *
 * The method is judged last, so that one which is refused never hides a head
 * that makes no sense: *ret_method_verdict is PROCEED, or the answer once the
 * head is whole.  PROCEED: the line is whole.  Any other verdict: it is
 * malformed, or of a version that is not supported.
 */
enum verdict parse_request_line(
    struct slice line, struct request *r, enum verdict *ret_method_verdict);

/*
 * Host = uri-host [ ":" port ]                       RFC 9110 7.2
 * uri-host = IP-literal / IPv4address / reg-name     RFC 3986 3.2.2
 * The host is not empty: an http URI without one is invalid (RFC 9110 4.2.1).
 */
bool is_authority(struct slice s);

#endif
