/*
 * content: reads the content of a request to its end, and throws it away.
 */
#ifndef CONTENT_H
#define CONTENT_H

#include "parse.h"
#include "read.h"

/* A size line of a chunk with its extensions; all of a trailer section. */
#define CHUNK_LINE_MAX 256
#define TRAILERS_MAX 8192

/* How far a chunked body has been read (RFC 9112 7.1); starts as zero. */
struct chunks {
	int state;
	uint64_t left; /* of the chunk that is under way */
	uint64_t total; /* of all chunks so far */
	size_t trailers_len;
	size_t line_len;
	char line[CHUNK_LINE_MAX]; /* the size line that is under way */
};

/*
 * Takes bytes of a chunked body from *bytes, as many as belong to it.
 * PROCEED: the body is complete.  IDLE: it needs more bytes.
 * CONTENT_TOO_LARGE: its chunks hold more than `max` bytes.  BAD_CHUNK: it is
 * malformed, or a line of it is too long.
 */
enum verdict chunks_feed(struct chunks *c, struct slice *bytes, uint64_t max);

/*
 * Reads the content that follows the head of r, of which `in` holds the start.
 * PROCEED: the next request starts behind it.  CONTENT_TOO_LARGE: it is longer
 * than `max` bytes.  CONTENT_TIMEOUT, CONTENT_CUT_SHORT: its end did not come
 * within timeout_ms, or at all.  BAD_CHUNK as above.  CLIENT_GONE.
 */
enum verdict read_content(struct input *in, struct connection *c,
    const struct request *r, uint64_t max, int timeout_ms);

#endif
