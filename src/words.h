/*
 * words: options, in the words of the command line and of the environment.
 *
 * Each program has its own options, and some that all have; how they are read,
 * what their values may be, and how a mistake is told are the same for all.
 */
#ifndef WORDS_H
#define WORDS_H

#include "sandbox.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>

/* The options that every program has: whom to become, and how locked in. */
struct common_options {
	const char *user; /* whom root becomes; NULL: none is named */
	bool allow_root; /* root may serve */
	enum sandbox_mode sandbox;
	bool show_help;
	bool show_version;
};

/* Their rows in a program's table, their letters, and lines of its help. */
#define WORDS_COMMON_OPTIONS \
	{ "user", required_argument, NULL, 'u' }, \
	    { "allow-root", no_argument, NULL, 'R' }, \
	    { "sandbox", required_argument, NULL, 'S' }, \
	    { "help", no_argument, NULL, 'h' }, \
	{ \
		"version", no_argument, NULL, 'V' \
	}
#define WORDS_COMMON_LETTERS "u:RS:hV"
#define WORDS_COMMON_HELP \
	"  -u, --user=NAME|UID:GID     whom to become when started by root\n" \
	"  -R, --allow-root            stay root; without one of the two, root is\n" \
	"                              refused\n" \
	"  -S, --sandbox=auto|require|off\n" \
	"                              lock the process in: as far as the kernel can,\n" \
	"                              or wholly or not at all (default: auto)\n" \
	"  -h, --help                  show this text\n" \
	"  -V, --version               show the version\n"

/* The options of a program. */
struct words {
	const char *variable; /* the environment's, with more of them */
	/* For getopt_long(); the letters start with "-:". */
	const char *letters;
	const struct option *table;
	/* Takes an option that is the program's own; false: it may not be. */
	bool (*take)(void *options, int letter, const char *value);
	/* Where the one operand goes; NULL: there may be none. */
	const char **operand;
	const char *surplus; /* what is said of one too many */
};

/* What is wrong with an option: `what` "`subject`" `why`. */
struct words_error {
	const char *what;
	const char *subject; /* NULL: there is none */
	const char *why;
	bool see_help;
};

/*
 * Reads the options in the words of `environment`, the value of the words'
 * variable (NULL: it has none), and then those in argv, into *options and
 * *common, which hold the defaults.  false with *ret_error set if one of them
 * makes no sense; what came before it holds.  The strings of argv are kept.
 */
bool words_read(const struct words *words, void *options,
    struct common_options *common, const char *environment, int argc,
    char **argv, struct words_error *ret_error);

/*
 * What the value of an option may be.  false if s is no such value; nothing is
 * set then.
 */

/*
 * SECONDS = 1*DIGIT [ "." *DIGIT ] / "." 1*DIGIT, from a millisecond to a day.
 * What is finer than a millisecond is dropped.
 */
bool word_seconds(const char *s, int *ret_ms);

/* The same, or "0". */
bool word_seconds_or_none(const char *s, int *ret_ms);

/* NUMBER = 1*DIGIT, up to INT_MAX. */
bool word_count(const char *s, unsigned long *ret_count);

/* BYTES = 1*DIGIT [ "K" / "M" ], up to a gigabyte. */
bool word_bytes(const char *s, uint64_t *ret_bytes);

/* One of several words, given as "auto|any|off": its index among them. */
bool word_choice(const char *s, const char *words, unsigned *ret_index);

#endif
