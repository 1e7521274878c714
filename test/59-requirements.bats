#!/usr/bin/env bats
# Rules of RFC 9110 and RFC 9112 that hold for every kind of answer, or that no
# other suite is about; requirements.tsv says which rule is held by which test.

load lib
load spawn

# by_the_letter: runs the Python of standard input over tools/strict.py, with
# a tree for each kind of answer in `root`.
by_the_letter() {
	{
		printf 'from strict import *\nroot = tree()\n'
		cat
	} >"$BATS_TEST_TMPDIR/letter.py"
	PYTHONPATH=$TOP/test/tools PYTHONDONTWRITEBYTECODE=1 \
		timeout 600 python3 "$BATS_TEST_TMPDIR/letter.py" 3>&-
}

@test "each kind of answer has the grammar of the RFCs, byte for byte" {
	# The reader takes no bare CR or LF, no folded or empty value, no blank
	# but one behind a colon and single ones in a value, and wants the blank
	# behind the status code.
	by_the_letter <<-'EOP'
		answers = every_kind(root)
		check("kinds of answers", len(answers) >= 30, True)
		for name, method, answer in answers:
		    check(f"{name}: a reason", answer.reason != "", True)
	EOP
}

@test "no answer has a transfer coding, a trailer or another protocol" {
	by_the_letter <<-'EOP'
		for name, method, answer in every_kind(root):
		    for field in ("Transfer-Encoding", "Trailer", "Upgrade", "TE",
		                  "Proxy-Connection", "Host", "Via"):
		        check(f"{name}: {field}", answer[field], None)
		    if answer.status < 200:
		        sys.exit(f"{name}: an interim answer")
	EOP
}

@test "no answer repeats a field or has an empty member in a list" {
	by_the_letter <<-'EOP'
		for name, method, answer in every_kind(root):
		    check(f"{name}: fields", sorted(answer.names),
		          sorted(set(answer.names)))
		    for field in ("Allow", "Vary", "Connection", "Accept-Ranges",
		                  "Content-Encoding"):
		        for member in answer.members(field):
		            if not re.fullmatch("[A-Za-z-]+", member):
		                sys.exit(f"{name}: {field}: {answer[field]}")
	EOP
}

@test "the options of Connection are close and keep-alive, and every answer has one" {
	by_the_letter <<-'EOP'
		for name, method, answer in every_kind(root):
		    if answer["Connection"] not in ("close", "keep-alive"):
		        sys.exit(f"{name}: Connection: {answer['Connection']}")
	EOP
}

@test "an answer that keeps the connection announces for how long, no other does" {
	by_the_letter <<-'EOP'
		for timeout, wanted in ((None, "timeout=1"), ("1", "timeout=1"),
		        ("1.999", "timeout=1"), ("2", "timeout=2"),
		        ("86400", "timeout=86400"), ("0.999", None), ("0.5", None)):
		    options = () if timeout is None else (f"--timeout={timeout}",)
		    for name, method, answer in every_kind(root, *options):
		        kept = answer["Connection"] == "keep-alive"
		        check(f"{name} with --timeout={timeout}", answer["Keep-Alive"],
		              wanted if kept else None)
	EOP
}

@test "HTTP/1.0 is told for how long its connection is kept" {
	by_the_letter <<-'EOP'
		answer = ask("/plain.txt", "Connection: keep-alive", version="HTTP/1.0",
		             options=("--timeout=7",), root=root)
		check("Connection", answer["Connection"], "keep-alive")
		check("Keep-Alive", answer["Keep-Alive"], "timeout=7")
		answer = ask("/plain.txt", version="HTTP/1.0", options=("--timeout=7",),
		             root=root)
		check("Keep-Alive of an answer that closes", answer["Keep-Alive"], None)
		# The last of those that --max-requests allows.
		answer = ask("/plain.txt", options=("--max-requests=1",), root=root)
		check("Keep-Alive of the last answer", answer["Keep-Alive"], None)
	EOP
}

@test "every answer has a Date, which is now, and no other date is later" {
	by_the_letter <<-'EOP'
		os.utime(os.path.join(root, "plain.txt"), (2000000000, 2000000000))
		begun = int(time.time())
		for name, method, answer in every_kind(root):
		    date = seconds(answer["Date"])
		    check(f"{name}: Date is now",
		          begun <= date <= time.time(), True)
		    if answer["Last-Modified"]:
		        check(f"{name}: Last-Modified is not later",
		              seconds(answer["Last-Modified"]) <= date, True)
	EOP
}

@test "every answer with content has its length and type, 204 and 304 have neither" {
	by_the_letter <<-'EOP'
		for name, method, answer in every_kind(root):
		    if answer.status in (204, 304):
		        check(f"{name}: length", answer["Content-Length"], None)
		        check(f"{name}: type", answer["Content-Type"], None)
		        continue
		    check(f"{name}: length",
		          re.fullmatch("[0-9]+", answer["Content-Length"] or "") is not None,
		          True)
		    check(f"{name}: a type", answer["Content-Type"] is not None, True)
	EOP
}

@test "the length in the answer to HEAD is that of GET, for every kind of answer" {
	by_the_letter <<-'EOP'
		for target, *fields in (("/page.html",), ("/dir",), ("/none",),
		        ("/301",), ("/empty.txt",), ("/page.html", "Accept-Encoding: br"),
		        ("/page.html", 'If-Match: "other"'),
		        ("/page.html", "If-None-Match: *"),
		        ("/plain.txt", "Accept-Encoding: identity;q=0")):
		    wanted = ask(target, *fields, root=root)
		    got = ask(target, *fields, method="HEAD", root=root)
		    check(f"{target} {fields}: status", got.status, wanted.status)
		    check(f"{target} {fields}: fields", got.stable()[1],
		          wanted.stable()[1])
	EOP
}

@test "every error that is not for HEAD has a page that names it" {
	by_the_letter <<-'EOP'
		for name, method, answer in every_kind(root):
		    if answer.status < 400:
		        continue
		    check(f"{name}: type", answer["Content-Type"],
		          "text/html; charset=utf-8")
		    named = f"<h1>{answer.status} {answer.reason}</h1>".encode()
		    if method != "HEAD" and named not in answer.content:
		        sys.exit(f"{name}: {shown(answer.content)}")
	EOP
}

@test "no cache may store an error, and caches may store every other response" {
	by_the_letter <<-'EOP'
		answers = every_kind(root)
		for name, method, answer in answers:
		    check(f"{name}: Cache-Control", answer["Cache-Control"],
		          "no-store" if answer.status >= 400 else None)
		check("statuses", sorted({answer.status for _, _, answer in answers}), [
		    200, 204, 206, 301, 302, 303, 304, 307, 308, 400, 404, 405, 406, 412,
		    413, 414, 416, 417, 431, 501, 503, 505])
	EOP
}

@test "answers are HTTP/1.1 to every version of HTTP/1, whoever asks" {
	by_the_letter <<-'EOP'
		for version in ("HTTP/1.0", "HTTP/1.1", "HTTP/1.2", "HTTP/1.9"):
		    for agent in ("Mozilla/4.0 (compatible; MSIE 4.0)", "curl/7.1"):
		        answer = ask("/plain.txt", f"User-Agent: {agent}",
		                     "Connection: close", version=version, root=root)
		        check(f"{version} {agent}: status", answer.status, 200)
		        check(f"{version} {agent}: content", answer.content == PAGE, True)
	EOP
}

@test "fields that are unknown, or mean nothing to a server of files, change nothing" {
	by_the_letter <<-'EOP'
		wanted = ask("/plain.txt", root=root).stable()
		for field in ("X-Unknown: 1", "Content-Location: /other",
		        "Content-Range: bytes 0-4/100", "From: somebody@example.org",
		        "Upgrade: h2c, websocket", "Max-Forwards: 0", "TE: trailers",
		        "Via: 1.0 proxy", "If-Range: \"other\"", "Cookie: a=b",
		        "Authorization: Basic eDp5", "Accept: text/x-other",
		        "Accept-Language: tlh", "Accept-Charset: utf-7", "Trailer: a",
		        "Accept-Encoding: identity", "Content-Type: text/html",
		        "Content-Encoding: gzip", "Prefer: return=minimal",
		        "Server: other", "Date: yesterday", "ETag: \"other\"",
		        "User-Agent: \xff\xfe", "Referer: https://u@other/#part"):
		    check(field, ask("/plain.txt", field, root=root).stable(), wanted)
	EOP
}

@test "an Upgrade is not followed, in HTTP/1.1 and HTTP/1.0" {
	by_the_letter <<-'EOP'
		for version in ("HTTP/1.1", "HTTP/1.0"):
		    answer = ask("/plain.txt", "Upgrade: websocket",
		                 "Connection: Upgrade, keep-alive", version=version,
		                 root=root)
		    check(f"{version}: status", answer.status, 200)
		    check(f"{version}: Connection", answer["Connection"], "keep-alive")
	EOP
}

@test "requests on one connection know nothing of each other" {
	by_the_letter <<-'EOP'
		wanted = ask("/page.html", root=root).stable()
		before = (("Range: bytes=0-4",), ("If-None-Match: *",),
		          ("Accept-Encoding: br",), ('If-Match: "other"',),
		          ("Expect: wonders",), ("Content-Length: 0",),
		          ("Authorization: Basic eDp5", "Cookie: a=b"))
		for fields in before:
		    data = get("/page.html", *fields) + get("/page.html")
		    answers = read_answers(run(data, root=root), ["GET", "GET"])
		    check(f"behind {fields}", answers[1].stable(), wanted)
	EOP
}

@test "what a trailer section says does not count as if it stood in the head" {
	by_the_letter <<-'EOP'
		wanted = ask("/plain.txt", root=root).stable()
		for field in ("Connection: close", "Range: bytes=0-4", "Host: other",
		              "Accept-Encoding: br", "If-None-Match: *",
		              "Content-Length: 7", "Transfer-Encoding: gzip",
		              "Expect: wonders", "X-Unknown: 1"):
		    content = f"2\r\nab\r\n0\r\n{field}\r\n\r\n".encode()
		    data = get("/plain.txt", "Transfer-Encoding: chunked") + content
		    answers = read_answers(run(data + get("/plain.txt"), root=root),
		                           ["GET", "GET"])
		    for answer in answers:
		        check(field, answer.stable(), wanted)
	EOP
}

@test "chunks are read with extensions, blanks before them and quoted pairs in them" {
	by_the_letter <<-'EOP'
		for size in ("2;a", "2;a=b", "2 ;a=b", "2\t; a = b", "2;a=b;c;d=e",
		             '2;a="b;c"', '2;a="b \\" c"', '2;a="\\\\"',
		             "0002", "2;" + "a" * 200):
		    content = f"{size}\r\nab\r\n0;z=y\r\n\r\n".encode()
		    data = get("/plain.txt", "Transfer-Encoding: chunked") + content
		    answers = read_answers(run(data + get("/plain.txt"), root=root),
		                           ["GET", "GET"])
		    check(f"{size}: both", [a.status for a in answers], [200, 200])
	EOP
}

@test "the size of a chunk does not wrap around, whatever its digits" {
	by_the_letter <<-'EOP'
		for size in ("FFFFFFFF", "100000002", "FFFFFFFFFFFFFFFF",
		             "10000000000000002", "7FFFFFFFFFFFFFFF",
		             "8000000000000000", "F" * 100):
		    data = get("/plain.txt", "Transfer-Encoding: chunked") + \
		        f"{size}\r\nab\r\n0\r\n\r\n".encode() + get("/plain.txt")
		    answer = read_answers(run(data, root=root), ["GET"])[0]
		    if answer.status not in (400, 413) or answer["Connection"] != "close":
		        sys.exit(f"{size}: {answer.status} {answer['Connection']}")
	EOP
}

@test "a transfer coding with a parameter is an error" {
	by_the_letter <<-'EOP'
		for coding in ("chunked;a=b", "chunked ; q=1", "gzip;q=1, chunked",
		               "x-gzip;a=b, chunked", "deflate;a, chunked"):
		    data = get("/plain.txt", f"Transfer-Encoding: {coding}") + b"0\r\n\r\n"
		    answer = read_answers(run(data + get("/"), root=root), ["GET"])[0]
		    if answer.status not in (400, 501) or answer["Connection"] != "close":
		        sys.exit(f"{coding}: {answer.status} {answer['Connection']}")
	EOP
}

@test "a request line of 8000 bytes and more is read" {
	by_the_letter <<-'EOP'
		for length in (7000, 8000, 8150):
		    answer = ask("/plain.txt?" + "x" * (length - 11), root=root)
		    check(f"{length}: status", answer.status, 200)
		    answer = ask("/" + "x/" * (length // 2 - 1), root=root)
		    check(f"{length}: status", answer.status, 404)
	EOP
}

@test "a Location as long as any that is sent is read as a target" {
	by_the_letter <<-'EOP'
		# The longest query that fits a request line, back as a target.
		answer = ask("/301?" + "x" * 8100, root=root)
		check("status", answer.status, 301)
		check("followed", ask(answer["Location"], root=root).status, 200)
	EOP
}

@test "targets that are equal after normalization name the same file" {
	by_the_letter <<-'EOP'
		wanted = ask("/page.html", root=root).stable()
		for target in ("/%70age.html", "/page%2Ehtml", "/page%2ehtml",
		               "/%70%61%67%65%2e%68%74%6d%6c", "http://test/page.html",
		               "HTTP://TEST/page.html", "http://test:80/page.html",
		               "/./page.html", "/none/../page.html",
		               "/none/%2e%2E/%2e/page.html"):
		    check(target, ask(target, root=root).stable(), wanted)
		check("an empty path", ask("http://test", root=root).stable(),
		      ask("/", root=root).stable())
	EOP
}

@test "content of GET and HEAD is read and means nothing" {
	by_the_letter <<-'EOP'
		for method in ("GET", "HEAD"):
		    wanted = ask("/plain.txt", method=method, root=root).stable()
		    for fields, content in (
		            (["Content-Length: 5"], b"12345"),
		            (["Content-Length: 30000"], b"x" * 30000),
		            (["Transfer-Encoding: chunked"], b"2\r\nab\r\n0\r\n\r\n")):
		        data = get("/plain.txt", *fields, method=method) + content
		        answers = read_answers(
		            run(data + get("/dir/"), root=root), [method, "GET"])
		        check(f"{method} {fields}", answers[0].stable(), wanted)
		        check(f"behind {method} {fields}", answers[1].status, 200)
	EOP
}

@test "a redirect of any kind names the new place" {
	by_the_letter <<-'EOP'
		for status in (301, 302, 303, 307, 308):
		    answer = ask(f"/{status}", root=root)
		    check("status", answer.status, status)
		    check(f"{status}: Location", answer["Location"], "/page.html")
		check("a slash", ask("/dir", root=root)["Location"], "dir/")
	EOP
}

@test "the slash that a directory lacks leads from what was asked to the same with it" {
	by_the_letter <<-'EOP'
		# As RFC 3986 5.2.2 has it, where a proxy has put a prefix before the path.
		def resolve(base, reference):
		    path = base.split("?")[0]
		    if re.match("[a-z0-9+.-]+:", reference, re.I) or reference[:1] == "/":
		        return reference
		    return path[:path.rfind("/") + 1] + reference.removeprefix("./")

		for name in ("plain", "a b", "a:b", "javascript:alert(1)", "100%",
		             "d/e/f", "http:", "x/y:z", 'q"<>', "\xfc"):
		    os.makedirs(os.path.join(root, name), exist_ok=True)
		for target in ("/plain", "/a%20b", "/a:b", "/a%3Ab", "/a%3ab?x:y",
		               "/javascript:alert(1)", "/javascript%3Aalert(1)?b",
		               "/100%25", "/d", "/d/e", "/d/e/f?a=/b", "//d//e///f",
		               "/http:", "/x/y:z", "//plain", "///x//y%3Az?", "/q%22%3C%3E",
		               "/%64/%65"):
		    for prefix in ("", "/app", "/app/v1:2"):
		        answer = ask(target, root=root)
		        check(f"{target}: status", answer.status, 301)
		        path, mark, query = target.partition("?")
		        base = "http://proxy" + prefix
		        check(f"{target} from {base}",
		              resolve(base + target, answer["Location"]),
		              base + path + "/" + mark + query)
		answer = ask("http://test/d/e?a", root=root)
		check("an absolute URI", answer["Location"], "e/?a")
	EOP
}

@test "a Location has no user, and no host that a request could have made up" {
	by_the_letter <<-'EOP'
		for target in ("/dir", "/301", "//dir", "///dir", "/301//other",
		               "http://test/dir"):
		    where = ask(target, root=root)["Location"]
		    if where and not re.fullmatch("(/([^/@][^@]*)?|[^/:@]+/)", where):
		        sys.exit(f"{target}: Location: {where}")
	EOP
}

@test "a precondition of a request that would fail or be redirected is ignored" {
	by_the_letter <<-'EOP'
		for target, method in (("/none", "GET"), ("/dir", "GET"), ("/301", "HEAD"),
		                       ("/page.html", "DELETE"), ("/page.html", "BREW"),
		                       ("/page.html", "OPTIONS"), ("/page.html", "TRACE")):
		    wanted = ask(target, method=method, root=root).stable()
		    for fields in (['If-Match: "other"'], ["If-None-Match: *"],
		            ["If-Modified-Since: Tue, 01 Jan 2030 00:00:00 GMT"],
		            ["If-Unmodified-Since: Sat, 01 Jan 2000 00:00:00 GMT"],
		            ["Range: bytes=0-4"], ["Range: bytes=99999-"],
		            ["Range: bytes=0-4", 'If-Range: "other"']):
		        check(f"{method} {target} {fields}",
		              ask(target, *fields, method=method, root=root).stable(),
		              wanted)
	EOP
}

@test "an answer to part of a file has the fields that the whole one has" {
	by_the_letter <<-'EOP'
		for fields in ([], ["Accept-Encoding: br"]):
		    whole = ask("/page.html", *fields, root=root)
		    tag = whole["ETag"]
		    for name in ("ETag", "Last-Modified", "Vary"):
		        check(f"{fields}: {name} is there", whole[name] is not None, True)
		    for more in ([], [f"If-Range: {tag}"]):
		        for spec in ("0-4", "0-0,-1"):
		            part = ask("/page.html", f"Range: bytes={spec}", *fields,
		                       *more, root=root)
		            check(f"{spec} {fields} {more}: status", part.status, 206)
		            for name in ("ETag", "Vary", "Content-Encoding",
		                         "Last-Modified", "Cache-Control", "Expires",
		                         "Content-Location"):
		                check(f"{spec} {fields}: {name}", part[name],
		                      whole[name])
	EOP
}

@test "parts of a multipart answer are apart by CRLF, and each has range and type" {
	by_the_letter <<-'EOP'
		answer = ask("/plain.txt", "Range: bytes=0-4,500-509,-7", root=root)
		check("status", answer.status, 206)
		check("a range of all", answer["Content-Range"], None)
		boundary = re.fullmatch(r'multipart/byteranges; boundary="?([\w-]+)"?',
		                        answer["Content-Type"])[1].encode()
		pieces = answer.content.split(b"\r\n--" + boundary)
		check("before the first part, which begins with CRLF", pieces[0], b"")
		check("behind the last part", pieces[-1] in (b"--", b"--\r\n"), True)
		got = []
		for piece in pieces[1:-1]:
		    head, _, content = piece.partition(b"\r\n\r\n")
		    check("bare line ends", re.sub(b"\r\n", b"", head).count(b"\n"), 0)
		    lines = sorted(head.removeprefix(b"\r\n").decode().split("\r\n"))
		    got.append((lines, content))
		n = len(PAGE)
		check("parts, in the order of the request", got, [
		    ([f"Content-Range: bytes {first}-{last}/{n}",
		      "Content-Type: text/plain; charset=utf-8"], PAGE[first:last + 1])
		    for first, last in ((0, 4), (500, 509), (n - 7, n - 1))])
	EOP
}
