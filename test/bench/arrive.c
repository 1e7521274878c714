/*
 * Measures what it costs a spawner to start a process for each connection, for
 * one service that listens on a port of its own, or for two in turns.
 *
 *	arrive [-c CLIENTS] [-n CONNECTIONS] [-s STARTS] [-u CPU-STAT]
 *		[-f FILE] [-t TARGET] A-SERVER [-- B-SERVER]
 *
 * Each server is written @ADDRESS:PORT,PID.  One after the other, in random
 * order, they take STARTS connections one at a time, each after a pause in
 * which what the connection before left behind is cleared away, and then
 * CONNECTIONS connections of which CLIENTS are open at any time.  A connection
 * asks once, and its answer is compared with FILE.  A few connections before
 * the clock starts keep what the other side left behind out of the figures.
 *
 * Output: for each side, in the order they were named, a row of connections
 * per second, the median microseconds from connecting to the first byte of
 * the answer (0 where STARTS is 0), and the microseconds of CPU for each of
 * the CONNECTIONS in all of the control group whose cpu.stat is CPU-STAT.
 *
 * Exit status: 0 when all was measured; 2 when it was not, and for a usage
 * error.
 */
#include "measure.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MAX_CLIENTS 8
#define WARM_UP 3
#define PAUSE_NS 10000000

struct plan {
	struct expect expect;
	char request[1024];
	const char *cpu_stat;
	long clients, connections, starts;
};

struct figures {
	double rate, start_us, cpu_us;
};

static struct conn conns[MAX_CLIENTS];
static struct reader reader;

static void
open_and_ask(
    const struct side *side, const struct plan *plan, struct conn *ret_conn)
{
	conn_open(side, -1, ret_conn);
	send_all(ret_conn->fd, plan->request, strlen(plan->request));
}

static void
take_and_close(struct conn *conn, const struct plan *plan)
{
	struct usage ignored;

	reader_init(&reader, conn->fd);
	reader_take_answer(&reader, &plan->expect, true);
	reader_take_end(&reader);
	conn_close(conn, &ignored);
}

/* Waits until an answer begins to arrive, and returns whose. */
static struct conn *
wait_for_answer(size_t clients)
{
	struct pollfd fds[MAX_CLIENTS];

	for (size_t i = 0; i < clients; i++)
		fds[i] = (struct pollfd){ conns[i].fd, POLLIN, 0 };
	if (poll(fds, clients, -1) < 0)
		die("poll: %s", strerror(errno));
	for (size_t i = 0; i < clients; i++)
		if (fds[i].revents != 0)
			return &conns[i];
	die("poll has nothing to say");
}

/* Microseconds of CPU that the control group has used. */
static double
cpu_us(const char *cpu_stat)
{
	FILE *file = fopen(cpu_stat, "r");
	double us;

	if (file == NULL || fscanf(file, "usage_usec %lf", &us) != 1)
		die("%s: no usage_usec: %s", cpu_stat, strerror(errno));
	fclose(file);
	return us;
}

static double
measure_starts(const struct side *side, const struct plan *plan)
{
	struct series us = { 0 };
	double median;

	if (plan->starts == 0)
		return 0;
	for (long i = -WARM_UP; i < plan->starts; i++) {
		int64_t before = now_ns();

		open_and_ask(side, plan, &conns[0]);
		wait_for_answer(1);
		if (i >= 0)
			series_add(&us, (double)(now_ns() - before) / 1e3);
		take_and_close(&conns[0], plan);
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
	}
	series_sort(&us);
	median = series_quantile(&us, 0.5);
	free(us.v);
	return median;
}

static void
measure_rate(
    const struct side *side, const struct plan *plan, struct figures *figures)
{
	size_t clients = (size_t)plan->clients;
	int64_t before = 0;
	double cpu_before = 0;
	struct conn *conn;

	for (size_t i = 0; i < clients; i++)
		open_and_ask(side, plan, &conns[i]);
	for (long i = -WARM_UP * plan->clients; i < plan->connections; i++) {
		if (i == 0) {
			before = now_ns();
			cpu_before = cpu_us(plan->cpu_stat);
		}
		conn = wait_for_answer(clients);
		take_and_close(conn, plan);
		open_and_ask(side, plan, conn);
	}
	figures->rate =
	    (double)plan->connections / ((double)(now_ns() - before) / 1e9);
	figures->cpu_us =
	    (cpu_us(plan->cpu_stat) - cpu_before) / (double)plan->connections;
	for (size_t i = 0; i < clients; i++)
		take_and_close(&conns[i], plan);
}

int
main(int argc, char **argv)
{
	struct side sides[2] = { 0 };
	struct figures figures[2];
	struct plan plan = { .clients = 4, .connections = 100, .starts = 20 };
	const char *file = "1k.txt", *target = "/1k.txt";
	size_t count;
	int opt, first;

	while ((opt = getopt(argc, argv, "+c:n:s:u:f:t:")) != -1)
		switch (opt) {
		case 'c':
			plan.clients = atol(optarg);
			break;
		case 'n':
			plan.connections = atol(optarg);
			break;
		case 's':
			plan.starts = atol(optarg);
			break;
		case 'u':
			plan.cpu_stat = optarg;
			break;
		case 'f':
			file = optarg;
			break;
		case 't':
			target = optarg;
			break;
		default:
			return 2;
		}
	if (argc - optind == 1) {
		side_parse_server(argv[optind], &sides[0]);
		count = 1;
	} else {
		count = sides_parse(argv + optind, 2, sides);
	}
	if (sides[0].argv != NULL || sides[1].argv != NULL)
		die("arrive wants servers that listen");
	if (plan.clients < 1 || plan.clients > MAX_CLIENTS ||
	    plan.connections < 1 || plan.starts < 0 || plan.cpu_stat == NULL)
		die("arrive wants 1 to %d clients, a connection or more, and "
		    "a cpu.stat",
		    MAX_CLIENTS);
	expect_load(file, &plan.expect);
	snprintf(plan.request, sizeof(plan.request),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"
	    "Accept: */*\r\nConnection: close\r\n\r\n",
	    target);

	first = count == 1 ? 0 : coin();
	for (int turn = 0; turn < (int)count; turn++) {
		int which = first ^ turn;

		figures[which].start_us = measure_starts(&sides[which], &plan);
		measure_rate(&sides[which], &plan, &figures[which]);
	}
	for (size_t i = 0; i < count; i++)
		printf("%.1f\t%.0f\t%.0f\n", figures[i].rate,
		    figures[i].start_us, figures[i].cpu_us);
	return 0;
}
