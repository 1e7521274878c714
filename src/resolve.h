/*
 * resolve: finds what answers a request beneath the document root.
 */
#ifndef RESOLVE_H
#define RESOLVE_H

#include "codings.h"
#include "parse.h"
#include "redirects.h"
#include "cache.h"
#include "target.h"

#include <stdint.h>

/* Which precompressed variants are sent, in the order of --variants. */
enum variants_mode {
	VARIANTS_AUTO, /* those whose times say that they hold its content */
	VARIANTS_ANY,
	VARIANTS_OFF,
};

/* The document root, open for the life of the process, and its policy. */
struct site {
	int root; /* an O_PATH descriptor of the directory */
	const char *directory; /* its name, as the operator gave it */
	enum variants_mode variants;
};

/* What was found.  One per connection, used again for each request. */
struct target {
	struct redirects redirects; /* with the rule, if REDIRECTED */
	struct path path;
	int file; /* the representation, open for reading; -1 if none */
	bool is_cached; /* it is the cache's */
	struct file_facts facts; /* of that file */
	enum coding coding; /* in which it is stored */
	bool varies; /* it is there in other codings too */
	unsigned
	    outdated; /* bits of 1 << coding: variants of another content */
	struct bad_rule bad_rule; /* that was met in redirects */
};

/*
 * Opens the document root, whose name is kept.  0, or the errno value that
 * tells why it cannot be entered.
 */
int site_open(
    struct site *site, const char *directory, enum variants_mode variants);

/*
 * Whether the name of the document root still means the directory that is open.
 * false where another one has taken its place, by a link that was switched for
 * example, and where the name cannot be resolved.  Two system calls.
 * `is_root`: the process is root's, which may have opened by its capabilities
 * what it has no right to search without them.  Then true where it may not.
 */
bool site_is_current(const struct site *site, bool is_root);

/*
 * Finds what answers a request.  FOUND: ret_target->file is open: the file
 * itself, or the neighbour in the coding that suits the client best.
 * NOT_ACCEPTABLE: none of them suits.  SLASH_MISSING: the path names a
 * directory.  REDIRECTED: ret_target->redirects.rule says where to.  FILE_BUSY:
 * somebody has a lease on a file that is needed, and has been told to give it
 * back: it may be asked for again a little later, after target_reset().  Any
 * other verdict is a refusal or failure; for one with status 404 the file is
 * the tree's own 404.html, if it has one.
 *
 * Every file is opened beneath the root, whatever links the tree holds.  The
 * caller has called target_reset(), and closes the file by target_close().
 *
 * The cache is searched first, and what is found may be added to it; NULL:
 * there is no cache.  `now` is the calendar clock.
 */
enum verdict resolve_target(const struct site *site, struct file_cache *cache,
    const struct request *r, const struct timespec *now,
    struct target *ret_target);

/* Makes a target that holds nothing. */
void target_reset(struct target *t);

void target_close(struct target *t);

#endif
