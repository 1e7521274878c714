/*
 * race - whether a file outside of the tree can be had while the tree changes.
 *
 *	race [-w] [-l] [-n REQUESTS] DIRECTORY PROGRAM [OPTION]...
 *
 * A server that looks at a path before it opens it can be raced: between the
 * two, a file becomes a symbolic link that leads out of the tree.  This program
 * makes a tree in DIRECTORY, and outside of it files that hold a byte that is
 * nowhere else, the canary.  One thread exchanges files, directories and links
 * of the tree with links to the outside as fast as it can.  Two others each
 * have a handler, started as a spawner would with the tree as its last
 * argument, and ask it for what is being exchanged, several requests at a time.
 * -w answers the handlers' openat2 with ENOSYS, so that they walk.  -l says that
 * the handlers lock themselves in: what is outside may be answered as what may
 * not be read.
 *
 * What was seen is printed, a line for each kind of request, with how often the
 * inside and how often the outside stood there.  The exit status is 0 if no
 * canary and no length of a canary's file left, all answers were whole and what
 * they should be, and both sides of each race showed; 1 if not; 2 if the race
 * could not be run.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CANARY '~'
#define CANARY_LEN 7777 /* no other file is that long */
#define INSIDE_LEN 3000

#define CLIENTS 2
#define AT_A_TIME 32 /* requests sent before their answers are read */
#define A_CONNECTION 2000 /* requests before another handler is started */

/* What is exchanged: a path in the tree, and one that is not. */
static const struct {
	const char *inside, *outside;
} exchanges[] = {
	{ "root/file.txt", "swap/file.txt" },
	{ "root/near.txt", "swap/near.txt" },
	{ "root/dir", "swap/dir" },
	{ "root/deep/a", "swap/a" },
	{ "root/doc.txt.gz", "swap/doc.txt.gz" },
	{ "root/hop", "swap/hop" },
	{ "root/moving/a", "outside/x/a" },
	{ "root/404.html", "swap/404.html" },
	{ "root/_redirects", "swap/_redirects" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define GZIP "Accept-Encoding: gzip\r\n"

/*
 * What is asked.  `shows` stands in the head of an answer made while the inside
 * stood there.  A walk follows no link, so what is only there by a link is
 * never had that way.  Where a link has ".." in it, the kernel may give up.
 */
static const struct {
	const char *method, *target, *fields, *shows;
	bool by_link, by_dots;
} requests[] = {
	{ "GET", "/file.txt", "", " 200 ", false, false },
	{ "HEAD", "/file.txt", "", " 200 ", false, false },
	{ "GET", "/file.txt", "Range: bytes=-1\r\n", " 206 ", false, false },
	{ "GET", "/file.txt", "Range: bytes=0-9,2000-\r\n", " 206 ", false,
	    false },
	{ "GET", "/near.txt", "", " 200 ", false, false },
	{ "GET", "/dir/page.txt", "", " 200 ", false, false },
	{ "HEAD", "/dir/page.txt", "", " 200 ", false, false },
	{ "GET", "/dir/", "", " 200 ", false, false },
	{ "GET", "/dir", "", " 301 ", false, false },
	{ "GET", "/dir/doc.txt", GZIP, "\nContent-Encoding: gzip", false,
	    false },
	{ "GET", "/deep/a/b/c/page.txt", "", " 200 ", false, true },
	{ "GET", "/doc.txt", GZIP, "\nContent-Encoding: gzip", false, false },
	{ "HEAD", "/doc.txt", GZIP, "\nContent-Encoding: gzip", false, false },
	{ "GET", "/doc.txt", GZIP "Range: bytes=0-99\r\n",
	    "\nContent-Encoding: gzip", false, false },
	{ "GET", "/first", "", " 200 ", true, false },
	{ "GET", "/hop", "", " 200 ", true, false },
	{ "GET", "/climb", "", " 200 ", true, true },
	{ "GET", "/gone", "", " 301 ", false, false },
	{ "GET", "/missing", "", "\nContent-Length: 3000\r", false, false },
};

struct tally {
	unsigned long inside, outside;
};

struct client {
	pthread_t thread;
	uint64_t random;
	unsigned long to_answer;
	struct tally tallies[COUNT(requests)];
	unsigned long handlers, unavailable;
	/* The connection, and what has come by it and is not looked at yet. */
	int fd;
	pid_t handler;
	char *buf;
	size_t len;
};

#define BUF_CAP (64 * 1024)

static char **handler_words;
static bool walking, locked_in;
static int top_fd;
static atomic_bool over;
static atomic_ulong exchanged, faults;

static _Noreturn void __attribute__((format(printf, 1, 2)))
die(const char *format, ...)
{
	va_list args;

	fputs("race: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, ": %s\n", strerror(errno));
	exit(2);
}

/* A fault is shown a few times at most: where there is one, there are many. */
static void __attribute__((format(printf, 1, 2))) fault(const char *format, ...)
{
	va_list args;

	if (atomic_fetch_add(&faults, 1) >= 5)
		return;
	va_start(args, format);
	flockfile(stdout);
	vprintf(format, args);
	putchar('\n');
	funlockfile(stdout);
	va_end(args);
}

static uint64_t
next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* ---- the tree ---- */

static void
make_directory(const char *path)
{
	if (mkdirat(top_fd, path, 0755) != 0)
		die("%s", path);
}

static void
make_file(const char *path, char byte, size_t len)
{
	char content[CANARY_LEN];
	int fd = openat(top_fd, path, O_WRONLY | O_CREAT | O_EXCL, 0644);

	memset(content, byte, len);
	if (fd < 0 || write(fd, content, len) != (ssize_t)len)
		die("%s", path);
	close(fd);
}

static void
make_rules(const char *path, const char *rules)
{
	int fd = openat(top_fd, path, O_WRONLY | O_CREAT | O_EXCL, 0644);
	size_t len = strlen(rules);

	if (fd < 0 || write(fd, rules, len) != (ssize_t)len)
		die("%s", path);
	close(fd);
}

static void
make_link(const char *path, const char *to)
{
	if (symlinkat(to, top_fd, path) != 0)
		die("%s", path);
}

/* A link with an absolute path to what is at `to` in the directory. */
static void
make_far_link(const char *path, const char *top, const char *to)
{
	char target[4096];

	if ((size_t)snprintf(target, sizeof(target), "%s/%s", top, to) >=
	    sizeof(target)) {
		errno = ENAMETOOLONG;
		die("%s", top);
	}
	make_link(path, target);
}

/* The same names inside and outside; a neighbour must not be the older one. */
static void
make_twins(const char *directory, char byte, char compressed, size_t len)
{
	static const char *const names[] = { "page.txt", "index.html",
		"doc.txt" };
	char path[256];

	make_directory(directory);
	for (size_t i = 0; i < COUNT(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		make_file(path, byte, len);
	}
	snprintf(path, sizeof(path), "%s/doc.txt.gz", directory);
	make_file(path, compressed, len);
}

static void
make_tree(const char *top)
{
	static const char *const directories[] = { "root", "outside", "swap",
		"root/deep", "root/deep/a", "root/deep/a/b", "outside/a",
		"outside/a/b", "root/moving", "root/moving/a",
		"root/moving/a/b", "outside/x", "outside/x/a" };

	for (size_t i = 0; i < COUNT(directories); i++)
		make_directory(directories[i]);
	make_file("root/file.txt", 'f', INSIDE_LEN);
	make_file("root/near.txt", 'f', INSIDE_LEN);
	make_file("root/hops.txt", 'f', INSIDE_LEN);
	make_file("root/page.txt", 'f', INSIDE_LEN);
	make_file("root/doc.txt", 'f', INSIDE_LEN);
	make_file("root/doc.txt.gz", 'z', INSIDE_LEN);
	make_file("root/404.html", 'f', INSIDE_LEN);
	make_rules("root/_redirects", "/gone /result\n");
	make_twins("root/dir", 'f', 'z', INSIDE_LEN);
	make_twins("root/deep/a/b/c", 'f', 'z', INSIDE_LEN);

	make_file("outside/page.txt", CANARY, CANARY_LEN);
	make_rules("outside/rules", "/gone /~\n");
	make_twins("outside/dir", CANARY, CANARY, CANARY_LEN);
	make_twins("outside/a/b/c", CANARY, CANARY, CANARY_LEN);

	make_far_link("swap/file.txt", top, "outside/page.txt");
	make_link("swap/near.txt", "../outside/page.txt");
	make_far_link("swap/dir", top, "outside/dir");
	make_link("swap/a", "../../outside/a");
	make_far_link("swap/doc.txt.gz", top, "outside/page.txt");
	make_link("swap/404.html", "../outside/page.txt");
	make_far_link("swap/_redirects", top, "outside/rules");

	/* Links in a chain, of which the last leads to what is exchanged. */
	make_link("root/first", "second");
	make_link("root/second", "third/page.txt");
	make_link("root/third", "dir");
	make_link("root/hop", "hops.txt");
	make_far_link("swap/hop", top, "outside/page.txt");
	/* From beneath x, the same steps up would end outside. */
	make_link("root/climb", "moving/a/b/../../../page.txt");
}

static void *
exchange_all(void *arg)
{
	uint64_t *random = arg;

	while (!atomic_load_explicit(&over, memory_order_relaxed)) {
		size_t i = next_random(random) % COUNT(exchanges);

		if (renameat2(top_fd, exchanges[i].inside, top_fd,
			exchanges[i].outside, RENAME_EXCHANGE) != 0)
			die("%s", exchanges[i].inside);
		atomic_fetch_add_explicit(&exchanged, 1, memory_order_relaxed);
	}
	return NULL;
}

/* ---- a handler ---- */

/* openat2 has the same number wherever it is not part of an old table. */
static void
forget_openat2(void)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
		    offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { COUNT(filter), filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		_exit(127);
}

static void
start_handler(struct client *c)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
		die("socketpair");
	c->handler = fork();
	if (c->handler < 0)
		die("fork");
	if (c->handler == 0) {
		if (dup2(ends[1], 0) < 0 || dup2(ends[1], 1) < 0)
			_exit(127);
		if (walking)
			forget_openat2();
		execv(handler_words[0], handler_words);
		_exit(127);
	}
	close(ends[1]);
	c->fd = ends[0];
	c->len = 0;
	c->handlers++;
}

/* Nothing may follow the answers, and the handler must end as if all is well. */
static void
end_handler(struct client *c)
{
	char byte;
	int status;

	shutdown(c->fd, SHUT_WR);
	if (c->len != 0 || read(c->fd, &byte, 1) != 0)
		fault("something follows the last answer");
	close(c->fd);
	if (waitpid(c->handler, &status, 0) < 0)
		die("waitpid");
	if (status != 0)
		fault("a handler ended with the status %#x", (unsigned)status);
}

/* ---- a client ---- */

/* Receives until there are `wanted` bytes; false at the connection's end. */
static bool
receive(struct client *c, size_t wanted)
{
	while (c->len < wanted) {
		ssize_t n = recv(c->fd, c->buf + c->len, BUF_CAP - c->len, 0);

		if (n <= 0)
			return false;
		c->len += (size_t)n;
		c->buf[c->len] = '\0';
	}
	return true;
}

/* What each byte of the content has to be; ranges in parts have their heads. */
static void
check_content(const char *what, const char *content, size_t len, char byte)
{
	for (size_t i = 0; i < len; i++) {
		if (content[i] == byte)
			continue;
		fault("%s: byte %zu of the content is '%c', not '%c'", what, i,
		    content[i], byte);
		return;
	}
}

enum received { ANSWERED, ANSWERED_AND_CLOSED, ENDED };

/* Takes one answer and judges it. */
static enum received
take_answer(struct client *c, size_t which)
{
	char what[128];
	const char *end, *length;
	size_t head_len, content_len, at = 0;

	snprintf(what, sizeof(what), "%s %s", requests[which].method,
	    requests[which].target);
	c->buf[c->len] = '\0';
	while ((end = strstr(c->buf + at, "\r\n\r\n")) == NULL) {
		at = c->len < 3 ? 0 : c->len - 3;
		if (!receive(c, c->len + 1)) {
			fault("%s: the connection ended with %zu bytes of an "
			      "answer's head",
			    what, c->len);
			return ENDED;
		}
	}
	head_len = (size_t)(end + 4 - c->buf);
	length = strstr(c->buf, "\r\nContent-Length: ");
	if (length == NULL || length > end) {
		fault("%s: there is no Content-Length in %.*s", what,
		    (int)head_len, c->buf);
		return ENDED;
	}
	length += strlen("\r\nContent-Length: ");
	content_len = strtoul(length, NULL, 10);
	if (strcmp(requests[which].method, "HEAD") == 0)
		content_len = 0;
	if (head_len + content_len > BUF_CAP ||
	    !receive(c, head_len + content_len)) {
		fault("%s: the connection ended in the content", what);
		return ENDED;
	}

	/* From here on the head is a string, and is what `end` ends. */
	char *content = c->buf + head_len;
	c->buf[head_len - 1] = '\0';
	if (memchr(c->buf, CANARY, head_len) != NULL ||
	    memchr(content, CANARY, content_len) != NULL ||
	    strstr(c->buf, "\nContent-Length: 7777\r") != NULL ||
	    strstr(c->buf, "/7777\r") != NULL)
		fault("%s: the canary left: %s", what, c->buf);
	bool ok = strstr(c->buf, " 200 ") == c->buf + 8;
	bool part = strstr(c->buf, " 206 ") == c->buf + 8;
	bool absent = strstr(c->buf, " 404 ") == c->buf + 8;
	bool moved = strstr(c->buf, " 301 ") == c->buf + 8;
	bool busy = strstr(c->buf, " 503 ") == c->buf + 8;
	if ((ok || part) && strstr(c->buf, "multipart/") == NULL)
		check_content(what, content, content_len,
		    strstr(c->buf, "\nContent-Encoding: gzip") ? 'z' : 'f');
	bool unreadable = strstr(c->buf, " 403 ") == c->buf + 8 ||
	    strstr(c->buf, " 500 ") == c->buf + 8;
	if (!(ok || part || absent || moved || (unreadable && locked_in) ||
		(busy && requests[which].by_dots)))
		fault("%s: answered with %s", what, c->buf);
	c->unavailable += busy;
	if (strstr(c->buf, requests[which].shows) != NULL)
		c->tallies[which].inside++;
	else
		c->tallies[which].outside++;

	bool closes = strstr(c->buf, "\nConnection: close") != NULL;
	c->len -= head_len + content_len;
	memmove(c->buf, content + content_len, c->len);
	return closes ? ANSWERED_AND_CLOSED : ANSWERED;
}

/*
 * Sends a number of requests at once and takes their answers.  Returns how many
 * were answered; fewer where the handler closed.
 */
static size_t
ask(struct client *c, size_t number, bool *ret_closed)
{
	char block[AT_A_TIME * 256];
	size_t len = 0, which[AT_A_TIME];

	for (size_t i = 0; i < number; i++) {
		which[i] = next_random(&c->random) % COUNT(requests);
		len += (size_t)snprintf(block + len, sizeof(block) - len,
		    "%s %s HTTP/1.1\r\nHost: x\r\n%s\r\n",
		    requests[which[i]].method, requests[which[i]].target,
		    requests[which[i]].fields);
	}
	for (size_t sent = 0; sent < len;) {
		ssize_t n = send(c->fd, block + sent, len - sent, MSG_NOSIGNAL);

		if (n < 0)
			die("send");
		sent += (size_t)n;
	}
	*ret_closed = false;
	for (size_t i = 0; i < number; i++) {
		enum received r = take_answer(c, which[i]);

		*ret_closed = r != ANSWERED;
		if (r != ANSWERED)
			return r == ENDED ? i : i + 1;
	}
	return number;
}

static void *
run_client(void *arg)
{
	struct client *c = arg;

	while (c->to_answer > 0 && atomic_load(&faults) == 0) {
		bool closed = false;

		start_handler(c);
		for (size_t asked = 0;
		     !closed && asked < A_CONNECTION && c->to_answer > 0;) {
			size_t number = AT_A_TIME;

			if (number > c->to_answer)
				number = c->to_answer;
			number = ask(c, number, &closed);
			asked += number;
			c->to_answer -= number;
		}
		end_handler(c);
	}
	return NULL;
}

/* ---- the report ---- */

static void
judge(const struct client *clients, unsigned long wanted)
{
	struct tally all = { 0 };
	unsigned long handlers = 0, unavailable = 0;

	printf("inside  outside  request\n");
	for (size_t i = 0; i < COUNT(requests); i++) {
		struct tally sum = { 0 };
		bool never = walking && requests[i].by_link;

		for (size_t j = 0; j < CLIENTS; j++) {
			sum.inside += clients[j].tallies[i].inside;
			sum.outside += clients[j].tallies[i].outside;
		}
		all.inside += sum.inside;
		all.outside += sum.outside;
		printf("%6lu  %7lu  %s %s %.*s\n", sum.inside, sum.outside,
		    requests[i].method, requests[i].target,
		    (int)strcspn(requests[i].fields, "\r"), requests[i].fields);
		if (sum.outside == 0 || (sum.inside == 0) != never)
			fault("%s %s: one side of the race never showed",
			    requests[i].method, requests[i].target);
	}
	for (size_t j = 0; j < CLIENTS; j++) {
		handlers += clients[j].handlers;
		unavailable += clients[j].unavailable;
	}
	if (all.inside < wanted / 10 || all.outside < wanted / 10)
		fault("one side of the race hardly showed");
	if (all.inside + all.outside != wanted)
		fault("wanted: %lu answers", wanted);
	printf("answers=%lu inside=%lu outside=%lu unavailable=%lu "
	       "handlers=%lu exchanges=%lu faults=%lu\n",
	    all.inside + all.outside, all.inside, all.outside, unavailable,
	    handlers, atomic_load(&exchanged), atomic_load(&faults));
}

int
main(int argc, char **argv)
{
	static struct client clients[CLIENTS];
	static char root[4096];
	unsigned long number = 100000;
	uint64_t random = 0x9e3779b97f4a7c15;
	pthread_t exchanger;
	int option;

	while ((option = getopt(argc, argv, "+wln:")) != -1) {
		switch (option) {
		case 'w':
			walking = true;
			break;
		case 'l':
			locked_in = true;
			break;
		case 'n':
			number = strtoul(optarg, NULL, 10);
			break;
		default:
			return 2;
		}
	}
	if (argc - optind < 2 || number == 0) {
		fprintf(stderr,
		    "usage: race [-w] [-l] [-n REQUESTS] DIRECTORY "
		    "PROGRAM [OPTION]...\n");
		return 2;
	}
	const char *top = realpath(argv[optind], NULL);
	if (top == NULL)
		die("%s", argv[optind]);
	top_fd = open(top, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (top_fd < 0)
		die("%s", top);
	make_tree(top);

	/* The program's words move to the front, to leave room for the tree. */
	snprintf(root, sizeof(root), "%s/root", top);
	size_t words = (size_t)(argc - optind - 1);
	memmove(argv, argv + optind + 1, words * sizeof(*argv));
	argv[words] = root;
	argv[words + 1] = NULL;
	handler_words = argv;

	if (pthread_create(&exchanger, NULL, exchange_all, &random) != 0)
		die("pthread_create");
	for (size_t i = 0; i < CLIENTS; i++) {
		struct client *c = &clients[i];

		c->random = 0x2545f4914f6cdd1d * (i + 1);
		c->to_answer = number / CLIENTS + (i < number % CLIENTS);
		c->buf = malloc(BUF_CAP + 1);
		if (c->buf == NULL ||
		    pthread_create(&c->thread, NULL, run_client, c) != 0)
			die("pthread_create");
	}
	for (size_t i = 0; i < CLIENTS; i++)
		pthread_join(clients[i].thread, NULL);
	atomic_store(&over, true);
	pthread_join(exchanger, NULL);
	judge(clients, number);
	return atomic_load(&faults) == 0 ? 0 : 1;
}
