/*
 * sandbox: what the process gives up before it reads the first byte, so that
 * whoever makes it run code of his own gets the files that are public anyway,
 * on his own connection, and nothing else.
 *
 * The layers overlap on purpose, since kernels lack some of them: a path
 * outside the tree is refused by landlock; new processes by seccomp, and by
 * the limits where the user is not root; new sockets by seccomp, and what they
 * could reach in part by landlock.  But seccomp sees no paths, nor the flags of
 * openat2: without landlock, the files are those of the user.
 *
 * Every connection pays for this, so it is one table for each layer and no
 * library.  The kernel's headers of the build host may be older than the
 * kernel that runs, so what they may lack of landlock is written here.
 */
#define _GNU_SOURCE
#include "sandbox.h"

#include "insist.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/net.h>
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
/* Fewer are open at a time. */
#define DESCRIPTORS_MAX 128

static bool
may_be_regular_file(int fd)
{
	struct stat st;

	return fstat(fd, &st) != 0 || S_ISREG(st.st_mode);
}

static rlim_t
least(rlim_t a, rlim_t b)
{
	return a < b ? a : b;
}

/*
 * Lowers a limit for good; a limit that the spawner has set lower stays.  Most
 * set none, so that ours is set at once, and theirs put back where it was
 * lower.  EPERM: the hard limit is lower already, and so is the soft one.
 * (The C library's setrlimit() would bring the code along that does it for all
 * threads.)
 */
static void
lower_limit(int resource, rlim_t max, int *error)
{
	struct rlimit limit = { .rlim_cur = max, .rlim_max = max };
	struct rlimit before;

	if (prlimit(0, resource, &limit, &before) != 0) {
		if (errno != EPERM)
			*error = errno;
		return;
	}
	if (before.rlim_cur >= max && before.rlim_max >= max)
		return;
	limit.rlim_cur = least(before.rlim_cur, max);
	limit.rlim_max = least(before.rlim_max, max);
	if (prlimit(0, resource, &limit, NULL) != 0)
		*error = errno;
}

/*
 * A connection cannot use more CPU seconds than its maximum age has.  The
 * extra second is for what follows when it is reached.
 */
static rlim_t
processor_seconds(int max_age_ms)
{
	return (rlim_t)max_age_ms / 1000 + (max_age_ms % 1000 != 0) + 1;
}

static int
enter_limits(int max_age_ms)
{
	int error = 0;

	lower_limit(RLIMIT_NPROC, 0, &error);
	lower_limit(RLIMIT_CORE, 0, &error);
	lower_limit(RLIMIT_AS, MEMORY_MAX, &error);
	lower_limit(RLIMIT_NOFILE, DESCRIPTORS_MAX, &error);
	if (max_age_ms != 0)
		lower_limit(RLIMIT_CPU, processor_seconds(max_age_ms), &error);
	/* It would end the answer, or the log, that goes to a file. */
	if (!may_be_regular_file(STDOUT_FILENO) &&
	    !may_be_regular_file(STDERR_FILENO))
		lower_limit(RLIMIT_FSIZE, 0, &error);
	return error;
}

/* Of 64 bits, in two halves. */
struct capabilities {
	struct __user_cap_data_struct half[_LINUX_CAPABILITY_U32S_3];
};

static bool
holds_capabilities(struct __user_cap_header_struct *header)
{
	struct capabilities c;

	if (syscall(SYS_capget, header, c.half) != 0)
		return true;
	for (size_t i = 0; i < _LINUX_CAPABILITY_U32S_3; i++)
		if ((c.half[i].effective | c.half[i].permitted |
			c.half[i].inheritable) != 0)
			return true;
	return false;
}

/*
 * Ambient ones go with those that can be inherited.  Most processes hold none,
 * and to ask takes a tenth of the time of dropping them; besides, some filters
 * of service managers deny capset(2).
 */
static int
enter_capabilities(void)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	const struct capabilities none = { 0 };

	if (!holds_capabilities(&header) ||
	    syscall(SYS_capset, &header, none.half) == 0)
		return 0;
	return errno;
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
#else /* nobody has looked at its system calls yet */
#define AUDIT_ARCH_OWN 0
#endif

/* Some calls have other names by C library, or by architecture. */
#ifdef SYS_fcntl64
#define CALL_FCNTL SYS_fcntl64
#else
#define CALL_FCNTL SYS_fcntl
#endif

/*
 * On i386, glibc makes all calls of sockets by one that takes the rest behind
 * a pointer, where no filter can look: from SYS_SEND to SYS_SETSOCKOPT of
 * linux/net.h are what is needed.  What is said below about the descriptors,
 * levels and addresses of these calls does not hold there.
 */
#if defined(__i386__) && defined(__GLIBC__)
#define HAS_SOCKETCALL 1
#else
#define HAS_SOCKETCALL 0
#define SYS_socketcall UINT32_MAX
#endif

/* The calls of the request path, the commonest first. */
static const uint32_t calls[] = {
	SYS_recvfrom,
	SYS_clock_gettime,
#ifdef SYS_clock_gettime64
	SYS_clock_gettime64,
#endif
#ifdef SYS_fstatat64
	SYS_fstatat64,
#else
	SYS_newfstatat,
#endif
#ifdef SYS_fstat64
	SYS_fstat64,
	SYS_statx,
#else
	SYS_fstat,
#endif
	SYS_pread64,
	SYS_write,
	SYS_openat2,
	SYS_close,
#ifdef SYS_poll
	SYS_poll,
#else
	SYS_ppoll,
#endif
	SYS_read,
	SYS_sendfile,
#ifdef SYS_sendfile64
	SYS_sendfile64,
#endif
	SYS_getrandom,
	SYS_exit_group,
	/* A call goes on behind SIGSTOP and SIGCONT. */
	SYS_restart_syscall,
	/* No call at all: what a tracer that was there before makes of one. */
	UINT32_MAX,
};

/*
 * Those that are allowed on the connection alone, with one of two values of the
 * second argument.  A log or a root that others share is left as it is.
 */
static const struct {
	uint32_t call;
	uint32_t values[2];
} calls_by_value[] = {
	{ CALL_FCNTL, { F_GETFL, F_SETFL } },
	{ SYS_ioctl, { SIOCOUTQ, FIONREAD } },
	{ SYS_shutdown, { SHUT_WR, SHUT_WR } },
};

/* Flags of openat(2) by which a file could be changed. */
#define OPEN_CHANGES (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | O_APPEND)

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* The parts of the filter, and where its two results stand after them. */
enum {
	LEN_START = 4,
	LEN_SENDTO = 5,
	LEN_OPENAT = 3,
	LEN_SOCKETCALL = HAS_SOCKETCALL ? 4 : 0,
	LEN_CONNECTION = 3,
	LEN_BY_VALUE = 4,
	LEN_SETSOCKOPT = 8,
	AT_KILL = LEN_START + COUNT(calls) + LEN_SENDTO + LEN_SOCKETCALL +
	    LEN_OPENAT + LEN_CONNECTION + LEN_BY_VALUE * COUNT(calls_by_value) +
	    LEN_SETSOCKOPT,
	AT_ALLOW,
	FILTER_LEN,
};

struct filter {
	struct sock_filter code[FILTER_LEN];
	uint8_t len;
};

static void
add(struct filter *f, int code, uint32_t k)
{
	f->code[f->len++] = (struct sock_filter)BPF_STMT((uint16_t)code, k);
}

static void
add_load(struct filter *f, size_t offset)
{
	add(f, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset);
}

/*
 * Arguments are compared by their lower half, since all but pointers are ints;
 * x86-64, i386 and aarch64 are little-endian.
 */
static void
add_load_argument(struct filter *f, uint32_t n, size_t half)
{
	add_load(f,
	    offsetof(struct seccomp_data, args) + n * sizeof(uint64_t) +
		half * sizeof(uint32_t));
}

/* Goes to instruction `yes` or `no` of the filter. */
static void
add_branch(struct filter *f, int test, uint32_t k, int yes, int no)
{
	int next = f->len + 1;

	f->code[f->len++] =
	    (struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | test | BPF_K), k,
		(uint8_t)(yes - next), (uint8_t)(no - next));
}

/*
 * The kernel evaluates a filter beforehand for each of the some 900 numbers
 * that there are, to remember those that are always allowed.  That takes
 * 40 us and saves 0.02 us a call, which few connections make up for; so the
 * first instruction is one that it cannot evaluate.
 */
static void
build_filter(struct filter *f)
{
	f->len = 0;
	add(f, BPF_LDX | BPF_IMM, 0);
	add_load(f, offsetof(struct seccomp_data, arch));
	add_branch(f, BPF_JEQ, AUDIT_ARCH_OWN, f->len + 1, AT_KILL);
	add_load(f, offsetof(struct seccomp_data, nr));
	insist(f->len == LEN_START);

	for (size_t i = 0; i < COUNT(calls); i++)
		add_branch(f, BPF_JEQ, calls[i], AT_ALLOW, f->len + 1);

	/*
	 * Without an address: the client's socket has its peer, and the one
	 * for syslog must not reach another.
	 */
	add_branch(f, BPF_JEQ, SYS_sendto, f->len + 1, f->len + LEN_SENDTO);
	add_load_argument(f, 4, 0);
	add_branch(f, BPF_JEQ, 0, f->len + 1, AT_KILL);
	add_load_argument(f, 4, 1);
	add_branch(f, BPF_JEQ, 0, AT_ALLOW, AT_KILL);

	if (HAS_SOCKETCALL) {
		add_branch(f, BPF_JEQ, SYS_socketcall, f->len + 1,
		    f->len + LEN_SOCKETCALL);
		add_load_argument(f, 0, 0);
		add_branch(f, BPF_JGE, SYS_SEND, f->len + 1, AT_KILL);
		add_branch(f, BPF_JGT, SYS_SETSOCKOPT, AT_KILL, AT_ALLOW);
	}

	add_branch(f, BPF_JEQ, SYS_openat, f->len + 1, f->len + LEN_OPENAT);
	add_load_argument(f, 2, 0);
	add_branch(f, BPF_JSET, OPEN_CHANGES, AT_KILL, AT_ALLOW);

	/* The rest is for descriptors 0 and 1. */
	add_load_argument(f, 0, 0);
	add_branch(f, BPF_JGT, STDOUT_FILENO, AT_KILL, f->len + 1);
	add_load(f, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < COUNT(calls_by_value); i++) {
		const uint32_t *values = calls_by_value[i].values;

		add_branch(f, BPF_JEQ, calls_by_value[i].call, f->len + 1,
		    f->len + LEN_BY_VALUE);
		add_load_argument(f, 1, 0);
		add_branch(f, BPF_JEQ, values[0], AT_ALLOW, f->len + 1);
		add_branch(f, BPF_JEQ, values[1], AT_ALLOW, AT_KILL);
	}

	/* An option has a meaning in each level. */
	add_branch(f, BPF_JEQ, SYS_setsockopt, f->len + 1, AT_KILL);
	add_load_argument(f, 1, 0);
	add_branch(f, BPF_JEQ, IPPROTO_TCP, f->len + 1, f->len + 3);
	add_load_argument(f, 2, 0);
	add_branch(f, BPF_JEQ, TCP_CORK, AT_ALLOW, AT_KILL);
	add_branch(f, BPF_JEQ, SOL_SOCKET, f->len + 1, AT_KILL);
	add_load_argument(f, 2, 0);
	add_branch(f, BPF_JEQ, SO_LINGER, AT_ALLOW, AT_KILL);

	insist(f->len == AT_KILL);
	add(f, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	add(f, BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
}

static int
install_filter(const struct sock_fprog *program, unsigned flags)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program) ==
		0 ?
	    0 :
	    errno;
}

/*
 * SPEC_ALLOW: before Linux 5.16 a filter would slow the process down against
 * attacks by speculation, which are of no use against a process that holds
 * nothing but what its client may see.  Linux before 4.17 has no such flag.
 */
static int
enter_calls(void)
{
	struct filter filter;

	if (AUDIT_ARCH_OWN == 0)
		return ENOSYS;
	build_filter(&filter);
	const struct sock_fprog program = {
		.len = filter.len,
		.filter = filter.code,
	};
	int error = install_filter(&program, SECCOMP_FILTER_FLAG_SPEC_ALLOW);
	return error == EINVAL ? install_filter(&program, 0) : error;
}

void
sandbox_enter(const struct sandbox_needs *needs, int ret_errors[LAYERS])
{
	ret_errors[LAYER_LIMITS] = enter_limits(needs->max_age_ms);
	ret_errors[LAYER_CAPABILITIES] = enter_capabilities();
	ret_errors[LAYER_PRIVILEGES] = enter_privileges();
	ret_errors[LAYER_FILES] = enter_files(needs->root);
	ret_errors[LAYER_CALLS] = enter_calls();
}

const char *
sandbox_layer_name(enum sandbox_layer layer)
{
	switch (layer) {
	case LAYER_LIMITS:
		return "resource limits";
	case LAYER_CAPABILITIES:
		return "capset";
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
