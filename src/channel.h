/*
 * The accepted connection: two descriptors, and how long to wait on them.
 *
 * Standard input and output are usually one and the same TCP socket, but may
 * be a Unix socket, or any two pipes, files or terminals.  No call here blocks
 * past its time, whether or not the spawner set O_NONBLOCK.
 */
#ifndef CHANNEL_H
#define CHANNEL_H

#include "slice.h"

#include <errno.h>
#include <stdint.h>

enum io_result {
	IO_DONE,
	IO_END, /* the peer will send no more */
	IO_TIMEOUT,
	IO_GONE, /* the connection is broken */
	IO_FILE_SHRANK, /* a file ended before all its bytes were sent */
	IO_FILE_FAILED, /* a file could not be read */
};

struct channel {
	int in;
	int out;
	int send_timeout_ms;
	int idle_timeout_ms;
	bool in_is_socket;
	bool out_is_socket;
	bool in_nonblocking; /* wait by poll before the first receive */
};

/* Whether an error says that a call would have had to wait. */
static inline bool
would_block(int error)
{
	return error == EAGAIN || error == EWOULDBLOCK;
}

/*
 * Prepares the connection on `in` and `out` (kept open by the caller): no
 * Nagle delay where it is TCP, whatever the spawner set, and the bounds on
 * waiting, in milliseconds.  false, with errno, if one of them is not open.
 */
bool channel_open(struct channel *ch, int in, int out, int idle_timeout_ms,
    int send_timeout_ms);

/*
 * Waits for input and puts up to `cap` bytes into buf: IO_DONE with
 * *ret_len > 0, IO_END, IO_GONE, or IO_TIMEOUT when nothing came for the idle
 * timeout.  That starts when the peer has taken all that was sent, or has
 * taken nothing of it for the send timeout.
 */
enum io_result channel_receive_idle(
    struct channel *ch, char *buf, size_t cap, size_t *ret_len);

/* The same, but waits until the monotonic clock shows `deadline_ms`. */
enum io_result channel_receive_until(struct channel *ch, char *buf, size_t cap,
    int64_t deadline_ms, size_t *ret_len);

/* Whether bytes have arrived that were not received yet. */
bool channel_has_more(const struct channel *ch);

/*
 * Sends all of s.  IO_TIMEOUT when the peer took nothing for the send timeout
 * (twice as long at most, since it is looked at that often), IO_GONE when it
 * is gone.
 */
enum io_result channel_send(struct channel *ch, struct slice s);

/*
 * Waits until more can be sent, for as long as the peer takes something:
 * IO_DONE, or IO_TIMEOUT and IO_GONE as above.
 */
enum io_result channel_wait_for_room(const struct channel *ch);

/*
 * Ends the sending side and reads what the peer still sends, for two seconds
 * and for as long as it takes what was sent, a megabyte at most: closing with
 * unread input would make TCP throw away an answer on its way (RFC 9112 9.6).
 */
void channel_linger(struct channel *ch);

/* The monotonic clock, in milliseconds. */
int64_t clock_monotonic_ms(void);

#endif
