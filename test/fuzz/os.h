/*
 * An operating system beneath the program: one client, one tree, one clock,
 * all in memory.  The objects of the program are made to call it in place of
 * the C library (os.syms), so that an input alone says what happens.
 */
#ifndef OS_H
#define OS_H

#include "fuzz.h"

#include <sys/types.h>
#include <time.h>

/* The descriptors that the program is started with, and the root's. */
enum { OS_IN, OS_OUT, OS_LOG, OS_ROOT, OS_FIRST, OS_FILES = 96 };

/* The root's name. */
#define OS_DIRECTORY "site"

/* How much of the decisions is listened to. */
enum os_mood {
	OS_SMOOTH, /* every call does all that it is asked for, at once */
	OS_PIECES, /* calls do less, are interrupted, or would have to wait */
	OS_HOSTILE, /* calls fail, files shrink, time passes */
};

struct os_file {
	const char *name; /* beneath the root; NULL ends a tree */
	mode_t type; /* S_IFREG and so on */
	int error; /* what opening it says; 0: it is opened */
	uint64_t size;
	const char *text; /* its bytes; NULL: see os_byte() */
	int64_t modified;
	uint32_t modified_ns;
};

struct os_plan {
	enum os_mood mood;
	struct slice stream; /* all that the client sends */
	struct slice decisions;
	bool stays; /* it keeps quiet behind that; else it half-closes */
	bool is_pipe; /* in and out are pipes, not one socket */
	bool nonblocking; /* the spawner left it so */
	bool log_is_client; /* as under inetd */
	const struct os_file *tree;
	int64_t calendar; /* seconds since 1970 at the start */
};

struct os {
	struct os_plan plan;
	size_t taken; /* of the stream, by the program */
	struct slice decisions; /* those that are left */
	int64_t now_ms; /* the monotonic clock */
	unsigned long calls;
	bool gone; /* the connection is broken */
	bool half_closed; /* by the program */
	bool locked_in; /* in its sandbox: nothing but files can be opened */
	bool nonblocking;
	int idle_ms; /* SO_RCVTIMEO */
	uint64_t unacknowledged;
	size_t received_len; /* by the client */
	size_t log_len;
	bool log_lost; /* a line was not taken */
	char received[1 << 18];
	char log[1 << 21];
};

/* Of the last start. */
extern struct os os;

/* Starts over. */
void os_start(const struct os_plan *plan);

/* The descriptors that are open beside those of the start. */
unsigned os_open_files(void);

/* A byte of a file, and the number of its inode. */
char os_byte(const struct os_file *f, uint64_t offset);
uint64_t os_inode(const struct os_file *f);

#endif
