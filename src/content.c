/*
 * content: reads the content of a request to its end, and throws it away.
 *
 * No method that is served here means anything by its content, but where it
 * ends decides where the next request begins, so its framing is read as
 * strictly as a head.  What is not read to its end closes the connection.
 */
#include "content.h"

#include "grammar.h"

enum state {
	SIZE_LINE,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_START, /* the first byte of a trailer line */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	LAST_LF,
	DONE,
	BAD,
};

/* Bad whitespace is to be understood, RFC 9110 5.6.3. */
static void
skip_blanks(struct slice *s)
{
	while (s->len > 0 && (s->ptr[0] == ' ' || s->ptr[0] == '\t'))
		*s = slice_after(*s, 1);
}

static bool
take_byte(struct slice *s, char byte)
{
	if (s->len == 0 || s->ptr[0] != byte)
		return false;
	*s = slice_after(*s, 1);
	return true;
}

static bool
take_token(struct slice *s)
{
	size_t len = 0;

	while (len < s->len && is_token_byte(s->ptr[len]))
		len++;
	*s = slice_after(*s, len);
	return len > 0;
}

/* quoted-string, RFC 9110 5.6.4 */
static bool
take_quoted_string(struct slice *s)
{
	if (!take_byte(s, '"'))
		return false;
	while (s->len > 0 && s->ptr[0] != '"') {
		take_byte(s, '\\');
		if (s->len == 0 || (is_control(s->ptr[0]) && s->ptr[0] != '\t'))
			return false;
		*s = slice_after(*s, 1);
	}
	return take_byte(s, '"');
}

/*
 * chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
 * What it says is of no interest; that it is one keeps parsers agreed.
 */
static bool
is_extension(struct slice s)
{
	while (s.len > 0) {
		skip_blanks(&s);
		if (!take_byte(&s, ';'))
			return false;
		skip_blanks(&s);
		if (!take_token(&s))
			return false;

		struct slice before = s;
		skip_blanks(&s);
		if (!take_byte(&s, '=')) {
			s = before;
			continue;
		}
		skip_blanks(&s);
		if (!take_token(&s) && !take_quoted_string(&s))
			return false;
	}
	return true;
}

/* chunk-size [ chunk-ext ], chunk-size = 1*HEXDIG */
static bool
parse_size_line(struct slice s, uint64_t *ret_size)
{
	size_t digits = 0;

	*ret_size = 0;
	for (; digits < s.len && hex_value(s.ptr[digits]) >= 0; digits++) {
		if (*ret_size > UINT64_MAX >> 4)
			return false;
		*ret_size = *ret_size << 4 | (unsigned)hex_value(s.ptr[digits]);
	}
	return digits > 0 && is_extension(slice_after(s, digits));
}

/* Gathers the size line, which is read when it is whole. */
static enum state
after_size_byte(struct chunks *c, char byte)
{
	if (byte != '\r') {
		/* A fault that can be seen now need not be waited out. */
		if (c->line_len == sizeof(c->line) ||
		    (is_control(byte) && byte != '\t') ||
		    (c->line_len == 0 && hex_value(byte) < 0))
			return BAD;
		c->line[c->line_len++] = byte;
		return SIZE_LINE;
	}
	return parse_size_line(
		   (struct slice){ c->line, c->line_len }, &c->left) ?
	    SIZE_LF :
	    BAD;
}

/* trailer-section = *( field-line CRLF ) */
static enum state
after_trailer_byte(enum state state, char byte)
{
	if (state == TRAILER_START && byte == '\r')
		return LAST_LF;
	if (state == TRAILER_START || state == TRAILER_NAME) {
		if (is_token_byte(byte))
			return TRAILER_NAME;
		return state == TRAILER_NAME && byte == ':' ? TRAILER_VALUE :
							      BAD;
	}
	if (byte == '\r')
		return TRAILER_LF;
	return is_control(byte) && byte != '\t' ? BAD : TRAILER_VALUE;
}

/* What comes behind one byte that is no chunk data. */
static enum state
after_byte(struct chunks *c, char byte)
{
	switch ((enum state)c->state) {
	case SIZE_LINE:
		return after_size_byte(c, byte);
	case SIZE_LF:
		c->line_len = 0;
		return byte != '\n' ? BAD : c->left > 0 ? DATA : TRAILER_START;
	case DATA_CR:
		return byte == '\r' ? DATA_LF : BAD;
	case DATA_LF:
		return byte == '\n' ? SIZE_LINE : BAD;
	case TRAILER_START:
	case TRAILER_NAME:
	case TRAILER_VALUE:
		return after_trailer_byte((enum state)c->state, byte);
	case TRAILER_LF:
		return byte == '\n' ? TRAILER_START : BAD;
	case LAST_LF:
		return byte == '\n' ? DONE : BAD;
	case DATA:
	case DONE:
	case BAD:
		break;
	}
	return BAD;
}

enum verdict
chunks_feed(struct chunks *c, struct slice *bytes, uint64_t max)
{
	while (bytes->len > 0) {
		if (c->state == DATA) {
			size_t n =
			    bytes->len < c->left ? bytes->len : (size_t)c->left;

			*bytes = slice_after(*bytes, n);
			c->left -= n;
			if (c->left == 0)
				c->state = DATA_CR;
			continue;
		}
		bool in_trailers = c->state >= TRAILER_START;

		c->state = (int)after_byte(c, bytes->ptr[0]);
		*bytes = slice_after(*bytes, 1);
		if (c->state == DONE)
			return PROCEED;
		if (in_trailers && c->state != LAST_LF &&
		    ++c->trailers_len > TRAILERS_MAX)
			return BAD_CHUNK;
		if (c->state == BAD)
			return BAD_CHUNK;
		if (c->state == DATA) {
			if (c->left > max - c->total)
				return CONTENT_TOO_LARGE;
			c->total += c->left;
		}
	}
	return IDLE;
}

/* Takes what the buffer holds of the content. */
static enum verdict
take_content(struct input *in, struct chunks *c, bool is_chunked,
    uint64_t *left, uint64_t max)
{
	size_t have = in->end - in->start;

	if (is_chunked) {
		struct slice bytes = { in->buf + in->start, have };
		enum verdict v = chunks_feed(c, &bytes, max);

		in->start = in->end - bytes.len;
		return v;
	}
	size_t n = have < *left ? have : (size_t)*left;
	in->start += n;
	*left -= n;
	return *left == 0 ? PROCEED : IDLE;
}

enum verdict
read_content(struct input *in, struct connection *c, const struct request *r,
    uint64_t max, int timeout_ms)
{
	struct chunks chunks = { 0 };
	uint64_t left = r->content_length;
	int64_t deadline_ms = 0; /* set when the first piece was not enough */
	const size_t head_end = in->start;

	if (left > max)
		return CONTENT_TOO_LARGE;
	for (;;) {
		enum verdict v =
		    take_content(in, &chunks, r->is_chunked, &left, max);

		if (v != IDLE)
			return v;
		if (deadline_ms == 0)
			deadline_ms = clock_monotonic_ms() + timeout_ms;
		switch (read_more(in, c, head_end, deadline_ms)) {
		case IO_DONE:
			break;
		case IO_TIMEOUT:
			return CONTENT_TIMEOUT;
		case IO_END:
			return CONTENT_CUT_SHORT;
		case IO_GONE:
		case IO_FILE_SHRANK:
		case IO_FILE_FAILED:
			return CLIENT_GONE;
		}
	}
}
