/*
 * upper: sends everything back that arrives on one accepted connection, with
 * the letters of ASCII in upper case.
 *
 * It has the shape of httpd, and its sandbox, around the least that a service
 * can do, so that what TCP does can be seen through it: how much is read at a
 * time, how often, and how long it waits before, are options, and Nagle's
 * algorithm is left on.
 */
#define _GNU_SOURCE
#include "connection.h"
#include "insist.h"
#include "large.h"
#include "log.h"
#include "start.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

#ifndef VERSION
#error "VERSION is set by the Makefile"
#endif

#define BUFFER_MAX 65536
#define RECEIVED_MAX_ESCAPED 1800

const char program_name[] = "upper";

struct upper_options {
	struct common_options common;
	uint64_t buffer; /* bytes a read asks for */
	unsigned long reads; /* 0: until the end of input */
	unsigned long repeat; /* how often a reply has the text */
	int delay_ms; /* before each read */
	int timeout_ms; /* for the client to send, or to take, something */
	bool nodelay;
	bool log_lines;
};

static const char help[] =
    "Usage: upper [OPTION]...\n"
    "Send back in upper case what the one client sends that is connected to\n"
    "standard input and output.\n"
    "\n"
    "  -b, --buffer=BYTES          read so much at a time, up to 64K (default:\n"
    "                              1024)\n"
    "  -n, --reads=NUMBER          close after this many (default: 0, at the end\n"
    "                              of input)\n"
    "  -r, --repeat=NUMBER         say everything this often (default: 1)\n"
    "  -d, --delay=SECONDS         wait before each read (default: 0)\n"
    "  -t, --timeout=SECONDS       close when the client sends nothing, or takes\n"
    "                              nothing of a reply, this long (default: 60)\n"
    "  -N, --nodelay               send short segments at once\n"
    "  -l, --log=lines|none        a line for the connection, each read and the\n"
    "                              end, to standard error, or to syslog where\n"
    "                              that is the client (default: lines)\n" COMMON_OPTION_HELP
    "\n"
    "Options in the environment variable UPPER_OPTIONS, separated by blanks,\n"
    "are read before those of the command line.\n";

static const char *
take(void *options, int letter, const char *value)
{
	struct upper_options *o = options;
	const char *expected;
	unsigned choice = 0;

	switch (letter) {
	case 'b':
		return parse_size(value, &o->buffer) == NULL && o->buffer > 0 &&
			o->buffer <= BUFFER_MAX ?
		    NULL :
		    "bytes, 1 to 64K";
	case 'n':
		return parse_count(value, &o->reads);
	case 'r':
		return parse_count(value, &o->repeat) == NULL && o->repeat > 0 ?
		    NULL :
		    "a number, 1 to 2147483647";
	case 'd':
		return parse_duration_or_zero_ms(value, &o->delay_ms);
	case 't':
		return parse_duration_ms(value, &o->timeout_ms);
	case 'N':
		o->nodelay = true;
		return NULL;
	default: /* 'l' */
		expected = parse_choice(value, "none|lines", &choice);
		if (expected == NULL)
			o->log_lines = choice == 1;
		return expected;
	}
}

static bool
read_options(struct upper_options *options, int argc, char **argv,
    struct argument_error *ret_error)
{
	static const struct option table[] = {
		{ "buffer", required_argument, NULL, 'b' },
		{ "reads", required_argument, NULL, 'n' },
		{ "repeat", required_argument, NULL, 'r' },
		{ "delay", required_argument, NULL, 'd' },
		{ "timeout", required_argument, NULL, 't' },
		{ "nodelay", no_argument, NULL, 'N' },
		{ "log", required_argument, NULL, 'l' },
		COMMON_OPTION_ROWS,
		{ NULL, 0, NULL, 0 },
	};
	static const struct argument_spec spec = {
		.variable = "UPPER_OPTIONS",
		.letters = "-:b:n:r:d:t:Nl:" COMMON_OPTION_LETTERS,
		.table = table,
		.take = take,
		.surplus = "is one too many: there are only options",
	};

	return arguments_read(&spec, options, &options->common,
	    getenv("UPPER_OPTIONS"), argc, argv, ret_error);
}

struct log_lines upper_lines LARGE;

static void
log_line(struct slice what, struct slice bytes)
{
	struct text t;

	log_start_line(&t, NULL);
	text_add(&t, what);
	text_add_escaped(&t, bytes, RECEIVED_MAX_ESCAPED);
	log_end_line(&t);
	log_flush();
}

/* TCP goes on meanwhile: what arrives is acknowledged by the system. */
static void
wait_ms(int ms)
{
	int64_t end_ms = clock_monotonic_ms() + ms;

	for (int64_t left = ms; left > 0; left = end_ms - clock_monotonic_ms())
		(void)poll(NULL, 0, (int)left);
}

static void
make_upper(char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] >= 'a' && bytes[i] <= 'z')
			bytes[i] = (char)(bytes[i] - 'a' + 'A');
}

/*
 * Sends s `times` times, in pieces as large as the memory for them allows: to
 * TCP it is one text, and not that many short ones.
 */
static enum io_result
send_repeated(struct connection *c, struct slice s, unsigned long times)
{
	static char many[BUFFER_MAX];

	insist(s.len > 0);
	size_t at_once = sizeof(many) / s.len;
	enum io_result r = IO_DONE;

	if (times == 1)
		return connection_send(c, s);
	if (at_once > times)
		at_once = times;
	for (size_t i = 0; i < at_once; i++)
		memcpy(many + i * s.len, s.ptr, s.len);
	while (r == IO_DONE && times > 0) {
		if (at_once > times)
			at_once = times;
		r = connection_send(c, (struct slice){ many, at_once * s.len });
		times -= at_once;
	}
	return r;
}

/* Replies until the connection ends, or as often as it shall. */
static enum io_result
reply_to_all(struct connection *c, const struct upper_options *o)
{
	static char buf[BUFFER_MAX];
	enum io_result r = IO_DONE;
	size_t len;

	for (unsigned long n = 0; r == IO_DONE; n++) {
		if (o->reads != 0 && n == o->reads)
			return IO_DONE;
		wait_ms(o->delay_ms);
		r = connection_receive_idle(c, buf, (size_t)o->buffer, &len);
		if (r != IO_DONE)
			break;
		if (o->log_lines)
			log_line(
			    SLICE("Received: "), (struct slice){ buf, len });
		make_upper(buf, len);
		connection_begin_response(c);
		r = send_repeated(c, (struct slice){ buf, len }, o->repeat);
	}
	return r;
}

static struct slice
farewell(enum io_result r)
{
	switch (r) {
	case IO_DONE:
		return SLICE("Closed after all reads");
	case IO_TIMEOUT:
		return SLICE("Client timed out");
	case IO_GONE:
		return SLICE("Client disconnected: connection lost");
	case IO_END:
	case IO_FILE_SHRANK:
	case IO_FILE_FAILED:
		break;
	}
	return SLICE("Client disconnected");
}

/*
 * Serves the connection on standard input and output.  A reply that the client
 * has not taken when this side closes first is not thrown away by what it
 * still sends (connection_linger).
 */
static int
serve(const struct upper_options *o)
{
	const struct timeouts timeouts = {
		.idle_ms = o->timeout_ms,
		.send_ms = o->timeout_ms,
	};
	struct connection c;

	log_open(o->log_lines ? &upper_lines : NULL);
	if (!connection_open(
		&c, STDIN_FILENO, STDOUT_FILENO, &timeouts, o->nodelay)) {
		log_operator("standard input or output is not open: ",
		    strerror(errno), NULL);
		return EX_OSERR;
	}
	if (!start_enter_sandbox(-1, 0, o->common.sandbox))
		return EX_OSERR;
	if (o->log_lines)
		log_line(SLICE("Connection from: "), log_peer());

	enum io_result r = reply_to_all(&c, o);
	if (r == IO_GONE && connection_listens(&c))
		return start_refuse_listening();
	if (r == IO_DONE)
		connection_linger(&c);
	if (o->log_lines)
		log_line(farewell(r), SLICE(""));
	return EX_OK;
}

int
main(int argc, char **argv)
{
	struct upper_options options = {
		.buffer = 1024,
		.repeat = 1,
		.timeout_ms = 60000,
		.log_lines = true,
	};
	struct argument_error error;
	int status = start_take_connection(argc, argv);

	if (status != EX_OK)
		return status;

	start_ignore_signals();
	status = start_close_inherited();
	if (status != EX_OK)
		return status;

	if (!read_options(&options, argc, argv, &error)) {
		report_usage_error(&error);
		return EX_USAGE;
	}
	if (options.common.show_help)
		return start_print(help);
	if (options.common.show_version)
		return start_print("upper " VERSION "\n");

	status = start_drop_root(&options.common);
	return status != EX_OK ? status : serve(&options);
}
