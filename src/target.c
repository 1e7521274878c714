/*
 * The target's path, as a name beneath the document root.
 *
 * RFC 3986 6.2.2.3 would have dot-segments removed; every client does so
 * before it sends, so one that arrives here was meant to climb, and falls
 * under the rule for names with a leading dot.  Repeated slashes are joined,
 * as the file system itself does, so that one file has one canonical path.
 */
#include "target.h"

#include "grammar.h"
#include "insist.h"

/* Takes one byte of the path, decoded; the caller has checked for the end. */
static enum verdict
take_byte(struct slice *s, char *ret_byte)
{
	char c = s->ptr[0];

	*s = slice_after(*s, 1);
	*ret_byte = c;
	if (c != '%')
		return PROCEED;
	if (s->len < 2)
		return BAD_ESCAPE;

	int high = hex_value(s->ptr[0]), low = hex_value(s->ptr[1]);
	if (high < 0 || low < 0 || (high == 0 && low == 0))
		return BAD_ESCAPE;
	*s = slice_after(*s, 2);
	*ret_byte = (char)(high << 4 | low);
	return *ret_byte == '/' || *ret_byte == '\\' ? ENCODED_SLASH : PROCEED;
}

/* Whether the segment at `start`, the path's last one so far, is hidden. */
static bool
is_hidden(const struct path *p, size_t start)
{
	struct slice segment = { p->name + start, p->len - start };

	if (segment.len == 0 || segment.ptr[0] != '.')
		return start == 0 && slice_equal(segment, SLICE("_redirects"));
	return start > 0 || !slice_equal(segment, SLICE(".well-known"));
}

const char *
target_index(const struct path *p)
{
	if (!p->ends_in_slash)
		return "";
	return p->len > 0 ? "/index.html" : "index.html";
}

enum verdict
target_decode_path(struct slice encoded, struct path *ret_path)
{
	struct path *p = ret_path;
	enum verdict result = PROCEED;
	size_t segment = 0;

	insist(encoded.len <= PATH_MAX_LEN);
	p->name = p->buf + sizeof(p->buf) - PATH_APPENDIX - encoded.len;
	p->len = 0;
	p->ends_in_slash = true;
	while (encoded.len > 0) {
		bool separator = encoded.ptr[0] == '/';
		char c;
		enum verdict v = take_byte(&encoded, &c);

		if (v == BAD_ESCAPE)
			return BAD_ESCAPE;
		if (v == ENCODED_SLASH)
			result = ENCODED_SLASH;
		if (separator) {
			if (is_hidden(p, segment) && result == PROCEED)
				result = HIDDEN;
			p->ends_in_slash = true;
			continue;
		}
		if (p->ends_in_slash && p->len > 0)
			p->name[p->len++] = '/';
		if (p->ends_in_slash)
			segment = p->len;
		p->ends_in_slash = false;
		p->name[p->len++] = c;
	}
	if (is_hidden(p, segment) && result == PROCEED)
		result = HIDDEN;
	p->name[p->len] = '\0';
	return result;
}
