/*
 * worker: a process that works in one directory, with the rights of its owner,
 * and reports to the process that started it.
 *
 * There are two kinds of work.  A scan finds out what there is to do in a
 * directory; a job makes one variant.  All names are single components of the
 * directory that the worker holds open; no link is ever followed.
 */
#ifndef WORKER_H
#define WORKER_H

#include "compress.h"

#include <limits.h>
#include <stdbool.h>

enum report_kind {
	REPORT_DIRECTORY, /* name: a directory in this one */
	REPORT_FILE, /* name: a file that should have variants */
	REPORT_JOB, /* name: a file that wants the variant `coding` */
	REPORT_UP_TO_DATE, /* a variant that is as it should be */
	REPORT_WRITTEN, /* a variant that was made */
	REPORT_NOT_WORTH, /* a file that does not shrink enough */
	REPORT_LEFT, /* a file of somebody else's where a variant would be */
	REPORT_CHANGED, /* a file that changed while it was compressed */
	REPORT_REMOVED, /* a variant that no file needs any more */
	REPORT_FAILED, /* status: of the program, for what was complained of */
};

/*
 * What a worker writes to its pipe, whole in one write.  The reader trusts none
 * of it: a worker has the rights of the directory's owner, and so may have he.
 */
struct report {
	enum report_kind kind;
	enum coding coding;
	int status;
	bool has_stale; /* REPORT_JOB: there is a variant, to be replaced */
	struct fingerprint stale; /* if it is this one */
	uint64_t plain_size;
	uint64_t variant_size;
	char name[NAME_MAX + 1];
};

struct worker {
	int dir; /* the directory */
	const char *path; /* its name, for messages */
	int reports; /* the pipe */
	bool is_tree; /* its .well-known is visible */
	bool dry_run; /* print what would be done, and do nothing */
	bool verbose; /* print what is done */
	bool has_progress; /* a line of progress may have to be cleared */
};

/* Writes a report.  The worker ends if there is nobody to read it. */
void worker_report(const struct worker *w, const struct report *report);

/*
 * Complains of a name ("": of the directory itself) on standard error: prints
 * the sentence, and what the system says of `error` unless that is 0.  Reports
 * `status`, unless that is 0.
 */
void worker_complain(const struct worker *w, int status, const char *name,
    const char *sentence, int error);

/* Prints "VERB NAME" or "VERB NAME: DETAIL" on one line of `fd`. */
void worker_print(const struct worker *w, int fd, const char *verb,
    const char *name, const char *detail);

#endif
