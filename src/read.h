/*
 * read: gathers one request head.
 */
#ifndef READ_H
#define READ_H

#include "connection.h"
#include "slice.h"
#include "verdict.h"

/* RFC 9112 3 asks for request lines of 8000 bytes at least. */
#define REQUEST_LINE_MAX 8192
#define HEAD_MAX 16384
#define FIELDS_MAX 100
/* Room for content behind the head that it belongs to. */
#define CONTENT_ROOM 2048

/*
 * What has arrived and not been consumed lies at buf[start] .. buf[end];
 * bytes behind a head stay for the next turn (pipelining).
 */
struct input {
	size_t start;
	size_t end;
	char buf[HEAD_MAX + CONTENT_ROOM];
};

/*
 * Gathers one head: waits for its first byte for the connection's idle timeout,
 * and for all of it for head_timeout_ms from then on.  One empty line before
 * the request line is skipped (RFC 9112 2.2).
 *
 * PROCEED: *ret_head is the head from the request line's first byte to the
 * end of the empty line, every line of it ended by CRLF; it lies in `in` and
 * is consumed: valid until the next call.  IDLE, END_OF_INPUT, CLIENT_GONE:
 * no byte of a request arrived, or the client is gone.  Any other verdict is
 * a head that cannot become whole; *ret_head is what there is of it.
 */
enum verdict read_head(struct input *in, struct connection *c,
    int head_timeout_ms, struct slice *ret_head);

/*
 * Receives bytes that are no head, until the monotonic clock shows deadline_ms;
 * what was in the buffer has been consumed.  They are put behind the head that
 * read_head() returned, which ended at the offset head_end and stays valid.
 */
enum io_result read_more(struct input *in, struct connection *c,
    size_t head_end, int64_t deadline_ms);

/* Whether bytes that nobody has looked at yet are waiting in the buffer. */
bool read_has_more(const struct input *in);

#endif
