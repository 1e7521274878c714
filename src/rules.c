/*
 * Redirect rules: the lines of _redirects, Netlify's format.
 *
 * Placeholders, splats, conditions, rewrites and forced rules are other
 * people's extensions of the format; they are called by their name here and
 * refused, rather than taken for literal text.
 */
#include "rules.h"

#include "grammar.h"

/* A word of a line, and which classes of bytes it contains. */
struct word {
	struct slice text;
	unsigned contains;
};

enum {
	CONTAINS_PERCENT = 1,
	CONTAINS_QUERY = 2, /* a question mark */
	CONTAINS_PATTERN = 4, /* a splat, or the colon of a placeholder */
	CONTAINS_EMPTY_SEGMENT = 8,
	CONTAINS_CONTROL = 16,
	MAY_CONTAIN_DOTS = 32, /* a segment that may be "." or "..", encoded */
};

static unsigned
byte_class(char c)
{
	switch (c) {
	case '%':
		return CONTAINS_PERCENT;
	case '?':
		return CONTAINS_QUERY;
	case '*':
	case ':':
		return CONTAINS_PATTERN;
	default:
		return is_control(c) ? CONTAINS_CONTROL : 0;
	}
}

/* Takes the next word of a line; an empty one at the end. */
static struct word
take_word(struct slice *rest)
{
	struct slice s = slice_trim(*rest);
	size_t len = 0;
	unsigned contains = 0;

	if (s.len > 0 && s.ptr[0] == '#')
		s.len = 0;
	for (char c, last = '\0';
	     len < s.len && (c = s.ptr[len]) != ' ' && c != '\t'; len++) {
		contains |= byte_class(c);
		if (c == '/' && last == '/')
			contains |= CONTAINS_EMPTY_SEGMENT;
		if (last == '/' && (c == '.' || c == '%'))
			contains |= MAY_CONTAIN_DOTS;
		last = c;
	}
	*rest = slice_after(s, len);
	return (struct word){ { s.ptr, len }, contains };
}

static bool
starts_with_nocase(struct slice s, struct slice prefix)
{
	return s.len > prefix.len &&
	    slice_equal_nocase((struct slice){ s.ptr, prefix.len }, prefix);
}

static bool
has_encoded_slash(struct slice s)
{
	for (; s.len >= 3; s = slice_after(s, 1))
		if (slice_equal_nocase(
			(struct slice){ s.ptr, 3 }, SLICE("%2f")))
			return true;
	return false;
}

/* A place's path, without its query and fragment. */
static struct slice
path_of(struct slice to)
{
	size_t len = 0;

	while (len < to.len && to.ptr[len] != '?' && to.ptr[len] != '#')
		len++;
	return (struct slice){ to.ptr, len };
}

/* Takes a byte of a segment that is not empty, decoded. */
static inline char
take_decoded(struct slice *segment)
{
	const char *p = segment->ptr;
	bool is_escape = p[0] == '%' && segment->len > 2;
	int high = is_escape ? hex_value(p[1]) : -1;
	int low = is_escape ? hex_value(p[2]) : -1;

	if (high >= 0 && low >= 0) {
		*segment = slice_after(*segment, 3);
		return (char)(high << 4 | low);
	}
	*segment = slice_after(*segment, 1);
	return p[0];
}

/* Takes the last segment of a path, with the slash in front of it. */
static struct slice
take_last(struct slice *path)
{
	size_t start = path->len;

	while (start > 0 && path->ptr[start - 1] != '/')
		start--;

	struct slice segment = slice_after(*path, start);
	path->len = start > 0 ? start - 1 : 0;
	return segment;
}

/* How many dots a segment consists of, decoded; 0 if there is more to it. */
static unsigned
count_dots(struct slice segment)
{
	unsigned dots = 0;

	/* A dot is one byte or three: "%2e". */
	while (segment.len > 0 && dots <= 2) {
		if (take_decoded(&segment) != '.')
			return 0;
		dots++;
	}
	return dots;
}

/* A walk through the segments of an encoded path, from its end. */
struct walk {
	struct slice rest;
	size_t removed; /* segments still to be removed by a ".." */
};

/*
 * The next segment of a walk, still encoded: none that is empty, a dot segment,
 * or removed by one (target.h).  Of a path that leads out of the tree
 * w->removed is not 0 when there is no further one.
 */
static bool
next_segment(struct walk *w, struct slice *ret_segment)
{
	while (w->rest.len > 0) {
		struct slice s = take_last(&w->rest);
		unsigned dots = count_dots(s);

		if (s.len == 0 || dots == 1)
			continue;
		if (dots == 2) {
			w->removed++;
		} else if (w->removed > 0) {
			w->removed--;
		} else {
			*ret_segment = s;
			return true;
		}
	}
	return false;
}

static bool
is_same_segment(struct slice a, struct slice b)
{
	while (a.len > 0 && b.len > 0)
		if (take_decoded(&a) != take_decoded(&b))
			return false;
	return a.len == 0 && b.len == 0;
}

/* Whether a segment decodes to these bytes. */
static bool
is_decoded_as(struct slice segment, struct slice decoded)
{
	while (segment.len > 0 && decoded.len > 0) {
		if (take_decoded(&segment) != decoded.ptr[0])
			return false;
		decoded = slice_after(decoded, 1);
	}
	return segment.len == 0 && decoded.len == 0;
}

static bool
leads_outside(struct slice path)
{
	struct walk w = { .rest = path };
	struct slice segment;

	while (next_segment(&w, &segment))
		;
	return w.removed > 0;
}

/*
 * Whether two paths mean the same.  In the second one, which a client resolves
 * first, a ".." with nothing left to remove is ignored (RFC 3986 5.2.4).
 */
static bool
is_same_path(struct slice from, struct slice to)
{
	struct walk v = { .rest = from }, w = { .rest = to };
	struct slice a, b;
	bool more;

	do {
		more = next_segment(&v, &a);
		if (next_segment(&w, &b) != more)
			return false;
		if (more && !is_same_segment(a, b))
			return false;
	} while (more);
	return true;
}

/*
 * What is wrong with a rule, whose first two words have what is said.  Only
 * what may stand in a Location field may stand in it.  Of the paths that no
 * request's canonical one (target.h) can equal, the usual ones are refused.
 */
static const char *
find_problem(const struct rule *r, unsigned from_contains, unsigned to_contains,
    struct slice status, struct slice rest)
{
	if (r->from.ptr[0] != '/')
		return "the path to redirect from must start with a slash";
	if (from_contains & CONTAINS_QUERY)
		return "a query cannot be matched";
	if (from_contains & CONTAINS_EMPTY_SEGMENT ||
	    (from_contains & CONTAINS_PERCENT && has_encoded_slash(r->from)))
		return "the path to redirect from holds an empty segment or an "
		       "encoded slash";
	if (from_contains & CONTAINS_PATTERN)
		return "splats and placeholders are not supported";
	if (r->to.len == 0)
		return "there is no place to redirect to";
	if (r->to.ptr[0] != '/' &&
	    !starts_with_nocase(r->to, SLICE("http://")) &&
	    !starts_with_nocase(r->to, SLICE("https://")))
		return "the place to redirect to must be a path or an http URI";
	if (from_contains & MAY_CONTAIN_DOTS && leads_outside(r->from))
		return "the path to redirect from leads out of the tree";
	if (r->to.ptr[0] == '/' && is_same_path(r->from, path_of(r->to)))
		return "it redirects to itself";
	if ((from_contains | to_contains) & CONTAINS_CONTROL)
		return "it holds a control character";
	if (status.len > 0 && r->status == 0)
		return "the status must be 301, 302, 303, 307 or 308";
	if (rest.len > 0)
		return "conditions are not supported";
	return NULL;
}

static int
parse_status(struct slice s)
{
	static const short statuses[] = { 301, 302, 303, 307, 308 };

	if (s.len == 0)
		return 301;
	if (s.len != 3 || !is_digit(s.ptr[0]) || !is_digit(s.ptr[1]) ||
	    !is_digit(s.ptr[2]))
		return 0;

	int n = (s.ptr[0] - '0') * 100 + (s.ptr[1] - '0') * 10 + s.ptr[2] - '0';
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (statuses[i] == n)
			return n;
	return 0;
}

enum rule_kind
rule_parse(struct slice line, struct rule *ret_rule, const char **ret_problem)
{
	if (line.len > 0 && line.ptr[line.len - 1] == '\r')
		line.len--;

	size_t line_len = line.len;
	struct word from = take_word(&line);
	if (from.text.len == 0)
		return RULE_NONE;
	struct word to = take_word(&line);
	struct slice status = take_word(&line).text;
	struct rule r = { from.text, to.text, parse_status(status) };

	*ret_problem = find_problem(
	    &r, from.contains, to.contains, status, take_word(&line).text);
	if (line_len > RULE_LINE_MAX)
		*ret_problem = "the line is too long";
	if (*ret_problem != NULL)
		return RULE_BAD;
	*ret_rule = r;
	return RULE_REDIRECT;
}

/*
 * Walks through both from their ends, decoding the rule's: no copy of each rule
 * is made.
 */
bool
rule_matches(const struct rule *rule, struct slice path)
{
	struct walk w = { .rest = rule->from };
	struct slice from;

	while (next_segment(&w, &from))
		if (!is_decoded_as(from, take_last(&path)))
			return false;
	return path.len == 0;
}
