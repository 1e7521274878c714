/*
 * sandbox: what the process gives up before it reads the first byte, so that
 * whoever makes it run code of his own gets the files that are public anyway,
 * on his own connection, and nothing else.
 *
 * The layers overlap on purpose, since kernels lack some of them: a path
 * outside the tree is refused by landlock; new processes by seccomp, and by
 * the limits where the user is not root; new sockets by seccomp, and what they
 * could reach in part by landlock.
 *
 * Every connection pays for this, so it is one table for each layer and no
 * library.  The kernel's headers of the build host may be older than the
 * kernel that runs, so what they may lack of landlock is written here.
 */
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* All of the program and its stack are a tenth of this. */
#define MEMORY_MAX (16 << 20)
/*
 * From the root's on, fewer of its own are open at a time than the second of
 * these; the rest is for what a spawner left open.
 */
#define DESCRIPTORS_MAX 64
#define DESCRIPTORS_OWN 16

static bool
is_regular_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISREG(st.st_mode);
}

/*
 * Lowers a limit; one that is lower already stays.  (The C library's
 * setrlimit() would bring the code along that does it for all threads.)
 */
static void
lower_limit(int resource, rlim_t max, int *error)
{
	struct rlimit limit;

	if (prlimit(0, resource, NULL, &limit) != 0) {
		*error = errno;
		return;
	}
	if (limit.rlim_max > max)
		limit.rlim_max = max;
	if (limit.rlim_cur > limit.rlim_max)
		limit.rlim_cur = limit.rlim_max;
	if (prlimit(0, resource, &limit, NULL) != 0)
		*error = errno;
}

static int
enter_limits(int root)
{
	int error = 0;

	lower_limit(RLIMIT_NPROC, 0, &error);
	lower_limit(RLIMIT_CORE, 0, &error);
	lower_limit(RLIMIT_AS, MEMORY_MAX, &error);
	lower_limit(RLIMIT_NOFILE,
	    root < DESCRIPTORS_MAX - DESCRIPTORS_OWN ?
		DESCRIPTORS_MAX :
		(rlim_t)root + DESCRIPTORS_OWN,
	    &error);
	/* It would end the answer, or the log, that goes to a file. */
	if (!is_regular_file(STDOUT_FILENO) && !is_regular_file(STDERR_FILENO))
		lower_limit(RLIMIT_FSIZE, 0, &error);
	return error;
}

static int
enter_privileges(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
		return errno;
	return 0;
}

/* Rights by the version of landlock's interface that brought them. */
#define FILE_RIGHTS_1 ((1u << 13) - 1) /* from EXECUTE to MAKE_SYM */
#define FILE_RIGHT_REFER_2 (1u << 13)
#define FILE_RIGHT_TRUNCATE_3 (1u << 14)
#define TCP_RIGHTS_4 3u /* bind and connect */
#define FILE_RIGHT_IOCTL_DEV_5 (1u << 15)
#define SCOPES_6 3u /* abstract Unix sockets, and signals */

struct ruleset {
	uint64_t file_rights;
	uint64_t tcp_rights;
	uint64_t scopes;
};

/* What a ruleset takes away in a version of the interface; *ret_size of it. */
static struct ruleset
ruleset_of_version(int version, size_t *ret_size)
{
	struct ruleset r = { .file_rights = FILE_RIGHTS_1 };

	*ret_size = version < 4 ? offsetof(struct ruleset, tcp_rights) :
	    version < 6         ? offsetof(struct ruleset, scopes) :
				  sizeof(r);
	if (version >= 2)
		r.file_rights |= FILE_RIGHT_REFER_2;
	if (version >= 3)
		r.file_rights |= FILE_RIGHT_TRUNCATE_3;
	if (version >= 4)
		r.tcp_rights = TCP_RIGHTS_4;
	if (version >= 5)
		r.file_rights |= FILE_RIGHT_IOCTL_DEV_5;
	if (version >= 6)
		r.scopes = SCOPES_6;
	return r;
}

/*
 * The right to read directories is not given: resolve asks with O_PATH where
 * it has to know whether there is one, and names that nobody links to stay
 * unknown.
 */
static int
enter_files(int root)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	size_t size;

	if (version < 0)
		return errno;
	struct ruleset r = ruleset_of_version((int)version, &size);
	int fd = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
	if (fd < 0)
		return errno;

	struct landlock_path_beneath_attr beneath = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
		.parent_fd = root,
	};
	int error = 0;
	if ((root >= 0 &&
		syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH,
		    &beneath, 0) != 0) ||
	    syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		error = errno;
	close(fd);
	return error;
}

#if defined(__x86_64__) && !defined(__ILP32__)
#define AUDIT_ARCH_OWN AUDIT_ARCH_X86_64
#elif defined(__i386__)
#define AUDIT_ARCH_OWN AUDIT_ARCH_I386
#elif defined(__aarch64__)
#define AUDIT_ARCH_OWN AUDIT_ARCH_AARCH64
#else
#error "the system calls of this architecture have to be added here"
#endif

/*
 * The filter is a list of blocks.  One that allows a call returns; one that
 * is for another call jumps behind itself.  Arguments are compared by their
 * lower half, as all that are looked at are ints; x86-64, i386 and aarch64
 * are little-endian.
 */
#define LOAD(field) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define LOAD_ARGUMENT(n) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	    offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (n))
#define LOAD_UPPER_HALF(n) \
	BPF_STMT(BPF_LD | BPF_W | BPF_ABS, \
	    offsetof(struct seccomp_data, args) + sizeof(uint64_t) * (n) + \
		sizeof(uint32_t))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, (action))
/* Goes on with the next instruction if the accumulator is k. */
#define UNLESS_SKIP(k, count) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), 0, (count))
#define IF_SKIP(k, count) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), (count), 0)
#define IF_BITS_SKIP(k, count) \
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, (k), (count), 0)

#define ALLOW(call) UNLESS_SKIP(SYS_##call, 1), RETURN(SECCOMP_RET_ALLOW)
/* Only with one of two values of argument n. */
#define ALLOW_VALUES(call, n, a, b) \
	UNLESS_SKIP(SYS_##call, 5), LOAD_ARGUMENT(n), IF_SKIP((a), 2), \
	    IF_SKIP((b), 1), RETURN(SECCOMP_RET_KILL_PROCESS), \
	    RETURN(SECCOMP_RET_ALLOW)
/* Only without these bits in argument n. */
#define ALLOW_WITHOUT(call, n, bits) \
	UNLESS_SKIP(SYS_##call, 4), LOAD_ARGUMENT(n), IF_BITS_SKIP((bits), 1), \
	    RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_KILL_PROCESS)
/* Only with a null pointer as argument n. */
#define ALLOW_NULL(call, n) \
	UNLESS_SKIP(SYS_##call, 6), LOAD_ARGUMENT(n), UNLESS_SKIP(0, 3), \
	    LOAD_UPPER_HALF(n), UNLESS_SKIP(0, 1), RETURN(SECCOMP_RET_ALLOW), \
	    RETURN(SECCOMP_RET_KILL_PROCESS)

/* Every open that could change a file, and handles that only name one. */
#define OPEN_CHANGES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)

/*
 * The calls of the request path, the commonest first.  musl and glibc make
 * some of them under different names, also by architecture.  (The kernel only
 * reads it, but its type for a filter does not say so.)
 */
static struct sock_filter call_filter[] = {
	/*
	 * An instruction that the kernel cannot evaluate beforehand.  Without
	 * it, it would try the filter with each of the some 900 numbers that
	 * there are, to remember those that are allowed: that takes 40 us,
	 * and saves 0.02 us a call, which few connections would make up for.
	 */
	BPF_STMT(BPF_LDX | BPF_IMM, 0),
	LOAD(arch),
	IF_SKIP(AUDIT_ARCH_OWN, 1),
	RETURN(SECCOMP_RET_KILL_PROCESS),
	LOAD(nr),
	/*
	 * Receiving and sending.  A datagram socket, that of syslog, goes on
	 * sending to its one address.
	 */
	ALLOW(recvfrom),
	ALLOW_NULL(sendto, 4),
	/* Files. */
	ALLOW(openat2),
#ifdef SYS_fstat64
	ALLOW(fstat64),
	ALLOW(statx),
#else
	ALLOW(fstat),
#endif
#ifdef __GLIBC__
#ifdef SYS_fstatat64
	ALLOW(fstatat64),
#else
	ALLOW(newfstatat),
#endif
#endif
	ALLOW(close),
	ALLOW(pread64),
	ALLOW(read),
	ALLOW(write),
#ifdef SYS_sendfile64
	ALLOW(sendfile64),
#endif
	ALLOW(sendfile),
	ALLOW_WITHOUT(openat, 2, OPEN_CHANGES),
/* Waiting. */
#ifdef SYS_poll
	ALLOW(poll),
#endif
	ALLOW(ppoll),
#ifdef SYS_ppoll_time64
	ALLOW(ppoll_time64),
#endif
	ALLOW_VALUES(ioctl, 1, SIOCOUTQ, FIONREAD),
#ifdef SYS_fcntl64
	ALLOW_VALUES(fcntl64, 1, F_GETFL, F_SETFL),
#else
	ALLOW_VALUES(fcntl, 1, F_GETFL, F_SETFL),
#endif
	ALLOW_VALUES(setsockopt, 2, TCP_CORK, SO_LINGER),
	ALLOW(shutdown),
	ALLOW(getrandom),
	ALLOW(clock_gettime),
#ifdef SYS_clock_gettime64
	ALLOW(clock_gettime64),
#endif
	ALLOW(exit_group),
	/* A call goes on behind SIGSTOP and SIGCONT. */
	ALLOW(restart_syscall),
	/* No call at all: what a tracer that was there before makes of one. */
	UNLESS_SKIP(UINT32_MAX, 1),
	RETURN(SECCOMP_RET_ALLOW),
	RETURN(SECCOMP_RET_KILL_PROCESS),
};

/*
 * SPEC_ALLOW: before Linux 5.16 a filter would slow the process down against
 * attacks by speculation, which are of no use against a process that holds
 * nothing but what its client may see.
 */
static int
enter_calls(void)
{
	struct sock_fprog program = {
		.len = sizeof(call_filter) / sizeof(call_filter[0]),
		.filter = call_filter,
	};

	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		   SECCOMP_FILTER_FLAG_SPEC_ALLOW, &program) == 0 ?
	    0 :
	    errno;
}

void
sandbox_enter(int root, int ret_errors[LAYERS])
{
	ret_errors[LAYER_LIMITS] = enter_limits(root);
	ret_errors[LAYER_PRIVILEGES] = enter_privileges();
	ret_errors[LAYER_FILES] = enter_files(root);
	ret_errors[LAYER_CALLS] = enter_calls();
}

const char *
sandbox_layer_name(enum sandbox_layer layer)
{
	switch (layer) {
	case LAYER_LIMITS:
		return "resource limits";
	case LAYER_PRIVILEGES:
		return "no_new_privs";
	case LAYER_FILES:
		return "landlock";
	case LAYER_CALLS:
		return "seccomp";
	case LAYERS:
		break;
	}
	return "";
}
