#!/usr/bin/env bats
#
# The units, under systemd as it is on a host: PID 1 of a container, with its
# journal, its sockets and its limits.  test/systemd/container says how.
#
#	make test-systemd			this system's own systemd
#	make test-systemd SUITE=trixie		that of another release of Debian
#
# What the container serves is `make install`, or the Debian package.  The
# clients run outside of it, in its network.

bats_require_minimum_version 1.5.0

setup_file() {
	load lib
	load container
	export C=$BATS_FILE_TMPDIR/container
	export BURST=$BATS_FILE_TMPDIR/burst
	local stage=$BATS_FILE_TMPDIR/stage

	"${CC:-cc}" -std=c17 -D_GNU_SOURCE -O2 -o "$BURST" \
		"$TOP/test/tools/burst.c"
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$TOP" install \
		DESTDIR="$stage" prefix=/usr
	rm "$stage/etc/default/httpd"
	mkdir -p "$stage/srv"
	cp -R "$FILES" "$stage/srv/http"
	# One socket is enabled before the boot, as on a host that restarts.
	systemctl --quiet --root="$stage" enable httpd@8082.socket 2>/dev/null

	boot --copy "$stage"
	inside systemd-sysusers
	inside systemctl --quiet enable --now httpd@8080.socket \
		httpd@127.0.0.1:8081.socket
}

teardown_file() {
	halt
}

setup() {
	load lib
	load container
}

# A drop-in lasts for a test; what a failed test saw is in the journal.
teardown() {
	[ -e "$C/pid" ] || return 0
	if [ -z "${BATS_TEST_COMPLETED:-}" ]; then
		echo '-- the end of the journal:'
		inside journalctl --no-pager -n 40 || :
	fi
	inside sh -c 'rm -rf /run/systemd/system/*.socket.d \
		/run/systemd/system/httpd@.service.d \
		/etc/systemd/system/httpd@.service.d /etc/default/httpd'
	inside systemctl daemon-reload
}

# Sends BYTES, with printf's escapes expanded, to PORT; all that comes back
# until the connection ends is in the file $answer.
ask_port() {
	answer=$BATS_TEST_TMPDIR/answer
	# shellcheck disable=SC2016 # For the other shell to expand.
	client timeout 300 bash -c 'exec 4<>"/dev/tcp/127.0.0.1/$1"
		printf "%b" "$2" >&4
		cat <&4' - "$1" "$2" >"$answer"
}

# with LINE...: a drop-in for the service.
with() {
	printf '%s\n' '[Service]' "$@" | inside sh -c '
		mkdir -p /run/systemd/system/httpd@.service.d
		cat >/run/systemd/system/httpd@.service.d/test.conf
		systemctl daemon-reload'
}

# until_connections N: waits until the socket has that many.
until_connections() {
	local now
	for ((i = 0; i < 3000; i++)); do
		now=$(property httpd@8080.socket NConnections)
		[ "$now" -ne "$1" ] || return 0
		sleep 0.1
	done
	printf 'wanted: %s connections\ngot:    %s\n' "$1" "$now" >&2
	return 1
}

# bounds UNIT=N...: MaxConnections= of socket units, by drop-ins.
bounds() {
	# shellcheck disable=SC2016 # For the shell within.
	inside sh -c 'for bound; do
			mkdir -p "/run/systemd/system/${bound%=*}.d"
			printf "[Socket]\nMaxConnections=%s\n" "${bound##*=}" \
				>"/run/systemd/system/${bound%=*}.d/bound.conf"
		done
		systemctl daemon-reload' - "$@"
}

# All of the protection, as paranoid.conf says how to have it.
paranoid() {
	inside sh -c 'mkdir -p /etc/systemd/system/httpd@.service.d
		cp /usr/share/httpd/paranoid.conf /etc/systemd/system/httpd@.service.d
		systemctl daemon-reload'
}

# end_held: ends the client that holds connections until the end of its input.
# (Without a process, `wait` would wait for bats, which limits the test's time.)
end_held() {
	local client=$COPROC_PID
	eval "exec ${COPROC[1]}>&-"
	wait "$client" || :
}

# Holds two connections open after their first responses, and prints what
# /proc/PID/status says of the privileges of each of their processes.  The client
# ends, and with it the wait for it, when a connection ends without a response.
status_of_two() {
	local instance
	# shellcheck disable=SC2016 # For the other shell to expand.
	coproc client timeout 300 bash -c 'for fd in 4 5; do
			eval "exec $fd<>/dev/tcp/127.0.0.1/8080"
			printf "HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" >&$fd
			IFS= read -r line <&$fd || exit
			printf "%s\n" "$line"
		done
		read -r _' 3>&-
	run -0 head -n 2 <&"${COPROC[0]}"
	assert_output $'HTTP/1.1 200 OK\r\nHTTP/1.1 200 OK\r'
	for instance in $(inside systemctl list-units --plain --no-legend \
		'httpd@*.service' | sed 's/ .*//'); do
		inside grep -E \
			'^(Uid|Gid|Groups|Cap(Prm|Eff|Bnd|Amb)|NoNewPrivs|Seccomp):' \
			"/proc/$(property "$instance" MainPID)/status"
	done | sed 's/[[:space:]]*$//'
	end_held
}

# The lines of the journal that hold TEXT, by httpd alone or by anybody.
lines_of_httpd() {
	inside journalctl --sync
	inside journalctl --quiet -o cat -t httpd --grep "$1" || :
}

assert_listening() {
	run inside systemctl is-active "$1"
	assert_output active
}

# -- The units

# Fails where systemd has something to say of the units as they are now.
assert_no_fault() {
	local version
	version=$(inside systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
	run inside systemd-analyze --man=no verify httpd@8080.socket \
		httpd@example.service
	assert_success
	if [ "$version" -ge 255 ]; then
		assert_output ''
	else
		# What older ones do not know they name, and go on.
		run sort -u <<<"$output"
		assert_output --regexp "^[^ ]*/httpd@\.socket:[0-9]+: Unknown key( name)? 'PollLimitIntervalSec' in section (\[Socket\]|'Socket'), ignoring\.$"
	fi
}

# The exposure that systemd computes of the unit: from 10, all, to 0, none.
exposure() {
	inside systemd-analyze security --offline=true \
		/usr/lib/systemd/system/httpd@.service |
		sed -n 's/^.*exposure level for [^:]*: \([0-9.]*\) .*/\1/p'
}

@test "systemd finds no fault with the units, nor with paranoid.conf" {
	assert_no_fault
	paranoid
	assert_no_fault
}

@test "the exposure that systemd computes is that of the table in units/README.md" {
	assert_in_table 'httpd@\.service'
	paranoid
	assert_in_table 'paranoid\.conf'
}

# Systemd's versions differ; the table has a column for each of two.
assert_in_table() {
	run grep -E "^\\| .*$1" "$TOP/units/README.md"
	assert_output --partial " | $(exposure) |"
}

@test "systemd does not look at the socket less often when many connect" {
	# Older than 255 it knows neither this property nor such a limit.
	run -0 property httpd@8080.socket PollLimitIntervalUSec
	assert_equal "${output:-0}" 0
}

@test "the manual that the units name is installed" {
	run inside sh -c 'grep -h ^Documentation= /usr/lib/systemd/system/httpd@.*'
	assert_output $'Documentation=man:httpd(8)\nDocumentation=man:httpd(8)'
	inside sh -c 'test -s /usr/share/man/man8/httpd.8 ||
		test -s /usr/share/man/man8/httpd.8.gz'
}

@test "a socket that was enabled before the boot listens after it" {
	assert_listening httpd@8082.socket
	client curl -sS --fail -m 300 -o "$BATS_TEST_TMPDIR/page" \
		http://127.0.0.1:8082/
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
}

@test "httpd@8080.socket serves IPv4 and IPv6" {
	assert_listening httpd@8080.socket
	for address in 127.0.0.1 '[::1]'; do
		run -0 client curl -sS -m 300 -w '%{http_code}' \
			-o "$BATS_TEST_TMPDIR/page" "http://$address:8080/"
		assert_output 200
		cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
	done
}

@test "httpd@127.0.0.1:8081.socket serves that address alone" {
	assert_listening httpd@127.0.0.1:8081.socket
	client curl -sS --fail -m 300 -o "$BATS_TEST_TMPDIR/page" \
		http://127.0.0.1:8081/
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
	run client curl -sS -m 300 'http://[::1]:8081/'
	assert_failure 7	# refused
}

@test "a socket for an address that the host does not have yet listens" {
	inside systemctl start httpd@192.0.2.1:8083.socket
	client ip address add 192.0.2.1/32 dev lo
	run client curl -sS --fail -m 300 -o "$BATS_TEST_TMPDIR/page" \
		http://192.0.2.1:8083/
	client ip address del 192.0.2.1/32 dev lo
	inside systemctl stop httpd@192.0.2.1:8083.socket
	assert_success
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
}

# warnings_of SOCKET: what systemd logged of it at "warning" or above, but for
# the key that versions before 255 do not know.
warnings_of() {
	inside journalctl --sync
	inside journalctl --quiet -o cat -p warning -u "$1" |
		grep -v "Unknown key.* 'PollLimitIntervalSec'" || :
}

@test "an address of IPv6 is a name, as systemd-escape writes it" {
	local socket
	socket=httpd@$(systemd-escape '[::1]:8084').socket
	inside systemctl start "$socket"
	client curl -sS --fail -m 300 -o "$BATS_TEST_TMPDIR/page" \
		'http://[::1]:8084/'
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
	run client curl -sS -m 300 http://127.0.0.1:8084/
	assert_failure 7	# refused
	inside systemctl stop "$socket"
	run warnings_of "$socket"
	assert_output ''
}

@test "a Unix socket listens without a warning, with the drop-in that the unit gives" {
	local socket
	socket=httpd@$(systemd-escape /run/httpd).socket
	# shellcheck disable=SC2016 # For the shell within.
	sed -n 's/^#\t\(\[Socket\]\|NoDelay=.*\|DeferAcceptSec=.*\)$/\1/p' \
		"$TOP/units/httpd@.socket" |
		inside sh -c 'mkdir -p "/run/systemd/system/$1.d"
			cat >"/run/systemd/system/$1.d/unix.conf"
			systemctl daemon-reload
			systemctl start "$1"' - "$socket"
	# Of this client systemd asks the process id.
	nsenter -t "$(cat "$C/pid")" -p curl -sS --fail -m 300 \
		-o "$BATS_TEST_TMPDIR/page" \
		--unix-socket "/proc/$(cat "$C/pid")/root/run/httpd" http://x/
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
	inside systemctl stop "$socket"
	run warnings_of "$socket"
	assert_output ''
}

@test "a silent connection has no process at first, and is closed without a byte" {
	local accepted
	accepted=$(property httpd@8080.socket NAccepted)
	# shellcheck disable=SC2016 # For the other shell to expand.
	coproc client timeout 300 bash -c 'exec 4<>/dev/tcp/127.0.0.1/8080
		echo connected
		wc -c <&4' 3>&-
	read -r -u "${COPROC[0]}" _
	run client ss -Htn state syn-recv
	assert_output --partial '127.0.0.1]:8080 '
	# Another client does not wait for it.
	client curl -sS --fail -m 300 -o /dev/null http://127.0.0.1:8080/
	assert_equal "$(property httpd@8080.socket NAccepted)" $((accepted + 1))
	run cat <&"${COPROC[0]}"
	assert_output 0
	assert_equal "$(property httpd@8080.socket NAccepted)" $((accepted + 2))
}

# dropped: how many segments with a request have been dropped.
dropped() {
	client nft -j list counter inet lost requests |
		jq '.nftables[] | .counter? | values | .packets'
}

@test "a request that has to be sent for longer than a second is answered" {
	# TCP sends again after some 0.2, 0.4, 0.8 and 1.6 s, where it does not
	# remember an address as slow: no other test asks this one.
	client nft -f - <<-'END'
		table inet lost {
			counter requests { }
			chain input {
				type filter hook input priority filter
				tcp dport 8080 tcp flags & psh == psh counter name requests drop
			}
		}
	END
	client curl -sS --fail -m 300 -o "$BATS_TEST_TMPDIR/page" \
		http://127.0.0.9:8080/ 3>&- &
	while [ "$(dropped)" -lt 5 ]; do
		kill -0 $!
	done
	client nft delete table inet lost
	wait $!
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
}

@test "the page with twelve pictures arrives whole, over six connections" {
	local page=$BATS_TEST_TMPDIR/ref.html pictures path fetch=()
	client curl -sS --fail -m 300 -o "$page" http://127.0.0.1:8080/a/b/ref.html
	cmp "$page" "$FILES/a/b/ref.html"
	pictures=$(grep -o '<img[^>]*' "$page" |
		sed -n 's,.*src="/\([^"]*\)".*,\1,p' | sort -u)
	assert_equal "$(wc -l <<<"$pictures")" 12
	while read -r path; do
		fetch+=(-o "$BATS_TEST_TMPDIR/$path" "http://127.0.0.1:8080/$path")
	done <<<"$pictures"
	client curl -sS --fail -m 300 --create-dirs --parallel \
		--parallel-immediate --parallel-max 6 "${fetch[@]}"
	while read -r path; do
		cmp "$BATS_TEST_TMPDIR/$path" "$FILES/$path"
	done <<<"$pictures"
}

# As many as the unit allows one address; systemd's default would end the
# socket after 200.
@test "225 connections at the same moment are all answered, and the socket listens on" {
	local accepted
	accepted=$(property httpd@8080.socket NAccepted)
	for address in 127.0.0.1 ::1; do
		run client "$BURST" -n 225 -p "/?$address" "$address" 8080
		assert_output --regexp '^answered=225 refused=0 reset=0 empty=0 wrong=0 silent=0 '
		assert_success
	done
	assert_listening httpd@8080.socket
	assert_equal "$(property httpd@8080.socket NRefused)" 0
	assert_equal "$(property httpd@8080.socket NAccepted)" $((accepted + 450))
	assert_no_instance

	# Each of them has its line, and there is none about starting or ending.
	run lines_of_httpd 'GET /\?127\.0\.0\.1 HTTP'
	assert_equal "${#lines[@]}" 225
	run lines_of_httpd 'GET /\?::1 HTTP'
	assert_equal "${#lines[@]}" 225
	run inside journalctl --quiet --no-pager -o cat -u 'httpd@*.service' \
		--grep 'Started|Deactivated'
	assert_output ''
}

# -- What reaches the client, and what the journal

@test "each request of a connection is one line in the journal, at its own unit" {
	client curl -sS -m 300 -A agent/1 -o /dev/null \
		'http://127.0.0.1:8080/?one' 'http://127.0.0.1:8080/nothing?two'
	run lines_of_httpd '\?(one|two) '
	assert_equal "${#lines[@]}" 2
	assert_line --index 0 --regexp '^127\.0\.0\.1 - - \[[^]]*\] "GET /\?one HTTP/1\.1" 200 [0-9]+ "-" "agent/1" "[a-z-]+"$'
	assert_line --index 1 --regexp '^127\.0\.0\.1 - - \[[^]]*\] "GET /nothing\?two HTTP/1\.1" 404 [0-9]+ "-" "agent/1" "[a-z-]+"$'
	run inside journalctl --quiet -o cat -u 'httpd@*.service' --grep '\?one '
	assert_equal "${#lines[@]}" 1
}

# journald's own limit for a unit is 10,000 lines in 30 s, and up to six times
# as many where its disk has room.
@test "70,000 pipelined requests of a connection are 70,000 lines in the journal" {
	local n=70000
	seq $n | awk '{ printf "HEAD /?pipelined=%d HTTP/1.1\r\nHost: x\r\n\r\n", $1 }' |
		client socat -t 300 - TCP:127.0.0.1:8080 >"$BATS_TEST_TMPDIR/answers"
	assert_equal "$(grep -c '^HTTP/1.1 200 OK' "$BATS_TEST_TMPDIR/answers")" $n
	assert_no_instance
	lines_of_httpd '\?pipelined=' | sed 's/.*pipelined=\([0-9]*\) .*/\1/' |
		sort -n >"$BATS_TEST_TMPDIR/logged"
	run diff --brief <(seq $n) "$BATS_TEST_TMPDIR/logged"
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/logged")" $n
	assert_success
}

@test "the client gets the answer and not a byte of the log" {
	ask_port 8080 'GET /?seen HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	content | cmp - "$FILES/index.html"
	run sed '/^\r$/q' "$answer"
	assert_line --index 0 $'HTTP/1.1 200 OK\r'
	refute_output --partial '?seen'
	run lines_of_httpd '\?seen '
	assert_equal "${#lines[@]}" 1
}

@test "a directory that is missing is a 503 for the client and one line for the operator" {
	with Environment=HTTPD_ROOT=/missing/here
	ask_port 8080 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	run cat "$answer"
	assert_line --index 0 $'HTTP/1.1 503 Service Unavailable\r'
	assert_line $'Connection: close\r'
	refute_output --partial /missing
	run lines_of_httpd /missing/here
	assert_equal "${#lines[@]}" 1
	assert_output --regexp "^httpd: .*'/missing/here'.*No such file or directory$"
	# Failures must not fill the socket's limits.
	assert_no_instance
	assert_listening httpd@8080.socket
	assert_equal "$(property httpd@8080.socket NConnections)" 0
}

# -- Settings

@test "without StandardInput=socket, the connection that LISTEN_FDS names is served" {
	with StandardInput=null StandardOutput=journal
	ask_port 8080 'GET /?passed HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	content | cmp - "$FILES/index.html"
	run lines_of_httpd '\?passed '
	assert_equal "${#lines[@]}" 1
	run client "$BURST" -n 50 127.0.0.1 8080
	assert_success
	assert_no_instance
}

@test "HTTPD_OPTIONS in a drop-in is obeyed from the next connection on" {
	with Environment=HTTPD_OPTIONS=--max-requests=1
	run client curl -sS -m 300 -o /dev/null -o /dev/null -w '%{num_connects} ' \
		http://127.0.0.1:8080/ http://127.0.0.1:8080/
	assert_output '1 1 '
	with
	run client curl -sS -m 300 -o /dev/null -o /dev/null -w '%{num_connects} ' \
		http://127.0.0.1:8080/ http://127.0.0.1:8080/
	assert_output '1 0 '
}

@test "/etc/default/httpd sets the directory and the options" {
	inside sh -c 'mkdir -p "/srv/two words"
		echo second >"/srv/two words/index.html"
		printf "%s\n" "HTTPD_ROOT=\"/srv/two words\"" \
			"HTTPD_OPTIONS=\"--max-requests=1 --log=none\"" \
			>/etc/default/httpd'
	run client curl -sS -m 300 -i 'http://127.0.0.1:8080/?silent'
	assert_line $'Connection: close\r'
	assert_line second
	run lines_of_httpd '\?silent '
	assert_output ''
}

@test "/etc/default/httpd as it comes changes nothing" {
	inside sh -c 'cat >/etc/default/httpd' <"$TOP/units/httpd.default"
	client curl -sS --fail -m 300 -o "$BATS_TEST_TMPDIR/page" http://127.0.0.1:8080/
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
}

@test "HTTPD_USER in /etc/default/httpd is whom httpd becomes" {
	inside sh -c 'printf "HTTPD_USER=nobody\nHTTPD_OPTIONS=--timeout=20\n" \
		>/etc/default/httpd'
	run status_of_two
	assert_line --index 0 $'Uid:\t65534\t65534\t65534\t65534'
	assert_line --index 1 $'Gid:\t65534\t65534\t65534\t65534'
}

@test "a user whom nobody knows is a 503 for the client and one line for the operator" {
	with Environment=HTTPD_USER=somebody
	ask_port 8080 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'
	run cat "$answer"
	assert_line --index 0 $'HTTP/1.1 503 Service Unavailable\r'
	run lines_of_httpd somebody
	assert_equal "${#lines[@]}" 1
	assert_output --partial "'somebody' is not in /etc/passwd"
	assert_no_instance
}

@test "a refused connection, and a port that is taken, are warnings in the journal" {
	bounds httpd@8080.socket=1
	with Environment=HTTPD_OPTIONS=--timeout=300
	# shellcheck disable=SC2016 # For the other shell to expand.
	coproc client bash -c 'exec 4<>/dev/tcp/127.0.0.1/8080
		printf G >&4
		read -r _' 3>&-
	until_connections 1
	ask_port 8080 'GET / HTTP/1.1\r\n\r\n' || :
	end_held
	run warnings_of httpd@8080.socket
	assert_line --partial 'Too many incoming connections (1), dropping connection'
	run inside systemctl start httpd@127.0.0.1:8080.socket
	assert_failure
	run warnings_of httpd@127.0.0.1:8080.socket
	assert_line --partial 'Failed to listen on sockets: '
	inside systemctl reset-failed httpd@127.0.0.1:8080.socket
	until_connections 0
}

# -- All sockets together

@test "the units and the entries for xinetd allow 450 connections, which two may do" {
	run bash -c 'cd "$1/units" && grep -hoE \
		"^(MaxConnections=|	(instances).*=) *[0-9]+" *.socket *.xinetd |
		grep -o "[0-9]*$"' - "$TOP"
	assert_output $'450\n450\n450\n450'
}

@test "check-sockets adds up active and enabled sockets, and fails above 900" {
	local check=/usr/share/httpd/check-sockets
	inside systemctl --quiet stop httpd@8082.socket
	run inside systemctl is-enabled httpd@8082.socket
	assert_output enabled
	run inside $check
	assert_failure 1
	assert_output - <<-'EOF'
		   450  httpd@127.0.0.1:8081.socket
		   450  httpd@8080.socket
		   450  httpd@8082.socket
		  1350  in all, of 900
		check-sockets: 1350 connections are more than 900: lower MaxConnections= with "systemctl edit SOCKET"
	EOF
	bounds httpd@127.0.0.1:8081.socket=200 httpd@8082.socket=100
	run inside $check
	assert_output --partial '750  in all'
	assert_success
	inside systemctl --quiet start upper@12345.socket
	run inside $check
	assert_failure 1
	assert_output --partial '  450  upper@12345.socket'
	assert_output --partial '1200  in all'
	bounds upper@12345.socket=150
	run inside $check
	assert_output --partial '900  in all'
	assert_success
	inside systemctl --quiet stop upper@12345.socket
	run inside $check
	assert_output --partial '750  in all'
	inside systemctl --quiet start httpd@8082.socket
}

@test "check-sockets counts a connection 36 times with paranoid.conf" {
	bounds httpd@8080.socket=25 httpd@127.0.0.1:8081.socket=0 \
		httpd@8082.socket=0
	paranoid
	run inside /usr/share/httpd/check-sockets
	assert_line '   900  httpd@8080.socket (counted 36 times, for SystemCallFilter=)'
	assert_success
	bounds httpd@8080.socket=26
	run inside /usr/share/httpd/check-sockets
	assert_line '   936  in all, of 900'
	assert_failure 1
}

@test "check-sockets counts a unit of another name, and no other programs" {
	inside sh -c 'cd /run/systemd/system
		printf "[Socket]\nListenStream=8090\nAccept=yes\n" >other.socket
		printf "[Service]\nExecStart=/bin/true /srv/httpd\n" >other@.service
		systemctl daemon-reload
		systemctl --quiet start other.socket'
	run inside /usr/share/httpd/check-sockets
	refute_output --partial other
	inside sh -c 'cd /run/systemd/system
		printf "[Service]\nExecStart=/usr/sbin/from-listen-fds /usr/sbin/httpd /srv/http\n" \
			>other@.service
		systemctl daemon-reload'
	run inside /usr/share/httpd/check-sockets
	assert_line '    64  other.socket'
	inside sh -c 'systemctl --quiet stop other.socket
		rm /run/systemd/system/other*; systemctl daemon-reload'
}

# hold_40: connects from 40 addresses of one /64, sends a byte on each connection,
# prints how many there are, and keeps them until the end of standard input.
hold_40() {
	client python3 /dev/fd/4 4<<-'EOP'
	import socket, sys
	held = []
	for i in range(1, 41):
	    s = socket.socket(socket.AF_INET6)
	    s.bind((f"2001:db8:0:1::{i}", 0))
	    try:
	        s.connect(("2001:db8::1", 8080))
	        s.send(b"G")
	        held.append(s)
	    except ConnectionRefusedError:
	        pass
	print(len(held), flush=True)
	sys.stdin.read()
	EOP
}

# ask_from_elsewhere: the status that a client of another /64 gets.
ask_from_elsewhere() {
	client curl -s -m 300 --interface 2001:db8:0:2::1 -o /dev/null \
		-w '%{http_code}' 'http://[2001:db8::1]:8080/'
}

@test "with the rules of httpd.nft, 40 addresses of one /64 leave room for another" {
	local i rules=/usr/share/doc/httpd/examples/httpd.nft
	with 'Environment="HTTPD_OPTIONS=--timeout=300 --head-timeout=300"'
	bounds httpd@8080.socket=40
	for i in 2001:db8::1 2001:db8:0:2::1 2001:db8:0:1::{1..40}; do
		client ip address add "$i/128" dev lo nodad
	done

	coproc hold_40 3>&-
	read -r -u "${COPROC[0]}" i
	assert_equal "$i connected without rules" '40 connected without rules'
	until_connections 40
	run ask_from_elsewhere
	assert_output 000
	end_held
	until_connections 0

	# Loaded twice, as after a change.
	inside sed 's/count over 100/count over 8/' "$rules" >"$BATS_TEST_TMPDIR/nft"
	client nft -f "$BATS_TEST_TMPDIR/nft"
	client nft -f "$BATS_TEST_TMPDIR/nft"
	coproc hold_40 3>&-
	read -r -u "${COPROC[0]}" i
	assert_equal "$i connected with rules" '8 connected with rules'
	until_connections 8
	run ask_from_elsewhere
	assert_output 200
	end_held
	# What ended counts no longer.
	until_connections 0
	run client curl -s -m 300 --interface 2001:db8:0:1::1 -o /dev/null \
		-w '%{http_code}' 'http://[2001:db8::1]:8080/'
	assert_output 200
	client nft delete table inet httpd
	client ip -6 address flush dev lo to 2001:db8::/32
}

@test "with the rules of httpd.nft, an IPv4 address has no more than they say" {
	inside sed 's/count over 100/count over 8/' \
		/usr/share/doc/httpd/examples/httpd.nft >"$BATS_TEST_TMPDIR/nft"
	client nft -f "$BATS_TEST_TMPDIR/nft"
	run client "$BURST" -n 20 127.0.0.1 8080
	assert_output --regexp '^answered=8 refused=12 '
	run client curl -s -m 300 --interface 127.0.0.2 -o /dev/null \
		-w '%{http_code}' http://127.0.0.1:8080/
	assert_output 200
	client nft delete table inet httpd
}

# -- What protects it

none=0000000000000000

# assert_locked_in UID GID GROUPS BOUND: what is promised of every process that
# serves, from its first answer on.
assert_locked_in() {
	local one
	one=$(printf '%s:\t%s\n' Uid "$1	$1	$1	$1" Gid "$2	$2	$2	$2" \
		Groups "$3" CapPrm $none CapEff $none CapBnd "$4" CapAmb $none \
		NoNewPrivs 1 Seccomp 2 | sed 's/\t$//')
	run status_of_two
	assert_output "$one"$'\n'"$one"
}

@test "a process that serves has neither privileges nor a way to get them" {
	with Environment=HTTPD_OPTIONS=--timeout=20
	# What CapBnd has left are the rights to become httpd.  They could be
	# had again by running a program that has them: NoNewPrivs is there.
	assert_locked_in "$(inside id -u httpd)" "$(inside id -g httpd)" '' \
		00000000000000c0
}

@test "with paranoid.conf, a process that serves never had any" {
	paranoid
	with Environment=HTTPD_OPTIONS=--timeout=20
	assert_locked_in "$(inside id -u httpd)" "$(inside id -g httpd)" \
		"$(inside id -G httpd)" $none
}

@test "with paranoid.conf, the tree is served and the log reaches the journal" {
	paranoid
	ask_port 8080 'GET /?paranoid HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
	content | cmp - "$FILES/index.html"
	run client curl -sS -m 300 -o /dev/null -o /dev/null -w '%{http_code} ' \
		'http://127.0.0.1:8080/redirect?paranoid' \
		'http://127.0.0.1:8080/nothing?paranoid'
	assert_output '301 404 '
	run lines_of_httpd '\?paranoid '
	assert_equal "${#lines[@]}" 3
	run client "$BURST" -c 8 -n 24 127.0.0.1 8080
	assert_success
	assert_no_instance
}

# until_upper_logged N TEXT: waits for N lines of upper that hold TEXT.
until_upper_logged() {
	local got
	got=$(inside timeout 300 journalctl --quiet -f -n all -o cat -t upper |
		grep -m "$1" -c -e "$2")
	assert_equal "$got" "$1"
}

@test "upper@12345.socket sends back in upper case, locked in, and logs to the journal" {
	inside systemctl --quiet start upper@12345.socket
	run -0 client "$BUILD/upper-client" 127.0.0.1 12345 'Hello, World!'
	assert_output 'Server sent: HELLO, WORLD!'
	until_upper_logged 1 'Client disconnected'
	run -0 inside journalctl --quiet -o cat -t upper
	assert_output - <<-'EOF'
		Connection from: 127.0.0.1
		Received: Hello, World!
		Client disconnected
	EOF
	# A client that sends nothing keeps its process, to be looked at.
	client socat -u OPEN:/dev/null,ignoreeof TCP:127.0.0.1:12345 3>&- &
	local socat=$! status
	until_upper_logged 2 'Connection from'
	# shellcheck disable=SC2016 # For the shell within.
	status=$(inside sh -c 'cat /proc/$(pidof upper)/status')
	kill "$socat"
	run grep -E '^(Uid|NoNewPrivs|Seccomp):' <<<"$status"
	local uid
	uid=$(inside id -u httpd)
	assert_line "Uid:	$uid	$uid	$uid	$uid"
	assert_line 'NoNewPrivs:	1'
	assert_line 'Seccomp:	2'
	inside systemctl --quiet stop upper@12345.socket
}

@test "70,000 bytes that upper reads one by one are 70,000 lines in the journal" {
	local n=70000
	inside sh -c 'mkdir -p /run/systemd/system/upper@.service.d
		printf "[Service]\nEnvironment=UPPER_OPTIONS=--buffer=1\n" \
			>/run/systemd/system/upper@.service.d/test.conf
		systemctl daemon-reload
		systemctl --quiet start upper@12345.socket'
	head -c $n /dev/zero | tr '\0' x |
		client socat -t 300 - TCP:127.0.0.1:12345 >"$BATS_TEST_TMPDIR/answers"
	assert_equal "$(wc -c <"$BATS_TEST_TMPDIR/answers")" $n
	until_upper_logged $n '^Received: x'
	inside systemctl --quiet stop upper@12345.socket
	inside rm -rf /run/systemd/system/upper@.service.d
}

@test "a stopped and disabled socket listens no more, nor after the next boot" {
	inside systemctl --quiet disable --now httpd@8080.socket \
		httpd@127.0.0.1:8081.socket httpd@8082.socket
	run client ss -Hltn
	assert_output ''
	run inside find /etc/systemd/system -name 'httpd*'
	assert_output ''
	run client curl -sS -m 300 http://127.0.0.1:8080/
	assert_failure 7	# refused
	assert_no_instance
	run inside systemctl --failed --plain --no-legend
	assert_output ''
}

# -- The Debian package, in a container of its own

# Files that an installation may add to, with their sizes where it may change them.
package_files() {
	inside sh -c 'find /etc /usr/sbin /usr/lib/systemd /usr/lib/sysusers.d \
		/usr/share/doc /usr/share/man /usr/share/httpd /var/lib/systemd \
		/var/lib/dpkg/info -not -type d 2>/dev/null |
		grep -vE "^/etc/((passwd|group|g?shadow)-?|\.pwd\.lock)$" | sort'
}

@test "the Debian package installs, serves when a socket is enabled, and leaves when purged" {
	local deb=$BATS_TEST_TMPDIR/deb built before
	C=$BATS_TEST_TMPDIR/container
	mkdir -p "$deb/var/tmp"
	built=$("$TOP/packaging/build-deb")
	cp "$(tail -n 1 <<<"$built")" "$deb/var/tmp/httpd.deb"
	boot --copy "$deb"
	before=$(package_files)

	run inside dpkg -i /var/tmp/httpd.deb
	assert_success
	# Nothing listens that nobody asked for.
	run client ss -Hltn
	assert_output ''
	run inside getent passwd httpd
	assert_output --regexp '^httpd:[^:]*:[0-9]+:[0-9]+:[^:]*:/:/usr/sbin/nologin$'

	inside systemctl --quiet enable --now httpd@8080.socket
	client curl -sS --fail -m 300 -o "$BATS_TEST_TMPDIR/page" http://127.0.0.1:8080/
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
	run lines_of_httpd 'GET / HTTP'
	assert_equal "${#lines[@]}" 1

	run inside dpkg -P httpd-socket
	assert_success
	run client ss -Hltn
	assert_output ''
	run inside systemctl list-units --all --plain --no-legend 'httpd*@*'
	assert_output ''
	run inside dpkg-query -W httpd-socket
	assert_failure
	run diff <(printf '%s\n' "$before") <(package_files)
	assert_output ''
	# The user stays, as Debian's do: another must not inherit its number.
	run inside getent passwd httpd
	assert_success
}
