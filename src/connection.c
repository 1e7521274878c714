/*
 * The accepted connection: receiving and sending within time.
 *
 * Waiting for the first byte of a request is the commonest wait, so it costs
 * one system call: a blocking receive with SO_RCVTIMEO.  Everything else waits
 * in poll; what is sent to a socket is tried without blocking first.
 *
 * What counts as progress in sending is what the peer has acknowledged, not
 * what fits into the socket's buffer: TCP reports room only when a third of a
 * buffer of megabytes is free again, which on a slow path takes longer than
 * any sensible timeout.  A peer that takes a byte now and then holds a process
 * as well as one that takes none, so it is a rate that is asked of it.
 */
#define _GNU_SOURCE
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define LINGER_MS 2000
#define LINGER_MAX_BYTES (1 << 20)
#define OWED_MAX (64 << 10) /* what the system may send after the end */
#define OWED_LOOK_MS 50 /* between two looks at it */
#define TIMER_TICK_MS 10 /* a receive timeout may end one tick early */
#define TAKEN_AT_ONCE (32u << 10) /* half of the window that TCP starts with */
#define IDLE_LOOKS 8 /* in one idle timeout, at what the peer has taken */
#define FALSE_READY_MS 20 /* pause, where poll promised what was not there */

/*
 * musl's own function looks for the kernel's faster one at its first use, which
 * takes two page faults and a search: 2.5 us, at 0.15 us that a call saves.  So
 * a connection begins with system calls.
 */
#define CLOCK_CALLS 32

static void
clock_now(clockid_t clock, struct timespec *ret_now)
{
#if defined(__LP64__) && !defined(__GLIBC__)
	static unsigned calls;

	if (calls < CLOCK_CALLS) {
		calls++;
		syscall(SYS_clock_gettime, clock, ret_now);
		return;
	}
#endif
	clock_gettime(clock, ret_now);
}

void
clock_calendar(struct timespec *ret_now)
{
	clock_now(CLOCK_REALTIME, ret_now);
}

int64_t
clock_monotonic_ms(void)
{
	struct timespec ts;

	clock_now(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

bool
connection_open(struct connection *c, int in, int out,
    const struct timeouts *timeouts, bool nodelay)
{
	/* These two calls also tell what kind of descriptor each is. */
	int wait_ms = timeouts->idle_ms + TIMER_TICK_MS;
	struct timeval idle = {
		.tv_sec = wait_ms / 1000,
		.tv_usec = wait_ms % 1000 * 1000,
	};
	bool in_is_socket =
	    setsockopt(in, SOL_SOCKET, SO_RCVTIMEO, &idle, sizeof(idle)) == 0;
	if (!in_is_socket && errno == EBADF)
		return false;

	int on = nodelay;
	bool out_is_socket =
	    setsockopt(out, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 ||
	    (errno != ENOTSOCK && errno != EBADF);
	if (!out_is_socket && errno == EBADF)
		return false;

	*c = (struct connection){
		.in = in,
		.out = out,
		.timeouts = *timeouts,
		.end_ms = INT64_MAX,
		.in_is_socket = in_is_socket,
		.out_is_socket = out_is_socket,
		.in_nonblocking = !in_is_socket,
	};
	if (timeouts->max_age_ms != 0) {
		c->end_ms = clock_monotonic_ms() + timeouts->max_age_ms;
		c->in_nonblocking = true; /* poll keeps to the end as well */
	}
	return true;
}

bool
connection_reached_max_age(const struct connection *c)
{
	return c->end_ms != INT64_MAX && clock_monotonic_ms() >= c->end_ms;
}

/* Turns the result of a read or receive into ours. */
static enum io_result
received(ssize_t n, size_t *ret_len)
{
	if (n < 0)
		return IO_GONE;
	if (n == 0)
		return IO_END;
	*ret_len = (size_t)n;
	return IO_DONE;
}

/* Pauses where poll has promised what was not there, `left_ms` at most. */
static void
pause_shortly(int64_t left_ms)
{
	poll(NULL, 0, left_ms < FALSE_READY_MS ? (int)left_ms : FALSE_READY_MS);
}

enum io_result
connection_receive_until(struct connection *c, char *buf, size_t cap,
    int64_t deadline_ms, size_t *ret_len)
{
	if (connection_flush(c) != IO_DONE)
		return IO_GONE;
	c->io_epoch++;
	if (deadline_ms > c->end_ms)
		deadline_ms = c->end_ms;
	for (;;) {
		struct pollfd p = { .fd = c->in, .events = POLLIN };
		int64_t left = deadline_ms - clock_monotonic_ms();
		int ready = poll(&p, 1,
		    left <= 0          ? 0 :
			left > INT_MAX ? INT_MAX :
					 (int)left);

		if (ready < 0 && errno != EINTR)
			return IO_GONE;
		if (ready == 0 && left <= 0)
			return IO_TIMEOUT;
		if (ready <= 0)
			continue;

		ssize_t n = c->in_is_socket ?
		    recv(c->in, buf, cap, MSG_DONTWAIT) :
		    read(c->in, buf, cap);
		if (n >= 0 || (errno != EINTR && !would_block(errno)))
			return received(n, ret_len);
		if (left <= 0)
			return IO_TIMEOUT;
		if (would_block(errno))
			pause_shortly(left);
	}
}

/* How many bytes of ours the peer has not taken yet; -1 where unknown. */
static int
unacknowledged(const struct connection *c)
{
	int n;

	return c->out_is_socket && ioctl(c->out, SIOCOUTQ, &n) == 0 ? n : -1;
}

/* How many bytes of all that was sent the peer has taken. */
static uint64_t
bytes_acknowledged(const struct connection *c)
{
	int owed = unacknowledged(c);

	if (owed <= 0)
		return c->sent;
	return c->sent > (uint64_t)owed ? c->sent - (uint64_t)owed : 0;
}

/* Makes closing a reset, so that the system does not go on sending. */
static void
reset_on_close(const struct connection *c)
{
	const struct linger none = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(c->out, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
}

enum io_result
connection_check_age(const struct connection *c)
{
	if (!connection_reached_max_age(c))
		return IO_DONE;
	reset_on_close(c);
	return IO_TIMEOUT;
}

/*
 * Whether a peer that has something to take takes it fast enough, and the
 * connection has not reached its maximum age.  If not, closing will reset it.
 * *ret_left_ms is the time until this is to be looked at again.
 */
static bool
client_makes_progress(struct connection *c, int *ret_left_ms)
{
	const struct timeouts *p = &c->timeouts;
	struct rate_window *w = &c->rate_window;
	int64_t now_ms = clock_monotonic_ms();

	if (w->start_ms == 0)
		*w = (struct rate_window){ now_ms, bytes_acknowledged(c) };
	int64_t passed_ms = now_ms - w->start_ms;
	bool progresses = now_ms < c->end_ms;
	if (passed_ms >= p->send_ms) {
		uint64_t taken = bytes_acknowledged(c);
		uint64_t enough = p->min_rate * (uint64_t)passed_ms / 1000;

		/* A Unix socket owes more bytes than were sent, at times. */
		if (taken < w->taken + (enough > 0 ? enough : 1))
			progresses = false;
		*w = (struct rate_window){ now_ms, taken };
		passed_ms = 0;
	}
	if (!progresses) {
		reset_on_close(c);
		return false;
	}
	int64_t left_ms = p->send_ms - passed_ms;
	if (left_ms > c->end_ms - now_ms)
		left_ms = c->end_ms - now_ms;
	*ret_left_ms = left_ms < p->send_ms ? (int)left_ms : p->send_ms;
	return true;
}

void
connection_begin_response(struct connection *c)
{
	if (c->rate_window.start_ms != 0 && unacknowledged(c) <= 0)
		c->rate_window.start_ms = 0;
}

/* Whether the peer is still busy taking what was sent. */
static bool
client_is_receiving(struct connection *c)
{
	int left_ms;

	return unacknowledged(c) > 0 && client_makes_progress(c, &left_ms);
}

/* One blocking receive, or poll where the spawner made it non-blocking. */
static enum io_result
receive_once(struct connection *c, char *buf, size_t cap, size_t *ret_len)
{
	if (!c->in_nonblocking) {
		ssize_t n = recv(c->in, buf, cap, 0);

		if (n >= 0 || (!would_block(errno) && errno != EINTR))
			return received(n, ret_len);
		/*
		 * Either the time is over or the spawner left the socket
		 * non-blocking, which only poll can wait for.
		 */
		bool interrupted = errno == EINTR;
		int flags = fcntl(c->in, F_GETFL);

		c->in_nonblocking = flags < 0 || (flags & O_NONBLOCK) != 0;
		if (!c->in_nonblocking && !interrupted)
			return IO_TIMEOUT;
	}
	return connection_receive_until(
	    c, buf, cap, clock_monotonic_ms() + c->timeouts.idle_ms, ret_len);
}

/* Receives until it is time to look at what the peer has taken. */
static enum io_result
receive_until_look(struct connection *c, char *buf, size_t cap, size_t *ret_len)
{
	int64_t look_ms =
	    clock_monotonic_ms() + c->timeouts.idle_ms / IDLE_LOOKS + 1;

	return connection_receive_until(c, buf, cap, look_ms, ret_len);
}

/*
 * A connection is not idle while its peer is busy taking the last answer:
 * megabytes of it may lie in the socket's buffer when the sender is done, and
 * a process that leaves then loses them to the first byte that arrives.  The
 * system tells nobody when it is taken, so it is asked now and then; but after
 * what a peer's system takes at once, that would be a call of each request.
 */
enum io_result
connection_receive_idle(
    struct connection *c, char *buf, size_t cap, size_t *ret_len)
{
	int left_ms;

	if (connection_flush(c) != IO_DONE)
		return IO_GONE;
	c->io_epoch++;
	bool is_taking =
	    c->sent - c->sent_before > TAKEN_AT_ONCE && unacknowledged(c) > 0;
	c->sent_before = c->sent;
	for (;;) {
		enum io_result r = is_taking ?
		    receive_until_look(c, buf, cap, ret_len) :
		    receive_once(c, buf, cap, ret_len);
		if (r != IO_TIMEOUT)
			return r;

		bool was_taking = is_taking;

		is_taking = unacknowledged(c) > 0;
		if (is_taking ? !client_makes_progress(c, &left_ms) :
				!was_taking)
			return IO_TIMEOUT;
	}
}

bool
connection_has_more(const struct connection *c)
{
	int waiting;

	return ioctl(c->in, FIONREAD, &waiting) == 0 && waiting > 0;
}

bool
connection_listens(const struct connection *c)
{
	int waiting;

	return c->in_is_socket && ioctl(c->in, FIONREAD, &waiting) != 0 &&
	    errno == EINVAL;
}

enum io_result
connection_wait_for_room(struct connection *c)
{
	int left_ms;
	bool room_was_none = c->sent_at_room == c->sent + 1;

	while (client_makes_progress(c, &left_ms)) {
		struct pollfd out = { .fd = c->out, .events = POLLOUT };

		if (room_was_none)
			pause_shortly(left_ms);
		room_was_none = false;
		int ready = poll(&out, 1, left_ms);

		if (ready > 0) {
			c->sent_at_room = c->sent + 1;
			return IO_DONE;
		}
		if (ready < 0 && errno != EINTR)
			return IO_GONE;
	}
	return IO_TIMEOUT;
}

static bool
has_room(const struct connection *c)
{
	struct pollfd out = { .fd = c->out, .events = POLLOUT };

	return poll(&out, 1, 0) > 0;
}

/*
 * Writes to what is no socket.  Once poll reports room, a pipe takes PIPE_BUF
 * bytes without blocking; O_NONBLOCK is not touched, since the descriptor may
 * be shared with the shell.
 */
static enum io_result
write_all(struct connection *c, struct slice s)
{
	bool has_blocked = false;

	while (s.len > 0) {
		enum io_result r = !has_blocked && has_room(c) ?
		    IO_DONE :
		    connection_wait_for_room(c);

		if (r != IO_DONE)
			return r;
		ssize_t n =
		    write(c->out, s.ptr, s.len < PIPE_BUF ? s.len : PIPE_BUF);
		has_blocked = n < 0 && would_block(errno);
		if (n >= 0) {
			s = slice_after(s, (size_t)n);
			c->sent += (uint64_t)n;
		} else if (!has_blocked && errno != EINTR) {
			return IO_GONE;
		}
	}
	return IO_DONE;
}

void
connection_defer(struct connection *c, struct slice s)
{
	c->pending = s;
}

enum io_result
connection_flush(struct connection *c)
{
	return c->pending.len == 0 ? IO_DONE : connection_send(c, c->pending);
}

enum io_result
connection_send(struct connection *c, struct slice s)
{
	if (c->pending.len > 0 && c->on_flush != NULL)
		c->on_flush();
	c->pending.len = 0;
	c->io_epoch++;
	if (!c->out_is_socket)
		return write_all(c, s);
	while (s.len > 0) {
		ssize_t n =
		    send(c->out, s.ptr, s.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0) {
			s = slice_after(s, (size_t)n);
			c->sent += (uint64_t)n;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (!would_block(errno))
			return IO_GONE;

		enum io_result r = connection_wait_for_room(c);
		if (r != IO_DONE)
			return r;
	}
	return IO_DONE;
}

enum io_result
connection_pause(struct connection *c, int ms)
{
	enum io_result r = connection_flush(c);

	if (r != IO_DONE)
		return r;
	c->io_epoch++;
	poll(NULL, 0, ms);
	return IO_DONE;
}

bool
connection_owes_much(const struct connection *c)
{
	return c->sent > OWED_MAX && unacknowledged(c) > OWED_MAX;
}

/*
 * Waits until the peer, which will send no more, has taken most of what was
 * sent, is gone, or is too slow.
 */
static void
wait_until_taken(struct connection *c)
{
	int left_ms;

	while (connection_owes_much(c) && client_makes_progress(c, &left_ms)) {
		struct pollfd out = { .fd = c->out };
		int wait_ms = left_ms < OWED_LOOK_MS ? left_ms : OWED_LOOK_MS;

		if (poll(&out, 1, wait_ms) <= 0)
			continue;
		if ((out.revents & POLLERR) != 0)
			return;
		/* Both sides have ended, which poll reports at once. */
		pause_shortly(wait_ms);
	}
}

void
connection_linger(struct connection *c)
{
	if (!c->out_is_socket || shutdown(c->out, SHUT_WR) != 0)
		return;

	char discarded[4096];
	size_t total = 0, n;
	enum io_result r;

	/*
	 * Reaching the maximum age does not cost the client its last response.
	 */
	if (c->end_ms != INT64_MAX)
		c->end_ms += LINGER_MS;
	do {
		int64_t deadline_ms = clock_monotonic_ms() + LINGER_MS;

		while ((r = connection_receive_until(c, discarded,
			    sizeof(discarded), deadline_ms, &n)) == IO_DONE &&
		    (total += n) < LINGER_MAX_BYTES)
			;
	} while (r == IO_TIMEOUT && client_is_receiving(c));
	if (r == IO_END)
		wait_until_taken(c);
}
