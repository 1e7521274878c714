/*
 * Asks many times on one kept connection, in turns for many targets.
 *
 *	turns [-d DEPTH] [-p CPU] [-r REQUESTS] [-s STATUS] ADDRESS PORT TARGETS
 *
 * TARGETS is a file with one request target on each line.  Every target is
 * asked for once, one after the other, by which the server's caches are warm;
 * then REQUESTS (1000) in the order of the file, from its start again when it
 * is over, DEPTH (1) of them sent at once and the next when all of their
 * answers have arrived.  Each answer has to have the STATUS (200) and the
 * length that it says itself, and has to keep the connection.  -p keeps this
 * program on one CPU.
 *
 * The server's cost is for somebody else to read, so this program says "ready"
 * when it has warmed up and waits for a line before it begins; then it prints a
 * line of NAME=VALUE and waits for another before it closes the connection:
 *
 *	seconds		from the first byte sent to the last received
 *	cpu		of this program, in seconds
 *	body		bytes of all bodies together
 *
 * Exit status: 0; 2 with a sentence on standard error where an answer was not
 * as it should be.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* A server that is silent for this long does not answer any more. */
#define SILENCE_S 60

/* Requests one behind the other; request i begins at start[i]. */
struct requests {
	char *bytes;
	size_t *start;
	size_t number; /* of different ones; as many as DEPTH are there again */
};

/* Answers as they come: what is in buf has not been looked at. */
static char buf[256 * 1024];
static size_t have;
static uint64_t left; /* of the body of the answer that is under way */
static uint64_t bodies;
static char status[4] = "200";
static int fd;

static void
connect_to(const char *address, const char *port)
{
	struct timeval silence = { .tv_sec = SILENCE_S };

	fd = connect_to_port(address, port);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &silence, sizeof(silence));
}

/* ---- the requests ---- */

static void
add_request(struct requests *r, size_t *len, const char *target)
{
	char one[4096];
	int n = snprintf(one, sizeof(one),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"
	    "Accept: */*\r\n\r\n",
	    target);

	if ((size_t)n >= sizeof(one))
		die("a target is too long");
	r->bytes = realloc(r->bytes, *len + (size_t)n);
	r->start = realloc(r->start, (r->number + 2) * sizeof(*r->start));
	if (r->bytes == NULL || r->start == NULL)
		die("the requests do not fit");
	memcpy(r->bytes + *len, one, (size_t)n);
	r->start[r->number++] = *len;
	*len += (size_t)n;
	r->start[r->number] = *len;
}

/*
 * Reads the targets.  The first ones are there again at the end, so that DEPTH
 * requests from any of them on are one piece.
 */
static void
load_requests(const char *path, size_t depth, struct requests *r)
{
	FILE *f = fopen(path, "re");
	char line[4096];
	size_t len = 0, number, bytes;

	if (f == NULL)
		die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), f) != NULL) {
		line[strcspn(line, "\n")] = '\0';
		add_request(r, &len, line);
	}
	fclose(f);
	if (r->number == 0)
		die("%s: there is no target in it", path);
	number = r->number;
	for (size_t i = 0; i < depth; i++) {
		bytes = r->start[i + 1] - r->start[i];
		r->bytes = realloc(r->bytes, len + bytes);
		r->start =
		    realloc(r->start, (r->number + 2) * sizeof(*r->start));
		if (r->bytes == NULL || r->start == NULL)
			die("the requests do not fit");
		memcpy(r->bytes + len, r->bytes + r->start[i], bytes);
		len += bytes;
		r->start[++r->number] = len;
	}
	r->number = number;
}

/* ---- the answers ---- */

/* Looks at a head whose last line ends before end; the body's length. */
static uint64_t
check_head(char *head, char *end)
{
	static const char length[] = "\nContent-Length:";
	const char *field;
	uint64_t len = 0;

	*end = '\0';
	field = strcasestr(head, length);
	if (field != NULL)
		len = strtoull(field + sizeof(length) - 1, NULL, 10);
	if (strncmp(head, "HTTP/1.1 ", 9) != 0 ||
	    strncmp(head + 9, status, 3) != 0 || field == NULL ||
	    strcasestr(head, "\nConnection: close") != NULL)
		die("wanted: %s with a length, kept; got: %s", status, head);
	return len;
}

/* Takes what has come off buf; returns how many answers end in it. */
static size_t
count_answers(void)
{
	char *at = buf, *end = buf + have;
	size_t answers = 0;

	while (at < end || left > 0) {
		if (left > (uint64_t)(end - at)) {
			left -= (uint64_t)(end - at);
			at = end;
			break;
		}
		at += left;
		if (left > 0) {
			left = 0;
			answers++;
			continue;
		}

		char *behind = memmem(at, (size_t)(end - at), "\r\n\r\n", 4);
		if (behind == NULL)
			break;
		left = check_head(at, behind);
		bodies += left;
		at = behind + 4;
		if (left == 0)
			answers++;
	}
	have = (size_t)(end - at);
	if (have == sizeof(buf))
		die("a head of more than %zu bytes", have);
	memmove(buf, at, have);
	return answers;
}

static size_t
receive(int flags)
{
	ssize_t n = recv(fd, buf + have, sizeof(buf) - have, flags);

	if (n < 0 && (errno == EINTR || (flags != 0 && errno == EAGAIN)))
		return 0;
	if (n <= 0)
		die("the connection ended: %s",
		    n == 0 ? "closed" : strerror(errno));
	have += (size_t)n;
	return count_answers();
}

/* Sends requests and receives the answers, while it still sends if it has to. */
static void
exchange(const char *bytes, size_t len, size_t number)
{
	size_t sent = 0, answers = 0;
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	while (sent < len) {
		ssize_t n = send(
		    fd, bytes + sent, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			sent += (size_t)n;
		} else if (errno == EAGAIN) {
			if (poll(&p, 1, SILENCE_S * 1000) == 0)
				die("the server takes nothing");
			if (p.revents & POLLIN)
				answers += receive(MSG_DONTWAIT);
		} else if (errno != EINTR) {
			die("send: %s", strerror(errno));
		}
	}
	while (answers < number)
		answers += receive(0);
	if (answers > number || have > 0 || left > 0)
		die("more came than was asked for");
}

static void
run(const struct requests *r, size_t from, size_t number)
{
	exchange(r->bytes + r->start[from],
	    r->start[from + number] - r->start[from], number);
}

static void
wait_for_line(void)
{
	char c;

	while (read(STDIN_FILENO, &c, 1) == 1 && c != '\n')
		;
}

int
main(int argc, char **argv)
{
	struct requests r = { 0 };
	long depth = 1, requests = 1000;
	int64_t begin, cpu;
	int option;

	while ((option = getopt(argc, argv, "d:p:r:s:")) != -1)
		switch (option) {
		case 'd':
			depth = atol(optarg);
			break;
		case 'p':
			pin(0, (unsigned)atoi(optarg));
			break;
		case 'r':
			requests = atol(optarg);
			break;
		case 's':
			snprintf(status, sizeof(status), "%s", optarg);
			break;
		default:
			return 2;
		}
	if (argc - optind != 3 || depth < 1 || requests < depth)
		die("usage: turns [-d DEPTH] [-p CPU] [-r REQUESTS] [-s STATUS] "
		    "ADDRESS PORT TARGETS");
	load_requests(argv[optind + 2], (size_t)depth, &r);
	connect_to(argv[optind], argv[optind + 1]);
	for (size_t i = 0; i < r.number; i++)
		run(&r, i, 1);
	puts("ready");
	fflush(stdout);
	wait_for_line();

	bodies = 0;
	cpu = own_cpu_ns();
	begin = now_ns();
	for (long i = 0; i + depth <= requests; i += depth)
		run(&r, (size_t)i % r.number, (size_t)depth);
	printf("seconds=%.9f cpu=%.9f body=%llu\n",
	    (double)(now_ns() - begin) / 1e9,
	    (double)(own_cpu_ns() - cpu) / 1e9, (unsigned long long)bodies);
	fflush(stdout);
	wait_for_line();
	return 0;
}
