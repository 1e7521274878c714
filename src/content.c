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
	SIZE_START, /* the first digit of a chunk's size */
	SIZE,
	EXTENSION,
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

/* chunk-size = 1*HEXDIG, and what may follow it */
static enum state
after_size_byte(struct chunks *c, char byte)
{
	int digit = hex_value(byte);

	if (digit >= 0) {
		if (c->left > UINT64_MAX >> 4)
			return BAD;
		c->left = c->left << 4 | (unsigned)digit;
		return SIZE;
	}
	c->line_has_end = byte != ' ' && byte != '\t';
	if (byte == '\r')
		return SIZE_LF;
	return byte == ';' || !c->line_has_end ? EXTENSION : BAD;
}

/*
 * chunk-ext = *( BWS ";" BWS chunk-ext-name [ BWS "=" BWS chunk-ext-val ] )
 * What it says is of no interest: it only must be there when blanks are, and
 * hold no byte that could be read as a line's end.
 */
static enum state
after_extension_byte(struct chunks *c, char byte)
{
	if (byte == '\r')
		return c->line_has_end ? SIZE_LF : BAD;
	if (is_control(byte) && byte != '\t')
		return BAD;
	if (!c->line_has_end && byte != ' ' && byte != '\t') {
		c->line_has_end = true;
		return byte == ';' ? EXTENSION : BAD;
	}
	return EXTENSION;
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
	case SIZE_START:
		c->left = 0;
		c->line_len = 0;
		return hex_value(byte) < 0 ? BAD : after_size_byte(c, byte);
	case SIZE:
		return after_size_byte(c, byte);
	case EXTENSION:
		return after_extension_byte(c, byte);
	case SIZE_LF:
		c->line_len = 0;
		return byte != '\n' ? BAD : c->left > 0 ? DATA : TRAILER_START;
	case DATA_CR:
		return byte == '\r' ? DATA_LF : BAD;
	case DATA_LF:
		return byte == '\n' ? SIZE_START : BAD;
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

static bool
line_is_too_long(const struct chunks *c)
{
	return c->line_len >
	    (c->state >= TRAILER_START ? TRAILERS_MAX : CHUNK_LINE_MAX);
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
		c->state = (int)after_byte(c, bytes->ptr[0]);
		*bytes = slice_after(*bytes, 1);
		c->line_len++;
		if (c->state == DONE)
			return PROCEED;
		if (c->state == BAD || line_is_too_long(c))
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
read_content(struct input *in, struct channel *ch, const struct request *r,
    uint64_t max, int timeout_ms)
{
	struct chunks c = { 0 };
	uint64_t left = r->content_length;
	int64_t deadline_ms = 0; /* set when the first piece was not enough */
	const size_t head_end = in->start;

	if (left > max)
		return CONTENT_TOO_LARGE;
	for (;;) {
		enum verdict v =
		    take_content(in, &c, r->is_chunked, &left, max);

		if (v != IDLE)
			return v;
		if (deadline_ms == 0)
			deadline_ms = clock_monotonic_ms() + timeout_ms;
		switch (read_more(in, ch, head_end, deadline_ms)) {
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
