/*
 * What the tools that put load on a server share.
 */
#ifndef LOAD_H
#define LOAD_H

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* Ends the tool where it cannot do its work: errno says why. */
static _Noreturn inline void
die(const char *what)
{
	perror(what);
	exit(2);
}

static inline double
now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

#endif
