# What the process gives up before it reads the first byte, and what an
# operator gets who has asked for more, or less, of that.  What is left inside
# is held by test/unit/sandbox.c.

load lib
load spawn

setup() {
	REQUEST='GET /result.html HTTP/1.1\r\nHost: test\r\n\r\n'
	# The options are given by each test.
	HTTPD_OPTIONS=
	let_others_in
	cp -R "$FILES" "$BATS_TEST_TMPDIR/files"
	FILES=$BATS_TEST_TMPDIR/files
	chmod -R a+rX "$FILES"
}

teardown() {
	exec 9>&-
	if [ -n "${held:-}" ]; then
		wait "$held" || :
	fi
}

# hold BYTES [OPTION]...: starts the program with the tree and sends it BYTES;
# it waits for more, as process $held, until descriptor 9 is closed.  Its log
# goes to a pipe, as under a service manager.
hold() {
	local bytes=$1
	shift
	mkfifo "$BATS_TEST_TMPDIR/in"
	"$HTTPD" --timeout=60 --head-timeout=60 "$@" "$FILES" \
		<"$BATS_TEST_TMPDIR/in" > >(cat >"$BATS_TEST_TMPDIR/answer") \
		2> >(cat >"$BATS_TEST_TMPDIR/log") 3>&- &
	held=$!
	exec 9>"$BATS_TEST_TMPDIR/in"
	printf '%b' "$bytes" >&9
}

# Waits until the held process has nothing left to do but wait.
wait_until_it_polls() {
	local tries
	for ((tries = 0; tries < 1000; tries++)); do
		[[ $(cat "/proc/$held/wchan") != *poll* ]] || return 0
		sleep 0.01
	done
	return 1
}

# assert_process FIELD VALUE: a field of the held process's status, its blanks
# made one.
assert_process() {
	local got
	got=$(sed -n "s/^$1:[[:blank:]]*//p" "/proc/$held/status" | tr -s '\t ' ' ')
	assert_equal "$1: ${got% }" "$1: $2"
}

assert_limit() {
	local got
	got=$(sed -n "s/^$1  *//p" "/proc/$held/limits" | tr -s ' ')
	assert_equal "$1: ${got% }" "$1: $2"
}

# deny CALL[:WHEN] ERRNO [OPTION]...: serves with a system call of the sandbox
# refused by the kernel.
deny() {
	local call=$1 errno=$2
	shift 2
	answer=$BATS_TEST_TMPDIR/answer exit=0
	printf '%b' "$REQUEST" |
		strace -qq -o /dev/null -e trace="${call%%:*}" -e inject="${call/:/:error=$errno:}" \
			"$HTTPD" --user=nobody "$@" "$FILES" >"$answer" 2>"$BATS_TEST_TMPDIR/log" ||
		exit=$?
	read_answer
}

@test "root does not serve, unless it is told whom to become or may stay" {
	ask "$REQUEST" "$FILES"
	assert_equal "$exit $code $token" '77 503 misconfigured'
	assert_equal "$(head -1 "$BATS_TEST_TMPDIR/log")" \
		'httpd: root does not serve: say whom to become by --user, or --allow-root'
	ask "$REQUEST" --allow-root "$FILES"
	assert_status 200 ok
	ask "$REQUEST" --user=nobody "$FILES"
	assert_status 200 ok
}

@test "another user than root serves as he is" {
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	cd "$BATS_TEST_TMPDIR"
	for options in '' --user=nobody --user=65534:65534 --allow-root; do
		# shellcheck disable=SC2086  # one word, or none
		printf '%b' "$REQUEST" | as_nobody ./httpd $options files \
			>"$BATS_TEST_TMPDIR/answer" 2>"$BATS_TEST_TMPDIR/log"
		answer=$BATS_TEST_TMPDIR/answer exit=0
		read_answer
		assert_status 200 ok
	done
	as_nobody ./httpd --user=daemon files <<<GET 2>"$BATS_TEST_TMPDIR/log" || exit=$?
	assert_equal "$exit $(cat "$BATS_TEST_TMPDIR/log")" \
		"71 httpd: the process cannot become the user 'daemon': Operation not permitted"
}

@test "the process is the user, without groups and capabilities, and cannot get them back" {
	hold "$REQUEST" --user=nobody
	wait_for_line "$BATS_TEST_TMPDIR/log" '"ok"'
	local id=65534
	assert_process Uid "$id $id $id $id"
	assert_process Gid "$(id -g nobody) $(id -g nobody) $(id -g nobody) $(id -g nobody)"
	assert_process Groups ''
	local set
	for set in CapInh CapPrm CapEff CapAmb; do
		assert_process $set 0000000000000000
	done
	assert_process NoNewPrivs 1
}

# assert_no_capabilities: the held process has none.
assert_no_capabilities() {
	local set
	wait_for_line "$BATS_TEST_TMPDIR/log" '"ok"'
	for set in CapInh CapPrm CapEff CapAmb; do
		assert_process $set 0000000000000000
	done
}

@test "root that may serve does so without capabilities" {
	hold "$REQUEST" --allow-root
	assert_no_capabilities
	assert_process Uid '0 0 0 0'
}

@test "a user with capabilities, ambient ones too, serves without them" {
	chmod a+rx "$BATS_TEST_TMPDIR"
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	cat >"$BATS_TEST_TMPDIR/able" <<-SH
		#!/bin/sh
		exec setpriv --reuid=65534 --regid=65534 --clear-groups \
			--inh-caps=+kill,+dac_override --ambient-caps=+kill,+dac_override "$BATS_TEST_TMPDIR/httpd" "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/able"
	local options
	for options in '' --user=65534:65534; do
		# shellcheck disable=SC2086  # one word, or none
		HTTPD=$BATS_TEST_TMPDIR/able hold "$REQUEST" $options
		assert_no_capabilities
		exec 9>&-
		wait "$held"
		rm "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/log"
	done
	held=
}

@test "who has no capabilities asks once, and drops nothing" {
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	local calls
	calls() {
		printf '%b' "$REQUEST" | "$@" "$FILES" >/dev/null 2>&1
		grep -Eo '^cap[gs]et' "$BATS_TEST_TMPDIR/calls" | xargs
	}
	local trace=(strace -qq -o "$BATS_TEST_TMPDIR/calls" "$BATS_TEST_TMPDIR/httpd")
	touch "$BATS_TEST_TMPDIR/calls"
	chmod a+w "$BATS_TEST_TMPDIR/calls"
	assert_equal "left root: $(calls "${trace[@]}" --user=nobody)" 'left root: capget'
	assert_equal "a user: $(calls as_nobody "${trace[@]}")" 'a user: capget'
	assert_equal "off: $(calls "${trace[@]}" --allow-root --sandbox=off)" 'off: '
}

@test "capabilities that cannot be dropped are said to be left, and none are not missed" {
	deny capset:when=1 EPERM
	assert_status 200 ok
	answer=$BATS_TEST_TMPDIR/answer
	local mode wanted
	while IFS='|' read -r mode wanted; do
		exit=0
		printf '%b' "$REQUEST" |
			strace -qq -o /dev/null -e trace=capset -e inject=capset:error=EPERM \
				"$HTTPD" --allow-root "--sandbox=$mode" "$FILES" \
				>"$answer" 2>"$BATS_TEST_TMPDIR/log" || exit=$?
		read_answer
		assert_equal "$exit:$code:$(head -1 "$BATS_TEST_TMPDIR/log")" "$wanted"
	done <<-ROWS
		auto|0:200:httpd: the sandbox lacks capset: Operation not permitted
		require|71::httpd: the sandbox lacks capset: Operation not permitted; without it nothing is served
	ROWS
	# A filter of a service manager denies the call to a user without any.
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	exit=0
	printf '%b' "$REQUEST" |
		as_nobody strace -qq -o /dev/null -e trace=capset -e inject=capset:error=EPERM \
			"$BATS_TEST_TMPDIR/httpd" --sandbox=require "$FILES" \
			>"$answer" 2>"$BATS_TEST_TMPDIR/log" || exit=$?
	read_answer
	assert_status 200 ok
}

@test "root that may serve opens a directory below a home that is another user's" {
	mkdir -m 700 "$BATS_TEST_TMPDIR/home"
	mv "$FILES" "$BATS_TEST_TMPDIR/home/files"
	chown -R 65534:65534 "$BATS_TEST_TMPDIR/home"
	ask "$REQUEST" --allow-root "$BATS_TEST_TMPDIR/home/files"
	assert_status 200 ok
	# What only its owner may read is not root's either.
	chmod 600 "$BATS_TEST_TMPDIR/home/files/result.html"
	ask "$REQUEST" --allow-root "$BATS_TEST_TMPDIR/home/files"
	assert_equal "$code $token" '403 forbidden'
	ask "$REQUEST" --allow-root --sandbox=off "$BATS_TEST_TMPDIR/home/files"
	assert_status 200 ok
}

@test "a connection with a bounded life has a bound on its use of a processor" {
	local life wanted
	while read -r life wanted; do
		hold "$REQUEST" --user=nobody --max-life="$life"
		wait_for_line "$BATS_TEST_TMPDIR/log" '"ok"'
		assert_limit 'Max cpu time' "$wanted seconds"
		exec 9>&-
		wait "$held"
		rm "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/log"
	done <<-ROWS
		0 unlimited unlimited
		30 31 31
		86400 86401 86401
		4.001 6 6
	ROWS
	held=
}

@test "the process is locked in by seccomp and limits, and nobody can look into it" {
	hold "$REQUEST" --user=65534:65534
	wait_for_line "$BATS_TEST_TMPDIR/log" '"ok"'
	assert_process Seccomp 2
	assert_process Seccomp_filters 1
	assert_limit 'Max processes' '0 0 processes'
	assert_limit 'Max core file size' '0 0 bytes'
	assert_limit 'Max file size' '0 0 bytes'
	assert_limit 'Max address space' '16777216 16777216 bytes'
	assert_limit 'Max open files' '128 128 files'
	# Who may not be traced belongs to root.
	assert_equal "$(stat -c %u "/proc/$held/fd")" 0
}

@test "a limit that the spawner has set lower stays" {
	local before descriptors memory user
	while IFS='|' read -r before descriptors memory; do
		printf '#!/bin/sh\nexec prlimit %s "%s" "$@"\n' "$before" "$HTTPD" \
			>"$BATS_TEST_TMPDIR/limited"
		chmod +x "$BATS_TEST_TMPDIR/limited"
		for user in --allow-root --user=nobody; do
			printf '%s, %s\n' "$before" "$user"
			HTTPD=$BATS_TEST_TMPDIR/limited hold "$REQUEST" "$user"
			wait_for_line "$BATS_TEST_TMPDIR/log" '"ok"'
			assert_limit 'Max open files' "$descriptors files"
			assert_limit 'Max address space' "$memory bytes"
			exec 9>&-
			wait "$held"
			rm "$BATS_TEST_TMPDIR/in" "$BATS_TEST_TMPDIR/log"
		done
	done <<-ROWS
		--nofile=40:200 --as=9000000:20000000|40 128|9000000 16777216
		--nofile=40:100 --as=9000000:10000000|40 100|9000000 10000000
		--nofile=60:60 --as=10000000:10000000|60 60|10000000 10000000
		--nofile=128:129 --as=16777216:unlimited|128 128|16777216 16777216
		--nofile=200:300 --as=unlimited:unlimited|128 128|16777216 16777216
	ROWS
	held=
}

@test "--sandbox=off leaves all that as it was" {
	hold "$REQUEST" --allow-root --sandbox=off
	wait_for_line "$BATS_TEST_TMPDIR/log" '"ok"'
	assert_process NoNewPrivs 0
	assert_process Seccomp 0
	assert_process CapPrm "$(sed -n 's/^CapPrm:[[:blank:]]*//p' /proc/self/status)"
	assert_limit 'Max processes' "$(ulimit -Su) $(ulimit -Hu) processes"
}

@test "the first byte is read by a process that is locked in" {
	run strace -qq -o /dev/stdout "$HTTPD" --user=nobody "$FILES" <<<'GET'
	local locked read
	locked=$(grep -n '^seccomp(.*= 0$' <<<"$output" | cut -d: -f1)
	read=$(grep -nE '^(read|recvfrom)\(0,' <<<"$output" | head -1 | cut -d: -f1)
	printf 'locked in line %s, first read in line %s of:\n%s\n' "$locked" "$read" "$output"
	[ "$locked" -lt "$read" ]
}

@test "an operator's mistake is answered by a process that is locked in, and not root" {
	hold 'GET /' --colour
	wait_until_it_polls
	assert_process Uid '65534 65534 65534 65534'
	assert_process Seccomp 2
}

@test "a user who is not there, or is root, is one sentence, 67, and a 503" {
	local user problem
	while IFS='|' read -r user problem; do
		ask "$REQUEST" --user="$user" "$FILES"
		assert_equal "$exit $code $token" '67 503 misconfigured'
		assert_equal "$(head -1 "$BATS_TEST_TMPDIR/log")" "httpd: the user '$user' $problem"
	done <<-ROWS
		no-such-user|is not in /etc/passwd
		root|is root
		0:0|is root
		0:65534|is root
		65534:0|has root's group, whose number is 0
		1:|is not in /etc/passwd
		:1|is not in /etc/passwd
		1:2:3|is not in /etc/passwd
		1|is not in /etc/passwd
		-1:-1|is not in /etc/passwd
		4294967295:1|is not in /etc/passwd
		1:4294967295|is not in /etc/passwd
		4294967296:1|is not in /etc/passwd
		99999999999999999999:1|is not in /etc/passwd
		nobod|is not in /etc/passwd
		nobodyx|is not in /etc/passwd
		nobody:x|is not in /etc/passwd
	ROWS
}

@test "a user in /etc/passwd whose group is root's is refused" {
	printf 'root:x:0:0::/:/bin/sh\nsync:x:4:0::/:/bin/sync\n' >"$BATS_TEST_TMPDIR/passwd"
	answer=$BATS_TEST_TMPDIR/answer exit=0
	# shellcheck disable=SC2016  # it is for the inner shell to expand
	printf '%b' "$REQUEST" |
		unshare --mount --propagation private sh -c '
			mount --bind "$1" /etc/passwd && shift && exec "$@"' - \
			"$BATS_TEST_TMPDIR/passwd" "$HTTPD" --user=sync "$FILES" \
			>"$answer" 2>"$BATS_TEST_TMPDIR/log" || exit=$?
	read_answer
	assert_equal "$exit $code $(head -1 "$BATS_TEST_TMPDIR/log")" \
		"67 503 httpd: the user 'sync' has root's group, whose number is 0"
}

@test "a line of /etc/passwd names one user, wherever it stands, and a bad one nobody" {
	local passwd=$BATS_TEST_TMPDIR/passwd
	{
		printf 'root:x:0:0::/:/bin/sh\n\n# comment\n+::::::\n'
		printf 'first:x:101:201::/:/bin/sh\n'
		printf '%8200s:x:102:202::/:/bin/sh\n' long
		printf 'behind:x:103:203::/:/bin/sh\n'
		printf 'hidden%8200s\nhidden:x:104:204::/:/bin/sh\n' :x:999:999
		printf 'short:x:105\nnot:x:a:b\nlarge:x:4294967296:1::\nempty:x:::\n'
		printf 'twice:x:106:206::\ntwice:x:107:207::\n'
		printf 'bare:x:108:208'
	} >"$passwd"
	local name wanted
	while read -r name wanted; do
		# shellcheck disable=SC2016  # it is for the inner shell to expand
		printf '%b' "$REQUEST" |
			unshare --mount --propagation private sh -c '
				mount --bind "$1" /etc/passwd && shift && exec "$@"' - "$passwd" \
				strace -qq -o "$BATS_TEST_TMPDIR/calls" "$HTTPD" --user="$name" "$FILES" \
				>"$BATS_TEST_TMPDIR/answer" 2>"$BATS_TEST_TMPDIR/log" || :
		assert_equal "$name $(sed -n 's/^setresuid(\([1-9][0-9]*\),.*/\1/p' "$BATS_TEST_TMPDIR/calls") $(
			sed -n 's/^setresgid(\([0-9]*\),.*/\1/p' "$BATS_TEST_TMPDIR/calls")" "$name $wanted"
	done <<-ROWS
		first 101 201
		behind 103 203
		hidden 104 204
		twice 106 206
		bare 108 208
		short 65534 65534
		not 65534 65534
		large 65534 65534
		empty 65534 65534
		+ 65534 65534
	ROWS
}

@test "a passwd that cannot be read is said to be so" {
	local call
	for call in openat read; do
		deny $call:when=1 EIO
		assert_equal "$exit $code $(head -1 "$BATS_TEST_TMPDIR/log")" \
			"67 503 httpd: the user 'nobody' cannot be looked up in /etc/passwd"
	done
}

@test "a drop of rights that fails, or does not last, never serves" {
	local call
	for call in setgroups setresgid setresuid getresuid getresgid getgroups; do
		answer=$BATS_TEST_TMPDIR/answer exit=0
		printf '%b' "$REQUEST" |
			strace -qq -o /dev/null -e trace=$call -e inject=$call:error=EPERM \
				"$HTTPD" --user=nobody "$FILES" >"$answer" 2>"$BATS_TEST_TMPDIR/log" ||
			exit=$?
		assert_equal "$call: $exit $(cat "$answer" "$BATS_TEST_TMPDIR/log")" \
			"$call: 71 httpd: the process cannot become the user 'nobody': Operation not permitted"
	done
	# Rights that outlive the change of user.
	exit=0
	printf '%b' "$REQUEST" |
		setpriv --securebits=+no_setuid_fixup "$HTTPD" --user=nobody "$FILES" \
			>"$answer" 2>"$BATS_TEST_TMPDIR/log" || exit=$?
	assert_equal "$exit $(head -1 "$BATS_TEST_TMPDIR/log")" \
		"71 httpd: the process cannot become the user 'nobody': Operation not permitted"
	assert_equal "$(cat "$answer")" ''
}

@test "the directory is opened by the user, not by root" {
	mkdir -m 700 "$BATS_TEST_TMPDIR/closed"
	ask "$REQUEST" --user=nobody "$BATS_TEST_TMPDIR/closed"
	assert_equal "$exit $code $token" '66 503 misconfigured'
}

@test "a layer that the kernel lacks is said once, and does without by default" {
	local call errno sentence
	while IFS='|' read -r call errno sentence; do
		deny "$call" "$errno"
		assert_status 200 ok
		assert_equal "$(sed '$d' "$BATS_TEST_TMPDIR/log")" "httpd: the sandbox lacks $sentence"
		deny "$call" "$errno" --sandbox=auto
		assert_status 200 ok
	done <<-ROWS
		landlock_create_ruleset:when=1+|ENOSYS|landlock: Function not implemented
		landlock_create_ruleset:when=1+|EPERM|landlock: Operation not permitted
		landlock_create_ruleset:when=2|EOPNOTSUPP|landlock: Not supported
		landlock_add_rule:when=1|EINVAL|landlock: Invalid argument
		landlock_restrict_self:when=1|E2BIG|landlock: Argument list too long
		seccomp:when=1|ENOSYS|seccomp: Function not implemented
		prctl:when=2|EINVAL|no_new_privs: Invalid argument
		prlimit64:when=1|ENOSYS|resource limits: Function not implemented
	ROWS
}

@test "--sandbox=require serves with all of it, and without reads nothing" {
	ask "$REQUEST" --user=nobody --sandbox=require "$FILES"
	assert_status 200 ok
	local call layer
	while read -r call layer; do
		deny "$call:when=1" ENOSYS --sandbox=require
		assert_equal "$exit $log" \
			"71 httpd: the sandbox lacks $layer: Function not implemented; without it nothing is served"
		assert_equal "$(wc -c <"$answer")" 0
	done <<-ROWS
		landlock_create_ruleset landlock
		seccomp seccomp
		prlimit64 resource limits
	ROWS
}

@test "an older landlock is used as far as it goes" {
	# What the kernel knows is asked for first; the numbers are those of Linux
	# 5.13, 5.19, 6.2, 6.7, 6.10, 6.12.
	local version size
	while read -r version size; do
		run strace -qq -o /dev/stdout -e trace=landlock_create_ruleset,landlock_restrict_self \
			-e inject=landlock_create_ruleset:retval="$version":when=1 \
			"$HTTPD" --user=nobody --sandbox=require "$FILES" </dev/null
		assert_success
		assert_output --regexp "^landlock_create_ruleset\(NULL, 0, .*VERSION\) += $version .*
landlock_create_ruleset\(.*, $size, 0\) += [0-9]+
landlock_restrict_self\([0-9]+, 0\) += 0\$"
	done <<-ROWS
		1 8
		2 8
		3 8
		4 16
		5 16
		6 24
	ROWS
}

@test "a kernel that does not know the filter's flag takes the filter" {
	deny seccomp:when=1 EINVAL --sandbox=require
	assert_status 200 ok
	deny seccomp:when=1+ EINVAL --sandbox=require
	assert_equal "$exit $log" \
		"71 httpd: the sandbox lacks seccomp: Invalid argument; without it nothing is served"
}

# assert_closes_inherited [COMMAND]...: of what a spawner has left open nothing is
# left, where the words of COMMAND start the program.
assert_closes_inherited() {
	{
		printf '#!/bin/bash\nexec 8</etc/shadow 700</etc/shadow\nulimit -n 20\nexec '
		printf '%q ' "$@" "$HTTPD"
		printf '"$@"\n'
	} >"$BATS_TEST_TMPDIR/spawner"
	chmod +x "$BATS_TEST_TMPDIR/spawner"
	HTTPD=$BATS_TEST_TMPDIR/spawner hold "$REQUEST" --allow-root
	wait_for_line "$BATS_TEST_TMPDIR/log" '"ok"'
	run find "/proc/$held/fd" -mindepth 1 -printf '%f %l\n'
	printf '%s\n' "$output"
	assert_equal "${#lines[@]}" 4
	assert_line "3 $FILES"
	refute_output --partial shadow
}

@test "what the spawner left open is closed, above the limit on descriptors as well" {
	assert_closes_inherited
}

@test "what the spawner left open is closed where the kernel has no close_range" {
	assert_closes_inherited strace -DDqq -o /dev/null -e trace=close_range \
		-e inject=close_range:error=ENOSYS
}

@test "what the spawner left open is closed where a filter denies close_range" {
	assert_closes_inherited strace -DDqq -o /dev/null -e trace=close_range \
		-e inject=close_range:error=EPERM
}

@test "as many descriptors as may be open leave room for the list of them" {
	# shellcheck disable=SC2016  # it is for the inner shell to expand
	run strace -qq -o /dev/null -e trace=close_range -e inject=close_range:error=ENOSYS \
		bash -c 'for ((i = 3; i < 60; i++)); do eval "exec $i</dev/null"; done
			ulimit -n 60
			exec "$@"' - "$HTTPD" --allow-root "$FILES" <<<GET 2>/dev/null
	assert_success
	assert_line --partial 'HTTP/1.1 400'
}

@test "where nothing says what the spawner left open, nothing is served" {
	local fault problem
	while IFS='|' read -r fault problem; do
		answer=$BATS_TEST_TMPDIR/answer exit=0
		printf '%b' "$REQUEST" |
			strace -qq -o /dev/null -e trace=close_range,openat,getdents64 \
				-e inject=close_range:error=ENOSYS -e inject="$fault:when=1" \
				"$HTTPD" --allow-root --sandbox=off "$FILES" \
				>"$answer" 2>"$BATS_TEST_TMPDIR/log" || exit=$?
		assert_equal "$exit $(cat "$answer" "$BATS_TEST_TMPDIR/log")" \
			"71 httpd: inherited descriptors cannot be closed without /proc/self/fd: $problem"
	done <<-ROWS
		openat:error=ENOENT|No such file or directory
		openat:error=EACCES|Permission denied
		getdents64:error=EIO|I/O error
	ROWS
}

@test "no number of descriptors that a spawner left open takes a layer away" {
	local count
	for count in 1 60 120 121 122 123 124 125 126 127 128 400; do
		answer=$BATS_TEST_TMPDIR/answer exit=0
		printf '%b' "$REQUEST" | python3 -c 'if True:
			import os, sys
			os.closerange(3, 1000)
			null = os.open("/dev/null", os.O_RDONLY)
			for fd in range(4, 4 + int(sys.argv[1])):
			    os.dup2(null, fd)
			os.execv(sys.argv[2], sys.argv[2:])' "$count" \
			"$HTTPD" --user=nobody "$FILES" >"$answer" 2>"$BATS_TEST_TMPDIR/log" ||
			exit=$?
		read_answer
		assert_status 200 ok
		assert_equal "$count: $(wc -l <"$BATS_TEST_TMPDIR/log")" "$count: 1"
	done
}

@test "a layer for which memory or descriptors ran out is required in every mode but off" {
	local call errno layer problem mode
	while IFS='|' read -r call errno layer problem; do
		for mode in '' --sandbox=auto --sandbox=require; do
			deny "$call" "$errno" ${mode:+"$mode"}
			assert_equal "$mode $exit $(cat "$answer" "$BATS_TEST_TMPDIR/log")" \
				"$mode 71 httpd: the sandbox lacks $layer: $problem; without it nothing is served"
		done
	done <<-ROWS
		landlock_create_ruleset:when=2|EMFILE|landlock|No file descriptors available
		landlock_create_ruleset:when=2|ENFILE|landlock|Too many open files in system
		landlock_create_ruleset:when=2|ENOMEM|landlock|Out of memory
		landlock_add_rule:when=1|ENOMEM|landlock|Out of memory
		landlock_restrict_self:when=1|ENOMEM|landlock|Out of memory
		seccomp:when=1|ENOMEM|seccomp|Out of memory
	ROWS
	deny seccomp:when=1 ENOMEM --sandbox=off
	assert_status 200 ok
}

@test "answers and log lines that go to files are written all the same" {
	ask "$REQUEST$REQUEST" --allow-root "$FILES"
	assert_status 200 ok
	assert_equal "$(grep -c '"ok"' "$BATS_TEST_TMPDIR/log")" 2
}

@test "a stop and a continuation go unnoticed" {
	hold "$REQUEST" --allow-root
	wait_for_line "$BATS_TEST_TMPDIR/log" '"ok"'
	wait_until_it_polls
	kill -STOP "$held"
	until [[ $(<"/proc/$held/stat") = *') T '* ]]; do kill -0 "$held"; done
	kill -CONT "$held"
	printf '%b' "$REQUEST" >&9
	exec 9>&-
	exit=0
	wait "$held" || exit=$?
	held=
	assert_equal "$exit" 0
}
