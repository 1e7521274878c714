/*
 * stored: a file as it is stored, and the last few that are kept open.
 */
#define _GNU_SOURCE
#include "stored.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void
stored_close(const struct stored *s)
{
	for (unsigned i = 0; i < CODING_NONE; i++)
		if ((s->available & 1u << i) != 0)
			close(s->by_coding[i].fd);
}

static bool
is_same_time(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Asks for the state of the directory that holds a file. */
static bool
directory_of(int root, const char *path, struct directory_state *ret_state)
{
	char name[STORE_PATH_CAP];
	const char *slash = strrchr(path, '/');
	size_t len = slash == NULL ? 0 : (size_t)(slash - path);
	struct stat st;

	memcpy(name, path, len);
	name[len] = '\0';
	if (fstatat(root, name, &st, AT_EMPTY_PATH) != 0)
		return false;
	*ret_state = (struct directory_state){
		.device = st.st_dev,
		.inode = st.st_ino,
		.changed = st.st_ctim,
	};
	return true;
}

/*
 * Whether a file is the one that was opened, and as it was then.  Its change
 * time alone does not tell: there are file systems that keep none of their own,
 * or in steps of seconds.
 */
static bool
is_same_file(const struct stored_file *f, const struct stat *st)
{
	const struct file_facts *facts = &f->facts;

	return st->st_dev == f->device && st->st_ino == facts->inode &&
	    (uint64_t)st->st_size == facts->size &&
	    st->st_mtim.tv_sec == facts->modified &&
	    (uint32_t)st->st_mtim.tv_nsec == facts->modified_ns &&
	    st->st_ctim.tv_sec == facts->changed &&
	    (uint32_t)st->st_ctim.tv_nsec == facts->changed_ns;
}

/*
 * Whether each name of a file still means what is open, as it was then, and in
 * the directory itself: what a symbolic link leads to can change elsewhere.
 */
static bool
names_still_mean(int root, const char *path, const struct stored *s)
{
	char name[STORE_PATH_CAP + CODING_SUFFIX_MAX];
	size_t len = strlen(path);

	memcpy(name, path, len);
	for (unsigned i = 0; i < CODING_NONE; i++) {
		const struct stored_file *f = &s->by_coding[i];
		const char *suffix = coding_suffix((enum coding)i);
		struct stat st;

		if ((s->available & 1u << i) == 0)
			continue;
		memcpy(name + len, suffix, strlen(suffix) + 1);
		if (fstatat(root, name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
		    !S_ISREG(st.st_mode) || !is_same_file(f, &st))
			return false;
	}
	return true;
}

static bool
is_unchanged(const struct store_entry *e, int root)
{
	struct directory_state d;

	return directory_of(root, e->path, &d) &&
	    d.device == e->directory.device && d.inode == e->directory.inode &&
	    is_same_time(&d.changed, &e->directory.changed) &&
	    names_still_mean(root, e->path, &e->stored);
}

static void
forget(struct store_entry *e)
{
	if (e->path[0] != '\0')
		stored_close(&e->stored);
	e->path[0] = '\0';
}

const struct stored *
store_find(struct store *store, int root, const char *path)
{
	for (size_t i = 0; i < STORE_ENTRIES; i++) {
		struct store_entry *e = &store->entries[i];

		if (strcmp(e->path, path) != 0)
			continue;
		if (e->seen == store->io_epoch || is_unchanged(e, root)) {
			e->seen = store->io_epoch;
			if (store->in_vain > 0)
				store->in_vain--;
			return &e->stored;
		}
		forget(e);
	}
	return NULL;
}

/* Whether the next change of each file will show in its time. */
static bool
are_settled(const struct stored *s, const struct timespec *now)
{
	for (unsigned i = 0; i < CODING_NONE; i++) {
		const struct file_facts *f = &s->by_coding[i].facts;

		if ((s->available & 1u << i) != 0 &&
		    !change_is_settled(f->changed, f->changed_ns, now))
			return false;
	}
	return true;
}

/* Whether files that are kept are also asked for again, or may be yet. */
static bool
is_worth_keeping(struct store *store)
{
	if (store->in_vain < STORE_PATIENCE) {
		store->in_vain++;
		return true;
	}
	return ++store->passed_over % STORE_SAMPLE == 0;
}

bool
store_keep(struct store *store, int root, const char *path,
    const struct stored *s, const struct timespec *now)
{
	struct store_entry *e = &store->entries[store->next];
	struct directory_state d;

	if (s->may_grow || strlen(path) >= STORE_PATH_CAP ||
	    !is_worth_keeping(store) || !directory_of(root, path, &d) ||
	    !change_is_settled(d.changed.tv_sec, d.changed.tv_nsec, now) ||
	    !are_settled(s, now) || !names_still_mean(root, path, s))
		return false;
	forget(e);
	memcpy(e->path, path, strlen(path) + 1);
	e->directory = d;
	e->stored = *s;
	e->seen = store->io_epoch;
	store->next = (store->next + 1) % STORE_ENTRIES;
	return true;
}

bool
store_drop(struct store *store)
{
	bool had = false;

	for (size_t i = 0; i < STORE_ENTRIES; i++) {
		had |= store->entries[i].path[0] != '\0';
		forget(&store->entries[i]);
	}
	return had;
}
