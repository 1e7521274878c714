/*
 * httpd: serves one accepted connection by HTTP/1.1 from a tree of files.
 *
 * Whoever accepted the connection (systemd, xinetd, inetd, tcpserver, a shell)
 * passes it as standard input and output.  systemd can also pass it as
 * descriptor 3 and say so in LISTEN_FDS; then from-listen-fds, which knows
 * that protocol through libsystemd, moves it and starts this program again.
 */
#define _GNU_SOURCE
#include "log.h"
#include "serve.h"
#include "start.h"
#include "user.h"

#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#ifndef VERSION
#error "VERSION is set by the Makefile"
#endif

const char program_name[] = "httpd";

/*
 * An operator's mistake: one sentence where the operator reads, and a plain
 * 503 for a client that asked; not as root, unless root may serve.
 */
static int
refuse(const struct options *options, int status)
{
	bool may_read = !user_is_root() || options->common.allow_root ||
	    user_switch_to(&USER_NOBODY);

	/* Somebody who tries the program by hand is not kept waiting. */
	if (!isatty(STDIN_FILENO)) {
		if (may_read)
			serve_unavailable(options);
	} else if (status == EX_NOPERM) {
		start_say_how_to_listen("--user=nobody");
	}
	return status;
}

int
main(int argc, char **argv)
{
	struct options options = default_options;
	struct argument_error error;
	struct site site;
	int status = start_take_connection(argc, argv);

	if (status != EX_OK)
		return status;

	start_ignore_signals();
	status = start_close_inherited();
	if (status != EX_OK)
		return status;

	if (!options_read(
		&options, getenv("HTTPD_OPTIONS"), argc, argv, &error)) {
		report_usage_error(&error);
		return refuse(&options, EX_USAGE);
	}
	if (options.common.show_help)
		return start_print(options_help);
	if (options.common.show_version)
		return start_print("httpd " VERSION "\n");

	status = start_drop_root(&options.common);
	if (status == EX_OSERR)
		return status; /* and not a byte is read */
	if (status != EX_OK)
		return refuse(&options, status);

	int failure = site_open(&site, options.directory, options.variants);
	if (failure != 0) {
		log_operator("the directory '", options.directory,
		    "' cannot be served: ", strerror(failure), NULL);
		return refuse(&options, EX_NOINPUT);
	}
	return serve(&site, &options);
}
