/*
 * descriptors: what the spawner left open beside the connection and the log.
 *
 * No layer of the sandbox takes an open descriptor away: a file stays readable
 * and a listening socket can be shut down for every process that shares it.
 *
 * The limit on descriptors does not tell where they end, since it can have been
 * lowered after they were opened, and it may be a billion.  Without
 * close_range(2), added by Linux 5.9 and denied by some filters of containers,
 * the kernel's list of them is read.
 */
#define _GNU_SOURCE
#include "descriptors.h"

#include "grammar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* It has this number on every architecture. */
#ifndef SYS_close_range
#define SYS_close_range 436
#endif

#define FIRST_INHERITED (STDERR_FILENO + 1)

/*
 * An entry of a directory as getdents64(2) returns it: inode and offset, eight
 * bytes each, its length as two bytes, its type as one, and the name.
 */
#define ENTRY_LEN_AT 16
#define ENTRY_NAME_AT 19

/* The descriptor that an entry names; -1: it is "." or "..". */
static int
descriptor_of(const char *name)
{
	int fd = 0;

	for (; is_digit(*name); name++)
		fd = fd * 10 + (*name - '0');
	return *name == '\0' ? fd : -1;
}

static void
close_entries(const char *block, size_t len, int list)
{
	uint16_t entry_len;

	for (size_t at = 0; at < len; at += entry_len) {
		int fd = descriptor_of(block + at + ENTRY_NAME_AT);

		memcpy(
		    &entry_len, block + at + ENTRY_LEN_AT, sizeof(entry_len));
		if (fd >= FIRST_INHERITED && fd != list)
			close(fd);
	}
}

static bool
close_listed(void)
{
	char block[2048];
	long len;

	/* Room for the list where as many are open as may be. */
	close(FIRST_INHERITED);
	int list = openat(
	    AT_FDCWD, "/proc/self/fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (list < 0)
		return false;
	/* An entry keeps its place in the list when one before it goes. */
	while ((len = syscall(SYS_getdents64, list, block, sizeof(block))) > 0)
		close_entries(block, (size_t)len, list);
	int error = errno;
	close(list);
	errno = error;
	return len == 0;
}

bool
descriptors_close_inherited(void)
{
	return syscall(SYS_close_range, FIRST_INHERITED, UINT32_MAX, 0) == 0 ||
	    close_listed();
}
