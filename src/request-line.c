/*
 * The request line.
 *
 * Strict where requests could be smuggled, lenient where browsers are: bytes
 * that RFC 3986 does not allow in a target (quotes, brackets, braces, bars and
 * bytes above ASCII; in a query the backslash too) are let through, since
 * browsers and curl send them, and no parser takes them for the end of
 * anything.
 */
#include "request-line.h"

#include "grammar.h"
#include "ip-literal.h"

bool
is_authority(struct slice s)
{
	size_t i = 0;

	if (s.len > 0 && s.ptr[0] == '[') {
		while (i < s.len && s.ptr[i++] != ']')
			;
		if (!is_ip_literal((struct slice){ s.ptr, i }))
			return false;
	} else {
		for (; i < s.len && s.ptr[i] != ':'; i++) {
			if (is_name_byte(s.ptr[i]))
				continue;
			if (s.ptr[i] != '%' || i + 2 >= s.len ||
			    hex_value(s.ptr[i + 1]) < 0 ||
			    hex_value(s.ptr[i + 2]) < 0)
				return false;
			i += 2;
		}
		if (i == 0)
			return false;
	}
	if (i == s.len)
		return true;
	if (s.ptr[i] != ':' || s.len - i > sizeof(":65535") - 1)
		return false;
	for (i++; i < s.len; i++)
		if (!is_digit(s.ptr[i]))
			return false;
	return true;
}

/* The methods of IANA's registry, but for those that are answered otherwise. */
static const char registered_methods[][18] = { "ACL", "BASELINE-CONTROL",
	"BIND", "CHECKIN", "CHECKOUT", "CONNECT", "COPY", "DELETE", "LABEL",
	"LINK", "LOCK", "MERGE", "MKACTIVITY", "MKCALENDAR", "MKCOL",
	"MKREDIRECTREF", "MKWORKSPACE", "MOVE", "ORDERPATCH", "PATCH", "POST",
	"PRI", "PROPFIND", "PROPPATCH", "PUT", "REBIND", "REPORT", "SEARCH",
	"TRACE", "UNBIND", "UNCHECKOUT", "UNLINK", "UNLOCK", "UPDATE",
	"UPDATEREDIRECTREF", "VERSION-CONTROL" };

/*
 * method = token
 * GET and HEAD are served, OPTIONS is answered for all targets alike, and the
 * other methods that are registered are known.
 */
static enum verdict
parse_method(struct slice s, enum method *ret_method)
{
	if (!is_token(s))
		return BAD_REQUEST_LINE;
	*ret_method = METHOD_OTHER;
	if (slice_equal(s, SLICE("GET")))
		*ret_method = METHOD_GET;
	else if (slice_equal(s, SLICE("HEAD")))
		*ret_method = METHOD_HEAD;
	if (*ret_method != METHOD_OTHER)
		return PROCEED;
	if (slice_equal(s, SLICE("OPTIONS")))
		return OPTIONS;
	for (size_t i = 0;
	     i < sizeof(registered_methods) / sizeof(registered_methods[0]);
	     i++)
		if (slice_equal(s, slice_of(registered_methods[i])))
			return METHOD_NOT_ALLOWED;
	return METHOD_UNKNOWN;
}

/* Splits path and query and refuses bytes that no target can hold. */
static enum verdict
parse_path(struct slice s, struct request *r)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_control(s.ptr[i]) || s.ptr[i] == '#')
			return BAD_TARGET;

	struct slice rest = s;
	r->path = slice_take(&rest, '?');
	r->query = slice_after(s, r->path.len);
	if (r->path.len == 0)
		r->path = SLICE("/");
	if (memchr(r->path.ptr, '\\', r->path.len) != NULL)
		return BAD_TARGET;
	return PROCEED;
}

/*
 * request-target = origin-form / absolute-form / authority-form / asterisk-form
 *                                                    RFC 9112 3.2
 * The authority of an absolute-form overrides Host (3.2.2).  An https target
 * does not belong on a connection that is not known to be secured
 * (RFC 9110 7.4).
 */
static enum verdict
parse_target(struct slice method, struct slice s, struct request *r)
{
	if (slice_equal(method, SLICE("CONNECT"))) {
		r->is_tunnel = r->has_content = true;
		return is_authority(s) && is_digit(s.ptr[s.len - 1]) &&
			memchr(s.ptr, ':', s.len) != NULL ?
		    PROCEED :
		    BAD_TARGET;
	}
	if (slice_equal(method, SLICE("OPTIONS")) && slice_equal(s, SLICE("*")))
		return PROCEED;
	if (s.len > 0 && s.ptr[0] == '/')
		return parse_path(s, r);

	struct slice scheme = slice_take(&s, ':');
	if (!slice_equal_nocase(scheme, SLICE("http")))
		return BAD_TARGET;
	if (s.len < 2 || s.ptr[0] != '/' || s.ptr[1] != '/')
		return BAD_TARGET;
	s = slice_after(s, 2);

	size_t len = 0;
	while (len < s.len && s.ptr[len] != '/' && s.ptr[len] != '?')
		len++;
	r->host = (struct slice){ s.ptr, len };
	if (!is_authority(r->host))
		return BAD_TARGET;
	return parse_path(slice_after(s, len), r);
}

/* HTTP-version = "HTTP/" DIGIT "." DIGIT             RFC 9112 2.3 */
static enum verdict
parse_version(struct slice s, int *ret_minor)
{
	if (s.len != 8 || memcmp(s.ptr, "HTTP/", 5) != 0 ||
	    !is_digit(s.ptr[5]) || s.ptr[6] != '.' || !is_digit(s.ptr[7]) ||
	    s.ptr[5] == '0')
		return BAD_VERSION;
	if (s.ptr[5] != '1')
		return VERSION_NOT_SUPPORTED;
	*ret_minor = s.ptr[7] == '0' ? 0 : 1;
	return PROCEED;
}

/* request-line = method SP request-target SP HTTP-version     RFC 9112 3 */
enum verdict
parse_request_line(
    struct slice line, struct request *r, enum verdict *ret_method_verdict)
{
	struct slice method = slice_take(&line, ' ');
	struct slice target = slice_take(&line, ' ');

	*ret_method_verdict = parse_method(method, &r->method);
	if (*ret_method_verdict == BAD_REQUEST_LINE || target.len == 0 ||
	    line.len == 0)
		return BAD_REQUEST_LINE;

	enum verdict v = parse_version(line, &r->minor_version);
	if (v == PROCEED)
		v = parse_target(method, target, r);
	return v;
}
