# Answers as bytes: small and large files, over a pipe and a file.

load lib

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

@test "a file that cannot be read ends the connection before its content" {
	head -c 100 /dev/urandom >"$tree/data"
	local program=$HTTPD
	cat >"$BATS_TEST_TMPDIR/httpd" <<-SH
		#!/bin/sh
		exec strace -qq -o /dev/null -P "$tree/data" -e inject=pread64:error=EIO "$program" "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/httpd"
	HTTPD=$BATS_TEST_TMPDIR/httpd get /data "$tree"
	assert_equal "$token" file-lost
	assert_equal "$exit" 0
	assert_equal "$(wc -c <"$answer")" 0
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

@test "a file that fails under sendfile ends the connection" {
	head -c 300000 /dev/urandom >"$tree/data"
	over_socket strace -qq -o /dev/null -e inject=sendfile,sendfile64:error=EIO "$HTTPD"
	assert_equal "$code" 200
	assert_equal "$token" file-lost
	assert_equal "$(content | wc -c)" 0
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
