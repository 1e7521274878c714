/*
 * compress: the three content codings of precompressed variants, each at its
 * strongest level, and the way back.
 *
 * Files are read in pieces from their start, whatever the descriptor's offset,
 * so that memory does not grow with them, but for gzip by zopfli.
 */
#ifndef COMPRESS_H
#define COMPRESS_H

#include "../codings.h"

#include <stdbool.h>
#include <stdint.h>

/* By this a file is known again: its length, and the CRC-32 of its content. */
struct fingerprint {
	uint64_t size;
	uint32_t crc;
};

enum compress_result {
	COMPRESS_DONE,
	COMPRESS_TOO_LARGE, /* the output would pass its limit */
	COMPRESS_DIFFERS, /* decompressed, it is not the other file */
	COMPRESS_READ_FAILED, /* with errno, as those that follow */
	COMPRESS_WRITE_FAILED,
	COMPRESS_NO_MEMORY,
};

/*
 * Writes the content of `plain`, of `size` bytes, compressed, to `out`, which
 * is empty.  *ret_print is that of what was written.  COMPRESS_TOO_LARGE: that
 * would be more than `limit` bytes.
 */
enum compress_result compress_file(enum coding coding, int plain, uint64_t size,
    int out, uint64_t limit, struct fingerprint *ret_print);

/*
 * Whether `variant`, decompressed, has the bytes of `plain`: COMPRESS_DONE or
 * COMPRESS_DIFFERS.  A file in another format, one that is cut short and one
 * with bytes after the end of its stream all differ.
 */
enum compress_result compress_compare(
    enum coding coding, int variant, int plain);

/* COMPRESS_DONE or COMPRESS_READ_FAILED. */
enum compress_result compress_fingerprint(
    int fd, struct fingerprint *ret_print);

#endif
