/*
 * respond: the bytes of answers, through a socket and through a pipe.
 */
#include "unit.h"

#include "respond.h"

#include <fcntl.h>

#define NOW 784111777
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define LONG_MS 20000

static struct output output;

/* A file of this many bytes, each of them known. */
static int
make_file(size_t len)
{
	char bytes[1024];
	int fd = memfd_create("content", MFD_CLOEXEC);

	unit_need(fd >= 0, "memfd_create");
	for (size_t at = 0; at < len; at += sizeof(bytes)) {
		size_t n = len - at < sizeof(bytes) ? len - at : sizeof(bytes);

		memset(bytes, (int)('a' + at / sizeof(bytes) % 26), n);
		unit_need(write(fd, bytes, n) == (ssize_t)n, "write");
	}
	return fd;
}

/* What the peer gets of an answer, and the verdict and count about it. */
struct outcome {
	struct slice bytes;
	const char *token;
	uint64_t content_sent;
};

/* Reads what comes until its end, in a process of its own, into shared memory. */
static struct outcome
send_reply(const struct reply *reply, bool by_pipe)
{
	static struct shared {
		size_t len;
		char bytes[1 << 20];
	} * shared;
	struct outcome o;
	struct channel ch;
	int fds[2];

	if (shared == NULL) {
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
		unit_need(shared != MAP_FAILED, "mmap");
	}
	shared->len = 0;
	unit_need((by_pipe ? pipe(fds) :
			     socketpair(AF_UNIX, SOCK_STREAM, 0, fds)) == 0,
	    "pipe or socketpair");
	pid_t reader = fork();
	unit_need(reader >= 0, "fork");
	if (reader == 0) {
		ssize_t n;

		close(fds[1]);
		while ((n = read(fds[0], shared->bytes + shared->len,
			    sizeof(shared->bytes) - shared->len)) > 0)
			shared->len += (size_t)n;
		_exit(0);
	}
	close(fds[0]);
	unit_need(channel_open(&ch, fds[1], fds[1], LONG_MS, LONG_MS),
	    "channel_open");
	o.token =
	    verdict_token(respond(&ch, &output, reply, NOW, &o.content_sent));
	close(fds[1]);
	unit_reap(reader);
	o.bytes = (struct slice){ shared->bytes, shared->len };
	return o;
}

static struct slice
head_of(struct slice bytes)
{
	const char *end = memmem(bytes.ptr, bytes.len, "\r\n\r\n", 4);

	return end == NULL ?
	    bytes :
	    (struct slice){ bytes.ptr, (size_t)(end - bytes.ptr) + 4 };
}

#define PAGE "<p>\n"
#define REDIRECT \
	"HTTP/1.1 301 Moved Permanently\r\n" DATE \
	"Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n"
#define CLOSE "Connection: close\r\n\r\n"

static const struct row {
	const char *name;
	struct reply reply;
	const char *bytes;
} rows[] = {
	{ "a page",
	    { .status = 404,
		.content_type = UNIT_BYTES("text/html"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.last_modified = -1,
		.close = true },
	    "HTTP/1.1 404 Not Found\r\n" DATE
	    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n" CLOSE
		PAGE },
	{ "a page that is asked for by HEAD",
	    { .status = 404,
		.content_type = UNIT_BYTES("text/html"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.last_modified = -1,
		.head_only = true },
	    "HTTP/1.1 404 Not Found\r\n" DATE
	    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\nConnection: keep-alive\r\n\r\n" },
	{ "Last-Modified, and no charset",
	    { .status = 200,
		.content_type = UNIT_BYTES("image/png"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.last_modified = 0,
		.close = true },
	    "HTTP/1.1 200 OK\r\n" DATE
	    "Content-Type: image/png\r\nContent-Length: 4\r\nLast-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n" CLOSE
		PAGE },
	{ "Allow",
	    { .status = 405,
		.content_type = UNIT_BYTES("text/html"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.last_modified = -1,
		.allow = true,
		.close = true },
	    "HTTP/1.1 405 Method Not Allowed\r\n" DATE
	    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\nAllow: GET, HEAD\r\n" CLOSE
		PAGE },
	{ "no content",
	    { .status = 200,
		.content_type = UNIT_BYTES("text/plain"),
		.content_length = 0,
		.file = -1,
		.last_modified = -1,
		.close = true },
	    "HTTP/1.1 200 OK\r\n" DATE
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n" CLOSE },
};

static const struct location_row {
	const char *name;
	bool is_path;
	struct slice location, query, fragment;
	const char *field;
} location_rows[] = {
	{ "a path", true, UNIT_BYTES("a/b"), UNIT_BYTES(""), UNIT_BYTES(""),
	    "/a/b/" },
	{ "a path and a query", true, UNIT_BYTES("a"), UNIT_BYTES("?b=c&d"),
	    UNIT_BYTES(""), "/a/?b=c&d" },
	{ "a path with a blank", true, UNIT_BYTES("a b"), UNIT_BYTES(""),
	    UNIT_BYTES(""), "/a%20b/" },
	{ "a path with a percent sign", true, UNIT_BYTES("100%"),
	    UNIT_BYTES(""), UNIT_BYTES(""), "/100%25/" },
	{ "a path with a question mark", true, UNIT_BYTES("why?"),
	    UNIT_BYTES(""), UNIT_BYTES(""), "/why%3F/" },
	{ "a path with a question mark, and a query", true, UNIT_BYTES("why?"),
	    UNIT_BYTES("?b"), UNIT_BYTES(""), "/why%3F/?b" },
	{ "a path with a number sign", true, UNIT_BYTES("a#b"), UNIT_BYTES(""),
	    UNIT_BYTES(""), "/a%23b/" },
	{ "a path with a colon", true, UNIT_BYTES("a:b"), UNIT_BYTES(""),
	    UNIT_BYTES(""), "/a:b/" },
	{ "a path with line ends", true, UNIT_BYTES("a\r\nb"), UNIT_BYTES(""),
	    UNIT_BYTES(""), "/a%0D%0Ab/" },
	{ "a path above ASCII", true, UNIT_BYTES("\xC3\xA9"),
	    UNIT_BYTES("?\xC3\xA9%41"), UNIT_BYTES(""), "/%C3%A9/?%C3%A9%41" },
	{ "a rule's URI", false, UNIT_BYTES("https://x:8/a%20b?c"),
	    UNIT_BYTES(""), UNIT_BYTES("#d"), "https://x:8/a%20b?c#d" },
	{ "a rule's URI with an IPv6 address", false,
	    UNIT_BYTES("http://[::1]/"), UNIT_BYTES("?c"), UNIT_BYTES("#d"),
	    "http://[::1]/?c#d" },
	{ "a rule's path with bytes that no URI has", false,
	    UNIT_BYTES("/\"<>\xFF"), UNIT_BYTES("?\"<>"), UNIT_BYTES(""),
	    "/%22%3C%3E%FF?%22%3C%3E" },
};

static void
check_locations(void)
{
	for (size_t i = 0; i < UNIT_COUNT(location_rows); i++) {
		const struct location_row *row = &location_rows[i];
		const struct reply reply = {
			.status = 301,
			.content_type = SLICE("text/html"),
			.content = SLICE(PAGE),
			.content_length = 4,
			.file = -1,
			.last_modified = -1,
			.location = row->location,
			.location_is_path = row->is_path,
			.location_query = row->query,
			.location_fragment = row->fragment,
			.close = true,
		};
		char wanted[1024];

		unit_begin(row->name);
		snprintf(wanted, sizeof(wanted),
		    REDIRECT "Location: %s\r\n" CLOSE PAGE, row->field);
		unit_slice(
		    "bytes", slice_of(wanted), send_reply(&reply, false).bytes);
	}
}

/*
 * The largest Location that a rule and a request can make together must fit:
 * the longest line of _redirects that rule_parse() accepts, and a query that
 * fills a request line, both of bytes that grow threefold.
 */
static void
check_largest_location(void)
{
	static char line[RULES_BUF - 1],
	    query[8192 - sizeof("GET / HTTP/1.1") + 1];
	const char *problem;
	size_t len = sizeof(line);
	struct rule rule;
	int status;

	unit_begin("the largest Location");
	memset(line, '\xFF', sizeof(line));
	memcpy(line, "/a /", 4);
	memset(query, '\xFF', sizeof(query));
	query[0] = '?';
	while (rule_parse((struct slice){ line, len }, &rule, &problem) !=
	    RULE_REDIRECT)
		unit_need(--len > 1000, "no rule of usual length is accepted");

	pid_t pid = fork();
	unit_need(pid >= 0, "fork");
	if (pid == 0) {
		const struct reply reply = {
			.status = 301,
			.content_type = SLICE("text/html"),
			.content = SLICE(PAGE),
			.content_length = 4,
			.file = -1,
			.last_modified = -1,
			.location = rule.to,
			.location_query = { query, sizeof(query) },
			.close = true,
		};
		int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);

		/* What an assertion says of it is of no interest here. */
		unit_need(dup2(nothing, STDERR_FILENO) >= 0, "/dev/null");
		_exit(strcmp(send_reply(&reply, false).token, "proceed") == 0 ?
			0 :
			1);
	}
	unit_need(waitpid(pid, &status, 0) == pid, "waitpid");
	unit_number(
	    "exit status", 0, WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

/* Files of sizes around each bound, whole and shorter than was announced. */
static void
check_files(bool by_pipe)
{
	static const size_t sizes[] = { 0, 1, 4096, CONTENT_COPY_MAX - 1,
		CONTENT_COPY_MAX, CONTENT_COPY_MAX + 1, 65536, 700001 };
	static char wanted[1 << 20];

	for (size_t i = 0; i < UNIT_COUNT(sizes); i++) {
		for (int shorter = 0; shorter < 2; shorter++) {
			struct reply reply = {
				.status = 200,
				.content_type = SLICE("image/png"),
				.content_length = sizes[i] + (size_t)shorter,
				.file = make_file(sizes[i]),
				.last_modified = -1,
			};
			char name[64];

			snprintf(name, sizeof(name), "%zu bytes%s by a %s",
			    sizes[i], shorter ? " of one more" : "",
			    by_pipe ? "pipe" : "socket");
			unit_begin(name);
			struct outcome o = send_reply(&reply, by_pipe);
			struct slice head = head_of(o.bytes);
			struct slice content = slice_after(o.bytes, head.len);

			unit_string("verdict",
			    shorter ? "file-shrank" : "proceed", o.token);
			unit_need(pread(reply.file, wanted, sizes[i], 0) ==
				(ssize_t)sizes[i],
			    "pread");
			/* Nothing leaves of an answer that is known to be short. */
			if (shorter && reply.content_length <= CONTENT_COPY_MAX)
				unit_slice("bytes", SLICE(""), o.bytes);
			else
				unit_slice("content",
				    (struct slice){ wanted, sizes[i] },
				    content);
			unit_number("content_sent", (long long)content.len,
			    (long long)o.content_sent);
			reply.head_only = true;
			o = send_reply(&reply, by_pipe);
			unit_string("verdict of HEAD", "proceed", o.token);
			unit_slice("bytes of HEAD", head_of(o.bytes), o.bytes);
			unit_number("content_sent of HEAD", 0,
			    (long long)o.content_sent);
			close(reply.file);
		}
	}
}

int
main(void)
{
	unit_table("respond");
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		for (int by_pipe = 0; by_pipe < 2; by_pipe++) {
			struct outcome o;

			unit_begin(rows[i].name);
			o = send_reply(&rows[i].reply, by_pipe);
			unit_string("verdict", "proceed", o.token);
			unit_slice("bytes", slice_of(rows[i].bytes), o.bytes);
		}
	}
	check_locations();
	check_largest_location();
	check_files(false);
	check_files(true);
	return unit_end();
}
