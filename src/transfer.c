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
copy_file(struct channel *ch, int fd, uint64_t offset, uint64_t len,
    uint64_t *ret_sent)
{
	char buf[PIPE_BUF];

	while (*ret_sent < len) {
		enum io_result r = channel_check_life(ch);
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

		r = channel_send(ch, (struct slice){ buf, (size_t)n });
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
stop_blocking(struct channel *ch)
{
	int flags = fcntl(ch->out, F_GETFL);

	if (flags < 0 || fcntl(ch->out, F_SETFL, flags | O_NONBLOCK) != 0)
		return false;
	ch->in_nonblocking = true;
	return true;
}

/*
 * Lets only full segments leave, or no longer: the head joins the first bytes
 * of the file, and the peer is not woken for every piece of 64 KiB that
 * sendfile hands to TCP, which would cost both sides a third of their speed.
 * On what is not TCP it does nothing.
 */
static void
hold_short_segments(const struct channel *ch, int on)
{
	setsockopt(ch->out, IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
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
send_by_kernel(struct channel *ch, int fd, uint64_t offset, uint64_t len,
    uint64_t *ret_sent)
{
	off_t at = (off_t)offset;

	while (*ret_sent < len) {
		uint64_t left = len - *ret_sent;
		ssize_t n = sendfile(ch->out, fd, &at,
		    left < SENDFILE_MAX ? (size_t)left : SENDFILE_MAX);

		/* Nothing sent with bytes owed: the file has ended. */
		if (n == 0)
			return IO_FILE_SHRANK;
		if (n > 0) {
			*ret_sent += (uint64_t)n;
			ch->sent += (uint64_t)n;
			if (*ret_sent == len)
				break;
		} else if (errno == EINVAL || errno == ENOSYS) {
			return copy_file(ch, fd, offset, len, ret_sent);
		} else if (is_network_error(errno)) {
			return IO_GONE;
		} else if (errno != EINTR && !would_block(errno)) {
			return IO_FILE_FAILED;
		}
		/* Whatever ended the call, what is left waits for room. */
		enum io_result r = channel_wait_for_room(ch);
		if (r != IO_DONE)
			return r;
	}
	return IO_DONE;
}

enum io_result
transfer_file(struct channel *ch, struct slice head, int fd, uint64_t offset,
    uint64_t len, uint64_t *ret_sent)
{
	enum io_result r;

	*ret_sent = 0;
	if (!ch->out_is_socket || !stop_blocking(ch)) {
		r = channel_send(ch, head);
		return r == IO_DONE ? copy_file(ch, fd, offset, len, ret_sent) :
				      r;
	}
	hold_short_segments(ch, 1);
	r = channel_send(ch, head);
	if (r == IO_DONE)
		r = send_by_kernel(ch, fd, offset, len, ret_sent);
	hold_short_segments(ch, 0);
	return r;
}
