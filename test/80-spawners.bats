#!/usr/bin/env bats
# The same requests under every real spawner, and what a spawner can get wrong.
# shellcheck disable=SC2154  # spawn.bash sets what is not set here

load lib
load spawn

setup_file() {
	load lib
	load spawn
	unpack_spawners
}

teardown() {
	unspawn
}

# A visit: what a browser asks and more, over several connections.  Each is
# read to its end, so that no byte that is no answer stays unseen.  Where the
# spawner relays the bytes, the time that it takes is its own.
visit() {
	talk "$@" <<-'EOP'
		silent = connect()
		index, small = content_of("index.html"), content_of("result.html")
		large = content_of("a/2.jpg")

		c = connect()
		answer = c.ask("/")
		check("status of /", answer.status, 200)
		check("type of /", answer.fields["content-type"], "text/html; charset=utf-8")
		check("Connection of /", answer.fields["connection"], "keep-alive")
		check("content of /", answer.content, index)
		check("on the same connection", c.ask("/favicon.ico").content,
		      content_of("favicon.ico"))
		check("a large file", c.ask("/a/2.jpg").content, large)
		check("HEAD", c.ask("/", method="HEAD").length, len(index))

		relayed = sys.argv[1] in ("ncat", "socat-relay")
		begun = now()
		for _ in range(10 if relayed else 100):
		    check("small, one by one", c.ask("/result.html").content, small)
		    check("large, one by one", c.ask("/a/2.jpg").content, large)
		# One delayed acknowledgement takes 40 ms, 200 of them 8 s.
		check_within("seconds for 200 requests", now() - begun, 0,
		             99 if relayed else 4)

		c.send(get("/result.html") + get("/", method="HEAD") + get("/a/2.jpg"))
		check("the first in a pipeline", c.answer().content, small)
		check("the second", c.answer(head_only=True).length, len(index))
		asked = now()
		check("the third", c.answer().content, large)
		c.check_end()
		check_within("seconds until the idle end", now() - asked, 0.9, 5)

		c = connect()
		answer = c.ask("/a/7.jpg")
		check("status of what is not there", answer.status, 404)
		check("its Connection", answer.fields["connection"], "close")
		c.check_end()

		c = connect()
		answer = c.ask("/redirect")
		check("status of the redirect", answer.status, 301)
		check("its Location", answer.fields["location"], "/result.html")
		check("its Connection", answer.fields["connection"], "close")
		c.check_end()

		c = connect()
		answer = c.ask("/a/2.jpg", "Connection: close")
		check("the large file, then close", answer.content, large)
		check("its Connection", answer.fields["connection"], "close")
		c.check_end()

		several = [connect() for _ in range(6)]
		for c in several:
		    c.send(get("/a/2.jpg", "Connection: close"))
		for c in several:
		    check("large, six at once", c.answer().content, large)
		    c.check_end()

		silent.check_end("an answer to nothing")
	EOP
}

# visited LOG_START SPAWNER [-6 | -u]: a visit under the spawner; its log lines
# start with LOG_START.
visited() {
	local log_start=$1
	shift
	spawn "$@" "$HTTPD" "$FILES"
	visit "$1"
	wait_for_line "$spawn_log" \
		"^$log_start - - \[.*\] \"GET / HTTP/1\.1\" 200 [0-9]* \"-\" \"-\" \"ok\"\$"
	wait_for_line "$spawn_log" \
		"^$log_start - - .* \"GET /a/7\.jpg HTTP/1\.1\" 404 .* \"not-found\"\$"
	# Nothing but lines of the log was said.
	run grep "httpd: .*httpd:\|internal error\|cannot" "$spawn_log"
	assert_output ''
}

@test "under tcpserver, a visit is answered" {
	visited 127.0.0.1 tcpserver
}

@test "under tcpsvd, a visit is answered" {
	visited 127.0.0.1 tcpsvd
}

@test "under socat that passes the connection, a visit is answered" {
	visited 127.0.0.1 socat
}

@test "under socat that relays the connection, a visit is answered" {
	visited unix: socat-relay
}

@test "under ncat, a visit is answered" {
	visited - ncat
}

@test "under xinetd, a visit is answered, and the log goes to syslog" {
	visited '<30>httpd: 127.0.0.1' xinetd
}

@test "under inetd, a visit is answered, and the log goes to syslog" {
	visited '<30>httpd: 127.0.0.1' inetd
}

@test "under systemd-socket-activate that passes by LISTEN_FDS, a visit is answered" {
	visited 127.0.0.1 activate-fds
}

@test "under systemd-socket-activate --inetd, a visit is answered" {
	visited 127.0.0.1 activate-inetd
}

@test "over IPv6 under socat, a visit is answered" {
	visited ::1 socat -6
}

@test "over IPv6 under ncat, a visit is answered" {
	visited - ncat -6
}

@test "over IPv6 under xinetd, a visit is answered" {
	visited '<30>httpd: ::1' xinetd -6
}

@test "over IPv6 under inetd, a visit is answered" {
	visited '<30>httpd: ::1' inetd -6
}

@test "over IPv6 under systemd-socket-activate by LISTEN_FDS, a visit is answered" {
	visited ::1 activate-fds -6
}

@test "over IPv6 under systemd-socket-activate --inetd, a visit is answered" {
	visited ::1 activate-inetd -6
}

@test "on a Unix socket under socat, a visit is answered" {
	visited unix: socat -u
}

@test "on a Unix socket under systemd-socket-activate by LISTEN_FDS, a visit is answered" {
	visited unix: activate-fds -u
}

@test "on a Unix socket under systemd-socket-activate --inetd, a visit is answered" {
	visited unix: activate-inetd -u
}

@test "an IPv4 client of an IPv6 socket is logged by its IPv4 address" {
	talk <<-'EOP'
		listener = socket.socket(socket.AF_INET6)
		listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
		listener.bind(("::", 0))
		listener.listen(1)
		client = socket.create_connection(("127.0.0.1", listener.getsockname()[1]))
		c = Handler(pair=(client, listener.accept()[0]))
		c.ask("/", "Connection: close")
		c.wait()
		check("the client in the log", c.log()[0].split(" ")[0], "127.0.0.1")
	EOP
}

@test "under every spawner, only the program's own descriptors are open" {
	local name
	for name in tcpserver tcpsvd socat socat-relay ncat xinetd inetd activate-fds \
		activate-inetd; do
		spawn "$name" "$HTTPD" --timeout=20 "$FILES"
		talk "$name" "$spawner" <<-'EOP'
			name, spawner = sys.argv[1:]

			def descendants(pid):
			    with open(f"/proc/{pid}/task/{pid}/children") as children:
			        for child in children.read().split():
			            yield child
			            yield from descendants(child)

			c = connect()
			check("status", c.ask("/result.html").status, 200)
			pid, = [p for p in descendants(spawner)
			        if os.readlink(f"/proc/{p}/exe") == HTTPD]
			# Beside standard input, output and error it is the root; where
			# standard error is the client, it is syslog's socket as well.
			wanted = {"0", "1", "2", "3"}
			if name in ("xinetd", "inetd"):
			    wanted.add("4")
			end = now() + 10
			# The file that was sent is closed a moment later.
			while (got := set(os.listdir(f"/proc/{pid}/fd"))) != wanted and now() < end:
			    time.sleep(0.01)
			check(f"descriptors under {name}", sorted(got), sorted(wanted))
			c.half_close()
			c.check_end()
		EOP
		unspawn
	done
}

# refused SPAWNER: what an operator got wrong is said to him and never to the
# client, which gets a plain 503 if it asks, and else nothing.
refused() {
	local recorder=$BATS_TEST_TMPDIR/record-exit
	local status=$BATS_TEST_TMPDIR/status said='httpd: '
	printf '#!/bin/sh\n"$@"\necho "died with code $?" >>%s\n' "$status" >"$recorder"
	chmod 755 "$recorder"
	case $1 in
	xinetd | inetd)	said='<27>httpd: ' ;;
	esac
	: >"$status"

	refused_for "$1" 66 "${said}the directory '/no/such/place' cannot be served: No such file or directory" \
		--timeout=0.3 /no/such/place
	refused_for "$1" 64 "${said}unknown option '--no-such'; see httpd --help" \
		--no-such "$FILES"
}

# refused_for SPAWNER STATUS SENTENCE WORD...
refused_for() {
	local spawner_name=$1 wanted=$2 sentence=$3
	shift 3
	if [ "$spawner_name" = activate-fds ]; then
		# A program between the two would have another process's id than
		# LISTEN_PID says; this spawner tells the exit status itself.
		spawn activate-fds "$HTTPD" "$@"
		status=$spawn_log
	else
		spawn "$spawner_name" "$recorder" "$HTTPD" "$@"
	fi
	talk <<-'EOP'
		silent = connect()
		c = connect()
		answer = c.ask("/")
		check("status", answer.status, 503)
		check("Connection", answer.fields["connection"], "close")
		check("type", answer.fields["content-type"], "text/html; charset=utf-8")
		for word in b"httpd", b"directory", b"option":
		    check("operator's words in the content", word in answer.content, False)
		c.check_end()
		silent.check_end("an answer to nothing")
	EOP
	wait_for_line "$spawn_log" "^$sentence\$"
	wait_for_line "$status" "died with code $wanted\$"
	unspawn
}

@test "under tcpserver, an operator's error is a 503 for the client" {
	refused tcpserver
}

@test "under tcpsvd, an operator's error is a 503 for the client" {
	refused tcpsvd
}

@test "under socat, an operator's error is a 503 for the client" {
	refused socat
	refused socat-relay
}

@test "under ncat, an operator's error is a 503 for the client" {
	refused ncat
}

@test "under xinetd, an operator's error goes to syslog, and is a 503 for the client" {
	refused xinetd
}

@test "under inetd, an operator's error goes to syslog, and is a 503 for the client" {
	refused inetd
}

@test "under systemd-socket-activate, an operator's error is a 503 for the client" {
	refused activate-inetd
	refused activate-fds
}

@test "under xinetd and inetd without a syslog, no line reaches the client" {
	local name
	for name in xinetd inetd; do
		spawn "$name" "$HTTPD" "$FILES"
		kill "$log_listener"
		rm "$spawn_dir/dev/log"
		talk <<-'EOP'
			c = connect()
			check("status", c.ask("/").status, 200)
			check("status", c.ask("/a/7.jpg").status, 404)
			c.check_end()
		EOP
		unspawn
	done
}

@test "HTTPD_OPTIONS in the environment of the spawner is honoured" {
	local name
	for name in tcpserver activate-fds activate-inetd; do
		HTTPD_OPTIONS="$HTTPD_OPTIONS --timeout=20 --max-requests=2" spawn "$name" "$HTTPD" "$FILES"
		talk <<-'EOP'
			c = connect()
			check("first", c.ask("/").fields["connection"], "keep-alive")
			check("second", c.ask("/").fields["connection"], "close")
			c.half_close()
			c.check_end()
		EOP
		unspawn
	done
}

# Standard input and output that are no connection.

one='GET /result.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'

@test "pipes: printf, httpd and a reader" {
	printf '%b' "$one" | "$HTTPD" "$FILES" 2>"$BATS_TEST_TMPDIR/log" |
		cat >"$BATS_TEST_TMPDIR/answer"
	sed '1,/^\r$/d' "$BATS_TEST_TMPDIR/answer" | cmp - "$FILES/result.html"
	run cat "$BATS_TEST_TMPDIR/log"
	assert_output --regexp '^- - - \[.*"ok"$'
}

@test "files: requests from one, answers to the other" {
	cd "$BATS_TEST_TMPDIR"
	printf '%b' "GET /a/2.jpg HTTP/1.1\r\nHost: x\r\n\r\n$one" >requests
	"$HTTPD" "$FILES" <requests >answers 2>log
	{ sed -n '1,/^\r$/p' answers | grep -a '^HTTP/1.1 200 OK'; } >/dev/null
	tail -c "$(stat -c %s "$FILES/result.html")" answers | cmp - "$FILES/result.html"
	run grep -c '"ok"$' log
	assert_output 2
	size=$(sed '1,/^\r$/d' answers | head -c "$(stat -c %s "$FILES/a/2.jpg")" |
		cmp - "$FILES/a/2.jpg" && echo same)
	assert_equal "$size" same
}

@test "a large file goes whole through a pipe whose reader is slow to start" {
	cd "$BATS_TEST_TMPDIR"
	printf '%b' 'GET /a/5.jpg HTTP/1.1\r\nHost: x\r\n\r\n' | "$HTTPD" "$FILES" 2>log | {
		read -r line
		sleep 0.2
		printf '%s\n' "$line"
		cat
	} | sed '1,/^\r$/d' | cmp - "$FILES/a/5.jpg"
}

@test "answers to /dev/full and requests from /dev/null end at once and quietly" {
	run bash -c 'printf "%b" "$1" | "$2" "$3" >/dev/full' - "$one" "$HTTPD" "$FILES"
	assert_success
	assert_output --partial '"client-gone"'
	run bash -c '"$1" "$2" </dev/null' - "$HTTPD" "$FILES"
	assert_success
	assert_output ''
}

@test "standard input that is closed is an error" {
	# Standard output is another pipe than standard error: a line on the latter
	# would not reach the client.
	run bash -c '"$1" "$2" <&- 2>&1 >/dev/null' - "$HTTPD" "$FILES"
	assert_failure 71
	assert_output 'httpd: standard input or output is not open: Bad file descriptor'
}

@test "standard output that is closed is an error" {
	run bash -c 'printf "%b" "$1" | "$2" "$3" >&-' - "$one" "$HTTPD" "$FILES"
	assert_failure 71
	assert_output 'httpd: standard input or output is not open: Bad file descriptor'
}

@test "with standard error closed, requests are answered, and the log goes to syslog" {
	make_own_dev "$BATS_TEST_TMPDIR"
	printf '%b' "$one" >"$BATS_TEST_TMPDIR/requests"
	"${in_own_dev[@]}" "$HTTPD" "$FILES" <"$BATS_TEST_TMPDIR/requests" \
		>"$BATS_TEST_TMPDIR/answer" 2>&-
	sed '1,/^\r$/d' "$BATS_TEST_TMPDIR/answer" | cmp - "$FILES/result.html"
	wait_for_line "$BATS_TEST_TMPDIR/log" '^<30>httpd: - - - .*"GET /result.html HTTP/1.1" 200'
}

@test "with all three closed, nothing is served and nothing breaks" {
	run bash -c '"$1" "$2" <&- >&- 2>&-' - "$HTTPD" "$FILES"
	assert_failure 71
	assert_output ''
}

@test "standard error that is the pipe to the client gets no line" {
	make_own_dev "$BATS_TEST_TMPDIR"
	printf '%b' "$one" | "${in_own_dev[@]}" "$HTTPD" "$FILES" 2>&1 |
		cat >"$BATS_TEST_TMPDIR/answer"
	sed '1,/^\r$/d' "$BATS_TEST_TMPDIR/answer" | cmp - "$FILES/result.html"
	wait_for_line "$BATS_TEST_TMPDIR/log" '^<30>httpd: - - - .*"ok"$'
}

# What LISTEN_FDS can hold.

@test "from-listen-fds makes the connection standard input and output, and hides how it came" {
	talk "$BUILD/from-listen-fds" <<-'EOP'
		program = """if True:
		    import os, sys
		    sys.stderr.write(repr((os.path.sameopenfile(0, 1),
		        os.path.exists("/proc/self/fd/3"),
		        [name for name in os.environ if name.startswith("LISTEN_")])))
		    os.write(1, b"hello " + os.read(0, 100))
		"""
		client, accepted = tcp_pair()
		client.sendall(b"world")
		status, out, err = run_with_sockets([accepted],
		    [sys.argv[1], sys.executable, "-c", program])
		accepted.close()
		check("exit", status, 0)
		check("what the client got", Client(client).read_to_end(), b"hello world")
		check("0 and 1 the same, 3 open, LISTEN_...", err, "(True, False, [])")
	EOP
}

@test "from-listen-fds passes on nothing but the connection and standard error" {
	talk "$BUILD/from-listen-fds" <<-'EOP'
		list = "import os; os.write(2, repr(sorted(os.listdir('/proc/self/fd'))).encode())"
		# 3 is the list itself.
		for fault, wanted in (
		        ([], (0, "['0', '1', '2', '3']")),
		        (["-e", "inject=close_range:error=EPERM"], (0, "['0', '1', '2', '3']")),
		        (["-e", "inject=close_range:error=ENOSYS",
		          "-e", "inject=getdents64:error=EIO"],
		         (71, "from-listen-fds: inherited descriptors cannot be closed without "
		              "/proc/self/fd: Input/output error\n"))):
		    client, accepted = tcp_pair()
		    words = [sys.argv[1], sys.executable, "-c", list]
		    if fault:
		        # LISTEN_PID names the process that strace traces.
		        words = ["strace", "-DDqq", "-o", "/dev/null",
		                 "-e", "trace=close_range,getdents64", *fault, *words]
		    words = ["bash", "-c", 'exec 8</etc/shadow 700</etc/shadow; exec "$@"',
		             "-", *words]
		    status, out, err = run_with_sockets([accepted], words)
		    check(f"exit and standard error with {fault}", (status, err), wanted)
	EOP
}

# passed WANTED_STATUS SENTENCE SOCKETS [CLAIMED]: SOCKETS is a Python list.
passed() {
	talk "$BUILD/from-listen-fds" "$@" <<-'EOP'
		program, wanted, sentence, sockets, *claimed = sys.argv[1:]
		def listening():
		    s = socket.socket()
		    s.bind(("127.0.0.1", 0))
		    s.listen(1)
		    return s
		def connection():
		    connection.clients = getattr(connection, "clients", [])
		    client, accepted = tcp_pair()
		    connection.clients.append(client)
		    return accepted
		status, out, err = run_with_sockets(eval(sockets), [program, "echo", "ran"],
		    *claimed)
		check("standard error", err, f"from-listen-fds: {sentence}\n")
		check("exit", status, int(wanted))
		check("standard output", out, "")
	EOP
}

@test "a listening socket passed by LISTEN_FDS is an error of configuration" {
	passed 78 'a listening socket was passed; the socket unit needs Accept=yes' \
		'[listening()]'
}

@test "two connections passed by LISTEN_FDS are an error" {
	passed 64 'more than one descriptor was passed by LISTEN_FDS; one connection is wanted' \
		'[connection(), connection()]'
}

@test "no socket passed by LISTEN_FDS is an error" {
	run "$BUILD/from-listen-fds" echo ran
	assert_failure 64
	assert_output 'from-listen-fds: no connection was passed by LISTEN_FDS'
}

@test "something else than a stream socket passed by LISTEN_FDS is an error" {
	passed 64 'the passed descriptor is no stream socket' \
		'[socket.socket(type=socket.SOCK_DGRAM)]'
	passed 64 'the passed descriptor is no stream socket' '[open("/dev/null")]'
}

@test "a LISTEN_FDS that does not say what is there is an error" {
	passed 71 'LISTEN_FDS is invalid: Bad file descriptor' '[]' 1
	passed 71 'LISTEN_FDS is invalid: Invalid argument' '[connection()]' 0
	passed 71 'LISTEN_FDS is invalid: Invalid argument' '[connection()]' many
}

@test "sockets passed to another process are none of ours" {
	run env LISTEN_PID=1 LISTEN_FDS=1 "$BUILD/from-listen-fds" echo ran
	assert_failure 64
	assert_output 'from-listen-fds: no connection was passed by LISTEN_FDS'
	ask "$one" "$FILES"
	LISTEN_PID=1 LISTEN_FDS=1 ask "$one" "$FILES"
	assert_status 200 ok
}

@test "from-listen-fds says what is wrong with its command line" {
	run "$BUILD/from-listen-fds"
	assert_failure 64
	assert_output 'from-listen-fds: the program to become is missing; see from-listen-fds --help'
	run "$BUILD/from-listen-fds" --help
	assert_success
	assert_line --index 0 'Usage: from-listen-fds PROGRAM [ARGUMENT]...'
	run "$BUILD/from-listen-fds" --version
	assert_success
	assert_output --regexp '^from-listen-fds [0-9]+\.[0-9]+'
}

@test "a program that from-listen-fds cannot find is an error" {
	talk "$BUILD/from-listen-fds" <<-'EOP'
		client, accepted = tcp_pair()
		got = run_with_sockets([accepted], [sys.argv[1], "/no/such/program"])
		check("exit, output, error", got, (69, "",
		      "from-listen-fds: /no/such/program: No such file or directory\n"))
	EOP
}

start_activate_listening() {
	in_background systemd-socket-activate -l "$HOST:$port" "$@"
}

start_activate_two() {
	in_background systemd-socket-activate -l "$HOST:$port" \
		-l "$BATS_TEST_TMPDIR/second" "$@"
}

@test "a spawner that passes what it listens on gets a clear error from httpd" {
	local status name sentence
	for name in listening two; do
		spawn "activate-$name" "$HTTPD" "$FILES"
		talk <<-'EOP'
			try:
			    connect().check_end()
			except ConnectionResetError:
			    pass  # it still waited to be accepted
		EOP
		status=0
		wait "$spawner" || status=$?
		spawner=''
		case $name in
		listening)
			assert_equal "$status" 78
			sentence='a listening socket was passed; the socket unit needs Accept=yes'
			;;
		two)
			assert_equal "$status" 64
			sentence='more than one descriptor was passed by LISTEN_FDS; one connection is wanted'
			;;
		esac
		run cat "$spawn_log"
		assert_line "from-listen-fds: $sentence"
	done
}

@test "a listening socket as standard input is an error of configuration" {
	talk "${HTTPD%/*}/upper" <<-'EOP'
		import itertools
		sentence = ("standard input is a listening socket; an accepted connection is "
		            "expected: Accept=yes for systemd, wait = no for xinetd, nowait for "
		            "inetd")

		def listening(family):
		    s = socket.socket(family)
		    s.bind("" if family == socket.AF_UNIX else
		           ("127.0.0.1", 0) if family == socket.AF_INET else ("::1", 0))
		    s.listen(1)
		    return s

		# The first of the options serves an empty log, too.
		for family, blocking, client, (program, *options) in itertools.product(
		        (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX), (True, False),
		        (False, True),
		        ([HTTPD, FILES], [HTTPD, "--log=none", FILES],
		         [HTTPD, "--max-life=5", FILES], [HTTPD, "--sandbox=off", FILES],
		         [sys.argv[1]], [sys.argv[1], "--log=none"])):
		    s = listening(family)
		    s.setblocking(blocking)
		    if client:
		        c = socket.socket(family)
		        c.connect(s.getsockname())
		        c.sendall(get("/"))
		    done = subprocess.run([program, *options], stdin=s, stdout=s,
		                          stderr=subprocess.PIPE, timeout=60)
		    name = os.path.basename(program)
		    check(f"exit and the last line of {name} {options}, {family}",
		          (done.returncode, done.stderr.decode().splitlines()[-1:]),
		          (78, [f"{name}: {sentence}"]))
		    if client:
		        check("the next client in the queue is still there",
		              s.accept()[0].recv(9), b"GET / HTT")
		        c.close()
		    s.close()
	EOP
}

@test "a connection that is reset before the first request is not taken for a listening socket" {
	talk <<-'EOP'
		for options in [], ["--log=none"], ["--max-life=5"]:
		    client, accepted = tcp_pair()
		    Client(client).reset()
		    done = subprocess.run([HTTPD, *options, FILES], stdin=accepted,
		                          stdout=accepted, stderr=subprocess.PIPE)
		    check("exit and log", (done.returncode, done.stderr), (0, b""))
	EOP
}

@test "httpd without from-listen-fds beside it says so when it is needed" {
	mkdir "$BATS_TEST_TMPDIR/alone"
	cp "$HTTPD" "$BATS_TEST_TMPDIR/alone/httpd"
	spawn activate-fds "$BATS_TEST_TMPDIR/alone/httpd" "$FILES"
	talk <<-'EOP'
		connect().check_end()
	EOP
	wait_for_line "$spawn_log" \
		"^httpd: .*/alone/from-listen-fds cannot be started: No such file or directory\$"
	wait_for_line "$spawn_log" 'died with code 69$'
}

@test "more arguments than httpd hands over are an error, not a loss" {
	# shellcheck disable=SC2046  # each number is an argument
	spawn activate-fds "$HTTPD" $(seq 300)
	talk <<-'EOP'
		connect().check_end()
	EOP
	wait_for_line "$spawn_log" '^httpd: there are too many arguments$'
	wait_for_line "$spawn_log" 'died with code 64$'
}
