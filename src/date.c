/*
 * Dates as HTTP and the access log write them.
 *
 * A day's number is turned into a date by counting in eras of 400 years that
 * start on 1 March, so that the leap day is the last of its year.
 */
#include "date.h"

#include "grammar.h"
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
static const char day_endings[7][7] = { "day", "day", "sday", "nesday", "rsday",
	"day", "urday" };
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

/* Days from 1 January 1970 to a date, counted as in civil_from_seconds(). */
static int64_t
days_from_civil(const struct civil *c)
{
	int64_t year = (int64_t)c->year - (c->month <= 2 ? 1 : 0);
	int64_t era = year / 400, in_era = year % 400;
	int64_t from_march = c->month > 2 ? c->month - 3 : c->month + 9;
	int64_t in_year = (153 * from_march + 2) / 5 + c->day - 1;

	return era * DAYS_AN_ERA + in_era * 365 + in_era / 4 - in_era / 100 +
	    in_year - DAYS_TO_1970;
}

/* Whether the date exists; a leap second is let through (RFC 9110 5.6.7). */
static bool
is_real(const struct civil *c)
{
	static const unsigned char days[12] = { 31, 28, 31, 30, 31, 30, 31, 31,
		30, 31, 30, 31 };
	bool leap =
	    (c->year % 4 == 0 && c->year % 100 != 0) || c->year % 400 == 0;

	if (c->year < 1 || c->month < 1 || c->month > 12 || c->day < 1 ||
	    c->hour > 23 || c->minute > 59 || c->second > 60)
		return false;
	return c->day <= days[c->month - 1] + (c->month == 2 && leap ? 1u : 0u);
}

static bool
take_literal(struct slice *s, const char *literal)
{
	size_t len = strlen(literal);

	if (s->len < len || memcmp(s->ptr, literal, len) != 0)
		return false;
	*s = slice_after(*s, len);
	return true;
}

static bool
take_digits(struct slice *s, size_t count, unsigned *ret_n)
{
	*ret_n = 0;
	if (s->len < count)
		return false;
	for (size_t i = 0; i < count; i++) {
		if (!is_digit(s->ptr[i]))
			return false;
		*ret_n = *ret_n * 10 + (unsigned)(s->ptr[i] - '0');
	}
	*s = slice_after(*s, count);
	return true;
}

static bool
take_month(struct slice *s, unsigned *ret_month)
{
	for (unsigned i = 0; i < 12; i++)
		if (take_literal(s, month_names[i])) {
			*ret_month = i + 1;
			return true;
		}
	return false;
}

/* time-of-day = hour ":" minute ":" second */
static bool
take_time(struct slice *s, struct civil *c)
{
	return take_digits(s, 2, &c->hour) && take_literal(s, ":") &&
	    take_digits(s, 2, &c->minute) && take_literal(s, ":") &&
	    take_digits(s, 2, &c->second);
}

/* date1 = day SP month SP year, behind the day's name and its comma */
static bool
take_fixdate(struct slice *s, struct civil *c)
{
	return take_digits(s, 2, &c->day) && take_literal(s, " ") &&
	    take_month(s, &c->month) && take_literal(s, " ") &&
	    take_digits(s, 4, &c->year) && take_literal(s, " ") &&
	    take_time(s, c) && take_literal(s, " GMT");
}

static int64_t
seconds_from_civil(const struct civil *c)
{
	return days_from_civil(c) * SECONDS_A_DAY + c->hour * 3600 +
	    c->minute * 60 + c->second;
}

/*
 * date2 = day "-" month "-" 2DIGIT
 * A date that appears to be more than 50 years ahead is the most recent one in
 * the past with the same two digits.
 */
static bool
take_rfc850(struct slice *s, int64_t now, struct civil *c)
{
	struct civil limit = civil_from_seconds(now);

	if (!take_digits(s, 2, &c->day) || !take_literal(s, "-") ||
	    !take_month(s, &c->month) || !take_literal(s, "-") ||
	    !take_digits(s, 2, &c->year) || !take_literal(s, " ") ||
	    !take_time(s, c) || !take_literal(s, " GMT"))
		return false;
	c->year += limit.year / 100 * 100 + 100;
	limit.year += 50;
	while (seconds_from_civil(c) > seconds_from_civil(&limit))
		c->year -= 100;
	return true;
}

/* date3 = month SP ( 2DIGIT / ( SP 1DIGIT ) ), then the time and the year */
static bool
take_asctime(struct slice *s, struct civil *c)
{
	return take_month(s, &c->month) && take_literal(s, " ") &&
	    (take_literal(s, " ") ? take_digits(s, 1, &c->day) :
				    take_digits(s, 2, &c->day)) &&
	    take_literal(s, " ") && take_time(s, c) && take_literal(s, " ") &&
	    take_digits(s, 4, &c->year);
}

/* What is behind the day's name in one of the formats. */
static bool
take_date(struct slice *s, int64_t now, struct civil *c)
{
	for (unsigned i = 0; i < 7; i++) {
		if (!take_literal(s, day_names[i]))
			continue;
		if (take_literal(s, ", "))
			return take_fixdate(s, c);
		if (take_literal(s, " "))
			return take_asctime(s, c);
		return take_literal(s, day_endings[i]) &&
		    take_literal(s, ", ") && take_rfc850(s, now, c);
	}
	return false;
}

bool
date_parse(struct slice s, int64_t now, int64_t *ret_seconds)
{
	struct civil c = { 0 };

	if (!date_is_writable(now) || !take_date(&s, now, &c) || s.len > 0 ||
	    !is_real(&c))
		return false;
	*ret_seconds = seconds_from_civil(&c);
	return true;
}
