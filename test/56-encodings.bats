# Precompressed neighbours: which of them is sent, and what is told of it
# (RFC 9110 12.5.3, 12.5.5, 8.4).

load lib
load requests

OLD='Sun, 06 Nov 1994 08:49:37 GMT'
NEWER='Sun, 06 Nov 1994 08:50:00 GMT'

# The neighbours of x.css need not be compressed: nobody looks into them.
setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree"
	options=()
}

# make_file NAME [SUFFIX]...: a file and its neighbours, each of its own bytes
# and its own length; a neighbour's age is the file's unless it is changed.
make_file() {
	local name=$1 suffix
	shift
	printf 'the plain file %s\n' "$name" >"$tree/$name"
	touch -d "$OLD" "$tree/$name"
	for suffix; do
		printf 'the neighbour %s of %s\n' "$suffix" "$name" >"$tree/$name.$suffix"
		touch -d "$NEWER" "$tree/$name.$suffix"
	done
}

# assert_coding CODING: of the last answer, by field and by content.
assert_coding() {
	local suffix
	case $1 in
	identity) has_no Content-Encoding; content | cmp - "$tree/$asked"; return ;;
	br) suffix=br ;;
	zstd) suffix=zst ;;
	gzip) suffix=gz ;;
	esac
	assert_equal "$(field Content-Encoding)" "$1"
	content | cmp - "$tree/$asked.$suffix"
}

# ask_coded NAME [ACCEPT-ENCODING]: sets $asked.
ask_coded() {
	asked=$1
	ask_one GET "/$1" ${2+"Accept-Encoding: $2"}
}

# Rows: the neighbours that are there (b: brotli, z: zstd, g: gzip), the value
# of Accept-Encoding, and the coding to send; "406": none.
choices() {
	cat <<-'ROWS'
		bzg | -                                  | identity
		bzg | (empty)                            | identity
		bzg | gzip                               | gzip
		bzg | zstd                               | zstd
		bzg | br                                 | br
		bzg | gzip, br                           | br
		bzg | br, gzip                           | br
		bzg | gzip, zstd                         | zstd
		bzg | gzip, deflate                      | gzip
		bzg | gzip, deflate, br                  | br
		bzg | gzip, deflate, br, zstd            | br
		zg  | gzip, deflate, br, zstd            | zstd
		g   | gzip, deflate, br, zstd            | gzip
		b   | gzip, deflate, zstd                | identity
		z   | gzip, deflate, br                  | identity
		g   | br, zstd                           | identity
		no  | gzip, deflate, br, zstd            | identity
		no  | *                                  | identity
		no  | -                                  | identity
		bzg | *                                  | br
		zg  | *                                  | zstd
		g   | *                                  | gzip
		bzg | gzip, *                            | br
		bzg | gzip, *;q=0.5                      | gzip
		bzg | gzip;q=0.5, *                      | br
		bzg | br;q=0, *                          | zstd
		bzg | br;q=0, zstd;q=0, *                | gzip
		bzg | br;q=0, zstd;q=0, gzip;q=0, *      | identity
		b   | br;q=0, *                          | identity
		bzg | gzip;q=1.0, br;q=0.5               | gzip
		bzg | br;q=0.5, gzip;q=1.0               | gzip
		bzg | gzip;q=0.5, br;q=0.5               | br
		bzg | gzip;q=0.8, zstd;q=0.9, br;q=0.7   | zstd
		bzg | gzip;q=0.501, br;q=0.5             | gzip
		bzg | gzip;q=0.5, br;q=0.51              | br
		bzg | br;q=0.999, gzip                   | gzip
		bzg | gzip;q=0.001                       | gzip
		bzg | gzip;q=0                           | identity
		bzg | gzip;q=0.                          | identity
		bzg | gzip;q=0.0                         | identity
		bzg | gzip;q=0.000                       | identity
		bzg | gzip;q=1.                          | gzip
		bzg | gzip;q=1.000                       | gzip
		bzg | gzip;q=0, br;q=0, zstd;q=0         | identity
		bzg | br;q=0, gzip                       | gzip
		bzg | identity                           | identity
		bzg | identity, gzip                     | gzip
		bzg | identity;q=0.5, gzip;q=0.5         | gzip
		bzg | identity, gzip;q=0.5               | identity
		bzg | gzip;q=0.9, identity               | identity
		bzg | identity;q=0.5, gzip;q=0.4         | identity
		bzg | identity;q=0.5, gzip;q=0.4, *;q=0.6 | br
		bzg | identity, *;q=0.5                  | identity
		bzg | identity;q=0.4, *;q=0.5            | br
		g   | br;q=1, gzip;q=0.8, *;q=0.1        | gzip
		z   | br;q=1, gzip;q=0.8, *;q=0.1        | zstd
		bzg | deflate, gzip;q=1.0, *;q=0.5       | gzip
		b   | deflate, gzip;q=1.0, *;q=0.5       | br
		bzg | gzip;q=1.0, identity; q=0.5, *;q=0 | gzip
		b   | gzip;q=1.0, identity; q=0.5, *;q=0 | identity
		bzg | compress, gzip                     | gzip
		bzg | compress;q=0.5, gzip;q=1.0         | gzip
		bzg | compress, deflate                  | identity
		bzg | identity;q=0                       | 406
		bzg | *;q=0                              | 406
		no  | identity;q=0                       | 406
		no  | *;q=0                              | 406
		bzg | identity;q=0, gzip                 | gzip
		b   | identity;q=0, gzip                 | 406
		no  | identity;q=0, gzip                 | 406
		bzg | identity;q=0, *                    | br
		bzg | identity;q=0, *;q=0.1              | br
		no  | identity;q=0, *                    | 406
		bzg | *;q=0, gzip                        | gzip
		bzg | gzip, *;q=0                        | gzip
		b   | *;q=0, gzip                        | 406
		no  | *;q=0, gzip                        | 406
		bzg | *;q=0, identity                    | identity
		bzg | *;q=0, identity;q=0.1              | identity
		no  | *;q=0, identity;q=0.1              | identity
		bzg | identity;q=0.000, br;q=0           | 406
		bzg | x-gzip                             | gzip
		bzg | X-GZIP;q=0.5, br;q=0.2             | gzip
		bzg | x-gzip;q=0                         | identity
		bzg | GZIP                               | gzip
		bzg | GZip, BR;q=0.5                     | gzip
		bzg | ZSTD                               | zstd
		bzg | Identity;q=0, gZIP                 | gzip
		bzg | gzip;Q=0.5, br;Q=0.4               | gzip
		bzg | gzip ;q=0.5, br;q=0.4              | gzip
		bzg | gzip; q=0.5 , br;q=0.4             | gzip
		bzg | gzip\t;\tq=0.5,\tbr;q=0.4          | gzip
		bzg | , ,gzip,,                          | gzip
		bzg | ,                                  | identity
		bzg | gzip + br                          | br
		bzg | br + gzip                          | br
		bzg | gzip;q=0.5 + br;q=0.4              | gzip
		bzg | (empty) + gzip                     | gzip
		bzg | gzip + identity;q=0, br;q=0        | gzip
		bzg | identity;q=0 + br;q=0 + gzip;q=0   | 406
		bzg | gzipx                              | identity
		bzg | xgzip                              | identity
		bzg | gzi                                | identity
		bzg | brotli                             | identity
		bzg | zst                                | identity
		bzg | gz                                 | identity
		bzg | "gzip"                             | identity
	ROWS
}

# rows_of_choices METHOD
rows_of_choices() {
	local neighbours value wanted vary lines
	make_file bzg.css br zst gz
	make_file zg.css zst gz
	make_file b.css br
	make_file z.css zst
	make_file g.css gz
	make_file no.css
	while IFS='|' read -r neighbours value wanted; do
		read -r neighbours <<<"$neighbours"
		wanted=${wanted# }
		value=$(sed 's/^ //; s/ *$//' <<<"$value")
		vary=Accept-Encoding
		[ "$neighbours" != no ] || [ "$wanted" = 406 ] || vary=-
		case $wanted in
		406) wanted='406 -' ;;
		identity) wanted='200 -' ;;
		*) wanted="200 $wanted" ;;
		esac
		field_lines Accept-Encoding "$value"
		row "$1 $neighbours $value" "$wanted $vary" "$1" "/$neighbours.css" \
			"${lines[@]}"
	done < <(choices)
}

@test "each of a hundred Accept-Encodings gets its coding, and Vary where there is a choice" {
	rows_of_choices GET
	[ "${#row_names[@]}" -ge 100 ]
	check_rows "$TOP/test/tools/answers.py" Content-Encoding Vary
}

@test "HEAD chooses alike" {
	rows_of_choices HEAD
	check_rows "$TOP/test/tools/answers.py" --head Content-Encoding Vary
}

@test "weights that are none leave their coding unsaid" {
	make_file x.css br zst gz
	local weight
	for weight in 'q=2' 'q=1.001' 'q=0.1234' 'q=' 'q' 'q=x' 'q=-1' 'q=.5' \
		'q=0,5' 'x=1' 'q=1;q=1' 'q="1"' '' 'q =1' 'q= 1' 'q=1x' 'q=00.5'; do
		row "br;$weight" '200 gzip' GET /x.css \
			"Accept-Encoding: br;$weight, gzip;q=0.1"
	done
	check_rows "$TOP/test/tools/answers.py" Content-Encoding
}

@test "a list of codings as long as a head can hold is read to its end" {
	make_file x.css gz
	row 'the last is gzip' '200 gzip' GET /x.css \
		"Accept-Encoding: $(printf 'x%d;q=0.5, ' $(seq 900))gzip"
	check_rows "$TOP/test/tools/answers.py" Content-Encoding
}

@test "a neighbour is sent whole, with the plain file's type and its own length and validators" {
	local coding suffix
	make_file x.css br zst gz
	settle "$tree"
	while read -r coding suffix; do
		ask_coded x.css "$coding"
		assert_status 200 ok
		assert_coding "$coding"
		assert_equal "$(field Content-Type)" 'text/css; charset=utf-8'
		assert_equal "$(field Content-Length)" "$(stat -c %s "$tree/x.css.$suffix")"
		assert_equal "$(field Last-Modified)" "$NEWER"
		assert_equal "$(field ETag)" "$(printf '"%x-%x-%x-%x-%s"' \
			"$(stat -c %i "$tree/x.css.$suffix")" \
			"$(stat -c %s "$tree/x.css.$suffix")" \
			"$(date -d "$NEWER" +%s%N)" \
			"$(stat -c %.9Z "$tree/x.css.$suffix" | tr -d .)" "$coding")"
		assert_equal "$(field Accept-Ranges)" bytes
		assert_equal "$(field Vary)" Accept-Encoding
	done <<-'ROWS'
		br br
		zstd zst
		gzip gz
	ROWS
	ask_coded x.css
	assert_coding identity
	assert_equal "$(field Last-Modified)" "$OLD"
}

@test "all representations have different tags, portable or not" {
	make_file x.css br zst gz
	settle "$tree"
	local coding tags
	for options in --etag=inode --etag=portable; do
		tags=''
		for coding in identity br zstd gzip; do
			ask_coded x.css "$coding"
			tags+="$(field ETag)"$'\n'
		done
		assert_equal "$(printf '%s' "$tags" | sort -u | wc -l)" 4
	done
}

@test "portable tags differ even where size and date are alike" {
	local coding tags=''
	for coding in '' .br .zst .gz; do
		printf 'same size' >"$tree/x.css$coding"
		touch -d "$OLD" "$tree/x.css$coding"
	done
	settle "$tree"
	options=(--etag=portable)
	for coding in identity br zstd gzip; do
		ask_coded x.css "$coding"
		tags+="$(field ETag)"$'\n'
	done
	assert_equal "$(printf '%s' "$tags" | sort -u | wc -l)" 4
}

@test "what is sent can be unpacked to the plain file" {
	make_file x.css
	gzip -k "$tree/x.css"
	ask_coded x.css gzip
	content | gzip -dc | cmp - "$tree/x.css"
	assert_equal "$(field Content-Encoding)" gzip
}

@test "Vary is in every answer that depends on the choice" {
	make_file x.css gz
	settle "$tree"
	local tag
	ask_coded x.css gzip
	tag=$(field ETag)
	while IFS='|' read -r wanted line; do
		row "gzip, $line" "$wanted Accept-Encoding" GET /x.css \
			'Accept-Encoding: gzip' "${line//TAG/$tag}"
	done <<-'ROWS'
		200|X: y
		206|Range: bytes=0-1
		206|Range: bytes=-1
		304|If-None-Match: TAG
		304|If-None-Match: *
		412|If-Match: "x"
		416|Range: bytes=9999-
	ROWS
	row 'not acceptable' '406 Accept-Encoding' GET /x.css 'Accept-Encoding: *;q=0'
	row 'plain' '200 Accept-Encoding' GET /x.css
	row 'plain, range' '206 Accept-Encoding' GET /x.css 'Range: bytes=0-1'
	row 'plain, 304' '304 Accept-Encoding' GET /x.css 'If-None-Match: *'
	row 'plain, 412' '412 Accept-Encoding' GET /x.css 'If-Match: "x"'
	row 'plain, 416' '416 Accept-Encoding' GET /x.css 'Range: bytes=9999-'
	check_rows "$TOP/test/tools/answers.py" Vary
}

@test "Vary is in no answer that depends on nothing" {
	make_file x.css gz
	make_file y.css
	mkdir "$tree/dir"
	echo '/old /new' >"$tree/_redirects"
	local target wanted
	while read -r target wanted; do
		row "$target" "$wanted - -" GET "$target" 'Accept-Encoding: gzip'
		row "$target" "$wanted - -" GET "$target"
	done <<-'ROWS'
		/y.css 200
		/none 404
		/dir 301
		/old 301
		/x.css/ 404
	ROWS
	row OPTIONS '204 - -' OPTIONS /x.css 'Accept-Encoding: gzip'
	row POST '405 - -' POST /x.css 'Accept-Encoding: gzip'
	check_rows "$TOP/test/tools/answers.py" Content-Encoding Vary
}

@test "406 has a page and a word in the log, and nothing of the file" {
	make_file x.css gz
	ask_coded x.css 'identity;q=0'
	assert_status 406 not-acceptable
	assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
	assert_equal "$(content | wc -c)" "$(field Content-Length)"
	assert_regex "$(content)" '<h1>406 Not Acceptable</h1>'
	has_no Content-Encoding ETag Last-Modified Accept-Ranges
	assert_equal "$(field Connection)" close
}

@test "every 406 has Vary, also where there is no neighbour to choose" {
	make_file x.css gz
	make_file y.css
	local target value
	for target in /x.css /y.css; do
		for value in 'identity;q=0' '*;q=0' 'br, identity;q=0' 'br, *;q=0'; do
			row "$target $value" '406 Accept-Encoding' GET "$target" \
				"Accept-Encoding: $value"
		done
	done
	row 'a file with a choice' '200 Accept-Encoding' GET /x.css
	row 'a file without one' '200 -' GET /y.css
	check_rows "$TOP/test/tools/answers.py" Vary
}

@test "an identity that is refused is no matter where there is no file" {
	mkdir "$tree/dir"
	echo '/old /new' >"$tree/_redirects"
	row 'no file' 404 GET /none 'Accept-Encoding: identity;q=0'
	row 'a redirect' 301 GET /old 'Accept-Encoding: identity;q=0'
	row 'a directory' 301 GET /dir 'Accept-Encoding: identity;q=0'
	check_rows statuses
}

@test "conditions are ignored where no representation is acceptable" {
	# 13.2.1: the answer without them would be no 2xx.
	make_file x.css gz
	row 'If-None-Match' 406 GET /x.css 'Accept-Encoding: *;q=0' 'If-None-Match: *'
	row 'If-Match' 406 GET /x.css 'Accept-Encoding: *;q=0' 'If-Match: "x"'
	row 'Range' 406 GET /x.css 'Accept-Encoding: *;q=0' 'Range: bytes=99999-'
	check_rows statuses
}

@test "a variant that changed after its file counts if it is as old or newer, in seconds" {
	make_file x.css gz
	local date wanted
	while IFS='|' read -r date wanted; do
		touch -d "$date" "$tree/x.css.gz"
		ask_coded x.css gzip
		printf '%s\n' "$date"
		assert_coding "$wanted"
		if [ "$wanted" = gzip ]; then
			field Vary
		else
			has_no Vary
		fi
	done <<-'ROWS'
		1994-11-06 08:49:36 UTC|identity
		1994-11-06 08:49:36.999999999 UTC|identity
		1994-11-06 08:49:37 UTC|gzip
		1994-11-06 08:49:37.5 UTC|gzip
		1994-11-06 08:49:38 UTC|gzip
		2020-01-01 UTC|gzip
		+1 day|gzip
		1970-01-01 UTC|identity
		1960-01-01 UTC|identity
	ROWS
	# The file's own fraction of a second makes no difference.
	touch -d '1994-11-06 08:49:37.9 UTC' "$tree/x.css"
	touch -d '1994-11-06 08:49:37 UTC' "$tree/x.css.gz"
	ask_coded x.css gzip
	assert_coding gzip
}

# release N [SUFFIX]...: a directory with release N of x.css and its variants,
# all of one month, ready to be copied over another one with its dates.
release() {
	local dir=$BATS_TEST_TMPDIR/release-$1 name
	mkdir -p "$dir"
	printf 'release %s\n' "$1" >"$dir/x.css"
	gzip -k "$dir/x.css"
	touch -d "2020-0$1-01 UTC" "$dir"/*
}

@test "an older file that replaces a newer one is not sent as the newer one's variant" {
	release 1
	release 2
	cp -p "$BATS_TEST_TMPDIR/release-2/"* "$tree"
	ask_coded x.css gzip
	assert_coding gzip
	cp -p "$BATS_TEST_TMPDIR/release-1/x.css" "$tree"
	ask_coded x.css gzip
	assert_coding identity
	assert_equal "$(content)" 'release 1'
	has_no Vary
	options=(--variants=any)
	ask_coded x.css gzip
	assert_coding gzip
	assert_equal "$(content | gzip -dc)" 'release 2'
	options=(--variants=auto)
	cp -p "$BATS_TEST_TMPDIR/release-1/x.css.gz" "$tree"
	ask_coded x.css gzip
	assert_coding gzip
	assert_equal "$(content | gzip -dc)" 'release 1'
}

@test "a tree that is copied with its dates, in any order and by any tool, has its variants" {
	release 1
	cd "$BATS_TEST_TMPDIR/release-1"
	local how
	printf '%s\n' x.css x.css.gz >../forward
	printf '%s\n' x.css.gz x.css >../backward
	# shellcheck disable=SC2016  # eval expands them
	for how in 'tar -cf - -T ../forward | tar -C "$tree" -xf -' \
		'tar -cf - -T ../backward | tar -C "$tree" -xf -' \
		'cp -a . "$tree"' 'rsync -a ./ "$tree"' 'rsync -a --delay-updates ./ "$tree"' \
		'zip -q ../forward.zip -@ <../forward && unzip -q ../forward.zip -d "$tree"' \
		'zip -q ../backward.zip -@ <../backward && unzip -q ../backward.zip -d "$tree"' \
		'git init -q && git add . && git -c user.name=x -c user.email=x commit -qm x &&
			git clone -q . "$tree/clone" && mv "$tree/clone/"* "$tree"'; do
		tree=$BATS_TEST_TMPDIR/tree.$((++copies))
		mkdir "$tree"
		eval "$how"
		ask_coded x.css gzip
		printf '%s\n' "$how"
		assert_coding gzip
	done
}

@test "a variant that a bundler writes after its file counts, one from before it does not" {
	printf 'bundled' >"$tree/app.js"
	printf 'zipped' >"$tree/app.js.gz"
	ask_coded app.js gzip
	assert_coding gzip
	printf 'bundled again' >"$tree/app.js"
	ask_coded app.js gzip
	assert_coding identity
	touch "$tree/app.js.gz"
	ask_coded app.js gzip
	assert_coding gzip
}

@test "--variants=any sends variants whatever their dates, --variants=off none, unasked" {
	make_file x.css gz
	touch -d 1990-01-01 "$tree/x.css.gz"
	options=(--variants=any)
	ask_coded x.css gzip
	assert_coding gzip
	assert_equal "$(wc -l <"$BATS_TEST_TMPDIR/log")" 1
	make_file x.css gz
	options=(--variants=off)
	ask_coded x.css gzip
	assert_coding identity
	has_no Vary
	printf 'GET /x.css HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n' |
		strace -f -o "$BATS_TEST_TMPDIR/calls" "$HTTPD" --variants=off "$tree" >/dev/null 2>&1
	refute grep -q 'x\.css\.' "$BATS_TEST_TMPDIR/calls"
}

@test "the log says once a connection that a variant was passed over" {
	make_file x.css br gz
	mkdir "$tree/dir"
	make_file dir/index.html gz
	touch "$tree/x.css" "$tree/dir/index.html"
	local i
	for i in 1 2 3; do
		request GET /x.css 'Accept-Encoding: gzip'
		request GET /dir/ 'Accept-Encoding: gzip'
	done
	ask "$requests" "$tree"
	assert_status 200 ok
	assert_equal "$(grep -c '^httpd: ' "$BATS_TEST_TMPDIR/log")" 1
	assert_equal "$(head -1 "$BATS_TEST_TMPDIR/log")" \
		'httpd: /x.css.br is not sent: its times are not those of a variant of the present file; see --variants'
	ask_one GET /dir/
	assert_equal "$(head -1 "$BATS_TEST_TMPDIR/log")" \
		'httpd: /dir/index.html.gz is not sent: its times are not those of a variant of the present file; see --variants'
	# A client that asks for what is not there sees nothing of it.
	refute grep -aq variants "$answer"
}

@test "image trees, in which every file is dated 1, have neighbours" {
	make_file x.css gz
	touch -d @1 "$tree/x.css" "$tree/x.css.gz"
	ask_coded x.css gzip
	assert_coding gzip
	has_no Last-Modified
}

@test "a file that is newer than one neighbour still has the other" {
	make_file x.css br gz
	touch -d 1990-01-01 "$tree/x.css.br"
	ask_coded x.css 'br, gzip'
	assert_coding gzip
	ask_coded x.css 'br'
	assert_coding identity
	field Vary
	ask_coded x.css 'br, identity;q=0'
	assert_status 406 not-acceptable
}

# assert_no_neighbour: x.css.gz is as if it were not there.
assert_no_neighbour() {
	ask_coded x.css gzip
	assert_status 200 ok
	assert_coding identity
	has_no Vary
	ask_coded x.css 'gzip, identity;q=0'
	assert_status 406 not-acceptable
}

@test "only a regular file is a neighbour, and nothing else is waited for" {
	make_file x.css
	mkfifo "$tree/x.css.gz"
	assert_no_neighbour
	rm "$tree/x.css.gz"
	mkdir "$tree/x.css.gz"
	assert_no_neighbour
	rmdir "$tree/x.css.gz"
	mknod "$tree/x.css.gz" c 1 5 # zeros
	assert_no_neighbour
	rm "$tree/x.css.gz"
	python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' \
		"$tree/x.css.gz"
	assert_no_neighbour
}

@test "a neighbour out of the tree is none, one by a link within the tree is" {
	make_file x.css
	mkdir "$tree/packed"
	printf 'outside' >"$BATS_TEST_TMPDIR/outside.gz"
	printf 'inside' >"$tree/packed/x.gz"
	local to
	for to in ../outside.gz "$BATS_TEST_TMPDIR/outside.gz" /etc/passwd \
		/proc/self/exe none x.css.gz packed/../../outside.gz; do
		ln -sfn "$to" "$tree/x.css.gz"
		assert_no_neighbour
		refute grep -q -e outside -e root: "$answer"
	done
	ln -sfn packed/x.gz "$tree/x.css.gz"
	ask_coded x.css gzip
	assert_equal "$(field Content-Encoding)" gzip
	assert_equal "$(content)" inside
}

@test "a neighbour that may not be read is none" {
	make_file x.css gz
	chmod 600 "$tree/x.css.gz"
	chmod 755 "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
	cp "$HTTPD" "$BATS_TEST_TMPDIR/httpd"
	cat >"$BATS_TEST_TMPDIR/unprivileged" <<-SH
		#!/bin/sh
		exec setpriv --reuid=65534 --regid=65534 --clear-groups \\
			"$BATS_TEST_TMPDIR/httpd" "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/unprivileged"
	HTTPD=$BATS_TEST_TMPDIR/unprivileged
	assert_no_neighbour
}

@test "a neighbour without its plain file is none" {
	make_file x.css gz
	rm "$tree/x.css"
	ask_coded x.css gzip
	assert_status 404 not-found
	has_no Vary Content-Encoding
	mkdir "$tree/x.css"
	ask_coded x.css gzip
	assert_status 301 slash-missing
}

@test "a neighbour asked for by its own name is an ordinary file" {
	make_file x.css br zst gz
	local suffix type accept
	while read -r suffix type; do
		for accept in '' gzip 'br, gzip, zstd' '*'; do
			ask_one GET "/x.css.$suffix" "Accept-Encoding: $accept"
			assert_status 200 ok
			assert_equal "$(field Content-Type)" "$type"
			has_no Content-Encoding
			content | cmp - "$tree/x.css.$suffix"
		done
	done <<-'ROWS'
		br application/octet-stream
		zst application/zstd
		gz application/gzip
	ROWS
}

@test "only the neighbour of the very name counts" {
	make_file x.css
	for name in x.css.GZ x.css.gzip x.gz X.css.gz x.css.gz.br .x.css.gz; do
		printf 'no neighbour' >"$tree/$name"
		touch -d "$NEWER" "$tree/$name"
	done
	assert_no_neighbour
}

@test "media that are compressed already have no neighbours" {
	local name
	for name in x.png x.jpg x.jpeg x.gif x.webp x.avif x.mp3 x.ogg x.mp4 x.webm \
		x.woff x.woff2 x.zip x.gz x.zst x.xz x.bz2 x.7z x.tgz x.rar; do
		make_file "$name" gz
		row "$name" '200 - -' GET "/$name" 'Accept-Encoding: gzip'
	done
	check_rows "$TOP/test/tools/answers.py" Content-Encoding Vary
}

@test "all other files have neighbours" {
	local name
	for name in x.html x.css x.js x.json x.svg x.txt x.xml x.wasm x.pdf x.bmp \
		x.ico x.csv x.md x.map x.bin x.ttf x.otf x.webmanifest x noextension \
		x.unheard-of x.tar; do
		make_file "$name" gz
		row "$name" '200 gzip Accept-Encoding' GET "/$name" 'Accept-Encoding: gzip'
	done
	check_rows "$TOP/test/tools/answers.py" Content-Encoding Vary
}

@test "an index has neighbours, a directory's page for what is missing does not" {
	mkdir "$tree/dir"
	make_file dir/index.html gz
	make_file index.html gz
	make_file 404.html gz
	ask_one GET /dir/ 'Accept-Encoding: gzip'
	assert_status 200 ok
	assert_equal "$(field Content-Encoding)" gzip
	assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
	content | cmp - "$tree/dir/index.html.gz"
	ask_one GET '/?query' 'Accept-Encoding: gzip'
	content | cmp - "$tree/index.html.gz"
	ask_one GET /none 'Accept-Encoding: gzip'
	assert_status 404 not-found
	has_no Content-Encoding Vary
	content | cmp - "$tree/404.html"
	ask_one GET /none 'Accept-Encoding: identity;q=0'
	assert_status 404 not-found
	ask_one GET /404.html 'Accept-Encoding: gzip'
	assert_status 200 ok
	content | cmp - "$tree/404.html.gz"
}

@test "names that leave no room for a suffix have no neighbours" {
	local size name
	for size in 250 251 252 253 254 255; do
		name=$(printf "%$((size - 4))s" '' | tr ' ' x).css
		make_file "$name"
		row "$size bytes" '200 -' GET "/$name" 'Accept-Encoding: br, gzip, zstd'
	done
	check_rows "$TOP/test/tools/answers.py" Content-Encoding
	name=$(printf '%248s' '' | tr ' ' x).css
	make_file "$name" gz
	ask_coded "$name" gzip
	assert_coding gzip
}

@test "a long path has its neighbour to the last byte" {
	local deep='' i
	for ((i = 0; i < 15; i++)); do
		deep+=$(printf '%250s' '' | tr ' ' d)/
	done
	mkdir -p "$tree/$deep"
	(
		cd "$tree/$deep" || exit
		printf plain >x.css
		printf zipped >x.css.gz
	)
	ask_one GET "/${deep}x.css" 'Accept-Encoding: gzip'
	assert_status 200 ok
	assert_equal "$(content)" zipped
}

@test "names with escapes have their neighbours" {
	make_file 'white space.css' gz
	asked='white space.css'
	ask_one GET '/white%20space.css' 'Accept-Encoding: gzip'
	assert_coding gzip
	make_file 'grün.css' gz
	asked='grün.css'
	ask_one GET '/gr%C3%BCn.css' 'Accept-Encoding: gzip'
	assert_coding gzip
}

@test "neighbours are found without openat2 too" {
	make_file x.css gz
	ln -s ../outside.br "$tree/x.css.br"
	printf 'outside' >"$BATS_TEST_TMPDIR/outside.br"
	local program=$HTTPD
	cat >"$BATS_TEST_TMPDIR/httpd" <<-SH
		#!/bin/sh
		exec strace -qq -o /dev/null -e inject=openat2:error=ENOSYS "$program" "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/httpd"
	HTTPD=$BATS_TEST_TMPDIR/httpd ask_coded x.css 'br, gzip'
	assert_status 200 ok
	assert_coding gzip
	field Vary
}

@test "ranges are the chosen representation's" {
	make_file x.css br gz
	local size plain
	size=$(stat -c %s "$tree/x.css.gz")
	plain=$(stat -c %s "$tree/x.css")
	[ "$size" -ne "$plain" ]
	row 'one' '206 3-9' GET /x.css 'Accept-Encoding: gzip' 'Range: bytes=3-9'
	row 'all' "206 0-$((size - 1))" GET /x.css 'Accept-Encoding: gzip' 'Range: bytes=0-'
	row 'too far' "416 */$size" GET /x.css 'Accept-Encoding: gzip' 'Range: bytes=9999-'
	check_rows "$TOP/test/tools/byteranges.py" "$tree/x.css.gz" 'text/css; charset=utf-8'
	row 'plain' '206 3-9' GET /x.css 'Range: bytes=3-9'
	row 'too far' "416 */$plain" GET /x.css 'Range: bytes=9999-'
	check_rows "$TOP/test/tools/byteranges.py" "$tree/x.css" 'text/css; charset=utf-8'
	ask_one GET /x.css 'Accept-Encoding: gzip' 'Range: bytes=3-9'
	assert_status 206 partial
	assert_equal "$(field Content-Encoding)" gzip
}

@test "several ranges of a neighbour are parts of it" {
	make_file x.css
	head -c 5000 /dev/urandom >"$tree/x.css.gz"
	row 'two' '206 multipart 4000-4009 0-9' GET /x.css 'Accept-Encoding: gzip' \
		'Range: bytes=4000-4009,0-9'
	check_rows "$TOP/test/tools/byteranges.py" "$tree/x.css.gz" 'text/css; charset=utf-8'
}

@test "If-Range and conditions compare with the chosen representation" {
	make_file x.css gz
	settle "$tree"
	local plain zipped
	ask_coded x.css
	plain=$(field ETag)
	ask_coded x.css gzip
	zipped=$(field ETag)
	while IFS='|' read -r wanted accept line; do
		line=${line//PLAIN/$plain}
		row "$accept: $line" "$wanted" GET /x.css "Accept-Encoding: $accept" \
			'Range: bytes=0-4' "${line//ZIPPED/$zipped}"
	done <<-ROWS
		206 gzip bytes 0-4/$(stat -c %s "$tree/x.css.gz")|gzip|If-Range: ZIPPED
		200 gzip -|gzip|If-Range: PLAIN
		206 - bytes 0-4/$(stat -c %s "$tree/x.css")|identity|If-Range: PLAIN
		200 - -|identity|If-Range: ZIPPED
		206 gzip bytes 0-4/$(stat -c %s "$tree/x.css.gz")|gzip|If-Range: $NEWER
		200 gzip -|gzip|If-Range: $OLD
		412 - -|gzip|If-Match: PLAIN
		304 - -|gzip|If-None-Match: ZIPPED
		206 gzip bytes 0-4/$(stat -c %s "$tree/x.css.gz")|gzip|If-None-Match: PLAIN
		304 - -|gzip|If-Modified-Since: $NEWER
		206 gzip bytes 0-4/$(stat -c %s "$tree/x.css.gz")|gzip|If-Modified-Since: $OLD
	ROWS
	check_rows "$TOP/test/tools/answers.py" Content-Encoding Content-Range
}

@test "304 for a neighbour has its validators, Vary, and no Content-Encoding" {
	make_file x.css gz
	settle "$tree"
	ask_coded x.css gzip
	local tag
	tag=$(field ETag)
	ask_one GET /x.css 'Accept-Encoding: gzip' "If-None-Match: $tag"
	assert_status 304 not-modified
	assert_equal "$(field_names)" 'Connection Date ETag Keep-Alive Last-Modified Vary '
	assert_equal "$(field ETag)" "$tag"
}

@test "an empty neighbour is sent as it is" {
	make_file x.css
	: >"$tree/x.css.gz"
	ask_coded x.css gzip
	assert_status 200 ok
	assert_equal "$(field Content-Length)" 0
	assert_equal "$(field Content-Encoding)" gzip
}

@test "large neighbours arrive byte for byte" {
	make_file x.css gz
	head -c 1000000 /dev/urandom >"$tree/x.css.gz"
	ask_coded x.css gzip
	assert_status 200 ok
	assert_coding gzip
}

@test "a neighbour that is older by less than a second is passed over, unless it keeps no fractions" {
	echo plain >"$tree/within.css"
	echo coded >"$tree/within.css.br"
	touch -d '1994-11-06 08:49:37.500 UTC' "$tree/within.css"
	touch -d '1994-11-06 08:49:37.400 UTC' "$tree/within.css.br"
	ask 'GET /within.css HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n' "$tree"
	assert_status 200 ok
	assert_equal "$(content)" plain
	touch -d '1994-11-06 08:49:37 UTC' "$tree/within.css.br"
	ask 'GET /within.css HTTP/1.1\r\nHost: x\r\nAccept-Encoding: br\r\n\r\n' "$tree"
	assert_equal "$(content)" coded
}
