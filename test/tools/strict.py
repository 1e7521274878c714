"""Answers read by the letter of RFC 9110 and 9112, for 59-requirements.bats.

What the reader does not find in the grammar ends the test.  It knows the
methods that were asked, since an answer alone does not tell where it ends.
"""

import email.utils
import os
import re
import subprocess
import sys
import tempfile
import time

from conversation import HTTPD, TMP, check, get, shown
from kept import settle

IMF = (r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|"
       r"Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT")
LINE = re.compile(rb"[!#-'*+.^-z|~0-9A-Z-]+: [!-~]+( [!-~]+)*")
STATUS = re.compile(rb"HTTP/1\.1 [1-5][0-9][0-9] [A-Za-z' -]*")
PAGE = b"<p>a page of some length, that several ranges fit into</p>\n" * 20


class Answer:
    def __init__(self, head):
        lines = head.split(b"\r\n")
        if not STATUS.fullmatch(lines[0]):
            sys.exit(f"no status line: {shown(lines[0])}")
        for line in lines[1:]:
            if not LINE.fullmatch(line):
                sys.exit(f"no field line: {shown(line)}\nin: {shown(head)}")
        self.status = int(lines[0].split(b" ")[1])
        self.reason = lines[0].split(b" ", 2)[2].decode()
        pairs = [line.decode().split(": ", 1) for line in lines[1:]]
        self.names = [name.lower() for name, _ in pairs]
        self.fields = {name.lower(): value for name, value in pairs}
        self.content = b""

    def __getitem__(self, name):
        return self.fields.get(name.lower())

    def members(self, name):
        value = self[name]
        return [] if value is None else value.split(", ")

    def stable(self):
        """All of it that does not depend on when it was made."""
        fields = {**self.fields}
        fields.pop("date")
        return self.status, fields, self.content


def run(data, *options, root):
    """What the program says to the bytes, through a pipe."""
    done = subprocess.run([HTTPD, "--log=none", "--persist=always", *options,
                           root], input=data, stdout=subprocess.PIPE,
                          timeout=300)
    return done.stdout


def read_answers(data, methods):
    """One answer to each of the methods, and no byte behind the last."""
    answers = []
    for method in methods:
        head, end, data = data.partition(b"\r\n\r\n")
        if not end:
            sys.exit(f"wanted: answers to {methods}\ngot:    {len(answers)}, "
                     f"then {shown(head)}")
        answer = Answer(head)
        if answer.status >= 200 and answer.status not in (204, 304) \
                and method != "HEAD":
            length = int(answer["Content-Length"])
            answer.content, data = data[:length], data[length:]
            check("bytes of content", len(answer.content), length)
        answers.append(answer)
    check("bytes behind the last answer", data, b"")
    return answers


def ask(target, *fields, method="GET", version="HTTP/1.1", content=b"",
        options=(), root):
    """The answer to one request."""
    data = get(target, *fields, method=method, version=version) + content
    return read_answers(run(data, *options, root=root), [method])[0]


def tree():
    """A tree with something for each kind of answer."""
    root = tempfile.mkdtemp(dir=TMP)
    files = {"page.html": PAGE, "page.html.gz": b"\x1f\x8b not so good gzip",
             "page.html.br": b"not so good brotli", "plain.txt": PAGE,
             "dir/index.html": PAGE, "empty.txt": b"",
             "_redirects": b"".join(b"/%d /page.html %d\n" % (n, n)
                                    for n in (301, 302, 303, 307, 308))}
    for name, content in files.items():
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (1709642096, 1709642096))
    os.symlink("/proc/self/mem", os.path.join(root, "outside"))
    settle(root)
    return root


def every_kind(root, *options):
    """Answers of every kind: name, method and answer of each."""
    long = "x" * 9000
    requests = [
        ("200", get("/page.html")),
        ("200 for an index", get("/dir/")),
        ("200, empty", get("/empty.txt")),
        ("200, compressed", get("/page.html", "Accept-Encoding: br")),
        ("200 to HEAD", get("/page.html", method="HEAD")),
        ("200 to HTTP/1.0", get("/plain.txt", version="HTTP/1.0")),
        ("204", get("*", method="OPTIONS")),
        ("206", get("/page.html", "Range: bytes=5-9")),
        ("206 of a compressed file", get("/page.html", "Range: bytes=5-9",
                                         "Accept-Encoding: gzip")),
        ("206 multipart", get("/plain.txt", "Range: bytes=0-0,500-509,-1")),
        ("301 for a slash", get("/dir")),
        *[(f"{n} by a rule", get(f"/{n}")) for n in (301, 302, 303, 307, 308)],
        ("301 to HEAD", get("/301", method="HEAD")),
        ("304", get("/page.html", "If-None-Match: *")),
        ("304 to HEAD", get("/page.html", "If-None-Match: *", method="HEAD")),
        ("400", get("nonsense")),
        ("400 for a fold", get("/", "a: b\r\n c")),
        ("400 for a chunk", get("/", "Transfer-Encoding: chunked") + b"x\r\n"),
        ("404", get("/none")),
        ("404 to HEAD", get("/none", method="HEAD")),
        ("404 to HTTP/1.0", get("/none", version="HTTP/1.0")),
        ("405", get("/page.html", method="DELETE")),
        ("405 to TRACE", get("/page.html", method="TRACE")),
        ("405 to CONNECT", get("test:443", method="CONNECT")),
        ("406", get("/plain.txt", "Accept-Encoding: identity;q=0")),
        ("412", get("/page.html", 'If-Match: "other"')),
        ("413", get("/", "Content-Length: 99999999")),
        ("414", get("/" + long)),
        ("416", get("/page.html", "Range: bytes=99999-")),
        ("417", get("/", "Expect: wonders")),
        ("431", get("/", f"a: {long}", f"b: {long}")),
        ("501", get("/", method="BREW")),
        ("501 for a coding", get("/", "Transfer-Encoding: gzip, chunked")),
        ("505", get("/", version="HTTP/2.0")),
    ]
    seen = []
    for name, data in requests:
        method = data.split(b" ")[0].decode()
        answer = read_answers(run(data, *options, root=root), [method])[0]
        check(f"the status of {name}", answer.status, int(name[:3]))
        seen.append((name, method, answer))
    data = run(get("/"), *options, root=os.path.join(root, "missing"))
    seen.append(("503", "GET", read_answers(data, ["GET"])[0]))
    check("the status of 503", seen[-1][2].status, 503)
    return seen


def seconds(date):
    """An IMF-fixdate in seconds since 1970."""
    if not re.fullmatch(IMF, date):
        sys.exit(f"wanted: an IMF-fixdate\ngot:    {date}")
    when = email.utils.parsedate_to_datetime(date).timestamp()
    check("the day of the week", email.utils.formatdate(when, usegmt=True),
          date)
    return when


__all__ = ["PAGE", "ask", "check", "every_kind", "get", "os", "re",
           "read_answers", "run", "seconds", "shown", "sys", "time", "tree"]
