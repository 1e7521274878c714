# Methods: what each of them is answered, and what HEAD has of GET.

load lib
load requests

ALLOW='GET, HEAD, OPTIONS'

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree/dir"
	echo content >"$tree/file.txt"
	touch -d '1994-11-06 08:49:37 UTC' "$tree/file.txt"
	printf 'zipped' >"$tree/file.txt.gz"
	touch -d '1994-11-06 08:49:37 UTC' "$tree/file.txt.gz"
	echo index >"$tree/dir/index.html"
	touch -d "1994-11-06 08:49:37 UTC" "$tree/dir/index.html"
	echo '/old /new' >"$tree/_redirects"
	echo 'our own page' >"$tree/404.html"
}

@test "OPTIONS names the methods for any target, and for the server as a whole" {
	local target
	for target in '*' / /file.txt /dir /dir/ /old /none '/file.txt?query' \
		http://other/file.txt HTTP://other /.hidden /a%2fb; do
		ask_one OPTIONS "$target"
		printf 'target: %s\n' "$target"
		assert_status 204 options
		assert_equal "$(field Allow)" "$ALLOW"
		assert_equal "$(field_names)" 'Allow Connection Date Keep-Alive '
		assert_equal "$(field Connection)" keep-alive
		assert_equal "$(content | wc -c)" 0
	done
}

@test "OPTIONS has no content, and the next answer starts behind its head" {
	request OPTIONS '*'
	request OPTIONS /none
	request GET /file.txt
	ask "$requests" "$tree"
	assert_equal "$("$TOP/test/tools/answers.py" <"$answer" | tr '\n' ' ')" \
		'204 204 200 '
}

@test "content, conditions, ranges and hops left do not change what OPTIONS says" {
	row 'If-Match' "204 $ALLOW" OPTIONS /file.txt 'If-Match: "none"'
	row 'If-None-Match' "204 $ALLOW" OPTIONS /file.txt 'If-None-Match: *'
	row 'If-Modified-Since' "204 $ALLOW" OPTIONS /file.txt \
		'If-Modified-Since: Fri, 01 Jan 2100 00:00:00 GMT'
	row 'If-Unmodified-Since' "204 $ALLOW" OPTIONS /file.txt \
		'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT'
	row 'Range' "204 $ALLOW" OPTIONS /file.txt 'Range: bytes=99-'
	row 'Accept-Encoding' "204 $ALLOW" OPTIONS /file.txt \
		'Accept-Encoding: identity;q=0, *;q=0'
	row 'Max-Forwards: 0' "204 $ALLOW" OPTIONS '*' 'Max-Forwards: 0'
	row 'Max-Forwards: 9' "204 $ALLOW" OPTIONS / 'Max-Forwards: 9'
	row 'no content' "204 $ALLOW" OPTIONS / 'Content-Length: 0'
	row 'content' "204 $ALLOW" OPTIONS / 'Content-Length: 3'
	requests+='abc'
	row 'a GET behind it' '200 -' GET /file.txt
	check_rows "$TOP/test/tools/answers.py" Allow
}

@test "OPTIONS in HTTP/1.0 is answered, and closes" {
	ask 'OPTIONS / HTTP/1.0\r\n\r\n' "$tree"
	assert_status 204 options
	assert_equal "$(field Allow)" "$ALLOW"
	assert_equal "$(field Connection)" close
}

@test "an asterisk is a target for OPTIONS alone, and alone" {
	local request
	for request in 'GET *' 'HEAD *' 'POST *' 'TRACE *' 'CONNECT *' \
		'options *' 'OPTIONS **' 'OPTIONS *?x' 'OPTIONS x' 'OPTIONS x:80'; do
		printf 'request: %s\n' "$request"
		ask "$request HTTP/1.1\r\nHost: x\r\n\r\n" "$tree"
		assert_status 400 bad-target
	done
}

@test "methods that are known and not served are answered 405, with those that are" {
	local method
	for method in POST PUT DELETE TRACE; do
		row "$method a file" "405 $ALLOW" "$method" /file.txt
		row "$method nothing" "405 $ALLOW" "$method" /none
		row "$method a redirect" "405 $ALLOW" "$method" /old
		row "$method with a condition" "405 $ALLOW" "$method" /file.txt \
			'If-Match: "none"'
		row "$method with a range" "405 $ALLOW" "$method" /file.txt \
			'Range: bytes=0-0'
	done
	check_rows "$TOP/test/tools/answers.py" Allow
	for method in POST PUT DELETE TRACE; do
		ask_one "$method" /file.txt
		assert_status 405 method-not-allowed
		assert_equal "$(content | wc -c)" "$(field Content-Length)"
		has_no ETag Last-Modified Accept-Ranges Vary
	done
}

@test "every method of IANA's registry that is not served is answered 405" {
	local method
	for method in ACL BASELINE-CONTROL BIND CHECKIN CHECKOUT COPY DELETE LABEL \
		LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MKREDIRECTREF MKWORKSPACE \
		MOVE ORDERPATCH PATCH POST PRI PROPFIND PROPPATCH PUT REBIND REPORT \
		SEARCH TRACE UNBIND UNCHECKOUT UNLINK UNLOCK UPDATE UPDATEREDIRECTREF \
		VERSION-CONTROL; do
		row "$method" "405 $ALLOW" "$method" /file.txt
		row "${method}S" '501 -' "${method}S" /file.txt
		row "${method%?}_" '501 -' "${method%?}_" /file.txt
		row "${method,,}" '501 -' "${method,,}" /file.txt
	done
	check_rows "$TOP/test/tools/answers.py" Allow
	ask_one PROPFIND /file.txt 'Content-Length: 0'
	assert_status 405 method-not-allowed
}

@test "methods that are not known are answered 501, and names are case-sensitive" {
	local method
	for method in BREW get Get head options M-SEARCH x "!#\$&'*+.^_\`|~9"; do
		row "$method" '501 -' "$method" /file.txt
	done
	check_rows "$TOP/test/tools/answers.py" Allow
	ask_one BREW /file.txt
	assert_status 501 method-unknown
}

@test "TRACE sends nothing of the request back" {
	ask_one TRACE /file.txt 'Cookie: secret' 'Max-Forwards: 0'
	assert_status 405 method-not-allowed
	refute grep -q -e secret -e TRACE "$answer"
}

@test "CONNECT is answered 405 and closes, and nothing behind it is a request" {
	options=(--persist=always)
	request CONNECT example.org:443
	request GET /file.txt
	ask "$requests" "${options[@]}" "$tree"
	assert_status 405 method-not-allowed
	assert_equal "$(field Connection)" close
	assert_equal "$(field Allow)" "$ALLOW"
	assert_equal "$(grep -ac '^HTTP/1\.1 ' "$answer")" 1
	request CONNECT example.org:443 'Content-Length: 0'
	request GET /file.txt
	ask "$requests" "${options[@]}" "$tree"
	assert_equal "$(grep -ac '^HTTP/1\.1 ' "$answer")" 1
}

@test "Allow is in answers that are about methods only" {
	local target
	for target in /file.txt /none /old /dir; do
		ask_one GET "$target"
		has_no Allow
	done
}

@test "HEAD has the head of GET, whatever is asked, and no content" {
	local target line got wanted tag rows=0
	settle "$tree"
	ask_one GET /file.txt
	tag=$(field ETag)
	while IFS='|' read -r target line; do
		ask_one GET "$target" ${line:+"${line//TAG/$tag}"}
		wanted=$(grep -v '^Date:' <<<"$head")
		ask_one HEAD "$target" ${line:+"${line//TAG/$tag}"}
		got=$(grep -v '^Date:' <<<"$head")
		printf '%s %s\n' "$target" "$line"
		assert_equal "$got" "$wanted"
		assert_equal "$(content | wc -c)" 0
		rows=$((rows + 1))
	done <<-'ROWS'
		/file.txt|
		/file.txt|If-None-Match: TAG
		/file.txt|If-None-Match: "none"
		/file.txt|If-Match: "none"
		/file.txt|If-Match: TAG
		/file.txt|If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT
		/file.txt|If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT
		/file.txt|If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT
		/file.txt|Accept-Encoding: gzip
		/file.txt|Accept-Encoding: *;q=0
		/file.txt|Content-Length: 0
		/file.txt|Expect: x
		/dir/|
		/dir|
		/old|
		/none|
		/none|If-None-Match: *
		/.hidden|
		/a%2fb|
		/%|
		x|
	ROWS
	assert_equal "$rows" 21
}

@test "HEAD knows no ranges" {
	local line
	for line in 'bytes=0-0' 'bytes=0-0,7-7' 'bytes=99-' 'x'; do
		row "GET $line" "$(case $line in
			bytes=0-0*) echo 206 bytes ;;
			x) echo 200 bytes ;;
			*) echo 416 - ;;
		esac)" GET /dir/ "Range: $line"
	done
	row 'HEAD is no GET' '200 bytes' GET /dir/
	check_rows "$TOP/test/tools/answers.py" Accept-Ranges
	for line in 'bytes=0-0' 'bytes=0-0,7-7' 'bytes=99-' 'x'; do
		row "HEAD $line" '200 6 bytes -' HEAD /dir/ "Range: $line"
		row "HEAD $line, If-Range" '200 6 bytes -' HEAD /dir/ "Range: $line" \
			'If-Range: "x"'
	done
	check_rows "$TOP/test/tools/answers.py" --head Content-Length Accept-Ranges \
		Content-Range
}
