/*
 * cache: the variants of a file, and the last few that a connection asked for,
 * which stay open.
 *
 * A persistent connection, above all a proxy's, requests the same files again
 * and again.  Opening a path that cannot leave the root, and looking for its
 * precompressed variants, takes six system calls; checking that nothing has
 * changed takes two.
 */
#ifndef CACHE_H
#define CACHE_H

#include "codings.h"
#include "file-times.h"

/* The number of entries, and the size of a path with its NUL. */
#define CACHE_ENTRIES 16
#define CACHE_PATH_CAP 512

/* After this many misses, one file in CACHE_SAMPLE is cached. */
#define CACHE_MISSES_MAX 16
#define CACHE_SAMPLE 8

/* A file, open for reading. */
struct open_file {
	int fd;
	struct file_facts facts;
	uint64_t device; /* st_dev */
};

/* A file in each content coding in which it exists. */
struct variants {
	unsigned available; /* bits of 1 << coding */
	bool
	    is_compressed; /* the file itself is; variants are not looked for */
	bool has_unusable_variant; /* one is outdated or not a file */
	unsigned outdated; /* bits of those with other content */
	struct open_file by_coding[CODING_NONE];
};

/* Closes the available ones. */
void variants_close(const struct variants *s);

/* Identifies a state of a directory. */
struct directory_state {
	uint64_t device;
	uint64_t inode;
	struct timespec changed;
};

/* Starts as zero. */
struct file_cache {
	struct cache_entry {
		char path[CACHE_PATH_CAP]; /* empty: the entry is free */
		struct directory_state directory;
		struct variants variants;
		unsigned long seen; /* the epoch in which it was last checked */
	} entries[CACHE_ENTRIES];
	unsigned long io_epoch; /* set by the caller; see cache_find() */
	unsigned next; /* the entry to be replaced next */
	unsigned misses; /* entries added, less entries found again */
	unsigned skipped; /* files not cached because of misses */
};

/*
 * Returns the entry for a path beneath the directory `root` if opening the path
 * again would find the same files: neither its directory, and so the names of
 * the file and its variants, nor these files have changed.  Otherwise returns
 * NULL.  The cache owns the result, which is valid until the next call of
 * cache_add() or cache_clear().
 *
 * An entry that was checked in the current I/O epoch is not checked again:
 * every request of the epoch had arrived by then.
 *
 * One change goes unnoticed: a directory further up is moved out of the root
 * and a symbolic link to it takes its place.
 */
const struct variants *cache_find(
    struct file_cache *cache, int root, const char *path);

/*
 * Adds what was found for a path; the cache then owns it.  Returns false, and
 * adds nothing, if the path is too long; if a name of the file is a symbolic
 * link; if a variant exists but is not available, since its directory may not
 * show when it becomes so; or if the directory or a file changed so shortly
 * before `now` that its time may not show the next change
 * (change_is_settled()).
 *
 * Adding a file takes some system calls, so when every request is for a
 * different file only one file in CACHE_SAMPLE is added, to notice when that
 * ends.
 */
bool cache_add(struct file_cache *cache, int root, const char *path,
    const struct variants *s, const struct timespec *now);

/* Closes all entries.  Returns false if there were none. */
bool cache_clear(struct file_cache *cache);

#endif
