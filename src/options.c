/*
 * The command line and HTTPD_OPTIONS, by getopt_long.
 */
#define _GNU_SOURCE
#include "options.h"

#include "grammar.h"

#include <getopt.h>
#include <limits.h>

#define ENVIRONMENT_MAX 4096
#define WORDS_MAX 64
#define SECONDS_MAX 86400
#define BYTES_MAX (UINT64_C(1) << 30)
#define OPERAND 1 /* what getopt_long calls a word that is no option */

const struct options default_options = {
	.directory = "files",
	.sandbox = SANDBOX_AUTO,
	.patience = { .idle_ms = 1000, .send_ms = 30000, .min_rate = 512 },
	.head_timeout_ms = 10000,
	.policy = { .persist = PERSIST_OK },
	.max_body = 65536,
	.max_requests = 0,
	.log_requests = true,
};

const char options_help[] =
    "Usage: httpd [OPTION]... [DIRECTORY]\n"
    "Serve the files beneath DIRECTORY (default: files) by HTTP/1.1 to the one\n"
    "client that is connected to standard input and output.\n"
    "\n"
    "  -t, --timeout=SECONDS       close when idle this long (default: 1)\n"
    "  -H, --head-timeout=SECONDS  time for one request head (default: 10)\n"
    "  -s, --send-timeout=SECONDS  close when the client takes nothing of an\n"
    "                              answer this long (default: 30)\n"
    "  -r, --min-rate=BYTES        or less than this a second, over that time\n"
    "                              (default: 512; 0: no limit)\n"
    "  -L, --max-life=SECONDS      end the connection after this long, whatever\n"
    "                              happens (default: 0, no limit)\n"
    "  -p, --persist=ok|always     close after redirects and errors, or only\n"
    "                              where the protocol asks for it (default: ok)\n"
    "  -n, --max-requests=NUMBER   close after this many (default: 0, no limit)\n"
    "  -b, --max-body=BYTES        take this much content of a request; K or M\n"
    "                              may follow (default: 64K)\n"
    "  -e, --etag=inode|portable   what entity tags are made of: portable ones\n"
    "                              are the same on all hosts that have the same\n"
    "                              files, dates included (default: inode)\n"
    "  -l, --log=combined|none     one line a request, to standard error, or to\n"
    "                              syslog where that is the client\n"
    "  -u, --user=NAME|UID:GID     whom to become when started by root\n"
    "  -R, --allow-root            stay root; without one of the two, root is\n"
    "                              refused\n"
    "  -S, --sandbox=auto|require|off\n"
    "                              lock the process in: as far as the kernel can,\n"
    "                              or wholly or not at all (default: auto)\n"
    "  -h, --help                  show this text\n"
    "  -V, --version               show the version\n"
    "\n"
    "Options in the environment variable HTTPD_OPTIONS, separated by blanks,\n"
    "are read before those of the command line.\n";

/*
 * SECONDS = 1*DIGIT [ "." *DIGIT ] / "." 1*DIGIT, from a millisecond to a day.
 * What is finer than a millisecond is dropped.
 */
static bool
parse_seconds(const char *s, int *ret_ms)
{
	long ms = 0;
	long place = 100;
	bool digits = false;

	for (; is_digit(*s); s++) {
		ms = ms * 10 + (*s - '0') * 1000;
		digits = true;
		if (ms > SECONDS_MAX * 1000L)
			return false;
	}
	if (*s == '.') {
		for (s++; is_digit(*s); s++) {
			ms += (*s - '0') * place;
			place /= 10;
			digits = true;
		}
	}
	if (*s != '\0' || !digits || ms == 0 || ms > SECONDS_MAX * 1000L)
		return false;
	*ret_ms = (int)ms;
	return true;
}

static bool
parse_count(const char *s, unsigned long *ret_count)
{
	unsigned long n = 0;
	const char *digits = s;

	for (; is_digit(*s); s++) {
		unsigned long digit = (unsigned long)(*s - '0');

		if (n > (INT_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	if (*s != '\0' || s == digits)
		return false;
	*ret_count = n;
	return true;
}

/* BYTES = 1*DIGIT [ "K" / "M" ], up to a gigabyte. */
static bool
parse_bytes(const char *s, uint64_t *ret_bytes)
{
	uint64_t n = 0;
	const char *digits = s;

	for (; is_digit(*s); s++) {
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > BYTES_MAX)
			return false;
	}
	if (s == digits)
		return false;
	if (ascii_lower(*s) == 'k') {
		n <<= 10;
		s++;
	} else if (ascii_lower(*s) == 'm') {
		n <<= 20;
		s++;
	}
	if (*s != '\0' || n > BYTES_MAX)
		return false;
	*ret_bytes = n;
	return true;
}

/* Which of two words s is. */
static bool
parse_choice(const char *s, const char *no, const char *yes, bool *ret_yes)
{
	bool is_yes = strcmp(s, yes) == 0;

	if (!is_yes && strcmp(s, no) != 0)
		return false;
	*ret_yes = is_yes;
	return true;
}

static bool
parse_sandbox(const char *s, enum sandbox_mode *ret_mode)
{
	static const struct {
		const char *word;
		enum sandbox_mode mode;
	} modes[] = {
		{ "auto", SANDBOX_AUTO },
		{ "require", SANDBOX_REQUIRE },
		{ "off", SANDBOX_OFF },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		if (strcmp(s, modes[i].word) == 0) {
			*ret_mode = modes[i].mode;
			return true;
		}
	}
	return false;
}

static bool
set_option(struct options *o, int letter, const char *value)
{
	bool yes;

	switch (letter) {
	case 't':
		return parse_seconds(value, &o->patience.idle_ms);
	case 'H':
		return parse_seconds(value, &o->head_timeout_ms);
	case 's':
		return parse_seconds(value, &o->patience.send_ms);
	case 'r':
		return parse_bytes(value, &o->patience.min_rate);
	case 'L':
		if (strcmp(value, "0") != 0)
			return parse_seconds(value, &o->patience.life_ms);
		o->patience.life_ms = 0;
		return true;
	case 'u':
		o->user = value;
		return *value != '\0';
	case 'R':
		o->allow_root = true;
		return true;
	case 'S':
		return parse_sandbox(value, &o->sandbox);
	case 'p':
		if (!parse_choice(value, "ok", "always", &yes))
			return false;
		o->policy.persist = yes ? PERSIST_ALWAYS : PERSIST_OK;
		return true;
	case 'b':
		return parse_bytes(value, &o->max_body);
	case 'e':
		return parse_choice(
		    value, "inode", "portable", &o->policy.portable_tags);
	case 'n':
		return parse_count(value, &o->max_requests);
	case 'l':
		return parse_choice(
		    value, "none", "combined", &o->log_requests);
	case 'h':
		o->show_help = true;
		return true;
	case 'V':
		o->show_version = true;
		return true;
	default:
		return false;
	}
}

static bool
fail(struct options_error *ret_error, const char *what, const char *subject,
    const char *why)
{
	*ret_error = (struct options_error){ what, subject, why };
	return false;
}

/* Keeps the first word that is no option, and the second, which is too many. */
static void
take_operand(const char *word, const char **directory, const char **surplus)
{
	if (*directory == NULL)
		*directory = word;
	else if (*surplus == NULL)
		*surplus = word;
}

/* Reads one array of words, whose first is the program's name. */
static bool
read_words(
    struct options *o, int argc, char **argv, struct options_error *ret_error)
{
	static const struct option table[] = {
		{ "timeout", required_argument, NULL, 't' },
		{ "head-timeout", required_argument, NULL, 'H' },
		{ "send-timeout", required_argument, NULL, 's' },
		{ "persist", required_argument, NULL, 'p' },
		{ "max-requests", required_argument, NULL, 'n' },
		{ "max-body", required_argument, NULL, 'b' },
		{ "etag", required_argument, NULL, 'e' },
		{ "log", required_argument, NULL, 'l' },
		{ "min-rate", required_argument, NULL, 'r' },
		{ "max-life", required_argument, NULL, 'L' },
		{ "user", required_argument, NULL, 'u' },
		{ "allow-root", no_argument, NULL, 'R' },
		{ "sandbox", required_argument, NULL, 'S' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};

	const char *directory = NULL, *surplus = NULL;
	int letter;

	opterr = 0;
	optind = 0;
	do {
		/*
		 * "-": every word comes in its turn and none is moved, so the
		 * one that is being read is known.  What getopt_long leaves in
		 * optind behind a wrong one differs between C libraries.
		 */
		int at = optind > 0 ? optind : 1;

		letter = getopt_long(
		    argc, argv, "-:t:H:s:r:L:p:n:b:e:l:u:RS:hV", table, NULL);
		if (letter == ':')
			return fail(
			    ret_error, "option", argv[at], "needs a value");
		if (letter == '?')
			return fail(ret_error, "option", argv[at],
			    "is not known; see httpd --help");
		if (letter == OPERAND)
			take_operand(optarg, &directory, &surplus);
		else if (letter != -1 && !set_option(o, letter, optarg))
			return fail(ret_error, "option value", optarg,
			    "makes no sense; see httpd --help");
	} while (letter != -1);
	while (optind < argc) /* behind "--" */
		take_operand(argv[optind++], &directory, &surplus);

	if (surplus != NULL)
		return fail(ret_error, "argument", surplus,
		    "is one too many: there is one directory to serve");
	if (directory != NULL)
		o->directory = directory;
	return true;
}

/* Splits the environment's words, which must live as long as the options. */
static bool
read_environment(
    struct options *o, const char *environment, struct options_error *ret_error)
{
	static char copy[ENVIRONMENT_MAX];
	static char name[] = "HTTPD_OPTIONS";
	char *words[WORDS_MAX + 1] = { name };
	int count = 1;
	size_t len = strlen(environment);

	if (len >= sizeof(copy))
		return fail(ret_error, name, NULL, "is too long");
	memcpy(copy, environment, len + 1);
	for (char *at = copy; *(at += strspn(at, " \t\n")) != '\0';) {
		if (count == WORDS_MAX)
			return fail(
			    ret_error, name, NULL, "has too many words");
		words[count++] = at;
		at += strcspn(at, " \t\n");
		if (*at != '\0')
			*at++ = '\0';
	}
	words[count] = NULL;
	return read_words(o, count, words, ret_error);
}

bool
options_read(struct options *options, const char *environment, int argc,
    char **argv, struct options_error *ret_error)
{
	if (environment != NULL && *environment != '\0' &&
	    !read_environment(options, environment, ret_error))
		return false;
	if (options->show_help || options->show_version)
		return fail(ret_error, "HTTPD_OPTIONS", NULL,
		    "may not ask for the help or the version");
	return read_words(options, argc, argv, ret_error);
}
