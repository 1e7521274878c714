/*
 * rules: lines of _redirects, and which paths they answer for.
 */
#include "unit.h"

#include "rules.h"

static const struct line_row {
	struct slice line;
	const char
	    *meaning; /* "from -> to status", or the problem, or "none" */
} line_rows[] = {
	/* Nothing. */
	{ UNIT_BYTES(""), "none" },
	{ UNIT_BYTES("  \t "), "none" },
	{ UNIT_BYTES("\r"), "none" },
	{ UNIT_BYTES("# /a /b"), "none" },
	{ UNIT_BYTES("#"), "none" },
	{ UNIT_BYTES("  #/a /b"), "none" },

	/* Rules. */
	{ UNIT_BYTES("/a /b"), "/a -> /b 301" },
	{ UNIT_BYTES("/a /b\r"), "/a -> /b 301" },
	{ UNIT_BYTES("/a\t/b"), "/a -> /b 301" },
	{ UNIT_BYTES(" \t/a \t /b \t "), "/a -> /b 301" },
	{ UNIT_BYTES("/ /b"), "/ -> /b 301" },
	{ UNIT_BYTES("/a /"), "/a -> / 301" },
	{ UNIT_BYTES("/a /b 301"), "/a -> /b 301" },
	{ UNIT_BYTES("/a /b 302"), "/a -> /b 302" },
	{ UNIT_BYTES("/a /b 303"), "/a -> /b 303" },
	{ UNIT_BYTES("/a /b 307"), "/a -> /b 307" },
	{ UNIT_BYTES("/a /b 308\r"), "/a -> /b 308" },
	{ UNIT_BYTES("/a /b # why"), "/a -> /b 301" },
	{ UNIT_BYTES("/a /b #why 302"), "/a -> /b 301" },
	{ UNIT_BYTES("/a /b 302 # why"), "/a -> /b 302" },
	{ UNIT_BYTES("/a#b /c#d"), "/a#b -> /c#d 301" },
	{ UNIT_BYTES("/a http://x/"), "/a -> http://x/ 301" },
	{ UNIT_BYTES("/a https://x"), "/a -> https://x 301" },
	{ UNIT_BYTES("/a HTTPS://x/b?c#d 302"), "/a -> HTTPS://x/b?c#d 302" },
	{ UNIT_BYTES("/a /b?c=d"), "/a -> /b?c=d 301" },
	{ UNIT_BYTES("/%61 /%62"), "/%61 -> /%62 301" },
	{ UNIT_BYTES("/\xC3\xA9 /\xC3\xA8"), "/\xC3\xA9 -> /\xC3\xA8 301" },

	{ UNIT_BYTES("/./a/.. /b"), "/./a/.. -> /b 301" },
	{ UNIT_BYTES("/a /b/../c"), "/a -> /b/../c 301" },
	{ UNIT_BYTES("/a /a/b/"), "/a -> /a/b/ 301" },
	{ UNIT_BYTES("/a/b /b"), "/a/b -> /b 301" },
	{ UNIT_BYTES("/b /a/b"), "/b -> /a/b 301" },
	{ UNIT_BYTES("/a http://a"), "/a -> http://a 301" },
	{ UNIT_BYTES("/http%3A/a http://a"), "/http%3A/a -> http://a 301" },
	{ UNIT_BYTES("/... /..../../x"), "/... -> /..../../x 301" },

	/* Rules to themselves. */
	{ UNIT_BYTES("/a /a"), "it redirects to itself" },
	{ UNIT_BYTES("/a /a/"), "it redirects to itself" },
	{ UNIT_BYTES("/a/ /a?b#c"), "it redirects to itself" },
	{ UNIT_BYTES("/a /%61"), "it redirects to itself" },
	{ UNIT_BYTES("/a /./a"), "it redirects to itself" },
	{ UNIT_BYTES("/a /a/."), "it redirects to itself" },
	{ UNIT_BYTES("/a /%2E/a"), "it redirects to itself" },
	{ UNIT_BYTES("/a /b/../a"), "it redirects to itself" },
	{ UNIT_BYTES("/a /b/%2e./a#b"), "it redirects to itself" },
	{ UNIT_BYTES("/a /b//../a"), "it redirects to itself" },
	{ UNIT_BYTES("/a /../a"), "it redirects to itself" },
	{ UNIT_BYTES("/a //a"), "it redirects to itself" },
	{ UNIT_BYTES("/a/b /a//b"), "it redirects to itself" },
	{ UNIT_BYTES("/a/b /a///b//"), "it redirects to itself" },
	{ UNIT_BYTES("/a/./b /a/b"), "it redirects to itself" },
	{ UNIT_BYTES("/a/../b /b"), "it redirects to itself" },
	{ UNIT_BYTES("/ /"), "it redirects to itself" },
	{ UNIT_BYTES("/ /a/.."), "it redirects to itself" },
	{ UNIT_BYTES("/. //"), "it redirects to itself" },

	/* What is refused. */
	{ UNIT_BYTES("/.. /b"),
	    "the path to redirect from leads out of the tree" },
	{ UNIT_BYTES("/a/../%2e%2E/b /c"),
	    "the path to redirect from leads out of the tree" },
	{ UNIT_BYTES("/a//../b /c"),
	    "the path to redirect from holds an empty segment or an encoded slash" },
	{ UNIT_BYTES("a /b"),
	    "the path to redirect from must start with a slash" },
	{ UNIT_BYTES("http://x/a /b"),
	    "the path to redirect from must start with a slash" },
	{ UNIT_BYTES("\xEF\xBB\xBF/a /b"),
	    "the path to redirect from must start with a slash" },
	{ UNIT_BYTES("/*"), "splats and placeholders are not supported" },
	{ UNIT_BYTES("/* /b"), "splats and placeholders are not supported" },
	{ UNIT_BYTES("/a/:b /c/:b"),
	    "splats and placeholders are not supported" },
	{ UNIT_BYTES("/a"), "there is no place to redirect to" },
	{ UNIT_BYTES("/a #b"), "there is no place to redirect to" },
	{ UNIT_BYTES("/a b"),
	    "the place to redirect to must be a path or an http URI" },
	{ UNIT_BYTES("/a 302"),
	    "the place to redirect to must be a path or an http URI" },
	{ UNIT_BYTES("/a http:/x"),
	    "the place to redirect to must be a path or an http URI" },
	{ UNIT_BYTES("/a http://"),
	    "the place to redirect to must be a path or an http URI" },
	{ UNIT_BYTES("/a javascript:b"),
	    "the place to redirect to must be a path or an http URI" },
	{ UNIT_BYTES("/a b=:b /c"),
	    "the place to redirect to must be a path or an http URI" },
	{ UNIT_BYTES("/a\x01 /b"), "it holds a control character" },
	{ UNIT_BYTES("/a /b\rc"), "it holds a control character" },
	{ UNIT_BYTES("/a /b\r\r"), "it holds a control character" },
	{ UNIT_BYTES("/a /b\0c"), "it holds a control character" },
	{ UNIT_BYTES("/a /b\x7F"), "it holds a control character" },
	{ UNIT_BYTES("/a /b 200"),
	    "the status must be 301, 302, 303, 307 or 308" },
	{ UNIT_BYTES("/a /b 404"),
	    "the status must be 301, 302, 303, 307 or 308" },
	{ UNIT_BYTES("/a /b 304"),
	    "the status must be 301, 302, 303, 307 or 308" },
	{ UNIT_BYTES("/a /b 30"),
	    "the status must be 301, 302, 303, 307 or 308" },
	{ UNIT_BYTES("/a /b 3010"),
	    "the status must be 301, 302, 303, 307 or 308" },
	{ UNIT_BYTES("/a /b 301!"),
	    "the status must be 301, 302, 303, 307 or 308" },
	{ UNIT_BYTES("/a /b x"),
	    "the status must be 301, 302, 303, 307 or 308" },
	{ UNIT_BYTES("/a /b -01"),
	    "the status must be 301, 302, 303, 307 or 308" },
	{ UNIT_BYTES("/a /b Country=x"),
	    "the status must be 301, 302, 303, 307 or 308" },
	{ UNIT_BYTES("/a /b 301 Country=x"), "conditions are not supported" },
	{ UNIT_BYTES("/a /b 301 302"), "conditions are not supported" },
};

static const struct match_row {
	struct slice from, path;
	bool matches;
} match_rows[] = {
	{ UNIT_BYTES("/"), UNIT_BYTES(""), true },
	{ UNIT_BYTES("/"), UNIT_BYTES("a"), false },
	{ UNIT_BYTES("/a"), UNIT_BYTES(""), false },
	{ UNIT_BYTES("/a"), UNIT_BYTES("a"), true },
	{ UNIT_BYTES("/a/"), UNIT_BYTES("a"), true },
	{ UNIT_BYTES("/a///"), UNIT_BYTES("a"), true },
	{ UNIT_BYTES("/a"), UNIT_BYTES("b"), false },
	{ UNIT_BYTES("/a"), UNIT_BYTES("A"), false },
	{ UNIT_BYTES("/a"), UNIT_BYTES("ab"), false },
	{ UNIT_BYTES("/ab"), UNIT_BYTES("a"), false },
	{ UNIT_BYTES("/a"), UNIT_BYTES("a/b"), false },
	{ UNIT_BYTES("/a/b"), UNIT_BYTES("a"), false },
	{ UNIT_BYTES("/a/b"), UNIT_BYTES("a/b"), true },
	{ UNIT_BYTES("/a/b/"), UNIT_BYTES("a/b"), true },
	{ UNIT_BYTES("/a/b"), UNIT_BYTES("a/c"), false },
	{ UNIT_BYTES("/%61"), UNIT_BYTES("a"), true },
	{ UNIT_BYTES("/a%20b"), UNIT_BYTES("a b"), true },
	{ UNIT_BYTES("/%C3%A9"), UNIT_BYTES("\xC3\xA9"), true },
	{ UNIT_BYTES("/%c3%a9"), UNIT_BYTES("\xC3\xA9"), true },
	{ UNIT_BYTES("/\xC3\xA9"), UNIT_BYTES("\xC3\xA9"), true },
	{ UNIT_BYTES("/%C3%A9"), UNIT_BYTES("\xC3"), false },
	{ UNIT_BYTES("/%2561"), UNIT_BYTES("%61"), true },
	{ UNIT_BYTES("/%2561"), UNIT_BYTES("a"), false },
	{ UNIT_BYTES("/%"), UNIT_BYTES("%"), true },
	{ UNIT_BYTES("/%6"), UNIT_BYTES("%6"), true },
	{ UNIT_BYTES("/%6"), UNIT_BYTES("`"), false },
	{ UNIT_BYTES("/%zz"), UNIT_BYTES("%zz"), true },
	{ UNIT_BYTES("/%61%"), UNIT_BYTES("a%"), true },
	{ UNIT_BYTES("/%61%6"), UNIT_BYTES("a%6"), true },
	{ UNIT_BYTES("/a?b"), UNIT_BYTES("a?b"), true },
	{ UNIT_BYTES("/.a"), UNIT_BYTES(".a"), true },
	{ UNIT_BYTES("/./a"), UNIT_BYTES("a"), true },
	{ UNIT_BYTES("/a/."), UNIT_BYTES("a"), true },
	{ UNIT_BYTES("/a/./b"), UNIT_BYTES("a/b"), true },
	{ UNIT_BYTES("/a/../b"), UNIT_BYTES("b"), true },
	{ UNIT_BYTES("/a/../b"), UNIT_BYTES("a"), false },
	{ UNIT_BYTES("/a/../b"), UNIT_BYTES("a/b"), false },
	{ UNIT_BYTES("/a/b/../../c/d"), UNIT_BYTES("c/d"), true },
	{ UNIT_BYTES("/a/b/.."), UNIT_BYTES("a"), true },
	{ UNIT_BYTES("/a/.."), UNIT_BYTES(""), true },
	{ UNIT_BYTES("/."), UNIT_BYTES(""), true },
	{ UNIT_BYTES("/a/%2e%2E/b/%2e"), UNIT_BYTES("b"), true },
	{ UNIT_BYTES("/a/.b"), UNIT_BYTES("a/.b"), true },
	{ UNIT_BYTES("/a/..."), UNIT_BYTES("a/..."), true },
	{ UNIT_BYTES("/a/b%"), UNIT_BYTES("a/b%"), true },
	{ UNIT_BYTES("/a/b"), UNIT_BYTES("b"), false },
	{ UNIT_BYTES("/b"), UNIT_BYTES("a/b"), false },
	{ UNIT_BYTES("/aa/b"), UNIT_BYTES("a/b"), false },
	{ UNIT_BYTES("/a/b"), UNIT_BYTES("aa/b"), false },
	{ UNIT_BYTES("/a+b"), UNIT_BYTES("a b"), false },
	{ UNIT_BYTES("/a.html"), UNIT_BYTES("aXhtml"), false },
};

static void
check_line(const struct line_row *row)
{
	static const struct rule untouched = { .status = -1 };

	for (int side = 0; side < UNIT_SIDES; side++) {
		struct slice line = unit_place((enum unit_side)side, row->line);
		struct rule r = untouched;
		const char *problem = "a problem without a word about it";
		char buf[256], number[NUMBER_CAP];
		struct text t = TEXT_IN(buf);

		switch (rule_parse(line, &r, &problem)) {
		case RULE_NONE:
			unit_string("kind", row->meaning, "none");
			break;
		case RULE_BAD:
			unit_string("problem", row->meaning, problem);
			break;
		case RULE_REDIRECT:
			text_add(&t, r.from);
			text_add(&t, SLICE(" -> "));
			text_add(&t, r.to);
			text_add(&t, SLICE(" "));
			text_add(&t,
			    slice_of(text_number(number, (uint64_t)r.status)));
			unit_slice(
			    "rule", slice_of(row->meaning), text_slice(&t));
			unit_bool("the rule lies in its line", true,
			    r.from.ptr >= line.ptr && r.to.ptr > r.from.ptr &&
				r.to.ptr + r.to.len <= line.ptr + line.len);
			continue;
		}
		unit_number("the rule is not touched", -1, r.status);
	}
}

static void
check_match(const struct match_row *row)
{
	/* Both sides of both: the walk may stop at either's end. */
	for (int side = 0; side < UNIT_SIDES; side++) {
		struct rule r = {
			.from = unit_place((enum unit_side)side, row->from),
			.to = SLICE("/"),
			.status = 301,
		};
		struct slice path =
		    unit_place((enum unit_side) !side, row->path);

		unit_slice("path", row->path, path);
		unit_bool("matches", row->matches, rule_matches(&r, path));
	}
}

int
main(void)
{
	unit_table("rules");
	unit_at_least("rows of the tables", 40,
	    UNIT_COUNT(line_rows) + UNIT_COUNT(match_rows));
	for (size_t i = 0; i < UNIT_COUNT(line_rows); i++) {
		unit_begin(line_rows[i].line.ptr);
		check_line(&line_rows[i]);
	}
	for (size_t i = 0; i < UNIT_COUNT(match_rows); i++) {
		unit_begin(match_rows[i].from.ptr);
		check_match(&match_rows[i]);
	}
	return unit_end();
}
