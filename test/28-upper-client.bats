# upper-client: what it sends, receives and prints, how it closes, and what it
# says of each thing that can go wrong.  Runs beside the program under test, so
# that each build of httpd brings a client of the same build.

bats_require_minimum_version 1.5.0

load lib
load spawn

setup() {
	export CLIENT=${HTTPD%/*}/upper-client
}

# converse: as talk, with the server's side of upper-client.
converse() {
	{
		printf 'from upper_peer import *\n'
		cat
	} | talk "$@"
}

# with_hosts LINE...: sets ${in_own_hosts[@]}, the start of a command line whose
# program finds the names of these lines, and no others.
with_hosts() {
	printf '%s\n' "$@" >"$BATS_TEST_TMPDIR/hosts"
	printf 'hosts: files\n' >"$BATS_TEST_TMPDIR/nsswitch.conf"
	cat >"$BATS_TEST_TMPDIR/enter" <<-EOS
		mount --bind "$BATS_TEST_TMPDIR/hosts" /etc/hosts
		mount --bind "$BATS_TEST_TMPDIR/nsswitch.conf" /etc/nsswitch.conf
		exec "\$@"
	EOS
	in_own_hosts=(unshare --mount sh -eu "$BATS_TEST_TMPDIR/enter")
}

@test "a message is sent, and its reply printed after the close" {
	converse <<-'EOP'
		# Standard output is a pipe that is full: nothing can be printed.
		r, w = os.pipe()
		os.set_blocking(w, False)
		filled = 0
		try:
		    while True:
		        filled += os.write(w, bytes(4096))
		except BlockingIOError:
		    os.set_blocking(w, True)
		peer = Peer()
		s = peer.serve(HERE, "Hello, World!", out=w)
		os.close(w)
		check("message", s.read(13), b"Hello, World!")
		s.send(b"HELLO, WORLD!")
		s.check_end()
		check("is running", peer.process.poll(), None)
		printed = b""
		while piece := os.read(r, 65536):
		    printed += piece
		check("printed", printed[filled:], b"Server sent: HELLO, WORLD!\n")
		peer.ends(0)
	EOP
}

@test "with --recvs each reply is printed as it comes" {
	converse <<-'EOP'
		r, w = os.pipe()
		peer = Peer()
		s = peer.serve("--recvs=2", HERE, "x", out=w)
		check("message", s.read(1), b"x")
		for text in b"one", b"two":
		    s.send(text)
		    check("printed", os.read(r, 100), b"Server sent: " + text + b"\n")
		s.check_end()
		peer.ends(0)
	EOP
}

@test "with --reply-each a reply is received after each send" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve("--reply-each", "--recv-size=100", HERE, "hello", "123456789")
		for message in b"hello", b"123456789":
		    check("message", s.receive(), message)
		    s.send(message.upper())
		s.check_end()
		peer.ends(0, sent("HELLO") + sent("123456789"))

		s = peer.serve("--reply-each", "--send-count=2", "--recvs=2",
		               "--recv-size=1", HERE, "a", "b")
		for message in b"a", b"a", b"b", b"b":
		    check("message", s.receive(), message)
		    s.send(b"12")
		s.check_end()
		peer.ends(0, (sent("1") + sent("2")) * 4)
	EOP
}

@test "without --reply-each everything is sent first" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve("--send-count=4", HERE, "x" * 130, "yz")
		check("messages", s.read(528), b"x" * 520 + b"yz" * 4)
		s.send(b"done")
		s.check_end()
		peer.ends(0, sent("done"))
	EOP
}

@test "a close with something unread is a reset, else the end" {
	converse <<-'EOP'
		peer = Peer()
		for size, close in (3, check_reset), (4, Client.check_end):
		    s = peer.serve(f"--recv-size={size}", HERE, "x")
		    check("message", s.read(1), b"x")
		    s.send(b"1234")
		    close(s)
		    peer.ends(0, sent("1234"[:size]))
		s = peer.serve("--recvs=2", HERE, "x")
		check("message", s.read(1), b"x")
		s.send(b"X" * 13000)
		check_reset(s)
		peer.ends(0, sent("X" * 1024) * 2)
	EOP
}

@test "with --recvs=0 nothing is waited for" {
	converse <<-'EOP'
		peer = Peer()
		for messages in ("bye",), ("", ""):
		    s = peer.serve("--recvs=0", HERE, *messages)
		    check("message", s.read_to_end(), "".join(messages).encode())
		    peer.ends(0)
	EOP
}

@test "for an empty message nothing is sent, and the reply is received" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve(HERE, "")
		s.send(b"220 ready\r\n")
		s.check_end()
		peer.ends(0, sent(r"220 ready\x0d\x0a"))
	EOP
}

@test "a message that begins with a dash is no option" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve("--recvs=0", HERE, "--recvs=1", "-x")
		check("message", s.read_to_end(), b"--recvs=1-x")
		peer.ends(0)
	EOP
}

@test "what is no plain text is printed escaped, whatever byte it is" {
	converse <<-'EOP'
		def escaped(byte):
		    if byte in b'"\\':
		        return "\\" + chr(byte)
		    return chr(byte) if 0x20 <= byte <= 0x7e else f"\\x{byte:02x}"

		peer = Peer()
		s = peer.serve(HERE, "x\n\\")
		check("message", s.read(3), b"x\n\\")
		s.send(bytes(range(256)))
		s.check_end()
		peer.ends(0, sent("".join(map(escaped, range(256)))))
	EOP
}

@test "the largest receive takes 1 MiB" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve("--recv-size=1048576", "--recvs=1000000", HERE, "x")
		check("message", s.read(1), b"x")
		s.send(b"a" * 3000000)
		s.close()
		peer.process.wait(30)
		peer.out.seek(0)
		*lines, last = peer.out.read().decode().splitlines()
		check("last line", last, "Server closed the connection")
		check("bytes printed", sum(len(line) - len(sent("")) + 1 for line in lines),
		      3000000)
		check("exit status", peer.process.returncode, 0)
	EOP
}

@test "messages that do not fit arrive whole at a server that reads slowly" {
	converse <<-'EOP'
		# More than the 4 MiB that the kernel ever buffers.
		peer = Peer(receive_buffer=4096)
		message = ("0123456789abcde\n" * 8192)[:120 * 1024]
		s = peer.serve("--send-count=50", HERE, message)
		got, wanted = bytearray(), message.encode() * 50
		while len(got) < 20000:
		    got += s.receive(100)
		while len(got) < len(wanted):
		    got += s.receive(4000)
		check("all that was sent is there", got == wanted, True)
		s.send(b"ok")
		s.check_end()
		peer.ends(0, sent("ok"))
	EOP
}

@test "a server that closes first ends the receives, and it is said" {
	converse <<-'EOP'
		closed = "Server closed the connection\n"
		peer = Peer()
		for options, reply, printed in (
		        ([], b"", closed),
		        (["--recvs=3"], b"abc", sent("abc") + closed),
		        (["--reply-each", "--recvs=2"], b"abc", sent("abc") + closed)):
		    s = peer.serve(*options, HERE, "x")
		    check("message", s.read(1), b"x")
		    s.send(reply)
		    s.close()
		    peer.ends(0, printed)
	EOP
}

@test "a server that closes before everything is sent is an error" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve("--reply-each", HERE, "x", "y")
		check("message", s.read(1), b"x")
		s.half_close()
		s.check_end()
		peer.ends(74, "Server closed the connection\n",
		          "send more to {}: it has closed the connection")
	EOP
}

@test "a reset is an error while receiving and while sending" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve(HERE, "x")
		check("message", s.read(1), b"x")
		s.reset()
		peer.ends(74, "", "receive from {}: Connection reset by peer")

		s = peer.serve("--recvs=2", HERE, "x")
		check("message", s.read(1), b"x")
		s.send(b"abc")
		while not os.fstat(peer.out.fileno()).st_size:
		    time.sleep(0.001)
		s.reset()
		peer.ends(74, sent("abc"), "receive from {}: Connection reset by peer")

		# One that has ended its side before is told as a broken pipe.
		for half_close in False, True:
		    s = peer.serve("--send-count=1000000", HERE, "x" * 100000)
		    s.read(100000)
		    if half_close:
		        s.half_close()
		    s.reset()
		    peer.ends(74, "", "send to {}: Connection reset by peer")
	EOP
}

@test "a server that is silent or takes nothing for --timeout is an error of its own" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve("--timeout=.2", HERE, "x")
		peer.ends(75, "", "receive from {}: Connection timed out")
		s = peer.serve("--timeout=0.2", "--send-count=100", HERE, "x" * 100000)
		peer.ends(75, "", "send to {}: Connection timed out")
	EOP
}

@test "a server that does not answer a connection for --timeout is the same" {
	converse <<-'EOP'
		# Its queue holds one, and is full.
		peer = Peer(backlog=0)
		waiting = socket.create_connection(("127.0.0.1", peer.port))
		peer.start("--timeout=0.2", HERE, "x")
		peer.ends(75, "", "connect to {}: Connection timed out")
	EOP
}

@test "a server that refuses or cannot be reached is an error" {
	converse <<-'EOP'
		peer = Peer(listen=False)
		peer.start(HERE, "x")
		peer.ends(69, "", "connect to {}: Connection refused")
		peer.start(HERE, "x", before=["unshare", "--net"])
		peer.ends(69, "", "connect to {}: Network is unreachable")
	EOP
}

@test "a host that cannot be found is an error" {
	with_hosts '127.0.0.1 known.test'
	run -68 "${in_own_hosts[@]}" "$CLIENT" unknown.test 12345 x
	assert_output 'upper-client: cannot find unknown.test, to connect to port 12345: Name or service not known'
	run -68 "${in_own_hosts[@]}" "$CLIENT" -6 known.test 12345 x
	assert_output --regexp '^upper-client: cannot find known\.test, to connect to port 12345: [^:]+$'
	run -68 "$CLIENT" -4 ::1 12345 x
	assert_output --regexp '^upper-client: cannot find ::1, to connect to port 12345: [^:]+$'
}

@test "IPv6 addresses are connected to, and the last of -4 and -6 counts" {
	converse <<-'EOP'
		peer = Peer("::1")
		for options in [], ["-6"], ["-4", "-6"], ["-46"]:
		    s = peer.serve(*options, HERE, "x")
		    check("message", s.read(1), b"x")
		    s.send(b"six")
		    s.check_end()
		    peer.ends(0, sent("six"))
	EOP
}

@test "each address of a name is tried, and the first one's error told" {
	with_hosts '::1 both.test' '127.0.0.1 both.test' \
		'127.0.0.2 several.test' '127.0.0.3 several.test' '127.0.0.4 several.test'
	converse "${in_own_hosts[@]}" <<-'EOP'
		for name, address, options in (
		        ("both.test", "127.0.0.1", []),
		        ("both.test", "127.0.0.1", ["-4"]),
		        ("both.test", "::1", ["-6"]),
		        ("several.test", "127.0.0.2", []),
		        ("several.test", "127.0.0.3", []),
		        ("several.test", "127.0.0.4", [])):
		    peer = Peer(address)
		    s = peer.serve(*options, HERE, "x", host=name, before=sys.argv[1:])
		    check("message", s.read(1), b"x")
		    s.send(b"found")
		    s.check_end()
		    peer.ends(0, sent("found"))
		peer = Peer(listen=False)
		peer.start(HERE, "x", host="several.test", before=sys.argv[1:])
		peer.host = "several.test"
		peer.ends(69, "", "connect to {}: Connection refused")
	EOP
}

@test "a client that is stopped and continued waits on" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve(HERE, "x")
		check("message", s.read(1), b"x")
		pid = peer.process.pid
		while open(f"/proc/{pid}/stat").read().split()[2] != "S":
		    time.sleep(0.001)
		os.kill(pid, signal.SIGSTOP)
		os.waitid(os.P_PID, pid, os.WSTOPPED)
		os.kill(pid, signal.SIGCONT)
		os.waitid(os.P_PID, pid, os.WCONTINUED)
		s.send(b"still there")
		s.check_end()
		peer.ends(0, sent("still there"))
	EOP
}

@test "standard output that cannot be written to is an error, and closes the connection" {
	converse <<-'EOP'
		r, w = os.pipe()
		os.close(r)
		for out, before, error in (
		        (os.open("/dev/full", os.O_WRONLY), [], "No space left on device"),
		        (w, [], "Broken pipe"),
		        (None, ["sh", "-c", 'exec "$@" >&-', "-"], "Bad file descriptor")):
		    for options in [], ["--reply-each"], ["--recvs=5"]:
		        peer = Peer()
		        s = peer.serve(*options, HERE, "x", out=out, before=before)
		        check("message", s.read(1), b"x")
		        s.send(b"X")
		        s.check_end("what the server gets of it")
		        peer.ends(74, "", "write to standard output: " + error)
	EOP
	for option in --help --version; do
		run -74 bash -c "'$CLIENT' $option >/dev/full"
		assert_output 'upper-client: cannot write to standard output: No space left on device'
	done
}

@test "with no standard descriptor open, what is printed does not go to the server" {
	converse <<-'EOP'
		peer = Peer()
		s = peer.serve("--recvs=2", HERE, "x",
		               before=["sh", "-c", 'exec "$@" <&- >&- 2>&-', "-"])
		check("message", s.read(1), b"x")
		s.send(b"X")
		s.check_end("what the server gets of it")
		peer.ends(74)
	EOP
}

@test "an invalid command line is one sentence, and 64" {
	local see='see upper-client --help' wanted words
	while IFS='|' read -r words wanted; do
		# shellcheck disable=SC2086 # Splitting is what this is for.
		run -64 "$CLIENT" $words
		assert_output "upper-client: $wanted"
	done <<-EOT
		|HOST, PORT and a MESSAGE are wanted; $see
		localhost 1|HOST, PORT and a MESSAGE are wanted; $see
		localhost 0 x|port '0' is not a number from 1 to 65535
		localhost 65536 x|port '65536' is not a number from 1 to 65535
		localhost http x|port 'http' is not a number from 1 to 65535
		localhost -1 x|port '-1' is not a number from 1 to 65535
		--colour localhost 1 x|unknown option '--colour'; $see
		-x localhost 1 x|unknown option '-x'; $see
		--recvs|option '--recvs' needs a value
		--reply-each=1 localhost 1 x|unknown option '--reply-each=1'; $see
		--recvs=-1 localhost 1 x|--recvs: invalid value '-1' (expected a number, 0 to 1000000)
		--recvs=1000001 localhost 1 x|--recvs: invalid value '1000001' (expected a number, 0 to 1000000)
		--send-count=0 localhost 1 x|--send-count: invalid value '0' (expected a number, 1 to 1000000)
		--send-count= localhost 1 x|--send-count: invalid value '' (expected a number, 1 to 1000000)
		--recv-size=0 localhost 1 x|--recv-size: invalid value '0' (expected bytes, 1 to 1048576)
		--recv-size=1048577 localhost 1 x|--recv-size: invalid value '1048577' (expected bytes, 1 to 1048576)
		--recv-size=99999999999999999999 localhost 1 x|--recv-size: invalid value '99999999999999999999' (expected bytes, 1 to 1048576)
		--recv-size=1K localhost 1 x|--recv-size: invalid value '1K' (expected bytes, 1 to 1048576)
		--timeout=0 localhost 1 x|--timeout: invalid value '0' (expected seconds, 0.001 to 86400)
		--timeout=. localhost 1 x|--timeout: invalid value '.' (expected seconds, 0.001 to 86400)
		--timeout=1.2.3 localhost 1 x|--timeout: invalid value '1.2.3' (expected seconds, 0.001 to 86400)
		--timeout=1e3 localhost 1 x|--timeout: invalid value '1e3' (expected seconds, 0.001 to 86400)
		--timeout=86401 localhost 1 x|--timeout: invalid value '86401' (expected seconds, 0.001 to 86400)
	EOT
}

@test "--help and --version go to standard output, and every option is in help and page" {
	local option options
	run "$CLIENT" --version
	assert_success
	assert_output --regexp '^upper-client [0-9]+\.[0-9]+\.[0-9]+$'
	mapfile -t options < <(sed -n 's/^\t\t{ "\([a-z-]*\)", .*_argument.*/\1/p' "$TOP/src/upper-client.c")
	assert_equal "${#options[@]}" 7
	for option in "${options[@]}"; do
		run "$CLIENT" --help
		assert_success
		assert_output --partial "--$option"
		run cat "$TOP/src/upper-client.1"
		assert_output --partial "Fl -$option"
	done
}

@test "it talks to what tcpserver starts" {
	spawn tcpserver /bin/cat
	run "$CLIENT" --reply-each "$HOST" "$PORT" hello 'good day'
	unspawn
	assert_success
	assert_output $'Server sent: hello\nServer sent: good day'
}

@test "it needs no library but the host's C library, and is hardened" {
	run bash -c "readelf -dW '$BUILD/upper-client' | grep NEEDED"
	assert_output --regexp '^[^'$'\n'']*libc\.[^'$'\n'']*$'
	run readelf -dW "$BUILD/upper-client"
	assert_output --partial BIND_NOW
	run readelf -lW "$BUILD/upper-client"
	assert_output --partial GNU_RELRO
	refute_output --partial ' RWE '
}
