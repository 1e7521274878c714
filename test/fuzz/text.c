/*
 * text: what is written is what the C library would write, or is left out.
 *
 * The decisions are calls, the text is what they write.
 */
#include "fuzz.h"

#include "text.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdarg.h>

#define TEXT_MAX 2000

/* What a call appends, put together without the code. */
static char wanted[16 * TEXT_MAX];

static size_t
want(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	int len = vsnprintf(wanted, sizeof(wanted), format, args);
	va_end(args);
	require(len >= 0 && (size_t)len < sizeof(wanted));
	return (size_t)len;
}

static size_t
want_uri(struct slice s, const char *also)
{
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];
		bool plain = c != '\0' &&
		    (strchr("abcdefghijklmnopqrstuvwxyz"
			    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~"
			    "!$&'()*+,;=:@/",
			 c) != NULL ||
			strchr(also, c) != NULL);

		len += (size_t)sprintf(
		    wanted + len, plain ? "%c" : "%%%02X", (unsigned char)c);
	}
	return len;
}

static size_t
want_escaped(struct slice s, size_t max)
{
	size_t len = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];
		char out[8];

		sprintf(out,
		    c == '"' || c == '\\'  ? "\\%c" :
			c < ' ' || c > '~' ? "\\x%02x" :
					     "%c",
		    c);
		if (len + strlen(out) > max)
			return len + (size_t)sprintf(wanted + len, "...");
		len += (size_t)sprintf(wanted + len, "%s", out);
	}
	return len;
}

/* The address is the same one, and as short as RFC 5952 has it. */
static void
check_ipv6(const unsigned char *bytes)
{
	char buf[INET6_ADDRSTRLEN + 1] = "", short_buf[INET6_ADDRSTRLEN];
	struct text t = { .ptr = buf, .cap = INET6_ADDRSTRLEN };
	unsigned char again[16];

	text_add_ipv6(&t, bytes);
	require(!t.overflowed);
	require(inet_pton(AF_INET6, buf, again) == 1);
	require(memcmp(again, bytes, 16) == 0);
	require(inet_ntop(AF_INET6, bytes, short_buf, sizeof(short_buf)));
	/* Mapped addresses are written otherwise there. */
	if (strchr(short_buf, '.') == NULL)
		require(strcmp(buf, short_buf) == 0);
}

/* Whether the writer has what was wanted, or stands where it stood. */
static void
check_added(const struct text *before, const struct text *t, size_t len)
{
	require(t->len <= t->cap && t->cap == before->cap);
	if (before->overflowed) {
		require(t->overflowed && t->len == before->len);
		return;
	}
	if (t->overflowed) {
		require(len > before->cap - before->len);
		return;
	}
	require(t->len - before->len == len);
	require(memcmp(t->ptr + before->len, wanted, len) == 0);
}

static void
one_call(struct text *t, struct slice *decisions, struct slice s)
{
	struct text before = *t;
	unsigned char bytes[16];
	char number[NUMBER_CAP];
	uint64_t n;
	int digits;

	switch (fuzz_decide(decisions, 8)) {
	case 0:
		text_add(t, s);
		memcpy(wanted, s.ptr, s.len);
		check_added(&before, t, s.len);
		return;
	case 1:
		wanted[0] = (char)fuzz_decide(decisions, 256);
		text_add_char(t, wanted[0]);
		check_added(&before, t, 1);
		return;
	case 2:
		n = fuzz_number(decisions);
		digits = (int)fuzz_decide(decisions, 21);
		text_add_number(t, n, digits);
		check_added(&before, t,
		    want("%0*" PRIu64, digits == 0 ? 1 : digits, n));
		require(strcmp(text_number(number, n),
			    (want("%" PRIu64, n), wanted)) == 0);
		return;
	case 3:
		n = fuzz_number(decisions);
		text_add_hex(t, n);
		check_added(&before, t, want("%" PRIx64, n));
		return;
	case 4:
		for (size_t i = 0; i < 4; i++)
			bytes[i] = (unsigned char)fuzz_decide(decisions, 256);
		text_add_ipv4(t, bytes);
		check_added(&before, t,
		    want(
			"%d.%d.%d.%d", bytes[0], bytes[1], bytes[2], bytes[3]));
		return;
	case 5:
		/* Few values: zeros are what matters. */
		for (size_t i = 0; i < 16; i++)
			bytes[i] =
			    (unsigned char)(fuzz_decide(decisions, 4) % 3);
		check_ipv6(bytes);
		text_add_ipv6(t, bytes);
		require(t->len <= t->cap);
		return;
	case 6:
		text_add_uri(t, s, "%?#");
		check_added(&before, t, want_uri(s, "%?#"));
		return;
	default:
		n = fuzz_decide(decisions, 256);
		text_add_escaped(t, s, (size_t)n);
		size_t len = want_escaped(s, (size_t)n);
		require(len <= n + 3);
		check_added(&before, t, len);
		return;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = fuzz_input(data, size);

	if (input.text.len > TEXT_MAX)
		return 0;
	size_t cap = fuzz_decide(&input.decisions, 256) * 16;
	struct slice room = fuzz_copy((struct slice){ wanted, cap });
	struct slice s = fuzz_copy(input.text);
	struct text t = { .ptr = (char *)(uintptr_t)room.ptr, .cap = cap };

	do
		one_call(&t, &input.decisions, s);
	while (input.decisions.len > 0);
	require(slice_equal(text_slice(&t), (struct slice){ t.ptr, t.len }));
	fuzz_free(s);
	fuzz_free(room);
	return 0;
}
