/*
 * variant: making and removing one.
 *
 * A variant has no name until it is whole, has its plain file's owner, mode and
 * date, and is on the disk.  Then it gets its name only if nothing has it.
 */
#define _GNU_SOURCE
#include "variant.h"

#include "notes.h"

#include "../file-times.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* A variant that has more of the plain file's size is not worth it. */
#define VARIANT_PERCENT_MAX 95

/* A prefix and the number of a process. */
#define TEMPORARY_CAP (sizeof(NEW_PREFIX) + 20)

void
variant_name(const char *name, enum coding coding, char *ret_name)
{
	(void)snprintf(
	    ret_name, VARIANT_NAME_CAP, "%s%s", name, coding_suffix(coding));
}

int
variant_open(int dir, const char *name, struct stat *ret_st)
{
	int fd = openat(dir, name,
	    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (fstat(fd, ret_st) == 0 && S_ISREG(ret_st->st_mode))
		return fd;
	close(fd);
	errno = EINVAL;
	return -1;
}

bool
variant_is(int dir, const char *name, struct fingerprint print)
{
	struct fingerprint found;
	struct stat st;
	int fd = variant_open(dir, name, &st);

	if (fd < 0)
		return false;
	bool same = (uint64_t)st.st_size == print.size &&
	    compress_fingerprint(fd, &found) == COMPRESS_DONE &&
	    found.size == print.size && found.crc == print.crc;
	close(fd);
	return same;
}

/*
 * Gives a file of ours another name, unless something has it: EEXIST.  A file
 * system that cannot do that in one step has hard links; one that has none
 * either, as exFAT by FUSE, can only be asked before.
 */
static bool
rename_to_free(int dir, const char *from, const char *to)
{
	struct stat st;

	if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL)
		return false;
	if (linkat(dir, from, dir, to, 0) == 0)
		return unlinkat(dir, from, 0) == 0;
	if (errno == EEXIST)
		return false;
	if (fstatat(dir, to, &st, AT_SYMLINK_NOFOLLOW) == 0) {
		errno = EEXIST;
		return false;
	}
	return renameat(dir, from, dir, to) == 0;
}

enum removal
variant_remove(int dir, const char *name, struct fingerprint print)
{
	char aside[TEMPORARY_CAP];

	(void)snprintf(aside, sizeof(aside), OLD_PREFIX "%ld", (long)getpid());
	if (!variant_is(dir, name, print))
		return NOT_OURS;
	if (renameat2(dir, name, dir, aside, RENAME_NOREPLACE) != 0 &&
	    (errno != EINVAL || renameat(dir, name, dir, aside) != 0))
		return errno == ENOENT ? NOT_OURS : REMOVAL_FAILED;
	if (variant_is(dir, aside, print))
		return unlinkat(dir, aside, 0) == 0 ? REMOVED : REMOVAL_FAILED;
	if (rename_to_free(dir, aside, name))
		return NOT_OURS;
	return errno == EEXIST ? SET_ASIDE : REMOVAL_FAILED;
}

/* A variant that is being made. */
struct variant {
	const struct worker *w;
	char name[VARIANT_NAME_CAP];
	int fd;
	struct fingerprint print;
};

/*
 * Where a file system knows no files without a name, this one's; empty: it has
 * none.  A signal may end the worker at any time.
 */
static char temporary[TEMPORARY_CAP];
static int temporary_dir;

static void
remove_temporary(void)
{
	if (temporary[0] != '\0')
		(void)unlinkat(temporary_dir, temporary, 0);
	temporary[0] = '\0';
}

static void
end_by_signal(int number)
{
	remove_temporary();
	_exit(128 + number);
}

/* Signals are blocked in a worker, except while it does what takes long. */
static void
allow_signals(bool allowed)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct sigaction action = { .sa_handler = end_by_signal };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		(void)sigaction(numbers[i], &action, NULL);
		sigaddset(&set, numbers[i]);
	}
	(void)sigprocmask(allowed ? SIG_UNBLOCK : SIG_BLOCK, &set, NULL);
}

/* A new file that only this process can reach, or has a name of its own. */
static int
open_temporary(int dir)
{
	int fd = -1;

	/* It gets its name through here. */
	if (access("/proc/self/fd", F_OK) == 0)
		fd = openat(dir, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
	else
		errno = EOPNOTSUPP;
	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	(void)snprintf(
	    temporary, sizeof(temporary), NEW_PREFIX "%ld", (long)getpid());
	temporary_dir = dir;
	fd = openat(dir, temporary,
	    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		temporary[0] = '\0';
	return fd;
}

/* Gives the file the variant's name; EEXIST: something else has it. */
static bool
give_name(const struct variant *v)
{
	int dir = v->w->dir;

	if (temporary[0] == '\0') {
		char path[64];

		(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", v->fd);
		return linkat(AT_FDCWD, path, dir, v->name,
			   AT_SYMLINK_FOLLOW) == 0;
	}
	if (!rename_to_free(dir, temporary, v->name))
		return false;
	temporary[0] = '\0';
	return true;
}

/*
 * The mode for a variant of a group.  Only root can give a file to any group:
 * where it has another one, neither that nor others get more than both had.
 */
static mode_t
mode_for(const struct stat *plain, gid_t group)
{
	mode_t mode = plain->st_mode & 0777;
	mode_t both = mode & mode >> 3 & 07;

	return group == plain->st_gid ? mode : (mode & 0700) | both << 3 | both;
}

bool
variant_is_sent(const struct stat *variant, const struct stat *plain)
{
	const struct file_facts v = file_facts_of(variant);
	const struct file_facts p = file_facts_of(plain);

	return variant_is_current(&v, &p);
}

bool
variant_resembles(const struct stat *variant, const struct stat *plain)
{
	bool is_root = geteuid() == 0;

	return variant_is_sent(variant, plain) &&
	    (variant->st_mode & 0777) == mode_for(plain, variant->st_gid) &&
	    (!is_root ||
		(variant->st_uid == plain->st_uid &&
		    variant->st_gid == plain->st_gid));
}

bool
variant_make_resemble(int fd, const struct stat *plain)
{
	const struct timespec times[] = {
		{ .tv_nsec = UTIME_OMIT },
		plain->st_mtim,
	};
	struct stat st;

	bool is_given = fchown(fd, plain->st_uid, plain->st_gid) == 0 ||
	    fchown(fd, (uid_t)-1, plain->st_gid) == 0;
	(void)is_given; /* the mode is for what became of it */
	if (fstat(fd, &st) != 0)
		return false;
	/* A file system without modes shows all files with the same one. */
	mode_t mode = mode_for(plain, st.st_gid);
	return ((st.st_mode & 0777) == mode || fchmod(fd, mode) == 0) &&
	    futimens(fd, times) == 0;
}

static bool
is_same_state(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino &&
	    a->st_size == b->st_size &&
	    a->st_mtim.tv_sec == b->st_mtim.tv_sec &&
	    a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
	    a->st_ctim.tv_sec == b->st_ctim.tv_sec &&
	    a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Whether the name still means the open file, as it was. */
static bool
is_unchanged(int dir, const char *name, int fd, const struct stat *was)
{
	struct stat by_name, by_fd;

	return fstatat(dir, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	    fstat(fd, &by_fd) == 0 && is_same_state(&by_name, was) &&
	    is_same_state(&by_fd, was);
}

/*
 * Waits until a further change of the file would show in its times.  A change
 * in the future, of a clock that was put back, is not waited for.
 */
static void
wait_until_settled(const struct stat *st)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct timespec now;

	while (clock_gettime(CLOCK_REALTIME, &now) == 0 &&
	    st->st_ctim.tv_sec <= now.tv_sec &&
	    !change_is_settled(st->st_ctim.tv_sec, st->st_ctim.tv_nsec, &now))
		(void)nanosleep(&pause, NULL);
}

static void
report_as(
    const struct variant *v, enum report_kind kind, const struct report *job)
{
	struct report r = *job;

	r.kind = kind;
	r.variant_size = v->print.size;
	worker_report(v->w, &r);
}

static void
say_written(const struct variant *v, const struct report *job)
{
	char detail[64];

	(void)snprintf(detail, sizeof(detail), "%llu of %llu bytes",
	    (unsigned long long)v->print.size,
	    (unsigned long long)job->plain_size);
	worker_print(v->w, STDERR_FILENO, "wrote", v->name, detail);
}

/* Removes the variant that the new one, or none, is to replace. */
static bool
remove_stale(const struct variant *v, const struct report *job)
{
	if (!job->has_stale)
		return true;
	switch (variant_remove(v->w->dir, v->name, job->stale)) {
	case REMOVED:
	case NOT_OURS: /* or it is gone */
		return true;
	case SET_ASIDE:
		worker_complain(v->w, 0, v->name, SET_ASIDE_SENTENCE, 0);
		return true;
	case REMOVAL_FAILED:
		break;
	}
	worker_complain(
	    v->w, EX_CANTCREAT, v->name, "cannot be replaced", errno);
	return false;
}

/* The variant is whole: gives it all that it needs, and its name. */
static void
finish(struct variant *v, const struct report *job, int plain,
    const struct stat *plain_st)
{
	const struct worker *w = v->w;

	if (!variant_make_resemble(v->fd, plain_st) || fsync(v->fd) != 0 ||
	    !notes_add(w->dir, NOTE_VARIANT, v->name, v->print)) {
		worker_complain(
		    w, EX_CANTCREAT, v->name, "cannot be written", errno);
		return;
	}
	if (!is_unchanged(w->dir, job->name, plain, plain_st)) {
		report_as(v, REPORT_CHANGED, job);
		return;
	}
	if (!remove_stale(v, job))
		return;
	if (give_name(v)) {
		if (w->verbose)
			say_written(v, job);
		report_as(v, REPORT_WRITTEN, job);
	} else if (errno == EEXIST) {
		worker_complain(w, 0, v->name,
		    "was made by somebody else meanwhile; left as it is", 0);
		report_as(v, REPORT_LEFT, job);
	} else {
		worker_complain(
		    w, EX_CANTCREAT, v->name, "cannot be named", errno);
	}
}

/* None is worth making while the plain file has this content. */
static void
do_without(
    struct variant *v, const struct report *job, struct fingerprint plain)
{
	if (!remove_stale(v, job))
		return;
	if (notes_add(v->w->dir, NOTE_NOT_WORTH, v->name, plain))
		report_as(v, REPORT_NOT_WORTH, job);
	else
		worker_complain(v->w, EX_CANTCREAT, v->name,
		    "cannot be noted as not worth it", errno);
}

static void
compress_and_finish(struct variant *v, const struct report *job, int plain,
    const struct stat *plain_st)
{
	const struct worker *w = v->w;
	uint64_t size = (uint64_t)plain_st->st_size;
	struct fingerprint plain_print;

	allow_signals(true);
	wait_until_settled(plain_st);
	enum compress_result result = compress_file(job->coding, plain, size,
	    v->fd, size * VARIANT_PERCENT_MAX / 100, &v->print);
	if (result == COMPRESS_TOO_LARGE &&
	    compress_fingerprint(plain, &plain_print) != COMPRESS_DONE)
		result = COMPRESS_READ_FAILED;
	int error = errno;
	allow_signals(false);

	if (!is_unchanged(w->dir, job->name, plain, plain_st)) {
		report_as(v, REPORT_CHANGED, job);
		return;
	}
	switch (result) {
	case COMPRESS_DONE:
		finish(v, job, plain, plain_st);
		break;
	case COMPRESS_TOO_LARGE:
		do_without(v, job, plain_print);
		break;
	case COMPRESS_READ_FAILED:
		worker_complain(
		    w, EX_NOINPUT, job->name, "cannot be read", error);
		break;
	case COMPRESS_WRITE_FAILED:
		worker_complain(
		    w, EX_CANTCREAT, v->name, "cannot be written", error);
		break;
	case COMPRESS_DIFFERS:
	case COMPRESS_NO_MEMORY:
		worker_complain(
		    w, EX_OSERR, v->name, "cannot be compressed", error);
		break;
	}
}

void
variant_make(const struct worker *w, const struct report *job)
{
	struct variant v = { .w = w };
	struct report actual = *job;
	struct stat st;

	variant_name(job->name, job->coding, v.name);
	int plain = variant_open(w->dir, job->name, &st);
	if (plain < 0 &&
	    (errno == ENOENT || errno == ELOOP || errno == EINVAL)) {
		report_as(&v, REPORT_CHANGED, job);
		return;
	}
	if (plain < 0) {
		worker_complain(
		    w, EX_NOINPUT, job->name, "cannot be read", errno);
		return;
	}
	actual.plain_size = (uint64_t)st.st_size;
	v.fd = open_temporary(w->dir);
	if (v.fd < 0)
		worker_complain(
		    w, EX_CANTCREAT, v.name, "cannot be made", errno);
	else
		compress_and_finish(&v, &actual, plain, &st);
	remove_temporary();
}
