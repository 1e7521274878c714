/*
 * Measures requests on one kept connection, small answers and large.
 *
 *	kept [-n PAIRS] [-r REQUESTS] [-d DEPTH] [-f FILE] [-t TARGET] [-1]
 *		[-l LOG] [-a NAME] [-b NAME] [-p CPU,CPU]
 *		A-SERVER -- B-SERVER
 *
 * A-SERVER and B-SERVER are each a command, to be spawned on an accepted
 * connection, or @ADDRESS:PORT,PID of a server that listens.  In each of PAIRS
 * pairs both answer REQUESTS requests on one connection, in random order of
 * the two.  DEPTH requests are sent at a time, and the next ones when all of
 * their answers have arrived.  One answer before the clock starts takes the
 * connection's set-up out of the figure.  -p keeps this client on the first CPU
 * named and the servers on the second.
 *
 * Every answer is compared with FILE; with -1 only the first of each segment
 * is, and the others are counted, for a comparison of 100 MB would be measured
 * too.
 *
 * Output: rows as described in measure.h.  "rate" is answers per second;
 * "bytes" body bytes per second; "cpu" the server's time per answer;
 * "latency" the time from a send to the end of its DEPTH answers, over all
 * segments; "stalls" counts those of STALL_US and more, which Nagle's
 * algorithm against a delayed acknowledgement gives (40 ms); "own-memory"
 * is what the idle server has written to and shares with nobody.  Segments of
 * one round have no latency worth the name.
 */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define STALL_US 35000

static struct reader reader;

struct plan {
	const struct expect *expect;
	char *block; /* depth requests, one after the other */
	size_t one_len; /* length of one of them */
	size_t depth;
	size_t rounds;
	bool first_only;
	bool pinned;
	unsigned client_cpu, server_cpu;
	int log_fd;
};

struct results {
	struct series rate, bytes, cpu, latency, memory;
	size_t stalls;
};

static void
run_segment(
    const struct side *side, const struct plan *plan, struct results *results)
{
	size_t answers = plan->rounds * plan->depth;
	struct conn conn = { 0 };
	struct usage ignored;
	int64_t start, cpu_start, sent, got = 0;
	double wall_s;

	conn_open(side, plan->log_fd, &conn);
	if (plan->pinned)
		pin(conn.pid, plan->server_cpu);
	reader_init(&reader, conn.fd);
	send_all(conn.fd, plan->block, plan->one_len);
	reader_take_answer(&reader, plan->expect, true);

	cpu_start = conn_cpu_ns(&conn);
	start = sent = now_ns();
	for (size_t i = 0; i < plan->rounds; i++) {
		send_all(conn.fd, plan->block, plan->depth * plan->one_len);
		for (size_t j = 0; j < plan->depth; j++)
			reader_take_answer(
			    &reader, plan->expect, !plan->first_only);
		got = now_ns();
		series_add(&results->latency, (double)(got - sent) / 1e3);
		if (got - sent >= STALL_US * INT64_C(1000))
			results->stalls++;
		sent = got;
	}
	wall_s = (double)(got - start) / 1e9;
	series_add(&results->cpu,
	    (double)(conn_cpu_ns(&conn) - cpu_start) / 1e3 / (double)answers);
	series_add(&results->rate, (double)answers / wall_s);
	series_add(&results->bytes,
	    (double)answers * (double)plan->expect->len / wall_s);
	series_add(&results->memory, conn_own_memory_kib(&conn));
	conn_close(&conn, &ignored);
}

/* Makes depth copies of the request, to be sent at once. */
static void
plan_requests(struct plan *plan, const char *target)
{
	char one[1024];

	plan->one_len = (size_t)snprintf(one, sizeof(one),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"
	    "Accept: */*\r\n\r\n",
	    target);
	plan->block = malloc(plan->depth * plan->one_len);
	if (plan->one_len >= sizeof(one) || plan->block == NULL)
		die("the requests do not fit");
	for (size_t i = 0; i < plan->depth; i++)
		memcpy(plan->block + i * plan->one_len, one, plan->one_len);
}

static void
print_latency(struct results *results, const char *name)
{
	static const struct {
		const char *name;
		double p;
	} tails[] = {
		{ "latency-p90", 0.90 },
		{ "latency-p99", 0.99 },
		{ "latency-p99.9", 0.999 },
	};
	struct series *latency = &results->latency;

	series_print(latency, name, "latency", "us");
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++)
		value_print(name, tails[i].name, "us", latency->len,
		    series_quantile(latency, tails[i].p));
	value_print(
	    name, "stalls", "rounds", latency->len, (double)results->stalls);
}

int
main(int argc, char **argv)
{
	struct side sides[2] = { { .name = "A" }, { .name = "B" } };
	struct results results[2] = { 0 };
	struct plan plan = { .depth = 1 };
	struct expect expect;
	const char *file = "1k.txt", *target = "/1k.txt", *log = "/dev/null";
	long pairs = 20, requests = 5000, depth = 1;
	int opt;

	while ((opt = getopt(argc, argv, "+n:r:d:f:t:1l:a:b:p:")) != -1)
		switch (opt) {
		case 'n':
			pairs = atol(optarg);
			break;
		case 'r':
			requests = atol(optarg);
			break;
		case 'd':
			depth = atol(optarg);
			break;
		case 'f':
			file = optarg;
			break;
		case 't':
			target = optarg;
			break;
		case '1':
			plan.first_only = true;
			break;
		case 'l':
			log = optarg;
			break;
		case 'a':
			sides[0].name = optarg;
			break;
		case 'b':
			sides[1].name = optarg;
			break;
		case 'p':
			plan.pinned = sscanf(optarg, "%u,%u", &plan.client_cpu,
					  &plan.server_cpu) == 2;
			if (!plan.pinned)
				die("not a pair of CPUs: %s", optarg);
			break;
		default:
			return 2;
		}
	sides_parse(argv + optind, 2, sides);
	if (pairs < 1 || depth < 1 || requests < depth)
		die("kept wants a pair or more, of DEPTH requests or more");
	plan.depth = (size_t)depth;
	plan.rounds = (size_t)(requests / depth);
	plan_requests(&plan, target);
	expect_load(file, &expect);
	plan.expect = &expect;
	plan.log_fd =
	    open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (plan.log_fd < 0)
		die("%s: %s", log, strerror(errno));
	if (plan.pinned)
		pin(0, plan.client_cpu);

	for (long i = 0; i < pairs; i++) {
		int first = coin();

		run_segment(&sides[first], &plan, &results[first]);
		run_segment(&sides[!first], &plan, &results[!first]);
	}

	struct series rate[2] = { results[0].rate, results[1].rate };
	struct series bytes[2] = { results[0].bytes, results[1].bytes };
	struct series cpu[2] = { results[0].cpu, results[1].cpu };
	struct series memory[2] = { results[0].memory, results[1].memory };

	pairs_print(rate, sides, "rate", "answers/s");
	pairs_print(bytes, sides, "bytes", "B/s");
	pairs_print(cpu, sides, "cpu", "us/answer");
	pairs_print(memory, sides, "own-memory", "KiB");
	for (int i = 0; i < 2 && plan.rounds > 1; i++)
		print_latency(&results[i], sides[i].name);
	return 0;
}
