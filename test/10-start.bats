# What the program says of itself, and what an operator can get wrong.

load lib

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
	assert_operator_error 64 "httpd: option '--colour' is not known; see httpd --help"
}

@test "an unknown short option is named" {
	ask "$REQUEST" -x "$FILES"
	assert_operator_error 64 "httpd: option '-x' is not known; see httpd --help"
}

@test "an option without its value is named" {
	ask "$REQUEST" --timeout
	assert_operator_error 64 "httpd: option '--timeout' needs a value"
}

@test "numbers that make no sense are refused" {
	local bad
	for bad in --timeout=0 --timeout=-1 --timeout=1s --timeout= --timeout=. \
		--timeout=86401 --timeout=99999999999999999999 --timeout=0x10 \
		--head-timeout=nan --send-timeout=1e3 --max-requests=-1 \
		--max-requests=1.5 --max-requests=99999999999999999999 \
		--max-body=64G --max-body=2000M --max-body= --max-body=K --max-body=1.5K \
		--max-body=-1 --min-rate=fast --max-life=0.0 --user= --sandbox=on --etag=none --variants=on --persist=never --log=json; do
		ask "$REQUEST" "$bad" "$FILES"
		assert_operator_error 64 "httpd: option value '${bad#*=}' makes no sense; see httpd --help"
	done
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
	assert_operator_error 64 "httpd: option '--colour' is not known; see httpd --help"
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
