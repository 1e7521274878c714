/*
 * ranges: what is sent lies in the file, is sent once, and was asked for.
 *
 * The text is the value of a Range field, the decisions are the file's size.
 */
#include "fuzz.h"

#include "ranges.h"

#include <strings.h>

__extension__ typedef unsigned __int128 wide;

#define LARGEST ((wide)UINT64_MAX)
#define GAP 80

struct spec {
	wide first, last; /* last < first: not satisfiable */
};

static bool
take_number(struct slice *s, wide *ret_n)
{
	size_t digits = 0;

	*ret_n = 0;
	for (;
	     digits < s->len && s->ptr[digits] >= '0' && s->ptr[digits] <= '9';
	     digits++) {
		*ret_n = *ret_n * 10 + (unsigned)(s->ptr[digits] - '0');
		if (*ret_n > LARGEST)
			*ret_n = LARGEST;
	}
	*s = slice_after(*s, digits);
	return digits > 0;
}

/* range-spec, RFC 9110 14.1.1 */
static bool
read_spec(struct slice s, wide size, struct spec *ret_spec)
{
	wide a, b;
	bool has_a = take_number(&s, &a);

	if (s.len == 0 || s.ptr[0] != '-')
		return false;
	s = slice_after(s, 1);
	bool has_b = take_number(&s, &b);
	if (s.len > 0 || !(has_a || has_b))
		return false;
	if (has_a && has_b && b < a)
		return false;

	if (!has_a) {
		a = b < size ? size - b : 0;
		b = size - 1;
		if (a == size)
			a = 1, b = 0;
	} else if (a >= size) {
		a = 1, b = 0;
	} else if (!has_b || b >= size) {
		b = size - 1;
	}
	*ret_spec = (struct spec){ a, b };
	return true;
}

/* The members of the list; false: the field is ignored. */
static bool
read_field(
    struct slice s, wide size, struct spec specs[RANGES_MAX], size_t *ret_count)
{
	*ret_count = 0;
	if (size == 0) /* nothing is to be had of it but all of it */
		return false;
	if (s.len < 6 || strncasecmp(s.ptr, "bytes=", 6) != 0)
		return false;
	for (size_t at = 6; at <= s.len;) {
		size_t end = at;

		while (end < s.len && s.ptr[end] != ',')
			end++;
		struct slice member =
		    slice_trim((struct slice){ s.ptr + at, end - at });
		at = end + 1;
		if (member.len == 0)
			continue;
		if (*ret_count == RANGES_MAX)
			return false;
		if (!read_spec(member, size, &specs[*ret_count]))
			return false;
		++*ret_count;
	}
	return *ret_count > 0;
}

static bool
holds(const struct range *r, const struct spec *s)
{
	return r->first <= s->first && s->last < (wide)r->first + r->len;
}

static void
check_list(const struct ranges *r, uint64_t size, const struct spec *specs,
    size_t count)
{
	wide total = 0;
	bool joined = false;

	require(r->count <= RANGES_MAX);
	for (size_t i = 0; i < r->count; i++) {
		const struct range *a = &r->list[i];
		wide end = (wide)a->first + a->len;

		require(a->len > 0 && end <= size);
		total += a->len;
		for (size_t j = 0; j < r->count; j++) {
			const struct range *b = &r->list[j];

			if (i != j && b->first >= a->first)
				require(b->first >= end + GAP);
		}

		/* From one that was asked for to another, with small gaps. */
		wide at = a->first;
		for (bool more = true; more && at < end;) {
			more = false;
			for (size_t j = 0; j < count; j++) {
				const struct spec *s = &specs[j];

				if (s->last >= s->first && s->last + 1 > at &&
				    s->first < at + (at > a->first ? GAP : 1)) {
					at = s->last + 1;
					more = true;
				}
			}
		}
		require(at == end);
	}
	require(total <= size);

	/* All that was asked for, in its order where nothing was joined. */
	size_t satisfiable = 0;
	for (size_t j = 0; j < count; j++) {
		bool found = false;

		if (specs[j].last < specs[j].first)
			continue;
		for (size_t i = 0; i < r->count; i++)
			found = found || holds(&r->list[i], &specs[j]);
		require(found);
		satisfiable++;
	}
	joined = satisfiable != r->count;
	for (size_t i = 0, j = 0; !joined && j < count; j++) {
		if (specs[j].last < specs[j].first)
			continue;
		require(r->list[i].first == specs[j].first);
		i++;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ranges ranges;
	static struct spec specs[RANGES_MAX];
	struct fuzz_input input = fuzz_input(data, size);
	uint64_t length = fuzz_number(&input.decisions);
	size_t count, satisfiable = 0;

	/* Small files too: most of what goes wrong is at their ends. */
	if (length >> 56 == 0)
		length &= 0xffff;
	if (input.text.len > 0 && memchr(input.text.ptr, '\r', input.text.len))
		return 0;

	struct slice value = fuzz_copy(input.text);
	enum ranges_result result = ranges_parse(value, length, &ranges);

	if (!read_field(value, length, specs, &count)) {
		require(result == RANGES_IGNORED);
	} else {
		for (size_t i = 0; i < count; i++)
			satisfiable += specs[i].last >= specs[i].first;
		require(result ==
		    (satisfiable > 0 ? RANGES_SATISFIABLE :
				       RANGES_NOT_SATISFIABLE));
	}
	if (result == RANGES_SATISFIABLE) {
		require(ranges.count > 0);
		check_list(&ranges, length, specs, count);
	}
	fuzz_free(value);
	return 0;
}
