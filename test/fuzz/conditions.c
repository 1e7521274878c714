/*
 * conditions: preconditions are evaluated as RFC 9110 13.2.2 lists them.
 *
 * Each line of the text is a field line, the decisions are the file and the clock.
 * No mutation comes upon the tag or the date of a file: in the text, bytes
 * below 8 stand for them.
 */
#define _GNU_SOURCE
#include "requests.h"

#include "conditions.h"
#include "date.h"
#include "read.h"

#include <inttypes.h>

#define TEXT_MAX 2000
#define HEAD_CAP (TEXT_MAX * 80)

static const int64_t clocks[] = { 1700000000, 784111777, 0, 1, 2, 253402300799,
	253402300800, -5 };
static const int64_t ages[] = { 100, 0, 1, 2, 3, -1, -100, 86400 };

__extension__ typedef __int128 wide;

struct scene {
	struct file_facts facts;
	struct timespec now;
	enum coding coding;
	bool portable;
};

static void
make_scene(struct slice *decisions, struct scene *s)
{
	static const uint32_t moments[] = { 0, 1, 500000000, 999999999 };

	s->now.tv_sec = (time_t)clocks[fuzz_decide(decisions, 8)];
	s->now.tv_nsec = moments[fuzz_decide(decisions, 4)];
	s->facts.modified = s->now.tv_sec - ages[fuzz_decide(decisions, 8)];
	if (fuzz_decide(decisions, 8) == 1)
		s->facts.modified = clocks[fuzz_decide(decisions, 8)];
	s->facts.modified_ns = moments[fuzz_decide(decisions, 4)];
	s->facts.changed = s->now.tv_sec - ages[fuzz_decide(decisions, 8)];
	s->facts.changed_ns = moments[fuzz_decide(decisions, 4)];
	s->coding = (enum coding)(
	    (CODING_IDENTITY + fuzz_decide(decisions, 4)) % CODING_NONE);
	s->portable = fuzz_decide(decisions, 2) == 1;
	s->facts.size =
	    fuzz_decide(decisions, 4) == 1 ? fuzz_number(decisions) : 10;
	s->facts.inode =
	    fuzz_decide(decisions, 4) == 1 ? fuzz_number(decisions) : 11;
}

/* Whether a file that changed then would get another time now. */
static bool
is_settled(int64_t seconds, uint32_t ns, const struct timespec *now)
{
	wide age =
	    ((wide)now->tv_sec - seconds) * 1000000000 + now->tv_nsec - ns;

	return age >= (wide)1000000000 * (ns == 0 ? 2 : 1);
}

/* The tag and the date that a scene's file has to have. */
static void
check_validators(const struct scene *s, const struct validators *v)
{
	char tag[120];
	bool dated = s->facts.modified > 1;
	bool writable = date_is_writable(s->facts.modified) &&
	    date_is_writable(s->now.tv_sec);
	uint64_t stamp =
	    (uint64_t)s->facts.modified * 1000000000 + s->facts.modified_ns;
	uint64_t changed =
	    (uint64_t)s->facts.changed * 1000000000 + s->facts.changed_ns;
	bool date_is_settled =
	    is_settled(s->facts.modified, s->facts.modified_ns, &s->now);
	bool change_settled =
	    is_settled(s->facts.changed, s->facts.changed_ns, &s->now);
	bool unsettled = !change_settled ||
	    (!date_is_settled && s->facts.modified <= s->now.tv_sec);
	const char *codings[] = { "-br", "-zstd", "-gzip", "" };

	snprintf(tag, sizeof(tag),
	    "\"%" PRIx64 "-%" PRIx64 "-%" PRIx64 "-%" PRIx64 "%s\"",
	    s->facts.inode, s->facts.size, stamp, changed, codings[s->coding]);
	if (s->portable)
		snprintf(tag, sizeof(tag), "\"%" PRIx64 "-%" PRIx64 "%s\"",
		    s->facts.size, stamp, codings[s->coding]);
	require(v->tag_len <= sizeof(v->tag));
	if ((s->portable && !dated) || unsettled)
		require(v->tag_len == 0);
	else
		require(slice_equal(
		    (struct slice){ v->tag, v->tag_len }, slice_of(tag)));
	require(v->is_unsettled == (unsettled && !(s->portable && !dated)));
	require(v->modified_is_strong == (date_is_settled && change_settled));
	if (!dated || !writable)
		require(v->modified == -1);
	else
		require(v->modified ==
		    (s->facts.modified < s->now.tv_sec ? s->facts.modified :
							 s->now.tv_sec));
}

/* No line is empty, which would end the head. */
static void
end_line(struct text *t)
{
	if (t->ptr[t->len - 1] != '\n')
		text_add(t, SLICE("\r\n"));
}

/* The text as a head: bytes below 8 become what a client was told before. */
static size_t
make_head(struct slice text, const struct validators *v, char *head)
{
	struct text t = { .ptr = head, .cap = HEAD_CAP };

	text_add(&t, SLICE("GET / HTTP/1.1\r\nHost: x\r\n"));
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];
		int64_t date = v->modified + c - 4;

		if (c == '\n')
			end_line(&t);
		else if (c == 1 || c == 2)
			text_add(&t, (struct slice){ v->tag, v->tag_len });
		else if (c >= 3 && c <= 5 && date_is_writable(date))
			date_add_http(&t, date);
		else if (c >= 8 || c < 0)
			text_add_char(&t, c);
	}
	end_line(&t);
	text_add(&t, SLICE("\r\n"));
	require(!t.overflowed);
	return t.len;
}

/* Whether a line of a field lists the tag; "weakly" by opaque tags alone. */
static bool
line_names_tag(struct slice s, const struct validators *v, bool weakly)
{
	size_t at = 0;

	if (slice_equal(s, SLICE("*")))
		return true;
	while (true) {
		bool weak = false;

		while (at < s.len && strchr(", \t", s.ptr[at]) != NULL &&
		    s.ptr[at] != '\0')
			at++;
		if (at + 1 < s.len && s.ptr[at] == 'W' &&
		    s.ptr[at + 1] == '/') {
			weak = true;
			at += 2;
		}
		if (at >= s.len || s.ptr[at] != '"')
			return false;
		size_t end = at + 1;
		while (end < s.len && s.ptr[end] != '"')
			end++;
		if (end == s.len)
			return false;
		struct slice tag = { s.ptr + at, end + 1 - at };
		at = end + 1;
		while (at < s.len && (s.ptr[at] == ' ' || s.ptr[at] == '\t'))
			at++;
		if (at < s.len && s.ptr[at] != ',')
			return false;
		if (v->tag_len == tag.len &&
		    memcmp(tag.ptr, v->tag, tag.len) == 0 && (weakly || !weak))
			return true;
	}
}

static bool
field_names_tag(struct slice head, const char *name, const struct validators *v,
    bool weakly)
{
	struct slice value;

	for (size_t n = 0; reading_field(head, name, n, &value); n++)
		if (line_names_tag(value, v, weakly))
			return true;
	return false;
}

/* The date in a field that is there once; -1: none that can be compared. */
static bool
field_date(struct slice head, const char *name, const struct validators *v,
    int64_t now, int64_t *ret_date)
{
	struct slice value, second;

	return v->modified >= 0 && reading_field(head, name, 0, &value) &&
	    !reading_field(head, name, 1, &second) &&
	    date_parse(value, now, ret_date);
}

static enum verdict
reference(struct slice head, const struct validators *v, int64_t now)
{
	struct slice value;
	int64_t date;

	/* Steps 1 and 2 of RFC 9110 13.2.2. */
	if (reading_field(head, "if-match", 0, &value)) {
		if (!field_names_tag(head, "if-match", v, false))
			return PRECONDITION_FAILED;
	} else if (field_date(head, "if-unmodified-since", v, now, &date)) {
		if (date < v->modified)
			return PRECONDITION_FAILED;
	}
	/* Steps 3 and 4. */
	if (reading_field(head, "if-none-match", 0, &value)) {
		if (field_names_tag(head, "if-none-match", v, true))
			return NOT_MODIFIED;
	} else if (field_date(head, "if-modified-since", v, now, &date)) {
		if (date >= v->modified)
			return NOT_MODIFIED;
	}
	return FOUND;
}

/* Step 5: RFC 9110 13.1.5. */
static bool
reference_range(struct slice head, const struct validators *v, int64_t now)
{
	struct slice value, second;
	int64_t date;

	if (!reading_field(head, "if-range", 0, &value))
		return true;
	if (reading_field(head, "if-range", 1, &second))
		return false;
	if (v->tag_len > 0 &&
	    slice_equal(value, (struct slice){ v->tag, v->tag_len }))
		return true;
	return v->modified >= 0 && v->modified_is_strong &&
	    date_parse(value, now, &date) && date == v->modified;
}

/* In nanoseconds. */
static wide
moment_of(int64_t seconds, uint32_t ns)
{
	return (wide)seconds * 1000000000 + ns;
}

/* Whether a variant is sent with --variants=auto: httpd(8), Stored codings. */
static void
check_variant(const struct scene *s, struct slice *decisions)
{
	static const int64_t leads[] = { 0, 1, -1, 599, 600, 601, 100000, -9 };
	static const uint32_t moments[] = { 0, 1, 500000000, 999999999 };
	const struct file_facts *f = &s->facts;
	struct file_facts v = { .size = 1, .inode = 2 };

	v.modified = f->modified + (int64_t)fuzz_decide(decisions, 3) - 1;
	v.modified_ns = moments[fuzz_decide(decisions, 4)];
	v.changed = f->changed - leads[fuzz_decide(decisions, 8)];
	v.changed_ns = moments[fuzz_decide(decisions, 4)];

	bool same_date = v.modified == f->modified &&
	    (v.modified_ns == f->modified_ns || v.modified_ns == 0 ||
		f->modified_ns == 0);
	wide lead = moment_of(f->changed, f->changed_ns) -
	    moment_of(v.changed, v.changed_ns);
	bool is_older = moment_of(v.modified, v.modified_ns) <
	    moment_of(f->modified, f->modified_ns);

	require(variant_is_current(&v, f) ==
	    ((same_date && lead <= (wide)600 * 1000000000) ||
		(!is_older && lead <= 0)));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char buf[HEAD_CAP];
	struct fuzz_input input = fuzz_input(data, size);
	struct scene scene;
	struct validators v;
	struct request r;

	if (input.text.len > TEXT_MAX ||
	    fuzz_lines(input.text) > FIELDS_MAX - 1)
		return 0;
	make_scene(&input.decisions, &scene);
	validators_of_file(
	    &scene.facts, scene.coding, scene.portable, &scene.now, &v);
	check_validators(&scene, &v);
	check_variant(&scene, &input.decisions);

	struct slice head =
	    fuzz_copy((struct slice){ buf, make_head(input.text, &v, buf) });
	if (parse_request(head, &r) == PROCEED) {
		int64_t now = scene.now.tv_sec;

		require(conditions_evaluate(&r, &v, now) ==
		    reference(head, &v, now));
		require(conditions_allow_range(&r, &v, now) ==
		    reference_range(head, &v, now));
	}
	fuzz_free(head);
	return 0;
}
