"""The requests of differential.py, and the tree that they are about.

Each generator gives every row of its tables first, then combinations of them
at random, for as long as it is asked.
"""

import gzip
import os
import random

MODIFIED = 1709642096
DATE = "Tue, 05 Mar 2024 12:34:56 GMT"
PROBED = b"this is the answer to the request behind\n"
CHUNKED = "Transfer-Encoding: chunked"


def make_tree(root):
    """Files of one age, some of them with a compressed neighbour."""
    def write(name, content, modified=MODIFIED):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(content)
        os.utime(path, (modified, modified))

    def write_pair(name, content, modified=MODIFIED):
        write(name, content)
        write(name + ".gz", gzip.compress(content, mtime=0), modified)

    noise = random.Random(1)
    write("index.html", b"<!DOCTYPE html><title>start</title>\n")
    write_pair("page.html", b"<p>a paragraph of the page</p>\n" * 100)
    write_pair("style.css", b"p { color: black; background: white }\n" * 60)
    write_pair("stale.html", b"<p>newer than its neighbour</p>\n" * 50,
               MODIFIED - 60)
    write_pair("picture.png", noise.randbytes(700))
    write("data.bin", noise.randbytes(3000))
    write("large.txt", b"".join(b"line %06d\n" % i for i in range(20000)))
    write("empty.txt", b"")
    write("probe.txt", PROBED)
    write("dir/index.html", b"<title>directory</title>\n")
    write("dir/a.txt", b"a file\n")
    write("nodir/deep/a.txt", b"a file\n")
    write("\u00e9.txt", b"a name above ASCII\n")
    write("a b.txt", b"a name with a blank\n")
    write(".hidden.txt", b"nobody's business\n")


class Request:
    """One request.  `{tag}` in a field stands for the entity tag that the
    server in question gives to the same target."""

    def __init__(self, group, target="/data.bin", *fields, method="GET",
                 version="HTTP/1.1", host="Host: test", content="", raw=None):
        self.group = group
        self.method = method
        self.target = target
        self.version = version
        self.fields = [*([host] if host is not None else []), *fields]
        self.content = content
        self.raw = raw

    def bytes(self, tag=""):
        text = self.raw
        if text is None:
            text = "\r\n".join([f"{self.method} {self.target} {self.version}",
                                *self.fields, "", self.content])
        return text.replace("{tag}", tag).encode("latin-1")

    def values(self, name):
        """The values of the fields of that name."""
        return [line.partition(":")[2].strip() for line in self.fields
                if line.partition(":")[0].lower() == name]

    def value(self, name):
        return ", ".join(self.values(name))

    def has(self, name):
        return bool(self.values(name))


FILES = ["/page.html", "/style.css", "/data.bin", "/large.txt", "/empty.txt",
         "/", "/dir/", "/dir/a.txt"]

TARGETS = """
/ /page.html /page.html? /page.html?x=1 /page.html?x=/../y /page.html?%zz
/page.html?a\\b /dir/../page.html /./page.html /dir/%2e%2e/page.html
/none//../page.html /dir/.. /dir/. /dir/./../dir/a.txt /none/../.hidden.txt
/.hidden.txt/../page.html /dir/%2E/a.txt
//page.html /dir//a.txt ///dir/a.txt /%70age.html /page%2Ehtml /pag%65.htm%6C
/dir%2Fa.txt /dir%5Ca.txt /page.html%00 /%00 /%zz /% /page.html%1 /none
/none?x=1 /none/ /dir /dir?x=1 /dir/index.html /page.html/ /page.html/x
/nodir/ /nodir /nodir/deep http://other/page.html http://other
http://other/dir http://other?x=1 http://other:8080/dir/a.txt
HTTP://Other/page.html http://[::1]/page.html http://[v1.x]:80/page.html
http://[zz]/page.html http://[1:2:3:4:5:6:7]/page.html http:///page.html
http://u@other/page.html https://other/page.html ftp://other/page.html
http:/page.html * page.html dir/a.txt other:80 ?x /page.html#part
/page.html?x#part #part /a\\b /.. /../page.html /%2e%2e/page.html
/.hidden.txt /page.html.gz /picture.png.gz /stale.html /page.html;v=1
/PAGE.HTML /{x} /<x> /"x" /`x` /^x| /%7Bx%7D /a%20b.txt /a+b.txt /~ /:80
/%C3%A9.txt /\u00c3\u00a9.txt /%E9.txt /page.html%20 /%2fpage.html /page.html.
/...
""".split()


def targets(r):
    for target in TARGETS:
        yield Request("target", target)
    for target in ("/a b.txt", "/page.html\t", "/a\x01b", "/a\x7fb", "/a\rb"):
        yield Request("target", target)
    for length in (200, 300, 4000, 8000, 9000, 12000):
        yield Request("target", "/" + "x" * (length - 1))
        yield Request("target", "/page.html?" + "x" * (length - 11))
    while True:
        yield Request("target", r.choice(TARGETS), method="HEAD")


RANGES = """
0-0 0-99 1-1 100-199 0- 100- -1 -100 2999- 2999-2999 0-2999 0-3000 0-99999
2000-99999 3000- 3000-3001 99999- -3000 -99999 -0 0-18446744073709551615
18446744073709551616- -18446744073709551616 0-99999999999999999999999 5-2 a-b
1-b - 1 --1 -- 0-0- 1.5-2 +1-2 0x1-2 0-0,500-599 0-99,200-299,2900- 500-599,0-9
0-99,50-149 0-99,100-199 0-10,20-30 -1,0-0 0-0,-1 0-0,3000- 3000-,4000-
3000-,0-0 ,0-0 0-0, 0-0,,200-200 0-0,x-y 0-2999,0-2999 0-,0- 0-1999,1000-2999
0-0,0-0 0-0,200-200,400-400,600-600,800-800
""".split()


def ranges(r):
    def field(value, unit="bytes"):
        return f"Range: {unit}={value}"

    for value in RANGES:
        yield Request("range", "/data.bin", field(value))
    for unit in ("Bytes", "BYTES", "byte", "lines", "", "bytes "):
        yield Request("range", "/data.bin", field("0-9", unit))
    for value in ("bytes= 0-9", "bytes=0-9 , 200-209", "bytes=0 - 9", "bytes",
                  "", "0-9"):
        yield Request("range", "/data.bin", f"Range: {value}")
    yield Request("range", "/data.bin", field("0-9"), field("20-29"))
    yield Request("range", "/large.txt", field(
        ",".join(f"{i}-{i}" for i in range(0, 20000, 66))))
    yield Request("range", "/large.txt", field(
        ",".join(f"{i}-{i}" for i in range(0, 2000, 100))))
    for value in ("0-0", "-1", "-0", "0-", "5-9"):
        yield Request("range", "/empty.txt", field(value))
    for method in ("HEAD", "POST", "OPTIONS"):
        yield Request("range", "/data.bin", field("0-9"), method=method)
    for target in ("/none", "/dir", "/picture.png"):
        yield Request("range", target, field("0-9"))
    for value in ("{tag}", "W/{tag}", '"other"', DATE,
                  "Tue, 05 Mar 2024 12:34:55 GMT",
                  "Tue, 05 Mar 2024 12:34:57 GMT", "yesterday", ""):
        yield Request("range", "/data.bin", field("10-19"),
                      f"If-Range: {value}")
    for value in ("{tag}", '"other"'):
        yield Request("range", "/data.bin", f"If-Range: {value}")
    while True:
        yield Request("range", r.choice(FILES), field(r.choice(RANGES)))


TAGS = ["{tag}", "W/{tag}", '"other"', 'W/"other"', "*", '"other", {tag}',
        '{tag}, "other"', '"other", "another"', ", {tag}", "{tag},",
        '"a,b", {tag}', '"', "tag", "", '""', "w/{tag}"]
DATES = [DATE, "Tue, 05 Mar 2024 12:34:55 GMT",
         "Tue, 05 Mar 2024 12:34:57 GMT", "Sat, 01 Jan 2000 00:00:00 GMT",
         "Tue, 01 Jan 2030 00:00:00 GMT", "Tuesday, 05-Mar-24 12:34:56 GMT",
         "Tue Mar  5 12:34:56 2024", "Tue Mar 15 12:34:56 2022",
         "Sunday, 06-Nov-94 08:49:37 GMT", "yesterday", "", "0",
         "Tue, 05 Mar 2024", "Tue, 32 Mar 2024 12:34:56 GMT",
         "1709642096", f"{DATE}, {DATE}"]


def conditions(r):
    names = {"If-None-Match": TAGS, "If-Match": TAGS,
             "If-Modified-Since": DATES, "If-Unmodified-Since": DATES}
    for name, values in names.items():
        for value in values:
            yield Request("condition", "/data.bin", f"{name}: {value}")
    while True:
        fields = [f"{name}: {r.choice(names[name][:8])}" for name in
                  r.sample(sorted(names), r.choice((1, 2, 2, 2, 3)))]
        if r.random() < 0.3:
            fields.append("Range: bytes=5-9")
        yield Request("condition", r.choice(FILES + ["/none", "/dir"]),
                      *fields,
                      method=r.choice(("GET", "GET", "HEAD", "POST")))


CODINGS = ["gzip", "GZIP", "x-gzip", "br", "br, gzip", "gzip, br", "*",
           "identity", "deflate", "gzip;q=1", "gzip;q=0", "gzip; q=0",
           "gzip;q=0.001", "gzip;q=0.5, identity;q=0.1", "gzip;q=0.000",
           "identity;q=0", "*;q=0", "gzip, identity;q=0", "identity, gzip",
           "identity;q=0.5, gzip;q=0.2", "gzip;q=1.0", "gzip ;q=1", "",
           "deflate, gzip;q=1.0, *;q=0.5", "notgzip", "gzipped", ", gzip",
           "*;q=0, gzip", "gzip;q=0, *", "br;q=1, *;q=0.1"]


def encodings(r):
    for value in CODINGS:
        yield Request("encoding", "/page.html", f"Accept-Encoding: {value}")
    yield Request("encoding", "/page.html", "Accept-Encoding: br",
                  "Accept-Encoding: gzip")
    for target in ("/data.bin", "/picture.png", "/stale.html", "/page.html.gz",
                   "/none", "/"):
        yield Request("encoding", target, "Accept-Encoding: gzip")
    more = ["Range: bytes=0-19", "Range: bytes=-5", "Range: bytes=0-1,100-100",
            "Range: bytes=99999-", "If-None-Match: {tag}", "If-Match: {tag}",
            f"If-Modified-Since: {DATE}", "Via: 1.1 proxy"]
    while True:
        yield Request("encoding", r.choice(("/page.html", "/style.css")),
                      f"Accept-Encoding: {r.choice(CODINGS[:7])}",
                      r.choice(more), method=r.choice(("GET", "GET", "HEAD")),
                      version=r.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.0")))


METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH",
           "PROPFIND", "MKCOL", "VERSION-CONTROL", "BREW", "get", "Head", "GETS",
           "GE", "M-SEARCH", "G@T"]


def methods(r):
    for method in METHODS:
        yield Request("method", method=method)
        yield Request("method", "/none", method=method)
    yield Request("method", "*", method="OPTIONS")
    for target in ("test:80", "test", "/"):
        yield Request("method", target, method="CONNECT")
    while True:
        length = r.choice((0, 5))
        yield Request("method", r.choice(FILES + ["/dir"]),
                      f"Content-Length: {length}", content="12345"[:length],
                      method=r.choice(("POST", "PUT", "DELETE", "OPTIONS")))


CONTENTS = [  # fields, then what follows the head
    (["Content-Length: 0"], ""),
    (["Content-Length: 5"], "12345"),
    (["Content-Length: 00005"], "12345"),
    (["Content-Length:5"], "12345"),
    (["Content-Length: 5", "Content-Length: 5"], "12345"),
    (["Content-Length: 5, 5"], "12345"),
    (["Content-Length: 5", "Content-Length: 6"], "12345"),
    (["Content-Length: +5"], "12345"),
    (["Content-Length: -5"], "12345"),
    (["Content-Length: 5a"], "12345"),
    (["Content-Length: 0x5"], "12345"),
    (["Content-Length: 5 5"], "12345"),
    (["Content-Length:"], ""),
    (["Content-Length: 18446744073709551621"], "12345"),
    (["Content-Length: 45"],
     "GET /none HTTP/1.1\r\nHost: x\r\nPragma: y123\r\n\r\n"),
    (["Content-Length: 65536"], "x" * 65536),
    (["Content-Length: 65537"], "x" * 65537),
    (["Content-Length: 5", "Expect: 100-continue"], "12345"),
    (["Expect: 100-continue"], ""),
    (["Expect: something"], ""),
    ([CHUNKED], "0\r\n\r\n"),
    ([CHUNKED], "5\r\n12345\r\n0\r\n\r\n"),
    ([CHUNKED], "5;a=b\r\n12345\r\n0;c\r\n\r\n"),
    ([CHUNKED], '5;a="b c"\r\n12345\r\n0\r\n\r\n'),
    ([CHUNKED], "5 ;a=b\r\n12345\r\n0\r\n\r\n"),
    ([CHUNKED], "5 ; a = b ; c\r\n12345\r\n0\r\n\r\n"),
    ([CHUNKED], "00005\r\n12345\r\n000\r\n\r\n"),
    ([CHUNKED], "A\r\n1234567890\r\na\r\n1234567890\r\n0\r\n\r\n"),
    ([CHUNKED], "5\r\n12345\r\n0\r\nTrailer: x\r\n\r\n"),
    ([CHUNKED], "5 \r\n12345\r\n0\r\n\r\n"),
    ([CHUNKED], "5\n12345\n0\n\n"),
    ([CHUNKED], "5\r\n123456\r\n0\r\n\r\n"),
    ([CHUNKED], "g\r\n12345\r\n0\r\n\r\n"),
    ([CHUNKED], "-5\r\n12345\r\n0\r\n\r\n"),
    ([CHUNKED], "0x5\r\n12345\r\n0\r\n\r\n"),
    ([CHUNKED], "\r\n12345\r\n0\r\n\r\n"),
    ([CHUNKED], "FFFFFFFFFFFFFFFFF\r\n12345\r\n0\r\n\r\n"),
    ([CHUNKED], "5\r\n12345\r\n0\r\nbad trailer\r\n\r\n"),
    ([CHUNKED, "Content-Length: 5"], "0\r\n\r\n"),
    ([CHUNKED, CHUNKED], "0\r\n\r\n"),
    (["Transfer-Encoding: CHUNKED"], "0\r\n\r\n"),
    (["Transfer-Encoding: gzip"], ""),
    (["Transfer-Encoding: gzip, chunked"], "0\r\n\r\n"),
    (["Transfer-Encoding: chunked, gzip"], "0\r\n\r\n"),
    (["Transfer-Encoding: identity"], ""),
    (["Transfer-Encoding: chunked;a=b"], "0\r\n\r\n"),
    (["Transfer-Encoding:"], ""),
    (["Transfer-Encoding: \x0bchunked"], "0\r\n\r\n"),
]

GET = "GET /data.bin HTTP/1.1\r\nHost: x\r\n"
HEADS = [
    f"\r\n{GET}\r\n", f"\r\n\r\n{GET}\r\n", f"\n{GET}\r\n", f" {GET}\r\n",
    "GET /data.bin HTTP/1.1\nHost: x\n\n",
    "GET /data.bin HTTP/1.1\r\nHost: x\n\r\n",
    "GET  /data.bin HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /data.bin  HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /data.bin HTTP/1.1 \r\nHost: x\r\n\r\n",
    "GET\t/data.bin HTTP/1.1\r\nHost: x\r\n\r\n",
    "GET /data.bin\r\n\r\n",
    "GET /data.bin\r\nHost: x\r\n\r\n",
    "GET /data.bin HTTP/1.1\r\nHost : x\r\n\r\n",
    "GET /data.bin HTTP/1.1\r\n Host: x\r\nHost: x\r\n\r\n",
    f"{GET}A : b\r\n\r\n", f"{GET}A: b\r\n c\r\n\r\n",
    f"{GET}no colon\r\n\r\n", f"{GET}: empty\r\n\r\n",
    f"{GET}A(b): c\r\n\r\n", f"{GET}A_b: c\r\n\r\n", f"{GET}A: b\0c\r\n\r\n",
    f"{GET}A: b\rc\r\n\r\n", f"{GET}A: b\x01c\r\n\r\n", f"{GET}A: \xe9\r\n\r\n",
    f"{GET}A:\r\n\r\n", f"{GET}A: {'b' * 5000}\r\n\r\n",
    f"{GET}A: {'b' * 40000}\r\n\r\n",
    "\x16\x03\x01\x02\x00\x01\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
]


def framings(r):
    for fields, content in CONTENTS:
        yield Request("framing", "/data.bin", *fields, content=content)
    for head in HEADS:
        yield Request("head", raw=head)
    while True:
        fields, content = r.choice(CONTENTS)
        yield Request("framing", r.choice(FILES), *fields, content=content,
                      method=r.choice(("GET", "HEAD", "POST", "PUT")),
                      version=r.choice(("HTTP/1.1", "HTTP/1.1", "HTTP/1.0")))


OPTIONS = ["close", "Close", "keep-alive", "Keep-Alive", "keep-alive, close",
           "close, keep-alive", "x, close", "close,x", "x , CLOSE", "x",
           ", close", "upgrade", "", "closed", "not-close", '"close"', "te"]
VERSIONS = ["HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "HTTP/1.9", "HTTP/0.9",
            "HTTP/2.0", "HTTP/3.0", "HTTP/1", "HTTP/1.", "HTTP/1.10",
            "HTTP/01.1", "http/1.1", "HTTP/1.x", "HTTPS/1.1", "HTTP /1.1", ""]
HOSTS = [None, "Host:", "Host: test:80", "Host: test:", "Host: a b",
         "Host: a/b", "Host: a@b", "Host: [::1]", "Host: [::1]:80",
         "Host: [::1", "Host: test:port", "Host: :80", "Host: a,b",
         "Host: a%20b", "Host: ..", "Host: a_b", "Host: \xe9",
         "Host: a\r\nHost: a", "Host: a\r\nHost: b"]


def connections(r):
    for value in OPTIONS:
        for version in ("HTTP/1.1", "HTTP/1.0"):
            yield Request("connection", "/data.bin", f"Connection: {value}",
                          version=version)
    for version in VERSIONS:
        yield Request("version", "/data.bin", version=version)
    for host in HOSTS:
        for version in ("HTTP/1.1", "HTTP/1.0"):
            yield Request("host", "/data.bin", host=host, version=version)
    for first, second in (("x", "close"), ("close", "x")):
        yield Request("connection", "/data.bin", f"Connection: {first}",
                      f"Connection: {second}")
    yield Request("connection", "/data.bin", "Upgrade: h2c",
                  "Connection: upgrade")
    while True:
        yield Request("connection", r.choice(FILES + ["/none", "/dir"]),
                      f"Connection: {r.choice(OPTIONS)}",
                      method=r.choice(("GET", "HEAD", "POST")),
                      version=r.choice(VERSIONS[:4]))


def generate(seed, groups=((targets, 130), (ranges, 120), (conditions, 130),
                           (encodings, 70), (methods, 50), (framings, 110),
                           (connections, 120))):
    """Different requests, the same ones for the same seed."""
    r = random.Random(seed)
    made = []
    for generator, count in groups:
        seen = set()
        for request in generator(r):
            if request.bytes() not in seen:
                seen.add(request.bytes())
                made.append(request)
            if len(seen) == count:
                break
    return made
