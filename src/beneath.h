/*
 * beneath: opens what lies beneath a directory, and nothing else.
 */
#ifndef BENEATH_H
#define BENEATH_H

/*
 * Opens a path that starts at the directory `root` and cannot leave it.  It is
 * canonical: no empty segment, no "..", no slash in front.  `flags` are those
 * of open(2), and hold O_CLOEXEC.
 *
 * The descriptor, or -1 with errno as openat2(2) sets it: EXDEV for a link that
 * leads out of the root, ELOOP for one that leads in a circle.  Where openat2
 * is not to be had, no link is followed: ELOOP for one at the end of the path,
 * and ENOTDIR for one before.
 */
int open_beneath(int root, const char *path, int flags);

#endif
