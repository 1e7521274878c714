#!/usr/bin/env bats
# nginx as a proxy and a shared cache in front, with the program under a prefix.
# shellcheck disable=SC2154  # spawn.bash sets what is not set here

load lib
load spawn

unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy='*'

# What a user writes who wants everything cached, and a part of his own site.
setup() {
	"$TOP/packaging/install-deps" --unpack "$UNPACKED" nginx
	cd "$BATS_TEST_TMPDIR" || return
	mkdir -p tree/docs/a:b nginx
	seq 2000 >tree/page.html
	gzip -k tree/page.html
	seq 100 >tree/plain.css
	touch -d '1 hour ago' tree/*
	spawn tcpserver "$HTTPD" --timeout=60 tree
	cat >nginx/nginx.conf <<-EOC
		user root root;
		daemon off;
		pid nginx.pid;
		worker_processes 1;
		error_log stderr notice;
		events { worker_connections 64; }
		http {
			access_log off;
			client_body_temp_path body;
			proxy_temp_path proxy;
			fastcgi_temp_path fastcgi;
			uwsgi_temp_path uwsgi;
			scgi_temp_path scgi;
			proxy_cache_path cache keys_zone=cache:1m;
			proxy_http_version 1.1;
			large_client_header_buffers 4 64k;
			server {
				listen unix:$PWD/nginx/socket;
				location /app/ {
					proxy_pass $url/;
					proxy_cache cache;
					proxy_cache_valid any 10m;
				}
			}
		}
	EOC
	"$UNPACKED/run" nginx -p "$PWD/nginx" -c nginx.conf -e stderr \
		>nginx/log 2>&1 </dev/null 3>&- &
	nginx=$!
	wait_for_line nginx/log 'start worker process \|emerg'
}

teardown() {
	if [ -n "${nginx:-}" ]; then
		kill "$nginx"
		wait "$nginx" || :
	fi
	unspawn
}

# ask_proxy TARGET [OPTION]...: sets $head, without carriage returns, and $code;
# the content is in the file got.
ask_proxy() {
	local target=$1
	shift
	curl -qsS --max-time 300 --unix-socket nginx/socket -D fields -o got "$@" \
		"http://proxy$target"
	head=$(tr -d '\r' <fields)
	code=$(sed -n '1s,^HTTP/1\.1 \([0-9]*\) .*,\1,p' <<<"$head")
}

@test "the error of one visitor is not the page of the next" {
	ask_proxy /app/page.html -H "X-Long: $(printf '%020000d' 0)"
	assert_equal "$code" 431
	ask_proxy /app/page.html
	assert_equal "$code" 200
	cmp got tree/page.html

	ask_proxy /app/plain.css -H 'Accept-Encoding: identity;q=0'
	assert_equal "$code" 406
	ask_proxy /app/plain.css
	assert_equal "$code" 200
	cmp got tree/plain.css

	ask_proxy /app/later.css
	assert_equal "$code" 404
	seq 300 >tree/later.css
	ask_proxy /app/later.css
	assert_equal "$code" 200
	cmp got tree/later.css
}

@test "the slash that a directory lacks keeps the prefix that nginx takes off" {
	local path
	echo index | tee tree/docs/index.html >tree/docs/a:b/index.html
	for path in /app/docs /app/docs/a:b; do
		run curl -qsSL --max-time 300 --unix-socket nginx/socket \
			-w '%{http_code} %{num_redirects} %{url_effective}' "http://proxy$path?a"
		assert_output $'index\n'"200 1 http://proxy$path/?a"
	done
}
