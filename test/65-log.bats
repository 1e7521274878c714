# The access log: one line a request, and no more than a line.

load lib
load spawn
bats_require_minimum_version 1.5.0

teardown() {
	[ -z "${log_listener:-}" ] || kill -CONT "$log_listener"
	unspawn
}

@test "a line is Combined Log Format with the verdict behind it" {
	ask 'GET /?x=1 HTTP/1.1\r\nHost: x\r\nReferer: http://here/\r\nUser-Agent: test/1\r\n\r\n' "$FILES"
	assert_regex "$log" '^- - - \[[0-3][0-9]/[A-Z][a-z][a-z]/2[0-9]{3}:[0-2][0-9]:[0-5][0-9]:[0-6][0-9] \+0000\] "GET /\?x=1 HTTP/1\.1" 200 [0-9]+ "http://here/" "test/1" "ok"$'
	assert_regex "$log" " 200 $(wc -c <"$FILES/index.html") "
}

@test "what a request does not say is a dash" {
	get / "$FILES"
	assert_regex "$log" ' "-" "-" "ok"$'
	ask 'HEAD / HTTP/1.1\r\nHost: x\r\n\r\n' "$FILES"
	assert_regex "$log" '"HEAD / HTTP/1\.1" 200 - "-" "-" "ok"$'
}

@test "--log=none logs no request" {
	get / --log=none "$FILES"
	assert_equal "$log" ''
	assert_equal "$code" 200
}

@test "quotes, backslashes, control bytes and bytes above ASCII are escaped" {
	ask 'GET /?"\\ü HTTP/1.1\r\nHost: x\r\nReferer: "\\\t\r\nUser-Agent: \xff\x80a\r\n\r\n' "$FILES"
	assert_status 200 ok
	assert_regex "$log" '"GET /\?\\"\\\\\\xc3\\xbc HTTP/1\.1" 200 [0-9]+ "\\"\\\\" "\\xff\\x80a" "ok"$'
}

@test "a refused request's control bytes are escaped, and it is one line" {
	ask 'GET /\x1b[31m\x00\x07 HTTP/1.1\r\nHost: x\r\n\r\n' "$FILES"
	assert_status 400 bad-target
	assert_regex "$log" '"GET /\\x1b\[31m\\x00\\x07 HTTP/1\.1" 400'
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 1
}

@test "no line is longer than a pipe takes at once" {
	local long
	long=$(printf '%5000s' '' | tr ' ' '"')
	ask "GET /?$long HTTP/1.1\r\nHost: x\r\nReferer: $long\r\nUser-Agent: $long\r\n\r\n" "$FILES"
	assert_status 200 ok
	[ "$(wc -c <"$BATS_TEST_TMPDIR/log")" -le 4096 ]
	assert_regex "$log" '\.\.\." 200 .*\.\.\." ".*\.\.\." "ok"$'
}

@test "lines of answers that leave together are written together, before these, and in order" {
	local i requests=''
	for ((i = 1; i <= 100; i++)); do
		requests+="GET /?$i HTTP/1.1\r\nHost: x\r\n\r\n"
	done
	# shellcheck disable=SC2059  # It has escapes.
	printf "$requests" >"$BATS_TEST_TMPDIR/requests"
	mkdir "$BATS_TEST_TMPDIR/tree"
	echo small >"$BATS_TEST_TMPDIR/tree/index.html"
	strace -qq -s 9999 -o "$BATS_TEST_TMPDIR/calls" -e trace=write \
		"$HTTPD" --allow-root "$BATS_TEST_TMPDIR/tree" \
		<"$BATS_TEST_TMPDIR/requests" >/dev/null 2>"$BATS_TEST_TMPDIR/log"
	run sed 's/.*"GET \/?\([0-9]*\) HTTP.*/\1/' "$BATS_TEST_TMPDIR/log"
	assert_output "$(seq 100)"

	run grep '^write(2,' "$BATS_TEST_TMPDIR/calls"
	printf '%s writes of lines for %s answers\n' "${#lines[@]}" 100
	[ "${#lines[@]}" -lt 20 ]
	# Whole lines, and no more than a pipe takes at once.
	refute_line --regexp '[^n]", [0-9]+\) += '
	run awk '/^write\(2,/ && $NF > 4096' "$BATS_TEST_TMPDIR/calls"
	assert_output ''
	# A status line may be in two writes.
	run awk '/^write\(2,/ { logged += gsub(/GET/, "") }
		/^write\(1,/ { sub(/^write\(1, "/, ""); sub(/", [0-9]+\) += [0-9]+$/, "")
			all = all $0; sent = split(all, parts, /HTTP.1\.1 200/) - 1 }
		sent > logged + 1 { print sent, "sent,", logged, "logged" }
		END { print sent }' "$BATS_TEST_TMPDIR/calls"
	assert_output 100
}

@test "a sentence for the operator stands between the lines where it belongs" {
	mkdir "$BATS_TEST_TMPDIR/tree"
	echo small >"$BATS_TEST_TMPDIR/tree/index.html"
	echo bad >"$BATS_TEST_TMPDIR/tree/_redirects"
	local request requests=''
	for request in '/?1' /none '/?2'; do
		requests+="GET $request HTTP/1.1\r\nHost: x\r\n\r\n"
	done
	ask "$requests" --persist=always "$BATS_TEST_TMPDIR/tree"
	run sed 's/.*"GET \([^ ]*\) .*/\1/; s/\(_redirects:1\):.*/\1/' "$BATS_TEST_TMPDIR/log"
	assert_output '/?1
httpd: _redirects:1
/none
/?2'
}

@test "a request cut short is logged with what there was of it" {
	ask 'GET /cut' "$FILES"
	assert_status 400 head-cut-short
	assert_regex "$log" '"GET /cut" 400'
}

@test "a log that may not grow any more costs no answer" {
	# shellcheck disable=SC2016  # it is for the inner shell to expand
	run -0 bash -c '
		ulimit -f 1
		printf "GET / HTTP/1.1\r\nHost: x\r\n\r\n%.0s" {1..30} |
			"$1" "$2" 2>"$3" | grep -ac "^HTTP/1.1 200"
		exit "${PIPESTATUS[1]}"' bash "$HTTPD" "$FILES" "$BATS_TEST_TMPDIR/log"
	assert_output 30
	assert_equal "$(stat -c %s "$BATS_TEST_TMPDIR/log")" 1024
}

@test "a full disk under the log does not stop the answer" {
	exit=0
	printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' | "$HTTPD" "$FILES" \
		>"$BATS_TEST_TMPDIR/answer" 2>/dev/full || exit=$?
	assert_equal "$exit" 0
	run head -1 "$BATS_TEST_TMPDIR/answer"
	assert_output "$(printf 'HTTP/1.1 200 OK\r')"
}

@test "syslog is waited for as other readers are" {
	local wanted tries
	# More than its socket holds.
	wanted=$(($(cat /proc/sys/net/unix/max_dgram_qlen) + 20))
	make_own_dev "$BATS_TEST_TMPDIR"
	kill -STOP "$log_listener"
	talk "$log_listener" "$wanted" "${in_own_dev[@]}" <<-'EOP'
		listener, wanted, *own_dev = sys.argv[1:]
		wanted = int(wanted)
		pair = tcp_pair()
		pair[0].sendall(get("/") * wanted)
		# Standard error is the client, so syslog is told.
		c = Handler("--timeout=20", pair=pair, before=[
		    *own_dev, "sh", "-c", 'exec "$@" 2>&1', "sh"])
		asleep = f"{c.process.pid} (httpd) S"
		while not content_of(f"/proc/{c.process.pid}/stat").startswith(
		        asleep.encode()):
		    time.sleep(0.01)
		os.kill(int(listener), signal.SIGCONT)
		for _ in range(wanted):
		    check("status", c.answer().status, 200)
		c.half_close()
		c.check_end()
	EOP
	# All is sent, and may not be written yet.
	for ((tries = 0; tries < 1000; tries++)); do
		[ "$(wc -l <"$BATS_TEST_TMPDIR/log")" -lt "$wanted" ] || break
		sleep 0.01
	done
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" "$wanted"
}

@test "who reads the log again is waited for again" {
	talk <<-'EOP'
		import threading
		reader, writer = socket.socketpair()
		writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1)
		reader.setblocking(False)
		client, accepted = tcp_pair()
		process = subprocess.Popen([HTTPD, "--timeout=20", FILES],
		                           stdin=accepted, stdout=accepted,
		                           stderr=writer)
		accepted.close()
		c = Client(client)

		def read_lines(target):
		    lines = 0
		    while True:
		        try:
		            lines += reader.recv(65536).count(target)
		        except BlockingIOError:
		            return lines

		for _ in range(40):
		    check("status", c.ask("/").status, 200)
		check_within("lines that nobody read", read_lines(b" / "), 1, 38)
		while read_lines(b" / ") == 0:
		    check("status", c.ask("/").status, 200)

		# Slow from here on, but not as slow as to lose any.
		lines = 0
		ended = threading.Event()

		def read_slowly():
		    global lines
		    while not ended.wait(0.2):
		        lines += read_lines(b" /result.html ")

		slow = threading.Thread(target=read_slowly)
		slow.start()
		for _ in range(40):
		    check("status", c.ask("/result.html").status, 200)
		c.half_close()
		c.check_end()
		process.wait()
		ended.set()
		slow.join()
		check("lines", lines + read_lines(b" /result.html "), 40)
	EOP
}

# The journal is such a reader.  poll() reports no room in a stream socket until
# three quarters of its buffer are free, which takes this one over a second.
@test "a socket that is read slowly but steadily gets every line" {
	talk <<-'EOP'
		import threading
		reader, writer = socket.socketpair()
		client, accepted = tcp_pair()
		process = subprocess.Popen([HTTPD, "--timeout=60", FILES],
		                           stdin=accepted, stdout=accepted,
		                           stderr=writer)
		accepted.close()
		writer.close()
		lines = 0

		def read_slowly():
		    global lines
		    while received := reader.recv(4096):
		        lines += received.count(b"\n")
		        time.sleep(0.05)

		slow = threading.Thread(target=read_slowly)
		slow.start()
		c = Client(client)
		c.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" * 4000)
		c.half_close()
		while client.recv(65536):
		    pass
		check("exit status", process.wait(), 0)
		slow.join()
		check("lines", lines, 4000)
	EOP
}

@test "a log that nobody reads holds up a client once, not for each of its requests" {
	talk <<-'EOP'
		import fcntl
		client, accepted = tcp_pair()
		reader, writer = os.pipe()
		fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
		os.write(writer, bytes(4096))
		process = subprocess.Popen([HTTPD, FILES], stdin=accepted,
		                           stdout=accepted, stderr=writer)
		c = Client(client)
		c.send(get("/") * 12)
		start = now()
		for _ in range(12):
		    check("status", c.answer().status, 200)
		check_within("seconds", now() - start, 0, 6)
		c.half_close()
		check("exit status", process.wait(), 0)
	EOP
}

@test "the journal gets the operator's sentences at level err, and lines as they are" {
	mkdir "$BATS_TEST_TMPDIR/tree"
	echo bad >"$BATS_TEST_TMPDIR/tree/_redirects"
	talk "$BATS_TEST_TMPDIR/tree" "$BUILD/from-listen-fds" "${HTTPD%/*}/upper" <<-'EOP'
		tree, from_listen_fds, upper = sys.argv[1:]

		def said(words, stream, data=b""):
		    """What arrives at the journal."""
		    journal, stderr = socket.socketpair()
		    stat = os.fstat(stderr.fileno())
		    environment = dict(os.environ)
		    if stream is not None:
		        environment["JOURNAL_STREAM"] = stream.format(stat.st_dev, stat.st_ino)
		    subprocess.run(words, input=data, stderr=stderr, env=environment,
		                   stdout=subprocess.DEVNULL)
		    stderr.close()
		    return Client(journal).read_to_end().decode().splitlines()

		broken = f"httpd: the directory '{tree}/no' cannot be served: No such file or directory"
		for stream, level in (("{0}:{1}", "<3>"), ("{1}:{0}", ""), ("{0}:{1}0", ""),
		                      ("{0}:", ""), ("", ""), (None, "")):
		    check(f"at the start, {stream}", said([HTTPD, tree + "/no"], stream),
		          [level + broken])
		    rule, line = said([HTTPD, tree], stream, get("/none"))
		    check("of a request", rule.startswith(level + "httpd: _redirects:1: "), True)
		    check("a line", line.startswith("- - - ["), True)
		    check("from-listen-fds", said([from_listen_fds, "true"], stream),
		          [level + "from-listen-fds: no connection was passed by LISTEN_FDS"])
		    check("upper", said([upper, "--such"], stream),
		          [level + "upper: unknown option '--such'; see upper --help"])
	EOP
}

# Terminals.  A pair of a master, which is read or not, and a terminal.

# on_terminal [ARG]...: as talk, with what a handler under a terminal needs.
on_terminal() {
	# The user of --user may not reach the sources.
	local -x FILES=$BATS_TEST_TMPDIR/files
	cp -R "$TOP/files" "$FILES"
	let_others_in
	{
		cat <<-'EOP'
			import fcntl, pty, termios, threading

			def terminal(mode=0o600):
			    master, slave = pty.openpty()
			    os.fchmod(slave, mode)
			    return master, slave

			def start(stderr, *options, words=[], take=False, **how):
			    """A handler, and the client's end of its connection."""
			    def prepare():
			        os.setsid()
			        if take:
			            fcntl.ioctl(2, termios.TIOCSCTTY, 0)
			    client, accepted = tcp_pair()
			    process = subprocess.Popen(
			        [*words, HTTPD, "--timeout=20", *options, FILES], stdin=accepted,
			        stdout=accepted, stderr=stderr, preexec_fn=prepare, **how)
			    accepted.close()
			    atexit.register(lambda: process.returncode is None and process.kill())
			    c = Client(client)
			    c.sock.settimeout(20)
			    return process, c

			# What makes a line long.
			LONG = "User-Agent: " + 999 * "x"

			def read_for(master, wanted):
			    """What arrives at the master up to some text."""
			    got = b""
			    while wanted not in got:
			        got += os.read(master, 65536)
			    return got

			def end(process, client):
			    client.half_close()
			    client.check_end()
			    check("exit", process.wait(), 0)
		EOP
		cat
	} | talk "$@"
}

@test "a terminal that nobody reads holds up a client once, not for good" {
	on_terminal <<-'EOP'
		for options in ["--allow-root"], ["--user=nobody"], ["--sandbox=off"]:
		    master, slave = terminal()
		    process, c = start(slave, *options)
		    started = now()
		    for _ in range(100):
		        check("status", c.ask("/result.html", LONG).status, 200)
		    check_within("seconds", now() - started, 0.9, 10)
		    end(process, c)
		    check("O_NONBLOCK of the terminal that others share",
		          fcntl.fcntl(slave, fcntl.F_GETFL) & os.O_NONBLOCK, 0)
	EOP
}

@test "a terminal that is read again gets whole lines again" {
	on_terminal <<-'EOP'
		# A line ends where there is no room, in its middle or before its end.
		for length in range(100, 900, 50):
		    master, slave = terminal()
		    process, c = start(slave)
		    for _ in range(100):
		        c.ask("/result.html", "User-Agent: " + length * "x")
		    os.set_blocking(master, False)
		    got = b""
		    try:
		        while True:
		            got += os.read(master, 65536)
		    except BlockingIOError:
		        pass
		    check_within("lines before nobody read", got.count(b"\n"), 10, 99)
		    os.set_blocking(master, True)
		    c.ask("/redirect")
		    got += read_for(master, b'"redirected"\r\n')
		    *lines, last = got.split(b"\r\n")
		    check("after the last line", last, b"")
		    whole = [line for line in lines
		             if line.endswith((b'"ok"', b'"redirected"'))]
		    check_within("lines that were cut", len(lines) - len(whole), 0, 1)
		    check("requests in a line", {line.count(b'"GET /') for line in whole}, {1})
		    end(process, c)
		    os.close(slave)
		    os.close(master)
	EOP
}

@test "a terminal is written to as whoever started the program, and as its session" {
	let_others_in
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	cp -R "$FILES" "$BATS_TEST_TMPDIR/files"
	chmod -R a+rX "$BATS_TEST_TMPDIR/files"
	cd "$BATS_TEST_TMPDIR"
	HTTPD=./httpd FILES=files on_terminal <<-'EOP'
		def check_both(what, *options, **how):
		    """The log arrives, and nobody is held up where it does not."""
		    master, slave = terminal()
		    process, c = start(slave, *options, **how)
		    c.ask("/result.html", LONG)
		    check(what, b'"ok"' in read_for(master, b"\n"), True)
		    started = now()
		    for _ in range(40):
		        check("status", c.ask("/result.html", LONG).status, 200)
		    check_within("seconds, " + what, now() - started, 0.9, 10)
		    end(process, c)

		check_both("root's terminal, for a user", "--user=nobody")
		check_both("a terminal of another user", words=["setpriv", "--reuid=65534",
		           "--regid=65534", "--clear-groups"], take=True)
	EOP
}

@test "a terminal that cannot be opened is not written to: it is syslog" {
	let_others_in
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	cp -R "$FILES" "$BATS_TEST_TMPDIR/files"
	chmod -R a+rX "$BATS_TEST_TMPDIR/files"
	make_own_dev "$BATS_TEST_TMPDIR"
	chmod 777 "$BATS_TEST_TMPDIR/dev/log"
	HTTPD=$BATS_TEST_TMPDIR/httpd FILES=$BATS_TEST_TMPDIR/files \
		on_terminal "${in_own_dev[@]}" <<-'EOP'
		master, slave = terminal()
		process, c = start(slave, words=[*sys.argv[1:], "setpriv", "--reuid=65534",
		                   "--regid=65534", "--clear-groups"])
		for _ in range(40):
		    check("status", c.ask("/result.html", LONG).status, 200)
		end(process, c)
		os.set_blocking(master, False)
		try:
		    sys.exit(f"wanted: nothing on the terminal\ngot:    {os.read(master, 9999)}")
		except BlockingIOError:
		    pass
	EOP
	wait_for_line "$BATS_TEST_TMPDIR/log" '^<30>httpd: 127\.0\.0\.1 - - .*"ok"$'
}

@test "standard error other than a terminal is not opened again" {
	local to
	for to in /dev/null /dev/full "$BATS_TEST_TMPDIR/log"; do
		strace -qq -o "$BATS_TEST_TMPDIR/calls" "$HTTPD" "$FILES" <<<GET \
			>/dev/null 2>"$to"
		run grep -E 'proc/self/fd/2|/dev/tty|dup2' "$BATS_TEST_TMPDIR/calls"
		assert_output ''
	done
}
