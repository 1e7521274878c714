/*
 * What a head says.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include "slice.h"

#include <stdint.h>

enum method { METHOD_GET, METHOD_HEAD, METHOD_OTHER };

/* Fields that only some answers look at; see parse.h, request_next_field(). */
enum field {
	FIELD_IF_MATCH,
	FIELD_IF_NONE_MATCH,
	FIELD_IF_MODIFIED_SINCE,
	FIELD_IF_UNMODIFIED_SINCE,
	FIELD_RANGE,
	FIELD_IF_RANGE,
	FIELD_ACCEPT_ENCODING,
	FIELD_COUNT
};

/* All slices lie in the head that was parsed and live as long as it. */
struct request {
	struct slice line; /* the request line, or what there is of it */
	enum method method;
	struct slice path; /* of the target, still percent-encoded */
	struct slice query; /* with its "?"; empty where there is none */
	struct slice host; /* uri-host [":" port] of the target URI */
	struct slice referer;
	struct slice user_agent;
	int minor_version; /* 0 for HTTP/1.0, 1 for any later 1.x */
	bool says_close; /* Connection lists "close" */
	bool says_keep_alive; /* Connection lists "keep-alive" */
	bool has_content; /* bytes that are no request follow, still unread */
	bool is_chunked; /* they are chunks; else content_length of them */
	uint64_t content_length;
	bool expects_continue;
	bool is_tunnel; /* CONNECT: they have no end */
	struct slice fields; /* all field lines */
	unsigned char occurs[FIELD_COUNT]; /* how often each of those occurs */
};

#endif
