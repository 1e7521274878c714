/*
 * The command line and HTTPD_OPTIONS.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "channel.h"
#include "decide.h"

/* What the sandbox (sandbox.h) is to the operator. */
enum sandbox_mode {
	SANDBOX_AUTO, /* as much of it as the kernel has */
	SANDBOX_REQUIRE, /* all of it, or nothing is served */
	SANDBOX_OFF,
};

struct options {
	const char *directory; /* the document root */
	const char *user; /* whom root becomes; NULL: none is named */
	bool allow_root; /* root may serve */
	enum sandbox_mode sandbox;
	struct patience patience;
	int head_timeout_ms;
	struct policy policy;
	unsigned long max_requests; /* 0: no limit */
	uint64_t max_body; /* bytes */
	bool log_requests;
	bool show_help;
	bool show_version;
};

extern const struct options default_options;

/* What is wrong with an option: `what` "`subject`": `why`. */
struct options_error {
	const char *what;
	const char *subject; /* NULL: there is none */
	const char *why;
};

/*
 * Reads the options in the words of `environment` (NULL: there are none) and
 * then those in argv, into *options, which holds the defaults.  false with
 * *ret_error set if one of them makes no sense; what came before it holds.  The
 * strings of argv are kept in *options.
 */
bool options_read(struct options *options, const char *environment, int argc,
    char **argv, struct options_error *ret_error);

/* The text of --help. */
extern const char options_help[];

#endif
