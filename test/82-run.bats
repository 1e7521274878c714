# make run: the sample tree through whichever spawner is there.

bats_require_minimum_version 1.5.0
load lib

setup() {
	server=
	shown=
}

teardown() {
	if [ -n "$server" ]; then
		kill -- "-$server" 2>/dev/null || :
		wait "$server" 2>/dev/null || :
	fi
}

free_port() {
	python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# only COMMAND...: makes $BATS_TEST_TMPDIR/bin with what the script needs and these.
only() {
	local command
	rm -rf "${BATS_TEST_TMPDIR:?}/bin"
	mkdir "$BATS_TEST_TMPDIR/bin"
	for command in cat id sleep "$@"; do
		ln -s "$(type -P "$command")" "$BATS_TEST_TMPDIR/bin/$command"
	done
}

# serve_with SPAWNER [COMMAND...]: packaging/serve where SPAWNER is the only
# one, after the words of COMMAND.
serve_with() {
	only "$1"
	shift
	port=$(free_port)
	start "$@" env PATH="$BATS_TEST_TMPDIR/bin" /bin/sh "$TOP/packaging/serve" \
		"$HTTPD" "$port" "$FILES"
}

# start COMMAND...: in the background; what it writes is in said and log.
start() {
	set -m
	"$@" >"$BATS_TEST_TMPDIR/said" 2>"$BATS_TEST_TMPDIR/log" 3>&- &
	server=$!
	set +m
}

# refuse ROOT [PORT]: what the script says is in $output, and it has ended.
refuse() {
	run -"${STATUS:?}" env PATH="$BATS_TEST_TMPDIR/bin" timeout 60 /bin/sh \
		"$TOP/packaging/serve" "$HTTPD" "${2:-$port}" "$1"
}

await_serving() {
	until grep -q Serving "$BATS_TEST_TMPDIR/said"; do
		kill -0 "$server" || { cat "$BATS_TEST_TMPDIR/log"; return 1; }
	done
}

# assert_serves SPAWNER: it answers as soon as it says so, and through what; its
# log is a line for each request and nothing else.
assert_serves() {
	await_serving
	curl -sS -o "$BATS_TEST_TMPDIR/page" "http://localhost:$port/"
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
	curl -sS "http://127.0.0.1:$port/a/2.jpg" | cmp - "$FILES/a/2.jpg"
	run cat "$BATS_TEST_TMPDIR/said"
	assert_line --index 0 "Serving ${shown:-$FILES} at http://localhost:$port/ through $1."
	assert_line --index 1 "It listens on loopback only: no other machine can connect.  Ctrl-C stops it."
	assert_equal "${#lines[@]}" 2
	run cut -d '"' -f 2 "$BATS_TEST_TMPDIR/log"
	assert_output $'GET / HTTP/1.1\nGET /a/2.jpg HTTP/1.1'
}

@test "make run builds, serves the sample tree and says where" {
	port=$(free_port)
	# What is up to date already is not mentioned, nor where make enters.
	start make --no-print-directory -C "$TOP" run PORT="$port"
	shown=files
	assert_serves systemd-socket-activate
}

@test "make run serves over IPv6 as well" {
	serve_with systemd-socket-activate
	assert_serves systemd-socket-activate
	curl -sS -g "http://[::1]:$port/" | cmp - "$FILES/index.html"
}

@test "make run serves where there is no IPv6" {
	serve_with systemd-socket-activate unshare --net sh -c '
		ip link set lo up && sysctl -qw net.ipv6.conf.all.disable_ipv6=1 && exec "$@"' -
	await_serving
	run nsenter --net -t "$server" ss -Hltn
	assert_output --partial "127.0.0.1:$port"
	refute_output --partial '[::1]'
}

@test "make run serves a directory with a blank in its name, or says that it cannot" {
	FILES="$BATS_TEST_TMPDIR/a tree"
	cp -R "$TOP/files" "$FILES"
	serve_with tcpserver
	assert_serves tcpserver
	local spawner
	for spawner in socat ncat; do
		only timeout "$spawner"
		port=$(free_port) STATUS=64 refuse "$FILES"
		assert_output "packaging/serve: $spawner cannot pass on the name '$FILES'"
	done
}

@test "a port that is taken is one sentence, whichever spawner it is" {
	local spawner
	serve_with systemd-socket-activate
	await_serving
	for spawner in systemd-socket-activate tcpserver socat ncat; do
		only timeout "$spawner"
		STATUS=69 refuse "$FILES"
		assert_output "packaging/serve: PORT: another program listens on $port; try make run PORT=$((port + 1))"
	done
}

@test "a port that every address has, or IPv6 alone, is taken as well" {
	local address
	only timeout tcpserver
	for address in 0.0.0.0 ::1 ::; do
		# shellcheck disable=SC2016 # For Python.
		coproc python3 -c 'import socket, sys
host = sys.argv[1]
s = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
s.bind((host, 0)); s.listen()
print(s.getsockname()[1], flush=True)
sys.stdin.read()' "$address" 3>&-
		read -r port <&"${COPROC[0]}"
		STATUS=69 refuse "$FILES"
		assert_output --partial "another program listens on $port"
		eval "exec ${COPROC[1]}>&-"
		wait "$COPROC_PID"
	done
}

@test "a port that is not a number from 1 to 65535 is refused" {
	only timeout tcpserver
	for port in 0 65536 100000 -1 8080x 08080 '80 80'; do
		STATUS=64 refuse "$FILES"
		assert_output "packaging/serve: PORT: invalid value '$port' (expected 1 to 65535)"
	done
	# An empty value is not the default.
	run -64 env PATH="$BATS_TEST_TMPDIR/bin" /bin/sh "$TOP/packaging/serve" "$HTTPD" '' "$FILES"
	assert_output "packaging/serve: PORT: invalid value '' (expected 1 to 65535)"
}

@test "a port below 1024 is refused to others than root" {
	let_others_in
	cp "$HTTPD" "$TOP/packaging/serve" "$BATS_TEST_TMPDIR"
	run -77 unshare --net setpriv --reuid=65534 --regid=65534 --clear-groups \
		/bin/sh "$BATS_TEST_TMPDIR/serve" "$BATS_TEST_TMPDIR/httpd" 80 /
	assert_output 'packaging/serve: PORT: only root may listen on 80; try make run PORT=8080'
}

@test "a ROOT that is missing, a file or not readable is one sentence, whichever spawner it is" {
	local spawner tree=$BATS_TEST_TMPDIR/tree
	mkdir -m 700 "$tree"
	: >"$BATS_TEST_TMPDIR/file"
	chown 65534 "$tree"
	port=$(free_port)
	for spawner in systemd-socket-activate tcpserver socat ncat; do
		only timeout "$spawner"
		STATUS=66 refuse "$tree/missing"
		assert_output "httpd: the directory '$tree/missing' cannot be served: No such file or directory"
		STATUS=66 refuse "$BATS_TEST_TMPDIR/file"
		assert_output "httpd: the directory '$BATS_TEST_TMPDIR/file' cannot be served: Not a directory"
		STATUS=66 refuse "$tree"
		assert_output "packaging/serve: ROOT: this user cannot read '$tree'"
	done
}

@test "an option that is wrong is reported before anything listens" {
	only timeout tcpserver
	port=$(free_port)
	HTTPD_OPTIONS+=' --none' STATUS=64 refuse "$FILES"
	assert_output "httpd: HTTPD_OPTIONS: unknown option '--none'; see httpd --help"
}

@test "make without a compiler is one sentence that says what to run" {
	local target
	for target in all install; do
		run -2 make -s -C "$TOP" "$target" CC=none BUILD="$BATS_TEST_TMPDIR/build" \
			DESTDIR="$BATS_TEST_TMPDIR/root"
		assert_output --regexp '^Makefile:[0-9]+: \*\*\* none was not found; run packaging/install-deps build\.  Stop\.$'
	done
	run -0 make -s -C "$TOP" help CC=none
	refute_output --partial none
}

@test "make run as root serves below a home that only its owner may enter" {
	local home=$BATS_TEST_TMPDIR/home
	mkdir -m 700 "$home"
	cp -R "$FILES" "$HTTPD" "$home"
	chmod -R u=rwX,go=rX "$home/files"
	chown -R 65534:65534 "$home"
	FILES=$home/files HTTPD=$home/httpd
	serve_with systemd-socket-activate
	assert_serves systemd-socket-activate
}

@test "without systemd-socket-activate it is tcpserver" {
	serve_with tcpserver
	assert_serves tcpserver
}

@test "without tcpserver it is socat" {
	serve_with socat
	assert_serves socat
}

@test "a busybox without tcpsvd, as Debian's, is passed over for ncat" {
	only busybox ncat
	port=$(free_port)
	start env PATH="$BATS_TEST_TMPDIR/bin" /bin/sh "$TOP/packaging/serve" "$HTTPD" \
		"$port" "$FILES"
	assert_serves ncat
}

@test "without any of them it is one clear sentence" {
	only timeout
	port=$(free_port) STATUS=69 refuse "$FILES"
	assert_output --partial 'none of systemd-socket-activate, tcpserver, socat'
}
