/*
 * An operating system beneath the program, in memory.
 *
 * Each call first asks for a decision; 0, and what is left when the decisions have run
 * out, is a call that succeeds whole.  So every run ends: a call either makes
 * progress or uses up a decision, and their number is required to be bounded.
 */
#define _GNU_SOURCE
#include "os.h"

#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdarg.h>
#include <strings.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

/* In place of the program that has a main(). */
const char program_name[] = "httpd";

/* More calls than any run can need. */
#define CALLS_MAX 400000

/* What a client takes before it goes away, and the log before it is full. */
#define TAKES_MAX (sizeof(os.received))

/* What a socket holds for a client that is not taking. */
#define SEND_BUFFER 20000

struct os os;

static struct open_file {
	bool used;
	bool is_path; /* O_PATH: nothing can be read from it */
	bool is_syslog;
	const struct os_file *file; /* NULL: a directory, or the root */
	char directory[512]; /* its name with a slash, or "" */
	uint64_t at;
	uint64_t size; /* what is left of it when it shrinks */
} files[OS_FILES];

void
os_start(const struct os_plan *plan)
{
	memset(&os, 0, offsetof(struct os, received));
	memset(files, 0, sizeof(files));
	os.plan = *plan;
	os.decisions = plan->decisions;
	os.nonblocking = plan->nonblocking;
	os.now_ms = 1000;
	files[OS_ROOT] = (struct open_file){ .used = true, .is_path = true };
}

unsigned
os_open_files(void)
{
	unsigned n = 0;

	for (size_t i = OS_FIRST; i < OS_FILES; i++)
		n += files[i].used && !files[i].is_syslog;
	return n;
}

uint64_t
os_inode(const struct os_file *f)
{
	return (uint64_t)(f - os.plan.tree) + 100;
}

char
os_byte(const struct os_file *f, uint64_t offset)
{
	if (f->text != NULL)
		return f->text[offset];
	return (char)('!' + (os_inode(f) * 7 + offset + offset / 89) % 90);
}

/* A decision below n, where the mood is at least `mood`. */
static unsigned
decision(enum os_mood mood, unsigned n)
{
	return os.plan.mood < mood ? 0 : fuzz_decide(&os.decisions, n);
}

static void
call(void)
{
	require(++os.calls < CALLS_MAX);
}

static int
fail(int error)
{
	errno = error;
	return -1;
}

/* How much of n bytes a call deals with: at least one of them. */
static size_t
part_of(size_t n)
{
	static const size_t sizes[] = { SIZE_MAX, 1, 2, 3, 17, 255, 1460,
		4096 };
	size_t most = sizes[decision(OS_PIECES, FUZZ_COUNT(sizes))];

	return n < most ? n : most;
}

static void
break_connection(void)
{
	os.gone = true;
	os.unacknowledged = 0;
}

/* The client. */

static size_t
waiting(void)
{
	return os.plan.stream.len - os.taken;
}

static bool
is_readable(void)
{
	return os.gone || waiting() > 0 || !os.plan.stays;
}

static ssize_t
take_input(void *buf, size_t cap)
{
	size_t n = waiting() < cap ? waiting() : cap;

	if (os.gone)
		return fail(ECONNRESET);
	if (n == 0)
		return 0;
	n = part_of(n);
	memcpy(buf, os.plan.stream.ptr + os.taken, n);
	os.taken += n;
	return (ssize_t)n;
}

static ssize_t
receive(void *buf, size_t cap, bool dont_wait)
{
	call();
	require(cap > 0);
	switch (decision(OS_PIECES, 8)) {
	case 1:
		return fail(EINTR);
	case 2:
		if (dont_wait)
			return fail(EAGAIN);
		break;
	case 3:
		if (decision(OS_HOSTILE, 4) == 1)
			break_connection();
		break;
	case 4:
		/* The client's next bytes are late. */
		if (decision(OS_HOSTILE, 2) == 1 && !dont_wait) {
			os.now_ms += os.idle_ms;
			return fail(EAGAIN);
		}
		break;
	default:
		break;
	}
	if (is_readable())
		return take_input(buf, cap);
	if (!dont_wait) {
		require(os.idle_ms > 0);
		os.now_ms += os.idle_ms;
	}
	return fail(EAGAIN);
}

ssize_t fake_recv(int fd, void *buf, size_t cap, int flags);
ssize_t
fake_recv(int fd, void *buf, size_t cap, int flags)
{
	require(fd == OS_IN && !os.plan.is_pipe);
	require((flags & ~MSG_DONTWAIT) == 0);
	return receive(buf, cap, (flags & MSG_DONTWAIT) != 0 || os.nonblocking);
}

/* Room in the socket's buffer, or the pipe. */
static size_t
room(void)
{
	if (os.plan.mood < OS_HOSTILE)
		return SIZE_MAX;
	return os.unacknowledged < SEND_BUFFER ?
	    (size_t)(SEND_BUFFER - os.unacknowledged) :
	    0;
}

/* The client takes some of what it has been sent. */
static void
acknowledge(void)
{
	static const uint64_t amounts[] = { UINT64_MAX, 0, 1, 1460, 10000 };
	uint64_t n = amounts[decision(OS_HOSTILE, FUZZ_COUNT(amounts))];

	os.unacknowledged -= n < os.unacknowledged ? n : os.unacknowledged;
}

/* Whether n bytes more can be sent, and how many of them. */
static ssize_t
may_send(size_t n)
{
	call();
	require(!os.half_closed);
	switch (decision(OS_PIECES, 8)) {
	case 1:
		return fail(EINTR);
	case 2:
		if (!os.plan.is_pipe || os.nonblocking)
			return fail(EAGAIN);
		break;
	case 3:
		if (decision(OS_HOSTILE, 4) == 1)
			break_connection();
		break;
	case 4:
		acknowledge();
		break;
	default:
		break;
	}
	if (os.gone)
		return fail(decision(OS_HOSTILE, 2) == 1 ? ECONNRESET : EPIPE);
	if (n > room())
		n = room();
	if (n == 0)
		return fail(EAGAIN);
	if (os.received_len == TAKES_MAX) {
		break_connection();
		return fail(EPIPE);
	}
	if (n > TAKES_MAX - os.received_len)
		n = TAKES_MAX - os.received_len;
	return (ssize_t)part_of(n);
}

static void
was_sent(size_t n)
{
	os.received_len += n;
	os.unacknowledged += n;
	if (os.plan.mood < OS_HOSTILE || decision(OS_HOSTILE, 4) == 0)
		os.unacknowledged = 0;
}

static ssize_t
send_to_client(const void *buf, size_t n)
{
	ssize_t sent = may_send(n);

	if (sent <= 0)
		return sent;
	memcpy(os.received + os.received_len, buf, (size_t)sent);
	was_sent((size_t)sent);
	return sent;
}

static ssize_t
write_log(const void *buf, size_t n)
{
	call();
	unsigned odd = decision(OS_HOSTILE, 8);
	if (odd == 1 || odd == 2) {
		os.log_lost = true;
		return fail(odd == 1 ? EAGAIN : EPIPE);
	}
	require(n <= PIPE_BUF && n < sizeof(os.log) - os.log_len);
	memcpy(os.log + os.log_len, buf, n);
	os.log_len += n;
	return (ssize_t)n;
}

ssize_t fake_send(int fd, const void *buf, size_t n, int flags);
ssize_t
fake_send(int fd, const void *buf, size_t n, int flags)
{
	require((flags & MSG_NOSIGNAL) != 0 && (flags & MSG_DONTWAIT) != 0);
	if (fd == OS_OUT && !os.plan.is_pipe)
		return send_to_client(buf, n);
	if (fd == OS_LOG && os.plan.log_is_client)
		require(!"a line of the log goes to the client");
	if (fd == OS_LOG)
		return fail(ENOTSOCK);
	require(fd >= OS_FIRST && fd < OS_FILES && files[fd].used &&
	    files[fd].is_syslog);
	/* A datagram is a line; in the log it gets an end. */
	require(memchr(buf, '\n', n) == NULL);
	ssize_t sent = write_log(buf, n);
	if (sent > 0)
		os.log[os.log_len++] = '\n';
	return sent;
}

ssize_t fake_write(int fd, const void *buf, size_t n);
ssize_t
fake_write(int fd, const void *buf, size_t n)
{
	if (fd == OS_OUT && os.plan.is_pipe)
		return send_to_client(buf, n);
	require(fd == OS_LOG && !os.plan.log_is_client);
	return write_log(buf, n);
}

static bool
is_writable(void)
{
	acknowledge();
	return os.gone || room() > 0;
}

/* Waits for the client, at either end. */
static int
poll_client(bool (*is_ready)(void), int timeout_ms)
{
	int passed_ms = 0;

	switch (decision(OS_PIECES, 8)) {
	case 1:
		return fail(EINTR);
	case 2:
		if (decision(OS_HOSTILE, 2) == 1) {
			(void)is_ready();
			os.now_ms += timeout_ms;
			return 0;
		}
		break;
	case 3:
		/* It comes in time, but late. */
		if (decision(OS_HOSTILE, 2) == 1)
			passed_ms = timeout_ms - timeout_ms / 4;
		break;
	case 4:
		if (decision(OS_HOSTILE, 8) == 1)
			return fail(ENOMEM);
		break;
	default:
		break;
	}
	bool ready = is_ready();
	os.now_ms += ready ? passed_ms : timeout_ms;
	return ready;
}

int fake_poll(struct pollfd *p, nfds_t n, int timeout_ms);
int
fake_poll(struct pollfd *p, nfds_t n, int timeout_ms)
{
	call();
	require(n <= 1 && timeout_ms >= 0);
	int ready = 1;

	/* A pause: what comes in pieces comes without the time for it. */
	if (n == 0) {
		require(timeout_ms > 0);
		os.now_ms += os.plan.mood == OS_HOSTILE ? timeout_ms : 0;
		return 0;
	}

	/* Whether the client is gone, or both sides have ended. */
	if (p->fd == OS_OUT && p->events == 0) {
		acknowledge();
		if (!os.gone && (!os.half_closed || os.plan.stays))
			os.now_ms += timeout_ms;
		p->revents = os.gone                 ? POLLERR | POLLHUP :
		    os.half_closed && !os.plan.stays ? POLLHUP :
						       0;
		return p->revents != 0;
	}
	if (p->fd == OS_IN && p->events == POLLIN)
		ready = poll_client(is_readable, timeout_ms);
	else if (p->fd == OS_OUT && p->events == POLLOUT)
		ready = poll_client(is_writable, timeout_ms);
	else if (decision(OS_HOSTILE, 8) == 1)
		ready = 0; /* whoever reads the log is stuck */
	if (ready == 0 && p->fd != OS_IN && p->fd != OS_OUT)
		os.log_lost = true;
	p->revents = ready > 0 ? p->events : 0;
	return ready;
}

int fake_ioctl(int fd, unsigned long request, int *ret_n);
int
fake_ioctl(int fd, unsigned long request, int *ret_n)
{
	call();
	if (request == FIONREAD) {
		require(fd == OS_IN);
		*ret_n = (int)waiting();
		return 0;
	}
	require(request == SIOCOUTQ && fd == OS_OUT && !os.plan.is_pipe);
	acknowledge();
	*ret_n = (int)os.unacknowledged;
	return 0;
}

/* Standard error is not a terminal. */
int fake_dup2(int fd, int to);
int
fake_dup2(int fd, int to)
{
	call();
	require(fd == to && fd < 0);
	return -1;
}

int fake_isatty(int fd);
int
fake_isatty(int fd)
{
	call();
	require(fd == OS_IN && os.plan.is_pipe);
	return 0;
}

int fake_setsockopt(
    int fd, int level, int option, const void *value, socklen_t len);
int
fake_setsockopt(int fd, int level, int option, const void *value, socklen_t len)
{
	call();
	require(fd == OS_IN || fd == OS_OUT);
	if (os.plan.is_pipe)
		return fail(ENOTSOCK);
	if (level == SOL_SOCKET && option == SO_RCVTIMEO) {
		struct timeval idle;

		require(len == sizeof(idle));
		memcpy(&idle, value, sizeof(idle));
		os.idle_ms = (int)(idle.tv_sec * 1000 + idle.tv_usec / 1000);
		return 0;
	}
	require(level == IPPROTO_TCP ||
	    (level == SOL_SOCKET && option == SO_LINGER && fd == OS_OUT));
	return decision(OS_HOSTILE, 8) == 1 ? fail(EOPNOTSUPP) : 0;
}

int fake_shutdown(int fd, int how);
int
fake_shutdown(int fd, int how)
{
	call();
	require(fd == OS_OUT && how == SHUT_WR && !os.plan.is_pipe);
	if (os.gone)
		return fail(ENOTCONN);
	os.half_closed = true;
	return 0;
}

int fake_getpeername(int fd, struct sockaddr *to, socklen_t *len);
int
fake_getpeername(int fd, struct sockaddr *to, socklen_t *len)
{
	struct sockaddr_in6 from = { .sin6_family = AF_INET6 };

	call();
	require(fd == OS_IN);
	if (os.plan.is_pipe)
		return fail(ENOTSOCK);
	switch (decision(OS_PIECES, 8)) {
	case 1:
		return fail(ENOTCONN);
	case 2:
		from.sin6_addr.s6_addr[10] = from.sin6_addr.s6_addr[11] = 0xff;
		break;
	case 3:
		from.sin6_family = AF_UNIX;
		break;
	case 4:
		from.sin6_family = AF_INET;
		break;
	case 5:
		from.sin6_family = AF_UNSPEC;
		break;
	default:
		for (size_t i = 0; i < 16; i += 2)
			from.sin6_addr.s6_addr[i] =
			    (unsigned char)decision(OS_PIECES, 3);
		break;
	}
	require(*len >= sizeof(from));
	memcpy(to, &from, sizeof(from));
	*len = sizeof(from);
	return 0;
}

/* Files. */

static int
new_descriptor(void)
{
	for (int fd = OS_FIRST; fd < OS_FILES; fd++)
		if (!files[fd].used) {
			files[fd] = (struct open_file){ .used = true };
			return fd;
		}
	require(!"few files are open at a time");
	return -1;
}

static bool
is_open(int fd)
{
	return fd >= OS_ROOT && fd < OS_FILES && files[fd].used;
}

/* Whether some file's name starts with this directory's, slash and all. */
static bool
is_directory(const char *path, size_t len)
{
	for (const struct os_file *f = os.plan.tree; f->name != NULL; f++)
		if (strncmp(f->name, path, len) == 0 && f->name[len] == '/')
			return true;
	return false;
}

static const struct os_file *
find_file(const char *path)
{
	for (const struct os_file *f = os.plan.tree; f->name != NULL; f++)
		if (strcmp(f->name, path) == 0)
			return f;
	return NULL;
}

static int
open_file(const char *path, int flags)
{
	const struct os_file *f = find_file(path);
	bool directory = f == NULL && is_directory(path, strlen(path));

	for (size_t len = 0; *path != '\0'; path++) {
		len = *path == '/' ? 0 : len + 1;
		if (len > 255)
			return fail(ENAMETOOLONG);
	}
	if (f == NULL && !directory)
		return fail(ENOENT);
	/* A directory that may not be read can still be looked at. */
	if (f != NULL && f->error != 0 &&
	    !(S_ISDIR(f->type) && (flags & O_PATH) != 0))
		return fail(f->error);
	if (f != NULL && !S_ISDIR(f->type) && (flags & O_DIRECTORY) != 0)
		return fail(ENOTDIR);

	int fd = new_descriptor();
	files[fd].file = f;
	files[fd].is_path = (flags & O_PATH) != 0;
	files[fd].size = f != NULL ? f->size : 0;
	return fd;
}

/* Failures that any call to open can have. */
static int
odd_open_error(void)
{
	static const int errors[] = { 0, EINTR, EAGAIN, ENOSYS, EPERM, EMFILE,
		ENOMEM, EIO, EACCES, ELOOP, ENXIO };

	return decision(OS_HOSTILE, 4) != 1 ?
	    0 :
	    errors[decision(OS_HOSTILE, FUZZ_COUNT(errors))];
}

/*
 * Only what target_decode_path() lets through may be asked for: no segment is
 * empty or a dot segment, and none hidden, but for the rules themselves.
 */
static void
require_canonical(const char *path)
{
	const char *first = path;

	for (;;) {
		size_t len = strcspn(path, "/");

		require(len > 0);
		require(path[0] != '.' ||
		    (path == first && len == strlen(".well-known") &&
			memcmp(path, ".well-known", len) == 0));
		if (path[len] == '\0')
			break;
		require(path != first || len != strlen("_redirects") ||
		    strncasecmp(path, "_redirects", len) != 0);
		path += len + 1;
	}
	require(strcasecmp(first, "_redirects") != 0 ||
	    strcmp(first, "_redirects") == 0);
}

static void
require_open_flags(int flags)
{
	require((flags & O_ACCMODE) == O_RDONLY);
	require((flags & O_CLOEXEC) != 0);
	require((flags & (O_CREAT | O_TRUNC | O_APPEND)) == 0);
	require((flags & (O_PATH | O_NONBLOCK)) != 0);
}

long fake_syscall(long number, ...);
long
fake_syscall(long number, ...)
{
	va_list args;

	call();
	require(number == SYS_openat2);
	va_start(args, number);
	int root = va_arg(args, int);
	const char *path = va_arg(args, const char *);
	const struct open_how *how = va_arg(args, const struct open_how *);
	size_t size = va_arg(args, size_t);
	va_end(args);

	require(root == OS_ROOT && size == sizeof(*how));
	require(how->mode == 0);
	require((how->resolve & RESOLVE_BENEATH) != 0);
	require((how->resolve & RESOLVE_NO_MAGICLINKS) != 0);
	require_canonical(path);
	require_open_flags((int)how->flags);

	int error = odd_open_error();
	return error != 0 ? fail(error) : open_file(path, (int)how->flags);
}

/* A segment of a path, where openat2 is not to be had. */
int fake_openat(int dir, const char *name, int flags, ...);
int
fake_openat(int dir, const char *name, int flags, ...)
{
	char path[sizeof(files[0].directory) * 2];

	call();
	require(is_open(dir) && files[dir].is_path);
	require(strchr(name, '/') == NULL && name[0] != '\0');
	require(strcmp(name, "..") != 0);
	require((flags & O_NOFOLLOW) != 0);
	require_open_flags(flags);

	int error = odd_open_error();
	if (error != 0)
		return fail(error);
	if (strlen(files[dir].directory) + strlen(name) + 2 >
	    sizeof(files[0].directory))
		return fail(ENAMETOOLONG);
	snprintf(path, sizeof(path), "%s%s", files[dir].directory, name);
	int fd = open_file(path, flags);
	if (fd >= 0)
		snprintf(files[fd].directory, sizeof(files[fd].directory),
		    "%.*s/", (int)sizeof(files[0].directory) - 2, path);
	return fd;
}

int fake_faccessat(int dir, const char *name, int mode, int flags);
int
fake_faccessat(int dir, const char *name, int mode, int flags)
{
	(void)dir, (void)name, (void)mode, (void)flags;
	return 0;
}

/* What there is to know of a file; of a directory that it never changed. */
static void
describe(const struct os_file *f, struct stat *st)
{
	st->st_mode = f == NULL ? S_IFDIR : f->type;
	if (f == NULL)
		return;
	st->st_ino = os_inode(f);
	st->st_size = (off_t)f->size;
	st->st_mtim.tv_sec = f->modified;
	st->st_mtim.tv_nsec = f->modified_ns;
	st->st_ctim = st->st_mtim;
}

int fake_fstatat(int dir, const char *path, struct stat *st, int flags);
int
fake_fstatat(int dir, const char *path, struct stat *st, int flags)
{
	call();
	memset(st, 0, sizeof(*st));
	if (dir == AT_FDCWD) {
		require(strcmp(path, OS_DIRECTORY) == 0);
		require(flags == AT_NO_AUTOMOUNT);
		describe(NULL, st);
		st->st_ino += decision(OS_HOSTILE, 4) == 1;
		return decision(OS_HOSTILE, 4) == 1 ? fail(ENOENT) : 0;
	}
	require(dir == OS_ROOT);
	require((flags & ~(AT_SYMLINK_NOFOLLOW | AT_EMPTY_PATH)) == 0);
	if (*path == '\0') {
		require((flags & AT_EMPTY_PATH) != 0);
		describe(NULL, st);
		return 0;
	}
	require_canonical(path);
	if (decision(OS_HOSTILE, 16) == 1)
		return fail(EACCES);

	const struct os_file *f = find_file(path);
	if (f == NULL && !is_directory(path, strlen(path)))
		return fail(ENOENT);
	describe(f, st);
	return 0;
}

int fake_fstat(int fd, struct stat *st);
int
fake_fstat(int fd, struct stat *st)
{
	call();
	memset(st, 0, sizeof(*st));
	if (fd < OS_ROOT) {
		bool client = fd != OS_LOG || os.plan.log_is_client;

		st->st_mode = client && !os.plan.is_pipe ? S_IFSOCK : S_IFIFO;
		st->st_ino = client ? 1 : 2;
		return 0;
	}
	require(is_open(fd));
	if (decision(OS_HOSTILE, 16) == 1)
		return fail(EIO);

	const struct os_file *f = files[fd].file;
	describe(f, st);
	if (f == NULL)
		return 0;
	/* By the time that it is read it may be shorter. */
	if (decision(OS_HOSTILE, 4) == 1)
		files[fd].size = f->size * decision(OS_HOSTILE, 256) / 256;
	return 0;
}

/* How many of n bytes at an offset there are to be read. */
static ssize_t
may_read(int fd, uint64_t offset, size_t n)
{
	call();
	require(is_open(fd) && !files[fd].is_path && !files[fd].is_syslog);
	require(offset <= INT64_MAX);
	if (files[fd].file == NULL)
		return fail(EISDIR);
	switch (decision(OS_PIECES, 8)) {
	case 1:
		return fail(EINTR);
	case 2:
		if (decision(OS_HOSTILE, 4) == 1)
			return fail(EIO);
		break;
	default:
		break;
	}
	if (offset >= files[fd].size || n == 0)
		return 0;
	if (n > files[fd].size - offset)
		n = (size_t)(files[fd].size - offset);
	return (ssize_t)part_of(n);
}

static ssize_t
read_at(int fd, char *buf, size_t n, uint64_t offset)
{
	ssize_t have = may_read(fd, offset, n);

	for (ssize_t i = 0; i < have; i++)
		buf[i] = os_byte(files[fd].file, offset + (uint64_t)i);
	return have;
}

ssize_t fake_pread(int fd, void *buf, size_t n, off_t offset);
ssize_t
fake_pread(int fd, void *buf, size_t n, off_t offset)
{
	require(offset >= 0);
	return read_at(fd, buf, n, (uint64_t)offset);
}

ssize_t fake_read(int fd, void *buf, size_t n);
ssize_t
fake_read(int fd, void *buf, size_t n)
{
	if (fd == OS_IN) {
		require(os.plan.is_pipe);
		return receive(buf, n, os.nonblocking);
	}
	ssize_t have = read_at(fd, buf, n, files[fd].at);

	if (have > 0)
		files[fd].at += (uint64_t)have;
	return have;
}

ssize_t fake_sendfile(int out, int fd, off_t *offset, size_t n);
ssize_t
fake_sendfile(int out, int fd, off_t *offset, size_t n)
{
	require(out == OS_OUT && !os.plan.is_pipe && os.nonblocking);
	require(*offset >= 0);
	switch (decision(OS_HOSTILE, 16)) {
	case 1:
		return fail(EINVAL);
	case 2:
		return fail(EIO);
	default:
		break;
	}
	/* The kernel looks at the file before it looks at the socket. */
	ssize_t have = may_read(fd, (uint64_t)*offset, n);
	if (have <= 0)
		return have;
	ssize_t sent = may_send((size_t)have);
	if (sent <= 0)
		return sent;
	for (ssize_t i = 0; i < sent; i++)
		os.received[os.received_len + (size_t)i] =
		    os_byte(files[fd].file, (uint64_t)*offset + (uint64_t)i);
	was_sent((size_t)sent);
	*offset += sent;
	return sent;
}

int fake_close(int fd);
int
fake_close(int fd)
{
	call();
	require(is_open(fd) && fd != OS_ROOT);
	files[fd].used = false;
	return 0;
}

int fake_fcntl(int fd, int command, ...);
int
fake_fcntl(int fd, int command, ...)
{
	va_list args;

	call();
	require(fd >= OS_IN && fd <= OS_LOG);
	if (command == F_GETFL)
		return O_RDWR | (os.nonblocking ? O_NONBLOCK : 0);
	require(command == F_SETFL && fd == OS_OUT && !os.plan.is_pipe);
	va_start(args, command);
	os.nonblocking = (va_arg(args, int) & O_NONBLOCK) != 0;
	va_end(args);
	return 0;
}

/* Where lines go when standard error is the client: syslog. */

int fake_socket(int family, int type, int protocol);
int
fake_socket(int family, int type, int protocol)
{
	call();
	require(family == AF_UNIX && (type & SOCK_CLOEXEC) != 0);
	require(protocol == 0 && os.plan.log_is_client && !os.locked_in);
	os.log_lost = decision(OS_HOSTILE, 8) == 1;
	if (os.log_lost)
		return fail(EMFILE);
	int fd = new_descriptor();
	files[fd].is_syslog = true;
	return fd;
}

int fake_connect(int fd, const struct sockaddr *to, socklen_t len);
int
fake_connect(int fd, const struct sockaddr *to, socklen_t len)
{
	call();
	require(is_open(fd) && files[fd].is_syslog && !os.locked_in);
	require(len == sizeof(struct sockaddr_un) && to->sa_family == AF_UNIX);
	os.log_lost = decision(OS_HOSTILE, 8) == 1;
	return os.log_lost ? fail(ECONNREFUSED) : 0;
}

/* Time and chance. */

int fake_clock_gettime(clockid_t clock, struct timespec *ts);
int
fake_clock_gettime(clockid_t clock, struct timespec *ts)
{
	call();
	ts->tv_sec = os.now_ms / 1000;
	ts->tv_nsec = os.now_ms % 1000 * 1000000;
	if (clock == CLOCK_REALTIME)
		ts->tv_sec += os.plan.calendar;
	else
		require(clock == CLOCK_MONOTONIC);
	return 0;
}

ssize_t fake_getrandom(void *buf, size_t n, unsigned flags);
ssize_t
fake_getrandom(void *buf, size_t n, unsigned flags)
{
	call();
	require(flags == 0);
	if (decision(OS_HOSTILE, 4) == 1)
		return fail(EINTR);
	memset(buf, 0x5a, n);
	return (ssize_t)n;
}

/* Only insist_failed() leaves so. */
_Noreturn void fake_exit(int status);
_Noreturn void
fake_exit(int status)
{
	fprintf(stderr, "%.*s", (int)os.log_len, os.log);
	require(status == -1);
	abort();
}
