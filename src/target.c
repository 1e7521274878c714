/*
 * The target's path, as a name beneath the document root.
 *
 * Browsers and curl remove dot segments before they send a target (RFC 3986
 * 5.2.4); apt and most HTTP libraries leave that to the server.  They are
 * removed here (6.2.2.3) by their text alone, before any file is asked for, so
 * that one file has one canonical path and no path leads out of the tree.
 * Repeated slashes are joined first, as the file system joins them.
 */
#include "target.h"

#include "grammar.h"
#include "insist.h"

#include <stdint.h>

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

/*
 * Whether a segment is hidden.  _redirects is so in any case: a file system
 * may open it by each of them.
 */
static bool
is_hidden(struct slice segment, bool is_first)
{
	if (segment.ptr[0] == '.')
		return !is_first || !slice_equal(segment, SLICE(".well-known"));
	return is_first && slice_equal_nocase(segment, SLICE("_redirects"));
}

#define NONE_HIDDEN SIZE_MAX

/* A path that is being written. */
struct writer {
	struct path *path;
	size_t segment; /* where its last segment starts */
	size_t hidden; /* where its first hidden segment starts */
	bool is_outside; /* a ".." had nothing left to remove */
};

/* Adds a byte to the last segment, or starts one with it. */
static void
add_byte(struct writer *w, char c)
{
	struct path *p = w->path;

	if (p->ends_in_slash) {
		if (p->len > 0)
			p->name[p->len++] = '/';
		w->segment = p->len;
		p->ends_in_slash = false;
	}
	p->name[p->len++] = c;
}

/* Removes what starts at `start`, and the slash in front of it. */
static void
remove_from(struct path *p, size_t start)
{
	p->len = start > 0 ? start - 1 : 0;
}

/* Ends the last segment, if one was started: removes it if it is dots. */
static void
end_segment(struct writer *w)
{
	struct path *p = w->path;
	struct slice segment = { p->name + w->segment, p->len - w->segment };

	if (p->ends_in_slash)
		return;
	bool is_parent = slice_equal(segment, SLICE(".."));
	if (!is_parent && !slice_equal(segment, SLICE("."))) {
		if (w->hidden == NONE_HIDDEN &&
		    is_hidden(segment, w->segment == 0))
			w->hidden = w->segment;
		return;
	}

	remove_from(p, w->segment);
	if (is_parent) {
		size_t start = p->len;

		while (start > 0 && p->name[start - 1] != '/')
			start--;
		w->is_outside = w->is_outside || p->len == 0;
		remove_from(p, start);
	}
	if (w->hidden >= p->len)
		w->hidden = NONE_HIDDEN;
	p->ends_in_slash = true;
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
	struct writer w = { .path = p, .hidden = NONE_HIDDEN };
	bool has_encoded_slash = false;

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
			has_encoded_slash = true;
		if (separator) {
			end_segment(&w);
			p->ends_in_slash = true;
		} else {
			add_byte(&w, c);
		}
	}
	end_segment(&w);
	p->name[p->len] = '\0';
	if (has_encoded_slash)
		return ENCODED_SLASH;
	if (w.is_outside)
		return OUTSIDE;
	return w.hidden == NONE_HIDDEN ? PROCEED : HIDDEN;
}
