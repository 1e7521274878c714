# Real spawners, started and stopped alike, and conversations over sockets.
# shellcheck shell=bash
# shellcheck disable=SC2034  # the variables are for the suites

export HTTPD FILES

# The packages that would start services, or do not let each other be, if
# they were installed; unpacked under build/ once, for all suites.
UNPACKED=$BUILD/unpacked
unpack_spawners() {
	"$TOP/packaging/install-deps" --unpack "$UNPACKED" xinetd openbsd-inetd ipsvd
}

# talk [ARG]...: runs the Python of standard input, with all that
# tools/conversation.py offers.  Of a spawner that runs, it knows the address.
talk() {
	local script=$BATS_TEST_TMPDIR/talk.py
	{
		printf 'from conversation import *\n'
		cat
	} >"$script"
	PYTHONPATH=$TOP/test/tools PYTHONDONTWRITEBYTECODE=1 \
		timeout 600 python3 "$script" "$@" 3>&-
}

# wait_for_line FILE PATTERN: until a line of FILE, which may be yet to come,
# matches the basic regular expression.
wait_for_line() {
	local follower found=0
	exec {follower}< <(exec timeout 300 tail -n +1 -F -- "$1" 2>/dev/null 3>&-)
	grep -qm1 -e "$2" <&"$follower" || found=$?
	kill $! 2>/dev/null || :
	exec {follower}<&-
	if [ "$found" -ne 0 ]; then
		printf 'wanted: a line in %s that matches %s\ngot:\n' "$1" "$2" >&2
		cat -- "$1" >&2
		return 1
	fi
}

# listening_port PID: the port of the TCP socket on which a process listens.
listening_port() {
	ss -Hltnp | sed -n "/pid=$1,/{s/^LISTEN *[0-9]* *[0-9]* *[^ ]*:\([0-9]*\) .*/\1/p;q}"
}

# Whether a spawner is ready: it listens.  Sets $port.  The kernel tells nobody
# that a socket begins to listen, so this is asked until it is so.
wait_until_listening() {
	local tries
	for ((tries = 0; tries < 1000; tries++)); do
		if [ -n "$unix_path" ]; then
			[ ! -S "$unix_path" ] || return 0
		else
			port=$(listening_port "$spawner")
			[ -z "$port" ] || return 0
		fi
		kill -0 "$spawner" 2>/dev/null || return 1
		! grep -qs 'Address already in use' "$spawn_dir/stderr" || return 1
		sleep 0.01
	done
	return 1
}

# spawn SPAWNER [-6 | -u] PROGRAM [ARG]...: starts a spawner that runs PROGRAM
# for each connection, on a free port of 127.0.0.1, with -6 of ::1, with -u on
# a Unix socket; returns as soon as it listens.  Sets and exports
#	$HOST $PORT	where; the host is in brackets if it has to be
#	$UNIX_PATH	where, with -u
#	$url		the same as the start of a URL
#	$spawn_log	the file with what the program logs: of xinetd and
#			inetd, what arrives at /dev/log, else standard error
#
# Spawners: tcpserver, tcpsvd (of ipsvd), xinetd, inetd, ncat (which relays,
# by pipes), socat, socat-relay (which relays, by a Unix socket), and
# systemd-socket-activate: activate-fds and activate-inetd, by how they pass
# the connection.  Words with blanks in them are more than most can pass.
spawn() {
	local name=$1 tries port='' unix_path=''
	spawner=
	shift
	HOST=127.0.0.1
	case $1 in
	-6)	HOST='[::1]'; shift ;;
	-u)	unix_path=$BATS_TEST_TMPDIR/unix-socket; shift ;;
	esac

	# A spawner that cannot choose a free port itself gets one from below
	# those that the kernel gives out, and another where it is taken.
	for ((tries = 0; tries < 20; tries++)); do
		port=$((10000 + RANDOM % 20000))
		spawn_dir=$(mktemp -d "${BATS_TEST_TMPDIR:-$BATS_FILE_TMPDIR}/spawn.XXXXXX")
		spawn_log=$spawn_dir/stderr
		: >"$spawn_log"
		"start_${name//-/_}" "$@"
		if wait_until_listening; then
			export HOST PORT=$port
			url=http://$HOST:$PORT
			if [ -n "$unix_path" ]; then
				export UNIX_PATH=$unix_path
				url=http://localhost
			fi
			return 0
		fi
		unspawn
	done
	printf 'the spawner %s does not listen; it said:\n' "$name" >&2
	cat "$spawn_dir/stderr" >&2
	return 1
}

# unspawn: ends the spawner, those it has spawned, and the log's listener.
unspawn() {
	if [ -n "${spawner:-}" ]; then
		end_with_children "$spawner"
		wait "$spawner" 2>/dev/null || :
	fi
	if [ -n "${log_listener:-}" ]; then
		kill "$log_listener" 2>/dev/null || :
	fi
	spawner='' log_listener=''
}

end_with_children() {
	local child children
	kill -STOP "$1" 2>/dev/null || return 0
	read -r children <"/proc/$1/task/$1/children" || :
	kill -KILL "$1" 2>/dev/null || :
	for child in ${children:-}; do
		end_with_children "$child"
	done
}

# in_background COMMAND [ARG]...: sets $spawner.
in_background() {
	"$@" >"$spawn_dir/stdout" 2>"$spawn_dir/stderr" </dev/null 3>&- &
	spawner=$!
}

start_tcpserver() {
	in_background tcpserver -RHl0 -c100 "$HOST" 0 "$@"
}

start_tcpsvd() {
	in_background "$UNPACKED/run" tcpsvd -c 100 "$HOST" 0 "$@"
}

start_socat() {
	local listen=TCP4-LISTEN:0,bind=$HOST
	[ "$HOST" = 127.0.0.1 ] || listen=TCP6-LISTEN:0,bind=$HOST
	[ -z "$unix_path" ] || listen=UNIX-LISTEN:$unix_path
	in_background socat "$listen,fork" "EXEC:$*${socat_how-,nofork}"
}

start_socat_relay() {
	local socat_how=
	start_socat "$@"
}

start_ncat() {
	in_background ncat -l -k --exec "$*" "$(without_brackets)" 0
}

start_activate_fds() {
	in_background systemd-socket-activate -a -l "${unix_path:-$HOST:$port}" \
		-E HTTPD_OPTIONS -E UPPER_OPTIONS "$@"
}

start_activate_inetd() {
	in_background systemd-socket-activate --inetd -a \
		-l "${unix_path:-$HOST:$port}" -E HTTPD_OPTIONS -E UPPER_OPTIONS "$@"
}

start_xinetd() {
	local program=$1 flags=
	shift
	[ "$HOST" = 127.0.0.1 ] || flags='flags = IPv6'
	cat >"$spawn_dir/xinetd.conf" <<-EOC
		defaults
		{
			cps = 1000 1
			per_source = UNLIMITED
		}
		service http
		{
			type = UNLISTED
			socket_type = stream
			protocol = tcp
			bind = $(without_brackets)
			port = 0
			$flags
			wait = no
			user = $(id -un)
			server = $program
			${*:+server_args = $*}
		}
	EOC
	with_own_log "$UNPACKED/run" xinetd -dontfork -f "$spawn_dir/xinetd.conf" \
		-pidfile "$spawn_dir/pid" -filelog "$spawn_dir/xinetd.log"
}

start_inetd() {
	local protocol=tcp program=$1
	shift
	[ "$HOST" = 127.0.0.1 ] || protocol=tcp6
	printf '%s stream %s nowait.1000 %s %s %s %s\n' "$HOST:$port" "$protocol" \
		"$(id -un)" "$program" "${program##*/}" "$*" >"$spawn_dir/inetd.conf"
	with_own_log "$UNPACKED/run" inetd -d "$spawn_dir/inetd.conf"
}

without_brackets() {
	local host=${HOST#[}
	printf '%s\n' "${host%]}"
}

# with_own_log COMMAND [ARG]...: where /dev/log is a socket of this test's own,
# whose messages arrive in $spawn_log.
with_own_log() {
	make_own_dev "$spawn_dir"
	spawn_log=$spawn_dir/log
	in_background "${in_own_dev[@]}" "$@"
}

# make_own_dev DIR: makes a /dev with the few devices that any program expects,
# and a log: what is sent there arrives in DIR/log.  "${in_own_dev[@]}" is the
# start of a command line that runs a program in it.
make_own_dev() {
	local dev=$1/dev device
	mkdir "$dev"
	ln -s /proc/self/fd "$dev/fd"
	for device in null zero full random urandom; do
		: >"$dev/$device"
		printf 'mount --bind /dev/%s %s\n' "$device" "$dev/$device"
	done >"$1/enter-own-dev"
	printf 'mount --rbind %s /dev\n' "$dev" >>"$1/enter-own-dev"
	# Who is not root may mount as root of a user namespace, and goes on as
	# himself in another one within.
	local exec='exec'
	in_own_dev=(unshare --mount)
	if [ "$(id -u)" -ne 0 ]; then
		in_own_dev+=(--map-root-user)
		exec="exec unshare --map-user=$(id -u) --map-group=$(id -g)"
	fi
	printf '%s "$@"\n' "$exec" >>"$1/enter-own-dev"
	in_own_dev+=(sh -eu "$1/enter-own-dev")
	log_listener=$(python3 "$TOP/test/tools/log-listener.py" "$dev/log" \
		"$1/log" 3>&-)
}
