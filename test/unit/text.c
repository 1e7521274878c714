/*
 * text: bounded writing, in buffers that end at a page that cannot be touched.
 */
#include "unit.h"

#ifdef __GLIBC__
#include <arpa/inet.h>
#endif

/* A writer with room for `cap` bytes and not one more. */
static struct text
writer(size_t cap)
{
	return (struct text){ .ptr = unit_room(UNIT_BEFORE_GUARD, cap),
		.cap = cap };
}

static void
check_text(
    const char *what, const char *wanted, bool overflowed, const struct text *t)
{
	unit_slice(what, slice_of(wanted), text_slice(t));
	unit_bool("overflowed", overflowed, t->overflowed);
}

static void
check_overflow(void)
{
	struct text t;

	unit_begin("a text that fits exactly");
	t = writer(5);
	text_add(&t, SLICE("ab"));
	text_add_char(&t, 'c');
	text_add_number(&t, 45, 1);
	check_text("text", "abc45", false, &t);
	text_add(&t, SLICE(""));
	check_text("nothing more fits always", "abc45", false, &t);
	text_add_char(&t, 'x');
	check_text("a byte more does not", "abc45", true, &t);

	unit_begin("what does not fit is left out whole");
	t = writer(5);
	text_add(&t, SLICE("abc"));
	text_add(&t, SLICE("def"));
	check_text("text", "abc", true, &t);

	unit_begin("overflow is remembered");
	text_add(&t, SLICE("d"));
	text_add_char(&t, 'e');
	text_add_number(&t, 1, 1);
	text_add_uri(&t, SLICE("u"), "");
	text_add_escaped(&t, SLICE("v"), 10);
	check_text("nothing is written behind a gap", "abc", true, &t);

	unit_begin("a writer without room");
	t = writer(0);
	text_add(&t, SLICE(""));
	check_text("nothing fits", "", false, &t);
	text_add_number(&t, 0, 1);
	check_text("anything does not", "", true, &t);

	unit_begin("a number that does not fit");
	t = writer(3);
	text_add_number(&t, 1234, 1);
	check_text("text", "", true, &t);

	unit_begin("a slice without an address");
	t = writer(1);
	text_add(&t, (struct slice){ NULL, 0 });
	text_add_uri(&t, (struct slice){ NULL, 0 }, "");
	text_add_escaped(&t, (struct slice){ NULL, 0 }, 1);
	check_text("text", "", false, &t);

	unit_begin("TEXT_IN");
	char array[7];
	t = TEXT_IN(array);
	unit_number("cap", 7, (long long)t.cap);
	check_text("text", "", false, &t);
}

static void
check_numbers(void)
{
	static const struct {
		uint64_t n;
		int digits;
		const char *wanted;
	} rows[] = {
		{ 0, 0, "0" },
		{ 0, 1, "0" },
		{ 0, 2, "00" },
		{ 7, 1, "7" },
		{ 7, 0, "7" },
		{ 7, -3, "7" },
		{ 7, 2, "07" },
		{ 7, 4, "0007" },
		{ 10, 2, "10" },
		{ 99, 2, "99" },
		{ 100, 2, "100" },
		{ 1994, 4, "1994" },
		{ 9999, 1, "9999" },
		{ 4294967296, 1, "4294967296" },
		{ 9223372036854775807, 1, "9223372036854775807" },
		{ UINT64_MAX, 1, "18446744073709551615" },
		{ UINT64_MAX, 20, "18446744073709551615" },
		{ 1, 20, "00000000000000000001" },
		{ 1, 21, "00000000000000000001" },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct text t = writer(strlen(rows[i].wanted));
		char *buf = unit_room(UNIT_BEFORE_GUARD, NUMBER_CAP);

		unit_begin(rows[i].wanted);
		text_add_number(&t, rows[i].n, rows[i].digits);
		check_text("text_add_number", rows[i].wanted, false, &t);
		if (rows[i].digits == 1)
			unit_string("text_number", rows[i].wanted,
			    text_number(buf, rows[i].n));
	}
	unit_begin("text_number's result");
	char buf[NUMBER_CAP];
	unit_bool("is the buffer", true, text_number(buf, 5) == buf);
}

static void
check_uri(void)
{
	static const struct {
		struct slice s;
		const char *also, *wanted;
	} rows[] = {
		{ UNIT_BYTES("/a/b.html"), "", "/a/b.html" },
		{ UNIT_BYTES("azAZ09-._~"), "", "azAZ09-._~" },
		{ UNIT_BYTES("!$&'()*+,;=:@/"), "", "!$&'()*+,;=:@/" },
		{ UNIT_BYTES("?a?b"), "?", "?a?b" },
		{ UNIT_BYTES("a b"), "", "a%20b" },
		{ UNIT_BYTES("%"), "", "%25" },
		{ UNIT_BYTES("%41"), "", "%2541" },
		{ UNIT_BYTES("%41"), "%", "%41" },
		{ UNIT_BYTES("#[]"), "", "%23%5B%5D" },
		{ UNIT_BYTES("#[]%"), "%[]", "%23[]%" },
		{ UNIT_BYTES("\"<>\\^`{|}"), "",
		    "%22%3C%3E%5C%5E%60%7B%7C%7D" },
		{ UNIT_BYTES("\r\nSet-Cookie: a"), "%[]",
		    "%0D%0ASet-Cookie:%20a" },
		{ UNIT_BYTES("\0\x01\x1F\x7F"), "%", "%00%01%1F%7F" },
		{ UNIT_BYTES("\xC3\xA9\xFF\x80"), "", "%C3%A9%FF%80" },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].wanted);
		for (int side = 0; side < UNIT_SIDES; side++) {
			char buf[256];
			struct text t = TEXT_IN(buf);

			text_add_uri(&t,
			    unit_place((enum unit_side)side, rows[i].s),
			    rows[i].also);
			check_text("text", rows[i].wanted, false, &t);
		}
	}

	unit_begin("each byte either stands or is encoded");
	for (int c = 0; c < 256; c++) {
		static const char stands[] =
		    "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@/?";
		char byte = (char)c, buf[8], wanted[8];
		struct text t = TEXT_IN(buf);

		snprintf(wanted, sizeof(wanted),
		    c != 0 && strchr(stands, c) != NULL ? "%c" : "%%%02X",
		    (unsigned)c);
		text_add_uri(&t, (struct slice){ &byte, 1 }, "?");
		check_text("text", wanted, false, &t);
	}

	unit_begin("an encoded byte that does not fit");
	struct text t = writer(2);
	text_add_uri(&t, SLICE(" "), "");
	unit_bool("overflowed", true, t.overflowed);
}

static void
check_escaped(void)
{
	static const struct {
		struct slice s;
		size_t max;
		const char *wanted;
	} rows[] = {
		{ UNIT_BYTES("GET / HTTP/1.1"), 100, "GET / HTTP/1.1" },
		{ UNIT_BYTES("\"\\"), 100, "\\\"\\\\" },
		{ UNIT_BYTES("\r\n\t\0"), 100, "\\x0d\\x0a\\x09\\x00" },
		{ UNIT_BYTES("\x1B[0m\x7F"), 100, "\\x1b[0m\\x7f" },
		{ UNIT_BYTES(" ~"), 100, " ~" },
		{ UNIT_BYTES("\x80\xFF\xC3\xA9"), 100, "\\x80\\xff\\xc3\\xa9" },
		{ UNIT_BYTES(""), 0, "" },
		{ UNIT_BYTES("a"), 0, "..." },
		{ UNIT_BYTES("a"), 1, "a" },
		{ UNIT_BYTES("ab"), 1, "a..." },
		{ UNIT_BYTES("abcdef"), 6, "abcdef" },
		{ UNIT_BYTES("abcdefg"), 6, "abcdef..." },
		{ UNIT_BYTES("ab\""), 4, "ab\\\"" },
		{ UNIT_BYTES("ab\""), 3, "ab..." },
		{ UNIT_BYTES("ab\n"), 6, "ab\\x0a" },
		{ UNIT_BYTES("ab\n"), 5, "ab..." },
		{ UNIT_BYTES("ab\nc"), 3, "ab..." },
		{ UNIT_BYTES("\n\n\n"), 8, "\\x0a\\x0a..." },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].wanted);
		for (int side = 0; side < UNIT_SIDES; side++) {
			char buf[256];
			struct text t = TEXT_IN(buf);

			text_add_escaped(&t,
			    unit_place((enum unit_side)side, rows[i].s),
			    rows[i].max);
			check_text("text", rows[i].wanted, false, &t);
		}
	}

	unit_begin("an escaped byte is written whole or not at all");
	struct text t = writer(5);
	text_add_escaped(&t, SLICE("ab\n"), 100);
	check_text("text", "ab", true, &t);
}

/* slice.h, on which everything stands. */
static void
check_slices(void)
{
	static const struct {
		struct slice s;
		const char *trimmed;
	} rows[] = {
		{ UNIT_BYTES(""), "" },
		{ UNIT_BYTES(" "), "" },
		{ UNIT_BYTES(" \t \t"), "" },
		{ UNIT_BYTES("a"), "a" },
		{ UNIT_BYTES(" a"), "a" },
		{ UNIT_BYTES("a\t"), "a" },
		{ UNIT_BYTES("\t a b \t"), "a b" },
		{ UNIT_BYTES("\ra\n"), "\ra\n" },
	};

	unit_begin("slice_trim");
	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		for (int side = 0; side < UNIT_SIDES; side++)
			unit_slice("trimmed", slice_of(rows[i].trimmed),
			    slice_trim(
				unit_place((enum unit_side)side, rows[i].s)));

	unit_begin("slices that are equal");
	unit_bool("nothing and nothing", true,
	    slice_equal((struct slice){ NULL, 0 }, SLICE("")));
	unit_bool("the same", true, slice_equal(SLICE("a\0b"), SLICE("a\0b")));
	unit_bool("another case", false, slice_equal(SLICE("a"), SLICE("A")));
	unit_bool("a shorter one", false, slice_equal(SLICE("a"), SLICE("ab")));
	unit_bool("case is no matter", true,
	    slice_equal_nocase(SLICE("aZ-"), SLICE("Az-")));
	unit_bool("but only of letters", false,
	    slice_equal_nocase(SLICE("@[`{"), SLICE("`{@[")));
	unit_bool("and only of ASCII's", false,
	    slice_equal_nocase(SLICE("\xC9"), SLICE("\xE9")));
}

#ifdef __GLIBC__
/*
 * Each pattern of zero and other groups, against glibc's text; musl's writes
 * "::" for a single zero group, which RFC 5952 4.2.2 forbids.
 */
static void
check_address_patterns(void)
{
	for (unsigned pattern = 0; pattern < 256; pattern++) {
		unsigned char bytes[16];
		char wanted[INET6_ADDRSTRLEN];

		unit_begin("an IPv6 address of any pattern");
		for (unsigned i = 0; i < 8; i++) {
			bool zero = (pattern >> i & 1) != 0;

			bytes[2 * i] = zero ? 0 : (unsigned char)(i * pattern);
			bytes[2 * i + 1] = zero ? 0 : (unsigned char)(i + 1);
		}
		/* glibc writes the last 32 bits of these as an IPv4 address. */
		if ((pattern & 0x1f) == 0x1f)
			bytes[0] = 0x20;
		unit_need(
		    inet_ntop(AF_INET6, bytes, wanted, sizeof(wanted)) != NULL,
		    "inet_ntop");
		struct text t = writer(39);
		text_add_ipv6(&t, bytes);
		check_text("text", wanted, false, &t);
	}
}
#endif

static void
check_addresses(void)
{
	static const unsigned char v4[4] = { 192, 0, 2, 255 };
	static const struct {
		unsigned char bytes[16];
		const char *wanted;
	} rows[] = {
		{ { 0 }, "::" },
		{ { [15] = 1 }, "::1" },
		{ { [1] = 1 }, "1::" },
		{ { 0x20, 1, 0x0d, 0xb8, [15] = 1 }, "2001:db8::1" },
		{ { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 },
		    "2001:db8:0:1:1:1:1:1" },
		{ { 0x20, 1, 0, 0, 0, 0, 0, 1, [15] = 1 }, "2001:0:0:1::1" },
		{ { 0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1 },
		    "2001:db8::1:0:0:1" },
	};

	unit_begin("an IPv4 address");
	struct text t = writer(11);
	text_add_ipv4(&t, v4);
	check_text("text", "192.0.2.255", false, &t);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		unit_begin(rows[i].wanted);
		t = writer(39);
		text_add_ipv6(&t, rows[i].bytes);
		check_text("text", rows[i].wanted, false, &t);
	}
#ifdef __GLIBC__
	check_address_patterns();
#endif
}

int
main(void)
{
	unit_table("text");
	check_overflow();
	check_numbers();
	check_uri();
	check_escaped();
	check_slices();
	check_addresses();
	return unit_end();
}
