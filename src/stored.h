/*
 * stored: a file as it is stored, in one or several content codings, and the
 * last few of them that a connection was asked for, kept open.
 *
 * A kept connection is asked for the same files over and over, by a proxy above
 * all.  Opening one by a path that cannot leave the root, and looking for its
 * neighbours in other codings, costs six system calls; to see that nothing
 * has changed since takes two.
 */
#ifndef STORED_H
#define STORED_H

#include "codings.h"
#include "file-times.h"

/* How many files are kept, and how long the path of such a file may be. */
#define STORE_ENTRIES 16
#define STORE_PATH_CAP 512

/* After so many in vain, of how many files one is tried to be kept. */
#define STORE_PATIENCE 16
#define STORE_SAMPLE 8

/* One file, open for reading. */
struct stored_file {
	int fd;
	struct file_facts facts;
	uint64_t device; /* st_dev, where the inode is this file's alone */
};

/* The codings in which a file is there. */
struct stored {
	unsigned available; /* bits of 1 << coding */
	bool is_compressed; /* in itself: neighbours are not looked for */
	bool may_grow; /* a neighbour is there that is outdated or no file */
	unsigned outdated; /* bits of those that are of another content */
	struct stored_file by_coding[CODING_NONE];
};

/* Closes what is available. */
void stored_close(const struct stored *s);

/* What tells one state of a directory from another. */
struct directory_state {
	uint64_t device;
	uint64_t inode;
	struct timespec changed;
};

/* The files that are kept; starts as zero. */
struct store {
	struct store_entry {
		char path[STORE_PATH_CAP]; /* empty: nothing is kept here */
		struct directory_state directory;
		struct stored stored;
		unsigned long seen; /* the epoch in which it was last checked */
	} entries[STORE_ENTRIES];
	unsigned long io_epoch; /* set by the caller; see store_find() */
	unsigned next; /* the entry that makes room for another */
	unsigned in_vain; /* so many more were tried than found again */
	unsigned passed_over; /* not tried, since too many were in vain */
};

/*
 * What is kept for a path beneath the directory `root`, if opening it again
 * would find the same: the directory that holds it has not changed, so its
 * name, and those of its neighbours, still mean the same files; and nor have
 * these.  NULL otherwise.  The store goes on owning it, until the next call of
 * store_keep() or store_drop().
 *
 * An entry checked in the current epoch is not checked again: a request that had
 * arrived by then is answered as things were after its arrival.
 *
 * One change goes unseen: a directory above that moves out of the root while a
 * symbolic link to it takes its place.
 */
const struct stored *store_find(
    struct store *store, int root, const char *path);

/*
 * Keeps what was found for a path, and owns it from then on.  false, and
 * nothing is kept: where the path is long, or a name of the file is a symbolic
 * link; where a neighbour is there but not available, since its directory may
 * not tell when it becomes so; or where the directory or a file changed so
 * shortly before `now` that its time may not tell of the next change
 * (change_is_settled()).
 * To keep a file costs some system calls, so of a connection that is asked for
 * ever other files only one in STORE_SAMPLE is tried, to see when that changes.
 */
bool store_keep(struct store *store, int root, const char *path,
    const struct stored *s, const struct timespec *now);

/* Closes all that is kept.  false: nothing was. */
bool store_drop(struct store *store);

#endif
