/*
 * respond: an answer to bytes on the connection.
 *
 * A small answer leaves in one send, head and content together, as do small
 * parts of a file; large content goes by sendfile.  A file that fails or has
 * become shorter before anything has left is answered by an error.  Later it
 * ends the connection, since Content-Length has been sent and nothing that
 * could take the place of the rest would be the content.
 */
#define _GNU_SOURCE
#include "respond.h"

#include "date.h"
#include "insist.h"
#include "transfer.h"
#include "types.h"

#include <errno.h>
#include <sys/random.h>
#include <unistd.h>

#define RANDOM_LEN 32 /* in hexadecimal: 128 bits */
#define PART_HEAD_MAX 320
#define PARTS_END_LEN (RANDOM_LEN + 8)

/* How much of a large piece of a file leaves with what is before it. */
#define CONTENT_START_LEN 1024

/* Room for any head but for its Location, and for the head of a part. */
#define HEAD_USUAL 1024

static void
add_field(struct text *t, const char *name, struct slice value)
{
	text_add(t, slice_of(name));
	text_add(t, SLICE(": "));
	text_add(t, value);
	text_add(t, SLICE("\r\n"));
}

static void
add_number_field(struct text *t, const char *start, int n)
{
	text_add(t, slice_of(start));
	text_add_number(t, (uint64_t)n, 1);
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
add_location(struct text *t, const struct response *response)
{
	text_add(t, SLICE("Location: "));
	if (response->location_is_segment) {
		/* "a:" alone would be a scheme (RFC 3986 4.2). */
		if (memchr(response->location.ptr, ':',
			response->location.len) != NULL)
			text_add(t, SLICE("./"));
		text_add_uri(t, response->location, "%");
		text_add_char(t, '/');
	} else {
		text_add_uri(t, response->location, "%?[]");
	}
	text_add_uri(t, response->location_query, "%?");
	text_add_uri(t, response->location_fragment, "%?#");
	text_add(t, SLICE("\r\n"));
}

static void
add_content_type(struct text *t, struct slice type)
{
	text_add(t, SLICE("Content-Type: "));
	text_add(t, type);
	text_add(t,
	    type_is_text(type) ? SLICE("; charset=utf-8\r\n") : SLICE("\r\n"));
}

/* Content-Range = "bytes" SP ( first "-" last "/" length ), RFC 9110 14.4 */
static void
add_content_range(struct text *t, const struct range *range, uint64_t length)
{
	text_add(t, SLICE("Content-Range: bytes "));
	if (range == NULL) {
		text_add_char(t, '*');
	} else {
		text_add_number(t, range->first, 1);
		text_add_char(t, '-');
		text_add_number(t, range->first + range->len - 1, 1);
	}
	text_add_char(t, '/');
	text_add_number(t, length, 1);
	text_add(t, SLICE("\r\n"));
}

/* Appends RANDOM_LEN characters that nothing else has. */
static void
add_random(struct text *t)
{
	unsigned char bytes[RANDOM_LEN / 2];
	ssize_t n;

	do
		n = getrandom(bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	insist(n == (ssize_t)sizeof(bytes));
	for (size_t i = 0; i < sizeof(bytes); i++) {
		text_add_hex(t, bytes[i] >> 4);
		text_add_hex(t, bytes[i] & 15);
	}
}

static void
add_validators(struct text *t, const struct validators *v)
{
	if (v->is_unsettled) {
		text_add(t, SLICE("ETag: W/\""));
		add_random(t);
		text_add(t, SLICE("\"\r\n"));
	} else if (v->tag_len > 0) {
		add_field(t, "ETag", (struct slice){ v->tag, v->tag_len });
	}
	if (v->modified >= 0)
		add_date_field(t, "Last-Modified", v->modified);
}

/*
 * The head of one part of several, or the end of them (RFC 9110 14.6).  CRLF is
 * also before the first, as other servers send it: zsync 0.6.2 does not find a
 * part without it, and asks again for ever.
 */
static void
add_part_head(struct text *t, const struct response *response, size_t part,
    const char *boundary)
{
	text_add(t, SLICE("\r\n--"));
	text_add(t, slice_of(boundary));
	if (part == response->parts_count) {
		text_add(t, SLICE("--\r\n"));
		return;
	}
	text_add(t, SLICE("\r\n"));
	add_content_type(t, response->content_type);
	add_content_range(t, &response->parts[part], response->complete_length);
	text_add(t, SLICE("\r\n"));
}

static size_t
digits_of(uint64_t n)
{
	size_t digits = 1;

	for (; n >= 10; n /= 10)
		digits++;
	return digits;
}

/* How many digits a range has in the head of its part. */
static size_t
digits_of_range(const struct range *range)
{
	return digits_of(range->first) +
	    digits_of(range->first + range->len - 1);
}

/* How many bytes of content follow the head. */
static uint64_t
length_of_content(const struct response *response, const char *boundary)
{
	char buf[PART_HEAD_MAX + PARTS_END_LEN];
	struct text t = TEXT_IN(buf);
	uint64_t length = 0;

	if (response->parts_count == 0)
		return response->content_length;
	for (size_t i = 0; i < response->parts_count; i++)
		length += response->parts[i].len;
	if (response->parts_count == 1)
		return length;

	/* The heads of parts are alike, but for the digits of their ranges. */
	add_part_head(&t, response, 0, boundary);
	size_t alike = t.len - digits_of_range(&response->parts[0]);
	for (size_t i = 0; i < response->parts_count; i++)
		length += alike + digits_of_range(&response->parts[i]);
	t.len = 0;
	add_part_head(&t, response, response->parts_count, boundary);
	insist(!t.overflowed);
	return length + t.len;
}

/* The fields that describe the content. */
static void
add_content_fields(struct text *t, const struct response *response,
    const char *boundary, uint64_t length)
{
	if (response->parts_count > 1) {
		text_add(
		    t, SLICE("Content-Type: multipart/byteranges; boundary="));
		text_add(t, slice_of(boundary));
		text_add(t, SLICE("\r\n"));
	} else {
		add_content_type(t, response->content_type);
	}
	if (response->coding != CODING_IDENTITY)
		add_field(t, "Content-Encoding", coding_name(response->coding));
	text_add(t, SLICE("Content-Length: "));
	text_add_number(t, length, 1);
	text_add(t, SLICE("\r\n"));
	if (response->parts_count == 1)
		add_content_range(
		    t, &response->parts[0], response->complete_length);
	else if (response->range_refused)
		add_content_range(t, NULL, response->complete_length);
}

/* status-line and fields, RFC 9112 4 and 5 */
static void
add_head(struct text *t, const struct response *response, int64_t now,
    const char *boundary, uint64_t length)
{
	text_add(t, SLICE("HTTP/1.1 "));
	text_add_number(t, (uint64_t)response->status, 3);
	text_add_char(t, ' ');
	text_add(t, reason_of_status(response->status));
	text_add(t, SLICE("\r\n"));
	if (date_is_writable(now))
		add_date_field(t, "Date", now);
	if (response->has_content)
		add_content_fields(t, response, boundary, length);
	add_validators(t, &response->validators);
	if (response->accept_ranges)
		add_field(t, "Accept-Ranges", SLICE("bytes"));
	if (response->vary)
		add_field(t, "Vary", SLICE("Accept-Encoding"));
	if (response->location.len > 0)
		add_location(t, response);
	if (response->allow)
		add_field(t, "Allow", SLICE("GET, HEAD, OPTIONS"));
	if (response->retry_after > 0)
		add_number_field(t, "Retry-After: ", response->retry_after);
	/* A shared cache would give one client's error to all others. */
	if (response->status >= 400)
		add_field(t, "Cache-Control", SLICE("no-store"));
	add_field(t, "Connection",
	    response->close ? SLICE("close") : SLICE("keep-alive"));
	if (response->keep_alive_seconds > 0)
		add_number_field(
		    t, "Keep-Alive: timeout=", response->keep_alive_seconds);
	text_add(t, SLICE("\r\n"));
}

/*
 * A boundary that is in no file but by an accident of 1 in 2^128: content that
 * held it could be read as a part of its own.
 */
static void
make_boundary(char boundary[RANDOM_LEN + 1])
{
	struct text t = { .ptr = boundary, .cap = RANDOM_LEN };

	add_random(&t);
	boundary[RANDOM_LEN] = '\0';
}

/* Copies a small piece of a file behind the head. */
static enum verdict
add_piece(struct text *t, int file, const struct range *piece)
{
	size_t done = 0, len = (size_t)piece->len;

	insist(piece->len <= t->cap - t->len);
	while (done < len) {
		ssize_t n = pread(file, t->ptr + t->len, len - done,
		    (off_t)(piece->first + done));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? FILE_SHRANK : FILE_LOST;
		t->len += (size_t)n;
		done += (size_t)n;
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

/* Sends what is in t. */
static enum verdict
send_text(struct connection *c, struct text *t)
{
	enum verdict v = verdict_of_result(connection_send(c, text_slice(t)));

	t->len = 0;
	return v;
}

/* How much of a piece is copied: all of it, or the start of a large one. */
static uint64_t
copied_of(uint64_t len)
{
	return len <= CONTENT_COPY_MAX ? len : CONTENT_START_LEN;
}

/*
 * Adds a piece of the file to t; of a large one the start, and sends that, with
 * what was in t, and the rest.  A file that cannot be read is found out before
 * anything is sent.
 */
static enum verdict
add_or_send_piece(
    struct connection *c, struct text *t, int file, const struct range *piece)
{
	const struct range start = { piece->first, copied_of(piece->len) };
	enum verdict v = add_piece(t, file, &start);
	uint64_t sent;

	if (v != PROCEED || start.len == piece->len)
		return v;
	v = verdict_of_result(transfer_file(c, text_slice(t), file,
	    piece->first + start.len, piece->len - start.len, &sent));
	t->len = 0;
	return v;
}

/*
 * Adds several parts to t.  What is in t is sent before a part for which no
 * room is left, and with a large one.
 */
static enum verdict
add_or_send_parts(struct connection *c, struct text *t,
    const struct response *response, const char *boundary)
{
	for (size_t i = 0; i < response->parts_count; i++) {
		const struct range *part = &response->parts[i];
		size_t room = PART_HEAD_MAX + (size_t)copied_of(part->len) +
		    PARTS_END_LEN;
		enum verdict v =
		    room <= t->cap - t->len ? PROCEED : send_text(c, t);

		if (v != PROCEED)
			return v;
		add_part_head(t, response, i, boundary);
		v = add_or_send_piece(c, t, response->file, part);
		if (v != PROCEED)
			return v;
	}
	add_part_head(t, response, response->parts_count, boundary);
	return PROCEED;
}

/*
 * Adds the content to t, which has the head that announces it; `boundary`
 * stands between its parts.  Of what is large, only the end may be left in t.
 */
static enum verdict
add_or_send_content(struct connection *c, struct text *t,
    const struct response *response, const char *boundary)
{
	const struct range whole = { 0, response->content_length };

	if (response->parts_count > 1)
		return add_or_send_parts(c, t, response, boundary);
	if (response->file >= 0)
		return add_or_send_piece(c, t, response->file,
		    response->parts_count == 1 ? &response->parts[0] : &whole);
	text_add(t, response->content);
	return PROCEED;
}

/*
 * How much room an answer with `length` bytes of content takes: more than its
 * head, with what is copied after it; of parts, with the first at least.
 */
static size_t
room_for(const struct response *response, uint64_t length)
{
	size_t room = HEAD_USUAL +
	    3 *
		(response->location.len + response->location_query.len +
		    response->location_fragment.len);

	return room +
	    (size_t)(response->parts_count > 1 ? CONTENT_COPY_MAX :
						 copied_of(length));
}

enum verdict
respond(struct connection *c, struct output *out,
    const struct response *response, int64_t now, bool more,
    uint64_t *ret_content_sent)
{
	struct text t = TEXT_IN(out->buf);
	char boundary[RANDOM_LEN + 1] = "";
	bool has_content = response->has_content && !response->head_only;
	enum verdict v = PROCEED;

	*ret_content_sent = 0;
	if (response->parts_count > 1)
		make_boundary(boundary);
	uint64_t length = length_of_content(response, boundary);
	if (room_for(response, has_content ? length : 0) >
	    t.cap - c->pending.len)
		v = verdict_of_result(connection_flush(c));
	if (v != PROCEED)
		return v;
	t.len = c->pending.len;
	add_head(&t, response, now, boundary, length);
	insist(!t.overflowed);

	uint64_t sent_before = c->sent;
	size_t head_end = t.len;
	if (has_content && length > 0)
		v = add_or_send_content(c, &t, response, boundary);
	insist(!t.overflowed);
	if (v == PROCEED && more && !response->close)
		connection_defer(c, text_slice(&t));
	else if (v == PROCEED && t.len > 0)
		v = send_text(c, &t);

	uint64_t sent = c->sent - sent_before;
	if (sent == 0 && v == FILE_SHRANK)
		v = FILE_BUSY;
	else if (sent == 0 && v == FILE_LOST)
		v = FILE_ERROR;
	if (v == PROCEED)
		*ret_content_sent = has_content ? length : 0;
	else if (sent > head_end)
		*ret_content_sent = sent - head_end;
	/*
	 * What could not be sent does not keep back the answers before it.
	 * Where the client does not take these, that is what ended it.
	 */
	if (v != PROCEED) {
		enum verdict before = verdict_of_result(connection_flush(c));

		if (before != PROCEED)
			v = before;
	}
	return v;
}
