/*
 * The tree that is served while faults happen, and what happens to it.
 *
 * A file's bytes follow from its name and version, so that a reader knows
 * what must arrive; a longer version begins as the shorter one does.  Every
 * version has a date of its own, and the same one in each run.
 */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FIRST_DATE 1709642096

static const struct {
	const char *name;
	size_t size;
	const char *text; /* NULL: a pattern */
} files[] = {
	{ "small.txt", 1000, NULL },
	{ "large.bin", 200000, NULL },
	{ "page.html", 3000, NULL },
	{ "page.html.gz", 700, NULL },
	{ "big.html", 150000, NULL },
	{ "big.html.gz", 90000, NULL },
	{ "dir/inner.txt", 500, NULL },
	{ "dir/index.html", 600, NULL },
	{ "404.html", 400, NULL },
	{ "_redirects", 0, "# one rule\n/old /small.txt 301\n" },
};

_Noreturn void
die(const char *what)
{
	fprintf(stderr, "faults: %s: %s\n", what, strerror(errno));
	exit(2);
}

static size_t
index_of(const char *file)
{
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++)
		if (strcmp(files[i].name, file) == 0)
			return i;
	errno = ENOENT;
	die(file);
}

static char
pattern(size_t i, size_t at, unsigned version)
{
	return (char)('a' + (at * 7 + at / 97 + i * 3 + version * 5) % 26);
}

size_t
file_size(const char *file)
{
	size_t i = index_of(file);

	return files[i].text == NULL ? files[i].size : strlen(files[i].text);
}

char
file_byte(const char *file, size_t at)
{
	size_t i = index_of(file);

	return files[i].text == NULL ? pattern(i, at, 0) : files[i].text[at];
}

static void
path_of(const struct world *w, const char *file, char path[512])
{
	snprintf(path, 512, "%s/tree/%s", w->dir, file);
}

static void
set_date(const char *path, unsigned version)
{
	const struct timespec date = { .tv_sec = FIRST_DATE + version * 100 };
	const struct timespec times[2] = { date, date };

	if (utimensat(AT_FDCWD, path, times, 0) != 0)
		die(path);
}

static void
write_file(const char *path, size_t i, size_t size, unsigned version)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	static char buf[400000];
	ssize_t len = (ssize_t)size;

	if (files[i].text != NULL)
		memcpy(buf, files[i].text, size);
	else
		for (size_t at = 0; at < size; at++)
			buf[at] = pattern(i, at, version);
	if (fd < 0 || write(fd, buf, size) != len || fchmod(fd, 0644) != 0)
		die(path);
	close(fd);
	set_date(path, version);
}

void
tree_make(struct world *w)
{
	char path[512], moved[600];

	path_of(w, "", path);
	path[strlen(path) - 1] = '\0';
	snprintf(moved, sizeof(moved), "%s/moved", w->dir);
	if (rename(moved, path) != 0 && mkdir(path, 0755) != 0 &&
	    errno != EEXIST)
		die(path);
	if (chmod(w->dir, 0755) != 0 || chmod(path, 0755) != 0)
		die(path);
	path_of(w, "dir", path);
	path_of(w, "dir-moved", moved);
	if (rename(moved, path) != 0 && mkdir(path, 0755) != 0 &&
	    errno != EEXIST)
		die(path);
	if (chmod(path, 0755) != 0)
		die(path);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		if (w->dirty != NULL && strcmp(w->dirty, files[i].name) != 0)
			continue;
		path_of(w, files[i].name, path);
		write_file(path, i, file_size(files[i].name), 0);
	}
	w->dirty = NULL;
}

static void
replace(const struct world *w, const char *path, size_t i, size_t size)
{
	char new[512];

	snprintf(new, sizeof(new), "%s/new", w->dir);
	if (files[i].text == NULL) {
		write_file(new, i, size + size / 3, 1);
	} else {
		write_file(new, i, 0, 1);
	}
	if (rename(new, path) != 0)
		die(path);
}

static void
grow(const char *path, size_t i, size_t size)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
	char more[50];

	for (size_t at = 0; at < sizeof(more); at++)
		more[at] =
		    files[i].text != NULL ? '\n' : pattern(i, size + at, 0);
	if (fd < 0 || write(fd, more, sizeof(more)) != sizeof(more))
		die(path);
	close(fd);
}

void
tree_act(struct world *w, enum deed deed, const char *file)
{
	char path[512], moved[600];

	w->dirty = file;
	path_of(w, file, path);
	if (deed == RENAME) {
		if (*file == '\0')
			snprintf(moved, sizeof(moved), "%s/moved", w->dir);
		else
			snprintf(moved, sizeof(moved), "%s-moved", path);
		if (rename(path, moved) != 0)
			die(path);
		return;
	}
	size_t i = index_of(file), size = file_size(file);
	switch (deed) {
	case REPLACE:
		replace(w, path, i, size);
		return;
	case TRUNCATE:
	case EMPTY:
		if (truncate(path, deed == EMPTY ? 0 : (off_t)size / 2) != 0)
			die(path);
		break;
	case GROW:
		grow(path, i, size);
		break;
	case DELETE:
		if (unlink(path) != 0)
			die(path);
		return;
	case MAKE_UNREADABLE:
		if (chmod(path, 0) != 0)
			die(path);
		return;
	case RENAME:
	case DEEDS:
		return;
	}
	set_date(path, deed == EMPTY ? 2 : deed == GROW ? 3 : 4);
}

const char *
deed_name(enum deed deed)
{
	static const char *const names[DEEDS] = { "replaced", "truncated",
		"emptied", "grown", "deleted", "made unreadable", "renamed" };

	return names[deed];
}
