/*
 * The command line and HTTPD_OPTIONS.
 */
#ifndef OPTIONS_H
#define OPTIONS_H

#include "connection.h"
#include "decide.h"
#include "arguments.h"

struct options {
	const char *directory; /* the document root */
	struct common_options common;
	struct timeouts timeouts;
	int head_timeout_ms;
	struct policy policy;
	enum variants_mode variants;
	unsigned long max_requests; /* 0: no limit */
	uint64_t max_body; /* bytes */
	bool log_requests;
};

extern const struct options default_options;

/* Reads all of them by arguments_read(), with the value of HTTPD_OPTIONS. */
bool options_read(struct options *options, const char *environment, int argc,
    char **argv, struct argument_error *ret_error);

/* The text of --help. */
extern const char options_help[];

#endif
