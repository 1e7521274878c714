#!/usr/bin/env python3
"""Replays a table of the unit tests through the program itself.

usage: replay.py TABLE FILE LEAST

FILE has the rows as rows.c prints them; there must be LEAST at least.  Each
row is sent over a connection of its own to a program of its own, and the
client then closes its side: whole, a byte at a time, and with another request
glued on behind.  The answers must agree in number, status, fields and content,
and the log in its verdicts; what is glued on is answered exactly where the
connection persists.  Where the row says what it must come to, that is checked
too.
"""

import atexit
import concurrent.futures
import itertools
import os
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

from conversation import HTTPD, shown, tcp_pair
from kept import settle

AT_ONCE = 4
# What --max-body takes at most.
MOST_CONTENT = 1 << 30
# Answers with more content than this are not read to their end.
MOST_READ = 16 << 20

NEXT = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n"
MODIFIED = 784111775  # two seconds before RFC 9110's favourite date


class Wrong(Exception):
    """What was wanted and what came."""

    def __init__(self, what, wanted, got):
        super().__init__(f"{what}\n  wanted: {shown(wanted)}\n"
                         f"  got:    {shown(got)}")


def need(what, wanted, got):
    if wanted != got:
        raise Wrong(what, wanted, got)


class Outcome:
    """What came of a conversation."""

    def __init__(self, arrived, log, status, methods):
        self.answers = []
        self.cut = False
        self.persists = True
        need("exit status and log", (0, []), (status, [
            line for line in log.splitlines() if not line.endswith('"')]))
        self.tokens = [line.rsplit('"', 2)[1] for line in log.splitlines()]
        while arrived:
            self.parse_one(arrived, methods)
            arrived = self.rest

    def parse_one(self, arrived, methods):
        head, end, rest = arrived.partition(b"\r\n\r\n")
        if not end:
            raise Wrong("an answer", "a whole head", arrived)
        line, *fields = head.decode("latin-1").split("\r\n")
        kept = []
        length = 0
        boundary = None
        self.persists = True
        for field in fields:
            name, _, value = field.partition(": ")
            if name.lower() == "date":
                continue
            if name.lower() == "content-length":
                length = int(value)
            if name.lower() == "connection" and "close" in value.lower():
                self.persists = False
            found = re.search("boundary=([^;]+)", value)
            if name.lower() == "content-type" and found:
                boundary = found[1].strip('"')
                field = field.replace(boundary, "BOUNDARY")
            kept.append(field)
        status = int(line.split(" ")[1])
        if status < 200 or status in (204, 304):
            length = 0
        elif next(methods, b"GET") == b"HEAD":
            length = 0
        if length > MOST_READ:
            self.cut = True
            content, self.rest = b"", b""
        else:
            content, self.rest = rest[:length], rest[length:]
            need("the content's length", length, len(content))
        if boundary:
            content = content.replace(boundary.encode(), b"BOUNDARY")
        self.answers.append((line, kept, content))

    @property
    def status(self):
        return int(self.answers[0][0].split(" ")[1]) if self.answers else None

    def field(self, name):
        """The value of a field of the first answer; None if it is not there."""
        values = [f.partition(": ")[2] for f in self.answers[0][1]
                  if f.lower().startswith(name.lower() + ":")]
        return values[0] if values else None


def send(sock, data, step):
    try:
        if step is None:
            sock.sendall(data)
        else:
            for i in range(0, len(data), step):
                sock.sendall(data[i:i + step])
        sock.shutdown(socket.SHUT_WR)
    except (BrokenPipeError, ConnectionResetError):
        pass  # the answer says why


def receive(sock):
    """All that arrives; only the start of very much."""
    pieces = []
    total = 0
    while total < 2 * MOST_READ:
        piece = sock.recv(1 << 20)
        if not piece:
            break
        pieces.append(piece)
        total += len(piece)
    else:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                        struct.pack("ii", 1, 0))
    return b"".join(pieces)


conversations = itertools.count()


def converse(root, options, data, methods, step=None):
    next(conversations)
    client, accepted = tcp_pair()
    client.settimeout(300)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with client:
        with subprocess.Popen(
                [HTTPD, "--persist=always", "--timeout=5", "--head-timeout=5",
                 "--send-timeout=5", *options, root],
                stdin=accepted, stdout=accepted,
                stderr=subprocess.PIPE) as program:
            accepted.close()
            try:
                send(client, data, step)
                arrived = receive(client)
            except OSError as error:
                program.kill()
                raise Wrong("the connection", "all answers and an end",
                            error) from error
            client.close()
            log = program.stderr.read().decode("latin-1")
            status = program.wait()
    return Outcome(arrived, log, status, iter(methods))


class Row:
    """Bytes to be sent, and what is wanted of them."""

    def __init__(self, name, data, root, check, options=(), glued_token=None,
                 may_glue=True):
        self.name = name
        self.data = data
        self.root = root
        self.options = options
        # Is called with what came of the bytes, and raises Wrong.
        self.check = check
        # Where what is glued on is a part of the row's own request: how that
        # then ends.
        self.glued_token = glued_token
        # Not where what is glued on could become a part of anything.
        self.may_glue = may_glue

    def replay(self):
        method = self.data.lstrip(b"\r\n").split(b" ")[0]

        def say(data, methods, step=None):
            return converse(self.root, self.options, data, methods, step)

        whole = say(self.data, [method])
        self.check(whole)
        slow = say(self.data, [method], step=1)
        need("a byte at a time: the answers", whole.answers, slow.answers)
        if not whole.cut:
            need("a byte at a time: the log", whole.tokens, slow.tokens)
        if not self.may_glue:
            return
        glued = say(self.data + NEXT, [method, b"GET"])
        if self.glued_token:
            need("with a request glued on: the log", [self.glued_token],
                 glued.tokens)
            need("with a request glued on: the number of answers", 1,
                 len(glued.answers))
            return
        wanted, tokens = list(whole.answers), list(whole.tokens)
        if whole.persists and not whole.cut:
            wanted += say(NEXT, [b"GET"]).answers
            need("the request glued on: its status and content",
                 ("HTTP/1.1 200 OK", b"next\n"),
                 (wanted[-1][0], wanted[-1][2]))
            tokens.append("ok")
        need("with a request glued on: the answers", wanted, glued.answers)
        if not whole.cut:
            need("with a request glued on: the log", tokens, glued.tokens)


def make_tree(**files):
    """A tree with files of this content, or sparse ones of this size.

    It lies in memory: no other file system takes files of all sizes.
    """
    root = tempfile.mkdtemp(dir="/dev/shm")
    atexit.register(shutil.rmtree, root)
    for path, content in {"next": b"next\n", **files}.items():
        path = os.path.join(root, path)
        with open(path, "wb") as file:
            if isinstance(content, int):
                file.truncate(content)
            else:
                file.write(content)
        os.utime(path, (MODIFIED, MODIFIED))
    settle(root)
    return root


def text(column):
    return bytes.fromhex(column).decode("latin-1")


def get(lines, target="/file", method="GET"):
    return f"{method} {target} HTTP/1.1\r\nHost: x\r\n{lines}\r\n".encode(
        "latin-1")


def may_persist(meaning):
    """Whether a connection may persist behind a request of this meaning."""
    words = meaning.split(" ")
    if not meaning or "close" in words or "tunnel" in words:
        return False
    if "expects" in words and "content=" in meaning:
        return False  # the content may come, or may not
    return "1.1" in words or "keep-alive" in words


def heads(rows):
    """requests.h: the log has the row's verdict, or that of a file."""
    root = make_tree(**{"index.html": b"index\n"})
    refusals = {text(row[1]) for row in rows} - {"proceed"}
    for name, token, meaning, head in rows:
        token, meaning = text(token), text(meaning)
        data = bytes.fromhex(head)
        content = re.search("content=([a-z0-9]+)", meaning)
        if content and content[1] == "chunks":
            data += b"1\r\nx\r\n0\r\n\r\n"
        elif content and int(content[1]) < 100:
            data += b"x" * int(content[1])
        elif content:
            token = "content-too-large"

        def check(outcome, token=token, meaning=meaning):
            need("the number of answers", 1, len(outcome.answers))
            need("the number of verdicts", 1, len(outcome.tokens))
            need("whether the connection persists",
                 may_persist(meaning) and outcome.status not in (400, 413),
                 outcome.persists)
            if token != "proceed":
                need("the verdict", token, outcome.tokens[0])
            elif outcome.tokens[0] in refusals:
                raise Wrong("the verdict", "one that a file has",
                            outcome.tokens[0])

        yield Row(text(name), data, root, check)


def chunks(rows):
    """content.c: bodies of a GET and of a POST."""
    root = make_tree(file=b"file\n")
    for method, (name, token, most, body) in itertools.product(
            ("GET", "POST"), rows):
        name, token, data = text(name), text(token), bytes.fromhex(body)
        glued_token = None
        if int(most) > MOST_CONTENT and token == "idle":
            token = "content-too-large"  # the unit test's limit is no option's
        if token.startswith("bad-chunk"):
            # A size line may be refused as late as at its end.
            token = "bad-chunk"
            data += b"\n\r\n" if data.endswith(b"\r") else b"\r\n\r\n"
        elif token == "proceed":
            token = "ok" if method == "GET" else "method-not-allowed"
        elif token == "idle":
            token = "content-cut-short"
            glued_token = "bad-chunk"

        def check(outcome, token=token):
            need("the verdicts", [token], outcome.tokens)
            need("the number of answers", 1, len(outcome.answers))

        yield Row(f"{name}, in a {method}",
                  get("Transfer-Encoding: chunked\r\n", method=method) + data,
                  root, check, [f"--max-body={min(int(most), MOST_CONTENT)}"],
                  glued_token)


def limits(rows):
    """content.c: size lines and trailers around their limits."""
    root = make_tree(file=b"file\n")
    # The test has each row once for each side of a page.
    for name, token, body in unique(rows):
        data = bytes.fromhex(body)
        need("the row's end", b"GET", data[-3:])

        def check(outcome, token=text(token)):
            need("the verdicts", ["ok" if token == "proceed" else token],
                 outcome.tokens)
            need("the number of answers", 1, len(outcome.answers))

        yield Row(text(name),
                  get("Transfer-Encoding: chunked\r\n") + data[:-3],
                  root, check)


def read(rows):
    """read.c: heads that are not whole, not lines, or around their limits."""
    root = make_tree(**{"index.html": b"index\n"})
    refusals = {text(row[1]) for row in rows} - {"proceed"}
    # The test has each row once for each size of pieces.
    for name, token, data in unique(rows):
        token = text(token)

        def check(outcome, token=token):
            if token == "end-of-input":
                need("the verdicts", [], outcome.tokens)
            elif token != "proceed":
                need("the verdicts", [token], outcome.tokens)
            elif set(outcome.tokens) & refusals - {"bad-request-line"}:
                raise Wrong("the verdict", "one that comes after the head's",
                            outcome.tokens[0])
            need("the number of answers", len(outcome.tokens),
                 len(outcome.answers))

        yield Row(text(name), bytes.fromhex(data), root, check,
                  may_glue=token != "head-cut-short")


def unique(rows):
    return list(map(list, dict.fromkeys(map(tuple, rows))))


def ranges(rows):
    """ranges.c: over files of the size that the row names."""
    # More than that is no file's size.
    rows = [row for row in rows if int(row[1]) < 1 << 63]
    sizes = {int(row[1]) for row in rows}
    root = make_tree(**{
        str(size): bytes(i % 251 for i in range(size)) if size <= 1000
        else size for size in sizes})
    for value, size, wanted in rows:
        value, wanted = text(value), text(wanted)

        def check(outcome, size=size, wanted=wanted):
            if wanted == "ignored":
                need("the status", 200, outcome.status)
                return
            if wanted == "not satisfiable":
                need("the status", 416, outcome.status)
                need("Content-Range", f"bytes */{size}",
                     outcome.field("Content-Range"))
                return
            need("the status", 206, outcome.status)
            parts = [tuple(map(int, part.split("+")))
                     for part in wanted.split(" ")]
            lines = [f"bytes {first}-{first + length - 1}/{size}"
                     for first, length in parts]
            content = outcome.answers[0][2]
            if len(parts) == 1:
                need("Content-Range", lines[0],
                     outcome.field("Content-Range"))
                if int(size) <= 1000:
                    first, length = parts[0]
                    need("the content",
                         bytes(i % 251 for i in range(first, first + length)),
                         content)
                return
            need("the parts' Content-Range", lines, [
                line[len("Content-Range: "):]
                for line in content.decode("latin-1").split("\r\n")
                if line.startswith("Content-Range: ")])

        yield Row(f"Range: {value} of {size} bytes",
                  get(f"Range: {value}\r\n", f"/{size}"), root, check)


SUFFIXES = {"b": ".br", "z": ".zst", "g": ".gz"}


def codings(rows):
    """codings.c: over a file beside which lie the row's codings."""
    files = {}
    for row in rows:
        stored = text(row[2])
        files[f"file{stored}"] = b"identity"
        for letter in stored:
            files[f"file{stored}{SUFFIXES[letter]}"] = letter.encode()
    root = make_tree(**files)
    contents = {"br": b"b", "zstd": b"z", "gzip": b"g",
                "identity": b"identity"}
    for is_there, value, stored, choice in rows:
        value, stored, choice = text(value), text(stored), text(choice)

        def check(outcome, choice=choice):
            if choice == "none":
                need("the status", 406, outcome.status)
                return
            need("the status", 200, outcome.status)
            need("Content-Encoding", choice,
                 outcome.field("Content-Encoding") or "identity")
            need("the content", contents[choice], outcome.answers[0][2])

        line = f"Accept-Encoding: {value}\r\n" if is_there == "1" else ""
        yield Row(f"{line.strip() or 'no Accept-Encoding'} of '{stored}'",
                  get(line, f"/file{stored}"), root, check)


def tag_of(root):
    outcome = converse(root, [], get(""), [b"GET"])
    need("the status", 200, outcome.status)
    return outcome.field("ETag")


def tags(rows):
    """conditions.c: lists in If-None-Match and If-Match."""
    root = make_tree(file=b"file\n")
    tag = tag_of(root).strip('"')
    for value, weakly, strongly in rows:
        value = text(value).replace("a-b-c", tag).replace(
            "\"a-\r\nFIELD: b-c\"", f"\"{tag[:3]}\r\nFIELD: {tag[3:]}\"")
        for name, status in (
                ("If-None-Match", 304 if weakly == "1" else 200),
                ("If-Match", 200 if strongly == "1" else 412)):
            line = f"{name}: {value}\r\n".replace("FIELD", name)

            def check(outcome, status=status):
                need("the status", status, outcome.status)

            yield Row(line.strip(), get(line), root, check)


def if_ranges(rows):
    """conditions.c: If-Range over a file that was modified at a known date."""
    root = make_tree(file=b"file\n")
    tag = tag_of(root).strip('"')
    for lines, holds in rows:
        lines = text(lines).replace("a-b-c", tag)

        def check(outcome, status=206 if holds == "1" else 200):
            need("the status", status, outcome.status)

        yield Row(lines.strip() or "no If-Range",
                  get(lines + "Range: bytes=1-2\r\n"), root, check)


def replay(row):
    """What is wrong with a row; nothing where all is well."""
    try:
        row.replay()
    except Wrong as wrong:
        return f"{shown(row.name)}: {wrong}"
    except Exception as error:
        return f"{shown(row.name)}: {type(error).__name__}: {error}"
    return None


TABLES = {"HEADS": heads, "READ": read, "CHUNKS": chunks, "LIMITS": limits,
          "RANGES": ranges, "CODINGS": codings, "TAGS": tags,
          "IF_RANGES": if_ranges}


def main():
    table, path, least = sys.argv[1:]
    with open(path, encoding="ascii") as file:
        lines = [line.rstrip("\n").split("\t") for line in file]
    rows = list(TABLES[table](lines))
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        problems = [p for p in pool.map(replay, rows) if p]
    for problem in problems:
        print(f"not ok - {problem}")
    if len(rows) < int(least):
        problems.append("the table")
        print(f"not ok - rows of the table\n  wanted: at least {least}\n"
              f"  got:    {len(rows)}")
    print(f"{len(rows)} rows, {next(conversations)} conversations, "
          f"{len(problems)} failed")
    sys.exit(bool(problems))


main()
