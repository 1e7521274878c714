/*
 * hold - very many connections to a spawner, open at once, and closed in order.
 *
 *	hold [-u] [-n CONNECTIONS] [-g GROUP] [-p PATH] ADDRESS PORT SPAWNER
 *		FILE
 *
 * Opens CONNECTIONS, asks once on each for PATH, and compares the answer with
 * FILE; with -u it asks for nothing.  Then it prints a line of what came of it, and keeps the connections
 * until a line or the end of its standard input comes.  It closes GROUP of them
 * at a time, the next when as many children of the process SPAWNER are gone,
 * and prints a second line.
 *
 * That order is not only for the sake of the figures.  On Linux 6.18 a thousand
 * processes that end at the same moment, each with a seccomp filter of its own,
 * can stop the machine for good.  So it must hold whatever becomes of this
 * program: each group belongs to a process of its own, in a session of its own,
 * which ignores the usual signals.  If the first process is gone, each takes
 * the turn of closing by a lock.  (Who starts a spawner for this keeps it and
 * its children out of reach of such signals too: see setsid(1).)
 *
 * The counts, as name=value:
 *
 *	answered	complete, byte for byte, with the connection kept; with -u
 *			those that were established
 *	refused		the connection was not established
 *	wrong		anything else came, or nothing
 *	ended		those of answered that ended, when this side had ended,
 *			without another byte; with -u whatever else came
 *	left		children of the spawner that did not end in time
 *
 * The exit status is 0 if all were answered and all have ended, 1 if not, 2 if
 * it could not be tried.
 */
#include "load.h"

#include <fcntl.h>
#include <netdb.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Groups that open at the same time. */
#define OPENING 4

/* What is not answered this long after a group has asked was lost. */
#define SILENCE_S 60

/* Children that have not ended after this long do not end by themselves. */
#define ENDING_MS 30000

/*
 * What is left to free of processes that have ended is freed a moment later,
 * by the kernel's own threads, and nothing tells when.
 */
#define PAUSE_MS 50

enum count { ANSWERED, REFUSED, WRONG, ENDED, LEFT, COUNTS };

struct result {
	unsigned long count[COUNTS];
};

struct group {
	size_t size;
	int control; /* the first process's end */
};

static struct addrinfo *server;
static const char *spawner;
static bool unasked;
static char request[1024];
static char *expected;
static size_t expected_len;

static void
pause_ms(long ms)
{
	struct timespec t = { .tv_sec = ms / 1000,
		.tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* The children of the spawner, those that have not been waited for included. */
static unsigned long
children(void)
{
	char path[64], buf[4096];
	unsigned long n = 0;
	ssize_t got;
	int fd;

	snprintf(
	    path, sizeof(path), "/proc/%s/task/%s/children", spawner, spawner);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	while ((got = read(fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < got; i++)
			n += buf[i] == ' ';
	close(fd);
	return n;
}

/* ---- one group ---- */

/* Sets how long a receive waits at most: a millisecond at least. */
static void
be_patient(int fd, double seconds)
{
	long us = seconds > 1e-3 ? (long)(seconds * 1e6) : 1000;
	struct timeval t = { .tv_sec = us / 1000000, .tv_usec = us % 1000000 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &t, sizeof(t));
}

static int
open_connection(void)
{
	int fd = socket(server->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	be_patient(fd, SILENCE_S);
	if (connect(fd, server->ai_addr, server->ai_addrlen) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* Whether one answer came, and it is the right one and keeps the connection. */
static bool
is_answered(int fd)
{
	size_t cap = expected_len + 4096, len = 0;
	char *buf = malloc(cap + 1), *content = NULL;
	bool whole = false;

	if (buf == NULL)
		die("malloc");
	while (!whole && len < cap) {
		ssize_t n = recv(fd, buf + len, cap - len, 0);

		if (n <= 0)
			break;
		len += (size_t)n;
		buf[len] = '\0';
		content = strstr(buf, "\r\n\r\n");
		whole = content != NULL &&
		    len - (size_t)(content + 4 - buf) >= expected_len;
	}
	bool right = whole && strncmp(buf, "HTTP/1.1 200 ", 13) == 0 &&
	    len - (size_t)(content + 4 - buf) == expected_len &&
	    memcmp(content + 4, expected, expected_len) == 0 &&
	    memmem(buf, (size_t)(content - buf), "Connection: close", 17) ==
		NULL;
	free(buf);
	return right;
}

static void
open_group(int *fds, size_t size, struct result *result)
{
	for (size_t i = 0; i < size; i++) {
		fds[i] = open_connection();
		if (fds[i] < 0)
			result->count[REFUSED]++;
		else if (unasked)
			result->count[ANSWERED]++;
		else
			(void)!send(
			    fds[i], request, strlen(request), MSG_NOSIGNAL);
	}

	double end = now_s() + SILENCE_S;
	for (size_t i = 0; i < size && !unasked; i++) {
		if (fds[i] < 0)
			continue;
		be_patient(fds[i], end - now_s());
		result->count[is_answered(fds[i]) ? ANSWERED : WRONG]++;
	}
}

static void
close_group(const int *fds, size_t size, struct result *result)
{
	/* One that was not answered may have no process any more. */
	unsigned long before = children(), ending = result->count[ANSWERED];
	double begin = now_s();

	for (size_t i = 0; i < size; i++)
		shutdown(fds[i], SHUT_WR);
	for (size_t i = 0; i < size; i++) {
		char byte;
		ssize_t n;

		if (fds[i] < 0)
			continue;
		do
			n = recv(fds[i], &byte, 1, 0);
		while (unasked && n > 0);
		result->count[ENDED] += n == 0;
		close(fds[i]);
	}
	/* Those of a spawner that is gone cannot be counted. */
	while (before >= ending && children() + ending > before) {
		if (now_s() - begin > ENDING_MS / 1e3) {
			result->count[LEFT] += children() + ending - before;
			break;
		}
		pause_ms(1);
	}
	pause_ms(PAUSE_MS);
}

/*
 * Opens when a byte comes, and closes when another does, or when the first
 * process is gone.
 */
static _Noreturn void
hold_group(size_t size, int control, int results, int lock)
{
	static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT,
		SIGPIPE };
	struct result result = { 0 };
	int *fds = calloc(size, sizeof(*fds));
	struct flock turn = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char byte;

	for (size_t i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	setsid();
	if (fds == NULL)
		die("calloc");
	if (read(control, &byte, 1) != 1)
		_exit(0);
	open_group(fds, size, &result);
	(void)!write(results, &result, sizeof(result));
	(void)!read(control, &byte, 1);
	if (fcntl(lock, F_SETLKW, &turn) != 0)
		die("fcntl");
	close_group(fds, size, &result);
	(void)!write(results, &result, sizeof(result));
	_exit(0);
}

/* ---- the first process ---- */

static void
take_result(int results, struct result *sum)
{
	struct result result;

	/* A pipe takes so little at once, or nothing. */
	if (read(results, &result, sizeof(result)) != sizeof(result))
		die("a group has died");
	for (int i = 0; i < COUNTS; i++)
		sum->count[i] += result.count[i];
}

static void
start_groups(struct group *groups, size_t number, int results_end)
{
	/* A lock of this kind is a process's own, and ends with it. */
	int lock = memfd_create("turn", MFD_CLOEXEC);

	if (lock < 0)
		die("memfd_create");
	for (size_t i = 0; i < number; i++) {
		int ends[2];
		pid_t pid;

		if (pipe2(ends, O_CLOEXEC) != 0)
			die("pipe");
		groups[i].control = ends[1];
		pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0) {
			/* Nobody else may seem to be the first process. */
			for (size_t j = 0; j <= i; j++)
				close(groups[j].control);
			close(STDIN_FILENO);
			close(STDOUT_FILENO);
			hold_group(groups[i].size, ends[0], results_end, lock);
		}
		close(ends[0]);
	}
}

static void
tell(const struct group *group)
{
	if (write(group->control, "", 1) != 1)
		die("a group has died");
}

static void
load(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	expected_len = (size_t)st.st_size;
	expected = malloc(expected_len + 1);
	if (expected == NULL ||
	    read(fd, expected, expected_len) != (ssize_t)expected_len)
		die(path);
	close(fd);
}

static size_t
number(const char *text)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	if (*end != '\0' || n == 0 || n > 1000000) {
		fprintf(stderr, "hold: %s is no count\n", text);
		exit(2);
	}
	return n;
}

int
main(int argc, char **argv)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	struct result opened = { 0 }, closed = { 0 };
	size_t connections = 1000, group_size = 100, groups_number, left;
	struct group *groups;
	const char *path = "/";
	int results[2], option;
	double begin;
	char byte;

	while ((option = getopt(argc, argv, "n:g:p:u")) != -1) {
		switch (option) {
		case 'n':
			connections = number(optarg);
			break;
		case 'g':
			group_size = number(optarg);
			break;
		case 'p':
			path = optarg;
			break;
		case 'u':
			unasked = true;
			break;
		default:
			return 2;
		}
	}
	if (argc - optind != 4) {
		fprintf(stderr,
		    "usage: hold [-u] [-n CONNECTIONS] [-g GROUP] "
		    "[-p PATH] ADDRESS PORT SPAWNER FILE\n");
		return 2;
	}
	if (getaddrinfo(argv[optind], argv[optind + 1], &hints, &server) != 0) {
		fprintf(stderr, "hold: %s port %s is no address\n",
		    argv[optind], argv[optind + 1]);
		return 2;
	}
	spawner = argv[optind + 2];
	load(argv[optind + 3]);
	if ((size_t)snprintf(request, sizeof(request),
		"GET %s HTTP/1.1\r\nHost: hold\r\n\r\n",
		path) >= sizeof(request))
		die(path);

	groups_number = (connections + group_size - 1) / group_size;
	groups = calloc(groups_number, sizeof(*groups));
	if (groups == NULL || pipe2(results, O_CLOEXEC) != 0)
		die("start");
	left = connections;
	for (size_t i = 0; i < groups_number; i++) {
		groups[i].size = left < group_size ? left : group_size;
		left -= groups[i].size;
	}
	signal(SIGCHLD, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	start_groups(groups, groups_number, results[1]);
	close(results[1]);

	begin = now_s();
	for (size_t i = 0; i < groups_number + OPENING; i++) {
		if (i >= OPENING && i - OPENING < groups_number)
			take_result(results[0], &opened);
		if (i < groups_number)
			tell(&groups[i]);
	}
	printf("answered=%lu refused=%lu wrong=%lu children=%lu "
	       "seconds=%.3f\n",
	    opened.count[ANSWERED], opened.count[REFUSED], opened.count[WRONG],
	    children(), now_s() - begin);
	fflush(stdout);

	while (read(STDIN_FILENO, &byte, 1) == 1 && byte != '\n')
		;
	begin = now_s();
	for (size_t i = 0; i < groups_number; i++) {
		tell(&groups[i]);
		take_result(results[0], &closed);
	}
	printf("ended=%lu left=%lu children=%lu seconds=%.3f\n",
	    closed.count[ENDED], closed.count[LEFT], children(),
	    now_s() - begin);
	return opened.count[ANSWERED] == connections &&
		closed.count[ENDED] == connections && closed.count[LEFT] == 0 ?
	    0 :
	    1;
}
