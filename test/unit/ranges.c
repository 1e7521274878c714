/*
 * ranges: which bytes a Range field asks for.
 *
 * Known fields by a table, beside a page that cannot be touched; then fields
 * that are made up at random, from a fixed start, and what must be true of the
 * ranges that come of each.
 */
#include "unit.h"

#include "ranges.h"

#include <inttypes.h>

#define K1 1000
#define MAX UINT64_MAX
#define IGNORED "ignored"
#define REFUSED "not satisfiable"
/* A gap below this between two ranges is not worth a part of its own. */
#define GAP 80

/* `ranges` is FIRST+LENGTH of each, or that there are none. */
static const struct row {
	const char *value;
	uint64_t size;
	const char *ranges;
} rows[] = {
	/* One range. */
	{ "bytes=0-0", K1, "0+1" },
	{ "bytes=0-9", K1, "0+10" },
	{ "bytes=5-9", K1, "5+5" },
	{ "bytes=0-999", K1, "0+1000" },
	{ "bytes=999-999", K1, "999+1" },
	{ "bytes=0-0", 1, "0+1" },
	{ "bytes=00000000000000000000000005-0000000000000000000000009", K1,
	    "5+5" },

	/* To the end. */
	{ "bytes=0-", K1, "0+1000" },
	{ "bytes=5-", K1, "5+995" },
	{ "bytes=999-", K1, "999+1" },
	{ "bytes=0-", 1, "0+1" },

	/* From the end. */
	{ "bytes=-1", K1, "999+1" },
	{ "bytes=-5", K1, "995+5" },
	{ "bytes=-999", K1, "1+999" },
	{ "bytes=-1000", K1, "0+1000" },
	{ "bytes=-1001", K1, "0+1000" },
	{ "bytes=-1", 1, "0+1" },
	{ "bytes=-00005", K1, "995+5" },

	/* Beyond the end. */
	{ "bytes=0-1000", K1, "0+1000" },
	{ "bytes=990-2000", K1, "990+10" },
	{ "bytes=1000-", K1, REFUSED },
	{ "bytes=1000-1000", K1, REFUSED },
	{ "bytes=1000-2000", K1, REFUSED },
	{ "bytes=5000-6000", K1, REFUSED },
	{ "bytes=1-", 1, REFUSED },
	{ "bytes=-0", K1, REFUSED },
	{ "bytes=-000", K1, REFUSED },

	/* An empty file. */
	{ "bytes=0-", 0, IGNORED },
	{ "bytes=0-0", 0, IGNORED },
	{ "bytes=5-9", 0, IGNORED },
	{ "bytes=0-,5-", 0, IGNORED },
	{ "bytes=-1", 0, IGNORED },
	{ "bytes=-0", 0, IGNORED },
	{ "bytes=0-,-1", 0, IGNORED },
	{ "bytes=-1,0-", 0, IGNORED },
	{ "bytes=-x", 0, IGNORED },
	{ "bytes=x", 0, IGNORED },

	/* Large numbers. */
	{ "bytes=4294967295-4294967296", UINT64_C(1) << 40, "4294967295+2" },
	{ "bytes=4294967296-", UINT64_C(4294967298), "4294967296+2" },
	{ "bytes=-4294967296", UINT64_C(1) << 40, "1095216660480+4294967296" },
	{ "bytes=9223372036854775806-", INT64_MAX, "9223372036854775806+1" },
	{ "bytes=9223372036854775807-", INT64_MAX, REFUSED },
	{ "bytes=18446744073709551614-18446744073709551614", MAX,
	    "18446744073709551614+1" },
	{ "bytes=0-18446744073709551615", K1, "0+1000" },
	{ "bytes=0-18446744073709551616", K1, "0+1000" },
	{ "bytes=0-18446744073709551617", K1, "0+1000" },
	{ "bytes=0-99999999999999999999999999999999999999", K1, "0+1000" },
	{ "bytes=18446744073709551615-", K1, REFUSED },
	{ "bytes=18446744073709551616-", K1, REFUSED },
	{ "bytes=18446744073709551621-18446744073709551625", K1, REFUSED },
	{ "bytes=99999999999999999999999-99999999999999999999999", K1,
	    REFUSED },
	{ "bytes=-18446744073709551615", K1, "0+1000" },
	{ "bytes=-18446744073709551616", K1, "0+1000" },
	{ "bytes=-18446744073709551621", K1, "0+1000" },
	{ "bytes=-99999999999999999999999999", K1, "0+1000" },
	{ "bytes=18446744073709551615-0", K1, IGNORED },
	{ "bytes=18446744073709551621-5", K1, IGNORED },

	/* The unit. */
	{ "Bytes=5-9", K1, "5+5" },
	{ "BYTES=5-9", K1, "5+5" },
	{ "bYtEs=-5", K1, "995+5" },
	{ "byte=5-9", K1, IGNORED },
	{ "bytess=5-9", K1, IGNORED },
	{ "items=5-9", K1, IGNORED },
	{ "none=5-9", K1, IGNORED },
	{ "xbytes=5-9", K1, IGNORED },
	{ "bytes5-9", K1, IGNORED },
	{ "bytes:5-9", K1, IGNORED },
	{ "bytes 5-9", K1, IGNORED },
	{ "bytes =5-9", K1, IGNORED },
	{ "=5-9", K1, IGNORED },
	{ "5-9", K1, IGNORED },
	{ "bytes", K1, IGNORED },
	{ "byte", K1, IGNORED },
	{ "b", K1, IGNORED },
	{ "", K1, IGNORED },

	/* No sense. */
	{ "bytes=", K1, IGNORED },
	{ "bytes=,", K1, IGNORED },
	{ "bytes= , ,", K1, IGNORED },
	{ "bytes=-", K1, IGNORED },
	{ "bytes=5", K1, IGNORED },
	{ "bytes=9-5", K1, IGNORED },
	{ "bytes=1-0", K1, IGNORED },
	{ "bytes=2000-1000", K1, IGNORED },
	{ "bytes=x-9", K1, IGNORED },
	{ "bytes=5-x", K1, IGNORED },
	{ "bytes=x", K1, IGNORED },
	{ "bytes=5-9x", K1, IGNORED },
	{ "bytes=5-9-", K1, IGNORED },
	{ "bytes=5--9", K1, IGNORED },
	{ "bytes=--5", K1, IGNORED },
	{ "bytes=1:-90", K1, IGNORED },
	{ "bytes=+5-9", K1, IGNORED },
	{ "bytes=5-+9", K1, IGNORED },
	{ "bytes=5 -9", K1, IGNORED },
	{ "bytes=5- 9", K1, IGNORED },
	{ "bytes=- 5", K1, IGNORED },
	{ "bytes=5 9", K1, IGNORED },
	{ "bytes=0x5-9", K1, IGNORED },
	{ "bytes=5.0-9", K1, IGNORED },
	{ "bytes=5-9;10-20", K1, IGNORED },
	{ "bytes=5-9/1000", K1, IGNORED },
	{ "bytes=\"5-9\"", K1, IGNORED },
	{ "bytes==5-9", K1, IGNORED },
	{ "bytes=*", K1, IGNORED },
	{ "bytes=\xB2-9", K1, IGNORED },
	{ "bytes=5-9,x", K1, IGNORED },
	{ "bytes=x,5-9", K1, IGNORED },
	{ "bytes=5-9,9-5", K1, IGNORED },
	{ "bytes=5-9,-", K1, IGNORED },
	{ "bytes=5-9,bytes=20-30", K1, IGNORED },
	{ "bytes=5000-6000,9-5", K1, IGNORED },

	/* Blanks and commas. */
	{ "bytes=5-9,", K1, "5+5" },
	{ "bytes=,5-9", K1, "5+5" },
	{ "bytes=,, 5-9 ,,", K1, "5+5" },
	{ "bytes=0-0 , 500-500", K1, "0+1 500+1" },
	{ "bytes=0-0\t,\t500-500", K1, "0+1 500+1" },

	/* Several ranges, in the order of the field. */
	{ "bytes=0-0,100-100", K1, "0+1 100+1" },
	{ "bytes=100-100,0-0", K1, "100+1 0+1" },
	{ "bytes=-1,0-0", K1, "999+1 0+1" },
	{ "bytes=0-0,-1", K1, "0+1 999+1" },
	{ "bytes=500-509,0-9,900-909", K1, "500+10 0+10 900+10" },
	{ "bytes=900-,0-9,-50", K1, "900+100 0+10" },
	{ "bytes=0-9,5000-,500-509", K1, "0+10 500+10" },
	{ "bytes=5000-,6000-", K1, REFUSED },
	{ "bytes=5000-,-0", K1, REFUSED },
	{ "bytes=5000-,-5", K1, "995+5" },
	{ "bytes=5-9,5000-", K1, "5+5" },
	{ "bytes=5-9,-0", K1, "5+5" },

	/* Gaps around the bound. */
	{ "bytes=0-9,90-99", K1, "0+10 90+10" },
	{ "bytes=0-9,89-99", K1, "0+100" },
	{ "bytes=90-99,0-9", K1, "90+10 0+10" },
	{ "bytes=89-99,0-9", K1, "0+100" },
	{ "bytes=0-9,10-19", K1, "0+20" },
	{ "bytes=0-9,11-19", K1, "0+20" },
	{ "bytes=10-19,0-9", K1, "0+20" },

	/* What overlaps is joined, in the place of the first of it. */
	{ "bytes=0-9,500-509,5-14", K1, "0+15 500+10" },
	{ "bytes=500-509,0-9,490-500", K1, "490+20 0+10" },
	{ "bytes=0-9,300-309,600-609,150-159,5-160", K1,
	    "0+161 300+10 600+10" },
	{ "bytes=600-609,300-309,0-9,1-900", K1, "0+901" },
	{ "bytes=300-309,900-909,100-109,200-250", K1,
	    "200+110 900+10 100+10" },
	{ "bytes=900-909,300-309,0-0,170-240,100-100", K1,
	    "900+10 100+210 0+1" },
	{ "bytes=0-9,5-14", K1, "0+15" },
	{ "bytes=5-14,0-9", K1, "0+15" },
	{ "bytes=0-9,0-9", K1, "0+10" },
	{ "bytes=0-9,9-9", K1, "0+10" },
	{ "bytes=0-99,20-29", K1, "0+100" },
	{ "bytes=20-29,0-99", K1, "0+100" },
	{ "bytes=0-,0-", K1, "0+1000" },
	{ "bytes=0-,-1", K1, "0+1000" },
	{ "bytes=0-,-1000,500-", K1, "0+1000" },
	{ "bytes=0-499,500-", K1, "0+1000" },
	{ "bytes=900-909,0-9,5-14", K1, "900+10 0+15" },
	{ "bytes=900-909,500-509,0-9,5-14", K1, "900+10 500+10 0+15" },
	{ "bytes=500-509,0-9,900-909,505-514", K1, "500+15 0+10 900+10" },
	{ "bytes=0-0,70-70,140-140", K1, "0+141" },
	{ "bytes=140-140,0-0,70-70", K1, "0+141" },
	{ "bytes=0-500,10-19,550-560", K1, "0+561" },
	{ "bytes=0-500,10-19,600-610", K1, "0+501 600+11" },
	{ "bytes=18446744073709551613-,0-0,18446744073709551612-", MAX,
	    "18446744073709551612+3 0+1" },
};

/* The ranges as the table writes them. */
static const char *
show(enum ranges_result result, const struct ranges *r)
{
	static char buf[RANGES_MAX * 48];
	struct text t = { .ptr = buf, .cap = sizeof(buf) - 1 };

	if (result == RANGES_IGNORED)
		return IGNORED;
	if (result == RANGES_NOT_SATISFIABLE)
		return REFUSED;
	for (size_t i = 0; i < r->count && i < RANGES_MAX; i++) {
		if (i > 0)
			text_add_char(&t, ' ');
		text_add_number(&t, r->list[i].first, 1);
		text_add_char(&t, '+');
		text_add_number(&t, r->list[i].len, 1);
	}
	buf[t.len] = '\0';
	return buf;
}

static void
check(const char *value, uint64_t size, const char *wanted)
{
	for (int side = 0; side < UNIT_SIDES; side++) {
		struct slice s =
		    unit_place((enum unit_side)side, slice_of(value));
		struct ranges r;

		memset(&r, 0xEE, sizeof(r));
		enum ranges_result result = ranges_parse(s, size, &r);
		unit_string("ranges", wanted, show(result, &r));
		if (result == RANGES_NOT_SATISFIABLE)
			unit_number("count", 0, (long long)r.count);
	}
}

/* As many ranges as are honoured, and one more. */
static void
check_limit(void)
{
	static const struct {
		const char *name, *first, *other, *wanted;
	} kinds[] = {
		{ "ranges apart", "0-0", NULL, NULL },
		{ "the same range", "5-9", "5-9", "5+5" },
		{ "ranges behind the end", "5-9", "99999999-", "5+5" },
		{ "only ranges behind the end", "99999999-", "99999999-",
		    REFUSED },
	};

	for (size_t i = 0; i < UNIT_COUNT(kinds); i++) {
		for (int extra = 0; extra < 3; extra++) {
			char value[4096] = "bytes=", wanted[4096] = "";
			size_t at = strlen(value), to = 0;
			int count = RANGES_MAX - 1 + extra;

			for (int n = 0; n < count; n++) {
				if (n > 0)
					at += (size_t)snprintf(value + at,
					    sizeof(value) - at, ", ,");
				if (kinds[i].other == NULL)
					at += (size_t)snprintf(value + at,
					    sizeof(value) - at, "%d-%d",
					    n * 200, n * 200);
				else
					at += (size_t)snprintf(value + at,
					    sizeof(value) - at, "%s",
					    n == 0 ? kinds[i].first :
						     kinds[i].other);
				to += (size_t)snprintf(wanted + to,
				    sizeof(wanted) - to, "%s%d+1",
				    n == 0 ? "" : " ", n * 200);
			}
			unit_begin(kinds[i].name);
			check(value, 100000,
			    extra == 2                 ? IGNORED :
				kinds[i].other == NULL ? wanted :
							 kinds[i].wanted);
		}
	}
}

/* More than are honoured. */
#define ASKED_MAX (RANGES_MAX + 20)

static uint64_t state = 1;

/* A number below `n`, the same in each run. */
static uint64_t
below(uint64_t n)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % n;
}

/* One range as it was asked for; `len` 0: it is not in the file. */
struct asked {
	uint64_t first, len;
};

/* Whether ranges overlap, or have a gap that is too small, by what they mean. */
static bool
too_near(uint64_t a, uint64_t a_len, uint64_t b, uint64_t b_len)
{
	uint64_t distance = a <= b ? b - a : a - b;
	uint64_t len = a <= b ? a_len : b_len;

	return distance < len || distance - len < GAP;
}

/* Whether a byte lies in one of the ranges. */
static bool
holds(const struct ranges *r, uint64_t byte)
{
	for (size_t i = 0; i < r->count; i++)
		if (byte >= r->list[i].first &&
		    byte - r->list[i].first < r->list[i].len)
			return true;
	return false;
}

/*
 * What is to come of ranges: those near each other joined, each in the place
 * of the first of its members.  Here they are found in ascending order.
 */
static size_t
reference(const struct asked *asked, size_t count, struct range *ret_list)
{
	size_t order[ASKED_MAX], place[ASKED_MAX], groups = 0, present = 0;

	for (size_t i = 0; i < count; i++) {
		if (asked[i].len == 0)
			continue;
		size_t j = present++;
		for (; j > 0 && asked[order[j - 1]].first > asked[i].first; j--)
			order[j] = order[j - 1];
		order[j] = i;
	}
	for (size_t n = 0; n < present; n++) {
		const struct asked *a = &asked[order[n]];
		struct range *last = &ret_list[groups - 1];

		if (n == 0 ||
		    !too_near(last->first, last->len, a->first, a->len)) {
			ret_list[groups] = (struct range){ a->first, a->len };
			place[groups++] = order[n];
			continue;
		}
		if (a->first + a->len > last->first + last->len)
			last->len = a->first + a->len - last->first;
		if (order[n] < place[groups - 1])
			place[groups - 1] = order[n];
	}
	/* Back into the order of the field. */
	for (size_t i = 1; i < groups; i++) {
		for (size_t j = i; j > 0 && place[j - 1] > place[j]; j--) {
			struct range range = ret_list[j];
			size_t at = place[j];

			ret_list[j] = ret_list[j - 1];
			place[j] = place[j - 1];
			ret_list[j - 1] = range;
			place[j - 1] = at;
		}
	}
	return groups;
}

/* What must be true of the ranges, given those that were asked for. */
static void
check_properties(
    const char *value, uint64_t size, const struct asked *asked, size_t count)
{
	struct ranges r;
	struct range list[ASKED_MAX];
	size_t present = 0;

	memset(&r, 0xEE, sizeof(r));
	enum ranges_result result = ranges_parse(
	    unit_place(UNIT_BEFORE_GUARD, slice_of(value)), size, &r);
	for (size_t i = 0; i < count; i++)
		present += asked[i].len > 0 ? 1 : 0;

	const char *wanted = count > RANGES_MAX || count == 0 || size == 0 ?
	    IGNORED :
	    present == 0 ? REFUSED :
			   "satisfiable";
	const char *got = result == RANGES_IGNORED ? IGNORED :
	    result == RANGES_NOT_SATISFIABLE       ? REFUSED :
						     "satisfiable";
	unit_string(value, wanted, got);
	if (result != RANGES_SATISFIABLE || strcmp(wanted, got) != 0)
		return;

	size_t groups = reference(asked, count, list);
	unit_number(value, (long long)groups, (long long)r.count);
	uint64_t total = 0;
	for (size_t i = 0; i < r.count; i++) {
		const struct range *a = &r.list[i];

		unit_bool(value, true,
		    i < groups && a->first == list[i].first &&
			a->len == list[i].len);
		unit_bool("it lies in the file", true,
		    a->len > 0 && a->first < size && a->len <= size - a->first);
		for (size_t j = 0; j < i; j++)
			unit_bool("it is apart from the others", false,
			    too_near(a->first, a->len, r.list[j].first,
				r.list[j].len));
		total += a->len;
	}
	unit_bool("no more than the file is sent", true, total <= size);
	for (size_t i = 0; i < count; i++) {
		if (asked[i].len == 0)
			continue;
		unit_bool(
		    "its first byte is sent", true, holds(&r, asked[i].first));
		unit_bool("its last byte is sent", true,
		    holds(&r, asked[i].first + asked[i].len - 1));
	}
}

/* For small files: byte by byte, what is sent although nobody asked for it. */
static void
check_bytes(
    const char *value, uint64_t size, const struct asked *asked, size_t count)
{
	struct ranges r;
	uint64_t run = 0;

	if (ranges_parse(slice_of(value), size, &r) != RANGES_SATISFIABLE)
		return;
	for (uint64_t byte = 0; byte < size; byte++) {
		bool was_asked = false;

		for (size_t i = 0; i < count && !was_asked; i++)
			was_asked = byte >= asked[i].first &&
			    byte - asked[i].first < asked[i].len;
		bool sent = holds(&r, byte);
		if (was_asked)
			unit_bool(
			    "a byte that was asked for is sent", true, sent);
		run = sent && !was_asked ? run + 1 : 0;
		unit_bool("no more than a small gap is sent unasked", true,
		    run < GAP);
	}
}

static void
check_random(size_t rounds)
{
	static const uint64_t sizes[] = { 0, 1, 2, 79, 80, 81, 500, 3000,
		100000, UINT64_C(1) << 33, MAX };

	unit_begin("made up at random");
	for (size_t round = 0; round < rounds; round++) {
		uint64_t size = sizes[below(UNIT_COUNT(sizes))];
		uint64_t reach = size < MAX - 100 ? size + size / 8 + 3 : MAX;
		size_t count = below(4) > 0 ? (size_t)below(8) :
		    below(8) > 0            ? (size_t)below(70) :
					      (size_t)below(ASKED_MAX);
		struct asked asked[ASKED_MAX];
		char value[16384] = "bytes=";
		size_t at = strlen(value);

		for (size_t i = 0; i < count; i++) {
			uint64_t first = below(reach);
			uint64_t len = below(3) > 0 ? below(200) : below(reach);
			uint64_t last = first < MAX - len ? first + len : MAX;
			const char *comma = i == 0 ? "" :
			    below(5) == 0          ? " ,\t, " :
						     ",";

			switch (below(4)) {
			case 0: /* to the end */
				at += (size_t)snprintf(value + at,
				    sizeof(value) - at, "%s%" PRIu64 "-", comma,
				    first);
				last = MAX;
				break;
			case 1: /* from the end */
				at += (size_t)snprintf(value + at,
				    sizeof(value) - at, "%s-%" PRIu64, comma,
				    len);
				asked[i].len = len < size ? len : size;
				asked[i].first = size - asked[i].len;
				continue;
			default:
				at += (size_t)snprintf(value + at,
				    sizeof(value) - at,
				    "%s%" PRIu64 "-%" PRIu64, comma, first,
				    last);
				break;
			}
			asked[i] = (struct asked){ 0, 0 };
			if (first < size) {
				asked[i].first = first;
				asked[i].len =
				    (last < size ? last : size - 1) - first + 1;
			}
		}
		unit_need(at < sizeof(value), "the field is too long");
		check_properties(value, size, asked, count);
		if (size <= 3000)
			check_bytes(value, size, asked, count);
	}
}

/* Any bytes at all: no sense is made of them, or ranges that lie in the file. */
static void
check_noise(size_t rounds)
{
	static const char alphabet[] = "0123456789--,,  =bytes\t\0\xFFx";

	unit_begin("noise");
	for (size_t round = 0; round < rounds; round++) {
		char noise[64];
		size_t len = (size_t)below(30);
		struct text t = TEXT_IN(noise);
		struct ranges r;

		if (below(8) > 0)
			text_add(&t, SLICE("bytes="));
		while (t.len < len)
			text_add_char(
			    &t, alphabet[below(sizeof(alphabet) - 1)]);
		for (int side = 0; side < UNIT_SIDES; side++) {
			enum ranges_result result = ranges_parse(
			    unit_place((enum unit_side)side, text_slice(&t)),
			    500, &r);
			if (result != RANGES_SATISFIABLE)
				continue;
			for (size_t i = 0; i < r.count; i++)
				unit_bool("it lies in the file", true,
				    r.list[i].len > 0 &&
					r.list[i].first < 500 &&
					r.list[i].len <= 500 - r.list[i].first);
		}
	}
}

int
main(void)
{
	unit_table("ranges");
	unit_at_least("rows of the table", 80, UNIT_COUNT(rows));
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].value);
		check(rows[i].value, rows[i].size, rows[i].ranges);
	}
	unit_begin("a NUL");
	struct ranges r;
	unit_string("ranges", IGNORED,
	    show(ranges_parse(SLICE("bytes=5-9\0"), K1, &r), &r));
	check_limit();
	check_random(20000);
	check_noise(200000);
	return unit_end();
}
