/*
 * Downloads a file, over several connections at once, and throws it away.
 *
 *	fetch [-n CONNECTIONS] [-p CPU] [-k FILE] ADDRESS PORT TARGET LENGTH
 *
 * Each of CONNECTIONS (1) is opened, asks once for TARGET with "Connection:
 * close", and is read to its end.  The answer has to be a 200 whose
 * Content-Length, and whose number of bytes, is LENGTH.  The bytes themselves
 * are not looked at: behind the head they are received with MSG_TRUNC, by which
 * TCP takes them off its queue without copying them, so that this program is
 * hardly ever what a server waits for.  -p keeps it on one CPU.
 *
 * With -k the connections are there before: on each FILE, which has to be at
 * the root of the server's tree, is asked for and compared, and they are kept
 * behind both answers.  The server's cost is for somebody else to read, so this
 * program then says "ready" and waits for a line before it begins, and for
 * another when it has printed what it measured.
 *
 * Output: one line of NAME=VALUE,
 *
 *	seconds		from before the first connection is asked for, with -k
 *			from the first request for TARGET, until the last byte
 *			of the last answer
 *	body		the same, from the first head on
 *	cpu		of this program, in seconds; the kernel's work for TCP
 *			is not all in it, nor in the server's: over loopback
 *			who sends also receives
 *
 * Exit status: 0; 2 with a sentence on standard error where anything else came
 * than what was asked for.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 64

/* A server that sends nothing for this long does not send any more. */
#define SILENCE_MS 60000

/* What one call takes at most. */
#define TAKE_MAX ((size_t)1 << 30)

struct download {
	char head[4096];
	size_t len; /* of what is in head */
	uint64_t got; /* bytes of the body */
	bool in_body;
	bool ended;
};

static struct download downloads[CONNECTIONS_MAX];
static struct pollfd fds[CONNECTIONS_MAX];
static uint64_t wanted;
static bool kept;
static int64_t begin_ns, head_ns, end_ns;

/* Looks at a head that ends at d->head + end. */
static void
check_head(struct download *d, size_t end)
{
	static const char name[] = "\nContent-Length:";
	const char *field;

	d->head[end - 1] = '\0';
	field = strcasestr(d->head, name);
	if (strncmp(d->head, "HTTP/1.", 7) != 0 ||
	    strncmp(d->head + 8, " 200 ", 5) != 0 || field == NULL ||
	    strtoull(field + sizeof(name) - 1, NULL, 10) != wanted)
		die("wanted: 200, %llu bytes; got: %s",
		    (unsigned long long)wanted, d->head);
}

/* Takes a part of the head, and of the body what came with it. */
static ssize_t
take_head(struct download *d, int fd)
{
	ssize_t n =
	    recv(fd, d->head + d->len, sizeof(d->head) - d->len, MSG_DONTWAIT);
	const char *end;

	if (n <= 0)
		return n;
	if (head_ns == 0)
		head_ns = now_ns();
	d->len += (size_t)n;
	end = memmem(d->head, d->len, "\r\n\r\n", 4);
	if (end == NULL) {
		if (d->len == sizeof(d->head))
			die("a head of more than %zu bytes", d->len);
		return n;
	}
	d->in_body = true;
	d->got = d->len - (size_t)(end + 4 - d->head);
	check_head(d, (size_t)(end + 4 - d->head));
	return n;
}

/* Takes what is there. */
static void
take(struct download *d, int fd)
{
	ssize_t n;

	if (!d->in_body) {
		n = take_head(d, fd);
	} else {
		/* cppcheck-suppress nullPointer ; nothing is copied there */
		n = recv(fd, NULL, TAKE_MAX, MSG_TRUNC | MSG_DONTWAIT);
		if (n > 0)
			d->got += (uint64_t)n;
	}
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		die("recv: %s", strerror(errno));
	if (d->got == wanted && n > 0)
		end_ns = now_ns();
	if (d->got > wanted || (n == 0 && d->got < wanted))
		die("wanted: %llu bytes; got: %llu%s",
		    (unsigned long long)wanted, (unsigned long long)d->got,
		    n == 0 ? " and the end" : "");
	d->ended = n == 0 || (kept && d->got == wanted);
}

/* Asks for a small file on every connection that is open. */
static void
warm_up(const char *path, long connections)
{
	static struct reader reader;
	struct expect expect;
	const char *slash = strrchr(path, '/');
	char request[1024];
	int len = snprintf(request, sizeof(request),
	    "GET /%s HTTP/1.1\r\nHost: localhost\r\n\r\n",
	    slash != NULL ? slash + 1 : path);

	if ((size_t)len >= sizeof(request))
		die("the name is too long: %s", path);
	expect_load(path, &expect);
	for (long i = 0; i < connections; i++) {
		send_all(fds[i].fd, request, (size_t)len);
		reader_init(&reader, fds[i].fd);
		reader_take_answer(&reader, &expect, true);
	}
}

static void
wait_for_line(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		;
}

static void
open_all(const char *address, const char *port, long connections)
{
	for (long i = 0; i < connections; i++) {
		fds[i].fd = connect_to_port(address, port);
		fds[i].events = POLLIN;
	}
}

int
main(int argc, char **argv)
{
	char request[1024];
	const char *first = NULL;
	long connections = 1, ended = 0;
	int64_t cpu;
	int option, len;

	while ((option = getopt(argc, argv, "k:n:p:")) != -1)
		switch (option) {
		case 'k':
			first = optarg;
			kept = true;
			break;
		case 'n':
			connections = atol(optarg);
			break;
		case 'p':
			pin(0, (unsigned)atoi(optarg));
			break;
		default:
			return 2;
		}
	if (argc - optind != 4 || connections < 1 ||
	    connections > CONNECTIONS_MAX)
		die("usage: fetch [-n CONNECTIONS] [-p CPU] [-k FILE] ADDRESS "
		    "PORT TARGET LENGTH");
	wanted = strtoull(argv[optind + 3], NULL, 10);
	len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"
	    "Accept: */*\r\n%s\r\n",
	    argv[optind + 2], kept ? "" : "Connection: close\r\n");
	if ((size_t)len >= sizeof(request))
		die("the target is too long");

	if (kept) {
		open_all(argv[optind], argv[optind + 1], connections);
		warm_up(first, connections);
		puts("ready");
		fflush(stdout);
		wait_for_line();
	}
	cpu = own_cpu_ns();
	begin_ns = now_ns();
	if (!kept)
		open_all(argv[optind], argv[optind + 1], connections);
	for (long i = 0; i < connections; i++)
		send_all(fds[i].fd, request, (size_t)len);
	while (ended < connections) {
		int ready = poll(fds, (nfds_t)connections, SILENCE_MS);

		if (ready == 0)
			die("the server has been silent for a minute");
		if (ready < 0 && errno != EINTR)
			die("poll: %s", strerror(errno));
		for (long i = 0; i < connections; i++) {
			if (fds[i].revents == 0)
				continue;
			take(&downloads[i], fds[i].fd);
			if (downloads[i].ended) {
				if (!kept)
					close(fds[i].fd);
				fds[i].fd = -1;
				fds[i].revents = 0;
				ended++;
			}
		}
	}
	printf("seconds=%.6f body=%.6f cpu=%.6f\n",
	    (double)(end_ns - begin_ns) / 1e9, (double)(end_ns - head_ns) / 1e9,
	    (double)(own_cpu_ns() - cpu) / 1e9);
	fflush(stdout);
	if (kept)
		wait_for_line();
	return 0;
}
