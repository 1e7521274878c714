/*
 * Media types of files.
 */
#ifndef TYPES_H
#define TYPES_H

#include "slice.h"

/*
 * The media type for a file name, by what follows its last dot, in any case;
 * application/octet-stream where that says nothing (RFC 9110 8.3: a type that
 * is not known is better not guessed).  The result is a constant.
 */
struct slice type_of_name(struct slice name);

/*
 * Whether files of the type are compressed in themselves, so that compressed
 * neighbours of theirs are not looked for.
 */
bool type_is_compressed(struct slice type);

/* Whether a charset parameter belongs to the type. */
bool type_is_text(struct slice type);

#endif
