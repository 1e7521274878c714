/*
 * Bounded writing of text.
 *
 * A writer appends to a buffer of the caller's.  What does not fit is left out
 * and remembered: the caller writes everything and asks once, at the end,
 * whether all of it fitted.
 */
#ifndef TEXT_H
#define TEXT_H

#include "slice.h"

#include <stdint.h>

struct text {
	char *ptr;
	size_t len;
	size_t cap;
	bool overflowed;
};

/* A writer at the start of the array `array` (not a pointer). */
#define TEXT_IN(array) ((struct text){ .ptr = (array), .cap = sizeof(array) })

/* Appends all of s, or nothing of it and sets overflowed. */
void text_add(struct text *t, struct slice s);
void text_add_char(struct text *t, char c);

/* Appends n in decimal, with leading zeros up to `digits` digits. */
void text_add_number(struct text *t, uint64_t n, int digits);

/* Appends n in lower-case hexadecimal, without leading zeros. */
void text_add_hex(struct text *t, uint64_t n);

/* Appends the text of an IPv4 address, of 4 bytes in network order. */
void text_add_ipv4(struct text *t, const unsigned char *bytes);

/*
 * Appends the text of an IPv6 address, of 16 bytes, by RFC 5952 4: the longest
 * run of two or more zero groups, the first of equals, is "::".  The C
 * library's inet_ntop would bring 13 KB of printf along, enough for another
 * page fault or two at every start.
 */
void text_add_ipv6(struct text *t, const unsigned char *bytes);

/* Room for any number in decimal and a terminator. */
#define NUMBER_CAP 21

/* Writes n in decimal, terminated, into buf[NUMBER_CAP]; returns buf. */
const char *text_number(char *buf, uint64_t n);

/*
 * Appends s as it may stand in a URI reference: bytes that RFC 3986 allows in
 * a path and those in `also` stand as they are, every other byte is
 * percent-encoded.
 */
void text_add_uri(struct text *t, struct slice s, const char *also);

/*
 * Appends s as it may stand between quotes in a log line: backslash and quote
 * behind a backslash, bytes outside printable ASCII as \xhh.  When more than
 * `max` bytes would be written, the text is cut there and "..." follows.
 */
void text_add_escaped(struct text *t, struct slice s, size_t max);

static inline struct slice
text_slice(const struct text *t)
{
	return (struct slice){ t->ptr, t->len };
}

#endif
