/*
 * head: where a request's head ends, whatever pieces it arrives in.
 *
 * The text is what the client sends, the decisions cut it.  A head that is
 * accepted whole is accepted in pieces and is the same; and what is accepted
 * is what a reader accepts that has all bytes before it.
 */
#include "fuzz.h"
#include "os.h"

#include "read.h"

#define TEXT_MAX 60000
#define HEADS_MAX 4000

enum what { ACCEPTED, ENDED, REFUSED };

struct heads {
	size_t count;
	size_t len[HEADS_MAX]; /* with an empty line that was skipped */
	enum what end;
};

static bool
is_tchar(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z') || memchr("!#$%&'*+-.^_`|~", c, 15) != NULL;
}

/* What lies at the start of these bytes, to which nothing will be added. */
static enum what
reference(struct slice s, size_t *ret_len)
{
	size_t skip = 0, lines = 0, start;

	if (s.len >= 2 && memcmp(s.ptr, "\r\n", 2) == 0)
		skip = 2;
	s = slice_after(s, skip);
	if (s.len == 0)
		return ENDED;
	for (start = 0; start < s.len; lines++) {
		const char *lf = memchr(s.ptr + start, '\n', s.len - start);

		if (lf == NULL)
			return REFUSED; /* cut short, if it is nothing else */
		size_t end = (size_t)(lf - s.ptr);
		if (end == start || s.ptr[end - 1] != '\r')
			return REFUSED;
		if (end - 1 == start)
			break;
		if (lines == 0 && !is_tchar(s.ptr[0]) && s.ptr[0] != '\r')
			return REFUSED;
		if (lines == 0 && end - 1 > REQUEST_LINE_MAX)
			return REFUSED;
		if (lines > FIELDS_MAX)
			return REFUSED;
		start = end + 1;
	}
	if (start >= s.len || lines == 0 || start + 2 > HEAD_MAX)
		return REFUSED;
	*ret_len = skip + start + 2;
	return ACCEPTED;
}

static void
read_all(struct fuzz_input input, enum os_mood mood, struct heads *ret_heads)
{
	static struct input in;
	const struct timeouts timeouts = { .idle_ms = 1000, .send_ms = 30000 };
	struct connection c;
	struct os_plan plan = {
		.mood = mood, .stream = input.text, .decisions = input.decisions
	};
	struct slice rest = input.text;

	plan.is_pipe = fuzz_decide(&plan.decisions, 2) == 1;
	plan.nonblocking = fuzz_decide(&plan.decisions, 2) == 1;
	os_start(&plan);
	in.start = in.end = 0;
	memset(in.buf, 0xEE, sizeof(in.buf));
	require(connection_open(&c, OS_IN, OS_OUT, &timeouts, true));
	for (ret_heads->count = 0; ret_heads->count < HEADS_MAX;
	     ret_heads->count++) {
		struct slice head;
		enum verdict v = read_head(&in, &c, 10000, &head);
		size_t skipped = 0;

		require(in.start <= in.end && in.end <= HEAD_MAX);
		require(fuzz_lies_in(
		    head, (struct slice){ in.buf, sizeof(in.buf) }));
		if (v != PROCEED) {
			ret_heads->end =
			    verdict_status(v) == 0 ? ENDED : REFUSED;
			require(!verdict_framing_intact(v));
			require(v != IDLE && v != CLIENT_GONE);
			require(v != HEAD_TIMEOUT || mood == OS_HOSTILE);
			return;
		}
		if (!slice_equal(head,
			(struct slice){ rest.ptr,
			    head.len < rest.len ? head.len : rest.len }))
			skipped = 2;
		require(rest.len >= skipped + head.len);
		require(skipped == 0 || memcmp(rest.ptr, "\r\n", 2) == 0);
		rest = slice_after(rest, skipped);
		require(memcmp(rest.ptr, head.ptr, head.len) == 0);
		rest = slice_after(rest, head.len);
		ret_heads->len[ret_heads->count] = skipped + head.len;
		/* What follows is there, or has not been received. */
		require(in.end - in.start ==
		    os.taken - (size_t)(rest.ptr - input.text.ptr));
	}
	ret_heads->end = ENDED;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct heads whole, split;
	struct fuzz_input input = fuzz_input(data, size);

	if (input.text.len > TEXT_MAX)
		return 0;
	read_all(input, OS_SMOOTH, &whole);
	read_all(input, OS_PIECES, &split);

	require(whole.count == split.count && whole.end == split.end);
	struct slice rest = input.text;
	for (size_t i = 0; i < whole.count; i++) {
		size_t len = 0;

		require(whole.len[i] == split.len[i]);
		require(reference(rest, &len) == ACCEPTED);
		require(len == whole.len[i]);
		rest = slice_after(rest, len);
	}
	size_t len;
	if (whole.count < HEADS_MAX)
		require(reference(rest, &len) == whole.end);
	return 0;
}
