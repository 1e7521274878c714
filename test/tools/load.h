/*
 * What the tools that put load on a server share.
 */
#ifndef LOAD_H
#define LOAD_H

#include <err.h>
#include <time.h>

/* Ends the tool where it cannot do its work: errno says why. */
static inline _Noreturn void
die(const char *what)
{
	err(2, "%s", what);
}

static inline double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
