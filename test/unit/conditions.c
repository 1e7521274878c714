/*
 * conditions: validators of files, and what they make of preconditions.
 *
 * All combinations of the four fields are compared with RFC 9110 13.2.2, put
 * down here step by step once more.  Every head lies beside a page that cannot
 * be touched.
 */
#include "unit.h"

#include "conditions.h"

#define NOW INT64_C(784111777)
#define NOW_TEXT "Sun, 06 Nov 1994 08:49:37 GMT"
#define SECOND_BEFORE "Sun, 06 Nov 1994 08:49:36 GMT"
#define TWO_BEFORE "Sun, 06 Nov 1994 08:49:35 GMT"
#define THREE_BEFORE "Sun, 06 Nov 1994 08:49:34 GMT"
#define TWO_BEFORE_850 "Sunday, 06-Nov-94 08:49:35 GMT"
#define TWO_BEFORE_ASC "Sun Nov  6 08:49:35 1994"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"
#define NS UINT64_C(1000000000)

static const struct file_row {
	const char *name;
	struct file_facts facts;
	bool portable;
	int64_t now; /* at its start */
	/* What comes of it; a tag without its times is completed by the test. */
	const char *tag_start;
	bool is_unsettled;
	int64_t modified;
} file_rows[] = {
	{ "an old file", { 1234, 0xabc, NOW - 100, 0, NOW - 50, 7 }, false, NOW,
	    "abc-4d2-", false, NOW - 100 },
	{ "an old file, portably", { 1234, 0xabc, NOW - 100, 0, NOW - 50, 7 },
	    true, NOW, "4d2-", false, NOW - 100 },
	{ "nanoseconds", { 1, 2, NOW - 100, 999999999, 0, 0 }, false, NOW,
	    "2-1-", false, NOW - 100 },
	{ "nanoseconds, portably", { 1, 2, NOW - 100, 1, 0, 0 }, true, NOW,
	    "1-", false, NOW - 100 },
	{ "an empty file", { 0, 2, NOW - 100, 5, 0, 0 }, false, NOW, "2-0-",
	    false, NOW - 100 },
	{ "an empty file, portably", { 0, 2, NOW - 100, 5, 0, 0 }, true, NOW,
	    "0-", false, NOW - 100 },
	{ "the largest numbers",
	    { UINT64_MAX, UINT64_MAX, 253402300796, 999999999, 0, 0 }, false,
	    253402300799, "ffffffffffffffff-ffffffffffffffff-", false,
	    253402300796 },

	{ "modified three seconds ago", { 1, 2, NOW - 3, 0, 0, 0 }, false, NOW,
	    "2-1-", false, NOW - 3 },
	{ "modified two seconds ago", { 1, 2, NOW - 2, 0, 0, 0 }, false, NOW,
	    "2-1-", false, NOW - 2 },
	{ "modified a second ago, without a fraction",
	    { 1, 2, NOW - 1, 0, 0, 0 }, false, NOW, NULL, true, NOW - 1 },
	{ "modified a second ago, without a fraction, portably",
	    { 1, 2, NOW - 1, 0, 0, 0 }, true, NOW, NULL, true, NOW - 1 },
	{ "modified less than a second ago", { 1, 2, NOW - 1, 1, 0, 0 }, false,
	    NOW, NULL, true, NOW - 1 },
	{ "modified at the end of the second before",
	    { 1, 2, NOW - 1, 999999999, 0, 0 }, true, NOW, NULL, true,
	    NOW - 1 },
	{ "modified a little more than a second ago",
	    { 1, 2, NOW - 2, 999999999, 0, 0 }, false, NOW, "2-1-", false,
	    NOW - 2 },
	{ "modified now", { 1, 2, NOW, 0, 0, 0 }, false, NOW, NULL, true, NOW },
	{ "modified within this second", { 1, 2, NOW, 999999999, 0, 0 }, false,
	    NOW, NULL, true, NOW },
	{ "modified now, portably", { 1, 2, NOW, 0, 0, 0 }, true, NOW, NULL,
	    true, NOW },
	{ "dated a second ahead", { 1, 2, NOW + 1, 0, NOW - 9, 1 }, false, NOW,
	    "2-1-", false, NOW },
	{ "dated far ahead", { 1, 2, 253402300799, 0, NOW - 9, 1 }, false, NOW,
	    "2-1-", false, NOW },
	{ "dated far ahead, portably", { 1, 2, 253402300799, 0, NOW - 9, 1 },
	    true, NOW, "1-", false, NOW },

	{ "an old date, changed now", { 1, 2, NOW - 100, 0, NOW, 1 }, false,
	    NOW, NULL, true, NOW - 100 },
	{ "an old date, changed now, portably", { 1, 2, NOW - 100, 0, NOW, 1 },
	    true, NOW, NULL, true, NOW - 100 },
	{ "an old date, changed less than a second ago",
	    { 1, 2, NOW - 100, 0, NOW - 1, 1 }, false, NOW, NULL, true,
	    NOW - 100 },
	{ "an old date, changed a second ago, without a fraction",
	    { 1, 2, NOW - 100, 0, NOW - 1, 0 }, false, NOW, NULL, true,
	    NOW - 100 },
	{ "an old date, changed two seconds ago, without a fraction",
	    { 1, 2, NOW - 100, 0, NOW - 2, 0 }, false, NOW, "2-1-", false,
	    NOW - 100 },
	{ "an old date, changed by a clock that is ahead",
	    { 1, 2, NOW - 100, 0, NOW + 5, 1 }, false, NOW, NULL, true,
	    NOW - 100 },
	{ "both times ahead", { 1, 2, NOW + 5, 1, NOW + 5, 1 }, true, NOW, NULL,
	    true, NOW },

	{ "dated 0", { 1, 2, 0, 0, 0, 0 }, false, NOW, "2-1-", false, -1 },
	{ "dated 0, portably", { 1, 2, 0, 0, 0, 0 }, true, NOW, NULL, false,
	    -1 },
	{ "dated 0 and some", { 1, 2, 0, 5, 0, 0 }, true, NOW, NULL, false,
	    -1 },
	{ "dated 1", { 1, 2, 1, 0, 0, 0 }, false, NOW, "2-1-", false, -1 },
	{ "dated 1, portably", { 1, 2, 1, 0, 0, 0 }, true, NOW, NULL, false,
	    -1 },
	{ "dated 1, changed now, portably", { 1, 2, 1, 0, NOW, 0 }, true, NOW,
	    NULL, false, -1 },
	{ "dated 1, changed now", { 1, 2, 1, 0, NOW, 0 }, false, NOW, NULL,
	    true, -1 },
	{ "dated 1 and some", { 1, 2, 1, 999999999, 0, 0 }, true, NOW, NULL,
	    false, -1 },
	{ "dated 2", { 1, 2, 2, 0, 0, 0 }, false, NOW, "2-1-", false, 2 },
	{ "dated 2, portably", { 1, 2, 2, 0, 0, 0 }, true, NOW, "1-", false,
	    2 },
	{ "dated before 1970", { 1, 2, -1, 0, 0, 0 }, false, NOW, "2-1-", false,
	    -1 },
	{ "dated before 1970, portably", { 1, 2, -1, 0, 0, 0 }, true, NOW, NULL,
	    false, -1 },
	{ "dated after the year 9999", { 1, 2, 253402300800, 0, 0, 0 }, false,
	    NOW, "2-1-", false, -1 },
	{ "dated at the end of time", { 1, 2, INT64_MAX, 999999999, 0, 0 },
	    false, NOW, "2-1-", false, -1 },
	{ "dated at the start of time", { 1, 2, INT64_MIN, 0, 0, 0 }, false,
	    NOW, "2-1-", false, -1 },
	{ "a clock before 1970", { 1, 2, 100, 0, 0, 0 }, false, -5, NULL, true,
	    -1 },
};

static void
check_file(const struct file_row *row)
{
	const struct file_facts *f = &row->facts;
	struct validators v;
	char wanted[96] = "", changed[24] = "";

	memset(&v, 0xEE, sizeof(v));
	const struct timespec now = { .tv_sec = (time_t)row->now };
	validators_of_file(f, CODING_IDENTITY, row->portable, &now, &v);
	if (!row->portable)
		snprintf(changed, sizeof(changed), "-%llx",
		    (unsigned long long)f->changed * NS + f->changed_ns);
	if (row->tag_start != NULL)
		snprintf(wanted, sizeof(wanted), "\"%s%llx%s\"", row->tag_start,
		    (unsigned long long)f->modified * NS + f->modified_ns,
		    changed);
	unit_slice("tag", slice_of(wanted),
	    (struct slice){ v.tag, v.tag_len < sizeof(v.tag) ? v.tag_len : 0 });
	unit_number(
	    "its length", (long long)strlen(wanted), (long long)v.tag_len);
	unit_bool("unsettled", row->is_unsettled, v.is_unsettled);
	unit_number("modified", row->modified, v.modified);
	if (row->modified >= 0)
		unit_bool("the date is strong",
		    !row->is_unsettled && f->modified <= row->now,
		    v.modified_is_strong);
}

/*
 * The age of a file to the nanosecond, by either of its times: less than a
 * second, or two where there is no fraction, makes it unsettled.
 */
static void
check_age(void)
{
	static const uint32_t moments[] = { 0, 1, 500000000, 999999998,
		999999999 };

	unit_begin("age to the nanosecond");
	for (size_t i = 0; i < UNIT_COUNT(moments); i++) {
		for (size_t j = 0; j < UNIT_COUNT(moments); j++) {
			for (int64_t ago = -2; ago < 4; ago++) {
				const struct timespec now = {
					.tv_sec = (time_t)NOW,
					.tv_nsec = (long)moments[i],
				};
				const struct file_facts f = { 1, 2, NOW - ago,
					moments[j], NOW - 9, 1 };
				const struct file_facts g = { 1, 2, NOW - 9, 1,
					NOW - ago, moments[j] };
				int64_t age = ago * (int64_t)NS +
				    (int64_t)moments[i] - (int64_t)moments[j];
				int64_t step =
				    (moments[j] == 0 ? 2 : 1) * (int64_t)NS;
				struct validators v;

				validators_of_file(
				    &f, CODING_BR, i % 2 == 0, &now, &v);
				unit_bool("unsettled by its date",
				    age < step && ago >= 0, v.is_unsettled);
				unit_bool("the date is strong", age >= step,
				    v.modified_is_strong);
				unit_number("modified",
				    ago > 0 ? NOW - ago : NOW, v.modified);
				validators_of_file(
				    &g, CODING_BR, i % 2 == 0, &now, &v);
				unit_bool("unsettled by its change", age < step,
				    v.is_unsettled);
				unit_bool("the date is strong", age >= step,
				    v.modified_is_strong);
			}
		}
	}
}

/* Times of a variant, and whether it is one of a file of the times below. */
static const struct variant_row {
	const char *name;
	int64_t modified;
	uint32_t modified_ns;
	int64_t changed;
	uint32_t changed_ns;
	bool is_current;
} variant_rows[] = {
#define FILE_MODIFIED 1000000
#define FILE_CHANGED 2000000
	{ "the same times", FILE_MODIFIED, 500, FILE_CHANGED, 500, true },
	{ "written later", FILE_MODIFIED + 1, 0, FILE_CHANGED + 1, 0, true },
	{ "written a nanosecond later", FILE_MODIFIED, 501, FILE_CHANGED, 501,
	    true },
	{ "the same date, copied after it", FILE_MODIFIED, 500,
	    FILE_CHANGED + 100000, 0, true },
	{ "the same date, copied just before it", FILE_MODIFIED, 500,
	    FILE_CHANGED, 499, true },
	{ "the same date, copied ten minutes before it", FILE_MODIFIED, 500,
	    FILE_CHANGED - 600, 500, true },
	{ "the same date, copied more than ten minutes before it",
	    FILE_MODIFIED, 500, FILE_CHANGED - 600, 499, false },
	{ "the same date, changed long before it", FILE_MODIFIED, 500, 1, 0,
	    false },
	{ "the same second, without a fraction, copied before it",
	    FILE_MODIFIED, 0, FILE_CHANGED - 600, 500, true },
	{ "the same second, another fraction, copied before it", FILE_MODIFIED,
	    501, FILE_CHANGED - 1, 0, false },
	{ "a nanosecond older, copied after it", FILE_MODIFIED, 499,
	    FILE_CHANGED + 1, 0, false },
	{ "a second older, without a fraction", FILE_MODIFIED - 1, 0,
	    FILE_CHANGED + 1, 0, false },
	{ "newer, and changed a nanosecond before it", FILE_MODIFIED + 9, 0,
	    FILE_CHANGED, 499, false },
	{ "newer, and changed at the same time", FILE_MODIFIED + 9, 0,
	    FILE_CHANGED, 500, true },
	{ "at the end of time", INT64_MAX, 0, INT64_MAX, 999999999, true },
	{ "at the start of time", INT64_MIN, 0, INT64_MIN, 0, false },
	{ "the same date, changed at the start of time", FILE_MODIFIED, 500,
	    INT64_MIN, 0, false },
};

static void
check_variant(const struct variant_row *row)
{
	const struct file_facts file = { 9, 9, FILE_MODIFIED, 500, FILE_CHANGED,
		500 };
	const struct file_facts variant = { 5, 8, row->modified,
		row->modified_ns, row->changed, row->changed_ns };

	unit_bool(
	    "is current", row->is_current, variant_is_current(&variant, &file));
}

/*
 * Files that differ have tags that differ; the inode and the time of the change
 * are in some of them only.
 */
static void
check_differences(void)
{
	static const struct file_facts files[] = {
		{ 0x12, 0x3, NOW - 9, 0, NOW - 7, 0 },
		{ 0x2, 0x31, NOW - 9, 0, NOW - 7, 0 },
		{ 0x12, 0x4, NOW - 9, 0, NOW - 7, 0 },
		{ 0x13, 0x3, NOW - 9, 0, NOW - 7, 0 },
		{ 0x12, 0x3, NOW - 8, 0, NOW - 7, 0 },
		{ 0x12, 0x3, NOW - 9, 1, NOW - 7, 0 },
		{ 0x12, 0x3, NOW - 9, 0, NOW - 6, 0 },
		{ 0x12, 0x3, NOW - 9, 0, NOW - 7, 1 },
	};

	const struct timespec now = { .tv_sec = (time_t)NOW };

	for (int portable = 0; portable < 2; portable++) {
		for (size_t i = 0; i < UNIT_COUNT(files); i++) {
			for (size_t j = 0; j < UNIT_COUNT(files); j++) {
				struct validators a, b;
				struct file_facts x = files[i], y = files[j];

				unit_begin("tags of different files");
				validators_of_file(
				    &x, CODING_IDENTITY, portable, &now, &a);
				validators_of_file(
				    &y, CODING_IDENTITY, portable, &now, &b);
				if (portable) {
					x.inode = y.inode;
					x.changed = y.changed;
					x.changed_ns = y.changed_ns;
				}
				unit_bool("the same tag",
				    x.size == y.size && x.inode == y.inode &&
					x.modified == y.modified &&
					x.modified_ns == y.modified_ns &&
					x.changed == y.changed &&
					x.changed_ns == y.changed_ns,
				    slice_equal(
					(struct slice){ a.tag, a.tag_len },
					(struct slice){ b.tag, b.tag_len }));
			}
		}
	}
}

/* RFC 9110 8.8.3.3: the same file in another coding has another tag. */
static void
check_codings(void)
{
	static const char *const tags[] = { "\"2-1-5-6-br\"",
		"\"2-1-5-6-zstd\"", "\"2-1-5-6-gzip\"", "\"2-1-5-6\"" };
	static const char *const portable_tags[] = { "\"1-5-br\"",
		"\"1-5-zstd\"", "\"1-5-gzip\"", "\"1-5\"" };
	/* 2^64 nanoseconds and 5 more, which is written as 5; and 6 more. */
	const struct file_facts f = { 1, 2, INT64_C(18446744073), 709551621,
		INT64_C(18446744073), 709551622 };
	const struct timespec later = { .tv_sec = INT64_C(20000000000) };

	for (unsigned coding = 0; coding <= CODING_IDENTITY; coding++) {
		struct validators v;

		unit_begin("a tag for each coding");
		validators_of_file(&f, (enum coding)coding, false, &later, &v);
		unit_slice("tag", slice_of(tags[coding]),
		    (struct slice){ v.tag, v.tag_len });
		validators_of_file(&f, (enum coding)coding, true, &later, &v);
		unit_slice("portable tag", slice_of(portable_tags[coding]),
		    (struct slice){ v.tag, v.tag_len });
	}

	/* The longest tag that there is. */
	const struct file_facts longest = { UINT64_MAX, UINT64_MAX,
		INT64_C(18446744072), 999999999, INT64_C(18446744072),
		999999999 };
	struct validators v;
	unit_begin("the longest tag");
	validators_of_file(&longest, CODING_ZSTD, false, &later, &v);
	unit_slice("tag",
	    SLICE("\"ffffffffffffffff-ffffffffffffffff-ffffffffd5b519ff-"
		  "ffffffffd5b519ff-zstd\""),
	    (struct slice){ v.tag, v.tag_len });
}

#define TAG "\"a-b-c\""

/* Validators as the evaluation is given them. */
static struct validators
validators(bool has_tag, int64_t modified, bool strong)
{
	struct validators v = {
		.modified = modified,
		.modified_is_strong = strong,
	};

	if (has_tag) {
		memcpy(v.tag, TAG, sizeof(TAG) - 1);
		v.tag_len = sizeof(TAG) - 1;
	}
	return v;
}

/* A GET with these lines, which lies beside the page of that side. */
static void
make_request(const char *lines, enum unit_side side, struct request *ret_r)
{
	char head[4096];
	int len = snprintf(
	    head, sizeof(head), "GET / HTTP/1.1\r\nHost: x\r\n%s\r\n", lines);

	unit_need(len > 0 && (size_t)len < sizeof(head),
	    "the row is too long for the test");
	unit_string("request", "proceed",
	    verdict_token(parse_request(
		unit_place(side, (struct slice){ head, (size_t)len }), ret_r)));
}

/* What a value of If-Match or If-None-Match says about the tag TAG. */
static const struct tags_value {
	const char *lines; /* %s is the field's name */
	bool is_there, any, names_it, names_it_strongly;
} tag_values[] = {
	{ "", false, false, false, false },
	{ "%s: *\r\n", true, true, false, false },
	{ "%s: " TAG "\r\n", true, false, true, true },
	{ "%s: W/" TAG "\r\n", true, false, true, false },
	{ "%s: \"x\"\r\n", true, false, false, false },
	{ "%s: \"x\", W/\"y\", " TAG "\r\n", true, false, true, true },
	{ "%s: \"x\"\r\n%s: W/" TAG "\r\n", true, false, true, false },
	{ "%s: W/" TAG "\r\n%s: " TAG "\r\n", true, false, true, true },
	{ "%s: \"x\"\r\n%s: *\r\n", true, true, false, false },
	{ "%s:\r\n", true, false, false, false },
	{ "%s: a-b-c\r\n", true, false, false, false },
};

/* What a value of one of the dates says about a file modified two seconds ago. */
static const struct date_value {
	const char *lines;
	bool is_valid;
	int order; /* the date beside that of the file */
} date_values[] = {
	{ "", false, 0 },
	{ "%s: " THREE_BEFORE "\r\n", true, -1 },
	{ "%s: " TWO_BEFORE "\r\n", true, 0 },
	{ "%s: " TWO_BEFORE_850 "\r\n", true, 0 },
	{ "%s: " TWO_BEFORE_ASC "\r\n", true, 0 },
	{ "%s: " SECOND_BEFORE "\r\n", true, 1 },
	{ "%s: " LATER "\r\n", true, 1 },
	{ "%s: Wed, 31 Dec 1969 23:59:59 GMT\r\n", true, -1 },
	{ "%s: yesterday\r\n", false, 0 },
	{ "%s:\r\n", false, 0 },
	{ "%s: 0\r\n", false, 0 },
	{ "%s: " TWO_BEFORE "\r\n%s: " TWO_BEFORE "\r\n", false, 0 },
	{ "%s: " TWO_BEFORE ", " TWO_BEFORE "\r\n", false, 0 },
};

/*
 * RFC 9110 13.2.2 for GET and HEAD, without its last step, Range.  A field
 * that is there but must be ignored (13.1.3, 13.1.4: no valid date, several
 * members, no modification date) counts as not there.
 */
static enum verdict
reference(const struct tags_value *match, const struct date_value *unmodified,
    const struct tags_value *none_match, const struct date_value *modified,
    const struct validators *v)
{
	bool has_tag = v->tag_len > 0, has_date = v->modified >= 0;

	/* 1. If-Match: the strong comparison. */
	if (match->is_there) {
		bool holds =
		    match->any || (has_tag && match->names_it_strongly);

		if (!holds)
			return PRECONDITION_FAILED;
	}
	/* 2. If-Unmodified-Since, where there is no If-Match. */
	if (!match->is_there && unmodified->is_valid && has_date) {
		bool holds = unmodified->order >= 0; /* earlier or equal */

		if (!holds)
			return PRECONDITION_FAILED;
	}
	/* 3. If-None-Match: the weak comparison. */
	if (none_match->is_there) {
		bool holds =
		    !none_match->any && !(has_tag && none_match->names_it);

		if (!holds)
			return NOT_MODIFIED;
	}
	/* 4. If-Modified-Since, where there is no If-None-Match. */
	if (!none_match->is_there && modified->is_valid && has_date) {
		bool holds = modified->order < 0; /* later than that date */

		if (!holds)
			return NOT_MODIFIED;
	}
	return FOUND;
}

/* Appends the lines of a value, under the field's name. */
static void
add_lines(struct text *t, const char *lines, const char *name)
{
	for (; *lines != '\0'; lines++) {
		if (lines[0] == '%' && lines[1] == 's') {
			text_add(t, slice_of(name));
			lines++;
		} else {
			text_add_char(t, *lines);
		}
	}
}

static void
check_truth_table(void)
{
	const struct validators states[] = {
		validators(true, NOW - 2, true),
		validators(false, NOW - 2, true),
		validators(true, -1, false),
		validators(false, -1, false),
	};
	const size_t tags = UNIT_COUNT(tag_values);
	const size_t dates = UNIT_COUNT(date_values);

	unit_begin("all combinations of the four fields");
	for (size_t n = 0; n < tags * tags * dates * dates; n++) {
		const struct tags_value *match = &tag_values[n % tags];
		const struct tags_value *none = &tag_values[n / tags % tags];
		size_t rest = n / tags / tags;
		const struct date_value *unmodified =
		    &date_values[rest % dates];
		const struct date_value *modified = &date_values[rest / dates];
		char lines[2048];
		struct text t = { .ptr = lines, .cap = sizeof(lines) - 1 };
		struct request r;

		/* The order of the fields makes no difference. */
		if (n % 2 == 0) {
			add_lines(&t, match->lines, "If-Match");
			add_lines(&t, unmodified->lines, "If-Unmodified-Since");
			add_lines(&t, none->lines, "If-None-Match");
			add_lines(&t, modified->lines, "If-Modified-Since");
		} else {
			add_lines(&t, modified->lines, "if-modified-since");
			add_lines(&t, none->lines, "if-none-match");
			add_lines(&t, unmodified->lines, "if-unmodified-since");
			add_lines(&t, match->lines, "if-match");
		}
		unit_need(!t.overflowed, "the row is too long for the test");
		lines[t.len] = '\0';
		make_request(lines, (enum unit_side)(n / 2 % UNIT_SIDES), &r);
		for (size_t i = 0; i < UNIT_COUNT(states); i++) {
			enum verdict wanted = reference(
			    match, unmodified, none, modified, &states[i]);
			enum verdict got =
			    conditions_evaluate(&r, &states[i], NOW);

			unit.checks++;
			if (wanted != got)
				unit_string(lines, verdict_token(wanted),
				    verdict_token(got));
		}
	}
}

/*
 * Lists of tags, for a file whose tag is TAG: whether If-None-Match finds it,
 * and whether If-Match does, which compares strongly.
 */
static const struct list_row {
	const char *value;
	bool weakly, strongly;
} list_rows[] = {
	{ TAG, true, true },
	{ "W/" TAG, true, false },
	{ "*", true, true },
	{ "\"x\"", false, false },
	{ "\"\"", false, false },
	{ "", false, false },

	/* Lists. */
	{ TAG ",\"x\"", true, true },
	{ "\"x\"," TAG, true, true },
	{ "\"x\",W/" TAG, true, false },
	{ "\"x\" , " TAG, true, true },
	{ "\"x\"\t,\t" TAG "\t,\t\"y\"", true, true },
	{ "," TAG, true, true },
	{ ",, ," TAG ",,", true, true },
	{ "\"x\",," TAG, true, true },
	{ TAG ",", true, true },
	{ "\"x\", \"y\", \"z\"", false, false },
	{ "W/" TAG ", " TAG, true, true },
	{ "\"\", " TAG, true, true },
	{ ",", false, false },

	/* What tags hold. */
	{ "\"A-B-C\"", false, false },
	{ "\"a-b-c-\"", false, false },
	{ "\"a-b-\"", false, false },
	{ "\"x,y\", " TAG, true, true },
	{ "\"x\\\", " TAG, true, true },
	{ "\"*\"", false, false },
	{ "\"W/a-b-c\"", false, false },
	{ "\"\xFF\", " TAG, true, true },
	{ "\"!#'()*+,-./:;<=>?@[\\]^_`{|}~\", " TAG, true, true },

	/* Members in front of a fault count, and those behind it do not. */
	{ TAG ", x", true, true },
	{ TAG ", \"x", true, true },
	{ TAG ", *", true, true },
	{ TAG ", W/", true, true },
	{ "x, " TAG, false, false },
	{ "\"x, " TAG, false, false },
	{ "\"x\" \"y\", " TAG, false, false },
	{ "\"x\"y, " TAG, false, false },
	{ "\"x\";" TAG, false, false },
	{ "*, " TAG, false, false },
	{ "\"x\", *", false, false },
	{ "W/, " TAG, false, false },
	{ "W" TAG, false, false },
	{ "w/" TAG, false, false },
	{ "W/ " TAG, false, false },
	{ "W /" TAG, false, false },
	{ "W/W/" TAG, false, false },
	{ "/" TAG, false, false },

	/* The fault may be in the member itself. */
	{ TAG "x", false, false },
	{ TAG " \"x\"", false, false },
	{ TAG ";x", false, false },
	{ TAG "\"", false, false },
	{ "\"" TAG, false, false },
	{ "\"a-b-c", false, false },
	{ "a-b-c\"", false, false },
	{ "a-b-c", false, false },
	{ "'a-b-c'", false, false },
	{ "\"a-b-c\x80", false, false },
	{ "\"", false, false },
	{ "W", false, false },
	{ "W/", false, false },
	{ "W/\"", false, false },
	{ "**", false, false },
	{ "* ,", false, false },
	{ "x*", false, false },

	/* Several lines: a fault ends its own. */
	{ "\"x\"\r\nFIELD: " TAG, true, true },
	{ TAG "\r\nFIELD: \"x\"", true, true },
	{ "x\r\nFIELD: " TAG, true, true },
	{ "\"x\r\nFIELD: " TAG, true, true },
	{ "\r\nFIELD: W/" TAG, true, false },
	{ "\"x\"\r\nFIELD: \"y\"\r\nFIELD: \"z\", " TAG, true, true },
	{ "\"a-\r\nFIELD: b-c\"", false, false },
	{ "\"x\"\r\nOther: " TAG, false, false },
};

static void
check_list(const struct list_row *row)
{
	static const char *const names[] = { "If-None-Match", "If-Match" };
	const struct validators v = validators(true, -1, false);
	const struct validators unsettled = validators(false, -1, false);
	bool any = strcmp(row->value, "*") == 0;

	for (int strongly = 0; strongly < 2; strongly++) {
		const char *yes = strongly ? "ok" : "not-modified";
		const char *no = strongly ? "precondition-failed" : "ok";

		for (int side = 0; side < UNIT_SIDES; side++) {
			char lines[2048];
			struct text t = { .ptr = lines,
				.cap = sizeof(lines) - 1 };
			struct request r;

			text_add(&t, slice_of(names[strongly]));
			text_add(&t, SLICE(": "));
			for (const char *at = row->value; *at != '\0'; at++) {
				if (strncmp(at, "FIELD", 5) == 0) {
					text_add(&t, slice_of(names[strongly]));
					at += 4;
				} else {
					text_add_char(&t, *at);
				}
			}
			text_add(&t, SLICE("\r\n"));
			lines[t.len] = '\0';
			make_request(lines, (enum unit_side)side, &r);
			unit_string(names[strongly],
			    (strongly ? row->strongly : row->weakly) ? yes : no,
			    verdict_token(conditions_evaluate(&r, &v, NOW)));
			/* The tag of an unsettled file matches none. */
			unit_string("an unsettled file", any ? yes : no,
			    verdict_token(
				conditions_evaluate(&r, &unsettled, NOW)));
		}
	}
}

/* If-Range, for a file that was modified two seconds ago. */
static const struct if_range_row {
	const char *lines;
	bool holds, holds_without_tag, holds_for_weak_date;
} if_range_rows[] = {
	{ "", true, true, true },
	{ "If-Range: " TAG "\r\n", true, false, true },
	{ "if-RANGE:\t" TAG " \r\n", true, false, true },
	{ "If-Range: W/" TAG "\r\n", false, false, false },
	{ "If-Range: \"x\"\r\n", false, false, false },
	{ "If-Range: \"\"\r\n", false, false, false },
	{ "If-Range: *\r\n", false, false, false },
	{ "If-Range:\r\n", false, false, false },
	{ "If-Range: a-b-c\r\n", false, false, false },
	{ "If-Range: \"a-b-c\r\n", false, false, false },
	{ "If-Range: w/" TAG "\r\n", false, false, false },
	{ "If-Range: " TAG ", " TAG "\r\n", false, false, false },
	{ "If-Range: " TAG ",\r\n", false, false, false },
	{ "If-Range: ," TAG "\r\n", false, false, false },
	{ "If-Range: " TAG "x\r\n", false, false, false },
	{ "If-Range: " TAG "\r\nIf-Range: " TAG "\r\n", false, false, false },
	{ "If-Range: " TAG "\r\nIf-Range: " TWO_BEFORE "\r\n", false, false,
	    false },
	{ "If-Range: " TWO_BEFORE "\r\n", true, true, false },
	{ "If-Range: " TWO_BEFORE_850 "\r\n", true, true, false },
	{ "If-Range: " TWO_BEFORE_ASC "\r\n", true, true, false },
	{ "If-Range: " THREE_BEFORE "\r\n", false, false, false },
	{ "If-Range: " SECOND_BEFORE "\r\n", false, false, false },
	{ "If-Range: " NOW_TEXT "\r\n", false, false, false },
	{ "If-Range: " LATER "\r\n", false, false, false },
	{ "If-Range: " TWO_BEFORE ", " TWO_BEFORE "\r\n", false, false, false },
	{ "If-Range: \"" TWO_BEFORE "\"\r\n", false, false, false },
	{ "If-Range: yesterday\r\n", false, false, false },
	{ "If-Range: W/\r\n", false, false, false },
	{ "If-Range: Wed\r\n", false, false, false },
};

static void
check_if_range(const struct if_range_row *row)
{
	const struct validators v = validators(true, NOW - 2, true);
	const struct validators weak_date = validators(true, NOW - 2, false);
	const struct validators no_tag = validators(false, NOW - 2, true);
	const struct validators no_date = validators(true, -1, false);
	bool is_there = row->lines[0] != '\0';

	for (int side = 0; side < UNIT_SIDES; side++) {
		struct request r;

		make_request(row->lines, (enum unit_side)side, &r);
		unit_bool("it holds", row->holds,
		    conditions_allow_range(&r, &v, NOW));
		unit_bool("for a date of this second", row->holds_for_weak_date,
		    conditions_allow_range(&r, &weak_date, NOW));
		/* What is not known never matches. */
		unit_bool("without a tag",
		    !is_there || (row->holds && row->holds_without_tag),
		    conditions_allow_range(&r, &no_tag, NOW));
		unit_bool("without a date",
		    !is_there || (row->holds && row->holds_for_weak_date),
		    conditions_allow_range(&r, &no_date, NOW));
	}
}

/* A file's own validators, given back by the client. */
static void
check_round_trip(void)
{
	for (int portable = 0; portable < 2; portable++) {
		for (int64_t age = -2; age < 4; age++) {
			const struct file_facts f = { 77, 88, NOW - age, 99,
				NOW - age, 99 };
			struct validators v;
			char lines[512];
			struct request r;

			unit_begin("a file's own tag");
			const struct timespec now = {
				.tv_sec = (time_t)NOW,
				.tv_nsec = 99,
			};
			validators_of_file(&f, CODING_GZIP, portable, &now, &v);
			snprintf(lines, sizeof(lines),
			    "If-None-Match: %.*s\r\n", (int)v.tag_len, v.tag);
			make_request(lines, UNIT_BEFORE_GUARD, &r);
			unit_string("If-None-Match",
			    age > 0 ? "not-modified" : "ok",
			    verdict_token(conditions_evaluate(&r, &v, NOW)));
			memcpy(lines, "If-Match:     ", 14);
			make_request(lines, UNIT_BEFORE_GUARD, &r);
			unit_string("If-Match",
			    age > 0 ? "ok" : "precondition-failed",
			    verdict_token(conditions_evaluate(&r, &v, NOW)));
			memcpy(lines, "If-Range:     ", 14);
			make_request(lines, UNIT_BEFORE_GUARD, &r);
			unit_bool("If-Range", age > 0,
			    conditions_allow_range(&r, &v, NOW));
		}
	}
}

int
main(void)
{
	unit_table("conditions");
	for (size_t i = 0; i < UNIT_COUNT(file_rows); i++) {
		unit_begin(file_rows[i].name);
		check_file(&file_rows[i]);
	}
	for (size_t i = 0; i < UNIT_COUNT(variant_rows); i++) {
		unit_begin(variant_rows[i].name);
		check_variant(&variant_rows[i]);
	}
	check_age();
	check_differences();
	check_codings();
	check_truth_table();
	for (size_t i = 0; i < UNIT_COUNT(list_rows); i++) {
		unit_begin(list_rows[i].value);
		check_list(&list_rows[i]);
	}
	for (size_t i = 0; i < UNIT_COUNT(if_range_rows); i++) {
		unit_begin(if_range_rows[i].lines);
		check_if_range(&if_range_rows[i]);
	}
	check_round_trip();
	return unit_end();
}
