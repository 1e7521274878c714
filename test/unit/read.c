/*
 * read: whole heads, heads that never become whole, and heads that follow one
 * another through the end of the buffer; each of them in one piece and a byte
 * at a time.
 */
#include "peer.h"
#include "requests.h"

#include <poll.h>

/* A line of `n` bytes, "a" and then `fill`, with its end. */
static void
add_line(
    struct text *t, const char *start, size_t n, char fill, const char *end)
{
	size_t from = t->len;

	text_add(t, slice_of(start));
	while (t->len - from < n - strlen(end))
		text_add_char(t, fill);
	text_add(t, slice_of(end));
	text_add(t, SLICE("\r\n"));
}

/* A row of the table of heads: whole, with a second one behind, in bytes. */
static void
replay(const struct request_row *row)
{
	static const struct {
		const char *name;
		size_t piece;
		bool glued;
	} ways[] = {
		{ "whole", SIZE_MAX, false },
		{ "with the next request behind it", SIZE_MAX, true },
		{ "a byte at a time", 1, false },
	};
	struct slice next = SLICE("HEAD /next HTTP/1.0\r\nHost: next\r\n\r\n");

	for (size_t i = 0; i < UNIT_COUNT(ways); i++) {
		char buf[4096];
		struct text sent = TEXT_IN(buf);
		struct input *in = new_input();
		struct slice head = { NULL, 0 };
		struct peer p;

		text_add(&sent, row->head);
		if (ways[i].glued)
			text_add(&sent, next);
		unit_need(!sent.overflowed, "the row is too long for the test");
		peer_open(&p, text_slice(&sent), ways[i].piece);
		unit_string(ways[i].name, "proceed",
		    verdict_token(
			read_head(in, &p.connection, LONG_MS, &head)));
		unit_slice(ways[i].name, row->head, head);
		if (head.len == row->head.len)
			unit_check_request(row, head, ways[i].name);
		unit_bool("more is waiting", ways[i].glued, read_has_more(in));
		if (ways[i].glued) {
			unit_string("the next one", "proceed",
			    verdict_token(
				read_head(in, &p.connection, LONG_MS, &head)));
			unit_slice("the next one", next, head);
		}
		unit_string("after the last one", "end-of-input",
		    verdict_token(
			read_head(in, &p.connection, LONG_MS, &head)));
		peer_close(&p);
	}
}

/* What one call makes of bytes and of the end of input behind them. */
static void
check(const char *name, struct slice bytes, const char *token, size_t skipped)
{
	unit_begin(name);
	for (int whole = 0; whole < 2; whole++) {
		const char *how = whole ? "whole" : "a byte at a time";
		struct input *in = new_input();
		struct slice head = { NULL, 0 };
		struct peer p;

		peer_open(&p, bytes, whole ? SIZE_MAX : 1);
		enum verdict v = read_head(in, &p.connection, LONG_MS, &head);
		unit_string(how, token, verdict_token(v));
		/* A verdict may come before all bytes have been looked at. */
		struct slice wanted = slice_after(bytes, skipped);
		if (v != PROCEED && head.len < wanted.len)
			wanted.len = head.len;
		unit_slice(how, wanted, head);
		unit_bool("the head lies in the buffer", true,
		    head.ptr >= in->buf &&
			head.ptr + head.len <= in->buf + sizeof(in->buf));
		if (v != PROCEED)
			unit_bool("more is waiting", false, read_has_more(in));
		peer_close(&p);
	}
}

static void
check_heads(void)
{
	static const struct {
		const char *name;
		struct slice bytes;
		const char *token;
		size_t skipped;
	} rows[] = {
		{ "a head", UNIT_BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
		    "proceed", 0 },
		{ "a head without fields", UNIT_BYTES("GET / HTTP/1.1\r\n\r\n"),
		    "proceed", 0 },
		{ "no sense, in lines", UNIT_BYTES("a\r\nb\r\n\r\n"), "proceed",
		    0 },
		{ "an empty line in front",
		    UNIT_BYTES("\r\nGET / HTTP/1.1\r\n\r\n"), "proceed", 2 },
		{ "two empty lines in front",
		    UNIT_BYTES("\r\n\r\nGET / HTTP/1.1\r\n\r\n"),
		    "bad-request-line", 2 },
		{ "only an empty line", UNIT_BYTES("\r\n"), "end-of-input", 2 },
		{ "only half an empty line", UNIT_BYTES("\r"), "head-cut-short",
		    0 },
		{ "a CR in front", UNIT_BYTES("\rGET / HTTP/1.1\r\n\r\n"),
		    "proceed", 0 },
		{ "nothing", UNIT_BYTES(""), "end-of-input", 0 },
		{ "one byte", UNIT_BYTES("G"), "head-cut-short", 0 },
		{ "half a request line", UNIT_BYTES("GET / HT"),
		    "head-cut-short", 0 },
		{ "a request line without LF", UNIT_BYTES("GET / HTTP/1.1\r"),
		    "head-cut-short", 0 },
		{ "a request line", UNIT_BYTES("GET / HTTP/1.1\r\n"),
		    "head-cut-short", 0 },
		{ "half a field", UNIT_BYTES("GET / HTTP/1.1\r\nHos"),
		    "head-cut-short", 0 },
		{ "a field", UNIT_BYTES("GET / HTTP/1.1\r\nHost: x\r\n"),
		    "head-cut-short", 0 },
		{ "half of the last line",
		    UNIT_BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r"),
		    "head-cut-short", 0 },
		{ "half a head behind an empty line", UNIT_BYTES("\r\nGET"),
		    "head-cut-short", 2 },
		{ "a bare LF in front", UNIT_BYTES("\nGET / HTTP/1.1\r\n\r\n"),
		    "not-http", 0 },
		{ "a bare LF behind an empty line",
		    UNIT_BYTES("\r\n\nGET / HTTP/1.1\r\n\r\n"), "not-http", 2 },
		{ "a bare LF behind the request line",
		    UNIT_BYTES("GET / HTTP/1.1\nHost: x\r\n\r\n"), "bare-lf",
		    0 },
		{ "a bare LF in a request line",
		    UNIT_BYTES("GET /\n HTTP/1.1\r\n\r\n"), "bare-lf", 0 },
		{ "a bare LF behind a field",
		    UNIT_BYTES("GET / HTTP/1.1\r\nHost: x\n\r\n"), "bare-lf",
		    0 },
		{ "a bare LF at the end",
		    UNIT_BYTES("GET / HTTP/1.1\r\nHost: x\r\n\n"), "bare-lf",
		    0 },
		{ "bare LFs throughout",
		    UNIT_BYTES("GET / HTTP/1.1\nHost: x\n\n"), "bare-lf", 0 },
		{ "LF before CR",
		    UNIT_BYTES("GET / HTTP/1.1\n\rHost: x\n\r\n\r"), "bare-lf",
		    0 },
		{ "a NUL in front", UNIT_BYTES("\0GET / HTTP/1.1\r\n\r\n"),
		    "not-http", 0 },
		{ "NULs within",
		    UNIT_BYTES("G\0T /\0 HTTP/1.1\r\n\0: \0\r\n\r\n"),
		    "proceed", 0 },
		{ "a NUL before an LF",
		    UNIT_BYTES("GET / HTTP/1.1\0\nHost: x\r\n\r\n"), "bare-lf",
		    0 },
		{ "a space in front", UNIT_BYTES(" GET / HTTP/1.1\r\n\r\n"),
		    "not-http", 0 },
		{ "a space behind an empty line",
		    UNIT_BYTES("\r\n GET / HTTP/1.1\r\n\r\n"), "not-http", 2 },
		{ "a TLS greeting",
		    UNIT_BYTES("\x16\x03\x01\x02\x00\x01\x00\x01\xFC\x03\x03"),
		    "not-http", 0 },
		{ "bytes above ASCII",
		    UNIT_BYTES("\xEF\xBB\xBFGET / HTTP/1.1\r\n\r\n"),
		    "not-http", 0 },
		{ "a request behind two CRs",
		    UNIT_BYTES("GET / HTTP/1.1\r\r\nHost: x\r\n\r\n"),
		    "proceed", 0 },
		{ "a line of a CR", UNIT_BYTES("GET / HTTP/1.1\r\n\r\r\n\r\n"),
		    "proceed", 0 },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		check(rows[i].name, rows[i].bytes, rows[i].token,
		    rows[i].skipped);
}

/* The limits, each met exactly and passed by one. */
static void
check_limits(void)
{
	static char buf[4 * HEAD_MAX];
	static const struct {
		const char *name;
		size_t line; /* length of the request line */
		size_t fields; /* how many */
		size_t total; /* of the head; 0: as it comes */
		bool empty_line; /* in front */
		const char *token;
	} rows[] = {
		{ "a request line at the limit", 8192, 1, 0, false, "proceed" },
		{ "a request line over the limit", 8193, 1, 0, false,
		    "request-line-too-long" },
		{ "a request line at the limit behind an empty line", 8192, 1,
		    0, true, "proceed" },
		{ "a request line over the limit behind an empty line", 8193, 1,
		    0, true, "request-line-too-long" },
		{ "a request line far over the limit", 30000, 1, 0, false,
		    "request-line-too-long" },
		{ "a head at the limit", 100, 2, 16384, false, "proceed" },
		{ "a head over the limit", 100, 2, 16385, false,
		    "head-too-large" },
		{ "a head at the limit behind an empty line", 100, 2, 16384,
		    true, "proceed" },
		{ "a head over the limit behind an empty line", 100, 2, 16385,
		    true, "head-too-large" },
		{ "a head far over the limit", 100, 2, 40000, false,
		    "head-too-large" },
		{ "both limits at once", 8192, 2, 16384, false, "proceed" },
		{ "a hundred fields", 100, 100, 0, false, "proceed" },
		{ "a hundred and one fields", 100, 101, 0, false,
		    "too-many-fields" },
		{ "a hundred fields behind an empty line", 100, 100, 0, true,
		    "proceed" },
		{ "a hundred fields in a head at the limit", 100, 100, 16384,
		    false, "proceed" },
		{ "a hundred and one fields in a head at the limit", 100, 101,
		    16384, false, "too-many-fields" },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct text t = TEXT_IN(buf);
		size_t skipped = rows[i].empty_line ? 2 : 0;

		if (rows[i].empty_line)
			text_add(&t, SLICE("\r\n"));
		add_line(&t, "GET /", rows[i].line, 'p', " HTTP/1.1");
		for (size_t n = 1; n < rows[i].fields; n++)
			text_add(&t, SLICE("a: b\r\n"));
		if (rows[i].total > 0)
			add_line(&t, "c: ", rows[i].total + skipped - t.len - 4,
			    'd', "");
		else
			text_add(&t, SLICE("c: d\r\n"));
		text_add(&t, SLICE("\r\n"));
		unit_need(!t.overflowed, "the row is too long for the test");
		if (rows[i].total > 0)
			unit_need(t.len - skipped == rows[i].total,
			    "the row's length");
		check(rows[i].name, text_slice(&t), rows[i].token, skipped);
	}

	/* Lines that have not ended: the limit counts without their end. */
	memset(buf, 'G', sizeof(buf));
	check("a line of 8194 bytes that goes on", (struct slice){ buf, 8194 },
	    "head-cut-short", 0);
	check("a line of 8195 bytes that goes on", (struct slice){ buf, 8195 },
	    "request-line-too-long", 0);
}

/* What read_head() says when nothing more comes, on a connection left open. */
static void
check_silence(void)
{
	static const struct {
		const char *name;
		struct slice bytes;
		const char *token;
	} rows[] = {
		{ "silence", UNIT_BYTES(""), "idle" },
		{ "silence behind an empty line", UNIT_BYTES("\r\n"), "idle" },
		{ "silence within an empty line", UNIT_BYTES("\r"),
		    "head-timeout" },
		{ "silence within the request line", UNIT_BYTES("GET"),
		    "head-timeout" },
		{ "silence within the fields",
		    UNIT_BYTES("GET / HTTP/1.1\r\nHost: x\r\n"),
		    "head-timeout" },
		{ "silence within the fields behind an empty line",
		    UNIT_BYTES("\r\nGET / HTTP/1.1\r\n"), "head-timeout" },
		/* These need no more bytes to be refused. */
		{ "a bare LF and silence", UNIT_BYTES("GET / HTTP/1.1\n"),
		    "bare-lf" },
		{ "no HTTP and silence", UNIT_BYTES("\x16"), "not-http" },
		{ "two empty lines and silence", UNIT_BYTES("\r\n\r\n"),
		    "bad-request-line" },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct input *in = new_input();
		struct slice head;
		struct connection c;
		int fds[2];

		unit_begin(rows[i].name);
		unit_need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0,
		    "socketpair");
		open_connection(&c, fds[0], SHORT_MS);
		unit_need(send(fds[1], rows[i].bytes.ptr, rows[i].bytes.len,
			      0) == (ssize_t)rows[i].bytes.len,
		    "send");
		int64_t from = clock_monotonic_ms();
		unit_string("verdict", rows[i].token,
		    verdict_token(read_head(in, &c, SHORT_MS, &head)));
		if (strcmp(rows[i].token, "idle") == 0 ||
		    strcmp(rows[i].token, "head-timeout") == 0)
			unit_bool("it waited for its time", true,
			    clock_monotonic_ms() - from >= SHORT_MS);
		close(fds[0]);
		close(fds[1]);
	}

	/* The two bounds are kept apart. */
	for (int idle = 0; idle < 2; idle++) {
		struct input *in = new_input();
		struct slice head;
		struct connection c;
		int fds[2];

		unit_begin(idle ? "idle before a short bound" :
				  "a head in a short bound");
		unit_need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0,
		    "socketpair");
		open_connection(&c, fds[0], idle ? SHORT_MS : LONG_MS);
		if (!idle)
			unit_need(send(fds[1], "G", 1, 0) == 1, "send");
		unit_string("verdict", idle ? "idle" : "head-timeout",
		    verdict_token(
			read_head(in, &c, idle ? LONG_MS : SHORT_MS, &head)));
		close(fds[0]);
		close(fds[1]);
	}
}

/*
 * An empty line is no part of a head: the time for the head that comes after
 * a long wait starts at its own first byte.
 */
static void
check_late_head(void)
{
	struct input *in = new_input();
	struct slice head;
	struct connection c;
	int fds[2];

	unit_begin("a head long after half an empty line");
	unit_need(
	    socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds) == 0, "socketpair");
	open_connection(&c, fds[0], LONG_MS);

	pid_t writer = fork();
	unit_need(writer >= 0, "fork");
	if (writer == 0) {
		/* Time is what is tested here: there is no event to wait for. */
		close(fds[0]);
		send(fds[1], "\r", 1, 0);
		send(fds[1], "\n", 1, 0);
		poll(NULL, 0, 600);
		send(fds[1], "GET / HTTP/1.1", 14, MSG_NOSIGNAL);
		poll(NULL, 0, 1);
		send(fds[1], "\r\n\r\n", 4, MSG_NOSIGNAL);
		_exit(0);
	}
	close(fds[1]);
	unit_string(
	    "verdict", "proceed", verdict_token(read_head(in, &c, 500, &head)));
	close(fds[0]);
	unit_reap(writer);
}

/*
 * Thousands of heads of many lengths, one behind another, in pieces that end
 * anywhere: each must come out as it went in, wherever in the buffer it starts
 * and wherever it is cut.
 */
static void
check_pipeline(const char *name, size_t shortest, size_t longest, size_t count,
    size_t piece)
{
	static char stream[6 << 20];
	static size_t ends[8192];
	struct text t = TEXT_IN(stream);
	unsigned long state = 1;

	unit_begin(name);
	unit_need(count <= UNIT_COUNT(ends), "the row has too many heads");
	for (size_t i = 0; i < count; i++) {
		size_t from = t.len, len;

		state = state * 1103515245 + 12345;
		len = shortest + (state >> 16) % (longest - shortest + 1);
		if (i % 7 == 3)
			text_add(
			    &t, SLICE("\r\n")); /* an empty line in front */
		text_add(&t, SLICE("GET /"));
		text_add_number(&t, i, 6);
		text_add(&t, SLICE(" HTTP/1.1\r\n"));
		size_t have = t.len - from - (i % 7 == 3 ? 2 : 0);
		add_line(&t, "a:", len - have - 4, (char)('a' + i % 26), "");
		text_add(&t, SLICE("\r\n"));
		ends[i] = t.len;
	}
	unit_need(!t.overflowed, "the row is too long for the test");

	struct input *in = new_input();
	struct peer p;
	size_t at = 0, failures = unit.failures;
	peer_open(&p, text_slice(&t), piece);
	for (size_t i = 0; i < count && unit.failures == failures; i++) {
		struct slice head = { NULL, 0 };
		struct slice wanted = { stream + at, ends[i] - at };

		if (i % 7 == 3)
			wanted = slice_after(wanted, 2);
		unit_string("verdict", "proceed",
		    verdict_token(
			read_head(in, &p.connection, LONG_MS, &head)));
		unit_slice("head", wanted, head);
		at = ends[i];
	}
	if (unit.failures == failures) {
		struct slice head;

		unit_string("after the last one", "end-of-input",
		    verdict_token(
			read_head(in, &p.connection, LONG_MS, &head)));
	}
	peer_close(&p);
}

int
main(void)
{
	unit_table("read");
	for (size_t i = 0; i < UNIT_COUNT(request_rows); i++) {
		unit_begin(request_rows[i].name);
		replay(&request_rows[i]);
	}
	check_heads();
	check_limits();
	check_silence();
	check_late_head();
	check_pipeline(
	    "heads of 40 bytes in large pieces", 40, 40, 5000, 1 << 16);
	check_pipeline("heads of 41 bytes in pieces of 17", 41, 41, 5000, 17);
	check_pipeline("heads of all short lengths", 40, 300, 5000, 4093);
	check_pipeline("heads of middling lengths", 40, 5000, 800, 16384);
	check_pipeline("heads of all lengths", 40, 16384, 300, 1 << 16);
	check_pipeline(
	    "heads of all lengths in small pieces", 40, 16384, 100, 999);
	check_pipeline("the largest heads", 16384, 16384, 60, 16385);
	check_pipeline(
	    "the largest heads in whole pieces", 16384, 16384, 60, 16384);
	return unit_end();
}
