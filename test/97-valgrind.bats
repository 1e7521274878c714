# The program as it is shipped under valgrind: no byte is used before it was
# set, and no descriptor is left open.

load lib

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/dir"
	echo small >"$tree/small.txt"
	head -c 300000 /dev/urandom >"$tree/large.bin"
	printf '/old /new\nbad\n/x%%20y https://example.org/ 302\n' >"$tree/_redirects"
	echo gone >"$tree/404.html"
	cat >"$BATS_TEST_TMPDIR/checked" <<-SH
		#!/bin/sh
		exec valgrind -q --track-fds=yes --leak-check=full --vgdb=no \\
			--log-file="$BATS_TEST_TMPDIR/valgrind.%p" "$BUILD/httpd" --sandbox=off "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/checked"
	HTTPD=$BATS_TEST_TMPDIR/checked
}

# assert_clean: nothing was found, and only descriptors that were inherited
# are open at the end: valgrind lists those of ours with where they came from.
assert_clean() {
	assert_equal "$exit" "${1:-0}"
	run cat "$BATS_TEST_TMPDIR"/valgrind.*
	# An exit status would not tell: newer versions count open descriptors.
	refute_output --regexp 'uninitialised|unaddressable|Invalid|lost|Process terminating'
	# The document root stays open for the life of the process.
	run awk -v tree="$tree" '
		/Open file descriptor/ { fd = $0; getline; if (!/inherited/ && fd !~ tree "$") print fd }
	' "$BATS_TEST_TMPDIR"/valgrind.*
	assert_output ''
}

@test "every kind of answer is clean" {
	local requests='' target
	for target in /small.txt /large.bin /dir /dir/ /old '/old?q' /x%20y /none \
		/.hidden /a%2fb //small.txt '/gr%C3%BCn?x'; do
		requests+="GET $target HTTP/1.1\r\nHost: test\r\nUser-Agent: \"x\r\n\r\n"
		requests+="HEAD $target HTTP/1.1\r\nHost: test\r\n\r\n"
	done
	ask "$requests" --persist=always "$tree"
	assert_equal "$(grep -ao 'HTTP/1\.1 [1-5][0-9][0-9] ' "$answer" | wc -l)" 24
	assert_clean
}

@test "refused requests are clean" {
	local request
	for request in '\x16\x03' 'GET' 'GET /\r\n\r\n' 'GET / HTTP/1.1\n' \
		'GET / HTTP/1.1\r\nHost: x\r\nContent-Length: x\r\n\r\n' \
		'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc' \
		'GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n'; do
		ask "$request" "$tree"
		assert_clean
	done
}

@test "an operator's mistake is clean" {
	ask 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' "$tree/none"
	assert_clean 66
	# In the sandbox there is too little memory for valgrind.
	HTTPD_OPTIONS='--sandbox=off --colour' ask 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' "$tree"
	assert_clean 64
}

@test "a connection over a socket is clean" {
	printf 'GET /large.bin HTTP/1.1\r\nHost: x\r\n\r\n' >"$BATS_TEST_TMPDIR/requests"
	printf 'GET /small.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' \
		>>"$BATS_TEST_TMPDIR/requests"
	answer=$BATS_TEST_TMPDIR/answer
	socat "EXEC:$HTTPD $tree" \
		"SYSTEM:cat '$BATS_TEST_TMPDIR/requests'; cat >'$answer'" \
		2>"$BATS_TEST_TMPDIR/log"
	"$TOP/test/tools/contents" <"$answer" |
		cmp - <(cat "$tree/large.bin" "$tree/small.txt")
	exit=0
	assert_clean
}
