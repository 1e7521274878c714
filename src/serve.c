/*
 * serve: the loop of one connection.  The only place that strings the stages
 * together, reads the calendar clock and logs; and where the process is locked
 * in, between opening what the connection needs and reading its first byte.
 */
#define _GNU_SOURCE
#include "serve.h"

#include "access.h"
#include "content.h"
#include "large.h"
#include "log.h"
#include "read.h"
#include "respond.h"
#include "start.h"
#include "text.h"

#include <errno.h>
#include <sysexits.h>
#include <time.h>
#include <unistd.h>

/* How long a request may take that somebody types. */
#define TYPING_MS 600000

/*
 * All memory of a connection.  A page of it that no request needs is never
 * touched, and a usual request needs two: the start of this, which is on the
 * page of the program's other variables, and the end of the target's path with
 * the start of the output.  CONTENT_ROOM (read.h) is half a page so that those
 * two meet near the start of a page, with room for an answer of some KiB.
 */
struct session {
	const struct site *site; /* NULL: there is nothing to serve */
	const struct options *options;
	struct connection connection;
	int head_timeout_ms; /* for a request head, and for its content */
	unsigned long requests; /* answered so far */
	bool outdated_is_reported; /* outdated variants, once a connection */
	time_t site_seen; /* when its name was last looked at, in seconds */
	struct input in;
	struct target target;
	struct output out;
	struct file_cache cache;
	struct log_lines lines;
	struct ranges ranges;
};

struct session serve_session LARGE;

#define BUSY_WAIT_MS 5000 /* for a file that somebody has leased */
#define BUSY_LOOK_MS 20 /* between two tries */

enum next {
	NEXT_REQUEST, /* the connection persists */
	NEXT_CLOSE, /* nothing is left to say or to wait for */
	NEXT_LINGER, /* the peer may still be sending */
	NEXT_REFUSE_LISTENING, /* there is no connection */
};

/*
 * Tells the operator of what is wrong with the tree, where a request has come
 * upon it.
 */
static void
report_problems(struct session *s)
{
	const struct target *t = &s->target;

	if (t->bad_rule.line != 0) {
		char number[NUMBER_CAP];

		log_operator(
		    "_redirects:", text_number(number, t->bad_rule.line), ": ",
		    t->bad_rule.problem, NULL);
	}
	if (t->outdated != 0 && !s->outdated_is_reported) {
		unsigned coding = 0;

		while ((t->outdated & 1u << coding) == 0)
			coding++;
		log_operator("/", t->path.name, target_index(&t->path),
		    coding_suffix((enum coding)coding),
		    " is not sent: its times are not those of a variant of the "
		    "present file; see --variants",
		    NULL);
		s->outdated_is_reported = true;
	}
}

static void
log_response(struct session *s, const struct request *req,
    const struct response *response, int64_t now, uint64_t content_sent,
    enum verdict v)
{
	const struct access entry = {
		.now = now,
		.line = req->line,
		.referer = req->referer,
		.user_agent = req->user_agent,
		.status = response->status,
		.content_sent = content_sent,
		.verdict = v,
	};

	report_problems(s);
	if (!s->options->log_requests)
		return;
	/*
	 * The lines of answers that leave together are written together; that
	 * of one that has left needs no more memory than it did.
	 */
	access_log(&entry, s->connection.pending.len == 0 ? s->out.buf : NULL);
}

/*
 * Whether closing at once could destroy the answer, where the client may have
 * sent, or be sending, more than the request that was answered; or would leave
 * much of it to the system.
 */
static bool
must_linger(const struct session *s, const struct request *req, enum verdict v)
{
	return !verdict_framing_intact(v) || req->has_content ||
	    !req->says_close || read_has_more(&s->in) ||
	    connection_has_more(&s->connection) ||
	    connection_owes_much(&s->connection);
}

/*
 * Whether a request's content is read before the answer: where its end can be
 * found, and the client does not wait for the answer before it sends it.
 */
static bool
must_read_content(const struct request *req, enum verdict v)
{
	return verdict_framing_intact(v) && !req->is_tunnel &&
	    !req->expects_continue;
}

/*
 * Whether the document root has been replaced, which is looked at once a second
 * at most: a connection that persists would serve the old one for ever.
 */
static bool
site_was_replaced(struct session *s, const struct timespec *now)
{
	const struct common_options *o = &s->options->common;
	time_t seen = s->site_seen;

	s->site_seen = now->tv_sec;
	return s->requests > 0 && seen != now->tv_sec && s->site != NULL &&
	    !site_is_current(s->site, o->allow_root && o->user == NULL);
}

/*
 * Finds what answers a request, and waits a while for a file that is busy.
 * Most leases are given back at once: the kernel tells their holder.
 * CLIENT_GONE: the responses before this one could not be sent, so that this
 * one would be taken for one of them.
 */
static enum verdict
resolve_patiently(
    struct session *s, const struct request *req, const struct timespec *now)
{
	int64_t deadline_ms = 0;

	for (;;) {
		/* Most connections make one request: it is not cached. */
		struct file_cache *cache = s->requests > 0 ? &s->cache : NULL;

		if (cache != NULL)
			cache->io_epoch = s->connection.io_epoch;
		enum verdict v =
		    resolve_target(s->site, cache, req, now, &s->target);
		if (v != FILE_BUSY)
			return v;

		int64_t now_ms = clock_monotonic_ms();
		if (deadline_ms == 0)
			deadline_ms = now_ms + BUSY_WAIT_MS;
		if (now_ms >= deadline_ms ||
		    connection_reached_max_age(&s->connection))
			return v;
		if (connection_pause(&s->connection, BUSY_LOOK_MS) != IO_DONE)
			return CLIENT_GONE;
		target_reset(&s->target);
	}
}

/* Reads the content, and says what is to become of a request with verdict v. */
static enum verdict
read_rest(struct session *s, struct request *req, enum verdict v)
{
	enum verdict rest = read_content(&s->in, &s->connection, req,
	    s->options->max_body, s->head_timeout_ms);

	if (rest != PROCEED)
		return rest;
	req->has_content = false;
	return v;
}

/*
 * Decides what is answered to a request of verdict *v, and sends it; where the
 * file cannot be read, an error in its place.  *v and *ret_response are what
 * was sent, and the result is how that ended.
 */
static enum verdict
send_response(struct session *s, const struct request *req,
    const struct timespec *now, bool last, enum verdict *v,
    struct response *ret_response, uint64_t *ret_content_sent)
{
	enum verdict end = *v;

	connection_begin_response(&s->connection);
	do {
		*v = decide_response(end, req, &s->target, &s->options->policy,
		    last, now, &s->ranges, ret_response);
		end = respond(&s->connection, &s->out, ret_response,
		    now->tv_sec, read_has_more(&s->in), ret_content_sent);
	} while (end == FILE_BUSY || end == FILE_ERROR);
	return end;
}

/*
 * Answers one request.  A stage runs only while every stage before it let the
 * request proceed; the first verdict that is not PROCEED is the answer.
 */
static enum next
serve_request(struct session *s)
{
	struct request req;
	struct response response;
	struct slice head;
	uint64_t content_sent;
	enum verdict v =
	    read_head(&s->in, &s->connection, s->head_timeout_ms, &head);

	if (v == END_OF_INPUT && connection_owes_much(&s->connection))
		return NEXT_LINGER;
	if ((v == CLIENT_GONE || v == IDLE) && s->requests == 0 &&
	    connection_listens(&s->connection))
		return NEXT_REFUSE_LISTENING;
	if (v != PROCEED && verdict_status(v) == 0)
		return NEXT_CLOSE;

	target_reset(&s->target);
	if (v == PROCEED)
		v = parse_request(head, &req);
	else
		parse_request(head, &req); /* its line, for the log */
	if (s->site == NULL && verdict_framing_intact(v))
		v = MISCONFIGURED;
	if (req.has_content && must_read_content(&req, v))
		v = read_rest(s, &req, v);
	if (verdict_status(v) == 0 && v != PROCEED)
		return NEXT_CLOSE;

	struct timespec now;
	clock_calendar(&now);
	if (v == PROCEED)
		v = resolve_patiently(s, &req, &now);
	if (v == CLIENT_GONE)
		return NEXT_CLOSE;
	bool last = site_was_replaced(s, &now) ||
	    s->requests + 1 == s->options->max_requests ||
	    connection_reached_max_age(&s->connection);
	s->requests++;
	enum verdict end =
	    send_response(s, &req, &now, last, &v, &response, &content_sent);
	target_close(&s->target);
	if (end == SEND_TIMEOUT && connection_reached_max_age(&s->connection))
		end = MAX_AGE_REACHED;
	log_response(s, &req, &response, now.tv_sec, content_sent,
	    end == PROCEED ? v : end);

	if (end == PROCEED && !response.close)
		return NEXT_REQUEST;
	/* What was sent before a file ended too early still arrives. */
	bool peer_takes_it =
	    end == PROCEED || end == FILE_SHRANK || end == FILE_LOST;
	return peer_takes_it && must_linger(s, &req, v) ? NEXT_LINGER :
							  NEXT_CLOSE;
}

/*
 * At a terminal, a request is typed if one comes at all, which takes time.  A
 * user who did not mean to do that is told what the program does.
 */
static void
wait_for_typist(struct session *s)
{
	start_say_how_to_listen(NULL);
	log_operator("a request may be typed; its lines end with Ctrl-V Enter "
		     "Enter, and Ctrl-D ends the connection",
	    NULL);
	s->connection.timeouts.idle_ms = s->head_timeout_ms = TYPING_MS;
}

static bool
open_session(
    struct session *s, const struct site *site, const struct options *options)
{
	s->site = site;
	s->options = options;
	log_open(options->log_requests ? &s->lines : NULL);
	if (!connection_open(&s->connection, STDIN_FILENO, STDOUT_FILENO,
		&options->timeouts, true)) {
		log_operator("standard input or output is not open: ",
		    strerror(errno), NULL);
		return false;
	}
	s->connection.on_flush = log_flush;
	s->head_timeout_ms = options->head_timeout_ms;
	if (!s->connection.in_is_socket && isatty(STDIN_FILENO))
		wait_for_typist(s);
	return start_enter_sandbox(site == NULL ? -1 : site->root,
	    options->timeouts.max_age_ms, options->common.sandbox);
}

int
serve(const struct site *site, const struct options *options)
{
	struct session *s = &serve_session;
	enum next next;

	if (!open_session(s, site, options))
		return EX_OSERR;
	while ((next = serve_request(s)) == NEXT_REQUEST)
		;
	if (next == NEXT_LINGER)
		connection_linger(&s->connection);
	if (s->requests > 1) /* otherwise nothing was cached */
		cache_clear(&s->cache);
	return next == NEXT_REFUSE_LISTENING ? start_refuse_listening() : EX_OK;
}

void
serve_unavailable(const struct options *options)
{
	if (open_session(&serve_session, NULL, options) &&
	    serve_request(&serve_session) == NEXT_LINGER)
		connection_linger(&serve_session.connection);
}
