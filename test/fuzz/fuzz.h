/*
 * What the fuzz targets share: a requirement, and how an input is taken apart.
 *
 * A target is a function from bytes to nothing.  It feeds the bytes to the
 * code and requires what must be true of the result; a requirement that does
 * not hold ends the process, which is how a fuzzer learns of it.
 *
 * The rules that results are held against are put down in the targets once
 * more, from the RFCs and the contracts in the headers, without the helpers
 * of the code that is looked at.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include "slice.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define require(condition) \
	((condition) ? (void)0 : require_failed(__FILE__, __LINE__, #condition))

_Noreturn static inline void
require_failed(const char *file, int line, const char *condition)
{
	fprintf(
	    stderr, "%s:%d: it is required that %s\n", file, line, condition);
	abort();
}

/*
 * An input: text, then decisions, then a byte that says how many decisions there are.
 * What a mutation puts into the text moves nothing else, and a decision that is
 * not there is 0, which means that nothing is odd.
 */
struct fuzz_input {
	struct slice text;
	struct slice decisions;
};

static inline struct fuzz_input
fuzz_input(const uint8_t *data, size_t size)
{
	const char *bytes = (const char *)data;

	if (size == 0)
		return (struct fuzz_input){ { "", 0 }, { "", 0 } };
	size_t count = data[size - 1];
	if (count > size - 1)
		count = size - 1;
	return (struct fuzz_input){
		.text = { bytes, size - 1 - count },
		.decisions = { bytes + size - 1 - count, count },
	};
}

/* The next decision, as a number below n; 0 when there are no more. */
static inline unsigned
fuzz_decide(struct slice *decisions, unsigned n)
{
	if (decisions->len == 0)
		return 0;
	unsigned decision = (unsigned char)decisions->ptr[0];
	*decisions = slice_after(*decisions, 1);
	return decision % n;
}

/* The next eight decisions as a number. */
static inline uint64_t
fuzz_number(struct slice *decisions)
{
	uint64_t n = 0;

	for (int i = 0; i < 8; i++)
		n = n << 8 | fuzz_decide(decisions, 256);
	return n;
}

/* A copy with nothing around it that may be touched; the caller frees it. */
static inline struct slice
fuzz_copy(struct slice s)
{
	char *copy = malloc(s.len);

	require(copy != NULL || s.len == 0);
	if (s.len > 0)
		memcpy(copy, s.ptr, s.len);
	return (struct slice){ copy, s.len };
}

static inline void
fuzz_free(struct slice s)
{
	free((void *)(uintptr_t)s.ptr);
}

/* The lines of a text, of which the last may have no end. */
static inline size_t
fuzz_lines(struct slice s)
{
	size_t lines = 1;

	for (size_t i = 0; i < s.len; i++)
		lines += s.ptr[i] == '\n';
	return lines;
}

/* Whether a slice lies in another. */
static inline bool
fuzz_lies_in(struct slice inner, struct slice outer)
{
	return inner.len == 0 ||
	    (inner.ptr >= outer.ptr &&
		inner.ptr + inner.len <= outer.ptr + outer.len);
}

#endif
