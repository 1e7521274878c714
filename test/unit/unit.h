/*
 * What the unit tests share: checks that print what was wanted and what was
 * got, and memory that ends, or starts, at a page which cannot be touched.
 *
 * A test names its row with unit_begin(), checks, and returns unit_end() from
 * main.  Only failures are printed, one line each, and a line that counts.
 */
#ifndef UNIT_H
#define UNIT_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif

#include "log.h"
#include "slice.h"
#include "text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Of log.h: each test has a main(). */
const char program_name[] = "httpd";

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The slice of a literal where an initialiser must be constant. */
#define UNIT_BYTES(literal) \
	{ \
		(literal), sizeof(literal) - 1 \
	}

static struct {
	const char *table, *row;
	size_t rows, checks, failures;
} unit;

/* A fault says which row it happened in; only async-signal-safe calls here. */
static inline void
unit_fault(int number)
{
	const char *parts[] = { "not ok - ", unit.table, ": ", unit.row,
		": touched memory outside of what it was given\n" };

	for (size_t i = 0; i < UNIT_COUNT(parts); i++)
		if (write(STDOUT_FILENO, parts[i], strlen(parts[i])) < 0)
			break;
	_exit(128 + number);
}

/* The rows that follow belong to this table. */
static inline void
unit_table(const char *name)
{
	struct sigaction on_fault = { .sa_handler = unit_fault };

	setvbuf(stdout, NULL, _IOLBF, 0);
	sigaction(SIGSEGV, &on_fault, NULL);
	sigaction(SIGBUS, &on_fault, NULL);
	unit.table = name;
	unit.row = "(start)";
}

static inline void
unit_begin(const char *row)
{
	unit.row = row;
	unit.rows++;
}

/* A part of the set-up that the test cannot do without. */
static inline void
unit_need(bool is_so, const char *what)
{
	if (is_so)
		return;
	printf("not ok - %s: %s: the test cannot go on: %s: %s\n", unit.table,
	    unit.row, what, strerror(errno));
	exit(2);
}

/* Bytes as they may stand on one line. */
static inline const char *
unit_show(struct slice s, char *buf, size_t cap)
{
	struct text t = { .ptr = buf, .cap = cap - 1 };

	text_add_escaped(&t, s, cap - sizeof("..."));
	buf[t.len] = '\0';
	return buf;
}

static inline void
unit_failed(const char *what, struct slice wanted, struct slice got)
{
	char a[600], b[600];

	unit.failures++;
	printf("not ok - %s: %s: %s: wanted [%s], got [%s]\n", unit.table,
	    unit.row, what, unit_show(wanted, a, sizeof(a)),
	    unit_show(got, b, sizeof(b)));
}

static inline void
unit_slice(const char *what, struct slice wanted, struct slice got)
{
	unit.checks++;
	if (!slice_equal(wanted, got))
		unit_failed(what, wanted, got);
}

static inline void
unit_string(const char *what, const char *wanted, const char *got)
{
	unit_slice(what, slice_of(wanted == NULL ? "(null)" : wanted),
	    slice_of(got == NULL ? "(null)" : got));
}

static inline void
unit_number(const char *what, long long wanted, long long got)
{
	char a[32], b[32];

	unit.checks++;
	if (wanted == got)
		return;
	snprintf(a, sizeof(a), "%lld", wanted);
	snprintf(b, sizeof(b), "%lld", got);
	unit_failed(what, slice_of(a), slice_of(b));
}

static inline void
unit_bool(const char *what, bool wanted, bool got)
{
	unit_string(what, wanted ? "true" : "false", got ? "true" : "false");
}

/* That a table has the rows which it is meant to have. */
static inline void
unit_at_least(const char *what, size_t least, size_t got)
{
	unit.checks++;
	if (got < least)
		unit_number(what, (long long)least, (long long)got);
}

static inline int
unit_end(void)
{
	printf("%s - %zu rows, %zu checks, %zu failed\n",
	    unit.failures == 0 ? "ok" : "not ok", unit.rows, unit.checks,
	    unit.failures);
	return unit.failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/*
 * Where bytes are laid: the last one directly before a page that cannot be
 * touched, or the first one directly after such a page.
 */
enum unit_side { UNIT_BEFORE_GUARD, UNIT_AFTER_GUARD, UNIT_SIDES };

/* Room for `len` bytes at that side; valid until the next call for the side. */
static inline char *
unit_room(enum unit_side side, size_t len)
{
	static char *first, *last; /* the usable pages, and their end */
	static const size_t usable = 1 << 17;

	if (first == NULL) {
		size_t page = (size_t)sysconf(_SC_PAGESIZE);
		char *map = mmap(NULL, 3 * page + 2 * usable, PROT_NONE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		unit_need(map != MAP_FAILED, "mmap");
		unit_need(
		    mprotect(map + page, usable, PROT_READ | PROT_WRITE) == 0 &&
			mprotect(map + 2 * page + usable, usable,
			    PROT_READ | PROT_WRITE) == 0,
		    "mprotect");
		first = map + page;
		last = map + 2 * page + 2 * usable;
	}
	unit_need(len <= usable, "the row is too long for the guarded pages");
	/* Stale bytes of an earlier row must not help a parser that strays. */
	if (side == UNIT_AFTER_GUARD) {
		memset(first, '\xEE', len + 256 < usable ? len + 256 : usable);
		return first;
	}
	return last - len;
}

static inline struct slice
unit_place(enum unit_side side, struct slice s)
{
	char *to = unit_room(side, s.len);

	if (s.len > 0)
		memcpy(to, s.ptr, s.len);
	return (struct slice){ to, s.len };
}

/*
 * Starts a process that writes the bytes to fd, `piece` at a time, and ends.
 * The caller closes its copy of fd, reads to its liking and calls unit_reap.
 */
static inline pid_t
unit_feed(int fd, int not_fd, struct slice s, size_t piece)
{
	pid_t pid = fork();

	unit_need(pid >= 0, "fork");
	if (pid > 0)
		return pid;
	close(not_fd);
	while (s.len > 0) {
		ssize_t n = send(
		    fd, s.ptr, s.len < piece ? s.len : piece, MSG_NOSIGNAL);

		if (n < 0)
			break; /* the reader has seen enough */
		s = slice_after(s, (size_t)n);
	}
	_exit(0);
}

static inline void
unit_reap(pid_t pid)
{
	int status;

	unit_need(waitpid(pid, &status, 0) == pid, "waitpid");
	unit_need(
	    WIFEXITED(status) && WEXITSTATUS(status) == 0, "the writer failed");
}

#endif
