/*
 * access: one line a request.
 */
#ifndef ACCESS_H
#define ACCESS_H

#include "slice.h"
#include "verdict.h"

#include <stdint.h>

/* What the access log says of one answer. */
struct access {
	int64_t now; /* seconds since 1970 */
	struct slice line; /* the request line as received */
	struct slice referer;
	struct slice user_agent;
	int status;
	uint64_t content_sent;
	enum verdict verdict;
};

/*
 * Logs the Combined Log Format's line with the verdict's token as one more
 * quoted field.  `room` as of log_start_line().
 */
void access_log(const struct access *entry, char *room);

#endif
