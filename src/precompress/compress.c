/*
 * compress: brotli (RFC 7932), zstd (RFC 8878) and gzip (RFC 1952) by their
 * libraries.
 *
 * An encoder and a decoder are the same here: a step that takes bytes and gives
 * bytes.  What comes out of an encoder is written; what comes out of a decoder
 * is compared.
 */
#define _GNU_SOURCE
#define ZLIB_CONST
#include "compress.h"

#include <brotli/decode.h>
#include <brotli/encode.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#ifdef HAVE_ZOPFLI
#include <zopfli/zopfli.h>
#endif

#define CHUNK 65536

/* Browsers need not look back further than 8 MiB for zstd (RFC 9659). */
#define ZSTD_WINDOW_BITS 23

/*
 * zopfli holds the whole file and several times as much.  It recommends 15
 * iterations for small files and 5 for those of several megabytes.
 */
#define ZOPFLI_SIZE_MAX (32 << 20)
#define ZOPFLI_SMALL_MAX (1 << 20)
#define ZOPFLI_ITERATIONS_SMALL 15
#define ZOPFLI_ITERATIONS_LARGE 5

enum step { STEP_MORE, STEP_END, STEP_INVALID, STEP_NO_MEMORY };

/* Bytes to take, and room for bytes to give; a step moves both forward. */
struct flow {
	const uint8_t *in;
	size_t in_len;
	bool in_is_last; /* no input follows these bytes */
	uint8_t *out;
	size_t out_room;
};

/* An encoder or a decoder. */
struct coder {
	enum step (*step)(struct coder *c, struct flow *f);
	void (*close)(struct coder *c);
	union {
		BrotliEncoderState *brotli_encoder;
		BrotliDecoderState *brotli_decoder;
		ZSTD_CCtx *zstd_encoder;
		ZSTD_DCtx *zstd_decoder;
		z_stream zlib;
	};
};

/* Takes output; COMPRESS_DONE: go on. */
typedef enum compress_result (*take_fn)(
    void *taker, const uint8_t *bytes, size_t len);

static enum step
brotli_encode(struct coder *c, struct flow *f)
{
	BrotliEncoderOperation operation =
	    f->in_is_last ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_PROCESS;

	if (!BrotliEncoderCompressStream(c->brotli_encoder, operation,
		&f->in_len, &f->in, &f->out_room, &f->out, NULL))
		return STEP_NO_MEMORY;
	return BrotliEncoderIsFinished(c->brotli_encoder) ? STEP_END :
							    STEP_MORE;
}

static void
brotli_encoder_close(struct coder *c)
{
	BrotliEncoderDestroyInstance(c->brotli_encoder);
}

static bool
brotli_encoder_open(struct coder *c, uint64_t size)
{
	BrotliEncoderState *e = BrotliEncoderCreateInstance(NULL, NULL, NULL);
	uint32_t window_bits = BROTLI_MIN_WINDOW_BITS;

	/* A window is 16 bytes short of a power of two. */
	while (window_bits < BROTLI_MAX_WINDOW_BITS &&
	    (UINT64_C(1) << window_bits) - 16 < size)
		window_bits++;
	*c = (struct coder){ brotli_encode, brotli_encoder_close,
		.brotli_encoder = e };
	return e != NULL &&
	    BrotliEncoderSetParameter(
		e, BROTLI_PARAM_QUALITY, BROTLI_MAX_QUALITY) &&
	    BrotliEncoderSetParameter(e, BROTLI_PARAM_LGWIN, window_bits) &&
	    BrotliEncoderSetParameter(e, BROTLI_PARAM_SIZE_HINT,
		size > UINT32_MAX ? UINT32_MAX : (uint32_t)size);
}

static enum step
brotli_decode(struct coder *c, struct flow *f)
{
	switch (BrotliDecoderDecompressStream(c->brotli_decoder, &f->in_len,
	    &f->in, &f->out_room, &f->out, NULL)) {
	case BROTLI_DECODER_RESULT_SUCCESS:
		return STEP_END;
	case BROTLI_DECODER_RESULT_ERROR:
		return STEP_INVALID;
	case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT:
	case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT:
		break;
	}
	return STEP_MORE;
}

static void
brotli_decoder_close(struct coder *c)
{
	BrotliDecoderDestroyInstance(c->brotli_decoder);
}

static bool
brotli_decoder_open(struct coder *c)
{
	*c = (struct coder){ brotli_decode, brotli_decoder_close,
		.brotli_decoder =
		    BrotliDecoderCreateInstance(NULL, NULL, NULL) };
	return c->brotli_decoder != NULL;
}

static enum step
zstd_encode(struct coder *c, struct flow *f)
{
	ZSTD_inBuffer in = { f->in, f->in_len, 0 };
	ZSTD_outBuffer out = { f->out, f->out_room, 0 };
	size_t left = ZSTD_compressStream2(c->zstd_encoder, &out, &in,
	    f->in_is_last ? ZSTD_e_end : ZSTD_e_continue);

	/* Or the file has another length than it had, which its reader sees. */
	if (ZSTD_isError(left))
		return STEP_NO_MEMORY;
	f->in += in.pos;
	f->in_len -= in.pos;
	f->out += out.pos;
	f->out_room -= out.pos;
	return f->in_is_last && left == 0 ? STEP_END : STEP_MORE;
}

static void
zstd_encoder_close(struct coder *c)
{
	ZSTD_freeCCtx(c->zstd_encoder);
}

static bool
zstd_encoder_open(struct coder *c, uint64_t size)
{
	ZSTD_CCtx *e = ZSTD_createCCtx();

	*c = (struct coder){ zstd_encode, zstd_encoder_close,
		.zstd_encoder = e };
	return e != NULL &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(
		e, ZSTD_c_compressionLevel, ZSTD_maxCLevel())) &&
	    !ZSTD_isError(ZSTD_CCtx_setParameter(
		e, ZSTD_c_windowLog, ZSTD_WINDOW_BITS)) &&
	    !ZSTD_isError(ZSTD_CCtx_setPledgedSrcSize(e, size));
}

static enum step
zstd_decode(struct coder *c, struct flow *f)
{
	ZSTD_inBuffer in = { f->in, f->in_len, 0 };
	ZSTD_outBuffer out = { f->out, f->out_room, 0 };
	size_t left = ZSTD_decompressStream(c->zstd_decoder, &out, &in);

	if (ZSTD_isError(left))
		return STEP_INVALID;
	f->in += in.pos;
	f->in_len -= in.pos;
	f->out += out.pos;
	f->out_room -= out.pos;
	return left == 0 ? STEP_END : STEP_MORE;
}

static void
zstd_decoder_close(struct coder *c)
{
	ZSTD_freeDCtx(c->zstd_decoder);
}

static bool
zstd_decoder_open(struct coder *c)
{
	*c = (struct coder){ zstd_decode, zstd_decoder_close,
		.zstd_decoder = ZSTD_createDCtx() };
	return c->zstd_decoder != NULL;
}

/* Runs deflate() or inflate(), which count in unsigned. */
static int
zlib_step(struct coder *c, struct flow *f, int (*run)(z_stream *, int))
{
	z_stream *z = &c->zlib;

	z->next_in = f->in;
	z->avail_in = (unsigned)f->in_len;
	z->next_out = f->out;
	z->avail_out = (unsigned)f->out_room;
	int result = run(z, f->in_is_last ? Z_FINISH : Z_NO_FLUSH);
	f->in = z->next_in;
	f->in_len = z->avail_in;
	f->out = z->next_out;
	f->out_room = z->avail_out;
	return result;
}

static enum step
gzip_encode(struct coder *c, struct flow *f)
{
	return zlib_step(c, f, deflate) == Z_STREAM_END ? STEP_END : STEP_MORE;
}

static void
gzip_encoder_close(struct coder *c)
{
	(void)deflateEnd(&c->zlib);
}

/* 16 more than the bits of the window: a gzip header, with no name or date. */
#define GZIP_WINDOW_BITS (16 + MAX_WBITS)

static bool
gzip_encoder_open(struct coder *c)
{
	*c = (struct coder){ gzip_encode, gzip_encoder_close,
		.zlib = { .next_in = NULL } };
	return deflateInit2(&c->zlib, Z_BEST_COMPRESSION, Z_DEFLATED,
		   GZIP_WINDOW_BITS, MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK;
}

static enum step
gzip_decode(struct coder *c, struct flow *f)
{
	switch (zlib_step(c, f, inflate)) {
	case Z_STREAM_END:
		return STEP_END;
	case Z_OK:
	case Z_BUF_ERROR:
		return STEP_MORE;
	default:
		return STEP_INVALID;
	}
}

static void
gzip_decoder_close(struct coder *c)
{
	(void)inflateEnd(&c->zlib);
}

static bool
gzip_decoder_open(struct coder *c)
{
	*c = (struct coder){ gzip_decode, gzip_decoder_close,
		.zlib = { .next_in = NULL } };
	return inflateInit2(&c->zlib, GZIP_WINDOW_BITS) == Z_OK;
}

static bool
open_encoder(struct coder *c, enum coding coding, uint64_t size)
{
	switch (coding) {
	case CODING_BR:
		return brotli_encoder_open(c, size);
	case CODING_ZSTD:
		return zstd_encoder_open(c, size);
	case CODING_GZIP:
	case CODING_IDENTITY:
		break;
	}
	return gzip_encoder_open(c);
}

static bool
open_decoder(struct coder *c, enum coding coding)
{
	switch (coding) {
	case CODING_BR:
		return brotli_decoder_open(c);
	case CODING_ZSTD:
		return zstd_decoder_open(c);
	case CODING_GZIP:
	case CODING_IDENTITY:
		break;
	}
	return gzip_decoder_open(c);
}

/* pread(2), made again when a signal interrupts it. */
static ssize_t
read_at(int fd, void *buf, size_t len, uint64_t offset)
{
	ssize_t n;

	do
		n = pread(fd, buf, len, (off_t)offset);
	while (n < 0 && errno == EINTR);
	return n;
}

/* Passes the content of `in` through a coder to a taker. */
static enum compress_result
pump(struct coder *c, int in, take_fn take, void *taker)
{
	static uint8_t from[CHUNK], to[CHUNK];
	struct flow f = { .in = from };
	uint64_t offset = 0;
	enum step step = STEP_MORE;

	for (;;) {
		if (f.in_len == 0 && !f.in_is_last) {
			ssize_t n = read_at(in, from, sizeof(from), offset);

			if (n < 0)
				return COMPRESS_READ_FAILED;
			offset += (uint64_t)n;
			f.in = from;
			f.in_len = (size_t)n;
			f.in_is_last = n == 0;
		}
		if (step == STEP_END)
			return f.in_is_last ? COMPRESS_DONE : COMPRESS_DIFFERS;
		f.out = to;
		f.out_room = sizeof(to);
		step = c->step(c, &f);
		if (step == STEP_NO_MEMORY)
			return COMPRESS_NO_MEMORY;
		if (step == STEP_INVALID)
			return COMPRESS_DIFFERS;

		size_t len = sizeof(to) - f.out_room;
		enum compress_result taken =
		    len == 0 ? COMPRESS_DONE : take(taker, to, len);
		if (taken != COMPRESS_DONE)
			return taken;
		/* A decoder that has all there is and wants more. */
		if (step == STEP_MORE && f.in_is_last && len == 0)
			return COMPRESS_DIFFERS;
	}
}

struct output {
	int fd;
	uint64_t limit;
	struct fingerprint print;
};

static enum compress_result
write_output(void *taker, const uint8_t *bytes, size_t len)
{
	struct output *o = taker;

	if (len > o->limit - o->print.size)
		return COMPRESS_TOO_LARGE;
	o->print.size += len;
	o->print.crc = (uint32_t)crc32_z(o->print.crc, bytes, len);
	while (len > 0) {
		ssize_t n = write(o->fd, bytes, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return COMPRESS_WRITE_FAILED;
		bytes += n;
		len -= (size_t)n;
	}
	return COMPRESS_DONE;
}

#ifdef HAVE_ZOPFLI
static enum compress_result
compress_by_zopfli(int plain, size_t size, struct output *out)
{
	ZopfliOptions options;
	unsigned char *in = malloc(size), *compressed = NULL;
	size_t have = 0, len = 0;

	if (in == NULL)
		return COMPRESS_NO_MEMORY;
	while (have < size) {
		ssize_t n = read_at(plain, in + have, size - have, have);

		if (n < 0) {
			free(in);
			return COMPRESS_READ_FAILED;
		}
		if (n == 0)
			break; /* it was cut short meanwhile */
		have += (size_t)n;
	}
	ZopfliInitOptions(&options);
	options.numiterations = size <= ZOPFLI_SMALL_MAX ?
	    ZOPFLI_ITERATIONS_SMALL :
	    ZOPFLI_ITERATIONS_LARGE;
	ZopfliCompress(
	    &options, ZOPFLI_FORMAT_GZIP, in, have, &compressed, &len);
	free(in);

	enum compress_result result = write_output(out, compressed, len);
	free(compressed);
	return result;
}
#endif

enum compress_result
compress_file(enum coding coding, int plain, uint64_t size, int out,
    uint64_t limit, struct fingerprint *ret_print)
{
	struct output o = { .fd = out, .limit = limit };
	struct coder c;
	enum compress_result result = COMPRESS_NO_MEMORY;

#ifdef HAVE_ZOPFLI
	if (coding == CODING_GZIP && size <= ZOPFLI_SIZE_MAX) {
		result = compress_by_zopfli(plain, (size_t)size, &o);
		*ret_print = o.print;
		return result;
	}
#endif
	if (open_encoder(&c, coding, size))
		result = pump(&c, plain, write_output, &o);
	c.close(&c);
	if (result == COMPRESS_NO_MEMORY)
		errno = ENOMEM;
	*ret_print = o.print;
	return result;
}

/* The file that a decoder's output is compared with. */
struct original {
	int fd;
	uint64_t compared;
};

static enum compress_result
compare_output(void *taker, const uint8_t *bytes, size_t len)
{
	static uint8_t wanted[CHUNK];
	struct original *o = taker;

	while (len > 0) {
		ssize_t n = read_at(o->fd, wanted, len, o->compared);

		if (n < 0)
			return COMPRESS_READ_FAILED;
		if (n == 0 || memcmp(bytes, wanted, (size_t)n) != 0)
			return COMPRESS_DIFFERS;
		bytes += n;
		len -= (size_t)n;
		o->compared += (uint64_t)n;
	}
	return COMPRESS_DONE;
}

enum compress_result
compress_compare(enum coding coding, int variant, int plain)
{
	struct original o = { .fd = plain };
	struct coder c;
	enum compress_result result = COMPRESS_NO_MEMORY;
	uint8_t more;

	if (open_decoder(&c, coding))
		result = pump(&c, variant, compare_output, &o);
	c.close(&c);
	if (result == COMPRESS_NO_MEMORY)
		errno = ENOMEM;
	if (result == COMPRESS_DONE) {
		ssize_t n = read_at(plain, &more, sizeof(more), o.compared);

		if (n != 0)
			result =
			    n < 0 ? COMPRESS_READ_FAILED : COMPRESS_DIFFERS;
	}
	return result;
}

enum compress_result
compress_fingerprint(int fd, struct fingerprint *ret_print)
{
	static uint8_t chunk[CHUNK];
	ssize_t n;

	*ret_print = (struct fingerprint){ .size = 0 };
	while ((n = read_at(fd, chunk, sizeof(chunk), ret_print->size)) > 0) {
		ret_print->size += (uint64_t)n;
		ret_print->crc =
		    (uint32_t)crc32_z(ret_print->crc, chunk, (size_t)n);
	}
	return n == 0 ? COMPRESS_DONE : COMPRESS_READ_FAILED;
}
