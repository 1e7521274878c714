#!/usr/bin/env bats
#
# The wire laboratory: all experiments once, its page in Chromium, and what the
# comparison with the lesson's captures must notice.
# shellcheck disable=SC2154  # spawn.bash and browser.bash set what is not set here

load lib
load spawn
load browser

# One browser for all tests: they take turns.
export BATS_NO_PARALLELIZE_WITHIN_FILE=true

WIRE=$TOP/test/wire

setup_file() {
	load lib
	load spawn
	load browser
	# One run for the tests of what it wrote.
	export LAB=$BATS_FILE_TMPDIR/lab
	ROUNDS=1 "$TOP/test/wire/lab" --out "$LAB" >"$BATS_FILE_TMPDIR/report" 2>&1 \
		</dev/null 3>&- &
	export LAB_PID=$!
	wait "$LAB_PID" || :
	start_driver
	start_browser
}

teardown_file() {
	stop_browser
}

# assert_no_hosts_of PID: the namespaces of that run are gone.
assert_no_hosts_of() {
	run bash -c "ip netns | grep '^wire-$1-' || :"
	assert_output ''
}

@test "every experiment reproduces, and nothing is left of the hosts" {
	local name again report
	for name in basic v1 v2 v3 v4 index missing redirect jpg ref empty; do
		report=$BATS_FILE_TMPDIR/report
		# On a busy machine a program is kept from its CPU, at times, for longer
		# than the wire's round trip; then its writes are other segments.
		for ((again = 0; again < 4; again++)); do
			! grep -qE "^  $name +1\$" "$report" || break
			report=$BATS_TEST_TMPDIR/$name
			"$WIRE/lab" --out "$BATS_TEST_TMPDIR/lab" "$name" >"$report" \
				2>&1 </dev/null 3>&- || :
		done
		run cat "$report"
		assert_line --regexp "^  $name +1\$"
	done
	assert_no_hosts_of "$LAB_PID"
}

@test "the page shows every experiment, drawn, and no text leaves its place" {
	open_page "file://$LAB/index.html"
	run evaluate 'return [...document.querySelectorAll("section")].map(
		(section) => section.id).filter((id) => id != "pictures").join(" ")'
	assert_output 'basic v1 v2 v2-no-delay v3 v4 index missing redirect jpg ref empty'
	run evaluate 'return document.querySelector("#pictures svg").clientWidth > 100'
	assert_output true
	run evaluate 'return [...document.querySelectorAll("section")].filter(
		(section) => section.id != "pictures" &&
			!section.querySelector("svg.ladder")).map((section) => section.id)'
	assert_output '[]'
	run evaluate 'return [...document.querySelectorAll("svg.ladder")].filter(
		(svg) => {
			const all = svg.getBoundingClientRect();
			const box = svg.viewBox.baseVal;
			return all.width < 100 || all.height < 100 ||
				[...svg.querySelectorAll("text")].some((text) => {
					const at = text.getBBox();
					return !(at.width > 0 && at.x >= 0 && at.y >= 0 &&
						at.x + at.width <= box.width &&
						at.y + at.height <= box.height);
				});
		}).length'
	assert_output 0
	# Whatever is wider than the page scrolls by itself.
	run evaluate 'return document.documentElement.scrollWidth -
		document.documentElement.clientWidth'
	assert_output 0
}

@test "the page needs nothing from elsewhere, and the browser has no complaint" {
	open_page "file://$LAB/index.html"
	run evaluate 'return performance.getEntriesByType("resource").filter(
		(entry) => !entry.name.startsWith("data:")).map((entry) => entry.name)'
	assert_output '[]'
	run evaluate 'return document.querySelectorAll("script").length'
	assert_output 0
	run driver_does POST /se/log '{ "type": "browser" }'
	assert_output '[]'
}

@test "the page says which picture travelled on which connection" {
	open_page "file://$LAB/index.html"
	run evaluate 'return [...document.querySelectorAll("#ref .words td:nth-child(2)")]
		.flatMap((cell) => cell.textContent.split(" "))
		.filter((path) => path.endsWith(".jpg")).sort().join(" ")'
	assert_output "$(echo /a/{1,2,3,4,5,6}.jpg /a/b/{1,2,3,4,5,6}.jpg)"
}

@test "who ends it gets his namespaces back" {
	"$WIRE/lab" --out "$BATS_TEST_TMPDIR/lab" v4 >"$BATS_TEST_TMPDIR/said" \
		2>&1 </dev/null 3>&- &
	local pid=$!
	# The server logs the connection; then the client waits for five seconds.
	wait_for_line "$BATS_TEST_TMPDIR/lab/v4.server" 'Connection from'
	kill "$pid"
	wait "$pid" || [ $? -eq 143 ]
	assert_no_hosts_of "$pid"
}

# -- What the comparison must notice

# Changes of the recorded tables, each an awk program over their rows.
changed_tables() {
	cat <<-'EOC'
		a flag	NR == 5 { $3 = "PSH,ACK" }
		a FIN that is none	$3 == "FIN,ACK" { $3 = "ACK" }
		RST instead of FIN	$3 == "FIN,ACK" { $3 = "RST,ACK" }
		a segment that pushes no more	$3 == "PSH,ACK" { $3 = "ACK" }
		a length, by one	$6 > 0 && !n++ { $6++ }
		a sequence number, by one	$6 > 0 && !n++ { $4++ }
		an acknowledgement, by one	$3 ~ /FIN/ && !n++ { $5++ }
		a direction	$6 > 0 && !n++ { $2 = $2 == "c" ? "s" : "c" }
		a row of data that is not there	$6 > 0 && !n++ { next }
		a row that ends the connection, not there	$3 ~ /FIN|RST/ && !n++ { next }
		the first row, not there	$3 == "SYN" { next }
		the last row, twice	{ last = $0 } END { print last }
	EOC
}

@test "the comparison accepts each of the lesson's tables as equal to itself" {
	local seed
	for seed in "$WIRE"/seed/*.tsv; do
		run "$WIRE/check" "$seed" "$seed"
		assert_success
		assert_output equal
	done
}

@test "the comparison refuses every change of a recorded table" {
	local seed what how changed=$BATS_TEST_TMPDIR/changed.tsv
	for seed in "$WIRE"/seed/*.tsv; do
		while IFS=$'\t' read -r what how; do
			awk -F '\t' -v OFS='\t' "NR == 1 { print; next } $how { print }" "$seed" >"$changed"
			if ! cmp -s "$seed" "$changed" && "$WIRE/check" "$seed" "$changed"; then
				printf 'accepted: %s, in %s\n' "$what" "${seed##*/}"
			fi >>"$BATS_TEST_TMPDIR/accepted"
		done < <(changed_tables)
	done
	run grep accepted "$BATS_TEST_TMPDIR/accepted"
	assert_output ''
}

@test "what Nagle's algorithm does is not taken for freedom" {
	# Without a round trip every write is a segment, or is reset.
	run "$WIRE/check" --allow ack-alone-or-riding,crossed-on-the-wire \
		"$WIRE/seed/part-a-v2.tsv" "$LAB/v2-no-delay.tsv"
	assert_failure 1
	assert_output --partial wanted
}

# -- Where it cannot run

@test "who is not root is told so" {
	cp -R "$WIRE" "$BATS_TEST_TMPDIR/wire"
	let_others_in
	run as_nobody "$BATS_TEST_TMPDIR/wire/lab"
	assert_failure 77
	assert_output "lab: network namespaces are root's to make; run this as root"
}

@test "where there are no network namespaces, it says so" {
	run setpriv --bounding-set=-sys_admin --inh-caps=-sys_admin "$WIRE/lab" v1
	assert_failure 69
	assert_output --partial 'lab: this system makes no network namespaces: '
}

@test "where there is no /dev/net/tun, it says so" {
	# shellcheck disable=SC2016  # the inner shell expands it
	run unshare --mount sh -c 'mount -t tmpfs none /dev/net && exec "$1" v1' - "$WIRE/lab"
	assert_failure 69
	assert_output --partial 'lab: /dev/net/tun, of which the wire is made, does not open: '
}

@test "an experiment that there is not is refused" {
	run "$WIRE/lab" v9
	assert_failure 64
	assert_output 'lab: there is no experiment "v9"'
}
