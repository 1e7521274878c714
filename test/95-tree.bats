# The tree itself: what builds, what is promised of the program's size, and
# that tests, tables and pages are complete.

bats_require_minimum_version 1.5.0
load lib

setup() {
	cd "$TOP" || return
}

# sections PROGRAM: text, data and bss in bytes, of the stripped program.
sections() {
	strip -o "$BATS_TEST_TMPDIR/stripped" "$1"
	size "$BATS_TEST_TMPDIR/stripped" | awk 'NR == 2 { print $1, $2, $3 }'
}

@test "the programs for a connection are static, position-independent and hardened" {
	local program
	for program in httpd upper; do
		run file "$BUILD/$program"
		assert_output --partial 'static-pie linked'
		run readelf -lW "$BUILD/$program"
		refute_output --partial INTERP
		assert_output --regexp 'GNU_STACK.* RW '
		refute_output --partial ' RWE '
		run readelf -dW "$BUILD/$program"
		refute_output --partial NEEDED
		refute_output --partial TEXTREL
	done
}

@test "from-listen-fds alone needs libsystemd, and is hardened" {
	run readelf -dW "$BUILD/from-listen-fds"
	assert_output --partial libsystemd.so
	assert_output --partial BIND_NOW
	run readelf -lW "$BUILD/from-listen-fds"
	assert_output --partial GNU_RELRO
}

# assert_readme_says BYTES WORDS: to some KiB, in "N KiB" before those words.
assert_readme_says() {
	local said
	said=$(sed -n "s/.* \([0-9]*\) KiB $2.*/\1/p" "$TOP/README.md")
	printf 'README: %s KiB %s; it is %s bytes\n' "$said" "$2" "$1"
	# Another compiler makes some KiB more or less of it.
	[ $((said * 1024 - $1)) -lt 8192 ]
	[ $(($1 - said * 1024)) -lt 8192 ]
}

@test "the stripped program's text is under 150 KiB" {
	local text
	read -r text _ <<<"$(sections "$BUILD/httpd")"
	printf 'text: %s bytes\n' "$text"
	[ "$text" -lt $((150 * 1024)) ]
	assert_readme_says "$text" 'of code and constants'
}

@test "the program's own writable memory is under 100 KiB" {
	local data bss
	read -r _ data bss <<<"$(sections "$BUILD/httpd")"
	printf 'data and bss: %s bytes\n' $((data + bss))
	[ $((data + bss)) -lt $((100 * 1024)) ]
	assert_readme_says $((data + bss)) 'of memory'
}

@test "the data starts a page, and a connection's head fits into the rest of it" {
	local first connection
	first=$(readelf -lW "$BUILD/httpd" | awk '$1 == "LOAD" && / RW / { print $3 }')
	connection=$(nm "$BUILD/httpd" | awk '$3 == "serve_session" { print "0x" $1 }')
	printf 'data: %s, the connection: %s\n' "$first" "$connection"
	[ $((first % 4096)) -eq 0 ]
	[ $((first / 4096)) -eq $((connection / 4096)) ]
	[ $((connection % 4096)) -lt $((4096 - 1024)) ]
}

@test "no function that takes memory from the heap is linked in by our code" {
	local objects
	objects=("$BUILD"/obj/*.o)
	[ "${#objects[@]}" -gt 10 ]
	run bash -c "nm -u \"\$@\" | grep -wE 'malloc|calloc|realloc|free|strdup|strndup|asprintf|getline|fopen|printf|dprintf|fprintf|syslog|gmtime|gmtime_r|localtime|localtime_r|strftime'" - "${objects[@]}"
	assert_output ''
}

@test "two directories build the same bytes" {
	local name program
	for name in one a/longer/name; do
		mkdir -p "$BATS_TEST_TMPDIR/$name"
		cp -R Makefile src "$BATS_TEST_TMPDIR/$name"
		make -s -C "$BATS_TEST_TMPDIR/$name" CFLAGS='-O2 -g' BUILD=build >/dev/null
	done
	for program in httpd upper upper-client from-listen-fds httpd-precompress; do
		cmp "$BATS_TEST_TMPDIR/one/build/$program" \
			"$BATS_TEST_TMPDIR/a/longer/name/build/$program"
	done
}

@test "glibc builds it without a warning, and it serves" {
	make -s LIBC=glibc BUILD="$BATS_TEST_TMPDIR/glibc" >/dev/null
	HTTPD=$BATS_TEST_TMPDIR/glibc/httpd get / "$FILES"
	assert_status 200 ok
}

@test "make install and make uninstall are each other's opposite" {
	local root=$BATS_TEST_TMPDIR/root
	make -s install DESTDIR="$root" prefix=/opt/httpd >/dev/null
	[ -x "$root/opt/httpd/sbin/httpd" ]
	grep -q 'ExecStart=/opt/httpd/sbin/httpd ' \
		"$root/opt/httpd/lib/systemd/system/httpd@.service"
	grep -q 'ExecStart=/opt/httpd/sbin/upper ' \
		"$root/opt/httpd/lib/systemd/system/upper@.service"
	run grep -rI -e /usr/sbin/ -e /usr/share/ "$root"
	assert_output ''
	HTTPD=$root/opt/httpd/sbin/httpd get /a/b/ref.html "$root/opt/httpd/share/httpd/files"
	assert_status 200 ok
	make -s uninstall DESTDIR="$root" prefix=/opt/httpd >/dev/null
	# The settings are the administrator's.
	run find "$root" ! -type d
	assert_output "$root/etc/default/httpd"
}

@test "make help names every target that is meant for people" {
	run make -s help
	local target
	for target in all run test check install uninstall dist deb clean help \
		test-systemd bench bench-smoke bench-quick bench-load bench-units lab static \
		format; do
		assert_output --regexp "  $target +[a-z]"
	done
}

@test "every verdict is named by a test" {
	local token
	while read -r token; do
		grep -qrE "(^|[^a-z-])$token([^a-z-]|\$)" test --include='*.bats' ||
			printf 'no suite names %s\n' "$token"
	done < <(sed -n 's/^VERDICT(.*"\(.*\)")$/\1/p' src/verdicts.def |
		grep -vxE 'proceed|idle|end-of-input') >"$BATS_TEST_TMPDIR/missing"
	run cat "$BATS_TEST_TMPDIR/missing"
	assert_output ''
}

# options_of SOURCE...: the long options in their tables.
options_of() {
	sed -n 's/^[\t ]*{ "\([a-z-]*\)", [a-z]*_argument.*/\1/p' "$@"
}

@test "every option is in the help, the manual page and a test" {
	local program source option options
	for program in httpd:options.c upper:upper.c; do
		source=src/${program#*:} program=${program%:*}
		mapfile -t options < <(options_of "$source" src/arguments.h)
		[ "${#options[@]}" -gt 10 ]
		for option in "${options[@]}"; do
			"$BUILD/$program" --help | grep -q -e "--$option"
			grep -q "Fl -$option" "src/$program.8"
			grep -q -e "--$option" test/*.bats
		done
	done
}

@test "no module includes the header of a later stage" {
	# A stage may include what comes before it, and what serves all stages.
	local stages=(connection read request-line parse content target rules redirects codings conditions ranges cache beneath resolve decide transfer respond)
	local i j
	for ((i = 0; i < ${#stages[@]}; i++)); do
		for ((j = i + 1; j < ${#stages[@]}; j++)); do
			run grep -l "\"${stages[j]}\\.h\"" "src/${stages[i]}.c" "src/${stages[i]}.h"
			assert_output ''
		done
	done
	run grep -lE '"(log|access|serve|options|arguments|start)\.h"' src/{connection,read,request-line,parse,content,target,rules,redirects,codings,file-times,conditions,ranges,cache,beneath,resolve,decide,transfer,respond}.[ch]
	assert_output ''
}

@test "the manual pages are in order" {
	command -v mandoc
	run bash -c "mandoc -T lint src/*.[1-8] src/*/*.[1-8] 2>/dev/null | grep -v 'referenced manual not found'"
	assert_output ''
}

@test "no line of the C code is wider than 80 columns, but for what it prints" {
	run bash -c 'expand -t 8 src/*.[ch] src/*/*.[ch] | grep -vE "^ *\"" | grep -E ".{81}"'
	assert_output ''
}

@test "every link in the pages and documents leads somewhere" {
	local page link
	for page in README.md CONTRIBUTING.md src/README.md units/README.md \
		test/wire/README.md; do
		while read -r link; do
			[ -e "$(dirname "$page")/$link" ] || printf '%s: %s\n' "$page" "$link"
		done < <(grep -oE '\]\([^):#]+\)' "$page" | tr -d ']()')
	done >"$BATS_TEST_TMPDIR/broken"
	local html
	for html in index.html result.html 404.html a/b/ref.html; do
		while read -r link; do
			case $link in
			/a/7.jpg) wanted=404 ;;
			/redirect) wanted=301 ;;
			*) wanted=200 ;;
			esac
			get "$link" "$FILES"
			[ "$code" = "$wanted" ] || printf '%s: %s is %s\n' "$html" "$link" "$code"
		done < <(grep -oE '(href|src)="/[^"]*"' "files/$html" | sed 's/.*="//; s/"$//' | sort -u)
	done >>"$BATS_TEST_TMPDIR/broken"
	run cat "$BATS_TEST_TMPDIR/broken"
	assert_output ''
}

@test "a run ends with the name of each test that did not pass, and of its build" {
	local tap=$BATS_TEST_TMPDIR/tap
	mkdir "$tap"
	printf '%s\n' 1..5 'suite test/1-a.bats' 'not ok 1 setup_file failed' \
		'# (in test file test/1-a.bats, line 3)' 'suite test/2-b.bats' \
		'ok 3 it is there in 3ms' 'ok 4 a part in 1ms # skip it is missing' \
		'not ok 5 a wait in 9ms # timeout after 1s' >"$tap/shipped.tap"
	printf '%s\n' 1..1 'suite test/1-a.bats' 'ok 1 it starts in 1ms' >"$tap/i386.tap"
	: >"$tap/clang.tap"
	run -1 test/summary "$tap"/{shipped,i386,clang}.tap
	assert_output - <<-'END'
		shipped: test/1-a.bats: setup_file failed
		shipped: test/2-b.bats: a part in 1ms # skip it is missing
		shipped: test/2-b.bats: a wait in 9ms # timeout after 1s
		clang: no test ran
		5 of 6 tests ran
		2 passed, 3 failed
	END
	run -0 test/summary "$tap/i386.tap"
	assert_output '1 passed, 0 failed'
}

@test "a run begins with what the machine lacks, and ends there" {
	load spawn
	make_own_dev "$BATS_TEST_TMPDIR"
	run -69 "${in_own_dev[@]}" test/run
	kill "$log_listener"
	assert_output - <<-'END'
		preflight: there is no loop device.
		preflight: there is no /dev/fuse.
		preflight: there is no /dev/net/tun.
	END
	run -77 unshare --user test/run
	assert_output 'preflight: the suites need root.'
}
