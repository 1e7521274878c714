/*
 * options: the command line and HTTPD_OPTIONS to values, and what a message
 * names when one of them is invalid.  To be run with each C
 * library, whose getopt_long differ.
 */
#include "unit.h"

#include "options.h"

#include <stdarg.h>

#define WORDS_MAX 80

#define DEFAULTS "files t=1000 H=10000 s=30000 p=ok n=0 l=combined"
#define UNKNOWN "; see httpd --help"
#define VALUELESS "needs a value"
#define SECONDS "seconds, 0.001 to 86400"
#define SECONDS_OR_0 SECONDS ", or 0"
#define COUNT "a number, 0 to 2147483647"
#define SIZE "bytes, 0 to 1024M"

/* `words` is split at blanks; `result` is the options, or what is wrong. */
static const struct row {
	const char *words, *environment, *result;
} rows[] = {
	{ "", NULL, DEFAULTS },
	{ "", "", DEFAULTS },
	{ "", " \t\n ", DEFAULTS },
	{ "/srv", NULL, "/srv t=1000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-- -t", NULL, "-t t=1000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-", NULL, "- t=1000 H=10000 s=30000 p=ok n=0 l=combined" },

	/* Each option, short and long. */
	{ "-t 2", NULL, "files t=2000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t2", NULL, "files t=2000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "--timeout 2", NULL,
	    "files t=2000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "--timeout=2", NULL,
	    "files t=2000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-H 2", NULL, "files t=1000 H=2000 s=30000 p=ok n=0 l=combined" },
	{ "--head-timeout=2", NULL,
	    "files t=1000 H=2000 s=30000 p=ok n=0 l=combined" },
	{ "-s 2", NULL, "files t=1000 H=10000 s=2000 p=ok n=0 l=combined" },
	{ "--send-timeout=2", NULL,
	    "files t=1000 H=10000 s=2000 p=ok n=0 l=combined" },
	{ "-p always", NULL,
	    "files t=1000 H=10000 s=30000 p=always n=0 l=combined" },
	{ "--persist=always", NULL,
	    "files t=1000 H=10000 s=30000 p=always n=0 l=combined" },
	{ "--persist=always --persist=ok", NULL, DEFAULTS },
	{ "-n 5", NULL, "files t=1000 H=10000 s=30000 p=ok n=5 l=combined" },
	{ "--max-requests=5", NULL,
	    "files t=1000 H=10000 s=30000 p=ok n=5 l=combined" },
	{ "-n 0", NULL, DEFAULTS },
	{ "-b 0", NULL, DEFAULTS " b=0" },
	{ "-b 5", NULL, DEFAULTS " b=5" },
	{ "-b5", NULL, DEFAULTS " b=5" },
	{ "--max-body=5", NULL, DEFAULTS " b=5" },
	{ "--max-body=64K", NULL, DEFAULTS },
	{ "-b 65536", NULL, DEFAULTS },
	{ "-e inode", NULL, DEFAULTS },
	{ "-e portable", NULL, DEFAULTS " e=portable" },
	{ "--etag=portable", NULL, DEFAULTS " e=portable" },
	{ "--etag=portable --etag=inode", NULL, DEFAULTS },
	{ "-z auto", NULL, DEFAULTS },
	{ "-z any", NULL, DEFAULTS " z=any" },
	{ "--variants=off", NULL, DEFAULTS " z=off" },
	{ "--variants=any --variants=auto", NULL, DEFAULTS },
	{ "-e portable -p always", NULL,
	    "files t=1000 H=10000 s=30000 p=always n=0 l=combined e=portable" },
	{ "-p always -e inode", NULL,
	    "files t=1000 H=10000 s=30000 p=always n=0 l=combined" },
	{ "-l none", NULL, "files t=1000 H=10000 s=30000 p=ok n=0 l=none" },
	{ "--log=none", NULL, "files t=1000 H=10000 s=30000 p=ok n=0 l=none" },
	{ "--log=none --log=combined", NULL, DEFAULTS },
	{ "-h", NULL, DEFAULTS " help" },
	{ "--help", NULL, DEFAULTS " help" },
	{ "-V", NULL, DEFAULTS " version" },
	{ "--version", NULL, DEFAULTS " version" },
	{ "-hV", NULL, DEFAULTS " help version" },
	{ "-hVt3", NULL,
	    "files t=3000 H=10000 s=30000 p=ok n=0 l=combined help version" },
	{ "-hVt 3", NULL,
	    "files t=3000 H=10000 s=30000 p=ok n=0 l=combined help version" },
	{ "-t 1 -t 2", NULL,
	    "files t=2000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "/srv -t 2", NULL,
	    "/srv t=2000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 2 /srv -n 5", NULL,
	    "/srv t=2000 H=10000 s=30000 p=ok n=5 l=combined" },
	{ "-t 2 -- /srv", NULL,
	    "/srv t=2000 H=10000 s=30000 p=ok n=0 l=combined" },

	{ "-r 0", NULL, DEFAULTS " r=0" },
	{ "--min-rate=2K", NULL, DEFAULTS " r=2048" },
	{ "--min-rate=512", NULL, DEFAULTS },
	{ "-L 3", NULL, DEFAULTS " L=3000" },
	{ "--max-life=0.5", NULL, DEFAULTS " L=500" },
	{ "--max-life=3 -L 0", NULL, DEFAULTS },
	{ "--max-connection-age=0.5", NULL, DEFAULTS " L=500" },
	{ "-u httpd", NULL, DEFAULTS " u=httpd" },
	{ "--user=1:2", NULL, DEFAULTS " u=1:2" },
	{ "-R", NULL, DEFAULTS " R" },
	{ "--allow-root", NULL, DEFAULTS " R" },
	{ "-S off", NULL, DEFAULTS " S=off" },
	{ "--sandbox=require", NULL, DEFAULTS " S=require" },
	{ "--sandbox=off --sandbox=auto", NULL, DEFAULTS },
	{ "-RSoff /srv", "-u www",
	    "/srv t=1000 H=10000 s=30000 p=ok n=0 "
	    "l=combined u=www R S=off" },

	/* Seconds. */
	{ "-t 0.001", NULL, "files t=1 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 0.5", NULL, "files t=500 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t .5", NULL, "files t=500 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 5.", NULL, "files t=5000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 1.23456789", NULL,
	    "files t=1234 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 0.0019", NULL, "files t=1 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 007", NULL, "files t=7000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 00000000000000000000000000001", NULL, DEFAULTS },
	{ "-t 86400", NULL,
	    "files t=86400000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 86400.000", NULL,
	    "files t=86400000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 86400.0009", NULL,
	    "files t=86400000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "-t 86400.001", NULL, "--timeout|86400.001|" SECONDS },
	{ "-t 86401", NULL, "--timeout|86401|" SECONDS },
	{ "-t 4294968", NULL, "--timeout|4294968|" SECONDS },
	{ "-t 99999999999999999999999", NULL,
	    "--timeout|99999999999999999999999|" SECONDS },
	{ "-t 0", NULL, "--timeout|0|" SECONDS },
	{ "-t 0.0", NULL, "--timeout|0.0|" SECONDS },
	{ "-t 0.0009", NULL, "--timeout|0.0009|" SECONDS },
	{ "-t .", NULL, "--timeout|.|" SECONDS },
	{ "-t -1", NULL, "--timeout|-1|" SECONDS },
	{ "-t +1", NULL, "--timeout|+1|" SECONDS },
	{ "-t 1s", NULL, "--timeout|1s|" SECONDS },
	{ "-t 1e3", NULL, "--timeout|1e3|" SECONDS },
	{ "-t 0x10", NULL, "--timeout|0x10|" SECONDS },
	{ "-t 1,5", NULL, "--timeout|1,5|" SECONDS },
	{ "-t 1.2.3", NULL, "--timeout|1.2.3|" SECONDS },
	{ "-t x", NULL, "--timeout|x|" SECONDS },
	{ "-t inf", NULL, "--timeout|inf|" SECONDS },
	{ "--timeout=", NULL, "--timeout||" SECONDS },

	/* Numbers and choices. */
	{ "-n 2147483647", NULL,
	    "files t=1000 H=10000 s=30000 p=ok n=2147483647 l=combined" },
	{ "-n 2147483648", NULL, "--max-requests|2147483648|" COUNT },
	{ "-n 18446744073709551616", NULL,
	    "--max-requests|18446744073709551616|" COUNT },
	{ "-n -1", NULL, "--max-requests|-1|" COUNT },
	{ "-n 1.5", NULL, "--max-requests|1.5|" COUNT },
	{ "-n x", NULL, "--max-requests|x|" COUNT },
	{ "--max-requests=", NULL, "--max-requests||" COUNT },

	{ "-L -1", NULL, "--max-life|-1|" SECONDS_OR_0 },
	{ "-L 0.0", NULL, "--max-life|0.0|" SECONDS_OR_0 },
	{ "-r -1", NULL, "--min-rate|-1|" SIZE },
	{ "--user=", NULL,
	    "--user||"
	    "a user name or UID:GID" },
	{ "--sandbox=on", NULL,
	    "--sandbox|on|"
	    "auto|require|off" },
	{ "--sandbox=", NULL,
	    "--sandbox||"
	    "auto|require|off" },
	{ "--allow-root=1", NULL, "unknown option|--allow-root=1|" UNKNOWN },

	/* Bytes. */
	{ "-b 1k", NULL, DEFAULTS " b=1024" },
	{ "-b 1K", NULL, DEFAULTS " b=1024" },
	{ "-b 1m", NULL, DEFAULTS " b=1048576" },
	{ "-b 3M", NULL, DEFAULTS " b=3145728" },
	{ "-b 0K", NULL, DEFAULTS " b=0" },
	{ "-b 000000000000000000000000000001", NULL, DEFAULTS " b=1" },
	{ "-b 1073741824", NULL, DEFAULTS " b=1073741824" },
	{ "-b 1048576K", NULL, DEFAULTS " b=1073741824" },
	{ "-b 1024M", NULL, DEFAULTS " b=1073741824" },
	{ "-b 1073741825", NULL, "--max-body|1073741825|" SIZE },
	{ "-b 1048577K", NULL, "--max-body|1048577K|" SIZE },
	{ "-b 1025M", NULL, "--max-body|1025M|" SIZE },
	{ "-b 17592186044416M", NULL, "--max-body|17592186044416M|" SIZE },
	{ "-b 18446744073709551617", NULL,
	    "--max-body|18446744073709551617|" SIZE },
	{ "-b K", NULL, "--max-body|K|" SIZE },
	{ "-b 1G", NULL, "--max-body|1G|" SIZE },
	{ "-b 1KB", NULL, "--max-body|1KB|" SIZE },
	{ "-b 1KK", NULL, "--max-body|1KK|" SIZE },
	{ "-b 1.5K", NULL, "--max-body|1.5K|" SIZE },
	{ "-b -1", NULL, "--max-body|-1|" SIZE },
	{ "-b +1", NULL, "--max-body|+1|" SIZE },
	{ "-b 0x10", NULL, "--max-body|0x10|" SIZE },
	{ "--max-body=", NULL, "--max-body||" SIZE },
	{ "--max-body", NULL, "option|--max-body|" VALUELESS },
	{ "-b", NULL, "option|-b|" VALUELESS },

	{ "-e INODE", NULL,
	    "--etag|INODE|"
	    "inode|portable" },
	{ "-e none", NULL,
	    "--etag|none|"
	    "inode|portable" },
	{ "--etag=", NULL,
	    "--etag||"
	    "inode|portable" },
	{ "--variants=", NULL,
	    "--variants||"
	    "auto|any|off" },
	{ "--variants=on", NULL,
	    "--variants|on|"
	    "auto|any|off" },
	{ "--variants=any|off", NULL,
	    "--variants|any|off|"
	    "auto|any|off" },
	{ "--variants=auto|", NULL,
	    "--variants|auto||"
	    "auto|any|off" },
	{ "-e", NULL, "option|-e|" VALUELESS },
	{ "-p OK", NULL,
	    "--persist|OK|"
	    "ok|always" },
	{ "-p never", NULL,
	    "--persist|never|"
	    "ok|always" },
	{ "--persist=", NULL,
	    "--persist||"
	    "ok|always" },
	{ "-l all", NULL,
	    "--log|all|"
	    "none|combined" },
	{ "-l combined,", NULL,
	    "--log|combined,|"
	    "none|combined" },

	/* Which argument is named. */
	{ "-x", NULL, "unknown option|-x|" UNKNOWN },
	{ "--bogus", NULL, "unknown option|--bogus|" UNKNOWN },
	{ "--bogus=1", NULL, "unknown option|--bogus=1|" UNKNOWN },
	{ "-t 1 -x", NULL, "unknown option|-x|" UNKNOWN },
	{ "-t 1 --bogus /srv", NULL, "unknown option|--bogus|" UNKNOWN },
	{ "-x -t 1", NULL, "unknown option|-x|" UNKNOWN },
	{ "-hx", NULL, "unknown option|-hx|" UNKNOWN },
	{ "-xh", NULL, "unknown option|-xh|" UNKNOWN },
	{ "-hxV", NULL, "unknown option|-hxV|" UNKNOWN },
	{ "-V -hxV", NULL, "unknown option|-hxV|" UNKNOWN },
	{ "/srv -x", NULL, "unknown option|-x|" UNKNOWN },
	{ "/srv -xh", NULL, "unknown option|-xh|" UNKNOWN },
	{ "/srv -hxV", NULL, "unknown option|-hxV|" UNKNOWN },
	{ "/srv --bogus", NULL, "unknown option|--bogus|" UNKNOWN },
	{ "/srv -t 1 --bogus", NULL, "unknown option|--bogus|" UNKNOWN },
	{ "-t 1 /srv -xh", NULL, "unknown option|-xh|" UNKNOWN },
	{ "-t", NULL, "option|-t|" VALUELESS },
	{ "--timeout", NULL, "option|--timeout|" VALUELESS },
	{ "-h -t", NULL, "option|-t|" VALUELESS },
	{ "-ht", NULL, "option|-ht|" VALUELESS },
	{ "/srv -t", NULL, "option|-t|" VALUELESS },
	{ "/srv -ht", NULL, "option|-ht|" VALUELESS },
	{ "/srv --timeout", NULL, "option|--timeout|" VALUELESS },
	{ "/srv /var", NULL,
	    "argument|/var|is one too many: there is one directory to serve" },
	{ "/srv -t 1 /var", NULL,
	    "argument|/var|is one too many: there is one directory to serve" },
	{ "/srv -- /var", NULL,
	    "argument|/var|is one too many: there is one directory to serve" },
	{ "-- /srv -t", NULL,
	    "argument|-t|is one too many: there is one directory to serve" },
	{ "/srv /var -t", NULL, "option|-t|" VALUELESS },

	/* The environment, which the command line overrides. */
	{ "", "-t 2", "files t=2000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "", " \t--timeout=2\n-n\t5 ",
	    "files t=2000 H=10000 s=30000 p=ok n=5 l=combined" },
	{ "", "/srv", "/srv t=1000 H=10000 s=30000 p=ok n=0 l=combined" },
	{ "/var", "/srv -n 5",
	    "/var t=1000 H=10000 s=30000 p=ok n=5 l=combined" },
	{ "", "-b 1K -e portable", DEFAULTS " b=1024 e=portable" },
	{ "-b 2K -e inode", "-b 1K -e portable", DEFAULTS " b=2048" },
	{ "-t 3", "-t 2 -n 5",
	    "files t=3000 H=10000 s=30000 p=ok n=5 l=combined" },
	{ "--log=combined", "--log=none", DEFAULTS },
	{ "", "-t", "HTTPD_OPTIONS: option|-t|" VALUELESS },
	{ "", "-x", "HTTPD_OPTIONS: unknown option|-x|" UNKNOWN },
	{ "", "/srv -xh", "HTTPD_OPTIONS: unknown option|-xh|" UNKNOWN },
	{ "", "-t 1 --bogus",
	    "HTTPD_OPTIONS: unknown option|--bogus|" UNKNOWN },
	{ "", "-t x", "HTTPD_OPTIONS: --timeout|x|" SECONDS },
	{ "", "a b",
	    "HTTPD_OPTIONS: argument|b|is one too many: there is one directory to serve" },
	{ "-t 1", "-x", "HTTPD_OPTIONS: unknown option|-x|" UNKNOWN },
	{ "-y", "-x", "HTTPD_OPTIONS: unknown option|-x|" UNKNOWN },
};

static int
split(char *copy, char **words)
{
	int count = 0;

	words[count++] = copy; /* the program's name comes first */
	for (char *at = copy + strlen(copy) + 1; *at != '\0';) {
		words[count++] = at;
		at += strcspn(at, " ");
		if (*at != '\0')
			*at++ = '\0';
	}
	words[count] = NULL;
	return count;
}

/* Appends to what is in buf. */
__attribute__((format(printf, 3, 4))) static void
add(char *buf, size_t cap, const char *format, ...)
{
	size_t len = strlen(buf);
	va_list args;

	va_start(args, format);
	vsnprintf(buf + len, cap - len, format, args);
	va_end(args);
}

static void
check(const char *given, const char *environment, const char *result)
{
	char copy[4096 + 2] = "httpd", *words[WORDS_MAX + 1], buf[8192];
	char newer[256] = "";
	struct options o = default_options;
	struct argument_error e = { 0 };

	unit_need(
	    strlen(given) + sizeof("httpd") < sizeof(copy), "the row's length");
	strcpy(copy + sizeof("httpd"), given);
	int argc = split(copy, words);
	bool read = options_read(&o, environment, argc, words, &e);
	/* The newest options are shown where they are not the default. */
	if (o.max_body != 65536)
		add(newer, sizeof(newer), " b=%llu",
		    (unsigned long long)o.max_body);
	if (o.timeouts.min_rate != 512)
		add(newer, sizeof(newer), " r=%llu",
		    (unsigned long long)o.timeouts.min_rate);
	if (o.timeouts.max_age_ms != 0)
		add(newer, sizeof(newer), " L=%d", o.timeouts.max_age_ms);
	if (o.common.user != NULL)
		add(newer, sizeof(newer), " u=%s", o.common.user);
	if (o.common.allow_root)
		add(newer, sizeof(newer), " R");
	if (o.common.sandbox != SANDBOX_AUTO)
		add(newer, sizeof(newer), " S=%s",
		    o.common.sandbox == SANDBOX_OFF ? "off" : "require");
	if (o.variants != VARIANTS_AUTO)
		add(newer, sizeof(newer), " z=%s",
		    o.variants == VARIANTS_OFF ? "off" : "any");
	if (o.policy.keep_alive_seconds != o.timeouts.idle_ms / 1000)
		add(newer, sizeof(newer), " announced=%d",
		    o.policy.keep_alive_seconds);
	const char *where = e.variable == NULL ? "" : "HTTPD_OPTIONS: ";
	if (read)
		snprintf(buf, sizeof(buf),
		    "%s t=%d H=%d s=%d p=%s n=%lu l=%s%s%s%s%s", o.directory,
		    o.timeouts.idle_ms, o.head_timeout_ms, o.timeouts.send_ms,
		    o.policy.persist == PERSIST_ALWAYS ? "always" : "ok",
		    o.max_requests, o.log_requests ? "combined" : "none", newer,
		    o.policy.portable_tags ? " e=portable" : "",
		    o.common.show_help ? " help" : "",
		    o.common.show_version ? " version" : "");
	else if (e.option != NULL)
		snprintf(buf, sizeof(buf), "%s--%s|%s|%s", where, e.option,
		    e.subject, e.expected);
	else
		snprintf(buf, sizeof(buf), "%s%s|%s|%s%s", where, e.what,
		    e.subject == NULL ? "(null)" : e.subject, e.why,
		    e.see_help ? "; see httpd --help" : "");
	unit_string(environment == NULL ? "result" : environment, result, buf);
}

#define FIVE "files t=1000 H=10000 s=30000 p=ok n=5 l=combined"

/* The limits of HTTPD_OPTIONS. */
static void
check_limits(void)
{
	static char long_words[5000];

	unit_begin("as many words as fit");
	for (int i = 0; i < 62; i++)
		strcat(long_words, "-n5 ");
	check("", long_words, FIVE);
	strcat(long_words, "-n5");
	check("", long_words, FIVE);
	unit_begin("a word too many");
	strcat(long_words, " -h");
	check("", long_words, "HTTPD_OPTIONS|(null)|has too many words");

	unit_begin("the longest that fits");
	memset(long_words, ' ', sizeof(long_words));
	long_words[4095] = '\0';
	check("", long_words, DEFAULTS);
	memcpy(long_words + 4092, "-n5", 4);
	check("", long_words, FIVE);
	unit_begin("one byte longer");
	memcpy(long_words + 4092, "-n55", 5);
	check("", long_words, "HTTPD_OPTIONS|(null)|is too long");
}

/* The text of --help names every option of the man page. */
static void
check_help(void)
{
	static const char *const names[] = { "-t, --timeout=",
		"-H, --head-timeout=", "-s, --send-timeout=",
		"-p, --persist=ok|always",
		"-n, --max-requests=", "-b, --max-body=BYTES",
		"-e, --etag=inode|portable", "-z, --variants=auto|any|off",
		"-l, --log=combined|none", "-h, --help", "-V, --version",
		"HTTPD_OPTIONS", "DIRECTORY" };

	unit_begin("--help");
	for (size_t i = 0; i < UNIT_COUNT(names); i++)
		unit_bool(
		    names[i], true, strstr(options_help, names[i]) != NULL);
	for (const char *at = options_help; *at != '\0';
	     at += strcspn(at, "\n") + 1)
		unit_bool(
		    "a line fits a terminal", true, strcspn(at, "\n") < 80);
}

int
main(void)
{
	unit_table("options");
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].words);
		check(rows[i].words, rows[i].environment, rows[i].result);
	}
	check_limits();
	check_help();

	/* Once more where the shell's user wants options before operands. */
	unit_begin("POSIXLY_CORRECT");
	unit_need(setenv("POSIXLY_CORRECT", "1", 1) == 0, "setenv");
	check("/srv -t 2", NULL,
	    "/srv t=2000 H=10000 s=30000 p=ok n=0 l=combined");
	return unit_end();
}
