/*
 * Media types of files, from a table that is compiled in: reading a
 * mime.types file would cost more than the rest of a request.
 */
#include "types.h"

#include <stdint.h>

#define EXTENSION_MAX 11

#define TYPE(extension, type) \
	_Static_assert( \
	    sizeof(extension) <= EXTENSION_MAX + 1, extension " is too long");
#include "types.def"
#undef TYPE

/* The name of a row's type, by its line in types.def. */
#define JOIN(a, b) a##b
#define NAME_OF(line) JOIN(type_, line)

/*
 * All types one behind the other, and where in there a row's is: no pointers
 * to relocate at start-up, and no gaps.
 */
static const struct names {
#define TYPE(extension, type) char NAME_OF(__LINE__)[sizeof(type)];
#include "types.def"
#undef TYPE
} names = {
#define TYPE(extension, type) type,
#include "types.def"
#undef TYPE
};

static const struct {
	char extension[EXTENSION_MAX + 1];
	uint16_t name;
} types[] = {
#define TYPE(extension, type) \
	{ extension, offsetof(struct names, NAME_OF(__LINE__)) },
#include "types.def"
#undef TYPE
};

static struct slice
extension_of(struct slice name)
{
	for (size_t i = name.len; i > 0 && name.ptr[i - 1] != '/'; i--)
		if (name.ptr[i - 1] == '.')
			return slice_after(name, i);
	return slice_after(name, name.len);
}

struct slice
type_of_name(struct slice name)
{
	struct slice extension = extension_of(name);
	char lower[EXTENSION_MAX + 1] = "";
	size_t low = 0, high = sizeof(types) / sizeof(types[0]);

	if (extension.len <= EXTENSION_MAX)
		for (size_t i = 0; i < extension.len; i++)
			lower[i] = ascii_lower(extension.ptr[i]);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(lower, types[middle].extension);

		if (order == 0)
			return slice_of(
			    (const char *)&names + types[middle].name);
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return SLICE("application/octet-stream");
}

bool
type_is_text(struct slice type)
{
	return type.len > 5 && memcmp(type.ptr, "text/", 5) == 0;
}

static bool
starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len &&
	    memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

bool
type_is_compressed(struct slice type)
{
	static const char compressed[][32] = { "application/gzip",
		"application/zip", "application/zstd", "application/x-xz",
		"application/x-bzip2", "application/x-7z-compressed",
		"application/vnd.rar", "font/woff", "font/woff2" };

	for (size_t i = 0; i < sizeof(compressed) / sizeof(compressed[0]); i++)
		if (slice_equal(type, slice_of(compressed[i])))
			return true;
	if (starts_with(type, SLICE("image/")))
		return !slice_equal(type, SLICE("image/svg+xml")) &&
		    !slice_equal(type, SLICE("image/bmp")) &&
		    !slice_equal(type, SLICE("image/vnd.microsoft.icon"));
	return starts_with(type, SLICE("audio/")) ||
	    starts_with(type, SLICE("video/"));
}
