#!/usr/bin/env bats
# Downloads that are broken off and resumed, by curl, wget and aria2, of a file
# that stays or that is replaced meanwhile; at the end, those of zsync and zchunk,
# which fetch what has changed by many ranges.
#
# What the clients do of themselves, as Debian 12 has them, and what they make of
# a validator that they are told to send (by -H or --header):
#
#			curl -C -	wget -c		aria2c
# asks for the rest by	Range		Range		Range, for each piece
# sends a validator	no		no		no
# looks at the length	no		no		yes: another one ends it
# If-Range, then 200	ends, with 33	MIXES		ends, with 8
# If-Match, then 412	ends, with 22	ends, with 8	ends, with 22
# 416			ends, with 0	ends, with 0	-
#
# So none of them notices of itself that a file was replaced by another one of
# the same length: it gets what it asked for, a part of the file that is there
# now.  With the tag of the first answer in If-Match none of them mixes two.
# In If-Range it is as good for curl and aria2; wget, of the whole new file that
# it then gets, leaves out as much as it has, and appends the rest.
# shellcheck disable=SC2154  # spawn.bash sets what is not set here

load lib
load spawn

unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy='*'

MiB=1048576

# In memory, where holes take no room; the clients write them as zeros, which
# are made holes again after each piece.
setup() {
	dir=$(mktemp -d /dev/shm/httpd-resume.XXXXXX)
	mkdir "$dir/tree"
	cd "$dir" || return
}

teardown() {
	unspawn
	cd / && rm -rf "$dir"
}

# version NAME MIB [DATE]: a file of that length, nearly all of it a hole; each
# MiB begins and ends with the version's name and its number.
version() {
	python3 - "$1" "$2" <<-'EOP'
		import sys
		name, count = sys.argv[1], int(sys.argv[2])
		with open(name, "wb") as file:
		    for i in range(count):
		        file.seek(i << 20)
		        file.write(b"<%s %d>" % (name.encode(), i))
		        file.seek((i + 1 << 20) - 16)
		        file.write(b"%15s\n" % (b"<%s %d" % (name.encode(), i)))
	EOP
	touch -d "${3:-1 hour ago}" "$1"
}

# publish NAME: puts a version where the server finds it, in one step, and waits
# until its tag is strong.
publish() {
	ln "$1" tree/.new
	mv tree/.new tree/file
	settle tree/file
}

http_date() {
	TZ=GMT LC_ALL=C date -r "$1" '+%a, %d %b %Y %T GMT'
}

etag() {
	curl -qsSI --max-time 300 "$url/file" | sed -n 's/\r$//; s/^ETag: //p'
}

# limited MIB COMMAND...: ends where its file would grow beyond that, as
# on a full disk.
limited() {
	local limit=$1
	shift
	(
		trap '' XFSZ
		ulimit -f $((limit * 1024))
		exec timeout 300 "$@"
	)
}

# assert_begins NAME: what is there of file got is the beginning of a version.
assert_begins() {
	local length
	length=$(stat -c %s got)
	assert [ "$length" -gt 0 ]
	run cmp -n "$length" got "$1"
	assert_success
}

# statuses: how often the server gave each status, in one line.
statuses() {
	sed 's/.* HTTP\/1\.1" \([0-9]*\) .*/\1/' "$spawn_log" | sort | uniq -c |
		tr -s ' \n' ' '
}

curl_c=(curl -qsS -C - -o got)
wget_c=(wget --no-config -nv -t 1 -T 20 -c -O got)
aria2=(aria2c --no-conf --quiet --max-connection-per-server=4 --split=4
	--min-split-size=1M --file-allocation=none --max-tries=1 --retry-wait=0
	--auto-save-interval=0 --allow-overwrite=false --auto-file-renaming=false -o got)

# in_pieces FAILURE COMMAND...: a client that goes on where it was, until the
# whole file is there.  Each piece ends as when the client's disk is full.
in_pieces() {
	local failure=$1 limit
	shift
	for limit in 150 500 501 900; do
		run limited "$limit" "$@"
		assert_failure "$failure"
		assert_equal "$(stat -c %s got)" $((limit * MiB))
		fallocate --dig-holes got
	done
	run timeout 300 "$@"
	assert_success
	run cmp got A
	assert_success
}

@test "curl -C - fetches a GiB in five pieces" {
	version A 1024
	publish A
	spawn tcpserver "$HTTPD" tree
	in_pieces 23 "${curl_c[@]}" "$url/file"
	wait_for_line "$spawn_log" '" 206 [0-9]* "-" "curl/.*" "partial"'
	assert_equal "$(statuses)" ' 1 200 4 206 '
	# And once more, when nothing is left to be fetched.
	run "${curl_c[@]}" "$url/file"
	assert_success
	cmp got A
}

@test "wget -c fetches a GiB in five pieces" {
	version A 1024
	publish A
	spawn tcpserver "$HTTPD" tree
	in_pieces 3 "${wget_c[@]}" "$url/file"
	wait_for_line "$spawn_log" '" 206 [0-9]* "-" "Wget/.*" "partial"'
	assert_equal "$(statuses)" ' 1 200 4 206 '
	run "${wget_c[@]}" "$url/file"
	assert_success
	cmp got A
}

# spawn_cutting MIB: each connection is cut when it has carried that much.
spawn_cutting() {
	echo "$1" >limit
	cat >cutting <<-EOS
		#!/bin/sh
		exec 3>&1
		"$HTTPD" tree | head -c \$((\$(cat limit) * $MiB)) >&3
	EOS
	chmod 755 cutting
	spawn tcpserver ./cutting
}

@test "aria2 fetches a GiB over four connections, each cut several times" {
	local tries
	version A 1024
	publish A
	spawn_cutting 48
	for ((tries = 1; tries < 20; tries++)); do
		! timeout 300 "${aria2[@]}" "$url/file" || break
		fallocate --dig-holes got
	done
	printf '%s runs\n' "$tries"
	assert [ "$tries" -ge 4 ]
	assert [ "$tries" -lt 20 ]
	refute [ -e got.aria2 ]
	run cmp got A
	assert_success
	assert [ "$(grep -c '" 206 ' "$spawn_log")" -ge 16 ]
}

# What is tested below does not depend on the length: a piece is 20 of 64 MiB.

@test "a file that is replaced while it is sent is sent to its end as it was" {
	version A 64
	version B 64 '1 minute ago'
	publish A
	spawn tcpserver "$HTTPD" tree
	mkfifo pipe
	curl -qsS --max-time 300 -o pipe "$url/file" 3>&- &
	exec {pipe}<pipe
	head -c $MiB <&"$pipe" >got
	publish B
	cat <&"$pipe" >>got
	exec {pipe}<&-
	wait $!
	cmp got A
}

# resumes_only_the_same COMMAND...: with the first version's validator, the
# client goes on with that version, and leaves its part of it as it is when there
# is another one; from the beginning, it gets that.
resumes_only_the_same() {
	run limited 20 "${client[@]}" "$url/file"
	assert_failure
	assert_begins A
	run timeout 300 "${client[@]}" "$@" "$url/file"
	assert_success
	cmp got A

	rm got
	run limited 20 "${client[@]}" "$url/file"
	assert_failure
	publish B
	run timeout 300 "${client[@]}" "$@" "$url/file"
	assert_failure
	assert_begins A
	rm got
	run timeout 300 "${client[@]}" "$url/file"
	assert_success
	cmp got B
	assert_equal "$(grep -c '" 206 ' "$spawn_log")" 1
}

start_replaced() {
	version A 64
	version B 64 '1 minute ago'
	publish A
	spawn tcpserver "$HTTPD" tree
}

@test "curl -C - with If-Range goes on with the same file only" {
	start_replaced
	client=("${curl_c[@]}")
	resumes_only_the_same -H "If-Range: $(etag)"
}

@test "curl -C - with a date in If-Range goes on with the same file only" {
	start_replaced
	client=("${curl_c[@]}")
	resumes_only_the_same -H "If-Range: $(http_date A)"
}

@test "curl -C - with If-Match goes on with the same file only" {
	start_replaced
	client=("${curl_c[@]}" -f)
	resumes_only_the_same -H "If-Match: $(etag)"
}

@test "curl -C - -z with a date goes on with the same file only" {
	start_replaced
	client=("${curl_c[@]}" -f)
	resumes_only_the_same -z "-$(http_date A)"
	wait_for_line "$spawn_log" '" 412 .* "precondition-failed"$'
}

@test "wget -c with If-Match goes on with the same file only" {
	start_replaced
	client=("${wget_c[@]}")
	resumes_only_the_same --header "If-Match: $(etag)"
}

@test "wget -c with If-Unmodified-Since goes on with the same file only" {
	start_replaced
	client=("${wget_c[@]}")
	resumes_only_the_same --header "If-Unmodified-Since: $(http_date A)"
}

# assert_pieces NAME: what there is of each MiB is of one version; prints how
# many there are.
assert_pieces() {
	python3 - "$1" <<-'EOP'
		import sys
		wanted, count = sys.argv[1].encode(), 0
		with open("got", "rb") as file:
		    for i in range(64):
		        file.seek(i << 20)
		        mark = file.read(16).rstrip(b"\0")
		        if mark not in (b"", b"<%s %d>" % (wanted, i)):
		            sys.exit(f"wanted: version {wanted}, or nothing\ngot: {mark}")
		        count += mark != b""
		print(count)
	EOP
}

start_cut_aria2() {
	version A 64
	version B 64 '1 minute ago'
	version C 80 '1 second ago'
	publish A
	spawn_cutting 5
	tag=$(etag)
	run timeout 300 "${aria2[@]}" "$url/file"
	assert_failure
	run assert_pieces A
	assert_success
	assert [ "$output" -ge 8 ]
	assert [ "$output" -lt 64 ]
	# From now on it is not cut any more.
	echo 200 >limit
}

@test "aria2 with If-Range goes on with the same file only, over four connections" {
	start_cut_aria2
	cp got part
	cp got.aria2 part.aria2
	run timeout 300 "${aria2[@]}" --header "If-Range: $tag" "$url/file"
	assert_success
	cmp got A

	mv part got
	mv part.aria2 got.aria2
	publish B
	run timeout 300 "${aria2[@]}" --header "If-Range: $tag" "$url/file"
	assert_failure 8
	run assert_pieces A
	assert_success
	rm got got.aria2
	run timeout 300 "${aria2[@]}" "$url/file"
	assert_success
	cmp got B
}

@test "aria2 with If-Match fetches nothing of another file, over four connections" {
	start_cut_aria2
	publish B
	run timeout 300 "${aria2[@]}" --header "If-Match: $tag" "$url/file"
	assert_failure 22
	run assert_pieces A
	assert_success
}

@test "aria2, without a validator, goes on with no file of another length" {
	start_cut_aria2
	publish C
	run timeout 300 "${aria2[@]}" "$url/file"
	assert_failure
	run assert_pieces A
	assert_success
}

@test "a client without a validator is told all by which it could know" {
	local old new
	start_replaced
	old=$(etag)
	run limited 20 "${curl_c[@]}" "$url/file"
	version C 80 '1 minute ago'
	publish C
	curl -qsS --max-time 300 -r $((20 * MiB))- -D fields -o rest "$url/file"
	new=$(etag)
	refute [ "$old" = "$new" ]
	run tr -d '\r' <fields
	assert_line --index 0 'HTTP/1.1 206 Partial Content'
	assert_line "ETag: $new"
	assert_line "Last-Modified: $(http_date C)"
	assert_line "Content-Range: bytes $((20 * MiB))-$((80 * MiB - 1))/$((80 * MiB))"
	assert_line "Content-Length: $((60 * MiB))"
	tail -c +$((20 * MiB + 1)) C | cmp - rest
}

@test "a part that is longer than the file has become is left as it is" {
	local name
	version A 64
	version B 10 '1 minute ago'
	spawn tcpserver "$HTTPD" tree
	for name in curl wget; do
		client=("${curl_c[@]}")
		[ "$name" = curl ] || client=("${wget_c[@]}")
		publish A
		run limited 20 "${client[@]}" "$url/file"
		assert_begins A
		publish B
		run timeout 300 "${client[@]}" "$url/file"
		assert_begins A
		assert_equal "$(stat -c %s got)" $((20 * MiB))
		rm got
	done
	wait_for_line "$spawn_log" '" 416 .* "Wget/.*" "range-not-satisfiable"$'
	assert_equal "$(grep -c '" 416 .* "range-not-satisfiable"$' "$spawn_log")" 2
}

# requests TARGET: how many the server has been asked for it, and with what result.
requests() {
	sed -n "s,.*\"GET $1 HTTP/1\\.[01]\" \\([0-9]*\\) .*,\\1,p" "$spawn_log" |
		sort | uniq -c | tr -s ' \n' ' '
}

@test "zsync fetches the blocks that have changed, and no others" {
	python3 - <<-'EOP'
		import random
		random.seed(3)
		data = bytearray(random.randbytes(4 << 20))
		with open("old", "wb") as file:
		    file.write(data)
		for at in range(100, len(data), 64 << 10):
		    data[at:at + 8] = b"changed!"
		with open("tree/new", "wb") as file:
		    file.write(data)
	EOP
	(cd tree && zsyncmake -u new -o new.zsync new)
	spawn tcpserver "$HTTPD" tree
	run timeout 60 zsync -q -i old -o got "$url/new.zsync"
	assert_success
	cmp got tree/new
	wait_for_line "$spawn_log" '"GET /new HTTP/1\.1" 206 '
	# 64 blocks, of which it asks for some twenty at a time.
	assert_regex "$(requests /new)" '^ [1-9] 206 $'
}

@test "zchunk fetches 300 chunks that have changed by a few requests" {
	python3 - <<-'EOP'
		import random
		def chunk(number, version):
		    text = random.Random(f"{number} {version}")
		    return "<chunk>" + "".join(text.choices("abcdefgh", k=1500)) + "\n"
		for name in ("old", "new"):
		    with open(name, "w") as file:
		        for number in range(700):
		            changed = number % 2 == 1 and number < 600
		            file.write(chunk(number, name if changed else "same"))
	EOP
	zck -m -s '<chunk>' -o old.zck old
	zck -m -s '<chunk>' -o tree/new.zck new
	spawn tcpserver "$HTTPD" tree
	run timeout 60 zckdl --source=old.zck "$url/new.zck"
	assert_success
	cmp new.zck tree/new.zck
	# The header, 255 chunks, the others.
	wait_for_line "$spawn_log" '"GET /new\.zck HTTP/1\.1" 206 '
	assert_regex "$(requests '/new\.zck')" '^ [3-6] 206 $'
}
