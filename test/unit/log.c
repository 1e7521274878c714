/*
 * log: lines as they leave on descriptor 2, from each kind of connection.
 *
 * The module keeps where its lines go and who the client is for the life of
 * the process, so each row has a process of its own.  Its standard error is a
 * pipe that keeps the bounds of what was written (O_DIRECT): one line must be
 * one write.
 */
#include "unit.h"

#include "access.h"
#include "log.h"

#include "insist.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <sysexits.h>

enum connection { PIPE, UNIX, IPV4, IPV6, MAPPED };

/* A connection on 127.0.0.1 or ::1, seen from the side that accepted it. */
static int
connect_tcp(enum connection kind)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in v4 = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr *any = (struct sockaddr *)&v6;
	socklen_t len = sizeof(v6);
	int off = 0, client;

	if (kind == IPV6)
		v6.sin6_addr = in6addr_loopback;
	if (kind == IPV4) {
		any = (struct sockaddr *)&v4;
		len = sizeof(v4);
	}
	int listener = socket(any->sa_family, SOCK_STREAM, 0);
	unit_need(listener >= 0, "socket");
	if (kind == MAPPED)
		unit_need(setsockopt(listener, IPPROTO_IPV6, IPV6_V6ONLY, &off,
			      sizeof(off)) == 0,
		    "IPV6_V6ONLY");
	unit_need(bind(listener, any, len) == 0 && listen(listener, 1) == 0 &&
		getsockname(listener, any, &len) == 0,
	    "listen");
	if (kind == MAPPED) {
		v4.sin_port = v6.sin6_port;
		any = (struct sockaddr *)&v4;
		len = sizeof(v4);
	}
	client = socket(any->sa_family, SOCK_STREAM, 0);
	unit_need(client >= 0 && connect(client, any, len) == 0, "connect");
	int accepted = accept(listener, NULL, NULL);
	unit_need(accepted >= 0, "accept");
	close(listener);
	return accepted; /* the client's end stays open until _exit */
}

/* Puts a connection of this kind where the program has it. */
static void
use_connection(enum connection kind)
{
	int fds[2] = { -1, -1 };

	switch (kind) {
	case PIPE:
		unit_need(pipe(fds) == 0, "pipe");
		break;
	case UNIX:
		unit_need(socketpair(AF_UNIX, SOCK_STREAM, 0, fds) == 0,
		    "socketpair");
		break;
	case IPV4:
	case IPV6:
	case MAPPED:
		fds[0] = connect_tcp(kind);
		break;
	}
	unit_need(
	    dup2(fds[0], STDIN_FILENO) >= 0 && dup2(fds[0], STDOUT_FILENO) >= 0,
	    "dup2");
}

/*
 * Runs `what` in a process whose standard error is a pipe and returns what it
 * wrote there, once it has ended with this status.
 */
static struct slice
run(void (*what)(const void *), const void *with, int wanted_status)
{
	static char got[4 * PIPE_BUF];
	struct text t = TEXT_IN(got);
	int fds[2], status, writes = 0;

	unit_need(pipe2(fds, O_DIRECT) == 0, "pipe2");
	pid_t pid = fork();
	unit_need(pid >= 0, "fork");
	if (pid == 0) {
		unit_need(dup2(fds[1], STDERR_FILENO) >= 0, "dup2");
		what(with);
		_exit(0);
	}
	close(fds[1]);
	for (;;) {
		ssize_t n = read(fds[0], got + t.len, PIPE_BUF);

		unit_need(n >= 0, "read");
		if (n == 0)
			break;
		t.len += (size_t)n;
		unit_need(++writes < 4, "the process does not stop writing");
	}
	close(fds[0]);
	unit_need(waitpid(pid, &status, 0) == pid, "waitpid");
	unit_number("exit status", wanted_status,
	    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
	unit_number("writes", 1, writes);
	return text_slice(&t);
}

#define WHEN 784111777
#define START "127.0.0.1 - - [06/Nov/1994:08:49:37 +0000] "

static const struct row {
	const char *name;
	enum connection connection;
	struct access entry;
	const char *line;
} rows[] = {
	{ "IPv4", IPV4,
	    { WHEN, UNIT_BYTES("GET / HTTP/1.1"), UNIT_BYTES(""),
		UNIT_BYTES("curl/7.88.1"), 200, 1234, FOUND },
	    START
	    "\"GET / HTTP/1.1\" 200 1234 \"-\" \"curl/7.88.1\" \"ok\"\n" },
	{ "IPv6", IPV6,
	    { WHEN, UNIT_BYTES("GET / HTTP/1.1"), UNIT_BYTES(""),
		UNIT_BYTES(""), 200, 1, FOUND },
	    "::1 - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\" \"ok\"\n" },
	{ "IPv4 on a socket of IPv6", MAPPED,
	    { WHEN, UNIT_BYTES("GET / HTTP/1.1"), UNIT_BYTES(""),
		UNIT_BYTES(""), 200, 1, FOUND },
	    START "\"GET / HTTP/1.1\" 200 1 \"-\" \"-\" \"ok\"\n" },
	{ "a Unix socket", UNIX,
	    { WHEN, UNIT_BYTES("GET / HTTP/1.1"), UNIT_BYTES(""),
		UNIT_BYTES(""), 200, 1, FOUND },
	    "unix: - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\" \"ok\"\n" },
	{ "a pipe", PIPE,
	    { WHEN, UNIT_BYTES("GET / HTTP/1.1"), UNIT_BYTES(""),
		UNIT_BYTES(""), 200, 1, FOUND },
	    "- - - [06/Nov/1994:08:49:37 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\" \"ok\"\n" },
	{ "every field", IPV4,
	    { WHEN, UNIT_BYTES("HEAD /a HTTP/1.0"), UNIT_BYTES("http://r/"),
		UNIT_BYTES("u a"), 404, 0, NOT_FOUND },
	    START
	    "\"HEAD /a HTTP/1.0\" 404 - \"http://r/\" \"u a\" \"not-found\"\n" },
	{ "no request line", IPV4,
	    { WHEN, UNIT_BYTES(""), UNIT_BYTES(""), UNIT_BYTES(""), 408, 0,
		HEAD_TIMEOUT },
	    START "\"-\" 408 - \"-\" \"-\" \"head-timeout\"\n" },
	{ "quotes cannot be closed", IPV4,
	    { WHEN, UNIT_BYTES("GET /\" 200 \\ HTTP/1.1"), UNIT_BYTES("\""),
		UNIT_BYTES("\\\""), 400, 0, BAD_TARGET },
	    START
	    "\"GET /\\\" 200 \\\\ HTTP/1.1\" 400 - \"\\\"\" \"\\\\\\\"\" \"bad-target\"\n" },
	{ "lines cannot be forged", IPV4,
	    { WHEN, UNIT_BYTES("GET /\r\n6.6.6.6 - - "), UNIT_BYTES("\n"),
		UNIT_BYTES("\0\x1B[2J\x7F\xFF"), 400, 0, BAD_TARGET },
	    START
	    "\"GET /\\x0d\\x0a6.6.6.6 - - \" 400 - \"\\x0a\" \"\\x00\\x1b[2J\\x7f\\xff\" \"bad-target\"\n" },
	{ "the largest number", IPV4,
	    { WHEN, UNIT_BYTES("GET / HTTP/1.1"), UNIT_BYTES(""),
		UNIT_BYTES(""), 200, UINT64_MAX, FOUND },
	    START
	    "\"GET / HTTP/1.1\" 200 18446744073709551615 \"-\" \"-\" \"ok\"\n" },
	{ "a clock before the epoch", IPV4,
	    { -1, UNIT_BYTES("GET / HTTP/1.1"), UNIT_BYTES(""), UNIT_BYTES(""),
		200, 1, FOUND },
	    "127.0.0.1 - - [] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\" \"ok\"\n" },
};

static struct log_lines lines;

static void
write_row(const void *with)
{
	const struct row *row = with;

	use_connection(row->connection);
	log_open(&lines);
	access_log(&row->entry, NULL);
	log_flush();
}

/* The longest line: every part escaped to four times its length, and cut. */
static void
write_longest(const void *with)
{
	static char bytes[8192], room[LOG_LINE_CAP];
	struct slice s = { memset(bytes, '\xFF', sizeof(bytes)),
		sizeof(bytes) };
	struct access e = {
		.now = WHEN,
		.line = s,
		.referer = s,
		.user_agent = s,
		.status = 505,
		.content_sent = UINT64_MAX,
		.verdict = TRANSFER_CODING_UNKNOWN,
	};

	(void)with;
	use_connection(IPV4);
	log_open(&lines);
	access_log(&e, room);
}

static void
write_sentence(const void *with)
{
	const char *part = with;

	log_operator(
	    "the directory '", part, "' cannot be served: ", "why", NULL);
}

static void
write_many_parts(const void *with)
{
	static char part[8192];

	(void)with;
	memset(part, '\n', sizeof(part) - 1);
	log_operator(part, part, part, part, part, part, NULL);
}

static void
fail_to_insist(const void *with)
{
	insist(with != NULL && false);
}

static void
check_sentences(void)
{
	unit_begin("a sentence for the operator");
	unit_slice("line",
	    SLICE("httpd: the directory '/srv' cannot be served: why\n"),
	    run(write_sentence, "/srv", 0));
	unit_begin("a sentence with bytes that are not printed");
	unit_slice("line",
	    SLICE("httpd: the directory 'a\\x0ab\\x1b' cannot be "
		  "served: why\n"),
	    run(write_sentence, "a\nb\x1B", 0));

	unit_begin("a sentence that is too long");
	struct slice s = run(write_many_parts, NULL, 0);
	unit_bool("it fits", true, s.len <= PIPE_BUF);
	unit_bool("it is one line", true,
	    s.len > 0 && memchr(s.ptr, '\n', s.len) == s.ptr + s.len - 1);
	unit_slice("start", SLICE("httpd: \\x0a"),
	    (struct slice){ s.ptr, s.len < 11 ? s.len : 11 });

	unit_begin("a mistake of ours");
	s = run(fail_to_insist, "", EX_SOFTWARE);
	unit_bool(
	    "says where", true, memmem(s.ptr, s.len, "log.c:", 6) != NULL);
	unit_bool("and what", true,
	    memmem(s.ptr, s.len, " does not hold\n", 15) != NULL);
	unit_slice("start", SLICE("httpd: internal error: "),
	    (struct slice){ s.ptr, s.len < 23 ? s.len : 23 });
}

int
main(void)
{
	unit_table("log");
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].name);
		unit_slice("line", slice_of(rows[i].line),
		    run(write_row, &rows[i], 0));
	}

	unit_begin("the longest line");
	struct slice s = run(write_longest, NULL, 0);
	unit_bool("it fits", true, s.len > 3000 && s.len <= PIPE_BUF);
	unit_bool("it is one line", true,
	    memchr(s.ptr, '\n', s.len) == s.ptr + s.len - 1);
	unit_bool("it ends with the verdict", true,
	    memmem(s.ptr, s.len, "\\xff...\" \"transfer-coding-unknown\"\n",
		34) != NULL);
	check_sentences();
	return unit_end();
}
