# Bugs that servers of this kind have had: each is sent the bytes that it was
# found with.  known-bugs.tsv says what went wrong where, and which tests,
# here and in other suites, hold it.

load lib
load spawn

setup() {
	tree=$BATS_TEST_TMPDIR/srv/tree
	mkdir -p "$tree/dir" "$tree/cgi-bin"
	echo 'the index' >"$tree/index.html"
	echo 'a file' >"$tree/dir/file.txt"
	echo 'a picture' >"$tree/picture.jpg"
	echo 'a SECRET' | tee "$BATS_TEST_TMPDIR/secret" "$BATS_TEST_TMPDIR/srv/secret" \
		"$tree/.htpasswd" "$tree/dir/.htpasswd" >/dev/null
}

teardown() {
	[ -z "${in_memory:-}" ] || rm -r "$in_memory"
}

# A request that must not be answered: it stands where only a parser that has
# lost its way looks for one.
EVIL='GET /dir/file.txt HTTP/1.1\r\nHost: evil\r\n\r\n'

# told BYTES STATUS TOKEN: what the bytes are answered first, and that nothing
# of it is what lies outside of the tree or hidden in it.
told() {
	ask "$1" --persist=always "$tree"
	assert_status "$2" "$3" || {
		printf 'for: %s\n' "$1" >&2
		return 1
	}
	if grep -aqE 'SECRET|root:' "$answer"; then
		printf 'for %s\ngot:\n%s\n' "$1" "$(cat "$answer")" >&2
		return 1
	fi
}

# answers COUNT: the program sent so many, and a file only where it is wanted.
answers() {
	assert_equal "$(grep -ac '^HTTP/1\.1 ' "$answer")" "$1"
	refute grep -aq 'a file' "$answer"
}

# traced BYTES CALLS: the calls that the program makes while it answers.
traced() {
	answer=$BATS_TEST_TMPDIR/answer exit=0
	printf '%b' "$1" | strace -f -qq -o "$BATS_TEST_TMPDIR/strace" -e trace="$2" \
		"$HTTPD" --persist=always "$tree" >"$answer" 2>"$BATS_TEST_TMPDIR/log" ||
		exit=$?
	read_answer
}

# ---- paths ----

@test "CVE-2021-41773 (Apache): a dot and an encoded dot do not climb" {
	local up
	for up in .%2e %2e. %2E%2e; do
		told "GET /cgi-bin/$up/$up/$up/secret HTTP/1.1\r\nHost: x\r\n\r\n" 404 outside
		told "GET /$up/$up/$up/$up/$up/$up/$up/$up/etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n" \
			404 outside
	done
}

@test "CVE-2021-42013 (Apache): dots that are encoded twice do not climb" {
	told 'GET /cgi-bin/.%%32%65/.%%32%65/.%%32%65/secret HTTP/1.1\r\nHost: x\r\n\r\n' \
		400 bad-escape
	told 'GET /cgi-bin/%%32%65%%32%65/%%32%65%%32%65/secret HTTP/1.1\r\nHost: x\r\n\r\n' \
		400 bad-escape
	told 'GET /cgi-bin/%252e%252e/%252e%252e/secret HTTP/1.1\r\nHost: x\r\n\r\n' \
		404 not-found
	# What is decoded twice would be the hidden name.
	told 'GET /%252ehtpasswd HTTP/1.1\r\nHost: x\r\n\r\n' 404 not-found
}

@test "CVE-2019-16278 (nostromo): a carriage return between dots does not hide them" {
	told 'POST /.%0d./.%0d./.%0d./.%0d./bin/sh HTTP/1.0\r\nContent-Length: 1\r\n\r\necho\necho\nid 2>&1' \
		405 method-not-allowed
	told 'GET /.%0d./.%0d./secret HTTP/1.1\r\nHost: x\r\n\r\n' 404 hidden
	told 'GET /dir/.%0d./secret HTTP/1.1\r\nHost: x\r\n\r\n' 404 hidden
	told 'GET /.\r./secret HTTP/1.1\r\nHost: x\r\n\r\n' 400 bad-target
}

@test "eris, fnord: what is hidden stays hidden when it is encoded" {
	local dot
	for dot in . %2e %2E; do
		told "GET /${dot}htpasswd HTTP/1.1\r\nHost: x\r\n\r\n" 404 hidden
		told "GET /dir/${dot}htpasswd HTTP/1.1\r\nHost: x\r\n\r\n" 404 hidden
		told "GET /dir/${dot}${dot}/${dot}htpasswd HTTP/1.1\r\nHost: x\r\n\r\n" 404 hidden
		told "GET /${dot}${dot}/secret HTTP/1.0\r\n\r\n" 404 outside
	done
}

@test "tipidee, busybox, micro_httpd, toybox, lighttpd: /.htpasswd is not served" {
	told 'GET /.htpasswd HTTP/1.1\r\nHost: x\r\n\r\n' 404 hidden
	told 'GET /dir/.htpasswd HTTP/1.0\r\n\r\n' 404 hidden
}

@test "CVE-2018-19052 (lighttpd): two dots behind a directory's name do not climb" {
	mkdir "$BATS_TEST_TMPDIR/srv/tree/img"
	told 'GET /img../secret HTTP/1.1\r\nHost: x\r\n\r\n' 404 not-found
	told 'GET /dir../secret HTTP/1.1\r\nHost: x\r\n\r\n' 404 not-found
	told 'GET /dir%2e%2e/secret HTTP/1.1\r\nHost: x\r\n\r\n' 404 not-found
}

@test "CVE-2024-43800 (serve-static): a redirect's page repeats nothing of the target" {
	local name='"><script>alert(1)<'
	mkdir "$tree/$name"
	told 'GET /%22%3E%3Cscript%3Ealert(1)%3C HTTP/1.1\r\nHost: x\r\n\r\n' \
		301 slash-missing
	refute grep -aq '<script' "$answer"
	assert_equal "$(field Location)" '%22%3E%3Cscript%3Ealert(1)%3C/'
	told 'GET /"><script>alert(1)< HTTP/1.1\r\nHost: x\r\n\r\n' 301 slash-missing
	refute grep -aq '<script' "$answer"
	told 'GET //evil.example/%2e%2e HTTP/1.1\r\nHost: x\r\n\r\n' 200 ok
	told 'GET //evil.example/%2e%2e/dir HTTP/1.1\r\nHost: x\r\n\r\n' \
		301 slash-missing
	refute grep -aq 'evil' "$answer"
	told 'GET //dir HTTP/1.1\r\nHost: x\r\n\r\n' 301 slash-missing
	assert_equal "$(field Location)" dir/
}

@test "CVE-2026-39406 (hono): repeated slashes lead past no rule" {
	local slashes
	for slashes in // /// ////; do
		told "GET $slashes.htpasswd HTTP/1.1\r\nHost: x\r\n\r\n" 404 hidden
		told "GET /dir$slashes.htpasswd HTTP/1.1\r\nHost: x\r\n\r\n" 404 hidden
		told "GET ${slashes}_redirects HTTP/1.1\r\nHost: x\r\n\r\n" 404 hidden
		told "GET ${slashes}etc/passwd HTTP/1.1\r\nHost: x\r\n\r\n" 404 not-found
		told "GET /dir${slashes}file.txt HTTP/1.1\r\nHost: x\r\n\r\n" 200 ok
		assert_equal "$(content)" 'a file'
	done
	told 'GET /%2f.htpasswd HTTP/1.1\r\nHost: x\r\n\r\n' 404 encoded-slash
	told 'GET /dir%2f.htpasswd HTTP/1.1\r\nHost: x\r\n\r\n' 404 encoded-slash
	told 'GET /dir%5c.htpasswd HTTP/1.1\r\nHost: x\r\n\r\n' 404 encoded-slash
}

@test "CVE-2013-4547 (nginx): a blank and a NUL in a target are refused" {
	told 'GET /picture.jpg \x00.php HTTP/1.1\r\nHost: x\r\n\r\n' 400 bad-version
	told 'GET /dir /../../secret HTTP/1.1\r\nHost: x\r\n\r\n' 400 bad-version
	told 'GET /picture.jpg\x00.php HTTP/1.1\r\nHost: x\r\n\r\n' 400 bad-target
	echo 'a blank' >"$tree/picture.jpg "
	told 'GET /picture.jpg%20%00.php HTTP/1.1\r\nHost: x\r\n\r\n' 400 bad-escape
}

@test "micro_httpd, eris, toybox: an encoded NUL does not end a name" {
	local target
	for target in /index.html%00 /index.html%00.jpg /%00 /dir%00/file.txt \
		/dir/%00index.html /..%00/secret; do
		told "GET $target HTTP/1.1\r\nHost: x\r\n\r\n" 400 bad-escape
		refute grep -aq 'the index' "$answer"
	done
}

# ---- the host ----

@test "CVE-2018-18778 (mini_httpd): an empty Host opens no path" {
	told 'GET /etc/passwd HTTP/1.1\r\nHost:\r\n\r\n' 400 bad-host
	told 'GET /etc/passwd HTTP/1.1\r\nHost: \r\n\r\n' 400 bad-host
	told 'GET /etc/passwd HTTP/1.0\r\nHost:\r\n\r\n' 400 bad-host
	told 'GET /secret HTTP/1.0\r\n\r\n' 404 not-found
	told 'GET http:///etc/passwd HTTP/1.1\r\nHost:\r\n\r\n' 400 bad-target
}

@test "bozohttpd 20100920: a Host of dots is a name and no directory" {
	local host
	for host in .. . ... tree srv ..:80; do
		told "GET /secret HTTP/1.1\r\nHost: $host\r\n\r\n" 404 not-found
		told "GET /tree/index.html HTTP/1.1\r\nHost: $host\r\n\r\n" 404 not-found
		told "GET / HTTP/1.1\r\nHost: $host\r\n\r\n" 200 ok
		assert_equal "$(content)" 'the index'
	done
	told 'GET /secret HTTP/1.1\r\nHost: ../\r\n\r\n' 400 bad-host
}

@test "CVE-2014-2323, CVE-2014-2324 (lighttpd): what follows a bracket in a Host is refused" {
	told "GET /etc/passwd HTTP/1.1\r\nHost: []' UNION SELECT '/\r\n\r\n" 400 bad-host
	told 'GET /etc/passwd HTTP/1.1\r\nHost: []/../../../\r\n\r\n' 400 bad-host
	told "GET /etc/passwd HTTP/1.1\r\nHost: [::1]' UNION SELECT '/\r\n\r\n" 400 bad-host
	told 'GET /etc/passwd HTTP/1.1\r\nHost: [::1]/../../../\r\n\r\n' 400 bad-host
	told 'GET /etc/passwd HTTP/1.1\r\nHost: [/../]\r\n\r\n' 400 bad-host
}

# ---- symbolic links ----

@test "miniserve #590, #781: nothing that is sent to a link is written anywhere" {
	mkdir "$BATS_TEST_TMPDIR/srv/uploads"
	ln -s ../uploads "$tree/uploads"
	local part='--b\r\nContent-Disposition: form-data; name="path"; filename="../uploads/new"\r\n\r\nx\r\n--b--\r\n'
	told "POST /uploads/?path=/ HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: $(printf '%b' "$part" | wc -c)\r\n\r\n$part" \
		405 method-not-allowed
	told 'PUT /uploads/new HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx' \
		405 method-not-allowed
	told 'DELETE /uploads HTTP/1.1\r\nHost: x\r\n\r\n' 405 method-not-allowed
	told 'MKCOL /uploads/new HTTP/1.1\r\nHost: x\r\n\r\n' 405 method-not-allowed
	run find "$BATS_TEST_TMPDIR/srv/uploads" -mindepth 1
	assert_output ''
	[ -L "$tree/uploads" ]
}

@test "miniserve #1495: nothing beneath a link that leads out is served" {
	mkdir -p "$BATS_TEST_TMPDIR/srv/outside/nested"
	echo 'a SECRET' >"$BATS_TEST_TMPDIR/srv/outside/nested/file"
	ln -s ../outside "$tree/link"
	ln -s link "$tree/again"
	ln -s "$tree/dir" "$tree/absolute"
	local target
	for target in /link /link/ /link/nested /link/nested/ /link/nested/file \
		/again/nested/file /absolute/file.txt; do
		told "GET $target HTTP/1.1\r\nHost: x\r\n\r\n" 404 outside
	done
}

# ---- ranges ----

@test "CVE-2011-3192 (Apache killer): 1300 ranges cost one file" {
	local ranges
	ranges=$(printf ',5-%s' {0..1299})
	head -c 100000 /dev/zero | tr '\0' a >"$tree/large.txt"
	told "HEAD /large.txt HTTP/1.1\r\nHost: x\r\nRange:bytes=0-$ranges\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n" \
		200 ok
	told "GET /large.txt HTTP/1.1\r\nHost: x\r\nRange:bytes=0-$ranges\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n" \
		200 ok
	assert_equal "$(field Content-Length)" 100000
	content | cmp - "$tree/large.txt"
	# Its first five ranges end before they start.  The same without these.
	ranges=$(printf ',5-%s' {5..1304})
	told "GET /large.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=0-$ranges\r\nConnection: close\r\n\r\n" \
		200 ok
	assert_equal "$(field Content-Length)" 100000
	ranges=$(printf ',5-%s' {5..67})
	told "GET /large.txt HTTP/1.1\r\nHost: x\r\nRange: bytes=0-$ranges\r\nConnection: close\r\n\r\n" \
		206 partial
	assert_equal "$(field Content-Length)" 100000
}

@test "CVE-2017-7529 (nginx): the sum of two suffixes does not wrap round" {
	local size k
	size=$(stat -c %s "$tree/index.html")
	for k in 1 605 16596; do
		told "GET /index.html HTTP/1.1\r\nHost: x\r\nRange: bytes=-$((size + k)),-$((0x7fffffffffffffff - size - k + 1))\r\n\r\n" \
			206 partial
		assert_equal "$(field Content-Range)" "bytes 0-$((size - 1))/$size"
		assert_equal "$(content)" 'the index'
	done
	told 'GET /index.html HTTP/1.1\r\nHost: x\r\nRange: bytes=-9223372036854775808\r\n\r\n' \
		206 partial
	assert_equal "$(content)" 'the index'
	told 'GET /index.html HTTP/1.1\r\nHost: x\r\nRange: bytes=-18446744073709551616,0-0\r\n\r\n' \
		206 partial
	assert_equal "$(content)" 'the index'
}

# ---- where a request ends ----

@test "lighttpd #3219: an empty Content-Length is refused" {
	told "GET / HTTP/1.1\r\nHost: whatever\r\nContent-Length: \r\n\r\n$EVIL" \
		400 bad-content-length
	answers 1
	told "GET / HTTP/1.1\r\nHost: whatever\r\nContent-Length:\r\n\r\n$EVIL" \
		400 bad-content-length
	answers 1
}

@test "h2o #3250: the start of HTTP/2 is the end of the connection" {
	told "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00\x00\x00E\x01\x05\x00\x00\x00\x01\x00\n:authority\tlocalhost\x00\x05:path\x01/\x00\x07:method\x03GET\x00\x07:scheme\x04http\x00\x05test1\x03\ta\t" \
		505 version-not-supported
	answers 1
	# What was wrong in it: blanks around a value are none of the value.
	told 'GET / HTTP/1.1\r\nHost: \tx\t \r\nConnection:\tclose\t\r\n\r\n' 200 ok
	assert_equal "$(field Connection)" close
}

@test "h2o #3390: a chunk's line that ends in a carriage return alone is refused" {
	told "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r0\r\n\r\n$EVIL" \
		400 bad-chunk
	answers 1
}

@test "h2o #3396 (with relayd): of two lengths that differ, none is believed" {
	told 'POST / HTTP/1.1\r\nHost: whatever\r\nContent-Length: 0\r\nContent-Length: 38\r\n\r\nGET /evil HTTP/1.1\r\nHost: whatever\r\n\r\n' \
		400 bad-content-length
	answers 1
}

@test "tipidee, althttpd, busybox, micro_httpd, eris, toybox: two lengths that differ are refused" {
	local lengths
	for lengths in '0\r\nContent-Length: 48' '48\r\nContent-Length: 0' \
		'48\r\nX: y\r\nCONTENT-LENGTH: 47' '0, 48' '48,0' '48\r\nContent-Length: 48, 0'; do
		told "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: $lengths\r\n\r\n$EVIL" \
			400 bad-content-length
		answers 1
	done
}

@test "althttpd, eris: the content of a GET is no second request" {
	told "GET / HTTP/1.1\r\nHost: x\r\nContent-Length: $(printf '%b' "$EVIL" | wc -c)\r\n\r\n${EVIL}" \
		200 ok
	answers 1
	told "HEAD / HTTP/1.1\r\nHost: x\r\nContent-Length: $(printf '%b' "$EVIL" | wc -c)\r\n\r\n${EVIL}" \
		200 ok
	answers 1
}

@test "picohttpparser #78: what is no chunk size is not read as one" {
	local size
	for size in 123x 1x 0x1 1g '1 ' '1;' '1\t' -1 +1 '' ' 1' 0x 00x0; do
		told "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n$size\r\nZ\r\n0\r\n\r\n$EVIL" \
			400 bad-chunk
		answers 1
	done
}

@test "picohttpparser #82: a bare line feed ends no line of a chunk" {
	local chunks
	for chunks in '1\nZ\r\n0\r\n\r\n' '1\r\nZ\n0\r\n\r\n' '1\r\nZ\r\n0\n\r\n' \
		'1\r\nZ\r\n0\r\n\n' '1;a\nZ\r\n0\r\n\r\n' '0\r\nA: b\n\r\n' '0\n\n'; do
		told "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n$chunks$EVIL" \
			400 bad-chunk
		answers 1
	done
}

@test "CVE-2025-12642 (lighttpd): what a trailer section says is not believed" {
	local trailer
	for trailer in 'Connection: close' 'Content-Length: 48' 'Host: ..' \
		'Transfer-Encoding: chunked' 'Range: bytes=0-0' 'Expect: x'; do
		ask "GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: ${trailer%%:*}\r\n\r\n1\r\nZ\r\n0\r\n$trailer\r\n\r\n$EVIL" \
			"$tree"
		assert_status 200 ok
		assert_equal "$(field Connection)" keep-alive
		assert_equal "$(content | sed -n 1p)" 'the index'
		# The request behind it is the next, whole, and its own.
		assert_equal "$(tail -n 1 "$answer")" 'a file'
		assert_equal "$(grep -ac '^HTTP/1\.1 200 ' "$answer")" 2
	done
}

@test "HTTP/1.1 must die: no coding or length in disguise hides a request" {
	local field content
	# Each was read by one server and passed over by another.
	for field in 'Transfer-Encoding : chunked' 'Content-Length : 48' ' Content-Length: 48' \
		'\tTransfer-Encoding: chunked' 'Content-Length\x00: 48' 'Content-Length\x0b: 48' \
		'Content-Length: 48\x00' 'Transfer-Encoding: \x00chunked' 'Content-Length: 4 8' \
		'X: y\rContent-Length: 48' 'X: y\nContent-Length: 48' 'Transfer-Encoding: xchunked' \
		'Transfer-Encoding: chunked\x0b' 'Transfer-Encoding: identity' \
		'Transfer-Encoding: chunked\r\nContent-Length: 48' \
		'Transfer-Encoding: chunked\r\nTransfer-Encoding: identity' \
		'Transfer-Encoding: "chunked"' 'Transfer-Encoding: chunked, identity' \
		'Transfer-Encoding:\r\n chunked' 'Expect:\r\n 100-continue' 'Content-Length: 4294967296' \
		'Content-Length: 048x' 'Content-Length: \xef\xbc\x94\xef\xbc\x98'; do
		# Where it is taken for chunked, the request stands behind a last chunk.
		for content in '' '0\r\n\r\n'; do
			ask "GET / HTTP/1.1\r\nHost: x\r\n$field\r\n\r\n$content$EVIL" \
				--persist=always "$tree"
			printf '%s: %s %s\n' "$field" "$code" "$token"
			[[ $code = [45]* ]]
			assert_equal "$(field Connection)" close
			answers 1
		done
	done
}

@test "HTTP/1.1 must die: an expectation in disguise leaves content where it is" {
	local expect
	for expect in 100-continue 100-Continue '100-continue, 100-continue' 'y 100-continue' \
		'' 'x' '100-continue\r\nExpect: x'; do
		ask "GET / HTTP/1.1\r\nHost: x\r\nExpect: $expect\r\nContent-Length: $(printf '%b' "$EVIL" | wc -c)\r\n\r\n$EVIL" \
			--persist=always "$tree"
		printf '%s: %s %s\n' "$expect" "$code" "$token"
		[[ $code = 200 || $code = 417 ]]
		answers 1
	done
}

@test "caddy GHSA-f59h-q822-g45g: an underscore or a dot in a name is no hyphen" {
	local name
	for name in Content_Length Content.Length ContentLength X-Content-Length Content-Length_; do
		ask "GET / HTTP/1.1\r\nHost: x\r\n$name: 48\r\n\r\n$EVIL" "$tree"
		assert_status 200 ok
		assert_equal "$(tail -n 1 "$answer")" 'a file'
	done
	for name in Transfer_Encoding Transfer.Encoding; do
		ask "GET / HTTP/1.1\r\nHost: x\r\n$name: chunked\r\n\r\n$EVIL" "$tree"
		assert_status 200 ok
		assert_equal "$(tail -n 1 "$answer")" 'a file'
	done
	told 'GET / HTTP/1.1\r\nHos_t: x\r\n\r\n' 400 host-missing
}

# ---- fields ----

@test "most peers: a NUL or a carriage return in a field's value is refused" {
	told "GET / HTTP/1.1\r\nHost: x\r\nA: b\x00c\r\n\r\n$EVIL" 400 bad-field-value
	answers 1
	told "GET / HTTP/1.1\r\nHost: x\x00y\r\n\r\n$EVIL" 400 bad-field-value
	answers 1
	told "GET / HTTP/1.1\r\nHost: x\r\nA: b\rc: d\r\n\r\n$EVIL" 400 bad-field-value
	answers 1
}

@test "most peers: a field line without a colon is refused" {
	told "GET / HTTP/1.1\r\nHost: x\r\nno colon here\r\n\r\n$EVIL" 400 bad-field-name
	answers 1
	told "GET / HTTP/1.1\r\nHost: x\r\nContent-Length\r\n\r\n$EVIL" 400 bad-field-name
	answers 1
}

@test "most peers: a folded field line is refused" {
	told "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n Content-Length: 48\r\n\r\n$EVIL" \
		400 folded-field
	answers 1
	told "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n\tc\r\n\r\n$EVIL" 400 folded-field
	answers 1
}

@test "all peers but lighttpd: a bare line feed ends no line of a head" {
	told "GET / HTTP/1.1\nHost: x\r\n\r\n$EVIL" 400 bare-lf
	answers 1
	told "GET / HTTP/1.1\r\nHost: x\n\r\n$EVIL" 400 bare-lf
	answers 1
	told "GET / HTTP/1.1\r\nHost: x\r\n\n$EVIL" 400 bare-lf
	answers 1
	told "GET / HTTP/1.1\r\nHost: x\r\nA: b\nContent-Length: 48\r\n\r\n$EVIL" 400 bare-lf
	answers 1
}

@test "most peers: two Hosts are refused, equal or not" {
	told "GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n$EVIL" 400 host-repeated
	answers 1
	told "GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nhOST: x\r\n\r\n$EVIL" 400 host-repeated
	answers 1
}

@test "CVE-2012-5533 (lighttpd): empty members of Connection are passed over" {
	told 'GET / HTTP/1.1\r\nHost: x\r\nConnection: TE,,Keep-Alive\r\n\r\n' 200 ok
	assert_equal "$(field Connection)" keep-alive
	told 'GET / HTTP/1.1\r\nHost: x\r\nConnection: ,,,\r\n\r\n' 200 ok
	told 'GET / HTTP/1.1\r\nHost: x\r\nConnection: ,,close,,\r\n\r\n' 200 ok
	assert_equal "$(field Connection)" close
}

# ---- memory, and what ends a process ----

@test "CVE-2026-68005 (mini_httpd): a head without an end is refused before it fills any memory" {
	local start='GET / HTTP/1.1\r\nHost: x\r\n' what
	for what in 'A: b\r' "A$(printf 'b%.0s' {1..8000}): c\r"; do
		answer=$BATS_TEST_TMPDIR/answer exit=0
		{
			printf '%b' "$start"
			yes "$(printf '%b' "$what")" 2>/dev/null || :
		} | "$HTTPD" "$tree" >"$answer" 2>"$BATS_TEST_TMPDIR/log" || exit=$?
		read_answer
		assert_equal "$code $exit" '431 0'
	done
	# One name without an end.
	{
		printf '%b' "$start"
		yes | tr -d '\n' 2>/dev/null || :
	} | "$HTTPD" "$tree" >"$answer" 2>"$BATS_TEST_TMPDIR/log"
	read_answer
	assert_status 431 head-too-large
}

@test "CVE-2020-25691 (darkhttpd): a date that no calendar holds ends no process" {
	local date
	# Where the system keeps any date: most disks have a last year.
	in_memory=$(mktemp -d /dev/shm/known-bugs.XXXXXX)
	tree=$in_memory
	for date in 253402300800 9223372036854775807 -62167219201 -9223372036854775808; do
		echo 'the index' >"$tree/index.html"
		touch -d "@$date" "$tree/index.html"
		assert_equal "$(stat -c %Y "$tree/index.html")" "$date"
		told 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' 200 ok
		assert_equal "$(content)" 'the index'
		ask 'GET / HTTP/1.1\r\nHost: x\r\nIf-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT\r\n\r\n' \
			"$tree"
		[[ "$code $exit" = '200 0' || "$code $exit" = '304 0' ]]
		ask 'GET / HTTP/1.1\r\nHost: x\r\nIf-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT\r\n\r\n' \
			"$tree"
		[[ "$code $exit" = '200 0' || "$code $exit" = '412 0' ]]
	done
}

# ---- a file that shrinks while it is sent ----

@test "althttpd, httpfile: an answer that is cut short is the last one" {
	talk <<-'EOP'
		root = site(large=64 * MiB, next=10)
		c = Handler("--persist=always", root=root)
		c.send(get("/large") + get("/next"))
		check("Content-Length", c.read_head().length, 64 * MiB)
		c.read(100000)
		os.truncate(os.path.join(root, "large"), 1000)
		check("a second answer", b"HTTP/1.1" in c.read_to_end(), False)
		c.check_ended("file-shrank")
	EOP
}

@test "publicfile: an answer that is cut short never looks whole" {
	talk <<-'EOP'
		for version in "HTTP/1.1", "HTTP/1.0":
		    root = site(large=64 * MiB)
		    c = Handler(root=root)
		    c.send(get("/large", version=version))
		    answer = c.read_head()
		    check("Transfer-Encoding", answer.fields.get("transfer-encoding"), None)
		    check("Content-Length", answer.length, 64 * MiB)
		    c.read(100000)
		    os.truncate(os.path.join(root, "large"), 1000)
		    rest = c.read_to_end()
		    check_within("bytes of content", 100000 + len(rest), 100000,
		                 64 * MiB - 1)
		    check("bytes that are not the file's", rest.strip(b"\0"), b"")
		    c.check_ended("file-shrank")
	EOP
}

# ---- the log ----

@test "CVE-2009-4490 (mini_httpd): what a terminal would obey is escaped in the log" {
	local bytes
	for bytes in 'GET /\x1b]2;owned?\x07\x0a\x0d\x0a\x0d' \
		'GET /\x1b]2;owned?\x07 HTTP/1.1\r\nHost: x\r\n\r\n' \
		'GET / HTTP/1.1\r\nHost: x\r\nUser-Agent: \x1b]2;owned?\x07\r\n\r\n' \
		'GET /?\x9b2J HTTP/1.1\r\nHost: x\r\nReferer: \x9b2J\r\n\r\n' \
		'GET /" 200 1 "- HTTP/1.1\r\nHost: x\r\nUser-Agent: " "ok"\r\n\r\n'; do
		ask "$bytes" "$tree"
		[ -n "$log" ]
		assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 1
		LC_ALL=C refute grep -aq '[^ -~]' "$BATS_TEST_TMPDIR/log"
		# Quotes of the client's are behind a backslash: eight are our own.
		assert_equal "$(sed 's/\\.//g' "$BATS_TEST_TMPDIR/log" | tr -dc '"' | wc -c)" 8
	done
}

@test "CVE-2013-0347 (webfs), CVE-2013-0348 (thttpd): no log file is made that all could read" {
	(
		umask 0
		traced 'GET / HTTP/1.1\r\nHost: x\r\n\r\nGET /none HTTP/1.1\r\nHost: x\r\n\r\n' \
			open,openat,openat2,creat,mknod,mknodat,mkdir,mkdirat,chmod,fchmod,fchmodat
	)
	run grep -E 'O_(CREAT|WRONLY|RDWR|TRUNC|APPEND)|^[0-9]+ +(creat|mk|chmod|fchmod)' \
		"$BATS_TEST_TMPDIR/strace"
	assert_output ''
	grep -q openat2 "$BATS_TEST_TMPDIR/strace"
}

# ---- what is not there ----

@test "CVE-2015-8212 (bozohttpd), HTTPoxy: no program is run, and no field reaches one" {
	printf '#!/bin/sh\ntouch "%s"\n' "$BATS_TEST_TMPDIR/ran" >"$tree/cgi-bin/run"
	cp "$tree/cgi-bin/run" "$tree/run.bozo"
	cp "$tree/cgi-bin/run" "$tree/index.cgi"
	chmod 755 "$tree/cgi-bin/run" "$tree/run.bozo" "$tree/index.cgi"
	local target requests=''
	for target in /cgi-bin/run '/cgi-bin/run?-s' /cgi-bin/run/more '/run.bozo?-d+x' /run.bozo/ \
		/index.cgi; do
		requests+="GET $target HTTP/1.1\r\nHost: x\r\nProxy: http://evil.example:3128\r\n\r\n"
	done
	requests+='POST /cgi-bin/run HTTP/1.1\r\nHost: x\r\nProxy: http://evil.example:3128\r\nContent-Length: 3\r\n\r\na=b'
	traced "$requests" execve,execveat,fork,vfork,clone,clone3
	[ ! -e "$BATS_TEST_TMPDIR/ran" ]
	run grep -v "execve(\"$HTTPD\"" "$BATS_TEST_TMPDIR/strace"
	assert_output ''
	[ -s "$BATS_TEST_TMPDIR/strace" ]
	assert_equal "$(sed -n 's,^HTTP/1\.1 \([0-9]*\) .*,\1,p' "$answer" | tr '\n' ' ')" \
		'200 200 404 200 404 200 405 '
	get /cgi-bin/run "$tree"
	content | cmp - "$tree/cgi-bin/run"
}

@test "auth of any kind (CVE-2011-4362, CVE-2014-5015, CVE-2017-17663 and others): its fields change nothing" {
	local plain value
	plain=$(printf '%s:' {1..400})
	settle "$tree/dir/file.txt"
	told 'GET /dir/file.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' 200 ok
	sed '/^Date: /d' "$answer" >"$BATS_TEST_TMPDIR/without"
	for value in 'Basic YTpi' 'Basic \xff\x80\xfe' 'Basic' "Basic $plain" \
		"Digest username=\"$plain\"" 'Bearer x' ''; do
		told "GET /dir/file.txt HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: $value\r\nProxy-Authorization: $value\r\n\r\n" \
			200 ok
		sed '/^Date: /d' "$answer" | cmp - "$BATS_TEST_TMPDIR/without"
	done
	# No path is protected by more than its hidden name, however long it is.
	told "GET /dir/$(printf '%.0s./' {1..2000}).htpasswd HTTP/1.1\r\nHost: x\r\n\r\n" 404 hidden
}
