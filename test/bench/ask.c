/*
 * Asks a server that listens, as fast as it answers, on several connections.
 *
 *	ask [-k] [-c CONNECTIONS] [-d DEPTH] [-m MILLISECONDS] [-s STATUS]
 *		[-f FILE] [-t TARGET] [-H FIELD] ADDRESS PORT
 *
 * Each of the CONNECTIONS has one request under way at any time, and asks again
 * as soon as it is answered.  Without -k every request has a connection of its
 * own, and is answered when the server has closed it.  With -k the connections
 * are kept, and DEPTH requests are sent at a time, the next ones when all of
 * their answers are there.  FIELD is a field more of each request.  Every
 * answer has to have STATUS (200), and, if that is 200, FILE as its content.
 *
 * Kept connections are opened, and asked once each, before "ready" is printed;
 * the load begins when a line comes by standard input.  It lasts for
 * MILLISECONDS, or until a connection has had MAX_ANSWERS, and for the answers
 * still under way, and then a line is printed with, as name=value,
 *
 *	answers, seconds	how many came in what time
 *	client-cpu		microseconds of CPU of this client for each
 *	p50 p90 p99 p99.9 max	microseconds from a send to the last answer of
 *				its DEPTH; without -k from connecting to the end
 *
 * and the connections are kept until standard input ends.  So whoever reads
 * clocks of the server between these lines reads what answers cost, and neither
 * setting up nor closing.  No more than CLOSE_AT_ONCE are closed at once;
 * test/tools/hold.c says why.
 *
 * Exit status: 0; 2, with a sentence, when anything was not as it should be.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define MAX_CLIENTS 1024
#define CLOSE_AT_ONCE 50

/* lighttpd ends a connection after at most 65535. */
#define MAX_ANSWERS 60000

struct plan {
	struct side server;
	struct expect expect;
	char *block; /* depth requests, one after the other */
	size_t one_len, depth;
	int status;
	bool kept;
};

struct client {
	struct conn conn;
	int64_t sent;
	size_t wanted; /* answers that are still to come */
	size_t had; /* those that the connection has had */
	size_t head_len;
	size_t done, len; /* of the content */
	bool in_content, to_end;
	char head[8192];
};

static struct client clients[MAX_CLIENTS];
static unsigned char buf[256 * 1024];
static struct series latency;
static size_t answers;

/* The value of a field of the head, NULL where it is not there. */
static const char *
field(const char *head, const char *name)
{
	for (const char *line = strchr(head, '\n'); line != NULL;
	     line = strchr(line + 1, '\n'))
		if (strncasecmp(line + 1, name, strlen(name)) == 0)
			return line + 1 + strlen(name);
	return NULL;
}

/* Reads the complete head, and says what content is to follow. */
static void
take_head(struct client *client, const struct plan *plan)
{
	const char *length;

	client->head[client->head_len - 1] = '\0';
	if (client->head_len < 13 || strncmp(client->head, "HTTP/1.", 7) != 0 ||
	    atoi(client->head + 9) != plan->status)
		die("wanted status %d, got: %.60s", plan->status, client->head);
	length = field(client->head, "content-length:");
	client->in_content = true;
	client->head_len = client->done = client->len = 0;
	client->to_end = false;
	if (plan->status == 304)
		return;
	if (length != NULL)
		client->len = strtoull(length, NULL, 10);
	else if (plan->kept)
		die("an answer has no Content-Length");
	else if (plan->status == 200)
		client->len = plan->expect.len;
	else
		client->to_end = true;
	if (plan->status == 200 && client->len != plan->expect.len)
		die("wanted %zu bytes, the answer has %zu", plan->expect.len,
		    client->len);
}

/* Adds to the head what belongs to it, and returns how much that is. */
static size_t
add_to_head(struct client *client, size_t at, size_t n, const struct plan *plan)
{
	size_t had = client->head_len, from = had < 3 ? 0 : had - 3;
	size_t room = sizeof(client->head) - had;
	const char *end;

	memcpy(client->head + had, buf + at, n < room ? n : room);
	client->head_len += n < room ? n : room;
	end =
	    memmem(client->head + from, client->head_len - from, "\r\n\r\n", 4);
	if (end == NULL) {
		if (client->head_len == sizeof(client->head))
			die("the head of an answer is too long");
		return n;
	}
	client->head_len = (size_t)(end - client->head) + 4;
	n = client->head_len - had;
	take_head(client, plan);
	return n;
}

/* Takes what has arrived, n bytes of buf. */
static void
take(struct client *client, size_t n, const struct plan *plan)
{
	for (size_t at = 0; at < n || client->in_content;) {
		size_t some = n - at;

		if (!client->in_content) {
			if (client->wanted == 0)
				die("bytes behind the last answer");
			at += add_to_head(client, at, some, plan);
			continue;
		}
		if (client->to_end)
			return;
		if (some > client->len - client->done)
			some = client->len - client->done;
		if (plan->status == 200 &&
		    memcmp(buf + at, plan->expect.bytes + client->done, some) !=
			0)
			die("a wrong byte within %zu to %zu", client->done,
			    client->done + some);
		at += some;
		client->done += some;
		if (client->done < client->len)
			return;
		client->in_content = false;
		client->wanted--;
		client->had++;
		answers++;
	}
}

static void
ask(struct client *client, const struct plan *plan, size_t depth)
{
	client->wanted = depth;
	client->sent = now_ns();
	send_all(client->conn.fd, plan->block, depth * plan->one_len);
}

static void
open_and_watch(int epoll, struct client *client, const struct plan *plan)
{
	struct epoll_event event = {
		.events = EPOLLIN,
		.data.ptr = client,
	};

	conn_open(&plan->server, -1, &client->conn);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->conn.fd, &event) < 0)
		die("epoll_ctl: %s", strerror(errno));
}

/* A connection for one request; its time begins before it does. */
static void
open_and_ask(int epoll, struct client *client, const struct plan *plan)
{
	int64_t before = now_ns();

	client->in_content = false;
	client->head_len = client->had = 0;
	open_and_watch(epoll, client, plan);
	ask(client, plan, 1);
	client->sent = before;
}

/*
 * Goes on with a client whose answers are all there; false if it is to rest,
 * since the time is over.
 */
static bool
go_on(
    int epoll, struct client *client, const struct plan *plan, int64_t deadline)
{
	int64_t now = now_ns();

	series_add(&latency, (double)(now - client->sent) / 1e3);
	if (!plan->kept)
		close(client->conn.fd);
	if (now >= deadline || client->had + plan->depth > MAX_ANSWERS)
		return false;
	if (plan->kept)
		ask(client, plan, plan->depth);
	else
		open_and_ask(epoll, client, plan);
	return true;
}

/* Takes answers until no client has one to come. */
static void
serve_all(int epoll, size_t busy, const struct plan *plan, int64_t deadline)
{
	struct epoll_event events[64];

	while (busy > 0) {
		int count = epoll_wait(epoll, events, 64, -1);

		if (count < 0)
			die("epoll_wait: %s", strerror(errno));
		for (int i = 0; i < count; i++) {
			struct client *client = events[i].data.ptr;
			ssize_t n = recv(client->conn.fd, buf, sizeof(buf), 0);

			if (n < 0)
				die("recv: %s", strerror(errno));
			take(client, (size_t)n, plan);
			if (n == 0 && client->in_content && client->to_end) {
				client->wanted--;
				answers++;
			}
			if (n == 0 && (plan->kept || client->wanted > 0))
				die("a connection ended before its answer");
			if (client->wanted == 0 && (plan->kept || n == 0) &&
			    !go_on(epoll, client, plan, deadline))
				busy--;
		}
	}
}

static double
own_cpu_us(void)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	return (double)(used.ru_utime.tv_sec + used.ru_stime.tv_sec) * 1e6 +
	    (double)(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
}

/* Ends kept connections, some at a time, and sees the server end its side. */
static void
close_all(size_t count)
{
	for (size_t from = 0; from < count; from += CLOSE_AT_ONCE) {
		size_t to = from + CLOSE_AT_ONCE;

		if (to > count)
			to = count;
		for (size_t i = from; i < to; i++)
			shutdown(clients[i].conn.fd, SHUT_WR);
		for (size_t i = from; i < to; i++) {
			while (
			    recv(clients[i].conn.fd, buf, sizeof(buf), 0) > 0)
				continue;
			close(clients[i].conn.fd);
		}
	}
}

/* Makes depth copies of the request, to be sent at once. */
static void
plan_requests(struct plan *plan, const char *target, const char *more)
{
	char one[2048];
	int len = snprintf(one, sizeof(one),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"
	    "Accept: */*\r\n%s%s%s\r\n",
	    target, more, *more == '\0' ? "" : "\r\n",
	    plan->kept ? "" : "Connection: close\r\n");

	plan->one_len = (size_t)len;
	plan->block = malloc(plan->depth * plan->one_len);
	if (plan->one_len >= sizeof(one) || plan->block == NULL)
		die("the requests do not fit");
	for (size_t i = 0; i < plan->depth; i++)
		memcpy(plan->block + i * plan->one_len, one, plan->one_len);
}

static void
print_results(double seconds, double cpu_us)
{
	static const struct {
		const char *name;
		double p;
	} tails[] = {
		{ "p50", 0.5 },
		{ "p90", 0.9 },
		{ "p99", 0.99 },
		{ "p99.9", 0.999 },
		{ "max", 1 },
	};

	printf("answers=%zu seconds=%.6f client-cpu=%.3f", answers, seconds,
	    cpu_us / (double)answers);
	series_sort(&latency);
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		printf(" %s=%.1f", tails[i].name,
		    series_quantile(&latency, tails[i].p));
	putchar('\n');
	fflush(stdout);
}

int
main(int argc, char **argv)
{
	struct plan plan = { .depth = 1, .status = 200 };
	const char *file = NULL, *target = "/1k.txt", *more = "";
	size_t count = 1;
	long ms = 1000;
	int64_t start;
	double cpu;
	int epoll, opt;

	while ((opt = getopt(argc, argv, "kc:d:m:s:f:t:H:")) != -1)
		switch (opt) {
		case 'k':
			plan.kept = true;
			break;
		case 'c':
			count = strtoul(optarg, NULL, 10);
			break;
		case 'd':
			plan.depth = strtoul(optarg, NULL, 10);
			break;
		case 'm':
			ms = atol(optarg);
			break;
		case 's':
			plan.status = atoi(optarg);
			break;
		case 'f':
			file = optarg;
			break;
		case 't':
			target = optarg;
			break;
		case 'H':
			more = optarg;
			break;
		default:
			return 2;
		}
	plan.server.address.sin_family = AF_INET;
	if (optind + 2 != argc ||
	    inet_pton(AF_INET, argv[optind], &plan.server.address.sin_addr) !=
		1)
		die("ask wants an address and a port");
	plan.server.address.sin_port = htons((uint16_t)atoi(argv[optind + 1]));
	if (count < 1 || count > MAX_CLIENTS || plan.depth < 1 ||
	    (!plan.kept && plan.depth > 1))
		die("ask wants 1 to %d connections; -d goes with -k",
		    MAX_CLIENTS);
	if (plan.status == 200) {
		if (file == NULL)
			die("ask wants a file to compare with");
		expect_load(file, &plan.expect);
	}
	plan_requests(&plan, target, more);
	epoll = epoll_create1(EPOLL_CLOEXEC);

	if (plan.kept) {
		for (size_t i = 0; i < count; i++) {
			open_and_watch(epoll, &clients[i], &plan);
			ask(&clients[i], &plan, 1);
		}
		serve_all(epoll, count, &plan, 0);
		answers = latency.len = 0;
	}
	puts("ready");
	fflush(stdout);
	if (getchar() == EOF)
		die("nobody wants the load");
	cpu = own_cpu_us();
	start = now_ns();
	for (size_t i = 0; i < count; i++)
		if (plan.kept)
			ask(&clients[i], &plan, plan.depth);
		else
			open_and_ask(epoll, &clients[i], &plan);
	serve_all(epoll, count, &plan, start + ms * INT64_C(1000000));
	print_results((double)(now_ns() - start) / 1e9, own_cpu_us() - cpu);
	while (getchar() != EOF)
		continue;
	if (plan.kept)
		close_all(count);
	return 0;
}
