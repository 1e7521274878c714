/*
 * A connection, and bounds on its waiting: generous where bytes are on their way,
 * and short where none will come.
 */
#ifndef BOUNDS_H
#define BOUNDS_H

#include "unit.h"

#include "connection.h"

#define LONG_MS 20000
#define SHORT_MS 30

static inline void
open_connection(struct connection *c, int fd, int idle_ms)
{
	const struct timeouts timeouts = { .idle_ms = idle_ms,
		.send_ms = LONG_MS };

	unit_need(
	    connection_open(c, fd, fd, &timeouts, true), "connection_open");
}

#endif
