#!/usr/bin/env bats
# What depends on time, and on what the two ends of a connection do to each
# other: waiting, slow and vanished clients, sending without delay.
#
# Times are bounded sharply from below, where the program promises not to act
# before, and widely from above, since the machine may be busy.

load lib
load spawn

@test "a connection that never sends a byte is closed after one second, not before" {
	talk <<-'EOP'
		c = Handler()
		c.check_end("the answer to nothing")
		check_within("seconds until the end", now() - c.started, 0.98, 4)
		c.check_ended()
	EOP
}

@test "a connection that falls idle after an answer is closed after one second, not before" {
	talk <<-'EOP'
		c = Handler()
		for _ in range(2):
		    time.sleep(0.5)
		    asked = now()
		    check("status", c.ask("/").status, 200)
		c.check_end()
		check_within("seconds until the end", now() - asked, 0.98, 4)
		c.check_ended("ok", "ok")
	EOP
}

@test "--timeout sets the idle time before and between requests" {
	talk <<-'EOP'
		def quickest(*requests):
		    """The machine may be busy; the program is not, each time."""
		    seconds = 9
		    for _ in range(5):
		        c = Handler("--timeout=0.3")
		        for request in requests:
		            c.ask(request)
		        c.check_end()
		        seconds = min(seconds, now() - c.started)
		        if seconds < 0.95:
		            break
		    return seconds
		check_within("seconds before a request", quickest(), 0.28, 0.95)
		check_within("seconds after a request", quickest("/"), 0.28, 0.95)
		c = Handler("--timeout=2.5")
		c.ask("/")
		time.sleep(1.5)
		check("status after a longer pause", c.ask("/").status, 200)
		c.half_close()
		c.check_end()
		c.check_ended("ok", "ok")
	EOP
}

@test "the idle time holds on a pipe and on a Unix socket as well" {
	talk <<-'EOP'
		reading, writing = os.pipe()
		started = now()
		check("exit", subprocess.run([HTTPD, "--timeout=0.4", FILES],
		      stdin=reading, stdout=subprocess.PIPE).returncode, 0)
		check_within("seconds on a pipe", now() - started, 0.38, 3)
		c = Handler("--timeout=0.4", pair=socket.socketpair())
		c.check_end()
		check_within("seconds on a Unix socket", now() - c.started, 0.38, 3)
		c.check_ended()
	EOP
}

@test "a head that drips in byte by byte within its time is answered" {
	talk <<-'EOP'
		c = Handler("--timeout=0.2", "--head-timeout=20")
		for byte in get("/result.html"):
		    c.send(bytes([byte]))
		    time.sleep(0.02)
		check("status", c.answer().status, 200)
		c.check_end()
		c.check_ended("ok")
	EOP
}

@test "a pause within a head is no idleness" {
	talk <<-'EOP'
		c = Handler("--timeout=0.2")
		c.send(b"GET / HT")
		time.sleep(0.6)
		c.send(get("/")[8:])
		check("status", c.answer().status, 200)
		c.check_end()
		c.check_ended("ok")
	EOP
}

@test "a head that drips in for longer than --head-timeout is answered 408 and ends" {
	talk <<-'EOP'
		c = Handler("--timeout=5", "--head-timeout=0.8")
		c.sock.settimeout(0.05)
		begun = now()
		for byte in b"GET / HTTP/1.1\r\nX: " + b"x" * 10000:
		    c.send(bytes([byte]))
		    try:
		        c.arrived = c.sock.recv(65536)
		        break
		    except socket.timeout:
		        pass
		check_within("seconds until the answer", now() - begun, 0.78, 4)
		c.sock.settimeout(30)
		answer = c.answer()
		check("status", answer.status, 408)
		check("Connection", answer.fields["connection"], "close")
		c.check_end()
		c.close()
		c.check_ended("head-timeout")
	EOP
}

@test "each head on a connection has a deadline of its own" {
	talk <<-'EOP'
		c = Handler("--timeout=3", "--head-timeout=1")
		for _ in range(3):
		    time.sleep(0.4)
		    c.send(b"GET / HTTP/1.1\r\n")
		    time.sleep(0.4)
		    c.send(b"Host: x\r\n\r\n")
		    check("status", c.answer().status, 200)
		c.half_close()
		c.check_end()
		c.check_ended("ok", "ok", "ok")
	EOP
}

@test "a client that stops reading is left after --send-timeout" {
	talk <<-'EOP'
		for pair in (tcp_pair(), socket.socketpair()):
		    c = Handler("--send-timeout=0.5", root=site(large=GiB), pair=pair)
		    c.send(get("/large"))
		    c.check_ended("send-timeout")
		    check_within("seconds until the end", c.ended - c.started, 0.5, 5)
	EOP
}

@test "a client that stops reading a pipe is left after --send-timeout" {
	talk <<-'EOP'
		reading, writing = os.pipe()
		started = now()
		done = subprocess.run(
		    [HTTPD, "--send-timeout=0.5", site(large=GiB)],
		    input=get("/large"), stdout=writing, stderr=subprocess.PIPE)
		check_within("seconds until the end", now() - started, 0.5, 5)
		check("exit", done.returncode, 0)
		check("token", done.stderr.rsplit(b'"', 2)[1], b"send-timeout")
	EOP
}

@test "a client that reads slowly, but never stops, is not left" {
	# Within a send timeout it takes 40 KiB; the kernel says that there is
	# room only when it has taken a third of the buffer, which is megabytes.
	talk <<-'EOP'
		c = Handler("--send-timeout=1", root=site(large=GiB),
		            pair=tcp_pair(receive_buffer=8192))
		c.send(get("/large"))
		while now() < c.started + 4:
		    c.sock.recv(2048)
		    time.sleep(0.05)
		check("still sending after 4 s", c.is_running(), True)
		c.reset()
		c.check_ended("client-gone")
	EOP
}

@test "a client that has ended its sending side is answered in full" {
	talk <<-'EOP'
		large = content_of("a/2.jpg")
		for pair in (tcp_pair(), socket.socketpair()):
		    c = Handler("--timeout=20", pair=pair)
		    c.send(get("/a/2.jpg") + get("/"))
		    c.half_close()
		    check("the large answer", c.answer().content, large)
		    check("the answer behind it", c.answer().status, 200)
		    c.check_end()
		    check_within("seconds: the end is not waited for",
		                 now() - c.started, 0, 15)
		    c.check_ended("ok", "ok")
	EOP
}

@test "a client that resets the connection amid a large answer ends the program quietly" {
	talk <<-'EOP'
		c = Handler(root=site(large=GiB))
		c.send(get("/large"))
		c.read(100000)
		c.reset()
		c.check_ended("client-gone")
	EOP
}

@test "a client that closes a Unix socket or a pipe amid a large answer ends the program quietly" {
	talk <<-'EOP'
		c = Handler(root=site(large=GiB), pair=socket.socketpair())
		c.send(get("/large"))
		c.read(100000)
		c.close()
		c.check_ended("client-gone")

		process = subprocess.Popen([HTTPD, site(large=GiB)],
		    stdin=subprocess.PIPE, stdout=subprocess.PIPE,
		    stderr=subprocess.PIPE)
		process.stdin.write(get("/large"))
		process.stdin.flush()
		process.stdout.read(100000)
		process.stdout.close()
		log = process.stderr.read()
		check("exit", process.wait(), 0)
		check("token", log.rsplit(b'"', 2)[1], b"client-gone")
	EOP
}

@test "a client that resets the connection before or while it asks ends the program quietly" {
	talk <<-'EOP'
		c = Handler()
		c.reset()
		c.check_ended()
		c = Handler()
		c.ask("/")
		c.send(b"GET / HTTP/1.1\r\nHo")
		c.reset()
		c.wait()
		check("exit", c.exit, 0)
	EOP
}

@test "a file that is cut while it is sent ends the connection, without spinning" {
	talk <<-'EOP'
		root = site(large=64 * MiB)
		c = Handler(root=root)
		c.send(get("/large") + get("/large"))
		answer = c.read_head()
		check("Content-Length", answer.length, 64 * MiB)
		c.read(100000)
		os.truncate(os.path.join(root, "large"), 1000)
		rest = len(c.read_to_end())
		check_within("bytes of content", 100000 + rest, 100000, 64 * MiB - 1)
		c.check_ended("file-shrank")
		check_within("seconds until the end", c.ended - c.started, 0, 4)
		check_within("seconds of CPU", c.cpu, 0, 0.5)
	EOP
}

@test "what was sent of a file before it was cut arrives, whatever else was asked" {
	talk <<-'EOP'
		root = site(large=64 * MiB)
		c = Handler(root=root)
		c.send(get("/large"))
		check("Content-Length", c.read_head().length, 64 * MiB)
		c.read(100000)
		# More than the program reads ahead: it stays unread in the socket.
		c.send(get("/large") * 2000)
		os.truncate(os.path.join(root, "large"), 1000)
		c.read_to_end()
		c.check_ended("file-shrank")
	EOP
}

@test "a file of 5 GiB arrives whole" {
	talk <<-'EOP'
		root = site(large=5 * GiB)
		marks = {0: b"the first", 4 * GiB - 4: b"around 4 GiB",
		         5 * GiB - 8: b"the last"}
		with open(os.path.join(root, "large"), "r+b") as file:
		    for at, mark in marks.items():
		        file.seek(at)
		        file.write(mark)
		c = Handler(root=root)
		c.send(get("/large", "Connection: close"))
		check("Content-Length", c.read_head().length, 5 * GiB)
		at = 0
		for place, mark in marks.items():
		    c.discard(place - at)
		    check(f"the bytes at {place}", c.read(len(mark)), mark)
		    at = place + len(mark)
		c.check_end()
		c.check_ended("ok")
		check("the length in the log", c.log()[0].split('"')[2],
		      f" 200 {5 * GiB} ")
	EOP
}

@test "a file of 5 GiB has its length in the answer to HEAD" {
	talk <<-'EOP'
		c = Handler(root=site(large=5 * GiB))
		answer = c.ask("/large", "Connection: close", method="HEAD")
		check("Content-Length", answer.length, 5 * GiB)
		c.check_end()
	EOP
}

@test "a refused request whose content is still on its way gets its whole answer" {
	talk <<-'EOP'
		for head, status in ((b"Content-Length: 300000", 413),
		                     (b"Content-Length: 300000\r\n bad: fold", 400)):
		    c = Handler("--persist=always")
		    c.send(b"POST / HTTP/1.1\r\nHost: x\r\n" + head + b"\r\n\r\n")
		    check("status", c.answer().status, status)
		    for _ in range(30):
		        c.send(bytes(10000))
		    c.half_close()
		    c.check_end()
		    c.wait()
		    check("exit", c.exit, 0)
	EOP
}

@test "content that was sent before the answer was read does not destroy the answer" {
	talk <<-'EOP'
		c = Handler()
		c.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n"
		       + bytes(300000))
		c.half_close()
		c.wait()
		answer = c.answer()
		check("status", answer.status, 413)
		c.check_end()
	EOP
}

@test "a client that sends content for ever is left in the end" {
	talk <<-'EOP'
		c = Handler()
		c.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9999999999\r\n\r\n")
		try:
		    while now() < c.started + 10:
		        c.send(bytes(65536))
		except ConnectionError:
		    pass
		c.check_ended("content-too-large")
		check_within("seconds until the end", c.ended - c.started, 0, 5)
	EOP
}

@test "a thousand pipelined requests are answered in their order" {
	talk <<-'EOP'
		root = site()
		for i in range(10):
		    with open(os.path.join(root, f"{i}.txt"), "w") as file:
		        file.write(f"number {i}\n" * (i * 30 + 1))
		c = Handler("--log=none", root=root)
		order = [random.randrange(10) for _ in range(1000)]
		writer = os.fork()
		if writer == 0:
		    c.send(b"".join(get(f"/{i}.txt") for i in order))
		    os._exit(0)  # the tree is not this process's to remove
		for place, i in enumerate(order):
		    check(f"answer {place}", c.answer().content,
		          f"number {i}\n".encode() * (i * 30 + 1))
		os.waitpid(writer, 0)
		c.half_close()
		c.check_end()
		c.check_ended()
	EOP
}

@test "pipelined requests that arrive cut at any place are answered in their order" {
	talk <<-'EOP'
		c = Handler()
		stream = (get("/result.html") + get("/", method="HEAD")) * 40
		random.seed(7)
		while stream:
		    cut = random.randrange(1, 90)
		    c.send(stream[:cut])
		    stream = stream[cut:]
		    time.sleep(0.001)
		c.half_close()
		content = content_of("result.html")
		for _ in range(40):
		    check("content", c.answer().content, content)
		    check("length", c.answer(head_only=True).length,
		          os.path.getsize(os.path.join(FILES, "index.html")))
		c.check_end()
		c.check_ended(*["ok"] * 80)
	EOP
}

@test "a socket that the spawner left non-blocking is served all the same" {
	talk <<-'EOP'
		large = content_of("a/2.jpg")
		c = Handler(root=FILES, prepare=lambda s: s.setblocking(False))
		time.sleep(0.3)
		check("status", c.ask("/").status, 200)
		check("the large answer", c.ask("/a/2.jpg").content, large)
		asked = now()
		check("status", c.ask("/result.html").status, 200)
		c.check_end()
		check_within("seconds until the end", now() - asked, 0.98, 4)
		c.check_ended("ok", "ok", "ok")

		c = Handler("--send-timeout=0.5", root=site(large=GiB),
		            prepare=lambda s: s.setblocking(False))
		c.send(get("/large"))
		c.check_ended("send-timeout")
		c = Handler(root=site(large=64 * MiB),
		            prepare=lambda s: s.setblocking(False))
		c.send(get("/large", "Connection: close"))
		c.discard(c.read_head().length)
		c.check_end()
		c.check_ended("ok")
	EOP
}

@test "waiting costs no CPU, whether the socket blocks or not" {
	talk <<-'EOP'
		for blocking in (True, False):
		    c = Handler("--timeout=1.5",
		                prepare=lambda s: s.setblocking(blocking))
		    c.send(b"GET / ")
		    time.sleep(0.5)
		    c.send(b"HTTP/1.1\r\nHost: x\r\n\r\n")
		    c.answer()
		    c.check_end()
		    c.check_ended("ok")
		    check_within("seconds of CPU", c.cpu, 0, 0.4)
	EOP
}

@test "--max-requests closes after that many, and says so in the last answer" {
	talk <<-'EOP'
		c = Handler("--max-requests=2")
		c.send(get("/") * 3)
		check("first", c.answer().fields["connection"], "keep-alive")
		check("second", c.answer().fields["connection"], "close")
		c.check_end()
		c.half_close()
		c.check_ended("ok", "ok")
	EOP
}

@test "Nagle's delay is off, whatever the spawner set" {
	talk <<-'EOP'
		def on(s):
		    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0)
		c = Handler(prepare=on, keep=True)
		c.ask("/")
		check("TCP_NODELAY", c.accepted.getsockopt(socket.IPPROTO_TCP,
		      socket.TCP_NODELAY), 1)
	EOP
}

@test "200 requests on one connection, small and large, wait for no timer" {
	talk <<-'EOP'
		c = Handler()
		small, large = content_of("result.html"), content_of("a/2.jpg")
		begun = now()
		for _ in range(100):
		    check("small", c.ask("/result.html").content, small)
		    check("large", c.ask("/a/2.jpg").content, large)
		# One delayed acknowledgement takes 40 ms, 200 of them 8 s.
		check_within("seconds", now() - begun, 0, 4)
	EOP
}

# traced TARGET [OPTION]...: answers one GET; leaves what was called to send it
# in $calls.
traced() {
	talk "$@" <<-'EOP'
		c = Handler(before=["strace", "-qq", "-o", os.path.join(TMP, "calls"),
		    "-e", "trace=/^(send|sendto|sendmsg|socketcall|sendfile|sendfile64"
		    "|write|writev|splice)$"])
		c.send(get(sys.argv[1], *sys.argv[2:], "Connection: close"))
		answer = c.read_head()
		check("content", c.read_to_end(), content_of(sys.argv[1][1:]))
		c.wait()
		check("exit", c.exit, 0)
	EOP
	# The same calls have other names on other machines.
	calls=$(sed -n 's/^sendto/send/; s/^sendfile64/sendfile/
		s/^\([a-z]*\)(\([0-9]*\),.*/\1 \2/p' "$BATS_TEST_TMPDIR/calls")
}

@test "a small answer leaves in one send, its log line in one write" {
	traced /result.html
	assert_equal "$calls" $'send 1\nwrite 2'
}

@test "a large answer leaves by sendfile, and the head joins its first bytes" {
	traced /a/2.jpg
	assert_equal "$(uniq <<<"$calls")" $'send 1\nsendfile 1\nwrite 2'
	talk <<-'EOP'
		# Were it not held back, the head alone would be the first segment.
		c = Handler()
		c.send(get("/a/2.jpg"))
		while c.sock.recv(65536, socket.MSG_PEEK).endswith(b"\r\n\r\n"):
		    sys.exit("the head came alone")
		c.answer()
	EOP
}

@test "an answer of no more than a page of text is one segment on the wire" {
	talk <<-'EOP'
		c = Handler()
		c.send(get("/result.html"))
		c.answer()
		# tcpi_data_segs_in of struct tcp_info: segments that carried data
		info = c.sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
		check("segments with data", struct.unpack_from("I", info, 152)[0], 1)
	EOP
}

@test "a connection is not idle while its client is still taking the last answer" {
	talk <<-'EOP'
		# The answer fits the sockets' buffers: the program is done at once.
		root = site(large=2 * MiB)
		c = Handler("--timeout=0.2", root=root, pair=tcp_pair(65536))
		c.send(get("/large"))
		head = c.read_head()
		check("Connection", head.fields["connection"], "keep-alive")
		for _ in range(16):
		    c.read(head.length // 32)
		    time.sleep(0.05)
		check("still there after four idle times", c.is_running(), True)
		c.send(get("/large"))
		c.discard(head.length - 16 * (head.length // 32))
		c.discard(c.read_head().length)
		c.check_end()
		c.check_ended("ok", "ok")
	EOP
}

@test "a client that takes nothing of the last answer does not hold the process for ever" {
	talk <<-'EOP'
		c = Handler("--timeout=0.2", "--send-timeout=0.5",
		            root=site(large=2 * MiB), pair=tcp_pair(65536))
		c.send(get("/large"))
		c.check_ended("ok")
		check_within("seconds", c.ended - c.started, 0.5, 5)
	EOP
}

@test "an answer that closes arrives whole at a client slower than the linger" {
	talk <<-'EOP'
		root = site(large=2 * MiB)
		c = Handler("--max-requests=1", root=root, pair=tcp_pair(65536))
		c.send(get("/large") + b"\r\nstray bytes")
		head = c.read_head()
		left = head.length
		for _ in range(30):
		    c.read(head.length // 40)
		    left -= head.length // 40
		    time.sleep(0.1)
		check("still there after the linger", c.is_running(), True)
		c.discard(left)
		c.check_end()
		c.close()
		c.check_ended("ok")
	EOP
}

@test "bytes that arrive while a closing answer is sent do not destroy it" {
	talk <<-'EOP'
		root = site(large=8 * MiB)
		c = Handler(root=root, pair=tcp_pair(65536))
		c.send(get("/large", "Connection: close"))
		head = c.read_head()
		c.send(b"\r\n")
		c.discard(head.length)
		c.check_end()
		c.close()
		c.check_ended("ok")
	EOP
}

@test "a log whose reader has stopped does not hold up the connection" {
	talk <<-'EOP'
		reading, writing = os.pipe()
		os.set_blocking(writing, False)
		try:
		    while True:
		        os.write(writing, bytes(4096))
		except BlockingIOError:
		    pass
		os.set_blocking(writing, True)
		client, accepted = tcp_pair()
		c = Client(client)
		process = subprocess.Popen([HTTPD, FILES], stdin=accepted,
		                           stdout=accepted, stderr=writing)
		accepted.close()
		check("status", c.ask("/").status, 200)
		check("status", c.ask("/", "Connection: close").status, 200)
		c.check_end()
		check("exit", process.wait(timeout=20), 0)
	EOP
}

@test "content that comes in pieces behind its head changes nothing of the request" {
	talk <<-'EOP'
		for framing, pieces in (
		        ("Content-Length: 60000", [b"GET /evil " * 1000] * 6),
		        ("Transfer-Encoding: chunked",
		         [b"2710\r\n" + b"GET /evil " * 1000 + b"\r\n"] * 6 + [b"0\r\n\r\n"])):
		    c = Handler("--persist=always")
		    c.send(get("/result.html", framing, "User-Agent: me"))
		    for piece in pieces:
		        time.sleep(0.05)
		        c.send(piece)
		    check("content", c.answer().content, content_of("result.html"))
		    check("the next", c.ask("/").content, content_of("index.html"))
		    c.half_close()
		    c.check_end()
		    c.check_ended("ok", "ok")
		    check("in the log", '"GET /result.html HTTP/1.1" 200' in c.log()[0]
		          and '"me"' in c.log()[0], True)
	EOP
}

@test "content of a request whose head fills the buffer is read, and the next request found" {
	talk <<-'EOP'
		padding = "A: " + "x" * (16384 - len(get("/result.html", "A: ", "Content-Length: 9000")))
		c = Handler()
		c.send(get("/result.html", padding, "Content-Length: 9000"))
		time.sleep(0.1)
		c.send(b"y" * 4500)
		time.sleep(0.1)
		c.send(b"y" * 4500 + get("/") + get("/", "Content-Length: 7"))
		time.sleep(0.1)
		c.send(b"zzzzzzz" + get("/favicon.ico"))
		check("content", c.answer().content, content_of("result.html"))
		check("content", c.answer().content, content_of("index.html"))
		check("content", c.answer().content, content_of("index.html"))
		check("content", c.answer().content, content_of("favicon.ico"))
		c.half_close()
		c.check_ended("ok", "ok", "ok", "ok")
	EOP
}

@test "a client that breaks off its first answer is logged with its address" {
	talk <<-'EOP'
		c = Handler(root=site(large=1 * GiB))
		c.send(get("/large"))
		c.read_head()
		c.reset()
		c.check_ended("client-gone")
		check("the address", c.log()[0].split()[0], "127.0.0.1")
	EOP
}
