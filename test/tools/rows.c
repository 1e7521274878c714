/*
 * Prints a table of the unit tests, for tests that need its rows elsewhere.
 *
 * TABLE, set by the compiler's option -D, says which.  Each row is a line of
 * columns between tabs; bytes of the wire are in hexadecimal, as are names,
 * which may hold anything.
 *
 * A table lies in its unit test, so the whole of that is included, with its
 * main() renamed.  Where a test makes rows as it goes, those parts of it are
 * run, and the rows are taken from what they hand to the functions of unit.h
 * and peer.h.
 */
#include "../unit/peer.h"

#include <inttypes.h>

#define HEADS 1
#define CHUNKS 2
#define RANGES 3
#define CODINGS 4
#define TAGS 5
#define IF_RANGES 6
#define READ 7
#define LIMITS 8

static void
put(struct slice s, char end)
{
	for (size_t i = 0; i < s.len; i++)
		printf("%02x", (unsigned char)s.ptr[i]);
	putchar(end);
}

static void
put_string(const char *s, char end)
{
	put(slice_of(s), end);
}

#if TABLE == READ || TABLE == LIMITS
/* What a row has handed over; it becomes a line with its first check. */
static struct slice made;

static struct slice
keep_made(struct slice bytes)
{
	return made = bytes;
}

/* The name, the verdict, and the bytes. */
static void
put_made(const char *token)
{
	if (made.ptr == NULL)
		return;
	put_string(unit.row, '\t');
	put_string(token, '\t');
	put(made, '\n');
	made.ptr = NULL;
}

#define unit_place(side, ...) unit_place((side), keep_made(__VA_ARGS__))
#define peer_open(p, s, piece) peer_open((p), keep_made(s), (piece))
#define unit_string(what, wanted, got) \
	(put_made(wanted), unit_string((what), (wanted), (got)))
#endif

int unit_main(void);
#define main unit_main
#if TABLE == HEADS
#include "../unit/parse.c"
#elif TABLE == READ
#include "../unit/read.c"
#elif TABLE == CHUNKS || TABLE == LIMITS
#include "../unit/content.c"
#elif TABLE == RANGES
#include "../unit/ranges.c"
#elif TABLE == CODINGS
#include "../unit/codings.c"
#elif TABLE == TAGS || TABLE == IF_RANGES
#include "../unit/conditions.c"
#else
#error "TABLE must be one of the above"
#endif
#undef main

#if TABLE == HEADS
/* The name, the verdict, the meaning, and the head. */
static void
put_rows(void)
{
	for (size_t i = 0; i < UNIT_COUNT(request_rows); i++) {
		put_string(request_rows[i].name, '\t');
		put_string(request_rows[i].token, '\t');
		put_string(request_rows[i].meaning, '\t');
		put(request_rows[i].head, '\n');
	}
}
#elif TABLE == CHUNKS
/* The name, the verdict, the most that is allowed, and the body. */
static void
put_rows(void)
{
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		put_string(rows[i].name, '\t');
		put_string(rows[i].token, '\t');
		printf("%" PRIu64 "\t", rows[i].max == 0 ? MAX : rows[i].max);
		put(rows[i].bytes, '\n');
	}
}
#elif TABLE == RANGES
/* The value, the file's size, and the ranges. */
static void
put_rows(void)
{
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		put_string(rows[i].value, '\t');
		printf("%" PRIu64 "\t", rows[i].size);
		put_string(rows[i].ranges, '\n');
	}
}
#elif TABLE == CODINGS
/* Whether there is a field, its value, what is stored, and the choice. */
static void
put_rows(void)
{
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		printf("%d\t", rows[i].field != NO_FIELD);
		put_string(rows[i].field == NULL ? "" : rows[i].field, '\t');
		put_string(rows[i].stored, '\t');
		put_string(rows[i].choice, '\n');
	}
}
#elif TABLE == TAGS
/* The value, and whether it names the file weakly and strongly. */
static void
put_rows(void)
{
	for (size_t i = 0; i < UNIT_COUNT(list_rows); i++) {
		put_string(list_rows[i].value, '\t');
		printf("%d\t%d\n", list_rows[i].weakly, list_rows[i].strongly);
	}
}
#elif TABLE == READ
static void
put_rows(void)
{
	check_heads();
	check_limits();
}
#elif TABLE == LIMITS
static void
put_rows(void)
{
	check_limits();
}
#else
/* The lines, and whether the range is to be sent. */
static void
put_rows(void)
{
	for (size_t i = 0; i < UNIT_COUNT(if_range_rows); i++) {
		put_string(if_range_rows[i].lines, '\t');
		printf("%d\n", if_range_rows[i].holds);
	}
}
#endif

int
main(void)
{
	put_rows();
	if (unit.failures > 0 || fflush(stdout) != 0)
		return EXIT_FAILURE;
	return EXIT_SUCCESS;
}
