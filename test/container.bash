# A container with systemd as its PID 1, its directory in $C, and programs in it.
# shellcheck shell=bash

# boot [OPTION]...: starts the container $C, which ends when this shell does.
boot() {
	local base=${CONTAINER_BASE:-/}

	coproc CONTAINER {
		"$TOP/test/systemd/container" boot "$C" --base "$base" "$@" \
			2>"$C.log" 3>&-
	}
	read -r -u "${CONTAINER[0]}" _ || {
		echo "the container did not boot:"
		cat "$C.log"
		return 1
	} >&2
}

halt() {
	local pid=${CONTAINER_PID:-}

	[ -n "$pid" ] || return 0
	eval "exec ${CONTAINER[1]}>&-"
	wait "$pid" || :
}

# inside COMMAND...: as root in the container.
inside() {
	"$TOP/test/systemd/container" run "$C" "$@"
}

# client COMMAND...: a program of this system in the container's network.
client() {
	"$TOP/test/systemd/container" net "$C" "$@"
}

# The property $2 of the unit $1.
property() {
	inside systemctl show --value -p "$2" "$1"
}

# Fails where there is an instance that failed, or one that does not end.
assert_no_instance() {
	local left

	# Systemd learns that a process has ended a moment after its client.
	for ((i = 0; i < 200; i++)); do
		left=$(inside systemctl list-units --all --plain --no-legend \
			'httpd@*.service')
		[ -n "$left" ] || return 0
	done
	printf 'wanted: no instance of httpd@.service\ngot:\n%s\n' "$left" >&2
	return 1
}
