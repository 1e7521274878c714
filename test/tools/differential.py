"""The same requests to httpd and to nginx, over the same tree.

    differential.py NGINX-COMMAND...

Every difference in status, framing, persistence or content is matched by a
row of EXCEPTIONS, which says why it is meant, or it is a failure.  A row that
matches nothing is a failure too, so that the table stays true.

Behind each request goes a second, harmless one: whether and how it is answered
shows where a server thinks that the first one ended.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading

from conversation import HTTPD, TMP, shown, tcp_pair
from differential_requests import PROBED, generate, make_tree
from kept import settle

signal.alarm(900)

SEED = 91109112
ROOT = os.path.join(TMP, "root")
KNOWN_METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS",
                 "TRACE", "PATCH", "PROPFIND", "MKCOL", "VERSION-CONTROL"}
PROBE = b"GET /probe.txt HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"


# ---- the two servers ----

NGINX_CONF = """
user root root;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
daemon off;
events {{ worker_connections 64; }}
http {{
    types {{
        text/html html;
        text/css css;
        text/plain txt;
        image/png png;
        application/gzip gz;
    }}
    default_type application/octet-stream;
    charset utf-8;
    charset_types text/html text/css text/plain;
    gzip_static on;
    gzip_vary on;
    gzip_http_version 1.0;
    gzip_proxied any;
    if_modified_since before;
    client_max_body_size 64k;
    sendfile on;
    tcp_nodelay on;
    access_log off;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    server {{
        listen {address};
        server_name test;
        root {root};
    }}
}}
"""


class Nginx:
    """It gets its listening socket from here, so that no port is guessed and
    a connection made before it is up waits for it."""

    def __init__(self, command, root):
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        self.address = listener.getsockname()
        self.dir = tempfile.mkdtemp(dir=TMP)
        with open(os.path.join(self.dir, "nginx.conf"), "w") as conf:
            conf.write(NGINX_CONF.format(
                address="%s:%d" % self.address, root=root))
        said = subprocess.run([*command, "-v"], check=True, text=True,
                              stderr=subprocess.PIPE).stderr
        self.version = tuple(map(int, re.findall(r"\d+", said)))
        self.process = subprocess.Popen(
            [*command, "-p", self.dir, "-c", "nginx.conf", "-e", "stderr"],
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
            stderr=open(os.path.join(self.dir, "stderr"), "w"))
        listener.close()

    def connect(self):
        try:
            return socket.create_connection(self.address), None
        except ConnectionRefusedError:
            with open(os.path.join(self.dir, "stderr")) as said:
                sys.exit(f"nginx is not there; it said: {said.read()}")

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Httpd:
    def __init__(self, root):
        self.root = root

    def connect(self):
        client, accepted = tcp_pair()
        process = subprocess.Popen(
            [HTTPD, "--persist=always", "--log=none", self.root],
            stdin=accepted, stdout=accepted, stderr=subprocess.PIPE)
        accepted.close()
        return client, process


# What httpd says of make_tree()'s outdated variant.
OUTDATED = (b"httpd: /stale.html.gz is not sent: its times are not those of a "
            b"variant of the present file; see --variants\n")


def exchange(server, data):
    """What a server says to the data, up to the end of the connection."""
    sock, process = server.connect()
    sock.settimeout(300)

    def send():
        try:
            sock.sendall(data)
            sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it has closed; what it said before that is what counts

    sender = threading.Thread(target=send)
    sender.start()
    pieces = []
    try:
        while piece := sock.recv(1 << 18):
            pieces.append(piece)
    except ConnectionResetError:
        if process:  # nginx may: what it said before arrives all the same
            sys.exit(f"httpd reset the connection of {shown(data)}")
    sender.join()
    sock.close()
    if process:
        said = process.communicate(timeout=300)[1]
        if process.returncode != 0 or said not in (b"", OUTDATED):
            sys.exit(f"httpd ended with {process.returncode} and said "
                     f"{said!r}\nrequest: {shown(data)}")
    return b"".join(pieces)


# ---- what is compared ----

class Answer:
    def __init__(self, head):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.fields = {}
        for line in lines[1:]:
            name, _, value = line.partition(": ")
            self.fields.setdefault(name.lower(), value)


def split_answer(data, head_only):
    """The first final answer, how its content was framed, the content, and
    the bytes behind it."""
    while True:
        if not data.startswith(b"HTTP/1.1 "):
            return None, "none", data, b""
        head, _, data = data.partition(b"\r\n\r\n")
        answer = Answer(head)
        if answer.status >= 200:
            break
    fields = answer.fields
    if "transfer-encoding" in fields:
        framing = fields["transfer-encoding"]
        content, _, rest = data.partition(b"0\r\n\r\n")
        return answer, framing, content, rest
    if "content-length" in fields:
        length = int(fields["content-length"])
        if head_only or answer.status == 304:
            return answer, "length", b"", data
        return answer, "length", data[:length], data[length:]
    if head_only or answer.status in (204, 304):
        return answer, "none", b"", data
    return answer, "close", data, b""


def parts_of(content, content_type):
    """The parts of multipart/byteranges: type, range and bytes of each."""
    boundary = re.search(r'boundary="?([^";]+)', content_type)[1]
    pieces = re.split(rb"\r\n--" + re.escape(boundary.encode()),
                      b"\r\n" + content.removeprefix(b"\r\n"))
    if pieces[0] or not pieces[-1].startswith(b"--"):
        return ["badly ended multipart", content]
    parts = []
    for piece in pieces[1:-1]:
        head, _, inner = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1)
                      for line in head.decode().lower().split("\r\n"))
        parts.append((fields["content-type"], fields["content-range"], inner))
    return parts


def observe(data, head_only):
    """What is compared of all that a server said to a request and the probe."""
    answer, framing, content, rest = split_answer(data, head_only)
    if answer is None:
        return {"status": "0.9" if content else "none", "persists": False}
    fields = answer.fields
    seen = {"status": answer.status, "framing": framing,
            "says close": fields.get("connection", "").lower() == "close"}

    behind, _, probed, tail = split_answer(rest, False)
    if not rest:
        seen["persists"] = False
    elif behind and behind.status == 200 and probed == PROBED and not tail:
        seen["persists"] = True
    else:
        seen["persists"] = f"as {behind.status if behind else shown(rest)}"

    if answer.status in (200, 206):
        content_type = fields.get("content-type", "")
        if content_type.startswith("multipart/"):
            seen["type"] = "multipart/byteranges"
            if not head_only:
                seen["content"] = parts_of(content, content_type)
        else:
            seen["type"] = content_type.lower()
            seen["length"] = fields.get("content-length")
            seen["content"] = content
        seen["coding"] = fields.get("content-encoding")
    if answer.status in (200, 206, 304):
        seen["modified"] = fields.get("last-modified")
        seen["has tag"] = "etag" in fields
        seen["vary"] = fields.get("vary", "").lower()
    if answer.status in (200, 206, 416):
        seen["range"] = fields.get("content-range")
    if answer.status in (301, 302, 303, 307, 308):
        seen["has location"] = "location" in fields
    return seen


# ---- the differences that are meant ----

class Case:
    """A request, and what both servers made of it."""

    def __init__(self, request, nginx, ours):
        self.q = request
        self.nginx = nginx
        self.ours = ours
        self.range = request.value("range").lower()
        self.coding = request.value("accept-encoding").lower()

    def has(self, *names):
        return all(self.q.has(name) for name in names)

    def target_matches(self, pattern):
        return re.search(pattern, self.q.target) is not None

    def range_is_valid(self):
        """Whether Range has the grammar of RFC 9110 14.1.1 and 14.1.2."""
        pairs = re.findall(r"(?<!\d)(\d+)-(\d+)", self.range)
        return re.fullmatch(r"bytes=(\d+-\d*|-\d+)(,(\d+-\d*|-\d+))*",
                            self.range) is not None \
            and all(int(first) <= int(last) for first, last in pairs)

    def is_several_ranges(self):
        return self.range_is_valid() and "," in self.range

    def file(self):
        """The bytes of the file that we have chosen."""
        name = self.q.target.lstrip("/") or "index.html"
        if name.endswith("/"):
            name += "index.html"
        if self.ours["coding"] == "gzip":
            name += ".gz"
        with open(os.path.join(ROOT, name), "rb") as file:
            return file.read()

    def is_true(self):
        """Whether our content is what the file holds at the ranges said."""
        whole, content = self.file(), self.ours["content"]
        if self.q.method == "HEAD":
            return self.ours["length"] == str(len(whole))
        if self.ours["status"] == 200:
            return content == whole
        if self.ours["type"] != "multipart/byteranges":
            content = [(None, self.ours["range"], content)]
        for _, said, part in content:
            first, last, length = map(int, re.findall(r"\d+", said))
            if part != whole[first:last + 1] or length != len(whole):
                return False
        return True

    def differs_by_coding(self):
        """The one chose a compressed file, the other did not, and what we
        sent is true of what we chose."""
        status = self.ours["status"]
        return status == self.nginx["status"] and (
            status not in (200, 206) or self.is_true())

    def differing(self):
        keys = [key for key in {**self.nginx, **self.ours}
                if self.nginx.get(key) != self.ours.get(key)
                and key != "says close"]
        if "status" in keys:
            keys = [key for key in keys if key in ("status", "persists")]
        return keys


ENTITY = "length content coding modified vary range type"
# What differs, nginx.s value and ours (ANY: whatever it is), which cases, and
# why it is meant.  Where the statuses differ, nothing but them and the
# persistence is compared.
ANY = object()
# Starts the reason of what nginx does no more since 1.24.
OLD_NGINX = "nginx before 1.24, "
EXCEPTIONS = [
    # Persistence.
    ("persists", True, False,
     lambda c: c.ours["status"] in (400, 505)
     and c.nginx["status"] not in (400, 505),
     "9112-2.2: what we refuse as malformed ends the connection; nginx read "
     "it some way"),
    ("persists", False, True,
     lambda c: c.nginx["status"] == 400 and c.ours["status"] in
     (200, 204, 404, 501),
     "9112-2.2: what nginx refuses as malformed ends its connection; to us "
     "it is well-formed"),
    ("persists", False, True, lambda c: c.nginx["status"] == 412,
     "9112-9.3: a failed precondition is no reason to close, though nginx "
     "does"),
    ("persists", False, True, lambda c: c.q.method == "TRACE",
     "9112-9.3: a refused TRACE is no reason to close, though nginx does"),
    ("persists", False, True,
     lambda c: c.q.value("connection") in ("closed", "not-close", '"close"'),
     "9110-7.6.1: options are tokens; nginx looks for the letters of close "
     "anywhere"),
    ("persists", True, False, lambda c: c.has("expect") and c.q.content,
     "9110-10.1.1: an expectant client gets the final status at once, and "
     "the connection ends, since content may or may not follow"),

    # Targets.
    ("status", 400, 404,
     lambda c: c.target_matches(r"^/+(\.|%2e){2}(/|$)"),
     "9110-4.2.3: a path that climbs out of the tree is well-formed, and "
     "names no file"),
    ("status", 200, 404, lambda c: c.target_matches("(?i)%2f"),
     "9110-4.2.3: an encoded slash is not a slash (RFC 3986 2.2), and no "
     "file name can hold one"),
    ("status", 200, 404, lambda c: c.target_matches(r"/\.hidden"),
     "9110-17.3: a name that starts with a dot is not meant to be served"),
    ("status", 403, 404, lambda c: c.q.target == "/nodir/",
     "9110-15.5.4: a directory without an index is as good as not there, and "
     "404 does not tell that it is"),
    ("status", 200, 400, lambda c: c.target_matches("^(https|ftp)://"),
     "9110-7.4: a connection without TLS answers for http alone"),
    ("status", 200, 400, lambda c: c.target_matches(r"^http://\[[^v]*\]")
     and not c.target_matches(r"::"),
     "9112-3.2: brackets hold a whole address; nginx looks for their end"),
    ("status", 200, 400, lambda c: c.target_matches("#"),
     "9112-3.2: a target has no fragment; nginx cuts it off"),
    ("status", 404, 400, lambda c: "\\" in c.q.target.split("?")[0],
     "9112-3.2: a backslash is no byte of a path, and a slash to others"),

    # Methods.
    ("status", 405, 204, lambda c: c.q.method == "OPTIONS",
     "9110-9.3.7: OPTIONS is answered, as optional as it is"),
    ("status", 400, 204, lambda c: c.q.target == "*",
     "9112-3.2.4: OPTIONS can ask for the server as a whole"),
    ("status", ANY, 501,
     lambda c: c.q.method not in KNOWN_METHODS
     and c.nginx["status"] in (400, 405),
     "9110-9.1: a method that is not known is 501, not 405 or, where it is "
     "not in capitals, 400"),
    ("status", ANY, 405,
     lambda c: c.q.method == "POST" and c.nginx["status"] in (301, 404),
     "9110-15.5.6: no target allows the method, so it comes before whether "
     "the target exists"),
    ("status", 400, 405, lambda c: c.q.method == "CONNECT",
     "9110-9.3.6: a well-formed CONNECT is refused as a method"),
    ("status", 405, 400, lambda c: c.q.method == "CONNECT",
     "9112-3.2.3: a CONNECT without host and port is malformed"),

    # Ranges.
    ("status", 416, 206,
     lambda c: re.search(r"\d{20}", c.range),
     "9110-14.1.2: numbers too large for an integer are large, not wrong"),
    ("status", 416, 206,
     lambda c: re.search(r"(^|=|,),|,$", c.range),
     "9110-5.6.1.2: empty members of a list are ignored"),
    ("status", 416, 200,
     lambda c: not c.range_is_valid(),
     "9110-14.2: an invalid Range is ignored; 416 is for valid ones"),
    ("status", 206, 200,
     lambda c: c.range.startswith("bytes=0 -"),
     "9110-14.2: an invalid Range is ignored, and a blank in a range is"),
    ("status", 206, 200, lambda c: len(c.q.values("range")) > 1,
     "9110-5.3: Range is no list of fields; we follow none of two, nginx "
     "the first"),
    ("status", 206, 200, lambda c: c.range.count("-") > 256,
     "9110-17.15: a great many small ranges are ignored"),
    ("status", ANY, 200, lambda c: c.q.method == "HEAD"
     and c.nginx["status"] in (206, 416),
     "9110-14.2: Range is defined for GET alone"),
    ("status", 416, 200,
     lambda c: c.q.target == "/empty.txt" and c.range_is_valid(),
     "9110-14.2: a range of an empty file is ignored; nginx does so where it "
     "starts at 0"),
    ("status", 200, 206,
     lambda c: c.is_several_ranges() and c.is_true(),
     "9110-15.3.7.2: ranges that overlap are coalesced; nginx sends the "
     "whole where their sum exceeds it"),
    ("type length content range", ANY, ANY,
     lambda c: c.is_several_ranges() and c.nginx["status"] == 206
     and c.ours["status"] == 206 and c.is_true(),
     "9110-15.3.7.2: ranges that overlap or lie close are coalesced, and a "
     "single one that is left is no multipart"),
    ("status", 200, 206, lambda c: "gzip" in c.coding and c.is_true(),
     f"{OLD_NGINX}9110-14.2: ranges are of the selected representation, "
     "compressed or not; nginx offered none of a compressed one"),

    # Preconditions.
    ("status", 304, 200,
     lambda c: c.q.value("if-modified-since").count("GMT") > 1,
     "9110-13.1.3: a list of dates is ignored"),
    ("status", 412, 200,
     lambda c: re.search("^(yesterday|0|Tue, 05 Mar 2024|.*32 Mar.*|17096.*"
                         "|.*GMT,.*)?$", c.q.value("if-unmodified-since"))
     and c.has("if-unmodified-since"),
     "9110-13.1.4: what is no date is ignored"),
    ("status", 412, ANY, lambda c: c.has("if-match", "if-unmodified-since"),
     "9110-13.1.4: beside If-Match, If-Unmodified-Since is ignored"),

    # Codings.
    (ENTITY, ANY, ANY, lambda c: c.coding == "x-gzip"
     and c.differs_by_coding(),
     "9110-8.4.1.3: x-gzip is gzip"),
    (ENTITY, ANY, ANY,
     lambda c: c.coding in ("*", "br;q=1, *;q=0.1")
     and c.differs_by_coding(),
     "9110-12.5.3: an asterisk names every coding that is not listed"),
    (ENTITY, ANY, ANY,
     lambda c: len(c.q.values("accept-encoding")) > 1
     and c.differs_by_coding(),
     "9110-5.3: several field lines are one list; nginx reads the first"),
    ("status", 200, 406, lambda c: c.coding in ("identity;q=0", "*;q=0"),
     "9110-12.5.3: identity is excluded, and no coding that we have is "
     "listed"),
    (ENTITY, ANY, ANY, lambda c: c.coding == "identity;q=0.5, gzip;q=0.2"
     and c.differs_by_coding(),
     "9110-12.4.2: the higher weight wins; nginx looks for gzip alone"),
    (ENTITY, ANY, ANY, lambda c: c.q.target == "/picture.png"
     and c.differs_by_coding(),
     "9110-8.4: a picture is compressed already, and its neighbour is not "
     "looked for"),
    (ENTITY, ANY, ANY, lambda c: c.q.target == "/stale.html"
     and c.differs_by_coding(),
     "9110-8.4: a neighbour older than its file is of another content"),

    # Framing.
    ("status", ANY, 417, lambda c: c.q.value("expect") == "something",
     "9110-10.1.1: an expectation that is not known is 417"),
    ("status", ANY, 400,
     lambda c: c.q.has("transfer-encoding") and c.q.content != ""
     and c.nginx["status"] in (200, 405),
     "9112-7.1: malformed chunks are 400; nginx takes bare LF, blanks and "
     "any trailer, and where it refuses the method does not look"),
    ("status", 501, 400,
     lambda c: c.q.has("transfer-encoding"),
     "9112-6.3: where chunked is not the last coding the length is unknown, "
     "which is 400"),

    # Heads, versions, hosts.
    ("status", 200, 400, lambda c: c.q.group == "head",
     "9112-2.2: whatever two parsers could read differently is refused"),
    ("status", "0.9", 400, lambda c: True,
     "9112-2.3: HTTP/0.9 is not HTTP/1.x"),
    ("status", 400, 431, lambda c: c.q.group == "head",
     "9110-5.4: fields that are too large have a status of their own"),
    ("status", 400, 505, lambda c: c.q.raw and "HTTP/2.0" in c.q.raw,
     "9110-15.6.6: the preface of HTTP/2 has an unsupported major version"),
    ("status", 200, 400, lambda c: c.q.version == "HTTP/1.10",
     "9112-2.3: a version is one digit, a dot and one digit"),
    ("status", 200, 400, lambda c: c.q.group == "host",
     "9112-3.2: a Host that is no host and port is refused"),
    ("status", 400, 200, lambda c: c.q.value("host") == "..",
     "9112-3.2: dots are a valid host, and no name of ours depends on it"),
]


def excuse(case, key, used):
    """Whether a row says that this difference is meant."""
    for row, (keys, theirs, ours, applies, _) in enumerate(EXCEPTIONS):
        if key in keys.split() and theirs in (ANY, case.nginx.get(key)) \
                and ours in (ANY, case.ours.get(key)) and applies(case):
            used.add(row)
            return True
    return False


def tag_of(server, request, tags):
    """The entity tag that a server gives to what a request asks for."""
    coding = [f for f in request.fields if f.lower().startswith("accept-enc")]
    key = server, request.target, *coding
    if key not in tags:
        lines = [f"GET {request.target} HTTP/1.1", "Host: test",
                 "Connection: close", *coding, "", ""]
        answer = split_answer(
            exchange(server, "\r\n".join(lines).encode("latin-1")), False)[0]
        tags[key] = answer.fields.get("etag", '"none"') if answer else ""
    return tags[key]


def main():
    os.mkdir(ROOT)
    make_tree(ROOT)
    settle(ROOT)
    requests = generate(SEED)
    nginx, httpd = Nginx(sys.argv[1:], ROOT), Httpd(ROOT)
    tags, used = {}, set()
    differing = failed = 0
    try:
        for request in requests:
            seen = []
            for server in (nginx, httpd):
                tag = ""
                if "{tag}" in "".join(request.fields):
                    tag = tag_of(server, request, tags)
                data = request.bytes(tag)
                head_only = data.lstrip().startswith(b"HEAD ")
                seen.append(observe(exchange(server, data + PROBE), head_only))
            case = Case(request, *seen)
            differing += seen[0] != seen[1]
            bad = [key for key in case.differing()
                   if not excuse(case, key, used)]
            # This does not depend on nginx: we do what we say.
            if case.ours.get("says close") == case.ours["persists"]:
                bad.append("says close")
            if bad:
                failed += 1
                print(f"{request.group}: {shown(request.bytes('{tag}'))}")
                for key in bad:
                    print(f"  {key}\n    wanted (nginx): "
                          f"{shown(seen[0].get(key))}\n    got:            "
                          f"{shown(seen[1].get(key))}")
    finally:
        nginx.stop()
    for row, exception in enumerate(EXCEPTIONS):
        if row not in used and not (
                exception[-1].startswith(OLD_NGINX) and nginx.version >= (1, 24)):
            failed += 1
            print("this exception matches no difference: "
                  f"{exception[0]}: {exception[4]}")
    print(f"{len(requests)} requests, {differing} of them answered "
          f"differently, {failed} failures")
    if len(requests) < 300:
        sys.exit("wanted: 300 requests at least")
    sys.exit(1 if failed else 0)


main()
