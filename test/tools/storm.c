/*
 * storm - very many requests by clients of whom many go away in the middle.
 *
 *	storm [-n REQUESTS] [-c CONNECTIONS] [-j AT_ONCE] [-s SEED]
 *		ADDRESS PORT DIRECTORY NAME...
 *
 * Makes CONNECTIONS, AT_ONCE at a time, and shares REQUESTS out among them at
 * random.  What is asked for are the files NAME of DIRECTORY, or only their
 * heads, or a range of them, up to BATCH requests at a time.  Every answer is
 * compared with the file.  Then the connection ends in one of eight ways: by
 * the last request's wish, by ending this side, by closing, by a reset, and by
 * the last two again in the middle of further answers or of a head.
 *
 * Printed are, as name=value:
 *
 *	answered	complete, and right to the byte
 *	lost		not answered, and not given up by this side
 *	wrong		answers or ends of connections that are not as they
 *			should be; the first few are shown
 *	connections	how many were made
 *	refused		how many were not established
 *	aborted		connections that ended in the middle of something
 *	abandoned	whole requests, beyond REQUESTS, whose answers were not
 *			waited for
 *
 * The exit status is 0 if REQUESTS were answered and nothing was refused, lost
 * or wrong, 1 if not, 2 if it could not be tried.
 */
#include "load.h"

#include <fcntl.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define BATCH 16
#define BUF_CAP (64 * 1024)

/* A server that is silent for this long has lost a request. */
#define SILENCE_S 30

struct file {
	const char *name;
	const char *bytes;
	size_t len;
};

struct request {
	const struct file *file;
	bool head_only, partial;
	size_t first, last; /* of the range */
};

struct counts {
	unsigned long answered, lost, wrong, connections, refused, aborted,
	    abandoned;
};

/* One thread, and the connection that it has. */
struct client {
	pthread_t thread;
	uint64_t random;
	struct counts counts;
	int fd;
	size_t start, end; /* of what has come and was not looked at */
	char buf[BUF_CAP];
};

enum way {
	ASK_FOR_END,
	END_SENDING,
	CLOSE,
	RESET,
	/* From here on in the middle of something. */
	CLOSE_IN_ANSWERS,
	RESET_IN_ANSWERS,
	CLOSE_IN_HEAD,
	RESET_IN_HEAD,
	WAYS
};

static struct addrinfo *server;
static struct file *files;
static size_t files_len;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static unsigned long requests_left = 50000, connections_left = 1000;

static uint64_t
next_random(struct client *c)
{
	c->random ^= c->random << 13;
	c->random ^= c->random >> 7;
	c->random ^= c->random << 17;
	return c->random;
}

static size_t
below(struct client *c, size_t limit)
{
	return next_random(c) % limit;
}

/* Counts a wrong answer; where there is one, there may be many. */
static bool __attribute__((format(printf, 2, 3)))
wrong(struct client *c, const char *format, ...)
{
	va_list args;

	if (c->counts.wrong++ >= 3)
		return false;
	va_start(args, format);
	flockfile(stdout);
	vprintf(format, args);
	putchar('\n');
	funlockfile(stdout);
	va_end(args);
	return false;
}

/* ---- requests ---- */

/* The share of the next connection; 0 when all are given out. */
static unsigned long
take_share(struct client *c)
{
	unsigned long share = 0;

	pthread_mutex_lock(&lock);
	if (connections_left > 0) {
		unsigned long mean = requests_left / connections_left;

		/* Around the mean, and one at least for each that follows. */
		share = connections_left == 1 ? requests_left :
		    mean < 2                  ? mean :
						1 + below(c, 2 * mean - 1);
		connections_left--;
		requests_left -= share;
	}
	pthread_mutex_unlock(&lock);
	return share;
}

static struct request
choose_request(struct client *c)
{
	struct request r = { .file = &files[below(c, files_len)] };

	switch (below(c, 8)) {
	case 0:
		r.head_only = true;
		break;
	case 1:
		r.partial = true;
		r.first = below(c, r.file->len);
		r.last = r.first + below(c, r.file->len - r.first);
		break;
	}
	return r;
}

static size_t
write_request(const struct request *r, bool last, char *buf, size_t cap)
{
	char range[64] = "";

	if (r->partial)
		snprintf(range, sizeof(range), "Range: bytes=%zu-%zu\r\n",
		    r->first, r->last);
	return (size_t)snprintf(buf, cap,
	    "%s /%s HTTP/1.1\r\nHost: storm\r\n%s%s\r\n",
	    r->head_only ? "HEAD" : "GET", r->file->name, range,
	    last ? "Connection: close\r\n" : "");
}

/* Chooses and sends a number of requests at once. */
static bool
send_requests(
    struct client *c, size_t number, bool last, struct request *ret_requests)
{
	char block[BATCH * 256];
	size_t len = 0;

	for (size_t i = 0; i < number; i++) {
		ret_requests[i] = choose_request(c);
		len += write_request(&ret_requests[i], last && i + 1 == number,
		    block + len, sizeof(block) - len);
	}
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(c->fd, block + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		sent += (size_t)n;
	}
	return true;
}

/* ---- answers ---- */

static bool
receive(struct client *c)
{
	if (c->start > 0) {
		memmove(c->buf, c->buf + c->start, c->end - c->start);
		c->end -= c->start;
		c->start = 0;
	}
	ssize_t n = recv(c->fd, c->buf + c->end, BUF_CAP - c->end, 0);

	if (n <= 0)
		return false;
	c->end += (size_t)n;
	return true;
}

static bool
take_content(struct client *c, const char *bytes, size_t len)
{
	while (len > 0) {
		size_t n = c->end - c->start;

		if (n > len)
			n = len;
		if (memcmp(c->buf + c->start, bytes, n) != 0)
			return wrong(c, "the content differs");
		c->start += n;
		bytes += n;
		len -= n;
		if (len > 0 && !receive(c))
			return wrong(c, "%zu bytes of content are lost", len);
	}
	return true;
}

/* Whether the next answer is the one to this request, to the byte. */
static bool
take_answer(struct client *c, const struct request *r)
{
	char length[64];
	const char *bytes = r->file->bytes, *head, *end;
	size_t len = r->file->len;

	while ((end = memmem(c->buf + c->start, c->end - c->start, "\r\n\r\n",
		    4)) == NULL) {
		if (c->end - c->start == BUF_CAP || !receive(c))
			return wrong(
			    c, "an answer to %s is lost", r->file->name);
	}
	head = c->buf + c->start;
	c->start = (size_t)(end + 4 - c->buf);
	if (r->partial) {
		bytes += r->first;
		len = r->last - r->first + 1;
	}
	int length_len = snprintf(
	    length, sizeof(length), "\r\nContent-Length: %zu\r\n", len);
	if (strncmp(head, r->partial ? "HTTP/1.1 206 " : "HTTP/1.1 200 ", 13) !=
		0 ||
	    memmem(head, (size_t)(end + 2 - head), length,
		(size_t)length_len) == NULL)
		return wrong(c, "the answer to %s is %.*s", r->file->name,
		    (int)(end - head), head);
	return r->head_only || take_content(c, bytes, len);
}

static bool
take_end(struct client *c)
{
	char byte;

	if (c->start == c->end && recv(c->fd, &byte, 1, 0) == 0)
		return true;
	return wrong(c, "the connection does not end behind its last answer");
}

/* ---- connections ---- */

static bool
open_connection(struct client *c)
{
	struct timeval silence = { .tv_sec = SILENCE_S };

	c->fd = socket(server->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0)
		die("socket");
	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
	c->start = c->end = 0;
	c->counts.connections++;
	if (connect(c->fd, server->ai_addr, server->ai_addrlen) == 0)
		return true;
	c->counts.refused++;
	return false;
}

static void
reset_when_closed(struct client *c)
{
	struct linger at_once = { .l_onoff = 1 };

	setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static void
end_connection(struct client *c, enum way way)
{
	struct request requests[BATCH];
	size_t number;

	switch (way) {
	case ASK_FOR_END:
		take_end(c);
		break;
	case END_SENDING:
		shutdown(c->fd, SHUT_WR);
		take_end(c);
		break;
	case CLOSE_IN_ANSWERS:
	case RESET_IN_ANSWERS:
		number = 1 + below(c, BATCH);
		send_requests(c, number, false, requests);
		c->counts.abandoned += number;
		/* Some of what comes is looked at, some is not waited for. */
		if (below(c, 2) == 0)
			(void)!recv(c->fd, c->buf, 1 + below(c, BUF_CAP), 0);
		break;
	case CLOSE_IN_HEAD:
	case RESET_IN_HEAD:
		requests[0] = choose_request(c);
		number =
		    write_request(&requests[0], false, c->buf, sizeof(c->buf));
		(void)!send(
		    c->fd, c->buf, 1 + below(c, number - 1), MSG_NOSIGNAL);
		break;
	case CLOSE:
	case RESET:
	case WAYS:
		break;
	}
	if (way == RESET || way == RESET_IN_ANSWERS || way == RESET_IN_HEAD)
		reset_when_closed(c);
	c->counts.aborted += way >= CLOSE_IN_ANSWERS;
}

/* Whether all of a connection's share was answered. */
static bool
ask_share(struct client *c, unsigned long share, enum way way)
{
	struct request requests[BATCH];

	while (share > 0) {
		size_t number = 1 + below(c, BATCH), answered = 0;

		if (number > share)
			number = share;
		bool sent = send_requests(
		    c, number, way == ASK_FOR_END && number == share, requests);
		while (sent && answered < number &&
		    take_answer(c, &requests[answered]))
			answered++;
		c->counts.answered += answered;
		share -= answered;
		if (answered < number) {
			c->counts.lost += share;
			return false;
		}
	}
	return true;
}

static void *
run_client(void *arg)
{
	struct client *c = arg;
	unsigned long share;

	while ((share = take_share(c)) > 0) {
		enum way way = (enum way)below(c, WAYS);

		if (!open_connection(c))
			c->counts.lost += share;
		else if (ask_share(c, share, way))
			end_connection(c, way);
		close(c->fd);
	}
	return NULL;
}

static void
load(struct file *file, const char *directory, const char *name)
{
	char path[4096];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	file->name = name;
	file->len = (size_t)st.st_size;
	file->bytes = mmap(NULL, file->len, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file->bytes == MAP_FAILED)
		die(path);
	close(fd);
}

int
main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct counts sum = { 0 };
	unsigned long at_once = 32, wanted;
	uint64_t seed = (uint64_t)time(NULL);
	int option;

	while ((option = getopt(argc, argv, "n:c:j:s:")) != -1) {
		unsigned long number =
		    optarg == NULL ? 0 : strtoul(optarg, NULL, 10);

		switch (option) {
		case 'n':
			requests_left = number;
			break;
		case 'c':
			connections_left = number;
			break;
		case 'j':
			at_once = number;
			break;
		case 's':
			seed = number;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 4 || connections_left == 0 || at_once == 0 ||
	    requests_left < connections_left) {
		fprintf(stderr,
		    "usage: storm [-n REQUESTS] [-c CONNECTIONS] [-j AT_ONCE] "
		    "[-s SEED] ADDRESS PORT DIRECTORY NAME...\n");
		return 2;
	}
	if (getaddrinfo(argv[optind], argv[optind + 1], &hints, &server) != 0) {
		fprintf(stderr, "storm: %s port %s is no address\n",
		    argv[optind], argv[optind + 1]);
		return 2;
	}
	files_len = (size_t)(argc - optind - 3);
	files = calloc(files_len, sizeof(*files));
	struct client *clients = calloc(at_once, sizeof(*clients));
	if (files == NULL || clients == NULL)
		die("calloc");
	for (size_t i = 0; i < files_len; i++)
		load(&files[i], argv[optind + 2], argv[optind + 3 + (int)i]);

	wanted = requests_left;
	double begin = now_s();
	for (size_t i = 0; i < at_once; i++) {
		clients[i].random = 0x9e3779b97f4a7c15 * (seed + i + 1);
		if (pthread_create(
			&clients[i].thread, NULL, run_client, &clients[i]) != 0)
			die("pthread_create");
	}
	for (size_t i = 0; i < at_once; i++) {
		const struct counts *n = &clients[i].counts;

		pthread_join(clients[i].thread, NULL);
		sum.answered += n->answered;
		sum.lost += n->lost;
		sum.wrong += n->wrong;
		sum.connections += n->connections;
		sum.refused += n->refused;
		sum.aborted += n->aborted;
		sum.abandoned += n->abandoned;
	}
	printf("answered=%lu lost=%lu wrong=%lu connections=%lu refused=%lu "
	       "aborted=%lu abandoned=%lu seconds=%.1f seed=%llu\n",
	    sum.answered, sum.lost, sum.wrong, sum.connections, sum.refused,
	    sum.aborted, sum.abandoned, now_s() - begin,
	    (unsigned long long)seed);
	return sum.answered == wanted && sum.lost == 0 && sum.wrong == 0 &&
		sum.refused == 0 ?
	    0 :
	    1;
}
