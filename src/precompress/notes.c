/*
 * notes: reading and writing the file of notes of a directory.
 */
#define _GNU_SOURCE
#include "notes.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTES_FILE ".precompressed"
#define NOTES_NEW ".precompressed-new"

/* A record: the kind, two numbers, a name, three blanks and a zero byte. */
#define RECORD_CAP (1 + 20 + 10 + NAME_MAX + 4)

/*
 * Whether a file of notes may be believed.  Whoever may rename files in the
 * directory may write the notes as well: on a file system without modes they
 * can do no less.
 */
static bool
is_trusted(const struct stat *st, const struct stat *dir)
{
	mode_t writers = st->st_mode & (S_IWGRP | S_IWOTH);

	if ((dir->st_mode & S_ISVTX) == 0)
		writers &= ~(dir->st_mode &
		    (st->st_gid == dir->st_gid ? S_IWGRP | S_IWOTH : S_IWOTH));
	return S_ISREG(st->st_mode) && st->st_nlink == 1 && writers == 0 &&
	    (st->st_uid == geteuid() || st->st_uid == dir->st_uid);
}

/* The descriptor of the notes, or -1 with errno; EPERM: they are not ours. */
static int
open_notes(int dir, int flags)
{
	int fd = openat(dir, NOTES_FILE,
	    flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0600);
	struct stat st, dir_st;

	if (fd < 0)
		return -1;
	if (fstat(fd, &st) == 0 && fstat(dir, &dir_st) == 0) {
		if (is_trusted(&st, &dir_st))
			return fd;
		errno = EPERM;
	}
	int error = errno;
	close(fd);
	errno = error;
	return -1;
}

/* Reads a file into a block that ends with a zero byte; NULL with errno. */
static char *
read_whole(int fd, size_t *ret_len)
{
	size_t len = 0, cap = 65536;
	char *block = malloc(cap);
	ssize_t n = 0;

	while (
	    block != NULL && (n = read(fd, block + len, cap - len - 1)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			free(block);
			return NULL;
		}
		len += (size_t)n;
		if (cap - len < 2) {
			char *larger = realloc(block, cap *= 2);

			if (larger == NULL)
				free(block);
			block = larger;
		}
	}
	if (block != NULL)
		block[len] = '\0';
	*ret_len = len;
	return block;
}

/* Reads SP 1*DIGIT, up to `most`, and moves *at past it. */
static bool
parse_number(const char **at, uint64_t most, uint64_t *ret_number)
{
	const char *digits = *at + 1;
	char *end;

	if (**at != ' ' || *digits < '0' || *digits > '9')
		return false;
	errno = 0;
	*ret_number = strtoull(digits, &end, 10);
	*at = end;
	return errno == 0 && *ret_number <= most;
}

/* Reads a record, which ends with a zero byte; false if it is malformed. */
static bool
parse_record(const char *record, struct note *ret_note)
{
	const char *at = record + 1;
	uint64_t size, crc;

	if ((record[0] != NOTE_VARIANT && record[0] != NOTE_NOT_WORTH) ||
	    !parse_number(&at, UINT64_MAX, &size) ||
	    !parse_number(&at, UINT32_MAX, &crc) || at[0] != ' ' ||
	    at[1] == '\0' || strlen(at + 1) > NAME_MAX ||
	    strchr(at + 1, '/') != NULL)
		return false;
	*ret_note = (struct note){
		.kind = (enum note_kind)record[0],
		.print = { .size = size, .crc = (uint32_t)crc },
		.name = at + 1,
	};
	return true;
}

static int
compare_notes(const void *a, const void *b)
{
	const struct note *x = a, *y = b;
	int order = strcmp(x->name, y->name);

	if (order == 0)
		order = (x->kind > y->kind) - (x->kind < y->kind);
	if (order == 0)
		order = (x->print.size > y->print.size) -
		    (x->print.size < y->print.size);
	if (order == 0)
		order = (x->print.crc > y->print.crc) -
		    (x->print.crc < y->print.crc);
	return order;
}

/* Sorts the notes and drops those that are there twice. */
static void
sort_notes(struct notes *notes)
{
	size_t kept = 0;

	if (notes->count == 0)
		return;
	qsort(notes->all, notes->count, sizeof(notes->all[0]), compare_notes);
	for (size_t i = 1; i < notes->count; i++) {
		if (compare_notes(&notes->all[kept], &notes->all[i]) == 0)
			notes->has_surplus = true;
		else
			notes->all[++kept] = notes->all[i];
	}
	notes->count = kept + 1;
}

/* Finds the records of a block; false if there is no memory. */
static bool
parse_block(struct notes *notes, size_t len)
{
	const char *block = notes->block;
	size_t records = 0;

	for (size_t i = 0; i < len; i++)
		records += block[i] == '\0';
	notes->all = reallocarray(NULL, records + 1, sizeof(notes->all[0]));
	if (notes->all == NULL)
		return false;
	/* What a crash has cut short has no zero byte of its own. */
	size_t at = 0;
	for (size_t i = 0; i < records; i++, at += strlen(block + at) + 1)
		if (parse_record(block + at, &notes->all[notes->count]))
			notes->count++;
	notes->has_surplus = at != len || notes->count != records;
	return true;
}

bool
notes_read(int dir, struct notes *ret_notes)
{
	size_t len = 0;

	*ret_notes = (struct notes){ .count = 0 };
	int fd = open_notes(dir, O_RDONLY);
	if (fd < 0)
		return errno == ENOENT;
	ret_notes->block = read_whole(fd, &len);
	int error = errno;
	close(fd);
	if (ret_notes->block == NULL || !parse_block(ret_notes, len)) {
		error = ret_notes->block == NULL ? error : ENOMEM;
		notes_free(ret_notes);
		errno = error;
		return false;
	}
	sort_notes(ret_notes);
	return true;
}

void
notes_free(struct notes *notes)
{
	free(notes->all);
	free(notes->block);
	*notes = (struct notes){ .count = 0 };
}

bool
notes_have(const struct notes *notes, enum note_kind kind, const char *name,
    struct fingerprint print)
{
	struct note wanted = { .kind = kind, .print = print, .name = name };

	return notes->count > 0 &&
	    bsearch(&wanted, notes->all, notes->count, sizeof(notes->all[0]),
		compare_notes) != NULL;
}

static size_t
format_record(
    char *buf, enum note_kind kind, const char *name, struct fingerprint print)
{
	/* The zero byte that ends the string ends the record. */
	return (size_t)snprintf(buf, RECORD_CAP,
		   "%c %" PRIu64 " %" PRIu32 " %s", (char)kind, print.size,
		   print.crc, name) +
	    1;
}

bool
notes_add(
    int dir, enum note_kind kind, const char *name, struct fingerprint print)
{
	char record[RECORD_CAP];
	size_t len = format_record(record, kind, name, print);
	int fd = open_notes(dir, O_WRONLY | O_APPEND | O_CREAT);

	if (fd < 0)
		return false;
	ssize_t n = write(fd, record, len);
	int error = n < 0 ? errno : ENOSPC;
	close(fd);
	errno = error;
	return n == (ssize_t)len;
}

static bool
write_all(int fd, const struct notes *notes)
{
	FILE *f = fdopen(fd, "w");
	char record[RECORD_CAP];

	if (f == NULL) {
		close(fd);
		return false;
	}
	for (size_t i = 0; i < notes->count; i++) {
		const struct note *n = &notes->all[i];
		size_t len = format_record(record, n->kind, n->name, n->print);

		(void)fwrite(record, 1, len, f);
	}
	bool written = ferror(f) == 0;
	return fclose(f) == 0 && written;
}

bool
notes_replace(int dir, const struct notes *notes)
{
	if (notes->count == 0)
		return unlinkat(dir, NOTES_FILE, 0) == 0 || errno == ENOENT;

	/* One of a run that was killed. */
	(void)unlinkat(dir, NOTES_NEW, 0);
	int fd = openat(dir, NOTES_NEW,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	if (write_all(fd, notes) &&
	    renameat(dir, NOTES_NEW, dir, NOTES_FILE) == 0)
		return true;
	int error = errno;
	(void)unlinkat(dir, NOTES_NEW, 0);
	errno = error;
	return false;
}
