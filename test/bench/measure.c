/*
 * The parts that the measuring clients share; measure.h has the contracts.
 *
 * An alarm bounds the life of every connection, so that a server that hangs
 * makes the run fail and does not hang with it.
 */
#include "measure.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 60

/* The spawned server, if there is one: it must not outlive a failed run. */
static volatile pid_t spawned_pid;

static void
kill_spawned(void)
{
	if (spawned_pid > 0)
		kill(spawned_pid, SIGKILL);
}

void
die(const char *format, ...)
{
	va_list ap;

	kill_spawned();
	fflush(stdout);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(2);
}

static void
on_alarm(int signo)
{
	static const char text[] =
	    "a server did not get done within a minute\n";
	ssize_t ignored = write(STDERR_FILENO, text, sizeof(text) - 1);

	(void)signo;
	(void)ignored;
	kill_spawned();
	_exit(2);
}

static void
watch_start(void)
{
	signal(SIGALRM, on_alarm);
	alarm(PATIENCE_S);
}

int64_t
now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

void
pin(pid_t pid, unsigned cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(pid, sizeof(set), &set) < 0)
		die("process %d cannot be kept on CPU %u: %s", (int)pid, cpu,
		    strerror(errno));
}

int64_t
own_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* server = "@" address ":" port "," pid */
void
side_parse_server(const char *word, struct side *ret_side)
{
	char address[16];
	unsigned port;
	int pid, len = 0;

	if (sscanf(word, "@%15[0-9.]:%5u,%9d%n", address, &port, &pid, &len) !=
		3 ||
	    word[len] != '\0' || port > 65535)
		die("not a server's @ADDRESS:PORT,PID: %s", word);
	ret_side->argv = NULL;
	ret_side->pid = pid;
	ret_side->address.sin_family = AF_INET;
	ret_side->address.sin_port = htons((uint16_t)port);
	if (inet_pton(AF_INET, address, &ret_side->address.sin_addr) != 1)
		die("not an IPv4 address: %s", address);
}

size_t
sides_parse(char **words, size_t cap, struct side *ret_sides)
{
	size_t count = 0;

	while (*words != NULL) {
		char **end = words;
		struct side *side = &ret_sides[count];

		while (*end != NULL && strcmp(*end, "--") != 0)
			end++;
		if (end == words || count == cap)
			die("wanted 2 to %zu commands: A-COMMAND... -- "
			    "B-COMMAND...",
			    cap);
		side->argv = words;
		if (words[0][0] == '@')
			side_parse_server(words[0], side);
		count++;
		if (*end == NULL)
			break;
		*end = NULL;
		words = end + 1;
	}
	if (count < 2)
		die("wanted: A-COMMAND... -- B-COMMAND...");
	return count;
}

static int
connect_to(const struct sockaddr_in *address)
{
	int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket: %s", strerror(errno));
	if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0)
		die("connect to port %u: %s", ntohs(address->sin_port),
		    strerror(errno));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

int
connect_to_port(const char *address, const char *port)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
		die("not an IPv4 address: %s", address);
	return connect_to(&to);
}

/*
 * Makes a connected pair of TCP sockets over loopback.  The listener is made
 * once and serves the whole run, as a spawner's does.
 */
static void
tcp_pair(int *ret_client, int *ret_server)
{
	static int listener = -1;
	static struct sockaddr_in address;

	if (listener < 0) {
		socklen_t len = sizeof(address);

		address.sin_family = AF_INET;
		address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (listener < 0 ||
		    bind(listener, (struct sockaddr *)&address, len) < 0 ||
		    listen(listener, 16) < 0 ||
		    getsockname(listener, (struct sockaddr *)&address, &len) <
			0)
			die("listening socket: %s", strerror(errno));
	}
	*ret_client = connect_to(&address);
	*ret_server = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (*ret_server < 0)
		die("accept: %s", strerror(errno));
}

void
conn_open(const struct side *side, int log_fd, struct conn *ret_conn)
{
	posix_spawn_file_actions_t actions;
	int client, server, err;
	pid_t pid;

	watch_start();
	if (side->argv == NULL) {
		*ret_conn = (struct conn){
			.fd = connect_to(&side->address),
			.pid = side->pid,
		};
		return;
	}
	tcp_pair(&client, &server);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, server, STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, server, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&actions, log_fd, STDERR_FILENO);
	ret_conn->spawn_ns = now_ns();
	err = posix_spawn(
	    &pid, side->argv[0], &actions, NULL, side->argv, environ);
	if (err != 0)
		die("%s: %s", side->argv[0], strerror(err));
	close(server);
	posix_spawn_file_actions_destroy(&actions);
	spawned_pid = pid;
	ret_conn->fd = client;
	ret_conn->pid = pid;
	ret_conn->spawned = true;
}

static double
timeval_us(struct timeval t)
{
	return (double)t.tv_sec * 1e6 + (double)t.tv_usec;
}

void
conn_close(struct conn *conn, struct usage *ret_usage)
{
	struct rusage used;
	int status;

	close(conn->fd);
	*ret_usage = (struct usage){ 0 };
	if (conn->spawned) {
		if (wait4(conn->pid, &status, 0, &used) != conn->pid)
			die("wait4: %s", strerror(errno));
		spawned_pid = 0;
		if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
			die("a server ended with wait status %#x, wanted 0",
			    (unsigned)status);
		ret_usage->cpu_us =
		    timeval_us(used.ru_utime) + timeval_us(used.ru_stime);
		ret_usage->page_faults = (double)used.ru_minflt;
	}
	alarm(0);
}

int64_t
conn_cpu_ns(const struct conn *conn)
{
	clockid_t clock;
	struct timespec t;

	if (clock_getcpuclockid(conn->pid, &clock) != 0 ||
	    clock_gettime(clock, &t) < 0)
		die("the CPU clock of process %d cannot be read",
		    (int)conn->pid);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

double
conn_own_memory_kib(const struct conn *conn)
{
	char line[256];
	double sum = 0, dirty = 0, kib;
	bool found = false;
	FILE *smaps;

	snprintf(line, sizeof(line), "/proc/%d/smaps", (int)conn->pid);
	smaps = fopen(line, "r");
	if (smaps == NULL)
		die("%s: %s", line, strerror(errno));
	/* Of each mapping, Private_Dirty comes first, then Anonymous. */
	while (fgets(line, sizeof(line), smaps) != NULL) {
		if (sscanf(line, "Private_Dirty: %lf kB", &kib) == 1)
			dirty = kib;
		if (sscanf(line, "Anonymous: %lf kB", &kib) == 1) {
			sum += dirty < kib ? dirty : kib;
			found = true;
		}
	}
	fclose(smaps);
	if (!found)
		die("/proc/%d/smaps says nothing", (int)conn->pid);
	return sum;
}

void
expect_load(const char *path, struct expect *ret_expect)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	void *bytes;

	if (fd < 0 || fstat(fd, &st) < 0)
		die("%s: %s", path, strerror(errno));
	bytes = mmap(NULL, (size_t)st.st_size, PROT_READ,
	    MAP_SHARED | MAP_POPULATE, fd, 0);
	if (bytes == MAP_FAILED)
		die("%s: mmap: %s", path, strerror(errno));
	close(fd);
	*ret_expect = (struct expect){
		.path = path,
		.bytes = bytes,
		.len = (size_t)st.st_size,
	};
}

void
reader_init(struct reader *reader, int fd)
{
	reader->fd = fd;
	reader->start = reader->end = 0;
}

/* Reads what there is behind what is buffered; false at the end of input. */
static bool
reader_fill(struct reader *reader)
{
	ssize_t n;

	if (reader->start == reader->end)
		reader->start = reader->end = 0;
	if (reader->start > 0) {
		memmove(reader->buf, reader->buf + reader->start,
		    reader->end - reader->start);
		reader->end -= reader->start;
		reader->start = 0;
	}
	if (reader->end == sizeof(reader->buf))
		die("the head of an answer is longer than %zu bytes",
		    sizeof(reader->buf));
	n = recv(reader->fd, reader->buf + reader->end,
	    sizeof(reader->buf) - reader->end, 0);
	if (n < 0)
		die("recv: %s", strerror(errno));
	reader->end += (size_t)n;
	return n > 0;
}

/*
 * Checks the head at the front of the buffer.  Every server compared says
 * Content-Length, and nothing else is understood here.
 */
static void
check_head(const char *head, size_t len, const struct expect *expect)
{
	static const char field[] = "\ncontent-length:";
	size_t name_len = sizeof(field) - 1;

	if (len < 12 || memcmp(head, "HTTP/1.", 7) != 0 ||
	    memcmp(head + 8, " 200", 4) != 0)
		die("wanted status 200, got: %.*s", len < 60 ? (int)len : 60,
		    head);
	for (const char *p = head;
	     (p = memchr(p, '\n', (size_t)(head + len - p))) != NULL; p++) {
		unsigned long long got;

		if ((size_t)(head + len - p) <= name_len ||
		    strncasecmp(p, field, name_len) != 0)
			continue;
		got = strtoull(p + name_len, NULL, 10);
		if (got != expect->len)
			die("wanted Content-Length %zu, got %llu", expect->len,
			    got);
		return;
	}
	die("an answer has no Content-Length");
}

void
reader_take_answer(
    struct reader *reader, const struct expect *expect, bool bytes)
{
	unsigned char *from, *empty_line;
	size_t have, done = 0;

	for (;;) {
		from = reader->buf + reader->start;
		have = reader->end - reader->start;
		empty_line = memmem(from, have, "\r\n\r\n", 4);
		if (empty_line != NULL)
			break;
		if (!reader_fill(reader))
			die("the connection ended within an answer's head");
	}
	check_head((const char *)from, (size_t)(empty_line - from) + 2, expect);
	reader->start += (size_t)(empty_line - from) + 4;

	while (done < expect->len) {
		size_t n = reader->end - reader->start;

		if (n > expect->len - done)
			n = expect->len - done;
		if (n == 0) {
			if (!reader_fill(reader))
				die("%s: wanted %zu bytes, got %zu",
				    expect->path, expect->len, done);
			continue;
		}
		if (bytes &&
		    memcmp(reader->buf + reader->start, expect->bytes + done,
			n) != 0)
			die("%s: a wrong byte within bytes %zu to %zu",
			    expect->path, done, done + n);
		reader->start += n;
		done += n;
	}
}

void
reader_take_end(struct reader *reader)
{
	if (reader->start < reader->end || reader_fill(reader))
		die("the connection goes on after the last answer");
}

void
send_all(int fd, const char *buf, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, buf, len, MSG_NOSIGNAL);

		if (n < 0)
			die("send: %s", strerror(errno));
		buf += n;
		len -= (size_t)n;
	}
}

int
coin(void)
{
	static unsigned char bits;
	static int left;

	if (left == 0) {
		if (getrandom(&bits, 1, 0) != 1)
			die("getrandom: %s", strerror(errno));
		left = 8;
	}
	return (bits >> --left) & 1;
}

void
series_add(struct series *series, double value)
{
	if (series->len == series->cap) {
		series->cap = series->cap == 0 ? 1024 : 2 * series->cap;
		double *v = realloc(series->v, series->cap * sizeof(double));
		if (v == NULL)
			die("out of memory");
		series->v = v;
	}
	series->v[series->len++] = value;
}

static int
compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void
series_sort(struct series *series)
{
	qsort(series->v, series->len, sizeof(double), compare_doubles);
}

double
series_quantile(const struct series *series, double p)
{
	double at = p * (double)(series->len - 1);
	size_t i = (size_t)at;
	double rest = at - (double)i;

	if (i + 1 >= series->len)
		return series->v[series->len - 1];
	return series->v[i] * (1 - rest) + series->v[i + 1] * rest;
}

void
series_print(struct series *series, const char *name, const char *quantity,
    const char *unit)
{
	series_sort(series);
	printf("%s\t%s\t%s\t%zu", name, quantity, unit, series->len);
	for (int quarter = 0; quarter <= 4; quarter++)
		printf("\t%.6g", series_quantile(series, quarter / 4.0));
	putchar('\n');
}

void
value_print(const char *name, const char *quantity, const char *unit,
    size_t count, double value)
{
	printf("%s\t%s\t%s\t%zu\t-\t-\t%.6g\t-\t-\n", name, quantity, unit,
	    count, value);
}

void
pairs_print(struct series a_and_b[static 2], const struct side sides[static 2],
    const char *quantity, const char *unit)
{
	struct series quotients = { 0 };
	char name[64];

	for (size_t i = 0; i < a_and_b[0].len && i < a_and_b[1].len; i++)
		if (a_and_b[1].v[i] > 0)
			series_add(
			    &quotients, a_and_b[0].v[i] / a_and_b[1].v[i]);
	for (int i = 0; i < 2; i++)
		series_print(&a_and_b[i], sides[i].name, quantity, unit);
	if (quotients.len > 0) {
		snprintf(
		    name, sizeof(name), "%s/%s", sides[0].name, sides[1].name);
		series_print(&quotients, name, quantity, "x");
	}
	free(quotients.v);
}
