/*
 * respond: an answer to bytes on the connection.
 */
#ifndef RESPOND_H
#define RESPOND_H

#include "connection.h"
#include "decide.h"

/* Files and parts up to this size are copied after the head. */
#define CONTENT_COPY_MAX 16384

/*
 * Room for any head, or for a head of usual size with a small file behind it.
 * The longest head has a Location whose path and query fill a request line
 * and grow threefold by percent-encoding.
 */
struct output {
	char buf[32768];
};

/*
 * Sends the answer; where another request has arrived already (`more`), a small
 * one may be pending in the connection, to be sent together with the next.
 * `out` is the same one for all answers of a connection.  PROCEED: all of it
 * left, or is held.  FILE_BUSY, FILE_ERROR: the file ended early or could not
 * be read, and nothing of the answer has left, so that another can take its
 * place.  Otherwise the connection cannot be used any more: CLIENT_GONE,
 * SEND_TIMEOUT, or FILE_SHRANK and FILE_LOST, where the file ended or failed in
 * the middle.  *ret_content_sent counts the bytes of content that left.
 */
enum verdict respond(struct connection *c, struct output *out,
    const struct response *response, int64_t now, bool more,
    uint64_t *ret_content_sent);

#endif
