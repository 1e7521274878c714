/*
 * Redirect rules: the lines of _redirects, Netlify's format.
 *
 * Placeholders, splats, conditions, rewrites and forced rules are other
 * people's extensions of the format; they are called by their name here and
 * refused, rather than taken for literal text.
 */
#include "rules.h"

#include "grammar.h"

static struct slice
take_word(struct slice *rest)
{
	*rest = slice_trim(*rest);

	size_t len = 0;
	while (
	    len < rest->len && rest->ptr[len] != ' ' && rest->ptr[len] != '\t')
		len++;
	struct slice word = { rest->ptr, len };
	*rest = slice_after(*rest, len);
	if (len > 0 && word.ptr[0] == '#') {
		word.len = 0;
		rest->len = 0;
	}
	return word;
}

static bool
starts_with_nocase(struct slice s, struct slice prefix)
{
	return s.len > prefix.len &&
	    slice_equal_nocase((struct slice){ s.ptr, prefix.len }, prefix);
}

/* Only what may stand in a Location field may stand in a rule. */
static bool
is_printable(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_control(s.ptr[i]))
			return false;
	return true;
}

/* Whether a request's canonical path (target.h) can look like this. */
static bool
is_canonical(struct slice s)
{
	for (size_t i = 0; i + 1 < s.len; i++) {
		struct slice rest = slice_after(s, i);

		if (rest.ptr[0] == '/' && rest.ptr[1] == '/')
			return false;
		if (rest.len >= 3 &&
		    slice_equal_nocase(
			(struct slice){ rest.ptr, 3 }, SLICE("%2f")))
			return false;
	}
	return true;
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

static struct slice
without_slashes(struct slice path)
{
	while (path.len > 0 && path.ptr[path.len - 1] == '/')
		path.len--;
	return path;
}

static const char *
find_problem(const struct rule *r, struct slice status, struct slice rest)
{
	if (r->from.ptr[0] != '/')
		return "the path to redirect from must start with a slash";
	if (memchr(r->from.ptr, '?', r->from.len) != NULL)
		return "a query cannot be matched";
	if (!is_canonical(r->from))
		return "the path to redirect from holds an empty segment or an "
		       "encoded slash";
	if (memchr(r->from.ptr, '*', r->from.len) != NULL ||
	    memchr(r->from.ptr, ':', r->from.len) != NULL)
		return "splats and placeholders are not supported";
	if (r->to.len == 0)
		return "there is no place to redirect to";
	if (r->to.ptr[0] != '/' &&
	    !starts_with_nocase(r->to, SLICE("http://")) &&
	    !starts_with_nocase(r->to, SLICE("https://")))
		return "the place to redirect to must be a path or an http URI";
	if (slice_equal(
		without_slashes(r->from), without_slashes(path_of(r->to))))
		return "it redirects to itself";
	if (!is_printable(r->from) || !is_printable(r->to))
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
	struct rule r = { .from = take_word(&line) };
	if (r.from.len == 0)
		return RULE_NONE;
	r.to = take_word(&line);
	struct slice status = take_word(&line);
	r.status = parse_status(status);

	*ret_problem = find_problem(&r, status, take_word(&line));
	if (line_len > RULE_LINE_MAX)
		*ret_problem = "the line is too long";
	if (*ret_problem != NULL)
		return RULE_BAD;
	*ret_rule = r;
	return RULE_REDIRECT;
}

/*
 * Walks the rule's path and the canonical one side by side, decoding the
 * former: no copy of each rule is made.
 */
bool
rule_matches(const struct rule *rule, struct slice path)
{
	struct slice from = without_slashes(slice_after(rule->from, 1));

	while (from.len > 0 && path.len > 0) {
		char c = from.ptr[0];
		size_t width = 1;

		if (c == '%' && from.len > 2 && hex_value(from.ptr[1]) >= 0 &&
		    hex_value(from.ptr[2]) >= 0) {
			c = (char)(hex_value(from.ptr[1]) << 4 |
			    hex_value(from.ptr[2]));
			width = 3;
		}
		if (c != path.ptr[0])
			return false;
		from = slice_after(from, width);
		path = slice_after(path, 1);
	}
	return from.len == 0 && path.len == 0;
}
