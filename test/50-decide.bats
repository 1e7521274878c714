# What an answer says: types, dates, lengths, persistence.

load lib

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree"
}

# assert_type NAME TYPE
assert_type() {
	echo x >"$tree/$1"
	get "/$1" "$tree"
	assert_status 200 ok
	assert_equal "$(field Content-Type)" "$2"
}

@test "types go by the extension, in any case, and text has a charset" {
	assert_type a.html 'text/html; charset=utf-8'
	assert_type a.HtMl 'text/html; charset=utf-8'
	assert_type a.css 'text/css; charset=utf-8'
	assert_type a.js 'text/javascript; charset=utf-8'
	assert_type a.mjs 'text/javascript; charset=utf-8'
	assert_type a.json application/json
	assert_type a.svg image/svg+xml
	assert_type a.png image/png
	assert_type a.JPG image/jpeg
	assert_type a.jpeg image/jpeg
	assert_type a.gif image/gif
	assert_type a.webp image/webp
	assert_type a.avif image/avif
	assert_type a.ico image/vnd.microsoft.icon
	assert_type a.woff2 font/woff2
	assert_type a.wasm application/wasm
	assert_type a.pdf application/pdf
	assert_type a.txt 'text/plain; charset=utf-8'
	assert_type a.md 'text/markdown; charset=utf-8'
	assert_type a.xml application/xml
	assert_type a.csv 'text/csv; charset=utf-8'
	assert_type a.mp4 video/mp4
	assert_type a.webm video/webm
	assert_type a.mp3 audio/mpeg
	assert_type a.ogg audio/ogg
	assert_type a.zip application/zip
	assert_type a.tar.gz application/gzip
	assert_type a.webmanifest application/manifest+json
}

@test "a name that tells nothing is application/octet-stream" {
	assert_type README application/octet-stream
	assert_type a. application/octet-stream
	assert_type a.unheard-of application/octet-stream
	assert_type a.htmlx application/octet-stream
}

@test "a directory's dot is not a file's" {
	mkdir "$tree/v1.html"
	echo x >"$tree/v1.html/file"
	get /v1.html/file "$tree"
	assert_equal "$(field Content-Type)" application/octet-stream
}

@test "the length is the file's, the date is now, and there is no Server" {
	head -c 1000 /dev/urandom >"$tree/data.bin"
	get /data.bin "$tree"
	assert_equal "$(field Content-Length)" 1000
	content | cmp - "$tree/data.bin"
	local sent now
	sent=$(date -d "$(field Date)" +%s)
	now=$(date +%s)
	[ $((now - sent)) -le 5 ] && [ "$sent" -le "$now" ]
	run field Server
	assert_failure
}

@test "Date and Last-Modified are IMF-fixdates" {
	echo x >"$tree/a.txt"
	TZ=UTC touch -d '1994-11-06 08:49:37' "$tree/a.txt"
	TZ=Asia/Tokyo get /a.txt "$tree"
	assert_equal "$(field Last-Modified)" 'Sun, 06 Nov 1994 08:49:37 GMT'
	assert_regex "$(field Date)" '^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), [0-3][0-9] [A-Z][a-z]{2} 2[0-9]{3} [0-2][0-9]:[0-5][0-9]:[0-6][0-9] GMT$'
}

@test "Last-Modified is never in the future" {
	echo x >"$tree/a.txt"
	touch -d '+1 day' "$tree/a.txt"
	get /a.txt "$tree"
	assert_equal "$(field Last-Modified)" "$(field Date)"
}

@test "a date before 1970 is left out" {
	echo x >"$tree/a.txt"
	touch -d '1960-01-01' "$tree/a.txt"
	get /a.txt "$tree"
	assert_status 200 ok
	run field Last-Modified
	assert_failure
}

@test "an empty file is served" {
	: >"$tree/empty.txt"
	get /empty.txt "$tree"
	assert_status 200 ok
	assert_equal "$(field Content-Length)" 0
	assert_equal "$(content | wc -c)" 0
}

@test "HEAD has the fields of GET and no content" {
	local target got wanted
	for target in / /a/2.jpg /a /none /redirect; do
		get "$target" "$FILES"
		wanted=$(printf '%s\n' "$head" | grep -v '^Date:')
		ask "HEAD $target HTTP/1.1\r\nHost: test\r\n\r\n" "$FILES"
		got=$(printf '%s\n' "$head" | grep -v '^Date:')
		assert_equal "$got" "$wanted"
		assert_equal "$(content | wc -c)" 0
	done
}

@test "404 has a short page" {
	get /none "$tree"
	assert_status 404 not-found
	assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
	assert_equal "$(content | wc -c)" "$(field Content-Length)"
	assert_regex "$(content)" '<h1>404 Not Found</h1>'
}

@test "404 has the tree's own page where there is one" {
	echo 'our own page' >"$tree/404.html"
	get /none "$tree"
	assert_status 404 not-found
	assert_equal "$(content)" 'our own page'
	get /.hidden "$tree"
	assert_status 404 hidden
	assert_equal "$(content)" 'our own page'
	get /a%2fb "$tree"
	assert_status 404 encoded-slash
	assert_equal "$(content)" 'our own page'
	get /404.html "$tree"
	assert_status 200 ok
}

@test "a 404.html that is no file is as none" {
	mkdir "$tree/404.html"
	get /none "$tree"
	assert_status 404 not-found
	assert_regex "$(content)" '<h1>404 Not Found</h1>'
}

@test "405 names the methods that are allowed" {
	ask 'POST / HTTP/1.1\r\nHost: x\r\n\r\n' "$FILES"
	assert_status 405 method-not-allowed
	assert_equal "$(field Allow)" 'GET, HEAD, OPTIONS'
	get / "$FILES"
	run field Allow
	assert_failure
}

@test "HTTP/1.1 persists, HTTP/1.0 persists when asked to, and each answer says so" {
	local twice
	twice='GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	ask "$twice$twice" "$FILES"
	assert_equal "$(field Connection)" keep-alive
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 2
	twice='GET / HTTP/1.0\r\n\r\n'
	ask "$twice$twice" "$FILES"
	assert_equal "$(field Connection)" close
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 1
	twice='GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'
	ask "$twice$twice" "$FILES"
	assert_equal "$(field Connection)" keep-alive
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 2
	twice='GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	ask "$twice$twice" "$FILES"
	assert_equal "$(field Connection)" close
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 1
}

@test "redirects and errors close, as the seed's do, unless --persist=always" {
	local target
	for target in /redirect /none /a; do
		get "$target" "$FILES"
		assert_equal "$(field Connection)" close
		get "$target" --persist=always "$FILES"
		assert_equal "$(field Connection)" keep-alive
	done
}

@test "a connection ends after --max-requests" {
	local one='GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	ask "$one$one$one$one" --max-requests=3 "$FILES"
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 3
	assert_equal "$(grep -a '^Connection: ' "$answer" | tr -d '\r' | tr '\n' ' ')" \
		'Connection: keep-alive Connection: keep-alive Connection: close '
}
