/*
 * user: switching from root to an unprivileged user.
 *
 * The C library's getpwnam() takes memory from the heap and, where it is
 * glibc, loads modules; its setuid() asks all threads.  This program has
 * neither heap nor threads: it reads /etc/passwd itself and makes the three
 * system calls.  Users whom only a name service knows are given by number.
 *
 * Every step is checked, and then that there is no way back.
 */
#define _GNU_SOURCE
#include "user.h"

#include "grammar.h"
#include "slice.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The kernel takes the number above this for "no change". */
#define ID_MAX (UINT32_MAX - 1)

/* On 32-bit x86 the calls under their first names have ids of 16 bits. */
#ifdef SYS_setresuid32
#define SETGROUPS SYS_setgroups32
#define SETRESGID SYS_setresgid32
#define SETRESUID SYS_setresuid32
#else
#define SETGROUPS SYS_setgroups
#define SETRESGID SYS_setresgid
#define SETRESUID SYS_setresuid
#endif

bool
user_is_root(void)
{
	return geteuid() == 0 || getuid() == 0;
}

/* ID = 1*DIGIT; false if it is none. */
static bool
parse_id(struct slice s, uint32_t *ret_id)
{
	uint64_t n = 0;

	if (s.len == 0 || s.len > 10)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (!is_digit(s.ptr[i]))
			return false;
		n = n * 10 + (uint64_t)(s.ptr[i] - '0');
	}
	*ret_id = (uint32_t)n;
	return n <= ID_MAX;
}

/* name ":" password ":" uid ":" gid ":" ..., passwd(5) */
static bool
line_names(struct slice line, struct slice name, struct user *ret_user)
{
	if (!slice_equal(slice_take(&line, ':'), name))
		return false;
	slice_take(&line, ':');

	struct slice uid = slice_take(&line, ':');
	return parse_id(uid, &ret_user->uid) &&
	    parse_id(slice_take(&line, ':'), &ret_user->gid);
}

/* What a search for a name comes to. */
enum search { SEARCH_FOUND, SEARCH_NOT_FOUND, SEARCH_FAILED };

/* Tries the lines of a file; one too long for the buffer names nobody. */
static enum search
search_lines(int fd, struct slice name, struct user *ret_user)
{
	char buf[4096];
	size_t have = 0;
	bool in_long_line = false;

	for (;;) {
		ssize_t n = read(fd, buf + have, sizeof(buf) - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return SEARCH_FAILED;
		have += (size_t)n;

		struct slice rest = { buf, have };
		const char *lf;
		while ((lf = memchr(rest.ptr, '\n', rest.len)) != NULL ||
		    (n == 0 && rest.len > 0)) {
			size_t len =
			    lf == NULL ? rest.len : (size_t)(lf - rest.ptr);

			if (!in_long_line &&
			    line_names((struct slice){ rest.ptr, len }, name,
				ret_user))
				return SEARCH_FOUND;
			in_long_line = false;
			rest = slice_after(rest, lf == NULL ? len : len + 1);
		}
		if (n == 0)
			return SEARCH_NOT_FOUND;
		if (rest.len == sizeof(buf)) {
			in_long_line = true;
			rest.len = 0;
		}
		memmove(buf, rest.ptr, rest.len);
		have = rest.len;
	}
}

static bool
find_by_number(struct slice s, struct user *ret_user)
{
	struct slice uid = slice_take(&s, ':');

	return parse_id(uid, &ret_user->uid) && parse_id(s, &ret_user->gid);
}

static enum search
find_by_name(struct slice name, struct user *ret_user)
{
	int fd = openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return SEARCH_FAILED;
	enum search result = search_lines(fd, name, ret_user);
	close(fd);
	return result;
}

bool
user_find(const char *name, struct user *ret_user, const char **ret_problem)
{
	struct slice s = slice_of(name);
	enum search result = find_by_number(s, ret_user) ?
	    SEARCH_FOUND :
	    find_by_name(s, ret_user);

	switch (result) {
	case SEARCH_FOUND:
		if (ret_user->uid != 0 && ret_user->gid != 0)
			return true;
		*ret_problem = ret_user->uid == 0 ?
		    "is root" :
		    "has root's group, whose number is 0";
		break;
	case SEARCH_NOT_FOUND:
		*ret_problem = "is not in /etc/passwd";
		break;
	case SEARCH_FAILED:
		*ret_problem = "cannot be looked up in /etc/passwd";
		break;
	}
	return false;
}

/* Whether the process is that user in every respect that counts. */
static bool
is_user(const struct user *user)
{
	uid_t uid[3];
	gid_t gid[3];

	if (getresuid(&uid[0], &uid[1], &uid[2]) != 0 ||
	    getresgid(&gid[0], &gid[1], &gid[2]) != 0)
		return false;
	for (int i = 0; i < 3; i++)
		if (uid[i] != user->uid || gid[i] != user->gid)
			return false;
	return true;
}

bool
user_switch_to(const struct user *user)
{
	uint32_t uid = user->uid, gid = user->gid;

	if (!user_is_root() && is_user(user))
		return true;
	if (syscall(SETGROUPS, 0, NULL) != 0 ||
	    syscall(SETRESGID, gid, gid, gid) != 0 ||
	    syscall(SETRESUID, uid, uid, uid) != 0)
		return false;
	/* Capabilities that outlived this would show here. */
	if (!is_user(user) || getgroups(0, NULL) != 0 ||
	    syscall(SETRESUID, 0, 0, 0) == 0) {
		errno = EPERM;
		return false;
	}
	return true;
}
