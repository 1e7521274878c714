#!/usr/bin/env bats
#
# Clients that are slow on purpose: slowhttptest in its four modes, each at a
# socket of its own under real systemd.  An honest client of another address is
# served throughout, because the sockets' bounds leave room for it and httpd's
# timeouts end what is slow.
#
# Slow heads and slow content meet the units as they are shipped, one after the
# other, with more connections than one address may have.  Slow reading and
# ranges, at the same time, meet smaller bounds in the same proportion and a
# shorter timeout for sending: with the units' own they would take a minute.
#
# Linux 6.18 does not survive that a thousand processes with a seccomp filter end
# at one moment, and 512 are as many as this suite may hold.  They are opened
# over some seconds, so that their timeouts end them over as many, and a signal
# to this suite's process group does not reach who holds them: the container
# ends them in groups.

bats_require_minimum_version 1.5.0

# The modes; their ports are 8081 and so on.
MODES=(header body read range)

# What slowhttptest is to do: how often, and how many a second.
options_of() {
	case $1 in
	header)	echo -H -i 2 -x 24 -c 600 -r 200 ;;
	body)	echo -B -i 2 -s 8192 -x 10 -c 600 -r 200 ;;
	read)	echo -X -n 2 -w 1 -y 8 -z 1 -k 3 -c 100 -r 100 ;;
	range)	echo -R -t GET -a 5 -b 400 -c 100 -r 100 ;;
	esac
}

port_of() {
	case $1 in
	header)	echo 8081 ;;
	body)	echo 8082 ;;
	read)	echo 8083 ;;
	range)	echo 8084 ;;
	esac
}

setup_file() {
	load lib
	load container
	export C=$BATS_FILE_TMPDIR/container
	local stage=$BATS_FILE_TMPDIR/stage mode etc

	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$TOP" install \
		DESTDIR="$stage" prefix=/usr
	mkdir -p "$stage/srv"
	cp -R "$FILES" "$stage/srv/http"
	boot --copy "$stage"
	inside systemd-sysusers
	for mode in read range; do
		etc=/run/systemd/system/httpd@$(port_of "$mode").socket.d
		inside mkdir -p "$etc"
		inside sh -c "cat >$etc/test.conf" <<-END
			[Socket]
			MaxConnections=80
			MaxConnectionsPerSource=40
		END
	done
	inside systemctl daemon-reload
	inside systemctl start httpd@808{1,2,3,4}.socket

	attack header
	attack body
	inside sh -c 'echo HTTPD_OPTIONS=--send-timeout=6 >/etc/default/httpd'
	attack read range
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

# attack MODE...: these modes at once, until httpd has ended all of it, or
# slowhttptest gives up.  In $BATS_FILE_TMPDIR, MODE is what slowhttptest said,
# MODE.left the connections of its socket at the end, MODE.most the most that
# were seen, and honest has a line for each request of an honest client: mode,
# status, time, and whether all bytes were right.
attack() {
	local out=$BATS_FILE_TMPDIR attackers=() honest mode left now i

	for mode; do
		# shellcheck disable=SC2046 # Words of options.
		setsid "$TOP/test/systemd/container" net "$C" \
			slowhttptest $(options_of "$mode") -l 40 \
			-u "http://127.0.0.1:$(port_of "$mode")/a/5.jpg?$mode" \
			</dev/null >"$out/$mode" 2>&1 3>&- &
		attackers+=($!)
		echo 0 >"$out/$mode.most"
	done
	rm -f "$out/over"
	ask_honestly "$@" >>"$out/honest" 3>&- &
	honest=$!
	left=1
	while [ "$left" -gt 0 ] && kill -0 "${attackers[@]}" 2>/dev/null; do
		left=0 i=0
		for mode; do
			has_begun "$mode" "${attackers[i++]}" || left=1
			now=$(property "httpd@$(port_of "$mode").socket" NConnections)
			echo "$now" >"$out/$mode.left"
			[ "$now" -le "$(cat "$out/$mode.most")" ] ||
				echo "$now" >"$out/$mode.most"
			left=$((left + now))
		done
	done
	: >"$out/over"
	kill "${attackers[@]}" 2>/dev/null || :
	wait "$honest" "${attackers[@]}" || :
}

# Whether the attack has met the bound, or is over.
has_begun() {
	[ "$(property "httpd@$(port_of "$1").socket" NRefused)" -gt 0 ] ||
		! kill -0 "$2" 2>/dev/null
}

# ask_honestly MODE...: the sockets under attack in turn, without a pause.
ask_honestly() {
	local page=$BATS_FILE_TMPDIR/page mode answer verdict

	while [ ! -e "$BATS_FILE_TMPDIR/over" ]; do
		for mode; do
			rm -f "$page"
			answer=$(client curl -sS -m 15 --interface 127.0.0.2 \
				-o "$page" -w '%{http_code} %{time_total}' \
				"http://127.0.0.1:$(port_of "$mode")/" 2>&1) || :
			verdict=right
			cmp -s "$page" "$FILES/index.html" || verdict=wrong
			echo "$mode $answer $verdict"
		done
	done
}

@test "an honest client is answered whenever it asks, while four kinds of slow clients try" {
	run grep -v ' 200 .* right$' "$results/honest"
	assert_output ''
	local mode
	for mode in "${MODES[@]}"; do
		printf '# %s: %s connections, %s\n' "$mode" "$(cat "$results/$mode.most")" \
			"$(grep "^$mode " "$results/honest" | sort -k 3 -n | awk '
				{ time[NR] = $3 }
				END { printf "%d honest answers, median %.3f s, longest %.3f s",
					NR, time[int((NR + 1) / 2)], time[NR] }')" >&3
		[ "$(grep -c "^$mode " "$results/honest")" -ge 8 ]
	done
}

@test "slow clients had all that one address may have, and no more of them came in" {
	local mode
	for mode in header body read; do
		[ "$(property "httpd@$(port_of "$mode").socket" NRefused)" -gt 0 ]
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
	local mode socket
	for mode in "${MODES[@]}"; do
		socket=httpd@$(port_of "$mode").socket
		assert_equal "$(property "$socket" NConnections)" 0
		assert_equal "$(property "$socket" ActiveState)" active
	done
	run inside systemctl --failed --plain --no-legend
	assert_output ''
}

@test "the bounds of the units leave some hundred connections to other addresses" {
	local all one
	all=$(property httpd@8081.socket MaxConnections)
	one=$(property httpd@8081.socket MaxConnectionsPerSource)
	assert_equal "$one" 512
	[ $((all - one)) -ge 300 ]
}
