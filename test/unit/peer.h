/*
 * A connection's buffer, and a peer that sends known bytes and then the end.
 *
 * A byte at a time is had without waiting by a socket that keeps the bounds of
 * what was sent (SOCK_SEQPACKET): each receive gets one byte.
 */
#ifndef PEER_H
#define PEER_H

#include "bounds.h"

#include "read.h"

/* The connection's buffer, with its end at a page that cannot be touched. */
static inline struct input *
new_input(void)
{
	struct input *in = (struct input *)(void *)unit_room(
	    UNIT_BEFORE_GUARD, sizeof(struct input));

	memset(in, 0xEE, sizeof(*in));
	in->start = in->end = 0;
	return in;
}

struct peer {
	struct connection connection;
	int fds[2];
	pid_t writer;
};

/* A connection on which these bytes arrive, `piece` at a time, and then the end. */
static inline void
peer_open(struct peer *p, struct slice bytes, size_t piece)
{
	int type = piece == 1 ? SOCK_SEQPACKET : SOCK_STREAM;

	unit_need(socketpair(AF_UNIX, type, 0, p->fds) == 0, "socketpair");
	open_connection(&p->connection, p->fds[0], LONG_MS);
	p->writer = unit_feed(p->fds[1], p->fds[0], bytes, piece);
	close(p->fds[1]);
}

static inline void
peer_close(struct peer *p)
{
	close(p->fds[0]);
	unit_reap(p->writer);
}

#endif
