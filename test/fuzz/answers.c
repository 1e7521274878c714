/*
 * A strict reader of what the program sends.
 */
#define _GNU_SOURCE
#include "answers.h"

#include <strings.h>

#define FIELDS 16
#define DIGITS "0123456789"

struct fields {
	size_t count;
	struct {
		struct slice name, value;
	} list[FIELDS];
};

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

static uint64_t
take_number(struct slice *s)
{
	uint64_t n = 0;
	size_t digits = 0;

	for (; s->len > 0 && *s->ptr >= '0' && *s->ptr <= '9'; digits++) {
		require(!__builtin_mul_overflow(n, 10, &n));
		require(!__builtin_add_overflow(n, *s->ptr - '0', &n));
		*s = slice_after(*s, 1);
	}
	require(digits > 0);
	return n;
}

/* field-name ":" SP field-value, one of each name. */
static void
read_field(struct slice line, struct fields *fields)
{
	const char *colon = memchr(line.ptr, ':', line.len);

	require(colon != NULL && colon > line.ptr);
	struct slice name = { line.ptr, (size_t)(colon - line.ptr) };
	struct slice value = slice_after(line, name.len + 1);
	take(&value, " ");
	require(value.len > 0);
	require(value.ptr[0] != ' ' && value.ptr[value.len - 1] != ' ');
	for (size_t i = 0; i < name.len; i++)
		require((name.ptr[i] >= 'a' && name.ptr[i] <= 'z') ||
		    (name.ptr[i] >= 'A' && name.ptr[i] <= 'Z') ||
		    name.ptr[i] == '-');
	for (size_t i = 0; i < value.len; i++)
		require(value.ptr[i] >= ' ' && value.ptr[i] <= '~');
	for (size_t i = 0; i < fields->count; i++)
		require(!slice_equal_nocase(fields->list[i].name, name));
	require(fields->count < FIELDS);
	fields->list[fields->count].name = name;
	fields->list[fields->count++].value = value;
}

/* The value of a field; empty if it is not there. */
static struct slice
value_of(const struct fields *fields, const char *name)
{
	for (size_t i = 0; i < fields->count; i++)
		if (slice_equal_nocase(fields->list[i].name, slice_of(name)))
			return fields->list[i].value;
	return (struct slice){ "", 0 };
}

/* IMF-fixdate, by its shape. */
static void
require_date(struct slice s)
{
	const char *shape = "Aaa, 00 Aaa 0000 00:00:00 GMT";

	require(s.len == strlen(shape));
	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (i < 26 && shape[i] == 'A')
			require(c >= 'A' && c <= 'Z');
		else if (i < 26 && shape[i] == 'a')
			require(c >= 'a' && c <= 'z');
		else if (shape[i] == '0')
			require(c >= '0' && c <= '9');
		else
			require(c == shape[i]);
	}
}

static void
require_tag(struct slice s)
{
	if (starts_with(s, "W/"))
		take(&s, "W/");
	require(s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"');
	for (size_t i = 1; i + 1 < s.len; i++)
		require(s.ptr[i] > ' ' && s.ptr[i] != '"');
}

/* "timeout=" 1*DIGIT exactly where the connection persists. */
static void
require_keep_alive(struct slice s, bool close)
{
	if (close) {
		require(s.len == 0);
		return;
	}
	take(&s, "timeout=");
	require(take_number(&s) == 1 && s.len == 0);
}

static void
require_location(struct slice s)
{
	size_t len = 0;

	/* A path, a URI of HTTP, or relative without what could be a scheme. */
	while (len < s.len && strchr("/:?#", s.ptr[len]) == NULL)
		len++;
	if (len < s.len && s.ptr[len] == ':')
		require(strncasecmp(s.ptr, "http:", 5) == 0 ||
		    strncasecmp(s.ptr, "https:", 6) == 0);
	for (size_t i = 0; i < s.len; i++)
		require(strchr(" \"<>\\^`{|}", s.ptr[i]) == NULL);
}

/* "bytes" SP first "-" last "/" length */
static void
read_content_range(struct slice s, struct part *ret_part)
{
	take(&s, "bytes ");
	ret_part->first = take_number(&s);
	take(&s, "-");
	ret_part->last = take_number(&s);
	take(&s, "/");
	ret_part->complete = take_number(&s);
	require(s.len == 0);
	require(ret_part->first <= ret_part->last);
	require(ret_part->last < ret_part->complete);
}

/* One line with its CRLF; false if it is not whole. */
static bool
take_line(struct slice *s, struct slice *ret_line)
{
	const char *end = memmem(s->ptr, s->len, "\r\n", 2);

	if (end == NULL)
		return false;
	*ret_line = (struct slice){ s->ptr, (size_t)(end - s->ptr) };
	*s = slice_after(*s, ret_line->len + 2);
	return true;
}

static struct part parts[PARTS_MAX];

/* multipart/byteranges, RFC 9110 14.6, of which all bytes are there. */
static void
read_parts(struct answer *a, struct slice boundary)
{
	struct slice s = a->content, line;

	require(boundary.len > 0 && boundary.len <= 70);
	while (true) {
		struct fields fields = { 0 };

		/* Also before the first: some readers find none without. */
		take(&s, "\r\n--");
		require(s.len >= boundary.len &&
		    memcmp(s.ptr, boundary.ptr, boundary.len) == 0);
		s = slice_after(s, boundary.len);
		if (starts_with(s, "--"))
			break;
		take(&s, "\r\n");
		require(a->parts_count < PARTS_MAX);
		struct part *part = &parts[a->parts_count++];
		while (take_line(&s, &line) && line.len > 0)
			read_field(line, &fields);
		require(fields.count == 2);
		require(value_of(&fields, "Content-Type").len > 0);
		read_content_range(value_of(&fields, "Content-Range"), part);
		uint64_t len = part->last - part->first + 1;
		require(len <= s.len);
		part->bytes = (struct slice){ s.ptr, (size_t)len };
		s = slice_after(s, (size_t)len);
	}
	take(&s, "--\r\n");
	require(s.len == 0 && a->parts_count > 1);
}

/* What each status has to have, and may not have. */
static void
check_status(struct answer *a, const struct fields *f)
{
	struct slice range = value_of(f, "Content-Range");
	struct slice length = value_of(f, "Content-Length");

	switch (a->status) {
	case 200:
	case 206:
		require(value_of(f, "Accept-Ranges").len > 0);
		break;
	case 204:
	case 304:
		require(length.len == 0 && a->type.len == 0);
		break;
	case 301:
	case 302:
	case 303:
	case 307:
	case 308:
		require(a->location.len > 0);
		break;
	case 405:
		require(value_of(f, "Allow").len > 0);
		break;
	case 416:
		take(&range, "bytes */");
		take_number(&range);
		require(range.len == 0);
		break;
	case 400:
	case 403:
	case 404:
	case 406:
	case 408:
	case 412:
	case 413:
	case 414:
	case 417:
	case 431:
	case 500:
	case 501:
	case 503:
	case 505:
		break;
	default:
		require(!"the status is one of ours");
	}
	bool has_content = a->status != 204 && a->status != 304;
	require(has_content == (length.len > 0));
	require(has_content == (a->type.len > 0));
	require(a->status == 206 || a->status == 416 || range.len == 0);
	require(a->status / 100 == 3 || a->location.len == 0);
	require(a->status == 304 || a->status / 100 == 2 ||
	    value_of(f, "ETag").len == 0);
	require(a->status / 100 == 2 || a->coding.len == 0);
	/* Nobody else is to get an error of this client's. */
	require(slice_equal(value_of(f, "Cache-Control"),
	    a->status >= 400 ? SLICE("no-store") : SLICE("")));
	require(a->status != 406 || a->varies);
}

size_t
read_answer(
    struct slice s, bool to_head, bool may_be_cut, struct answer *ret_answer)
{
	struct answer *a = ret_answer;
	struct fields f = { 0 };
	struct slice rest = s, line, value;

	memset(a, 0, sizeof(*a));
	a->parts = parts;
	if (memmem(s.ptr, s.len, "\r\n\r\n", 4) == NULL) {
		require(may_be_cut);
		return 0;
	}
	require(take_line(&rest, &line));
	take(&line, "HTTP/1.1 ");
	a->status = (int)take_number(&line);
	take(&line, " ");
	require(a->status >= 200 && a->status <= 599 && line.len > 0);
	for (size_t i = 0; i < line.len; i++)
		require(line.ptr[i] >= ' ' && line.ptr[i] <= '~');
	while (take_line(&rest, &line) && line.len > 0)
		read_field(line, &f);

	a->type = value_of(&f, "Content-Type");
	a->coding = value_of(&f, "Content-Encoding");
	a->tag = value_of(&f, "ETag");
	a->location = value_of(&f, "Location");
	a->varies = value_of(&f, "Vary").len > 0;
	value = value_of(&f, "Connection");
	a->close = slice_equal(value, SLICE("close"));
	require(a->close || slice_equal(value, SLICE("keep-alive")));
	value = value_of(&f, "Retry-After");
	a->retry = value.len > 0;
	if (a->retry)
		require(a->status == 503 && take_number(&value) > 0 &&
		    value.len == 0);
	require_keep_alive(value_of(&f, "Keep-Alive"), a->close);
	value = value_of(&f, "Date");
	a->has_date = value.len > 0;
	if (a->has_date)
		require_date(value);
	value = value_of(&f, "Last-Modified");
	if (value.len > 0)
		require_date(value);
	if (a->tag.len > 0)
		require_tag(a->tag);
	if (a->location.len > 0)
		require_location(a->location);
	check_status(a, &f);

	value = value_of(&f, "Content-Length");
	if (value.len > 0) {
		a->length = take_number(&value);
		require(value.len == 0);
	}
	uint64_t len = to_head ? 0 : a->length;
	a->is_whole = len <= rest.len;
	require(a->is_whole || may_be_cut);
	a->content =
	    (struct slice){ rest.ptr, a->is_whole ? (size_t)len : rest.len };
	a->all = (struct slice){ s.ptr,
		(size_t)(a->content.ptr + a->content.len - s.ptr) };

	const char *multipart = "multipart/byteranges; boundary=";
	value = value_of(&f, "Content-Range");
	if (a->status == 206 && value.len > 0) {
		a->parts_count = 1;
		read_content_range(value, &parts[0]);
		require(a->length == parts[0].last - parts[0].first + 1);
		parts[0].bytes = a->content;
	} else if (a->status == 206) {
		struct slice boundary = a->type;

		take(&boundary, multipart);
		if (a->is_whole && !to_head)
			read_parts(a, boundary);
	} else {
		require(!starts_with(a->type, multipart));
	}
	return a->all.len;
}
