#!/usr/bin/env bats
# The page with twelve pictures, from httpd under xinetd and systemd, and from a
# server that serves one connection at a time: test/wire/pictures shows it all.
# How long each takes is on the page that it makes, and decides nothing here.

bats_require_minimum_version 1.5.0

setup_file() {
	load lib
	export OUT=$BATS_FILE_TMPDIR/out
	ROUNDS=1 "$TOP/test/wire/pictures" "$OUT" >"$BATS_FILE_TMPDIR/said" 3>&-
}

setup() {
	load lib
}

@test "Chromium shows all twelve pictures from each of the three servers" {
	local server
	run cut -f 1,2 "$OUT/pictures.tsv"
	assert_output "$(printf '%s\t%s\n' round server 1 one-at-a-time 1 xinetd \
		1 systemd)"
	for server in one-at-a-time xinetd systemd; do
		run sh -c 'awk -F "\t" -v server="$1" "\$2 == server { print \$3 }" \
			"$2" | sort' - "$server" "$OUT/pictures-resources.tsv"
		assert_output "$(printf '%s\n' /a/{1,2,3,4,5,6}.jpg \
			/a/b/{1,2,3,4,5,6}.jpg /a/b/ref.html)"
	done
}

@test "Chromium opens six connections to the server that serves one at a time" {
	run awk -F '\t' '$2 == "one-at-a-time" { print $4 }' "$OUT/pictures.tsv"
	assert_output 6
}

@test "the server that serves one at a time opens none before the last is closed" {
	run awk '$2 == "open" { if (open) print "not closed: " open; open = $1; n++ }
		$2 == "GET" && $1 != open { print "not open: " $0 }
		$2 == "close" { if ($1 != open) print "not open: " $0; open = 0 }
		END { if (n != 6) print "connections: " n }' \
		"$OUT/one-at-a-time.log"
	assert_output ''
}

@test "it ends a connection after a file that is missing, and after a redirect" {
	# shellcheck disable=SC2016 # For the inner shell to expand.
	run -0 unshare --net --mount --pid --fork --kill-child bash -eu -c '
		ip link set lo up
		python3 "$1/test/wire/one-at-a-time.py" 8000 "$1/files" \
			>/dev/null 3>&- &
		until ss -Hltn sport = :8000 | grep -q .; do kill -0 $!; done
		for target in a/7.jpg redirect a/2.jpg; do
			curl -sS -m 300 -o /dev/null -o /dev/null \
				-w "%{http_code} %{num_connects} %{redirect_url}\n" \
				"http://127.0.0.1:8000/"{$target,}
		done' - "$TOP"
	assert_output "$(printf '%s\n' '404 1 ' '200 1 ' \
		'301 1 http://127.0.0.1:8000/result.html' '200 1 ' '200 1 ' '200 0 ')"
}

@test "the plot and the part of the page are well-formed" {
	run -0 python3 -c 'import sys, xml.etree.ElementTree as tree
for path in sys.argv[1:]:
    print(tree.parse(path).getroot().tag)' "$OUT/pictures.svg" "$OUT/pictures.html"
	assert_output $'{http://www.w3.org/2000/svg}svg\nsection'
}

@test "the plot says its unit, how many loads there were, and on which machine" {
	run cat "$OUT/pictures.svg"
	assert_output --partial 'seconds since the start of the navigation'
	assert_output --partial 'n = 1 loads'
	assert_output --partial "Linux $(uname -r), $(nproc) CPUs"
}

@test "the table on the terminal has a line for each server, and what is wanted" {
	run cat "$BATS_FILE_TMPDIR/said"
	assert_line --index 1 --regexp '^one connection at a time +[0-9.]+ s '
	assert_line --index 2 --regexp '^httpd under xinetd +[0-9.]+ s .*\(1/[0-9]+\)'
	assert_line --index 3 --regexp '^httpd under systemd +[0-9.]+ s .*\(1/[0-9]+\)'
	assert_line --index 4 --partial 'Wanted: at most 1/10'
}

@test "who is not root is told so, with exit status 77" {
	run -77 unshare --user "$TOP/test/wire/pictures" "$BATS_TEST_TMPDIR/none"
	assert_output 'pictures: only root can boot the container in which systemd and xinetd serve'
}

@test "where a program is missing it is named, with exit status 69" {
	local programs=$BATS_TEST_TMPDIR/programs
	mkdir "$programs"
	find /usr/bin /usr/sbin -maxdepth 1 ! -type d ! -name systemd-nspawn \
		-exec ln -sf -t "$programs" {} +
	PATH=$programs run -69 "$TOP/test/wire/pictures" "$BATS_TEST_TMPDIR/none"
	assert_output --partial 'pictures: systemd-nspawn is not here; '
}

@test "without a directory to write to, or with no number of rounds, usage is told" {
	run -64 "$TOP/test/wire/pictures"
	assert_output 'pictures: usage: [ROUNDS=N] pictures OUTDIR'
	ROUNDS=many run -64 "$TOP/test/wire/pictures" "$BATS_TEST_TMPDIR/none"
	assert_output 'pictures: usage: [ROUNDS=N] pictures OUTDIR'
}
