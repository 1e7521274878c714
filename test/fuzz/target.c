/*
 * target: a path becomes a name beneath the root, or does not.
 *
 * The whole text is the path.  It is decoded once more here, into a list of
 * segments; what has a canonical name keeps it when that is encoded again.
 */
#include "fuzz.h"

#include "target.h"
#include "text.h"
#include "types.h"

#include <strings.h>

#define TEXT_MAX 8192

static int
hex_digit(char c)
{
	const char *digits = "0123456789abcdef0123456789ABCDEF";
	const char *at = c == '\0' ? NULL : strchr(digits, c);

	return at == NULL ? -1 : (int)((at - digits) % 16);
}

/* Decodes a segment; false if an escape is bad. */
static bool
decode(struct slice s, char *decoded, size_t *ret_len, bool *encoded_slash)
{
	size_t out = 0;

	for (size_t at = 0; at < s.len; at++) {
		char c = s.ptr[at];

		if (c == '%') {
			int high =
			    at + 1 < s.len ? hex_digit(s.ptr[at + 1]) : -1;
			int low =
			    at + 2 < s.len ? hex_digit(s.ptr[at + 2]) : -1;

			if (high < 0 || low < 0 || high + low == 0)
				return false;
			c = (char)(16 * high + low);
			at += 2;
			if (c == '/' || c == '\\')
				*encoded_slash = true;
		}
		decoded[out++] = c;
	}
	*ret_len = out;
	return true;
}

/*
 * What the header says of a path: a list of its decoded segments, from which
 * dot segments remove others, and then the name that they make.
 */
static enum verdict
reference(struct slice s, char *name, size_t *ret_len, bool *ret_slash)
{
	static char decoded[TEXT_MAX];
	static struct slice segments[TEXT_MAX];
	bool encoded_slash = false, outside = false, hidden = false;
	size_t used = 0, count = 0, out = 0;

	*ret_slash = true;
	while (s.len > 0) {
		const char *slash = memchr(s.ptr, '/', s.len);
		struct slice raw = { s.ptr,
			slash == NULL ? s.len : (size_t)(slash - s.ptr) };
		struct slice segment = { decoded + used, 0 };

		if (!decode(raw, decoded + used, &segment.len, &encoded_slash))
			return BAD_ESCAPE;
		used += segment.len;
		s = slice_after(s, raw.len + (slash != NULL));
		*ret_slash = slash != NULL;
		if (segment.len == 0)
			continue;
		if (slice_equal(segment, SLICE("."))) {
			*ret_slash = true;
		} else if (slice_equal(segment, SLICE(".."))) {
			*ret_slash = true;
			if (count > 0)
				count--;
			else
				outside = true;
		} else {
			segments[count++] = segment;
		}
	}
	for (size_t i = 0; i < count; i++) {
		if (segments[i].ptr[0] == '.' &&
		    !(i == 0 && slice_equal(segments[i], SLICE(".well-known"))))
			hidden = true;
		/* That file's name; but it may be a directory further down. */
		if (i == 0 && segments[i].len == strlen("_redirects") &&
		    strncasecmp(
			segments[i].ptr, "_redirects", segments[i].len) == 0)
			hidden = true;
		if (i > 0)
			name[out++] = '/';
		memcpy(name + out, segments[i].ptr, segments[i].len);
		out += segments[i].len;
	}
	*ret_len = out;
	if (encoded_slash)
		return ENCODED_SLASH;
	if (outside)
		return OUTSIDE;
	return hidden ? HIDDEN : PROCEED;
}

static void
check_canonical(const struct path *p)
{
	require(strlen(p->name) == p->len);
	require(p->len == 0 || (p->name[0] != '/' && p->name[0] != '.') ||
	    strncmp(p->name, ".well-known", 11) == 0);
	require(strstr(p->name, "//") == NULL);
	require(strstr(p->name, "/.") == NULL);
	require(p->len == 0 || p->name[p->len - 1] != '/');

	/* The name encoded is a path of the same name. */
	static char encoded[3 * PATH_MAX_LEN + 2];
	static struct path again;
	struct text t = TEXT_IN(encoded);

	text_add_char(&t, '/');
	text_add_uri(&t, (struct slice){ p->name, p->len }, "");
	if (p->ends_in_slash)
		text_add_char(&t, '/');
	require(!t.overflowed);
	if (t.len > PATH_MAX_LEN)
		return;
	if (memchr(p->name, '\\', p->len) != NULL)
		return;
	require(target_decode_path(text_slice(&t), &again) == PROCEED);
	require(again.len == p->len && strcmp(again.name, p->name) == 0);
	require(again.ends_in_slash == p->ends_in_slash || p->len == 0);
}

/* Sound, pictures but for three kinds, web fonts, and archives. */
static bool
is_compressed(const char *type)
{
	static const char *const types[] = { "application/gzip",
		"application/zip", "application/zstd", "application/x-xz",
		"application/x-bzip2", "application/x-7z-compressed",
		"application/vnd.rar", "font/woff", "font/woff2" };

	for (size_t i = 0; i < FUZZ_COUNT(types); i++)
		if (strcmp(type, types[i]) == 0)
			return true;
	if (strncmp(type, "image/", 6) == 0)
		return strcmp(type, "image/svg+xml") != 0 &&
		    strcmp(type, "image/bmp") != 0 &&
		    strcmp(type, "image/vnd.microsoft.icon") != 0;
	return strncmp(type, "audio/", 6) == 0 ||
	    strncmp(type, "video/", 6) == 0;
}

/* The media type of a name, by a search through all of the table. */
static void
check_type(struct slice name)
{
	static const struct {
		const char *extension, *type;
	} types[] = {
#define TYPE(extension, type) { extension, type },
#include "types.def"
#undef TYPE
	};
	struct slice wanted = SLICE("application/octet-stream");
	size_t dot = name.len;

	while (dot > 0 && name.ptr[dot - 1] != '.' && name.ptr[dot - 1] != '/')
		dot--;
	if (dot > 0 && name.ptr[dot - 1] == '.')
		for (size_t i = 0; i < FUZZ_COUNT(types); i++)
			if (slice_equal_nocase(slice_after(name, dot),
				slice_of(types[i].extension)))
				wanted = slice_of(types[i].type);

	struct slice type = type_of_name(name);
	require(slice_equal(type, wanted));
	require(type_is_text(type) == (strncmp(type.ptr, "text/", 5) == 0));
	require(type_is_compressed(type) == is_compressed(type.ptr));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct path path;
	static char wanted[PATH_MAX_LEN + 1];
	size_t len = 0;
	bool slash;

	/* A head with a NUL in its target never comes so far. */
	if (size > TEXT_MAX || (size > 0 && memchr(data, '\0', size) != NULL))
		return 0;
	struct slice encoded = { (const char *)data, size };
	enum verdict v = target_decode_path(encoded, &path);

	require(v == reference(encoded, wanted, &len, &slash));
	check_type(encoded);
	if (v != PROCEED && v != HIDDEN)
		return 0;
	require(path.len == len && memcmp(path.name, wanted, len) == 0);
	require(path.ends_in_slash == slash);
	require(path.name[len] == '\0');
	if (v == PROCEED)
		check_canonical(&path);
	check_type((struct slice){ path.name, path.len });
	return 0;
}
