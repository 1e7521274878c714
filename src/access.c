/*
 * access: one line a request, in the Combined Log Format.
 */
#define _GNU_SOURCE
#include "access.h"

#include "date.h"
#include "log.h"
#include "text.h"

/* Shares of a line that fits with its fixed fields. */
#define LINE_MAX_ESCAPED 1800
#define FIELD_MAX_ESCAPED 900

static void
add_quoted(struct text *t, struct slice s, size_t max)
{
	text_add(t, SLICE(" \""));
	if (s.len == 0)
		text_add_char(t, '-');
	text_add_escaped(t, s, max);
	text_add_char(t, '"');
}

void
access_log(const struct access *e, char *room)
{
	struct text t;

	log_start_line(&t, room);
	text_add(&t, log_peer());
	text_add(&t, SLICE(" - - ["));
	if (date_is_writable(e->now))
		date_add_log(&t, e->now);
	text_add_char(&t, ']');
	add_quoted(&t, e->line, LINE_MAX_ESCAPED);
	text_add_char(&t, ' ');
	text_add_number(&t, (uint64_t)e->status, 3);
	text_add_char(&t, ' ');
	if (e->content_sent > 0)
		text_add_number(&t, e->content_sent, 1);
	else
		text_add_char(&t, '-');
	add_quoted(&t, e->referer, FIELD_MAX_ESCAPED);
	add_quoted(&t, e->user_agent, FIELD_MAX_ESCAPED);
	add_quoted(&t, slice_of(verdict_token(e->verdict)), FIELD_MAX_ESCAPED);
	log_end_line(&t);
}
