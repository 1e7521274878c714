# Fuzzing: what is known is replayed through every target, every line of the
# pure stages is reached, and a minute of fuzzing finds nothing new; while
# faults that are planted are found.

load lib

targets() {
	make -s -C "$TOP" -f test/fuzz/Makefile print-targets
}

setup_file() {
	load lib
	cd "$TOP" || return
	make -s -j2 -f test/fuzz/Makefile KIND=libfuzzer
	make -s -j2 -f test/fuzz/Makefile KIND=recorder seeds
}

setup() {
	cd "$TOP" || return
}

@test "the unit tables become seeds for every target" {
	local target count
	for target in $(targets); do
		count=$(find "build/fuzz/seeds/$target" -type f | wc -l)
		printf '%s: %s seeds\n' "$target" "$count"
		[ "$count" -ge 50 ]
	done
}

@test "no seed, stored input or past finding ends a target" {
	local target directory inputs
	for target in $(targets); do
		inputs=()
		for directory in build/fuzz/seeds test/fuzz/corpus test/fuzz/regressions; do
			[ ! -d "$directory/$target" ] || inputs+=("$directory/$target")
		done
		run env ASAN_OPTIONS=detect_leaks=0 \
			"build/fuzz/libfuzzer/$target" -runs=0 "${inputs[@]}"
		assert_success
		assert_output --regexp 'Done [1-9][0-9]* runs'
	done
}

@test "every past finding is one of a target's" {
	local directory
	for directory in test/fuzz/regressions/* test/fuzz/corpus/*; do
		[ -d "$directory" ]
		[[ " $(targets) " = *" ${directory##*/} "* ]] || {
			printf '%s: no such target\n' "$directory"
			return 1
		}
	done
}

@test "every line of the pure stages is reached, or listed with its reason" {
	run test/fuzz/coverage
	assert_success
	run grep -vcE $'^(#|[a-z-]+\\.[ch]\t[a-z_0-9]+\t[^\t]+\t[^\t]+$)' test/fuzz/unreachable.tsv
	assert_output 0
}

# outside_calls OBJECT...: what the objects, or an archive of them, call that
# neither they nor the system in memory (os.c) has, less what sanitizers add.
outside_calls() {
	comm -23 \
		<(nm -u "$@" | awk '$1 == "U" { print $2 }' |
			grep -vE '^(fake|__asan|__ubsan|__sanitizer|__sancov)_' | sort -u) \
		<(nm --defined-only "$@" | awk 'NF == 3 { print $3 }' | sort -u)
}

# Calls of the C library that change nothing outside, and depend on nothing
# but what they are given; and where errno is.
PURE=(__errno_location memchr memcmp strchr strcmp strlen strrchr)
# This one asks for the locale, which nobody sets.
PURE+=(strerror)
# The environment is the operator's, and no client's.
PURE+=(getenv)

@test "what the request path calls is pure, or answered by the system in memory" {
	local path=$BATS_TEST_TMPDIR/path.a
	cp build/fuzz/libfuzzer/httpd.a "$path"
	# These have done their work before a client is looked at; the faults of
	# 72-faults.bats are theirs.
	ar d "$path" descriptors.o options.o start.o user.o arguments.o
	run outside_calls "$path"
	# What serve asks of start and log is the program's own, too.
	assert_output "$(printf '%s\n' "${PURE[@]}" program_name start_enter_sandbox \
		start_refuse_listening start_say_how_to_listen | sort)"
}

@test "a call that the system in memory does not answer is noticed" {
	printf '#include <stdio.h>\nint f(const char *p) { return remove(p); }\n' |
		clang -x c -c -o "$BATS_TEST_TMPDIR/f.o" -
	run outside_calls build/fuzz/libfuzzer/obj/serve.o "$BATS_TEST_TMPDIR/f.o"
	assert_line remove
	refute_line fake_close
}

@test "a minute of fuzzing, by libFuzzer and by AFL++, finds nothing" {
	run make -s fuzz TIME=60
	assert_success
	assert_line --regexp '^connection +libfuzzer +[1-9][0-9]+ '
	assert_line --regexp '^connection +afl +[1-9][0-9]+ '
	assert_line --regexp '^all +[1-9][0-9]+ '
}

@test "faults that are planted are found" {
	run test/fuzz/planted 1 19 25
	assert_success
	assert_equal "$(grep -c ' s it is required that \| s AddressSanitizer' <<<"$output")" 3
}

@test "every fault of the list can still be planted" {
	local target file script what
	while IFS=$'\t' read -r target file script what; do
		[ -e "test/fuzz/$target.c" ]
		run sed "$script" "src/$file"
		[ "$output" != "$(cat "src/$file")" ] || {
			printf '%s: %s\n' "$file" "$what"
			return 1
		}
	done < <(grep -v '^#' test/fuzz/planted.tsv)
}
