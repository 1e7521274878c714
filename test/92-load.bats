#!/usr/bin/env bats
#
# Many connections, held and broken off, under tcpserver: `make bench-load` with
# smaller numbers, and what it must notice.

bats_require_minimum_version 1.5.0

setup_file() {
	load lib
	export LOAD_TSV=$BATS_FILE_TMPDIR/load.tsv
	# One run for the tests of its rows.
	HTTPD=$HTTPD "$TOP/test/bench/load" -n 500 -r 50000 -c 1000 \
		>"$BATS_FILE_TMPDIR/report" 2>&1 </dev/null || :
}

setup() {
	load lib
	report=$BATS_FILE_TMPDIR/report
}

# row NAME: the value of a row of the run.
row() {
	awk -F '\t' -v name="$1" '$1 == name { print $2 }' "$LOAD_TSV"
}

# assert_reported SENTENCE...: each was reached, and none of the run was not.
assert_reported() {
	run cat "$report"
	local sentence
	for sentence; do
		assert_line --regexp "^reached  $sentence  "
	done
	refute_output --partial FAILED
}

@test "500 connections are open at once, each asked once, and all are answered" {
	assert_reported 'open at once, and answered' refused processes
	assert_equal "$(row held)" 500
}

@test "when they are closed, no process, socket or descriptor is left" {
	assert_reported "ended with this side's end" 'processes after that' \
		'sockets after that' 'descriptors that the spawner gained'
}

@test "an idle connection takes memory of the order of 100 KiB" {
	run row idle-memory
	printf '# an idle connection: %s KiB (proportional %s, page tables %s, kernel stack %s)\n' \
		"$output" "$(row pss)" "$(row page-tables)" "$(row kernel-stack)" >&3
	awk -v got="$output" 'BEGIN { exit !(got > 10 && got < 1000) }'
}

@test "50000 requests over 1000 connections, half of them aborted, are answered to the byte" {
	assert_reported 'answered, each to the byte' connections lost wrong \
		'answers without a line in the log' \
		'processes after that, zombies included'
	assert_equal "$(row storm)" 50000
	[ "$(row storm-aborted)" -gt 300 ]
}

# -- What must be noticed

# load_of SCRIPT: a small run over a program that is this shell script.
load_of() {
	cat >"$BATS_TEST_TMPDIR/program"
	chmod +x "$BATS_TEST_TMPDIR/program"
	BUILD=$BATS_TEST_TMPDIR HTTPD=$BATS_TEST_TMPDIR/program \
		LOAD_TSV=$BATS_TEST_TMPDIR/load.tsv \
		run "$TOP/test/bench/load" -n 20 -r 400 -c 20 </dev/null
	assert_failure 1
}

@test "files with a byte that is another are found out" {
	cp -R "$FILES" "$BATS_TEST_TMPDIR/files"
	chmod -R u+w "$BATS_TEST_TMPDIR/files"
	sed -i '1s/DOCTYPE/DOCTYPF/' "$BATS_TEST_TMPDIR/files/"*.html
	load_of <<-SH
		#!/bin/sh
		exec "$HTTPD" --timeout=20 "$BATS_TEST_TMPDIR/files"
	SH
	assert_output --regexp 'FAILED   open at once, and answered +0 '
	assert_output --regexp 'FAILED   wrong  '
}

@test "connections that end before their answers are found out" {
	load_of <<-SH
		#!/bin/sh
		case \$\$ in
		*[05]) exit ;;
		esac
		exec "$HTTPD" "\$@"
	SH
	assert_output --regexp 'FAILED   open at once, and answered '
	assert_output --regexp 'FAILED   lost  '
}
