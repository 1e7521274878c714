# What the program says of itself, and what an operator can get wrong.

load lib
load spawn

setup() {
	REQUEST='GET / HTTP/1.1\r\nHost: test\r\n\r\n'
}

# assert_operator_error EXIT SENTENCE: one sentence for the operator, and for
# the client nothing but a plain 503.
assert_operator_error() {
	assert_equal "$exit" "$1"
	assert_equal "$(head -1 "$BATS_TEST_TMPDIR/log")" "$2"
	assert_equal "$code" 503
	assert_equal "$token" misconfigured
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 2
	assert_equal "$(field Connection)" close
	run field Retry-After
	assert_failure
	run content
	refute_output --partial httpd
	# Nothing says that it will be better later.
	assert_output --partial '<p>This site is not set up to answer.</p>'
}

@test "--version names the program and its version" {
	run "$HTTPD" --version
	assert_success
	assert_output --regexp '^httpd [0-9]+\.[0-9]+\.[0-9]+$'
}

@test "--help names every option and goes to standard output" {
	run "$HTTPD" --help
	assert_success
	for option in timeout head-timeout send-timeout persist max-requests log \
		min-rate max-life user allow-root sandbox help version; do
		assert_output --partial "--$option"
	done
}

@test "long and short options are the same" {
	ask "$REQUEST$REQUEST" -n 1 "$FILES"
	assert_equal "$(field Connection)" close
	ask "$REQUEST$REQUEST" --max-requests=1 "$FILES"
	assert_equal "$(field Connection)" close
}

@test "an unknown option is one sentence, 64, and a 503 for the client" {
	ask "$REQUEST" --colour "$FILES"
	assert_operator_error 64 "httpd: unknown option '--colour'; see httpd --help"
}

@test "an unknown short option is named" {
	ask "$REQUEST" -x "$FILES"
	assert_operator_error 64 "httpd: unknown option '-x'; see httpd --help"
}

@test "an option without its value is named" {
	ask "$REQUEST" --timeout
	assert_operator_error 64 "httpd: option '--timeout' needs a value"
}

@test "an invalid value is refused by the name of its option and what was expected" {
	local option wanted values value
	while IFS=$'\t' read -r option wanted values; do
		for value in $values; do
			value=${value#=}
			ask "$REQUEST" "--$option=$value" "$FILES"
			assert_operator_error 64 \
				"httpd: --$option: invalid value '$value' (expected $wanted)"
		done
	done <<'END'
timeout	seconds, 0.001 to 86400	0 -1 1s = . 86401 99999999999999999999 0x10
head-timeout	seconds, 0.001 to 86400	nan
send-timeout	seconds, 0.001 to 86400	1e3
max-life	seconds, 0.001 to 86400, or 0	0.0
max-requests	a number, 0 to 2147483647	-1 1.5 99999999999999999999
max-body	bytes, 0 to 1024M	64G 2000M = K 1.5K -1
min-rate	bytes, 0 to 1024M	fast
user	a user name or UID:GID	=
sandbox	auto|require|off	on
etag	inode|portable	none
variants	auto|any|off	on
persist	ok|always	never
log	none|combined	json
END
}

@test "fractions of a second are accepted" {
	local good
	for good in 0.5 .5 5. 1.25 0.001 86400; do
		ask "$REQUEST" --timeout="$good" "$FILES"
		assert_status 200 ok
	done
}

@test "bytes may be followed by K or M" {
	local good
	for good in 0 1 64k 64K 1M 1024M 1073741824; do
		ask "$REQUEST" --max-body="$good" "$FILES"
		assert_status 200 ok
	done
}

@test "a second directory is refused" {
	ask "$REQUEST" "$FILES" "$FILES/a"
	assert_operator_error 64 "httpd: argument '$FILES/a' is one too many: there is one directory to serve"
}

@test "a missing directory is one sentence, 66, and a 503" {
	ask "$REQUEST" "$BATS_TEST_TMPDIR/none"
	assert_operator_error 66 "httpd: the directory '$BATS_TEST_TMPDIR/none' cannot be served: No such file or directory"
}

@test "a file in place of the directory is one sentence, 66, and a 503" {
	ask "$REQUEST" "$FILES/index.html"
	assert_operator_error 66 "httpd: the directory '$FILES/index.html' cannot be served: Not a directory"
}

@test "a directory that may not be entered is one sentence, 66, and a 503" {
	mkdir -m 600 "$BATS_TEST_TMPDIR/closed"
	let_others_in
	exit=0 answer=$BATS_TEST_TMPDIR/answer
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	printf '%b' "$REQUEST" | as_nobody "$BATS_TEST_TMPDIR/httpd" \
		"$BATS_TEST_TMPDIR/closed" >"$answer" 2>"$BATS_TEST_TMPDIR/log" || exit=$?
	read_answer
	assert_operator_error 66 "httpd: the directory '$BATS_TEST_TMPDIR/closed' cannot be served: Permission denied"
}

@test "an operator's error without a request sends nothing" {
	ask '' --colour
	assert_equal "$exit" 64
	assert_equal "$(wc -c <"$answer")" 0
}

@test "HTTPD_OPTIONS sets options, and the command line wins" {
	HTTPD_OPTIONS="$HTTPD_OPTIONS --max-requests=1	--log=none " ask "$REQUEST$REQUEST" "$FILES"
	assert_equal "$(field Connection)" close
	assert_equal "$log" ''
	HTTPD_OPTIONS="$HTTPD_OPTIONS --max-requests=1" ask "$REQUEST" --max-requests=2 "$FILES"
	assert_equal "$(field Connection)" keep-alive
}

@test "HTTPD_OPTIONS can name the directory" {
	HTTPD_OPTIONS="$HTTPD_OPTIONS $FILES" ask "$REQUEST"
	assert_status 200 ok
}

@test "a bad HTTPD_OPTIONS is one sentence, 64, and a 503" {
	HTTPD_OPTIONS='--colour' ask "$REQUEST" "$FILES"
	assert_operator_error 64 "httpd: HTTPD_OPTIONS: unknown option '--colour'; see httpd --help"
	HTTPD_OPTIONS=$(printf '%5000s' x) ask "$REQUEST" "$FILES"
	assert_operator_error 64 'httpd: HTTPD_OPTIONS is too long'
	HTTPD_OPTIONS=$(yes -- -n1 | head -100) ask "$REQUEST" "$FILES"
	assert_operator_error 64 'httpd: HTTPD_OPTIONS has too many words'
}

@test "HTTPD_OPTIONS cannot have the help sent to a client" {
	local option
	for option in --help -V; do
		HTTPD_OPTIONS=$option ask "$REQUEST" "$FILES"
		assert_operator_error 64 'httpd: HTTPD_OPTIONS may not ask for the help or the version'
	done
}

@test "a misconfigured server answers any well-formed request with 503" {
	ask 'POST / HTTP/1.1\r\nHost: test\r\n\r\n' "$BATS_TEST_TMPDIR/none"
	assert_equal "$code $token" '503 misconfigured'
	ask 'POST /\r\n\r\n' "$BATS_TEST_TMPDIR/none"
	assert_equal "$code $token" '400 bad-request-line'
}

@test "control bytes in an operator's mistake are escaped" {
	ask "$REQUEST" "$(printf 'no\033[31msuch\ndirectory')"
	assert_operator_error 66 "httpd: the directory 'no\\x1b[31msuch\\x0adirectory' cannot be served: No such file or directory"
}

@test "the directory is files when none is named" {
	cd "$TOP"
	ask "$REQUEST"
	assert_status 200 ok
}

# At a terminal.

# at_terminal [ARG]...: as talk, with httpd at a terminal.
at_terminal() {
	{
		cat <<-'EOP'
			import pty, re, shlex
			signal.alarm(60)

			class Terminal:
			    """The program at a terminal, and its other end."""
			    def __init__(self, *words, program=HTTPD, env={}):
			        self.master, slave = pty.openpty()
			        self.started, self.said = now(), ""
			        self.process = subprocess.Popen([program, *words], stdin=slave,
			            stdout=slave, stderr=slave, start_new_session=True,
			            env={**os.environ, **env})
			        atexit.register(self.process.kill)
			        os.close(slave)

			    def type(self, keys):
			        os.write(self.master, keys)

			    def read_to(self, pattern):
			        while not (found := re.search(pattern, self.said)):
			            try:
			                data = os.read(self.master, 65536)
			            except OSError:  # the program has ended
			                sys.exit(f"wanted: {pattern}\ngot:    {self.said}")
			            self.said += data.decode().replace("\r", "")
			        return found

			ENTER = b"\x16\r\r"  # Ctrl-V Enter Enter: CR, and the end of the line
			HINT = ("httpd: standard input is a terminal: the program serves one "
			        "connection there and does not listen; to listen at "
			        "http://localhost:8080/, run:\n(.*)\n")
		EOP
		cat
	} | talk "$@"
}

@test "at a terminal it says at once that it does not listen, and a request can be typed" {
	at_terminal <<-'EOP'
		t = Terminal(FILES)
		t.read_to(HINT)
		t.read_to("httpd: a request may be typed; its lines end with Ctrl-V Enter Enter, "
		          "and Ctrl-D ends the connection\n")
		check_within("seconds", now() - t.started, 0, 0.9)
		# Longer than the usual idle timeout, which is a second.
		time.sleep(1.5)
		t.type(b"GET /result.html HTTP/1.1" + ENTER)
		t.type(b"Host: x" + ENTER + ENTER)
		t.read_to("HTTP/1.1 200 OK\n(.*\n)+</html>")
		t.type(b"\x04")
		check("exit", t.process.wait(), 0)
	EOP
}

@test "the line that it says at a terminal listens when it is pasted" {
	let_others_in
	local tree="$BATS_TEST_TMPDIR/it's a \"tree\" for grün"
	cp -R "$FILES" "$tree"
	chmod -R a+rX "$tree"
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	HTTPD=$BATS_TEST_TMPDIR/httpd at_terminal "$tree" <<-'EOP'
		tree, = sys.argv[1:]
		index = content_of("index.html")

		def serve(line):
		    probe = socket.create_server(("127.0.0.1", 0))
		    port = probe.getsockname()[1]
		    probe.close()
		    words = "exec " + line.replace("8080", str(port), 1)
		    server = subprocess.Popen(["bash", "-c", words], stderr=subprocess.DEVNULL)
		    try:
		        for _ in range(500):
		            try:
		                c = Client(socket.create_connection(("127.0.0.1", port)))
		                break
		            except ConnectionRefusedError:
		                time.sleep(0.02)
		        check(f"content through {line}", c.ask("/").content, index)
		        c.half_close()
		        c.check_end()
		    finally:
		        server.kill()
		        server.wait()

		for env, *options in (({"HTTPD_OPTIONS": "--allow-root"},),
		                      ({"HTTPD_OPTIONS": ""}, "--user=nobody"),
		                      ({"HTTPD_OPTIONS": ""}, "--allow-root", "--timeout=5")):
		    t = Terminal(*options, tree, env=env)
		    line = t.read_to(HINT)[1]
		    t.type(b"\x04")
		    check("exit", t.process.wait(), 0)
		    serve(line)
	EOP
}

@test "root that may not serve is told the line with a user" {
	let_others_in
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	cp -R "$FILES" "$BATS_TEST_TMPDIR/files"
	HTTPD=$BATS_TEST_TMPDIR/httpd FILES=$BATS_TEST_TMPDIR/files at_terminal <<-'EOP'
		t = Terminal(FILES, env={"HTTPD_OPTIONS": ""})
		t.read_to("httpd: root does not serve: .*\n")
		line = t.read_to(HINT)[1]
		check("exit", t.process.wait(), 77)
		check("the end of the line", shlex.split(line)[-3:],
		      [HTTPD, "--user=nobody", FILES])
		# Another mistake is all that is said.
		t = Terminal(FILES, "--colour")
		t.read_to("; see httpd --help\n")
		check("exit", t.process.wait(), 64)
		check("hint", re.search(HINT, t.said), None)
	EOP
}

@test "a host without systemd-socket-activate is told a line for tcpserver" {
	at_terminal <<-'EOP'
		# The kernel says that it is not there.
		t = Terminal("-qq", "-o", "/dev/null", "-e", "trace=access,faccessat",
		             "-P", "/usr/bin/systemd-socket-activate",
		             "-e", "inject=access,faccessat:error=ENOENT", HTTPD, FILES,
		             program="strace")
		check("the line", shlex.split(t.read_to(HINT)[1]),
		      ["tcpserver", "-HR", "-l", "0", "127.0.0.1", "8080", HTTPD, FILES])
		t.type(b"\x04")
		check("exit", t.process.wait(), 0)
	EOP
}

@test "a connection other than a terminal gets no hint and costs no further call" {
	talk <<-'EOP'
		calls = os.path.join(TMP, "calls")
		c = Handler(before=["strace", "-qq", "-o", calls, "-e", "trace=ioctl"])
		check("status", c.ask("/", "Connection: close").status, 200)
		c.wait()
		check("lines", len(c.log()), 1)
		with open(calls) as file:
		    check("asked for a window", "TIOCGWINSZ" in file.read(), False)
	EOP
	ask 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' "$FILES"
	assert_status 200 ok
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 1
}
