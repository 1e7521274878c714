/*
 * Borrowed runs of bytes.
 *
 * Whatever the client sent stays where it was received; what is found in it is
 * passed on as a slice.  A slice does not own its bytes and has no terminator.
 */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *ptr;
	size_t len;
};

/* The slice of a string literal, without its terminator. */
#define SLICE(literal) ((struct slice){ (literal), sizeof(literal) - 1 })

static inline struct slice
slice_of(const char *string)
{
	return (struct slice){ string, strlen(string) };
}

static inline bool
slice_equal(struct slice a, struct slice b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The lower-case form of an ASCII letter; any other byte as it is. */
static inline char
ascii_lower(char c)
{
	return (char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

/* Equality without regard to the case of ASCII letters. */
static inline bool
slice_equal_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
			return false;
	return true;
}

/* What is left of a slice after its first n bytes; n is at most its length. */
static inline struct slice
slice_after(struct slice s, size_t n)
{
	return (struct slice){ s.ptr + n, s.len - n };
}

/* A cursor: takes the bytes up to the next `end`, or all that is left. */
static inline struct slice
slice_take(struct slice *rest, char end)
{
	const char *at =
	    rest->len > 0 ? memchr(rest->ptr, end, rest->len) : NULL;
	size_t len = at == NULL ? rest->len : (size_t)(at - rest->ptr);
	struct slice taken = { rest->ptr, len };

	*rest = slice_after(*rest, at == NULL ? len : len + 1);
	return taken;
}

/* The slice without leading and trailing SP and HTAB (OWS, RFC 9110 5.6.3). */
static inline struct slice
slice_trim(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = slice_after(s, 1);
	while (
	    s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

#endif
