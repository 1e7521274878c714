# What the suites share: where things are, and how to ask the program.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the variables are for the suites

bats_load_library bats-support
bats_load_library bats-assert

TOP=$(cd "$BATS_TEST_DIRNAME/.." && pwd)
BUILD=${BUILD:-$TOP/build}
HTTPD=$(realpath -m -- "${HTTPD:-$BUILD/httpd}")
FILES=$TOP/files

# The suites run as root.  What sanitizers do at run time, the sandbox forbids.
export HTTPD_OPTIONS=--allow-root
[[ $HTTPD != */asan/* ]] || HTTPD_OPTIONS+=' --sandbox=off'
export UPPER_OPTIONS=$HTTPD_OPTIONS

# ask BYTES [OPTION]... [DIRECTORY]: sends BYTES (printf's escapes are
# expanded) through a pipe and keeps what comes back:
#	$answer		the file with all bytes that the program sent
#	$code		the first status code; empty if there was no answer
#	$head		the first head, without carriage returns
#	$log		the lines on standard error
#	$token		the verdict in the last of them
#	$exit		the exit status
ask() {
	local bytes=$1
	shift
	answer=$BATS_TEST_TMPDIR/answer
	exit=0
	printf '%b' "$bytes" |
		"$HTTPD" "$@" >"$answer" 2>"$BATS_TEST_TMPDIR/log" || exit=$?
	read_answer
}

read_answer() {
	head=$(sed -n '/^\r$/q; s/\r$//; p' "$answer" | tr -d '\0')
	code=$(printf '%s\n' "$head" | sed -n '1s,^HTTP/1\.1 \([0-9]*\) .*,\1,p')
	log=$(cat "$BATS_TEST_TMPDIR/log")
	token=$(printf '%s\n' "$log" | sed -n '$s/.*"\([^"]*\)"$/\1/p')
}

# get TARGET [OPTION]... [DIRECTORY]: one well-formed GET of HTTP/1.1.
get() {
	local target=$1
	shift
	ask "GET $target HTTP/1.1\r\nHost: test\r\n\r\n" "$@"
}

# field NAME: the value of a field in $head; fails if it is not there once.
field() {
	local values
	values=$(printf '%s\n' "$head" | sed -n "s/^$1: //Ip")
	if [ -z "$values" ] || [ "$(printf '%s\n' "$values" | wc -l)" -ne 1 ]; then
		printf 'wanted: one %s field\ngot:\n%s\n' "$1" "$head" >&2
		return 1
	fi
	printf '%s\n' "$values"
}

# content: the bytes behind the first head, to standard output.
content() {
	sed '1,/^\r$/d' "$answer"
}

# assert_status CODE TOKEN: status code and verdict of the last answer.
assert_status() {
	if [ "$code" != "$1" ] || [ "$token" != "$2" ] || [ "$exit" -ne 0 ]; then
		printf 'wanted: %s %s, exit 0\ngot: %s %s, exit %s\nhead:\n%s\nlog:\n%s\n' \
			"$1" "$2" "$code" "$token" "$exit" "$head" "$log" >&2
		return 1
	fi
}

# let_others_in: any user may reach what lies in $BATS_TEST_TMPDIR.  (The tree of
# the sources may lie where only root gets to.)
let_others_in() {
	chmod 755 "$BATS_TEST_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_RUN_TMPDIR"
}

# as_nobody COMMAND...: runs a command without root's rights over files.
as_nobody() {
	setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
}
