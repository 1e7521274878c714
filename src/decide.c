/*
 * decide: what to answer.  Pure: from values to a value, no input or output.
 */
#include "decide.h"

#include "date.h"
#include "insist.h"
#include "types.h"

/*
 * The built-in content of an answer that is no file.  Nothing of the request
 * is repeated in it, so it can carry nobody's script.
 */
#define PAGE(title, text) \
	"<!DOCTYPE html>\n<html lang=\"en\">\n<title>" title \
	"</title>\n<h1>" title "</h1>\n<p>" text "</p>\n</html>\n"
#define STATUS(code, reason, text) \
	{ \
		code, reason, PAGE(#code " " reason, text) \
	}

static const struct {
	int code;
	char reason[36];
	char page[208];
} statuses[] = {
	STATUS(200, "OK", ""),
	STATUS(204, "No Content", ""),
	STATUS(206, "Partial Content", ""),
	STATUS(301, "Moved Permanently", "This page has another address now."),
	STATUS(302, "Found", "This page is at another address for now."),
	STATUS(303, "See Other", "The answer is at another address."),
	STATUS(304, "Not Modified", ""),
	STATUS(307, "Temporary Redirect",
	    "This page is at another address for now."),
	STATUS(308, "Permanent Redirect", "This page has another address now."),
	STATUS(400, "Bad Request",
	    "The request is malformed. It will fail again."),
	STATUS(403, "Forbidden", "This file may not be read."),
	STATUS(404, "Not Found", "There is no such page."),
	STATUS(405, "Method Not Allowed",
	    "No file takes this method. GET and HEAD are for files."),
	STATUS(406, "Not Acceptable",
	    "The file cannot be sent in any encoding that the request accepts."),
	STATUS(408, "Request Timeout",
	    "The request took too long to arrive. It may be tried again."),
	STATUS(412, "Precondition Failed",
	    "The file is not as the request has it."),
	STATUS(413, "Content Too Large",
	    "The request has more content than this server reads."),
	STATUS(414, "URI Too Long",
	    "The address is longer than this server reads."),
	STATUS(416, "Range Not Satisfiable",
	    "The file ends before the range that was asked for."),
	STATUS(417, "Expectation Failed",
	    "This server knows no expectation but 100-continue."),
	STATUS(431, "Request Header Fields Too Large",
	    "The request has more or longer fields than this server reads."),
	STATUS(500, "Internal Server Error",
	    "The file could not be read. This is the fault of the server."),
	STATUS(501, "Not Implemented",
	    "This server does not know the method or transfer coding."),
	STATUS(503, "Service Unavailable",
	    "The server cannot answer now. It may be tried again later."),
	STATUS(505, "HTTP Version Not Supported",
	    "This server speaks HTTP/1.0 and HTTP/1.1 only."),
};

/* A wrong option or directory stays wrong: nothing promises "later". */
static const char misconfigured_page[] =
    PAGE("503 Service Unavailable", "This site is not set up to answer.");

/* When what the system lacks may be there again, in seconds. */
#define RETRY_AFTER_SECONDS 5

static size_t
find_status(int code)
{
	size_t i = 0;

	while (statuses[i].code != code)
		insist(++i < sizeof(statuses) / sizeof(statuses[0]));
	return i;
}

struct slice
reason_of_status(int status)
{
	return slice_of(statuses[find_status(status)].reason);
}

/* Whether the connection has to end with the answer: RFC 9112 9.3. */
static bool
must_close(
    enum verdict v, const struct request *r, enum persist persist, int status)
{
	if (!verdict_framing_intact(v) || r->has_content || r->says_close)
		return true;
	if (r->minor_version == 0 && !r->says_keep_alive)
		return true;
	return persist == PERSIST_OK && status >= 300 && v != NOT_MODIFIED;
}

/* The built-in content for a verdict that is answered with a status. */
static struct slice
page_of(enum verdict v, int status)
{
	return slice_of(v == MISCONFIGURED ?
		misconfigured_page :
		statuses[find_status(status)].page);
}

static void
set_file(struct response *response, const struct target *t, struct slice name)
{
	response->file = t->file;
	response->content_length = t->facts.size;
	response->content_type = type_of_name(name);
}

/*
 * What follows the last slash of a path: with a slash after it, the reference
 * from a directory's name without its slash to that with it (RFC 3986 5.2).  A
 * proxy may have taken a prefix off the path, which a relative reference keeps.
 */
static struct slice
last_segment(struct slice path)
{
	size_t start = path.len;

	while (start > 0 && path.ptr[start - 1] != '/')
		start--;
	return slice_after(path, start);
}

/* The request's query is passed on unless the rule brings its own. */
static void
set_rule(struct response *response, struct slice to, struct slice query)
{
	size_t len = 0;

	while (len < to.len && to.ptr[len] != '#')
		len++;
	response->location = (struct slice){ to.ptr, len };
	response->location_fragment = slice_after(to, len);
	if (memchr(to.ptr, '?', len) == NULL)
		response->location_query = query;
}

/* Range is defined for GET alone, and comes last (RFC 9110 13.2.2, 14.2). */
static enum verdict
apply_range(const struct request *r, const struct validators *validators,
    uint64_t size, int64_t now, struct ranges *ret_ranges)
{
	struct slice value;

	if (r->method != METHOD_GET ||
	    !request_only_field(r, FIELD_RANGE, &value) ||
	    !conditions_allow_range(r, validators, now))
		return FOUND;
	switch (ranges_parse(value, size, ret_ranges)) {
	case RANGES_SATISFIABLE:
		return PARTIAL;
	case RANGES_NOT_SATISFIABLE:
		return RANGE_NOT_SATISFIABLE;
	case RANGES_IGNORED:
		break;
	}
	return FOUND;
}

enum verdict
decide_response(enum verdict v, const struct request *r, const struct target *t,
    const struct policy *policy, bool last, const struct timespec *now,
    struct ranges *ranges, struct response *ret_response)
{
	struct response *response = ret_response;
	struct slice path = { t->path.name, t->path.len };

	response->validators = (struct validators){ .modified = -1 };
	if (v == FOUND) {
		validators_of_file(&t->facts, t->coding, policy->portable_tags,
		    now, &response->validators);
		v = conditions_evaluate(r, &response->validators, now->tv_sec);
	}
	if (v == FOUND)
		v = apply_range(r, &response->validators, t->facts.size,
		    now->tv_sec, ranges);
	response->parts = ranges->list;
	response->parts_count = v == PARTIAL ? ranges->count : 0;

	int status =
	    v == REDIRECTED ? t->redirects.rule.status : verdict_status(v);
	response->status = status;
	response->has_content = status != 204 && status != 304;
	response->content = page_of(v, status);
	response->content_type = SLICE("text/html");
	response->content_length = response->content.len;
	response->file = -1;
	response->accept_ranges = v == FOUND || v == PARTIAL;
	response->range_refused = v == RANGE_NOT_SATISFIABLE;
	response->complete_length = t->facts.size;
	response->coding = CODING_IDENTITY;
	response->vary = t->varies || v == NOT_ACCEPTABLE;
	response->location = response->location_query =
	    response->location_fragment = (struct slice){ NULL, 0 };
	response->location_is_segment = v == SLASH_MISSING;
	response->allow = v == METHOD_NOT_ALLOWED || v == OPTIONS;
	response->retry_after =
	    v == OUT_OF_RESOURCES || v == FILE_BUSY ? RETRY_AFTER_SECONDS : 0;
	response->head_only = r->method == METHOD_HEAD;
	response->close = last || must_close(v, r, policy->persist, status);
	response->keep_alive_seconds =
	    response->close ? 0 : policy->keep_alive_seconds;

	if (v != FOUND && v != PARTIAL && v != NOT_MODIFIED)
		response->validators = (struct validators){ .modified = -1 };

	if (v == FOUND || v == PARTIAL) {
		set_file(response, t,
		    t->path.ends_in_slash ? SLICE("index.html") : path);
		response->coding = t->coding;
	} else if (status == 404 && t->file >= 0) {
		set_file(response, t, SLICE("404.html"));
	} else if (v == SLASH_MISSING) {
		response->location = last_segment(r->path);
		response->location_query = r->query;
	} else if (v == REDIRECTED) {
		set_rule(response, t->redirects.rule.to, r->query);
	}
	return v;
}
