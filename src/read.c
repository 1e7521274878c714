/*
 * read: gathers one request head into the connection's buffer, under one
 * absolute deadline, looking at every byte once.
 *
 * A line ends with CRLF and nothing else.  RFC 9112 2.2 lets a recipient take
 * a bare LF for a line's end; two parsers that differ in this see different
 * requests, so a bare LF is refused as soon as it is seen.  Whether the lines
 * make sense is the parser's business.
 */
#include "read.h"

#include "grammar.h"
#include "insist.h"

/* How far the search for the head's end has come; offsets into buf. */
struct progress {
	size_t line; /* first byte of the line that is under way */
	size_t scanned; /* no LF from `line` up to here */
	unsigned lines; /* complete lines */
	bool skipped; /* an empty line before the request line */
};

bool
read_has_more(const struct input *in)
{
	return in->start < in->end;
}

/*
 * Looks at the bytes that have arrived since the last call.  PROCEED: the
 * head ends at *ret_end.  IDLE: it needs more bytes.
 */
static enum verdict
scan_lines(struct input *in, struct progress *p, size_t *ret_end)
{
	while (p->scanned < in->end) {
		const char *lf =
		    memchr(in->buf + p->scanned, '\n', in->end - p->scanned);
		size_t line_end =
		    lf == NULL ? in->end : (size_t)(lf - in->buf) + 1;
		size_t len = line_end - p->line;

		if (p->lines == 0 && in->buf[p->line] != '\r' &&
		    !is_token_byte(in->buf[p->line]))
			return NOT_HTTP;
		if (lf == NULL) {
			p->scanned = in->end;
			break;
		}
		if (len < 2 || lf[-1] != '\r')
			return BARE_LF;
		if (p->lines == 0 && len > REQUEST_LINE_MAX + 2)
			return REQUEST_LINE_TOO_LONG;

		p->line = p->scanned = line_end;
		if (len > 2) {
			if (++p->lines > FIELDS_MAX + 1)
				return TOO_MANY_FIELDS;
			continue;
		}
		if (p->lines > 0) {
			*ret_end = line_end;
			return PROCEED;
		}
		if (p->skipped)
			return BAD_REQUEST_LINE;
		p->skipped = true;
		in->start = line_end;
	}
	if (p->lines == 0 && in->end - p->line > REQUEST_LINE_MAX + 2)
		return REQUEST_LINE_TOO_LONG;
	return IDLE;
}

/* Moves what there is of a head to the front of the buffer. */
static void
make_room(struct input *in, struct progress *p)
{
	memmove(in->buf, in->buf + in->start, in->end - in->start);
	p->line -= in->start;
	p->scanned -= in->start;
	in->end -= in->start;
	in->start = 0;
}

/* Receives more bytes behind those that are there. */
static enum verdict
receive_more(struct input *in, struct connection *c, int head_timeout_ms,
    int64_t *deadline_ms)
{
	bool first = !read_has_more(in);
	char *to = in->buf + in->end;
	size_t room = HEAD_MAX - in->end, n = 0;
	enum io_result r;

	if (first) {
		*deadline_ms = 0; /* an empty line starts no head */
		r = connection_receive_idle(c, to, room, &n);
	} else {
		if (*deadline_ms == 0)
			*deadline_ms = clock_monotonic_ms() + head_timeout_ms;
		r = connection_receive_until(c, to, room, *deadline_ms, &n);
	}
	in->end += n;
	if (r == IO_DONE)
		return PROCEED;
	if (r == IO_TIMEOUT)
		return first ? IDLE : HEAD_TIMEOUT;
	if (r == IO_END)
		return first ? END_OF_INPUT : HEAD_CUT_SHORT;
	return CLIENT_GONE;
}

enum verdict
read_head(struct input *in, struct connection *c, int head_timeout_ms,
    struct slice *ret_head)
{
	struct progress p = { .line = in->start, .scanned = in->start };
	int64_t deadline_ms = 0; /* set when the first piece was not enough */
	size_t head_end = 0;
	enum verdict v;

	if (in->end > HEAD_MAX) /* it lies where content has been */
		make_room(in, &p);
	while ((v = scan_lines(in, &p, &head_end)) == IDLE) {
		if (!read_has_more(in) || in->end >= HEAD_MAX)
			make_room(in, &p);
		if (in->end >= HEAD_MAX) {
			v = HEAD_TOO_LARGE;
			break;
		}
		v = receive_more(in, c, head_timeout_ms, &deadline_ms);
		if (v != PROCEED)
			break;
	}

	if (v != PROCEED)
		head_end = in->end;
	*ret_head = (struct slice){ in->buf + in->start, head_end - in->start };
	in->start = head_end;
	return v;
}

enum io_result
read_more(struct input *in, struct connection *c, size_t head_end,
    int64_t deadline_ms)
{
	size_t n = 0;

	insist(!read_has_more(in) && head_end <= HEAD_MAX);
	in->start = in->end = head_end;
	enum io_result r = connection_receive_until(
	    c, in->buf + head_end, CONTENT_ROOM, deadline_ms, &n);
	in->end += n;
	return r;
}
