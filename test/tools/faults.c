/*
 * faults - what the handler does while something goes wrong.
 *
 *	faults [-j WORKERS] [-t TRIAL] [-v] HTTPD DIRECTORY SUITE
 *
 * Each conversation of a table is held once without a fault, which gives the
 * list of the handler's system calls.  Then it is held again for every fault
 * of a suite, one at a time:
 *
 *	errors		each call fails with each error that it may have
 *	start		the same of the calls by which it locks itself in
 *	interrupted	each call fails with EINTR, once and in a row
 *	again		the same with EAGAIN
 *	short		each transfer moves less than it was asked for
 *	files		a file is changed before each call
 *	directories	a directory is renamed before each call
 *	log		the log cannot be written, or no more
 *	reset		the client resets behind each byte of an answer
 *	signals		a signal arrives before each call
 *	clocks		a clock steps by an hour before each look at it
 *
 * A trial fails if the handler crashes, hangs or exits with another status
 * than is documented; if what the client received is not HTTP; if a byte of it
 * differs from the conversation without a fault, but for what allow() says
 * that this fault may change; if the log has another number of lines than
 * there were answers; or if a descriptor is left open.
 *
 * -t runs the one trial of that number, -v prints each.  It needs root, for a
 * /dev/log of its own; the handler runs as nobody.  The exit status is 0 if no
 * trial failed, 1 if one did or one fault in fifty did not come about, 2 if the
 * trials could not be made.
 */
#define _GNU_SOURCE
#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define TRIALS_MAX 60000
#define FAILURES_SHOWN 20 /* by one worker */
#define HOUR 3600

#define GET(target, fields) \
	"GET " target " HTTP/1.1\r\nHost: t\r\n" fields "\r\n"
#define CLOSE "Connection: close\r\n"
#define SMALL \
	{ \
		GET("/small.txt", ""), 200, "small.txt" \
	}
#define LAST_SMALL \
	{ \
		GET("/small.txt", CLOSE), 200, "small.txt" \
	}
#define LAST_LARGE \
	{ \
		GET("/large.bin", CLOSE), 200, "large.bin" \
	}
#define POST "POST / HTTP/1.1\r\nHost: t\r\n"

static char oversized[20000] = "GET / HTTP/1.1\r\nHost: t\r\n";

/* clang-format off */
static const struct scenario scenarios[] = {
	{
		.name = "small",
		.requests = { LAST_SMALL },
		.files = { "small.txt" },
	}, {
		.name = "small, local",
		.transport = LOCAL,
		.requests = { LAST_SMALL },
	}, {
		.name = "small, pipes",
		.transport = PIPES,
		.ends_sending = true,
		.requests = { SMALL },
	}, {
		.name = "large",
		.small_buffers = true,
		.requests = { LAST_LARGE },
		.files = { "large.bin" },
	}, {
		.name = "large, local",
		.transport = LOCAL,
		.small_buffers = true,
		.requests = { LAST_LARGE },
	}, {
		.name = "large, pipes",
		.transport = PIPES,
		.requests = { LAST_LARGE },
		.files = { "large.bin" },
	}, {
		.name = "several ranges",
		.requests = {
			{ GET("/large.bin",
			    "Range: bytes=0-99,60000-99999,-10\r\n" CLOSE),
			    206, NULL },
		},
		.files = { "large.bin" },
	}, {
		.name = "one range, then a file",
		.requests = {
			{ GET("/large.bin", "Range: bytes=100-20099\r\n"),
			    206, NULL },
			LAST_SMALL,
		},
		.files = { "large.bin" },
	}, {
		.name = "redirect",
		.requests = { { GET("/old", CLOSE), 301, NULL } },
		.files = { "_redirects" },
	}, {
		.name = "missing",
		.requests = {
			{ GET("/none", ""), 404, "404.html" },
			LAST_SMALL,
		},
		.files = { "404.html", "_redirects" },
	}, {
		.name = "not modified",
		.requests = {
			{ GET("/small.txt", "If-None-Match: *\r\n"), 304,
			    NULL },
			LAST_SMALL,
		},
		.files = { "small.txt" },
	}, {
		.name = "head",
		.requests = {
			{ "HEAD /large.bin HTTP/1.1\r\nHost: t\r\n\r\n", 200,
			    NULL },
			LAST_SMALL,
		},
		.files = { "large.bin" },
	}, {
		.name = "content",
		.requests = {
			{ POST "Content-Length: 5\r\n\r\n12345", 405, NULL },
			{ POST "Transfer-Encoding: chunked\r\n\r\n"
			       "3\r\nabc\r\n0\r\n\r\n", 405, NULL },
			LAST_SMALL,
		},
	}, {
		.name = "content, pipes",
		.transport = PIPES,
		.at_once = true,
		.ends_sending = true,
		.requests = {
			{ POST "Content-Length: 5\r\n\r\n12345", 405, NULL },
			SMALL,
		},
	}, {
		.name = "pipelined",
		.at_once = true,
		.requests = {
			SMALL,
			{ GET("/page.html", CLOSE), 200, "page.html" },
		},
		.files = { "small.txt", "page.html" },
	}, {
		.name = "pipelined, pipes",
		.transport = PIPES,
		.at_once = true,
		.requests = {
			SMALL,
			{ GET("/page.html", CLOSE), 200, "page.html" },
		},
	}, {
		.name = "kept",
		.requests = {
			SMALL,
			{ GET("/large.bin", ""), 200, "large.bin" },
			LAST_SMALL,
		},
		.files = { "small.txt", "large.bin" },
	}, {
		.name = "kept, log to a socket",
		.log = LOG_SOCKET,
		.requests = {
			SMALL,
			{ GET("/none", CLOSE), 404, "404.html" },
		},
	}, {
		.name = "kept, log to syslog",
		.log = LOG_SYSLOG,
		.requests = {
			SMALL,
			{ GET("/none", CLOSE), 404, "404.html" },
		},
	}, {
		.name = "the client ends",
		.ends_sending = true,
		.requests = { SMALL },
	}, {
		.name = "expect",
		.requests = {
			{ GET("/small.txt",
			    "Content-Length: 5\r\nExpect: 100-continue\r\n"),
			    200, "small.txt" },
		},
	}, {
		.name = "in pieces",
		.in_pieces = true,
		.requests = { LAST_SMALL },
	}, {
		.name = "in pieces, pipes",
		.transport = PIPES,
		.in_pieces = true,
		.requests = { SMALL, LAST_SMALL },
	}, {
		.name = "oversized",
		.requests = { { oversized, 431, NULL } },
	}, {
		.name = "compressed",
		.requests = {
			{ GET("/page.html", "Accept-Encoding: gzip\r\n"), 200,
			    "page.html.gz" },
			{ GET("/big.html", "Accept-Encoding: gzip\r\n" CLOSE),
			    200, "big.html.gz" },
		},
		.files = { "page.html", "page.html.gz", "big.html.gz" },
	}, {
		.name = "directory",
		.requests = {
			{ GET("/dir", ""), 301, NULL },
			{ GET("/dir/", ""), 200, "dir/index.html" },
			{ GET("/dir/inner.txt", CLOSE), 200, "dir/inner.txt" },
		},
		.files = { "dir/index.html" },
	}, {
		.name = "directory, no openat2",
		.lacks = SYS_openat2,
		.requests = {
			{ GET("/dir", ""), 301, NULL },
			{ GET("/none", ""), 404, "404.html" },
			{ GET("/dir/inner.txt", CLOSE), 200, "dir/inner.txt" },
		},
		.files = { "dir/inner.txt" },
	}, {
		.name = "large, no sendfile",
		.lacks = SYS_sendfile,
		.small_buffers = true,
		.requests = { LAST_LARGE },
		.files = { "large.bin" },
	}, {
		.name = "idle",
		.waits = true,
		.options = { "--timeout=0.02" },
		.requests = { SMALL },
	}, {
		.name = "idle, pipes",
		.transport = PIPES,
		.waits = true,
		.options = { "--timeout=0.02" },
		.requests = { SMALL },
	}, {
		.name = "half a head",
		.waits = true,
		.options = { "--head-timeout=0.02" },
		.requests = { { "GET / HTTP/1.1\r\nHo", 408, NULL } },
	}, {
		.name = "half a content",
		.waits = true,
		.options = { "--head-timeout=0.02" },
		.requests = { { POST "Content-Length: 5\r\n\r\n12", 408, NULL } },
	}, {
		.name = "the client takes nothing",
		.takes_nothing = true,
		.waits = true,
		.small_buffers = true,
		.options = { "--send-timeout=0.02" },
		.requests = { LAST_LARGE },
	}, {
		.name = "the client takes nothing, pipes",
		.transport = PIPES,
		.takes_nothing = true,
		.waits = true,
		.options = { "--send-timeout=0.02" },
		.requests = { LAST_LARGE },
	}, {
		.name = "life is over",
		.takes_nothing = true,
		.waits = true,
		.small_buffers = true,
		.options = { "--max-life=0.1" },
		.requests = { LAST_LARGE },
	}, {
		.name = "limited further",
		.is_limited = true,
		.requests = { LAST_SMALL },
	}, {
		.name = "a bounded life",
		.options = { "--max-life=60" },
		.requests = { LAST_SMALL },
	}, {
		.name = "limited further, sandbox required",
		.is_limited = true,
		.options = { "--sandbox=require" },
		.requests = { LAST_SMALL },
	}, {
		.name = "no close_range",
		.lacks = SYS_close_range,
		.requests = { LAST_SMALL },
	}, {
		.name = "log to a file",
		.log = LOG_FILE,
		.requests = { LAST_SMALL },
	}, {
		.name = "sandbox required",
		.options = { "--sandbox=require" },
		.requests = { LAST_SMALL },
	}, {
		.name = "no sandbox",
		.options = { "--sandbox=off" },
		.requests = { LAST_SMALL },
	}, {
		.name = "root",
		.is_root = true,
		.options = { "--allow-root" },
		.requests = { LAST_SMALL },
	}, {
		.name = "root, then nobody",
		.is_root = true,
		.options = { "--user=nobody" },
		.requests = { LAST_SMALL },
	}, {
		.name = "root, then somebody by number",
		.is_root = true,
		.options = { "--user=1234:5678" },
		.requests = { LAST_SMALL },
	},
};
/* clang-format on */

/* A conversation as it goes without a fault. */
struct baseline {
	char *bytes;
	size_t len;
	size_t arrived; /* with what drop_tags() takes out */
	struct answers answers;
	struct call *calls;
	size_t call_count;
	unsigned descriptors;
	size_t lines; /* of the log */
};

/* What a fault may change. */
struct allowance {
	bool cut; /* the connection may end anywhere */
	bool log_lost;
	bool log_broken; /* a line may have lost its end */
	bool must_complain; /* the operator is told, of each thing once */
	bool must_refuse; /* nothing of the tree is sent */
	bool must_be_silent; /* no byte is sent */
	int refusals[4]; /* statuses that one answer may have instead */
	int exit; /* a status other than 0 that it may end with */
	int signal; /* that it may die of */
};

struct plan {
	struct trial trial;
	struct call call; /* where the fault is */
	const struct baseline *base;
	const struct baseline *other; /* with the fault from the start */
};

static struct plan *plans;
static size_t plan_count;
static bool verbose;
static struct outcome outcome; /* of the trial that is under way */

/*
 * Every call that the handler makes, and the errors that it may have.  0 is no
 * error: the call returns nothing, as at an end of file.
 */
#define NETWORK ECONNRESET, ETIMEDOUT, EHOSTUNREACH, ENETUNREACH, ENETDOWN
static const struct row {
	long number;
	const char *name;
	bool restarts; /* EINTR is possible */
	bool waits; /* EAGAIN is possible */
	int errors[20]; /* the others; ends with -1 */
} rows[] = {
	{ SYS_arch_prctl, "arch_prctl", false, false, { -1 } },
	{ SYS_set_tid_address, "set_tid_address", false, false, { -1 } },
	{ SYS_rt_sigaction, "rt_sigaction", false, false, { -1 } },
	{ SYS_exit_group, "exit_group", false, false, { -1 } },
	{ SYS_close_range, "close_range", false, false,
	    { ENOSYS, EPERM, EINVAL, -1 } },
	{ SYS_getdents64, "getdents64", false, false,
	    { EIO, ENOENT, EPERM, ENOMEM, -1 } },
	{ SYS_getuid, "getuid", false, false, { -1 } },
	{ SYS_geteuid, "geteuid", false, false, { -1 } },
	/* 0: nothing has changed although the call says so. */
	{ SYS_setgroups, "setgroups", false, false,
	    { 0, EPERM, EINVAL, ENOMEM, -1 } },
	{ SYS_setresgid, "setresgid", false, false, { 0, EPERM, EINVAL, -1 } },
	{ SYS_setresuid, "setresuid", false, true, { 0, EPERM, EINVAL, -1 } },
	{ SYS_getgroups, "getgroups", false, false, { EPERM, EINVAL, -1 } },
	{ SYS_getresgid, "getresgid", false, false, { EPERM, EFAULT, -1 } },
	{ SYS_getresuid, "getresuid", false, false, { EPERM, EFAULT, -1 } },
	{ SYS_prlimit64, "prlimit64", false, false,
	    { EPERM, EINVAL, ENOSYS, -1 } },
	{ SYS_capget, "capget", false, false, { EPERM, EINVAL, EFAULT, -1 } },
	{ SYS_capset, "capset", false, false, { EPERM, EINVAL, EFAULT, -1 } },
	{ SYS_prctl, "prctl", false, false, { EINVAL, EPERM, ENOSYS, -1 } },
	{ SYS_landlock_create_ruleset, "landlock_create_ruleset", false, false,
	    { ENOSYS, EOPNOTSUPP, EPERM, EINVAL, E2BIG, ENOMSG, EMFILE, ENOMEM,
		-1 } },
	{ SYS_landlock_add_rule, "landlock_add_rule", false, false,
	    { ENOSYS, EOPNOTSUPP, EPERM, EINVAL, ENOMSG, EBADFD, ENOMEM, -1 } },
	{ SYS_landlock_restrict_self, "landlock_restrict_self", false, false,
	    { ENOSYS, EOPNOTSUPP, EPERM, EINVAL, E2BIG, ENOMEM, -1 } },
	{ SYS_seccomp, "seccomp", false, false,
	    { ENOSYS, EPERM, EACCES, EFAULT, ENOMEM, -1 } },
	{ SYS_clock_gettime, "clock_gettime", false, false, { -1 } },
	{ SYS_openat, "openat", false, false,
	    { ENOENT, EACCES, ENOTDIR, ELOOP, EMFILE, ENFILE, ENOMEM, EIO,
		ESTALE, -1 } },
	{ SYS_openat2, "openat2", true, true,
	    { ENOENT, ENOTDIR, ENAMETOOLONG, EILSEQ, ELOOP, EXDEV, ENXIO,
		ENODEV, EACCES, EPERM, EMFILE, ENFILE, ENOMEM, EIO, ESTALE,
		EOVERFLOW, ENOSYS, ETIMEDOUT, -1 } },
	{ SYS_faccessat, "faccessat", false, false,
	    { EACCES, EIO, ENOMEM, ESTALE, ELOOP, -1 } },
	{ SYS_fstat, "fstat", false, false,
	    { EIO, ENOMEM, EOVERFLOW, ESTALE, -1 } },
	{ SYS_newfstatat, "newfstatat", false, false,
	    { EIO, ENOMEM, EOVERFLOW, ESTALE, -1 } },
	{ SYS_close, "close", true, false, { EIO, ENOSPC, EDQUOT, -1 } },
	{ SYS_read, "read", true, true,
	    { 0, EIO, ESTALE, ENOMEM, NETWORK, -1 } },
	{ SYS_pread64, "pread64", true, false,
	    { 0, EIO, ESTALE, ENOMEM, ETIMEDOUT, -1 } },
	{ SYS_recvfrom, "recvfrom", true, true,
	    { 0, ENOMEM, ENOTCONN, ECONNREFUSED, NETWORK, -1 } },
	{ SYS_sendto, "sendto", true, true,
	    { EPIPE, ENOTCONN, ENOBUFS, ENOMEM, ECONNREFUSED, EMSGSIZE,
		EDESTADDRREQ, EACCES, NETWORK, -1 } },
	{ SYS_write, "write", true, true,
	    { EPIPE, EIO, ENOSPC, EDQUOT, EFBIG, ENOMEM, ENOBUFS, NETWORK,
		-1 } },
	{ SYS_sendfile, "sendfile", true, true,
	    { 0, EINVAL, ENOSYS, EIO, ESTALE, ENOMEM, EOVERFLOW, EPIPE,
		ENOTCONN, ENOBUFS, NETWORK, -1 } },
	{ SYS_poll, "poll", true, false, { ENOMEM, EINVAL, -1 } },
	{ SYS_setsockopt, "setsockopt", false, false,
	    { ENOTSOCK, ENOPROTOOPT, EOPNOTSUPP, EINVAL, ENOMEM, EPERM, -1 } },
	{ SYS_getpeername, "getpeername", false, false,
	    { ENOTCONN, ENOTSOCK, ENOBUFS, EINVAL, -1 } },
	{ SYS_fcntl, "fcntl", false, false, { EBADF, EINVAL, EPERM, -1 } },
	{ SYS_ioctl, "ioctl", false, false, { ENOTTY, EINVAL, EPERM, -1 } },
	{ SYS_shutdown, "shutdown", false, false,
	    { ENOTCONN, ENOTSOCK, ENOBUFS, -1 } },
	{ SYS_socket, "socket", false, false,
	    { EACCES, EAFNOSUPPORT, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM,
		-1 } },
	{ SYS_connect, "connect", false, true,
	    { ENOENT, ECONNREFUSED, EACCES, EPROTOTYPE, EPERM, ENOTCONN, -1 } },
	{ SYS_getrandom, "getrandom", true, false, { ENOSYS, EPERM, -1 } },
};

static const struct row *
row_of(long number)
{
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].number == number)
			return &rows[i];
	fprintf(stderr,
	    "faults: the handler makes call %ld, which has no row in the "
	    "table of errors\n",
	    number);
	exit(2);
}

/* The status that a failure to open a file makes of a request. */
static int
status_of_error(int error)
{
	switch (error) {
	case ENOENT:
	case ENOTDIR:
	case ENAMETOOLONG:
	case EILSEQ:
	case ELOOP:
	case EXDEV:
	case ENXIO:
	case ENODEV:
		return 404;
	case EACCES:
		return 403;
	case EAGAIN:
	case EMFILE:
	case ENFILE:
	case ENOMEM:
		return 503;
	default:
		return 500;
	}
}

static void
allow_of_client(const struct trial *t, struct allowance *a)
{
	switch (t->call) {
	case SYS_read:
	case SYS_recvfrom:
		/* The client has ended, maybe in the middle of a request. */
		if (t->value == 0)
			a->refusals[0] = 400;
		/* The time is over, or the connection is lost. */
		a->cut = true;
		break;
	case SYS_poll:
		a->cut = true;
		break;
	case SYS_write:
	case SYS_sendto:
		a->cut = t->value != EAGAIN;
		break;
	case SYS_sendfile:
		/* Without sendfile the bytes are copied. */
		a->cut = t->value != EAGAIN && t->value != EINVAL &&
		    t->value != ENOSYS;
		break;
	default:
		break;
	}
}

/* Whether a failure to open is one that the program gets around. */
static bool
is_overcome(const struct trial *t)
{
	if (t->call != SYS_openat2)
		return false;
	/* Without openat2 the path is walked; a race is tried eight times. */
	return t->value == ENOSYS || t->value == EPERM ||
	    (t->value == EAGAIN && t->repeat < 8);
}

static void
allow_of_tree(const struct trial *t, struct allowance *a)
{
	switch (t->call) {
	case SYS_openat2:
	case SYS_openat:
		if (is_overcome(t))
			break;
		a->refusals[0] = status_of_error(t->value);
		/* Rules that may not be read are the operator's mistake. */
		if (t->value == EACCES)
			a->refusals[1] = 500;
		/* What may not be read, and is no directory, is a file. */
		if (t->value == ENOTDIR)
			a->refusals[1] = 403;
		break;
	case SYS_fstat:
	case SYS_newfstatat:
		a->refusals[0] = 500;
		break;
	case SYS_read: /* the rules */
		a->refusals[0] = t->value == 0 ? 404 : 500;
		break;
	case SYS_pread64:
		/* The head, which says the length, may have gone before. */
		a->cut = true;
		a->refusals[0] = t->value == 0 ? 503 : 500;
		break;
	default:
		break;
	}
}

/* Who may still be root serves no file; where that is not sure, nothing. */
static void
allow_of_privileges(const struct trial *t, struct allowance *a)
{
	/* The second is an attempt to come back, which has to fail. */
	if (t->call == SYS_setresuid && t->nth == 2 && t->value != 0)
		return;
	a->must_refuse = a->must_complain = a->cut = true;
	if (t->call == SYS_openat || t->call == SYS_read) {
		a->refusals[0] = 503;
		a->exit = EX_NOUSER;
	} else {
		a->must_be_silent = true;
		a->exit = EX_OSERR;
	}
}

/* A spawner's descriptors are found in one of two ways, or nothing is served. */
static void
allow_of_inherited(const struct trial *t, struct allowance *a)
{
	if (t->call == SYS_close_range)
		return;
	a->must_refuse = a->must_be_silent = a->must_complain = a->cut = true;
	a->exit = EX_OSERR;
}

static bool
is_shortage(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOMEM;
}

/*
 * Whether the call is the second for one resource, which puts back a limit that
 * the spawner has set lower.  They are RLIMIT_NPROC, RLIMIT_CORE, RLIMIT_AS and
 * RLIMIT_NOFILE, in this order.
 */
static bool
puts_limit_back(const struct trial *t)
{
	return t->scenario->is_limited && (t->nth == 4 || t->nth == 6);
}

static bool
has_option(const struct scenario *s, const char *option)
{
	for (size_t i = 0; s->options[i] != NULL; i++)
		if (strcmp(s->options[i], option) == 0)
			return true;
	return false;
}

static struct allowance
allow_of_failure(const struct trial *t, const struct call *c)
{
	struct allowance a = { 0 };

	if (t->value == EINTR)
		return a;
	switch (c->role) {
	case LOGGING:
		a.log_lost = true;
		break;
	case CLIENT:
		allow_of_client(t, &a);
		break;
	case SITE:
		a.must_refuse = a.must_complain = true;
		a.refusals[0] = 503;
		a.exit = EX_NOINPUT;
		break;
	case TREE:
		allow_of_tree(t, &a);
		break;
	case INHERITED:
		allow_of_inherited(t, &a);
		break;
	case PRIVILEGES:
		allow_of_privileges(t, &a);
		break;
	case SANDBOX:
		/* A limit that may not be raised is lower already. */
		if (t->call == SYS_prlimit64 && t->value == EPERM &&
		    !puts_limit_back(t))
			break;
		/* Who is not told what is held drops everything. */
		if (t->call == SYS_capget)
			break;
		a.must_complain = true;
		if (has_option(t->scenario, "--sandbox=require") ||
		    is_shortage(t->value)) {
			a.cut = a.must_refuse = a.must_be_silent = true;
			a.exit = EX_OSERR;
		}
		break;
	case OTHER:
		if (t->call == SYS_getrandom) {
			a.cut = true;
			a.exit = EX_SOFTWARE;
		}
		break;
	}
	return a;
}

/* A fault whose call was not made is none. */
static struct allowance
allow(const struct plan *p, const struct outcome *o)
{
	const struct trial *t = &p->trial;
	struct allowance a = { 0 };

	switch (o->reached ? t->fault : NONE) {
	case FAIL:
		a = allow_of_failure(t, &p->call);
		break;
	case SHORTEN:
		a.log_broken = p->call.role == LOGGING;
		break;
	case ACT:
		/* Its length may have been said by then. */
		a.cut = t->deed == TRUNCATE || t->deed == EMPTY;
		a.refusals[0] = a.cut ? 503 : 0;
		break;
	case SIGNAL:
		if (t->value == SIGPIPE) /* it is ignored from early on */
			break;
		a.cut = true;
		a.signal = t->value;
		break;
	case RESET:
		a.cut = true;
		break;
	case STEP_CLOCK:
		/* A deadline that has passed by then is over. */
		if (t->clock == CLOCK_MONOTONIC && t->value > 0) {
			a.cut = true;
			a.refusals[0] = 408;
		}
		break;
	case END_LOG_READER:
		a.log_lost = true;
		break;
	case NONE:
		break;
	}
	a.cut |= t->scenario->takes_nothing;
	return a;
}

static bool
is_allowed(const struct allowance *a, int status)
{
	for (size_t i = 0; i < COUNT(a->refusals); i++)
		if (a->refusals[i] == status)
			return true;
	return false;
}

/* Whether bytes are those of a file in its first version. */
static bool
is_file(const char *bytes, size_t len, const char *file)
{
	if (len != file_size(file))
		return false;
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != file_byte(file, i))
			return false;
	return true;
}

/*
 * Whether an answer that differs from the one without a fault may do so: it
 * has another status, or it is a 404 without the tree's page, or a file as if
 * it had no compressed neighbour.
 */
static bool
may_replace(const struct allowance *a, const struct request *r,
    const struct answer *got, const char *bytes)
{
	const char *content = bytes + got->start + got->head_len;
	size_t len = got->len - got->head_len;

	if (!got->whole || a->refusals[0] == 0)
		return false;
	if (got->status == 200 && r->file != NULL) {
		char plain[64], *gz;

		snprintf(plain, sizeof(plain), "%s", r->file);
		if ((gz = strstr(plain, ".gz")) != NULL)
			*gz = '\0';
		return is_file(content, len, plain);
	}
	if ((got->status == 500 || got->status == 503) && !got->closes)
		return false;
	return is_allowed(a, got->status) ||
	    (got->status == 404 && r->status == 404);
}

static bool
is_same(const char *bytes, const struct answer *got, const struct baseline *b,
    size_t i)
{
	const struct answer *want = &b->answers.list[i];

	return i < b->answers.count && got->len == want->len &&
	    memcmp(bytes + got->start, b->bytes + want->start, got->len) == 0;
}

static bool
is_beginning(const char *bytes, const struct answer *got,
    const struct baseline *b, size_t i)
{
	const struct answer *want = &b->answers.list[i];

	return i < b->answers.count && got->len < want->len &&
	    memcmp(bytes + got->start, b->bytes + want->start, got->len) == 0;
}

/* Compares what the client received with the baseline. */
static bool
judge_answers(const struct plan *p, const struct allowance *a,
    const struct outcome *o, const struct answers *got, char why[WHY_MAX])
{
	const struct scenario *s = p->trial.scenario;
	unsigned replaced = 0;
	bool closed = false;

	for (size_t i = 0; i < got->count; i++) {
		const struct answer *g = &got->list[i];

		closed = g->closes;
		if (is_same(o->bytes, g, p->base, i) ||
		    (p->other != NULL && is_same(o->bytes, g, p->other, i)))
			continue;
		if (a->cut && i == got->count - 1 &&
		    (is_beginning(o->bytes, g, p->base, i) ||
			(p->other != NULL &&
			    is_beginning(o->bytes, g, p->other, i))))
			continue;
		if (replaced++ == 0 &&
		    may_replace(a, &s->requests[i], g, o->bytes))
			continue;
		snprintf(why, WHY_MAX, "answer %zu differs: %.*s", i + 1,
		    (int)(g->head_len < 400 ? g->head_len : 400),
		    o->bytes + g->start);
		return false;
	}
	if (got->count < p->base->answers.count && !a->cut && !closed) {
		snprintf(
		    why, WHY_MAX, "answer %zu is not there", got->count + 1);
		return false;
	}
	return true;
}

/* Whether a line of the log, which ends at `end`, is there a second time. */
static bool
is_repeated(const char *line, const char *end, const char *log_end)
{
	size_t len = (size_t)(end - line) + 1;

	return memmem(end + 1, (size_t)(log_end - end - 1), line, len) != NULL;
}

/* The operator's lines: there are some, and none twice. */
static bool
judge_complaints(const struct outcome *o, char why[WHY_MAX])
{
	const char *end = o->log + o->log_len, *lf;
	unsigned count = 0;

	for (const char *at = o->log; at < end; at = lf + 1) {
		lf = memchr(at, '\n', (size_t)(end - at));
		if (strncmp(at, "httpd: ", 7) != 0 &&
		    strncmp(at, "<27>httpd: ", 11) != 0)
			continue;
		count++;
		if (is_repeated(at, lf, end)) {
			snprintf(why, WHY_MAX, "logged twice: %.*s",
			    (int)(lf - at), at);
			return false;
		}
	}
	if (count == 0)
		snprintf(why, WHY_MAX, "the operator is not told");
	return count > 0;
}

static bool
judge_log(const struct plan *p, const struct allowance *a,
    const struct outcome *o, const struct answers *got, char why[WHY_MAX])
{
	static const struct answers none;
	enum log_place place = p->trial.scenario->log;
	size_t lines, asked = p->base->answers.count;

	if (a->log_broken ||
	    (place != LOG_PIPE && place != LOG_SOCKET && place != LOG_FILE &&
		place != LOG_SYSLOG))
		return true;
	if (!read_log(
		o->log, o->log_len, a->log_lost ? &none : got, &lines, why))
		return false;
	/* Answers that leave together are logged before they do. */
	bool may_be_early = p->trial.scenario->at_once && a->cut;
	if (lines > asked ||
	    (lines < got->count && !a->log_lost && !WIFSIGNALED(o->status)) ||
	    (lines > got->count + a->cut && !may_be_early)) {
		snprintf(why, WHY_MAX, "%zu lines in the log:\n%.*s", lines,
		    (int)(o->log_len < 600 ? o->log_len : 600), o->log);
		return false;
	}
	return !a->must_complain || judge_complaints(o, why);
}

/* A signal's: at once, but for one that comes when it is leaving. */
static bool
judge_death(const struct plan *p, const struct outcome *o, char why[WHY_MAX])
{
	const struct call *last = &o->calls[o->call_count - 1];

	if (p->call.number == SYS_exit_group)
		return true;
	if (WIFSIGNALED(o->status) && WTERMSIG(o->status) == p->trial.value &&
	    last->number == p->call.number && last->nth == p->call.nth)
		return true;
	snprintf(why, WHY_MAX, "status %x, and its last call was %s number %u",
	    (unsigned)o->status, row_of(last->number)->name, last->nth);
	return false;
}

static bool
judge_end(const struct plan *p, const struct allowance *a,
    const struct outcome *o, char why[WHY_MAX])
{
	int status = o->status;

	if (o->hung) {
		snprintf(why, WHY_MAX, "it does not end");
		return false;
	}
	if (a->signal != 0)
		return judge_death(p, o, why);
	if (WIFSIGNALED(status)) {
		snprintf(
		    why, WHY_MAX, "it died of signal %d", WTERMSIG(status));
		return false;
	}
	if (WEXITSTATUS(status) != a->exit &&
	    (WEXITSTATUS(status) != 0 || a->must_refuse)) {
		snprintf(why, WHY_MAX, "exit status %d", WEXITSTATUS(status));
		return false;
	}
	/* Who finds a mistake of his own leaves at once. */
	if (WEXITSTATUS(status) == EX_SOFTWARE)
		return true;
	if (o->leaked[0] != '\0') {
		snprintf(why, WHY_MAX, "left open: %s", o->leaked);
		return false;
	}
	unsigned syslog = p->trial.scenario->log >= LOG_SYSLOG;
	if (o->descriptors > p->base->descriptors + syslog) {
		snprintf(why, WHY_MAX, "%u descriptors were open at the end",
		    o->descriptors);
		return false;
	}
	return true;
}

static bool
judge(const struct plan *p, struct outcome *o, char why[WHY_MAX])
{
	struct allowance a = allow(p, o);
	struct answers got;

	size_t arrived = o->len;

	o->len = drop_tags(o->bytes, o->len);
	if (!judge_end(p, &a, o, why))
		return false;
	if (!read_answers(p->trial.scenario, o->bytes, o->len, &got, why))
		return false;
	mask(o->bytes, o->len);
	if (p->trial.fault == RESET && arrived > (size_t)p->trial.value) {
		snprintf(why, WHY_MAX, "%zu bytes had arrived", arrived);
		return false;
	}
	for (size_t i = 0; a.must_refuse && i < got.count; i++) {
		if (got.list[i].status >= 400 && !a.must_be_silent)
			continue;
		snprintf(why, WHY_MAX, "it serves all the same");
		return false;
	}
	return judge_answers(p, &a, o, &got, why) &&
	    judge_log(p, &a, o, &got, why);
}

/* What a trial does, in words. */
static void
describe(const struct plan *p, char buf[256])
{
	const struct trial *t = &p->trial;
	char what[128] = "nothing";

	switch (t->fault) {
	case NONE:
		break;
	case FAIL:
		snprintf(what, sizeof(what), "fails with %s, times %u",
		    t->value == 0 ? "0" : strerrorname_np(t->value), t->repeat);
		break;
	case SHORTEN:
		snprintf(what, sizeof(what), "moves %d bytes, times %u",
		    t->value, t->repeat);
		break;
	case SIGNAL:
		snprintf(what, sizeof(what), "SIG%s before it",
		    sigabbrev_np(t->value));
		break;
	case ACT:
		snprintf(what, sizeof(what), "'%s' is %s before it", t->file,
		    deed_name(t->deed));
		break;
	case RESET:
		snprintf(buf, 256, "%s: reset behind %d bytes",
		    t->scenario->name, t->value);
		return;
	case STEP_CLOCK:
		snprintf(what, sizeof(what), "clock %d steps by %d s", t->clock,
		    t->value);
		break;
	case END_LOG_READER:
		snprintf(what, sizeof(what), "the log's reader has ended");
		break;
	}
	snprintf(buf, 256, "%s: %s number %u: %s", t->scenario->name,
	    t->fault == NONE ? "call" : row_of(t->call)->name, t->nth, what);
}

static void
print_answers(
    const char *title, const char *bytes, size_t len, const struct scenario *s)
{
	struct answers a;
	char why[WHY_MAX];

	printf("    %s", title);
	read_answers(s, bytes, len, &a, why);
	for (size_t i = 0; i < a.count; i++)
		printf("%s %d, %zu + %zu of %zu bytes%s", i > 0 ? ";" : "",
		    a.list[i].status, a.list[i].head_len,
		    a.list[i].len - a.list[i].head_len,
		    (size_t)a.list[i].content_length,
		    a.list[i].closes ? ", close" : "");
	printf("%s\n", a.count == 0 ? " nothing" : "");
}

/* Runs one trial; false if it failed, which is printed. */
static bool
try_plan(struct world *w, size_t number, bool show)
{
	const struct plan *p = &plans[number];
	char name[256], why[WHY_MAX];

	run_trial(w, &p->trial, &outcome);
	bool good = judge(p, &outcome, why);
	if (good && !verbose)
		return true;
	if (!show)
		return good;
	describe(p, name);
	printf("%s trial %zu, %s%s\n", good ? "ok" : "FAILED", number, name,
	    outcome.reached || p->trial.fault == NONE ? "" : " (not reached)");
	if (!good)
		printf("    %s\n", why);
	print_answers(
	    "wanted:", p->base->bytes, p->base->len, p->trial.scenario);
	print_answers("got:   ", outcome.bytes, outcome.len, p->trial.scenario);
	printf("    log:    %.*s\n",
	    (int)(outcome.log_len < 400 ? outcome.log_len : 400), outcome.log);
	fflush(stdout);
	return good;
}

static struct plan *
add(const struct baseline *b, struct trial t, struct call c)
{
	if (plan_count == TRIALS_MAX) {
		errno = ENOSPC;
		die("too many trials");
	}
	plans[plan_count] = (struct plan){ .trial = t, .call = c, .base = b };
	return &plans[plan_count++];
}

/* Holds a conversation for the record. */
static struct baseline *
record(struct world *w, const struct trial *t)
{
	struct baseline *b = calloc(1, sizeof(*b));
	char why[WHY_MAX] = "it does not end as it should";

	run_trial(w, t, &outcome);
	size_t arrived = outcome.len;
	outcome.len = drop_tags(outcome.bytes, outcome.len);
	if (b == NULL || outcome.hung || outcome.status != 0 ||
	    !read_answers(
		t->scenario, outcome.bytes, outcome.len, &b->answers, why) ||
	    !read_log(
		outcome.log, outcome.log_len, &b->answers, &b->lines, why)) {
		printf("FAILED %s: %s\n", t->scenario->name, why);
		exit(1);
	}
	mask(outcome.bytes, outcome.len);
	b->arrived = arrived;
	b->len = outcome.len;
	b->bytes = malloc(b->len + 1);
	b->call_count = outcome.call_count;
	b->calls = malloc(sizeof(*b->calls) * b->call_count);
	b->descriptors = outcome.descriptors;
	if (b->bytes == NULL || b->calls == NULL)
		die("malloc");
	memcpy(b->bytes, outcome.bytes, b->len);
	memcpy(b->calls, outcome.calls, sizeof(*b->calls) * b->call_count);
	return b;
}

/*
 * The same with a client that takes its answer: what of it reaches one that
 * does not take it is the beginning of that, and varies.
 */
static void
record_taken(struct world *w, const struct scenario *s, struct baseline *b)
{
	struct scenario taken = *s;
	struct trial t = { .scenario = &taken };

	taken.takes_nothing = false;
	const struct baseline *whole = record(w, &t);
	b->bytes = whole->bytes;
	b->arrived = whole->arrived;
	b->len = whole->len;
	b->answers = whole->answers;
}

/* Without a fault every request has the answer that the table says. */
static void
check(const struct scenario *s, const struct baseline *b)
{
	for (size_t i = 0; s->requests[i].bytes != NULL; i++) {
		const struct request *r = &s->requests[i];
		const struct answer *a = &b->answers.list[i];
		const char *content = b->bytes + a->start + a->head_len;

		if (i >= b->answers.count || !a->whole ||
		    a->status != r->status ||
		    (r->file != NULL &&
			!is_file(content, a->len - a->head_len, r->file))) {
			printf("FAILED %s: request %zu\n", s->name, i + 1);
			print_answers("got:", b->bytes, b->len, s);
			exit(1);
		}
	}
}

static void
add_failure(const struct scenario *s, const struct baseline *b,
    const struct call *c, int error, unsigned repeat)
{
	add(b,
	    (struct trial){ .scenario = s,
		.fault = FAIL,
		.call = c->number,
		.nth = c->nth,
		.role = c->role,
		.repeat = repeat,
		.value = error },
	    *c);
}

/* Whether a call comes before anything that is asked. */
static bool
is_preparation(const struct call *c)
{
	return c->role == SITE || c->role == INHERITED ||
	    c->role == PRIVILEGES || c->role == SANDBOX;
}

static void
add_failures(
    const struct scenario *s, const struct baseline *b, const struct call *c)
{
	const int *error = row_of(c->number)->errors;

	/* An end of input stays one. */
	for (; *error != -1; error++)
		add_failure(s, b, c, *error,
		    *error == 0 && is_transfer(c->number) ? CALLS_MAX : 1);
}

static void
plan_errors(struct world *w, const struct scenario *s, const struct baseline *b)
{
	(void)w;
	for (size_t i = 0; i < b->call_count; i++) {
		const struct call *c = &b->calls[i];

		if (is_preparation(c) || is_lacking(s, c->number))
			continue;
		/* On a pipe it has its error already. */
		if (c->number == SYS_setsockopt && s->transport == PIPES)
			continue;
		add_failures(s, b, c);
	}
}

static void
plan_start(struct world *w, const struct scenario *s, const struct baseline *b)
{
	(void)w;
	/* It is the same for all that may be asked and happen then. */
	if (s->files[0] != NULL || s->waits)
		return;
	for (size_t i = 0; i < b->call_count; i++)
		if (is_preparation(&b->calls[i]))
			add_failures(s, b, &b->calls[i]);
}

static void
plan_interrupted(
    struct world *w, const struct scenario *s, const struct baseline *b)
{
	(void)w;
	for (size_t i = 0; i < b->call_count; i++) {
		const struct call *c = &b->calls[i];

		if (!row_of(c->number)->restarts)
			continue;
		add_failure(s, b, c, EINTR, 1);
		/* A close that was interrupted is not made again. */
		if (c->number != SYS_close)
			add_failure(s, b, c, EINTR, 5);
	}
}

static void
plan_again(struct world *w, const struct scenario *s, const struct baseline *b)
{
	(void)w;
	for (size_t i = 0; i < b->call_count; i++) {
		const struct call *c = &b->calls[i];

		if (!row_of(c->number)->waits)
			continue;
		add_failure(s, b, c, EAGAIN, 1);
		add_failure(s, b, c, EAGAIN, 4);
		if (c->number == SYS_openat2)
			add_failure(s, b, c, EAGAIN, 8);
	}
}

static void
plan_short(struct world *w, const struct scenario *s, const struct baseline *b)
{
	static const int lengths[] = { 1, 7, 300, 1000 };

	(void)w;
	for (size_t i = 0; i < b->call_count; i++) {
		const struct call *c = &b->calls[i];
		struct trial t = { .scenario = s,
			.fault = SHORTEN,
			.call = c->number,
			.nth = c->nth,
			.role = c->role,
			.repeat = 1 };

		if (!is_transfer(c->number))
			continue;
		for (size_t l = 0; l < COUNT(lengths); l++) {
			t.value = lengths[l];
			add(b, t, *c);
		}
		if (c->nth > 1 || c->role == LOGGING)
			continue;
		t.repeat = CALLS_MAX;
		t.value = b->len < 2000 ? 1 : 499;
		add(b, t, *c);
	}
}

/* The first call that has to do with what is asked. */
static size_t
first_receive(const struct baseline *b)
{
	size_t i = 0;

	while (b->calls[i].role != CLIENT ||
	    (b->calls[i].number != SYS_recvfrom &&
		b->calls[i].number != SYS_poll))
		i++;
	return i;
}

/* A deed before each call, and its other baseline: before all of them. */
static void
plan_deed(struct world *w, const struct scenario *s, const struct baseline *b,
    enum deed deed, const char *file)
{
	struct trial t = { .scenario = s,
		.fault = ACT,
		.call = b->calls[0].number,
		.nth = 1,
		.deed = deed,
		.file = file };
	const struct baseline *other = record(w, &t);

	for (size_t i = deed == RENAME ? 0 : first_receive(b);
	     i < b->call_count; i++) {
		t.call = b->calls[i].number;
		t.nth = b->calls[i].nth;
		add(b, t, b->calls[i])->other = other;
	}
}

static void
plan_files(struct world *w, const struct scenario *s, const struct baseline *b)
{
	for (size_t i = 0; s->files[i] != NULL; i++)
		for (enum deed deed = REPLACE; deed < RENAME; deed++)
			plan_deed(w, s, b, deed, s->files[i]);
}

static void
plan_directories(
    struct world *w, const struct scenario *s, const struct baseline *b)
{
	plan_deed(w, s, b, RENAME, "");
	if (s->files[0] != NULL && strncmp(s->files[0], "dir/", 4) == 0)
		plan_deed(w, s, b, RENAME, "dir");
}

/* The same conversation with each thing that can be wrong with the log. */
static void
plan_log(struct world *w, const struct scenario *s, const struct baseline *b)
{
	(void)w;
	if (s->log == LOG_SYSLOG) {
		for (size_t i = 0; i < b->call_count; i++)
			add(b,
			    (struct trial){ .scenario = s,
				.fault = END_LOG_READER,
				.call = b->calls[i].number,
				.nth = b->calls[i].nth },
			    b->calls[i]);
		return;
	}
	if (s->log != LOG_PIPE)
		return;
	for (enum log_place place = LOG_DISK_FULL; place <= LOG_SYSLOG_STREAM;
	     place++) {
		/* These wait for as long as a line may wait. */
		if ((place == LOG_PIPE_STUCK || place == LOG_SOCKET_STUCK) &&
		    !s->at_once)
			continue;
		struct scenario *same = malloc(sizeof(*same));

		if (same == NULL)
			die("malloc");
		*same = *s;
		same->log = place;
		add(b, (struct trial){ .scenario = same }, b->calls[0]);
	}
}

static void
plan_reset(struct world *w, const struct scenario *s, const struct baseline *b)
{
	(void)w;
	/* What goes before the answer makes no difference to it. */
	if (s->waits || s->is_root || s->options[0] != NULL || s->in_pieces ||
	    s->log != LOG_PIPE)
		return;
	for (size_t at = 0; at <= b->arrived; at += b->len < 1500 || at < 300 ?
		 1 :
		 at < 5000 ? 13 :
			     1999)
		add(b,
		    (struct trial){
			.scenario = s, .fault = RESET, .value = (int)at },
		    (struct call){ 0 });
}

static void
plan_signals(
    struct world *w, const struct scenario *s, const struct baseline *b)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGPIPE };
	size_t i = 0;

	(void)w;
	while (b->calls[i].number != SYS_rt_sigaction)
		i++;
	for (i++; i < b->call_count; i++)
		for (size_t n = 0; n < COUNT(signals); n++)
			add(b,
			    (struct trial){ .scenario = s,
				.fault = SIGNAL,
				.call = b->calls[i].number,
				.nth = b->calls[i].nth,
				.value = signals[n] },
			    b->calls[i]);
}

static void
plan_clocks(struct world *w, const struct scenario *s, const struct baseline *b)
{
	static const int clocks[] = { CLOCK_REALTIME, CLOCK_MONOTONIC };

	(void)w;
	for (size_t i = 0; i < b->call_count; i++) {
		const struct call *c = &b->calls[i];

		if (c->number != SYS_clock_gettime)
			continue;
		for (int n = 0; n < 4; n++) {
			/* It would be waited for, and never steps back. */
			if (s->waits && n == 2)
				continue;
			add(b,
			    (struct trial){ .scenario = s,
				.fault = STEP_CLOCK,
				.call = c->number,
				.nth = c->nth,
				.clock = clocks[n / 2],
				.value = n % 2 == 0 ? -HOUR : HOUR },
			    *c);
		}
	}
}

static const struct suite {
	const char *name;
	void (*plan)(
	    struct world *, const struct scenario *, const struct baseline *);
} suites[] = {
	{ "errors", plan_errors },
	{ "start", plan_start },
	{ "interrupted", plan_interrupted },
	{ "again", plan_again },
	{ "short", plan_short },
	{ "files", plan_files },
	{ "directories", plan_directories },
	{ "log", plan_log },
	{ "reset", plan_reset },
	{ "signals", plan_signals },
	{ "clocks", plan_clocks },
};

static void
plan_suite(struct world *w, const char *name)
{
	for (size_t i = 0; i < COUNT(suites); i++) {
		if (strcmp(suites[i].name, name) != 0)
			continue;
		for (size_t s = 0; s < COUNT(scenarios); s++) {
			struct trial t = { .scenario = &scenarios[s] };
			struct baseline *b = record(w, &t);

			if (t.scenario->takes_nothing)
				record_taken(w, t.scenario, b);
			check(t.scenario, b);
			suites[i].plan(w, t.scenario, b);
		}
		return;
	}
	fprintf(stderr, "faults: there is no suite %s\n", name);
	exit(2);
}

/* What the workers count together. */
struct tally {
	unsigned long failed;
	unsigned long missed; /* the fault's call was not made */
	unsigned long done;
};

static void
work(struct world w, struct tally *tally, const char *dir, long worker,
    long workers)
{
	char own[200];
	unsigned long failed = 0;

	snprintf(own, sizeof(own), "%s/%ld", dir, worker);
	world_open(&w, own);
	for (size_t i = (size_t)worker; i < plan_count; i += (size_t)workers) {
		if (!try_plan(&w, i, failed < FAILURES_SHOWN)) {
			failed++;
			__atomic_fetch_add(&tally->failed, 1, __ATOMIC_SEQ_CST);
		}
		if (plans[i].trial.fault != NONE && !outcome.reached)
			__atomic_fetch_add(&tally->missed, 1, __ATOMIC_SEQ_CST);
		__atomic_fetch_add(&tally->done, 1, __ATOMIC_SEQ_CST);
	}
	exit(0);
}

int
main(int argc, char **argv)
{
	long workers = sysconf(_SC_NPROCESSORS_ONLN) + 1, only = -1;
	char own[200];
	int option;

	while ((option = getopt(argc, argv, "j:t:v")) != -1) {
		if (option == 'j')
			workers = atol(optarg);
		else if (option == 't')
			only = atol(optarg);
		else if (option == 'v')
			verbose = true;
		else
			return 2;
	}
	if (argc - optind != 3 || workers < 1) {
		fprintf(stderr,
		    "usage: faults [-j WORKERS] [-t TRIAL] [-v] HTTPD "
		    "DIRECTORY SUITE\n");
		return 2;
	}
	for (size_t len = strlen(oversized); len < sizeof(oversized) - 1; len++)
		oversized[len] = 'x';
	plans = malloc(TRIALS_MAX * sizeof(*plans));
	struct tally *tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (plans == NULL || tally == MAP_FAILED)
		die("memory");

	snprintf(own, sizeof(own), "%s/record", argv[optind + 1]);
	struct world w = {
		.program = open(argv[optind], O_RDONLY | O_CLOEXEC),
		.full = open("/dev/full", O_WRONLY | O_CLOEXEC),
	};
	if (w.program < 0 || w.full < 0)
		die(argv[optind]);
	world_open(&w, own);
	plan_suite(&w, argv[optind + 2]);
	if (only >= 0 && (size_t)only < plan_count) {
		verbose = true;
		return try_plan(&w, (size_t)only, true) ? 0 : 1;
	}
	fflush(stdout);
	for (long i = 0; i < workers; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid == 0)
			work(w, tally, argv[optind + 1], i, workers);
	}
	while (wait(NULL) > 0)
		;
	printf("%zu trials, %lu failed, %lu where the call was not made\n",
	    plan_count, tally->failed, tally->missed);
	/* Only where the client's buffers are full does their order vary. */
	bool missed = tally->missed > plan_count / 50;
	return tally->done == plan_count && tally->failed == 0 && !missed ? 0 :
									    1;
}
