/*
 * ranges: which bytes of a representation a client wants (RFC 9110 14).
 */
#ifndef RANGES_H
#define RANGES_H

#include "slice.h"

#include <stdint.h>

/*
 * Of more ranges than this in one request none is honoured (17.15).  zchunk and
 * librepo ask for 255 at a time.
 */
#define RANGES_MAX 256

struct range {
	uint64_t first;
	uint64_t len;
};

struct ranges {
	size_t count;
	struct range list[RANGES_MAX];
};

enum ranges_result {
	RANGES_IGNORED, /* the whole representation is the answer */
	RANGES_SATISFIABLE,
	RANGES_NOT_SATISFIABLE,
};

/*
 * Reads the value of a Range field for a representation of `size` bytes.  One
 * of an empty representation is ignored: a client that resumes a download of it
 * has all of it.
 * RANGES_SATISFIABLE: *ret_ranges holds those that lie in it, at least one.
 * They do not overlap: those that overlapped or nearly touched have been
 * joined.  Otherwise they are in the order of the field (15.3.7.2).  It takes
 * at most 2 * RANGES_MAX * RANGES_MAX comparisons of two ranges, and far fewer
 * where they ascend, as those of most clients do.
 */
enum ranges_result ranges_parse(
    struct slice value, uint64_t size, struct ranges *ret_ranges);

#endif
