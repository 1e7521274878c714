/*
 * codings: the coding that an Accept-Encoding field asks for.
 *
 * Each line of the text is a line of the field; a decision says what is stored.
 */
#include "fuzz.h"

#include "codings.h"
#include "read.h"

#include <strings.h>

#define TEXT_MAX 2000
#define UNNAMED (-1)

static const char *const names[] = { "br", "zstd", "gzip", "identity", "*" };

/* qvalue, RFC 9110 12.4.2, in thousandths; -1: it is none. */
static int
weight_of(struct slice s)
{
	char digits[4] = "000";

	if (s.len == 0 || s.len > 5 || (s.ptr[0] != '0' && s.ptr[0] != '1'))
		return -1;
	if (s.len > 1 && s.ptr[1] != '.')
		return -1;
	for (size_t i = 2; i < s.len; i++) {
		if (s.ptr[i] < '0' || s.ptr[i] > '9')
			return -1;
		digits[i - 2] = s.ptr[i];
	}
	int q = (s.ptr[0] - '0') * 1000 + atoi(digits);
	return q > 1000 ? -1 : q;
}

/* codings [ weight ], RFC 9110 12.5.3 */
static void
read_member(struct slice s, int weights[FUZZ_COUNT(names)])
{
	char name[16] = "";
	size_t len = 0;
	int q = 1000;

	while (len < s.len && s.ptr[len] != ';' && s.ptr[len] != ' ' &&
	    s.ptr[len] != '\t')
		len++;
	if (len >= sizeof(name))
		return;
	memcpy(name, s.ptr, len);
	s = slice_trim(slice_after(s, len));
	if (s.len > 0) {
		if (s.ptr[0] != ';')
			return;
		s = slice_trim(slice_after(s, 1));
		/* "q=0." is what the grammar has, and so is "q=0". */
		if (s.len < 3 || strncasecmp(s.ptr, "q=", 2) != 0)
			return;
		q = weight_of(slice_after(s, 2));
		if (q < 0)
			return;
	}
	if (strcasecmp(name, "x-gzip") == 0)
		strcpy(name, "gzip");
	for (size_t i = 0; i < FUZZ_COUNT(names); i++)
		if (strlen(name) == len || i == 2)
			if (strcasecmp(name, names[i]) == 0)
				weights[i] = q;
}

static unsigned
reference(struct slice text, unsigned available)
{
	int weights[FUZZ_COUNT(names)] = { UNNAMED, UNNAMED, UNNAMED, UNNAMED,
		UNNAMED };
	unsigned best = CODING_NONE;
	int best_q = 0;

	for (size_t at = 0; at <= text.len;) {
		size_t end = at;

		while (end < text.len && text.ptr[end] != ',' &&
		    text.ptr[end] != '\n')
			end++;
		struct slice member =
		    slice_trim((struct slice){ text.ptr + at, end - at });
		if (member.len > 0)
			read_member(member, weights);
		at = end + 1;
	}
	for (unsigned i = CODINGS_STORED; i-- > 0;) {
		int q = weights[i] != UNNAMED ? weights[i] : weights[4];

		if ((available >> i & 1) != 0 && q > 0 && q >= best_q) {
			best = i;
			best_q = q;
		}
	}
	/* Identity is as good as it is said to be, and else the last resort. */
	int q = weights[CODING_IDENTITY] != UNNAMED ? weights[CODING_IDENTITY] :
						      weights[4];
	if (q > best_q || (q == UNNAMED && best == CODING_NONE))
		best = CODING_IDENTITY;
	return best;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char head[TEXT_MAX * 20 + 200];
	struct fuzz_input input = fuzz_input(data, size);
	unsigned available =
	    fuzz_decide(&input.decisions, 1u << CODINGS_STORED);
	bool has_field = fuzz_decide(&input.decisions, 4) != 1;
	const char *start = "Accept-Encoding:";
	size_t len = 0;
	struct request r;

	if (input.text.len > TEXT_MAX ||
	    fuzz_lines(input.text) > FIELDS_MAX - 1)
		return 0;
	len += (size_t)sprintf(head, "GET / HTTP/1.1\r\nHost: x\r\n");
	for (size_t i = 0; has_field && i <= input.text.len; i++) {
		if (i == 0 || input.text.ptr[i - 1] == '\n')
			len += (size_t)sprintf(head + len, "%s", start);
		if (i < input.text.len && input.text.ptr[i] != '\n')
			head[len++] = input.text.ptr[i];
		else
			len += (size_t)sprintf(head + len, "\r\n");
	}
	len += (size_t)sprintf(head + len, "\r\n");

	struct slice copy = fuzz_copy((struct slice){ head, len });
	if (parse_request(copy, &r) == PROCEED) {
		unsigned choice = codings_choose(&r, available);

		require(choice ==
		    (has_field ? reference(input.text, available) :
				 (unsigned)CODING_IDENTITY));
		require(
		    choice >= CODINGS_STORED || (available >> choice & 1) != 0);
		if (choice < CODINGS_STORED)
			require(slice_equal(coding_name((enum coding)choice),
			    slice_of(names[choice])));
	}
	fuzz_free(copy);
	return 0;
}
