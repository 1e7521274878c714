/*
 * burst - many connections to one HTTP server at the same moment.
 *
 *	burst [-c AT_ONCE] [-n TOTAL] [-p PATH] ADDRESS PORT
 *
 * A server behind a spawner is hard on a crowd in its own way: the listener's
 * queue, the spawner's limits and its rate of forking all have to hold.  This
 * program makes the crowd.  It starts AT_ONCE connections, sends no byte before
 * the last of them is established, then asks each for PATH with
 * "Connection: close", and whenever one ends it starts another, until TOTAL
 * have been made.  Each connection ends in exactly one of these counts, which
 * are printed as name=value on one line:
 *
 *	answered	a status of 200, as many bytes of body as Content-Length
 *			says, then the end of the connection
 *	refused		the connection was not established
 *	reset		it was reset after that
 *	empty		it ended without a byte of answer
 *	wrong		anything else
 *	seconds, rate	the time for all of them, and answered per second
 *
 * The exit status is 0 if all were answered, 1 if not.
 */
#include "load.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * A server that is silent for this long has lost a connection.  systemd answers
 * none before it has taken in all of a crowd, which on a slow machine that does
 * something else beside takes longer than half a minute for 500.
 */
#define SILENCE_MS 300000

#define HEAD_CAP 4096

enum outcome { ANSWERED, REFUSED, RESET, EMPTY, WRONG, OUTCOMES };

struct client {
	int fd; /* -1 where none is open */
	bool established;
	bool sent;
	size_t received; /* bytes of the answer, head and body */
	size_t head_len; /* the part of the answer kept in head */
	char head[HEAD_CAP + 1];
};

static const char *const outcome_names[OUTCOMES] = {
	[ANSWERED] = "answered",
	[REFUSED] = "refused",
	[RESET] = "reset",
	[EMPTY] = "empty",
	[WRONG] = "wrong",
};

static struct addrinfo *server;
static int events_fd;
static char request[1024];
static size_t request_len;
static unsigned long count[OUTCOMES];

static unsigned long
ended(void)
{
	unsigned long sum = 0;

	for (int i = 0; i < OUTCOMES; i++)
		sum += count[i];
	return sum;
}

static void
client_end(struct client *c, enum outcome how)
{
	count[how]++;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void
client_start(struct client *c)
{
	struct epoll_event want = { .events = EPOLLOUT, .data.ptr = c };

	memset(c, 0, sizeof *c);
	c->fd = socket(
	    server->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	if (connect(c->fd, server->ai_addr, server->ai_addrlen) != 0 &&
	    errno != EINPROGRESS) {
		client_end(c, REFUSED);
		return;
	}
	if (epoll_ctl(events_fd, EPOLL_CTL_ADD, c->fd, &want) != 0)
		die("epoll_ctl");
}

/* Learns whether the connection came to be, and asks for no more events yet. */
static void
client_established(struct client *c)
{
	struct epoll_event none = { .events = 0, .data.ptr = c };
	int error = 0;
	socklen_t len = sizeof error;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
		die("getsockopt");
	if (error != 0) {
		client_end(c, REFUSED);
		return;
	}
	c->established = true;
	if (epoll_ctl(events_fd, EPOLL_CTL_MOD, c->fd, &none) != 0)
		die("epoll_ctl");
}

static void
client_send(struct client *c)
{
	struct epoll_event want = { .events = EPOLLIN, .data.ptr = c };

	/* A reset that came before shows up again when the answer is read. */
	(void)!send(c->fd, request, request_len, MSG_NOSIGNAL);
	c->sent = true;
	if (epoll_ctl(events_fd, EPOLL_CTL_MOD, c->fd, &want) != 0)
		die("epoll_ctl");
}

static enum outcome
judge(struct client *c)
{
	const char *body, *length;

	if (c->received == 0)
		return EMPTY;
	c->head[c->head_len] = '\0';
	body = strstr(c->head, "\r\n\r\n");
	length = strstr(c->head, "\r\nContent-Length: ");
	if (strncmp(c->head, "HTTP/1.1 200 ", 13) != 0 || body == NULL ||
	    length == NULL || length > body)
		return WRONG;
	if (strtoul(length + 18, NULL, 10) !=
	    c->received - (size_t)(body + 4 - c->head))
		return WRONG;
	return ANSWERED;
}

static void
client_receive(struct client *c)
{
	static char rest[65536];
	bool keep = c->head_len < HEAD_CAP;
	ssize_t n = keep ?
	    recv(c->fd, c->head + c->head_len, HEAD_CAP - c->head_len, 0) :
	    recv(c->fd, rest, sizeof rest, 0);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n < 0) {
		client_end(c, RESET);
	} else if (n == 0) {
		client_end(c, judge(c));
	} else {
		c->received += (size_t)n;
		if (keep)
			c->head_len += (size_t)n;
	}
}

static unsigned long
number(const char *text)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || *end != '\0' || n == 0 || n > 1000000) {
		fprintf(stderr, "burst: %s is no count\n", text);
		exit(2);
	}
	return n;
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: burst [-c AT_ONCE] [-n TOTAL] [-p PATH] "
	    "ADDRESS PORT\n");
	exit(2);
}

int
main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct rlimit files;
	struct client *clients;
	unsigned long at_once = 0, total = 0, started = 0;
	const char *path = "/";
	bool go = false;
	double begin;
	int option;

	while ((option = getopt(argc, argv, "c:n:p:")) != -1) {
		switch (option) {
		case 'c':
			at_once = number(optarg);
			break;
		case 'n':
			total = number(optarg);
			break;
		case 'p':
			path = optarg;
			break;
		default:
			usage();
		}
	}
	if (argc - optind != 2)
		usage();
	if (total == 0)
		total = at_once == 0 ? 1 : at_once;
	if (at_once == 0 || at_once > total)
		at_once = total;
	if (getaddrinfo(argv[optind], argv[optind + 1], &hints, &server) != 0) {
		fprintf(stderr, "burst: %s port %s is no address\n",
		    argv[optind], argv[optind + 1]);
		return 2;
	}
	request_len = (size_t)snprintf(request, sizeof request,
	    "GET %s HTTP/1.1\r\nHost: burst\r\nConnection: close\r\n\r\n",
	    path);
	if (request_len >= sizeof request)
		usage();

	if (getrlimit(RLIMIT_NOFILE, &files) != 0)
		die("getrlimit");
	if (files.rlim_cur < at_once + 16)
		files.rlim_cur = at_once + 16;
	if (files.rlim_max < files.rlim_cur)
		files.rlim_max = files.rlim_cur;
	if (setrlimit(RLIMIT_NOFILE, &files) != 0)
		die("setrlimit");
	if ((clients = calloc(at_once, sizeof *clients)) == NULL ||
	    (events_fd = epoll_create1(EPOLL_CLOEXEC)) < 0)
		die("start");

	begin = now_s();
	for (; started < at_once; started++)
		client_start(&clients[started]);
	while (ended() < total) {
		struct epoll_event events[256];
		int n = epoll_wait(events_fd, events, 256, SILENCE_MS);
		unsigned long established = 0;

		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		if (n == 0)
			break;
		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;

			if (!c->established)
				client_established(c);
			else if (!c->sent) /* ended before it was asked */
				client_send(c);
			else
				client_receive(c);
		}
		/* The first crowd speaks when all of it has arrived. */
		for (unsigned long i = 0; !go && i < at_once; i++)
			established +=
			    clients[i].fd < 0 || clients[i].established;
		go = go || established == at_once;
		for (unsigned long i = 0; go && i < at_once; i++) {
			struct client *c = &clients[i];

			for (; c->fd < 0 && started < total; started++)
				client_start(c);
			if (c->fd >= 0 && c->established && !c->sent)
				client_send(c);
		}
	}

	for (int i = 0; i < OUTCOMES; i++)
		printf("%s=%lu ", outcome_names[i], count[i]);
	printf("silent=%lu seconds=%.3f rate=%.0f\n", total - ended(),
	    now_s() - begin, (double)count[ANSWERED] / (now_s() - begin));
	return count[ANSWERED] == total ? 0 : 1;
}
