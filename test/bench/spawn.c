/*
 * Measures the price of a process per connection: spawn, one GET, exit.
 *
 *	spawn [-n PAIRS] [-f FILE] [-t TARGET] [-l LOG] [-a NAME] [-b NAME]
 *		A-COMMAND... -- B-COMMAND...
 *	spawn -e [-n ROUNDS] [-f FILE] [-t TARGET] [-l LOG]
 *		COMMAND... -- COMMAND... [-- COMMAND...]...
 *
 * In each of PAIRS pairs both programs answer one request on a connection of
 * their own, in random order, so that a drift of the machine meets both alike.
 * With -e, all of any number of programs do so in each round.
 * The clock starts before the program does, with the connection already
 * accepted, and stops when the program's exit status is there: what lies
 * between is what a spawner and its client wait for.  Every answer is compared
 * with FILE.  Standard error of the programs goes to LOG.
 *
 * Output: rows as described in measure.h, of wall time, CPU time (user and
 * system, of the process from its creation on) and page faults.  With -e each
 * observation is a row: the round from 1 on, the place of the command from 0
 * on, wall time, CPU time, page faults, and the wall time to the end of the
 * answer, behind which a server may stay for a while.
 */
#include "measure.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Answers given before the measured ones, so that caches are warm. */
#define WARM_UP 10

#define MAX_SIDES 32

static struct reader reader;

struct cost {
	double wall_us, answer_us;
	struct usage used;
};

static struct cost
answer_once(const struct side *side, const struct expect *expect,
    const char *request, int log_fd)
{
	struct conn conn = { 0 };
	struct cost cost;

	conn_open(side, log_fd, &conn);
	send_all(conn.fd, request, strlen(request));
	reader_init(&reader, conn.fd);
	reader_take_answer(&reader, expect, true);
	reader_take_end(&reader);
	cost.answer_us = (double)(now_ns() - conn.spawn_ns) / 1e3;
	conn_close(&conn, &cost.used);
	cost.wall_us = (double)(now_ns() - conn.spawn_ns) / 1e3;
	return cost;
}

/* Puts 0 to count - 1 in random order. */
static void
shuffle(size_t *order, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t j = (size_t)random() % (i + 1);

		order[i] = order[j];
		order[j] = i;
	}
}

/* Prints each observation of all sides, in ROUNDS rounds behind another. */
static void
print_each(const struct side *sides, size_t count, long rounds,
    const struct expect *expect, const char *request, int log_fd)
{
	size_t order[MAX_SIDES];

	srandom((unsigned)now_ns());
	for (long round = 0; round <= rounds; round++) {
		shuffle(order, count);
		for (size_t i = 0; i < count; i++) {
			struct cost cost = answer_once(
			    &sides[order[i]], expect, request, log_fd);

			if (round < 1)
				continue;
			printf("%ld\t%zu\t%.3f\t%.0f\t%.0f\t%.3f\n", round,
			    order[i], cost.wall_us, cost.used.cpu_us,
			    cost.used.page_faults, cost.answer_us);
		}
	}
}

int
main(int argc, char **argv)
{
	struct side sides[MAX_SIDES] = { { .name = "A" }, { .name = "B" } };
	struct series wall[2] = { 0 }, cpu[2] = { 0 }, faults[2] = { 0 };
	struct expect expect;
	const char *file = "1k.txt", *target = "/1k.txt", *log = "/dev/null";
	char request[1024];
	long pairs = 1000;
	bool each = false;
	size_t count;
	int log_fd, opt;

	while ((opt = getopt(argc, argv, "+en:f:t:l:a:b:")) != -1)
		switch (opt) {
		case 'e':
			each = true;
			break;
		case 'n':
			pairs = atol(optarg);
			break;
		case 'f':
			file = optarg;
			break;
		case 't':
			target = optarg;
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
		default:
			return 2;
		}
	count = sides_parse(argv + optind, each ? MAX_SIDES : 2, sides);
	for (size_t i = 0; i < count; i++)
		if (sides[i].argv == NULL)
			die("spawn wants commands, and no server that listens");
	if (pairs < 1)
		die("spawn wants one pair or more");
	expect_load(file, &expect);
	log_fd = open(log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (log_fd < 0)
		die("%s: %s", log, strerror(errno));
	snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\n"
	    "Accept: */*\r\nConnection: close\r\n\r\n",
	    target);

	if (each) {
		print_each(sides, count, pairs, &expect, request, log_fd);
		return 0;
	}
	for (long i = -WARM_UP; i < pairs; i++) {
		int first = coin();

		for (int turn = 0; turn < 2; turn++) {
			int which = first ^ turn;
			struct cost cost = answer_once(
			    &sides[which], &expect, request, log_fd);

			if (i < 0)
				continue;
			series_add(&wall[which], cost.wall_us);
			series_add(&cpu[which], cost.used.cpu_us);
			series_add(&faults[which], cost.used.page_faults);
		}
	}
	pairs_print(wall, sides, "wall", "us");
	pairs_print(cpu, sides, "cpu", "us");
	pairs_print(faults, sides, "page-faults", "faults");
	return 0;
}
