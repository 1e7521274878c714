# httpd-precompress: precompressed variants of the text files of a tree, written
# while it is served and while others write to it.

bats_require_minimum_version 1.5.0
load lib
load filesystems

setup() {
	PRECOMPRESS=$BUILD/httpd-precompress
	cd "$BATS_TEST_TMPDIR" || return
	mkdir tree
}

teardown() {
	unmount_all
}

precompress() {
	run "$PRECOMPRESS" "$@"
}

precompress_as_nobody() {
	let_others_in
	cp "$PRECOMPRESS" .
	run as_nobody ./httpd-precompress "$@"
}

# assert_summary REGEXP: the last line but that of what is saved.
assert_summary() {
	assert_line --regexp "^httpd-precompress: $1\$"
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
	(cd tree && find . ! -type d ! -name .precompressed | LC_ALL=C sort | tr '\n' ' ')
}

decode() {
	case $1 in
	*.br) brotli -dc -- "$1" ;;
	*.zst) zstd -dcq -- "$1" ;;
	*.gz) gzip -dc -- "$1" ;;
	esac
}

# assert_variants NAME: all three are there, and stand for the file.
assert_variants() {
	local variant
	for variant in "$1.br" "$1.zst" "$1.gz"; do
		decode "$variant" | cmp - "$1"
		assert [ "$(stat -c %s "$variant")" -lt $(($(stat -c %s "$1") * 95 / 100 + 1)) ]
		assert_equal "$(stat -c '%.9Y %a %u %g' "$variant")" \
			"$(stat -c '%.9Y %a %u %g' "$1")"
	done
}

# assert_whole: the tree has no hidden file but notes, and each variant is whole.
assert_whole() {
	local name
	run find tree -name '.*' ! -type d ! -name .precompressed
	assert_output ''
	while IFS= read -r -d '' name; do
		decode "$name" | cmp - "${name%.*}"
	done < <(find tree -type f \( -name '*.br' -o -name '*.zst' -o -name '*.gz' \) -print0)
}

# compressing PID COUNT: waits until so many of its workers have a new file open;
# sets $workers.
compressing() {
	local pid pids found
	until [ "${#workers[@]}" -ge "$2" ]; do
		kill -0 "$1"
		workers=()
		read -ra pids <"/proc/$1/task/$1/children" || :
		for pid in "${pids[@]}"; do
			found=$(find "/proc/$pid/fd" -lname '*/#* (deleted)' 2>/dev/null) || :
			[ -z "$found" ] || workers+=("$pid")
		done
	done
}

# slow NAME: makes a file that takes seconds to compress, an hour old.
slow() {
	head -c 400000 /dev/urandom | base64 >"$1"
	touch -d '1 hour ago' -- "$1"
}

@test "a text file gets three variants, smaller, with its date, mode and owner" {
	text tree/page.html
	mkdir -p tree/a/b
	text tree/a/b/style.css
	chmod 640 tree/a/b/style.css
	chown 1234:4321 tree/a/b/style.css
	precompress tree
	assert_success
	assert_line --index 0 'httpd-precompress: 2 files of 7.0 KB: 6 variants written, 0 up to date'
	assert_line --index 1 --regexp '^httpd-precompress: saved: [0-9.]+ KB by br \([6-9][0-9] %\), [0-9.]+ KB by zstd \([5-9][0-9] %\), [0-9.]+ KB by gzip \([5-9][0-9] %\)$'
	assert_equal "${#lines[@]}" 2
	assert_variants tree/page.html
	assert_variants tree/a/b/style.css
}

@test "a second run changes nothing" {
	cp -a "$FILES/." tree
	text tree/page.html
	head -c 4000 /dev/urandom >tree/noise.txt
	precompress tree
	assert_success
	local before
	before=$(snapshot)
	precompress tree
	assert_success
	assert_summary '[0-9]+ files of [0-9.]+ KB: 0 variants written, [1-9][0-9]* up to date, [1-9][0-9]* not worth it'
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
	sed -n '/^static const char extensions/,/;/p' "$TOP/src/precompress/scan.c" |
		grep -o '"[a-z0-9]*"' | tr -d '"' >extensions
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
		[ "$name" = - ] || assert_variants "tree/$name"
	done
	refute [ -e made ]
	refute [ -e tree/made ]
	refute_output --partial $'\xff'
	local before
	before=$(snapshot)
	precompress tree
	assert_summary '17 files of [0-9.]+ KB: 0 variants written, 51 up to date'
	assert_equal "$(snapshot)" "$before"
}

@test "a file that has changed gets new variants" {
	text tree/page.html
	text tree/other.html
	precompress tree
	text tree/page.html 500 word
	precompress tree
	assert_success
	assert_summary '2 files of [0-9.]+ KB: 3 variants written, 3 up to date'
	assert_variants tree/page.html
}

@test "variants of a file that no longer shrinks, or is gone, are removed" {
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
	assert_summary '1 file of 4.0 KB: 0 variants written, 0 up to date, 9 removed, 3 not worth it'
	assert_equal "$(names)" './noise.txt ./picture.png ./short.txt '
	rm tree/noise.txt
	precompress tree
	assert_success
	refute [ -e tree/.precompressed ]
}

@test "a file that has another content with its old date gets new variants" {
	text tree/page.html
	text tree/same-size.html 400 line
	touch -d '1985-10-26 08:15Z' tree/*.html
	precompress tree
	text tree/page.html 500 word
	text tree/same-size.html 400 word
	touch -d '1985-10-26 08:15Z' tree/*.html
	precompress tree
	assert_success
	assert_summary '2 files of [0-9.]+ KB: 6 variants written, 0 up to date'
	assert_variants tree/page.html
	assert_variants tree/same-size.html
}

@test "a file that has another date, owner or mode with its old content gives them to its variants" {
	local inodes
	text tree/page.html
	precompress tree
	inodes=$(stat -c %i tree/page.html.*)
	touch tree/page.html
	chown 1234:4321 tree/page.html
	chmod 600 tree/page.html
	precompress tree
	assert_success
	assert_summary '1 file of [0-9.]+ KB: 0 variants written, 3 up to date'
	assert_variants tree/page.html
	assert_equal "$(stat -c %i tree/page.html.*)" "$inodes"
	# A variant that has another name elsewhere is not touched.
	ln tree/page.html.gz other
	touch -d '5 minutes ago' tree/page.html
	touch -d '6 minutes ago' other
	precompress tree
	assert_summary '1 file of [0-9.]+ KB: 1 variant written, 2 up to date'
	assert_variants tree/page.html
	decode tree/page.html.gz | cmp - tree/page.html
	assert_equal "$(stat -c %h other)" 1
}

@test "what somebody else has made is left alone, and named where httpd does not send what is meant" {
	text tree/data.csv
	text tree/old.csv
	text tree/fine.csv
	echo backup >tree/data.csv.gz
	gzip -c tree/old.csv >tree/old.csv.gz
	touch -d '2 hours ago' tree/old.csv.gz
	gzip -c tree/fine.csv >tree/fine.csv.gz
	echo backup >tree/none.csv.gz
	mkdir tree/old.csv.br
	ln -s /etc/passwd tree/old.csv.zst
	precompress tree
	assert_success
	assert_line 'httpd-precompress: tree/data.csv.gz: does not hold the content of its file, and was not made by httpd-precompress; left as it is'
	assert_line 'httpd-precompress: tree/old.csv.gz: is older than its file, and was not made by httpd-precompress; left as it is'
	assert_line 'httpd-precompress: tree/old.csv.br: is not a regular file; left as it is'
	assert_line 'httpd-precompress: tree/old.csv.zst: is not a regular file; left as it is'
	refute_line --partial fine.csv
	refute_line --partial none.csv
	assert_summary '3 files of [0-9.]+ KB: 4 variants written, 1 up to date, 4 of others left as they are'
	assert_equal "$(cat tree/{data,none}.csv.gz)" $'backup\nbackup'
	assert [ -L tree/old.csv.zst ]
	# The same where one of its own was replaced since, and the plain one goes.
	echo backup >tree/data.csv.br
	rm tree/data.csv
	precompress tree
	assert_success
	rm -r tree/fine*
	assert_equal "$(names)" './data.csv.br ./data.csv.gz ./none.csv.gz ./old.csv ./old.csv.gz ./old.csv.zst '
}

@test "what somebody makes while a file is compressed stays" {
	local pid coding workers=()
	slow tree/large.txt
	"$PRECOMPRESS" tree 2>said 3>&- &
	pid=$!
	compressing "$pid" 1
	for coding in br zst gz; do
		echo "backup $coding" >"tree/large.txt.$coding"
	done
	wait "$pid"
	run cat said
	for coding in br zst gz; do
		assert_equal "$(cat "tree/large.txt.$coding")" "backup $coding"
		assert_line "httpd-precompress: tree/large.txt.$coding: was made by somebody else meanwhile; left as it is"
	done
	# Nor is it replaced where a variant of ours was to be.
	rm tree/large.txt.*
	"$PRECOMPRESS" tree
	slow tree/large.txt
	workers=()
	"$PRECOMPRESS" tree 2>said 3>&- &
	pid=$!
	compressing "$pid" 1
	for coding in br zst gz; do
		echo "backup $coding" >"tree/large.txt.$coding"
	done
	wait "$pid"
	for coding in br zst gz; do
		assert_equal "$(cat "tree/large.txt.$coding")" "backup $coding"
	done
}

@test "what somebody makes where a file does not shrink stays" {
	local pid workers=()
	head -c 1000000 /dev/urandom >tree/noise.txt
	touch -d '1 hour ago' tree/noise.txt
	"$PRECOMPRESS" tree 2>said 3>&- &
	pid=$!
	compressing "$pid" 1
	echo backup >tree/noise.txt.gz
	wait "$pid"
	assert_equal "$(cat tree/noise.txt.gz)" backup
	precompress tree
	assert_success
	assert_equal "$(cat tree/noise.txt.gz)" backup
}

@test "a tree that was copied or moved, dates and all, is taken up where it was left" {
	text tree/page.html
	precompress tree
	cp -a tree copy
	rm -r tree
	mv copy tree
	text tree/page.html 500 word
	precompress tree
	assert_summary '1 file of [0-9.]+ KB: 3 variants written, 0 up to date'
	assert_variants tree/page.html
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
	assert_output "$(printf '%s\n' 'would make tree/page.html.'{br,gz,zst} \
		'would make tree/new\x0aline.txt.'{br,gz,zst} \
		'would remove tree/gone.html.'{br,gz,zst} | sort)"
	assert_equal "$(snapshot)" "$before"
}

@test "names are shown with -v only; a terminal shows how far it is" {
	text tree/page.html
	precompress -v tree
	assert_line --regexp '^wrote tree/page\.html\.br: [0-9]+ of [0-9]+ bytes$'
	rm tree/page.html.*
	precompress tree
	assert_equal "${#lines[@]}" 2
	rm tree/page.html.*
	slow tree/page.html
	run script -qec "stty cols 60; $(printf %q "$PRECOMPRESS") tree" /dev/null
	assert_output --partial '1 file, 0 variants written; page.html'
	rm tree/page.html
	precompress -v tree
	assert_line 'removed tree/page.html.gz'
}

@test "a mistake on the command line is one sentence and 64" {
	precompress
	assert_failure 64
	assert_output 'httpd-precompress: TREE is missing; see httpd-precompress --help'
	precompress -n
	assert_failure 64
	precompress --colour tree
	assert_failure 64
	assert_output 'httpd-precompress: unknown option --colour; see httpd-precompress --help'
	precompress tree other
	assert_failure 64
	assert_output 'httpd-precompress: one TREE is expected, but there is also other; see httpd-precompress --help'
	precompress --version
	assert_success
	assert_output --regexp '^httpd-precompress [0-9.]+$'
	precompress --help
	assert_success
	assert_line --index 0 'Usage: httpd-precompress [OPTION]... TREE'
}

@test "every option is in the help and the manual page" {
	local option options
	mapfile -t options < <(sed -n 's/^\t\t{ "\([a-z-]*\)", .*_argument.*/\1/p' \
		"$TOP/src/precompress/httpd-precompress.c")
	assert_equal "${#options[@]}" 4
	for option in "${options[@]}"; do
		run "$PRECOMPRESS" --help
		assert_output --partial "--$option"
		run cat "$TOP/src/precompress/httpd-precompress.1"
		assert_output --partial "Fl -$option"
	done
}

@test "without openat2 it does nothing, and says what is needed" {
	text tree/page.html
	run strace -f -qq -e trace=openat2 -e inject=openat2:error=ENOSYS -o trace \
		"$PRECOMPRESS" tree
	assert_failure 69
	assert_output 'httpd-precompress: openat2() is not available: Linux 5.6 is needed, and a container that allows it'
	assert_equal "$(names)" './page.html '
}

@test "a tree that is missing is 66; of one that cannot be read whole, the rest is done" {
	precompress tree/none
	assert_failure 66
	assert_output 'httpd-precompress: tree/none: No such file or directory'
	precompress /dev/null
	assert_failure 66
	assert_output 'httpd-precompress: /dev/null: Not a directory'
	text tree/page.html
	mkdir tree/closed
	chmod 700 tree/closed
	chmod 777 tree
	precompress_as_nobody tree
	assert_failure 66
	assert_line 'httpd-precompress: tree/closed: cannot be read: Permission denied'
	assert_summary '1 file of [0-9.]+ KB: 3 variants written, 0 up to date'
	chmod 700 tree
	precompress_as_nobody tree
	assert_failure 66
	assert_output 'httpd-precompress: tree: Permission denied'
}

@test "one file that cannot be read is named, the others are done, and the status is 66" {
	text tree/closed.html
	text tree/page.html
	chmod 600 tree/closed.html
	chmod 777 tree
	precompress_as_nobody tree
	assert_failure 66
	assert_line 'httpd-precompress: tree/closed.html: cannot be read: Permission denied'
	decode tree/page.html.br | cmp - tree/page.html
}

@test "a directory that cannot be written to is 73" {
	text tree/page.html
	mkdir tree/closed
	text tree/closed/page.html
	chmod 777 tree
	precompress_as_nobody tree
	assert_failure 73
	assert_line 'httpd-precompress: tree/closed/page.html.br: cannot be made: Permission denied'
	decode tree/page.html.gz | cmp - tree/page.html
}

@test "notes that somebody else could have written are not believed" {
	local kind sentence='httpd-precompress: tree/.precompressed: must be a regular file that belongs to the owner of its directory and that nobody else can write'
	text tree/page.html
	echo mine >victim
	for kind in link hard-link directory fifo owner group; do
		case $kind in
		link)		ln -s ../victim tree/.precompressed ;;
		hard-link)	ln victim tree/.precompressed ;;
		directory)	mkdir tree/.precompressed ;;
		fifo)		mkfifo tree/.precompressed ;;
		owner)		echo >tree/.precompressed; chown 65534 tree/.precompressed ;;
		group)		echo >tree/.precompressed; chmod 660 tree/.precompressed ;;
		esac
		precompress tree
		printf '%s:\n' "$kind"
		assert_failure 73
		assert_line "$sentence"
		assert_equal "$(cat victim)" mine
		assert_equal "$(names)" './page.html '
		rm -rf tree/.precompressed
	done
}

@test "a worker that dies is 70, leaves nothing, and the others finish" {
	local pid workers=() status=0
	slow tree/large.txt
	text tree/page.html
	"$PRECOMPRESS" tree 2>said 3>&- &
	pid=$!
	compressing "$pid" 1
	kill -KILL "${workers[0]}"
	wait "$pid" || status=$?
	assert_equal "$status" 70
	run cat said
	assert_line --regexp '^httpd-precompress: tree/(large.txt|page.html): its worker ended with signal 9$'
	assert_whole
	precompress tree
	assert_success
	assert_variants tree/large.txt
	assert_variants tree/page.html
}

@test "two at once over one tree: the second one is 75" {
	text tree/page.html
	run flock tree "$PRECOMPRESS" tree
	assert_failure 75
	assert_line 'httpd-precompress: tree: another httpd-precompress is at work there'
	# Nor in a part of one that is at work in all of it.
	mkdir tree/part
	text tree/part/page.html
	text tree/page.html
	run flock tree/part "$PRECOMPRESS" tree
	assert_failure 75
	assert_line 'httpd-precompress: tree/part: another httpd-precompress is at work there'
	assert_variants tree/page.html
	refute [ -e tree/part/page.html.gz ]
}

# state_of FILE: all of the file and of its directory that can change.
state_of() {
	find "${1%/*}" -printf '%p %i %s %u:%g %m %T@ %C@\n'
	sha256sum "$1"
}

# attack TREE VICTIM RUNS COMMAND...: while a user swaps names in TREE for links to
# VICTIM and the directory around it, a thousand times and more, runs a command so
# many times.  Asserts that nothing but the tree changes, and nothing leaks.
attack() {
	local tree=$1 victim=$2 runs=$3 before attacker
	shift 3
	cat >attack.py <<-'EOP'
		# Swaps each name that the program may open for a link, and back.
		import os, random, sys, time
		tree, victim, stop = sys.argv[1:]
		outside = os.path.dirname(victim)
		os.chdir(tree)
		text = "".join(f"{i} line\n" for i in range(400))
		def attempt(function, *names):
		    try:
		        function(*names)
		    except OSError:
		        pass
		swaps = rounds = 0
		while swaps < 1000 or not os.path.exists(stop):
		    rounds += 1
		    names = [f"page.html{suffix}" for suffix in ("", ".br", ".zst", ".gz")]
		    names += [".precompressed", ".precompressed-new"]
		    temporary = [n for n in os.listdir(".") if n.startswith(".precompress-")]
		    # Two rounds of three leave the program its names, and one all of them.
		    for name in temporary + (names if rounds % 3 == 0 else []):
		        attempt(os.symlink, victim, "link")
		        attempt(os.rename, "link", name)
		        swaps += 1
		    if rounds % 3 == 0:
		        for name in names:
		            attempt(os.unlink, name)
		        with open("new", "w") as new:
		            new.write(text)
		        os.rename("new", "page.html")
		    attempt(os.rename, "sub", "away")
		    attempt(os.symlink, outside, "sub")
		    time.sleep(random.random() / 100)
		    attempt(os.unlink, "sub")
		    attempt(os.rename, "away", "sub")
		    swaps += 1
		    time.sleep(random.random() / 10 if rounds % 30 == 0 else 0)
		print(swaps)
	EOP
	before=$(state_of "$victim")
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		/usr/bin/python3 attack.py "$tree" "$victim" "$PWD/stop" >swaps 3>&- &
	attacker=$!
	while [ "$runs" -gt 0 ]; do
		"$@" >>said 2>&1 || :
		kill -0 "$attacker"
		runs=$((runs - 1))
	done
	: >stop
	wait "$attacker"
	printf '%s names were swapped\n' "$(cat swaps)"
	[ "$(cat swaps)" -ge 1000 ]
	rm stop
	assert_equal "$(state_of "$victim")" "$before"
	# No copy of the victim, compressed or not, is where the user can read it.
	while IFS= read -r -d '' name; do
		{ decode "$name" || cat "$name"; } 2>/dev/null >content
		refute grep -q secret content
	done < <(find "$tree" -type f -print0)
}

# attacked OWNER: a directory of user 65534's in a tree, and a victim of OWNER's
# outside of it.
attacked() {
	let_others_in
	mkdir -p tree/theirs/sub outside
	text tree/theirs/page.html
	text tree/theirs/sub/page.html
	seq -f '%.0f secret' 400 >outside/page.html
	chmod 600 outside/page.html
	chown -R "$1:$1" outside
	chown -R 65534:65534 tree/theirs
}

@test "links that the owner of a directory puts at any name lead root nowhere" {
	attacked 0
	attack "$PWD/tree/theirs" "$PWD/outside/page.html" 8 "$PRECOMPRESS" tree
	# The same where a new file has a name of its own at first.
	attack "$PWD/tree/theirs" "$PWD/outside/page.html" 6 strace -f -qq -o trace \
		-e trace=access,faccessat -e inject=access,faccessat:error=ENOENT \
		"$PRECOMPRESS" tree
	# What is left when it is quiet again is done.
	rm -f tree/theirs/.precompressed
	precompress tree
	assert_success
	assert_variants tree/theirs/page.html
	assert_variants tree/theirs/sub/page.html
	assert_equal "$(stat -c %u tree/theirs/page.html.gz tree/theirs/.precompressed | sort -u)" 65534
}

@test "nor do they lead another user anywhere" {
	attacked 65533
	chmod 777 tree/theirs tree/theirs/sub
	cp "$PRECOMPRESS" .
	attack "$PWD/tree/theirs" "$PWD/outside/page.html" 8 setpriv --reuid=65533 \
		--regid=65533 --clear-groups ./httpd-precompress tree
}

@test "root works in each directory with the rights of its owner" {
	mkdir tree/theirs tree/sticky
	text tree/theirs/page.html
	text tree/theirs/secret.html
	chown 65534:65534 tree/theirs tree/theirs/page.html
	chmod 600 tree/theirs/secret.html
	text tree/sticky/secret.html
	chmod 600 tree/sticky/secret.html
	chmod 1777 tree/sticky
	precompress tree
	assert_failure 66
	assert_line 'httpd-precompress: tree/theirs/secret.html: cannot be read: Permission denied'
	assert_variants tree/theirs/page.html
	# In root's own directory, a variant is no more public than its file.
	assert_variants tree/sticky/secret.html
	run strace -f -qq -e trace=setresuid,setresgid,setgroups,linkat -o trace \
		"$PRECOMPRESS" tree
	run grep -cE 'setresuid\(65534, 65534, 65534\) += 0' trace
	assert_output 1
}

@test "a file that changes while it is compressed gets its variants the next time" {
	local pid workers=()
	slow tree/page.html
	"$PRECOMPRESS" tree 2>said 3>&- &
	pid=$!
	compressing "$pid" 1
	echo more >>tree/page.html
	wait "$pid"
	run cat said
	assert_output --partial 'not made since the file changed meanwhile'
	assert_whole
	precompress tree
	assert_success
	assert_variants tree/page.html
}

@test "a run that is interrupted ends all it started, and leaves what is finished" {
	local signal status pid worker workers
	text tree/page.html
	for signal in INT TERM HUP; do
		slow tree/large.txt
		workers=()
		# What bash starts in the background ignores SIGINT, what make starts does not.
		env --default-signal=INT "$PRECOMPRESS" tree 2>said 3>&- &
		pid=$!
		compressing "$pid" 1
		kill -s "$signal" "$pid"
		status=0
		wait "$pid" || status=$?
		assert_equal "$status" $((128 + $(kill -l "$signal")))
		run cat said
		assert_output 'httpd-precompress: interrupted; what is finished is kept'
		for worker in "${workers[@]}"; do
			refute [ -e "/proc/$worker" ]
		done
		rm -f tree/large.txt
		assert_equal "$(find tree -name '.precompress-*')" ''
	done
	# What was finished before is known as its own work.
	precompress tree
	assert_variants tree/page.html
	assert_whole
	rm tree/page.html
	precompress tree
	assert_output --partial '3 removed'
	assert_equal "$(names)" ''
}

@test "a run that is killed leaves no process and nothing but whole variants" {
	local pid worker workers=()
	slow tree/large.txt
	text tree/page.html
	"$PRECOMPRESS" tree 2>said 3>&- &
	pid=$!
	compressing "$pid" 1
	kill -KILL "$pid"
	wait "$pid" 2>/dev/null || :
	# The last of its workers that ends gives up the lock.
	timeout 60 flock tree true
	assert_whole
	precompress tree
	assert_success
	assert_variants tree/large.txt
}

# kill_at CALL COUNT: a run, each process of which is killed in its COUNTth CALL.
kill_at() {
	strace -f -e trace="$1" -e "inject=$1:signal=KILL:when=$2" -o trace \
		"$PRECOMPRESS" tree 2>/dev/null || :
	timeout 60 flock tree true
}

@test "a worker that is killed at any of its calls leaves nothing but whole variants" {
	local moment
	text tree/page.html
	text tree/gone.html
	"$PRECOMPRESS" tree 2>/dev/null
	text tree/page.html 500 word
	text tree/new.html
	rm tree/gone.html
	mv tree before
	for moment in pread64:1 pread64:2 pread64:4 write:1 write:2 write:3 fchown:1 \
		fchmod:1 utimensat:1 fsync:1 renameat2:1 unlinkat:1 linkat:1; do
		rm -rf tree
		cp -a before tree
		kill_at "${moment%:*}" "${moment#*:}"
		printf '%s:\n' "$moment"
		grep -q '+++ killed' trace
		# An old variant that was to be removed may have its other name.
		find tree -name '.precompress-old-*' -delete
		# These may be old as yet.
		mkdir -p old
		mv tree/page.html.* tree/gone.html.* old 2>/dev/null || :
		assert_whole
		mv old/* tree 2>/dev/null || :
		precompress tree
		assert_success
		assert_variants tree/new.html
		assert_variants tree/page.html
		refute [ -e tree/gone.html.gz ]
		assert_whole
	done
}

@test "what a run that was killed left behind is removed by the next one, unless it is somebody's" {
	text tree/page.html
	precompress tree
	cp -p tree/page.html.gz tree/.precompress-old-12
	echo backup >tree/.precompress-old-13
	echo part >tree/.precompress-new-14
	touch tree/.precompress-new-x tree/.precompress-other
	precompress tree
	assert_success
	assert_line 'httpd-precompress: tree/.precompress-old-13: is left of a run that was killed, and was not made by httpd-precompress; left as it is'
	assert_equal "$(names)" './.precompress-new-x ./.precompress-old-13 ./.precompress-other ./page.html ./page.html.br ./page.html.gz ./page.html.zst '
}

# Where no file can be made without a name, one that is hidden is used.
without_tmpfile() {
	run strace -f -qq -e trace=access,faccessat,renameat2,linkat,unlinkat \
		-e inject=access,faccessat:error=ENOENT -o trace "$PRECOMPRESS" "$@"
}

@test "where files cannot be made without a name, the rest is the same" {
	text tree/page.html
	head -c 4000 /dev/urandom >tree/noise.txt
	without_tmpfile tree
	assert_success
	assert_summary '2 files of [0-9.]+ KB: 3 variants written, 0 up to date, 3 not worth it'
	assert_variants tree/page.html
	assert_whole
	run grep -cE 'renameat2.*"\.precompress-new-[0-9]+".*"page.html.(br|zst|gz)"' trace
	assert_output 3
	local before
	before=$(snapshot)
	without_tmpfile tree
	assert_equal "$(snapshot)" "$before"
	# A file system that cannot rename without replacing has links.
	text tree/page.html 500 word
	run strace -f -qq -e trace=access,faccessat,renameat2 -o trace \
		-e inject=access,faccessat:error=ENOENT \
		-e inject=renameat2:error=EINVAL "$PRECOMPRESS" tree
	assert_success
	assert_variants tree/page.html
	assert_whole
}

@test "on exFAT, which has no links, no owners and steps of two seconds, it does the same" {
	rmdir tree
	mount_new exfat tree
	text tree/page.html
	precompress tree
	assert_success
	assert_summary '1 file of [0-9.]+ KB: 3 variants written, 0 up to date'
	decode tree/page.html.zst | cmp - tree/page.html
	ask "GET /page.html HTTP/1.1\r\nHost: test\r\nAccept-Encoding: gzip\r\n\r\n" tree
	assert_equal "$(field Content-Encoding)" gzip
	precompress tree
	assert_summary '1 file of [0-9.]+ KB: 0 variants written, 3 up to date'
	text tree/page.html 500 word
	precompress tree
	assert_summary '1 file of [0-9.]+ KB: 3 variants written, 0 up to date'
	assert_whole
}

@test "notes that a crash has cut off harm nothing" {
	text tree/page.html
	precompress tree
	printf 'v 12 34 pa' >>tree/.precompressed
	text tree/page.html 500 word
	text tree/new.html
	precompress tree
	assert_summary '2 files of [0-9.]+ KB: 6 variants written, 0 up to date'
	rm tree/page.html tree/new.html
	precompress tree
	assert_output --partial '6 removed'
}

@test "a variant gets its name when it is whole and on the disk, and replaces nothing" {
	local coding
	text tree/page.html
	precompress tree
	text tree/page.html 500 word
	strace -ff -qq -y -e trace=openat,write,linkat,renameat2,renameat,fsync,unlinkat \
		-o trace "$PRECOMPRESS" tree
	for coding in br zst gz; do
		# In the order of calls: the new file, its bytes, the disk, its name.
		run awk -v name="\"page.html.$coding\"" '
			/O_TMPFILE/ { print "new" }
			/^write\(.*#[0-9]+/ && !/reports/ { written = 1 }
			/^fsync/ { print written ? "synced" : "synced too early" }
			/^renameat2/ && index($0, name) { print "old aside" }
			/^unlinkat.*\.precompress-old-/ { print "old removed" }
			/^linkat/ && index($0, name) { print "named" }
			index($0, name) && /O_WRONLY|O_RDWR|O_CREAT|^unlinkat/ {
				print "wrong: " $0 }
		' "$(grep -l "^linkat.*\"page.html.$coding\"" trace.*)"
		assert_output $'new\nsynced\nold aside\nold removed\nnamed'
	done
}

@test "zstd asks no client for more than the 8 MiB that browsers have" {
	# In 9 MB of the same, the window is all that costs the client memory.
	yes 'The quick brown fox jumps over the lazy dog.' | head -c 9000000 >tree/long.txt
	# These two would only take their time.
	touch tree/long.txt.br tree/long.txt.gz
	precompress tree
	assert_success
	zstd -dcq --memory=8MB tree/long.txt.zst | cmp - tree/long.txt
	run zstd -lv tree/long.txt.zst
	assert_line --regexp '^Window Size: 8\.00 MiB'
	text tree/short.txt
	precompress tree
	run zstd -lv tree/short.txt.zst
	assert_line --regexp '^Window Size: [0-9.]+ KiB'
}

@test "make precompress does it, whatever the tree is called" {
	mkdir "a 'tree'"
	text "a 'tree'/page.html"
	run make -s -C "$TOP" precompress TREE="$PWD/a 'tree'"
	assert_success
	assert_variants "a 'tree'/page.html"
	run make -s -C "$TOP" precompress
	assert_failure
	assert_output --partial 'TREE is missing'
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

@test "a server beside it sends whole versions only, never half a variant" {
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
		"$PRECOMPRESS" tree 2>>said
	done
	: >stop
	wait "$asker" || {
		cat asker.log said >&2
		return 1
	}
	assert_variants tree/page.html
}
