# Heads: what ends one, and what one may hold.

load lib

# repeat N TEXT
repeat() {
	local out
	printf -v out '%*s' "$1" ''
	printf '%s' "${out// /$2}"
}

@test "an empty connection ends without an answer" {
	ask '' "$FILES"
	assert_equal "$exit" 0
	assert_equal "$(wc -c <"$answer")" 0
	assert_equal "$log" ''
}

@test "one empty line before a request is skipped" {
	ask '\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n' "$FILES"
	assert_status 200 ok
}

@test "a second empty line is refused" {
	ask '\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n' "$FILES"
	assert_status 400 bad-request-line
}

@test "an empty line and no request ends without an answer" {
	ask '\r\n' "$FILES"
	assert_equal "$exit" 0
	assert_equal "$(wc -c <"$answer")" 0
}

@test "a head that ends half-way is answered 400" {
	ask 'GET / HTTP/1.1\r\nHost: te' "$FILES"
	assert_status 400 head-cut-short
	assert_equal "$(field Connection)" close
}

@test "a request line of 8192 bytes is read, one of 8193 is answered 414" {
	# "GET /" and " HTTP/1.1" are 14 bytes of the line.
	get "/$(repeat 8178 x)" "$FILES"
	assert_status 404 not-found
	get "/$(repeat 8179 x)" "$FILES"
	assert_status 414 request-line-too-long
}

@test "an endless request line is answered 414 before its end" {
	ask "GET /$(repeat 9000 x)" "$FILES"
	assert_status 414 request-line-too-long
}

@test "a head of 16384 bytes is read, one of 16385 is answered 431" {
	# 16384 bytes with all line ends: 18 + 12 + 3 + N + 2 + 2.
	ask "GET / HTTP/1.1\r\nHost: test\r\nA: $(repeat 16349 x)\r\n\r\n" "$FILES"
	assert_status 200 ok
	ask "GET / HTTP/1.1\r\nHost: test\r\nA: $(repeat 16350 x)\r\n\r\n" "$FILES"
	assert_status 431 head-too-large
}

@test "100 fields are read, 101 are answered 431" {
	ask "GET / HTTP/1.1\r\nHost: test\r\n$(repeat 99 'A: b\r\n')\r\n" "$FILES"
	assert_status 200 ok
	ask "GET / HTTP/1.1\r\nHost: test\r\n$(repeat 100 'A: b\r\n')\r\n" "$FILES"
	assert_status 431 too-many-fields
}

@test "a bare LF is refused, wherever a line ends with it" {
	ask 'GET / HTTP/1.1\nHost: test\r\n\r\n' "$FILES"
	assert_status 400 bare-lf
	ask 'GET / HTTP/1.1\r\nHost: test\n\r\n' "$FILES"
	assert_status 400 bare-lf
	ask 'GET / HTTP/1.1\r\nHost: test\r\n\n' "$FILES"
	assert_status 400 bare-lf
}

@test "what does not look like HTTP is refused at once" {
	ask '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03' "$FILES"
	assert_status 400 not-http
}

@test "pipelined requests are answered in order" {
	local i requests='' wanted='' paths=(/ /result.html /favicon.ico /a/b/ref.html)
	for i in 0 1 2 3 2 1 0 3; do
		requests+="GET ${paths[i]} HTTP/1.1\r\nHost: test\r\n\r\n"
		wanted+="\"GET ${paths[i]} HTTP/1.1\" 200"$'\n'
	done
	ask "$requests" "$FILES"
	assert_equal "$(grep -ao 'HTTP/1.1 200 OK' "$answer" | wc -l)" 8
	assert_equal "$(sed 's/.*\] \("[^"]*" [0-9]*\).*/\1/' "$BATS_TEST_TMPDIR/log")"$'\n' "$wanted"
}

@test "a request behind the last one's buffer end is found again" {
	# Heads of 5000 bytes straddle the 16384 byte buffer every fourth time.
	local one
	one="GET / HTTP/1.1\r\nHost: test\r\nA: $(repeat 4963 x)\r\n\r\n"
	ask "$one$one$one$one$one$one$one$one$one$one" "$FILES"
	assert_equal "$(grep -ao 'HTTP/1.1 200 OK' "$answer" | wc -l)" 10
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 10
}

@test "nothing is answered behind a refused request" {
	ask 'GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: test\r\n\r\n' "$FILES"
	assert_equal "$(grep -ac '^HTTP/1.1 ' "$answer")" 1
	assert_status 400 host-missing
}
