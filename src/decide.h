/*
 * decide: what to answer, from the request and what was found for it.
 */
#ifndef DECIDE_H
#define DECIDE_H

#include "conditions.h"
#include "parse.h"
#include "ranges.h"
#include "resolve.h"

/* When a connection persists beyond an answer that is not a success. */
enum persist {
	PERSIST_OK, /* redirects and errors close, as the seed's do */
	PERSIST_ALWAYS, /* every answer keeps it where framing is intact */
};

/* What the operator has decided for all answers. */
struct policy {
	enum persist persist;
	bool portable_tags; /* entity tags without the inode */
	int keep_alive_seconds; /* announced to the client; 0: not announced */
};

/*
 * An answer.  Its slices lie in the request, the target or constants, and
 * live until the next request is read, as do its parts.
 */
struct response {
	int status;
	bool has_content; /* false: 204 and 304 have none, and no length */
	struct slice content_type;
	uint64_t content_length; /* of all of it; the parts are of that */
	struct slice content; /* the content itself, where it is no file */
	int file; /* the content, from its start; -1: it is `content` */
	const struct range *parts; /* of it, that are sent */
	size_t parts_count; /* 0: all of it */
	bool accept_ranges; /* send the Accept-Ranges field */
	bool range_refused; /* say in its place how long the file is */
	uint64_t complete_length; /* that of the file, for Content-Range */
	struct validators validators;
	enum coding coding;
	bool vary;
	struct slice location; /* empty: the field is left out */
	bool location_is_segment; /* a directory's, as the client encoded it */
	struct slice location_query; /* with its "?" */
	struct slice location_fragment; /* with its "#" */
	bool allow; /* send the Allow field */
	int retry_after; /* seconds; 0: the Retry-After field is left out */
	bool head_only; /* HEAD: the content's fields without the content */
	bool close; /* the connection ends with this answer */
	int keep_alive_seconds; /* 0: the Keep-Alive field is left out */
};

/*
 * Makes the answer for a verdict with a status, and returns the verdict that
 * it is in the end: preconditions and ranges are evaluated here.  r and t are
 * as the earlier stages left them; `now` is the calendar clock; `last` says
 * that the connection has reached its number of requests, or its time.
 * `ranges` is where the answer's parts are kept; it is written only if the
 * request has a Range field that is looked at.
 */
enum verdict decide_response(enum verdict v, const struct request *r,
    const struct target *t, const struct policy *policy, bool last,
    const struct timespec *now, struct ranges *ranges,
    struct response *ret_response);

/* The reason phrase of a status code that this program sends. */
struct slice reason_of_status(int status);

#endif
