/*
 * arguments: options, on the command line and in an environment variable.
 *
 * Each program has its own options and shares some with the others.  How they
 * are read, what their values may be and how an error is reported is the same
 * for all.
 */
#ifndef ARGUMENTS_H
#define ARGUMENTS_H

#include "sandbox.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

/* The options that every program has: the user to run as, and the sandbox. */
struct common_options {
	const char *user; /* the user to run as; NULL: not set */
	bool allow_root; /* root may stay root */
	enum sandbox_mode sandbox;
	bool show_help;
	bool show_version;
};

/* The common options: rows for getopt_long, option letters, help text. */
#define COMMON_OPTION_ROWS \
	{ "user", required_argument, NULL, 'u' }, \
	    { "allow-root", no_argument, NULL, 'R' }, \
	    { "sandbox", required_argument, NULL, 'S' }, \
	    { "help", no_argument, NULL, 'h' }, \
	{ \
		"version", no_argument, NULL, 'V' \
	}
#define COMMON_OPTION_LETTERS "u:RS:hV"
#define COMMON_OPTION_HELP \
	"  -u, --user=NAME|UID:GID     run as this user if started by root\n" \
	"  -R, --allow-root            serve as root; without one of these two options,\n" \
	"                              root is refused\n" \
	"  -S, --sandbox=auto|require|off\n" \
	"                              use what the kernel supports of the sandbox,\n" \
	"                              require all of it, or use none (default: auto)\n" \
	"  -h, --help                  print this help\n" \
	"  -V, --version               print the version\n"

/* The options of a program. */
struct argument_spec {
	const char *variable; /* the environment variable with more options */
	/* For getopt_long(); the letters start with "-:". */
	const char *letters;
	const struct option *table;
	/*
	 * Takes one of the program's own options.  Returns NULL, or, if the
	 * value is invalid, what was expected.
	 */
	const char *(*take)(void *options, int letter, const char *value);
	/* Where the operand is stored; NULL: operands are not allowed. */
	const char **operand;
	const char *surplus; /* the message for one operand too many */
};

/*
 * An error in the options.  With an option, its value `subject` is invalid.
 * Otherwise the message is `what` "`subject`" `why`.
 */
struct argument_error {
	const char *variable; /* it is in this variable; NULL: in argv */
	const char *option; /* its long name; NULL: another error */
	const char *expected; /* a value of that option */
	const char *what;
	const char *subject; /* NULL: none */
	const char *why;
	bool see_help;
};

/*
 * Reads the options in `environment`, the value of spec->variable (NULL:
 * unset), and then those in argv, into *options and *common, which hold the
 * defaults.  Returns false and sets *ret_error at the first error; options
 * before it have been stored.  The options keep pointers into argv.
 */
bool arguments_read(const struct argument_spec *spec, void *options,
    struct common_options *common, const char *environment, int argc,
    char **argv, struct argument_error *ret_error);

/* The long name of the option with this letter, which must be in the table. */
const char *option_name(const struct option *table, int letter);

/*
 * Parsers of option values.  Each returns NULL, or, if s is invalid, what was
 * expected, and sets nothing then.
 */

/*
 * SECONDS = 1*DIGIT [ "." *DIGIT ] / "." 1*DIGIT, from a millisecond to a day.
 * Digits after the third decimal place are ignored.
 */
const char *parse_duration_ms(const char *s, int *ret_ms);

/* The same, or "0", which is 0 ms. */
const char *parse_duration_or_zero_ms(const char *s, int *ret_ms);

/* NUMBER = 1*DIGIT, up to INT_MAX. */
const char *parse_count(const char *s, unsigned long *ret_count);

/* BYTES = 1*DIGIT [ "K" / "M" ], up to a gigabyte. */
const char *parse_size(const char *s, uint64_t *ret_bytes);

/* One of the choices, written as "auto|any|off": its index. */
const char *parse_choice(
    const char *s, const char *choices, unsigned *ret_index);

#endif
