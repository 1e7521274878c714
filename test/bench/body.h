/*
 * The 1 KiB that the yardstick program answers.  The driver writes the same
 * bytes to a file for the servers, by `constant body`, so that every program
 * compared sends the same body.
 */
#ifndef BENCH_BODY_H
#define BENCH_BODY_H

#define LINE_64 \
	"The quick brown fox jumps over the lazy dog, again and again. :\n"
#define LINE_256 LINE_64 LINE_64 LINE_64 LINE_64
#define BODY_1K LINE_256 LINE_256 LINE_256 LINE_256

_Static_assert(sizeof(BODY_1K) - 1 == 1024, "the body is not 1 KiB");

#endif
