/*
 * A strict reader of what a client received and of what was logged, for
 * faults.c.  It has nothing in common with the program's own code.
 */
#define _GNU_SOURCE
#include "faults.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define DATE_LEN 29
#define BOUNDARY_LEN 32

__attribute__((format(printf, 2, 3))) static bool
no(char why[WHY_MAX], const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(why, WHY_MAX, format, args);
	va_end(args);
	return false;
}

/* "Tue, 05 Mar 2024 12:34:56 GMT" */
static bool
is_date(const char *s, size_t len)
{
	static const char shape[] = "Aaa, 00 Aaa 0000 00:00:00 GMT";

	if (len != DATE_LEN)
		return false;
	for (size_t i = 0; i < len; i++) {
		bool fits = shape[i] == '0'   ? isdigit((unsigned char)s[i]) :
		    i < 25 && shape[i] == 'A' ? isupper((unsigned char)s[i]) :
		    shape[i] == 'a'           ? islower((unsigned char)s[i]) :
						s[i] == shape[i];
		if (!fits)
			return false;
	}
	return true;
}

static bool
is_visible(const char *s, size_t len)
{
	if (len == 0 || s[0] == ' ' || s[len - 1] == ' ')
		return false;
	for (size_t i = 0; i < len; i++)
		if (s[i] < ' ' || s[i] > '~')
			return false;
	return true;
}

static bool
is_number(const char *s, size_t len, uint64_t *ret)
{
	*ret = 0;
	for (size_t i = 0; i < len; i++) {
		if (!isdigit((unsigned char)s[i]) || i > 17)
			return false;
		*ret = *ret * 10 + (uint64_t)(s[i] - '0');
	}
	return len > 0;
}

struct fields {
	unsigned lengths, dates, connections;
};

static bool
read_field(const char *line, size_t len, struct answer *a, struct fields *f,
    char why[WHY_MAX])
{
	const char *colon = memmem(line, len, ": ", 2);
	size_t name_len = colon == NULL ? 0 : (size_t)(colon - line);

	if (name_len == 0)
		return no(why, "no field line: '%.*s'", (int)len, line);
	for (size_t i = 0; i < name_len; i++)
		if (!isalnum((unsigned char)line[i]) && line[i] != '-')
			return no(why, "no field name: '%.*s'", (int)len, line);

	const char *value = colon + 2;
	size_t value_len = len - name_len - 2;

	if (!is_visible(value, value_len))
		return no(why, "no field value: '%.*s'", (int)len, line);
#define IS(n) (name_len == sizeof(n) - 1 && !strncasecmp(line, n, name_len))
	if (IS("Content-Length")) {
		f->lengths++;
		if (!is_number(value, value_len, &a->content_length))
			return no(why, "no length: '%.*s'", (int)len, line);
	} else if (IS("Date")) {
		f->dates++;
		if (!is_date(value, value_len))
			return no(why, "no date: '%.*s'", (int)len, line);
	} else if (IS("Connection")) {
		f->connections++;
		a->closes = value_len == 5 && !memcmp(value, "close", 5);
		if (!a->closes &&
		    (value_len != 10 || memcmp(value, "keep-alive", 10) != 0))
			return no(why, "what is '%.*s'?", (int)len, line);
	} else if (IS("Transfer-Encoding")) {
		return no(why, "an unexpected '%.*s'", (int)len, line);
	}
#undef IS
	return true;
}

static bool
read_head(const char *head, size_t len, struct answer *a, char why[WHY_MAX])
{
	struct fields f = { 0 };
	const char *at = head, *end = head + len - 2;
	bool first = true;

	while (at < end) {
		const char *crlf = memmem(at, (size_t)(end - at), "\r\n", 2);
		size_t line_len = (size_t)(crlf - at);

		if (!first) {
			if (!read_field(at, line_len, a, &f, why))
				return false;
		} else if (line_len < 13 || memcmp(at, "HTTP/1.1 ", 9) != 0 ||
		    !isdigit((unsigned char)at[9]) ||
		    !isdigit((unsigned char)at[10]) ||
		    !isdigit((unsigned char)at[11]) || at[12] != ' ') {
			return no(
			    why, "no status line: '%.*s'", (int)line_len, at);
		} else {
			a->status = atoi(at + 9);
		}
		first = false;
		at = crlf + 2;
	}
	bool bare = a->status == 204 || a->status == 304;
	if (f.dates != 1 || f.connections != 1 || f.lengths != (bare ? 0 : 1))
		return no(why,
		    "%u Date, %u Connection, %u Content-Length in the head "
		    "of a %d",
		    f.dates, f.connections, f.lengths, a->status);
	return true;
}

/* One answer at a place of the stream; it may be cut short by its end. */
static bool
read_answer(const struct request *r, const char *bytes, size_t len,
    struct answer *a, char why[WHY_MAX])
{
	const char *end = memmem(bytes, len, "\r\n\r\n", 4);

	if (end == NULL) {
		a->len = len;
		return true;
	}
	a->head_len = (size_t)(end - bytes) + 4;
	if (!read_head(bytes, a->head_len, a, why))
		return false;
	if (strncmp(r->bytes, "HEAD ", 5) == 0 || a->status == 204 ||
	    a->status == 304)
		a->content_length = 0;
	size_t have = len - a->head_len;
	a->whole = have >= a->content_length;
	if (a->whole)
		have = (size_t)a->content_length;
	a->len = a->head_len + have;
	if (memmem(bytes + a->head_len, have, "HTTP/1.1 ", 9) != NULL)
		return no(
		    why, "a status line in the content of a %d", a->status);
	return true;
}

bool
read_answers(const struct scenario *s, const char *bytes, size_t len,
    struct answers *ret_answers, char why[WHY_MAX])
{
	size_t at = 0;

	*ret_answers = (struct answers){ 0 };
	for (size_t i = 0; at < len; i++) {
		struct answer *a = &ret_answers->list[i];

		if (s->requests[i].bytes == NULL || (i > 0 && a[-1].closes))
			return no(why, "bytes behind the last answer: '%.*s'",
			    (int)(len - at < 80 ? len - at : 80), bytes + at);
		a->start = at;
		if (!read_answer(&s->requests[i], bytes + at, len - at, a, why))
			return false;
		at += a->len;
		ret_answers->count++;
	}
	return true;
}

/* Writes a mask over what stands there, up to the line's or stream's end. */
static void
put_mask(char *at, const char *end, const char *with)
{
	while (*with != '\0' && at < end && *at != '\r')
		*at++ = *with++;
}

/* A boundary stands in the head and before each part; either may be cut. */
static void
mask_boundary(char *name, char *end)
{
	static const char same[] = "00000000000000000000000000000000";
	char boundary[BOUNDARY_LEN];
	size_t len = (size_t)(end - name);

	if (len > BOUNDARY_LEN)
		len = BOUNDARY_LEN;
	memcpy(boundary, name, len);
	put_mask(name, end, same);
	for (char *at = name; at < end; at++) {
		size_t left = (size_t)(end - at);
		size_t n = left < len ? left : len;

		if (at[-2] == '-' && at[-1] == '-' &&
		    memcmp(at, boundary, n) == 0)
			put_mask(at, end, same);
	}
}

size_t
drop_tags(char *bytes, size_t len)
{
	static const char name[] = "ETag: ";
	const size_t name_len = sizeof(name) - 1;
	char *at = bytes;

	/* The last line may be cut anywhere, also in the name. */
	while (
	    (at = memmem(at, len - (size_t)(at - bytes), "\r\n", 2)) != NULL) {
		char *line = at + 2;
		size_t left = len - (size_t)(line - bytes);

		if (memcmp(line, name, left < name_len ? left : name_len) !=
		    0) {
			at = line;
			continue;
		}
		char *end = memmem(line, left, "\r\n", 2);
		size_t line_len = end == NULL ? left : (size_t)(end - line) + 2;

		memmove(line, line + line_len, left - line_len);
		len -= line_len;
		if (left == line_len)
			break;
	}
	return len;
}

void
mask(char *bytes, size_t len)
{
	static const char date[] = "\r\nDate: ";
	static const char boundary[] = "; boundary=";
	char *end = bytes + len, *at = bytes;

	while ((at = memmem(at, (size_t)(end - at), date, sizeof(date) - 1)) !=
	    NULL) {
		at += sizeof(date) - 1;
		put_mask(at, end, "Thu, 01 Jan 1970 00:00:00 GMT");
	}
	at = bytes;
	while ((at = memmem(at, (size_t)(end - at), boundary,
		    sizeof(boundary) - 1)) != NULL) {
		at += sizeof(boundary) - 1;
		mask_boundary(at, end);
	}
}

/*
 * PEER - - [DATE] "LINE" STATUS LENGTH "REFERER" "AGENT" "TOKEN"; from syslog
 * with "<30>httpd: " before it.  A sentence for the operator starts with
 * "httpd: ".
 */
static bool
read_line(const char *line, int *ret_status, char why[WHY_MAX])
{
	static const char info[] = "<30>httpd: ", error[] = "<27>httpd: ";
	char date[40], status[8], length[24], token[40];
	int end = 0;

	*ret_status = 0;
	if (strncmp(line, "httpd: ", 7) == 0 ||
	    strncmp(line, error, sizeof(error) - 1) == 0)
		return true;
	if (strncmp(line, info, sizeof(info) - 1) == 0)
		line += sizeof(info) - 1;
	const char *quoted = strchr(line, '"');
	if (quoted == NULL ||
	    sscanf(line, "%*[^ ] - - [%39[^]]] \"%n", date, &end) != 1 ||
	    end == 0)
		return no(why, "no log line: '%s'", line);
	line += end;
	while (*line != '\0' && *line != '"')
		line += line[0] == '\\' && line[1] != '\0' ? 2 : 1;
	end = 0;
	if (sscanf(line,
		"\" %7[0-9] %23[0-9-] \"%*[^\"]\" \"%*[^\"]\" \"%39[a-z-]\"%n",
		status, length, token, &end) != 3 ||
	    end == 0 || line[end] != '\0')
		return no(why, "no end of a log line: '%s'", line);
	*ret_status = atoi(status);
	return true;
}

bool
read_log(const char *log, size_t len, const struct answers *a,
    size_t *ret_lines, char why[WHY_MAX])
{
	const char *at = log, *end = log + len;

	*ret_lines = 0;
	while (at < end) {
		const char *lf = memchr(at, '\n', (size_t)(end - at));
		char line[8192];
		int status;

		if (lf == NULL)
			return no(why, "a line of the log has no end: '%.*s'",
			    (int)(end - at), at);
		snprintf(line, sizeof(line), "%.*s", (int)(lf - at), at);
		if (!read_line(line, &status, why))
			return false;
		at = lf + 1;
		if (status == 0)
			continue;
		if (*ret_lines < a->count && a->list[*ret_lines].status != 0 &&
		    a->list[*ret_lines].status != status)
			return no(why, "answer %zu was a %d; logged: '%s'",
			    *ret_lines + 1, a->list[*ret_lines].status, line);
		++*ret_lines;
	}
	return true;
}
