/*
 * Dates as HTTP and the access log write them.
 *
 * A day's number is turned into a date by counting in eras of 400 years that
 * start on 1 March, so that the leap day is the last of its year.
 */
#include "date.h"

#include "insist.h"

#define SECONDS_A_DAY 86400
#define SECONDS_AT_10000 INT64_C(253402300800) /* 1 January of the year 10000 */
#define DAYS_AN_ERA 146097 /* days in 400 years */
#define DAYS_TO_1970 719468 /* from 1 March of year 0 to 1 January 1970 */

struct civil {
	unsigned year, month, day; /* month and day count from 1 */
	unsigned hour, minute, second;
	unsigned weekday; /* 0 is Sunday */
};

static const char day_names[7][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri",
	"Sat" };
static const char month_names[12][4] = { "Jan", "Feb", "Mar", "Apr", "May",
	"Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };

bool
date_is_writable(int64_t seconds)
{
	return seconds >= 0 && seconds < SECONDS_AT_10000;
}

static struct civil
civil_from_seconds(int64_t seconds)
{
	insist(date_is_writable(seconds));
	unsigned days = (unsigned)(seconds / SECONDS_A_DAY);
	unsigned rest = (unsigned)(seconds % SECONDS_A_DAY);
	unsigned since = days + DAYS_TO_1970;
	unsigned era = since / DAYS_AN_ERA;
	unsigned in_era = since % DAYS_AN_ERA;
	unsigned year =
	    (in_era - in_era / 1460 + in_era / 36524 - in_era / 146096) / 365;
	unsigned in_year = in_era - (365 * year + year / 4 - year / 100);
	unsigned from_march = (5 * in_year + 2) / 153;

	struct civil c = {
		.day = in_year - (153 * from_march + 2) / 5 + 1,
		.month = from_march < 10 ? from_march + 3 : from_march - 9,
		.hour = rest / 3600,
		.minute = rest / 60 % 60,
		.second = rest % 60,
		.weekday = (days + 4) % 7, /* 1 January 1970 was a Thursday */
	};
	c.year = era * 400 + year + (c.month <= 2 ? 1 : 0);
	return c;
}

static void
add_time(struct text *t, const struct civil *c)
{
	text_add_number(t, c->hour, 2);
	text_add_char(t, ':');
	text_add_number(t, c->minute, 2);
	text_add_char(t, ':');
	text_add_number(t, c->second, 2);
}

void
date_add_http(struct text *t, int64_t seconds)
{
	struct civil c = civil_from_seconds(seconds);

	text_add(t, slice_of(day_names[c.weekday]));
	text_add(t, SLICE(", "));
	text_add_number(t, c.day, 2);
	text_add_char(t, ' ');
	text_add(t, slice_of(month_names[c.month - 1]));
	text_add_char(t, ' ');
	text_add_number(t, c.year, 4);
	text_add_char(t, ' ');
	add_time(t, &c);
	text_add(t, SLICE(" GMT"));
}

void
date_add_log(struct text *t, int64_t seconds)
{
	struct civil c = civil_from_seconds(seconds);

	text_add_number(t, c.day, 2);
	text_add_char(t, '/');
	text_add(t, slice_of(month_names[c.month - 1]));
	text_add_char(t, '/');
	text_add_number(t, c.year, 4);
	text_add_char(t, ':');
	add_time(t, &c);
	text_add(t, SLICE(" +0000"));
}
