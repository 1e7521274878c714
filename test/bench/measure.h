/*
 * What the two measuring clients share: a server to talk to (a program to be
 * spawned on a fresh connection, or an address where one listens), answers
 * that are read and checked byte for byte, and the statistics of paired runs.
 *
 * Everything here ends the program with status 2 and one sentence on standard
 * error when it fails: a measurement of something that went wrong is worth
 * nothing.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <netinet/in.h>
#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Says what failed, in printf's way, and exits with status 2. */
_Noreturn void die(const char *format, ...)
    __attribute__((format(printf, 1, 2)));

/* Monotonic time, and the CPU time of this process, in nanoseconds. */
int64_t now_ns(void);
int64_t own_cpu_ns(void);

/* Keeps a process, 0 for this one, on one CPU. */
void pin(pid_t pid, unsigned cpu);

/* A connection to a server's IPv4 address and port, as decimal text. */
int connect_to_port(const char *address, const char *port);

/*
 * The parties of a comparison.  A side is a command, argv of a program that
 * serves a connection on its standard input and output; or, when argv is
 * NULL, the address of a listening server and the pid of the process whose
 * CPU time and memory are to be read.
 */
struct side {
	const char *name;
	char **argv;
	struct sockaddr_in address;
	pid_t pid;
};

/*
 * Splits `A-WORD... -- B-WORD...` into two sides or more, at most cap, and
 * returns how many.  A side of the single word @ADDRESS:PORT,PID is a listening
 * server.
 */
size_t sides_parse(char **words, size_t cap, struct side *ret_sides);

/* The side of one such word. */
void side_parse_server(const char *word, struct side *ret_side);

/*
 * One open connection to a server.  For a spawned server, pid is its process
 * and spawn_ns the moment before it was started.
 */
struct conn {
	int fd;
	pid_t pid;
	bool spawned;
	int64_t spawn_ns;
};

/*
 * Opens a connection to the side's server.  A command is started as a spawner
 * would do it: on an accepted TCP connection over loopback as its standard
 * input and output, with log_fd as standard error.  A connection that is not
 * closed again within a minute ends the run.
 */
void conn_open(const struct side *side, int log_fd, struct conn *ret_conn);

/* What a server that has ended used up. */
struct usage {
	double cpu_us;
	double page_faults;
};

/*
 * Closes the connection; a spawned server is waited for, and has to exit with
 * status 0.
 */
void conn_close(struct conn *conn, struct usage *ret_usage);

/* CPU time that the connection's server process has used so far. */
int64_t conn_cpu_ns(const struct conn *conn);

/*
 * Memory that the connection's server has written to and shares with nobody.
 * Pages of the program's file do not count, though the kernel calls them dirty
 * while a file just built is on its way to the disk.
 */
double conn_own_memory_kib(const struct conn *conn);

/* The file that is asked for; its bytes are what a right answer holds. */
struct expect {
	const char *path;
	const unsigned char *bytes;
	size_t len;
};

void expect_load(const char *path, struct expect *ret_expect);

/* A buffer over a connection; answers may arrive in any pieces. */
struct reader {
	int fd;
	size_t start, end;
	unsigned char buf[128 * 1024];
};

void reader_init(struct reader *reader, int fd);

/*
 * Reads one answer: status 200, the expected Content-Length, and, if bytes is
 * true, exactly the expected body.
 */
void reader_take_answer(
    struct reader *reader, const struct expect *expect, bool bytes);

/* Reads the end of input and nothing before it. */
void reader_take_end(struct reader *reader);

void send_all(int fd, const char *buf, size_t len);

/* Which side goes first in the next pair: 0 or 1, at random. */
int coin(void);

/* Numbers in the order they were taken. */
struct series {
	double *v;
	size_t len, cap;
};

void series_add(struct series *series, double value);
void series_sort(struct series *series);

/*
 * Prints one tab-separated row: name, quantity, unit, count, minimum, lower
 * quartile, median, upper quartile, maximum.  Sorts the series.
 */
void series_print(struct series *series, const char *name, const char *quantity,
    const char *unit);

/* The value below which the fraction p of a sorted series lies. */
double series_quantile(const struct series *series, double p);

/* Prints a row of one value; the columns of a spread hold "-". */
void value_print(const char *name, const char *quantity, const char *unit,
    size_t count, double value);

/*
 * Prints both series and the quotients of the pairs, as the row
 * "A/B quantity"; the sides' series are sorted afterwards.
 */
void pairs_print(struct series a_and_b[static 2],
    const struct side sides[static 2], const char *quantity, const char *unit);

#endif
