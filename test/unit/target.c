/*
 * target: encoded paths to canonical ones, against a page that cannot be
 * touched on either side of them.
 */
#include "unit.h"

#include "target.h"

#define TEN "0123456789"
#define HUNDRED TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN

static const struct row {
	struct slice encoded;
	const char *token;
	const char *path; /* NULL: nothing is promised of it */
	bool ends_in_slash;
} rows[] = {
	{ UNIT_BYTES("/"), "proceed", "", true },
	{ UNIT_BYTES(""), "proceed", "", true },
	{ UNIT_BYTES("//"), "proceed", "", true },
	{ UNIT_BYTES("/////"), "proceed", "", true },
	{ UNIT_BYTES("/a"), "proceed", "a", false },
	{ UNIT_BYTES("/a/"), "proceed", "a", true },
	{ UNIT_BYTES("/a//"), "proceed", "a", true },
	{ UNIT_BYTES("//a"), "proceed", "a", false },
	{ UNIT_BYTES("///a///b///"), "proceed", "a/b", true },
	{ UNIT_BYTES("/a/b.html"), "proceed", "a/b.html", false },
	{ UNIT_BYTES("/a/b/c/d/e"), "proceed", "a/b/c/d/e", false },
	{ UNIT_BYTES("/" HUNDRED HUNDRED), "proceed", HUNDRED HUNDRED, false },
	{ UNIT_BYTES("/ "), "proceed", " ", false },
	{ UNIT_BYTES("/~a;b=c,d!e"), "proceed", "~a;b=c,d!e", false },

	/* Escapes are decoded, and once. */
	{ UNIT_BYTES("/%61"), "proceed", "a", false },
	{ UNIT_BYTES("/%6a%6A"), "proceed", "jj", false },
	{ UNIT_BYTES("/a%20b"), "proceed", "a b", false },
	{ UNIT_BYTES("/a+b"), "proceed", "a+b", false },
	{ UNIT_BYTES("/%25"), "proceed", "%", false },
	{ UNIT_BYTES("/%2561"), "proceed", "%61", false },
	{ UNIT_BYTES("/%252F"), "proceed", "%2F", false },
	{ UNIT_BYTES("/%252e%252e"), "proceed", "%2e%2e", false },
	{ UNIT_BYTES("/%3F%23"), "proceed", "?#", false },
	{ UNIT_BYTES("/%01%0A%0d%7f"), "proceed", "\x01\n\r\x7F", false },
	{ UNIT_BYTES("/%C3%A9"), "proceed", "\xC3\xA9", false },
	{ UNIT_BYTES("/\xC3\xA9"), "proceed", "\xC3\xA9", false },
	{ UNIT_BYTES("/%ff%FE"), "proceed", "\xFF\xFE", false },
	{ UNIT_BYTES("/%E2%82%AC/%F0%9F%98%80"), "proceed",
	    "\xE2\x82\xAC/\xF0\x9F\x98\x80", false },
	{ UNIT_BYTES("/%C0%AE%C0%AE"), "proceed", "\xC0\xAE\xC0\xAE", false },

	/* Escapes that are none. */
	{ UNIT_BYTES("/%"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%2"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%%"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%%41"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%g1"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%1g"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%1/"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%u0041"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/% 1"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%+1"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%-1"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%0x"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/a/b%"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%00"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/a%00.html"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/.a/%"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%2F%"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/%5C%00"), "bad-escape", NULL, false },

	/* Separators that are encoded. */
	{ UNIT_BYTES("/a%2Fb"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/a%2fb"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/%2F"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("%2Fa"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/a/%2F"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/a%5Cb"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/a%5cb"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/..%2F..%2Fetc"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/..%5C..%5Cetc"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/.a/b%2Fc"), "encoded-slash", NULL, false },

	/* Dot segments are removed. */
	{ UNIT_BYTES("/."), "proceed", "", true },
	{ UNIT_BYTES("/./"), "proceed", "", true },
	{ UNIT_BYTES("/%2e"), "proceed", "", true },
	{ UNIT_BYTES("."), "proceed", "", true },
	{ UNIT_BYTES("/./a"), "proceed", "a", false },
	{ UNIT_BYTES("/././a"), "proceed", "a", false },
	{ UNIT_BYTES("//.//a"), "proceed", "a", false },
	{ UNIT_BYTES("/a/./b"), "proceed", "a/b", false },
	{ UNIT_BYTES("/a/."), "proceed", "a", true },
	{ UNIT_BYTES("/a/./"), "proceed", "a", true },
	{ UNIT_BYTES("/a/.."), "proceed", "", true },
	{ UNIT_BYTES("/a/../"), "proceed", "", true },
	{ UNIT_BYTES("/a/b/.."), "proceed", "a", true },
	{ UNIT_BYTES("/a/b/../"), "proceed", "a", true },
	{ UNIT_BYTES("/a/b/."), "proceed", "a/b", true },
	{ UNIT_BYTES("/a/../b"), "proceed", "b", false },
	{ UNIT_BYTES("/a//../b"), "proceed", "b", false },
	{ UNIT_BYTES("/a/./../b"), "proceed", "b", false },
	{ UNIT_BYTES("/a/.././b"), "proceed", "b", false },
	{ UNIT_BYTES("/a/b/../../c"), "proceed", "c", false },
	{ UNIT_BYTES("/a/bb/../c/../d/"), "proceed", "a/d", true },
	{ UNIT_BYTES("/a/b/c/../..//.//d"), "proceed", "a/d", false },
	{ UNIT_BYTES("/aa/b/../../aa"), "proceed", "aa", false },
	{ UNIT_BYTES("/%61/%2E%2e/b"), "proceed", "b", false },
	{ UNIT_BYTES("/a/%2e./b"), "proceed", "b", false },
	{ UNIT_BYTES("/a/.%2E/b"), "proceed", "b", false },
	{ UNIT_BYTES("/a/%2e/b"), "proceed", "a/b", false },
	{ UNIT_BYTES("/a/%2e%2e"), "proceed", "", true },
	{ UNIT_BYTES("/a%20/.."), "proceed", "", true },
	{ UNIT_BYTES("a/../b"), "proceed", "b", false },
	{ UNIT_BYTES("/a."), "proceed", "a.", false },
	{ UNIT_BYTES("/a.."), "proceed", "a..", false },
	{ UNIT_BYTES("/a../b"), "proceed", "a../b", false },
	{ UNIT_BYTES("/a..b/c"), "proceed", "a..b/c", false },
	{ UNIT_BYTES("/%252e/a"), "proceed", "%2e/a", false },

	/* One has nothing left to remove. */
	{ UNIT_BYTES("/.."), "outside", NULL, false },
	{ UNIT_BYTES("/../"), "outside", NULL, false },
	{ UNIT_BYTES(".."), "outside", NULL, false },
	{ UNIT_BYTES("/../a"), "outside", NULL, false },
	{ UNIT_BYTES("//../a"), "outside", NULL, false },
	{ UNIT_BYTES("/./../a"), "outside", NULL, false },
	{ UNIT_BYTES("/%2e%2E"), "outside", NULL, false },
	{ UNIT_BYTES("/.%2e/a"), "outside", NULL, false },
	{ UNIT_BYTES("/../../etc/passwd"), "outside", NULL, false },
	{ UNIT_BYTES("/a/../../a"), "outside", NULL, false },
	{ UNIT_BYTES("/a/b/../../../a/b"), "outside", NULL, false },
	{ UNIT_BYTES("/a/../../a/.."), "outside", NULL, false },
	{ UNIT_BYTES("/../.a"), "outside", NULL, false },
	{ UNIT_BYTES("/../_redirects"), "outside", NULL, false },
	{ UNIT_BYTES("/../a%2Fb"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/a%2Fb/../c"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/a%5C/../c"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/%2F/.."), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/%2F/../.."), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/..%2F../a"), "encoded-slash", NULL, false },
	{ UNIT_BYTES("/../%"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/a%/../b"), "bad-escape", NULL, false },
	{ UNIT_BYTES("/a%00/../b"), "bad-escape", NULL, false },

	/* What is left decides what is hidden. */
	{ UNIT_BYTES("/.git/config"), "hidden", ".git/config", false },
	{ UNIT_BYTES("/.git/../a"), "proceed", "a", false },
	{ UNIT_BYTES("/.git/.."), "proceed", "", true },
	{ UNIT_BYTES("/a/../.git/config"), "hidden", ".git/config", false },
	{ UNIT_BYTES("/./.git"), "hidden", ".git", false },
	{ UNIT_BYTES("/a/.b/../c"), "proceed", "a/c", false },
	{ UNIT_BYTES("/.a/.b/../../.c"), "hidden", ".c", false },
	{ UNIT_BYTES("/.a/.b/.."), "hidden", ".a", true },
	{ UNIT_BYTES("/.a/b/../../c"), "proceed", "c", false },
	{ UNIT_BYTES("/.../.."), "proceed", "", true },
	{ UNIT_BYTES("/..."), "hidden", "...", false },
	{ UNIT_BYTES("/a/..../b"), "hidden", "a/..../b", false },
	{ UNIT_BYTES("/..a"), "hidden", "..a", false },
	{ UNIT_BYTES("/.%20"), "hidden", ". ", false },
	{ UNIT_BYTES("/a/.htpasswd"), "hidden", "a/.htpasswd", false },
	{ UNIT_BYTES("/%2Ehtpasswd"), "hidden", ".htpasswd", false },
	{ UNIT_BYTES("/a/.b//"), "hidden", "a/.b", true },

	/* The names that are treated apart. */
	{ UNIT_BYTES("/.well-known"), "proceed", ".well-known", false },
	{ UNIT_BYTES("/.well-known/"), "proceed", ".well-known", true },
	{ UNIT_BYTES("//.well-known/a"), "proceed", ".well-known/a", false },
	{ UNIT_BYTES("/%2ewell-known/a"), "proceed", ".well-known/a", false },
	{ UNIT_BYTES("/.well-known/.a"), "hidden", ".well-known/.a", false },
	{ UNIT_BYTES("/.well-known/../a"), "proceed", "a", false },
	{ UNIT_BYTES("/a/../.well-known/b"), "proceed", ".well-known/b",
	    false },
	{ UNIT_BYTES("/a/./.well-known"), "hidden", "a/.well-known", false },
	{ UNIT_BYTES("/.well-known/.well-known"), "hidden",
	    ".well-known/.well-known", false },
	{ UNIT_BYTES("/a/.well-known/b"), "hidden", "a/.well-known/b", false },
	{ UNIT_BYTES("/.well-knownx"), "hidden", ".well-knownx", false },
	{ UNIT_BYTES("/.well-know"), "hidden", ".well-know", false },
	{ UNIT_BYTES("/.Well-Known/a"), "hidden", ".Well-Known/a", false },
	{ UNIT_BYTES("/_redirects"), "hidden", "_redirects", false },
	{ UNIT_BYTES("/_redirects/"), "hidden", "_redirects", true },
	{ UNIT_BYTES("//_redirects"), "hidden", "_redirects", false },
	{ UNIT_BYTES("/%5Fredirects"), "hidden", "_redirects", false },
	{ UNIT_BYTES("/_redirects/a"), "hidden", "_redirects/a", false },
	{ UNIT_BYTES("/_REDIRECTS"), "hidden", "_REDIRECTS", false },
	{ UNIT_BYTES("/_Redirect%53/"), "hidden", "_RedirectS", true },
	{ UNIT_BYTES("/a/.././_redirects"), "hidden", "_redirects", false },
	{ UNIT_BYTES("/_redirects/../a"), "proceed", "a", false },
	{ UNIT_BYTES("/a/_Redirects"), "proceed", "a/_Redirects", false },
	{ UNIT_BYTES("/_redirects.html"), "proceed", "_redirects.html", false },
	{ UNIT_BYTES("/_redirect"), "proceed", "_redirect", false },
	{ UNIT_BYTES("/a/_redirects"), "proceed", "a/_redirects", false },
};

static void
check(struct slice encoded, const char *token, const char *path,
    bool ends_in_slash)
{
	static struct path decoded;

	for (int side = 0; side < UNIT_SIDES; side++) {
		struct slice s = unit_place((enum unit_side)side, encoded);

		memset(&decoded, 0xEE, sizeof(decoded));
		unit_string("verdict", token,
		    verdict_token(target_decode_path(s, &decoded)));
		if (path == NULL)
			continue;
		unit_slice("path", slice_of(path),
		    (struct slice){ decoded.name, decoded.len });
		unit_number("terminator", '\0', decoded.name[decoded.len]);
		unit_bool(
		    "ends in a slash", ends_in_slash, decoded.ends_in_slash);
	}
}

/* The longest paths that fit, and what each byte becomes. */
static void
check_long(void)
{
	static char encoded[PATH_MAX_LEN + 1], wanted[PATH_MAX_LEN + 1];
	const size_t longest = PATH_MAX_LEN;
	size_t len = longest;

	unit_begin("the longest path of one segment");
	memset(encoded, 'a', len);
	encoded[0] = '/';
	check((struct slice){ encoded, len }, "proceed",
	    memset(wanted, 'a', len - 1), false);

	unit_begin("the longest path without a slash in front");
	encoded[0] = 'a';
	wanted[len - 1] = 'a';
	check((struct slice){ encoded, len }, "proceed", wanted, false);

	unit_begin("the longest path of escapes");
	memset(wanted, 0, sizeof(wanted));
	for (size_t i = 0; i + 2 < len; i += 3) {
		memcpy(encoded + i, "%62", 3);
		wanted[i / 3] = 'b';
	}
	len -= len % 3;
	check((struct slice){ encoded, len }, "proceed", wanted, false);

	unit_begin("the longest path of slashes");
	memset(encoded, '/', longest);
	check((struct slice){ encoded, longest }, "proceed", "", true);
}

/* The longest paths of dot segments. */
static void
check_long_dots(void)
{
	static char encoded[PATH_MAX_LEN];
	const size_t longest = PATH_MAX_LEN;

	unit_begin("the longest path of single dots");
	for (size_t i = 0; i < longest; i++)
		encoded[i] = i % 2 == 0 ? '/' : '.';
	check((struct slice){ encoded, longest }, "proceed", "", true);

	unit_begin("the longest path of double dots");
	for (size_t i = 0; i < longest; i++)
		encoded[i] = i % 3 == 0 ? '/' : '.';
	check((struct slice){ encoded, longest }, "outside", NULL, false);

	unit_begin("a path of segments and as many double dots");
	for (size_t i = 0; i < longest; i++)
		encoded[i] = i % 2 == 0 ? '/' : 'a';
	for (size_t i = 0; i < longest / 5; i++)
		memcpy(encoded + longest - 3 * (i + 1), "/..", 3);
	check((struct slice){ encoded, longest }, "proceed",
	    /* 1638 of them, after 1639 segments. */
	    "a", true);
}

static void
check_bytes(void)
{
	unit_begin("each byte, as it is and encoded");
	for (int c = 1; c < 256; c++) {
		char raw[] = { '/', 'a', (char)c, 'a' };
		char escaped[8], wanted[] = { 'a', (char)c, 'a', '\0' };

		snprintf(escaped, sizeof(escaped), "/a%%%02xa", (unsigned)c);
		if (c != '%')
			check((struct slice){ raw, sizeof(raw) }, "proceed",
			    c == '/' ? "a/a" : wanted, false);
		if (c == '/' || c == '\\')
			check(slice_of(escaped), "encoded-slash", NULL, false);
		else
			check(slice_of(escaped), "proceed", wanted, false);
	}
}

int
main(void)
{
	unit_table("target");
	unit_at_least("rows of the table", 50, UNIT_COUNT(rows));
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		unit_begin(rows[i].encoded.ptr);
		check(rows[i].encoded, rows[i].token, rows[i].path,
		    rows[i].ends_in_slash);
	}
	check_long();
	check_long_dots();
	check_bytes();
	return unit_end();
}
