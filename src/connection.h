/*
 * The accepted connection: two descriptors, and how long to wait on them.
 *
 * Standard input and output are usually one and the same TCP socket, but may
 * be a Unix socket, or any two pipes, files or terminals.  No call here blocks
 * past its time, whether or not the spawner set O_NONBLOCK.
 */
#ifndef CONNECTION_H
#define CONNECTION_H

#include "slice.h"

#include <errno.h>
#include <stdint.h>
#include <time.h>

enum io_result {
	IO_DONE,
	IO_END, /* the peer will send no more */
	IO_TIMEOUT,
	IO_GONE, /* the connection is broken */
	IO_FILE_SHRANK, /* a file ended before all its bytes were sent */
	IO_FILE_FAILED, /* a file could not be read */
};

/* The timeouts of a connection, in milliseconds. */
struct timeouts {
	int idle_ms; /* for the first byte of a request */
	int send_ms; /* for the peer to take enough of an answer */
	uint64_t min_rate; /* what is enough, in bytes a second; 0: a byte is */
	int max_age_ms; /* maximum age of the connection; 0: unlimited */
};

/*
 * A stretch of send_ms in which the peer has something to take.  What counts
 * is each of them by itself, and not an average over an answer: a fast start
 * does not pay for a slow end.
 */
struct rate_window {
	int64_t start_ms; /* by the monotonic clock; 0: there is none */
	uint64_t taken; /* what the peer had taken by then */
};

struct connection {
	int in;
	int out;
	struct timeouts timeouts;
	int64_t end_ms; /* of the connection, by the monotonic clock */
	uint64_t sent; /* bytes that were handed to the system so far */
	uint64_t sent_before; /* the last wait for a request */
	struct slice
	    pending; /* response bytes that are sent before the next receive */
	void (*on_flush)(void); /* called before they are sent; may be NULL */
	unsigned long io_epoch; /* incremented by each receive and send */
	struct rate_window rate_window;
	uint64_t sent_at_room; /* `sent` when poll last reported room, plus 1 */
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
 * Prepares the connection on `in` and `out` (kept open by the caller), with
 * the timeouts; its age starts at 0.  `nodelay`: whether a short segment
 * of TCP leaves at once, or waits until what was sent before is acknowledged
 * (Nagle's algorithm); what the spawner set does not matter.  false, with
 * errno, if one of the two is not open.
 */
bool connection_open(struct connection *c, int in, int out,
    const struct timeouts *timeouts, bool nodelay);

/*
 * Waits for input and puts up to `cap` bytes into buf: IO_DONE with
 * *ret_len > 0, IO_END, IO_GONE, or IO_TIMEOUT when nothing came for the idle
 * timeout, or the peer takes too slowly what was sent.  The timeout starts when
 * it has taken all of that, to an eighth of it; some KiB count as taken when
 * they were sent.  Pending output is sent first; IO_GONE if that fails.
 */
enum io_result connection_receive_idle(
    struct connection *c, char *buf, size_t cap, size_t *ret_len);

/* The same, but waits until the monotonic clock shows `deadline_ms`. */
enum io_result connection_receive_until(struct connection *c, char *buf,
    size_t cap, int64_t deadline_ms, size_t *ret_len);

/* Whether bytes have arrived that were not received yet. */
bool connection_has_more(const struct connection *c);

/*
 * Whether standard input is a listening socket, so that there is no connection.
 * A receive from it is IO_GONE, or IO_TIMEOUT where poll waits for a client.
 */
bool connection_listens(const struct connection *c);

/*
 * An answer begins.  The time that passed since the peer took the last one is
 * not counted against it; where it has not taken that one yet, it is.
 */
void connection_begin_response(struct connection *c);

/*
 * Sends all of s, which begins with the pending output.  IO_TIMEOUT when the
 * peer takes it too slowly, which is looked at every send timeout, or the
 * connection reaches its maximum age; TCP then resets it when it is closed,
 * rather than go on sending for minutes.  IO_GONE when the peer is gone.
 */
enum io_result connection_send(struct connection *c, struct slice s);

/*
 * Makes s, whose memory must stay valid, the pending output: it is sent before
 * the next receive, so that responses to pipelined requests leave in one send.
 * What the caller sends next must begin with s.
 */
void connection_defer(struct connection *c, struct slice s);

/* Sends the pending output, if any; results as of connection_send(). */
enum io_result connection_flush(struct connection *c);

/*
 * Waits until more can be sent: IO_DONE, or IO_TIMEOUT and IO_GONE as above.
 * Code that sends by other means than connection_send() adds what left to
 * c->sent.  Where nothing left since the last time, this pauses first: poll
 * reports room in a socket's buffer also while the system has no memory to
 * fill it with.
 */
enum io_result connection_wait_for_room(struct connection *c);

/*
 * Sends the pending output, and pauses for so many milliseconds; results as of
 * connection_send(), without a pause where it could not be sent.
 */
enum io_result connection_pause(struct connection *c, int ms);

/* Whether the connection has reached its maximum age. */
bool connection_reached_max_age(const struct connection *c);

/*
 * IO_DONE, or IO_TIMEOUT as of connection_send() if the maximum age is
 * over.  What can be sent without waiting is sent all the same: who sends much
 * without waiting asks now and then.
 */
enum io_result connection_check_age(const struct connection *c);

/*
 * Whether the peer has more than 64 KiB still to take: closing would leave the
 * system to keep that for minutes, out of reach of any limit.
 */
bool connection_owes_much(const struct connection *c);

/*
 * Ends the sending side and reads what the peer still sends, for two seconds
 * and for as long as it takes what was sent, a megabyte at most: closing with
 * unread input would make TCP throw away an answer on its way (RFC 9112 9.6).
 * If the peer ends its side, returns when it has taken all but 64 KiB.  One
 * that takes it too slowly, as of connection_send(), is reset.
 */
void connection_linger(struct connection *c);

/* The calendar clock. */
void clock_calendar(struct timespec *ret_now);

/* The monotonic clock, in milliseconds. */
int64_t clock_monotonic_ms(void);

#endif
