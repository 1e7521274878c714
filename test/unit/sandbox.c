/*
 * sandbox: what code that has taken over the process would try.
 *
 * Every attempt is made in a process of its own: in none of the layers, where
 * it has to succeed, or it would prove nothing; in all of them, as a user and
 * as root, where it has to fail; and with landlock or seccomp denied, where it
 * has to fail exactly if another layer holds it too.  The user owns the tree,
 * so that it is not the files' modes that stop him.
 */
#include "unit.h"

#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>

#define USER 65534
#define ABSTRACT "\0httpd-unit-sandbox-"

/* What there was before the sandbox. */
static struct world {
	int root; /* the tree */
	int file; /* a file of it, open for reading */
	int tcp, other_tcp, udp, local; /* sockets, unconnected */
	int shared; /* a listening socket, as a spawner's */
	int connection, peer; /* what descriptors 0 and 1 are; its other end */
	int log; /* what descriptor 2 is */
	int acceptor; /* a socket that listens there */
	struct sockaddr_in listener; /* of TCP and of UDP, on loopback */
	struct sockaddr_un abstract; /* the same */
	socklen_t abstract_len;
	pid_t parent;
	bool is_bilingual; /* the kernel takes calls of another architecture */
	char outside[PATH_MAX]; /* a file that all may read */
} world;

/* An attempt succeeds by a result that is not negative. */
typedef long attempt_function(const struct world *w);
#define ATTEMPT(name, expression) \
	static long name(const struct world *w) \
	{ \
		(void)w; \
		return (expression); \
	}

#define CALL(name, ...) syscall(SYS_##name, __VA_ARGS__)

/* A call that exists on some architectures only. */
#define NOWHERE (errno = ENOSYS, -1)

static long
open_how(int dir, const char *path, uint64_t flags)
{
	struct open_how how = { .flags = flags };

	if ((flags & O_CREAT) != 0)
		how.mode = 0600;
	return CALL(openat2, dir, path, &how, sizeof(how));
}

static long
in_new_process(long pid)
{
	if (pid == 0)
		_exit(0);
	if (pid > 0)
		waitpid((pid_t)pid, NULL, 0);
	return pid;
}

/* Reading what is not public. */
ATTEMPT(open_absolute, CALL(openat, AT_FDCWD, w->outside, O_RDONLY))
ATTEMPT(open_upwards, CALL(openat, w->root, "../outside", O_RDONLY))
ATTEMPT(openat2_absolute, open_how(AT_FDCWD, w->outside, O_RDONLY))
ATTEMPT(openat2_link, open_how(w->root, "link", O_RDONLY))
ATTEMPT(open_itself, open_how(AT_FDCWD, "/proc/self/exe", O_RDONLY))
ATTEMPT(open_memory, open_how(AT_FDCWD, "/proc/self/mem", O_RDWR))
ATTEMPT(open_environment, open_how(AT_FDCWD, "/proc/self/environ", O_RDONLY))
ATTEMPT(open_directory, open_how(w->root, ".", O_RDONLY))
ATTEMPT(open_device, open_how(AT_FDCWD, "/dev/zero", O_RDONLY))

/* Changing files. */
ATTEMPT(write_openat, CALL(openat, w->root, "file", O_WRONLY))
ATTEMPT(write_openat2, open_how(w->root, "file", O_RDWR))
ATTEMPT(create_openat, CALL(openat, w->root, "new", O_CREAT | O_WRONLY, 0600))
ATTEMPT(create_openat2, open_how(w->root, "new", O_CREAT | O_RDONLY))
ATTEMPT(empty_openat, CALL(openat, w->root, "file", O_TRUNC))
ATTEMPT(change_descriptor, CALL(ftruncate, w->file, 0L))
ATTEMPT(remove_file, CALL(unlinkat, w->root, "file", 0))
ATTEMPT(rename_file, CALL(renameat2, w->root, "file", w->root, "new", 0))
ATTEMPT(link_file, CALL(linkat, w->root, "file", w->root, "new", 0))
ATTEMPT(make_link, CALL(symlinkat, "/", w->root, "new"))
ATTEMPT(make_directory, CALL(mkdirat, w->root, "new", 0700))
ATTEMPT(make_fifo, CALL(mknodat, w->root, "new", S_IFIFO | 0600, 0))
ATTEMPT(change_mode, CALL(fchmodat, w->root, "file", 0777))
ATTEMPT(change_mode_open, CALL(fchmod, w->file, 0777))
ATTEMPT(change_owner, CALL(fchown, w->file, getuid(), getgid()))
ATTEMPT(change_times, CALL(utimensat, w->root, "file", NULL, 0))
ATTEMPT(lock_file, CALL(flock, w->file, 2))
ATTEMPT(watch_file, CALL(inotify_init1, 0))
ATTEMPT(change_directory, CALL(chdir, "/"))
ATTEMPT(list_file, CALL(getcwd, (char[PATH_MAX]){ 0 }, PATH_MAX))
ATTEMPT(ask_names, CALL(faccessat, AT_FDCWD, w->outside, 4))
ATTEMPT(read_link, CALL(readlinkat, w->root, "link", (char[99]){ 0 }, 99))

/* Running something. */
static long
execute(const struct world *w)
{
	char *const words[] = { (char[]){ "true" }, NULL };

	(void)w;
	/* It does not come back where it succeeds, and ends with 0. */
	return CALL(execve, "/bin/true", words, words + 1);
}

ATTEMPT(run_memory, CALL(memfd_create, "x", 0))
#ifdef SYS_fork
ATTEMPT(new_process, in_new_process(CALL(fork, 0)))
#else
ATTEMPT(new_process, in_new_process(CALL(clone, SIGCHLD, 0L, 0L, 0L, 0L)))
#endif
ATTEMPT(new_process_clone, in_new_process(CALL(clone, SIGCHLD, 0L, 0L, 0L, 0L)))
ATTEMPT(map_code,
    -(mmap(NULL, 4096, PROT_EXEC | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
	  0) == MAP_FAILED))
ATTEMPT(make_code,
    mprotect((void *)((uintptr_t)&world & ~(uintptr_t)4095), 4096,
	PROT_READ | PROT_WRITE | PROT_EXEC))
ATTEMPT(grow_memory, -(CALL(brk, CALL(brk, 0L) + 4096) == 0))

/* Talking to somebody. */
ATTEMPT(new_tcp, CALL(socket, AF_INET, SOCK_STREAM, 0))
ATTEMPT(new_udp, CALL(socket, AF_INET6, SOCK_DGRAM, 0))
ATTEMPT(new_local, CALL(socket, AF_UNIX, SOCK_STREAM, 0))
ATTEMPT(new_netlink, CALL(socket, AF_NETLINK, SOCK_RAW, 0))
ATTEMPT(new_pair, CALL(socketpair, AF_UNIX, SOCK_STREAM, 0, (int[2]){ 0 }))
ATTEMPT(new_pipe, CALL(pipe2, (int[2]){ 0 }, 0))
ATTEMPT(connect_tcp, CALL(connect, w->tcp, &w->listener, sizeof(w->listener)))
ATTEMPT(connect_udp, CALL(connect, w->udp, &w->listener, sizeof(w->listener)))
ATTEMPT(connect_local, CALL(connect, w->local, &w->abstract, w->abstract_len))
ATTEMPT(bind_tcp,
    CALL(bind, w->other_tcp, &(struct sockaddr_in){ .sin_family = AF_INET },
	sizeof(struct sockaddr_in)))
ATTEMPT(listen_tcp, CALL(listen, w->other_tcp, 1))
ATTEMPT(send_to,
    CALL(sendto, w->udp, "x", 1L, 0, &w->listener, sizeof(w->listener)))
#define SET(fd, level, option, value) \
	CALL(setsockopt, fd, level, option, value, sizeof(*(value)))
static const struct linger no_linger;
ATTEMPT(set_socket, SET(1, SOL_SOCKET, SO_KEEPALIVE, &(int){ 1 }))
ATTEMPT(set_other_level, SET(1, IPPROTO_IP, SO_LINGER, &(int){ 1 }))
/* SO_LINGER has the number of TCP_CONGESTION. */
static const char reno[] = "reno";
ATTEMPT(set_congestion, SET(1, IPPROTO_TCP, SO_LINGER, &reno))
ATTEMPT(set_other_linger, SET(w->tcp, SOL_SOCKET, SO_LINGER, &no_linger))
ATTEMPT(set_other_cork, SET(w->shared, IPPROTO_TCP, TCP_CORK, &(int){ 1 }))
ATTEMPT(end_shared, CALL(shutdown, w->shared, SHUT_RDWR))
ATTEMPT(half_end_shared, CALL(shutdown, w->shared, SHUT_WR))
ATTEMPT(end_input, CALL(shutdown, 0, SHUT_RD))
ATTEMPT(end_both, CALL(shutdown, 1, SHUT_RDWR))

/* Other processes. */
ATTEMPT(signal_parent, CALL(kill, w->parent, 0))
ATTEMPT(signal_parent_thread, CALL(tgkill, w->parent, w->parent, 0))
ATTEMPT(trace_parent, CALL(ptrace, 16 /* ATTACH */, w->parent, 0L, 0L))
ATTEMPT(read_parent,
    CALL(process_vm_readv, w->parent, (&(struct iovec){ (char[8]){ 0 }, 8 }),
	1L, (&(struct iovec){ &world, 8 }), 1L, 0L))
ATTEMPT(open_parent, CALL(pidfd_open, w->parent, 0))
ATTEMPT(limit_parent,
    CALL(prlimit64, w->parent, RLIMIT_CORE, NULL, (uint64_t[2]){ 0 }))
ATTEMPT(trace_me, CALL(ptrace, 0 /* TRACEME */, 0, 0L, 0L))
ATTEMPT(shared_memory, CALL(shmget, 0, 4096L, 0600 | 01000))
ATTEMPT(set_priority, CALL(setpriority, 0, 0, 19))
ATTEMPT(new_session, CALL(setsid, 0))

/* The kernel. */
ATTEMPT(new_user_space, CALL(unshare, CLONE_NEWUSER))
ATTEMPT(new_mount_space, CALL(unshare, CLONE_NEWUSER | CLONE_NEWNS))
ATTEMPT(new_root, CALL(chroot, "/"))
ATTEMPT(mount_something, CALL(mount, "none", "/tmp", "tmpfs", 0L, NULL))
ATTEMPT(become_root, CALL(setuid, 0))
ATTEMPT(set_name, CALL(sethostname, "x", 1L))
ATTEMPT(set_clock, CALL(clock_settime, CLOCK_REALTIME, NULL))
ATTEMPT(load_module, CALL(finit_module, w->file, "", 0))
ATTEMPT(load_bpf, CALL(bpf, 0, NULL, 0))
ATTEMPT(use_ring, CALL(io_uring_setup, 1, (char[512]){ 0 }))
ATTEMPT(use_perf, CALL(perf_event_open, NULL, 0, -1, -1, 0L))
ATTEMPT(use_faults, CALL(userfaultfd, 1 /* user mode only */))
ATTEMPT(use_keys, CALL(add_key, "user", "x", "y", 1L, -2))
ATTEMPT(set_personality, CALL(personality, 0x0040000L))
ATTEMPT(be_dumpable, prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
ATTEMPT(set_timer, CALL(getitimer, 0, (char[64]){ 0 }))

static long
raise_limit(const struct world *w)
{
	uint64_t limit[2] = { 256, 256 };

	(void)w;
	return CALL(prlimit64, 0, RLIMIT_NOFILE, limit, NULL);
}

ATTEMPT(copy_descriptor, CALL(dup, w->file))
ATTEMPT(copy_by_fcntl, fcntl(w->file, F_DUPFD, 0))
ATTEMPT(own_signals, fcntl(1, F_SETOWN, getpid()))
ATTEMPT(change_flags, fcntl(1, F_SETFD, FD_CLOEXEC))
ATTEMPT(change_log, fcntl(2, F_SETFL, O_NONBLOCK))
ATTEMPT(ask_log, fcntl(2, F_GETFL))
ATTEMPT(change_other, fcntl(w->shared, F_SETFL, O_NONBLOCK))
ATTEMPT(ioctl_connection, ioctl(1, FIOCLEX))
ATTEMPT(ioctl_file, ioctl(w->file, FIONREAD, &(int){ 0 }))
ATTEMPT(ioctl_log, ioctl(2, FIONREAD, &(int){ 0 }))

/* A call of another architecture of the same kernel; a fault without one. */
static long
call_of_i386(void)
{
#ifdef __x86_64__
	long result = 20; /* getpid */

	__asm__ volatile("int $0x80" : "+a"(result) : : "memory");
	return result;
#else
	return NOWHERE;
#endif
}

ATTEMPT(foreign_call, w->is_bilingual ? call_of_i386() : NOWHERE)

/* Tries that in a process of its own, which a fault ends. */
static bool
is_bilingual(void)
{
	int status;
	pid_t pid = fork();

	unit_need(pid >= 0, "fork");
	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		_exit(call_of_i386() < 0 ? 1 : 0);
	}
	unit_need(waitpid(pid, &status, 0) == pid, "waitpid");
	return status == 0;
}

/* Which layers hold an attempt, beside what its comment in the table says. */
#define BY_CALLS 1u
#define BY_LIMITS 2u /* or by no_new_privs and what goes with it */
#define BY_RIGHTS 4u /* a user cannot do it anyway */
#define MAYBE 8u /* not every system lets it succeed */

static const struct attempt {
	const char *name;
	attempt_function *try;
	unsigned held;
	int files; /* from which version of landlock on; 0: by none */
} attempts[] = {
	{ "open a file outside by its path", open_absolute, 0, 1 },
	{ "open a file outside by ..", open_upwards, 0, 1 },
	{ "the same by openat2", openat2_absolute, 0, 1 },
	{ "open a file outside by a link in the tree", openat2_link, 0, 1 },
	{ "read the program", open_itself, 0, 1 },
	{ "write its memory by /proc", open_memory, BY_LIMITS, 1 },
	{ "read its environment", open_environment, BY_LIMITS, 1 },
	{ "open a directory to list it", open_directory, 0, 1 },
	{ "open a device", open_device, 0, 1 },

	{ "open a file for writing", write_openat, BY_CALLS, 1 },
	{ "the same by openat2", write_openat2, 0, 1 },
	{ "create a file", create_openat, BY_CALLS, 1 },
	{ "the same by openat2", create_openat2, 0, 1 },
	{ "empty a file by opening it", empty_openat, BY_CALLS, 1 },
	{ "empty a file open for reading", change_descriptor,
	    BY_CALLS | BY_RIGHTS, 0 },
	{ "remove a file", remove_file, BY_CALLS, 1 },
	{ "rename a file", rename_file, BY_CALLS, 1 },
	{ "give a file another name", link_file, BY_CALLS, 1 },
	{ "make a symbolic link", make_link, BY_CALLS, 1 },
	{ "make a directory", make_directory, BY_CALLS, 1 },
	{ "make a FIFO", make_fifo, BY_CALLS, 1 },
	{ "change a file's mode", change_mode, BY_CALLS, 0 },
	{ "change an open file's mode", change_mode_open, BY_CALLS, 0 },
	{ "change an open file's owner", change_owner, BY_CALLS, 0 },
	{ "change a file's dates", change_times, BY_CALLS, 0 },
	{ "lock a file", lock_file, BY_CALLS, 0 },
	{ "watch files", watch_file, BY_CALLS, 0 },
	{ "change the directory", change_directory, BY_CALLS, 0 },
	{ "ask for the directory", list_file, BY_CALLS, 0 },
	{ "ask whether a file is there", ask_names, BY_CALLS, 0 },
	{ "read a link", read_link, BY_CALLS, 0 },

	{ "execute a program", execute, BY_CALLS, 1 },
	{ "make a file in memory", run_memory, BY_CALLS, 0 },
	{ "start a process", new_process, BY_CALLS | BY_LIMITS, 0 },
	{ "start a process by clone", new_process_clone, BY_CALLS | BY_LIMITS,
	    0 },
	{ "map memory for code", map_code, BY_CALLS, 0 },
	{ "make memory executable", make_code, BY_CALLS, 0 },
	{ "take more memory", grow_memory, BY_CALLS, 0 },

	{ "make a TCP socket", new_tcp, BY_CALLS, 0 },
	{ "make a UDP socket", new_udp, BY_CALLS | MAYBE, 0 },
	{ "make a Unix socket", new_local, BY_CALLS, 0 },
	{ "make a netlink socket", new_netlink, BY_CALLS, 0 },
	{ "make a pair of sockets", new_pair, BY_CALLS, 0 },
	{ "make a pipe", new_pipe, BY_CALLS, 0 },
	{ "connect by TCP", connect_tcp, BY_CALLS, 4 },
	{ "connect by UDP", connect_udp, BY_CALLS, 0 },
	{ "connect to an abstract socket", connect_local, BY_CALLS, 6 },
	{ "bind a TCP socket", bind_tcp, BY_CALLS, 4 },
	{ "listen", listen_tcp, BY_CALLS, 0 },
	{ "send to another address", send_to, BY_CALLS, 0 },
	{ "set another socket option", set_socket, BY_CALLS, 0 },
	{ "set an option of that number of IP", set_other_level, BY_CALLS, 0 },
	{ "choose how TCP avoids congestion", set_congestion, BY_CALLS, 0 },
	{ "set an option of another socket", set_other_linger, BY_CALLS, 0 },
	{ "the same of TCP", set_other_cork, BY_CALLS, 0 },
	{ "shut down a socket that others share", end_shared, BY_CALLS, 0 },
	{ "its sending side", half_end_shared, BY_CALLS, 0 },
	{ "shut down the connection's receiving side", end_input, BY_CALLS, 0 },
	{ "shut down both sides", end_both, BY_CALLS, 0 },

	{ "signal the parent", signal_parent, BY_CALLS, 6 },
	{ "signal the parent by tgkill", signal_parent_thread, BY_CALLS, 6 },
	{ "trace the parent", trace_parent, BY_CALLS | MAYBE, 1 },
	{ "read the parent's memory", read_parent, BY_CALLS | MAYBE, 1 },
	{ "get hold of the parent", open_parent, BY_CALLS, 0 },
	{ "ask for the parent's limits", limit_parent, BY_CALLS, 0 },
	{ "be traced", trace_me, BY_CALLS | MAYBE, 0 },
	{ "make shared memory", shared_memory, BY_CALLS | MAYBE, 0 },
	{ "change the priority", set_priority, BY_CALLS, 0 },
	{ "start a session", new_session, BY_CALLS | MAYBE, 0 },

	{ "make a name space of users", new_user_space, BY_CALLS | MAYBE, 0 },
	{ "make a name space of mounts", new_mount_space, BY_CALLS | MAYBE, 0 },
	{ "change the root", new_root, BY_CALLS | BY_RIGHTS, 0 },
	{ "mount", mount_something, BY_CALLS | BY_RIGHTS, 1 },
	{ "become root", become_root, BY_CALLS | BY_RIGHTS, 0 },
	{ "name the host", set_name, BY_CALLS | BY_RIGHTS, 0 },
	{ "set the clock", set_clock, BY_CALLS | BY_RIGHTS, 0 },
	{ "load a module", load_module, BY_CALLS | BY_RIGHTS, 0 },
	{ "use bpf", load_bpf, BY_CALLS | BY_RIGHTS, 0 },
	{ "use io_uring", use_ring, BY_CALLS | MAYBE, 0 },
	{ "use perf_event", use_perf, BY_CALLS | BY_RIGHTS, 0 },
	{ "use userfaultfd", use_faults, BY_CALLS | MAYBE, 0 },
	{ "use keys", use_keys, BY_CALLS | MAYBE, 0 },
	{ "change the personality", set_personality, BY_CALLS, 0 },
	{ "let itself be dumped", be_dumpable, BY_CALLS, 0 },
	{ "set a timer", set_timer, BY_CALLS, 0 },
	{ "raise a limit", raise_limit, BY_CALLS | BY_LIMITS, 0 },
	{ "copy a descriptor", copy_descriptor, BY_CALLS, 0 },
	{ "the same by fcntl", copy_by_fcntl, BY_CALLS, 0 },
	{ "have signals sent", own_signals, BY_CALLS, 0 },
	{ "change a descriptor's flags", change_flags, BY_CALLS, 0 },
	{ "change a log that others share", change_log, BY_CALLS, 0 },
	{ "ask how the log is open", ask_log, BY_CALLS, 0 },
	{ "change another descriptor", change_other, BY_CALLS, 0 },
	{ "make another ioctl", ioctl_connection, BY_CALLS, 0 },
	{ "make an ioctl of a file", ioctl_file, BY_CALLS, 0 },
	{ "make an ioctl of the log", ioctl_log, BY_CALLS, 0 },
	{ "make a call of another architecture", foreign_call, BY_CALLS | MAYBE,
	    0 },
};

/* What is denied to the sandbox while it is entered. */
enum way { BARE, WHOLE, WHOLE_AS_ROOT, NO_LANDLOCK, NO_SECCOMP };
static const char *const way_names[] = { "without a sandbox", "in the sandbox",
	"in the sandbox, as root", "with landlock denied",
	"with seccomp denied" };

/* Makes a system call fail as if the kernel did not know it. */
static void
deny(uint32_t call)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { UNIT_COUNT(code), code };

	unit_need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
		prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0,
	    "to deny a system call");
}

/* What a process tells of the layers, in memory that is shared with it. */
static int *errors;

static void
enter(enum way way)
{
	if (way != WHOLE_AS_ROOT)
		unit_need(setgid(USER) == 0 && setuid(USER) == 0 &&
			/* As if the user had started the program. */
			prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == 0,
		    "the user");
	if (way == NO_LANDLOCK)
		deny(SYS_landlock_create_ruleset);
	if (way == NO_SECCOMP)
		deny(SYS_seccomp);
	if (way != BARE)
		sandbox_enter(
		    &(struct sandbox_needs){ .root = world.root }, errors);
}

/* What a spawner passes: the connection and the log. */
static void
use_descriptors(void)
{
	unit_need(dup2(world.connection, 0) == 0 &&
		dup2(world.connection, 1) == 1 && dup2(world.log, 2) == 2,
	    "dup2");
}

/* Runs an attempt: 0 if it succeeded, -1 if it did not. */
static int
run(attempt_function *try, enum way way)
{
	int status;
	pid_t pid = fork();

	unit_need(pid >= 0, "fork");
	if (pid == 0) {
		use_descriptors();
		enter(way);
		_exit(try(&world) >= 0 ? 0 : 1);
	}
	unit_need(waitpid(pid, &status, 0) == pid, "waitpid");
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 0 ? 0 : -1;
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		return -1;
	unit_number("ended by signal", 0, WTERMSIG(status));
	return -1;
}

static bool
is_held(const struct attempt *a, enum way way, int version)
{
	bool by_files = a->files > 0 && a->files <= version;

	switch (way) {
	case BARE:
		return (a->held & BY_RIGHTS) != 0;
	case WHOLE:
	case WHOLE_AS_ROOT:
		return (a->held & BY_CALLS) != 0 || by_files;
	case NO_LANDLOCK:
		return (a->held & (BY_CALLS | BY_LIMITS | BY_RIGHTS)) != 0;
	case NO_SECCOMP:
		break;
	}
	return (a->held & (BY_LIMITS | BY_RIGHTS)) != 0 || by_files;
}

/* The tree as it was before an attempt that was to succeed. */
static void
make_tree(const char *dir)
{
	static const char *const removed[] = { "root/new", "root/file",
		"root/link", "root", "outside" };

	unit_need(chdir(dir) == 0, "the directory of the tree");
	for (size_t i = 0; i < UNIT_COUNT(removed); i++)
		if (unlink(removed[i]) != 0)
			rmdir(removed[i]);
	int outside = open("outside", O_CREAT | O_WRONLY, 0644);
	unit_need(mkdir("root", 0755) == 0, "mkdir");
	int file = open("root/file", O_CREAT | O_WRONLY, 0644);
	unit_need(outside >= 0 && file >= 0 && write(file, "x", 1) == 1 &&
		chown("root", USER, USER) == 0 &&
		fchown(file, USER, USER) == 0 &&
		symlink("../outside", "root/link") == 0,
	    "the tree");
	close(outside);
	close(file);
	world.root = open("root", O_PATH | O_DIRECTORY);
	world.file = open("root/file", O_RDONLY);
	unit_need(world.root >= 0 && world.file >= 0, "the tree's descriptors");
}

/* New for each attempt: what one has connected, the next could not. */
static void
make_sockets(void)
{
	world.tcp = socket(AF_INET, SOCK_STREAM, 0);
	world.other_tcp = socket(AF_INET, SOCK_STREAM, 0);
	world.udp = socket(AF_INET, SOCK_DGRAM, 0);
	world.local = socket(AF_UNIX, SOCK_STREAM, 0);
	world.shared = socket(AF_INET, SOCK_STREAM, 0);
	world.connection = socket(AF_INET, SOCK_STREAM, 0);
	world.log = socket(AF_UNIX, SOCK_STREAM, 0);
	unit_need(world.tcp >= 0 && world.other_tcp >= 0 && world.udp >= 0 &&
		world.local >= 0 && world.shared >= 0 &&
		world.connection >= 0 && world.log >= 0,
	    "the sockets");
	unit_need(listen(world.shared, 1) == 0 &&
		connect(world.connection, (struct sockaddr *)&world.listener,
		    sizeof(world.listener)) == 0,
	    "the connection");
	world.peer = accept(world.acceptor, NULL, NULL);
	unit_need(world.peer >= 0, "accept");
}

static void
close_world(void)
{
	close(world.root);
	close(world.file);
	close(world.tcp);
	close(world.other_tcp);
	close(world.udp);
	close(world.local);
	close(world.shared);
	close(world.connection);
	close(world.peer);
	close(world.log);
}

/* What an attempt to talk could reach: here, on loopback. */
static void
make_peers(void)
{
	struct sockaddr *any = (struct sockaddr *)&world.listener;
	socklen_t len = sizeof(world.listener);
	int stream = world.acceptor = socket(AF_INET, SOCK_STREAM, 0);
	int datagrams = socket(AF_INET, SOCK_DGRAM, 0);
	int abstract = socket(AF_UNIX, SOCK_STREAM, 0);

	world.listener = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	unit_need(bind(stream, any, len) == 0 && listen(stream, 99) == 0 &&
		getsockname(stream, any, &len) == 0 &&
		bind(datagrams, any, len) == 0,
	    "the peers on loopback");
	world.abstract.sun_family = AF_UNIX;
	memcpy(world.abstract.sun_path, ABSTRACT, sizeof(ABSTRACT));
	snprintf(world.abstract.sun_path + sizeof(ABSTRACT) - 1, 16, "%d",
	    (int)getpid());
	world.abstract_len =
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
		sizeof(ABSTRACT) - 1 +
		strlen(world.abstract.sun_path + sizeof(ABSTRACT) - 1));
	unit_need(bind(abstract, (struct sockaddr *)&world.abstract,
		      world.abstract_len) == 0 &&
		listen(abstract, 99) == 0,
	    "the abstract socket");
}

/*
 * The process that stands for a parent: a child of init's kind, of the same
 * user, who could otherwise signal it.
 */
static pid_t
start_parent(void)
{
	int ready[2];
	char byte;

	unit_need(pipe(ready) == 0, "pipe");
	pid_t pid = fork();
	unit_need(pid >= 0, "fork");
	if (pid == 0) {
		unit_need(setgid(USER) == 0 && setuid(USER) == 0, "the user");
		unit_need(write(ready[1], "", 1) == 1, "write");
		for (;;)
			pause();
	}
	unit_need(read(ready[0], &byte, 1) == 1, "the parent");
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void
check_attempts(enum way way, int version, const char *dir)
{
	unit_table(way_names[way]);
	for (size_t i = 0; i < UNIT_COUNT(attempts); i++) {
		const struct attempt *a = &attempts[i];

		unit_begin(a->name);
		make_tree(dir);
		make_sockets();
		memset(errors, 0, LAYERS * sizeof(*errors));
		int result = run(a->try, way);
		bool held = is_held(a, way, version);
		if (held || (a->held & MAYBE) == 0)
			unit_string("the attempt", held ? "fails" : "succeeds",
			    result < 0 ? "fails" : "succeeds");
		unit_number("error of landlock",
		    way == NO_LANDLOCK || (version == 0 && way != BARE) ?
			ENOSYS :
			0,
		    errors[LAYER_FILES]);
		unit_number("error of seccomp", way == NO_SECCOMP ? ENOSYS : 0,
		    errors[LAYER_CALLS]);
		unit_number("error of the limits", 0, errors[LAYER_LIMITS]);
		unit_number(
		    "error of the capabilities", 0, errors[LAYER_CAPABILITIES]);
		unit_number(
		    "error of no_new_privs", 0, errors[LAYER_PRIVILEGES]);
		close_world();
	}
}

/* What the request path does works on. */
static long
use_what_is_left(const struct world *w)
{
	char byte;
	int file = (int)CALL(openat, w->root, "file", O_RDONLY);
	struct stat st;

	if (file < 0 || fstat(file, &st) != 0 ||
	    pread(file, &byte, 1, 0) != 1 || close(file) != 0)
		return -1;
	file = (int)open_how(w->root, "file", O_RDONLY);
	if (file < 0)
		return -1;

	int flags = fcntl(0, F_GETFL), number;
	if (flags < 0 || fcntl(1, F_SETFL, flags | O_NONBLOCK) != 0 ||
	    ioctl(0, FIONREAD, &number) != 0 ||
	    ioctl(1, SIOCOUTQ, &number) != 0)
		return -1;
	if (SET(1, IPPROTO_TCP, TCP_CORK, &(int){ 1 }) != 0 ||
	    SET(1, SOL_SOCKET, SO_LINGER, &no_linger) != 0)
		return -1;
	return poll(NULL, 0, 1) == 0 && shutdown(1, SHUT_WR) == 0 ? 0 : -1;
}

static void
check_what_is_left(const char *dir)
{
	unit_table("what is left");
	for (enum way way = WHOLE; way <= NO_SECCOMP; way++) {
		unit_begin(way_names[way]);
		make_tree(dir);
		make_sockets();
		unit_number(
		    "files, and the connection", 0, run(use_what_is_left, way));
		close_world();
	}
}

int
main(void)
{
	char dir[] = "/tmp/httpd-unit-sandbox.XXXXXX";
	long version =
	    syscall(SYS_landlock_create_ruleset, NULL, 0, 1 /* version */);

	unit_need(geteuid() == 0, "to be root");
	unit_need(mkdtemp(dir) != NULL && chmod(dir, 0755) == 0, "mkdtemp");
	snprintf(world.outside, sizeof(world.outside), "%s/outside", dir);
	errors = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unit_need(errors != MAP_FAILED, "mmap");
	world.is_bilingual = is_bilingual();
	make_peers();
	world.parent = start_parent();
	unit_at_least("attempts", 60, UNIT_COUNT(attempts));
	for (enum way way = BARE; way <= NO_SECCOMP; way++)
		check_attempts(way, version < 0 ? 0 : (int)version, dir);
	check_what_is_left(dir);
	kill(world.parent, SIGKILL);
	waitpid(world.parent, NULL, 0);
	make_tree(dir);
	unit_need(chdir(dir) == 0 && unlink("root/file") == 0 &&
		unlink("root/link") == 0 && rmdir("root") == 0 &&
		unlink("outside") == 0 && rmdir(dir) == 0,
	    "to remove the tree");
	return unit_end();
}
