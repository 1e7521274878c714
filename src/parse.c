/*
 * parse: the bytes of one head to a request, without copying or changing one.
 */
#include "parse.h"

#include "grammar.h"
#include "request-line.h"

#include <stdint.h>

/* What the fields say that concerns the head as a whole. */
struct fields {
	bool has_host;
	struct slice host;
	bool has_length;
	uint64_t length;
	bool has_coding;
	bool last_coding_is_chunked;
	bool coding_unknown;
	bool expectation_unknown;
};

static const char field_names[FIELD_COUNT][20] = {
	[FIELD_IF_MATCH] = "If-Match",
	[FIELD_IF_NONE_MATCH] = "If-None-Match",
	[FIELD_IF_MODIFIED_SINCE] = "If-Modified-Since",
	[FIELD_IF_UNMODIFIED_SINCE] = "If-Unmodified-Since",
	[FIELD_RANGE] = "Range",
	[FIELD_IF_RANGE] = "If-Range",
	[FIELD_ACCEPT_ENCODING] = "Accept-Encoding",
};

bool
list_next(struct slice *rest, struct slice *ret_member)
{
	while (rest->len > 0) {
		*ret_member = slice_trim(slice_take(rest, ','));
		if (ret_member->len > 0)
			return true;
	}
	return false;
}

/*
 * Content-Length = 1*DIGIT                           RFC 9110 8.6
 * RFC 9112 6.3 lets a recipient take equal values, in a list or in several
 * lines, for one.  Most servers refuse them, and a program in front of this one
 * may look at the first alone: they are refused here as well.
 */
static enum verdict
parse_content_length(struct slice value, struct fields *f)
{
	uint64_t n = 0;

	if (value.len == 0 || f->has_length)
		return BAD_CONTENT_LENGTH;
	for (size_t i = 0; i < value.len; i++) {
		uint64_t digit = (uint64_t)(value.ptr[i] - '0');

		if (!is_digit(value.ptr[i]) || n > (INT64_MAX - digit) / 10)
			return BAD_CONTENT_LENGTH;
		n = n * 10 + digit;
	}
	f->has_length = true;
	f->length = n;
	return PROCEED;
}

/*
 * Transfer-Encoding = #transfer-coding               RFC 9112 6.1
 * The only coding known here is chunked, once and last.
 */
static enum verdict
parse_transfer_encoding(struct slice value, struct fields *f)
{
	struct slice s;

	f->has_coding = true;
	while (list_next(&value, &s)) {
		if (f->last_coding_is_chunked)
			return BAD_TRANSFER_CODING;
		if (slice_equal_nocase(s, SLICE("chunked")))
			f->last_coding_is_chunked = true;
		else
			f->coding_unknown = true;
	}
	return PROCEED;
}

/* Connection = #connection-option                    RFC 9110 7.6.1 */
static void
parse_connection(struct slice value, struct request *r)
{
	struct slice s;

	while (list_next(&value, &s)) {
		if (slice_equal_nocase(s, SLICE("close")))
			r->says_close = true;
		else if (slice_equal_nocase(s, SLICE("keep-alive")))
			r->says_keep_alive = true;
	}
}

/* Expect = #expectation                              RFC 9110 10.1.1 */
static void
parse_expect(struct slice value, struct request *r, struct fields *f)
{
	struct slice s;

	while (list_next(&value, &s)) {
		if (slice_equal_nocase(s, SLICE("100-continue")))
			r->expects_continue = true;
		else
			f->expectation_unknown = true;
	}
}

/*
 * Counts a line of one of the fields that answers look for later; a head has
 * too few lines for the count to overflow (FIELDS_MAX in read.h).
 */
static void
note_field(struct slice name, struct request *r)
{
	for (size_t i = 0; i < FIELD_COUNT; i++)
		if (slice_equal_nocase(name, slice_of(field_names[i])))
			r->occurs[i]++;
}

/* field-line = field-name ":" OWS field-value OWS    RFC 9112 5 */
static enum verdict
parse_field(struct slice line, struct request *r, struct fields *f)
{
	struct slice value = line;
	struct slice name = slice_take(&value, ':');

	if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
		return FOLDED_FIELD;
	if (!is_token(name) || name.len == line.len)
		return BAD_FIELD_NAME;
	for (size_t i = 0; i < value.len; i++)
		if (is_control(value.ptr[i]) && value.ptr[i] != '\t')
			return BAD_FIELD_VALUE;
	value = slice_trim(value);

	if (slice_equal_nocase(name, SLICE("Host"))) {
		if (f->has_host)
			return HOST_REPEATED;
		f->has_host = true;
		f->host = value;
	} else if (slice_equal_nocase(name, SLICE("Connection"))) {
		parse_connection(value, r);
	} else if (slice_equal_nocase(name, SLICE("Content-Length"))) {
		return parse_content_length(value, f);
	} else if (slice_equal_nocase(name, SLICE("Transfer-Encoding"))) {
		return parse_transfer_encoding(value, f);
	} else if (slice_equal_nocase(name, SLICE("Referer"))) {
		r->referer = value;
	} else if (slice_equal_nocase(name, SLICE("User-Agent"))) {
		r->user_agent = value;
	} else if (slice_equal_nocase(name, SLICE("Expect"))) {
		parse_expect(value, r, f);
	} else {
		note_field(name, r);
	}
	return PROCEED;
}

/* Host: exactly one in HTTP/1.1, at most one in HTTP/1.0 (RFC 9112 3.2). */
static enum verdict
check_host(struct request *r, const struct fields *f)
{
	bool target_has_authority = r->host.len > 0;

	if (!f->has_host)
		return r->minor_version == 0 ? PROCEED : HOST_MISSING;
	if (f->host.len == 0 && target_has_authority)
		return PROCEED;
	if (!is_authority(f->host))
		return BAD_HOST;
	if (!target_has_authority)
		r->host = f->host;
	return PROCEED;
}

/* What follows the head: RFC 9112 6.1 and 6.3. */
static enum verdict
check_framing(struct request *r, const struct fields *f)
{
	if (f->has_coding) {
		if (f->has_length)
			return LENGTH_AND_CODING;
		if (!f->last_coding_is_chunked || r->minor_version == 0)
			return BAD_TRANSFER_CODING;
		if (f->coding_unknown)
			return TRANSFER_CODING_UNKNOWN;
	}
	if (f->has_coding || f->length > 0)
		r->has_content = true;
	r->is_chunked = f->has_coding;
	r->content_length = f->length;
	if (r->minor_version == 0)
		r->expects_continue = false; /* RFC 9110 10.1.1 */
	else if (f->expectation_unknown)
		return EXPECTATION_FAILED;
	return PROCEED;
}

enum verdict
parse_request(struct slice head, struct request *ret_request)
{
	struct request *r = ret_request;
	struct fields f = { 0 };
	enum verdict method_verdict = PROCEED;

	*r = (struct request){ .minor_version = 1, .method = METHOD_OTHER };
	r->line = slice_take(&head, '\n');
	if (r->line.len > 0 && r->line.ptr[r->line.len - 1] == '\r')
		r->line.len--;

	r->fields = head;

	enum verdict v = parse_request_line(r->line, r, &method_verdict);
	while (v == PROCEED && head.len > 0) {
		struct slice line = slice_take(&head, '\n');

		if (line.len > 0 && line.ptr[line.len - 1] == '\r')
			line.len--;
		if (line.len == 0)
			break;
		v = parse_field(line, r, &f);
	}
	if (v == PROCEED)
		v = check_host(r, &f);
	if (v == PROCEED)
		v = check_framing(r, &f);
	return v == PROCEED ? method_verdict : v;
}

bool
request_next_field(
    struct slice *rest, enum field field, struct slice *ret_value)
{
	while (rest->len > 0) {
		struct slice value = slice_take(rest, '\r');
		struct slice name = slice_take(&value, ':');

		slice_take(rest, '\n');
		if (slice_equal_nocase(name, slice_of(field_names[field]))) {
			*ret_value = slice_trim(value);
			return true;
		}
	}
	return false;
}

bool
request_only_field(
    const struct request *r, enum field field, struct slice *ret_value)
{
	struct slice rest = r->fields;

	return r->occurs[field] == 1 &&
	    request_next_field(&rest, field, ret_value);
}
