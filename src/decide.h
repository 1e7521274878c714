/*
 * decide: what to answer, from the request and what was found for it.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include "parse.h"
#include "resolve.h"

/* When a connection persists beyond an answer that is not a success. */
enum persist {
	PERSIST_OK, /* redirects and errors close, as the seed's do */
	PERSIST_ALWAYS, /* every answer keeps it where framing is intact */
};

/*
 * An answer.  Its slices lie in the request, the target or constants, and
 * live until the next request is read.
 */
struct reply {
	int status;
	struct slice content_type;
	uint64_t content_length;
	struct slice content; /* the content itself, where it is no file */
	int file; /* the content, from its start; -1: it is `content` */
	int64_t last_modified; /* -1: the field is left out */
	struct slice location; /* empty: the field is left out */
	bool location_is_path; /* a canonical path of a directory (target.h) */
	struct slice location_query; /* with its "?" */
	struct slice location_fragment; /* with its "#" */
	bool allow; /* send the Allow field */
	bool head_only; /* HEAD: the content's fields without the content */
	bool close; /* the connection ends with this answer */
};

/*
 * Makes the answer for a verdict with a status.  r and t are as the earlier
 * stages left them; `now` is in seconds since 1970; `last` says that the
 * connection has reached its number of requests.
 */
void decide_reply(enum verdict v, const struct request *r,
    const struct target *t, enum persist persist, bool last, int64_t now,
    struct reply *ret_reply);

/* The reason phrase of a status code that this program sends. */
struct slice reason_of_status(int status);

#endif
