/*
 * codings: which content coding a client wants (RFC 9110 12.5.3).
 */
#ifndef CODINGS_H
#define CODINGS_H

#include "parse.h"

/* In the order in which they are preferred where the client does not mind. */
enum coding { CODING_BR, CODING_ZSTD, CODING_GZIP, CODING_IDENTITY };
#define CODINGS_STORED 3 /* all but identity */
#define CODING_SUFFIX_MAX 4

/* Nothing that the client accepts is there. */
#define CODING_NONE (CODING_IDENTITY + 1)

/* The coding's name in Content-Encoding, and its file's suffix with the dot. */
struct slice coding_name(enum coding coding);
const char *coding_suffix(enum coding coding);

/*
 * The coding to send, of identity and those whose bit (1 << coding) is set in
 * `available`; CODING_NONE where none of them is acceptable.
 */
unsigned codings_choose(const struct request *r, unsigned available);

#endif
