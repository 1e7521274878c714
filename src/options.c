/*
 * The command line and HTTPD_OPTIONS.
 */
#include "options.h"

const struct options default_options = {
	.directory = "files",
	.timeouts = { .idle_ms = 1000, .send_ms = 30000, .min_rate = 512 },
	.head_timeout_ms = 10000,
	.policy = { .persist = PERSIST_OK, .keep_alive_seconds = 1 },
	.max_body = 65536,
	.max_requests = 0,
	.log_requests = true,
};

const char options_help[] =
    "Usage: httpd [OPTION]... [DIRECTORY]\n"
    "Serve the files beneath DIRECTORY (default: files) over HTTP/1.1 to the\n"
    "client that is connected to standard input and output.\n"
    "\n"
    "  -t, --timeout=SECONDS       close an idle connection (default: 1)\n"
    "  -H, --head-timeout=SECONDS  limit the time for a request head (default: 10)\n"
    "  -s, --send-timeout=SECONDS  close if the client receives nothing of a\n"
    "                              response for this time (default: 30)\n"
    "  -r, --min-rate=BYTES        or less than this per second in this time\n"
    "                              (default: 512; 0: no limit)\n"
    "  -L, --max-life=SECONDS, --max-connection-age=SECONDS\n"
    "                              close a connection of this age (default: 0,\n"
    "                              no limit)\n"
    "  -p, --persist=ok|always     close after redirects and errors, or only if\n"
    "                              the protocol requires it (default: ok)\n"
    "  -n, --max-requests=NUMBER   close after this many responses (default: 0,\n"
    "                              no limit)\n"
    "  -b, --max-body=BYTES        read this much content of a request; K or M\n"
    "                              may follow (default: 64K)\n"
    "  -e, --etag=inode|portable   make entity tags that are the same on all\n"
    "                              hosts with the same files and dates, or not\n"
    "                              (default: inode, not)\n"
    "  -z, --variants=auto|any|off send precompressed variants (NAME.br, .zst, .gz)\n"
    "                              if their dates match those of NAME, regardless\n"
    "                              of their dates, or never (default: auto)\n"
    "  -l, --log=combined|none     log each request to standard error, or to\n"
    "                              syslog if that is the client\n" COMMON_OPTION_HELP
    "\n"
    "Options in the environment variable HTTPD_OPTIONS, separated by blanks,\n"
    "are read before those on the command line.\n";

static const char *
take(void *options, int letter, const char *value)
{
	struct options *o = options;
	const char *expected;
	unsigned choice = 0;

	switch (letter) {
	case 't':
		expected = parse_duration_ms(value, &o->timeouts.idle_ms);
		o->policy.keep_alive_seconds = o->timeouts.idle_ms / 1000;
		return expected;
	case 'H':
		return parse_duration_ms(value, &o->head_timeout_ms);
	case 's':
		return parse_duration_ms(value, &o->timeouts.send_ms);
	case 'r':
		return parse_size(value, &o->timeouts.min_rate);
	case 'L':
		return parse_duration_or_zero_ms(
		    value, &o->timeouts.max_age_ms);
	case 'p':
		expected = parse_choice(value, "ok|always", &choice);
		if (expected == NULL)
			o->policy.persist = (enum persist)choice;
		return expected;
	case 'b':
		return parse_size(value, &o->max_body);
	case 'e':
		expected = parse_choice(value, "inode|portable", &choice);
		if (expected == NULL)
			o->policy.portable_tags = choice == 1;
		return expected;
	case 'n':
		return parse_count(value, &o->max_requests);
	case 'l':
		expected = parse_choice(value, "none|combined", &choice);
		if (expected == NULL)
			o->log_requests = choice == 1;
		return expected;
	default: /* 'z' */
		expected = parse_choice(value, "auto|any|off", &choice);
		if (expected == NULL)
			o->variants = (enum variants_mode)choice;
		return expected;
	}
}

static const struct option table[] = {
	{ "timeout", required_argument, NULL, 't' },
	{ "head-timeout", required_argument, NULL, 'H' },
	{ "send-timeout", required_argument, NULL, 's' },
	{ "persist", required_argument, NULL, 'p' },
	{ "max-requests", required_argument, NULL, 'n' },
	{ "max-body", required_argument, NULL, 'b' },
	{ "etag", required_argument, NULL, 'e' },
	{ "variants", required_argument, NULL, 'z' },
	{ "log", required_argument, NULL, 'l' },
	{ "min-rate", required_argument, NULL, 'r' },
	{ "max-life", required_argument, NULL, 'L' },
	{ "max-connection-age", required_argument, NULL, 'L' },
	COMMON_OPTION_ROWS,
	{ NULL, 0, NULL, 0 },
};

bool
options_read(struct options *options, const char *environment, int argc,
    char **argv, struct argument_error *ret_error)
{
	const struct argument_spec spec = {
		.variable = "HTTPD_OPTIONS",
		.letters = "-:t:H:s:r:L:p:n:b:e:z:l:" COMMON_OPTION_LETTERS,
		.table = table,
		.take = take,
		.operand = &options->directory,
		.surplus = "is one too many: there is one directory to serve",
	};

	return arguments_read(&spec, options, &options->common, environment,
	    argc, argv, ret_error);
}
