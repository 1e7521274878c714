/*
 * content: where the content of a request ends.
 *
 * The table's bodies are fed whole, a byte at a time, and in two parts split
 * at every place, beside a page that cannot be touched; all must agree.  Then
 * both framings are read through a connection.
 */
#include "peer.h"

#include "content.h"

#define MAX 100 /* for rows without one of their own */
#define NEXT "GET /next HTTP/1.1\r\nHost: next\r\n\r\n"
#define END "0\r\n\r\n"
#define TEN "0123456789"
#define BAD_LINE "bad-chunk in a size line"

/*
 * "proceed": the bytes are a whole body.  "idle": they are the start of one.
 * Any other: the last of the bytes is the one that cannot stand there; where
 * that is in a size line, it may be refused as late as at the CR behind it.
 */
static const struct row {
	const char *name;
	struct slice bytes;
	const char *token;
	uint64_t max; /* 0: MAX */
} rows[] = {
	/* Whole bodies. */
	{ "no chunk", UNIT_BYTES(END), "proceed", 0 },
	{ "one byte", UNIT_BYTES("1\r\na\r\n" END), "proceed", 0 },
	{ "ten bytes", UNIT_BYTES("a\r\n" TEN "\r\n" END), "proceed", 0 },
	{ "upper case", UNIT_BYTES("A\r\n" TEN "\r\n" END), "proceed", 0 },
	{ "two digits", UNIT_BYTES("14\r\n" TEN TEN "\r\n" END), "proceed", 0 },
	{ "both cases",
	    UNIT_BYTES("0aA;b\r\n" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN
		    TEN TEN TEN TEN TEN TEN "\r\n" END),
	    "proceed", 170 },
	{ "three chunks", UNIT_BYTES("1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n" END),
	    "proceed", 0 },
	{ "zeros in front", UNIT_BYTES("0001\r\na\r\n0000\r\n\r\n"), "proceed",
	    0 },
	{ "more zeros than a number has digits",
	    UNIT_BYTES("00000000000000000000000000000000001\r\na\r\n" END),
	    "proceed", 0 },
	{ "line ends in the data", UNIT_BYTES("4\r\n\r\n\r\n\r\n" END),
	    "proceed", 0 },
	{ "the end in the data", UNIT_BYTES("5\r\n" END "\r\n" END), "proceed",
	    0 },
	{ "a request in the data",
	    UNIT_BYTES("12\r\nGET / HTTP/1.1\r\n\r\n\r\n" END), "proceed", 0 },
	{ "any bytes in the data", UNIT_BYTES("4\r\n\0\xFF\r\n\r\n" END),
	    "proceed", 0 },

	/* Extensions. */
	{ "an extension", UNIT_BYTES("1;a\r\nb\r\n" END), "proceed", 0 },
	{ "an extension with a value", UNIT_BYTES("1;a=b\r\nc\r\n" END),
	    "proceed", 0 },
	{ "an extension of the last chunk", UNIT_BYTES("0;a=b\r\n\r\n"),
	    "proceed", 0 },
	{ "several extensions", UNIT_BYTES("1;a;b=c;d\r\ne\r\n" END), "proceed",
	    0 },
	{ "blanks around extensions",
	    UNIT_BYTES("1 \t; a\t =\t b ;\tc ; d= e\r\nf\r\n" END), "proceed",
	    0 },
	{ "an extension in quotes", UNIT_BYTES("1;a=\"b;c=\t d\"\r\ne\r\n" END),
	    "proceed", 0 },
	{ "empty quotes", UNIT_BYTES("1;a=\"\"\r\nb\r\n" END), "proceed", 0 },
	{ "an extension behind quotes",
	    UNIT_BYTES("1;a=\"\" ;b=\"\";c\r\nb\r\n" END), "proceed", 0 },
	{ "escapes in quotes",
	    UNIT_BYTES("1;a=\"\\\"\\\\\\;\\\t\\\xFF\"\r\nb\r\n" END), "proceed",
	    0 },
	{ "bytes above ASCII in quotes",
	    UNIT_BYTES("1;a=\"\x80\xFF\"\r\nb\r\n" END), "proceed", 0 },
	{ "every byte of a token",
	    UNIT_BYTES(
		"1;!#$%&'*+-.^_`|~09azAZ=!#$%&'*+-.^_`|~09azAZ\r\nb\r\n" END),
	    "proceed", 0 },
	{ "a digit as an extension", UNIT_BYTES("1;2\r\na\r\n" END), "proceed",
	    0 },

	/* Trailer fields. */
	{ "a trailer field", UNIT_BYTES("0\r\na: b\r\n\r\n"), "proceed", 0 },
	{ "two trailer fields", UNIT_BYTES("0\r\na: b\r\nc: d\r\n\r\n"),
	    "proceed", 0 },
	{ "an empty trailer field", UNIT_BYTES("0\r\na:\r\n\r\n"), "proceed",
	    0 },
	{ "a trailer field with colons", UNIT_BYTES("0\r\na: b:c::\r\n\r\n"),
	    "proceed", 0 },
	{ "a trailer field above ASCII", UNIT_BYTES("0\r\na: \xFF\t\r\n\r\n"),
	    "proceed", 0 },
	{ "a trailer field that would be framing",
	    UNIT_BYTES("1\r\na\r\n0\r\nContent-Length: 5\r\n\r\n"), "proceed",
	    0 },
	{ "every byte of a name",
	    UNIT_BYTES("0\r\n!#$%&'*+-.^_`|~09azAZ: b\r\n\r\n"), "proceed", 0 },

	/* Limits of the content's length. */
	{ "nothing, where everything is allowed", UNIT_BYTES(END), "proceed",
	    UINT64_MAX },
	{ "as much as is allowed", UNIT_BYTES("a\r\n" TEN "\r\n" END),
	    "proceed", 10 },
	{ "as much as is allowed, in pieces",
	    UNIT_BYTES("1\r\na\r\n9\r\n123456789\r\n" END), "proceed", 10 },
	{ "one byte more than is allowed", UNIT_BYTES("b\r\n"),
	    "content-too-large", 10 },
	{ "one byte more than is allowed, in pieces",
	    UNIT_BYTES("a\r\n" TEN "\r\n1\r\n"), "content-too-large", 10 },
	{ "the largest number", UNIT_BYTES("ffffffffffffffff\r\n"),
	    "content-too-large", 0 },
	{ "the largest number behind a chunk",
	    UNIT_BYTES("1\r\na\r\nffffffffffffffff\r\n"), "content-too-large",
	    0 },
	{ "the largest number, which just fits what is left of it",
	    UNIT_BYTES("1\r\na\r\nfffffffffffffffe\r\nbc"), "idle",
	    UINT64_MAX },
	{ "one more than is left of the largest number",
	    UNIT_BYTES("1\r\na\r\nffffffffffffffff\r\n"), "content-too-large",
	    UINT64_MAX },
	{ "zeros and the largest number",
	    UNIT_BYTES("0000ffffffffffffffff\r\n"), "content-too-large", 0 },

	/* Bodies that have not ended. */
	{ "nothing", UNIT_BYTES(""), "idle", 0 },
	{ "a size", UNIT_BYTES("1"), "idle", 0 },
	{ "half a line's end", UNIT_BYTES("1\r"), "idle", 0 },
	{ "a size line", UNIT_BYTES("1\r\n"), "idle", 0 },
	{ "some data", UNIT_BYTES("3\r\nab"), "idle", 0 },
	{ "all data", UNIT_BYTES("3\r\nabc"), "idle", 0 },
	{ "half a line's end behind the data", UNIT_BYTES("3\r\nabc\r"), "idle",
	    0 },
	{ "a chunk", UNIT_BYTES("3\r\nabc\r\n"), "idle", 0 },
	{ "the last chunk without the empty line", UNIT_BYTES("0\r\n"), "idle",
	    0 },
	{ "half of the empty line", UNIT_BYTES("0\r\n\r"), "idle", 0 },
	{ "a trailer field without the empty line", UNIT_BYTES("0\r\na: b\r\n"),
	    "idle", 0 },
	{ "quotes that are open", UNIT_BYTES("1;a=\"b"), "idle", 0 },

	/* Sizes that make no sense. */
	{ "no size", UNIT_BYTES("\r"), BAD_LINE, 0 },
	{ "a bare LF", UNIT_BYTES("\n"), BAD_LINE, 0 },
	{ "a blank before the size", UNIT_BYTES(" "), BAD_LINE, 0 },
	{ "a tab before the size", UNIT_BYTES("\t"), BAD_LINE, 0 },
	{ "an extension without a size", UNIT_BYTES(";"), BAD_LINE, 0 },
	{ "a plus sign", UNIT_BYTES("+"), BAD_LINE, 0 },
	{ "a minus sign", UNIT_BYTES("-"), BAD_LINE, 0 },
	{ "a prefix", UNIT_BYTES("0x"), BAD_LINE, 0 },
	{ "a byte below the digits", UNIT_BYTES("/"), BAD_LINE, 0 },
	{ "a byte above the digits", UNIT_BYTES(":"), BAD_LINE, 0 },
	{ "a byte below A", UNIT_BYTES("@"), BAD_LINE, 0 },
	{ "a byte above F", UNIT_BYTES("G"), BAD_LINE, 0 },
	{ "a byte below a", UNIT_BYTES("`"), BAD_LINE, 0 },
	{ "a byte above f", UNIT_BYTES("g"), BAD_LINE, 0 },
	{ "a byte above f in the middle", UNIT_BYTES("1g"), BAD_LINE, 0 },
	{ "a NUL", UNIT_BYTES("\0"), BAD_LINE, 0 },
	{ "a NUL behind the size", UNIT_BYTES("1\0"), BAD_LINE, 0 },
	{ "a byte above ASCII", UNIT_BYTES("\xFF"), BAD_LINE, 0 },
	{ "a point", UNIT_BYTES("1."), BAD_LINE, 0 },
	{ "a comma", UNIT_BYTES("1,"), BAD_LINE, 0 },
	{ "seventeen digits", UNIT_BYTES("10000000000000000"), BAD_LINE, 0 },
	{ "a number that would wrap to one", UNIT_BYTES("10000000000000001"),
	    BAD_LINE, UINT64_MAX },
	{ "blanks behind the size", UNIT_BYTES("1 \t\r"), BAD_LINE, 0 },
	{ "blanks behind the last size", UNIT_BYTES("0 \r"), BAD_LINE, 0 },
	{ "two sizes", UNIT_BYTES("1 1"), BAD_LINE, 0 },
	{ "no size behind a chunk", UNIT_BYTES("1\r\na\r\n\r"), BAD_LINE, 0 },
	{ "a size that is too large behind a chunk",
	    UNIT_BYTES("1\r\na\r\n11111111111111111"), BAD_LINE, 0 },

	/* Line ends that are none. */
	{ "LF alone behind the size", UNIT_BYTES("1\n"), BAD_LINE, 0 },
	{ "CR alone behind the size", UNIT_BYTES("1\ra"), "bad-chunk", 0 },
	{ "two CRs behind the size", UNIT_BYTES("1\r\r"), "bad-chunk", 0 },
	{ "LF alone behind the data", UNIT_BYTES("1\r\na\n"), "bad-chunk", 0 },
	{ "CR alone behind the data", UNIT_BYTES("1\r\na\r1"), "bad-chunk", 0 },
	{ "nothing behind the data", UNIT_BYTES("1\r\na1"), "bad-chunk", 0 },
	{ "more data than was said", UNIT_BYTES("1\r\nab"), "bad-chunk", 0 },
	{ "LF alone behind the last size", UNIT_BYTES("0\n"), BAD_LINE, 0 },
	{ "LF alone at the end", UNIT_BYTES("0\r\n\n"), "bad-chunk", 0 },
	{ "CR alone at the end", UNIT_BYTES("0\r\n\rG"), "bad-chunk", 0 },
	{ "two CRs at the end", UNIT_BYTES("0\r\n\r\r"), "bad-chunk", 0 },
	{ "LF alone behind an extension", UNIT_BYTES("1;a\n"), BAD_LINE, 0 },
	{ "CR alone behind an extension", UNIT_BYTES("1;a\rb"), "bad-chunk",
	    0 },
	{ "LF alone behind a trailer field", UNIT_BYTES("0\r\na: b\n"),
	    "bad-chunk", 0 },
	{ "CR alone behind a trailer field", UNIT_BYTES("0\r\na: b\rc"),
	    "bad-chunk", 0 },

	/* Extensions that make no sense. */
	{ "no extension", UNIT_BYTES("1;\r"), BAD_LINE, 0 },
	{ "no extension but blanks", UNIT_BYTES("1; \r"), BAD_LINE, 0 },
	{ "no extension but another", UNIT_BYTES("1;;"), BAD_LINE, 0 },
	{ "no extension behind another", UNIT_BYTES("1;a;\r"), BAD_LINE, 0 },
	{ "a value without a name", UNIT_BYTES("1;="), BAD_LINE, 0 },
	{ "no value", UNIT_BYTES("1;a=\r"), BAD_LINE, 0 },
	{ "no value but an extension", UNIT_BYTES("1;a=;"), BAD_LINE, 0 },
	{ "two values", UNIT_BYTES("1;a=b="), BAD_LINE, 0 },
	{ "two words", UNIT_BYTES("1;a b"), BAD_LINE, 0 },
	{ "two words in a value", UNIT_BYTES("1;a=b c"), BAD_LINE, 0 },
	{ "a word behind quotes", UNIT_BYTES("1;a=\"b\"c"), BAD_LINE, 0 },
	{ "quotes behind a word", UNIT_BYTES("1;a=b\""), BAD_LINE, 0 },
	{ "quotes as a name", UNIT_BYTES("1;\""), BAD_LINE, 0 },
	{ "a line's end in quotes", UNIT_BYTES("1;a=\"b\r"), BAD_LINE, 0 },
	{ "LF in quotes", UNIT_BYTES("1;a=\"b\n"), BAD_LINE, 0 },
	{ "an escaped line's end in quotes", UNIT_BYTES("1;a=\"\\\r"), BAD_LINE,
	    0 },
	{ "a NUL in quotes", UNIT_BYTES("1;a=\"\0"), BAD_LINE, 0 },
	{ "a DEL in quotes", UNIT_BYTES("1;a=\"\x7F"), BAD_LINE, 0 },
	{ "an escaped NUL in quotes", UNIT_BYTES("1;a=\"\\\0"), BAD_LINE, 0 },
	{ "a NUL in an extension", UNIT_BYTES("1;a\0"), BAD_LINE, 0 },
	{ "a byte above ASCII in a name", UNIT_BYTES("1;\xFF"), BAD_LINE, 0 },
	{ "a parenthesis", UNIT_BYTES("1;a("), BAD_LINE, 0 },
	{ "blanks behind an extension", UNIT_BYTES("1;a \r"), BAD_LINE, 0 },
	{ "blanks behind a value", UNIT_BYTES("1;a=b \r"), BAD_LINE, 0 },
	{ "blanks behind quotes", UNIT_BYTES("1;a=\"\" \r"), BAD_LINE, 0 },

	/* Trailer fields that make no sense. */
	{ "a trailer without a name", UNIT_BYTES("0\r\n:"), "bad-chunk", 0 },
	{ "a trailer without a colon", UNIT_BYTES("0\r\na\r"), "bad-chunk", 0 },
	{ "a blank before the colon", UNIT_BYTES("0\r\na "), "bad-chunk", 0 },
	{ "a blank in front of the trailer", UNIT_BYTES("0\r\n "), "bad-chunk",
	    0 },
	{ "a folded trailer field", UNIT_BYTES("0\r\na: b\r\n "), "bad-chunk",
	    0 },
	{ "a trailer field folded by a tab", UNIT_BYTES("0\r\na: b\r\n\t"),
	    "bad-chunk", 0 },
	{ "a NUL in a trailer's name", UNIT_BYTES("0\r\na\0"), "bad-chunk", 0 },
	{ "a NUL in a trailer field", UNIT_BYTES("0\r\na: \0"), "bad-chunk",
	    0 },
	{ "a DEL in a trailer field", UNIT_BYTES("0\r\na: \x7F"), "bad-chunk",
	    0 },
	{ "a trailer name above ASCII", UNIT_BYTES("0\r\n\xFF"), "bad-chunk",
	    0 },
	{ "the next request without the empty line", UNIT_BYTES("0\r\nGET "),
	    "bad-chunk", 0 },
};

/* What came of feeding a slice in pieces, and how much of it was taken. */
struct outcome {
	enum verdict verdict;
	size_t taken;
	uint64_t total;
};

/* Feeds bytes in pieces: up to `first`, then `piece` at a time. */
static struct outcome
feed(struct slice bytes, size_t first, size_t piece, uint64_t max)
{
	struct chunks c = { 0 };
	struct outcome o = { IDLE, 0, 0 };

	while (o.verdict == IDLE && o.taken < bytes.len) {
		size_t end = o.taken < first ? first : o.taken + piece;
		if (end < o.taken || end > bytes.len)
			end = bytes.len;
		struct slice part = { bytes.ptr + o.taken, end - o.taken };

		o.verdict = chunks_feed(&c, &part, max);
		unit_bool("it takes from the start", true,
		    part.ptr + part.len == bytes.ptr + end);
		if (o.verdict == IDLE)
			unit_number(
			    "it takes all that it may", 0, (long long)part.len);
		o.taken = end - part.len;
	}
	o.total = c.total;
	return o;
}

static void
check_fed(struct slice bytes, size_t first, size_t piece, uint64_t max,
    const char *token, size_t taken, const char *how)
{
	struct outcome o = feed(bytes, first, piece, max);

	unit_string(how, token, verdict_token(o.verdict));
	unit_number(how, (long long)taken, (long long)o.taken);
	unit_bool(
	    "the content is no longer than allowed", true, o.total <= max);
}

static void
check_every_way(
    struct slice bytes, uint64_t max, const char *token, size_t taken)
{
	for (int side = 0; side < UNIT_SIDES; side++) {
		struct slice s = unit_place((enum unit_side)side, bytes);

		check_fed(s, s.len, SIZE_MAX, max, token, taken, "whole");
		check_fed(s, 0, 1, max, token, taken, "a byte at a time");
		for (size_t at = 1; at < s.len; at++)
			check_fed(s, at, SIZE_MAX, max, token, taken, "split");
	}
}

static void
check_row(const struct row *row)
{
	char buf[1024];
	struct text t = TEXT_IN(buf);
	bool ends = strcmp(row->token, "idle") != 0;
	uint64_t max = row->max == 0 ? MAX : row->max;

	/* What is behind a body, or a fault, is not looked at. */
	text_add(&t, row->bytes);
	/* What could make a whole body of it, were it not refused. */
	bool bad_line = strcmp(row->token, BAD_LINE) == 0;
	bool bad = bad_line || strcmp(row->token, "bad-chunk") == 0;
	const char *token = bad ? "bad-chunk" : row->token;
	bool at_cr = bad && row->bytes.ptr[row->bytes.len - 1] == '\r';
	if (bad)
		text_add(&t, at_cr ? SLICE("\n\r\n") : SLICE("\r\n\r\n"));
	if (ends)
		text_add(&t, SLICE(NEXT));
	unit_need(!t.overflowed, "the row is too long for the test");
	size_t taken = row->bytes.len;
	if (bad_line && !at_cr &&
	    feed(text_slice(&t), t.len, SIZE_MAX, max).taken == taken + 1)
		taken++;
	check_every_way(text_slice(&t), max, token, taken);

	/* Every start of it needs more bytes. */
	for (size_t len = 0; len + 1 < row->bytes.len; len++) {
		for (int side = 0; side < UNIT_SIDES; side++) {
			struct slice part = unit_place((enum unit_side)side,
			    (struct slice){ row->bytes.ptr, len });

			check_fed(part, len, SIZE_MAX, max, "idle", len,
			    "the start of it");
		}
	}
}

/* A body where nothing is allowed but an end: `max` of 0. */
static void
check_nothing_allowed(void)
{
	unit_begin("no chunk where none is allowed");
	check_every_way(SLICE(END NEXT), 0, "proceed", 5);
	unit_begin("a byte where none is allowed");
	check_every_way(SLICE("1\r\na\r\n" END), 0, "content-too-large", 3);
}

/*
 * A size line may have 256 bytes before its line end; a trailer section, which
 * ends before the empty line (RFC 9112 7.1), 8192.  Each met exactly and passed
 * by one.
 */
static void
check_limits(void)
{
	static char buf[TRAILERS_MAX + 64];
	static const struct {
		const char *name, *start;
		char fill;
		size_t len; /* of start and what fills it */
		const char *end, *token;
	} limits[] = {
		{ "zeros up to the limit", "0", '0', 256, "\r\n\r\n",
		    "proceed" },
		{ "zeros beyond the limit", "0", '0', 257, "", "bad-chunk" },
		{ "an extension up to the limit", "0;", 'a', 256, "\r\n\r\n",
		    "proceed" },
		{ "an extension beyond the limit", "0;", 'a', 257, "",
		    "bad-chunk" },
		{ "quotes beyond the limit", "0;a=\"", 'a', 257, "",
		    "bad-chunk" },
		{ "blanks beyond the limit", "0 ", ' ', 257, "", "bad-chunk" },
		{ "a second extension up to the limit", "1\r\na\r\n0;", 'a',
		    6 + 256, "\r\n\r\n", "proceed" },
		{ "a second extension beyond the limit", "1\r\na\r\n0;", 'a',
		    6 + 257, "", "bad-chunk" },
		{ "a trailer field up to the limit", "0\r\na:", 'b', 3 + 8190,
		    "\r\n\r\n", "proceed" },
		{ "a trailer field beyond the limit", "0\r\na:", 'b', 3 + 8193,
		    "", "bad-chunk" },
		{ "a trailer field whose line end is beyond the limit",
		    "0\r\na:", 'b', 3 + 8191, "\r\n", "bad-chunk" },
		{ "trailer fields up to the limit", "0\r\na:b\r\nc:", 'd',
		    3 + 8190, "\r\n\r\n", "proceed" },
		{ "trailer fields whose last line end is beyond the limit",
		    "0\r\na:b\r\nc:", 'd', 3 + 8191, "\r\n", "bad-chunk" },
		{ "a trailer name beyond the limit", "0\r\n", 'a', 3 + 8193, "",
		    "bad-chunk" },
		{ "a trailer field up to the limit behind long size lines",
		    "1;aaaaaaaa\r\nb\r\n0;aaaaaaaaa\r\na:", 'b', 28 + 8190,
		    "\r\n\r\n", "proceed" },
	};

	for (size_t i = 0; i < UNIT_COUNT(limits); i++) {
		struct text t = TEXT_IN(buf);

		unit_begin(limits[i].name);
		text_add(&t, slice_of(limits[i].start));
		while (t.len < limits[i].len)
			text_add_char(&t, limits[i].fill);
		text_add(&t, slice_of(limits[i].end));
		size_t len = t.len;
		text_add(&t, SLICE("GET"));
		unit_need(!t.overflowed, "the row is too long for the test");
		for (int side = 0; side < UNIT_SIDES; side++) {
			struct slice s =
			    unit_place((enum unit_side)side, text_slice(&t));

			check_fed(s, s.len, SIZE_MAX, MAX, limits[i].token, len,
			    "whole");
			check_fed(s, 0, 1, MAX, limits[i].token, len,
			    "a byte at a time");
			check_fed(s, 0, 255, MAX, limits[i].token, len,
			    "255 bytes at a time");
		}
	}

	/* Many size lines, each at the limit, are no long line. */
	static char many[40 * 300];
	struct text t = TEXT_IN(many);
	unit_begin("forty extensions at the limit");
	for (int i = 0; i < 40; i++) {
		size_t from = t.len;

		text_add(&t, SLICE("1;"));
		while (t.len - from < 256)
			text_add_char(&t, 'a');
		text_add(&t, SLICE("\r\nb\r\n"));
	}
	text_add(&t, SLICE(END));
	for (size_t piece = 1; piece < 600; piece += 7)
		check_fed(text_slice(&t), 0, piece, MAX, "proceed", t.len,
		    "in pieces");
}

/*
 * Bodies of many chunks of random sizes, in random pieces: the end is where it
 * was put.
 */
static void
check_random(void)
{
	static char buf[100000];
	unsigned long state = 1;

	unit_begin("random chunks in random pieces");
	for (int round = 0; round < 200; round++) {
		struct text t = TEXT_IN(buf);
		uint64_t total = 0;

		for (unsigned long i = 0; i < (unsigned long)round % 40; i++) {
			char size[32];

			state =
			    state * 6364136223846793005u + 1442695040888963407u;
			size_t len = 1 + (state >> 33) % 2000;
			snprintf(size, sizeof(size),
			    state >> 63 ? "%zX;a=b\r\n" : "%zx\r\n", len);
			text_add(&t, slice_of(size));
			for (size_t n = 0; n < len; n++)
				text_add_char(&t, "\r\n0a"[(n + i) % 4]);
			text_add(&t, SLICE("\r\n"));
			total += len;
		}
		text_add(
		    &t, round % 2 ? SLICE("0\r\nx: y\r\n\r\n") : SLICE(END));
		size_t end = t.len;
		text_add(&t, SLICE(NEXT));
		unit_need(!t.overflowed, "the row is too long for the test");
		struct slice s = text_slice(&t);

		state = state * 6364136223846793005u + 1442695040888963407u;
		size_t piece = 1 + (state >> 33) % 3000;
		check_fed(s, 0, piece, total, "proceed", end, "in pieces");
		check_fed(s, 0, SIZE_MAX, total, "proceed", end, "whole");
		unit_number("total", (long long)total,
		    (long long)feed(s, 0, piece, total).total);
		if (total > 0)
			unit_string("one byte less is allowed",
			    "content-too-large",
			    verdict_token(
				feed(s, 0, piece, total - 1).verdict));
	}
}

/* A request of two parts and one behind it, in one text. */
struct conversation {
	struct text bytes;
	size_t head_len;
};

/*
 * Appends a head of `head_len` bytes (0: as it comes) and content of `len`
 * bytes, all of which look like the start of requests.
 */
static void
add_request(struct conversation *c, bool chunked, size_t head_len, size_t len)
{
	struct text *t = &c->bytes;
	size_t from = t->len;
	char line[64];

	text_add(t,
	    SLICE("GET /first?query HTTP/1.1\r\nHost: first\r\n"
		  "Referer: referer\r\nIf-None-Match: \"tag\"\r\n"));
	if (chunked)
		snprintf(line, sizeof(line), "Transfer-Encoding: chunked\r\n");
	else
		snprintf(line, sizeof(line), "Content-Length: %zu\r\n", len);
	text_add(t, slice_of(line));
	if (head_len > 0) {
		text_add(t, SLICE("User-Agent:"));
		while (t->len - from < head_len - 4)
			text_add_char(t, 'a');
		text_add(t, SLICE("\r\n"));
	}
	text_add(t, SLICE("\r\n"));
	c->head_len = t->len - from;
	for (size_t done = 0; done < len;) {
		size_t part = chunked && len - done > 999 ? 999 : len - done;

		if (chunked) {
			snprintf(line, sizeof(line), "%zx;a=\"b\"\r\n", part);
			text_add(t, slice_of(line));
		}
		for (size_t i = 0; i < part; i++)
			text_add_char(t, NEXT[(done + i) % (sizeof(NEXT) - 1)]);
		if (chunked)
			text_add(t, SLICE("\r\n"));
		done += part;
	}
	if (chunked)
		text_add(t, SLICE("0\r\nTrailer: x\r\n\r\n"));
}

/* Heads and content in turn through a connection, each as it was sent. */
static void
check_conversation(bool chunked, size_t head_len, size_t len, size_t piece)
{
	static char buf[1 << 20];
	struct conversation c = { .bytes = TEXT_IN(buf) };
	struct input *in = new_input();
	struct slice head;
	struct peer p;
	char name[128];

	snprintf(name, sizeof(name),
	    "%s of %zu bytes behind a head of %zu in %zd",
	    chunked ? "chunks" : "content", len, head_len, (ssize_t)piece);
	unit_begin(name);
	for (int i = 0; i < 3; i++)
		add_request(&c, chunked, head_len, len);
	text_add(&c.bytes, SLICE(NEXT));
	unit_need(!c.bytes.overflowed, "the row is too long for the test");
	peer_open(&p, text_slice(&c.bytes), piece);
	for (int i = 0; i < 3; i++) {
		struct request r;
		struct slice rest, value;

		unit_string("a head", "proceed",
		    verdict_token(
			read_head(in, &p.connection, LONG_MS, &head)));
		unit_number(
		    "its length", (long long)c.head_len, (long long)head.len);
		unit_string("a request", "proceed",
		    verdict_token(parse_request(head, &r)));
		unit_bool("it has content", chunked || len > 0, r.has_content);
		unit_string("its content", "proceed",
		    verdict_token(
			read_content(in, &p.connection, &r, len, LONG_MS)));
		/* The content has not overwritten what the head says. */
		unit_slice("head", (struct slice){ buf, c.head_len }, head);
		unit_slice("line", SLICE("GET /first?query HTTP/1.1"), r.line);
		unit_slice("path", SLICE("/first"), r.path);
		unit_slice("query", SLICE("?query"), r.query);
		unit_slice("host", SLICE("first"), r.host);
		unit_slice("referer", SLICE("referer"), r.referer);
		rest = r.fields;
		unit_bool("a field", true,
		    request_next_field(&rest, FIELD_IF_NONE_MATCH, &value));
		unit_slice("a field", SLICE("\"tag\""), value);
	}
	unit_string("the next one", "proceed",
	    verdict_token(read_head(in, &p.connection, LONG_MS, &head)));
	unit_slice("the next one", SLICE(NEXT), head);
	unit_string("after the last one", "end-of-input",
	    verdict_token(read_head(in, &p.connection, LONG_MS, &head)));
	peer_close(&p);
}

/* Content that does not come to its end, or is refused. */
static void
check_faults(void)
{
#define LENGTH(n) "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: " n "\r\n\r\n"
#define CHUNKED \
	"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
	static const struct {
		const char *name;
		struct slice bytes;
		uint64_t max;
		bool ends; /* else nothing more comes */
		const char *token;
	} faults[] = {
		{ "no content, then the end", UNIT_BYTES(LENGTH("5")), 5, true,
		    "content-cut-short" },
		{ "some content, then the end", UNIT_BYTES(LENGTH("5") "abcd"),
		    5, true, "content-cut-short" },
		{ "all content, then the end", UNIT_BYTES(LENGTH("5") "abcde"),
		    5, true, "proceed" },
		{ "no chunk, then the end", UNIT_BYTES(CHUNKED), 5, true,
		    "content-cut-short" },
		{ "some chunks, then the end",
		    UNIT_BYTES(CHUNKED "1\r\na\r\n0\r\n"), 5, true,
		    "content-cut-short" },
		{ "no content, then silence", UNIT_BYTES(LENGTH("5")), 5, false,
		    "content-timeout" },
		{ "some content, then silence", UNIT_BYTES(LENGTH("5") "abcd"),
		    5, false, "content-timeout" },
		{ "all content, then silence", UNIT_BYTES(LENGTH("5") "abcde"),
		    5, false, "proceed" },
		{ "some chunks, then silence",
		    UNIT_BYTES(CHUNKED "1\r\na\r\n0\r\n\r"), 5, false,
		    "content-timeout" },
		{ "all chunks, then silence", UNIT_BYTES(CHUNKED END), 5, false,
		    "proceed" },
		/* These need no more bytes. */
		{ "no length, then silence",
		    UNIT_BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), 0, false,
		    "proceed" },
		{ "more content than is allowed, then silence",
		    UNIT_BYTES(LENGTH("6")), 5, false, "content-too-large" },
		{ "content where none is allowed, then silence",
		    UNIT_BYTES(LENGTH("1")), 0, false, "content-too-large" },
		{ "the largest length, then silence",
		    UNIT_BYTES(LENGTH("9223372036854775807")),
		    UINT64_C(1) << 30, false, "content-too-large" },
		{ "larger chunks than are allowed, then silence",
		    UNIT_BYTES(CHUNKED "6\r\n"), 5, false,
		    "content-too-large" },
		{ "a bad chunk, then silence", UNIT_BYTES(CHUNKED "x\r"), 5,
		    false, "bad-chunk" },
	};

	for (size_t i = 0; i < UNIT_COUNT(faults); i++) {
		struct input *in = new_input();
		struct request r;
		struct slice head = { NULL, 0 };
		struct connection c;
		int fds[2];

		unit_begin(faults[i].name);
		unit_need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0,
		    "socketpair");
		open_connection(&c, fds[0], LONG_MS);
		unit_need(send(fds[1], faults[i].bytes.ptr, faults[i].bytes.len,
			      0) == (ssize_t)faults[i].bytes.len,
		    "send");
		if (faults[i].ends)
			close(fds[1]);
		unit_string("head", "proceed",
		    verdict_token(read_head(in, &c, LONG_MS, &head)));
		unit_string("request", "proceed",
		    verdict_token(parse_request(head, &r)));

		bool late = strcmp(faults[i].token, "content-timeout") == 0;
		int64_t from = clock_monotonic_ms();
		unit_string("content", faults[i].token,
		    verdict_token(read_content(
			in, &c, &r, faults[i].max, late ? SHORT_MS : LONG_MS)));
		if (late)
			unit_bool("it waited for its time", true,
			    clock_monotonic_ms() - from >= SHORT_MS);
		unit_slice("the request line", SLICE("GET / HTTP/1.1"), r.line);
		close(fds[0]);
		if (!faults[i].ends)
			close(fds[1]);
	}

	/* A peer that goes away with bytes unread breaks the connection. */
	struct input *in = new_input();
	struct request r;
	struct slice head = { NULL, 0 };
	struct connection c;
	int fds[2];

	unit_begin("some content, then the client is gone");
	unit_need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0, "socketpair");
	open_connection(&c, fds[0], LONG_MS);
	struct slice sent = SLICE(LENGTH("5") "abc");
	unit_need(send(fds[1], sent.ptr, sent.len, 0) == (ssize_t)sent.len &&
		send(fds[0], "x", 1, 0) == 1,
	    "send");
	unit_string("head", "proceed",
	    verdict_token(read_head(in, &c, LONG_MS, &head)));
	unit_string(
	    "request", "proceed", verdict_token(parse_request(head, &r)));
	close(fds[1]);
	unit_string("content", "client-gone",
	    verdict_token(read_content(in, &c, &r, 5, LONG_MS)));
	close(fds[0]);
#undef LENGTH
#undef CHUNKED
}

int
main(void)
{
	unit_table("content");
	unit_at_least("rows of the table", 60, UNIT_COUNT(rows));
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].name);
		check_row(&rows[i]);
	}
	check_nothing_allowed();
	check_limits();
	check_random();
	check_faults();

	static const size_t pieces[] = { 1, 7, 997, 4096, SIZE_MAX };
	static const size_t heads[] = { 0, 200, 4096, 12288, HEAD_MAX - 1,
		HEAD_MAX };
	static const size_t lengths[] = { 0, 1, 500, 4095, 4096, 4097, 30000 };
	for (size_t i = 0; i < UNIT_COUNT(heads); i++)
		for (size_t j = 0; j < UNIT_COUNT(lengths); j++)
			for (size_t k = 0; k < UNIT_COUNT(pieces); k++) {
				if (pieces[k] == 1 &&
				    heads[i] + lengths[j] > 5000)
					continue;
				check_conversation(
				    true, heads[i], lengths[j], pieces[k]);
				check_conversation(
				    false, heads[i], lengths[j], pieces[k]);
			}
	return unit_end();
}
