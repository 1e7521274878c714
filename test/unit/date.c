/*
 * date: dates that are known, and every day of 431 years as the C library
 * counts it, written and read back in each of HTTP's formats.
 */
#include "unit.h"

#include "date.h"

#include <fcntl.h>
#include <sysexits.h>
#include <time.h>

static const struct row {
	const char *name;
	int64_t seconds;
	const char *http, *log;
} rows[] = {
	{ "the epoch", 0, "Thu, 01 Jan 1970 00:00:00 GMT",
	    "01/Jan/1970:00:00:00 +0000" },
	{ "one second", 1, "Thu, 01 Jan 1970 00:00:01 GMT",
	    "01/Jan/1970:00:00:01 +0000" },
	{ "the last second of a day", 86399, "Thu, 01 Jan 1970 23:59:59 GMT",
	    "01/Jan/1970:23:59:59 +0000" },
	{ "the second day", 86400, "Fri, 02 Jan 1970 00:00:00 GMT",
	    "02/Jan/1970:00:00:00 +0000" },
	{ "the end of 1970", 31535999, "Thu, 31 Dec 1970 23:59:59 GMT",
	    "31/Dec/1970:23:59:59 +0000" },
	{ "28 February 1972", 68083200, "Mon, 28 Feb 1972 00:00:00 GMT",
	    "28/Feb/1972:00:00:00 +0000" },
	{ "the leap day of 1972", 68169600, "Tue, 29 Feb 1972 00:00:00 GMT",
	    "29/Feb/1972:00:00:00 +0000" },
	{ "1 March 1972", 68256000, "Wed, 01 Mar 1972 00:00:00 GMT",
	    "01/Mar/1972:00:00:00 +0000" },
	{ "the example of RFC 9110", 784111777, "Sun, 06 Nov 1994 08:49:37 GMT",
	    "06/Nov/1994:08:49:37 +0000" },
	{ "a billion seconds", 1000000000, "Sun, 09 Sep 2001 01:46:40 GMT",
	    "09/Sep/2001:01:46:40 +0000" },
	{ "the leap day of 2000", 951782400, "Tue, 29 Feb 2000 00:00:00 GMT",
	    "29/Feb/2000:00:00:00 +0000" },
	{ "the day behind it", 951868800, "Wed, 01 Mar 2000 00:00:00 GMT",
	    "01/Mar/2000:00:00:00 +0000" },
	{ "the end of 32 bits", 2147483647, "Tue, 19 Jan 2038 03:14:07 GMT",
	    "19/Jan/2038:03:14:07 +0000" },
	{ "one second later", 2147483648, "Tue, 19 Jan 2038 03:14:08 GMT",
	    "19/Jan/2038:03:14:08 +0000" },
	{ "28 February 2100", 4107456000, "Sun, 28 Feb 2100 00:00:00 GMT",
	    "28/Feb/2100:00:00:00 +0000" },
	{ "2100 has no leap day", 4107542400, "Mon, 01 Mar 2100 00:00:00 GMT",
	    "01/Mar/2100:00:00:00 +0000" },
	{ "the end of 32 bits without sign", 4294967295,
	    "Sun, 07 Feb 2106 06:28:15 GMT", "07/Feb/2106:06:28:15 +0000" },
	{ "the leap day of 2400", 13574563200, "Tue, 29 Feb 2400 00:00:00 GMT",
	    "29/Feb/2400:00:00:00 +0000" },
	{ "the end of the year 9999", 253402300799,
	    "Fri, 31 Dec 9999 23:59:59 GMT", "31/Dec/9999:23:59:59 +0000" },
};

/* Both forms, in writers against a page that cannot be touched. */
static void
check(int64_t seconds, const char *http, const char *log)
{
	size_t http_len = strlen(http), log_len = strlen(log);
	struct text t = { .ptr = unit_room(UNIT_BEFORE_GUARD, http_len),
		.cap = http_len };

	date_add_http(&t, seconds);
	unit_slice("HTTP's form", slice_of(http), text_slice(&t));
	unit_bool("it fits", false, t.overflowed);
	t = (struct text){ .ptr = unit_room(UNIT_BEFORE_GUARD, log_len),
		.cap = log_len };
	date_add_log(&t, seconds);
	unit_slice("the log's form", slice_of(log), text_slice(&t));
	unit_bool("it fits", false, t.overflowed);
}

/* Reads a date that lies beside a page which cannot be touched. */
static void
check_read(const char *text, int64_t now, bool is_date, int64_t wanted)
{
	for (int side = 0; side < UNIT_SIDES; side++) {
		int64_t got = -77;
		bool read =
		    date_parse(unit_place((enum unit_side)side, slice_of(text)),
			now, &got);

		unit_bool(text, is_date, read);
		unit_number(text, is_date && read ? wanted : -77, got);
	}
}

/* The same date by the C library and by names written down here again. */
static void
check_by_library(int64_t seconds)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char *const long_days[] = { "Sunday", "Monday", "Tuesday",
		"Wednesday", "Thursday", "Friday", "Saturday" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	const int64_t years = 31556952;
	char http[128], log[128], text[128];
	time_t when = (time_t)seconds;
	struct tm tm;

	unit_need(gmtime_r(&when, &tm) != NULL, "gmtime_r");
	snprintf(http, sizeof(http), "%s, %02d %s %04d %02d:%02d:%02d GMT",
	    days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900,
	    tm.tm_hour, tm.tm_min, tm.tm_sec);
	snprintf(log, sizeof(log), "%02d/%s/%04d:%02d:%02d:%02d +0000",
	    tm.tm_mday, months[tm.tm_mon], tm.tm_year + 1900, tm.tm_hour,
	    tm.tm_min, tm.tm_sec);
	check(seconds, http, log);

	check_read(http, 0, true, seconds);
	snprintf(text, sizeof(text), "%s %s %2d %02d:%02d:%02d %04d",
	    days[tm.tm_wday], months[tm.tm_mon], tm.tm_mday, tm.tm_hour,
	    tm.tm_min, tm.tm_sec, tm.tm_year + 1900);
	check_read(text, 253402300799, true, seconds);
	snprintf(text, sizeof(text), "%s, %02d-%s-%02d %02d:%02d:%02d GMT",
	    long_days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
	    tm.tm_year % 100, tm.tm_hour, tm.tm_min, tm.tm_sec);
	check_read(text, seconds, true, seconds);
	if (seconds > 49 * years)
		check_read(text, seconds - 49 * years, true, seconds);
	if (seconds + 49 * years < 253402300800)
		check_read(text, seconds + 49 * years, true, seconds);
}

#define NOW 784111777 /* the example of RFC 9110 */

/* Dates that are odd, and dates all the same. */
static void
check_good(void)
{
	static const struct {
		const char *text;
		int64_t seconds;
	} good[] = {
		{ "Sun, 06 Nov 1994 08:49:37 GMT", NOW },
		{ "Sunday, 06-Nov-94 08:49:37 GMT", NOW },
		{ "Sun Nov  6 08:49:37 1994", NOW },
		{ "Sun Nov 06 08:49:37 1994", NOW },
		{ "Wed Nov 16 08:49:37 1994", NOW + 10 * 86400 },
		/* The day's name says nothing that is not known. */
		{ "Mon, 06 Nov 1994 08:49:37 GMT", NOW },
		{ "Wednesday, 06-Nov-94 08:49:37 GMT", NOW },
		{ "Sat Nov  6 08:49:37 1994", NOW },
		/* Leap seconds and days. */
		{ "Sun, 06 Nov 1994 08:49:60 GMT", NOW + 23 },
		{ "Sat, 31 Dec 2016 23:59:60 GMT", 1483228800 },
		{ "Tue, 29 Feb 2000 00:00:00 GMT", 951782400 },
		{ "Tuesday, 29-Feb-00 00:00:00 GMT", 951782400 },
		{ "Tue Feb 29 00:00:00 2000", 951782400 },
		{ "Tue, 29 Feb 2400 00:00:00 GMT", 13574563200 },
		/* The ends. */
		{ "Thu, 01 Jan 1970 00:00:00 GMT", 0 },
		{ "Thursday, 01-Jan-70 00:00:00 GMT", 0 },
		{ "Thu Jan  1 00:00:00 1970", 0 },
		{ "Fri, 31 Dec 9999 23:59:59 GMT", 253402300799 },
		{ "Fri Dec 31 23:59:59 9999", 253402300799 },
		{ "Fri, 31 Dec 9999 23:59:60 GMT", 253402300800 },
		/* Before 1970. */
		{ "Wed, 31 Dec 1969 23:59:59 GMT", -1 },
		{ "Wednesday, 31-Dec-69 23:59:59 GMT", -1 },
		{ "Wed Dec 31 23:59:59 1969", -1 },
		{ "Wednesday, 01-Jan-45 00:00:00 GMT", -788918400 },
		{ "Mon, 01 Jan 1900 00:00:00 GMT", -2208988800 },
		{ "Tue, 29 Feb 1600 00:00:00 GMT", -11670998400 },
		{ "Mon, 01 Jan 0001 00:00:00 GMT", -62135596800 },
	};

	for (size_t i = 0; i < UNIT_COUNT(good); i++) {
		char part[64];

		unit_begin(good[i].text);
		check_read(good[i].text, NOW, true, good[i].seconds);
		/* No part of it is a date, and nothing may stand around it. */
		for (size_t len = 0; len < strlen(good[i].text); len++) {
			snprintf(
			    part, sizeof(part), "%.*s", (int)len, good[i].text);
			check_read(part, NOW, false, 0);
			check_read(good[i].text + len + 1, NOW, false, 0);
		}
		for (const char *c = " \tx0,"; *c != '\0'; c++) {
			snprintf(part, sizeof(part), "%s%c", good[i].text, *c);
			check_read(part, NOW, false, 0);
			snprintf(part, sizeof(part), "%c%s", *c, good[i].text);
			check_read(part, NOW, false, 0);
		}
	}
}

static void
check_bad(void)
{
	static const char *const bad[] = {
		"",
		" ",
		"0",
		"-1",
		"784111777",
		"yesterday",
		"1994-11-06T08:49:37Z",
		"06 Nov 1994 08:49:37 GMT",
		/* Days and times that there are not. */
		"Sun, 00 Nov 1994 08:49:37 GMT",
		"Sun, 31 Nov 1994 08:49:37 GMT",
		"Sun, 32 Jan 1994 08:49:37 GMT",
		"Sun, 31 Apr 1994 08:49:37 GMT",
		"Sun, 31 Jun 1994 08:49:37 GMT",
		"Sun, 31 Sep 1994 08:49:37 GMT",
		"Sun, 30 Feb 2000 08:49:37 GMT",
		"Sun, 29 Feb 1994 08:49:37 GMT",
		"Sun, 29 Feb 2100 08:49:37 GMT",
		"Sun, 99 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 24:00:00 GMT",
		"Sun, 06 Nov 1994 99:49:37 GMT",
		"Sun, 06 Nov 1994 08:60:37 GMT",
		"Sun, 06 Nov 1994 08:99:37 GMT",
		"Sun, 06 Nov 1994 08:49:61 GMT",
		"Sun, 06 Nov 1994 08:49:99 GMT",
		"Sunday, 31-Nov-94 08:49:37 GMT",
		"Sunday, 29-Feb-94 08:49:37 GMT",
		"Sunday, 06-Nov-94 24:49:37 GMT",
		"Sun Nov  0 08:49:37 1994",
		"Sun Nov 31 08:49:37 1994",
		"Sun Feb 29 08:49:37 1994",
		"Sun Nov  6 08:49:61 1994",
		/* Before the year 1, and behind 9999. */
		"Sat, 01 Jan 0000 00:00:00 GMT",
		"Wed, 01 Mar 0000 00:00:00 GMT",
		"Sat Jan  1 00:00:00 0000",
		"Sat, 01 Jan 10000 00:00:00 GMT",
		/* IMF-fixdate and what is nearly that. */
		"sun, 06 Nov 1994 08:49:37 GMT",
		"SUN, 06 Nov 1994 08:49:37 GMT",
		"Sun, 06 nov 1994 08:49:37 GMT",
		"Sun, 06 NOV 1994 08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37 gmt",
		"Sun, 06 Nov 1994 08:49:37 UTC",
		"Sun, 06 Nov 1994 08:49:37 EST",
		"Sun, 06 Nov 1994 08:49:37 +0000",
		"Sun, 06 Nov 1994 08:49:37 GMT+1",
		"Sun, 06 Nov 1994 08:49:37GMT",
		"Sun, 06 Nov 1994 08:49:37",
		"Sun, 06 Nov 1994 08:49:37.5 GMT",
		"Sun, 06 Nov 1994 08:49 GMT",
		"Sun, 06 Nov 1994 8:49:37 GMT",
		"Sun, 06 Nov 1994 08.49.37 GMT",
		"Sun, 06 Nov 1994 08:49:3 GMT",
		"Sun, 06 Nov 1994 08:49:+7 GMT",
		"Sun, 6 Nov 1994 08:49:37 GMT",
		"Sun,  6 Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov 94 08:49:37 GMT",
		"Sun, 06 Nov 994 08:49:37 GMT",
		"Sun, 06 Nov -994 08:49:37 GMT",
		"Sun, 06 November 1994 08:49:37 GMT",
		"Sun, 06 11 1994 08:49:37 GMT",
		"Sun, 06 Nop 1994 08:49:37 GMT",
		"Sun, Nov 06 1994 08:49:37 GMT",
		"Sun 06 Nov 1994 08:49:37 GMT",
		"Sun,06 Nov 1994 08:49:37 GMT",
		"Sun,\t06 Nov 1994 08:49:37 GMT",
		"Sun,  06 Nov 1994 08:49:37 GMT",
		"Sun, 06  Nov 1994 08:49:37 GMT",
		"Sun, 06 Nov  1994 08:49:37 GMT",
		"Sun, 06 Nov 1994  08:49:37 GMT",
		"Sun, 06 Nov 1994 08:49:37  GMT",
		"Sxn, 06 Nov 1994 08:49:37 GMT",
		"Su, 06 Nov 1994 08:49:37 GMT",
		", 06 Nov 1994 08:49:37 GMT",
		"Sun, 06-Nov-1994 08:49:37 GMT",
		"Sun, 06-Nov-94 08:49:37 GMT",
		"\"Sun, 06 Nov 1994 08:49:37 GMT\"",
		"Sun, 06 Nov 1994 08:49:37 GMT; length=5",
		"Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT",
		"Sun, \xB2\x36 Nov 1994 08:49:37 GMT",
		/* RFC 850's format and what is nearly that. */
		"Sunday, 06-Nov-1994 08:49:37 GMT",
		"Sunday, 06-Nov-4 08:49:37 GMT",
		"Sunday, 6-Nov-94 08:49:37 GMT",
		"Sunday, 06 Nov 94 08:49:37 GMT",
		"Sunday, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37",
		"Sunday, 06-Nov-94 08:49:37 UTC",
		"Sunday 06-Nov-94 08:49:37 GMT",
		"sunday, 06-Nov-94 08:49:37 GMT",
		"Sunday, 06-nov-94 08:49:37 GMT",
		"Sunda, 06-Nov-94 08:49:37 GMT",
		"Sundayy, 06-Nov-94 08:49:37 GMT",
		"Sunsday, 06-Nov-94 08:49:37 GMT",
		"Tueday, 06-Nov-94 08:49:37 GMT",
		"Weday, 06-Nov-94 08:49:37 GMT",
		"Thusday, 06-Nov-94 08:49:37 GMT",
		"Satday, 06-Nov-94 08:49:37 GMT",
		/* asctime's format and what is nearly that. */
		"Sun Nov 6 08:49:37 1994",
		"Sun Nov   6 08:49:37 1994",
		"Sun Nov  06 08:49:37 1994",
		"Sun Nov  6 08:49:37 94",
		"Sun Nov  6 08:49:37 1994 GMT",
		"Sun Nov  6 08:49:37 GMT 1994",
		"Sun Nov  6 8:49:37 1994",
		"Sun, Nov  6 08:49:37 1994",
		"Sunday Nov  6 08:49:37 1994",
		"Sun nov  6 08:49:37 1994",
		"Sun 6 Nov 08:49:37 1994",
		"Sun Nov  6 1994 08:49:37",
		"Sun Nov  6 08:49:37 1994\n",
	};

	unit_at_least("bad dates", 60, UNIT_COUNT(bad));
	for (size_t i = 0; i < UNIT_COUNT(bad); i++) {
		unit_begin(bad[i]);
		check_read(bad[i], NOW, false, 0);
	}

	/* Any single byte that is changed to one that cannot stand there. */
	static const char *const dates[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
		"Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov 06 08:49:37 1994" };
	for (size_t i = 0; i < UNIT_COUNT(dates); i++) {
		unit_begin("a changed byte");
		for (size_t at = 0; at < strlen(dates[i]); at++) {
			for (const char *c = "%\xFF\n~"; *c != '\0'; c++) {
				char changed[64];

				strcpy(changed, dates[i]);
				changed[at] = *c;
				check_read(changed, NOW, false, 0);
			}
		}
	}

	unit_begin("a NUL behind a date");
	int64_t seconds;
	unit_bool("it is a date", false,
	    date_parse(
		SLICE("Sun, 06 Nov 1994 08:49:37 GMT\0"), NOW, &seconds));
	unit_begin("a clock that shows no date");
	check_read(rows[0].http, -1, false, 0);
	check_read("Sunday, 06-Nov-94 08:49:37 GMT", INT64_MAX, false, 0);
}

/* A moment in parts, in the order of their weight. */
struct moment {
	int parts[6]; /* year, month from 0, day, hour, minute, second */
};

static bool
is_later(const struct moment *a, const struct moment *b)
{
	for (size_t i = 0; i < UNIT_COUNT(a->parts); i++)
		if (a->parts[i] != b->parts[i])
			return a->parts[i] > b->parts[i];
	return false;
}

/*
 * RFC 9110 5.6.7: a date of a two-digit year that appears to be more than 50
 * years in the future is the most recent year in the past with these digits.
 */
static void
check_two_digits(
    const char *now_text, int month, int day, int hour, int minute, int second)
{
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	int64_t now = 0;

	unit_begin(now_text);
	unit_need(date_parse(slice_of(now_text), NOW, &now), "the row's date");
	time_t when = (time_t)now;
	struct tm tm;
	unit_need(gmtime_r(&when, &tm) != NULL, "gmtime_r");
	const struct moment limit = { { tm.tm_year + 1900 + 50, tm.tm_mon,
	    tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec } };

	for (int digits = 0; digits < 100; digits++) {
		struct moment m = { { limit.parts[0], month, day, hour, minute,
		    second } };
		char text[64];

		/* The last year with these digits that is not too far ahead. */
		while (m.parts[0] % 100 != digits || is_later(&m, &limit))
			m.parts[0]--;
		snprintf(text, sizeof(text),
		    "Friday, %02d-%s-%02d %02d:%02d:%02d GMT", day,
		    months[month], digits, hour, minute, second);
		struct tm wanted = {
			.tm_year = m.parts[0] - 1900,
			.tm_mon = month,
			.tm_mday = day,
			.tm_hour = hour,
			.tm_min = minute,
			.tm_sec = second,
		};
		int64_t seconds = (int64_t)timegm(&wanted);
		check_read(text, now, wanted.tm_mday == day, seconds);
	}
}

static void
check_two_digit_years(void)
{
	static const char *const clocks[] = {
		"Thu, 01 Jan 1970 00:00:00 GMT",
		"Sun, 06 Nov 1994 08:49:37 GMT",
		"Fri, 31 Dec 1999 23:59:59 GMT",
		"Sat, 01 Jan 2000 00:00:00 GMT",
		"Mon, 28 Feb 2000 12:00:00 GMT",
		"Thu, 31 Dec 2020 23:59:59 GMT",
		"Mon, 23 Nov 2026 16:00:00 GMT",
		"Fri, 31 Dec 2049 23:59:59 GMT",
		"Sat, 01 Jan 2050 00:00:00 GMT",
		"Wed, 30 Jun 2051 12:30:30 GMT",
		"Thu, 31 Dec 2099 23:59:59 GMT",
		"Fri, 01 Jan 2100 00:00:00 GMT",
		"Fri, 31 Dec 9999 23:59:59 GMT",
	};

	for (size_t i = 0; i < UNIT_COUNT(clocks); i++) {
		int64_t now = 0;
		struct tm tm;

		unit_need(date_parse(slice_of(clocks[i]), NOW, &now),
		    "the row's date");
		/* Moments around that of the clock in its own year. */
		for (int64_t off = -86400; off <= 86400; off += 3600) {
			for (int64_t fine = -1; fine <= 1; fine++) {
				time_t when = (time_t)(now + off + fine);

				if (!date_is_writable(when))
					continue;
				unit_need(
				    gmtime_r(&when, &tm) != NULL, "gmtime_r");
				check_two_digits(clocks[i], tm.tm_mon,
				    tm.tm_mday, tm.tm_hour, tm.tm_min,
				    tm.tm_sec);
			}
		}
		check_two_digits(clocks[i], 0, 1, 0, 0, 0);
		check_two_digits(clocks[i], 1, 29, 0, 0, 0);
		check_two_digits(clocks[i], 11, 31, 23, 59, 59);
	}
}

static void
check_range(void)
{
	static const struct {
		int64_t seconds;
		bool writable;
	} ends[] = {
		{ INT64_MIN, false },
		{ -1, false },
		{ 0, true },
		{ 1, true },
		{ 253402300799, true },
		{ 253402300800, false },
		{ INT64_MAX, false },
	};

	unit_begin("which dates are writable");
	for (size_t i = 0; i < UNIT_COUNT(ends); i++)
		unit_bool("writable", ends[i].writable,
		    date_is_writable(ends[i].seconds));
}

/* A date that cannot be written is our own mistake, and ends the process. */
static void
check_insistence(void)
{
	int status;

	unit_begin("a date that is not writable");
	pid_t pid = fork();
	unit_need(pid >= 0, "fork");
	if (pid == 0) {
		char buf[64];
		struct text t = TEXT_IN(buf);

		/* What is said about it would only confuse a reader of the log. */
		int nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
		unit_need(dup2(nothing, STDERR_FILENO) >= 0, "/dev/null");
		date_add_http(&t, -1);
		_exit(0);
	}
	unit_need(waitpid(pid, &status, 0) == pid, "waitpid");
	unit_number("exit status", EX_SOFTWARE,
	    WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

int
main(void)
{
	unit_table("date");
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].name);
		check(rows[i].seconds, rows[i].http, rows[i].log);
	}
	check_range();
	check_insistence();
	check_good();
	check_bad();
	check_two_digit_years();

	unit_begin("each day from 1970 to 2400");
	for (int64_t day = 0; day * 86400 < 13601088000; day++)
		check_by_library(day * 86400 + day * 7919 % 86400);
	unit_begin("each second of a day");
	for (int64_t second = 0; second < 86400; second++)
		check_by_library(951782400 + second);
	unit_begin("a day of each year up to 9999");
	for (int64_t at = 0; at < 253402300800; at += 31556952) {
		check_by_library(at / 86400 * 86400);
		check_by_library(at / 86400 * 86400 + 86399);
	}
	return unit_end();
}
