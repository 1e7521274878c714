/*
 * One run of the handler under ptrace, with a client at its other end and one
 * fault on the way.  x86-64 only.
 *
 * Client and tracer are one thread, so what the client does happens at a known
 * place between two calls of the handler.  A call that is to fail becomes
 * close(-1), which every sandbox of the handler has to let through, and its
 * result is put in place when it returns.
 */
#define _GNU_SOURCE
#include "faults.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef __x86_64__
#error "the registers of this architecture have to be added here"
#endif

#define NOBODY 65534
#define HANG_MS 10000
#define NUMBERS 512 /* of system calls */
#define SMALL_BUFFER 16384

struct run {
	struct world *w;
	const struct trial *t;
	struct outcome *o;
	pid_t pid;
	int signals;
	int in; /* the client's end: from the handler */
	int out; /* to the handler */
	int log; /* -1: what is logged is not read */
	int log_spare; /* a descriptor that is only kept open */
	size_t sent; /* requests */
	const char *rest; /* of the request that was sent last */
	unsigned made[NUMBERS]; /* calls so far, by number */
	int syslog; /* the handler's descriptor of it; -1 */
	bool in_call;
	struct call call;
	bool is_changed;
	bool is_due; /* the fault has come into force */
	unsigned injected; /* how often it has */
	struct user_regs_struct entry;
	bool has_result; /* the result is replaced when the call returns */
	unsigned long long result;
	size_t answered; /* bytes that the handler has sent */
	bool ended;
};

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int
syslog_bind(int type)
{
	const struct sockaddr_un name = { .sun_family = AF_UNIX,
		.sun_path = "/dev/log" };
	int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	unlink(name.sun_path);
	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&name, sizeof(name)) != 0 ||
	    chmod(name.sun_path, 0666) != 0)
		die(name.sun_path);
	if (type == SOCK_STREAM && listen(fd, 1) != 0)
		die("listen");
	return fd;
}

/* The log's socket as a place needs it. */
static void
syslog_make(struct world *w, enum log_place place)
{
	if (w->syslog >= 0)
		close(w->syslog);
	w->syslog = -1;
	unlink("/dev/log");
	if (place < LOG_SYSLOG || place == LOG_SYSLOG_ABSENT)
		return;
	w->syslog =
	    syslog_bind(place == LOG_SYSLOG_STREAM ? SOCK_STREAM : SOCK_DGRAM);
	if (place == LOG_SYSLOG_GONE) {
		close(w->syslog);
		w->syslog = -1;
	}
	if (place == LOG_SYSLOG_STUCK) {
		const struct sockaddr_un name = { .sun_family = AF_UNIX,
			.sun_path = "/dev/log" };
		int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

		if (fd < 0 ||
		    connect(fd, (const struct sockaddr *)&name, sizeof(name)) !=
			0)
			die("connect");
		while (send(fd, "x", 1, MSG_DONTWAIT) == 1)
			;
		close(fd);
	}
}

void
world_open(struct world *w, const char *dir)
{
	struct sockaddr_in name = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(name);
	sigset_t child;

	w->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	w->syslog = -1;
	if (bind(w->listener, (struct sockaddr *)&name, len) != 0 ||
	    listen(w->listener, 8) != 0 ||
	    getsockname(w->listener, (struct sockaddr *)&name, &len) != 0)
		die("listen");
	w->port = name.sin_port;
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", "/dev", "tmpfs", 0, "mode=755") != 0)
		die("a /dev of its own");
	snprintf(w->dir, sizeof(w->dir), "%s", dir);
	if (mkdir(dir, 0755) != 0 && errno != EEXIST)
		die(dir);
	w->dirty = NULL;
	tree_make(w);
	/* Until it is settled, each response takes a random number for its tag. */
	nanosleep(
	    &(struct timespec){ .tv_sec = 1, .tv_nsec = 100000000 }, NULL);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
}

static void
make_nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

static void
fill(int fd)
{
	static const char junk[4096];

	make_nonblocking(fd);
	while (write(fd, junk, sizeof(junk)) > 0)
		;
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

/* Sets the handler's ends. */
static void
connect_client(struct run *r, int *ret_in, int *ret_out)
{
	const struct scenario *s = r->t->scenario;
	int small = SMALL_BUFFER, pair[2], back[2];

	if (s->transport == PIPES) {
		if (pipe2(pair, O_CLOEXEC) != 0 || pipe2(back, O_CLOEXEC) != 0)
			die("pipe");
		r->out = pair[1];
		*ret_in = pair[0];
		r->in = back[0];
		*ret_out = back[1];
		make_nonblocking(r->in);
		return;
	}
	if (s->transport == LOCAL) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) !=
		    0)
			die("socketpair");
	} else {
		struct sockaddr_in name = { .sin_family = AF_INET,
			.sin_port = r->w->port,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

		pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (s->small_buffers)
			setsockopt(pair[0], SOL_SOCKET, SO_RCVBUF, &small,
			    sizeof(small));
		if (connect(pair[0], (struct sockaddr *)&name, sizeof(name)) !=
		    0)
			die("connect");
		pair[1] = accept4(r->w->listener, NULL, NULL, SOCK_CLOEXEC);
		if (pair[1] < 0)
			die("accept");
	}
	if (s->small_buffers)
		setsockopt(
		    pair[1], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	make_nonblocking(pair[0]);
	r->in = r->out = pair[0];
	*ret_in = *ret_out = pair[1];
}

/* A new file, by a name that is of no more use. */
static int
log_file(struct run *r)
{
	char path[300];

	snprintf(path, sizeof(path), "%s/log", r->w->dir);
	int fd = open(
	    path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	r->log = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || r->log < 0)
		die(path);
	return fd;
}

/* The handler's standard error; -1: there is none. */
static int
connect_log(struct run *r, int client)
{
	enum log_place place = r->t->scenario->log;
	int ends[2];

	r->log = r->log_spare = -1;
	syslog_make(r->w, place);
	switch (place) {
	case LOG_PIPE:
	case LOG_NO_READER:
	case LOG_PIPE_STUCK:
		if (pipe2(ends, O_CLOEXEC) != 0)
			die("pipe");
		break;
	case LOG_SOCKET:
	case LOG_SOCKET_STUCK:
	case LOG_SOCKET_GONE:
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) !=
		    0)
			die("socketpair");
		break;
	case LOG_FILE:
		return log_file(r);
	case LOG_DISK_FULL:
		return fcntl(r->w->full, F_DUPFD_CLOEXEC, 3);
	case LOG_NOWHERE:
		return -1;
	case LOG_SYSLOG:
	case LOG_SYSLOG_ABSENT:
	case LOG_SYSLOG_STUCK:
	case LOG_SYSLOG_GONE:
	case LOG_SYSLOG_STREAM:
		return fcntl(client, F_DUPFD_CLOEXEC, 3);
	}
	if (place == LOG_PIPE || place == LOG_SOCKET) {
		r->log = ends[0];
		make_nonblocking(r->log);
	} else if (place == LOG_PIPE_STUCK || place == LOG_SOCKET_STUCK) {
		r->log_spare = ends[0];
		fill(ends[1]);
	} else {
		close(ends[0]);
	}
	return ends[1];
}

static _Noreturn void
become_handler(struct run *r, int in, int out, int error)
{
	static const char *words[16] = { "httpd", "--timeout=3",
		"--head-timeout=3", "--send-timeout=3", "--etag=portable",
		"--persist=always" };
	static const char *const environment[] = { NULL };
	char tree[300];
	size_t count = 6;
	sigset_t none;

	for (size_t i = 0; r->t->scenario->options[i] != NULL; i++)
		words[count++] = r->t->scenario->options[i];
	words[count++] = ".";
	words[count] = NULL;
	snprintf(tree, sizeof(tree), "%s/tree", r->w->dir);
	if (dup2(in, 0) != 0 || dup2(out, 1) != 1 || chdir(tree) != 0)
		_exit(120);
	if (error < 0)
		close(2);
	else if (dup2(error, 2) != 2)
		_exit(121);
	close_range(3, ~0U, CLOSE_RANGE_CLOEXEC);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	/* As root: a tracer that nobody has asked for sees only so much. */
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) != 0)
		_exit(123);
	/* The soft limits lower than the sandbox's, the hard ones higher. */
	static const struct rlimit few = { 40, 200 },
				   small = { 9000000, 20000000 };
	if (r->t->scenario->is_limited &&
	    (setrlimit(RLIMIT_NOFILE, &few) != 0 ||
		setrlimit(RLIMIT_AS, &small) != 0))
		_exit(125);
	static const gid_t groups[] = { 0, 1 };
	if (r->t->scenario->is_root) {
		if (setgroups(2, groups) != 0)
			_exit(122);
	} else if (setgroups(0, NULL) != 0 ||
	    setresgid(NOBODY, NOBODY, NOBODY) != 0 ||
	    setresuid(NOBODY, NOBODY, NOBODY) != 0) {
		_exit(122);
	}
	syscall(
	    SYS_execveat, r->w->program, "", words, environment, AT_EMPTY_PATH);
	_exit(124);
}

static long
peek(pid_t pid, unsigned long at)
{
	errno = 0;
	long word = ptrace(PTRACE_PEEKDATA, pid, at, NULL);
	if (errno != 0)
		die("PTRACE_PEEKDATA");
	return word;
}

static void
poke(pid_t pid, unsigned long at, long word)
{
	if (ptrace(PTRACE_POKEDATA, pid, at, word) != 0)
		die("PTRACE_POKEDATA");
}

/* Hides the vDSO, so that each look at the clock is a call that is seen. */
static void
hide_vdso(pid_t pid)
{
	struct user_regs_struct regs;
	unsigned long at;

	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	at = regs.rsp + 8 * (1 + (unsigned long)peek(pid, regs.rsp) + 1);
	while (peek(pid, at) != 0) /* the environment */
		at += 8;
	for (at += 8; peek(pid, at) != AT_NULL; at += 16)
		if (peek(pid, at) == AT_SYSINFO_EHDR)
			poke(pid, at, AT_IGNORE);
}

static enum role
role_of_descriptor(const struct run *r, int fd)
{
	return fd == 2 || fd == r->syslog ? LOGGING :
	    fd == 0 || fd == 1            ? CLIENT :
					    TREE;
}

static enum role
role_of(const struct run *r, const struct __ptrace_syscall_info *info)
{
	int fd = (int)info->entry.args[0];
	long path;

	switch (info->entry.nr) {
	case SYS_socket:
	case SYS_connect:
	case SYS_getpeername:
		return LOGGING;
	case SYS_fstat:
	case SYS_newfstatat:
		return fd >= 0 && fd <= 2 ? LOGGING : TREE;
	case SYS_poll:
		if (info->entry.args[1] == 0) /* a pause */
			return OTHER;
		return role_of_descriptor(
		    r, (int)peek(r->pid, info->entry.args[0]));
	case SYS_setgroups:
	case SYS_setresgid:
	case SYS_setresuid:
	case SYS_getgroups:
	case SYS_getresgid:
	case SYS_getresuid:
		return PRIVILEGES;
	case SYS_prctl:
	case SYS_prlimit64:
	case SYS_capget:
	case SYS_capset:
	case SYS_landlock_create_ruleset:
	case SYS_landlock_add_rule:
	case SYS_landlock_restrict_self:
	case SYS_seccomp:
		return SANDBOX;
	case SYS_close_range:
	case SYS_getdents64:
		return INHERITED;
	case SYS_openat:
		path = peek(r->pid, info->entry.args[1]);
		if (memcmp(&path, "/proc", 5) == 0)
			return INHERITED;
		/* Of the others, only that of /etc/passwd has a slash. */
		if (memcmp(&path, "/", 1) == 0)
			return PRIVILEGES;
		return r->made[SYS_faccessat] == 0 ? SITE : TREE;
	case SYS_faccessat:
		return SITE;
	case SYS_openat2:
		return TREE;
	case SYS_read:
		/* Before the tree is open it can be no file of it. */
		if (r->made[SYS_faccessat] == 0)
			return PRIVILEGES;
		return role_of_descriptor(r, fd);
	case SYS_recvfrom:
	case SYS_write:
	case SYS_sendto:
	case SYS_sendfile:
	case SYS_pread64:
	case SYS_close:
	case SYS_fcntl:
	case SYS_ioctl:
	case SYS_setsockopt:
	case SYS_shutdown:
		return role_of_descriptor(r, fd);
	default:
		return OTHER;
	}
}

/* Counts the descriptors that are open at the end. */
static void
count_descriptors(struct run *r)
{
	char path[64], link[256], tree[300];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", r->pid);
	snprintf(tree, sizeof(tree), "%s/tree/", r->w->dir);
	if ((dir = opendir(path)) == NULL)
		die(path);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		ssize_t len = readlinkat(
		    dirfd(dir), entry->d_name, link, sizeof(link) - 1);
		link[len < 0 ? 0 : len] = '\0';
		if (strncmp(link, tree, strlen(tree)) == 0)
			snprintf(
			    r->o->leaked, sizeof(r->o->leaked), "%s", link);
		r->o->descriptors++;
	}
	closedir(dir);
}

static void
client_close(struct run *r)
{
	if (r->out >= 0)
		close(r->out);
	if (r->in >= 0 && r->in != r->out)
		close(r->in);
	r->in = r->out = -1;
}

static void
client_reset(struct run *r)
{
	const struct linger at_once = { .l_onoff = 1 };

	if (r->out >= 0)
		setsockopt(
		    r->out, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	client_close(r);
}

static void
client_put(struct run *r, const char *bytes, size_t len)
{
	ssize_t n = r->t->scenario->transport == PIPES ?
	    write(r->out, bytes, len) :
	    send(r->out, bytes, len, MSG_NOSIGNAL);

	if (n >= 0 && (size_t)n != len)
		die("a request does not fit the connection");
}

/* Sends the next request, or all of them. */
static void
client_send(struct run *r)
{
	const struct scenario *s = r->t->scenario;

	do {
		const char *bytes = s->requests[r->sent].bytes;
		size_t len = strlen(bytes);

		if (s->in_pieces && r->sent == 0) {
			len /= 2;
			r->rest = bytes + len;
		}
		client_put(r, bytes, len);
		r->sent++;
	} while (s->at_once && s->requests[r->sent].bytes != NULL);
	if (s->requests[r->sent].bytes != NULL || !s->ends_sending)
		return;
	if (s->transport == PIPES) {
		close(r->out);
		r->out = -1;
	} else {
		shutdown(r->out, SHUT_WR);
	}
}

/* Takes what has arrived, and asks on. */
static void
client_work(struct run *r)
{
	struct outcome *o = r->o;
	const struct scenario *s = r->t->scenario;

	if (s->takes_nothing && !r->ended)
		return;
	while (r->in >= 0) {
		ssize_t n = read(r->in, o->bytes + o->len, STREAM_MAX - o->len);

		if (n > 0) {
			o->len += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EAGAIN)
			break;
		client_close(r);
	}
	if (r->out >= 0 && s->requests[r->sent].bytes != NULL) {
		struct answers a;
		char why[WHY_MAX];

		if (read_answers(s, o->bytes, o->len, &a, why) &&
		    a.count == r->sent && a.list[a.count - 1].whole)
			client_send(r);
	}
}

/* Takes what has been logged. */
static void
log_work(struct run *r)
{
	struct outcome *o = r->o;
	ssize_t n;

	while (r->log >= 0 &&
	    (n = read(r->log, o->log + o->log_len, LOG_MAX - o->log_len)) > 0)
		o->log_len += (size_t)n;
	while (r->t->scenario->log == LOG_SYSLOG && r->w->syslog >= 0 &&
	    (n = recv(r->w->syslog, o->log + o->log_len,
		 LOG_MAX - 1 - o->log_len, 0)) > 0) {
		o->log_len += (size_t)n;
		o->log[o->log_len++] = '\n';
	}
}

static unsigned long long *
length_of(struct user_regs_struct *regs)
{
	return regs->orig_rax == SYS_sendfile ? &regs->r10 : &regs->rdx;
}

bool
is_transfer(long number)
{
	return number == SYS_read || number == SYS_recvfrom ||
	    number == SYS_write || number == SYS_sendto ||
	    number == SYS_sendfile || number == SYS_pread64;
}

/* Makes the call another one, until it returns. */
static void
change_call(struct run *r, const struct user_regs_struct *to)
{
	r->is_changed = true;
	if (ptrace(PTRACE_SETREGS, r->pid, NULL, to) != 0)
		die("PTRACE_SETREGS");
}

static void
fail_call(struct run *r, int error)
{
	struct user_regs_struct regs = r->entry;

	r->has_result = true;
	r->result = (unsigned long long)-(long long)error;
	if (regs.orig_rax ==
	    SYS_close) /* the descriptor is gone all the same */
		return;
	regs.orig_rax = SYS_close;
	regs.rdi = (unsigned long long)-1;
	change_call(r, &regs);
}

static void
shorten_call(struct run *r, size_t max)
{
	struct user_regs_struct regs = r->entry;
	unsigned long long *len = length_of(&regs);

	if (!is_transfer(r->call.number) || *len <= max || r->has_result)
		return;
	*len = max;
	change_call(r, &regs);
}

bool
is_lacking(const struct scenario *s, long number)
{
	return s->lacks != 0 && s->lacks == number;
}

static bool
is_answering(const struct run *r)
{
	return r->call.role == CLIENT &&
	    (r->call.number == SYS_write || r->call.number == SYS_sendto ||
		r->call.number == SYS_sendfile);
}

static void
inject(struct run *r)
{
	const struct trial *t = r->t;
	bool first = !r->is_due;

	if (is_lacking(t->scenario, r->call.number))
		fail_call(r, ENOSYS);
	if (t->fault == NONE)
		return;
	if (t->fault == RESET) {
		if (r->answered >= (size_t)t->value &&
		    (is_answering(r) || t->value > 0)) {
			r->o->reached = true;
			client_reset(r);
		} else if (is_answering(r)) {
			shorten_call(r, (size_t)t->value - r->answered);
		}
		return;
	}
	if (r->call.number == t->call && r->call.nth >= t->nth)
		r->is_due = r->o->reached = true;
	if (!r->is_due)
		return;
	switch (t->fault) {
	case FAIL:
	case SHORTEN:
		if (r->call.number != t->call || r->call.role != t->role ||
		    r->injected++ >= t->repeat)
			break;
		if (t->fault == FAIL)
			fail_call(r, t->value);
		else
			shorten_call(r, (size_t)t->value);
		break;
	case SIGNAL:
		if (first)
			kill(r->pid, t->value);
		break;
	case ACT:
		if (first)
			tree_act(r->w, t->deed, t->file);
		break;
	case END_LOG_READER:
		if (first) {
			log_work(r);
			close(r->w->syslog);
			r->w->syslog = -1;
		}
		break;
	case STEP_CLOCK:
	case RESET:
	case NONE:
		break;
	}
}

static void
enter_call(struct run *r, const struct __ptrace_syscall_info *info)
{
	struct outcome *o = r->o;
	long number = (long)info->entry.nr;

	if (number < 0 || number >= NUMBERS)
		die("a call of an unknown number");
	r->call = (struct call){ .number = number,
		.nth = ++r->made[number],
		.role = role_of(r, info) };
	if (o->call_count < CALLS_MAX)
		o->calls[o->call_count++] = r->call;
	if (number == SYS_exit_group)
		count_descriptors(r);
	r->is_changed = r->has_result = false;
	ptrace(PTRACE_GETREGS, r->pid, NULL, &r->entry);
	if (r->rest != NULL && r->call.role == CLIENT && number == SYS_poll &&
	    (int)info->entry.args[2] > 0) {
		client_put(r, r->rest, strlen(r->rest));
		r->rest = NULL;
	}
	inject(r);
}

static void
step_clock(struct run *r)
{
	unsigned long at = r->entry.rsi;

	if ((int)r->entry.rdi == r->t->clock && r->is_due)
		poke(r->pid, at, peek(r->pid, at) + r->t->value);
}

static void
leave_call(struct run *r, const struct __ptrace_syscall_info *info)
{
	long long result = info->exit.rval;

	if (r->is_changed || r->has_result) {
		struct user_regs_struct regs = r->entry;

		regs.rax =
		    r->has_result ? r->result : (unsigned long long)result;
		regs.orig_rax = (unsigned long long)-1;
		ptrace(PTRACE_SETREGS, r->pid, NULL, &regs);
		result = (long long)regs.rax;
	}
	if (r->call.number == SYS_socket)
		r->syslog = (int)result;
	if (r->call.number == SYS_clock_gettime && r->t->fault == STEP_CLOCK)
		step_clock(r);
	if (is_answering(r) && result > 0)
		r->answered += (size_t)result;
}

static void
handle_stop(struct run *r, int status)
{
	struct __ptrace_syscall_info info;
	int sig = 0;

	if (WIFEXITED(status) || WIFSIGNALED(status)) {
		r->ended = true;
		r->o->status = status;
		return;
	}
	if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
		sig = WSTOPSIG(status);
	} else {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, r->pid, sizeof(info),
			&info) <= 0)
			die("PTRACE_GET_SYSCALL_INFO");
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			client_work(r);
			enter_call(r, &info);
		} else {
			leave_call(r, &info);
		}
	}
	ptrace(PTRACE_SYSCALL, r->pid, NULL, sig);
}

static void
start(struct run *r)
{
	int in, out, error, status;
	sigset_t child;

	if (r->w->dirty)
		tree_make(r->w);
	connect_client(r, &in, &out);
	error = connect_log(r, out);
	if ((r->pid = fork()) < 0)
		die("fork");
	if (r->pid == 0)
		become_handler(r, in, out, error);
	close(in);
	if (out != in)
		close(out);
	if (error >= 0)
		close(error);
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	r->signals = signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
	if (waitpid(r->pid, &status, 0) != r->pid || !WIFSTOPPED(status) ||
	    WSTOPSIG(status) != SIGTRAP) {
		fprintf(stderr, "faults: status %x\n", status);
		die("the program does not start");
	}
	ptrace(PTRACE_SETOPTIONS, r->pid, NULL,
	    PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL);
	hide_vdso(r->pid);
	client_send(r);
	ptrace(PTRACE_SYSCALL, r->pid, NULL, NULL);
}

static void
follow(struct run *r)
{
	int64_t deadline = now_ms() + HANG_MS;

	while (!r->ended || r->in >= 0) {
		struct pollfd p[2] = { { .fd = r->signals, .events = POLLIN },
			{ .fd = r->in, .events = POLLIN } };
		nfds_t count = r->t->scenario->takes_nothing ? 1 : 2;
		struct signalfd_siginfo discarded;
		int status;

		poll(p, count, r->ended ? 0 : 1000);
		while (read(r->signals, &discarded, sizeof(discarded)) > 0)
			;
		while (!r->ended &&
		    waitpid(r->pid, &status, WNOHANG | __WALL) == r->pid)
			handle_stop(r, status);
		client_work(r);
		if (now_ms() > deadline) {
			r->o->hung = true;
			if (!r->ended) {
				kill(r->pid, SIGKILL);
				while (waitpid(r->pid, &status, __WALL) > 0 &&
				    WIFSTOPPED(status))
					;
			}
			break;
		}
	}
}

void
run_trial(struct world *w, const struct trial *t, struct outcome *ret)
{
	struct run r = { .w = w, .t = t, .o = ret, .syslog = -1 };

	ret->len = ret->log_len = ret->call_count = 0;
	ret->reached = ret->hung = false;
	ret->descriptors = 0;
	ret->leaked[0] = '\0';
	start(&r);
	follow(&r);
	log_work(&r);
	client_close(&r);
	if (r.log >= 0)
		close(r.log);
	if (r.log_spare >= 0)
		close(r.log_spare);
	close(r.signals);
}
