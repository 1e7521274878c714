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

bool
parse_duration_ms(const char *s, int *ret_ms)
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

bool
parse_duration_or_zero_ms(const char *s, int *ret_ms)
{
	if (strcmp(s, "0") != 0)
		return parse_duration_ms(s, ret_ms);
	*ret_ms = 0;
	return true;
}

bool
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

bool
parse_size(const char *s, uint64_t *ret_bytes)
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

bool
parse_choice(const char *s, const char *choices, unsigned *ret_index)
{
	struct slice rest = slice_of(choices), value = slice_of(s);

	for (unsigned i = 0; rest.len > 0; i++) {
		if (slice_equal(slice_take(&rest, '|'), value)) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static bool
take_common(struct common_options *common, int letter, const char *value)
{
	unsigned choice;

	switch (letter) {
	case 'u':
		if (*value == '\0')
			return false;
		common->user = value;
		return true;
	case 'R':
		common->allow_root = true;
		return true;
	case 'S':
		if (!parse_choice(value, "auto|require|off", &choice))
			return false;
		common->sandbox = (enum sandbox_mode)choice;
		return true;
	case 'h':
		common->show_help = true;
		return true;
	case 'V':
		common->show_version = true;
		return true;
	default:
		return false;
	}
}

static bool
is_common(int letter)
{
	return letter != ':' && strchr(COMMON_OPTION_LETTERS, letter) != NULL;
}

/* Returns false.  see_help: the message refers to the help. */
static bool
fail_at(struct argument_error *ret_error, const char *what, const char *subject,
    const char *why, bool see_help)
{
	*ret_error = (struct argument_error){ what, subject, why, see_help };
	return false;
}

static bool
fail(struct argument_error *ret_error, const char *what, const char *subject,
    const char *why)
{
	return fail_at(ret_error, what, subject, why, false);
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
			return fail_at(ret_error, "option", argv[at],
			    "is not known", true);
		if (letter == OPERAND)
			take_operand(spec, &operands, optarg);
		else if (letter != -1 &&
		    !(is_common(letter) ? take_common(common, letter, optarg) :
					  spec->take(options, letter, optarg)))
			return fail_at(ret_error, "option value", optarg,
			    "makes no sense", true);
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
	return read_array(spec, options, common, count, array, ret_error);
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
