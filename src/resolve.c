/*
 * resolve: the only code that names a file.
 */
#define _GNU_SOURCE
#include "resolve.h"

#include "beneath.h"
#include "insist.h"
#include "types.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * O_NONBLOCK: a FIFO in the tree must not hold us up before it is seen to be
 * one.  (Its writer sees a reader come and go: to look first would cost every
 * file a call more.)  Of regular files it makes a difference to one that
 * somebody has leased, such as a file server for a client that writes it:
 * opening that fails at once, and has the kernel ask for the lease back.
 * O_LARGEFILE: openat2 leaves it to its caller, also on a 32-bit system.
 */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_LARGEFILE)

#define RULES_NAME "_redirects" /* at the root */

int
site_open(struct site *site, const char *directory, enum variants_mode variants)
{
	/* musl's open() would make a second call for O_CLOEXEC. */
	int fd = openat(AT_FDCWD, directory, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno;
	if (faccessat(fd, ".", X_OK, 0) != 0) {
		int error = errno;

		close(fd);
		return error;
	}
	*site = (struct site){
		.root = fd,
		.directory = directory,
		.variants = variants,
	};
	return 0;
}

bool
site_is_current(const struct site *site, bool is_root)
{
	struct stat open, named;

	if (fstatat(site->root, "", &open, AT_EMPTY_PATH) != 0)
		return false;
	/* Without a flag, musl makes another system call of it (sandbox.c). */
	if (fstatat(AT_FDCWD, site->directory, &named, AT_NO_AUTOMOUNT) != 0)
		return is_root && errno == EACCES;
	return open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

/* What a failure to open says about the request. */
static enum verdict
verdict_of_error(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case EILSEQ:
		return NOT_FOUND;
	case ELOOP:
	case EXDEV:
		return OUTSIDE;
	case ENXIO:
	case ENODEV:
		return NOT_REGULAR;
	case EACCES:
	case EPERM:
		return FORBIDDEN;
	case EAGAIN:
		return FILE_BUSY;
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return OUT_OF_RESOURCES;
	default:
		return FILE_ERROR;
	}
}

void
target_reset(struct target *t)
{
	t->file = -1;
	t->is_cached = false;
	t->coding = CODING_IDENTITY;
	t->varies = false;
	t->outdated = 0;
	t->path.len = 0;
	t->bad_rule.line = 0;
}

void
target_close(struct target *t)
{
	if (t->file >= 0 && !t->is_cached)
		close(t->file);
	t->file = -1;
}

/*
 * Whether a path names a directory; "" is the root.  errno tells why it does
 * not.
 */
static bool
is_directory(const struct site *site, const char *path)
{
	if (*path == '\0')
		return true;
	int fd =
	    open_beneath(site->root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * What a path that may not be read is: a directory all the same, since in the
 * sandbox none may be, or nothing at all by now.
 */
static enum verdict
verdict_of_unreadable(const struct site *site, const char *path)
{
	if (is_directory(site, path))
		return SLASH_MISSING;
	return errno == ENOTDIR ? FORBIDDEN : verdict_of_error(errno);
}

/*
 * Whether a file is the tree's rules, under whatever name it was found: a hard
 * or symbolic link, or a name that the file system takes for the same (another
 * case, a short name, dots at the end); where the rules are a link themselves,
 * the name of what it leads to.
 */
static bool
is_rules(const struct site *site, const struct open_file *f)
{
	struct stat st;

	if (fstatat(site->root, RULES_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	if (S_ISLNK(st.st_mode)) {
		int fd =
		    open_beneath(site->root, RULES_NAME, O_PATH | O_CLOEXEC);
		bool is_known = fd >= 0 && fstat(fd, &st) == 0;

		if (fd >= 0)
			close(fd);
		if (!is_known)
			return false;
	}
	return st.st_dev == f->device && st.st_ino == f->facts.inode;
}

/*
 * Opens a file and asks what it is.  FOUND: it is a regular file;
 * SLASH_MISSING: it is a directory.
 */
static enum verdict
open_regular(
    const struct site *site, const char *path, struct open_file *ret_file)
{
	struct stat st;
	int fd = open_beneath(site->root, path, OPEN_FLAGS);

	if (fd < 0) {
		enum verdict refusal = verdict_of_error(errno);

		return refusal == FORBIDDEN ?
		    verdict_of_unreadable(site, path) :
		    refusal;
	}
	enum verdict v = fstat(fd, &st) != 0 ? FILE_ERROR :
	    S_ISREG(st.st_mode)              ? FOUND :
	    S_ISDIR(st.st_mode)              ? SLASH_MISSING :
					       NOT_REGULAR;
	if (v != FOUND) {
		close(fd);
		return v;
	}
	*ret_file = (struct open_file){
		.fd = fd,
		.facts = file_facts_of(&st),
		.device = st.st_dev,
	};
	return FOUND;
}

/* The same for what clients may see; HIDDEN: it is the tree's rules. */
static enum verdict
open_public(
    const struct site *site, const char *path, struct open_file *ret_file)
{
	enum verdict v = open_regular(site, path, ret_file);

	if (v == FOUND && is_rules(site, ret_file)) {
		close(ret_file->fd);
		return HIDDEN;
	}
	return v;
}

/* Whether there is something by that name; cheaper than a failure to open. */
static bool
is_there(const struct site *site, const char *path)
{
	struct stat st;

	return fstatat(site->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Whether a file could not be looked for, so that a response must wait. */
static bool
is_unknown(enum verdict v)
{
	return v == OUT_OF_RESOURCES || v == FILE_BUSY;
}

/*
 * Opens a file, and its precompressed variants.  The name at `path` is put
 * back.
 */
static enum verdict
open_variants(const struct site *site, char *path, struct variants *ret_stored)
{
	struct variants *s = ret_stored;
	struct open_file *identity = &s->by_coding[CODING_IDENTITY];
	char *end = path + strlen(path);
	enum verdict v = open_public(site, path, identity);

	if (v != FOUND)
		return v;
	s->available = 1u << CODING_IDENTITY;
	s->has_unusable_variant = false;
	s->outdated = 0;
	s->is_compressed = type_is_compressed(type_of_name(slice_of(path)));
	if (s->is_compressed || site->variants == VARIANTS_OFF)
		return FOUND;
	for (unsigned i = 0; i < CODINGS_STORED; i++) {
		struct open_file *f = &s->by_coding[i];
		const char *suffix = coding_suffix((enum coding)i);

		memcpy(end, suffix, strlen(suffix) + 1);
		if (!is_there(site, path))
			continue;
		v = open_public(site, path, f);
		if (is_unknown(v))
			break;
		if (v == FOUND &&
		    (site->variants == VARIANTS_ANY ||
			variant_is_current(&f->facts, &identity->facts))) {
			s->available |= 1u << i;
			continue;
		}
		s->has_unusable_variant = true;
		if (v == FOUND) {
			s->outdated |= 1u << i;
			close(f->fd);
		}
	}
	*end = '\0';
	if (is_unknown(v)) {
		variants_close(s);
		return v;
	}
	return FOUND;
}

/* Makes one file of those that are there the representation. */
static void
choose_file(const struct variants *s, unsigned chosen, struct target *t)
{
	insist(t->file < 0);
	t->file = s->by_coding[chosen].fd;
	t->facts = s->by_coding[chosen].facts;
	t->coding = (enum coding)chosen;
}

/* Opens the file of that name, in the coding that suits the client best. */
static enum verdict
open_named(const struct site *site, struct file_cache *cache,
    const struct request *r, const struct timespec *now, char *path,
    struct target *t)
{
	const struct variants *s =
	    cache == NULL ? NULL : cache_find(cache, site->root, path);
	struct variants opened = { 0 };

	t->is_cached = s != NULL;
	if (s == NULL) {
		enum verdict v = open_variants(site, path, &opened);

		if (v != FOUND)
			return v;
		s = &opened;
		t->is_cached =
		    cache != NULL && cache_add(cache, site->root, path, s, now);
	}

	unsigned chosen = s->is_compressed ? CODING_IDENTITY :
					     codings_choose(r, s->available);
	t->varies = s->available != 1u << CODING_IDENTITY;
	t->outdated = s->outdated;
	if (chosen != CODING_NONE)
		choose_file(s, chosen, t);
	if (!t->is_cached) {
		opened.available &= ~(1u << chosen);
		variants_close(&opened);
	}
	return chosen == CODING_NONE ? NOT_ACCEPTABLE : FOUND;
}

static enum verdict
open_path(const struct site *site, struct file_cache *cache,
    const struct request *r, const struct timespec *now, struct target *t)
{
	struct path *p = &t->path;
	size_t len = p->len;

	/* The name is used with its index, and put back. */
	const char *index = target_index(p);
	memcpy(p->name + len, index, strlen(index) + 1);
	enum verdict v = open_named(site, cache, r, now, p->name, t);
	p->name[len] = '\0';
	if (p->ends_in_slash && v == SLASH_MISSING)
		return NOT_REGULAR; /* index.html is a directory */
	if (p->ends_in_slash && v == NOT_FOUND && is_directory(site, p->name))
		return NO_INDEX;
	return v;
}

/* Asks the tree's _redirects about a path that no file answers. */
static enum verdict
find_rule(const struct site *site, struct target *t)
{
	struct open_file rules = { .fd = -1 };
	enum verdict v = open_regular(site, RULES_NAME, &rules);

	if (v != FOUND) {
		/* Rules that nobody may read are the operator's mistake. */
		return v == FORBIDDEN ? FILE_ERROR :
		    v == SLASH_MISSING || verdict_status(v) == 404 ? NOT_FOUND :
								     v;
	}
	v = redirects_search(rules.fd,
	    (struct slice){ t->path.name, t->path.len }, &t->redirects,
	    &t->bad_rule);
	close(rules.fd);
	return v;
}

/*
 * Makes the tree's own page for a 404 the representation, if it has one.
 * PROCEED, or why it could not be looked for.
 */
static enum verdict
open_page(const struct site *site, struct target *t)
{
	struct open_file page = { .fd = -1 };
	enum verdict v = open_public(site, "404.html", &page);

	if (v == FOUND) {
		t->file = page.fd;
		t->facts = page.facts;
	}
	return is_unknown(v) ? v : PROCEED;
}

static enum verdict
look_up(const struct site *site, struct file_cache *cache,
    const struct request *r, const struct timespec *now, struct target *t)
{
	enum verdict v = target_decode_path(r->path, &t->path);
	bool is_canonical = v == PROCEED || v == HIDDEN;

	if (v == PROCEED)
		v = open_path(site, cache, r, now, t);
	if (verdict_status(v) == 404 && is_canonical) {
		enum verdict ruled = find_rule(site, t);

		if (ruled != NOT_FOUND)
			v = ruled;
	}
	enum verdict page =
	    verdict_status(v) == 404 ? open_page(site, t) : PROCEED;
	return page == PROCEED ? v : page;
}

enum verdict
resolve_target(const struct site *site, struct file_cache *cache,
    const struct request *r, const struct timespec *now,
    struct target *ret_target)
{
	struct target *t = ret_target;
	enum verdict v = look_up(site, cache, r, now, t);

	/* Cached files give way to the one that is requested. */
	if (v == OUT_OF_RESOURCES && cache != NULL && cache_clear(cache)) {
		target_reset(t);
		v = look_up(site, NULL, r, now, t);
	}
	return v;
}
