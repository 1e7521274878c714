/*
 * request: a head means one thing, or is refused and closes.
 *
 * The whole input is a head; where it is one that read_head() lets through,
 * another reader of RFC 9112 has to read the same out of it.
 */
#define _GNU_SOURCE
#include "requests.h"

#include "parse.h"
#include "read.h"

/* Whether read_head() could have returned it. */
static bool
is_head(struct slice s)
{
	size_t lines = 0;

	if (s.len < 4 || s.len > HEAD_MAX || s.ptr[0] == '\n' ||
	    memcmp(s.ptr, "\r\n", 2) == 0 ||
	    memcmp(s.ptr + s.len - 4, "\r\n\r\n", 4) != 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		if (s.ptr[i] != '\n')
			continue;
		if (s.ptr[i - 1] != '\r' || lines++ > FIELDS_MAX + 1)
			return false;
		if (i >= 3 && s.ptr[i - 2] == '\n' && i + 1 < s.len)
			return false;
	}
	return true;
}

static bool
is_whole(enum verdict v)
{
	return v == PROCEED || v == OPTIONS || v == METHOD_NOT_ALLOWED ||
	    v == METHOD_UNKNOWN || v == EXPECTATION_FAILED;
}

/* What a method is answered, by IANA's registry. */
static enum verdict
verdict_of_method(struct slice method)
{
	static const char registry[] =
	    " ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT CONNECT COPY DELETE "
	    "LABEL LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF "
	    "MKWORKSPACE MOVE ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT "
	    "REBIND REPORT SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE "
	    "UPDATEREDIRECTREF VERSION-CONTROL ";
	const char *at = registry;

	if (slice_equal(method, SLICE("GET")) ||
	    slice_equal(method, SLICE("HEAD")))
		return PROCEED;
	if (slice_equal(method, SLICE("OPTIONS")))
		return OPTIONS;
	while ((at = memmem(at, strlen(at), method.ptr, method.len)) != NULL) {
		if (at[-1] == ' ' && at[method.len] == ' ')
			return METHOD_NOT_ALLOWED;
		at++;
	}
	return METHOD_UNKNOWN;
}

/* Each field that answers look for later: its lines, and their number. */
static void
check_fields(struct slice head, const struct request *r)
{
	static const char *const names[FIELD_COUNT] = { "if-match",
		"if-none-match", "if-modified-since", "if-unmodified-since",
		"range", "if-range", "accept-encoding" };

	for (enum field f = 0; f < FIELD_COUNT; f++) {
		struct slice rest = r->fields, value, wanted;
		size_t n = 0;

		while (request_next_field(&rest, f, &value)) {
			require(reading_field(head, names[f], n++, &wanted));
			require(slice_equal(value, wanted));
			require(fuzz_lies_in(value, head));
		}
		require(!reading_field(head, names[f], n, &wanted));
		require(r->occurs[f] == n);
		require(request_only_field(r, f, &value) == (n == 1));
	}
}

static void
check_whole(struct slice head, enum verdict v, const struct request *r)
{
	struct reading w;
	struct slice value;
	size_t n = 0;

	read_request(head, &w);
	if (v == TRANSFER_CODING_UNKNOWN) {
		require(w.whole && w.coding_unknown);
		return;
	}
	require(is_whole(v) == (w.whole && !w.coding_unknown));
	if (!w.whole)
		return;
	require(r->minor_version == w.minor);
	require(r->method ==
	    (slice_equal(w.method, SLICE("GET"))         ? METHOD_GET :
		    slice_equal(w.method, SLICE("HEAD")) ? METHOD_HEAD :
							   METHOD_OTHER));
	require(v == EXPECTATION_FAILED || v == verdict_of_method(w.method));
	require((v == EXPECTATION_FAILED) == (w.expects_other && w.minor > 0));
	require(slice_equal(r->path, w.path));
	require(slice_equal(r->query, w.query));
	require(slice_equal(r->host, w.authority));
	require(r->says_close == w.close);
	require(r->says_keep_alive == w.keep_alive);
	require(r->is_tunnel == slice_equal(w.method, SLICE("CONNECT")));
	require(r->is_chunked == w.chunked);
	require(r->content_length == w.length);
	require(r->has_content == (w.chunked || w.length > 0 || r->is_tunnel));
	require(r->expects_continue == (w.expects && w.minor > 0));
	while (reading_field(head, "referer", n, &value))
		n++;
	require(n == 0 ? r->referer.len == 0 : slice_equal(r->referer, value));
	for (n = 0; reading_field(head, "user-agent", n, &value);)
		n++;
	require(n == 0 ? r->user_agent.len == 0 :
			 slice_equal(r->user_agent, value));
	check_fields(head, r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice head = { (const char *)data, size };
	struct request r;
	enum verdict v = parse_request(head, &r);

	require(r.line.ptr == head.ptr && r.line.len <= head.len);
	require(
	    r.line.len == 0 || memchr(r.line.ptr, '\n', r.line.len) == NULL);
	require(is_whole(v) == verdict_framing_intact(v));
	require(is_whole(v) || verdict_status(v) >= 400);
	require(fuzz_lies_in(r.query, head) && fuzz_lies_in(r.host, head));
	require(fuzz_lies_in(r.referer, head));
	require(fuzz_lies_in(r.user_agent, head));
	if (is_head(head))
		check_whole(head, v, &r);

	struct slice rest = head, member;
	while (list_next(&rest, &member)) {
		require(member.len > 0 && fuzz_lies_in(member, head));
		require(memchr(member.ptr, ',', member.len) == NULL);
		require(slice_equal(slice_trim(member), member));
	}
	return 0;
}
