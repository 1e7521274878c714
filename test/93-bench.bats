#!/usr/bin/env bats
#
# The benchmark beside peers, `make bench-smoke`: that its harness works.  No
# figure decides anything here.

bats_require_minimum_version 1.5.0

setup_file() {
	load lib
	cd "$TOP" || return
	export OUT=$BATS_FILE_TMPDIR/out
	printf 'neighbour\tinetd\tbusybox httpd -i -h {root}\t-\tkept,pipelined\n' \
		>"$BATS_FILE_TMPDIR/peers.tsv"
	# One run for the tests of what it gives.
	ended=0
	BENCH_TEST=$BATS_FILE_TMPDIR timeout 1200 test/bench/bench --smoke --out="$OUT" \
		--peers="$BATS_FILE_TMPDIR/peers.tsv" \
		>"$BATS_FILE_TMPDIR/said" 2>&1 </dev/null 3>&- || ended=$?
	export ended
}

setup() {
	load lib
	cd "$TOP" || return
}

# left VALUE: the processes that have BENCH_TEST=VALUE in their environment, as
# all that a bench has started do, and the control groups of any bench that has
# ended.
left() {
	local group pid
	for pid in /proc/[0-9]*; do
		! grep -qsz "^BENCH_TEST=$1\$" "$pid/environ" ||
			tr '\0' ' ' <"$pid/cmdline"
	done
	while read -r group; do
		pid=${group##*/httpd-bench-}
		[ -e "/proc/${pid%-*}" ] || echo "$group"
	done < <(find /sys/fs/cgroup -name 'httpd-bench-*' 2>/dev/null)
}

# python [ARG]...: runs the program of standard input, for which the modules of
# the bench are there.
python() {
	{
		echo "import sys; sys.path.insert(0, 'test/bench')"
		cat
	} | python3 -B - "$@"
}

@test "a run with tiny numbers ends with status 0" {
	cat "$BATS_FILE_TMPDIR/said"
	assert_equal "$ended" 0
}

@test "every row of raw.tsv has a measure, case, server, quantity, unit, round and value" {
	run head -n 1 "$OUT/raw.tsv"
	assert_output "$(printf 'measure\tcase\tserver\tquantity\tunit\tround\tvalue')"
	run awk -F '\t' 'NR > 1 && (NF != 7 || $1 == "" || $2 == "" || $3 == "" ||
		$4 == "" || $5 == "" || $6 !~ /^[1-9][0-9]*$/ ||
		$7 !~ /^[0-9.e+-]+$/ || $7 < 0)' "$OUT/raw.tsv"
	assert_output ''
	[ "$(wc -l <"$OUT/raw.tsv")" -gt 100 ]
}

@test "no row is there twice" {
	run sh -c 'cut -f 1-4,6 "$1" | sort | uniq -d' - "$OUT/raw.tsv"
	assert_output ''
}

@test "every measure that there is has rows" {
	local file name
	for file in test/bench/measure_*.py; do
		name=${file##*/measure_}
		run grep -c "^${name%.py}	" "$OUT/raw.tsv"
		assert_success
	done
}

@test "every server has rows in each round of the cases that it is in" {
	run awk -F '\t' 'NR > 1 { key = $1 "\t" $2 "\t" $4
		seen[key, $3, $6]; servers[key, $3]; rounds[key, $6] }
	END {
		for (a in servers) for (b in rounds) {
			split(a, one, SUBSEP)
			split(b, two, SUBSEP)
			if (one[1] == two[1] &&
			    !((one[1], one[2], two[2]) in seen))
				print one[1] ": " one[2] " has no round " two[2]
		}
	}' "$OUT/raw.tsv"
	assert_output ''
}

# servers_of MEASURE CASE QUANTITY
servers_of() {
	awk -F '\t' -v measure="$1" -v which="$2" -v quantity="$3" \
		'$1 == measure && $2 == which && $4 == quantity { print $3 }' \
		"$OUT/raw.tsv" | sort -u | paste -sd ' '
}

@test "a connection is measured of every server, and of the peer that --peers names" {
	run servers_of connection '64 clients' rate
	assert_output 'busybox busybox-static constant httpd httpd-nolog httpd-open lighttpd lighttpd-1 micro-httpd mini-httpd neighbour nginx nginx-log webfs'
	run servers_of connection spawn wall
	assert_output 'busybox busybox-static constant httpd httpd-nolog httpd-open micro-httpd neighbour'
	run servers_of connection spawn-lingering wall
	assert_output 'constant httpd httpd-nolog httpd-open lighttpd-1'
}

@test "kept connections are measured of every server that keeps them" {
	local case
	for case in '150 B, 128 connections' '304' '404' \
		'150 B, pipelined 32, by h2load'; do
		run servers_of kept "$case" cpu
		assert_output 'httpd httpd-nolog httpd-open lighttpd nginx nginx-log webfs'
	done
	for case in '150 B, 1 connection, one CPU' '100 KiB, 1 connection'; do
		run servers_of kept "$case" cpu
		assert_output 'constant httpd httpd-nolog httpd-open lighttpd nginx nginx-log webfs'
	done
}

@test "downloads are measured of every server but those that are named, and on kept connections of who keeps them" {
	run servers_of transfer '4 GB, 4 at a time, one CPU each' rate
	assert_output 'busybox httpd httpd-nolog lighttpd lighttpd-1 mini-httpd neighbour nginx nginx-log webfs'
	run servers_of transfer '100 MB, 1 at a time, one CPU each, kept' server-cpu
	assert_output 'httpd httpd-nolog lighttpd nginx nginx-log webfs'
}

@test "idle connections are measured where they were answered, and where they were not asked yet" {
	run servers_of memory '100 connections, asked once' memory
	assert_output 'httpd httpd-open lighttpd nginx webfs'
	run servers_of memory '100 connections, not asked yet' memory
	assert_output 'busybox busybox-static constant httpd httpd-open lighttpd lighttpd-1 micro-httpd mini-httpd neighbour nginx webfs'
}

@test "a cost that stays is called flat, one that grows linear with its slope, and any other neither" {
	run python "$BATS_TEST_TMPDIR/raw.tsv" <<-'PY'
		import types, measure_growth, rows
		bench = types.SimpleNamespace(rows=rows.Rows(sys.argv[1]))
		series = next(one for one in measure_growth.SERIES if one.name == 'path')
		for name, cost in (('flat', lambda levels: 10 + levels / 100),
		                   ('linear', lambda levels: 10 + levels / 2),
		                   ('square', lambda levels: 10 + levels ** 2)):
		    for point in series.points:
		        for number in (1, 2, 3):
		            bench.rows.add('growth', series.case(point), name,
		                           'server-cpu', 'us/request', number,
		                           cost(point))
		    print(measure_growth.verdict(bench, series, name))
	PY
	assert_line --index 0 'path, flat: 10 us at 1 levels, 10.3 us at 30: flat.'
	assert_line --index 1 'path, linear: 10.5 us at 1 levels, 25 us at 30: linear, 0.5 us for each level (0.5 – 0.5).'
	assert_line --index 2 --partial 'NEITHER FLAT NOR LINEAR'
}

@test "the page has every table and every plot, and no measure lacks rows for one" {
	run python "$OUT/index.html" <<-'PY'
		import glob, html, importlib, os, page
		with open(sys.argv[1], encoding='utf-8') as file:
		    text = file.read()
		count = 0
		for path in glob.glob('test/bench/measure_*.py'):
		    name = os.path.basename(path)[:-len('.py')]
		    module = importlib.import_module(name)
		    for place, item in enumerate(module.SHOW):
		        count += 1
		        if isinstance(item, page.Table):
		            wanted = f'<h3>{html.escape(item.title)}'
		        else:
		            wanted = f'<figure id="{name.partition("_")[2]}-{place}"><svg'
		        if wanted not in text:
		            print('not on the page:', wanted)
		print(count > 10, 'there are no rows' in text)
	PY
	assert_output 'True False'
}

@test "the page fetches nothing, and every id is there once" {
	run grep -oE '(src|href)="[^#d][^"]*"|url\([^#]|@import' "$OUT/index.html"
	assert_output ''
	run python "$OUT/index.html" <<-'PY'
		import collections, re
		with open(sys.argv[1], encoding='utf-8') as file:
		    ids = re.findall(r'''\bid=["']([^"']*)''', file.read())
		print([one for one, n in collections.Counter(ids).items() if n > 1])
	PY
	assert_output '[]'
}

@test "each figure that is wanted is reached or MISSED, beside what was measured" {
	local figures reached
	figures=$(grep -cE 'class="(reached|MISSED|not measured)"' "$OUT/index.html")
	reached=$(grep -cE 'class="(reached|MISSED)".*</td><td>[0-9]' "$OUT/index.html")
	[ "$figures" -gt 5 ]
	assert_equal "$reached" "$figures"
}

@test "the page says who was left out, and of what" {
	run grep -F 'Left out of &quot;Requests on kept connections&quot;:' \
		"$OUT/index.html"
	assert_output --partial 'busybox, '
	assert_output --partial 'neighbour'
}

@test "a peer that does not hold so many connections is left out; httpd ends the bench" {
	run python <<-'PY'
		import measure_memory as memory
		import servers
		class Bench:
		    left_out = []
		    def rounds(self, usual):
		        return usual
		    def alternate(self, case, rounds, names, function):
		        for number in range(rounds):
		            for name in names:
		                function(name, number)
		    def leave_out(self, *what):
		        self.left_out.append(what)
		asked = []
		def observe_one(bench, hold, name, number, count, kind):
		    asked.append(name)
		    if name == weak:
		        raise memory.TooMany(f'{name}: too many')
		memory.observe_one = observe_one
		for weak in 'busybox', 'httpd':
		    asked.clear()
		    try:
		        memory.observe_all(Bench(), None, ['busybox', 'nginx', 'httpd'],
		                           1000, memory.UNASKED)
		    except servers.Broken as error:
		        print('ended:', error)
		    print(*asked)
		print(*Bench.left_out)
	PY
	assert_output "busybox nginx httpd nginx httpd nginx httpd
ended: httpd: too many
busybox nginx httpd
('busybox', '1000 connections, not asked yet: busybox: too many')"
}

@test "no process and no control group is left" {
	run left "$BATS_FILE_TMPDIR"
	assert_output ''
}

@test "a ratio is the median of the quotients of the rounds, not that of medians" {
	run python "$BATS_TEST_TMPDIR/raw.tsv" <<-'PY'
		import rows
		all = rows.Rows(sys.argv[1])
		for number, a, b in ((1, 2, 1), (2, 30, 10), (3, 8, 2), (4, 100, 20)):
		    all.add('m', 'c', 'a', 'q', 'u', number, a)
		    all.add('m', 'c', 'b', 'q', 'u', number, b)
		for number, least in ((1, 0), (2, 5), (3, 1), (4, 10), (5, 20)):
		    all.add('m', 'c', 'least', 'q', 'u', number, least)
		all.add('m', 'c', 'a', 'q', 'u', 5, 1000)
		print(*all.ratio('m', 'c', 'q', 'a', 'b'))
		print(*all.spread('m', 'c', 'q', 'b'))
		print(all.ratio('m', 'c', 'q', 'a', 'z'))
		print(*all.ratio('m', 'c', 'q', 'a', 'b', 'least'))
		print(all.ratio('m', 'c', 'q', 'a', 'b', 'z'))
	PY
	assert_output "$(printf '%s\n' '4 2.75 3.5 4.25' '4 1.75 6.0 12.5' None \
		'4 4.25 6.0 7.5' None)"
}

@test "a figure is judged by its limit, to what a run resolves" {
	run python "$BATS_TEST_TMPDIR/raw.tsv" <<-'PY'
		import types, page, rows
		all = rows.Rows(sys.argv[1])
		for name, value in (('a', 10.05), ('b', 10), ('least', 9)):
		    all.add('m', 'c', name, 'q', 'u', 1, value)
		bench = types.SimpleNamespace(rows=all)
		for more in ({'most': 1}, {'most': 1, 'to': 0.01}, {'least': 1},
		             {'least': 1.01}, {'least': 1.01, 'to': 0.01},
		             {'most': 1, 'to': 0.01, 'above': 'least'}):
		    word, _, value, limit, how, _ = page.judge(
		        bench, 'm', page.Figure('', 'q', 'c', 'a', 'b', **more))
		    print(word, value.split()[0], limit, how, sep='; ')
	PY
	assert_output "$(printf '%s\n' \
		'MISSED; 1.005; at most 1 x; q of a / b' \
		'reached; 1.005; at most 1 x, to 0.01; q of a / b' \
		'reached; 1.005; at least 1 x; q of a / b' \
		'MISSED; 1.005; at least 1.01 x; q of a / b' \
		'reached; 1.005; at least 1.01 x, to 0.01; q of a / b' \
		'MISSED; 1.05; at most 1 x, to 0.01; q of a / b, above least')"
}

# -- What must be noticed

# bench_with CELL...: measures connections, or what $ONLY says, with a peer more
# of this row.
bench_with() {
	(IFS=$'\t' && echo "$*") >"$BATS_TEST_TMPDIR/peers.tsv"
	BENCH_TEST=$BATS_TEST_TMPDIR run test/bench/bench --smoke \
		--only="${ONLY:-connection}" --out="$BATS_TEST_TMPDIR/out" \
		--peers="$BATS_TEST_TMPDIR/peers.tsv" </dev/null 3>&-
}

# program NAME: the script of standard input.
program() {
	cat >"$BATS_TEST_TMPDIR/$1"
	chmod +x "$BATS_TEST_TMPDIR/$1"
}

@test "a peer that answers with a byte that is another is an error" {
	program wrong <<-SH
		#!/bin/sh
		"$BUILD/bench/constant" | sed 's/lazy dog/lazy cat/'
	SH
	bench_with wrong inetd "$BATS_TEST_TMPDIR/wrong"
	assert_failure 1
	assert_output --partial 'bench: wrong answers /1k.txt with 1024 bytes that are not the 1024 wanted'
	run left "$BATS_TEST_TMPDIR"
	assert_output ''
}

@test "a peer that answers rightly once, and wrongly later, is an error" {
	program later <<-SH
		#!/bin/sh
		if [ -e "$BATS_TEST_TMPDIR/asked" ]; then
			exec "$BUILD/bench/constant" | sed 's/lazy dog/lazy cat/'
		fi
		touch "$BATS_TEST_TMPDIR/asked"
		exec "$BUILD/bench/constant"
	SH
	bench_with later inetd "$BATS_TEST_TMPDIR/later"
	assert_failure 1
	assert_output --partial 'a wrong byte within'
}

@test "a peer that answers another status, or nothing, is an error" {
	program status <<-'SH'
		#!/bin/sh
		printf 'HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n'
	SH
	bench_with status inetd "$BATS_TEST_TMPDIR/status"
	assert_failure 1
	assert_output --partial 'bench: status answers /1k.txt with 403, wanted 200'
	bench_with nothing inetd /bin/true
	assert_failure 1
	assert_output --partial 'bench: nothing does not answer /1k.txt'
}

@test "what was measured before a peer broke is on a page that says so" {
	ONLY=connection,kept bench_with one-page inetd "$BUILD/bench/constant"
	assert_failure 1
	assert_output --partial 'bench: one-page answers /150.txt with 1024 bytes'
	run cat "$BATS_TEST_TMPDIR/out/index.html"
	assert_output --partial '<section id="connection">'
	refute_output --partial '<section id="kept">'
	assert_output --partial 'kept was not measured to its end'
}

@test "a daemon that does not listen, and a program that is not there, are errors" {
	bench_with deaf daemon '/bin/echo I am deaf'
	assert_failure 1
	assert_output --partial 'bench: deaf does not listen; it said: I am deaf'
	bench_with absent inetd 'no-such-program {root}'
	assert_failure 1
	assert_output --partial 'bench: absent: no-such-program is not here'
	run left "$BATS_TEST_TMPDIR"
	assert_output ''
}

@test "a table of peers that is none is an error, with its line" {
	bench_with name 'command only'
	assert_failure 1
	assert_output --partial 'peers.tsv:1: wanted name, inetd or daemon'
}

@test "a bench that is ended takes its servers along" {
	local bench ended=0
	BENCH_TEST=$BATS_TEST_TMPDIR test/bench/bench --only=kept \
		--out="$BATS_TEST_TMPDIR/out" >"$BATS_TEST_TMPDIR/said" 2>&1 \
		</dev/null 3>&- &
	bench=$!
	until grep -q '^kept	' "$BATS_TEST_TMPDIR/out/raw.tsv" 2>/dev/null; do
		kill -0 "$bench"
		sleep 0.05
	done
	kill "$bench"
	wait "$bench" || ended=$?
	assert_equal "$ended" 1
	run left "$BATS_TEST_TMPDIR"
	assert_output ''
}

@test "options that are none are refused with 64, and who is not root with 77" {
	run -64 test/bench/bench --only=speed
	assert_output --partial "bench: there is no measure 'speed'"
	run -64 test/bench/bench --rounds=many
	run -77 unshare --user test/bench/bench --smoke
	assert_output --partial 'run this as root'
}
