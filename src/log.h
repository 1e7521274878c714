/*
 * log: lines about the client, and sentences for the operator.
 *
 * Both go to standard error; where that is the client's own connection, as
 * under xinetd and inetd, they go to syslog instead, so that no client ever
 * sees them.
 */
#ifndef LOG_H
#define LOG_H

#include "text.h"

#include <limits.h>

/* What its lines call the program: each defines it beside its main(). */
extern const char program_name[];

/*
 * Finds where lines go, and opens it: later, in the sandbox, it could not be.
 * Where lines about the client are going to be written, this also asks for its
 * address, while it is there: one that has broken off its answer has none any
 * more.
 */
void log_open(bool about_client);

/* The client's address, "unix:" or "-"; empty before log_open(true). */
struct slice log_peer(void);

/* Longer lines of many processes would mix. */
#define LOG_LINE_CAP PIPE_BUF

/*
 * A line: what log_start_line() wrote into a buffer of LOG_LINE_CAP, what the
 * caller adds, printable and not too much, and log_send_line().  One that
 * cannot be written is lost: there is nowhere left to say so.
 */
void log_start_line(struct text *t);
void log_send_line(struct text *t);

/* Writes the program's name and the parts, up to a NULL, as one line. */
void log_operator(const char *first, ...) __attribute__((sentinel));

#endif
