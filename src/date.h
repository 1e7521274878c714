/*
 * Dates as HTTP and the access log write them, in UTC.  The C library's
 * gmtime and strftime are not used: glibc's open /etc/localtime.
 */
#ifndef DATE_H
#define DATE_H

#include "text.h"

/* Whether a date in seconds since 1970 has a four-digit year from 1970 on. */
bool date_is_writable(int64_t seconds);

/*
 * Reads an HTTP-date in any of its three formats (RFC 9110 5.6.7), in seconds
 * since 1970, negative before.  A two-digit year more than 50 years after
 * `now` is in the past.  false: it is none.
 */
bool date_parse(struct slice s, int64_t now, int64_t *ret_seconds);

/*
 * Appends IMF-fixdate (RFC 9110 5.6.7): Sun, 06 Nov 1994 08:49:37 GMT.
 * The date must be writable.
 */
void date_add_http(struct text *t, int64_t seconds);

/*
 * Appends the Common Log Format's date: 06/Nov/1994:08:49:37 +0000.
 * The date must be writable.
 */
void date_add_log(struct text *t, int64_t seconds);

#endif
