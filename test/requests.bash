# Tables of requests, asked one behind the other on one connection.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are for the suites

# What is asked is in the tree $tree; the program gets the options of the array.
options=()
requests='' row_names=() row_wanted=()

# request METHOD TARGET [FIELD-LINE]...: one more request in $requests.
request() {
	local line
	requests+="$1 $2 HTTP/1.1\r\nHost: test\r\n"
	shift 2
	for line; do
		requests+="$line\r\n"
	done
	requests+='\r\n'
}

# ask_one METHOD TARGET [FIELD-LINE]...: one request; sets $answer, $head etc.
ask_one() {
	local requests=''
	request "$@"
	ask "$requests" "${options[@]}" "$tree"
}

# row NAME WANTED METHOD TARGET [FIELD-LINE]...: one more row of the table.
row() {
	row_names+=("$1")
	row_wanted+=("$2")
	shift 2
	request "$@"
}

# check_rows COMMAND...: asks all rows on one connection.  The command reads
# the answers and writes a line for each; every row must have its wanted one.
check_rows() {
	local got i failed=0
	ask "$requests" --persist=always "${options[@]}" "$tree"
	mapfile -t got < <("$@" <"$answer" 2>&1)
	for i in "${!row_names[@]}"; do
		[ "${got[i]-}" != "${row_wanted[i]}" ] || continue
		printf '%s\n  wanted: %s\n  got:    %s\n' "${row_names[i]}" \
			"${row_wanted[i]}" "${got[i]-nothing}"
		failed=$((failed + 1))
	done
	if [ "${#got[@]}" -gt "${#row_names[@]}" ]; then
		printf 'behind the last answer: %s\n' "${got[@]:${#row_names[@]}}"
		failed=$((failed + 1))
	fi
	printf '%s rows, %s failed\n' "${#row_names[@]}" "$failed"
	requests='' row_names=() row_wanted=()
	[ "${#got[@]}" -gt 0 ] && [ "$failed" -eq 0 ]
}

# field_lines NAME VALUES: sets the array $lines to the lines of a field whose
# values are apart by " + "; "-" stands for no line, "(empty)" for no value.
field_lines() {
	local rest="$2 + " value
	lines=()
	[ "$2" != - ] || return 0
	while [ -n "$rest" ]; do
		value=${rest%%" + "*}
		rest=${rest#*" + "}
		[ "$value" != '(empty)' ] || value=''
		lines+=("$1: $value")
	done
}

# statuses: a command for check_rows, for rows that want a status code alone.
statuses() {
	"$TOP/test/tools/answers.py"
}

# has_no FIELD...: none of these fields is in $head.
has_no() {
	local name
	for name; do
		if printf '%s\n' "$head" | grep -i "^$name:"; then
			printf 'wanted: no %s field, got it in\n%s\n' "$name" "$head" >&2
			return 1
		fi
	done
}

# field_names: the names of the fields in $head, sorted, on one line.
field_names() {
	printf '%s\n' "$head" | sed '1d; s/:.*//' | sort | tr '\n' ' '
}
