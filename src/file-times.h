/*
 * file-times: what the times of files tell of their contents.
 */
#ifndef FILE_TIMES_H
#define FILE_TIMES_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* What stat(2) reports of a file, as far as it is used. */
struct file_facts {
	uint64_t size;
	uint64_t inode;
	int64_t modified; /* st_mtim, seconds since 1970 */
	uint32_t modified_ns;
	int64_t changed; /* st_ctim */
	uint32_t changed_ns;
};

struct stat;
struct file_facts file_facts_of(const struct stat *st);

/*
 * Whether a file or directory that changed at that time would get another time
 * if it changed again now: that is so a second later.  A time without a
 * fraction of a second is from a file system that may count in steps of two
 * seconds, as FAT does, and takes that long.
 */
bool change_is_settled(int64_t seconds, int64_t ns, const struct timespec *now);

/*
 * Whether a precompressed variant holds the content of a file, by what their
 * times say: both were given one date and copied together; or the variant was
 * written after the file.  A date without a fraction of a second was set by a
 * program that keeps none: it counts as any moment of its second.
 */
bool variant_is_current(
    const struct file_facts *variant, const struct file_facts *file);

#endif
