/*
 * arguments: options, read with getopt_long.
 */
#define _GNU_SOURCE
#include "arguments.h"

#include "large.h"

#include "grammar.h"
#include "slice.h"

#include <limits.h>

#define ENVIRONMENT_MAX 4096
#define WORDS_MAX 64
#define SECONDS_MAX 86400
#define BYTES_MAX (UINT64_C(1) << 30)
#define OPERAND 1 /* getopt_long returns it for an operand */

const char *
option_name(const struct option *table, int letter)
{
	while (table->val != letter)
		table++;
	return table->name;
}

const char *
parse_duration_ms(const char *s, int *ret_ms)
{
	static const char expected[] = "seconds, 0.001 to 86400";
	long ms = 0;
	long place = 100;
	bool digits = false;

	for (; is_digit(*s); s++) {
		ms = ms * 10 + (*s - '0') * 1000;
		digits = true;
		if (ms > SECONDS_MAX * 1000L)
			return expected;
	}
	if (*s == '.') {
		for (s++; is_digit(*s); s++) {
			ms += (*s - '0') * place;
			place /= 10;
			digits = true;
		}
	}
	if (*s != '\0' || !digits || ms == 0 || ms > SECONDS_MAX * 1000L)
		return expected;
	*ret_ms = (int)ms;
	return NULL;
}

const char *
parse_duration_or_zero_ms(const char *s, int *ret_ms)
{
	if (strcmp(s, "0") == 0) {
		*ret_ms = 0;
		return NULL;
	}
	return parse_duration_ms(s, ret_ms) == NULL ?
	    NULL :
	    "seconds, 0.001 to 86400, or 0";
}

const char *
parse_count(const char *s, unsigned long *ret_count)
{
	static const char expected[] = "a number, 0 to 2147483647";
	unsigned long n = 0;
	const char *digits = s;

	for (; is_digit(*s); s++) {
		unsigned long digit = (unsigned long)(*s - '0');

		if (n > (INT_MAX - digit) / 10)
			return expected;
		n = n * 10 + digit;
	}
	if (*s != '\0' || s == digits)
		return expected;
	*ret_count = n;
	return NULL;
}

const char *
parse_size(const char *s, uint64_t *ret_bytes)
{
	static const char expected[] = "bytes, 0 to 1024M";
	uint64_t n = 0;
	const char *digits = s;

	for (; is_digit(*s); s++) {
		n = n * 10 + (uint64_t)(*s - '0');
		if (n > BYTES_MAX)
			return expected;
	}
	if (s == digits)
		return expected;
	if (ascii_lower(*s) == 'k') {
		n <<= 10;
		s++;
	} else if (ascii_lower(*s) == 'm') {
		n <<= 20;
		s++;
	}
	if (*s != '\0' || n > BYTES_MAX)
		return expected;
	*ret_bytes = n;
	return NULL;
}

const char *
parse_choice(const char *s, const char *choices, unsigned *ret_index)
{
	struct slice rest = slice_of(choices), value = slice_of(s);

	for (unsigned i = 0; rest.len > 0; i++) {
		if (slice_equal(slice_take(&rest, '|'), value)) {
			*ret_index = i;
			return NULL;
		}
	}
	return choices;
}

/* As take() of struct argument_spec, for the common options. */
static const char *
take_common(struct common_options *common, int letter, const char *value)
{
	const char *expected;
	unsigned choice = 0;

	switch (letter) {
	case 'u':
		common->user = value;
		return *value != '\0' ? NULL : "a user name or UID:GID";
	case 'R':
		common->allow_root = true;
		return NULL;
	case 'S':
		expected = parse_choice(value, "auto|require|off", &choice);
		if (expected == NULL)
			common->sandbox = (enum sandbox_mode)choice;
		return expected;
	case 'h':
		common->show_help = true;
		return NULL;
	default: /* 'V' */
		common->show_version = true;
		return NULL;
	}
}

static bool
is_common(int letter)
{
	return letter != ':' && strchr(COMMON_OPTION_LETTERS, letter) != NULL;
}

/* Reports an error; returns false. */
static bool
fail(struct argument_error *ret_error, const char *what, const char *subject,
    const char *why)
{
	*ret_error = (struct argument_error){
		.what = what,
		.subject = subject,
		.why = why,
	};
	return false;
}

static bool
fail_unknown(struct argument_error *ret_error, const char *option)
{
	fail(ret_error, "unknown option", option, "");
	ret_error->see_help = true;
	return false;
}

static bool
fail_value(struct argument_error *ret_error, const struct argument_spec *spec,
    int letter, const char *value, const char *expected)
{
	*ret_error = (struct argument_error){
		.option = option_name(spec->table, letter),
		.expected = expected,
		.subject = value,
	};
	return false;
}

/*
 * Operands, in one array: the one that is allowed, and the first surplus one.
 */
struct operands {
	const char *first;
	const char *surplus;
};

static void
take_operand(const struct argument_spec *spec, struct operands *operands,
    const char *word)
{
	if (operands->first == NULL && spec->operand != NULL)
		operands->first = word;
	else if (operands->surplus == NULL)
		operands->surplus = word;
}

/* Reads one array of arguments, the first of which is the program's name. */
static bool
read_array(const struct argument_spec *spec, void *options,
    struct common_options *common, int argc, char **argv,
    struct argument_error *ret_error)
{
	struct operands operands = { NULL, NULL };
	int letter;

	opterr = 0;
	optind = 0;
	do {
		/*
		 * The letters start with "-", so getopt_long returns arguments
		 * in order and moves none: the current one is known.  (After an
		 * invalid one, optind differs between C libraries.)
		 */
		int at = optind > 0 ? optind : 1;

		letter =
		    getopt_long(argc, argv, spec->letters, spec->table, NULL);
		if (letter == ':')
			return fail(
			    ret_error, "option", argv[at], "needs a value");
		if (letter == '?')
			return fail_unknown(ret_error, argv[at]);
		if (letter == OPERAND) {
			take_operand(spec, &operands, optarg);
		} else if (letter != -1) {
			const char *expected = is_common(letter) ?
			    take_common(common, letter, optarg) :
			    spec->take(options, letter, optarg);

			if (expected != NULL)
				return fail_value(
				    ret_error, spec, letter, optarg, expected);
		}
	} while (letter != -1);
	while (optind < argc) /* after "--" */
		take_operand(spec, &operands, argv[optind++]);

	if (operands.surplus != NULL)
		return fail(
		    ret_error, "argument", operands.surplus, spec->surplus);
	if (operands.first != NULL)
		*spec->operand = operands.first;
	return true;
}

/* A copy of the variable, which must live as long as the options. */
char environment_copy[ENVIRONMENT_MAX] LARGE;

static bool
read_environment(const struct argument_spec *spec, void *options,
    struct common_options *common, const char *environment,
    struct argument_error *ret_error)
{
	static char name[] = "";
	char *array[WORDS_MAX + 1] = { name };
	int count = 1;
	size_t len = strlen(environment);

	if (len >= sizeof(environment_copy))
		return fail(ret_error, spec->variable, NULL, "is too long");
	memcpy(environment_copy, environment, len + 1);
	for (char *at = environment_copy;
	     *(at += strspn(at, " \t\n")) != '\0';) {
		if (count == WORDS_MAX)
			return fail(ret_error, spec->variable, NULL,
			    "has too many words");
		array[count++] = at;
		at += strcspn(at, " \t\n");
		if (*at != '\0')
			*at++ = '\0';
	}
	array[count] = NULL;
	if (read_array(spec, options, common, count, array, ret_error))
		return true;
	ret_error->variable = spec->variable;
	return false;
}

bool
arguments_read(const struct argument_spec *spec, void *options,
    struct common_options *common, const char *environment, int argc,
    char **argv, struct argument_error *ret_error)
{
	if (environment != NULL && *environment != '\0' &&
	    !read_environment(spec, options, common, environment, ret_error))
		return false;
	if (common->show_help || common->show_version)
		return fail(ret_error, spec->variable, NULL,
		    "may not ask for the help or the version");
	return read_array(spec, options, common, argc, argv, ret_error);
}
