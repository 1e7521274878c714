# make run: the sample tree through whichever spawner is there.

load lib

setup() {
	server=
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

# serve_with SPAWNER [COMMAND...]: packaging/serve where SPAWNER is the only
# one, behind the words of COMMAND.
serve_with() {
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	ln -s "$(command -v "$1")" "$BATS_TEST_TMPDIR/bin/$1"
	shift
	port=$(free_port)
	set -m
	"$@" env PATH="$BATS_TEST_TMPDIR/bin" /bin/sh "$TOP/packaging/serve" "$HTTPD" "$port" \
		"$FILES" >"$BATS_TEST_TMPDIR/said" 2>"$BATS_TEST_TMPDIR/log" 3>&- &
	server=$!
	set +m
}

# assert_serves SPAWNER: it answers, and said through what.
assert_serves() {
	curl -sS --retry 20 --retry-connrefused --retry-delay 1 \
		-o "$BATS_TEST_TMPDIR/page" "http://localhost:$port/"
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
	curl -sS "http://127.0.0.1:$port/a/2.jpg" | cmp - "$FILES/a/2.jpg"
	run cat "$BATS_TEST_TMPDIR/said"
	assert_output --partial "http://localhost:$port/ through $1"
}

@test "make run builds, serves the sample tree and says where" {
	port=$(free_port)
	set -m
	make -s -C "$TOP" run PORT="$port" >"$BATS_TEST_TMPDIR/said" \
		2>"$BATS_TEST_TMPDIR/log" 3>&- &
	server=$!
	set +m
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
	until grep -q Listening "$BATS_TEST_TMPDIR/log"; do kill -0 "$server"; done
	run cat "$BATS_TEST_TMPDIR/log"
	assert_output --partial "Listening on 127.0.0.1:$port"
	refute_output --partial '[::1]'
}

@test "make run serves a directory with a blank in its name, or says that it cannot" {
	FILES="$BATS_TEST_TMPDIR/a tree"
	cp -R "$TOP/files" "$FILES"
	serve_with tcpserver
	assert_serves tcpserver
	rm "$BATS_TEST_TMPDIR/bin/tcpserver"
	ln -s "$(command -v socat)" "$BATS_TEST_TMPDIR/bin/socat"
	PATH=$BATS_TEST_TMPDIR/bin run /bin/sh "$TOP/packaging/serve" "$HTTPD" 8080 "$FILES"
	assert_failure 64
	assert_output --partial "cannot pass on the name '$FILES'"
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
	mkdir -p "$BATS_TEST_TMPDIR/bin"
	ln -s "$(command -v busybox)" "$BATS_TEST_TMPDIR/bin/busybox"
	serve_with ncat
	assert_serves ncat
}

@test "without any of them it is one clear sentence" {
	mkdir "$BATS_TEST_TMPDIR/bin"
	PATH=$BATS_TEST_TMPDIR/bin run /bin/sh "$TOP/packaging/serve" "$HTTPD" 8080 "$FILES"
	assert_failure 69
	assert_output --partial 'none of systemd-socket-activate, tcpserver, socat'
}
