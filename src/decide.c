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
#define PAGE(title) \
	"<!DOCTYPE html>\n<html lang=\"en\">\n<title>" title \
	"</title>\n<h1>" title "</h1>\n</html>\n"
#define STATUS(code, reason) \
	{ \
		code, reason, PAGE(#code " " reason) \
	}

static const struct {
	int code;
	char reason[36];
	char page[164];
} statuses[] = {
	STATUS(200, "OK"),
	STATUS(301, "Moved Permanently"),
	STATUS(302, "Found"),
	STATUS(303, "See Other"),
	STATUS(307, "Temporary Redirect"),
	STATUS(308, "Permanent Redirect"),
	STATUS(400, "Bad Request"),
	STATUS(403, "Forbidden"),
	STATUS(404, "Not Found"),
	STATUS(405, "Method Not Allowed"),
	STATUS(408, "Request Timeout"),
	STATUS(414, "URI Too Long"),
	STATUS(431, "Request Header Fields Too Large"),
	STATUS(500, "Internal Server Error"),
	STATUS(501, "Not Implemented"),
	STATUS(503, "Service Unavailable"),
	STATUS(505, "HTTP Version Not Supported"),
};

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
	return persist == PERSIST_OK && status >= 300;
}

static void
set_file(struct reply *reply, const struct target *t, struct slice name)
{
	reply->file = t->file;
	reply->content_length = t->size;
	reply->content_type = type_of_name(name);
}

/* The request's query is passed on unless the rule brings its own. */
static void
set_rule(struct reply *reply, struct slice to, struct slice query)
{
	size_t len = 0;

	while (len < to.len && to.ptr[len] != '#')
		len++;
	reply->location = (struct slice){ to.ptr, len };
	reply->location_fragment = slice_after(to, len);
	if (memchr(to.ptr, '?', len) == NULL)
		reply->location_query = query;
}

void
decide_reply(enum verdict v, const struct request *r, const struct target *t,
    enum persist persist, bool last, int64_t now, struct reply *ret_reply)
{
	int status = v == REDIRECTED ? t->rule.status : verdict_status(v);
	struct slice page = slice_of(statuses[find_status(status)].page);
	struct slice path = { t->path.name, t->path.len };

	*ret_reply = (struct reply){
		.status = status,
		.content_type = SLICE("text/html"),
		.content = page,
		.content_length = page.len,
		.file = -1,
		.last_modified = -1,
		.allow = v == METHOD_NOT_ALLOWED,
		.head_only = r->method == METHOD_HEAD,
		.close = last || must_close(v, r, persist, status),
	};
	switch (status) {
	case 200:
		set_file(ret_reply, t,
		    t->path.ends_in_slash ? SLICE("index.html") : path);
		/* RFC 9110 8.8.2.1: never later than the answer's own date. */
		if (date_is_writable(t->modified) && date_is_writable(now))
			ret_reply->last_modified =
			    t->modified < now ? t->modified : now;
		break;
	case 404:
		if (t->file >= 0)
			set_file(ret_reply, t, SLICE("404.html"));
		break;
	default:
		break;
	}
	if (v == SLASH_MISSING) {
		ret_reply->location = path;
		ret_reply->location_is_path = true;
		ret_reply->location_query = r->query;
	} else if (v == REDIRECTED) {
		set_rule(ret_reply, t->rule.to, r->query);
	}
}
