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
#include "text.h"
#include "user.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#ifndef VERSION
#error "VERSION is set by the Makefile"
#endif

/* The most arguments that are handed over to from-listen-fds. */
#define WORDS_MAX 256

/*
 * An operator's mistake: one sentence where the operator reads, and a plain
 * 503 for a client that asked; not as root, unless root may serve.
 */
static int
refuse(const struct options *options, int status)
{
	bool may_read =
	    !user_is_root() || options->allow_root || user_become(&USER_NOBODY);

	/* Somebody who tries the program by hand is not kept waiting. */
	if (may_read && !isatty(STDIN_FILENO))
		serve_unavailable(options);
	return status;
}

/*
 * Becomes whom the operator named.  EX_OK, or a status to refuse with; that is
 * EX_OSERR where it is not sure whose rights the process is left with.
 */
static int
leave_root(const struct options *options)
{
	struct user user;
	const char *problem;

	if (options->user == NULL) {
		if (options->allow_root || !user_is_root())
			return EX_OK;
		log_operator("root does not serve: say whom to become by "
			     "--user, or --allow-root",
		    NULL);
		return EX_NOPERM;
	}
	if (!user_find(options->user, &user, &problem)) {
		log_operator("the user '", options->user, "' ", problem, NULL);
		return EX_NOUSER;
	}
	if (!user_become(&user)) {
		log_operator("the process cannot become the user '",
		    options->user, "': ", strerror(errno), NULL);
		return EX_OSERR;
	}
	return EX_OK;
}

static int
print(const char *s)
{
	size_t len = strlen(s);

	return write(STDOUT_FILENO, s, len) == (ssize_t)len ? EX_OK : EX_IOERR;
}

static bool
is_own_process_id(const char *s)
{
	char own[NUMBER_CAP];

	return strcmp(s, text_number(own, (uint64_t)getpid())) == 0;
}

/*
 * Becomes from-listen-fds, which lies beside this program, to come back as
 * this program with the connection in its place.  Returns only on failure.
 */
static int
hand_over(int argc, char **argv)
{
	static const char helper[] = "from-listen-fds";
	static char self[PATH_MAX], path[PATH_MAX + sizeof(helper)];
	char *words[WORDS_MAX + 2] = { path, self };
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len <= 0) {
		log_operator(
		    "/proc/self/exe cannot be read: ", strerror(errno), NULL);
		return EX_OSERR;
	}
	if (argc > WORDS_MAX) {
		log_operator("there are too many arguments", NULL);
		return EX_USAGE;
	}
	memcpy(path, self, (size_t)len + 1);
	memcpy(strrchr(path, '/') + 1, helper, sizeof(helper));
	for (int i = 1; i < argc; i++)
		words[i + 1] = argv[i];
	execv(path, words);
	log_operator(path, " cannot be started: ", strerror(errno), NULL);
	return EX_UNAVAILABLE;
}

int
main(int argc, char **argv)
{
	struct options options = default_options;
	struct options_error error;
	struct site site;
	const char *listen_pid = getenv("LISTEN_PID");

	if (listen_pid != NULL && is_own_process_id(listen_pid))
		return hand_over(argc, argv);

	/* A client that goes away is seen by the result of sending. */
	(void)signal(SIGPIPE, SIG_IGN);

	if (!options_read(
		&options, getenv("HTTPD_OPTIONS"), argc, argv, &error)) {
		log_operator(error.what, error.subject == NULL ? "" : " '",
		    error.subject == NULL ? "" : error.subject,
		    error.subject == NULL ? " " : "' ", error.why, NULL);
		return refuse(&options, EX_USAGE);
	}
	if (options.show_help)
		return print(options_help);
	if (options.show_version)
		return print("httpd " VERSION "\n");

	int status = leave_root(&options);
	if (status == EX_OSERR)
		return status; /* and not a byte is read */
	if (status != EX_OK)
		return refuse(&options, status);

	int failure = site_open(&site, options.directory);
	if (failure != 0) {
		log_operator("the directory '", options.directory,
		    "' cannot be served: ", strerror(failure), NULL);
		return refuse(&options, EX_NOINPUT);
	}
	return serve(&site, &options) ? EX_OK : EX_OSERR;
}
