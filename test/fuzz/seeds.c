/*
 * Seeds from the unit tests: linked into one of them (--wrap), it writes down
 * what the test's tables ask of the stages, as inputs of the fuzz targets
 * beneath the directory SEEDS.
 *
 * The first inputs of each kind are the rows of tables; the combinations that
 * tests go through behind them are too many, and a fuzzer's own work.
 */
#define _GNU_SOURCE
#include "codings.h"
#include "conditions.h"
#include "content.h"
#include "date.h"
#include "ip-literal.h"
#include "options.h"
#include "ranges.h"
#include "rules.h"
#include "target.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define EACH_MAX 600
#define HASHES (1 << 16)

/* A name by the bytes, so that what is there is not written twice. */
static uint64_t
hash_of(const char *target, struct slice s)
{
	uint64_t hash = 14695981039346656037u;

	for (; *target != '\0'; target++)
		hash = (hash ^ (unsigned char)*target) * 1099511628211u;
	for (size_t i = 0; i < s.len; i++)
		hash = (hash ^ (unsigned char)s.ptr[i]) * 1099511628211u;
	return hash;
}

/* Whether it is a new one. */
static bool
save(const char *target, struct slice s)
{
	static uint64_t seen[HASHES];
	const char *directory = getenv("SEEDS");
	uint64_t hash = hash_of(target, s);
	uint64_t *slot = &seen[hash % HASHES];
	char path[4096];

	if (directory == NULL || *slot == hash)
		return false;
	*slot = hash;
	snprintf(path, sizeof(path), "%s/%s", directory, target);
	mkdir(path, 0777);
	snprintf(path, sizeof(path), "%s/%s/%016llx", directory, target,
	    (unsigned long long)hash);
	FILE *f = fopen(path, "wb");
	if (f == NULL) {
		perror(path);
		exit(2);
	}
	fwrite(s.ptr, 1, s.len, f);
	if (fclose(f) != 0)
		exit(2);
	return true;
}

/* An input that is made of parts: text, decisions, and how many those are. */
static struct text input;
static char input_buf[30000];

static void
begin(void)
{
	input = TEXT_IN(input_buf);
}

static bool
finish(const char *target, size_t decisions)
{
	text_add_char(&input, (char)decisions);
	return !input.overflowed && save(target, text_slice(&input));
}

static void
add_number(uint64_t n)
{
	for (int i = 56; i >= 0; i -= 8)
		text_add_char(&input, (char)(n >> i));
}

/* A client that sends this. */
static bool
save_stream(struct slice s)
{
	begin();
	text_add(&input, s);
	finish("connection", 0);
	begin();
	text_add(&input, s);
	return finish("head", 0);
}

enum verdict __real_parse_request(struct slice head, struct request *r);
enum verdict __wrap_parse_request(struct slice head, struct request *r);
enum verdict
__wrap_parse_request(struct slice head, struct request *r)
{
	static int count;

	/* Their starts are asked about as well. */
	if (count < EACH_MAX && head.len >= 4 &&
	    memcmp(head.ptr + head.len - 4, "\r\n\r\n", 4) == 0 &&
	    save("request", head)) {
		save_stream(head);
		count++;
	}
	return __real_parse_request(head, r);
}

bool __real_is_ip_literal(struct slice s);
bool __wrap_is_ip_literal(struct slice s);
bool
__wrap_is_ip_literal(struct slice s)
{
	static int count;

	if (count < EACH_MAX) {
		begin();
		text_add(&input, SLICE("GET / HTTP/1.1\r\nHost: "));
		text_add(&input, s);
		text_add(&input, SLICE("\r\n\r\n"));
		if (save("request", text_slice(&input))) {
			save_stream(text_slice(&input));
			count++;
		}
	}
	return __real_is_ip_literal(s);
}

enum verdict __real_read_head(
    struct input *in, struct connection *c, int ms, struct slice *head);
enum verdict __wrap_read_head(
    struct input *in, struct connection *c, int ms, struct slice *head);
enum verdict
__wrap_read_head(
    struct input *in, struct connection *c, int ms, struct slice *head)
{
	static int count, long_count;
	enum verdict v = __real_read_head(in, c, ms, head);

	if (in->end < 2000 ? count < EACH_MAX : long_count < EACH_MAX / 10) {
		bool new = save_stream((struct slice){ in->buf, in->end });

		count += new;
		long_count += new && in->end >= 2000;
	}
	return v;
}

enum verdict __real_target_decode_path(struct slice encoded, struct path *p);
enum verdict __wrap_target_decode_path(struct slice encoded, struct path *p);
enum verdict
__wrap_target_decode_path(struct slice encoded, struct path *p)
{
	static int count;

	if (count < EACH_MAX && save("target", encoded)) {
		count++;
		begin();
		text_add(&input, SLICE("GET "));
		text_add(&input, encoded);
		text_add(&input, SLICE(" HTTP/1.1\r\nHost: x\r\n\r\n"));
		finish("connection", 0);
	}
	return __real_target_decode_path(encoded, p);
}

struct slice __real_type_of_name(struct slice name);
struct slice __wrap_type_of_name(struct slice name);
struct slice
__wrap_type_of_name(struct slice name)
{
	static int count;

	if (count < EACH_MAX)
		count += save("target", name);
	return __real_type_of_name(name);
}

enum rule_kind __real_rule_parse(
    struct slice line, struct rule *rule, const char **problem);
enum rule_kind __wrap_rule_parse(
    struct slice line, struct rule *rule, const char **problem);
enum rule_kind
__wrap_rule_parse(struct slice line, struct rule *rule, const char **problem)
{
	static int count;

	if (count < EACH_MAX) {
		begin();
		text_add(&input, SLICE("/a\n"));
		text_add(&input, line);
		count += finish("rules", 0);
	}
	return __real_rule_parse(line, rule, problem);
}

bool __real_rule_matches(const struct rule *rule, struct slice path);
bool __wrap_rule_matches(const struct rule *rule, struct slice path);
bool
__wrap_rule_matches(const struct rule *rule, struct slice path)
{
	static int count;

	if (count < EACH_MAX) {
		begin();
		text_add_char(&input, '/');
		text_add_uri(&input, path, "");
		text_add(&input, SLICE("\n/x y\n"));
		text_add(&input, rule->from);
		text_add(&input, SLICE(" /to 302\n"));
		count += finish("rules", 0);
	}
	return __real_rule_matches(rule, path);
}

enum verdict __real_chunks_feed(
    struct chunks *c, struct slice *bytes, uint64_t max);
enum verdict __wrap_chunks_feed(
    struct chunks *c, struct slice *bytes, uint64_t max);
enum verdict
__wrap_chunks_feed(struct chunks *c, struct slice *bytes, uint64_t max)
{
	static int count, long_count;
	static char last[30000];
	static size_t last_len;

	/* A body's starts are fed as well. */
	bool is_start =
	    bytes->len <= last_len && memcmp(last, bytes->ptr, bytes->len) == 0;
	bool is_fresh = c->state == 0 && c->left == 0 && c->total == 0 &&
	    c->trailers_len == 0 && c->line_len == 0;
	if (is_fresh && !is_start && bytes->len <= sizeof(last) &&
	    (bytes->len < 2000 ? count < EACH_MAX :
				 long_count++ < EACH_MAX / 10)) {
		last_len = bytes->len;
		memcpy(last, bytes->ptr, last_len);
		/* The third limit of the target is 10, the fourth 100. */
		begin();
		text_add(&input, *bytes);
		text_add_char(&input, max == 10 ? 3 : max == 100 ? 4 : 0);
		count += finish("content", 1);
		begin();
		text_add(&input,
		    SLICE("POST / HTTP/1.1\r\nHost: x\r\n"
			  "Transfer-Encoding: chunked\r\n\r\n"));
		text_add(&input, *bytes);
		finish("connection", 0);
	}
	return __real_chunks_feed(c, bytes, max);
}

/* The field lines behind Host, without their line ends. */
static void
add_fields(const struct request *r)
{
	for (size_t i = 0; i < r->fields.len; i++)
		if (r->fields.ptr[i] != '\r')
			text_add_char(&input, r->fields.ptr[i]);
}

unsigned __real_codings_choose(const struct request *r, unsigned available);
unsigned __wrap_codings_choose(const struct request *r, unsigned available);
unsigned
__wrap_codings_choose(const struct request *r, unsigned available)
{
	static int count;
	struct slice rest = r->fields, value;
	bool first = true;

	if (count < EACH_MAX) {
		begin();
		while (
		    request_next_field(&rest, FIELD_ACCEPT_ENCODING, &value)) {
			if (!first)
				text_add_char(&input, '\n');
			first = false;
			text_add(&input, value);
		}
		text_add_char(&input, (char)available);
		text_add_char(&input, first);
		count += finish("codings", 2);
	}
	return __real_codings_choose(r, available);
}

/* Bytes below 6 stand for the tag and the date of the target's file. */
enum verdict __real_conditions_evaluate(
    const struct request *r, const struct validators *v, int64_t now);
enum verdict __wrap_conditions_evaluate(
    const struct request *r, const struct validators *v, int64_t now);
enum verdict
__wrap_conditions_evaluate(
    const struct request *r, const struct validators *v, int64_t now)
{
	static const char *const names[] = { "If-Match", "If-None-Match",
		"If-Modified-Since", "If-Unmodified-Since", "If-Range" };
	static int count;

	for (size_t i = 0; count == 0 && i < 5 * 5; i++) {
		begin();
		text_add(&input, slice_of(names[i / 5]));
		text_add(&input, SLICE(": "));
		text_add_char(&input, (char)(i % 5 + 1));
		finish("conditions", 0);
	}
	if (count < EACH_MAX) {
		begin();
		add_fields(r);
		count += finish("conditions", 0);
	}
	return __real_conditions_evaluate(r, v, now);
}

bool __real_conditions_allow_range(
    const struct request *r, const struct validators *v, int64_t now);
bool __wrap_conditions_allow_range(
    const struct request *r, const struct validators *v, int64_t now);
bool
__wrap_conditions_allow_range(
    const struct request *r, const struct validators *v, int64_t now)
{
	static int count;

	if (count < EACH_MAX) {
		begin();
		add_fields(r);
		count += finish("conditions", 0);
	}
	return __real_conditions_allow_range(r, v, now);
}

enum ranges_result __real_ranges_parse(
    struct slice value, uint64_t size, struct ranges *r);
enum ranges_result __wrap_ranges_parse(
    struct slice value, uint64_t size, struct ranges *r);
enum ranges_result
__wrap_ranges_parse(struct slice value, uint64_t size, struct ranges *r)
{
	static int count;

	if (count < EACH_MAX) {
		begin();
		text_add(&input, value);
		add_number(size);
		count += finish("ranges", 8);
		begin();
		text_add(&input,
		    SLICE("GET /big.bin HTTP/1.1\r\nHost: x\r\nRange: "));
		text_add(&input, value);
		text_add(&input, SLICE("\r\n\r\n"));
		finish("connection", 0);
	}
	return __real_ranges_parse(value, size, r);
}

bool __real_date_parse(struct slice s, int64_t now, int64_t *seconds);
bool __wrap_date_parse(struct slice s, int64_t now, int64_t *seconds);
bool
__wrap_date_parse(struct slice s, int64_t now, int64_t *seconds)
{
	static int count;

	if (count < EACH_MAX) {
		begin();
		text_add(&input, s);
		add_number((uint64_t)now);
		count += finish("date", 8);
	}
	/* The test goes on for hundreds of thousands of dates. */
	if (count == EACH_MAX)
		exit(0);
	return __real_date_parse(s, now, seconds);
}

void __real_text_add_escaped(struct text *t, struct slice s, size_t max);
void __wrap_text_add_escaped(struct text *t, struct slice s, size_t max);
void
__wrap_text_add_escaped(struct text *t, struct slice s, size_t max)
{
	static int count;

	if (s.len > 0 && count < EACH_MAX) {
		for (char call = 0; call < 16; call++) {
			begin();
			text_add(&input, s);
			text_add_char(&input, call < 8 ? '\xff' : '\0');
			text_add_char(&input, call);
			add_number(max);
			add_number(max * 0x01020304);
			count += finish("text", 18);
		}
	}
	__real_text_add_escaped(t, s, max);
}

bool __real_options_read(struct options *options, const char *environment,
    int argc, char **argv, struct argument_error *ret_error);
bool __wrap_options_read(struct options *options, const char *environment,
    int argc, char **argv, struct argument_error *ret_error);
bool
__wrap_options_read(struct options *options, const char *environment, int argc,
    char **argv, struct argument_error *ret_error)
{
	begin();
	text_add(&input, slice_of(environment == NULL ? "" : environment));
	for (int i = 1; i < argc; i++) {
		text_add_char(&input, '\0');
		text_add(&input, slice_of(argv[i]));
	}
	finish("options", 0);
	return __real_options_read(options, environment, argc, argv, ret_error);
}
