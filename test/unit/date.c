/*
 * date: dates that are known, and every day of 431 years as the C library
 * counts it.
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

/* The same date by the C library and by names written down here again. */
static void
check_by_library(int64_t seconds)
{
	static const char *const days[] = { "Sun", "Mon", "Tue", "Wed", "Thu",
		"Fri", "Sat" };
	static const char *const months[] = { "Jan", "Feb", "Mar", "Apr", "May",
		"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char http[128], log[128];
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
