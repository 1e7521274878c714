/*
 * What a strict reader of RFC 9112 takes a request head for: put down from the
 * RFC's grammar, apart from the code, with a table of bytes in place of its
 * helpers and one pass over the head for each question.
 */
#define _GNU_SOURCE
#include "requests.h"

#include "content.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <strings.h>

static bool
is_one_of(char c, const char *set)
{
	return c != '\0' && strchr(set, c) != NULL;
}

#define DIGITS "0123456789"
#define HEX DIGITS "abcdefABCDEF"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define TCHAR "!#$%&'*+-.^_`|~" DIGITS LETTERS
#define NAME "-._~!$&'()*+,;=" DIGITS LETTERS

static bool
consists_of(struct slice s, const char *set)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_one_of(s.ptr[i], set))
			return false;
	return true;
}

static bool
is(struct slice s, const char *word)
{
	return s.len == strlen(word) && memcmp(s.ptr, word, s.len) == 0;
}

static bool
is_nocase(struct slice s, const char *word)
{
	return s.len == strlen(word) && strncasecmp(s.ptr, word, s.len) == 0;
}

static struct slice
trimmed(struct slice s)
{
	while (s.len > 0 && is_one_of(s.ptr[0], " \t"))
		s.ptr++, s.len--;
	while (s.len > 0 && is_one_of(s.ptr[s.len - 1], " \t"))
		s.len--;
	return s;
}

/* Splits at the first `c`: false if there is none. */
static bool
split(struct slice s, char c, struct slice *ret_left, struct slice *ret_right)
{
	const char *at = s.len > 0 ? memchr(s.ptr, c, s.len) : NULL;

	if (at == NULL)
		return false;
	*ret_left = (struct slice){ s.ptr, (size_t)(at - s.ptr) };
	*ret_right = slice_after(s, ret_left->len + 1);
	return true;
}

/* The next line of *rest, without its CRLF; false at the empty one. */
static bool
next_line(struct slice *rest, struct slice *ret_line)
{
	const char *end = memmem(rest->ptr, rest->len, "\r\n", 2);

	if (end == NULL || end == rest->ptr)
		return false;
	*ret_line = (struct slice){ rest->ptr, (size_t)(end - rest->ptr) };
	*rest = slice_after(*rest, ret_line->len + 2);
	return true;
}

bool
reading_field(
    struct slice head, const char *name, size_t n, struct slice *ret_value)
{
	struct slice line, left, right;

	next_line(&head, &line);
	while (next_line(&head, &line))
		if (split(line, ':', &left, &right) && is_nocase(left, name) &&
		    n-- == 0) {
			*ret_value = trimmed(right);
			return true;
		}
	return false;
}

/* The next member of a list that is not empty. */
static bool
next_member(struct slice *list, struct slice *ret_member)
{
	struct slice rest;

	while (list->len > 0) {
		if (!split(*list, ',', ret_member, &rest)) {
			*ret_member = *list;
			rest = slice_after(*list, list->len);
		}
		*list = rest;
		*ret_member = trimmed(*ret_member);
		if (ret_member->len > 0)
			return true;
	}
	return false;
}

/* IPv6address, which the C library reads as well. */
static bool
is_ipv6(struct slice s)
{
	char text[INET6_ADDRSTRLEN], address[16];

	if (s.len >= sizeof(text) || memchr(s.ptr, '\0', s.len) != NULL)
		return false;
	memcpy(text, s.ptr, s.len);
	text[s.len] = '\0';
	return inet_pton(AF_INET6, text, address) == 1;
}

/* IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool
is_future(struct slice s)
{
	struct slice version, address;

	return s.len > 0 && is_one_of(s.ptr[0], "vV") &&
	    split(slice_after(s, 1), '.', &version, &address) &&
	    version.len > 0 && consists_of(version, HEX) && address.len > 0 &&
	    consists_of(address, NAME ":");
}

/* uri-host [ ":" port ], with a host that is not empty */
static bool
is_authority(struct slice s)
{
	struct slice host = s, port = { "", 0 };
	const char *end = s.len > 0 ? memchr(s.ptr, ']', s.len) : NULL;

	if (s.len > 0 && s.ptr[0] == '[') {
		if (end == NULL)
			return false;
		host.len = (size_t)(end - s.ptr) + 1;
		struct slice inner = { s.ptr + 1, host.len - 2 };
		if (!is_ipv6(inner) && !is_future(inner))
			return false;
		port = slice_after(s, host.len);
		if (port.len > 0 && port.ptr[0] != ':')
			return false;
	} else {
		size_t len = 0;

		while (len < s.len && s.ptr[len] != ':')
			len++;
		host.len = len;
		port = slice_after(s, len);
		if (host.len == 0)
			return false;
		for (size_t i = 0; i < host.len; i++) {
			if (is_one_of(host.ptr[i], NAME))
				continue;
			if (host.ptr[i] != '%' || host.len - i < 3 ||
			    !consists_of(
				(struct slice){ host.ptr + i + 1, 2 }, HEX))
				return false;
			i += 2;
		}
	}
	return port.len <= 6 &&
	    (port.len == 0 || consists_of(slice_after(port, 1), DIGITS));
}

static bool
read_path(struct slice s, struct reading *r)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f ||
		    s.ptr[i] == '#')
			return false;
	r->path = s;
	r->query = (struct slice){ s.ptr + s.len, 0 };
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '?') {
			r->path.len = i;
			r->query = slice_after(s, i);
			break;
		}
	for (size_t i = 0; i < r->path.len; i++)
		if (r->path.ptr[i] == '\\')
			return false;
	if (r->path.len == 0)
		r->path = SLICE("/");
	return true;
}

static bool
read_target(struct slice s, struct reading *r)
{
	if (is(r->method, "CONNECT")) {
		struct slice host, port;

		/* Its port is not left out, nor empty. */
		return is_authority(s) && s.ptr[s.len - 1] >= '0' &&
		    s.ptr[s.len - 1] <= '9' && split(s, ':', &host, &port);
	}
	if (is(s, "*") && is(r->method, "OPTIONS"))
		return true;
	if (s.ptr[0] == '/')
		return read_path(s, r);
	if (s.len < 7 || strncasecmp(s.ptr, "http://", 7) != 0)
		return false;
	s = slice_after(s, 7);
	size_t len = 0;
	while (len < s.len && s.ptr[len] != '/' && s.ptr[len] != '?')
		len++;
	r->authority = (struct slice){ s.ptr, len };
	return is_authority(r->authority) && read_path(slice_after(s, len), r);
}

static bool
read_line(struct slice line, struct reading *r)
{
	struct slice rest, target, version;

	if (!split(line, ' ', &r->method, &rest) || r->method.len == 0 ||
	    !consists_of(r->method, TCHAR))
		return false;
	if (!split(rest, ' ', &target, &version) || target.len == 0)
		return false;
	if (version.len != 8 || memcmp(version.ptr, "HTTP/1.", 7) != 0 ||
	    !is_one_of(version.ptr[7], DIGITS))
		return false;
	r->minor = version.ptr[7] == '0' ? 0 : 1;
	return read_target(target, r);
}

/* Content-Length = 1*DIGIT, and no more than one of them */
static bool
read_length(struct slice value, bool *seen, uint64_t *length)
{
	if (*seen || value.len == 0 || !consists_of(value, DIGITS))
		return false;
	*seen = true;
	*length = 0;
	for (size_t i = 0; i < value.len; i++)
		if (__builtin_mul_overflow(*length, 10, length) ||
		    __builtin_add_overflow(
			*length, value.ptr[i] - '0', length) ||
		    *length > INT64_MAX)
			return false;
	return true;
}

/* field-line, and of how many bytes the head has behind it. */
static bool
read_fields(struct slice head, struct reading *r)
{
	struct slice rest = head, line, name, value, member;
	bool has_length = false, has_coding = false, last_is_chunked = false;
	size_t hosts = 0;
	struct slice host = { "", 0 };

	next_line(&rest, &line);
	while (next_line(&rest, &line)) {
		if (!split(line, ':', &name, &value) || name.len == 0 ||
		    !consists_of(name, TCHAR))
			return false;
		for (size_t i = 0; i < value.len; i++)
			if (((unsigned char)value.ptr[i] < ' ' &&
				value.ptr[i] != '\t') ||
			    value.ptr[i] == 0x7f)
				return false;
		value = trimmed(value);
		if (is_nocase(name, "host")) {
			hosts++;
			host = value;
		} else if (is_nocase(name, "content-length")) {
			if (!read_length(value, &has_length, &r->length))
				return false;
		} else if (is_nocase(name, "transfer-encoding")) {
			has_coding = true;
			while (next_member(&value, &member)) {
				if (last_is_chunked)
					return false;
				last_is_chunked = is_nocase(member, "chunked");
				if (!last_is_chunked)
					r->coding_unknown = true;
			}
		} else if (is_nocase(name, "connection")) {
			while (next_member(&value, &member)) {
				if (is_nocase(member, "close"))
					r->close = true;
				if (is_nocase(member, "keep-alive"))
					r->keep_alive = true;
			}
		} else if (is_nocase(name, "expect")) {
			while (next_member(&value, &member)) {
				if (is_nocase(member, "100-continue"))
					r->expects = true;
				else
					r->expects_other = true;
			}
		}
	}
	if (hosts > 1 || (hosts == 0 && r->minor > 0))
		return false;
	if (hosts == 1 && !(host.len == 0 && r->authority.len > 0) &&
	    !is_authority(host))
		return false;
	if (r->authority.len == 0)
		r->authority = host;
	if (has_coding && (has_length || !last_is_chunked || r->minor == 0))
		return false;
	r->chunked = has_coding;
	return true;
}

void
read_request(struct slice head, struct reading *ret_reading)
{
	struct slice rest = head, line = { "", 0 };

	*ret_reading = (struct reading){ .minor = 1 };
	next_line(&rest, &line);
	ret_reading->whole =
	    read_line(line, ret_reading) && read_fields(head, ret_reading);
}

/* Chunks. */

static bool
is_bad_byte(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

static size_t
blanks(const char *p, size_t at, size_t end)
{
	while (at < end && (p[at] == ' ' || p[at] == '\t'))
		at++;
	return at;
}

static size_t
token(const char *p, size_t at, size_t end)
{
	while (at < end && is_one_of(p[at], TCHAR))
		at++;
	return at;
}

/* chunk-ext, RFC 9112 7.1.1: behind the size, up to the line's end. */
static bool
is_extensions(const char *p, size_t at, size_t end)
{
	while (at < end) {
		size_t from;

		at = blanks(p, at, end);
		if (at == end || p[at] != ';')
			return false;
		from = blanks(p, at + 1, end);
		at = token(p, from, end);
		if (at == from)
			return false;
		size_t equals = blanks(p, at, end);
		if (equals == end || p[equals] != '=')
			continue;
		from = blanks(p, equals + 1, end);
		at = token(p, from, end);
		if (at > from)
			continue;
		if (from == end || p[from] != '"')
			return false;
		for (at = from + 1; at < end && p[at] != '"'; at++)
			if (p[at] == '\\' && ++at == end)
				return false;
		if (at == end)
			return false;
		at++;
	}
	return true;
}

/* A line's end, from `at` on: false if it is not there, or not right. */
static enum verdict
find_crlf(struct slice s, size_t at, size_t *ret_end)
{
	for (; at < s.len; at++) {
		if (s.ptr[at] == '\r') {
			*ret_end = at;
			if (at + 1 == s.len)
				return IDLE;
			return s.ptr[at + 1] == '\n' ? PROCEED : BAD_CHUNK;
		}
		*ret_end = at;
		if (is_bad_byte(s.ptr[at]))
			return BAD_CHUNK;
	}
	*ret_end = s.len;
	return IDLE;
}

/* chunked-body, RFC 9112 7.1, of which all that there is lies in s. */
enum verdict
read_chunks(struct slice s, uint64_t max, size_t *ret_len)
{
	uint64_t total = 0, n;
	size_t at = 0, end;

	do {
		size_t from = at, digits = 0;
		enum verdict v = find_crlf(s, at, &end);

		if (s.len > at && !isxdigit((unsigned char)s.ptr[at]))
			return BAD_CHUNK;
		if (v == BAD_CHUNK || end - from > CHUNK_LINE_MAX)
			return BAD_CHUNK;
		if (v == IDLE && end == s.len)
			return IDLE;
		for (n = 0; at < end && isxdigit((unsigned char)s.ptr[at]);
		     at++) {
			char c = (char)(s.ptr[at] | 0x20);

			if (n > UINT64_MAX / 16)
				return BAD_CHUNK;
			n = n * 16 +
			    (uint64_t)(c >= 'a' ? c - 'a' + 10 :
						  s.ptr[at] - '0');
			digits++;
		}
		if (digits == 0 || !is_extensions(s.ptr, at, end))
			return BAD_CHUNK;
		if (v == IDLE)
			return IDLE;
		at = end + 2;
		if (n > max - total)
			return CONTENT_TOO_LARGE;
		total += n;
		if (n == 0)
			break;
		if (s.len - at <= n)
			return IDLE;
		at += (size_t)n;
		if (s.ptr[at] != '\r' ||
		    (s.len > at + 1 && s.ptr[at + 1] != '\n'))
			return BAD_CHUNK;
		if (s.len <= at + 1)
			return IDLE;
		at += 2;
	} while (true);

	for (size_t start = at;; at = end + 2) {
		enum verdict v = find_crlf(s, at, &end);
		size_t colon = token(s.ptr, at, s.len);

		if (v == BAD_CHUNK)
			return BAD_CHUNK;
		if (end == at && end < s.len) {
			*ret_len = at + 2;
			return v;
		}
		if (end > at &&
		    (colon == at || (colon < s.len && s.ptr[colon] != ':')))
			return BAD_CHUNK;
		if ((v == PROCEED ? end + 2 : s.len) - start > TRAILERS_MAX)
			return BAD_CHUNK;
		if (v == IDLE)
			return IDLE;
	}
}
