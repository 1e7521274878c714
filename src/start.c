/*
 * start: what a program for one connection does before it reads a byte of it.
 */
#define _GNU_SOURCE
#include "start.h"

#include "descriptors.h"
#include "log.h"
#include "user.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

/* The most arguments that are handed over to from-listen-fds. */
#define WORDS_MAX 256

static bool
is_own_process_id(const char *s)
{
	char own[NUMBER_CAP];

	return strcmp(s, text_number(own, (uint64_t)getpid())) == 0;
}

/* Becomes from-listen-fds; returns only on failure. */
static int
hand_over(int argc, char **argv)
{
	static const char helper[] = "from-listen-fds";
	char self[PATH_MAX], path[PATH_MAX + sizeof(helper)];
	char *words[WORDS_MAX + 2] = { path, self };
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (len <= 0) {
		log_operator(
		    "/proc/self/exe cannot be read: ", strerror(errno), NULL);
		return EX_OSERR;
	}
	self[len] = '\0';
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

/* The command line; the last is NULL. */
static char **command;

int
start_take_connection(int argc, char **argv)
{
	command = argv;
	const char *listen_pid = getenv("LISTEN_PID");

	return listen_pid != NULL && is_own_process_id(listen_pid) ?
	    hand_over(argc, argv) :
	    EX_OK;
}

int
start_close_inherited(void)
{
	if (descriptors_close_inherited())
		return EX_OK;
	log_operator(
	    "inherited descriptors cannot be closed without /proc/self/fd: ",
	    strerror(errno), NULL);
	return EX_OSERR;
}

void
start_ignore_signals(void)
{
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
}

void
report_usage_error(const struct argument_error *e)
{
	const char *variable = e->variable == NULL ? "" : e->variable;
	const char *colon = e->variable == NULL ? "" : ": ";

	if (e->option != NULL)
		log_operator(variable, colon, "--", e->option,
		    ": invalid value '", e->subject, "' (expected ",
		    e->expected, ")", NULL);
	else if (e->subject == NULL)
		log_operator(variable, colon, e->what, " ", e->why, NULL);
	else
		log_operator(variable, colon, e->what, " '", e->subject, "'",
		    *e->why == '\0' ? "" : " ", e->why,
		    e->see_help ? "; see " : "",
		    e->see_help ? program_name : "",
		    e->see_help ? " --help" : "", NULL);
}

int
start_print(const char *s)
{
	size_t len = strlen(s);

	return write(STDOUT_FILENO, s, len) == (ssize_t)len ? EX_OK : EX_IOERR;
}

int
start_drop_root(const struct common_options *options)
{
	struct user user;
	const char *problem;

	log_take_standard_error();
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
	if (!user_switch_to(&user)) {
		log_operator("the process cannot become the user '",
		    options->user, "': ", strerror(errno), NULL);
		return EX_OSERR;
	}
	return EX_OK;
}

/*
 * systemd-socket-activate comes with systemd, which most hosts have.  It passes
 * on no variable that it is not told to.
 */
static size_t
spawner_words(const char **words)
{
	static const char *const tcpserver[] = { "tcpserver", "-HR", "-l", "0",
		"127.0.0.1", "8080" };
	static const char *const activate[] = { "systemd-socket-activate",
		"--accept", "--inetd", "--listen=127.0.0.1:8080", "-E",
		"HTTPD_OPTIONS" };

	if (access("/usr/bin/systemd-socket-activate", X_OK) != 0) {
		memcpy(words, tcpserver, sizeof(tcpserver));
		return sizeof(tcpserver) / sizeof(tcpserver[0]);
	}
	memcpy(words, activate, sizeof(activate));
	return getenv(activate[5]) != NULL ? 6 : 4;
}

void
start_say_how_to_listen(const char *option)
{
	const char *words[WORDS_MAX + 8];
	size_t n = spawner_words(words);

	log_operator("standard input is a terminal: the program serves one "
		     "connection there and does not listen; to listen at "
		     "http://localhost:8080/, run:",
	    NULL);
	for (size_t i = 0; i < WORDS_MAX && command[i] != NULL; i++) {
		words[n++] = command[i];
		if (i == 0 && option != NULL)
			words[n++] = option;
	}
	words[n] = NULL;
	log_command(words);
}

int
start_refuse_listening(void)
{
	log_operator("standard input is a listening socket; an accepted "
		     "connection is expected: Accept=yes for systemd, "
		     "wait = no for xinetd, nowait for inetd",
	    NULL);
	return EX_CONFIG;
}

/* Whether a layer failed for lack of what another moment may have. */
static bool
is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

bool
start_enter_sandbox(int root, int max_age_ms, enum sandbox_mode mode)
{
	const struct sandbox_needs needs = {
		.root = root,
		.max_age_ms = max_age_ms,
	};
	int errors[LAYERS];

	if (mode == SANDBOX_OFF)
		return true;
	sandbox_enter(&needs, errors);
	bool may_serve = true;
	for (enum sandbox_layer i = 0; i < LAYERS; i++) {
		if (errors[i] == 0)
			continue;
		/* A kernel without the layer is known, a shortage passes. */
		bool required =
		    mode == SANDBOX_REQUIRE || is_shortage(errors[i]);
		log_operator("the sandbox lacks ", sandbox_layer_name(i), ": ",
		    strerror(errors[i]),
		    required ? "; without it nothing is served" : "", NULL);
		may_serve = may_serve && !required;
	}
	return may_serve;
}
