/*
 * cache: the variants of a file, and the last few that stay open.
 */
#define _GNU_SOURCE
#include "cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

void
variants_close(const struct variants *s)
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

/* Gets the state of the directory that contains a file. */
static bool
directory_of(int root, const char *path, struct directory_state *ret_state)
{
	char name[CACHE_PATH_CAP];
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
is_same_file(const struct open_file *f, const struct stat *st)
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
names_unchanged(int root, const char *path, const struct variants *s)
{
	char name[CACHE_PATH_CAP + CODING_SUFFIX_MAX];
	size_t len = strlen(path);

	memcpy(name, path, len);
	for (unsigned i = 0; i < CODING_NONE; i++) {
		const struct open_file *f = &s->by_coding[i];
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
is_unchanged(const struct cache_entry *e, int root)
{
	struct directory_state d;

	return directory_of(root, e->path, &d) &&
	    d.device == e->directory.device && d.inode == e->directory.inode &&
	    is_same_time(&d.changed, &e->directory.changed) &&
	    names_unchanged(root, e->path, &e->variants);
}

static void
forget(struct cache_entry *e)
{
	if (e->path[0] != '\0')
		variants_close(&e->variants);
	e->path[0] = '\0';
}

const struct variants *
cache_find(struct file_cache *cache, int root, const char *path)
{
	for (size_t i = 0; i < CACHE_ENTRIES; i++) {
		struct cache_entry *e = &cache->entries[i];

		if (strcmp(e->path, path) != 0)
			continue;
		if (e->seen == cache->io_epoch || is_unchanged(e, root)) {
			e->seen = cache->io_epoch;
			if (cache->misses > 0)
				cache->misses--;
			return &e->variants;
		}
		forget(e);
	}
	return NULL;
}

/* Whether the next change of each file will show in its time. */
static bool
are_settled(const struct variants *s, const struct timespec *now)
{
	for (unsigned i = 0; i < CODING_NONE; i++) {
		const struct file_facts *f = &s->by_coding[i].facts;

		if ((s->available & 1u << i) != 0 &&
		    !change_is_settled(f->changed, f->changed_ns, now))
			return false;
	}
	return true;
}

/* Whether cached files are requested again, or may be yet. */
static bool
should_cache(struct file_cache *cache)
{
	if (cache->misses < CACHE_MISSES_MAX) {
		cache->misses++;
		return true;
	}
	return ++cache->skipped % CACHE_SAMPLE == 0;
}

bool
cache_add(struct file_cache *cache, int root, const char *path,
    const struct variants *s, const struct timespec *now)
{
	struct cache_entry *e = &cache->entries[cache->next];
	struct directory_state d;

	if (s->has_unusable_variant || strlen(path) >= CACHE_PATH_CAP ||
	    !should_cache(cache) || !directory_of(root, path, &d) ||
	    !change_is_settled(d.changed.tv_sec, d.changed.tv_nsec, now) ||
	    !are_settled(s, now) || !names_unchanged(root, path, s))
		return false;
	forget(e);
	memcpy(e->path, path, strlen(path) + 1);
	e->directory = d;
	e->variants = *s;
	e->seen = cache->io_epoch;
	cache->next = (cache->next + 1) % CACHE_ENTRIES;
	return true;
}

bool
cache_clear(struct file_cache *cache)
{
	bool had = false;

	for (size_t i = 0; i < CACHE_ENTRIES; i++) {
		had |= cache->entries[i].path[0] != '\0';
		forget(&cache->entries[i]);
	}
	return had;
}
