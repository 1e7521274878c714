# packaging/precompress: neighbours for the text files of a tree, made beside
# a running server.

bats_require_minimum_version 1.5.0
load lib

setup() {
	cd "$BATS_TEST_TMPDIR" || return
	mkdir tree
}

precompress() {
	run "$TOP/packaging/precompress" "$@"
}

precompress_as_nobody() {
	let_others_in
	cp "$TOP/packaging/precompress" .
	run as_nobody ./precompress "$@"
}

# text NAME [LINES [WORD]]: makes a file that shrinks, an hour old.
text() {
	seq -f "%.0f ${3:-line}" "${2:-400}" >"$1"
	touch -d '1 hour ago' -- "$1"
}

# snapshot: everything below the tree, with what any change would change.
snapshot() {
	find tree ! -type d -printf '%p %i %s %T@ %C@ %m\n' | LC_ALL=C sort
	find tree -type d | LC_ALL=C sort
}

names() {
	(cd tree && find . ! -type d ! -path ./.precompressed | LC_ALL=C sort | tr '\n' ' ')
}

decode() {
	case $1 in
	*.br) brotli -dc -- "$1" ;;
	*.zst) zstd -dcq -- "$1" ;;
	*.gz) gzip -dc -- "$1" ;;
	esac
}

# assert_neighbours NAME: all three are there, and stand for the file.
assert_neighbours() {
	local neighbour
	for neighbour in "$1.br" "$1.zst" "$1.gz"; do
		decode "$neighbour" | cmp - "$1"
		assert [ "$(stat -c %s "$neighbour")" -lt $(($(stat -c %s "$1") * 95 / 100 + 1)) ]
		assert_equal "$(stat -c '%.9Y %a %u %g' "$neighbour")" \
			"$(stat -c '%.9Y %a %u %g' "$1")"
	done
}

# stub NAME: a program of that name, from standard input, is found first.
stub() {
	mkdir -p bin
	{
		printf '#!/bin/bash\nset -eu\nreal=%q\n' "$(command -v "$1")"
		cat
	} >"bin/$1"
	chmod 755 "bin/$1"
}

with_stubs() {
	PATH=$PWD/bin:$PATH "$@"
}

@test "a text file gets three neighbours, smaller, with its date, mode and owner" {
	text tree/page.html
	mkdir -p tree/a/b
	text tree/a/b/style.css
	chmod 640 tree/a/b/style.css
	chown 1234:4321 tree/a/b/style.css
	precompress tree
	assert_success
	assert_output 'precompress: 2 text files: 6 neighbours written, 0 up to date'
	assert_neighbours tree/page.html
	assert_neighbours tree/a/b/style.css
}

@test "a second run changes nothing, and compresses nothing" {
	cp -a "$FILES/." tree
	text tree/page.html
	head -c 4000 /dev/urandom >tree/noise.txt
	precompress tree
	assert_success
	local before program
	before=$(snapshot)
	for program in brotli zstd gzip; do
		stub "$program" <<<'exit 1'
	done
	with_stubs precompress tree
	assert_success
	assert_output --regexp ': 0 neighbours written, [1-9][0-9]* up to date, [1-9][0-9]* not worth it$'
	assert_equal "$(snapshot)" "$before"
}

@test "only what is text, long enough, visible and a file of its own is compressed" {
	text tree/UPPER.HTML
	text tree/script.mjs
	mkdir -p tree/.well-known tree/.git tree/sub/.well-known tree/directory.html
	text tree/.well-known/security.txt
	text tree/.git/config.txt
	text tree/sub/.well-known/hidden.txt
	text tree/.hidden.txt
	text tree/_redirects
	text tree/html
	text tree/picture.jpg
	text tree/archive.tar.gz
	text tree/sound.mp3
	head -c 149 /dev/zero >tree/short.txt
	: >tree/empty.txt
	head -c 4000 /dev/urandom >tree/noise.txt
	ln -s UPPER.HTML tree/link.html
	ln -s sub tree/link
	mkfifo tree/fifo.txt
	precompress tree
	assert_success
	rm tree/UPPER.HTML.{br,zst,gz} tree/script.mjs.{br,zst,gz} \
		tree/.well-known/security.txt.{br,zst,gz}
	assert_equal "$(names)" "./.git/config.txt ./.hidden.txt \
./.well-known/security.txt ./UPPER.HTML ./_redirects ./archive.tar.gz ./empty.txt \
./fifo.txt ./html ./link ./link.html ./noise.txt ./picture.jpg ./script.mjs \
./short.txt ./sound.mp3 ./sub/.well-known/hidden.txt "
}

@test "what is compressed, by its extension, the server knows and sends compressed" {
	local extension
	sed -n '/^is_compressible/,/^}/s/^\t\([a-z0-9 |]*\)) ;;$/\1/p' \
		"$TOP/packaging/precompress" | tr -d ' ' | tr '|' '\n' >extensions
	assert [ "$(wc -l <extensions)" -gt 40 ]
	while read -r extension; do
		text "tree/file.$extension" 40
	done <extensions
	precompress tree
	assert_success
	# All over one connection, by HEAD: the answers are heads, in order.
	ask "$(while read -r extension; do
		printf 'HEAD /file.%s HTTP/1.1\\r\\nHost: test\\r\\nAccept-Encoding: gzip\\r\\n\\r\\n' \
			"$extension"
	done <extensions)" tree
	tr -d '\r' <"$answer" | awk -v RS= '{ print /\nContent-Encoding: gzip\n/ }' |
		paste extensions - | grep -vw 1 >refused || :
	# A type that it does not know could be anything.
	sed -n 's/^TYPE("\([^"]*\)".*/\1/p' "$TOP/src/types.def" |
		grep -vxFf - extensions >>refused || :
	run cat refused
	assert_output ''
}

@test "odd names are names like others" {
	# shellcheck disable=SC2016 # Nothing of that is to be expanded.
	local name names=(-rf.css --.js '-' ' blank .txt' $'new\nline.txt' "quo'te\".html" '@.md'
		'$(touch made).csv' '`touch made`.csv' '*.txt' '[a]].txt' 'back\slash.txt' '!.txt'
		'~.txt' $'\xff\xfe.txt' 'grün.txt' "$(printf '%0240d.html' 0)")
	for name in "${names[@]}"; do
		text "tree/$name"
	done
	mkdir $'tree/-d\n"'
	text $'tree/-d\n"/-.svg'
	mv tree ./-tree
	precompress -v -- -tree
	assert_success
	mv ./-tree tree
	for name in "${names[@]}" $'-d\n"/-.svg'; do
		[ "$name" = - ] || assert_neighbours "tree/$name"
	done
	refute [ -e made ]
	refute [ -e tree/made ]
	refute_output --partial $'\xff'
	local before
	before=$(snapshot)
	precompress tree
	assert_output "precompress: 17 text files: 0 neighbours written, 51 up to date"
	assert_equal "$(snapshot)" "$before"
}

@test "a file that has changed gets new neighbours" {
	text tree/page.html
	text tree/other.html
	precompress tree
	text tree/page.html 500 word
	precompress tree
	assert_success
	assert_output 'precompress: 2 text files: 3 neighbours written, 3 up to date'
	assert_neighbours tree/page.html
}

@test "neighbours of a file that no longer shrinks, or is gone, are removed" {
	text tree/noise.txt
	text tree/short.txt
	text tree/gone.txt
	text tree/renamed.txt
	precompress tree
	head -c 4000 /dev/urandom >tree/noise.txt
	echo >tree/short.txt
	rm tree/gone.txt
	mv tree/renamed.txt tree/picture.png
	precompress tree
	assert_success
	assert_output 'precompress: 1 text files: 0 neighbours written, 0 up to date, 9 removed, 3 not worth it'
	assert_equal "$(names)" './noise.txt ./picture.png ./short.txt '
	rm tree/noise.txt
	precompress tree
	assert_success
	refute [ -e tree/.precompressed ]
}

@test "what somebody else has made is left alone, and named where it is no use" {
	text tree/data.csv
	text tree/old.csv
	echo backup >tree/data.csv.gz
	echo backup >tree/old.csv.gz
	touch -d '2 hours ago' tree/old.csv.gz
	echo backup >tree/none.csv.gz
	mkdir tree/old.csv.br
	ln -s /etc/passwd tree/old.csv.zst
	precompress tree
	assert_success
	assert_line "precompress: old.csv.gz is older than its plain file, and not of precompress's making: left as it is"
	assert_line 'precompress: old.csv.br is no regular file: left as it is'
	assert_line 'precompress: old.csv.zst is no regular file: left as it is'
	refute_line --partial 'data.csv.gz'
	assert_line 'precompress: 2 text files: 2 neighbours written, 0 up to date, 4 of others left alone'
	assert_equal "$(cat tree/{data,old,none}.csv.gz)" $'backup\nbackup\nbackup'
	assert [ -L tree/old.csv.zst ]
	# The same where one of its own was replaced since, and the plain one goes.
	echo backup >tree/data.csv.br
	rm tree/data.csv
	precompress tree
	assert_success
	assert_equal "$(names)" './data.csv.br ./data.csv.gz ./none.csv.gz ./old.csv ./old.csv.gz ./old.csv.zst '
}

@test "a tree that was copied or moved, dates and all, is taken up where it was left" {
	text tree/page.html
	precompress tree
	cp -a tree copy
	rm -r tree
	mv copy tree
	text tree/page.html 500 word
	precompress tree
	assert_output 'precompress: 1 text files: 3 neighbours written, 0 up to date'
	assert_neighbours tree/page.html
}

@test "--dry-run says what would be done, and does nothing" {
	text tree/page.html
	text tree/gone.html
	precompress tree
	rm tree/gone.html
	text tree/page.html 500 word
	text $'tree/new\nline.txt'
	local before
	before=$(snapshot)
	precompress --dry-run tree
	assert_success
	run sort <<<"$output"
	assert_output "$(printf '%s\n' 'would make page.html.'{br,gz,zst} \
		"would make \$'new\\nline.txt."{br,gz,zst}\' \
		'would remove gone.html.'{br,gz,zst} | sort)"
	assert_equal "$(snapshot)" "$before"
}

@test "names are shown with -v only, where standard error is no terminal" {
	text tree/page.html
	precompress -v tree
	assert_line --regexp '^\[[123]/3\] page\.html\.br: [0-9]+ of [0-9]+ bytes$'
	rm tree/page.html.*
	precompress tree
	assert_output 'precompress: 1 text files: 3 neighbours written, 0 up to date'
	rm tree/page.html.*
	run script -qec "$TOP/packaging/precompress tree" /dev/null
	assert_line --regexp '^\[[123]/3\] page\.html\.gz: '
}

@test "a mistake on the command line is one sentence and 64" {
	local arguments
	for arguments in '' '--colour tree' 'tree tree' '-n'; do
		# shellcheck disable=SC2086 # Splitting is what this is for.
		precompress $arguments
		assert_failure 64
		assert_output --regexp '^precompress: .*; usage: precompress '
		assert_equal "${#lines[@]}" 1
	done
}

@test "a program that is missing is named, with its package, and the status is 69" {
	local program
	mkdir bin
	for program in bash env zstd find; do
		ln -s "$(command -v $program)" bin
	done
	PATH=$PWD/bin precompress tree
	assert_failure 69
	assert_output 'precompress: brotli and gzip cannot be found: install the package of that name'
}

@test "a tree that is missing or cannot be read whole is 66, and nothing is done" {
	precompress tree/none
	assert_failure 66
	assert_output 'precompress: there is no directory tree/none'
	text tree/page.html
	mkdir tree/closed
	chmod 700 tree/closed
	chmod 777 tree
	local before
	before=$(snapshot)
	precompress_as_nobody tree
	assert_failure 66
	assert_line --partial 'closed'
	assert_line 'precompress: the tree could not be read whole: nothing was done'
	chmod 700 tree
	precompress_as_nobody tree
	assert_failure 66
	assert_output 'precompress: the directory tree may not be read'
	assert_equal "$(snapshot)" "$before"
}

@test "one file that cannot be read is named, the others are done, and the status is 66" {
	text tree/closed.html
	text tree/page.html
	chmod 600 tree/closed.html
	chmod 777 tree
	precompress_as_nobody tree
	assert_failure 66
	assert_line 'precompress: closed.html may not be read'
	decode tree/page.html.br | cmp - tree/page.html
}

@test "a directory that cannot be written to is 73" {
	text tree/page.html
	mkdir tree/closed
	text tree/closed/page.html
	chmod 777 tree
	precompress_as_nobody tree
	assert_failure 73
	assert_line 'precompress: closed/page.html.br cannot be made: its directory may not be written'
	decode tree/page.html.gz | cmp - tree/page.html
	rm tree/.precompressed
	ln -s /etc/passwd tree/.precompressed
	precompress tree
	assert_failure 73
	assert_output 'precompress: tree/.precompressed is no regular file'
}

@test "a program that fails is 70, and leaves nothing behind" {
	text tree/page.html
	stub zstd <<<'echo partial; exit 3'
	with_stubs precompress tree
	assert_failure 70
	assert_line 'precompress: page.html.zst was not made: zstd failed'
	assert_equal "$(names)" './page.html ./page.html.br ./page.html.gz '
}

@test "two at once over one tree: the second one is 75" {
	text tree/page.html
	run flock tree "$TOP/packaging/precompress" tree
	assert_failure 75
	assert_output 'precompress: another precompress is at work in tree'
}

@test "a file that changes while it is compressed gets its neighbour the next time" {
	text tree/page.html
	# shellcheck disable=SC2016 # For the stub to expand.
	stub gzip <<<'echo more >>tree/page.html; exec "$real" "$@"'
	sed -i "s,tree/,$PWD/&," bin/gzip
	with_stubs precompress tree
	assert_success
	assert_output --partial 'not made because the file changed meanwhile'
	refute [ -e tree/page.html.gz ]
	precompress tree
	assert_success
	assert_neighbours tree/page.html
}

# start_blocked: a run that waits in the midst of page.html.br; sets $pid.
start_blocked() {
	local line
	text tree/page.html
	mkfifo begun
	stub brotli <<-EOS
		echo half
		echo "\$\$ \$PPID" >$PWD/begun
		exec sleep 60
	EOS
	# What bash starts in the background ignores SIGINT, what make starts does not.
	PATH=$PWD/bin:$PATH env --default-signal=INT "$TOP/packaging/precompress" tree 2>said 3>&- &
	pid=$!
	read -r blocked _ <begun
	# The others come to their end, since the notes and the disk are theirs.
	for line in zst gz; do
		until [ -e "tree/page.html.$line" ]; do
			kill -0 "$pid"
		done
	done
}

@test "a run that is interrupted ends all it started, and leaves what is finished" {
	local signal status
	for signal in INT TERM HUP; do
		rm -rf tree begun
		mkdir tree
		start_blocked
		kill -s "$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		assert_equal "$status" $((128 + $(kill -l "$signal")))
		run cat said
		assert_output 'precompress: interrupted; what is finished is kept'
		refute [ -e "/proc/$blocked" ]
		assert_equal "$(names)" './page.html ./page.html.gz ./page.html.zst '
		precompress tree
		assert_output 'precompress: 1 text files: 1 neighbours written, 2 up to date'
		assert_neighbours tree/page.html
		# What was finished before is known as its own work.
		rm tree/page.html
		precompress tree
		assert_output --partial '3 removed'
	done
}

@test "what a run that was killed left behind is removed by the next one" {
	start_blocked
	local children
	read -r children <"/proc/$pid/task/$pid/children" || :
	# From above, so that nobody sees the end of his child and tidies up.
	# shellcheck disable=SC2086 # Numbers.
	kill -KILL "$pid" $children "$blocked"
	wait "$pid" 2>/dev/null || :
	# The last of them that ends gives up the lock.
	timeout 300 flock tree true
	assert [ -e tree/.precompress-"$pid"-0 ]
	# Of another that lives, it is not.
	touch "tree/.precompress-$$-1" tree/.precompress-notes
	precompress tree
	assert_success
	assert_neighbours tree/page.html
	assert_equal "$(names)" "./.precompress-$$-1 ./.precompress-notes ./page.html \
./page.html.br ./page.html.gz ./page.html.zst "
}

@test "notes that a crash has cut off harm nothing" {
	text tree/page.html
	precompress tree
	printf '12 34.5 ./pa' >>tree/.precompressed
	text tree/page.html 500 word
	text tree/new.html
	precompress tree
	assert_output 'precompress: 2 text files: 6 neighbours written, 0 up to date'
	rm tree/page.html tree/new.html
	precompress tree
	assert_output --partial '6 removed'
}

@test "a neighbour gets its name when it is whole and on the disk, and no other way" {
	local coding
	text tree/page.html
	precompress tree
	text tree/page.html 500 word
	# Each process into a file of its own, so that every call is one line.
	strace -ff -qq -y -ttt -e trace=openat,rename,renameat,renameat2,fsync,truncate,unlink,unlinkat \
		-o trace "$TOP/packaging/precompress" tree
	sort -n trace.* >trace
	for coding in br zst gz; do
		# No process opens it but to read it, or removes it.
		run grep -E "open.*page\\.html\\.$coding\".*(O_WRONLY|O_RDWR)|(unlink|truncate).*page\\.html\\.$coding\"" trace
		assert_output ''
		run grep -cE "rename.*\"\\./\\.precompress-[0-9]+-[0-9]+\", .*page\\.html\\.$coding\".* = 0\$" trace
		assert_output 1
	done
	# What gets a name has been brought to the disk before.
	run awk '
		/fsync.* = 0$/ { match($0, /\.precompress-[0-9]+-[0-9]+/)
			synced[substr($0, RSTART, RLENGTH)] = 1 }
		/rename.*page\.html.* = 0$/ { match($0, /\.precompress-[0-9]+-[0-9]+/)
			print substr($0, RSTART, RLENGTH) in synced }' trace
	assert_output $'1\n1\n1'
}

@test "zstd asks no client for more than the 8 MiB that browsers have" {
	# In 9 MB of the same, the window is all that costs the client memory.
	yes 'The quick brown fox jumps over the lazy dog.' | head -c 9000000 >tree/long.txt
	stub brotli <<<'cat >/dev/null; echo'
	with_stubs precompress tree
	assert_success
	zstd -dcq --memory=8MB tree/long.txt.zst | cmp - tree/long.txt
	run zstd -lv tree/long.txt.zst
	assert_line --regexp '^Window Size: 8\.00 MiB'
}

@test "make precompress does it, whatever the tree is called" {
	mkdir "a 'tree'"
	text "a 'tree'/page.html"
	run make -s -C "$TOP" precompress TREE="$PWD/a 'tree'"
	assert_success
	assert_neighbours "a 'tree'/page.html"
	run make -s -C "$TOP" precompress
	assert_failure
	assert_output --partial 'no tree is named'
}

@test "clients get what they can decode, and the plain file's type" {
	local coding
	text tree/page.html
	precompress tree
	for coding in br zstd gzip; do
		ask "GET /page.html HTTP/1.1\r\nHost: test\r\nAccept-Encoding: $coding\r\n\r\n" tree
		assert_status 200 ok
		assert_equal "$(field Content-Encoding)" "$coding"
		assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
		assert_equal "$(field Vary)" Accept-Encoding
		content >"got.${coding/zstd/zst}"
	done
	mv got.gzip got.gz
	for coding in br zst gz; do
		decode "got.$coding" | cmp - tree/page.html
	done
	# What the program keeps for itself is nobody else's.
	get /.precompressed tree
	assert_status 404 hidden
}

@test "a server beside it sends whole versions only, never half a neighbour" {
	text tree/page.html
	cp tree/page.html "$BATS_TEST_TMPDIR/first"
	cat >asker.py <<-'EOP'
		# Asks over and over until told to stop; each answer must decode to one
		# of the versions that there have been, and no coding may be missed.
		import collections, os, subprocess, sys
		server, tree, stop, versions = sys.argv[1:]
		seen = collections.Counter()
		decoders = {"br": ["brotli", "-dc"], "zstd": ["zstd", "-dcq"],
		            "gzip": ["gzip", "-dc"], "identity": ["cat"]}
		codings = ("br", "zstd", "gzip")
		asked = 0
		while not os.path.exists(stop) or asked < 10:
		    coding = codings[asked % 3]
		    asked += 1
		    head, _, content = subprocess.run(
		        [server, tree], check=True, stdout=subprocess.PIPE,
		        stderr=subprocess.DEVNULL, input=b"GET /page.html HTTP/1.1\r\n"
		        b"Host: test\r\nConnection: close\r\nAccept-Encoding: %s\r\n\r\n"
		        % coding.encode()).stdout.partition(b"\r\n\r\n")
		    fields = dict(line.split(": ", 1)
		                  for line in head.decode().split("\r\n")[1:])
		    used = fields.get("Content-Encoding", "identity")
		    if len(content) != int(fields["Content-Length"]):
		        sys.exit(f"wanted: a whole answer\ngot: {head!r}, {len(content)} bytes")
		    plain = subprocess.run(decoders[used], input=content,
		                           stdout=subprocess.PIPE)
		    kept = [open(f"{versions}/{name}", "rb").read()
		            for name in os.listdir(versions)]
		    if plain.returncode or plain.stdout not in kept:
		        sys.exit(f"wanted: one of {len(kept)} versions by {coding}\n"
		                 f"got: {used}, {len(plain.stdout)} bytes of plain text")
		    seen[used] += 1
		print(dict(seen), file=sys.stderr)
		if not all(seen[coding] for coding in codings):
		    sys.exit(f"wanted: every coding\ngot: {dict(seen)}")
	EOP
	mkdir versions
	mv first versions/0
	python3 asker.py "$HTTPD" tree stop versions 2>asker.log 3>&- &
	local asker=$! version
	for version in 1 2 3 4 5 6 7 8; do
		seq -f "%.0f version $version" $((version * 2000)) >new
		mv new "versions/$version"
		# Each is a second older than what follows it.
		touch -d "$((100 - version)) seconds ago" "versions/$version"
		cp -p "versions/$version" tree/.new
		mv tree/.new tree/page.html
		"$TOP/packaging/precompress" tree 2>>said
	done
	: >stop
	wait "$asker" || {
		cat asker.log said >&2
		return 1
	}
	assert_neighbours tree/page.html
}
