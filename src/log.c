/*
 * log: lines about the client, and sentences for the operator.
 *
 * The module holds the only state of the program that is not passed along:
 * where its lines go, those that wait to be written, and the client's address
 * once it has been asked for.
 */
#define _GNU_SOURCE
#include "log.h"

#include "grammar.h"
#include "insist.h"
#include "text.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sysexits.h>
#include <unistd.h>

/* Priorities of RFC 5424 6.2.1: facility daemon with severity info and err. */
#define PRIORITY_INFO "<30>"
#define PRIORITY_ERR "<27>"

/* The same severity as the journal reads it at the start of a line. */
#define JOURNAL_ERR "<3>"

/* A share of a sentence. */
#define PART_MAX_ESCAPED 900

/* How long a line may wait for a reader of the log. */
#define STUCK_MS 1000

/* How often a terminal that has no room is tried in that time. */
#define TRIES 50

/* The major number of /dev/null and the like, which are no terminals. */
#define MEMORY_DEVICES 1

enum destination { UNKNOWN, STANDARD_ERROR, SYSLOG, NOWHERE };

/* Whether a line may be written to standard error, as far as it is known. */
enum standard_error { UNSEEN, USABLE, UNUSABLE };

static struct {
	enum standard_error standard_error;
	/* Of standard error: its kind, and which file it is. */
	mode_t mode;
	dev_t device;
	ino_t inode;
	enum destination destination;
	int fd;
	bool is_socket; /* as syslog's is, and the journal's */
	bool is_file; /* which takes a line without waiting */
	bool is_terminal;
	struct log_lines *lines; /* NULL: there are none about the client */
	size_t pending; /* bytes of lines that are not written yet */
	struct text peer; /* the client's address */
	char peer_buf[INET6_ADDRSTRLEN];
} log_state;

static bool
is_standard_error(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && st.st_dev == log_state.device &&
	    st.st_ino == log_state.inode;
}

/*
 * A character device is never the client: on a terminal all three descriptors
 * are the same, and the lines are wanted there.
 */
static bool
standard_error_is_client(void)
{
	return !S_ISCHR(log_state.mode) &&
	    (is_standard_error(STDIN_FILENO) ||
		is_standard_error(STDOUT_FILENO));
}

/*
 * The process's terminal, where standard error is that one.  It may be opened
 * by users who may not open the terminal by its own name.
 */
static int
open_own_terminal(int flags)
{
	unsigned own, wanted;
	int fd = openat(AT_FDCWD, "/dev/tty", flags);

	/* (The C libraries differ in the type of ioctl()'s request.) */
	if (fd >= 0 &&
	    (syscall(SYS_ioctl, fd, TIOCGDEV, &own) != 0 ||
		syscall(SYS_ioctl, STDERR_FILENO, TIOCGDEV, &wanted) != 0 ||
		own != wanted)) {
		close(fd);
		fd = -1;
	}
	return fd;
}

/*
 * Opens the terminal that is standard error once more, to write to it without
 * blocking: where nobody reads it, as where a connection to it hangs, poll
 * reports room for a byte and a line blocks.  The description that was passed
 * is shared with the shell, so that O_NONBLOCK must not be set there.
 */
static bool
take_terminal(void)
{
	const int flags = O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = openat(AT_FDCWD, "/proc/self/fd/2", flags);

	if (fd < 0)
		fd = open_own_terminal(flags);
	if (fd < 0)
		return false;
	log_state.is_terminal = dup2(fd, STDERR_FILENO) == STDERR_FILENO;
	close(fd);
	return log_state.is_terminal;
}

void
log_take_standard_error(void)
{
	struct stat st;

	if (log_state.standard_error != UNSEEN)
		return;
	log_state.standard_error = UNUSABLE;
	if (fstat(STDERR_FILENO, &st) != 0)
		return;
	log_state.mode = st.st_mode;
	log_state.device = st.st_dev;
	log_state.inode = st.st_ino;
	if (!S_ISCHR(st.st_mode) || major(st.st_rdev) == MEMORY_DEVICES ||
	    take_terminal())
		log_state.standard_error = USABLE;
}

static enum destination
find_destination(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };

	log_take_standard_error();
	if (log_state.standard_error == USABLE && !standard_error_is_client()) {
		log_state.fd = STDERR_FILENO;
		log_state.is_socket = S_ISSOCK(log_state.mode);
		log_state.is_file = S_ISREG(log_state.mode);
		return STANDARD_ERROR;
	}
	log_state.fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (log_state.fd < 0)
		return NOWHERE;
	if (connect(log_state.fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		close(log_state.fd);
		return NOWHERE;
	}
	log_state.is_socket = true;
	return SYSLOG;
}

/* What may have to wait on a pipe, and never does on a socket or a file. */
static ssize_t
write_once(struct slice s)
{
	return log_state.is_socket ?
	    send(log_state.fd, s.ptr, s.len, MSG_NOSIGNAL | MSG_DONTWAIT) :
	    write(log_state.fd, s.ptr, s.len);
}

/* Writes what the terminal has room for; false: it is gone. */
static bool
write_some(struct slice *s)
{
	ssize_t n = write(log_state.fd, s->ptr, s->len);

	if (n > 0)
		*s = slice_after(*s, (size_t)n);
	return n >= 0 || errno == EAGAIN || errno == EINTR;
}

/*
 * A terminal may have no room for the end of a line although poll reports some,
 * so it is tried now and then.  The rest of a line that finds no room is lost,
 * and what comes next starts on a line of its own.  false: nobody reads it.
 */
static bool
write_to_terminal(struct slice s, int tries)
{
	static bool is_cut; /* the last line has no end */
	struct slice end = SLICE("\n");
	size_t len = s.len;

	if (!is_cut)
		end.len = 0;
	for (;;) {
		if (end.len > 0 && !write_some(&end))
			return true;
		if (end.len == 0 && !write_some(&s))
			return true;
		if (s.len == 0 || tries-- == 0)
			break;
		(void)poll(NULL, 0, STUCK_MS / TRIES);
	}
	is_cut = end.len > 0 || (s.len > 0 && s.len < len);
	return s.len == 0;
}

/*
 * Where whoever reads the log has stopped reading, one line waits a little, and
 * from then on lines are lost until one finds room: no client may be held up
 * for long by a log.  A pipe that has room takes PIPE_BUF bytes without
 * blocking, but for another writer who was faster.
 */
static ssize_t
write_within_time(struct slice s)
{
	static bool is_stuck; /* the last line found no reader */

	if (log_state.is_terminal) {
		is_stuck = !write_to_terminal(s, is_stuck ? 0 : TRIES);
		return (ssize_t)s.len;
	}
	if (log_state.is_socket || log_state.is_file) {
		ssize_t n = write_once(s);

		if (n >= 0)
			is_stuck = false;
		if (n >= 0 || errno != EAGAIN)
			return n;
	}
	/*
	 * A stream socket has room for lines long before poll reports it, which
	 * is when three quarters of its buffer are free.
	 */
	struct pollfd p = { .fd = log_state.fd, .events = POLLOUT };
	int tries = log_state.is_socket && !is_stuck ? TRIES : 1;
	int wait_ms = is_stuck ? 0 : STUCK_MS / tries;

	for (; tries > 0; tries--) {
		int ready = poll(&p, 1, wait_ms);

		if (ready < 0)
			return ready;
		if (ready == 0 && !log_state.is_socket)
			continue;
		ssize_t n = write_once(s);

		if (n < 0 && errno == EAGAIN)
			continue;
		is_stuck = false;
		return n;
	}
	is_stuck = true;
	return 0;
}

/* Sends a line, to syslog, where it has no end, or several. */
static void
send_lines(struct slice s)
{
	ssize_t n;

	if (log_state.destination == NOWHERE)
		return;
	if (log_state.destination == SYSLOG)
		s.len--;
	do
		n = write_within_time(s);
	while (n < 0 && errno == EINTR);
}

/* An IPv4 client of an IPv6 socket is written as the IPv4 client it is. */
static void
add_peer(struct text *t, int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
		struct sockaddr_un local;
	} from;
	socklen_t len = sizeof(from);

	if (getpeername(fd, &from.any, &len) != 0) {
		text_add_char(t, '-');
		return;
	}
	switch (from.any.sa_family) {
	case AF_INET:
		text_add_ipv4(t, (const unsigned char *)&from.v4.sin_addr);
		break;
	case AF_INET6:
		if (IN6_IS_ADDR_V4MAPPED(&from.v6.sin6_addr)) {
			text_add_ipv4(t, from.v6.sin6_addr.s6_addr + 12);
			break;
		}
		text_add_ipv6(t, from.v6.sin6_addr.s6_addr);
		break;
	case AF_UNIX:
		text_add(t, SLICE("unix:"));
		break;
	default:
		text_add_char(t, '-');
		break;
	}
}

void
log_open(struct log_lines *lines)
{
	if (log_state.destination == UNKNOWN)
		log_state.destination = find_destination();
	if (lines == NULL)
		return;
	log_state.lines = lines;
	log_state.peer = TEXT_IN(log_state.peer_buf);
	add_peer(&log_state.peer, STDIN_FILENO);
}

struct slice
log_peer(void)
{
	return text_slice(&log_state.peer);
}

static void
add_name(struct text *t)
{
	text_add(t, slice_of(program_name));
	text_add(t, SLICE(": "));
}

/* Standard error is told no priority, and of a client no name. */
void
log_start_line(struct text *t, char *room)
{
	struct log_lines *lines = log_state.lines;

	*t = (struct text){
		.ptr = lines->buf + log_state.pending,
		.cap = LOG_LINE_CAP,
	};
	if (room != NULL)
		t->ptr = room;
	if (log_state.destination == SYSLOG) {
		text_add(t, SLICE(PRIORITY_INFO));
		add_name(t);
	}
}

void
log_end_line(struct text *t)
{
	struct log_lines *lines = log_state.lines;

	text_add_char(t, '\n');
	insist(!t->overflowed);
	if (t->ptr != lines->buf + log_state.pending) {
		log_flush();
		send_lines(text_slice(t));
		return;
	}
	if (log_state.pending + t->len > LOG_LINE_CAP) {
		log_flush();
		memmove(lines->buf, t->ptr, t->len);
	}
	log_state.pending += t->len;
	if (log_state.destination == SYSLOG)
		log_flush();
}

void
log_flush(void)
{
	if (log_state.pending == 0)
		return;
	send_lines((struct slice){ log_state.lines->buf, log_state.pending });
	log_state.pending = 0;
}

/*
 * Whether standard error leads to the journal.  systemd names it in a variable
 * that is inherited by programs whose standard error is another one as well.
 */
static bool
standard_error_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	char buf[2 * NUMBER_CAP];
	struct text own = TEXT_IN(buf);

	text_add_number(&own, log_state.device, 1);
	text_add_char(&own, ':');
	text_add_number(&own, log_state.inode, 1);
	return stream != NULL &&
	    slice_equal(slice_of(stream), text_slice(&own));
}

void
log_operator(const char *first, ...)
{
	char buf[PIPE_BUF];
	struct text t = { .ptr = buf, .cap = sizeof(buf) - 1 };
	va_list parts;

	log_open(NULL);
	log_flush();
	if (log_state.destination == SYSLOG)
		text_add(&t, SLICE(PRIORITY_ERR));
	else if (standard_error_is_journal())
		text_add(&t, SLICE(JOURNAL_ERR));
	add_name(&t);
	va_start(parts, first);
	for (const char *s = first; s != NULL; s = va_arg(parts, const char *))
		text_add_escaped(&t, slice_of(s), PART_MAX_ESCAPED);
	va_end(parts);
	t.ptr[t.len++] = '\n';
	send_lines(text_slice(&t));
}

static bool
is_plain(char c)
{
	return is_alphanumeric(c) || (c != '\0' && strchr("_-./:=,@%+", c));
}

/* Quotes by '' whatever is printable, and by $'' what only some shells know. */
static void
add_word(struct text *t, struct slice word)
{
	bool plain = word.len > 0, printable = true;

	for (size_t i = 0; i < word.len; i++) {
		plain = plain && is_plain(word.ptr[i]);
		printable =
		    printable && word.ptr[i] >= ' ' && word.ptr[i] <= '~';
	}
	if (plain) {
		text_add(t, word);
		return;
	}
	text_add(t, printable ? SLICE("'") : SLICE("$'"));
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] == '\'')
			text_add(t, printable ? SLICE("'\\''") : SLICE("\\'"));
		else if (printable)
			text_add_char(t, word.ptr[i]);
		else
			text_add_escaped(
			    t, (struct slice){ word.ptr + i, 1 }, 4);
	}
	text_add_char(t, '\'');
}

void
log_command(const char *const words[])
{
	char buf[PIPE_BUF];
	struct text t = TEXT_IN(buf);

	log_open(NULL);
	log_flush();
	if (log_state.destination == SYSLOG) {
		text_add(&t, SLICE(PRIORITY_ERR));
		add_name(&t);
	}
	for (size_t i = 0; words[i] != NULL; i++) {
		if (i > 0)
			text_add_char(&t, ' ');
		add_word(&t, slice_of(words[i]));
	}
	text_add_char(&t, '\n');
	if (!t.overflowed)
		send_lines(text_slice(&t));
}

void
insist_failed(const char *file, int line, const char *condition)
{
	char number[NUMBER_CAP];

	log_operator("internal error: ", file, ":",
	    text_number(number, (uint64_t)line), ": ", condition,
	    " does not hold", NULL);
	_exit(EX_SOFTWARE);
}
