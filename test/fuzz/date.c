/*
 * date: what is read as a date is one, and is written as one.
 *
 * The text is a date, the decisions are the clock.  What is read is written again
 * by the C library in the three formats of RFC 9110 5.6.7, and one of them is
 * the text.
 */
#define _GNU_SOURCE
#include "fuzz.h"

#include "date.h"

#include <time.h>

static const char days[7][10] = { "Sunday", "Monday", "Tuesday", "Wednesday",
	"Thursday", "Friday", "Saturday" };
static const char months[12][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
	"Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

enum format { FIXDATE, RFC850, ASCTIME, ASCTIME_ZERO, FORMATS };

/* A date in a format; asctime's day may have a zero for its blank. */
static struct slice
write_date(char *buf, size_t cap, const struct tm *tm, enum format format,
    unsigned weekday)
{
	const char *day = days[weekday], *month = months[tm->tm_mon];
	char time[16];
	int year = tm->tm_year + 1900, len = 0;

	snprintf(time, sizeof(time), "%02d:%02d:%02d", tm->tm_hour, tm->tm_min,
	    tm->tm_sec);
	switch (format) {
	case FIXDATE:
		len = snprintf(buf, cap, "%.3s, %02d %s %04d %s GMT", day,
		    tm->tm_mday, month, year, time);
		break;
	case RFC850:
		len = snprintf(buf, cap, "%s, %02d-%s-%02d %s GMT", day,
		    tm->tm_mday, month, year % 100, time);
		break;
	case ASCTIME:
	case ASCTIME_ZERO:
		len = snprintf(buf, cap,
		    format == ASCTIME ? "%.3s %s %2d %s %04d" :
					"%.3s %s %02d %s %04d",
		    day, month, tm->tm_mday, time, year);
		break;
	case FORMATS:
		break;
	}
	return (struct slice){ buf, (size_t)len };
}

/* Two digits mean the last year that is not more than 50 years ahead. */
static void
check_century(const struct tm *tm, const struct tm *now)
{
	struct tm limit = *now, date = *tm;

	limit.tm_year += 50;
	require(timegm(&date) <= timegm(&limit));
	date.tm_year += 100;
	require(timegm(&date) > timegm(&limit));
}

/* Whether s is that date in one of the formats, on any day of the week. */
static bool
is_date(struct slice s, int64_t seconds, int64_t now)
{
	time_t clock = (time_t)seconds, now_clock = (time_t)now;
	struct tm tm, now_tm;
	char buf[128];

	require(gmtime_r(&clock, &tm) != NULL);
	require(gmtime_r(&now_clock, &now_tm) != NULL);
	for (int format = 0; format < FORMATS; format++) {
		for (unsigned day = 0; day < 7; day++) {
			if (!slice_equal(s,
				write_date(buf, sizeof(buf), &tm,
				    (enum format)format, day)))
				continue;
			if (format == RFC850)
				check_century(&tm, &now_tm);
			return true;
		}
	}
	return false;
}

static void
check_writing(int64_t seconds)
{
	char buf[64], wanted[128];
	struct text t = TEXT_IN(buf);
	time_t clock = (time_t)seconds;
	struct tm tm;
	int64_t back;

	require(gmtime_r(&clock, &tm) != NULL);
	date_add_http(&t, seconds);
	require(slice_equal(text_slice(&t),
	    write_date(
		wanted, sizeof(wanted), &tm, FIXDATE, (unsigned)tm.tm_wday)));
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
	int64_t now = (int64_t)fuzz_number(&input.decisions), seconds;
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
