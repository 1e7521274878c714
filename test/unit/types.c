/*
 * types: the table's order, on which the search depends, and every row of it.
 */
#include "unit.h"

#include "types.h"

static const struct row {
	const char *extension, *type;
} table[] = {
#define TYPE(extension, type) { extension, type },
#include "types.def"
#undef TYPE
};

#define UNKNOWN_TYPE "application/octet-stream"

static const struct row names[] = {
	/* What the web uses, so that no row gets lost. */
	{ "index.html", "text/html" },
	{ "a.htm", "text/html" },
	{ "a.css", "text/css" },
	{ "a.js", "text/javascript" },
	{ "a.mjs", "text/javascript" },
	{ "a.json", "application/json" },
	{ "a.svg", "image/svg+xml" },
	{ "a.png", "image/png" },
	{ "a.jpg", "image/jpeg" },
	{ "a.jpeg", "image/jpeg" },
	{ "a.gif", "image/gif" },
	{ "a.webp", "image/webp" },
	{ "a.avif", "image/avif" },
	{ "favicon.ico", "image/vnd.microsoft.icon" },
	{ "a.woff2", "font/woff2" },
	{ "a.wasm", "application/wasm" },
	{ "a.pdf", "application/pdf" },
	{ "a.txt", "text/plain" },
	{ "a.md", "text/markdown" },
	{ "a.xml", "application/xml" },
	{ "a.csv", "text/csv" },
	{ "a.mp4", "video/mp4" },
	{ "a.webm", "video/webm" },
	{ "a.mp3", "audio/mpeg" },
	{ "a.ogg", "audio/ogg" },
	{ "a.zip", "application/zip" },
	{ "a.gz", "application/gzip" },
	{ "a.webmanifest", "application/manifest+json" },

	/* Which part of a name counts. */
	{ "A.HTML", "text/html" },
	{ "a.HtMl", "text/html" },
	{ "a.tar.gz", "application/gzip" },
	{ "a.b/c.d/e.html", "text/html" },
	{ ".html", "text/html" },
	{ "a..html", "text/html" },
	{ "a.WEBMANIFEST", "application/manifest+json" },
	{ "", UNKNOWN_TYPE },
	{ ".", UNKNOWN_TYPE },
	{ "html", UNKNOWN_TYPE },
	{ "a.", UNKNOWN_TYPE },
	{ "a.html.", UNKNOWN_TYPE },
	{ "a.html/b", UNKNOWN_TYPE },
	{ "a.html/", UNKNOWN_TYPE },
	{ "a.htmlx", UNKNOWN_TYPE },
	{ "a.htmx", UNKNOWN_TYPE },
	{ "a.ht", UNKNOWN_TYPE },
	{ "a.html ", UNKNOWN_TYPE },
	{ "a.\xFF", UNKNOWN_TYPE },
	{ "a.0", UNKNOWN_TYPE },
	{ "a.zzzzzzzzzzz", UNKNOWN_TYPE },
	{ "a.webmanifests", UNKNOWN_TYPE },
	{ "a.htmlhtmlhtmlhtmlhtmlhtmlhtml", UNKNOWN_TYPE },
};

static void
check_type(const char *name, const char *type)
{
	for (int side = 0; side < UNIT_SIDES; side++) {
		struct slice s =
		    unit_place((enum unit_side)side, slice_of(name));

		unit_slice("type", slice_of(type), type_of_name(s));
	}
}

static void
check_row(const struct row *row)
{
	char name[64];

	unit_begin(row->extension);
	for (const char *c = row->extension; *c != '\0'; c++)
		unit_bool("the extension is in lower case", true,
		    *c == ascii_lower(*c) && *c > ' ' && *c < 0x7f &&
			*c != '.');
	unit_bool("the type is one", true,
	    strchr(row->type, '/') != NULL &&
		strpbrk(row->type, " ;\"") == NULL);
	snprintf(name, sizeof(name), "a.%s", row->extension);
	check_type(name, row->type);
	for (char *c = name; *c != '\0'; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	check_type(name, row->type);
	unit_bool("text/", strncmp(row->type, "text/", 5) == 0,
	    type_is_text(slice_of(row->type)));
}

int
main(void)
{
	unit_table("types");
	unit_at_least("rows of the table", 80, UNIT_COUNT(table));
	for (size_t i = 0; i < UNIT_COUNT(table); i++)
		check_row(&table[i]);
	for (size_t i = 1; i < UNIT_COUNT(table); i++) {
		unit_begin(table[i].extension);
		unit_bool("it comes behind the row before it", true,
		    strcmp(table[i - 1].extension, table[i].extension) < 0);
	}
	for (size_t i = 0; i < UNIT_COUNT(names); i++) {
		unit_begin(names[i].extension);
		check_type(names[i].extension, names[i].type);
	}

	unit_begin("type_is_text");
	unit_bool("text/html", true, type_is_text(SLICE("text/html")));
	unit_bool("text/", false, type_is_text(SLICE("text/")));
	unit_bool("nothing", false,
	    type_is_text(unit_place(UNIT_BEFORE_GUARD, SLICE(""))));
	unit_bool("image/text/", false, type_is_text(SLICE("image/text/")));
	unit_bool("text", false,
	    type_is_text(unit_place(UNIT_BEFORE_GUARD, SLICE("text"))));
	return unit_end();
}
