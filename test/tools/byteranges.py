#!/usr/bin/env python3
"""byteranges.py FILE [TYPE]: what each answer on standard input has of FILE.

Writes a line for each answer: "200", "206 FIRST-LAST", "206 multipart
FIRST-LAST FIRST-LAST ...", "416 */SIZE", or another status code.  Ends with
an error where an answer is not what RFC 9110 14 and 15.3.7 say, or holds other
bytes than FILE at that place.  TYPE is the media type of FILE.

check_answer() is for other tools.
"""
import os
import re
import sys

sys.dont_write_bytecode = True  # the tree stays as it is

from answers import read_answers  # noqa: E402


def check_range(file, size, content_range, content):
    """The range as FIRST-LAST, if it is sane and the content is its bytes."""
    match = re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", content_range)
    if not match:
        sys.exit(f"this is no Content-Range: {content_range!r}")
    first, last, total = map(int, match.groups())
    if not first <= last < total or total != size:
        sys.exit(f"Content-Range is {content_range}, of a file of {size}")
    if len(content) != last - first + 1:
        sys.exit(f"{len(content)} bytes of content for {content_range}")
    if content != os.pread(file, len(content), first):
        sys.exit(f"the bytes of {content_range} are not the file's")
    return f"{first}-{last}"


def check_multipart(file, size, answer, media_type):
    if "content-range" in answer.fields:
        sys.exit("multipart with a Content-Range in its head")
    match = re.fullmatch(r'multipart/byteranges; boundary=("?)([0-9a-f]{32})\1',
                         answer.field("content-type"))
    if not match:
        sys.exit(f"Content-Type is {answer.field('content-type')}")
    delimiter = b"\r\n--" + match.group(2).encode()
    # Whatever is between two delimiters, whose CRLF is also before the first:
    # a reader of MIME takes one without it, but zsync does not.
    preamble, *parts, end = answer.content.split(delimiter)
    if preamble != b"" or end != b"--\r\n":
        sys.exit(f"before and behind the parts: {preamble!r} {end!r}")
    found = []
    for part in parts:
        head, content = part.split(b"\r\n\r\n", 1)
        empty, *lines = head.decode().split("\r\n")
        fields = {}
        for line in lines:
            name, value = line.split(": ", 1)
            if name.lower() in fields:
                sys.exit(f"a field is twice in a part: {head!r}")
            fields[name.lower()] = value
        if empty or (media_type and fields.get("content-type") != media_type):
            sys.exit(f"wanted: a part of {media_type}, got: {head!r}")
        found.append(check_range(file, size, fields["content-range"], content))
    if len(found) < 2:
        sys.exit(f"multipart with {len(found)} part")
    return found


def check_answer(file, answer, media_type=None):
    """The line for an answer."""
    size = os.fstat(file).st_size
    content_range = answer.fields.get("content-range")
    if answer.status == "416":
        if content_range != f"bytes */{size}":
            sys.exit(f"416 with Content-Range {content_range}")
        return f"416 */{size}"
    if answer.status != "206":
        if content_range is not None:
            sys.exit(f"{answer.status} with Content-Range {content_range}")
        if answer.status == "200" and \
                answer.content != os.pread(file, size + 1, 0):
            sys.exit("the content of 200 is not the file's")
        return answer.status
    if content_range is None:
        return " ".join(["206 multipart", *check_multipart(
            file, size, answer, media_type)])
    if media_type and answer.field("content-type") != media_type:
        sys.exit(f"206 with Content-Type {answer.field('content-type')}")
    return f"206 {check_range(file, size, content_range, answer.content)}"


def main():
    file = os.open(sys.argv[1], os.O_RDONLY)
    media_type = sys.argv[2] if len(sys.argv) > 2 else None
    for answer in read_answers(sys.stdin.buffer):
        print(check_answer(file, answer, media_type), flush=True)


if __name__ == "__main__":
    main()
