/*
 * The target's path, as a name beneath the document root.
 */
#ifndef TARGET_H
#define TARGET_H

#include "slice.h"
#include "verdict.h"

#define PATH_MAX_LEN 8192
/* What may be appended to a path: "/index.html.zst" and a terminator. */
#define PATH_APPENDIX 16

/*
 * A canonical path: decoded once, segments joined by single slashes, without
 * a slash in front, terminated.  The root itself is the empty path.
 */
struct path {
	char buf[PATH_MAX_LEN + PATH_APPENDIX];
	char *name; /* as near to the end of buf as an appendix allows */
	size_t len;
	bool ends_in_slash; /* it names a directory; the slash is not in name */
};

/*
 * What leads from the name of a directory to that of its index, which fits
 * after it; "" where the path does not end in a slash.
 */
const char *target_index(const struct path *p);

/*
 * Turns the path of a request target ("/a%20b/") into ret_path.  Repeated
 * slashes count as one, and dot segments, encoded or not, are removed (RFC 3986
 * 6.2.2.3): "/a//./../b" is "b", and "/a/b/.." names the directory "a".
 *
 * PROCEED: no segment is hidden.  HIDDEN: it is canonical, but a segment that
 * is left starts with a dot (the first may be .well-known, RFC 8615), or it is
 * /_redirects, in any case of its letters.
 *
 * Nothing is promised of ret_path after the others.  OUTSIDE: a ".." has no
 * segment left to remove.  ENCODED_SLASH: a segment, even one that is removed,
 * holds %2F or %5C, which other programs take for a separator.  BAD_ESCAPE: a
 * percent sign without two hexadecimal digits, or %00.
 */
enum verdict target_decode_path(struct slice encoded, struct path *ret_path);

#endif
