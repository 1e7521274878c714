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

#include <stdlib.h>

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

static bool
any_are_near(const struct ranges *r)
{
	for (size_t i = 0; i < r->count; i++)
		for (size_t j = i + 1; j < r->count; j++)
			if (are_near(&r->list[i], &r->list[j]))
				return true;
	return false;
}

static void
sort_ranges(struct ranges *r)
{
	for (size_t i = 1; i < r->count; i++) {
		struct range moving = r->list[i];
		size_t j = i;

		for (; j > 0 && r->list[j - 1].first > moving.first; j--)
			r->list[j] = r->list[j - 1];
		r->list[j] = moving;
	}
}

static void
join_ranges(struct ranges *r)
{
	size_t last = 0;

	sort_ranges(r);
	for (size_t i = 1; i < r->count; i++) {
		struct range *a = &r->list[last];
		const struct range *b = &r->list[i];
		uint64_t end = b->first + b->len;

		if (!are_near(a, b))
			r->list[++last] = *b;
		else if (end > a->first + a->len)
			a->len = end - a->first;
	}
	r->count = last + 1;
}

enum ranges_result
ranges_parse(struct slice value, uint64_t size, struct ranges *ret_ranges)
{
	static const struct slice unit = { "bytes=", 6 };
	struct ranges *r = ret_ranges;
	struct slice member;
	size_t specs = 0;
	bool has_suffix = false;

	r->count = 0;
	if (value.len < unit.len ||
	    !slice_equal_nocase((struct slice){ value.ptr, unit.len }, unit))
		return RANGES_IGNORED;
	value = slice_after(value, unit.len);
	while (list_next(&value, &member)) {
		struct range range;

		if (++specs > RANGES_MAX || !parse_range(member, size, &range))
			return RANGES_IGNORED;
		has_suffix = has_suffix || member.ptr[0] == '-';
		if (range.len > 0)
			r->list[r->count++] = range;
	}
	if (specs == 0 || (size == 0 && has_suffix))
		return RANGES_IGNORED; /* Content-Range has no empty range */
	if (r->count == 0)
		return RANGES_NOT_SATISFIABLE;
	if (any_are_near(r))
		join_ranges(r);
	return RANGES_SATISFIABLE;
}
