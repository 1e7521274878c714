/*
 * scan: one directory, by name.
 *
 * A variant is up to date if it decompresses to the bytes of its plain file and
 * has a date by which httpd sends it: dates alone can be set, and some trees
 * have files that all have one date.
 */
#define _GNU_SOURCE
#include "scan.h"

#include "notes.h"
#include "variant.h"

#include "../slice.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* A name of the directory. */
struct entry {
	struct entry *next;
	struct stat st;
	char name[];
};

/* An element of an array that is sorted by name. */
struct by_name {
	const struct entry *entry;
};

struct listing {
	struct entry *all; /* that are not hidden */
	struct by_name *sorted;
	size_t count;
	struct entry *leftovers; /* of a run that was killed */
};

/* A plain file, its name and what is known of its content. */
struct plain {
	const struct entry *entry;
	int fd;
	struct stat st; /* of the open file */
	bool has_print;
	struct fingerprint print;
};

/* Extensions of formats that are text, or repeat themselves as text does. */
static const char extensions[][12] = { "asc", "atom", "bib", "bmp", "c", "cjs",
	"conf", "css", "csv", "cur", "diff", "dtd", "eot", "eps", "geojson",
	"gltf", "gpx", "h", "htm", "html", "ico", "ics", "ini", "js", "json",
	"json5", "jsonld", "kml", "log", "m3u8", "map", "markdown", "md", "mjs",
	"mpd", "obj", "otf", "patch", "ps", "py", "rdf", "rss", "rtf", "sh",
	"srt", "stl", "svg", "tex", "text", "toml", "topojson", "tsv", "ttf",
	"txt", "vcf", "vtt", "wasm", "webmanifest", "xhtml", "xml", "xsd",
	"xsl", "xslt", "yaml", "yml" };

static bool
is_compressible(const char *name)
{
	const char *dot = strrchr(name, '.');

	if (dot == NULL)
		return false;
	for (size_t i = 0; i < sizeof(extensions) / sizeof(extensions[0]); i++)
		if (slice_equal_nocase(
			slice_of(dot + 1), slice_of(extensions[i])))
			return true;
	return false;
}

/* Whether a file should have variants, if they turn out smaller. */
static bool
is_plain(const struct entry *e)
{
	return S_ISREG(e->st.st_mode) && e->st.st_size >= PLAIN_SIZE_MIN &&
	    strlen(e->name) + CODING_SUFFIX_MAX <= NAME_MAX &&
	    is_compressible(e->name);
}

/* Whether a name is of a file that is made for a moment. */
static bool
has_temporary_name(const char *name, const char *prefix)
{
	size_t len = strlen(prefix);

	if (strncmp(name, prefix, len) != 0 || name[len] == '\0')
		return false;
	while (isdigit((unsigned char)name[len]))
		len++;
	return name[len] == '\0';
}

/* Adds a name to a list; the worker ends where there is no memory. */
static void
add_entry(struct entry **list, const char *name, const struct stat *st)
{
	size_t size = strlen(name) + 1;
	struct entry *e = malloc(sizeof(*e) + size);

	if (e == NULL)
		_exit(EX_OSERR);
	e->next = *list;
	e->st = *st;
	memcpy(e->name, name, size);
	*list = e;
}

/* Takes one name of the directory. */
static void
take_name(const struct worker *w, struct listing *l, const char *name)
{
	bool is_temporary = has_temporary_name(name, NEW_PREFIX) ||
	    has_temporary_name(name, OLD_PREFIX);
	bool is_hidden =
	    name[0] == '.' && !(w->is_tree && strcmp(name, ".well-known") == 0);
	struct stat st;

	if (is_hidden && !is_temporary)
		return;
	if (fstatat(w->dir, name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
		if (errno != ENOENT)
			worker_complain(
			    w, EX_NOINPUT, name, "cannot be read", errno);
		return;
	}
	if (is_temporary) {
		add_entry(&l->leftovers, name, &st);
		return;
	}
	if (S_ISDIR(st.st_mode)) {
		struct report r = { .kind = REPORT_DIRECTORY };

		memcpy(r.name, name, strlen(name) + 1);
		worker_report(w, &r);
	}
	add_entry(&l->all, name, &st);
	l->count++;
}

static void
free_entries(struct entry *list)
{
	while (list != NULL) {
		struct entry *next = list->next;

		free(list);
		list = next;
	}
}

static void
free_listing(struct listing *l)
{
	free_entries(l->all);
	free_entries(l->leftovers);
	free(l->sorted);
}

static int
compare_entries(const void *a, const void *b)
{
	const struct by_name *x = a, *y = b;

	return strcmp(x->entry->name, y->entry->name);
}

static int
compare_name_with_entry(const void *name, const void *entry)
{
	const struct by_name *e = entry;

	return strcmp(name, e->entry->name);
}

static void
sort_listing(struct listing *l)
{
	size_t i = 0;

	l->sorted = reallocarray(NULL, l->count + 1, sizeof(l->sorted[0]));
	if (l->sorted == NULL)
		_exit(EX_OSERR);
	for (const struct entry *e = l->all; e != NULL; e = e->next)
		l->sorted[i++].entry = e;
	qsort(l->sorted, l->count, sizeof(l->sorted[0]), compare_entries);
}

static const struct entry *
find_entry(const struct listing *l, const char *name)
{
	const struct by_name *found = bsearch(name, l->sorted, l->count,
	    sizeof(l->sorted[0]), compare_name_with_entry);

	return found == NULL ? NULL : found->entry;
}

/* Reads the directory; false if that is not possible. */
static bool
list_directory(const struct worker *w, struct listing *l)
{
	int fd = openat(w->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	if (d == NULL) {
		worker_complain(w, EX_NOINPUT, "", "cannot be read", errno);
		return false;
	}
	/* cppcheck-suppress readdirCalled ; there is one thread */
	while ((errno = 0, entry = readdir(d)) != NULL) {
		const char *name = entry->d_name;

		/* A file system of somebody's own may say anything. */
		if (strcmp(name, ".") != 0 && strcmp(name, "..") != 0 &&
		    strchr(name, '/') == NULL && strlen(name) <= NAME_MAX)
			take_name(w, l, name);
	}
	int error = errno;
	closedir(d);
	if (error != 0) {
		worker_complain(w, EX_NOINPUT, "", "cannot be read", error);
		return false;
	}
	sort_listing(l);
	return true;
}

static bool
is_known_variant(
    const struct worker *w, const struct notes *notes, const char *name)
{
	for (size_t i = 0; i < notes->count; i++)
		if (notes->all[i].kind == NOTE_VARIANT &&
		    variant_is(w->dir, name, notes->all[i].print))
			return true;
	return false;
}

/*
 * Removes what a run that was killed left: a part of a new variant, or an old
 * one that was to be removed.
 */
static void
remove_leftovers(
    const struct worker *w, const struct listing *l, const struct notes *notes)
{
	for (const struct entry *e = l->leftovers; e != NULL; e = e->next) {
		const char *name = e->name;

		if (has_temporary_name(name, OLD_PREFIX) &&
		    !is_known_variant(w, notes, name))
			worker_complain(w, 0, name,
			    "is left of a run that was killed, and was not made "
			    "by httpd-precompress; left as it is",
			    0);
		else if (unlinkat(w->dir, name, 0) != 0 && errno != ENOENT)
			worker_complain(
			    w, EX_CANTCREAT, name, "cannot be removed", errno);
	}
}

/* The plain file that a note's variant stands for, or NULL. */
static const struct entry *
plain_of_note(const struct listing *l, const struct note *note)
{
	const char *dot = strrchr(note->name, '.');
	char name[NAME_MAX + 1];

	if (dot == NULL)
		return NULL;
	size_t len = (size_t)(dot - note->name);
	memcpy(name, note->name, len);
	name[len] = '\0';
	const struct entry *e = find_entry(l, name);
	return e != NULL && is_plain(e) ? e : NULL;
}

/* Removes a variant that no file needs; false if its note is still wanted. */
static bool
remove_orphan(const struct worker *w, const struct note *note)
{
	if (w->dry_run) {
		if (variant_is(w->dir, note->name, note->print))
			worker_print(
			    w, STDOUT_FILENO, "would remove", note->name, "");
		return false;
	}
	switch (variant_remove(w->dir, note->name, note->print)) {
	case REMOVED:
		if (w->verbose)
			worker_print(
			    w, STDERR_FILENO, "removed", note->name, "");
		worker_report(w, &(struct report){ .kind = REPORT_REMOVED });
		return true;
	case NOT_OURS:
		return true;
	case SET_ASIDE:
		worker_complain(w, 0, note->name, SET_ASIDE_SENTENCE, 0);
		return true;
	case REMOVAL_FAILED:
		break;
	}
	worker_complain(
	    w, EX_CANTCREAT, note->name, "cannot be removed", errno);
	return false;
}

/* Removes variants that no file needs, and drops notes of what is not there. */
static void
settle_notes(
    const struct worker *w, const struct listing *l, struct notes *notes)
{
	size_t kept = 0;

	for (size_t i = 0; i < notes->count; i++) {
		const struct note *note = &notes->all[i];
		const struct entry *e = find_entry(l, note->name);
		bool has_plain = plain_of_note(l, note) != NULL;
		bool drop = !has_plain;

		if (note->kind == NOTE_VARIANT) {
			bool is_there = e != NULL && S_ISREG(e->st.st_mode) &&
			    (uint64_t)e->st.st_size == note->print.size;

			drop =
			    !is_there || (!has_plain && remove_orphan(w, note));
		}
		if (!drop)
			notes->all[kept++] = *note;
	}
	bool changed = kept != notes->count || notes->has_surplus;
	notes->count = kept;
	if (changed && !w->dry_run && !notes_replace(w->dir, notes))
		worker_complain(w, EX_CANTCREAT, ".precompressed",
		    "cannot be written", errno);
}

static void
report_variant(const struct worker *w, enum report_kind kind,
    const struct plain *plain, enum coding coding, const struct stat *variant)
{
	struct report r = {
		.kind = kind,
		.coding = coding,
		.plain_size = (uint64_t)plain->st.st_size,
		.variant_size =
		    variant == NULL ? 0 : (uint64_t)variant->st_size,
	};

	worker_report(w, &r);
}

/* Asks for a variant to be made, in place of the one with a fingerprint. */
static void
report_job(const struct worker *w, const struct plain *plain,
    enum coding coding, const struct fingerprint *stale)
{
	struct report r = {
		.kind = REPORT_JOB,
		.coding = coding,
		.plain_size = (uint64_t)plain->st.st_size,
		.has_stale = stale != NULL,
	};

	if (stale != NULL)
		r.stale = *stale;
	memcpy(r.name, plain->entry->name, strlen(plain->entry->name) + 1);
	if (w->dry_run) {
		char name[VARIANT_NAME_CAP];

		variant_name(r.name, coding, name);
		worker_print(w, STDOUT_FILENO, "would make", name, "");
	} else {
		worker_report(w, &r);
	}
}

/* Whether it is noted that a variant of this content is not worth making. */
static bool
is_not_worth(
    struct plain *plain, const struct notes *notes, const char *variant)
{
	bool has_notes = false;

	for (size_t i = 0; i < notes->count && !has_notes; i++)
		has_notes = notes->all[i].kind == NOTE_NOT_WORTH;
	if (!has_notes)
		return false;
	if (!plain->has_print)
		plain->has_print = compress_fingerprint(plain->fd,
				       &plain->print) == COMPRESS_DONE;
	return plain->has_print &&
	    notes_have(notes, NOTE_NOT_WORTH, variant, plain->print);
}

/* Leaves somebody else's file, and says why it is named. */
static void
leave(const struct worker *w, const struct plain *plain, enum coding coding,
    const char *name, const char *sentence)
{
	worker_complain(w, 0, name, sentence, 0);
	report_variant(w, REPORT_LEFT, plain, coding, NULL);
}

/* Decides on a variant that is there and open. */
static void
judge_variant(const struct worker *w, const struct plain *plain,
    const struct notes *notes, enum coding coding, const char *name, int fd,
    const struct stat *st)
{
	enum compress_result result = compress_compare(coding, fd, plain->fd);
	bool is_same = result == COMPRESS_DONE;
	struct fingerprint print;

	if (result != COMPRESS_DONE && result != COMPRESS_DIFFERS) {
		worker_complain(
		    w, EX_NOINPUT, name, "cannot be compared", errno);
		return;
	}
	if (compress_fingerprint(fd, &print) != COMPRESS_DONE) {
		worker_complain(w, EX_NOINPUT, name, "cannot be read", errno);
		return;
	}
	bool is_ours = notes_have(notes, NOTE_VARIANT, name, print);
	bool can_be_mended = is_ours && !w->dry_run && st->st_nlink == 1;
	if (is_same &&
	    (variant_resembles(st, &plain->st) ||
		(can_be_mended && variant_make_resemble(fd, &plain->st)) ||
		(!is_ours && variant_is_sent(st, &plain->st))))
		report_variant(w, REPORT_UP_TO_DATE, plain, coding, st);
	else if (is_ours)
		report_job(w, plain, coding, &print);
	else if (!is_same)
		leave(w, plain, coding, name,
		    "does not hold the content of its file, and was not made by "
		    "httpd-precompress; left as it is");
	else
		leave(w, plain, coding, name,
		    "is older than its file, and was not made by "
		    "httpd-precompress; left as it is");
}

static void
scan_variant(const struct worker *w, const struct listing *l,
    const struct notes *notes, struct plain *plain, enum coding coding)
{
	char name[VARIANT_NAME_CAP];
	struct stat st;

	variant_name(plain->entry->name, coding, name);
	const struct entry *e = find_entry(l, name);
	if (e == NULL) {
		if (is_not_worth(plain, notes, name))
			report_variant(
			    w, REPORT_NOT_WORTH, plain, coding, NULL);
		else
			report_job(w, plain, coding, NULL);
		return;
	}
	if (!S_ISREG(e->st.st_mode)) {
		leave(w, plain, coding, name,
		    "is not a regular file; left as it is");
		return;
	}
	int fd = variant_open(w->dir, name, &st);
	if (fd < 0) {
		worker_complain(w, EX_NOINPUT, name, "cannot be read", errno);
		return;
	}
	judge_variant(w, plain, notes, coding, name, fd, &st);
	close(fd);
}

static void
scan_file(const struct worker *w, const struct listing *l,
    const struct notes *notes, const struct entry *e)
{
	struct plain plain = { .entry = e };
	struct report r = {
		.kind = REPORT_FILE,
		.plain_size = (uint64_t)e->st.st_size,
	};

	plain.fd = variant_open(w->dir, e->name, &plain.st);
	if (plain.fd < 0) {
		/* It is gone, or something else now. */
		if (errno != ENOENT && errno != EINVAL && errno != ELOOP)
			worker_complain(
			    w, EX_NOINPUT, e->name, "cannot be read", errno);
		return;
	}
	worker_report(w, &r);
	for (unsigned coding = 0; coding < CODINGS_STORED; coding++)
		scan_variant(w, l, notes, &plain, (enum coding)coding);
	close(plain.fd);
}

static void
scan_listing(
    const struct worker *w, const struct listing *l, struct notes *notes)
{
	if (!w->dry_run)
		remove_leftovers(w, l, notes);
	settle_notes(w, l, notes);
	for (size_t i = 0; i < l->count; i++)
		if (is_plain(l->sorted[i].entry))
			scan_file(w, l, notes, l->sorted[i].entry);
}

void
scan_directory(const struct worker *w)
{
	struct listing l = { .count = 0 };
	struct notes notes;

	if (list_directory(w, &l)) {
		if (notes_read(w->dir, &notes)) {
			scan_listing(w, &l, &notes);
			notes_free(&notes);
		} else if (errno == EPERM || errno == ELOOP) {
			worker_complain(w, EX_CANTCREAT, ".precompressed",
			    "must be a regular file that belongs to the owner of "
			    "its directory and that nobody else can write",
			    0);
		} else {
			worker_complain(w, EX_NOINPUT, ".precompressed",
			    "cannot be read", errno);
		}
	}
	free_listing(&l);
}
