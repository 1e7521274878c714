/*
 * Sets of bytes, and a token, as RFC 9110 and RFC 3986 name them.
 */
#ifndef GRAMMAR_H
#define GRAMMAR_H

#include "slice.h"

static inline bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline bool
is_alphanumeric(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

/* The value of a hexadecimal digit; -1 for any other byte. */
static inline int
hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* tchar, RFC 9110 5.6.2 */
static inline bool
is_token_byte(char c)
{
	return is_alphanumeric(c) || c == '-' ||
	    (c != '\0' && strchr("!#$%&'*+.^_`|~", c) != NULL);
}

/* token, RFC 9110 5.6.2 */
static inline bool
is_token(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_token_byte(s.ptr[i]))
			return false;
	return s.len > 0;
}

/* unreserved and sub-delims, RFC 3986 2.2, 2.3 */
static inline bool
is_name_byte(char c)
{
	return is_alphanumeric(c) ||
	    (c != '\0' && strchr("-._~!$&'()*+,;=", c) != NULL);
}

/* Control characters: CTL of RFC 5234, HTAB among them. */
static inline bool
is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

#endif
