#!/usr/bin/env bats
# How long a connection may hold a process: the rate at which an answer has to
# be taken, and the end of a connection's life.
#
# Times are bounded sharply from below, where the program promises not to act
# before, and widely from above, since the machine may be busy.

bats_require_minimum_version 1.5.0
load lib
load spawn

@test "a client that takes less than --min-rate of an answer is left" {
	talk <<-'EOP'
		c = Handler("--send-timeout=1", "--min-rate=4M", root=site(large=GiB),
		            pair=tcp_pair(receive_buffer=8192))
		c.send(get("/large"))
		while c.is_running() and now() < c.started + 20:
		    c.sock.recv(2048)
		    time.sleep(0.05)
		c.check_ended("send-timeout")
		check_within("seconds", c.ended - c.started, 0.99, 19)
	EOP
}

@test "a client that takes --min-rate of an answer is not left, however long it lasts" {
	talk <<-'EOP'
		c = Handler("--send-timeout=0.5", "--min-rate=2K", root=site(large=GiB),
		            pair=tcp_pair(receive_buffer=8192))
		c.send(get("/large"))
		while now() < c.started + 4:
		    c.sock.recv(4096)
		    time.sleep(0.05)
		check("still sending after eight send timeouts", c.is_running(), True)
		c.reset()
		c.check_ended("client-gone")
	EOP
}

@test "a byte now and then does not hold a process" {
	talk <<-'EOP'
		# The smallest buffer there is: of a larger one TCP says that there is
		# room again only when a half of it was read, which takes too long.
		c = Handler("--send-timeout=4", root=site(large=GiB),
		            pair=tcp_pair(receive_buffer=1))
		c.send(get("/large"))
		c.read_head()
		while c.is_running() and now() < c.started + 20:
		    c.sock.recv(40)
		    time.sleep(0.1)
		c.check_ended("send-timeout")
		check_within("seconds", c.ended - c.started, 4, 19)
	EOP
}

@test "with --min-rate=0 a little is enough" {
	talk <<-'EOP'
		c = Handler("--send-timeout=1", "--min-rate=0", root=site(large=GiB),
		            pair=tcp_pair(receive_buffer=8192))
		c.send(get("/large"))
		while now() < c.started + 4:
		    c.sock.recv(1024)
		    time.sleep(0.05)
		check("still sending after four send timeouts", c.is_running(), True)
		c.reset()
		c.check_ended("client-gone")
	EOP
}

@test "a fast start does not pay for a slow end" {
	talk <<-'EOP'
		c = Handler("--send-timeout=0.5", "--min-rate=1", root=site(large=GiB),
		            pair=tcp_pair(receive_buffer=65536))
		c.send(get("/large"))
		c.discard(256 * MiB)
		stalled = now()
		c.check_ended("send-timeout")
		check_within("seconds from the stall", c.ended - stalled, 0.1, 5)
	EOP
}

@test "the rate is asked of each answer by itself, not of the pauses between them" {
	talk <<-'EOP'
		# The first answer leaves a window that has begun, and little in it.
		c = Handler("--timeout=9", "--send-timeout=1", "--min-rate=3M",
		            root=site(large=8 * MiB), pair=tcp_pair(65536))
		for _ in range(3):
		    c.send(get("/large"))
		    time.sleep(0.1)  # it has to wait for room
		    c.discard(c.read_head().length)
		    time.sleep(4)  # at that rate, longer than an answer
		c.half_close()
		c.check_end()
		c.check_ended("ok", "ok", "ok")
	EOP
}

@test "a pause in a request is not counted against the answer to it" {
	talk <<-'EOP'
		for part in get("/large")[:10], b"":
		    c = Handler("--timeout=20", "--head-timeout=20", "--send-timeout=1",
		                "--min-rate=3M", root=site(large=8 * MiB),
		                pair=tcp_pair(65536))
		    c.send(get("/large") + part)
		    c.discard(c.read_head().length)
		    time.sleep(4)
		    c.send(get("/large")[len(part):])
		    time.sleep(0.1)
		    c.discard(c.read_head().length)
		    c.half_close()
		    c.check_end()
		    c.check_ended("ok", "ok")
	EOP
}

@test "requests that keep coming do not make up for answers that are not taken" {
	talk <<-'EOP'
		# Each answer fits what TCP keeps for a client that takes nothing.
		c = Handler("--timeout=20", "--send-timeout=1", "--log=none",
		            root=site(middle=100000), pair=tcp_pair(4096))
		while c.is_running() and now() < c.started + 20:
		    try:
		        c.send(get("/middle"))
		    except (ConnectionResetError, BrokenPipeError):
		        break
		    time.sleep(0.2)
		c.wait()
		check("exit", c.exit, 0)
		check_within("seconds", c.ended - c.started, 1, 19)
	EOP
}

@test "many answers that are taken too slowly are no better than a large one" {
	talk <<-'EOP'
		# Each by itself is taken in less than the send timeout, and so is what
		# has to be before TCP reports room.
		c = Handler("--timeout=20", "--send-timeout=2", "--min-rate=50M",
		            "--log=none", root=site(middle=200000),
		            pair=tcp_pair(receive_buffer=65536))
		c.send(get("/middle") * 400)
		taken = 0
		while c.is_running() and now() < c.started + 20:
		    try:
		        taken += len(c.sock.recv(20480))
		    except ConnectionResetError:
		        break
		    time.sleep(0.01)
		c.wait()
		check("exit", c.exit, 0)
		check_within("seconds", c.ended - c.started, 1.99, 19)
		check_within("answers taken", taken // 200000, 3, 200)
	EOP
}

@test "a client that is given up is reset, and the system keeps nothing for it" {
	talk <<-'EOP'
		c = Handler("--send-timeout=0.5", root=site(large=GiB))
		address = "%s:%d" % c.sock.getsockname()
		c.send(get("/large"))
		c.check_ended("send-timeout")
		check("sockets that still send to the client",
		      subprocess.check_output(["ss", "-Htn", "dst", address]), b"")
		try:
		    c.read_to_end()
		    sys.exit("wanted: a reset\ngot:    the end of the connection")
		except ConnectionResetError:
		    pass
	EOP
}

@test "--min-rate holds on a pipe too" {
	talk <<-'EOP'
		reading, writing = os.pipe()
		process = subprocess.Popen(
		    [HTTPD, "--send-timeout=1", "--min-rate=1M", site(large=GiB)],
		    stdin=subprocess.PIPE, stdout=writing, stderr=subprocess.PIPE)
		os.close(writing)
		process.stdin.write(get("/large"))
		process.stdin.flush()
		started = now()
		while process.poll() is None and now() < started + 20:
		    os.read(reading, 8192)
		    time.sleep(0.05)
		check("exit", process.returncode, 0)
		check("token", process.stderr.read().rsplit(b'"', 2)[1], b"send-timeout")
		check_within("seconds", now() - started, 0.99, 19)
	EOP
}

@test "a backlog of requests whose answers nobody takes is left, and takes no memory" {
	talk <<-'EOP'
		c = Handler("--send-timeout=1", "--timeout=20", "--log=none")
		def resident():
		    with open(f"/proc/{c.process.pid}/status") as status:
		        return next(int(line.split()[1]) for line in status
		                    if line.startswith("VmRSS:"))
		c.ask("/")
		before = resident()
		c.sock.setblocking(False)
		sent = 0
		while sent < 64 * MiB and c.is_running():
		    try:
		        sent += c.sock.send(get("/a/2.jpg") * 100)
		        check_within("KiB of memory", resident(), 0, before + 256)
		    except BlockingIOError:
		        time.sleep(0.01)
		    except (ConnectionResetError, BrokenPipeError, FileNotFoundError,
		            StopIteration):
		        break
		c.wait()
		check("exit", c.exit, 0)
	EOP
}

@test "--max-life ends an idle connection, and not before" {
	talk <<-'EOP'
		c = Handler("--max-life=1", "--timeout=20")
		check("status", c.ask("/").status, 200)
		c.check_end()
		check_within("seconds", now() - c.started, 0.99, 9)
		c.check_ended("ok")
		c = Handler("--max-life=1", "--timeout=20")
		c.check_end()
		c.check_ended()
		check_within("seconds before a request", c.ended - c.started, 0.99, 9)
	EOP
}

@test "--max-life ends a connection in the middle of a head or of content" {
	talk <<-'EOP'
		for part, token in (b"GET / HT", "head-timeout"), (
		        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc",
		        "content-timeout"):
		    c = Handler("--max-life=1", "--timeout=20", "--head-timeout=20")
		    c.send(part)
		    check("status", c.answer().status, 408)
		    c.check_end()
		    c.check_ended(token)
		    check_within("seconds", c.ended - c.started, 0.99, 9)
	EOP
}

@test "--max-connection-age answers half a head on a pipe too" {
	# shellcheck disable=SC2016  # it is for the inner shell to expand
	run -0 --separate-stderr bash -c '
		{ printf "GET / HT"; exec sleep 9; } | "$HTTPD" --max-connection-age=0.5 "$FILES" | cat
		exit "${PIPESTATUS[1]}"'
	assert_line --index 0 "HTTP/1.1 408 Request Timeout$(printf '\r')"
	assert_regex "$stderr" '"head-timeout"'
}

@test "--max-life ends an answer that is under way by a reset, at any speed" {
	talk <<-'EOP'
		def slowly(c):
		    time.sleep(0.05)
		    return c.sock.recv(65536)
		def fast(c):
		    return c.sock.recv(MiB)
		# Where a file system does not know sendfile, its bytes are copied.
		copied = ("strace", "-qq", "-o", os.devnull, "-e", "trace=sendfile",
		          "-e", "inject=sendfile:error=EINVAL")
		for read, before in (slowly, ()), (fast, ()), (fast, copied):
		    c = Handler("--max-life=1", root=site(large=1 << 40),
		                pair=tcp_pair(receive_buffer=65536), before=before)
		    c.send(get("/large"))
		    end = "none within a minute"
		    try:
		        while now() < c.started + 60:
		            if not read(c):
		                end = "the end of the connection"
		                break
		    except ConnectionResetError:
		        end = "a reset"
		    check("the end", end, "a reset")
		    c.check_ended("life-over")
		    check_within("seconds", c.ended - c.started, 0.99, 14)
	EOP
}

@test "--max-life ends a connection that is never idle, and the last answer says so" {
	talk <<-'EOP'
		# This client may pause for a moment when the life ends, and the
		# connection is idle then: it is closed without a word.
		def says_so():
		    c = Handler("--max-life=1", "--log=none")
		    c.send(get("/result.html") * 50)
		    while True:
		        try:
		            if not c.arrived:
		                c.arrived = c.receive()
		            answer = c.answer() if c.arrived else None
		            if answer and answer.fields["connection"] != "close":
		                c.send(get("/result.html"))
		        except ConnectionError:
		            answer = None
		        if not answer:
		            check_within("seconds of life", now() - c.started,
		                         0.99, 9)
		            return False
		        check("status", answer.status, 200)
		        if answer.fields["connection"] == "close":
		            break
		        check_within("seconds of life", now() - c.started, 0, 9)
		    check_within("seconds of life", now() - c.started, 0.99, 9)
		    c.check_end()
		    c.check_ended()
		    return True
		check("the last answer says so, once in ten lives",
		      any(says_so() for _ in range(10)), True)
	EOP
}

@test "without --max-life, or with 0, a connection lives on" {
	talk <<-'EOP'
		c = Handler("--max-life=0.2", "--max-life=0")
		time.sleep(0.5)
		check("status", c.ask("/").status, 200)
		c.half_close()
		c.check_end()
		c.check_ended("ok")
	EOP
}

# -- Idle

@test "who takes an answer for longer than --timeout is idle only from its end on" {
	talk <<-'EOP'
		root = site(large=100_000)
		c = Handler("--timeout=1", root=root, pair=socket.socketpair())
		c.send(get("/large"))
		time.sleep(1.5)
		c.read_head()
		c.read(100_000)
		c.check_idle(1, 10)
	EOP
}

@test "so is who takes the last of many small answers late" {
	talk <<-'EOP'
		# The receive buffer is so small that they wait for him.
		c = Handler("--timeout=2", root=site(small=16000),
		            pair=tcp_pair(receive_buffer=4096))
		c.send(get("/small") * 20)
		time.sleep(1.5)
		for _ in range(20):
		    c.answer()
		c.check_idle(1.9, 10)
	EOP
}

@test "one --timeout after an answer is taken the connection ends, not two" {
	talk <<-'EOP'
		c = Handler("--timeout=4", root=site(large=100_000),
		            pair=socket.socketpair())
		c.send(get("/large"))
		time.sleep(0.3)
		c.answer()
		c.check_idle(3.9, 7.5)
	EOP
}

@test "a client that does not take an answer is that, whatever became of the next" {
	talk <<-'EOP'
		c = Handler("--send-timeout=1", root=site(first=16000, second=8000),
		            pair=tcp_pair(receive_buffer=1),
		            prepare=lambda sock: sock.setsockopt(
		                socket.SOL_SOCKET, socket.SO_SNDBUF, 1),
		            before=("strace", "-qq", "-o", os.devnull, "-e",
		                    "inject=pread64:error=EIO:when=2"))
		c.send(get("/first") + get("/second"))
		c.check_ended("ok", "send-timeout")
	EOP
}

@test "where room is reported and there is none, and where input is, the process does not spin" {
	talk <<-'EOP'
		trace = os.path.join(TMP, "trace")
		def polls():
		    with open(trace) as file:
		        return sum("poll(" in line for line in file)
		for call in ("sendfile", "sendto"):
		    c = Handler("--send-timeout=2", root=site(large=MiB), before=(
		        "strace", "-f", "-qq", "-o", trace, "-e", "trace=/poll,sendfile,sendto",
		        "-e", f"inject={call}:error=EAGAIN"))
		    c.send(get("/large"))
		    c.check_ended("send-timeout")
		    check_within(call + ": polls", polls(), 10, 500)
		c = Handler("--head-timeout=2", before=(
		    "strace", "-f", "-qq", "-o", trace, "-e", "trace=/poll,recvfrom",
		    "-e", "inject=recvfrom:error=EAGAIN:when=2+"))
		c.send(b"GET / HT")
		# What arrives later is what poll reports and is not there.
		for _ in range(3000):
		    with open(trace) as file:
		        if "GET / HT" in file.read():
		            break
		    time.sleep(0.01)
		c.send(b"TP/1.1")
		c.wait()
		check("exit", c.exit, 0)
		check("tokens", c.tokens(), ["head-timeout"])
		check_within("polls for input", polls(), 10, 500)
	EOP
}

@test "a response that nobody takes does not outlive the process that sent it" {
	# What a connection that has been closed still owes is the system's, which
	# keeps it for minutes.
	talk <<-'EOP'
		close = get("/large", "Connection: close")
		def owed(port):
		    lines = subprocess.run(["ss", "-Htan", f"sport = :{port} or dport = :{port}"],
		        capture_output=True, text=True, check=True).stdout.splitlines()
		    return sum(int(line.split()[2]) for line in lines)
		for what, request, half_close in (("close", close, False), ("close, and no more", close, True),
		                                  ("the end", get("/large"), True)):
		    c = Handler("--send-timeout=1.5", root=site(large=3 * MiB // 2),
		                pair=tcp_pair(receive_buffer=4096))
		    port = c.sock.getsockname()[1]
		    c.send(request)
		    if half_close:
		        c.half_close()
		    # All of it fits the buffer of the socket, so it is logged as sent.
		    c.check_ended("ok")
		    check_within(what + ": seconds", c.ended - c.started, 1.4, 15)
		    check(what + ": bytes that the system keeps", owed(port), 0)
		    c.sock.close()
	EOP
}

@test "a response that is taken slowly, but fast enough, is taken whole before the process ends" {
	talk <<-'EOP'
		for half_close in (False, True):
		    c = Handler("--send-timeout=1", root=site(large=3 * MiB // 2),
		                pair=tcp_pair(receive_buffer=4096))
		    c.send(get("/large", "Connection: close"))
		    if half_close:
		        c.half_close()
		    c.read_head()
		    left = 3 * MiB // 2
		    while left > 128 * 1024:
		        left -= len(c.sock.recv(32 * 1024))
		        time.sleep(0.005)
		        if left > MiB:
		            check("is running", c.is_running(), True)
		    c.discard(left)
		    check("the end", c.sock.recv(1), b"")
		    c.sock.close()
		    c.check_ended("ok")
	EOP
}
