# Answers as bytes: small and large files, over a pipe and a file, one by one
# and several together.

load lib
load spawn

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree"
}

@test "files of every size around the limits arrive byte for byte" {
	local size
	for size in 1 4095 4096 4097 16383 16384 16385 32767 32768 65536 1000000; do
		head -c "$size" /dev/urandom >"$tree/data"
		get /data "$tree"
		assert_status 200 ok
		assert_equal "$(field Content-Length)" "$size"
		content | cmp - "$tree/data"
	done
}

@test "several files on one connection arrive byte for byte" {
	head -c 100000 /dev/urandom >"$tree/large"
	head -c 100 /dev/urandom >"$tree/small"
	local name requests=''
	for name in large small large small; do
		requests+="GET /$name HTTP/1.1\r\nHost: x\r\n\r\n"
	done
	ask "$requests" "$tree"
	cat "$tree/large" "$tree/small" "$tree/large" "$tree/small" \
		>"$BATS_TEST_TMPDIR/wanted"
	"$TOP/test/tools/contents" <"$answer" | cmp - "$BATS_TEST_TMPDIR/wanted"
}

@test "an answer to a file is the same as to a pipe" {
	printf 'GET /a/2.jpg HTTP/1.1\r\nHost: x\r\n\r\n' >"$BATS_TEST_TMPDIR/request"
	"$HTTPD" "$FILES" <"$BATS_TEST_TMPDIR/request" >"$BATS_TEST_TMPDIR/answer" \
		2>"$BATS_TEST_TMPDIR/log"
	answer=$BATS_TEST_TMPDIR/answer exit=0
	read_answer
	assert_status 200 ok
	content | cmp - "$FILES/a/2.jpg"
}

@test "a closed output is no fault of the server's" {
	ask_closed() {
		printf 'GET /a/2.jpg HTTP/1.1\r\nHost: x\r\n\r\n' |
			"$HTTPD" "$FILES" 2>"$BATS_TEST_TMPDIR/log" | head -c 10 >/dev/null
		printf '%s\n' "${PIPESTATUS[1]}"
	}
	run ask_closed
	assert_output 0
	assert_regex "$(cat "$BATS_TEST_TMPDIR/log")" '"client-gone"$'
}

@test "a full disk behind the answer ends the connection" {
	exit=0
	printf 'GET /a/2.jpg HTTP/1.1\r\nHost: x\r\n\r\n' |
		"$HTTPD" "$FILES" >/dev/full 2>"$BATS_TEST_TMPDIR/log" || exit=$?
	assert_equal "$exit" 0
	assert_regex "$(cat "$BATS_TEST_TMPDIR/log")" '"client-gone"$'
}

# get_unread RESULT: /data, of which every pread has that result.
get_unread() {
	local program=$HTTPD
	cat >"$BATS_TEST_TMPDIR/httpd" <<-SH
		#!/bin/sh
		exec strace -qq -o /dev/null -P "$tree/data" -e inject=pread64:$1 "$program" "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/httpd"
	HTTPD=$BATS_TEST_TMPDIR/httpd get /data --persist=always "$tree"
}

@test "a file that cannot be read is answered 500, one that has shrunk 503, small or large" {
	local size
	for size in 100 16384 16385 3000000; do
		head -c $size /dev/urandom >"$tree/data"
		get_unread error=EIO
		assert_status 500 file-error
		assert_equal "$(field Connection)" close
		get_unread retval=0
		assert_status 503 file-busy
		field Retry-After
	done
}

# over_socket COMMAND...: one GET /data over a Unix socket; sets $answer etc.
over_socket() {
	answer=$BATS_TEST_TMPDIR/answer exit=0
	printf 'GET /data HTTP/1.1\r\nHost: x\r\n\r\n' >"$BATS_TEST_TMPDIR/request"
	printf '#!/bin/sh\nexec %s "%s"\n' "$*" "$tree" >"$BATS_TEST_TMPDIR/server"
	chmod +x "$BATS_TEST_TMPDIR/server"
	socat "EXEC:$BATS_TEST_TMPDIR/server" \
		"SYSTEM:cat '$BATS_TEST_TMPDIR/request'; cat >'$answer'" \
		2>"$BATS_TEST_TMPDIR/log"
	read_answer
}

@test "a file system that does not know sendfile has its files copied" {
	local error
	head -c 300000 /dev/urandom >"$tree/data"
	for error in EINVAL ENOSYS; do
		over_socket strace -qq -o /dev/null -e inject=sendfile,sendfile64:error=$error "$HTTPD"
		assert_status 200 ok
		content | cmp - "$tree/data"
	done
}

@test "a file that fails under sendfile ends the connection, its length unreached" {
	head -c 300000 /dev/urandom >"$tree/data"
	over_socket strace -qq -o /dev/null -e inject=sendfile,sendfile64:error=EIO "$HTTPD"
	assert_equal "$code" 200
	assert_equal "$token" file-lost
	assert_equal "$(field Content-Length)" 300000
	content | cmp - <(head -c 1024 "$tree/data")
}

@test "a large file is sent by sendfile, a small one with its head" {
	head -c 300000 /dev/urandom >"$tree/data"
	over_socket strace -qq -o "$BATS_TEST_TMPDIR/strace" \
		-e trace=network,sendfile,sendfile64,write,writev "$HTTPD"
	assert_status 200 ok
	assert_equal "$(grep -cE '(sendto|send|write|writev)\(1,' "$BATS_TEST_TMPDIR/strace")" 1
	grep -q 'sendfile' "$BATS_TEST_TMPDIR/strace"
	head -c 100 /dev/urandom >"$tree/data"
	over_socket strace -qq -o "$BATS_TEST_TMPDIR/strace" \
		-e trace=network,sendfile,sendfile64,write,writev "$HTTPD"
	assert_status 200 ok
	assert_equal "$(grep -cE '(sendto|send|write|writev)\(1,|sendfile' "$BATS_TEST_TMPDIR/strace")" 1
}

@test "answers to requests that came together leave together" {
	head -c 1000 /dev/urandom >"$tree/data"
	talk "$tree" <<-'EOP'
		root, trace = sys.argv[1], os.path.join(TMP, "trace")
		ours, handlers = tcp_pair()
		ours.sendall(get("/data") * 9 + get("/data", "Connection: close"))
		c = Handler(root=root, pair=(ours, handlers), before=(
		    "strace", "-qq", "-o", trace, "-e", "trace=sendto,send"))
		with open(root + "/data", "rb") as file:
		    data = file.read()
		for _ in range(10):
		    check("the content", c.answer().content, data)
		c.check_end()
		c.check_ended(*["ok"] * 10)
		with open(trace) as file:
		    check("sends", sum("(1, " in line for line in file), 1)
	EOP
}

# check_sends WANTED BYTES: to requests that arrive together, the Python list
# BYTES, there are so many sends and calls of sendfile.
check_sends() {
	talk "$tree" "$1" <<-EOP
		root, trace = sys.argv[1], os.path.join(TMP, "trace")
		requests = $2
		requests[-1] = requests[-1].replace(b"\r\n\r\n",
		                                    b"\r\nConnection: close\r\n\r\n")
		ours, handlers = tcp_pair()
		ours.sendall(b"".join(requests))
		c = Handler(root=root, pair=(ours, handlers), before=(
		    "strace", "-qq", "-o", trace, "-e", "trace=sendto,send,sendfile,sendfile64"))
		for _ in requests:
		    check("status", c.answer().status, 206)
		c.check_end()
		c.check_ended(*["partial"] * len(requests))
		with open(trace) as file:
		    check("sends", sum("(1, " in line for line in file), int(sys.argv[2]))
	EOP
}

@test "small parts leave together, and with the answers before and after them" {
	head -c 300000 /dev/urandom >"$tree/data"
	local spread='",".join(f"{i}-{i + 19}" for i in range(0, 200 * %s, 200))'
	# shellcheck disable=SC2059  # the format is ours
	ranges() { printf "get('/data', 'Range: bytes=' + $spread)" "$1"; }
	check_sends 1 "[get('/data', 'Range: bytes=0-0,500-500')]"
	check_sends 1 "[$(ranges 64)]"
	# 256 parts are a few KiB more than the output holds.
	check_sends 2 "[$(ranges 256)]"
	check_sends 1 "[get('/data', 'Range: bytes=0-99'), $(ranges 20), $(ranges 20),
	    get('/data', 'Range: bytes=0-99')]"
	# The head and two small parts, a large part, the rest.
	check_sends 3 "[get('/data', 'Range: bytes=0-0,200-200,1000-100999,200000-200000,-1')]"
}

@test "small parts of a file that cannot be read are answered 500, not begun" {
	head -c 300000 /dev/urandom >"$tree/data"
	head -c 100 /dev/urandom >"$tree/other"
	talk "$tree" <<-'EOP'
		root = sys.argv[1]
		for ranges, when, token in (("0-0,500-500,-1", 2, "file-error"),
		                            ("0-0,1000-100999,200000-200000", 2, "file-error"),
		                            ("0-0,1000-100999,200000-200000", 3, "file-lost")):
		    ours, handlers = tcp_pair()
		    ours.sendall(get("/other") + get("/data", "Range: bytes=" + ranges))
		    c = Handler(root=root, pair=(ours, handlers), before=(
		        "strace", "-qq", "-o", "/dev/null", "-P", root + "/data",
		        "-e", f"inject=pread64:error=EIO:when={when}+"))
		    check("the other file", len(c.answer().content), 100)
		    if token == "file-error":
		        check("the parts", c.answer().status, 500)
		        c.check_end()
		    else:
		        c.read_to_end()
		    c.check_ended("ok", token)
	EOP
}

@test "an answer does not wait for what the client has not sent yet" {
	head -c 1000 /dev/urandom >"$tree/data"
	talk "$tree" <<-'EOP'
		halves = {
		    "half a head": (get("/data")[:20], get("/data")[20:]),
		    "an empty line": (b"\r\n", get("/data")),
		    "half of a content": (get("/data", "Content-Length: 5") + b"ab", b"cde"),
		    "half of a chunk": (get("/data", "Transfer-Encoding: chunked") + b"5\r\nab",
		                        b"cde\r\n0\r\n\r\n"),
		}
		for what, (first, second) in halves.items():
		    c = Handler(root=sys.argv[1])
		    c.send(get("/data") + first)
		    check(what + ": before", c.answer().status, 200)
		    c.send(second)
		    check(what + ": behind", c.answer().status, 200)
		    c.half_close()
		    c.check_ended("ok", "ok")
	EOP
}

@test "any mix of answers is the same, one by one and all together" {
	local size
	for size in 0 1 1000 10000 16383 16384 16385 32768 100000; do
		head -c $size /dev/urandom >"$tree/$size"
	done
	printf '/r/* /x 404\n/r /%s 302\n' "$(head -c 4000 /dev/zero | tr '\0' x)" >"$tree/_redirects"
	mkdir "$tree/dir"
	touch -d '1 hour ago' "$tree"/*
	settle "$tree"
	talk "$tree" <<-'EOP'
		import re, threading
		root = sys.argv[1]
		names = [n for n in os.listdir(root) if n != "_redirects"]
		chance = random.Random(6)
		options = ("--persist=always", "--timeout=20")

		def one():
		    name = chance.choice(names)
		    return chance.choice([
		        lambda: get("/" + name),
		        lambda: get("/" + name),
		        lambda: get("/" + name, method="HEAD"),
		        lambda: get("/" + name, "Range: bytes=0-99"),
		        lambda: get("/100000", "Range: bytes=5-20004"),
		        lambda: get("/10000", "Range: bytes=0-9,200-209,-5"),
		        lambda: get("/100000", "Range: bytes=" + ",".join(
		            f"{i}-{i + 99}" for i in range(0, 80000, 400))),
		        lambda: get("/100000", "Range: bytes=0-9,100-16483,20000-40000,-9"),
		        lambda: get("/100000?" + "q" * 8000),
		        lambda: get("/dir?" + "%22" * 2600),
		        lambda: get("/r?"+ "q" * 4000),
		        lambda: get("/none"),
		        lambda: get("/" + name, "If-None-Match: *"),
		        lambda: get("/" + name, "Content-Length: 3") + b"abc",
		    ])()

		def strip_dates(answers):
		    answers = re.sub(rb"\r\nDate: [^\r]*", b"", answers)
		    return re.sub(rb"(boundary=|\r\n--)[0-9a-f]{32}", rb"\1", answers)

		for _ in range(6):
		    requests = [one() for _ in range(150)] + [get("/1", "Connection: close")]
		    c = Handler(*options, root=root)
		    singly = b""
		    for request in requests:
		        c.send(request)
		        part = c.read_head_bytes()
		        singly += part
		        if not request.startswith(b"HEAD") and b" 304 " not in part[:20]:
		            length = int(re.search(rb"Content-Length: (\d+)", part)[1])
		            singly += c.read(length)
		    c.check_end()
		    c = Handler(*options, root=root)
		    sender = threading.Thread(target=c.send, args=(b"".join(requests),))
		    sender.start()
		    together = c.read_to_end()
		    sender.join()
		    check("bytes", len(strip_dates(together)), len(strip_dates(singly)))
		    check("the same", strip_dates(together) == strip_dates(singly), True)
	EOP
}

@test "a file that fails does not keep back the answers before it" {
	head -c 1000 /dev/urandom >"$tree/data"
	head -c 100 /dev/urandom >"$tree/bad"
	talk "$tree" <<-'EOP'
		root = sys.argv[1]
		ours, handlers = tcp_pair()
		ours.sendall(get("/data") * 2 + get("/bad") + get("/data"))
		c = Handler(root=root, pair=(ours, handlers), before=(
		    "strace", "-qq", "-o", "/dev/null", "-P", root + "/bad",
		    "-e", "inject=pread64:error=EIO"))
		for _ in range(2):
		    check("the length", len(c.answer().content), 1000)
		check("the bad one", c.answer().status, 500)
		c.check_end()
		c.check_ended("ok", "ok", "file-error")
	EOP
}
