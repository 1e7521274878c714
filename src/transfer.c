/*
 * transfer: a file to the connection, without passing it through this process
 * where the kernel can.
 */
#define _GNU_SOURCE
#include "transfer.h"

#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#define SENDFILE_MAX (1u << 30) /* what one call is asked to send at most */

/* Sends what is left of a piece of a file through a small buffer. */
static enum io_result
copy_file(struct connection *c, int fd, uint64_t offset, uint64_t len,
    uint64_t *ret_sent)
{
	char buf[PIPE_BUF];

	while (*ret_sent < len) {
		enum io_result r = connection_check_age(c);
		if (r != IO_DONE)
			return r;

		uint64_t left = len - *ret_sent;
		ssize_t n = pread(fd, buf,
		    left < sizeof(buf) ? (size_t)left : sizeof(buf),
		    (off_t)(offset + *ret_sent));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n == 0 ? IO_FILE_SHRANK : IO_FILE_FAILED;

		r = connection_send(c, (struct slice){ buf, (size_t)n });
		if (r != IO_DONE)
			return r;
		*ret_sent += (uint64_t)n;
	}
	return IO_DONE;
}

/*
 * sendfile takes no MSG_DONTWAIT, so the socket itself becomes non-blocking
 * before the first of them.  false: it does not.
 */
static bool
stop_blocking(struct connection *c)
{
	int flags = fcntl(c->out, F_GETFL);

	if (flags < 0 || fcntl(c->out, F_SETFL, flags | O_NONBLOCK) != 0)
		return false;
	c->in_nonblocking = true;
	return true;
}

/*
 * Lets only full segments leave, or no longer: the head joins the first bytes
 * of the file, and the peer is not woken for every piece of 64 KiB that
 * sendfile hands to TCP, which would cost both sides a third of their speed.
 * On what is not TCP it does nothing.
 */
static void
hold_short_segments(const struct connection *c, int on)
{
	setsockopt(c->out, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

/* Which end of a sendfile an error comes from; the rest are the file's. */
static bool
is_network_error(int error)
{
	switch (error) {
	case EPIPE:
	case ECONNRESET:
	case ECONNABORTED:
	case ENOTCONN:
	case ETIMEDOUT:
	case EHOSTUNREACH:
	case ENETUNREACH:
	case ENETDOWN:
		return true;
	default:
		return false;
	}
}

/*
 * Sends a file by sendfile until it is sent or nothing can be done.  A file
 * system that does not know sendfile has its bytes copied.
 */
static enum io_result
send_by_kernel(struct connection *c, int fd, uint64_t offset, uint64_t len,
    uint64_t *ret_sent)
{
	off_t at = (off_t)offset;

	while (*ret_sent < len) {
		uint64_t left = len - *ret_sent;
		ssize_t n = sendfile(c->out, fd, &at,
		    left < SENDFILE_MAX ? (size_t)left : SENDFILE_MAX);

		/* Nothing sent with bytes owed: the file has ended. */
		if (n == 0)
			return IO_FILE_SHRANK;
		if (n > 0) {
			*ret_sent += (uint64_t)n;
			c->sent += (uint64_t)n;
			if (*ret_sent == len)
				break;
		} else if (errno == EINVAL || errno == ENOSYS) {
			return copy_file(c, fd, offset, len, ret_sent);
		} else if (is_network_error(errno)) {
			return IO_GONE;
		} else if (errno != EINTR && !would_block(errno)) {
			return IO_FILE_FAILED;
		}
		/* Whatever ended the call, what is left waits for room. */
		enum io_result r = connection_wait_for_room(c);
		if (r != IO_DONE)
			return r;
	}
	return IO_DONE;
}

enum io_result
transfer_file(struct connection *c, struct slice head, int fd, uint64_t offset,
    uint64_t len, uint64_t *ret_sent)
{
	enum io_result r;

	*ret_sent = 0;
	if (!c->out_is_socket || !stop_blocking(c)) {
		r = connection_send(c, head);
		return r == IO_DONE ? copy_file(c, fd, offset, len, ret_sent) :
				      r;
	}
	hold_short_segments(c, 1);
	r = connection_send(c, head);
	if (r == IO_DONE)
		r = send_by_kernel(c, fd, offset, len, ret_sent);
	hold_short_segments(c, 0);
	return r;
}
