# The unit tests of test/unit/, each built twice by `make units`: sanitized
# with glibc, and as the program is shipped.  The two C libraries differ in
# what the code leans on (getopt_long), and only one of them can be sanitized.

setup_file() {
	load lib
	make --no-print-directory -C "$TOP" units >"$BATS_FILE_TMPDIR/make.log" 2>&1 || {
		cat "$BATS_FILE_TMPDIR/make.log"
		return 1
	}
}

setup() {
	load lib
}

# unit NAME [BUILD]...: runs test/unit/NAME.c of these builds, by default the
# sanitized one and that of the program as it is shipped; it prints each row
# that failed, with what was wanted and what was got, and how much it checked.
unit() {
	local name=$1 kind
	shift
	[ $# -gt 0 ] || set -- asan .
	for kind; do
		run timeout 600 "$BUILD/$kind/unit/$name"
		assert_success
		assert_output --regexp '^ok - [1-9][0-9]* rows, [1-9][0-9]* checks, 0 failed$'
	done
}

@test "options: the command line and HTTPD_OPTIONS mean what they say, and a wrong word is named" {
	unit options
}

@test "read: heads are found whole, in pieces and in a row, and the limits are exact" {
	unit read
}

@test "parse: each head of the table means one thing, next to an unmapped page too" {
	unit parse
}

@test "ip-literal: an address in brackets is read whole, or refused" {
	unit ip-literal
}

@test "content: a body ends at one place however it arrives, and what is behind it is left" {
	unit content
}

@test "target: paths become canonical, and no dot, slash or NUL is smuggled in" {
	unit target
}

@test "rules: lines of _redirects are read or refused by name, and match whole paths" {
	unit rules
}

@test "codings: every combination of weights is answered with the coding it asks for" {
	unit codings
}

@test "types: the table is sorted, and each of its rows is found" {
	unit types
}

@test "conditions: validators of files, and every combination of preconditions" {
	unit conditions
}

@test "ranges: what is sent lies in the file, is sent once, and is what was asked for" {
	unit ranges
}

@test "decide: status, fields and persistence of each answer" {
	unit decide
}

@test "respond: the bytes of each kind of answer, and files of sizes around each bound" {
	unit respond
}

@test "log: lines are whole, bounded, and cannot be forged" {
	unit log
}

@test "date: each day from 1970 to 2400 is what the C library says it is, and is read back" {
	unit date
}

@test "text: what does not fit is left out, and never written beyond the buffer" {
	unit text
}

@test "sandbox: what code that has taken over would try fails, by more than one layer where it can" {
	# What sanitizers do at run time, the sandbox forbids.
	unit sandbox .
	if "$TOP/test/tools/runs-i386" "$BUILD/i386/httpd"; then
		unit sandbox i386
	fi
}

@test "every unit test is run by this suite" {
	local source
	for source in "$TOP"/test/unit/*.c; do
		run grep -cxE "$(printf '\t')unit $(basename "$source" .c)( .*)?" "$BATS_TEST_FILENAME"
		assert_output 1
	done
}
