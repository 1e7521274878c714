/*
 * start: what a program for one connection does before it reads a byte of it.
 *
 * It reports each error to the operator, in one sentence.
 */
#ifndef START_H
#define START_H

#include "arguments.h"

/*
 * Where the connection came by LISTEN_FDS, becomes from-listen-fds, which lies
 * beside the program, to come back with the connection in its place.  Returns
 * EX_OK where there is nothing to do, or on failure the status to exit with.
 */
int start_take_connection(int argc, char **argv);

/*
 * Closes what the spawner left open beside standard input, output and error.
 * EX_OK, or EX_OSERR where that cannot be done.
 */
int start_close_inherited(void);

/*
 * What else would end the process by a signal is seen by the result of sending
 * and writing: that a client goes away, and that a log is as large as may be.
 */
void start_ignore_signals(void);

/* Reports an error in the options. */
void report_usage_error(const struct argument_error *error);

/* Writes the help or the version; returns the status to exit with. */
int start_print(const char *s);

/*
 * Switches to the user that the options name.  Returns EX_OK, or the status to
 * exit with: EX_OSERR if the privileges of the process are then uncertain.
 */
int start_drop_root(const struct common_options *options);

/*
 * Says that the program, which is started at a terminal, does not listen, and
 * with which command it would: the one that started it, after that of a program
 * that listens, and with `option` as the first of its options, unless that is
 * NULL.
 */
void start_say_how_to_listen(const char *option);

/*
 * Says that standard input is a listening socket; returns the status to exit
 * with.
 */
int start_refuse_listening(void);

/*
 * Enters the sandbox for a connection of that maximum age in milliseconds (0:
 * unlimited).  The directory `root` (-1: none) stays readable.  Says
 * what the kernel lacks of the sandbox.  false: nothing may be served, since
 * the operator wants all of it, or memory or descriptors ran out.
 */
bool start_enter_sandbox(int root, int max_age_ms, enum sandbox_mode mode);

#endif
