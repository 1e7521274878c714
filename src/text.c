/*
 * Bounded writing of text, without the weight of printf: no locale, no heap,
 * and nothing that a start-up would pay for.
 */
#include "text.h"

#include "grammar.h"

static const char hex_upper[] = "0123456789ABCDEF";
static const char hex_lower[] = "0123456789abcdef";

/*
 * Copies a short run of bytes.  An answer's head is some sixty of them, and
 * musl's memcpy starts each with a string instruction, which took a sixth of
 * the time of an answer.  A compiler makes single loads and stores of a
 * memcpy() of constant length; the last ones may overlap those before.
 */
static void
copy_short(char *to, const char *from, size_t len)
{
	if (len >= 8) {
		for (size_t i = 0; i < len - 8; i += 8)
			memcpy(to + i, from + i, 8);
		memcpy(to + len - 8, from + len - 8, 8);
	} else if (len >= 4) {
		memcpy(to, from, 4);
		memcpy(to + len - 4, from + len - 4, 4);
	} else if (len > 0) {
		to[0] = from[0];
		to[len / 2] = from[len / 2];
		to[len - 1] = from[len - 1];
	}
}

void
text_add(struct text *t, struct slice s)
{
	if (t->overflowed || s.len > t->cap - t->len) {
		t->overflowed = true;
		return;
	}
	copy_short(t->ptr + t->len, s.ptr, s.len);
	t->len += s.len;
}

void
text_add_char(struct text *t, char c)
{
	if (t->overflowed || t->len == t->cap) {
		t->overflowed = true;
		return;
	}
	t->ptr[t->len++] = c;
}

void
text_add_number(struct text *t, uint64_t n, int digits)
{
	char buf[20];
	size_t at = sizeof(buf);

	do {
		buf[--at] = (char)('0' + n % 10);
		n /= 10;
		digits--;
	} while ((n > 0 || digits > 0) && at > 0);
	text_add(t, (struct slice){ buf + at, sizeof(buf) - at });
}

void
text_add_hex(struct text *t, uint64_t n)
{
	char buf[16];
	size_t at = sizeof(buf);

	do {
		buf[--at] = hex_lower[n & 15];
		n >>= 4;
	} while (n > 0);
	text_add(t, (struct slice){ buf + at, sizeof(buf) - at });
}

void
text_add_ipv4(struct text *t, const unsigned char *bytes)
{
	for (int i = 0; i < 4; i++) {
		if (i > 0)
			text_add_char(t, '.');
		text_add_number(t, bytes[i], 1);
	}
}

void
text_add_ipv6(struct text *t, const unsigned char *bytes)
{
	int best = 8, best_len = 1;

	for (int i = 0, len = 0; i < 8; i++) {
		bool zero = bytes[2 * i] == 0 && bytes[2 * i + 1] == 0;

		len = zero ? len + 1 : 0;
		if (len > best_len) {
			best_len = len;
			best = i + 1 - len;
		}
	}
	for (int i = 0; i < 8; i++) {
		if (i == best) {
			text_add(t, SLICE("::"));
			i += best_len - 1;
			continue;
		}
		if (i > 0 && i != best + best_len)
			text_add_char(t, ':');
		text_add_hex(t, (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1]);
	}
}

const char *
text_number(char *buf, uint64_t n)
{
	struct text t = { .ptr = buf, .cap = NUMBER_CAP - 1 };

	text_add_number(&t, n, 1);
	buf[t.len] = '\0';
	return buf;
}

/* pchar / "/" of RFC 3986 3.3, without the percent sign. */
static bool
is_uri_byte(char c)
{
	return is_name_byte(c) || c == ':' || c == '@' || c == '/';
}

void
text_add_uri(struct text *t, struct slice s, const char *also)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (is_uri_byte(c) || (c != '\0' && strchr(also, c) != NULL)) {
			text_add_char(t, c);
			continue;
		}
		text_add_char(t, '%');
		text_add_char(t, hex_upper[(unsigned char)c >> 4]);
		text_add_char(t, hex_upper[(unsigned char)c & 15]);
	}
}

void
text_add_escaped(struct text *t, struct slice s, size_t max)
{
	size_t written = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		char out[4] = { (char)c };
		size_t len = 1;

		if (c == '"' || c == '\\') {
			out[0] = '\\';
			out[1] = (char)c;
			len = 2;
		} else if (c < 0x20 || c > 0x7e) {
			out[0] = '\\';
			out[1] = 'x';
			out[2] = hex_lower[c >> 4];
			out[3] = hex_lower[c & 15];
			len = 4;
		}
		if (written + len > max) {
			text_add(t, SLICE("..."));
			return;
		}
		text_add(t, (struct slice){ out, len });
		written += len;
	}
}
