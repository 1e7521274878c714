# Content of requests: where it ends, and that nothing in it is ever a request.

load lib
load requests
load spawn

HEAD='GET / HTTP/1.1\r\nHost: x\r\n'
CHUNKED='Transfer-Encoding: chunked\r\n\r\n'
NEXT='GET /result.html HTTP/1.1\r\nHost: x\r\n\r\n'
EVIL='GET /evil HTTP/1.1\r\nHost: x\r\n\r\n'

setup() {
	tree=$FILES
}

# what_came: the status codes and the verdicts of all answers, on one line.
# The pages that are asked for here end with a line.
what_came() {
	local line came=()
	while IFS= read -r line; do
		came+=("${line:9:3}")
	done < <(grep -a '^HTTP/1\.1 ' "$answer")
	while IFS= read -r line; do
		line=${line%\"}
		came+=("${line##*\"}")
	done <"$BATS_TEST_TMPDIR/log"
	printf '%s\n' "${came[*]} $exit"
}

# Rows: good or bad, then what follows the head of a chunked request.
chunks() {
	cat <<'ROWS'
good 0\r\n\r\n
good 00\r\n\r\n
good 0000000000000000000000000000000000\r\n\r\n
good 1\r\nx\r\n0\r\n\r\n
good a\r\n0123456789\r\n0\r\n\r\n
good A\r\n0123456789\r\n0\r\n\r\n
good 0a\r\n0123456789\r\n0\r\n\r\n
good 00000000000000000000000000000000000001\r\nx\r\n0\r\n\r\n
good 1\r\nx\r\n2\r\nyz\r\n3\r\nabc\r\n0\r\n\r\n
good 5\r\n0\r\n\r\n\r\n0\r\n\r\n
good 2\r\n\r\n\r\n0\r\n\r\n
good 1\r\n\x00\r\n0\r\n\r\n
good 1;x\r\nx\r\n0\r\n\r\n
good 1;x=y\r\nx\r\n0\r\n\r\n
good 1;x=y;z;a=b\r\nx\r\n0\r\n\r\n
good 1 ; x = y ; z\r\nx\r\n0\r\n\r\n
good 1\t;\tx\t=\ty\r\nx\r\n0\r\n\r\n
good 1;x="y"\r\nx\r\n0\r\n\r\n
good 1;x=""\r\nx\r\n0\r\n\r\n
good 1;x="a; b=\\"c\\\\";y\r\nx\r\n0\r\n\r\n
good 1;x="\xfc\xff\t"\r\nx\r\n0\r\n\r\n
good 0;last\r\n\r\n
good 0\r\nX: y\r\n\r\n
good 0\r\nX:\r\n\r\n
good 0\r\nX:y\r\nX: z \t\r\nY: \xff\r\n\r\n
good 0\r\nContent-Length: 99\r\n\r\n
good 0\r\nTransfer-Encoding: chunked\r\nHost: a\r\nHost: b\r\n\r\n
good 0\r\nConnection: close\r\nExpect: x\r\n\r\n
bad \r\n
bad \r\n0\r\n\r\n
bad \n0\r\n\r\n
bad  0\r\n\r\n
bad \t1\r\nx\r\n0\r\n\r\n
bad x\r\n0\r\n\r\n
bad g\r\n0\r\n\r\n
bad -1\r\nx\r\n0\r\n\r\n
bad +1\r\nx\r\n0\r\n\r\n
bad 0x1\r\nx\r\n0\r\n\r\n
bad 1h\r\nx\r\n0\r\n\r\n
bad 1.\r\nx\r\n0\r\n\r\n
bad 1,\r\nx\r\n0\r\n\r\n
bad 1_0\r\nx\r\n0\r\n\r\n
bad "1"\r\nx\r\n0\r\n\r\n
bad ;x\r\nx\r\n0\r\n\r\n
bad 1 \r\nx\r\n0\r\n\r\n
bad 1\t\r\nx\r\n0\r\n\r\n
bad 1 1\r\nx\r\n0\r\n\r\n
bad 1 x\r\nx\r\n0\r\n\r\n
bad 1\x00\r\nx\r\n0\r\n\r\n
bad 10000000000000000\r\nx\r\n0\r\n\r\n
bad 10000000000000001\r\nx\r\n0\r\n\r\n
bad fffffffffffffffffffff\r\nx\r\n0\r\n\r\n
bad 1\nx\n0\n\n
bad 1\nx\r\n0\r\n\r\n
bad 1\r\r\nx\r\n0\r\n\r\n
bad 1\rx\r\n0\r\n\r\n
bad 1;x\nx\r\n0\r\n\r\n
bad 1;x\rx\r\n0\r\n\r\n
bad 1;x\r\r\nx\r\n0\r\n\r\n
bad 1;x=\x00\r\nx\r\n0\r\n\r\n
bad 1;x="\x01"\r\nx\r\n0\r\n\r\n
bad 1;x="\n"\r\nx\r\n0\r\n\r\n
bad 1;\r\nx\r\n0\r\n\r\n
bad 1;;x\r\nx\r\n0\r\n\r\n
bad 1;x;\r\nx\r\n0\r\n\r\n
bad 1;=y\r\nx\r\n0\r\n\r\n
bad 1;x=\r\nx\r\n0\r\n\r\n
bad 1;x==y\r\nx\r\n0\r\n\r\n
bad 1;x y\r\nx\r\n0\r\n\r\n
bad 1;x=y z\r\nx\r\n0\r\n\r\n
bad 1;x="y\r\nx\r\n0\r\n\r\n
bad 1;x="y"z\r\nx\r\n0\r\n\r\n
bad 1;x=y"z"\r\nx\r\n0\r\n\r\n
bad 1;x="y\\\r\nx\r\n0\r\n\r\n
bad 1;(x)\r\nx\r\n0\r\n\r\n
bad 1;x \r\nx\r\n0\r\n\r\n
bad 1\r\nx0\r\n\r\n
bad 1\r\nxy\r\n0\r\n\r\n
bad 1\r\nx\n0\r\n\r\n
bad 1\r\nx\r0\r\n\r\n
bad 1\r\nx \r\n0\r\n\r\n
bad 1\r\n\r\n0\r\n\r\n
bad 2\r\nx\r\n0\r\n\r\n
bad 1\r\nx\r\n\r\n0\r\n\r\n
bad 1\r\nx\r\n-0\r\n\r\n
bad 1\r\nx\r\ng\r\n\r\n
bad 0\n\r\n
bad 0\r\n\n
bad 0\r\n\rx
bad 0\r\nno colon\r\n\r\n
bad 0\r\n: y\r\n\r\n
bad 0\r\nX : y\r\n\r\n
bad 0\r\nX(a): y\r\n\r\n
bad 0\r\n X: y\r\n\r\n
bad 0\r\nX: y\r\n z\r\n\r\n
bad 0\r\nX: y\n\r\n
bad 0\r\nX: a\rb\r\n\r\n
bad 0\r\nX: a\x00b\r\n\r\n
bad 0\r\nX: a\x1bb\r\n\r\n
bad 0\r\nGET /evil HTTP/1.1\r\nHost: x\r\n\r\n
ROWS
}

@test "each of a hundred good and bad chunked contents gets its definite answer" {
	local kind bytes wanted got rows=0 failed=0
	while IFS= read -r bytes; do
		kind=${bytes%% *}
		bytes=${bytes#* }
		rows=$((rows + 1))
		ask "$HEAD$CHUNKED$bytes$NEXT" --persist=always "$FILES"
		case $kind in
		good) wanted='200 200 ok ok 0' ;;
		bad) wanted='400 bad-chunk 0' ;;
		esac
		got=$(what_came)
		if [ "$got" != "$wanted" ]; then
			printf '%s\n  wanted: %s\n  got:    %s\n' "$bytes" "$wanted" "$got"
			failed=$((failed + 1))
		fi
	done < <(chunks)
	printf '%s rows, %s failed\n' "$rows" "$failed"
	[ "$rows" -ge 100 ] && [ "$failed" -eq 0 ]
}

@test "a refused chunk closes, and its answer says so" {
	ask "$HEAD${CHUNKED}x\r\n\r\n$NEXT" --persist=always "$FILES"
	assert_status 400 bad-chunk
	assert_equal "$(field Connection)" close
}

@test "content that ends early is answered 400, wherever that is" {
	local whole='5;x="y"\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n' bytes i
	bytes=$(printf '%b.' "$whole")
	bytes=${bytes%.}
	for ((i = 0; i < ${#bytes}; i++)); do
		ask "$HEAD$CHUNKED${bytes:0:i}" --persist=always "$FILES"
		assert_equal "$i $(what_came)" "$i 400 content-cut-short 0"
		assert_equal "$(field Connection)" close
	done
	ask "$HEAD$CHUNKED$whole" --persist=always "$FILES"
	assert_equal "$(what_came)" '200 ok 0'
	for ((i = 0; i < 5; i++)); do
		ask "${HEAD}Content-Length: 5\r\n\r\n$(printf '%.*s' "$i" hello)" \
			--persist=always "$FILES"
		assert_equal "$i $(what_came)" "$i 400 content-cut-short 0"
		assert_equal "$(field Connection)" close
	done
}

# Rows: status, verdict, the request line, and the fields of a request that has
# content; whatever it is answered, the content is taken away.
with_content() {
	cat <<'ROWS'
200 ok GET / HTTP/1.1|
200 ok HEAD / HTTP/1.1|
200 ok GET /a/1.jpg HTTP/1.1|
404 not-found GET /none HTTP/1.1|
404 hidden GET /.git HTTP/1.1|
404 encoded-slash GET /a%2fb HTTP/1.1|
301 slash-missing GET /a HTTP/1.1|
301 redirected GET /redirect HTTP/1.1|
204 options OPTIONS * HTTP/1.1|
204 options OPTIONS / HTTP/1.1|
405 method-not-allowed POST / HTTP/1.1|
405 method-not-allowed PUT /none HTTP/1.1|
405 method-not-allowed DELETE / HTTP/1.1|
405 method-not-allowed TRACE / HTTP/1.1|
405 method-not-allowed PATCH / HTTP/1.1|
501 method-unknown BREW / HTTP/1.1|
206 partial GET / HTTP/1.1|Range: bytes=0-0
206 partial GET / HTTP/1.1|Range: bytes=0-0,-1
416 range-not-satisfiable GET / HTTP/1.1|Range: bytes=999999999-
304 not-modified GET / HTTP/1.1|If-None-Match: *
412 precondition-failed GET / HTTP/1.1|If-Match: "x"
406 not-acceptable GET / HTTP/1.1|Accept-Encoding: *;q=0
ROWS
}

# check_with_content FIELD CONTENT: each request of the table with that content,
# and one behind it; both must be answered, and nothing else.
check_with_content() {
	local code_ token_ line fields rows=0
	while IFS='|' read -r line fields; do
		read -r code_ token_ line <<<"$line"
		rows=$((rows + 1))
		ask "$line\r\nHost: x\r\n${fields:+$fields\r\n}$1\r\n\r\n$2$NEXT" \
			--persist=always "$FILES"
		printf '%s %s\n' "$line" "$fields"
		assert_equal "$code $exit" "$code_ 0"
		assert_equal "$(field Connection)" keep-alive
		assert_equal "$(grep -c . <<<"$log")" 2
		assert_regex "$log" "\"$token_\"
.*\"GET /result.html HTTP/1.1\" 200 .*\"ok\"\$"
	done < <(with_content)
	assert_equal "$rows" 22
}

@test "the next request stands behind the content, whatever the answer" {
	check_with_content 'Content-Length: 5' hello
	check_with_content 'Transfer-Encoding: chunked' '5\r\nhello\r\n0\r\n\r\n'
}

@test "no request in a content is ever answered" {
	local size
	size=$(printf '%b' "$EVIL" | wc -c)
	check_with_content "Content-Length: $size" "$EVIL"
	check_with_content 'Transfer-Encoding: chunked' \
		"$(printf '%x' "$size")\r\n$EVIL\r\n0\r\n\r\n"
	check_with_content 'Transfer-Encoding: chunked' \
		"$(printf '%x' $((size + 7)))\r\n\r\n0\r\n\r\n$EVIL\r\n0\r\n\r\n"
}

@test "no request in a content is answered where the connection closes" {
	local fields closing size
	size=$(printf '%b' "$EVIL" | wc -c)
	while IFS='|' read -r closing fields; do
		ask "$closing\r\nHost: x\r\n$fields\r\n\r\n$EVIL$EVIL" "$FILES"
		printf '%s %s\n' "$closing" "$fields"
		assert_equal "$(grep -ac '^HTTP/1\.1 ' "$answer")" 1
		assert_equal "$(field Connection)" close
		refute grep -q evil <<<"$log"
	done <<-ROWS
		POST / HTTP/1.1|Content-Length: $size
		GET /none HTTP/1.1|Content-Length: $size
		GET / HTTP/1.1|Content-Length: 99999999
		GET / HTTP/1.1|Connection: close\r\nContent-Length: $size
		GET / HTTP/1.1|Expect: 100-continue\r\nContent-Length: $size
		GET / HTTP/1.1|Expect: 100-continue\r\nTransfer-Encoding: chunked
		GET / HTTP/1.1|Expect: x\r\nContent-Length: $size
		GET / HTTP/1.1|Transfer-Encoding: gzip
		GET / HTTP/1.1|Transfer-Encoding: gzip, chunked
		GET / HTTP/1.1|Transfer-Encoding: chunked
		GET / HTTP/1.1|Content-Length: $size\r\nTransfer-Encoding: chunked
		GET / HTTP/1.1|Content-Length: x
		GET / HTTP/1.1|Content-Length: 1, 2
		GET / HTTP/1.0|Content-Length: $size
		GET / HTTP/1.0|Transfer-Encoding: chunked
		CONNECT x:80 HTTP/1.1|Content-Length: $size
		CONNECT x:80 HTTP/1.1|Content-Length: 0
	ROWS
}

@test "errors with content close the connection, unless --persist=always" {
	ask "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc$NEXT" "$FILES"
	assert_status 405 method-not-allowed
	assert_equal "$(what_came)" '405 method-not-allowed 0'
}

@test "a field of a trailer section is no field of the request" {
	ask "$HEAD${CHUNKED}0\r\nConnection: close\r\nIf-None-Match: *\r\nRange: bytes=0-0\r\nExpect: x\r\nReferer: trailer\r\n\r\n$NEXT" \
		"$FILES"
	assert_equal "$(what_came)" '200 200 ok ok 0'
	refute grep -q trailer <<<"$log"
}

@test "a hundred contents of all kinds behind each other leave every answer in place" {
	local i wanted='' bytes='' size content
	for ((i = 0; i < 100; i++)); do
		content=$(printf '%*s' $((i * 37 % 1000)) '')
		size=${#content}
		case $((i % 4)) in
		0) bytes+="${HEAD}Content-Length: $size\r\n\r\n$content" ;;
		1) bytes+="$HEAD$CHUNKED$(printf '%x' $((size + 1)))\r\n${content}x\r\n0\r\n\r\n" ;;
		2) bytes+="$HEAD\r\n" ;;
		3) bytes+="${HEAD}Content-Length: 0\r\n\r\n" ;;
		esac
		bytes+=$NEXT
		wanted+='ok ok '
	done
	ask "$bytes" "$FILES"
	assert_equal "$(sed -n 's/.*"\([^"]*\)"$/\1/p' "$BATS_TEST_TMPDIR/log" | tr '\n' ' ')" \
		"$wanted"
	assert_equal "$("$TOP/test/tools/answers.py" <"$answer" | uniq -c | tr -s ' ')" ' 200 200'
}

# sized FIELD SIZE: a content of so many bytes x behind its head, for ask.
sized() {
	local content
	content=$(printf '%*s' "$2" '' | tr ' ' x)
	case $1 in
	length) printf '%s' "${HEAD}Content-Length: $2\r\n\r\n$content" ;;
	chunk) printf '%s' "$HEAD$CHUNKED$(printf '%x' "$2")\r\n$content\r\n0\r\n\r\n" ;;
	chunks)
		printf '%s' "$HEAD$CHUNKED$(printf '%x' $(($2 - 1)))\r\n${content%x}\r\n"
		printf '%s' '1\r\nx\r\n0\r\n\r\n'
		;;
	esac
}

@test "content of 65536 bytes is read, one of 65537 is answered 413, which closes" {
	local how
	for how in length chunk chunks; do
		ask "$(sized "$how" 65536)$NEXT" --persist=always "$FILES"
		assert_equal "$how $(what_came)" "$how 200 200 ok ok 0"
		ask "$(sized "$how" 65537)$NEXT" --persist=always "$FILES"
		assert_equal "$how $(what_came)" "$how 413 content-too-large 0"
		assert_equal "$(field Connection)" close
	done
}

@test "--max-body sets that limit, for each request anew" {
	local how
	for how in length chunk chunks; do
		ask "$(sized "$how" 10)$(sized "$how" 10)$(sized "$how" 11)$NEXT" \
			--max-body=10 --persist=always "$FILES"
		assert_equal "$how $(what_came)" \
			"$how 200 200 413 ok ok content-too-large 0"
	done
	ask "$(sized length 1024)$(sized chunk 1025)$NEXT" --max-body=1K "$FILES"
	assert_equal "$(what_came)" '200 413 ok content-too-large 0'
	ask "$(sized length 1048576)$(sized length 1048577)" --max-body=1M "$FILES"
	assert_equal "$(what_came)" '200 413 ok content-too-large 0'
}

@test "--max-body=0 refuses any content, but not none" {
	ask "${HEAD}Content-Length: 0\r\n\r\n$HEAD${CHUNKED}0\r\n\r\n$HEAD${CHUNKED}1\r\nx\r\n0\r\n\r\n" \
		--max-body=0 --persist=always "$FILES"
	assert_equal "$(what_came)" '200 200 413 ok ok content-too-large 0'
	ask "${HEAD}Content-Length: 1\r\n\r\nx$NEXT" --max-body=0 --persist=always "$FILES"
	assert_equal "$(what_came)" '413 content-too-large 0'
}

@test "a --max-body that is no number of bytes is refused" {
	local value
	for value in '' x -1 1G 1KM 1.5K K ' 1' 0x10 99999999999999999999 \
		99999999999999999M; do
		ask '' "--max-body=$value" "$FILES"
		assert_equal "$exit" 64
		assert_equal "$(wc -l <<<"$log")" 1
		assert_regex "$log" "^httpd: .*'$value'"
	done
}

@test "chunks of sizes near 2 to the 64th do not wrap round" {
	local size
	for size in ffff0000 ffffffff 7fffffffffffffff 8000000000000000 \
		ffffffffffff0000 fffffffffffffffe ffffffffffffffff; do
		ask "$HEAD$CHUNKED$size\r\nx\r\n0\r\n\r\n$NEXT" --persist=always "$FILES"
		assert_equal "$(what_came)" '413 content-too-large 0'
		ask "$HEAD${CHUNKED}1\r\nx\r\n$size\r\nx\r\n0\r\n\r\n$NEXT" \
			--persist=always "$FILES"
		assert_equal "$(what_came)" '413 content-too-large 0'
	done
}

@test "a size line of 256 bytes is read, one of 257 is refused" {
	local extension
	extension=$(printf '%253s' '' | tr ' ' x)
	ask "$HEAD${CHUNKED}1;x$extension\r\nx\r\n0;x$extension\r\n\r\n$NEXT" "$FILES"
	assert_equal "$(what_came)" '200 200 ok ok 0'
	ask "$HEAD${CHUNKED}1;xx$extension\r\nx\r\n0\r\n\r\n$NEXT" "$FILES"
	assert_equal "$(what_came)" '400 bad-chunk 0'
	ask "$HEAD${CHUNKED}1\r\nx\r\n0;xx$extension\r\n\r\n$NEXT" "$FILES"
	assert_equal "$(what_came)" '400 bad-chunk 0'
	ask "$HEAD$CHUNKED$(printf '%0300d' 1)\r\nx\r\n0\r\n\r\n$NEXT" "$FILES"
	assert_equal "$(what_came)" '400 bad-chunk 0'
}

@test "a trailer section of 8192 bytes is read, one of 8193 is refused" {
	local value
	# "X: ", the value and CRLF, twice; without the empty line at the end.
	value=$(printf '%4091s' '' | tr ' ' y)
	ask "$HEAD${CHUNKED}0\r\nX: $value\r\nX: $value\r\n\r\n$NEXT" "$FILES"
	assert_equal "$(what_came)" '200 200 ok ok 0'
	ask "$HEAD${CHUNKED}0\r\nX: $value\r\nX: y$value\r\n\r\n$NEXT" "$FILES"
	assert_equal "$(what_came)" '400 bad-chunk 0'
}

@test "content in HTTP/1.0 is read where its length is told" {
	local request='GET / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello'
	ask "$request$request$NEXT" "$FILES"
	assert_equal "$(what_came)" '200 200 200 ok ok ok 0'
	ask "GET / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhello$NEXT" "$FILES"
	assert_equal "$(what_came)" '200 ok 0'
	assert_equal "$(field Connection)" close
	ask 'GET / HTTP/1.0\r\nContent-Length: 5\r\n\r\nhell' "$FILES"
	assert_equal "$(what_came)" '400 content-cut-short 0'
	# What is behind a head without a length is no content (RFC 9112 6.3).
	ask "POST / HTTP/1.0\r\n\r\nhello" "$FILES"
	assert_equal "$(what_came)" '405 method-not-allowed 0'
}

# Rows: what comes, then the version and fields of a request with its content.
expectations() {
	cat <<'ROWS'
200 ok close|1.1|Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello
200 ok close|1.1|eXpEcT: 100-CONTINUE\r\nContent-Length: 5\r\n\r\nhello
200 ok close|1.1|Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n
200 ok close|1.1|Expect: ,100-continue, \r\nContent-Length: 5\r\n\r\nhello
200 ok close|1.1|Expect: 100-continue\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello
200 200 ok ok keep-alive|1.1|Expect: 100-continue\r\n\r\n
200 200 ok ok keep-alive|1.1|Expect: 100-continue\r\nContent-Length: 0\r\n\r\n
200 200 ok ok keep-alive|1.1|Expect:\r\nContent-Length: 5\r\n\r\nhello
200 200 ok ok keep-alive|1.1|Expect: ,\r\n\r\n
200 200 ok ok keep-alive|1.0|Expect: 100-continue\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello
200 200 ok ok keep-alive|1.0|Expect: x\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello
200 ok close|1.0|Expect: 100-continue\r\nContent-Length: 5\r\n\r\nhello
417 200 expectation-failed ok keep-alive|1.1|Expect: x\r\n\r\n
417 200 expectation-failed ok keep-alive|1.1|Expect: x\r\nContent-Length: 5\r\n\r\nhello
417 200 expectation-failed ok keep-alive|1.1|Expect: x=y\r\n\r\n
417 200 expectation-failed ok keep-alive|1.1|Expect: 100-continue=1\r\n\r\n
417 200 expectation-failed ok keep-alive|1.1|Expect: 100-continue;q=1\r\n\r\n
417 200 expectation-failed ok keep-alive|1.1|Expect: 100\r\n\r\n
417 200 expectation-failed ok keep-alive|1.1|Expect: 200-ok\r\n\r\n
417 200 expectation-failed ok keep-alive|1.1|Expect: 100-continue, x\r\n\r\n
417 200 expectation-failed ok keep-alive|1.1|Expect: 100-continue\r\nExpect: x\r\n\r\n
417 expectation-failed close|1.1|Expect: 100-continue, x\r\nContent-Length: 5\r\n\r\nhello
ROWS
}

@test "each expectation gets its definite answer" {
	local wanted version bytes got rows=0 failed=0
	while IFS='|' read -r wanted version bytes; do
		rows=$((rows + 1))
		ask "GET / HTTP/$version\r\nHost: x\r\n$bytes$NEXT" --persist=always "$FILES"
		got=$(what_came)
		got="${got% 0} $(field Connection 2>&1 || :)"
		if [ "$got" != "$wanted" ]; then
			printf '%s\n  wanted: %s\n  got:    %s\n' "$bytes" "$wanted" "$got"
			failed=$((failed + 1))
		fi
	done < <(expectations)
	printf '%s rows, %s failed\n' "$rows" "$failed"
	[ "$rows" -eq 22 ] && [ "$failed" -eq 0 ]
}

@test "a client that waits for 100 gets the last word at once, and then the end" {
	talk <<-'EOP'
		for target, status, token in (("/", 200, "ok"), ("/none", 404, "not-found")):
		    for field in ("Content-Length: 5", "Transfer-Encoding: chunked"):
		        c = Handler("--timeout=20", "--persist=always")
		        c.send(get(target, "Expect: 100-continue", field))
		        answer = c.answer()
		        check("status", answer.status, status)
		        check("Connection", answer.fields["connection"], "close")
		        c.check_end()
		        c.close()
		        c.check_ended(token)
	EOP
}

@test "a client that waits for 100 and sends its content all the same gets its answer whole" {
	talk <<-'EOP'
		c = Handler(root=site(large=4 * MiB))
		c.send(get("/large", "Expect: 100-continue", "Content-Length: 300000"))
		c.send(bytes(300000))
		check("content", len(c.answer().content), 4 * MiB)
		c.check_end()
		c.close()
		c.check_ended("ok")
	EOP
}

@test "an unknown expectation is refused without waiting for the content" {
	talk <<-'EOP'
		c = Handler("--timeout=20", "--head-timeout=20")
		c.send(get("/", "Expect: x, 100-continue", "Content-Length: 5"))
		answer = c.answer()
		check("status", answer.status, 417)
		c.check_end()
		c.close()
		c.check_ended("expectation-failed")
	EOP
}

@test "content that is too large is refused without waiting for it" {
	talk <<-'EOP'
		def refused(*pieces):
		    c = Handler("--timeout=20", "--head-timeout=20", "--persist=always")
		    for piece in pieces:
		        c.send(piece)
		    answer = c.answer()
		    check("status", answer.status, 413)
		    check("Connection", answer.fields["connection"], "close")
		    c.check_end()
		    c.close()
		    c.check_ended("content-too-large")
		chunked = get("/", "Transfer-Encoding: chunked")
		refused(get("/", "Content-Length: 65537"))
		refused(chunked, b"10001\r\n")
		refused(chunked, b"10000\r\n" + bytes(65536) + b"\r\n1\r\n")
	EOP
}

@test "content that drips in byte by byte is read, and no pause in it is idleness" {
	talk <<-'EOP'
		chunks = b'5;x="y"\r\nhello\r\n1\r\n!\r\n0\r\nT: v\r\n\r\n'
		c = Handler("--timeout=0.2", "--head-timeout=20")
		for head, content in ((get("/", "Transfer-Encoding: chunked"), chunks),
		                      (get("/", "Content-Length: 20"), bytes(20))):
		    c.send(head)
		    for at in range(len(content)):
		        c.send(content[at:at + 1])
		        time.sleep(0.02)
		    check("status", c.answer().status, 200)
		c.send(get("/", "Content-Length: 2") + b"x")
		time.sleep(0.6)
		c.send(b"x" + get("/result.html"))
		check("status after a pause", c.answer().status, 200)
		check("status of the next", c.answer().status, 200)
		c.check_end()
		c.check_ended("ok", "ok", "ok", "ok")
	EOP
}

@test "all at once, byte by byte and cut in two anywhere, content is read alike" {
	talk <<-'EOP'
		stream = (get("/result.html", "Transfer-Encoding: chunked") +
		          b"5;x\r\n0\r\n\r\n\r\n0\r\nT: v\r\n\r\n" +
		          get("/result.html", "Content-Length: 4") + b"\r\n\r\n" +
		          get("/result.html"))
		def answers(c):
		    return [(a.status, a.content) for a in (c.answer(), c.answer(), c.answer())]
		c = Handler()
		c.send(stream)
		wanted = answers(c)
		first = len(get("/result.html", "Transfer-Encoding: chunked"))
		for cut in range(first, len(stream) - len(get("/result.html")) + 1):
		    c.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
		    c.send(stream[:cut])
		    # The program has taken the first part when it waits again.
		    while open(f"/proc/{c.process.pid}/stat").read().split()[2] != "S":
		        pass
		    c.send(stream[cut:])
		    check(f"answers when cut at {cut}", answers(c), wanted)
	EOP
}

@test "content that is not there within --head-timeout is answered 408 and ends" {
	talk <<-'EOP'
		for pieces in ((get("/", "Content-Length: 5") + b"hell",),
		               (get("/", "Transfer-Encoding: chunked"),),
		               (get("/", "Transfer-Encoding: chunked"), b"5\r\nhello\r\n0\r\n")):
		    c = Handler("--timeout=20", "--head-timeout=0.5", "--persist=always")
		    for piece in pieces:
		        c.send(piece)
		    answer = c.answer()
		    check("status", answer.status, 408)
		    check("Connection", answer.fields["connection"], "close")
		    check_within("seconds until the answer", now() - c.started, 0.48, 4)
		    c.check_end()
		    c.close()
		    c.check_ended("content-timeout")
	EOP
}

@test "content has a deadline of its own, and it is absolute" {
	talk <<-'EOP'
		c = Handler("--timeout=20", "--head-timeout=1")
		c.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
		time.sleep(0.6)
		c.send(b"Content-Length: 2\r\n\r\nx")
		time.sleep(0.6)
		c.send(b"x")
		check("status", c.answer().status, 200)
		c.send(get("/", "Content-Length: 65000"))
		begun = now()
		c.sock.settimeout(0.05)
		for _ in range(200):
		    c.send(b"x")
		    try:
		        c.arrived = c.sock.recv(65536)
		        break
		    except socket.timeout:
		        pass
		c.sock.settimeout(30)
		check_within("seconds until the answer", now() - begun, 0.98, 4)
		check("status", c.answer().status, 408)
		c.check_end()
		c.close()
		c.check_ended("ok", "content-timeout")
	EOP
}

@test "a client that resets the connection amid its content ends the program quietly" {
	talk <<-'EOP'
		c = Handler()
		c.send(get("/", "Content-Length: 500") + b"x")
		c.reset()
		c.wait()
		check("exit", c.exit, 0)
	EOP
}

@test "what the head says holds behind a content that is larger than any buffer" {
	talk <<-'EOP'
		wanted = content_of("index.html")[5:10]
		for padding in (0, 100, 4000, 8000, 12000, 15000, 16000):
		    for before in (0, 1, 30):
		        c = Handler()
		        length = get("/", "Content-Length: 65536", "X: " + "x" * padding,
		                     "Range: bytes=5-9", "Referer: http://test/" + "r" * 50)
		        chunked = length.replace(b"Content-Length: 65536",
		                                 b"Transfer-Encoding: chunked")
		        for head, content in ((length, b"GET / " * 10922 + b"GET "),
		                              (chunked, b"a\r\n/evil HTTP\r\n" * 6000 +
		                               b"0\r\n\r\n")):
		            # The first bytes of content come with the head, or alone.
		            for cut in (0, 1, 300):
		                c.send(get("/result.html") * before + head + content[:cut])
		                c.send(content[cut:] + get("/result.html"))
		                for _ in range(before):
		                    check("status before", c.answer().status, 200)
		                answer = c.answer()
		                check("status", answer.status, 206)
		                check("content", answer.content, wanted)
		                check("status behind", c.answer().status, 200)
		        c.half_close()
		        c.check_end()
		        c.check_ended(*(["ok"] * before + ["partial", "ok"]) * 6)
		        log = "\n".join(c.log())
		        check("referers", log.count('"http://test/' + "r" * 50 + '"'), 6)
		        check("evil", log.count("evil"), 0)
	EOP
}
