# What the suites share: where things are, and how to ask the program.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the variables are for the suites

# Each test loads them, and they ask for the directory of a dozen files each
# time: a function is cheaper than a program.
# shellcheck disable=SC2317  # they call it
dirname() {
	printf '%s\n' "${1%/*}"
}
bats_load_library bats-support
bats_load_library bats-assert
unset -f dirname

TOP=${BATS_TEST_DIRNAME%/*}
BUILD=${BUILD:-$TOP/build}
HTTPD=${HTTPD:-$BUILD/httpd}
[[ $HTTPD = /* ]] || HTTPD=$PWD/$HTTPD
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

# Without a process: they cost more than the program's, and are asked for in
# thousands.
read_answer() {
	local line
	head=''
	while IFS= read -r line || [ -n "$line" ]; do
		[ "$line" != $'\r' ] || break
		head+=${line%$'\r'}$'\n'
	done <"$answer"
	head=${head%$'\n'}
	code=''
	[[ ! ${head%%$'\n'*} =~ ^HTTP/1\.1\ ([0-9]*)\  ]] || code=${BASH_REMATCH[1]}
	log=''
	while IFS= read -r line || [ -n "$line" ]; do
		log+=$line$'\n'
	done <"$BATS_TEST_TMPDIR/log"
	log=${log%$'\n'}
	token=''
	[[ ! ${log##*$'\n'} =~ \"([^\"]*)\"$ ]] || token=${BASH_REMATCH[1]}
}

# get TARGET [OPTION]... [DIRECTORY]: one well-formed GET of HTTP/1.1.
get() {
	local target=$1
	shift
	ask "GET $target HTTP/1.1\r\nHost: test\r\n\r\n" "$@"
}

# field NAME: the value of a field in $head; fails if it is not there once.
field() {
	local line value='' lines=0
	while IFS= read -r line; do
		[[ ${line,,} = "${1,,}: "* ]] || continue
		value=${line#*: }
		lines=$((lines + 1))
	done <<<"$head"
	if [ "$lines" -ne 1 ] || [ -z "$value" ]; then
		printf 'wanted: one %s field\ngot:\n%s\n' "$1" "$head" >&2
		return 1
	fi
	printf '%s\n' "$value"
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

# settle PATH...: waits until no file beneath changed less than a second ago, or
# two where its time has no fraction: until then its entity tag is weak.
settle() {
	local changed until=0 now
	while read -r changed; do
		changed=${changed//./}
		changed=${changed:0:16} # in microseconds
		((changed += changed % 1000000 == 0 ? 2000000 : 1000000))
		((until >= changed)) || until=$changed
	done < <(find "$@" -printf '%C@\n')
	while now=${EPOCHREALTIME//./} && ((now <= until)); do
		sleep "$(printf '0.%06d' $(((until - now) % 1000000 + 1)))"
	done
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
