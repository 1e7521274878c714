/*
 * upper-client: the other side of upper, for a laboratory of TCP.  It sends
 * messages, receives as often as it is told to, prints what came, and closes.
 *
 * What the network shows depends on which calls a program makes, so each
 * message is one send and each reply one receive, Nagle's algorithm stays on,
 * and nothing is shut down before the close: with everything read it is a FIN,
 * with something unread a reset.  Names are looked up by the host's own C
 * library, as everywhere on the host, which is why the program is not static.
 */
#define _GNU_SOURCE
#include "text.h"
#include "arguments.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

#ifndef VERSION
#error "VERSION is set by the Makefile"
#endif

#define RECV_MAX (1 << 20)
#define TIMES_MAX 1000000

struct options {
	int family;
	bool reply_each;
	int send_count;
	int recvs;
	int recv_size;
	int timeout_ms;
};

/* A conversation with a server; fd is -1 while there is no connection. */
struct talk {
	const struct options *options;
	const char *host;
	const char *port;
	int fd;
	bool ended; /* the server has closed its side */
};

static const char help[] =
    "Usage: upper-client [OPTION]... HOST PORT MESSAGE...\n"
    "Send each MESSAGE to a TCP server, print what it sends back, and close.\n"
    "\n"
    "  --send-count=N     send each MESSAGE so many times (default: 1)\n"
    "  --reply-each       receive after each send, rather than after all of them\n"
    "  --recvs=N          receive so many times (default: 1; 0: not at all)\n"
    "  --recv-size=BYTES  take at most so much at a time (default: 1024)\n"
    "  --timeout=SECONDS  wait at most so long for the server: to connect, to\n"
    "                     take more of a message, to send (default: 60)\n"
    "  -4, -6             only IPv4, or only IPv6\n"
    "  -h, --help         show this text\n"
    "  -V, --version      show the version\n";

/* The operator's fault: one sentence about a word of the command line. */
static int
misused(const char *what, const char *word, const char *why)
{
	(void)fprintf(stderr, "upper-client: %s '%s'%s\n", what, word, why);
	return EX_USAGE;
}

static int
invalid_value(const char *option, const char *value, const char *expected)
{
	(void)fprintf(stderr,
	    "upper-client: --%s: invalid value '%s' (expected %s)\n", option,
	    value, expected);
	return EX_USAGE;
}

static int
output_failed(void)
{
	(void)fprintf(stderr,
	    "upper-client: cannot write to standard output: %s\n",
	    strerror(errno));
	return EX_IOERR;
}

static int
print(const char *text)
{
	return fputs(text, stdout) < 0 || fflush(stdout) != 0 ?
	    output_failed() :
	    EX_OK;
}

/* The network's fault, by errno: what could not be done with the server. */
static int
talk_failed(const struct talk *t, const char *what, int status)
{
	if (errno == EPIPE) /* a reset behind the server's end of input */
		errno = ECONNRESET;
	if (errno == ETIMEDOUT)
		status = EX_TEMPFAIL;
	(void)fprintf(stderr, "upper-client: cannot %s %s port %s: %s\n", what,
	    t->host, t->port, strerror(errno));
	return status;
}

static int
ended_early(const struct talk *t)
{
	(void)fprintf(stderr,
	    "upper-client: cannot send more to %s port %s: "
	    "it has closed the connection\n",
	    t->host, t->port);
	return EX_IOERR;
}

static bool
parse_number(
    const char *s, unsigned long least, unsigned long most, int *ret_number)
{
	unsigned long n;

	if (parse_count(s, &n) != NULL || n < least || n > most)
		return false;
	*ret_number = (int)n;
	return true;
}

/* Sets an option.  Returns NULL, or what was expected of an invalid value. */
static const char *
set_option(struct options *o, int letter, const char *value)
{
	switch (letter) {
	case '4':
		o->family = AF_INET;
		return NULL;
	case '6':
		o->family = AF_INET6;
		return NULL;
	case 'e':
		o->reply_each = true;
		return NULL;
	case 'c':
		return parse_number(value, 1, TIMES_MAX, &o->send_count) ?
		    NULL :
		    "a number, 1 to 1000000";
	case 'r':
		return parse_number(value, 0, TIMES_MAX, &o->recvs) ?
		    NULL :
		    "a number, 0 to 1000000";
	case 's':
		return parse_number(value, 1, RECV_MAX, &o->recv_size) ?
		    NULL :
		    "bytes, 1 to 1048576";
	default: /* 't' */
		return parse_duration_ms(value, &o->timeout_ms);
	}
}

/*
 * Waits until the connection allows one of `events`.  False, with errno, if
 * that takes longer than the timeout.
 */
static bool
wait_for(const struct talk *t, short events)
{
	struct pollfd p = { .fd = t->fd, .events = events };
	struct timespec now;
	int left = t->options->timeout_ms;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	long long end = now.tv_sec * 1000LL + now.tv_nsec / 1000000 + left;
	int ready;
	while ((ready = poll(&p, 1, left)) < 0 && errno == EINTR) {
		(void)clock_gettime(CLOCK_MONOTONIC, &now);
		long long ms =
		    end - now.tv_sec * 1000LL - now.tv_nsec / 1000000;
		left = ms > 0 ? (int)ms : 0;
	}
	if (ready == 0)
		errno = ETIMEDOUT;
	return ready > 0;
}

/* Connects to one of the server's addresses; false, with errno, if not. */
static bool
connect_to(struct talk *t, const struct addrinfo *address)
{
	t->fd = socket(address->ai_family,
	    address->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    address->ai_protocol);
	if (t->fd < 0)
		return false;
	if (connect(t->fd, address->ai_addr, address->ai_addrlen) == 0)
		return true;

	int error = errno;
	socklen_t len = sizeof(error);
	if (error == EINPROGRESS) {
		if (!wait_for(t, POLLOUT) ||
		    getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
			error = errno;
		if (error == 0)
			return true;
	}
	close(t->fd);
	t->fd = -1;
	errno = error;
	return false;
}

/*
 * Connects to the first of the server's addresses that answers.  If none does,
 * the first one's error is the one to tell: getaddrinfo puts those that this
 * host has no route to last.
 */
static int
open_talk(struct talk *t)
{
	struct addrinfo *addresses,
	    hints = {
		    .ai_family = t->options->family,
		    .ai_socktype = SOCK_STREAM,
		    .ai_flags = AI_NUMERICSERV,
	    };
	int error = getaddrinfo(t->host, t->port, &hints, &addresses);

	if (error != 0) {
		(void)fprintf(stderr,
		    "upper-client: cannot find %s, to connect to port %s: %s\n",
		    t->host, t->port,
		    error == EAI_SYSTEM ? strerror(errno) :
					  gai_strerror(error));
		return EX_NOHOST;
	}

	int first_error = 0;
	for (const struct addrinfo *a = addresses; a != NULL; a = a->ai_next) {
		if (connect_to(t, a))
			break;
		if (first_error == 0)
			first_error = errno;
	}
	freeaddrinfo(addresses);
	if (t->fd >= 0)
		return EX_OK;
	errno = first_error;
	return talk_failed(t, "connect to", EX_UNAVAILABLE);
}

static void
close_talk(struct talk *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

static int
send_message(const struct talk *t, const char *message)
{
	size_t len = strlen(message);

	for (size_t sent = 0; sent < len;) {
		ssize_t n =
		    send(t->fd, message + sent, len - sent, MSG_NOSIGNAL);

		if (n >= 0)
			sent += (size_t)n;
		else if (errno == EAGAIN ? !wait_for(t, POLLOUT) :
					   errno != EINTR)
			return talk_failed(t, "send to", EX_IOERR);
	}
	return EX_OK;
}

/* Prints a reply on one line of printable ASCII, as upper logs it. */
static int
print_reply(struct slice reply)
{
	(void)fputs("Server sent: ", stdout);
	for (size_t i = 0; i < reply.len; i++) {
		char buf[sizeof("\\xhh")];
		struct text t = TEXT_IN(buf);

		text_add_escaped(
		    &t, (struct slice){ reply.ptr + i, 1 }, sizeof(buf));
		(void)fwrite(t.ptr, 1, t.len, stdout);
	}
	return print("\n");
}

/* Receives once, and prints that: at once, or after the close. */
static int
receive_reply(struct talk *t, bool close_first)
{
	static char buffer[RECV_MAX];
	ssize_t n;

	while (
	    (n = recv(t->fd, buffer, (size_t)t->options->recv_size, 0)) < 0) {
		if (errno == EAGAIN ? !wait_for(t, POLLIN) : errno != EINTR)
			return talk_failed(t, "receive from", EX_IOERR);
	}
	if (close_first)
		close_talk(t);
	if (n > 0)
		return print_reply((struct slice){ buffer, (size_t)n });
	t->ended = true;
	return print("Server closed the connection\n");
}

/* Receives as often as was asked for, or until the server's end of input. */
static int
receive_replies(struct talk *t)
{
	const struct options *o = t->options;
	int status = EX_OK;

	for (int i = 0; status == EX_OK && i < o->recvs && !t->ended; i++)
		status = receive_reply(t, o->recvs == 1 && !o->reply_each);
	return status;
}

static int
converse(struct talk *t, char **messages)
{
	const struct options *o = t->options;

	for (; *messages != NULL; messages++) {
		for (int i = 0; i < o->send_count; i++) {
			if (t->ended)
				return ended_early(t);
			int status = send_message(t, *messages);
			if (status == EX_OK && o->reply_each)
				status = receive_replies(t);
			if (status != EX_OK)
				return status;
		}
	}
	return o->reply_each ? EX_OK : receive_replies(t);
}

/*
 * Reads the options.  -1 if there is a conversation to hold, whose operands
 * begin at optind; else the status to exit with.
 */
static int
read_options(struct options *o, int argc, char **argv)
{
	static const struct option table[] = {
		{ "send-count", required_argument, NULL, 'c' },
		{ "reply-each", no_argument, NULL, 'e' },
		{ "recvs", required_argument, NULL, 'r' },
		{ "recv-size", required_argument, NULL, 's' },
		{ "timeout", required_argument, NULL, 't' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ NULL, 0, NULL, 0 },
	};

	opterr = 0;
	for (;;) {
		const char *word = argv[optind];
		/* "+": a message that begins with a dash is no option. */
		int letter = getopt_long(argc, argv, "+:46hV", table, NULL);

		if (letter == -1)
			return -1;
		if (letter == 'h')
			return print(help);
		if (letter == 'V')
			return print("upper-client " VERSION "\n");
		if (letter == ':')
			return misused("option", word, " needs a value");
		if (letter == '?')
			return misused("unknown option", word,
			    "; see upper-client --help");
		const char *expected = set_option(o, letter, optarg);
		if (expected != NULL)
			return invalid_value(
			    option_name(table, letter), optarg, expected);
	}
}

/*
 * The connection must not become standard output or error where those are
 * closed: what is printed would go to the server.  Writing to what takes their
 * place fails, as it should.
 */
static void
occupy_standard_descriptors(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/dev/null", O_RDONLY);
}

int
main(int argc, char **argv)
{
	struct options o = {
		.family = AF_UNSPEC,
		.send_count = 1,
		.recvs = 1,
		.recv_size = 1024,
		.timeout_ms = 60000,
	};
	int port;

	occupy_standard_descriptors();
	(void)signal(SIGPIPE, SIG_IGN); /* of standard output, too */

	int status = read_options(&o, argc, argv);
	if (status >= 0)
		return status;
	if (argc - optind < 3) {
		(void)fputs("upper-client: HOST, PORT and a MESSAGE are wanted;"
			    " see upper-client --help\n",
		    stderr);
		return EX_USAGE;
	}
	if (!parse_number(argv[optind + 1], 1, 65535, &port))
		return misused("port", argv[optind + 1],
		    " is not a number from 1 to 65535");

	struct talk t = {
		.options = &o,
		.host = argv[optind],
		.port = argv[optind + 1],
		.fd = -1,
	};
	status = open_talk(&t);
	if (status == EX_OK)
		status = converse(&t, argv + optind + 2);
	close_talk(&t);
	return status;
}
