/*
 * descriptors: what the spawner left open beside the connection and the log.
 */
#ifndef DESCRIPTORS_H
#define DESCRIPTORS_H

#include <stdbool.h>

/*
 * Closes every descriptor above standard error.  false, with errno, if the
 * kernel has no close_range(2) and /proc/self/fd cannot be read: some may be
 * open still.
 */
bool descriptors_close_inherited(void);

#endif
