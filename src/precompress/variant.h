/*
 * variant: one precompressed variant of a file: its name, and how it is known
 * again, made and removed.
 *
 * Every function works on names of the worker's directory and on descriptors,
 * so that a directory or a name that is replaced meanwhile leads nowhere else.
 */
#ifndef VARIANT_H
#define VARIANT_H

#include "worker.h"

#include <sys/stat.h>

/* A smaller file is not worth a variant: its response is one packet anyway. */
#define PLAIN_SIZE_MIN 150

/* Names of files that the program makes for a moment. */
#define NEW_PREFIX ".precompress-new-"
#define OLD_PREFIX ".precompress-old-"

/* Room for the name of a variant. */
#define VARIANT_NAME_CAP (NAME_MAX + CODING_SUFFIX_MAX + 1)

/* Writes the name of a variant of `name` into ret_name[VARIANT_NAME_CAP]. */
void variant_name(const char *name, enum coding coding, char *ret_name);

/*
 * Opens a regular file for reading, not through a link, and without waiting
 * for anything else.  -1 with errno; EINVAL: it is not a regular file.
 */
int variant_open(int dir, const char *name, struct stat *ret_st);

/* Whether there is a regular file `name` with this fingerprint. */
bool variant_is(int dir, const char *name, struct fingerprint print);

enum removal {
	REMOVED,
	NOT_OURS, /* it has another fingerprint, or is gone; it stays */
	SET_ASIDE, /* as NOT_OURS, but it has a name with OLD_PREFIX now */
	REMOVAL_FAILED, /* with errno */
};

/* What is said of SET_ASIDE. */
#define SET_ASIDE_SENTENCE \
	"was replaced twice meanwhile; the first of the two files is kept under a " \
	"name that begins with " OLD_PREFIX

/*
 * Removes the file `name` if it has this fingerprint.  It is looked at once
 * more under a name at which nobody else writes, so that what somebody puts
 * there meanwhile is not lost.  Such a file gets its name back; SET_ASIDE: yet
 * another one has that name.
 */
enum removal variant_remove(
    int dir, const char *name, struct fingerprint print);

/* Whether httpd sends a variant for its plain file, by their times. */
bool variant_is_sent(const struct stat *variant, const struct stat *plain);

/*
 * Whether it is sent, and has the owner and mode of its plain file, as far as
 * this process can give them.
 */
bool variant_resembles(const struct stat *variant, const struct stat *plain);

/* Gives them to an open variant.  false with errno if that is not possible. */
bool variant_make_resemble(int fd, const struct stat *plain);

/* Makes the variant of a file and reports what became of it: a job. */
void variant_make(const struct worker *w, const struct report *job);

#endif
