/*
 * IP literals.
 *
 * A server that takes any text in brackets for an address, or reads one that is
 * short of a group, sees another host than the next program does.  So the
 * address is parsed whole, as RFC 3986 3.2.2 has it.  Zone identifiers (RFC
 * 6874) mean something on one host only and are declined.
 */
#include "ip-literal.h"

#include "grammar.h"

#define GROUPS 8 /* of 16 bits, in an IPv6 address */

/* Takes up to `max` hexadecimal digits; their number. */
static size_t
take_hex(struct slice *s, size_t max)
{
	size_t n = 0;

	while (n < max && n < s->len && hex_value(s->ptr[n]) >= 0)
		n++;
	*s = slice_after(*s, n);
	return n;
}

static bool
take_char(struct slice *s, char c)
{
	if (s->len == 0 || s->ptr[0] != c)
		return false;
	*s = slice_after(*s, 1);
	return true;
}

/* dec-octet: 0 to 255, without leading zeros         RFC 3986 3.2.2 */
static bool
take_octet(struct slice *s)
{
	int n = 0;
	size_t len = 0;

	while (len < 3 && len < s->len && is_digit(s->ptr[len]))
		n = n * 10 + s->ptr[len++] - '0';

	bool valid = len > 0 && n <= 255 && (len == 1 || s->ptr[0] != '0');
	*s = slice_after(*s, len);
	return valid;
}

/* IPv4address = dec-octet "." dec-octet "." dec-octet "." dec-octet */
static bool
is_ipv4(struct slice s)
{
	for (int i = 0; i < 4; i++)
		if ((i > 0 && !take_char(&s, '.')) || !take_octet(&s))
			return false;
	return s.len == 0;
}

/*
 * IPv6address                                        RFC 3986 3.2.2
 * Eight groups of one to four digits with colons between them.  One "::" may
 * stand for one or more of them, and an IPv4 address for the last two.
 */
static bool
is_ipv6(struct slice s)
{
	unsigned groups = 0;
	bool is_elided = false;

	if (s.len >= 2 && s.ptr[0] == ':' && s.ptr[1] == ':') {
		is_elided = true;
		s = slice_after(s, 2);
		if (s.len == 0)
			return true;
	}
	for (;;) {
		struct slice group = s;

		if (take_hex(&s, 4) == 0)
			return false;
		if (s.len > 0 && s.ptr[0] == '.') {
			if (!is_ipv4(group))
				return false;
			groups += 2;
			break;
		}
		groups++;
		if (s.len == 0)
			break;
		if (!take_char(&s, ':'))
			return false;
		if (take_char(&s, ':')) {
			if (is_elided)
				return false;
			is_elided = true;
			if (s.len == 0)
				break;
		}
	}
	return is_elided ? groups < GROUPS : groups == GROUPS;
}

/* IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool
is_future(struct slice s)
{
	if (!take_char(&s, 'v') && !take_char(&s, 'V'))
		return false;
	if (take_hex(&s, s.len) == 0 || !take_char(&s, '.') || s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (!is_name_byte(s.ptr[i]) && s.ptr[i] != ':')
			return false;
	return true;
}

bool
is_ip_literal(struct slice s)
{
	if (s.len < 2 || s.ptr[0] != '[' || s.ptr[s.len - 1] != ']')
		return false;

	struct slice address = { s.ptr + 1, s.len - 2 };
	return is_ipv6(address) || is_future(address);
}
