/*
 * date: what is read as a date is one, and is written as one.
 *
 * The text is a date, the whims are the clock.  What is read is written again
 * by the C library in the three formats of RFC 9110 5.6.7, and one of them is
 * the text.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "date.h"

#include <time.h>

/* Formats in the order of RFC 9110, and where the day's name ends. */
static const struct {
	const char *format;
	char behind_day;
} formats[] = {
	{ "%a, %d %b %Y %H:%M:%S GMT", ',' },
	{ "%A, %d-%b-%y %H:%M:%S GMT", ',' },
	{ "%a %b %e %H:%M:%S %Y", ' ' },
};

/* Whether s is what strftime makes of tm, but for the day of the week. */
static bool
is_written(struct slice s, struct tm tm, size_t format)
{
	char buf[64];

	for (tm.tm_wday = 0; tm.tm_wday < 7; tm.tm_wday++) {
		size_t len =
		    strftime(buf, sizeof(buf), formats[format].format, &tm);

		if (len == s.len && memcmp(buf, s.ptr, len) == 0)
			return true;
	}
	return false;
}

static bool
is_date(struct slice s, int64_t seconds, int64_t now)
{
	time_t t = (time_t)seconds;
	struct tm tm, now_tm;

	require(gmtime_r(&t, &tm) != NULL);
	for (size_t i = 0; i < FUZZ_COUNT(formats); i++) {
		struct slice text = s;
		char buf[8] = "";

		/* asctime may have a zero for the blank before the day. */
		if (!is_written(text, tm, i) && i == 2 && s.len == 24) {
			char again[24];

			memcpy(again, s.ptr, sizeof(again));
			if (again[8] == '0')
				again[8] = ' ';
			if (!is_written((struct slice){ again, 24 }, tm, i))
				continue;
		} else if (!is_written(text, tm, i)) {
			continue;
		}
		(void)buf;
		if (i != 1)
			return true;
		/* The two digits mean no year more than 50 years ahead. */
		t = (time_t)now;
		require(gmtime_r(&t, &now_tm) != NULL);
		int ahead = tm.tm_year - now_tm.tm_year;
		require(ahead <= 50 && ahead > -50);
		return true;
	}
	return false;
}

static void
check_writing(int64_t seconds)
{
	char buf[64], wanted[64];
	struct text t = TEXT_IN(buf);
	time_t clock = (time_t)seconds;
	struct tm tm;
	int64_t back;

	require(gmtime_r(&clock, &tm) != NULL);
	date_add_http(&t, seconds);
	strftime(wanted, sizeof(wanted), formats[0].format, &tm);
	require(slice_equal(text_slice(&t), slice_of(wanted)));
	require(date_parse(text_slice(&t), 0, &back) && back == seconds);

	t.len = 0;
	date_add_log(&t, seconds);
	strftime(wanted, sizeof(wanted), "%d/%b/%Y:%H:%M:%S +0000", &tm);
	require(slice_equal(text_slice(&t), slice_of(wanted)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = fuzz_input(data, size);
	int64_t now = (int64_t)fuzz_number(&input.whims), seconds;
	bool writable = now >= 0 && now < INT64_C(253402300800);

	if (now >> 56 != 0)
		now = INT64_C(1700000000) + (now & 0xffffffff) - 0x80000000;
	writable = now >= 0 && now < INT64_C(253402300800);
	require(date_is_writable(now) == writable);
	if (writable)
		check_writing(now);

	struct slice s = fuzz_copy(input.text);
	if (date_parse(s, now, &seconds)) {
		require(writable);
		/* A leap second is the one behind it. */
		char *second = memmem(s.ptr, s.len, ":60", 3);
		if (second != NULL && second + 3 < s.ptr + s.len &&
		    (second[3] == ' ')) {
			memcpy(second, ":59", 3);
			seconds--;
		}
		require(is_date(s, seconds, now));
	}
	fuzz_free(s);
	return 0;
}
