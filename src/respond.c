/*
 * respond: an answer to bytes on the connection.
 *
 * A small answer leaves in one send, head and content together; of a large
 * one the content goes by sendfile.  Content-Length was said before the file
 * is read: a file that is shorter by then ends the connection, since nothing
 * that could be sent in its place would be the content.
 */
#define _GNU_SOURCE
#include "respond.h"

#include "date.h"
#include "insist.h"
#include "transfer.h"
#include "types.h"

#include <errno.h>
#include <unistd.h>

static void
add_field(struct text *t, const char *name, struct slice value)
{
	text_add(t, slice_of(name));
	text_add(t, SLICE(": "));
	text_add(t, value);
	text_add(t, SLICE("\r\n"));
}

static void
add_date_field(struct text *t, const char *name, int64_t seconds)
{
	text_add(t, slice_of(name));
	text_add(t, SLICE(": "));
	date_add_http(t, seconds);
	text_add(t, SLICE("\r\n"));
}

static void
add_location(struct text *t, const struct reply *reply)
{
	text_add(t, SLICE("Location: "));
	if (reply->location_is_path) {
		text_add_char(t, '/');
		text_add_uri(t, reply->location, "");
		text_add_char(t, '/');
	} else {
		text_add_uri(t, reply->location, "%?[]");
	}
	text_add_uri(t, reply->location_query, "%?");
	text_add_uri(t, reply->location_fragment, "%?#");
	text_add(t, SLICE("\r\n"));
}

/* status-line and fields, RFC 9112 4 and 5 */
static void
add_head(struct text *t, const struct reply *reply, int64_t now)
{
	text_add(t, SLICE("HTTP/1.1 "));
	text_add_number(t, (uint64_t)reply->status, 3);
	text_add_char(t, ' ');
	text_add(t, reason_of_status(reply->status));
	text_add(t, SLICE("\r\n"));
	if (date_is_writable(now))
		add_date_field(t, "Date", now);
	text_add(t, SLICE("Content-Type: "));
	text_add(t, reply->content_type);
	text_add(t,
	    type_is_text(reply->content_type) ? SLICE("; charset=utf-8\r\n") :
						SLICE("\r\n"));
	text_add(t, SLICE("Content-Length: "));
	text_add_number(t, reply->content_length, 1);
	text_add(t, SLICE("\r\n"));
	if (reply->last_modified >= 0)
		add_date_field(t, "Last-Modified", reply->last_modified);
	if (reply->location.len > 0)
		add_location(t, reply);
	if (reply->allow)
		add_field(t, "Allow", SLICE("GET, HEAD"));
	add_field(t, "Connection",
	    reply->close ? SLICE("close") : SLICE("keep-alive"));
	text_add(t, SLICE("\r\n"));
}

/* Copies a small file behind the head. */
static enum verdict
add_file(struct text *t, const struct reply *reply)
{
	size_t left = (size_t)reply->content_length;

	insist(left <= t->cap - t->len);
	while (left > 0) {
		ssize_t n = pread(reply->file, t->ptr + t->len, left,
		    (off_t)(reply->content_length - left));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? FILE_SHRANK : FILE_LOST;
		t->len += (size_t)n;
		left -= (size_t)n;
	}
	return PROCEED;
}

static enum verdict
verdict_of_result(enum io_result r)
{
	switch (r) {
	case IO_DONE:
		return PROCEED;
	case IO_TIMEOUT:
		return SEND_TIMEOUT;
	case IO_FILE_SHRANK:
		return FILE_SHRANK;
	case IO_FILE_FAILED:
		return FILE_LOST;
	case IO_END:
	case IO_GONE:
		break;
	}
	return CLIENT_GONE;
}

enum verdict
respond(struct channel *ch, struct output *out, const struct reply *reply,
    int64_t now, uint64_t *ret_content_sent)
{
	struct text t = TEXT_IN(out->buf);
	bool has_content = !reply->head_only && reply->content_length > 0;

	*ret_content_sent = 0;
	add_head(&t, reply, now);
	insist(!t.overflowed);

	bool by_sendfile = has_content && reply->file >= 0 &&
	    (reply->content_length > CONTENT_COPY_MAX ||
		reply->content_length > t.cap - t.len);
	if (by_sendfile)
		return verdict_of_result(transfer_file(ch, text_slice(&t),
		    reply->file, 0, reply->content_length, ret_content_sent));

	enum verdict v = PROCEED;
	if (has_content && reply->file >= 0)
		v = add_file(&t, reply);
	else if (has_content)
		text_add(&t, reply->content);
	insist(!t.overflowed);
	if (v == PROCEED)
		v = verdict_of_result(channel_send(ch, text_slice(&t)));
	if (v == PROCEED && has_content)
		*ret_content_sent = reply->content_length;
	return v;
}
