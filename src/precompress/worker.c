/*
 * worker: what a worker says, to its reader and to people.
 */
#define _GNU_SOURCE
#include "worker.h"

#include "../text.h"

#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* A path, each byte of which may be escaped by four, and a sentence. */
#define LINE_CAP (4 * (PATH_MAX + NAME_MAX) + 512)

void
worker_report(const struct worker *w, const struct report *report)
{
	ssize_t n;

	do
		n = write(w->reports, report, sizeof(*report));
	while (n < 0 && errno == EINTR);
	if (n != (ssize_t)sizeof(*report))
		_exit(EX_SOFTWARE);
}

static void
add_name(struct text *t, const struct worker *w, const char *name)
{
	text_add_escaped(t, slice_of(w->path), LINE_CAP);
	if (name[0] != '\0')
		text_add_char(t, '/');
	text_add_escaped(t, slice_of(name), LINE_CAP);
}

/* Writes a line whole, so that those of several workers do not mix. */
static void
write_line(int fd, struct text *t)
{
	text_add_char(t, '\n');
	/* A reader that has gone is no reason to stop the work. */
	ssize_t n = write(fd, t->ptr, t->len);
	(void)n;
}

static void
start_line(struct text *t, const struct worker *w, int fd)
{
	if (w->has_progress && fd == STDERR_FILENO)
		text_add(t, SLICE("\r\33[K"));
}

void
worker_complain(const struct worker *w, int status, const char *name,
    const char *sentence, int error)
{
	static char line[LINE_CAP];
	struct text t = TEXT_IN(line);

	start_line(&t, w, STDERR_FILENO);
	text_add(&t, SLICE("httpd-precompress: "));
	add_name(&t, w, name);
	text_add(&t, SLICE(": "));
	text_add(&t, slice_of(sentence));
	if (error != 0) {
		text_add(&t, SLICE(": "));
		text_add(&t, slice_of(strerror(error)));
	}
	write_line(STDERR_FILENO, &t);
	if (status != 0)
		worker_report(w,
		    &(struct report){
			.kind = REPORT_FAILED, .status = status });
}

void
worker_print(const struct worker *w, int fd, const char *verb, const char *name,
    const char *detail)
{
	static char line[LINE_CAP];
	struct text t = TEXT_IN(line);

	start_line(&t, w, fd);
	text_add(&t, slice_of(verb));
	text_add_char(&t, ' ');
	add_name(&t, w, name);
	if (detail[0] != '\0') {
		text_add(&t, SLICE(": "));
		text_add(&t, slice_of(detail));
	}
	write_line(fd, &t);
}
