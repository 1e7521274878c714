# upper: what it sends back, how it reads, waits and closes, and what it says.
# Runs beside the program under test, so that each build of httpd brings an
# upper of the same build.
# shellcheck disable=SC2154  # spawn.bash sets what is not set here

bats_require_minimum_version 1.5.0

load lib
load spawn

setup_file() {
	load lib
	load spawn
	unpack_spawners
}

setup() {
	export UPPER=${UPPER:-${HTTPD%/*}/upper}
	CLIENT=${UPPER%/*}/upper-client
	SEE='; see upper --help'
}

teardown() {
	unspawn
}

# converse: as talk, with upper on the other end.
converse() {
	{
		cat <<-'EOP'
			UPPER = os.environ["UPPER"]
			FROM = "Connection from: 127.0.0.1"
			HELLO = b"Hello, World!"

			def upper(*options, **how):
			    return Handler(*options, program=UPPER, root=None, **how)

			def waiting(data, pair=None):
			    """The ends of a connection on which data has arrived."""
			    client, accepted = pair or tcp_pair()
			    client.sendall(data)
			    accepted.recv(len(data), socket.MSG_PEEK | socket.MSG_WAITALL)
			    return client, accepted

			def check_over(c, *log):
			    """The program ends with 0, having logged these lines."""
			    c.wait()
			    check("exit status and log", (c.exit, c.log()), (0, list(log)))

			def check_reset(c):
			    try:
			        while c.receive():
			            pass
			        sys.exit("wanted: a reset\ngot:    the end of the replies")
			    except ConnectionResetError:
			        pass

			def received(text):
			    return "Received: " + text
		EOP
		cat
	} | talk
}

# refused STATUS SENTENCE [OPTION]...: upper ends with this status and sentence
# before it has sent anything.
refused() {
	local wanted="$1, '', upper: $2" exit=0 answer
	shift 2
	answer=$("$UPPER" "$@" <<<hello 2>"$BATS_TEST_TMPDIR/said") || exit=$?
	assert_equal "$exit, '$answer', $(cat "$BATS_TEST_TMPDIR/said")" "$wanted"
}

# answers BYTES WANTED [OPTION]...: BYTES (printf's escapes are expanded) are
# answered so, through pipes.
answers() {
	local bytes=$1 wanted=$2
	shift 2
	assert_equal "$(printf '%b' "$bytes" | "$UPPER" "$@" 2>"$BATS_TEST_TMPDIR/said")" \
		"$wanted"
}

@test "the version and the help go to standard output" {
	run --separate-stderr "$UPPER" --version
	assert_success
	assert_output --regexp '^upper [0-9]+\.[0-9]+\.[0-9]+$'
	assert_equal "$stderr" ''
	run --separate-stderr "$UPPER" -h
	assert_success
	assert_equal "$stderr" ''
	local option
	for option in buffer reads repeat delay timeout nodelay log user allow-root \
		sandbox help version; do
		assert_output --partial "--$option"
	done
}

@test "an option that is not known, or lacks its value, is 64 and a sentence" {
	refused 64 "unknown option '--colour'$SEE" --colour
	refused 64 "unknown option '-x'$SEE" -x
	local option
	for option in buffer reads repeat delay timeout log user sandbox; do
		refused 64 "option '--$option' needs a value" "--$option"
	done
	refused 64 "unknown option '--nodelay=1'$SEE" --nodelay=1
}

@test "an invalid value is 64 and a sentence with its option and what was expected" {
	local option wanted values value
	while IFS=$'\t' read -r option wanted values; do
		for value in $values; do
			value=${value#=}
			refused 64 "--$option: invalid value '$value' (expected $wanted)" \
				"--$option=$value"
		done
	done <<'END'
buffer	bytes, 1 to 64K	0 65537 65K -1 = 1.5 many
reads	a number, 0 to 2147483647	-1 1.5 = x 99999999999999999999
repeat	a number, 1 to 2147483647	0 -1 = 1k 99999999999
delay	seconds, 0.001 to 86400, or 0	-1 = 1s 86401
timeout	seconds, 0.001 to 86400	0 -1 = 0x10 86401
log	none|lines	= combined
user	a user name or UID:GID	=
sandbox	auto|require|off	= on
END
}

@test "an operand is 64 and a sentence that names it" {
	refused 64 "argument 'word' is one too many: there are only options" word
	refused 64 "argument 'word' is one too many: there are only options" -- word
}

@test "each option has its least and its largest value, and its short name" {
	answers hello HELLO --buffer=1
	answers hello HELLO --buffer=65536
	answers hello HELLO --buffer=64K
	answers hello H --buffer=1 --reads=1
	answers hello HHH -b1 -n1 -r3
	answers hello HELLO --reads=0
	answers hello HELLO --reads=2147483647
	answers hello HELLO --repeat=1
	answers hello HELLO --delay=0
	answers hello HELLO --delay=0.001 --timeout=0.5
	answers hello HELLO -d .001 -t86400 -N
	answers hello HELLO --nodelay --log=lines --sandbox=off --allow-root
	answers hello HELLO -l none -S off -R
	assert_equal "$(cat "$BATS_TEST_TMPDIR/said")" ''
}

@test "UPPER_OPTIONS sets options, and the command line wins" {
	UPPER_OPTIONS+=" --buffer=1	--reads=2 " answers hello HE
	UPPER_OPTIONS+=' --buffer=1 --reads=2' answers hello HEL --reads=3
	UPPER_OPTIONS='--colour' refused 64 "UPPER_OPTIONS: unknown option '--colour'$SEE"
	UPPER_OPTIONS='word' refused 64 \
		"UPPER_OPTIONS: argument 'word' is one too many: there are only options"
	UPPER_OPTIONS=$(printf '%5000s' x) refused 64 'UPPER_OPTIONS is too long'
	UPPER_OPTIONS=$(yes -- -N | head -100) refused 64 'UPPER_OPTIONS has too many words'
	local option
	for option in --help -V; do
		UPPER_OPTIONS=$option refused 64 \
			'UPPER_OPTIONS may not ask for the help or the version'
	done
}

@test "of all 256 bytes, the letters a to z are changed, and no others" {
	converse <<-'EOP'
		every = bytes(range(256))
		wanted = bytes(b - 32 if 97 <= b <= 122 else b for b in every)
		c = upper()
		c.send(every)
		c.half_close()
		check("reply", c.read_to_end(), wanted)
		c.wait()
		check("exit status", c.exit, 0)
	EOP
}

@test "through pipes, every byte arrives" {
	head -c 1000000 /dev/urandom >"$BATS_TEST_TMPDIR/sent"
	"$UPPER" --log=none <"$BATS_TEST_TMPDIR/sent" | cat >"$BATS_TEST_TMPDIR/got"
	LC_ALL=C tr "[:lower:]" "[:upper:]" <"$BATS_TEST_TMPDIR/sent" | cmp - "$BATS_TEST_TMPDIR/got"
}

@test "each read asks for as much as --buffer says" {
	converse <<-'EOP'
		for option, texts in ("--buffer=5", ("Hello", ", Wor", "ld!")), \
		                     ("--buffer=12", ("Hello, World", "!")), \
		                     ("--buffer=13", ("Hello, World!",)):
		    c = upper(option, pair=waiting(HELLO))
		    c.half_close()
		    check("reply", c.read_to_end(), HELLO.upper())
		    check_over(c, FROM, *map(received, texts), "Client disconnected")
		data = b"x" * 1500
		c = upper(pair=waiting(data))
		c.half_close()
		check("reply", c.read_to_end(), data.upper())
		check_over(c, FROM, received("x" * 1024), received("x" * 476),
		           "Client disconnected")
	EOP
}

@test "after --reads replies it closes first" {
	converse <<-'EOP'
		c = upper("--buffer=100", "--reads=2")
		for text in b"hello", b"123456789":
		    c.send(text)
		    check("reply", c.read(len(text)), text.upper())
		c.check_end()
		check("is running while the client may send", c.is_running(), True)
		c.close()
		check_over(c, FROM, received("hello"), received("123456789"),
		           "Closed after all reads")
	EOP
}

@test "the last reply arrives though the client sends more than is read" {
	converse <<-'EOP'
		c = upper("--buffer=5", "--reads=1", pair=waiting(bytes(50000)))
		c.send(bytes(200000))
		check("reply", c.read(5), bytes(5))
		c.check_end()
		c.send(bytes(200000))
		c.close()
		c.wait()
		check("exit status", c.exit, 0)

		# A reply that is still on its way when more arrives.
		c = upper("--reads=1", "--repeat=1000", pair=waiting(b"x" * 1024))
		for _ in range(10):
		    c.send(bytes(20000))
		check("length of the reply", len(c.read_to_end()), 1024000)
		c.close()
		c.wait()
		check("exit status", c.exit, 0)
	EOP
}

@test "a client that goes on sending for ever is left" {
	converse <<-'EOP'
		c = upper("--reads=1")
		try:
		    while True:
		        c.send(bytes(65536))
		except (ConnectionResetError, BrokenPipeError):
		    pass
		c.wait()
		check("exit status and end of the log", (c.exit, c.log()[-1]),
		      (0, "Closed after all reads"))
	EOP
}

@test "--repeat says everything so often" {
	converse <<-'EOP'
		c = upper("--repeat=1000", pair=waiting(HELLO))
		c.half_close()
		check("reply", c.read_to_end(), HELLO.upper() * 1000)

		# More than a piece holds, and a last piece that is shorter.
		c = upper("--repeat=10000", pair=waiting(HELLO))
		c.half_close()
		check("reply", c.read_to_end(), HELLO.upper() * 10000)

		data = random.randbytes(65536)
		c = upper("--repeat=3", "--buffer=64K", "--log=none",
		          pair=waiting(data, socket.socketpair()))
		c.half_close()
		check("reply", c.read_to_end(), data.upper() * 3)

		data = random.randbytes(40000)
		c = upper("--repeat=5", "--buffer=64K", pair=waiting(data))
		c.half_close()
		check("reply", c.read_to_end(), data.upper() * 5)
	EOP
}

@test "--delay waits before each read, and TCP takes what arrives meanwhile" {
	converse <<-'EOP'
		c = upper("--delay=0.2", pair=waiting(b"one"))
		c.send(b"two")
		check("reply", c.read(6), b"ONETWO")
		replied = now()
		check_within("seconds until the reply", replied - c.started, 0.2, 30)
		c.half_close()
		c.check_end()
		check_within("seconds until the end", now() - replied, 0.19, 30)
		check_over(c, FROM, received("onetwo"), "Client disconnected")
	EOP
}

@test "--timeout ends the connection of a silent client" {
	converse <<-'EOP'
		c = upper("--timeout=0.2")
		c.send(b"one")
		check("reply", c.read(3), b"ONE")
		c.check_end()
		check_within("seconds until the end", now() - c.started, 0.2, 30)
		check_over(c, FROM, received("one"), "Client timed out")
	EOP
}

@test "--timeout resets the connection of a client that takes nothing" {
	converse <<-'EOP'
		c = upper("--timeout=0.2", "--repeat=10000000", pair=tcp_pair(8192))
		c.send(HELLO)
		check_over(c, FROM, received("Hello, World!"), "Client timed out")
		check_reset(c)
	EOP
}

@test "a client that takes little at a time gets every byte" {
	converse <<-'EOP'
		def small(sock):
		    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
		data = random.randbytes(1000)
		c = upper("--repeat=300", "--log=none", pair=waiting(data, tcp_pair(2048)),
		          prepare=small)
		got = b""
		while len(got) < 300000:
		    got += c.receive(1000)
		check("reply", got, data.upper() * 300)
		c.half_close()
		c.check_end()
		c.wait()
		check("exit status", c.exit, 0)
	EOP
}

@test "a gibibyte goes through, both ways at once, in constant memory" {
	converse <<-'EOP'
		import threading

		def peak():
		    """The most memory that the process has had, in KiB."""
		    with open(f"/proc/{c.process.pid}/status") as file:
		        return next(int(line.split()[1]) for line in file
		                    if line.startswith("VmHWM:"))

		# Each mebibyte starts elsewhere in these bytes: no two are the same.
		source = memoryview(random.randbytes(MiB + 1024 * 101))
		wanted = memoryview(bytes(source).upper())
		got = bytearray(MiB)

		def send():
		    for i in range(1024):
		        c.send(source[i * 101:][:MiB])

		c = upper("--buffer=64K", "--log=none")
		sender = threading.Thread(target=send, daemon=True)
		sender.start()
		for i in range(1024):
		    have = 0
		    while have < MiB:
		        n = c.sock.recv_into(memoryview(got)[have:])
		        if n == 0:
		            sys.exit(f"the connection ended in mebibyte {i}")
		        have += n
		    if got != wanted[i * 101:][:MiB]:
		        sys.exit(f"wanted: mebibyte {i} in upper case\ngot:    other bytes")
		    if i == 0:
		        at_first = peak()
		# The kernel counts pages in batches.
		check_within("KiB more than at first", peak() - at_first, 0, 4096)
		sender.join()
		c.half_close()
		c.check_end()
		c.wait()
		check("exit status", c.exit, 0)
	EOP
}

@test "a client that resets the connection does no harm" {
	converse <<-'EOP'
		# While it waits for him.
		c = upper()
		c.send(HELLO)
		check("reply", c.read(13), HELLO.upper())
		c.reset()
		check_over(c, FROM, received("Hello, World!"),
		           "Client disconnected: connection lost")

		# In the middle of a reply.
		c = upper("--repeat=10000000")
		c.send(HELLO)
		check("start of the reply", c.read(1300), HELLO.upper() * 100)
		c.reset()
		check_over(c, FROM, received("Hello, World!"),
		           "Client disconnected: connection lost")

		# With more to say, and less to read than was sent.
		c = upper("--buffer=1", pair=waiting(bytes(50000)))
		check("start of the reply", c.read(1), bytes(1))
		c.reset()
		c.wait()
		check("exit status", c.exit, 0)
	EOP
}

@test "a client that connects and leaves is logged" {
	converse <<-'EOP'
		c = upper()
		c.close()
		check_over(c, FROM, "Client disconnected")
	EOP
}

@test "what was received is logged escaped, and cut when it is long" {
	converse <<-'EOP'
		text = b'say "\\"\r\n\t\0\x1f\x7f\x80\xff\xe2\x82\xac.'
		c = upper(pair=waiting(text))
		c.half_close()
		c.read_to_end()
		check_over(c, FROM, received(
		    r'say \"\\\"\x0d\x0a\x09\x00\x1f\x7f\x80\xff\xe2\x82\xac.'),
		    "Client disconnected")

		for text, shown_as in ((b"x" * 1800, "x" * 1800),
		                       (b"x" * 1801, "x" * 1800 + "..."),
		                       (b"x" * 1797 + b"\n.", "x" * 1797 + "..."),
		                       (bytes(65536), r"\x00" * 450 + "...")):
		    c = upper("--buffer=64K", pair=waiting(text, socket.socketpair()))
		    c.half_close()
		    c.read_to_end()
		    check_over(c, "Connection from: unix:", received(shown_as),
		               "Client disconnected")
	EOP
}

@test "with --log=none, nothing is logged" {
	converse <<-'EOP'
		c = upper("--log=none")
		c.send(HELLO)
		c.half_close()
		check("reply", c.read_to_end(), HELLO.upper())
		check_over(c)
	EOP
}

@test "Nagle's algorithm is on whatever the spawner has set, unless --nodelay" {
	converse <<-'EOP'
		def setting(value):
		    def prepare(sock):
		        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, value)
		    return prepare

		for options, wanted in ((), 0), (("--nodelay",), 1):
		    for before in 0, 1:
		        c = upper(*options, prepare=setting(before), keep=True)
		        c.send(HELLO)
		        check("reply", c.read(13), HELLO.upper())
		        got = c.accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
		        check(f"TCP_NODELAY, {before} before, {options}", got, wanted)
		        c.accepted.close()
		        c.half_close()
		        c.check_end()
	EOP
}

@test "standard input or output that is closed is 71 and a sentence" {
	local sentence='standard input or output is not open: Bad file descriptor'
	exit=0
	"$UPPER" <&- >"$BATS_TEST_TMPDIR/out" 2>"$BATS_TEST_TMPDIR/said" || exit=$?
	assert_equal "$exit $(cat "$BATS_TEST_TMPDIR/said")" "71 upper: $sentence"
	exit=0
	"$UPPER" <<<hello >&- 2>"$BATS_TEST_TMPDIR/said" || exit=$?
	assert_equal "$exit $(cat "$BATS_TEST_TMPDIR/said")" "71 upper: $sentence"
}

@test "root does not serve, unless it is told whom to become or may stay" {
	export UPPER_OPTIONS=${UPPER_OPTIONS/--allow-root/}
	refused 77 'root does not serve: say whom to become by --user, or --allow-root'
	refused 67 "the user 'no-such-user' is not in /etc/passwd" --user=no-such-user
	answers hello HELLO --allow-root
	answers hello HELLO --user=nobody
	answers hello HELLO --user=65534:65534
}

@test "the process is the user, and is locked in" {
	# What sanitizers do at run time, the sandbox forbids.
	local program=$UPPER
	[[ $UPPER != */asan/* ]] || program=$BUILD/upper
	UPPER=$program UPPER_OPTIONS='' converse <<-'EOP'
		c = upper("--user=nobody", "--sandbox=require")
		c.send(HELLO)
		check("reply", c.read(13), HELLO.upper())
		with open(f"/proc/{c.process.pid}/status") as file:
		    status = {field: value.strip() for field, value in
		              (line.split(":", 1) for line in file)}
		for field, wanted in (("Seccomp", "2"), ("NoNewPrivs", "1"),
		                      ("Uid", "\t".join(["65534"] * 4)), ("Groups", ""),
		                      ("CapEff", "0" * 16), ("CapPrm", "0" * 16)):
		    check(field, status[field], wanted)
		c.half_close()
		c.check_end()
		check_over(c, FROM, received("Hello, World!"), "Client disconnected")
	EOP
}

@test "what the spawner left open is closed" {
	converse <<-'EOP'
		c = upper(before=["bash", "-c", 'exec 8</etc/shadow; exec "$@"', "-"])
		c.send(HELLO)
		check("reply", c.read(13), HELLO.upper())
		check("descriptors", sorted(os.listdir(f"/proc/{c.process.pid}/fd")),
		      ["0", "1", "2"])
		c.half_close()
		c.check_end()
	EOP
}

@test "under xinetd, the lines go to syslog, and the client never sees them" {
	spawn xinetd "$UPPER"
	converse <<-'EOP'
		c = connect()
		c.send(HELLO)
		check("reply", c.read(13), HELLO.upper())
		c.half_close()
		c.check_end()
	EOP
	wait_for_line "$spawn_log" '^<30>upper: Connection from: 127\.0\.0\.1$'
	wait_for_line "$spawn_log" '^<30>upper: Received: Hello, World!$'
	wait_for_line "$spawn_log" '^<30>upper: Client disconnected$'
}

@test "a connection that is passed by LISTEN_FDS is served" {
	# The program that takes it is looked for beside upper.
	mkdir "$BATS_TEST_TMPDIR/bin"
	cp "$UPPER" "$BUILD/from-listen-fds" "$BATS_TEST_TMPDIR/bin"
	spawn activate-fds "$BATS_TEST_TMPDIR/bin/upper" --repeat=2
	converse <<-'EOP'
		c = connect()
		c.send(HELLO)
		check("reply", c.read(26), HELLO.upper() * 2)
		c.half_close()
		c.check_end()
	EOP
	wait_for_line "$spawn_log" '^Connection from: 127\.0\.0\.1$'
	wait_for_line "$spawn_log" '^Received: Hello, World!$'
	wait_for_line "$spawn_log" '^Client disconnected$'
}

# client_gets WHOLE [CLIENT_ARG]...: what upper-client prints under the spawner
# is WHOLE or, as it reads but once or twice, the start of it.
client_gets() {
	local whole=$1 printed text exit=0
	shift
	printed=$("$CLIENT" "$@" 2>"$BATS_TEST_TMPDIR/said") || exit=$?
	text=${printed//Server sent: /}
	text=${text//$'\n'/}
	if [ "$exit" -ne 0 ] || [ -z "$text" ] || [[ $whole != "$text"* ]]; then
		printf 'wanted: exit 0, and the start of: %s\ngot: exit %s, %s\n%s\n' \
			"$whole" "$exit" "$printed" "$(cat "$BATS_TEST_TMPDIR/said")" >&2
		return 1
	fi
}

# times COUNT TEXT
times() {
	local i
	for ((i = 0; i < $1; i++)); do printf '%s' "$2"; done
}

@test "the five variants of the course give their clients the answers" {
	spawn tcpserver "$UPPER" --buffer=100 --reads=2
	run --separate-stderr "$CLIENT" --reply-each --recv-size=100 \
		"$HOST" "$PORT" hello abcdefghi
	assert_success
	assert_output "Server sent: HELLO"$'\n'"Server sent: ABCDEFGHI"
	wait_for_line "$spawn_log" '^Closed after all reads$'
	unspawn

	spawn tcpserver "$UPPER"
	run --separate-stderr "$CLIENT" "$HOST" "$PORT" 'Hello, World!'
	assert_success
	assert_output 'Server sent: HELLO, WORLD!'
	wait_for_line "$spawn_log" '^Client disconnected$'
	unspawn

	spawn tcpserver "$UPPER" --buffer=5
	client_gets ABCDEFGHIJKLMNOPQRST "$HOST" "$PORT" abcdefghijklmnopqrst
	wait_for_line "$spawn_log" '^Received: abcde$'
	unspawn

	spawn tcpserver "$UPPER" --repeat=1000
	client_gets "$(times 1000 'HELLO, WORLD!')" --recvs=2 "$HOST" "$PORT" 'Hello, World!'
	wait_for_line "$spawn_log" '^Client disconnected: connection lost$'
	unspawn

	spawn tcpserver "$UPPER" --delay=0.2
	client_gets "$(times 40 'HELLO, WORLD!')" --send-count=4 "$HOST" "$PORT" \
		"$(times 10 'Hello, World!')"
	wait_for_line "$spawn_log" '^Client disconnected$'
}
