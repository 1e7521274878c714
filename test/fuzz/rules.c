/*
 * rules: lines of _redirects, and the one that answers a path.
 *
 * The first line of the text is a request's path, the rest is the file, which
 * the decisions cut into reads.
 */
#define _GNU_SOURCE
#include "fuzz.h"
#include "os.h"

#include "resolve.h"

#include <strings.h>
#include <sys/stat.h>

#define TEXT_MAX 40000

struct line {
	enum rule_kind kind;
	struct slice from, to;
	int status;
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The words of a line, up to one that starts with "#". */
static size_t
split_words(struct slice s, struct slice words[5])
{
	size_t count = 0;

	for (size_t at = 0; count < 5;) {
		while (at < s.len && is_blank(s.ptr[at]))
			at++;
		size_t start = at;
		while (at < s.len && !is_blank(s.ptr[at]))
			at++;
		if (at == start || s.ptr[start] == '#')
			break;
		words[count++] = (struct slice){ s.ptr + start, at - start };
	}
	return count;
}

static bool
has(struct slice s, const char *bytes)
{
	return memmem(s.ptr, s.len, bytes, strlen(bytes)) != NULL;
}

static bool
has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < ' ' || s.ptr[i] == 0x7f)
			return true;
	return false;
}

/* A byte of a path, decoded where it is an escape; moves *at after it. */
static char
decode_byte(struct slice s, size_t *at)
{
	char digits[3] = "", *end;
	long byte;
	size_t i = (*at)++;

	if (s.ptr[i] != '%' || i + 2 >= s.len ||
	    strchr("+- ", s.ptr[i + 1]) != NULL)
		return s.ptr[i];
	memcpy(digits, s.ptr + i + 1, 2);
	byte = strtol(digits, &end, 16);
	if (end != digits + 2)
		return s.ptr[i];
	*at += 2;
	return (char)byte;
}

/* A path as it is compared: segments, each decoded, after a slash each. */
struct decoded {
	size_t len;
	bool leads_outside;
	bool has_encoded_slash; /* no request with one meets a rule */
	char bytes[RULE_LINE_MAX + 1];
};

/*
 * Reads the path of a rule: empty segments do not count, "." neither, and ".."
 * takes the one before it away.
 */
static void
decode(struct slice s, struct decoded *d)
{
	struct {
		size_t start;
		bool has_encoded_slash;
	} segments[RULE_LINE_MAX + 1];
	size_t count = 0;

	d->len = 0;
	d->leads_outside = d->has_encoded_slash = false;
	for (size_t at = 0; at < s.len;) {
		size_t start = d->len;
		bool slash = false;

		if (s.ptr[at] == '/') {
			at++;
			continue;
		}
		d->bytes[d->len++] = '/';
		while (at < s.len && s.ptr[at] != '/') {
			char c = decode_byte(s, &at);

			slash = slash || c == '/';
			d->bytes[d->len++] = c;
		}
		struct slice segment = { d->bytes + start, d->len - start };
		if (slice_equal(segment, SLICE("/."))) {
			d->len = start;
		} else if (!slice_equal(segment, SLICE("/.."))) {
			segments[count].start = start;
			segments[count++].has_encoded_slash = slash;
		} else if (count > 0) {
			d->len = segments[--count].start;
		} else {
			d->len = start;
			d->leads_outside = true;
		}
	}
	while (count > 0)
		if (segments[--count].has_encoded_slash)
			d->has_encoded_slash = true;
}

static bool
is_same(const struct decoded *a, const struct decoded *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0 &&
	    !a->has_encoded_slash && !b->has_encoded_slash;
}

/* A line by httpd-redirects(5). */
static struct line
reference(struct slice s)
{
	static const char *const statuses[] = { "301", "302", "303", "307",
		"308" };
	struct line line = { .kind = RULE_BAD, .status = 301 };
	struct slice words[5];

	if (s.len > 0 && s.ptr[s.len - 1] == '\r')
		s.len--;
	size_t count = split_words(s, words);
	if (count == 0)
		return (struct line){ .kind = RULE_NONE };
	if (count == 1 || count > 3 || s.len > RULE_LINE_MAX)
		return line;
	line.from = words[0];
	line.to = words[1];
	if (count == 3) {
		line.status = 0;
		for (size_t i = 0; i < FUZZ_COUNT(statuses); i++)
			if (slice_equal(words[2], slice_of(statuses[i])))
				line.status = atoi(statuses[i]);
		if (line.status == 0)
			return line;
	}
	if (line.from.ptr[0] != '/' || has(line.from, "?") ||
	    has(line.from, "*") || has(line.from, ":") ||
	    has(line.from, "//") || has(line.from, "%2f") ||
	    has(line.from, "%2F") || has_control(line.from) ||
	    has_control(line.to))
		return line;
	if (line.to.ptr[0] != '/' &&
	    !(line.to.len > 7 && strncasecmp(line.to.ptr, "http://", 7) == 0) &&
	    !(line.to.len > 8 && strncasecmp(line.to.ptr, "https://", 8) == 0))
		return line;

	struct slice path = line.to;
	path.len = 0;
	while (path.len < line.to.len && line.to.ptr[path.len] != '?' &&
	    line.to.ptr[path.len] != '#')
		path.len++;
	struct decoded from, to;
	decode(line.from, &from);
	decode(path, &to);
	if (from.leads_outside)
		return line;
	if (line.to.ptr[0] == '/' && is_same(&from, &to))
		return line;
	line.kind = RULE_REDIRECT;
	return line;
}

/* Whether the decoded path of a rule is this canonical one. */
static bool
reference_matches(struct slice from, struct slice path)
{
	struct decoded d;

	decode(from, &d);
	if (d.len == 0 || path.len == 0)
		return d.len == path.len;
	return slice_equal((struct slice){ d.bytes + 1, d.len - 1 }, path);
}

static void
check_line(struct slice s, struct slice path)
{
	struct slice line = fuzz_copy(s);
	struct line wanted = reference(line);
	struct rule rule = { 0 };
	const char *problem = NULL;
	enum rule_kind kind = rule_parse(line, &rule, &problem);

	require(kind == wanted.kind);
	require((kind == RULE_BAD) == (problem != NULL) || kind == RULE_NONE);
	if (kind == RULE_REDIRECT) {
		require(slice_equal(rule.from, wanted.from));
		require(slice_equal(rule.to, wanted.to));
		require(rule.status == wanted.status);
		require(fuzz_lies_in(rule.from, line));
		require(fuzz_lies_in(rule.to, line));

		struct slice copy = fuzz_copy(path);
		require(rule_matches(&rule, copy) ==
		    reference_matches(rule.from, copy));
		fuzz_free(copy);
	}
	fuzz_free(line);
}

/* The first rule of the file that answers, and the first bad line before. */
static bool
search(struct slice file, struct slice path, struct line *ret_rule,
    unsigned long *ret_bad)
{
	unsigned long number = 0;

	*ret_bad = 0;
	if (file.len >= 3 && memcmp(file.ptr, "\xEF\xBB\xBF", 3) == 0)
		file = slice_after(file, 3);
	while (file.len > 0) {
		const char *lf = memchr(file.ptr, '\n', file.len);
		struct slice line = { file.ptr,
			lf == NULL ? file.len : (size_t)(lf - file.ptr) };

		check_line(line, path);
		number++;
		*ret_rule = reference(line);
		if (ret_rule->kind == RULE_BAD && *ret_bad == 0)
			*ret_bad = number;
		if (ret_rule->kind == RULE_REDIRECT &&
		    reference_matches(ret_rule->from, path))
			return true;
		file = slice_after(file, line.len + (lf != NULL));
	}
	return false;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct target t;
	struct fuzz_input input = fuzz_input(data, size);
	const char *lf = input.text.len > 0 ?
	    memchr(input.text.ptr, '\n', input.text.len) :
	    NULL;
	struct request r = { .method = METHOD_GET };
	struct site site = { .root = OS_ROOT };
	struct line rule;
	unsigned long bad;

	if (lf == NULL || input.text.len > TEXT_MAX)
		return 0;
	r.path =
	    (struct slice){ input.text.ptr, (size_t)(lf - input.text.ptr) };
	if (r.path.len > 8000 || memchr(r.path.ptr, '\0', r.path.len) != NULL)
		return 0;

	struct slice text = slice_after(input.text, r.path.len + 1);
	const struct os_file tree[] = {
		{ "_redirects", S_IFREG, 0, text.len, text.ptr, 5, 0 },
		{ 0 },
	};
	const struct os_plan plan = {
		.mood = OS_PIECES,
		.decisions = input.decisions,
		.tree = tree,
	};

	os_start(&plan);
	target_reset(&t);
	enum verdict v = resolve_target(&site, NULL, &r, NULL, &t);
	require(t.file < 0 && os_open_files() == 0);
	if (v == BAD_ESCAPE || v == ENCODED_SLASH || v == OUTSIDE) {
		require(t.bad_rule.line == 0);
		return 0;
	}

	struct slice path = { t.path.name, t.path.len };
	require((v == REDIRECTED) == search(text, path, &rule, &bad));
	require(t.bad_rule.line == bad);
	if (v == REDIRECTED) {
		require(slice_equal(t.redirects.rule.from, rule.from));
		require(slice_equal(t.redirects.rule.to, rule.to));
		require(t.redirects.rule.status == rule.status);
	}
	return 0;
}
