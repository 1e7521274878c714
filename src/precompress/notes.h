/*
 * notes: what httpd-precompress has made in a directory, in a hidden file
 * there, so that it replaces and removes nothing else.
 *
 * A file of notes belongs to whoever writes it, or to the owner of its
 * directory, has one name, and nobody else may write it who may not rename
 * files there.  Any other file of that name is an error: its notes could be
 * somebody's who wants a file gone.
 *
 * notes = *( KIND SP SIZE SP CRC SP NAME %x00 )
 * KIND = "v" / "n"; SIZE and CRC are decimal
 */
#ifndef NOTES_H
#define NOTES_H

#include "compress.h"

#include <stdbool.h>
#include <stddef.h>

enum note_kind {
	NOTE_VARIANT = 'v', /* a variant was made: its fingerprint */
	NOTE_NOT_WORTH = 'n', /* none is: the fingerprint of the plain file */
};

struct note {
	enum note_kind kind;
	struct fingerprint print;
	const char *name; /* of the variant */
};

struct notes {
	struct note *all; /* sorted by name */
	size_t count;
	char *block; /* what the names point into */
	bool has_surplus; /* records that are malformed or there twice */
};

/*
 * Reads the notes of a directory; none if there is no file.  false with errno:
 * it cannot be read, or is not one of ours (EPERM).  notes_free() gives the
 * memory back.
 */
bool notes_read(int dir, struct notes *ret_notes);
void notes_free(struct notes *notes);

/* Whether there is such a note. */
bool notes_have(const struct notes *notes, enum note_kind kind,
    const char *name, struct fingerprint print);

/* Adds a note to the file, in one write.  false with errno if that failed. */
bool notes_add(
    int dir, enum note_kind kind, const char *name, struct fingerprint print);

/*
 * Replaces the file by one with these notes, or removes it if there are none.
 * Nobody may add notes meanwhile.  false with errno: it is as it was.
 */
bool notes_replace(int dir, const struct notes *notes);

#endif
