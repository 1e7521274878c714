#!/usr/bin/env python3
"""answers.py [--head] [FIELD]...: one line for each answer on standard input.

A line holds the status code and the values of the fields that are named, "-"
for one that is not there.  Answers follow each other without a byte between
them, and are framed as RFC 9112 6.3 says; --head: all are answers to HEAD.

read_answers() is for other tools.
"""
import sys


class Answer:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        version, self.status, _ = lines[0].split(" ", 2)
        if version != "HTTP/1.1" or len(self.status) != 3:
            sys.exit(f"this is no status line: {lines[0]!r}")
        self.fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            if name.lower() in self.fields:
                sys.exit(f"the field {name} is there twice: {head!r}")
            self.fields[name.lower()] = value
        self.content = b""

    def field(self, name):
        return self.fields.get(name.lower(), "-")


def read_answers(stream, head_only=False):
    """Yields each answer; ends the program where the framing is broken."""
    data = stream.read()
    at = 0
    while at < len(data):
        end = data.find(b"\r\n\r\n", at)
        if end < 0:
            sys.exit(f"wanted: a head, got: {data[at:at + 80]!r}")
        answer = Answer(data[at:end])
        at = end + 4
        if answer.status in ("204", "304"):
            if "content-length" in answer.fields:
                sys.exit(f"{answer.status} with a Content-Length")
        elif not head_only:
            size = int(answer.fields["content-length"])
            if len(data) - at < size:
                sys.exit(f"{len(data) - at} of {size} bytes of content")
            answer.content = data[at:at + size]
            at += size
        yield answer


def main():
    names = sys.argv[1:]
    head_only = "--head" in names
    if head_only:
        names.remove("--head")
    for answer in read_answers(sys.stdin.buffer, head_only):
        print(answer.status, *[answer.field(name) for name in names],
              flush=True)


if __name__ == "__main__":
    main()
