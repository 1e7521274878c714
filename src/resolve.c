/*
 * resolve: the only code that names a file.
 *
 * openat2 lets the kernel see to it that no path leaves the document root,
 * by "..", symbolic link or mount trickery, without a check that could be
 * raced.  Symbolic links that stay inside are followed.  Kernels before 5.6,
 * and sandboxes that do not know openat2, get a walk that opens one segment
 * after another and follows no symbolic link at all.
 */
#define _GNU_SOURCE
#include "resolve.h"

#include "insist.h"
#include "types.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * O_NONBLOCK: a FIFO in the tree must not hold us up before it is seen to be
 * one.  (Its writer sees a reader come and go: to look first would cost every
 * file a call more.)  It makes no difference to a regular file.
 * O_LARGEFILE: openat2 leaves it to its caller, also on a 32-bit system.
 */
#define OPEN_FLAGS (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_LARGEFILE)

/* openat2 says EAGAIN when a rename somewhere raced with a ".." in a link. */
#define RACE_RETRIES 8

int
site_open(struct site *site, const char *directory)
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
	site->root = fd;
	return 0;
}

static int
open_by_openat2(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd, tries = 0;

	do {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	} while (fd < 0 &&
	    (errno == EINTR || (errno == EAGAIN && ++tries < RACE_RETRIES)));
	return fd;
}

/* Opens a segment of a path, which ends at `end`, without following it. */
static int
open_segment(int dir, const char *segment, size_t len, int flags)
{
	char name[256];

	if (len >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, segment, len);
	name[len] = '\0';
	return openat(dir, name, flags | O_NOFOLLOW);
}

/* The path is canonical: no empty segment, no "..", no slash in front. */
static int
open_by_walking(int root, const char *path, int flags)
{
	int dir = root;

	for (;;) {
		const char *slash = strchr(path, '/');
		int fd = slash == NULL ?
		    open_segment(dir, path, strlen(path), flags) :
		    open_segment(dir, path, (size_t)(slash - path),
			O_PATH | O_DIRECTORY | O_CLOEXEC);
		int error = errno;

		if (dir != root)
			close(dir);
		if (fd < 0 || slash == NULL) {
			errno = error;
			return fd;
		}
		dir = fd;
		path = slash + 1;
	}
}

static int
open_beneath(int root, const char *path, int flags)
{
	int fd = open_by_openat2(root, path, flags);

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open_by_walking(root, path, flags);
	return fd;
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
	t->coding = CODING_IDENTITY;
	t->varies = false;
	t->path.len = 0;
	t->bad_rule.line = 0;
}

void
target_close(struct target *t)
{
	if (t->file >= 0)
		close(t->file);
	t->file = -1;
}

/*
 * What a path that may not be read is: a directory all the same, since in the
 * sandbox none may be, or nothing at all by now.
 */
static enum verdict
verdict_of_unreadable(const struct site *site, const char *path)
{
	int fd =
	    open_beneath(site->root, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOTDIR ? FORBIDDEN : verdict_of_error(errno);
	close(fd);
	return SLASH_MISSING;
}

/*
 * Opens a file and asks what it is.  FOUND: *ret_fd is a regular file's;
 * SLASH_MISSING: it is a directory.
 */
static enum verdict
open_regular(const struct site *site, const char *path, int *ret_fd,
    struct file_facts *ret_facts)
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
	*ret_fd = fd;
	*ret_facts = (struct file_facts){
		.size = (uint64_t)st.st_size,
		.inode = st.st_ino,
		.modified = st.st_mtim.tv_sec,
		.modified_ns = (uint32_t)st.st_mtim.tv_nsec,
	};
	return FOUND;
}

/* Opens `path` as the answer's representation. */
static enum verdict
open_file(const struct site *site, const char *path, struct target *t)
{
	insist(t->file < 0);
	return open_regular(site, path, &t->file, &t->facts);
}

/*
 * Whether a date is before another.  One without a fraction of a second was
 * set by a program that keeps none: it counts as any moment of its second.
 */
static bool
is_older(const struct file_facts *a, const struct file_facts *b)
{
	if (a->modified != b->modified)
		return a->modified < b->modified;
	return a->modified_ns != 0 && a->modified_ns < b->modified_ns;
}

/*
 * Looks for neighbours of the file that hold it in another coding, and makes
 * the one that suits the client best the representation.  One that is older
 * than the file is what is left of an earlier state of it.  The path is put
 * back.
 */
static enum verdict
choose_coding(const struct site *site, const struct request *r,
    struct target *t, char *end_of_path)
{
	struct {
		int fd;
		struct file_facts facts;
	} stored[CODINGS_STORED] = { 0 };
	unsigned available = 0;

	for (unsigned i = 0; i < CODINGS_STORED; i++) {
		const char *suffix = coding_suffix((enum coding)i);

		memcpy(end_of_path, suffix, strlen(suffix) + 1);
		if (open_regular(site, t->path.name, &stored[i].fd,
			&stored[i].facts) != FOUND)
			continue;
		if (is_older(&stored[i].facts, &t->facts))
			close(stored[i].fd);
		else
			available |= 1u << i;
	}
	*end_of_path = '\0';

	unsigned chosen = codings_choose(r, available);
	for (unsigned i = 0; i < CODINGS_STORED; i++) {
		if ((available & 1u << i) == 0)
			continue;
		if (i != chosen) {
			close(stored[i].fd);
			continue;
		}
		close(t->file);
		t->file = stored[i].fd;
		t->facts = stored[i].facts;
		t->coding = (enum coding)i;
	}
	t->varies = available != 0;
	if (chosen != CODING_NONE)
		return FOUND;
	target_close(t);
	return NOT_ACCEPTABLE;
}

static enum verdict
open_path(const struct site *site, const struct request *r, struct target *t)
{
	struct path *p = &t->path;
	size_t len = p->len;

	if (p->ends_in_slash) {
		/* The name is used with its index, and put back. */
		const char *index = len > 0 ? "/index.html" : "index.html";
		insist(len + sizeof("/index.html.zst") <= sizeof(p->name));
		memcpy(p->name + len, index, strlen(index) + 1);
	}
	enum verdict v = open_file(site, p->name, t);
	if (v == FOUND && !type_is_compressed(type_of_name(slice_of(p->name))))
		v = choose_coding(site, r, t, p->name + strlen(p->name));
	if (p->ends_in_slash) {
		p->name[len] = '\0';
		if (v == SLASH_MISSING)
			v = NOT_REGULAR; /* index.html is a directory */
	}
	return v;
}

/* A search through the rules, a block of the file at a time. */
struct search {
	struct target *t;
	size_t have; /* bytes in rules_buf */
	unsigned long number; /* of the line that is looked at */
	bool in_long_line; /* the rest of a line too long for the buffer */
};

/* Whether this line is the rule that answers; notes the first bad line. */
static bool
try_line(struct search *s, struct slice line, bool too_long)
{
	struct target *t = s->t;
	const char *problem = "the line is too long";
	enum rule_kind kind = RULE_BAD;
	bool is_rest = s->in_long_line;

	s->in_long_line = too_long;
	if (is_rest)
		return false;
	s->number++;
	if (!too_long)
		kind = rule_parse(line, &t->rule, &problem);
	if (kind == RULE_BAD && t->bad_rule.line == 0)
		t->bad_rule = (struct bad_rule){ s->number, problem };
	return kind == RULE_REDIRECT &&
	    rule_matches(&t->rule, (struct slice){ t->path.name, t->path.len });
}

/* Tries the lines that are in the buffer; keeps an unfinished last one. */
static bool
try_block(struct search *s, bool at_end)
{
	char *buf = s->t->rules_buf;
	struct slice rest = { buf, s->have };

	while (rest.len > 0) {
		const char *lf = memchr(rest.ptr, '\n', rest.len);
		size_t len = lf == NULL ? rest.len : (size_t)(lf - rest.ptr);
		bool whole = lf != NULL || at_end;
		bool too_long = !whole && len == RULES_BUF;

		if (!whole && !too_long)
			break;
		if (try_line(s, (struct slice){ rest.ptr, len }, too_long))
			return true;
		rest = slice_after(rest, lf == NULL ? len : len + 1);
	}
	memmove(buf, rest.ptr, rest.len);
	s->have = rest.len;
	return false;
}

static enum verdict
search_rules(int fd, struct target *t)
{
	struct search s = { .t = t };

	for (;;) {
		ssize_t n = read(fd, t->rules_buf + s.have, RULES_BUF - s.have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FILE_ERROR;
		s.have += (size_t)n;
		if (try_block(&s, n == 0))
			return REDIRECTED;
		if (n == 0)
			return NOT_FOUND;
	}
}

/* Asks the tree's _redirects about a path that no file answers. */
static enum verdict
find_rule(const struct site *site, struct target *t)
{
	struct file_facts facts;
	int fd = -1;
	enum verdict v = open_regular(site, "_redirects", &fd, &facts);

	if (v != FOUND) {
		/* Rules that nobody may read are the operator's mistake. */
		return v == FORBIDDEN ? FILE_ERROR :
		    v == SLASH_MISSING || verdict_status(v) == 404 ? NOT_FOUND :
								     v;
	}
	v = search_rules(fd, t);
	close(fd);
	return v;
}

enum verdict
resolve_target(
    const struct site *site, const struct request *r, struct target *ret_target)
{
	struct target *t = ret_target;

	enum verdict v = target_decode_path(r->path, &t->path);
	if (v == PROCEED)
		v = open_path(site, r, t);
	if (verdict_status(v) == 404 && v != ENCODED_SLASH) {
		enum verdict ruled = find_rule(site, t);

		if (ruled != NOT_FOUND)
			v = ruled;
	}
	if (verdict_status(v) == 404)
		(void)open_file(site, "404.html", t); /* where it has one */
	return v;
}
