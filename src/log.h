/*
 * log: one line a request, and sentences for the operator.
 *
 * Both go to standard error; where that is the client's own connection, as
 * under xinetd and inetd, they go to syslog instead, so that no client ever
 * sees them.
 */
#ifndef LOG_H
#define LOG_H

#include "slice.h"
#include "verdict.h"

#include <stdint.h>

/* What the access log says of one answer. */
struct log_entry {
	int64_t now; /* seconds since 1970 */
	struct slice line; /* the request line as received */
	struct slice referer;
	struct slice user_agent;
	int status;
	uint64_t content_sent;
	enum verdict verdict;
};

/*
 * Finds where lines go, and opens it: later, in the sandbox, it could not be.
 * Where requests are going to be logged, this also asks for the client's
 * address, while it is there: one that has broken off its answer has none any
 * more.  Before the first log_request().
 */
void log_open(bool requests);

/*
 * Writes the Combined Log Format's line with the verdict's token as one more
 * quoted field.  Never longer than PIPE_BUF, so that lines of many processes
 * do not mix.  A line that cannot be written is lost: there is nowhere left
 * to say so.
 */
void log_request(const struct log_entry *entry);

/* Writes "httpd: " and the parts, up to a NULL, as one line. */
void log_operator(const char *first, ...) __attribute__((sentinel));

#endif
