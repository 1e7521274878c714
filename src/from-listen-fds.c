/*
 * from-listen-fds: takes a connection passed by systemd's LISTEN_FDS protocol,
 * moves it to standard input and output, and becomes another program.
 *
 * It exists so that httpd does not have to be linked to libsystemd, which
 * would cost every start a millisecond: only the units that pass connections
 * this way pay for it.
 */
#define _GNU_SOURCE
#include "descriptors.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#ifndef VERSION
#error "VERSION is set by the Makefile"
#endif

static const char help[] =
    "Usage: from-listen-fds PROGRAM [ARGUMENT]...\n"
    "Take the connection that the service manager passed by LISTEN_FDS, make it\n"
    "standard input and output, and become PROGRAM.\n"
    "\n"
    "      --help     show this text\n"
    "      --version  show the version\n";

/* Whether standard error leads to the journal, which reads a severity. */
static bool
standard_error_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char own[64];
	struct stat st;

	if (stream == NULL || fstat(STDERR_FILENO, &st) != 0)
		return false;
	(void)snprintf(own, sizeof(own), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	return strcmp(stream, own) == 0;
}

static int
fail(int status, const char *sentence, const char *detail)
{
	(void)fprintf(stderr, "%sfrom-listen-fds: %s%s%s\n",
	    standard_error_is_journal() ? "<3>" : "", sentence,
	    detail == NULL ? "" : ": ", detail == NULL ? "" : detail);
	return status;
}

/* 0, or the exit status for what is wrong with what was passed. */
static int
take_connection(void)
{
	int count = sd_listen_fds(true); /* true: PROGRAM sees none of it */

	if (count < 0)
		return fail(
		    EX_OSERR, "LISTEN_FDS is invalid", strerror(-count));
	if (count == 0)
		return fail(
		    EX_USAGE, "no connection was passed by LISTEN_FDS", NULL);
	if (count > 1)
		return fail(EX_USAGE,
		    "more than one descriptor was passed by "
		    "LISTEN_FDS; one connection is wanted",
		    NULL);

	int fd = SD_LISTEN_FDS_START;
	int listens = sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1);
	if (listens > 0)
		return fail(EX_CONFIG,
		    "a listening socket was passed; the socket "
		    "unit needs Accept=yes",
		    NULL);
	int is_stream =
	    listens < 0 ? listens : sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 0);
	if (is_stream < 0)
		return fail(EX_OSERR, "the passed descriptor cannot be used",
		    strerror(-is_stream));
	if (is_stream == 0)
		return fail(EX_USAGE,
		    "the passed descriptor is no stream socket", NULL);

	if (dup2(fd, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0)
		return fail(EX_OSERR, "the connection cannot be moved",
		    strerror(errno));
	if (!descriptors_close_inherited())
		return fail(EX_OSERR,
		    "inherited descriptors cannot be closed without /proc/self/fd",
		    strerror(errno));
	return EX_OK;
}

int
main(int argc, char **argv)
{
	if (argc < 2)
		return fail(EX_USAGE,
		    "the program to become is missing; see "
		    "from-listen-fds --help",
		    NULL);
	if (strcmp(argv[1], "--help") == 0)
		return fputs(help, stdout) < 0 || fflush(stdout) != 0 ?
		    EX_IOERR :
		    EX_OK;
	if (strcmp(argv[1], "--version") == 0)
		return puts("from-listen-fds " VERSION) < 0 ||
			fflush(stdout) != 0 ?
		    EX_IOERR :
		    EX_OK;

	int status = take_connection();
	if (status != EX_OK)
		return status;
	execvp(argv[1], argv + 1);
	return fail(errno == ENOENT ? EX_UNAVAILABLE : EX_OSERR, argv[1],
	    strerror(errno));
}
