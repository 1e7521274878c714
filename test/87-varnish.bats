#!/usr/bin/env bats
# Varnish as a cache in front, with its own rules but for how long it keeps what.
# shellcheck disable=SC2154  # spawn.bash sets what is not set here

load lib
load spawn

unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy='*'

# Two compressed neighbours, and a file without any.
setup() {
	"$TOP/packaging/install-deps" --unpack "$UNPACKED" varnish
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p tree/directory
	seq 2000 >tree/page.html
	gzip -k tree/page.html
	brotli -k tree/page.html
	head -c 300000 /dev/urandom >tree/plain.bin
	touch -d '1 hour ago' tree/*
	settle tree
	# Longer than the test takes: it is the cache that closes.
	spawn tcpserver "$HTTPD" --persist=always --timeout=60 tree
}

teardown() {
	if [ -n "${varnish:-}" ]; then
		kill "$varnish"
		wait "$varnish" || :
	fi
	unspawn
}

# start_varnish [OPTION]...: sets $cache, where it listens.  It keeps an answer
# for two minutes, but what is asked for with ?stale for a millisecond; what is
# asked for with ?pass it does not keep at all.
start_varnish() {
	cat >rules.vcl <<-EOV
		vcl 4.1;
		backend default {
			.host = "$HOST";
			.port = "$PORT";
		}
		sub vcl_recv {
			if (req.url ~ "\\?pass") {
				return (pass);
			}
		}
		sub vcl_backend_response {
			if (bereq.url ~ "\\?stale") {
				set beresp.ttl = 1ms;
			}
		}
	EOV
	"$UNPACKED/run" varnishd -F -j none -n "$PWD/varnish" -T none -a 127.0.0.1:0 \
		-f "$PWD/rules.vcl" -s malloc,32m -p default_grace=0 -p default_keep=600 \
		-p default_ttl=120 "$@" >varnish.log 2>&1 </dev/null 3>&- &
	varnish=$!
	wait_for_line varnish.log 'Child starts\|Error\|rror:'
	cache=http://127.0.0.1:$(listening_port "$varnish")
}

# ask_cache TARGET [OPTION]...: sets $head, without carriage returns, and $code;
# the content is in the file got.
ask_cache() {
	local target=$1
	shift
	curl -qsS --max-time 300 -D fields -o got "$@" "$cache$target"
	head=$(tr -d '\r' <fields)
	code=$(sed -n '1s,^HTTP/1\.1 \([0-9]*\) .*,\1,p' <<<"$head")
}

# assert_counted COUNTER=NUMBER...: Varnish adds up what its threads count a
# moment after they answer, and tells nobody: so it is asked until it is so.
assert_counted() {
	local tries counted counter wanted names=()
	wanted=$(printf '%s\n' "$@" | LC_ALL=C sort)
	for counter in "$@"; do
		names+=(-f "MAIN.${counter%=*}")
	done
	for ((tries = 0; tries < 500; tries++)); do
		counted=$("$UNPACKED/run" varnishstat -n "$PWD/varnish" -1 "${names[@]}" |
			sed 's/^MAIN\.\([a-z_0-9]*\) *\([0-9]*\) .*/\1=\2/' | LC_ALL=C sort)
		[ "$counted" != "$wanted" ] || return 0
		sleep 0.01
	done
	printf 'wanted:\n%s\ngot:\n%s\n' "$wanted" "$counted" >&2
	return 1
}

# assert_origin_gave STATUS...: those that the program itself gave, in order.
assert_origin_gave() {
	local tries given
	for ((tries = 0; tries < 500; tries++)); do
		given=$(sed 's,.* HTTP/1\.1" \([0-9]*\) .*,\1,' "$spawn_log" | tr '\n' ' ')
		[ "$given" != "$* " ] || return 0
		sleep 0.01
	done
	printf 'wanted: %s\ngot: %s\n' "$*" "$given" >&2
	return 1
}

@test "what was asked for once is a hit, byte for byte, for all who ask again" {
	local tag
	start_varnish
	ask_cache /plain.bin
	assert_equal "$code" 200
	cmp got tree/plain.bin
	tag=$(field ETag)
	ask_cache /plain.bin
	assert_equal "$(field ETag)" "$tag"
	assert_equal "$(field Content-Type)" application/octet-stream
	cmp got tree/plain.bin
	ask_cache /plain.bin -I
	assert_equal "$(field ETag)" "$tag"
	assert_equal "$(field Content-Length)" 300000
	ask_cache /plain.bin
	assert_counted cache_miss=1 cache_hit=3 backend_req=1 fetch_length=1 fetch_failed=0
	assert_origin_gave 200
}

@test "a cache is told enough to answer 304 and 412 by itself" {
	local tag date
	start_varnish
	ask_cache /plain.bin
	tag=$(field ETag)
	date=$(field Last-Modified)
	ask_cache /plain.bin -H "If-None-Match: $tag"
	assert_equal "$code" 304
	ask_cache /plain.bin -H "If-Modified-Since: $date"
	assert_equal "$code" 304
	ask_cache /plain.bin -H 'If-None-Match: "other"'
	assert_equal "$code" 200
	assert_counted cache_miss=1 cache_hit=3 backend_req=1
	assert_origin_gave 200
}

@test "what is stale is revalidated by 304, and kept" {
	local tag date
	start_varnish
	ask_cache '/plain.bin?stale'
	tag=$(field ETag)
	date=$(field Last-Modified)
	for _ in 1 2 3; do
		ask_cache '/plain.bin?stale'
		assert_equal "$code" 200
		assert_equal "$(field ETag)" "$tag"
		assert_equal "$(field Last-Modified)" "$date"
		assert_equal "$(field Content-Type)" application/octet-stream
		cmp got tree/plain.bin
	done
	assert_counted cache_miss=4 cache_hit=0 fetch_length=1 fetch_304=3 backend_req=4
	assert_origin_gave 200 304 304 304
}

@test "what is stale and has changed is fetched anew" {
	start_varnish
	ask_cache '/plain.bin?stale'
	head -c 200000 /dev/urandom >tree/.new
	mv tree/.new tree/plain.bin
	ask_cache '/plain.bin?stale'
	assert_equal "$code" 200
	cmp got tree/plain.bin
	# By the tag alone, where date and length are the same.
	touch -d '1 hour ago' tree/plain.bin
	ask_cache '/plain.bin?stale'
	head -c 200000 /dev/urandom >tree/.new
	touch -r tree/plain.bin tree/.new
	mv tree/.new tree/plain.bin
	ask_cache '/plain.bin?stale'
	cmp got tree/plain.bin
	assert_counted cache_miss=4 fetch_304=0 fetch_length=4
	assert_origin_gave 200 200 200 200
}

@test "each coding is kept by itself, and nobody gets one that he did not ask for" {
	start_varnish -p http_gzip_support=off
	for _ in 1 2; do
		ask_cache /page.html
		refute_regex "$head" Content-Encoding
		assert_equal "$(field Vary)" Accept-Encoding
		cmp got tree/page.html
		ask_cache /page.html -H 'Accept-Encoding: br'
		assert_equal "$(field Content-Encoding)" br
		assert_equal "$(field Vary)" Accept-Encoding
		cmp got tree/page.html.br
		ask_cache /page.html -H 'Accept-Encoding: gzip'
		assert_equal "$(field Content-Encoding)" gzip
		assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
		cmp got tree/page.html.gz
	done
	assert_counted cache_miss=3 cache_hit=3 backend_req=3
	assert_origin_gave 200 200 200
	# What has no neighbour is one to all.
	ask_cache /plain.bin
	ask_cache /plain.bin -H 'Accept-Encoding: br'
	ask_cache /plain.bin -H 'Accept-Encoding: gzip'
	assert_counted cache_miss=4 cache_hit=5 backend_req=4
}

@test "a stale coding is revalidated by its own tag" {
	local coding
	start_varnish -p http_gzip_support=off
	for _ in 1 2; do
		for coding in identity br gzip; do
			ask_cache '/page.html?stale' -H "Accept-Encoding: $coding"
			assert_equal "$code" 200
			assert_equal "$(field Vary)" Accept-Encoding
			case $coding in
			identity) cmp got tree/page.html ;;
			br) cmp got tree/page.html.br ;;
			gzip) cmp got tree/page.html.gz ;;
			esac
		done
	done
	assert_counted cache_miss=6 cache_hit=0 fetch_length=3 fetch_304=3
	assert_origin_gave 200 200 200 304 304 304
}

@test "Varnish of itself asks for gzip, and unpacks it for those who cannot" {
	start_varnish
	ask_cache /page.html -H 'Accept-Encoding: gzip, deflate, br, zstd'
	assert_equal "$(field Content-Encoding)" gzip
	cmp got tree/page.html.gz
	ask_cache /page.html
	refute_regex "$head" Content-Encoding
	cmp got tree/page.html
	assert_counted cache_miss=1 cache_hit=1 backend_req=1
	assert_origin_gave 200
}

@test "ranges come out of the cache, of the coding that was chosen" {
	local tag
	start_varnish -p http_gzip_support=off
	# A range that is asked for first fetches the whole.
	ask_cache /plain.bin -r 1000-1999
	assert_equal "$code" 206
	assert_equal "$(field Content-Range)" 'bytes 1000-1999/300000'
	tail -c +1001 tree/plain.bin | head -c 1000 | cmp - got
	tag=$(field ETag)
	ask_cache /plain.bin -r -500 -H "If-Range: $tag"
	assert_equal "$code" 206
	tail -c 500 tree/plain.bin | cmp - got
	ask_cache /plain.bin -r -500 -H 'If-Range: "other"'
	assert_equal "$code" 200
	cmp got tree/plain.bin
	ask_cache /plain.bin -r 300000-
	assert_equal "$code" 416
	assert_counted cache_miss=1 cache_hit=3 backend_req=1
	assert_origin_gave 200

	ask_cache /page.html -r 10-99 -H 'Accept-Encoding: br'
	assert_equal "$code" 206
	assert_equal "$(field Content-Range)" "bytes 10-99/$(stat -c %s tree/page.html.br)"
	tail -c +11 tree/page.html.br | head -c 90 | cmp - got
	ask_cache /page.html -r 10-99
	assert_equal "$(field Content-Range)" "bytes 10-99/$(stat -c %s tree/page.html)"
	tail -c +11 tree/page.html | head -c 90 | cmp - got
}

@test "what is passed through is the program's own answer, ranges too" {
	local tag
	start_varnish -p http_gzip_support=off
	ask_cache '/plain.bin?pass' -r 1000-1999
	assert_equal "$code" 206
	assert_equal "$(field Content-Range)" 'bytes 1000-1999/300000'
	tail -c +1001 tree/plain.bin | head -c 1000 | cmp - got
	tag=$(field ETag)
	# Several at once are 206 here too, which Varnish 7.1 does not pass on: of the
	# request's list it says "Invalid range header (Trailing stuff)".
	ask_cache '/plain.bin?pass' -r 5-9,100-299
	assert_equal "$code" 503
	ask_cache '/plain.bin?pass' -r 300000-
	assert_equal "$code" 416
	assert_equal "$(field Content-Range)" 'bytes */300000'
	ask_cache '/plain.bin?pass' -H "If-None-Match: $tag"
	assert_equal "$code" 304
	ask_cache '/plain.bin?pass' -H 'If-Match: "other"'
	assert_equal "$code" 412
	assert_counted s_pass=5 cache_miss=0 cache_hit=0
	assert_origin_gave 206 206 416 304 412
}

@test "one connection to the program serves it all: content, errors and redirects" {
	start_varnish
	ask_cache /directory
	assert_equal "$code" 301
	ask_cache /none
	assert_equal "$code" 404
	ask_cache /page.html --data-binary @tree/page.html
	assert_equal "$code" 405
	ask_cache /plain.bin -X OPTIONS
	assert_equal "$code" 204
	ask_cache '/plain.bin?stale'
	ask_cache '/plain.bin?stale'
	cmp got tree/plain.bin
	assert_counted backend_conn=1 backend_reuse=5 backend_req=6 backend_retry=0 fetch_failed=0
	assert_origin_gave 301 404 405 204 200 304
}
