/*
 * connection: all of the program above an operating system in memory.
 *
 * The text is what the client sends, the decisions are the options and what the
 * system does with them.  Each input is served three times: at once; in pieces,
 * which must make no difference; and with failures, after which what has been
 * sent is at least the start of what may be sent.
 *
 * What is sent is read by a strict reader of answers, beside another reader of
 * the requests: so the two of them and the program have to agree on where each
 * request ends, and which file's bytes answer it.
 */
#define _GNU_SOURCE
#include "answers.h"
#include "date.h"
#include "os.h"
#include "requests.h"

#include <errno.h>
#include <sys/stat.h>

/* With what they keep between calls, which a new process has anew. */
#include "log.c"
#include "serve.c"

#define TEXT_MAX 60000
#define ANSWERS_MAX 4000
#define START_MS 1000 /* of os.c's clock */
#define LINGER_TIME_MS 2000
#define NOW INT64_C(1700000000)
#define OLD (NOW - 1000000)

static const char rules[] = "# rules\n"
			    "/old /a.txt\n"
			    "/other https://x/y?z=1#top 302\n"
			    "/moved/here /dir/#part 307\n"
			    "/_redirects /a.txt 303\n"
			    "/.hidden /shown 308\n"
			    "no rule\n"
			    "/behind /a%20b\n";

#define FILE_OF(name, size) \
	{ \
		name, S_IFREG, 0, size, NULL, OLD, 5 \
	}
#define ERROR_OF(name, type, error) \
	{ \
		name, type, error, 0, NULL, OLD, 0 \
	}

static const struct os_file whole_tree[] = {
	FILE_OF("index.html", 1200),
	FILE_OF("a.txt", 300),
	FILE_OF("a.txt.br", 100),
	FILE_OF("a.txt.zst", 120),
	FILE_OF("a.txt.gz", 140),
	FILE_OF("b.css", 5000),
	{ "b.css.gz", S_IFREG, 0, 50, NULL, OLD - 1, 0 },
	{ "b.css.br", S_IFREG, 0, 60, NULL, OLD, 0 },
	FILE_OF("big.bin", 40000),
	FILE_OF("big.html", 30000),
	FILE_OF("big.html.gz", 20000),
	FILE_OF("huge.bin", UINT64_C(6) << 30),
	FILE_OF("empty.txt", 0),
	FILE_OF("edge.bin", 16384),
	FILE_OF("over.bin", 16385),
	FILE_OF("p.jpg", 700),
	FILE_OF("p.jpg.gz", 600),
	{ "new.txt", S_IFREG, 0, 30, NULL, NOW, 999999999 },
	{ "undated", S_IFREG, 0, 30, NULL, 0, 0 },
	FILE_OF("dir/index.html", 90),
	FILE_OF("dir/page.svg", 95),
	FILE_OF("d/e/f/g.js", 20),
	FILE_OF("d/index.html/x", 20),
	FILE_OF("a b.txt", 25),
	FILE_OF(".well-known/x", 27),
	FILE_OF(".hidden", 28),
	FILE_OF("dir/.htpasswd", 29),
	FILE_OF("404.html", 150),
	{ "_redirects", S_IFREG, 0, sizeof(rules) - 1, rules, OLD, 0 },
	ERROR_OF("closed.txt", S_IFREG, EACCES),
	ERROR_OF("closed", S_IFDIR, EACCES),
	ERROR_OF("fifo", S_IFIFO, 0),
	ERROR_OF("socket", S_IFSOCK, ENXIO),
	ERROR_OF("out", S_IFREG, EXDEV),
	ERROR_OF("loop", S_IFREG, ELOOP),
	ERROR_OF("bad", S_IFREG, EIO),
	ERROR_OF("full", S_IFREG, ENFILE),
	{ 0 },
};

/* Neither a page for 404 nor rules; then rules that may not be read. */
static const struct os_file bare_tree[] = {
	FILE_OF("a.txt", 300),
	{ 0 },
};
static const struct os_file closed_tree[] = {
	FILE_OF("a.txt", 300),
	ERROR_OF("_redirects", S_IFREG, EACCES),
	{ 0 },
};

/* What an input asks for beside its bytes. */
struct setting {
	struct options options;
	struct os_plan plan;
	bool has_site;
	enum variants_mode variants;
	int max_age_ms;
	unsigned layers_lacking; /* of the sandbox, by their bits */
};

static void
make_setting(struct fuzz_input input, struct setting *s)
{
	static const struct os_file *const trees[] = { whole_tree, bare_tree,
		closed_tree, whole_tree };
	static const int64_t calendars[] = { NOW, NOW, 0, 253402300800,
		INT64_C(1) << 40, -100000 };
	static const uint64_t bodies[] = { 65536, 0, 10, 100000 };
	static const unsigned long counts[] = { 0, 1, 2, 3 };
	static const int ages[] = { 0, 60000, 3000, 50 };
	static const uint64_t rates[] = { 512, 0, 1, 100000 };
	struct slice w = input.decisions;
	unsigned client = fuzz_decide(&w, 16), answers = fuzz_decide(&w, 8);

	s->options = default_options;
	s->options.policy.persist =
	    (answers & 1) != 0 ? PERSIST_OK : PERSIST_ALWAYS;
	s->options.policy.portable_tags = (answers & 2) != 0;
	s->options.log_requests = (answers & 4) == 0;
	s->options.max_requests = counts[fuzz_decide(&w, 4)];
	s->options.max_body = bodies[fuzz_decide(&w, 4)];
	s->plan = (struct os_plan){
		.stream = input.text,
		.stays = (client & 1) != 0,
		.is_pipe = (client & 2) != 0,
		.nonblocking = (client & 4) != 0,
		.log_is_client = (client & 8) != 0,
		.tree = trees[fuzz_decide(&w, 4)],
		.calendar = calendars[fuzz_decide(&w, 6)],
	};
	unsigned site = fuzz_decide(&w, 16);
	s->has_site = site != 1;
	s->variants = (enum variants_mode)(site / 2 % 3);
	s->max_age_ms = ages[fuzz_decide(&w, 4)];
	s->options.timeouts.min_rate = rates[fuzz_decide(&w, 4)];
	s->options.common.sandbox = (enum sandbox_mode)fuzz_decide(&w, 3);
	s->layers_lacking =
	    fuzz_decide(&w, 4) == 1 ? 1u << fuzz_decide(&w, 4) : 0;
	s->plan.decisions = w;
}

/* In place of sandbox.c. */

static unsigned layers_lacking;

void
sandbox_enter(const struct sandbox_needs *needs, int ret_errors[LAYERS])
{
	require(needs->root == OS_ROOT || needs->root == -1);
	for (int i = 0; i < LAYERS; i++)
		ret_errors[i] = (layers_lacking & 1u << i) != 0 ? ENOSYS : 0;
	os.locked_in = true;
}

const char *
sandbox_layer_name(enum sandbox_layer layer)
{
	require(layer < LAYERS);
	return "layer";
}

/* The log. */

static bool
starts_with(struct slice s, const char *word)
{
	return s.len >= strlen(word) && memcmp(s.ptr, word, strlen(word)) == 0;
}

static void
take(struct slice *s, const char *word)
{
	require(starts_with(*s, word));
	*s = slice_after(*s, strlen(word));
}

/* A quoted string, in which a backslash stands before what it escapes. */
static struct slice
take_quoted(struct slice *s)
{
	size_t len = 0;

	take(s, "\"");
	while (len < s->len && s->ptr[len] != '"')
		len += s->ptr[len] == '\\' ? 2 : 1;
	require(len < s->len);
	struct slice inner = { s->ptr, len };
	*s = slice_after(*s, len + 1);
	return inner;
}

struct line {
	int status;
	uint64_t sent;
	bool framing_intact;
};

/* The Combined Log Format with a word for what became of it. */
static void
read_line(struct slice s, struct line *ret_line)
{
	const char *start = memmem(s.ptr, s.len, " - - [", 6);
	const char *end = memmem(s.ptr, s.len, "] \"", 3);
	char number[24] = "";
	bool known = false;

	require(start != NULL && end != NULL && start < end);
	s = slice_after(s, (size_t)(end - s.ptr) + 2);
	take_quoted(&s);
	take(&s, " ");
	require(s.len > 4);
	memcpy(number, s.ptr, 3);
	ret_line->status = atoi(number);
	s = slice_after(s, 3);
	take(&s, " ");
	size_t len = 0;
	while (len < s.len && s.ptr[len] != ' ')
		len++;
	require(len > 0 && len < sizeof(number));
	memcpy(number, s.ptr, len);
	number[len] = '\0';
	ret_line->sent = number[0] == '-' ? 0 : strtoull(number, NULL, 10);
	s = slice_after(s, len);
	take(&s, " ");
	take_quoted(&s);
	take(&s, " ");
	take_quoted(&s);
	take(&s, " ");
	struct slice token = take_quoted(&s);
	require(s.len == 0);
#define VERDICT(name, status, framing, token_) \
	if (slice_equal(token, SLICE(token_))) { \
		known = true; \
		ret_line->framing_intact = verdict_framing_intact(name); \
	}
#include "verdicts.def"
#undef VERDICT
	require(known);
}

/* The lines about requests. */
static size_t
read_log(struct line lines[ANSWERS_MAX])
{
	struct slice log = { os.log, os.log_len };
	size_t count = 0;

	while (log.len > 0) {
		const char *lf = memchr(log.ptr, '\n', log.len);
		struct slice line = { log.ptr, 0 };

		/* In datagrams; else each is one write. */
		require(lf != NULL);
		line.len = (size_t)(lf - log.ptr);
		log = slice_after(log, line.len + 1);
		require(line.len < PIPE_BUF);
		for (size_t i = 0; i < line.len; i++)
			require(line.ptr[i] >= ' ' && line.ptr[i] <= '~');
		if (starts_with(line, "httpd: ") ||
		    starts_with(line, "<27>httpd: "))
			continue;
		require(count < ANSWERS_MAX);
		read_line(line, &lines[count++]);
	}
	return count;
}

/* Requests, by another reader. */

struct asked {
	bool well_formed; /* and of a length that can be seen */
	bool to_head;
	bool is_get;
	struct slice head;
	struct reading reading;
};

/* The request at the start of *rest, which is left behind it. */
static void
read_asked(struct slice *rest, uint64_t max_body, struct asked *ret_asked)
{
	struct asked *a = ret_asked;
	size_t skip = 0;

	memset(a, 0, sizeof(*a));
	if (rest->len >= 2 && memcmp(rest->ptr, "\r\n", 2) == 0)
		skip = 2;
	struct slice s = slice_after(*rest, skip);
	const char *end =
	    s.len > 0 ? memmem(s.ptr, s.len, "\r\n\r\n", 4) : NULL;

	/* Also where the line makes no sense, or ends there. */
	size_t len = 0;
	while (len < s.len && s.ptr[len] != ' ' && s.ptr[len] != '\n')
		len++;
	if (len > 0 && (len == s.len || s.ptr[len] == '\n'))
		len -= s.ptr[len - 1] == '\r';
	a->to_head = slice_equal((struct slice){ s.ptr, len }, SLICE("HEAD"));
	if (end == NULL)
		return;
	a->head = (struct slice){ s.ptr, (size_t)(end - s.ptr) + 4 };
	s = slice_after(s, a->head.len);
	for (size_t i = 0; i < a->head.len; i++)
		if (a->head.ptr[i] == '\n' &&
		    (i == 0 || a->head.ptr[i - 1] != '\r'))
			return;
	read_request(a->head, &a->reading);
	if (!a->reading.whole || a->reading.coding_unknown)
		return;
	a->is_get = slice_equal(a->reading.method, SLICE("GET"));
	if (a->reading.expects_other && a->reading.minor > 0)
		a->is_get = false;
	if (a->reading.chunked) {
		if (read_chunks(s, max_body, &len) != PROCEED)
			return;
	} else {
		if (a->reading.length > max_body || a->reading.length > s.len)
			return;
		len = (size_t)a->reading.length;
	}
	*rest = slice_after(s, len);
	a->well_formed = true;
}

/* Answers. */

struct answers {
	size_t count;
	struct answer list[ANSWERS_MAX];
	bool cut; /* behind the last one, or in it */
};

static const struct os_file *
find(const char *name)
{
	for (const struct os_file *f = os.plan.tree; f->name != NULL; f++)
		if (strcmp(f->name, name) == 0)
			return f;
	return NULL;
}

static void
require_bytes(const struct os_file *f, uint64_t offset, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		require(s.ptr[i] == os_byte(f, offset + i));
}

/* A success is the bytes of the file that was asked for, and of no other. */
static void
check_file(const struct asked *asked, const struct answer *a)
{
	static struct path path;
	const struct os_file *f;
	char name[PATH_MAX_LEN + 32];

	require(target_decode_path(asked->reading.path, &path) == PROCEED);
	snprintf(name, sizeof(name), "%s%s%s%s%.*s", path.name,
	    path.ends_in_slash && path.len > 0 ? "/" : "",
	    path.ends_in_slash ? "index.html" : "",
	    a->coding.len > 0 ? "." : "",
	    slice_equal(a->coding, SLICE("br"))       ? 2 :
		slice_equal(a->coding, SLICE("zstd")) ? 3 :
		a->coding.len > 0                     ? 2 :
							0,
	    slice_equal(a->coding, SLICE("br"))       ? "br" :
		slice_equal(a->coding, SLICE("zstd")) ? "zst" :
							"gz");
	f = find(name);
	require(f != NULL && f->type == S_IFREG && f->error == 0);
	require(strstr(name, "/.") == NULL);
	require(name[0] != '.' || strncmp(name, ".well-known/", 12) == 0);
	require(strcmp(name, "_redirects") != 0);
	if (a->status == 200) {
		require(a->length == f->size);
		require_bytes(f, 0, a->content);
	}
	for (size_t i = 0; i < a->parts_count; i++) {
		require(a->parts[i].complete == f->size);
		require_bytes(f, a->parts[i].first, a->parts[i].bytes);
	}
}

/* Any other content is a page of ours, or the tree's own for 404. */
static void
check_page(const struct answer *a)
{
	const struct os_file *f = find("404.html");

	if (a->content.len == 0)
		return;
	if (a->content.ptr[0] == '<') {
		require(a->content.len < 9 ||
		    memcmp(a->content.ptr, "<!DOCTYPE", 9) == 0);
		return;
	}
	require(a->status == 404 && f != NULL && a->length == f->size);
	require_bytes(f, 0, a->content);
}

/* Takes `text`, of which bytes that a URI may not hold are percent-encoded. */
static void
take_encoded(struct slice *s, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		char byte[4] = { text.ptr[i] };

		if (s->len > 0 && s->ptr[0] != byte[0])
			snprintf(byte, sizeof(byte), "%%%02X",
			    (unsigned char)text.ptr[i]);
		take(s, byte);
	}
}

/*
 * A relative Location is the last segment of the path that was asked for, with
 * a slash, and the query.
 */
static void
check_location(const struct asked *asked, struct slice location)
{
	struct slice segment = asked->reading.path;

	if (location.ptr[0] == '/' || starts_with(location, "http:") ||
	    starts_with(location, "https:"))
		return;
	for (const char *slash;
	     (slash = memchr(segment.ptr, '/', segment.len)) != NULL;)
		segment =
		    slice_after(segment, (size_t)(slash - segment.ptr) + 1);
	require(segment.len > 0);
	if (memchr(segment.ptr, ':', segment.len) != NULL)
		take(&location, "./");
	take_encoded(&location, segment);
	take(&location, "/");
	take_encoded(&location, asked->reading.query);
	require(location.len == 0);
}

static bool
is_refusal(int status)
{
	switch (status) {
	case 400:
	case 408:
	case 413:
	case 414:
	case 431:
	case 501:
	case 503:
	case 505:
		return true;
	default:
		return false;
	}
}

static void
check_answer(
    const struct asked *asked, const struct answer *a, enum os_mood mood)
{
	bool ok = a->status == 200 || a->status == 206;

	if (!asked->well_formed) {
		/* One may wait for an answer before it sends its content. */
		if (asked->head.len > 0 && asked->reading.whole &&
		    !asked->reading.coding_unknown && asked->reading.expects &&
		    asked->reading.minor > 0) {
			require(a->close);
		} else {
			require(is_refusal(a->status) && a->close);
			return;
		}
	}
	if (ok) {
		require(asked->is_get || asked->to_head);
		check_file(asked, a);
	} else {
		check_page(a);
	}
	require(a->status != 206 || asked->is_get);
	require(a->status != 503 || a->retry);
	if (a->location.len > 0)
		check_location(asked, a->location);
	if (asked->reading.close)
		require(a->close);
	if (asked->reading.minor == 0 && !asked->reading.keep_alive)
		require(a->close);
	/* Time and the system may refuse what is in order, and others not. */
	if (a->status == 400 && mood < OS_HOSTILE)
		require(memchr(asked->reading.path.ptr, '%',
			    asked->reading.path.len) != NULL);
	require(a->status != 400 || a->close);
}

/* All that was sent, beside all that was asked. */
static void
read_answers(const struct setting *setting, struct answers *ret_answers)
{
	struct slice sent = { os.received, os.received_len };
	struct slice rest = setting->plan.stream;
	bool may_be_cut = os.gone || os.plan.mood == OS_HOSTILE;

	ret_answers->count = 0;
	ret_answers->cut = false;
	while (sent.len > 0) {
		struct answer *a = &ret_answers->list[ret_answers->count];
		struct asked asked;

		require(ret_answers->count < ANSWERS_MAX);
		require(ret_answers->count == 0 || !a[-1].close);
		read_asked(&rest, setting->options.max_body, &asked);
		/* Time may be over before the method has come. */
		if (os.plan.mood == OS_HOSTILE &&
		    starts_with(sent, "HTTP/1.1 408"))
			asked.to_head = false;
		size_t len = read_answer(sent, asked.to_head, may_be_cut, a);
		if (len == 0) {
			ret_answers->cut = true;
			return;
		}
		require(a->has_date == date_is_writable(os.plan.calendar + 1) ||
		    os.plan.mood == OS_HOSTILE);
		if (setting->has_site || asked.well_formed == false)
			check_answer(&asked, a, os.plan.mood);
		else
			require(a->close &&
			    ((a->status == 503 && !a->retry) ||
				(a->status == 408 &&
				    os.plan.mood == OS_HOSTILE)));
		ret_answers->count++;
		sent = slice_after(sent, len);
		if (!a->is_whole) {
			require(sent.len == 0);
			ret_answers->cut = true;
		}
	}
	/* Who may ask again is asked for no more than that it does. */
	if (os.plan.mood == OS_HOSTILE || os.gone || ret_answers->count == 0)
		return;
	if (!ret_answers->list[ret_answers->count - 1].close && rest.len > 0)
		require(rest.len == 2 && memcmp(rest.ptr, "\r\n", 2) == 0);
}

static void
check_log(const struct setting *setting, const struct answers *answers)
{
	static struct line lines[ANSWERS_MAX];
	size_t count = read_log(lines);

	if (!setting->options.log_requests) {
		require(count == 0);
		return;
	}
	if (os.log_lost)
		return;
	/*
	 * Answers that leave together are logged before, and one of which
	 * nothing came is logged too.
	 */
	bool may_be_lost = os.gone || os.plan.mood == OS_HOSTILE;
	require(count >= answers->count);
	require(count == answers->count || may_be_lost);
	for (size_t i = 0; i < answers->count; i++) {
		const struct answer *a = &answers->list[i];

		require(lines[i].status == a->status);
		/* What the log calls an answer has been sent whole. */
		require(!lines[i].framing_intact || a->is_whole || may_be_lost);
		require(lines[i].framing_intact || i + 1 == count);
		require(lines[i].framing_intact || a->close || !a->is_whole ||
		    may_be_lost);
		if (os.plan.mood < OS_HOSTILE && a->is_whole && !os.gone)
			require(lines[i].sent == a->content.len);
		else
			require(lines[i].sent <= a->length);
	}
}

static void
serve_once(struct setting *setting, enum os_mood mood, struct answers *answers)
{
	struct site site = {
		.root = OS_ROOT,
		.directory = OS_DIRECTORY,
		.variants = setting->variants,
	};

	setting->plan.mood = mood;
	/* A connection past its maximum age waits for nothing, not even to send. */
	setting->options.timeouts.max_age_ms =
	    mood == OS_HOSTILE ? setting->max_age_ms : 0;
	os_start(&setting->plan);
	memset(&serve_session, 0, sizeof(serve_session));
	memset(&log_state, 0, sizeof(log_state));
	layers_lacking = setting->layers_lacking;
	bool served = true;
	if (setting->has_site)
		served = serve(&site, &setting->options) == EX_OK;
	else
		serve_unavailable(&setting->options);

	bool refused = setting->options.common.sandbox == SANDBOX_REQUIRE &&
	    setting->layers_lacking != 0;
	require(served == !refused || !setting->has_site);
	require(
	    os.locked_in == (setting->options.common.sandbox != SANDBOX_OFF));
	require(!refused || (os.received_len == 0 && os.taken == 0));
	if (setting->options.timeouts.max_age_ms > 0)
		require(os.now_ms <= START_MS + LINGER_TIME_MS +
			setting->options.timeouts.max_age_ms);
	require(os_open_files() == 0);
	require(serve_session.in.start <= serve_session.in.end);
	require(serve_session.in.end <= sizeof(serve_session.in.buf));
	if (mood < OS_HOSTILE && !setting->plan.stays)
		require(os.now_ms == START_MS);
	read_answers(setting, answers);
	check_log(setting, answers);
}

/* Pieces make no difference but to which of two faults is seen first. */
static void
require_same(const struct answers *a, const struct answers *b)
{
	require(a->count == b->count && a->cut == b->cut);
	for (size_t i = 0; i < a->count; i++) {
		const struct answer *x = &a->list[i], *y = &b->list[i];

		if (slice_equal(x->all, y->all))
			continue;
		require(i + 1 == a->count && x->close && y->close);
		require(is_refusal(x->status) && is_refusal(y->status));
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct answers whole, split, hostile;
	static char received[sizeof(os.received)];
	struct fuzz_input input = fuzz_input(data, size);
	struct setting setting;

	if (input.text.len > TEXT_MAX)
		return 0;
	make_setting(input, &setting);
	serve_once(&setting, OS_SMOOTH, &whole);
	/* What the answers are slices of is kept for the comparison. */
	memcpy(received, os.received, os.received_len);
	for (size_t i = 0; i < whole.count; i++)
		whole.list[i].all.ptr =
		    received + (whole.list[i].all.ptr - os.received);
	serve_once(&setting, OS_PIECES, &split);
	require_same(&whole, &split);
	serve_once(&setting, OS_HOSTILE, &hostile);
	return 0;
}
