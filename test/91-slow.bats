#!/usr/bin/env bats
#
# Clients that are slow on purpose: slowhttptest in its four modes, all at the
# same time, each at a socket of its own under real systemd.  An honest client
# of another address is served throughout, because the sockets' bounds leave
# room for it and httpd's timeouts end what is slow.
#
# The bounds are the units' in proportion, but smaller: when a test is broken
# off, all that are open end at one moment, and Linux 6.18 does not survive that
# of a thousand processes with a seccomp filter.

bats_require_minimum_version 1.5.0

# The modes; their ports are 8081 and so on.
MODES=(header body read range)

options_of() {
	case $1 in
	header)	echo -H -i 2 -x 24 ;;
	body)	echo -B -i 2 -s 8192 -x 10 ;;
	read)	echo -X -n 2 -w 1 -y 8 -z 1 -k 3 ;;
	range)	echo -R -t GET -a 5 -b 400 ;;
	esac
}

CONNECTIONS=80
PER_SOURCE=40

setup_file() {
	load lib
	load container
	export C=$BATS_FILE_TMPDIR/container
	local stage=$BATS_FILE_TMPDIR/stage i etc

	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$TOP" install \
		DESTDIR="$stage" prefix=/usr
	rm "$stage/etc/default/httpd"
	mkdir -p "$stage/srv"
	cp -R "$FILES" "$stage/srv/http"
	boot --copy "$stage"
	inside systemd-sysusers
	etc=/run/systemd/system
	inside mkdir -p "$etc/httpd@.service.d"
	inside sh -c "cat >$etc/httpd@.service.d/test.conf" <<-'END'
		[Service]
		Environment="HTTPD_OPTIONS=--head-timeout=6 --send-timeout=6"
	END
	for i in "${!MODES[@]}"; do
		inside mkdir "$etc/httpd@808$((i + 1)).socket.d"
		inside sh -c "cat >$etc/httpd@808$((i + 1)).socket.d/test.conf" <<-END
			[Socket]
			MaxConnections=$CONNECTIONS
			MaxConnectionsPerSource=$PER_SOURCE
		END
	done
	inside systemctl daemon-reload
	inside systemctl start httpd@808{1,2,3,4,5}.socket

	attack
}

teardown_file() {
	halt
}

setup() {
	load lib
	load container
	results=$BATS_FILE_TMPDIR
}

teardown() {
	if [ -z "${BATS_TEST_COMPLETED:-}" ] && [ -e "$C/pid" ]; then
		echo '-- the end of the journal:'
		inside journalctl --no-pager -n 20 || :
	fi
}

# attack: all modes at once, until httpd has ended all of it, or slowhttptest
# gives up.  In $BATS_FILE_TMPDIR, MODE is what slowhttptest said, MODE.left the
# connections of its socket at the end, and honest has a line for each request
# of an honest client: port, status, time, and whether all bytes were right.
attack() {
	local out=$BATS_FILE_TMPDIR attackers=() honest port left i

	for i in "${!MODES[@]}"; do
		port=$((8081 + i))
		# shellcheck disable=SC2046 # Words of options.
		"$TOP/test/systemd/container" net "$C" \
			slowhttptest $(options_of "${MODES[i]}") -c 100 -r 100 -l 40 \
			-u "http://127.0.0.1:$port/a/5.jpg?${MODES[i]}" \
			</dev/null >"$out/${MODES[i]}" 2>&1 3>&- &
		attackers+=($!)
	done
	ask_honestly >"$out/honest" 3>&- &
	honest=$!
	left=1
	while [ "$left" -gt 0 ] && kill -0 "${attackers[@]}" 2>/dev/null; do
		left=0
		for i in "${!MODES[@]}"; do
			port=$((8081 + i))
			has_begun "$port" "${attackers[i]}" || left=1
			property "httpd@$port.socket" NConnections \
				>"$out/${MODES[i]}.left"
			left=$((left + $(cat "$out/${MODES[i]}.left")))
		done
	done
	: >"$out/over"
	kill "${attackers[@]}" 2>/dev/null || :
	wait "$honest" "${attackers[@]}" || :
}

# Whether the attack on a port has met the bound, or is over.
has_begun() {
	[ "$(property "httpd@$1.socket" NRefused)" -gt 0 ] ||
		! kill -0 "$2" 2>/dev/null
}

ask_honestly() {
	local page=$BATS_FILE_TMPDIR/page port answer rounds=0

	# Twice at least, however long the first time takes.
	until [ -e "$BATS_FILE_TMPDIR/over" ] && [ "$rounds" -ge 2 ]; do
		rounds=$((rounds + 1))
		for port in 8081 8082 8083 8084; do
			rm -f "$page"
			answer=$(client curl -sS -m 300 --interface 127.0.0.2 \
				-o "$page" -w '%{http_code} %{time_total}' \
				"http://127.0.0.1:$port/" 2>&1) || :
			if cmp -s "$page" "$FILES/index.html"; then
				echo "$port $answer right"
			else
				echo "$port $answer wrong"
			fi
		done
	done
}

@test "an honest client is answered whenever it asks, while four kinds of slow clients try" {
	run grep -v ' 200 .* right$' "$results/honest"
	assert_output ''
	printf '# %s\n' "$(sort -k 3 -n "$results/honest" | awk '
		{ time[NR] = $3 }
		END { printf "%d answers, median %.3f s, longest %.3f s", NR,
			time[int((NR + 1) / 2)], time[NR] }')" >&3
	[ "$(wc -l <"$results/honest")" -ge 8 ]
}

@test "slow clients had all that one address may have, and no more of them came in" {
	local i
	for i in 0 1 2; do
		[ "$(property "httpd@808$((i + 1)).socket" NRefused)" -gt 0 ]
	done
	run inside journalctl -o cat --grep "Too many incoming connections .* from source"
	assert_output --partial 'from source 127.0.0.1, dropping connection'
	refute_output --partial 127.0.0.2
}

@test "httpd ended what was slow, by its timeouts" {
	local mode
	for mode in "${MODES[@]}"; do
		assert_equal "$mode $(cat "$results/$mode.left")" "$mode 0"
	done
	inside journalctl --sync
	run inside journalctl -o cat -t httpd --grep TESTING_PURPOSES_ONLY
	assert_output --regexp '"GET /a/5.jpg\?header HTTP/1.1" 408 .* "head-timeout"'
	assert_output --regexp '"POST /a/5.jpg\?body HTTP/1.1" 408 .* "content-timeout"'
	assert_output --regexp '"GET /a/5.jpg\?read HTTP/1.1" 200 '
}

@test "too many ranges are answered by the whole file" {
	run inside journalctl -o cat -t httpd --grep '5.jpg.range HTTP/1.1'
	assert_output --regexp '" 200 402839 '
	refute_output --regexp '" 206 '
}

@test "when they are gone, nothing is left of them, and the sockets listen" {
	assert_no_instance
	for i in "${!MODES[@]}"; do
		assert_equal "$(property "httpd@808$((i + 1)).socket" NConnections)" 0
		assert_equal "$(property "httpd@808$((i + 1)).socket" ActiveState)" active
	done
	run inside systemctl --failed --plain --no-legend
	assert_output ''
}

@test "the bounds of the units leave some hundred connections to other addresses" {
	local all one
	all=$(property httpd@8085.socket MaxConnections)
	one=$(property httpd@8085.socket MaxConnectionsPerSource)
	[ $((all - one)) -ge 200 ]
}
