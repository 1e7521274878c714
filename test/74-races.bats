#!/usr/bin/env bats
#
# A tree whose files and directories are exchanged with links to the outside
# while it is served: nothing from outside is ever had.  test/tools/race.c says
# how.

bats_require_minimum_version 1.5.0

setup_file() {
	load lib
	export RACE=$BATS_FILE_TMPDIR/race
	"${CC:-cc}" -std=c17 -D_GNU_SOURCE -O2 -pthread -o "$RACE" \
		"$TOP/test/tools/race.c"
}

setup() {
	load lib
	tree=$BATS_TEST_TMPDIR/tree
}

# race [OPTION]... -- PROGRAM [OPTION]...: 100000 requests, unless -n says else.
race() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	rm -rf "$tree"
	mkdir "$tree"
	run "$RACE" "${options[@]}" "$tree" "$@" --persist=always --log=none
}

assert_nothing_left() {
	assert_success
	assert_output --regexp 'answers=100000 .* faults=0$'
	printf '# %s\n' "${lines[-1]}" >&3
}

# plant SCRIPT: builds the program with its beneath.c edited by sed's SCRIPT.
plant() {
	local copy=$BATS_TEST_TMPDIR/copy
	mkdir "$copy"
	cp -R "$TOP/src" "$TOP/Makefile" "$copy"
	sed -i "$1" "$copy/src/beneath.c"
	refute cmp -s "$TOP/src/beneath.c" "$copy/src/beneath.c"
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -j 2 -C "$copy" \
		CFLAGS=-O1 build/httpd
	planted=$copy/build/httpd
}

# assert_found: races of the planted program are lost, both ways.
assert_found() {
	local way
	for way in '' -w; do
		# shellcheck disable=SC2086 # A word or none.
		race $way -- "$planted" --sandbox=off
		assert_failure 1
		assert_output --partial ': the canary left: '
	done
}

# The sandbox would hide what these look for.

@test "100000 requests by openat2, while all that they name is exchanged: the canary stays" {
	race -- "$HTTPD" --sandbox=off
	assert_nothing_left
}

@test "100000 requests by the walk, while all that they name is exchanged: the canary stays" {
	race -w -- "$HTTPD" --sandbox=off
	assert_nothing_left
}

@test "a program that opens without asking the kernel to stay beneath is found out" {
	plant 's/RESOLVE_BENEATH | //; s/ | O_NOFOLLOW//'
	assert_found

	# What it would give away is out of its reach.
	for way in '' -w; do
		# shellcheck disable=SC2086 # A word or none.
		race -l -n 20000 $way -- "$planted" --sandbox=require
		assert_output --partial 'answers=20000 '
		refute_output --partial 'the canary left'
	done
}

@test "a program that looks first and opens then is found out" {
	plant '/^open_beneath/,/^}/s/int fd = .*/&\
	if (fd >= 0) {\
		close(fd);\
		fd = openat(root, path, flags);\
	}/
	/^open_segment/,/^}/s/return openat(.*/int fd = openat(dir, name, flags | O_NOFOLLOW);\
	if (fd < 0)\
		return fd;\
	close(fd);\
	return openat(dir, name, flags);/'
	assert_found
}

# A file that leaves the tree between its being found and the sandbox's look at
# where it is may not be read.
@test "100000 requests in the sandbox, while all that they name is exchanged: the canary stays" {
	race -l -- "$HTTPD" --sandbox=require
	assert_nothing_left
	race -l -w -- "$HTTPD" --sandbox=require
	assert_nothing_left
}
