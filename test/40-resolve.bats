# From a target to a file, and to no file outside the tree.

load lib
load spawn
load filesystems

teardown() {
	unmount_all
}

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/dir/sub" "$tree/.well-known" "$tree/.git"
	echo index >"$tree/dir/index.html"
	echo deep >"$tree/dir/sub/file.txt"
	echo contact >"$tree/.well-known/security.txt"
	echo secret >"$tree/.git/config"
	echo secret >"$BATS_TEST_TMPDIR/secret.txt"
	echo 'white space' >"$tree/white space.txt"
	echo utf >"$tree/grün.txt"
	echo percent >"$tree/100%.txt"
}

# get_failing ERROR TARGET DIRECTORY: with openat2 failing with ERROR, as on a
# kernel that does not know it (ENOSYS).
get_failing() {
	local error=$1 program=$HTTPD
	shift
	cat >"$BATS_TEST_TMPDIR/failing" <<-SH
		#!/bin/sh
		exec strace -qq -f -o "$BATS_TEST_TMPDIR/strace" -e trace=openat2,openat \\
			-e inject=openat2:error=$error "$program" "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/failing"
	HTTPD=$BATS_TEST_TMPDIR/failing get "$@"
	grep -q "openat2.*$error" "$BATS_TEST_TMPDIR/strace"
}

get_by_walk() {
	get_failing ENOSYS "$@"
}

# get_both TARGET CODE TOKEN: by openat2 and by the walk, with one result.
get_both() {
	get "$1" "$tree"
	assert_status "$2" "$3"
	get_by_walk "$1" "$tree"
	assert_status "$2" "${4:-$3}"
}

@test "a file is served" {
	get_both /dir/sub/file.txt 200 ok
	assert_equal "$(content)" deep
}

@test "a directory is served by its index.html" {
	get_both /dir/ 200 ok
	assert_equal "$(content)" index
	assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
}

@test "the root is served by its index.html" {
	get / "$FILES"
	assert_status 200 ok
	content | cmp - "$FILES/index.html"
}

@test "a directory without its slash is redirected, with the query" {
	get_both '/dir?a=1&b=%20' 301 slash-missing
	assert_equal "$(field Location)" 'dir/?a=1&b=%20'
	get_both '/dir/sub?' 301 slash-missing
	assert_equal "$(field Location)" 'sub/?'
}

@test "a redirect for a missing slash never leads to another host" {
	get '//dir' "$tree"
	assert_status 301 slash-missing
	assert_equal "$(field Location)" dir/
	get '///dir//sub' "$tree"
	assert_equal "$(field Location)" sub/
	get 'http://other.example//dir' "$tree"
	assert_status 301 slash-missing
	assert_equal "$(field Location)" dir/
}

@test "a redirect for a missing slash encodes what a URI cannot hold" {
	mkdir "$tree/a b%ü\"<"
	get '/a%20b%25ü%22%3c' "$tree"
	assert_status 301 slash-missing
	assert_equal "$(field Location)" 'a%20b%25%C3%BC%22%3c/'
	mkdir "$tree/$(printf 'split\r\nSet-Cookie: x')"
	get '/split%0d%0aSet-Cookie:%20x' "$tree"
	assert_status 301 slash-missing
	assert_equal "$(field Location)" './split%0d%0aSet-Cookie:%20x/'
}

@test "a question mark in a name does not start a query" {
	mkdir "$tree/why?"
	get '/why%3F' "$tree"
	assert_status 301 slash-missing
	assert_equal "$(field Location)" why%3F/
	get '/why%3F?not' "$tree"
	assert_equal "$(field Location)" 'why%3F/?not'
}

@test "dot segments are removed before the tree is asked" {
	local target
	for target in /./dir/sub/file.txt /dir/./sub/./file.txt //dir//sub/.//file.txt \
		/none/../dir/sub/file.txt /dir/sub/../sub/file.txt /dir/none//../sub/file.txt \
		/.git/../dir/sub/file.txt /dir/%2e/sub/%2E%2e/sub/file.txt \
		/dir/sub/file.txt/none/../../file.txt; do
		get_both "$target" 200 ok
		assert_equal "$(content)" deep
	done
	for target in /dir/. /dir/./ /dir/sub/.. /dir/sub/../ /dir/sub/%2E. /dir/none/..; do
		get_both "$target" 200 ok
		assert_equal "$(content)" index
	done
}

@test "a name that dot segments remove need not be there, and one that is left must" {
	get_both /none/nor/this/../../../dir/ 200 ok
	get_both /dir/../none 404 not-found
	get_both /dir/../sub/file.txt 404 not-found
	# As the text says, not as a link would have it.
	ln -s dir/sub "$tree/link"
	get_both /link/../dir/ 200 ok
}

@test "a path that climbs out of the tree is answered 404, and by no rule" {
	local target
	echo '/secret.txt /dir/' >"$tree/_redirects"
	for target in /.. /../ /../secret.txt /%2e%2E/secret.txt /dir/../../secret.txt \
		"/dir/../../${tree##*/}/dir/" /./../dir/ //../dir/; do
		get_both "$target" 404 outside
	done
}

@test "what dot segments leave decides what is hidden" {
	get_both /dir/../.git/config 404 hidden
	get_both /./.git/../.git/config 404 hidden
	get_both /dir/../.well-known/security.txt 200 ok
	get_both /.well-known/../.git/config 404 hidden
}

@test "_redirects is hidden whatever the case of its letters" {
	local name
	for name in _redirects _Redirects _REDIRECTS; do
		echo '/x /y' >"$tree/$name"
		get_both "/$name" 404 hidden
		get_both "/dir/../$name" 404 hidden
	done
	echo served >"$tree/dir/_REDIRECTS"
	get_both /dir/_REDIRECTS 200 ok
}

@test "a redirect for a missing slash leads to the directory, whatever dot segments came first" {
	local target location
	for target in /./dir /none/../dir /dir/./../dir /dir/%2e%2e/dir //dir; do
		get_both "$target?a=1" 301 slash-missing
		location=$(python3 -c 'import sys, urllib.parse as u
print(u.urljoin("http://test" + sys.argv[1], sys.argv[2]))' "$target?a=1" "$(field Location)")
		assert_equal "${location#*\?}" a=1
		get "${location#http://test}" "$tree"
		assert_status 200 ok
		assert_equal "$(content)" index
	done
}

@test "a directory without an index is answered 404, and the log says why" {
	get_both /dir/sub/ 404 no-index
	get_both / 404 no-index
	get_both '/dir/sub//?x' 404 no-index
	get_both /none/ 404 not-found
	get_both /dir/index.html/ 404 not-found
	ln -s dir/sub "$tree/linked"
	get /linked/ "$tree"
	assert_status 404 no-index
	ln -s / "$tree/root"
	get /root/ "$tree"
	assert_status 404 outside
}

@test "a directory named index.html is answered 404" {
	mkdir "$tree/dir/sub/index.html"
	get_both /dir/sub/ 404 not-regular
}

@test "the query is ignored for files" {
	get_both '/dir/sub/file.txt?v=2' 200 ok
}

@test "escapes are decoded once" {
	get_both /white%20space.txt 200 ok
	get_both /gr%C3%BCn.txt 200 ok
	get_both /grün.txt 200 ok
	get_both /100%25.txt 200 ok
	get_both /100%2525.txt 404 not-found
}

@test "a plus sign is no blank" {
	get_both /white+space.txt 404 not-found
}

@test "names with a leading dot are answered 404, .well-known at the root is not" {
	get_both /.well-known/security.txt 200 ok
	get /.git/config "$tree"
	assert_status 404 hidden
	get /dir/.well-known/x "$tree"
	assert_status 404 hidden
	get /.well-known/.x "$tree"
	assert_status 404 hidden
}

@test "the rules are hidden under every name" {
	echo '/old /new' >"$tree/_redirects"
	ln "$tree/_redirects" "$tree/dir/hard.txt"
	ln "$tree/_redirects" "$tree/dir/sub/file.txt.gz"
	ln -s _redirects "$tree/soft.txt"
	ln -s . "$tree/self"
	local target
	for target in /_redirects /dir/hard.txt /soft.txt /self/_redirects \
		/self/self/_redirects; do
		get "$target" "$tree"
		assert_status 404 hidden
		refute grep -q old "$answer"
	done
	ask "GET /dir/sub/file.txt HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n" "$tree"
	assert_status 200 ok
	assert_equal "$(content)" deep
	get_by_walk /dir/hard.txt "$tree"
	assert_status 404 hidden
	# Not its copy, and not what took its place.
	cp "$tree/_redirects" "$tree/copy.txt"
	mv "$tree/_redirects" "$tree/old-rules.txt"
	echo '/other /rules' >"$tree/_redirects"
	get /copy.txt "$tree"
	assert_status 200 ok
	get /old-rules.txt "$tree"
	assert_status 200 ok
	# Nor what they are a link to, which is the rules.
	ln -sf dir/rules.txt "$tree/_redirects"
	echo '/old /new' >"$tree/dir/rules.txt"
	get /old "$tree"
	assert_status 301 redirected
	get /dir/rules.txt "$tree"
	assert_status 404 hidden
	ln -sf dir/none.txt "$tree/_redirects"
	get /dir/rules.txt "$tree"
	assert_status 200 ok
}

@test "the rules are hidden in any case where the file system knows none" {
	tree=$BATS_TEST_TMPDIR/mount
	mount_new exfat "$tree"
	echo '/old /new' >"$tree/_redirects"
	echo served >"$tree/File.txt"
	local target
	get /fILE.TXT "$tree"
	assert_status 200 ok
	for target in /_redirects /_REDIRECTS /_Redirects; do
		get "$target" "$tree"
		assert_status 404 hidden
		refute grep -q old "$answer"
	done
	get /old "$tree"
	assert_status 301 redirected
}

@test "the tree's own 404.html is not its rules" {
	echo '/old /new' >"$tree/_redirects"
	ln "$tree/_redirects" "$tree/404.html"
	get /none "$tree"
	assert_status 404 not-found
	refute grep -q old "$answer"
}

@test "a symbolic link that stays inside is followed by openat2, not by the walk" {
	ln -s sub/file.txt "$tree/dir/link.txt"
	ln -s ../dir/sub "$tree/dir/linked"
	get /dir/link.txt "$tree"
	assert_status 200 ok
	get /dir/linked/file.txt "$tree"
	assert_status 200 ok
	get_by_walk /dir/link.txt "$tree"
	assert_status 404 outside
	get_by_walk /dir/linked/file.txt "$tree"
	assert_status 404 not-found
}

@test "a symbolic link that leads out of the tree is answered 404" {
	ln -s ../secret.txt "$tree/relative.txt"
	ln -s "$BATS_TEST_TMPDIR/secret.txt" "$tree/absolute.txt"
	ln -s .. "$tree/up"
	ln -s / "$tree/root"
	ln -s /proc/self/root "$tree/magic"
	local target
	for target in /relative.txt /absolute.txt /up/secret.txt /root/etc/passwd \
		/magic/etc/passwd; do
		get "$target" "$tree"
		assert_status 404 outside
		refute grep -q -e secret -e root: "$answer"
		get_by_walk "$target" "$tree"
		assert_equal "$code" 404
		refute grep -q -e secret -e root: "$answer"
	done
}

@test "a loop of symbolic links is answered 404" {
	ln -s loop "$tree/loop"
	get_both /loop 404 outside
}

@test "a FIFO, a device and a socket are answered 404 at once" {
	mkfifo "$tree/fifo"
	mknod "$tree/null" c 1 3
	mknod "$tree/tty" c 5 0
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \
		"$tree/socket"
	get_both /fifo 404 not-regular
	get_both /null 404 not-regular
	get /tty "$tree"
	assert_equal "$code" 404
	get_both /socket 404 not-regular
}

@test "a name that is too long is answered 404" {
	local name
	name=$(printf '%300s' '' | tr ' ' x)
	get_both "/$name" 404 not-found
	get_both "/$name/x" 404 not-found
}

@test "a file that may not be read is answered 403, unreadable directories too" {
	chmod 600 "$tree/dir/sub/file.txt"
	chmod 711 "$tree/dir/sub"
	mkdir -m 700 "$tree/private"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	cat >"$BATS_TEST_TMPDIR/unprivileged" <<-SH
		#!/bin/sh
		exec setpriv --reuid=65534 --regid=65534 --clear-groups \\
			"$BATS_TEST_TMPDIR/httpd" "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/unprivileged"
	HTTPD=$BATS_TEST_TMPDIR/unprivileged
	get /dir/sub/file.txt "$tree"
	assert_status 403 forbidden
	get /private/x "$tree"
	assert_status 403 forbidden
	# It may be entered but not listed, which is all that a server needs.
	get /dir/sub "$tree"
	assert_status 301 slash-missing
}

@test "openat2 answered with EPERM by a sandbox leads to the walk" {
	get_failing EPERM /dir/sub/file.txt "$tree"
	assert_status 200 ok
}

@test "a failing disk is answered 500, a lack of resources 503, and both close" {
	local error
	get_failing EIO /dir/sub/file.txt --persist=always "$tree"
	assert_status 500 file-error
	assert_equal "$(field Connection)" close
	for error in EMFILE ENFILE ENOMEM; do
		get_failing "$error" /dir/sub/file.txt --persist=always "$tree"
		assert_status 503 out-of-resources
		assert_equal "$(field Connection)" close
		assert_equal "$(field Retry-After)" 5
		assert_regex "$(content)" 'It may be tried again later\.'
	done
}

# ask_leased GIVE_BACK: asks for a file, after another one, that another process
# has leased, and gives back when it is told to ("at once", "late"), or does not
# ("never").
ask_leased() {
	talk "$1" <<-'EOP'
		from kept import *
		import fcntl, signal
		give_back = sys.argv[1]
		root = tree()
		path = write(root, "f.txt", "leased")
		write(root, "other.txt", "another")
		ready, signalled = os.pipe(), os.pipe()
		holder = os.fork()
		if holder == 0:
		    fd = os.open(path, os.O_RDWR)
		    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
		    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_WRLCK)
		    os.write(ready[1], b"1")
		    signal.sigwait([signal.SIGIO])
		    os.write(signalled[1], b"1")
		    if give_back == "never":
		        signal.pause()
		    time.sleep({"at once": 0, "late": 0.3}[give_back])
		    fcntl.fcntl(fd, fcntl.F_SETLEASE, fcntl.F_UNLCK)
		    os._exit(0)
		os.read(ready[0], 1)
		c = Handler("--timeout=20", "--persist=always", root=root)
		c.send(get("/other.txt") + get("/f.txt"))
		# What is done already does not wait for what is not.
		check("the first", c.answer().content, b"another")
		check("asked for the lease", os.read(signalled[0], 1), b"1")
		answer = c.answer()
		passed = now() - c.started
		if give_back == "never":
		    check("status", answer.status, 503)
		    check("Retry-After is there", int(answer.fields["retry-after"]) > 0, True)
		    check_within("seconds", passed, 4.9, 20)
		    os.kill(holder, signal.SIGKILL)
		    c.check_end()
		    c.half_close()
		    c.check_ended("ok", "file-busy")
		else:
		    check("content", answer.content, b"leased")
		    check_within("seconds", passed, 0, 4.5)
		    check("content", c.ask("/f.txt").content, b"leased")
		    c.half_close()
		    c.check_ended("ok", "ok", "ok")
		os.waitpid(holder, 0)
	EOP
}

@test "a file that is leased is waited for until it is given back" {
	ask_leased 'at once'
	ask_leased late
}

@test "a file whose lease is not given back in five seconds is answered 503, to be tried again" {
	ask_leased never
}

@test "where earlier responses cannot be sent, a leased file gets none in their place" {
	talk <<-'EOP'
		from kept import *
		import fcntl, signal
		root = tree()
		write(root, "f.txt", "x" * 16000)
		signal.signal(signal.SIGIO, signal.SIG_IGN)
		holder = os.open(write(root, "leased.txt", "leased"), os.O_RDWR)
		fcntl.fcntl(holder, fcntl.F_SETLEASE, fcntl.F_WRLCK)

		# Room for a response or two, of which nothing is taken for a send
		# timeout, and for less than another one.
		c = Handler("--timeout=20", "--send-timeout=1", "--persist=always",
		            root=root, pair=socket.socketpair(),
		            prepare=lambda sock: sock.setsockopt(
		                socket.SOL_SOCKET, socket.SO_SNDBUF, 20000))
		c.send(get("/f.txt") * 4 + get("/leased.txt") + get("/f.txt"))
		while c.is_running() and now() - c.started < 1.6:
		    time.sleep(0.02)
		c.half_close()
		statuses = [piece[:3] for piece in c.read_to_end().split(b"HTTP/1.1 ")[1:]]
		check("of the first four", statuses[:4], [b"200"] * min(4, len(statuses)))
		c.wait()
		check("exit status", c.exit, 0)
	EOP
}

@test "no system call ever names a path outside the tree" {
	local requests='' target
	for target in / /dir /dir/ /../secret.txt /up/secret.txt /%2e%2e/secret.txt \
		/dir/sub/../../../secret.txt /etc/passwd //etc/passwd /.git/config \
		/none /dir/sub/file.txt /./dir/sub/file.txt /dir/sub/../../dir/sub/file.txt \
		/up/../dir /none/../../secret.txt /dir/..; do
		requests+="GET $target HTTP/1.1\r\nHost: test\r\n\r\n"
	done
	ln -s .. "$tree/up"
	printf '%b' "$requests" | strace -f -o "$BATS_TEST_TMPDIR/strace" -e trace=file \
		"$HTTPD" --persist=always "$tree" >"$BATS_TEST_TMPDIR/answer" 2>/dev/null
	# From the opening of the document root on, every name is relative to a
	# descriptor, and is opened beneath it.  Only names without a link in them
	# are asked about without being opened.
	sed -n '/\/tree", .*O_PATH|O_DIRECTORY/,$p' \
		"$BATS_TEST_TMPDIR/strace" >"$BATS_TEST_TMPDIR/after"
	run grep -v -e 'O_PATH|O_DIRECTORY) = ' -e '+++ exited with 0' \
		-e 'openat2([3-9],.*resolve=RESOLVE_NO_MAGICLINKS|RESOLVE_BENEATH' \
		-e 'faccessat2\?([3-9], "\.", X_OK' -e 'stat[xat]*([1-9], "\(dir[^"]*\|_redirects\)\?", ' \
		"$BATS_TEST_TMPDIR/after"
	assert_output ''
	assert_equal "$(grep -c 'O_PATH|O_DIRECTORY) = ' "$BATS_TEST_TMPDIR/after")" 1
	[ "$(grep -c openat2 "$BATS_TEST_TMPDIR/strace")" -ge 12 ]
	run grep -E '"\.\.|/\.\.|"\./|/\./|/\."' "$BATS_TEST_TMPDIR/after"
	assert_output ''
}
