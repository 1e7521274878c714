/*
 * ranges: which bytes of a representation a client wants.
 *
 * bytes-unit range-set, RFC 9110 14.1.2 and 14.2.  A field that makes no sense
 * is ignored, as 14.2 allows.  Overlapping and nearly touching ranges are
 * joined, so that no request makes an answer longer than the representation
 * and a head for each part (17.15).
 */
#include "ranges.h"

#include "grammar.h"
#include "parse.h"

/* A gap that is not longer than the head of a part is not worth one. */
#define GAP_MIN 80

/* 1*DIGIT; what is beyond 64 bits is as good as the largest number. */
static bool
take_number(struct slice *s, uint64_t *ret_n)
{
	size_t digits = 0;
	uint64_t n = 0;

	for (; s->len > 0 && is_digit(s->ptr[0]); digits++) {
		uint64_t digit = (uint64_t)(s->ptr[0] - '0');

		n = n > (UINT64_MAX - digit) / 10 ? UINT64_MAX : n * 10 + digit;
		*s = slice_after(*s, 1);
	}
	*ret_n = n;
	return digits > 0;
}

/*
 * range-spec = first-pos "-" [ last-pos ] / "-" suffix-length
 * false: malformed.  A length of 0 in *ret_range: not satisfiable.
 */
static bool
parse_range(struct slice s, uint64_t size, struct range *ret_range)
{
	uint64_t first, last;
	bool has_first = take_number(&s, &first);

	if (s.len == 0 || s.ptr[0] != '-')
		return false;
	s = slice_after(s, 1);
	bool has_last = take_number(&s, &last);
	if (s.len > 0 || (!has_first && !has_last))
		return false;

	if (!has_first) {
		uint64_t len = last < size ? last : size;

		*ret_range = (struct range){ size - len, len };
		return true;
	}
	if (has_last && last < first)
		return false;
	if (first >= size) {
		*ret_range = (struct range){ 0, 0 };
		return true;
	}
	if (!has_last || last >= size)
		last = size - 1;
	*ret_range = (struct range){ first, last - first + 1 };
	return true;
}

/* Whether two ranges overlap or have a small gap between them. */
static bool
are_near(const struct range *a, const struct range *b)
{
	if (a->first > b->first) {
		const struct range *c = a;

		a = b;
		b = c;
	}
	return b->first < a->first + a->len ||
	    b->first - (a->first + a->len) < GAP_MIN;
}

/* The smallest range that holds both. */
static struct range
joined(struct range a, struct range b)
{
	uint64_t first = a.first < b.first ? a.first : b.first;
	uint64_t a_end = a.first + a.len, b_end = b.first + b.len;

	return (struct range){ first, (a_end > b_end ? a_end : b_end) - first };
}

/*
 * Adds a range at the end, or in the place of the first of those that it is
 * near, which it takes in; the order of the others stays.
 */
static void
add_range(struct ranges *r, struct range added)
{
	size_t place = r->count;

	for (size_t i = 0; i < r->count;) {
		if (!are_near(&r->list[i], &added)) {
			i++;
			continue;
		}
		added = joined(r->list[i], added);
		r->count--;
		memmove(r->list + i, r->list + i + 1,
		    (r->count - i) * sizeof(r->list[0]));
		place = place < i ? place : i;
		i = 0; /* it has grown: those passed over may be near now */
	}
	place = place < r->count ? place : r->count;
	memmove(r->list + place + 1, r->list + place,
	    (r->count - place) * sizeof(r->list[0]));
	r->list[place] = added;
	r->count++;
}

enum ranges_result
ranges_parse(struct slice value, uint64_t size, struct ranges *ret_ranges)
{
	static const struct slice unit = { "bytes=", 6 };
	struct ranges *r = ret_ranges;
	struct slice member;
	size_t specs = 0;
	uint64_t end = 0; /* of all ranges so far */

	r->count = 0;
	if (size == 0 || value.len < unit.len ||
	    !slice_equal_nocase((struct slice){ value.ptr, unit.len }, unit))
		return RANGES_IGNORED;
	value = slice_after(value, unit.len);
	while (list_next(&value, &member)) {
		struct range range;

		if (++specs > RANGES_MAX || !parse_range(member, size, &range))
			return RANGES_IGNORED;
		if (range.len == 0)
			continue;
		if (range.first >= end && range.first - end >= GAP_MIN)
			r->list[r->count++] = range; /* near to none of them */
		else
			add_range(r, range);
		if (end < range.first + range.len)
			end = range.first + range.len;
	}
	if (specs == 0)
		return RANGES_IGNORED;
	if (r->count == 0)
		return RANGES_NOT_SATISFIABLE;
	return RANGES_SATISFIABLE;
}
