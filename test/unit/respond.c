/*
 * respond: the bytes of answers, through a socket and through a pipe.
 */
#include "bounds.h"

#include "respond.h"

#include <fcntl.h>

#define NOW 784111777
#define DATE "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"

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
send_response(const struct response *response, bool by_pipe)
{
	static struct shared {
		size_t len;
		char bytes[1 << 20];
	} * shared;
	struct outcome o;
	struct connection c;
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
	open_connection(&c, fds[1], LONG_MS);
	o.token = verdict_token(
	    respond(&c, &output, response, NOW, false, &o.content_sent));
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
#define NO_STORE "Cache-Control: no-store\r\n"

static const struct row {
	const char *name;
	struct response response;
	const char *bytes;
} rows[] = {
	{ "a page",
	    { .status = 404,
		.content_type = UNIT_BYTES("text/html"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.has_content = true,
		.validators = { .modified = -1 },
		.coding = CODING_IDENTITY,
		.close = true },
	    "HTTP/1.1 404 Not Found\r\n" DATE
	    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n" NO_STORE
		CLOSE PAGE },
	{ "a page that is asked for by HEAD",
	    { .status = 404,
		.content_type = UNIT_BYTES("text/html"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.has_content = true,
		.validators = { .modified = -1 },
		.coding = CODING_IDENTITY,
		.keep_alive_seconds = 1,
		.head_only = true },
	    "HTTP/1.1 404 Not Found\r\n" DATE
	    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n" NO_STORE
	    "Connection: keep-alive\r\nKeep-Alive: timeout=1\r\n\r\n" },
	{ "Last-Modified, and no charset",
	    { .status = 200,
		.content_type = UNIT_BYTES("image/png"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.has_content = true,
		.validators = { .modified = 0 },
		.coding = CODING_IDENTITY,
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
		.has_content = true,
		.validators = { .modified = -1 },
		.coding = CODING_IDENTITY,
		.allow = true,
		.close = true },
	    "HTTP/1.1 405 Method Not Allowed\r\n" DATE
	    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\nAllow: GET, HEAD, OPTIONS\r\n" NO_STORE
		CLOSE PAGE },
	{ "no content",
	    { .status = 200,
		.content_type = UNIT_BYTES("text/plain"),
		.content_length = 0,
		.file = -1,
		.has_content = true,
		.validators = { .modified = -1 },
		.coding = CODING_IDENTITY,
		.close = true },
	    "HTTP/1.1 200 OK\r\n" DATE
	    "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 0\r\n" CLOSE },
	{ "Retry-After",
	    { .status = 503,
		.content_type = UNIT_BYTES("text/html"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.has_content = true,
		.validators = { .modified = -1 },
		.coding = CODING_IDENTITY,
		.retry_after = 12,
		.close = true },
	    "HTTP/1.1 503 Service Unavailable\r\n" DATE
	    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n"
	    "Retry-After: 12\r\n" NO_STORE CLOSE PAGE },
	{ "204: no content, and no length",
	    { .status = 204,
		.content_type = UNIT_BYTES("text/html"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.validators = { .modified = -1 },
		.coding = CODING_IDENTITY,
		.keep_alive_seconds = 86400,
		.allow = true },
	    "HTTP/1.1 204 No Content\r\n" DATE
	    "Allow: GET, HEAD, OPTIONS\r\nConnection: keep-alive\r\n"
	    "Keep-Alive: timeout=86400\r\n\r\n" },
	{ "304: validators and Vary, and nothing that describes content",
	    { .status = 304,
		.content_type = UNIT_BYTES("text/html"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.validators = { .tag = "\"a-b\"",
		    .tag_len = 5,
		    .modified = NOW - 1 },
		.coding = CODING_IDENTITY,
		.vary = true },
	    "HTTP/1.1 304 Not Modified\r\n" DATE
	    "ETag: \"a-b\"\r\nLast-Modified: Sun, 06 Nov 1994 08:49:36 GMT\r\n"
	    "Vary: Accept-Encoding\r\nConnection: keep-alive\r\n\r\n" },
	{ "a tag, and no date",
	    { .status = 304,
		.file = -1,
		.validators = { .tag = "\"a-b\"",
		    .tag_len = 5,
		    .modified = -1 },
		.coding = CODING_IDENTITY },
	    "HTTP/1.1 304 Not Modified\r\n" DATE
	    "ETag: \"a-b\"\r\nConnection: keep-alive\r\n\r\n" },
	{ "a coding",
	    { .status = 200,
		.has_content = true,
		.content_type = UNIT_BYTES("text/css"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.validators = { .tag = "\"\"", .tag_len = 2, .modified = 0 },
		.accept_ranges = true,
		.coding = CODING_ZSTD,
		.vary = true,
		.close = true },
	    "HTTP/1.1 200 OK\r\n" DATE
	    "Content-Type: text/css; charset=utf-8\r\nContent-Encoding: zstd\r\n"
	    "Content-Length: 4\r\nETag: \"\"\r\n"
	    "Last-Modified: Thu, 01 Jan 1970 00:00:00 GMT\r\n"
	    "Accept-Ranges: bytes\r\nVary: Accept-Encoding\r\n" CLOSE PAGE },
	{ "a range that is refused",
	    { .status = 416,
		.has_content = true,
		.content_type = UNIT_BYTES("text/html"),
		.content_length = 4,
		.content = UNIT_BYTES(PAGE),
		.file = -1,
		.range_refused = true,
		.complete_length = UINT64_MAX,
		.validators = { .modified = -1 },
		.coding = CODING_IDENTITY,
		.close = true },
	    "HTTP/1.1 416 Range Not Satisfiable\r\n" DATE
	    "Content-Type: text/html; charset=utf-8\r\nContent-Length: 4\r\n"
	    "Content-Range: bytes */18446744073709551615\r\n" NO_STORE CLOSE
		PAGE },
};

static const struct location_row {
	const char *name;
	bool is_segment;
	struct slice location, query, fragment;
	const char *field;
} location_rows[] = {
	{ "a segment", true, UNIT_BYTES("b"), UNIT_BYTES(""), UNIT_BYTES(""),
	    "b/" },
	{ "a segment and a query", true, UNIT_BYTES("a"), UNIT_BYTES("?b=c&d"),
	    UNIT_BYTES(""), "a/?b=c&d" },
	{ "a segment and an empty query", true, UNIT_BYTES("a"),
	    UNIT_BYTES("?"), UNIT_BYTES(""), "a/?" },
	{ "a segment that is encoded", true, UNIT_BYTES("100%25%3F%c3%A9"),
	    UNIT_BYTES("?b"), UNIT_BYTES(""), "100%25%3F%c3%A9/?b" },
	{ "a segment with a number sign", true, UNIT_BYTES("a#b"),
	    UNIT_BYTES(""), UNIT_BYTES(""), "a%23b/" },
	{ "a segment with a colon", true, UNIT_BYTES("a:b"), UNIT_BYTES(""),
	    UNIT_BYTES(""), "./a:b/" },
	{ "a segment that ends in a colon", true, UNIT_BYTES("javascript:"),
	    UNIT_BYTES(""), UNIT_BYTES(""), "./javascript:/" },
	{ "a segment with an encoded colon", true, UNIT_BYTES("a%3Ab"),
	    UNIT_BYTES("?:"), UNIT_BYTES(""), "a%3Ab/?:" },
	{ "a segment with line ends", true, UNIT_BYTES("a\r\nb"),
	    UNIT_BYTES(""), UNIT_BYTES(""), "a%0D%0Ab/" },
	{ "a segment above ASCII", true, UNIT_BYTES("\xC3\xA9"),
	    UNIT_BYTES("?\xC3\xA9%41"), UNIT_BYTES(""), "%C3%A9/?%C3%A9%41" },
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
		const struct response response = {
			.status = 301,
			.content_type = SLICE("text/html"),
			.content = SLICE(PAGE),
			.content_length = 4,
			.file = -1,
			.has_content = true,
			.validators = { .modified = -1 },
			.coding = CODING_IDENTITY,
			.location = row->location,
			.location_is_segment = row->is_segment,
			.location_query = row->query,
			.location_fragment = row->fragment,
			.close = true,
		};
		char wanted[1024];

		unit_begin(row->name);
		snprintf(wanted, sizeof(wanted),
		    REDIRECT "Location: %s\r\n" CLOSE PAGE, row->field);
		unit_slice("bytes", slice_of(wanted),
		    send_response(&response, false).bytes);
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
	static char line[REDIRECTS_BLOCK - 1],
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
		const struct response response = {
			.status = 301,
			.content_type = SLICE("text/html"),
			.content = SLICE(PAGE),
			.content_length = 4,
			.file = -1,
			.has_content = true,
			.validators = { .modified = -1 },
			.coding = CODING_IDENTITY,
			.location = rule.to,
			.location_query = { query, sizeof(query) },
			.close = true,
		};
		int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);

		/* What an assertion says of it is of no interest here. */
		unit_need(dup2(nothing, STDERR_FILENO) >= 0, "/dev/null");
		_exit(strcmp(send_response(&response, false).token,
			  "proceed") == 0 ?
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
			struct response response = {
				.status = 200,
				.content_type = SLICE("image/png"),
				.content_length = sizes[i] + (size_t)shorter,
				.file = make_file(sizes[i]),
				.has_content = true,
				.validators = { .modified = -1 },
				.coding = CODING_IDENTITY,
			};
			char name[64];

			snprintf(name, sizeof(name), "%zu bytes%s by a %s",
			    sizes[i], shorter ? " of one more" : "",
			    by_pipe ? "pipe" : "socket");
			unit_begin(name);
			struct outcome o = send_response(&response, by_pipe);
			struct slice head = head_of(o.bytes);
			struct slice content = slice_after(o.bytes, head.len);

			bool is_small =
			    response.content_length <= CONTENT_COPY_MAX;
			unit_string("verdict",
			    !shorter     ? "proceed" :
				is_small ? "file-busy" :
					   "file-shrank",
			    o.token);
			unit_need(pread(response.file, wanted, sizes[i], 0) ==
				(ssize_t)sizes[i],
			    "pread");
			/* Nothing leaves of an answer that is known to be short. */
			if (shorter && is_small)
				unit_slice("bytes", SLICE(""), o.bytes);
			else
				unit_slice("content",
				    (struct slice){ wanted, sizes[i] },
				    content);
			unit_number("content_sent", (long long)content.len,
			    (long long)o.content_sent);
			response.head_only = true;
			o = send_response(&response, by_pipe);
			unit_string("verdict of HEAD", "proceed", o.token);
			unit_slice("bytes of HEAD", head_of(o.bytes), o.bytes);
			unit_number("content_sent of HEAD", 0,
			    (long long)o.content_sent);
			close(response.file);
		}
	}
}

/* The value of a field of a head; empty if it is not there. */
static struct slice
field_of(struct slice head, const char *name)
{
	char line[64];

	snprintf(line, sizeof(line), "\r\n%s: ", name);
	const char *at = memmem(head.ptr, head.len, line, strlen(line));
	if (at == NULL)
		return (struct slice){ head.ptr, 0 };
	at += strlen(line);
	const char *end =
	    memmem(at, head.len - (size_t)(at - head.ptr), "\r\n", 2);
	return (struct slice){ at, (size_t)(end - at) };
}

/* While a file is unsettled, each response has a tag that no other has. */
static void
check_unsettled_tag(void)
{
	struct response response = {
		.status = 200,
		.content_type = SLICE("image/png"),
		.content_length = 0,
		.file = -1,
		.has_content = true,
		.validators = { .is_unsettled = true, .modified = -1 },
		.coding = CODING_IDENTITY,
	};
	char tags[2][64];

	unit_begin("the tag of an unsettled file");
	for (size_t i = 0; i < 2; i++) {
		struct outcome o = send_response(&response, false);
		struct slice tag = field_of(head_of(o.bytes), "ETag");

		snprintf(
		    tags[i], sizeof(tags[i]), "%.*s", (int)tag.len, tag.ptr);
		unit_number("length", 36, (long long)strlen(tags[i]));
		unit_slice(
		    "start", SLICE("W/\""), (struct slice){ tags[i], 3 });
		unit_number("hexadecimal digits", 32,
		    (long long)strspn(tags[i] + 3, "0123456789abcdef"));
		unit_string("end", "\"", tags[i] + 35);
	}
	unit_bool("the same tag", false, strcmp(tags[0], tags[1]) == 0);
}

/* The boundary of a multipart answer: 32 hexadecimal digits. */
static struct slice
boundary_of(struct slice head)
{
	struct slice type = field_of(head, "Content-Type");
	struct slice start = SLICE("multipart/byteranges; boundary=");

	if (type.len < start.len ||
	    !slice_equal((struct slice){ type.ptr, start.len }, start))
		return (struct slice){ head.ptr, 0 };
	return slice_after(type, start.len);
}

/* What the answer's content is to be, as RFC 9110 14.6 lays it out. */
static struct slice
wanted_of_ranges(const struct response *response, struct slice boundary,
    char *buf, size_t cap)
{
	struct text t = { .ptr = buf, .cap = cap };
	const struct range *list = response->parts;

	for (size_t i = 0; i < response->parts_count; i++) {
		char head[512];

		if (response->parts_count > 1) {
			snprintf(head, sizeof(head),
			    "\r\n--%.*s\r\nContent-Type: %.*s\r\n"
			    "Content-Range: bytes %llu-%llu/%llu\r\n\r\n",
			    (int)boundary.len, boundary.ptr,
			    (int)response->content_type.len,
			    response->content_type.ptr,
			    (unsigned long long)list[i].first,
			    (unsigned long long)(list[i].first + list[i].len -
				1),
			    (unsigned long long)response->complete_length);
			text_add(&t, slice_of(head));
		}
		unit_need(list[i].len <= cap - t.len &&
			pread(response->file, buf + t.len, list[i].len,
			    (off_t)list[i].first) == (ssize_t)list[i].len,
		    "pread");
		t.len += list[i].len;
	}
	if (response->parts_count > 1) {
		text_add(&t, SLICE("\r\n--"));
		text_add(&t, boundary);
		text_add(&t, SLICE("--\r\n"));
	}
	unit_need(!t.overflowed, "the row is too long for the test");
	return text_slice(&t);
}

#define FILE_SIZE 300000
#define PART_ROOM 2048 /* more than a head, and those of a few parts */
#define ALL_COPIED CONTENT_COPY_MAX
static const struct ranges range_rows[] = {
	{ 1, { { 0, 1 } } },
	{ 1, { { 0, FILE_SIZE } } },
	{ 1, { { 5, ALL_COPIED - 1 } } },
	{ 1, { { 1023, ALL_COPIED } } },
	{ 1, { { 1025, ALL_COPIED + 1 } } },
	{ 1, { { FILE_SIZE - 1, 1 } } },
	{ 1, { { 123456, FILE_SIZE - 123456 } } },
	{ 2, { { 0, 1 }, { 100, 1 } } },
	{ 2, { { FILE_SIZE - 1, 1 }, { 0, 1 } } },
	{ 2, { { 200000, 100000 }, { 0, 100000 } } },
	{ 3, { { 0, ALL_COPIED }, { 100000, ALL_COPIED + 1 }, { 200000, 5 } } },
	{ 3, { { 200000, 5 }, { 100000, ALL_COPIED + 1 }, { 0, ALL_COPIED } } },
	{ 3, { { 0, 5 }, { 200000, 5 }, { 100000, 5 } } },
	{ 5,
	    { { 0, ALL_COPIED }, { 20000, ALL_COPIED }, { 40000, ALL_COPIED },
		{ 60000, ALL_COPIED }, { 280000, ALL_COPIED } } },
	{ 6,
	    { { 0, 5 }, { 100, 5 }, { 20000, ALL_COPIED + 1 }, { 60000, 5 },
		{ 60100, ALL_COPIED }, { 200000, 5 } } },
};

/* Parts of a file, and those of a file that is shorter than it was. */
static void
check_ranges(const struct ranges *ranges, bool by_pipe)
{
	static char buf[1 << 20];
	static struct slice last_boundary;
	static char last[64];
	struct response response = {
		.status = 206,
		.has_content = true,
		.content_type = SLICE("image/png"),
		.content_length = FILE_SIZE,
		.complete_length = FILE_SIZE,
		.parts = ranges->list,
		.parts_count = ranges->count,
		.accept_ranges = true,
		.file = make_file(FILE_SIZE),
		.validators = { .modified = -1 },
		.coding = CODING_IDENTITY,
	};
	char name[80], length[32], range[96] = "";

	snprintf(name, sizeof(name), "%zu ranges from %llu by a %s",
	    ranges->count, (unsigned long long)ranges->list[0].first,
	    by_pipe ? "pipe" : "socket");
	unit_begin(name);
	struct outcome o = send_response(&response, by_pipe);
	struct slice head = head_of(o.bytes);
	struct slice content = slice_after(o.bytes, head.len);
	struct slice boundary = boundary_of(head);
	struct slice wanted =
	    wanted_of_ranges(&response, boundary, buf, sizeof(buf));

	unit_string("verdict", "proceed", o.token);
	unit_slice("content", wanted, content);
	unit_number(
	    "content_sent", (long long)wanted.len, (long long)o.content_sent);
	snprintf(length, sizeof(length), "%zu", wanted.len);
	unit_slice("Content-Length", slice_of(length),
	    field_of(head, "Content-Length"));
	if (ranges->count == 1)
		snprintf(range, sizeof(range), "bytes %llu-%llu/%d",
		    (unsigned long long)ranges->list[0].first,
		    (unsigned long long)(ranges->list[0].first +
			ranges->list[0].len - 1),
		    FILE_SIZE);
	unit_slice(
	    "Content-Range", slice_of(range), field_of(head, "Content-Range"));
	unit_slice(
	    "Accept-Ranges", SLICE("bytes"), field_of(head, "Accept-Ranges"));
	if (ranges->count == 1) {
		unit_slice("Content-Type", response.content_type,
		    field_of(head, "Content-Type"));
	} else {
		unit_number(
		    "the boundary's length", 32, (long long)boundary.len);
		for (size_t i = 0; i < boundary.len; i++)
			unit_bool("the boundary is of hexadecimal digits", true,
			    strchr("0123456789abcdef", boundary.ptr[i]) !=
				NULL);
		unit_bool("the boundary is a new one", false,
		    slice_equal(boundary, last_boundary));
		snprintf(last, sizeof(last), "%.*s", (int)boundary.len,
		    boundary.ptr);
		last_boundary = slice_of(last);
	}

	/*
	 * The file is cut in its middle before it is sent.  Nothing leaves of
	 * an answer that is known to be short: small parts wait for a large one,
	 * or until the output is full.
	 */
	uint64_t lost = 0, kept = 0, waiting = 0;
	bool leaves = false;
	for (size_t i = 0; i < ranges->count && lost == 0; i++) {
		const struct range *r = &ranges->list[i];
		bool is_large = r->len > CONTENT_COPY_MAX;

		lost = r->first + r->len > FILE_SIZE / 2 ? 1 : 0;
		leaves = leaves || is_large ||
		    waiting + r->len > sizeof(output) - PART_ROOM;
		if (is_large)
			kept += waiting;
		waiting = is_large ? 0 : waiting;
		if (lost == 0)
			*(is_large ? &kept : &waiting) += r->len;
	}
	kept += lost == 0 ? waiting : 0;
	unit_need(ftruncate(response.file, FILE_SIZE / 2) == 0, "ftruncate");
	o = send_response(&response, by_pipe);
	content = slice_after(o.bytes, head_of(o.bytes).len);
	/* Another answer can take the place of one that has not begun. */
	unit_string("verdict of a file that has shrunk",
	    lost == 0            ? "proceed" :
		o.bytes.len == 0 ? "file-busy" :
				   "file-shrank",
	    o.token);
	unit_bool("nothing is sent twice or made up", true,
	    content.len >= kept && content.len <= wanted.len &&
		(lost == 0 || content.len < wanted.len));
	unit_number("content_sent of a file that has shrunk",
	    (long long)content.len, (long long)o.content_sent);
	unit_bool("nothing leaves before the file is known to fail", true,
	    leaves || lost == 0 || o.bytes.len == 0);
	if (ranges->count == 1)
		unit_slice("content of a file that has shrunk",
		    (struct slice){ wanted.ptr, content.len }, content);
	close(response.file);
}

/* As many parts as there can be, of the longest type with the largest numbers. */
static void
check_most_parts(void)
{
	static char buf[1 << 20];
	static struct range list[RANGES_MAX];
	static const uint64_t at = (uint64_t)1 << 40;
	int fd = memfd_create("content", MFD_CLOEXEC);
	struct response response = {
		.status = 206,
		.has_content = true,
		.content_type = SLICE(
		    "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
		.content_length = 2 * at,
		.complete_length = 2 * at,
		.parts = list,
		.file = fd,
		.validators = { .modified = -1 },
		.coding = CODING_IDENTITY,
	};

	unit_begin("as many parts as there can be");
	unit_need(fd >= 0 && ftruncate(fd, (off_t)(2 * at)) == 0, "memfd");
	for (uint64_t i = 0; i < RANGES_MAX; i++) {
		uint64_t first = at + (RANGES_MAX - i) * 1000;

		unit_need(
		    pwrite(fd, "abcdefgh", 8, (off_t)first) == 8, "pwrite");
		list[response.parts_count++] = (struct range){ first, 8 };
	}
	for (int by_pipe = 0; by_pipe < 2; by_pipe++) {
		struct outcome o = send_response(&response, by_pipe);
		struct slice head = head_of(o.bytes);

		unit_string("verdict", "proceed", o.token);
		unit_slice("content",
		    wanted_of_ranges(
			&response, boundary_of(head), buf, sizeof(buf)),
		    slice_after(o.bytes, head.len));
	}
	close(fd);
}

int
main(void)
{
	unit_table("respond");
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		for (int by_pipe = 0; by_pipe < 2; by_pipe++) {
			struct outcome o;

			unit_begin(rows[i].name);
			o = send_response(&rows[i].response, by_pipe);
			unit_string("verdict", "proceed", o.token);
			unit_slice("bytes", slice_of(rows[i].bytes), o.bytes);
		}
	}
	check_locations();
	check_largest_location();
	check_files(false);
	check_files(true);
	check_unsettled_tag();
	for (size_t i = 0; i < UNIT_COUNT(range_rows); i++) {
		check_ranges(&range_rows[i], false);
		check_ranges(&range_rows[i], true);
	}
	check_most_parts();
	return unit_end();
}
