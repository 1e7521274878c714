/*
 * httpd-precompress: writes precompressed variants of the text files of a tree,
 * NAME.br, NAME.zst and NAME.gz, which httpd sends in place of NAME to clients
 * that accept them.
 *
 * The tree may be served meanwhile, others may write to it, and the program may
 * be stopped and started again at any time.  This process walks the tree and
 * counts.  All that is done in a directory is done by workers, one process for
 * a scan of it and one for each variant, as many at a time as there are CPUs.
 * Where this process is root's, a worker takes the rights of its directory's
 * owner for good, so that no name that the owner may set leads to what he may
 * not touch.
 */
#define _GNU_SOURCE
#include "scan.h"
#include "variant.h"
#include "worker.h"

#include "../text.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#ifndef VERSION
#error "VERSION is set by the Makefile"
#endif

#define PROGRESS_MS 100

/* Where a worker finds its descriptors. */
#define WORKER_DIR 3
#define WORKER_REPORTS 4

static const char help[] =
    "Usage: httpd-precompress [OPTION]... TREE\n"
    "Write NAME.br, NAME.zst and NAME.gz for the text files of TREE, which httpd\n"
    "sends in their place to clients that accept them.\n"
    "\n"
    "  -n, --dry-run  print what would be done, and do nothing\n"
    "  -v, --verbose  print each file that is written or removed\n"
    "  -h, --help     show this text\n"
    "  -V, --version  show the version\n";

struct options {
	const char *tree;
	bool dry_run;
	bool verbose;
};

/* The rights that a worker of root's takes. */
struct rights {
	uid_t uid;
	gid_t gid;
	gid_t *groups;
	int group_count;
	struct rights *next;
};

/* A directory that is being worked in, open and locked. */
struct directory {
	int fd;
	char *path; /* beneath the tree; "" is the tree */
	char *shown; /* its name for messages */
	const struct rights *rights; /* NULL: those of this process */
	unsigned users; /* workers and jobs */
};

struct job {
	struct directory *directory;
	struct report report;
	struct job *next;
};

/* A worker that is running. */
struct slot {
	pid_t pid;
	int reports; /* the pipe's end to read from */
	struct directory *directory;
	char *variant; /* what it makes; NULL: it scans */
};

struct path {
	char *path;
	struct path *next;
};

/* What all variants of a coding save. */
struct saving {
	uint64_t plain, variants;
};

struct run {
	const struct options *options;
	int tree; /* its descriptor */
	struct path *paths; /* of directories to scan */
	struct job *jobs; /* to do; the newest first */
	struct rights *rights; /* that were looked up */
	struct slot *slots;
	unsigned slot_count, running;
	bool has_progress;
	int64_t progress_shown_ms;
	int status;
	unsigned long files, written, up_to_date, removed, not_worth, left,
	    changed;
	uint64_t plain_bytes;
	struct saving savings[CODINGS_STORED];
};

static volatile sig_atomic_t interrupted_by;

/* Prints a sentence; the status is for the end unless there is one. */
static void complain(struct run *run, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
complain(struct run *run, int status, const char *format, ...)
{
	va_list arguments;

	(void)fprintf(stderr,
	    "%shttpd-precompress: ", run->has_progress ? "\r\33[K" : "");
	va_start(arguments, format);
	(void)vfprintf(stderr, format, arguments);
	va_end(arguments);
	(void)fputc('\n', stderr);
	if (run->status == EX_OK)
		run->status = status;
}

static void *
must(void *memory)
{
	if (memory == NULL) {
		(void)fputs("httpd-precompress: out of memory\n", stderr);
		exit(EX_OSERR);
	}
	return memory;
}

/* A name as it may be shown; the result is overwritten by the next one. */
static const char *
shown(const char *name)
{
	static char buf[4 * PATH_MAX + 1];
	struct text t = TEXT_IN(buf);

	text_add_escaped(&t, slice_of(name), sizeof(buf) - 1);
	buf[t.len < sizeof(buf) ? t.len : sizeof(buf) - 1] = '\0';
	return buf;
}

/* The group of a user whom the host's database does not know: nogroup. */
#define GROUP_UNKNOWN 65534

/* The rights of a user, with the groups of the host's database. */
static const struct rights *
rights_of(struct run *run, uid_t uid)
{
	struct rights *r;

	for (r = run->rights; r != NULL; r = r->next)
		if (r->uid == uid)
			return r;
	r = must(calloc(1, sizeof(*r)));
	r->uid = uid;
	r->gid = GROUP_UNKNOWN;
	/* cppcheck-suppress getpwuidCalled ; there is one thread */
	const struct passwd *user = getpwuid(uid);
	if (user != NULL) {
		r->gid = user->pw_gid;
		/* Says how many there are. */
		(void)getgrouplist(
		    user->pw_name, user->pw_gid, NULL, &r->group_count);
		r->groups = must(reallocarray(
		    NULL, (size_t)r->group_count + 1, sizeof(r->groups[0])));
		if (getgrouplist(user->pw_name, user->pw_gid, r->groups,
			&r->group_count) < 0)
			r->group_count = 0;
	}
	r->next = run->rights;
	run->rights = r;
	return r;
}

/* Gives up root for good; false with errno. */
static bool
take_rights(const struct rights *r)
{
	return setgroups((size_t)r->group_count, r->groups) == 0 &&
	    setresgid(r->gid, r->gid, r->gid) == 0 &&
	    setresuid(r->uid, r->uid, r->uid) == 0;
}

/* The directory at a path beneath the tree, not through any link. */
static int
open_beneath_tree(int tree, const char *path)
{
	const struct open_how how = {
		.flags = O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
		    RESOLVE_NO_MAGICLINKS,
	};
	int fd;

	do
		fd = (int)syscall(SYS_openat2, tree,
		    path[0] == '\0' ? "." : path, &how, sizeof(how));
	while (fd < 0 && (errno == EINTR || errno == EAGAIN));
	return fd;
}

static char *
join(const char *directory, const char *name)
{
	size_t a = strlen(directory), b = strlen(name);
	char *path = must(malloc(a + b + 2));

	memcpy(path, directory, a);
	if (a > 0 && b > 0 && directory[a - 1] != '/')
		path[a++] = '/';
	memcpy(path + a, name, b);
	path[a + b] = '\0';
	return path;
}

static void
release_directory(struct directory *d)
{
	if (--d->users > 0)
		return;
	close(d->fd);
	free(d->path);
	free(d->shown);
	free(d);
}

/*
 * Opens and locks the directory of a path, which it takes over; NULL if that is
 * not possible.
 */
static struct directory *
open_directory(struct run *run, struct path *p)
{
	char *path = p->path;
	struct directory *d = must(calloc(1, sizeof(*d)));
	struct stat st;

	*d = (struct directory){
		.path = path,
		.shown = join(run->options->tree, path),
		.fd = open_beneath_tree(run->tree, path),
		.users = 1,
	};
	free(p);
	if (d->fd < 0 && path[0] != '\0' &&
	    (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		goto skip; /* it was removed or replaced meanwhile */
	if (d->fd < 0 || fstat(d->fd, &st) != 0) {
		complain(run, EX_NOINPUT, "%s: cannot be read: %s",
		    shown(d->shown), strerror(errno));
		goto skip;
	}
	if (flock(d->fd, LOCK_EX | LOCK_NB) != 0) {
		complain(run, EX_TEMPFAIL,
		    "%s: another httpd-precompress is at work there",
		    shown(d->shown));
		goto skip;
	}
	if (geteuid() == 0 && st.st_uid != 0)
		d->rights = rights_of(run, st.st_uid);
	return d;
skip:
	release_directory(d);
	return NULL;
}

/* Leaves a worker its directory, its pipe and the standard descriptors. */
static bool
keep_descriptors(int directory, int reports)
{
	int d = fcntl(directory, F_DUPFD_CLOEXEC, WORKER_REPORTS + 1);
	int r = fcntl(reports, F_DUPFD_CLOEXEC, WORKER_REPORTS + 1);

	return d >= 0 && r >= 0 && dup2(d, WORKER_DIR) >= 0 &&
	    dup2(r, WORKER_REPORTS) >= 0 &&
	    syscall(SYS_close_range, WORKER_REPORTS + 1, ~0U, 0) == 0;
}

/* The worker's own process; it does not return. */
static void
work(const struct run *run, const struct directory *directory,
    const struct report *job, int reports, pid_t parent)
{
	const struct worker w = {
		.dir = WORKER_DIR,
		.path = directory->shown,
		.reports = WORKER_REPORTS,
		.is_tree = directory->path[0] == '\0',
		.dry_run = run->options->dry_run,
		.verbose = run->options->verbose,
		.has_progress = run->has_progress,
	};

	(void)umask(077);
	(void)signal(SIGPIPE, SIG_IGN);
	if (!keep_descriptors(directory->fd, reports))
		_exit(EX_OSERR);
	if (directory->rights != NULL && !take_rights(directory->rights)) {
		worker_complain(&w, EX_NOPERM, "",
		    "the rights of its owner cannot be taken", errno);
		_exit(EX_OK);
	}
	/* Taking rights resets it. */
	if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent)
		_exit(EX_OSERR);
	if (job != NULL)
		variant_make(&w, job);
	else
		scan_directory(&w);
	_exit(EX_OK);
}

/* Starts a worker for a scan (job is NULL) or a job, in a free slot. */
static void
start_worker(
    struct run *run, struct directory *directory, const struct report *job)
{
	struct slot *slot = run->slots;
	pid_t parent = getpid();
	int ends[2];

	while (slot->pid != 0)
		slot++;
	if (pipe2(ends, O_CLOEXEC) != 0) {
		complain(run, EX_OSERR, "%s: no worker can be started: %s",
		    shown(directory->shown), strerror(errno));
		release_directory(directory);
		return;
	}
	pid_t pid = fork();
	if (pid == 0)
		work(run, directory, job, ends[1], parent);
	close(ends[1]);
	if (pid < 0) {
		complain(run, EX_OSERR, "%s: no worker can be started: %s",
		    shown(directory->shown), strerror(errno));
		close(ends[0]);
		release_directory(directory);
		return;
	}
	*slot = (struct slot){
		.pid = pid,
		.reports = ends[0],
		.directory = directory,
		.variant = job == NULL ? NULL : join("", job->name),
	};
	run->running++;
}

/* Starts what there is to do, jobs first, in all free slots. */
static void
start_workers(struct run *run)
{
	while (run->running < run->slot_count) {
		if (run->jobs != NULL) {
			struct job *job = run->jobs;

			run->jobs = job->next;
			start_worker(run, job->directory, &job->report);
			free(job);
		} else if (run->paths != NULL) {
			struct path *p = run->paths;

			run->paths = p->next;
			struct directory *d = open_directory(run, p);
			if (d != NULL)
				start_worker(run, d, NULL);
		} else {
			return;
		}
	}
}

static void
add_path(struct run *run, char *path)
{
	struct path *p = must(malloc(sizeof(*p)));

	p->path = path;
	p->next = run->paths;
	run->paths = p;
}

static void
add_job(struct run *run, struct directory *d, const struct report *report)
{
	struct job *job = must(malloc(sizeof(*job)));

	*job = (struct job){
		.directory = d,
		.report = *report,
		.next = run->jobs,
	};
	run->jobs = job;
	d->users++;
}

/* Whether a report is one that a worker writes. */
static bool
is_sane(const struct report *r)
{
	return r->kind <= REPORT_FAILED && r->coding < CODINGS_STORED &&
	    memchr(r->name, '\0', sizeof(r->name)) != NULL &&
	    strchr(r->name, '/') == NULL && strcmp(r->name, ".") != 0 &&
	    strcmp(r->name, "..") != 0;
}

static void
count_saving(struct run *run, const struct report *r)
{
	run->savings[r->coding].plain += r->plain_size;
	run->savings[r->coding].variants += r->variant_size;
}

static void
take_report(struct run *run, const struct slot *slot, const struct report *r)
{
	switch (r->kind) {
	case REPORT_DIRECTORY:
		add_path(run, join(slot->directory->path, r->name));
		break;
	case REPORT_FILE:
		run->files++;
		run->plain_bytes += r->plain_size;
		break;
	case REPORT_JOB:
		add_job(run, slot->directory, r);
		break;
	case REPORT_UP_TO_DATE:
		run->up_to_date++;
		count_saving(run, r);
		break;
	case REPORT_WRITTEN:
		run->written++;
		count_saving(run, r);
		break;
	case REPORT_NOT_WORTH:
		run->not_worth++;
		break;
	case REPORT_LEFT:
		run->left++;
		break;
	case REPORT_CHANGED:
		run->changed++;
		break;
	case REPORT_REMOVED:
		run->removed++;
		break;
	case REPORT_FAILED:
		if (run->status == EX_OK)
			run->status = r->status;
		break;
	}
}

/* A worker has closed its pipe. */
static void
end_worker(struct run *run, struct slot *slot)
{
	int status;

	close(slot->reports);
	pid_t ended;
	do
		ended = waitpid(slot->pid, &status, 0);
	while (ended < 0 && errno == EINTR);
	if (status != 0 && interrupted_by == 0) {
		char *name = join(slot->directory->shown,
		    slot->variant == NULL ? "" : slot->variant);

		complain(run, EX_SOFTWARE, "%s: its worker ended with %s %d",
		    shown(name), WIFSIGNALED(status) ? "signal" : "status",
		    WIFSIGNALED(status) ? WTERMSIG(status) :
					  WEXITSTATUS(status));
		free(name);
	}
	release_directory(slot->directory);
	free(slot->variant);
	*slot = (struct slot){ .pid = 0 };
	run->running--;
}

/* Reads a worker's next report, or sees its end. */
static void
read_report(struct run *run, struct slot *slot)
{
	struct report r;
	ssize_t n = read(slot->reports, &r, sizeof(r));

	if (n == (ssize_t)sizeof(r) && is_sane(&r)) {
		take_report(run, slot, &r);
	} else if (n >= 0 || errno != EINTR) {
		/* No more, or nothing that a worker would write. */
		if (n != 0)
			(void)kill(slot->pid, SIGKILL);
		end_worker(run, slot);
	}
}

static int64_t
now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Writes a number of bytes into buf, as people read it; returns buf. */
static const char *
bytes(uint64_t n, char buf[32])
{
	static const char *const units[] = { "bytes", "KB", "MB", "GB", "TB" };
	double scaled = (double)n;
	size_t unit = 0;

	while (scaled >= 999.95 && unit < 4) {
		scaled /= 1000;
		unit++;
	}
	(void)snprintf(
	    buf, 32, unit == 0 ? "%.0f %s" : "%.1f %s", scaled, units[unit]);
	return buf;
}

static const char *
plural(unsigned long n, const char *one, const char *more)
{
	return n == 1 ? one : more;
}

/* Shows how far it is, on a terminal, a few times a second. */
static void
show_progress(struct run *run)
{
	int64_t ms = now_ms();
	struct winsize size = { .ws_col = 80 };
	char line[512];

	if (!run->has_progress || ms - run->progress_shown_ms < PROGRESS_MS)
		return;
	run->progress_shown_ms = ms;
	(void)ioctl(STDERR_FILENO, TIOCGWINSZ, &size);
	int n = snprintf(line, sizeof(line), "%lu %s, %lu %s written",
	    run->files, plural(run->files, "file", "files"), run->written,
	    plural(run->written, "variant", "variants"));
	for (unsigned i = 0; i < run->slot_count; i++)
		if (run->slots[i].variant != NULL && n > 0 &&
		    (size_t)n < sizeof(line)) {
			(void)snprintf(line + n, sizeof(line) - (size_t)n,
			    "; %.255s", shown(run->slots[i].variant));
			break;
		}
	int columns = size.ws_col > 1 ? size.ws_col - 1 : 79;
	(void)fprintf(stderr, "\r\33[K%.*s", columns, line);
}

static void
clear_progress(const struct run *run)
{
	if (run->has_progress)
		(void)fputs("\r\33[K", stderr);
}

static void
note_interruption(int number)
{
	interrupted_by = number;
}

/* Ends all workers; what is finished is kept. */
static void
stop_workers(struct run *run)
{
	for (unsigned i = 0; i < run->slot_count; i++)
		if (run->slots[i].pid != 0)
			(void)kill(run->slots[i].pid, SIGTERM);
	for (unsigned i = 0; i < run->slot_count; i++)
		if (run->slots[i].pid != 0)
			end_worker(run, &run->slots[i]);
}

/* Does all there is to do; signals are blocked except while it waits. */
static void
run_workers(struct run *run, const sigset_t *while_waiting)
{
	const struct timespec progress_interval = {
		.tv_nsec = PROGRESS_MS * 1000000L,
	};
	struct pollfd *p = must(calloc(run->slot_count, sizeof(struct pollfd)));

	for (;;) {
		start_workers(run);
		if (run->running == 0)
			break;
		for (unsigned i = 0; i < run->slot_count; i++)
			p[i] = (struct pollfd){
				.fd = run->slots[i].pid == 0 ?
				    -1 :
				    run->slots[i].reports,
				.events = POLLIN,
			};
		int ready = ppoll(p, run->slot_count,
		    run->has_progress ? &progress_interval : NULL,
		    while_waiting);
		if (interrupted_by != 0)
			break;
		for (unsigned i = 0; ready > 0 && i < run->slot_count; i++)
			if (p[i].revents != 0)
				read_report(run, &run->slots[i]);
		show_progress(run);
	}
	free(p);
}

static void
print_summary(struct run *run)
{
	char a[32], b[32];
	const char *before = ":";

	(void)fprintf(stderr,
	    "httpd-precompress: %lu %s of %s: %lu %s written, %lu up to date",
	    run->files, plural(run->files, "file", "files"),
	    bytes(run->plain_bytes, a), run->written,
	    plural(run->written, "variant", "variants"), run->up_to_date);
	if (run->removed > 0)
		(void)fprintf(stderr, ", %lu removed", run->removed);
	if (run->not_worth > 0)
		(void)fprintf(stderr, ", %lu not worth it", run->not_worth);
	if (run->left > 0)
		(void)fprintf(
		    stderr, ", %lu of others left as they are", run->left);
	if (run->changed > 0)
		(void)fprintf(stderr,
		    ", %lu not made since the file changed meanwhile",
		    run->changed);
	(void)fputc('\n', stderr);
	if (run->written + run->up_to_date == 0)
		return;
	(void)fputs("httpd-precompress: saved", stderr);
	for (unsigned i = 0; i < CODINGS_STORED; i++) {
		const struct saving *s = &run->savings[i];
		uint64_t saved =
		    s->plain > s->variants ? s->plain - s->variants : 0;

		if (s->plain == 0)
			continue;
		(void)fprintf(stderr, "%s %s by %s (%.0f %%)", before,
		    bytes(saved, b), coding_name((enum coding)i).ptr,
		    100 * (double)saved / (double)s->plain);
		before = ",";
	}
	(void)fputc('\n', stderr);
}

/* The operator's fault: one sentence about the command line. */
static int
misused(const char *what, const char *word)
{
	(void)fprintf(stderr,
	    "httpd-precompress: %s%s; see httpd-precompress --help\n", what,
	    word);
	return EX_USAGE;
}

/* -1, or the exit status for what the command line says. */
static int
read_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
		{ "dry-run", no_argument, NULL, 'n' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};
	int letter;

	opterr = 0;
	while ((letter = getopt_long(argc, argv, "+nvhV", table, NULL)) >= 0) {
		switch (letter) {
		case 'n':
			o->dry_run = true;
			break;
		case 'v':
			o->verbose = true;
			break;
		case 'h':
			return fputs(help, stdout) < 0 || fflush(stdout) != 0 ?
			    EX_IOERR :
			    EX_OK;
		case 'V':
			return puts("httpd-precompress " VERSION) < 0 ||
				fflush(stdout) != 0 ?
			    EX_IOERR :
			    EX_OK;
		default:
			return misused("unknown option ", argv[optind - 1]);
		}
	}
	if (optind == argc || argv[optind][0] == '\0')
		return misused("TREE is missing", "");
	if (optind + 1 < argc)
		return misused("one TREE is expected, but there is also ",
		    argv[optind + 1]);
	o->tree = argv[optind];
	return -1;
}

/* Opens the tree; false if it is not one, or openat2(2) is missing. */
static bool
open_tree(struct run *run)
{
	const char *tree = run->options->tree;
	int probe;

	run->tree = open(tree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (run->tree < 0) {
		complain(
		    run, EX_NOINPUT, "%s: %s", shown(tree), strerror(errno));
		return false;
	}
	probe = open_beneath_tree(run->tree, "");
	if (probe < 0 && (errno == ENOSYS || errno == EPERM)) {
		complain(run, EX_UNAVAILABLE,
		    "openat2() is not available: Linux 5.6 is needed, and a "
		    "container that allows it");
		return false;
	}
	if (probe >= 0)
		close(probe);
	return true;
}

/* As many as this process may use at a time. */
static unsigned
count_cpus(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ?
	    CPU_COUNT(&set) :
	    (int)sysconf(_SC_NPROCESSORS_ONLN);

	return count < 1 ? 1 : (unsigned)count;
}

int
main(int argc, char **argv)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
	struct options o = { .tree = NULL };
	struct run run = { .options = &o };
	struct sigaction action = { .sa_handler = note_interruption };
	sigset_t blocked, before;

	int status = read_options(&o, argc, argv);
	if (status >= 0)
		return status;
	run.has_progress =
	    isatty(STDERR_FILENO) == 1 && !o.verbose && !o.dry_run;
	if (!open_tree(&run))
		return run.status;
	run.slot_count = count_cpus();
	run.slots = must(calloc(run.slot_count, sizeof(struct slot)));
	add_path(&run, join("", ""));

	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		/* What a shell starts in the background ignores SIGINT. */
		struct sigaction old;

		sigaddset(&blocked, numbers[i]);
		if (sigaction(numbers[i], NULL, &old) == 0 &&
		    old.sa_handler != SIG_IGN)
			(void)sigaction(numbers[i], &action, NULL);
	}
	(void)sigprocmask(SIG_BLOCK, &blocked, &before);
	run_workers(&run, &before);
	stop_workers(&run);
	clear_progress(&run);
	if (interrupted_by != 0) {
		complain(&run, 0, "interrupted; what is finished is kept");
		(void)signal(interrupted_by, SIG_DFL);
		(void)sigprocmask(SIG_SETMASK, &before, NULL);
		(void)raise(interrupted_by);
	}
	if (!o.dry_run)
		print_summary(&run);
	return run.status;
}
