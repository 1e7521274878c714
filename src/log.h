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
#include <stddef.h>

/* What its lines call the program: each defines it beside its main(). */
extern const char program_name[];

/* What is longer would mix with what other processes write. */
#define LOG_LINE_CAP PIPE_BUF

/* Lines about the client: the pending ones, and the one being built. */
struct log_lines {
	char buf[2 * LOG_LINE_CAP];
};

/*
 * Looks at standard error, and opens it again where it is a terminal, to write
 * to it without blocking.  A terminal that cannot be opened is not written to.
 * To be called before the process opens anything, which could take the place of
 * a standard error that is closed, and before it becomes a user who may not
 * open the terminal.
 */
void log_take_standard_error(void);

/*
 * Finds where lines go, and opens it: later, in the sandbox, it could not be.
 * Where lines about the client are going to be written, `lines`, which stays,
 * is room for them, and this also asks for the client's address, while it is
 * there: one that has broken off its answer has none any more.  NULL: there
 * will be none.
 */
void log_open(struct log_lines *lines);

/* The client's address, "unix:" or "-"; empty before log_open() with lines. */
struct slice log_peer(void);

/*
 * A line: log_start_line(), what the caller adds, printable and less than
 * LOG_LINE_CAP, and log_end_line().  It is made in `room`, of LOG_LINE_CAP, and
 * written at its end, after the pending ones; or, with NULL, it is pending
 * until log_flush(), or until one more would not fit into an atomic write:
 * lines that are written together cost one system call.  Syslog gets each at
 * once.  What cannot be written is lost: there is nowhere left to say so.
 */
void log_start_line(struct text *t, char *room);
void log_end_line(struct text *t);

/* Writes the pending lines, if there are any. */
void log_flush(void);

/*
 * Writes the program's name and the parts, up to a NULL, as one line of
 * severity err, after the pending ones.
 */
void log_operator(const char *first, ...) __attribute__((sentinel));

/*
 * Writes the words, up to a NULL, as a line that can be pasted into a shell;
 * nothing where that would be longer than a line may be.
 */
void log_command(const char *const words[]);

#endif
