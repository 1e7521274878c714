/*
 * content: where a body ends, whatever pieces it arrives in.
 *
 * The text is the body and what follows it.  What is accepted whole is
 * accepted in pieces, ends at the same byte, and is what a reader accepts
 * that has all bytes before it.
 */
#include "fuzz.h"
#include "os.h"
#include "requests.h"

#include "content.h"

#define TEXT_MAX 60000

/* Feeds a body in pieces; what comes of it, and how many bytes belong to it. */
static enum verdict
feed(struct slice s, struct slice decisions, uint64_t max, size_t *ret_len)
{
	static const size_t sizes[] = { SIZE_MAX, 1, 2, 3, 5, 17, 256, 4096 };
	struct chunks c = { 0 };
	enum verdict v = IDLE;
	size_t at = 0;

	while (v == IDLE && at < s.len) {
		size_t n = sizes[fuzz_decide(&decisions, FUZZ_COUNT(sizes))];

		if (n > s.len - at)
			n = s.len - at;
		struct slice piece = fuzz_copy((struct slice){ s.ptr + at, n });
		struct slice rest = piece;
		v = chunks_feed(&c, &rest, max);
		require(v != IDLE || rest.len == 0);
		require(fuzz_lies_in(rest, piece));
		at += n - rest.len;
		fuzz_free(piece);
	}
	require(c.total <= max);
	*ret_len = at;
	return v;
}

/* The same through a connection: what follows the body is the next head. */
static void
check_connection(struct slice text, struct slice decisions, uint64_t max,
    struct request *r, enum verdict wanted, size_t len)
{
	static struct input in;
	const struct timeouts timeouts = { .idle_ms = 1000, .send_ms = 30000 };
	struct connection c;
	struct os_plan plan = {
		.mood = OS_PIECES, .stream = text, .decisions = decisions
	};
	size_t head_end = fuzz_decide(&plan.decisions, 256) * (HEAD_MAX / 255);
	size_t have = fuzz_decide(&plan.decisions, 256) * 16;

	/* What came together with the head. */
	if (have > HEAD_MAX - head_end)
		have = HEAD_MAX - head_end;
	if (have > text.len)
		have = text.len;
	os_start(&plan);
	os.taken = have;
	memset(in.buf, 'H', sizeof(in.buf));
	memcpy(in.buf + head_end, text.ptr, have);
	in.start = head_end;
	in.end = head_end + have;
	require(connection_open(&c, OS_IN, OS_OUT, &timeouts, true));
	enum verdict v = read_content(&in, &c, r, max, 10000);

	require(v == (wanted == IDLE ? CONTENT_CUT_SHORT : wanted));
	require(v == PROCEED || !verdict_framing_intact(v));
	for (size_t i = 0; i < head_end; i++)
		require(in.buf[i] == 'H');
	if (v != PROCEED)
		return;
	require(in.start <= in.end && in.end <= sizeof(in.buf));
	require(os.taken - (in.end - in.start) == len);
	require(
	    memcmp(in.buf + in.start, text.ptr + len, in.end - in.start) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t limits[] = { 65536, 0, 1, 10, 100, UINT64_MAX };
	struct fuzz_input input = fuzz_input(data, size);
	size_t whole_len, split_len, len = 0;
	struct request r = { .has_content = true };

	if (input.text.len > TEXT_MAX)
		return 0;
	uint64_t max =
	    limits[fuzz_decide(&input.decisions, FUZZ_COUNT(limits))];
	r.is_chunked = fuzz_decide(&input.decisions, 4) != 1;
	if (!r.is_chunked) {
		uint64_t length = fuzz_decide(&input.decisions, 256) * 37u;
		enum verdict wanted = length > max ? CONTENT_TOO_LARGE :
		    length > input.text.len        ? IDLE :
						     PROCEED;

		r.content_length = length;
		check_connection(input.text, input.decisions, max, &r, wanted,
		    (size_t)length);
		return 0;
	}

	struct slice none = { "", 0 };
	enum verdict whole = feed(input.text, none, max, &whole_len);
	enum verdict split = feed(input.text, input.decisions, max, &split_len);
	enum verdict wanted = read_chunks(input.text, max, &len);

	require(whole == split && whole_len == split_len);
	require(whole == wanted);
	require(whole != PROCEED || whole_len == len);
	require(whole != IDLE || whole_len == input.text.len);
	check_connection(
	    input.text, input.decisions, max, &r, whole, whole_len);
	return 0;
}
