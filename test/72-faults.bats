# What happens while something goes wrong: conversations are held again and
# again, each time with one fault at one system call.  test/tools/faults.c has
# the conversations, the faults, and the rules for what each may change.

load lib

setup_file() {
	make -s -C "$BATS_TEST_DIRNAME/.." build/tools/faults
}

# assert_endured SUITE: no trial of the suite fails.
assert_endured() {
	run timeout 1200 "$TOP/build/tools/faults" "$HTTPD" "$BATS_TEST_TMPDIR" "$1"
	printf '%s\n' "$output"
	assert_success
}

@test "a system call that fails costs at most its answer, whatever the error" {
	assert_endured errors
}

@test "what the sandbox lacks is said once; who may still be root serves nothing" {
	assert_endured start
}

@test "a system call that is interrupted, once or in a row, changes nothing" {
	assert_endured interrupted
}

@test "a system call that would have to wait is made again" {
	assert_endured again
}

@test "short reads, writes and sendfiles change no byte" {
	assert_endured short
}

@test "a file that changes under way is sent as it was or as it is, or cut short" {
	assert_endured files
}

@test "a directory that is renamed under way changes no answer begun" {
	assert_endured directories
}

@test "no state of the log changes an answer" {
	assert_endured log
}

@test "a client may reset the connection behind any byte of an answer" {
	assert_endured reset
}

@test "SIGTERM and SIGHUP end it at any point, SIGPIPE does nothing" {
	assert_endured signals
}

@test "a clock that steps back or forward an hour breaks no answer" {
	assert_endured clocks
}
