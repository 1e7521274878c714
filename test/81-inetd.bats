# The files for xinetd and inetd, as they are shipped: in name spaces of their
# own, where the programs are installed and the user exists.

load lib

setup_file() {
	load lib
	"$TOP/packaging/install-deps" --unpack "$BUILD/unpacked" xinetd openbsd-inetd
}

# as_shipped PORT CLIENT DAEMON [ARG]...: runs the daemon, and the shell commands
# CLIENT as soon as it listens.
as_shipped() {
	mkdir -p "$BATS_TEST_TMPDIR/sbin"
	cp "$HTTPD" "${HTTPD%/*}/upper" "$BATS_TEST_TMPDIR/sbin"
	cp /etc/passwd "$BATS_TEST_TMPDIR/passwd"
	cp /etc/group "$BATS_TEST_TMPDIR/group"
	echo 'httpd:x:64999:64999:httpd:/nonexistent:/usr/sbin/nologin' >>"$BATS_TEST_TMPDIR/passwd"
	echo 'httpd:x:64999:' >>"$BATS_TEST_TMPDIR/group"
	# shellcheck disable=SC2016  # the inner shell expands
	tmp=$BATS_TEST_TMPDIR files=$FILES bin=${HTTPD%/*} \
		unshare --net --mount --pid --fork --kill-child bash -eu -c '
			ip link set lo up
			mount -t overlay overlay -o "lowerdir=$tmp/sbin:/usr/sbin" /usr/sbin
			mount --bind "$tmp/passwd" /etc/passwd
			mount --bind "$tmp/group" /etc/group
			mount -t tmpfs tmpfs /srv
			cp -R "$files" /srv/http
			install -m 400 /dev/null /srv/http/secret
			port=$1 client=$2
			shift 2
			"$@" >"$tmp/said" 2>&1 </dev/null 3>&- &
			until ss -Hltn sport = ":$port" | grep -q .; do
				kill -0 $! || { cat "$tmp/said"; exit 1; }
			done
			eval "$client"
			# xinetd may serve what it says that it disables.
			! cat "$tmp"/said "$tmp"/xinetd.log 2>/dev/null | grep -E "ERROR|WARNING"
		' - "$@"
}

# The statuses of a picture, and of a file that only root may read, of each of
# $urls; for the shell within.
# shellcheck disable=SC2016  # the inner shell expands
visit='for url in $urls; do
	curl -sS -g --max-time 300 -w "%{http_code}\n" \
		-o "$tmp/page" "$url/a/2.jpg" -o /dev/null "$url/secret"
	cmp "$tmp/page" "$files/a/2.jpg"
done'

@test "units/httpd.xinetd serves as it is, over IPv4 and IPv6" {
	run as_shipped 8080 "urls='http://127.0.0.1:8080 http://[::1]:8080'; $visit" \
		"$BUILD/unpacked/run" xinetd -dontfork -f "$TOP/units/httpd.xinetd" \
		-pidfile "$BATS_TEST_TMPDIR/pid" -filelog "$BATS_TEST_TMPDIR/xinetd.log"
	assert_success
	assert_output $'200\n403\n200\n403'
}

@test "units/httpd.inetd serves as it is" {
	run as_shipped 8080 "urls='http://127.0.0.1:8080'; $visit" \
		"$BUILD/unpacked/run" inetd -i "$TOP/units/httpd.inetd"
	assert_success
	assert_output $'200\n403'
}

@test "units/upper.xinetd serves as it is, over IPv4 and IPv6" {
	# shellcheck disable=SC2016  # the inner shell expands
	run as_shipped 12345 'for host in 127.0.0.1 ::1; do
			"$bin/upper-client" "$host" 12345 "Hello, $host!"
		done' \
		"$BUILD/unpacked/run" xinetd -dontfork -f "$TOP/units/upper.xinetd" \
		-pidfile "$BATS_TEST_TMPDIR/pid" -filelog "$BATS_TEST_TMPDIR/xinetd.log"
	assert_success
	assert_output $'Server sent: HELLO, 127.0.0.1!\nServer sent: HELLO, ::1!'
}
