/*
 * options: HTTPD_OPTIONS and the words of a command line.
 *
 * The text up to the first NUL is the environment's variable, which a decision
 * takes away; each word of the command line ends with one more.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "options.h"

#include <limits.h>

#define WORDS_MAX 80
#define DAY_MS 86400000
#define GIGABYTE (UINT64_C(1) << 30)

struct line {
	int argc;
	char **argv;
};

/* The program's name, which is empty, and the words, each with its NUL. */
static struct line
split_line(char *text, size_t len)
{
	struct line line = { .argv = malloc((WORDS_MAX + 1) * sizeof(char *)) };

	require(line.argv != NULL);
	for (size_t at = 0; at < len && line.argc < WORDS_MAX;
	     at += strlen(text + at) + 1)
		line.argv[line.argc++] = text + at;
	line.argv[line.argc] = NULL;
	return line;
}

static bool
same_string(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool
same_options(const struct options *a, const struct options *b)
{
	return same_string(a->directory, b->directory) &&
	    same_string(a->common.user, b->common.user) &&
	    a->common.allow_root == b->common.allow_root &&
	    a->common.sandbox == b->common.sandbox &&
	    a->common.show_help == b->common.show_help &&
	    a->common.show_version == b->common.show_version &&
	    a->timeouts.idle_ms == b->timeouts.idle_ms &&
	    a->timeouts.send_ms == b->timeouts.send_ms &&
	    a->timeouts.min_rate == b->timeouts.min_rate &&
	    a->timeouts.max_age_ms == b->timeouts.max_age_ms &&
	    a->head_timeout_ms == b->head_timeout_ms &&
	    a->policy.persist == b->policy.persist &&
	    a->policy.portable_tags == b->policy.portable_tags &&
	    a->variants == b->variants && a->max_requests == b->max_requests &&
	    a->max_body == b->max_body && a->log_requests == b->log_requests;
}

static void
require_in_range(const struct options *o)
{
	require(o->timeouts.idle_ms > 0 && o->timeouts.idle_ms <= DAY_MS);
	require(o->timeouts.send_ms > 0 && o->timeouts.send_ms <= DAY_MS);
	require(o->policy.keep_alive_seconds == o->timeouts.idle_ms / 1000);
	require(o->head_timeout_ms > 0 && o->head_timeout_ms <= DAY_MS);
	require(
	    o->timeouts.max_age_ms >= 0 && o->timeouts.max_age_ms <= DAY_MS);
	require(o->timeouts.min_rate <= GIGABYTE);
	require(o->max_body <= GIGABYTE);
	require(o->max_requests <= INT_MAX);
}

/* Whether it is a word of the line, or what a word ends with. */
static bool
ends_word(const char *s, const struct line *line)
{
	for (int i = 1; i < line->argc; i++) {
		size_t len = strlen(line->argv[i]);

		if (strlen(s) <= len &&
		    strcmp(line->argv[i] + len - strlen(s), s) == 0)
			return true;
	}
	return false;
}

static void
require_named(const struct argument_error *e, const char *environment,
    const struct line *line)
{
	if (e->option != NULL)
		require(e->expected != NULL && e->subject != NULL);
	else
		require(e->what != NULL && e->why != NULL);
	if (e->subject == NULL)
		require(strcmp(e->what, "HTTPD_OPTIONS") == 0);
	else
		require(ends_word(e->subject, line) ||
		    (environment != NULL &&
			strstr(environment, e->subject) != NULL));
}

static void
add_bytes(char words[][64], int *count, const char *name, uint64_t n)
{
	const char *unit = "";

	if (n != 0 && n % (1 << 20) == 0) {
		n >>= 20;
		unit = "m";
	} else if (n != 0 && n % (1 << 10) == 0) {
		n >>= 10;
		unit = "K";
	}
	snprintf(words[(*count)++], 64, "--%s=%llu%s", name,
	    (unsigned long long)n, unit);
}

static void
add_seconds(char words[][64], int *count, const char *name, int ms)
{
	snprintf(words[(*count)++], 64, ms == 0 ? "--%s=0" : "--%s=%d.%03d",
	    name, ms / 1000, ms % 1000);
}

/* What was read, put down in words, has to be read as the same. */
static void
check_written(const struct options *o)
{
	static const char *const sandboxes[] = {
		[SANDBOX_AUTO] = "auto",
		[SANDBOX_REQUIRE] = "require",
		[SANDBOX_OFF] = "off",
	};
	static const char *const variants[] = {
		[VARIANTS_AUTO] = "auto",
		[VARIANTS_ANY] = "any",
		[VARIANTS_OFF] = "off",
	};
	char words[16][64], *argv[24] = { "" };
	int count = 0, argc = 1;
	struct options again = default_options;
	struct argument_error error;

	add_seconds(words, &count, "timeout", o->timeouts.idle_ms);
	add_seconds(words, &count, "head-timeout", o->head_timeout_ms);
	add_seconds(words, &count, "send-timeout", o->timeouts.send_ms);
	add_seconds(words, &count, "max-life", o->timeouts.max_age_ms);
	add_bytes(words, &count, "min-rate", o->timeouts.min_rate);
	add_bytes(words, &count, "max-body", o->max_body);
	snprintf(words[count++], 64, "-n%lu", o->max_requests);
	snprintf(words[count++], 64, "--persist=%s",
	    o->policy.persist == PERSIST_ALWAYS ? "always" : "ok");
	snprintf(words[count++], 64, "--etag=%s",
	    o->policy.portable_tags ? "portable" : "inode");
	snprintf(words[count++], 64, "-z%s", variants[o->variants]);
	snprintf(words[count++], 64, "--log=%s",
	    o->log_requests ? "combined" : "none");
	snprintf(words[count++], 64, "-S%s", sandboxes[o->common.sandbox]);
	if (o->common.allow_root)
		strcpy(words[count++], "-R");
	if (o->common.show_help)
		strcpy(words[count++], "-h");
	if (o->common.show_version)
		strcpy(words[count++], "--version");

	for (int i = 0; i < count; i++)
		argv[argc++] = words[i];
	if (o->common.user != NULL) {
		argv[argc++] = "-u";
		argv[argc++] = (char *)(uintptr_t)o->common.user;
	}
	argv[argc++] = "--";
	argv[argc++] = (char *)(uintptr_t)o->directory;
	argv[argc] = NULL;
	require(options_read(&again, NULL, argc, argv, &error));
	require(same_options(o, &again));
}

static void
check(const char *environment, const struct line *line)
{
	struct options options = default_options, again = default_options;
	struct argument_error error = { 0 }, same = { 0 };
	bool read =
	    options_read(&options, environment, line->argc, line->argv, &error);

	/* Nothing is kept of what was read before. */
	require(options_read(&again, environment, line->argc, line->argv,
		    &same) == read);
	require(same_options(&options, &again));
	require(same_string(error.variable, same.variable));
	require(same_string(error.option, same.option));
	require(same_string(error.expected, same.expected));
	require(same_string(error.what, same.what));
	require(same_string(error.subject, same.subject));
	require(same_string(error.why, same.why));

	/* What came before a mistake holds, so it has to make sense, too. */
	require_in_range(&options);
	if (!read) {
		require_named(&error, environment, line);
		return;
	}
	require(options.common.user == NULL || options.common.user[0] != '\0');
	check_written(&options);
	/* Who asks for the help by the environment is refused. */
	if (options.common.show_help || options.common.show_version)
		return;
	require(
	    options_read(&again, environment, line->argc, line->argv, &error));
	require(same_options(&options, &again));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = fuzz_input(data, size);
	struct slice decisions = input.decisions;
	size_t first = strnlen(input.text.ptr, input.text.len);
	/* Strings of their own, so that what is read behind them is noticed. */
	char *environment = strndup(input.text.ptr, first);
	struct slice rest =
	    slice_after(input.text, first < input.text.len ? first + 1 : first);
	char *words = malloc(rest.len + 2);

	require(environment != NULL && words != NULL);
	words[0] = '\0';
	memcpy(words + 1, rest.ptr, rest.len);
	words[1 + rest.len] = '\0';

	struct line line = split_line(words, rest.len + 1);
	check(fuzz_decide(&decisions, 2) == 1 ? NULL : environment, &line);
	free(line.argv);
	free(words);
	free(environment);
	return 0;
}
