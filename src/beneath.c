/*
 * openat2 lets the kernel see to it that no path leaves the document root,
 * by "..", symbolic link or mount trickery, without a check that could be
 * raced.  Symbolic links that stay inside are followed.  Kernels before 5.6,
 * and sandboxes that do not know openat2, get a walk that opens one segment
 * after another and follows no symbolic link at all.
 */
#define _GNU_SOURCE
#include "beneath.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* openat2 says EAGAIN when a rename somewhere raced with a ".." in a link. */
#define RACE_RETRIES 8

static int
open_by_openat2(int root, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
	};
	int fd, tries = 0;

	do {
		fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
	} while (fd < 0 &&
	    (errno == EINTR || (errno == EAGAIN && ++tries < RACE_RETRIES)));
	return fd;
}

/* Opens a segment of a path, which ends at `end`, without following it. */
static int
open_segment(int dir, const char *segment, size_t len, int flags)
{
	char name[256];

	if (len >= sizeof(name)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(name, segment, len);
	name[len] = '\0';
	return openat(dir, name, flags | O_NOFOLLOW);
}

/* The path is canonical: no empty segment, no "..", no slash in front. */
static int
open_by_walking(int root, const char *path, int flags)
{
	int dir = root;

	for (;;) {
		const char *slash = strchr(path, '/');
		int fd = slash == NULL ?
		    open_segment(dir, path, strlen(path), flags) :
		    open_segment(dir, path, (size_t)(slash - path),
			O_PATH | O_DIRECTORY | O_CLOEXEC);
		int error = errno;

		if (dir != root)
			close(dir);
		if (fd < 0 || slash == NULL) {
			errno = error;
			return fd;
		}
		dir = fd;
		path = slash + 1;
	}
}

int
open_beneath(int root, const char *path, int flags)
{
	int fd = open_by_openat2(root, path, flags);

	if (fd < 0 && (errno == ENOSYS || errno == EPERM))
		fd = open_by_walking(root, path, flags);
	return fd;
}
