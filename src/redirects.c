/*
 * redirects: a file may have any number of rules, and is read a block at a
 * time; what is left of the last line moves to the front of the next one.
 */
#include "redirects.h"

#include <errno.h>
#include <unistd.h>

/* What is cut off at a block is seen by rule_parse() to be too long. */
_Static_assert(REDIRECTS_BLOCK > RULE_LINE_MAX + 1, "a cut line looks whole");

/* A line without the byte order mark that a file may start with. */
static struct slice
without_mark(const struct redirects *s, struct slice line)
{
	struct slice mark = SLICE("\xEF\xBB\xBF");
	bool is_marked = s->number == 0 && line.len >= mark.len &&
	    slice_equal((struct slice){ line.ptr, mark.len }, mark);

	return is_marked ? slice_after(line, mark.len) : line;
}

/*
 * Whether a line that is too long for the block is blank so far, so that only
 * its rest tells whether it holds a rule.  (A CR may be that of its end.)
 */
static bool
is_blank_so_far(const struct redirects *s, struct slice line)
{
	struct slice text = without_mark(s, line);

	if (text.ptr[text.len - 1] == '\r')
		text.len--;
	return !s->in_long_line && slice_trim(text).len == 0;
}

/* Whether this line is the rule that answers; notes the first bad one. */
static bool
try_line(
    struct redirects *s, struct slice line, bool too_long, struct bad_rule *bad)
{
	const char *problem;
	bool is_rest = s->in_long_line;

	s->in_long_line = too_long;
	if (is_rest)
		return false;
	line = without_mark(s, line);
	s->number++;
	enum rule_kind kind = rule_parse(line, &s->rule, &problem);
	if (kind == RULE_BAD && bad->line == 0)
		*bad = (struct bad_rule){ s->number, problem };
	return kind == RULE_REDIRECT && rule_matches(&s->rule, s->path);
}

/* Tries the lines that are in the block; keeps an unfinished last one. */
static bool
try_block(struct redirects *s, bool at_end, struct bad_rule *bad)
{
	struct slice rest = { s->block, s->have };

	while (rest.len > 0) {
		const char *lf = memchr(rest.ptr, '\n', rest.len);
		size_t len = lf == NULL ? rest.len : (size_t)(lf - rest.ptr);
		bool whole = lf != NULL || at_end;
		bool too_long = !whole && len == REDIRECTS_BLOCK;

		if (!whole && !too_long)
			break;
		if (too_long && is_blank_so_far(s, rest)) {
			/* As many blanks make the line too long for a rule. */
			rest = slice_after(rest, len - (RULE_LINE_MAX + 1));
			break;
		}
		if (try_line(s, (struct slice){ rest.ptr, len }, too_long, bad))
			return true;
		rest = slice_after(rest, lf == NULL ? len : len + 1);
	}
	memmove(s->block, rest.ptr, rest.len);
	s->have = rest.len;
	return false;
}

enum verdict
redirects_search(
    int fd, struct slice path, struct redirects *s, struct bad_rule *ret_bad)
{
	s->have = 0;
	s->path = path;
	s->number = 0;
	s->in_long_line = false;
	ret_bad->line = 0;
	for (;;) {
		ssize_t n =
		    read(fd, s->block + s->have, REDIRECTS_BLOCK - s->have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return FILE_ERROR;
		s->have += (size_t)n;
		if (try_block(s, n == 0, ret_bad))
			return REDIRECTED;
		if (n == 0)
			return NOT_FOUND;
	}
}
