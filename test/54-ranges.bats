# Ranges: parts of files, one or several, and when there are none (RFC 9110 14).

load lib
load requests
load spawn

MODIFIED='Sun, 06 Nov 1994 08:49:37 GMT'

setup() {
	tree=$BATS_TEST_TMPDIR/tree
	mkdir -p "$tree"
	file=$tree/data.bin
	# A thousand bytes of which no two neighbouring pairs are alike.
	seq -w 0 332 | tr '\n' ' ' | head -c 1000 >"$file"
	touch -d "$MODIFIED" "$file"
	options=(--persist=always)
}

ranges_of() {
	"$TOP/test/tools/byteranges.py" "$1" application/octet-stream
}

# Rows: the value of Range, and what comes of it for a file of 1000 bytes.
single_ranges() {
	cat <<-'ROWS'
		bytes=0-0                             | 206 0-0
		bytes=0-499                           | 206 0-499
		bytes=500-999                         | 206 500-999
		bytes=999-999                         | 206 999-999
		bytes=0-999                           | 206 0-999
		bytes=0-                              | 206 0-999
		bytes=1-                              | 206 1-999
		bytes=500-                            | 206 500-999
		bytes=999-                            | 206 999-999
		bytes=-1                              | 206 999-999
		bytes=-500                            | 206 500-999
		bytes=-999                            | 206 1-999
		bytes=-1000                           | 206 0-999
		bytes=-1001                           | 206 0-999
		bytes=-18446744073709551616           | 206 0-999
		bytes=-99999999999999999999999999     | 206 0-999
		bytes=0-1000                          | 206 0-999
		bytes=999-1000                        | 206 999-999
		bytes=5-18446744073709551614          | 206 5-999
		bytes=5-18446744073709551615          | 206 5-999
		bytes=5-18446744073709551616          | 206 5-999
		bytes=5-9223372036854775807           | 206 5-999
		bytes=5-9223372036854775808           | 206 5-999
		bytes=5-99999999999999999999999999    | 206 5-999
		bytes=00-0000000000000000000000000001 | 206 0-1
		bytes=0000000000000000000000000000-00 | 206 0-0
		bytes=-00000000000000000000000000001  | 206 999-999
		BYTES=0-1                             | 206 0-1
		Bytes=-1                              | 206 999-999
		bytes=0-1,                            | 206 0-1
		bytes=,0-1                            | 206 0-1
		bytes=, ,\t, 0-1 ,,                   | 206 0-1
		bytes=0-1,1000-                       | 206 0-1
		bytes=1000-,0-1,-0                    | 206 0-1
		bytes=1000-                           | 416 */1000
		bytes=1000-1000                       | 416 */1000
		bytes=1000-2000                       | 416 */1000
		bytes=9999999999-                     | 416 */1000
		bytes=4294967296-4294967297           | 416 */1000
		bytes=9223372036854775807-            | 416 */1000
		bytes=18446744073709551615-           | 416 */1000
		bytes=18446744073709551616-           | 416 */1000
		bytes=18446744073709551616-18446744073709551617 | 416 */1000
		bytes=-0                              | 416 */1000
		bytes=-000                            | 416 */1000
		bytes=1000-,2000-,-0                  | 416 */1000
		(empty)                               | 200
		bytes                                 | 200
		bytes=                                | 200
		bytes=,                               | 200
		bytes=-                               | 200
		bytes=--1                             | 200
		bytes=1                               | 200
		bytes=x                               | 200
		bytes=a-b                             | 200
		bytes=0-x                             | 200
		bytes=x-0                             | 200
		bytes=0-0x                            | 200
		bytes=0x0-1                           | 200
		bytes=+0-1                            | 200
		bytes=0-+1                            | 200
		bytes=0--1                            | 200
		bytes=0-1-2                           | 200
		bytes=1:-90                           | 200
		bytes=0.0-1                           | 200
		bytes=0-1;x                           | 200
		bytes=0 -1                            | 200
		bytes=0- 1                            | 200
		bytes=- 1                             | 200
		bytes=0-1 5-6                         | 200
		bytes=0-1;5-6                         | 200
		bytes=0-1/1000                        | 200
		bytes=*                               | 200
		bytes=1-0                             | 200
		bytes=999-998                         | 200
		bytes=2000-1999                       | 200
		bytes=0-1,1-0                         | 200
		bytes=1000-,x                         | 200
		bytes=0-1,x                           | 200
		bytes=0-1,-                           | 200
		bytes=0-1,bytes=5-6                   | 200
		bytes =0-1                            | 200
		bytes:0-1                             | 200
		bytes 0-1                             | 200
		bytes 0-1/1000                        | 200
		byte=0-1                              | 200
		bytess=0-1                            | 200
		octets=0-1                            | 200
		lines=0-1                             | 200
		none                                  | 200
		=0-1                                  | 200
		0-1                                   | 200
		"bytes=0-1"                           | 200
		bytes="0-1"                           | 200
		bytes=0-0 + bytes=1-1                 | 200
		bytes=0-0 + bytes=0-0                 | 200
		bytes=0-0 + x=1                       | 200
		bytes=1000- + bytes=1000-             | 200
	ROWS
}

@test "each of a hundred ranges is served, refused or ignored, with the right bytes" {
	local value wanted lines
	while IFS='|' read -r value wanted; do
		read -r value <<<"$value"
		field_lines Range "$value"
		row "Range: $value" "${wanted# }" GET /data.bin "${lines[@]}"
	done < <(single_ranges)
	[ "${#row_names[@]}" -ge 95 ]
	check_rows ranges_of "$file"
}

several_ranges() {
	cat <<-'ROWS'
		bytes=0-0,500-500             | 206 multipart 0-0 500-500
		bytes=500-500,0-0             | 206 multipart 500-500 0-0
		bytes=-1,0-0                  | 206 multipart 999-999 0-0
		bytes=0-0,-1                  | 206 multipart 0-0 999-999
		bytes=0-99,300-399,600-699    | 206 multipart 0-99 300-399 600-699
		bytes=900-,0-9,800-809        | 206 multipart 900-999 0-9 800-809
		bytes=0-0 , 500-500           | 206 multipart 0-0 500-500
		bytes=0-0,\t500-500,          | 206 multipart 0-0 500-500
		bytes=,,0-0,,,500-500,,       | 206 multipart 0-0 500-500
		BYTES=0-0,500-500             | 206 multipart 0-0 500-500
		bytes=0-0,2000-,500-500       | 206 multipart 0-0 500-500
		bytes=-0,0-0,500-500          | 206 multipart 0-0 500-500
		bytes=0-0,500-99999999999999999999 | 206 multipart 0-0 500-999
		bytes=0-9,89-99               | 206 0-99
		bytes=0-9,90-99               | 206 multipart 0-9 90-99
		bytes=90-99,0-9               | 206 multipart 90-99 0-9
		bytes=89-99,0-9               | 206 0-99
		bytes=0-99,100-199            | 206 0-199
		bytes=100-199,0-99            | 206 0-199
		bytes=0-99,50-149             | 206 0-149
		bytes=50-149,0-99             | 206 0-149
		bytes=0-99,10-19              | 206 0-99
		bytes=10-19,0-99              | 206 0-99
		bytes=0-0,0-0                 | 206 0-0
		bytes=0-,0-,0-                | 206 0-999
		bytes=-1,-1,-1                | 206 999-999
		bytes=0-,-1                   | 206 0-999
		bytes=-1000,0-999             | 206 0-999
		bytes=0-0,80-80,160-160       | 206 0-160
		bytes=0-0,81-81,162-162       | 206 multipart 0-0 81-81 162-162
		bytes=0-0,300-300,600-600,1-1 | 206 multipart 0-1 300-300 600-600
		bytes=0-499,900-909,500-599   | 206 multipart 0-599 900-909
		bytes=0-100,200-300,150-160   | 206 0-300
		bytes=0-9,200-209,400-409,50-350 | 206 0-409
		bytes=0-1,500-501,1-0         | 200
		bytes=0-1,500-501,x           | 200
		bytes=0-1;500-501             | 200
	ROWS
}

@test "several ranges are parts in the order of the request, near ones joined" {
	local value wanted
	while IFS='|' read -r value wanted; do
		read -r value <<<"$value"
		row "Range: $value" "${wanted# }" GET /data.bin "Range: $value"
	done < <(several_ranges)
	check_rows ranges_of "$file"
}

@test "joining some ranges does not change the order of the others" {
	row 'the last comes first' '206 multipart 900-909 0-19' \
		GET /data.bin 'Range: bytes=900-909,0-9,5-19'
	row 'joined by the third' '206 multipart 500-519 900-909 0-9' \
		GET /data.bin 'Range: bytes=510-519,900-909,500-509,0-9'
	check_rows ranges_of "$file"
}

@test "any set of ranges has each byte that was asked for, once" {
	head -c 20000 /dev/urandom >"$file"
	talk "$tree" <<-'EOP'
		import re
		import byteranges
		import answers
		random.seed(1)
		file = os.open(os.path.join(sys.argv[1], "data.bin"), os.O_RDONLY)
		sets = []
		for _ in range(400):
		    spread = random.choice((200, 2000, 20000))
		    count = random.choice((1, 2, 3, 5, 20, 64, 256))
		    sets.append([])
		    for _ in range(count):
		        first = random.randrange(spread)
		        length = random.choice((1, 10, 100, 1000))
		        sets[-1].append((first, min(first + length, 20000)))
		stream = b"".join(get("/data.bin", "Range: bytes=" + ",".join(
		    f"{first}-{end - 1}" for first, end in wanted)) for wanted in sets)
		done = subprocess.run([HTTPD, sys.argv[1]], input=stream,
		                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
		import io
		came = list(answers.read_answers(io.BytesIO(done.stdout)))
		check("answers", len(came), len(sets))
		for wanted, answer in zip(sets, came):
		    line = byteranges.check_answer(file, answer)
		    got = [(int(a), int(b) + 1) for a, b in re.findall(r"(\d+)-(\d+)", line)]
		    bytes_wanted = set().union(*(range(*r) for r in wanted))
		    bytes_got = set().union(*(range(*r) for r in got))
		    if answer.status != "206" or not bytes_wanted <= bytes_got:
		        sys.exit(f"wanted: {wanted}\ngot:    {line}")
		    check(f"bytes sent twice for {wanted}", sum(b - a for a, b in got),
		          len(bytes_got))
		    ends = sorted(got)
		    for (_, end), (first, _) in zip(ends, ends[1:]):
		        if first - end < 80:
		            sys.exit(f"a gap of {first - end} bytes in {line} for {wanted}")
		    # What nobody asked for fills gaps of less than 80 bytes only.
		    extra = sorted(bytes_got - bytes_wanted)
		    run = 0
		    for at, byte in enumerate(extra):
		        run = run + 1 if at and extra[at - 1] == byte - 1 else 1
		        if run >= 80:
		            sys.exit(f"{line} has much more than {wanted}")
		    if len(wanted) == len(got):
		        check("order", got, wanted)
	EOP
}

# series COUNT FIRST [LAST]: so many ranges, of the arithmetic expressions in i.
series() {
	local i list=bytes=
	for ((i = 0; i < $1; i++)); do
		list+="$(($2))-${3:+$(($3))},"
	done
	printf '%s' "${list%,}"
}

# spread COUNT: so many ranges of one byte, each 200 bytes behind the last.
spread() {
	series "$1" 'i * 200' 'i * 200'
}

@test "256 ranges are honoured, 257 are not" {
	head -c 100000 /dev/urandom >"$file"
	local parts
	parts=$(spread 256)
	parts=${parts#bytes=}
	row '256 ranges' "206 multipart ${parts//,/ }" GET /data.bin "Range: $(spread 256)"
	row '257 ranges' 200 GET /data.bin "Range: $(spread 257)"
	row '256 ranges and empty members' "206 multipart ${parts//,/ }" \
		GET /data.bin "Range: $(spread 256),,,"
	row '256 and one that is not satisfiable' 200 \
		GET /data.bin "Range: $(spread 256),100000-"
	row '256 and a repeated one' 200 GET /data.bin "Range: $(spread 256),0-0"
	row '900 ranges' 200 GET /data.bin "Range: $(series 900 i i)"
	row '256 that are not satisfiable' '416 */100000' GET /data.bin \
		"Range: $(series 256 '100000 + i')"
	row '257 that are not satisfiable' 200 GET /data.bin \
		"Range: $(series 257 '100000 + i')"
	check_rows ranges_of "$file"
}

@test "no set of ranges makes an answer much longer than the file" {
	head -c 1000000 /dev/urandom >"$file"
	row 'all, 256 times' '206 0-999999' GET /data.bin \
		"Range: $(series 256 0)"
	row 'all but a byte each' '206 0-999999' GET /data.bin \
		"Range: $(series 256 i)"
	row 'growing suffixes' '206 999744-999999' GET /data.bin \
		"Range: bytes=-1$(printf ',-%d' $(seq 2 256))"
	row 'one in the other' '206 0-999999' GET /data.bin \
		"Range: $(series 256 i '999999 - i')"
	row 'overlapping by a byte' '206 0-768000' GET /data.bin \
		"Range: $(series 256 'i * 3000' 'i * 3000 + 3000')"
	row 'a byte of each eighty' "206 0-20400" GET /data.bin \
		"Range: $(series 256 'i * 80' 'i * 80')"
	row 'a byte of each eighty, from the end' "206 0-20400" GET /data.bin \
		"Range: $(series 256 '(255 - i) * 80' '(255 - i) * 80')"
	row 'the tiniest parts that are sent, the whole file' 200 GET /data.bin
	check_rows ranges_of "$file"
	ask_one GET /data.bin "Range: $(spread 256)"
	assert_status 206 partial
	[ "$(field Content-Length)" -lt $((256 * 250)) ]
}

@test "206 has the fields of 200, and Content-Range" {
	settle "$file"
	ask_one GET /data.bin
	assert_status 200 ok
	assert_equal "$(field Accept-Ranges)" bytes
	local wanted
	wanted=$(grep -vE '^(HTTP/|Date|Content-Length)' <<<"$head" | sort)
	ask_one GET /data.bin 'Range: bytes=100-199'
	assert_status 206 partial
	assert_equal "$(field Content-Range)" 'bytes 100-199/1000'
	assert_equal "$(field Content-Length)" 100
	assert_equal "$(grep -vE '^(HTTP/|Date|Content-(Length|Range))' <<<"$head" | sort)" \
		"$wanted"
	assert_equal "$(sed -n 1p <<<"$head")" 'HTTP/1.1 206 Partial Content'
	content | cmp - <(tail -c +101 "$file" | head -c 100)
}

@test "several parts have one head without Content-Range, and one each with it" {
	settle "$file"
	ask_one GET /data.bin
	local wanted
	wanted=$(grep -vE '^(HTTP/|Date|Content-(Length|Type))' <<<"$head" | sort)
	ask_one GET /data.bin 'Range: bytes=0-1,500-501'
	assert_status 206 partial
	assert_equal "$(grep -vE '^(HTTP/|Date|Content-(Length|Type))' <<<"$head" | sort)" \
		"$wanted"
	assert_regex "$(field Content-Type)" '^multipart/byteranges; boundary="?[0-9a-f]{32}"?$'
	assert_equal "$(content | wc -c)" "$(field Content-Length)"
	assert_equal "$(content | grep -ac '^Content-Range: bytes ')" 2
}

@test "each part has the type that the whole has" {
	cp -p "$file" "$tree/data.html"
	row html '206 multipart 0-1 500-501' GET /data.html 'Range: bytes=0-1,500-501'
	check_rows "$TOP/test/tools/byteranges.py" "$file" 'text/html; charset=utf-8'
}

@test "another answer has another boundary" {
	local i
	for i in 1 2 3; do
		request GET /data.bin 'Range: bytes=0-1,500-501'
		request GET /data.bin 'Range: bytes=0-1,500-501'
	done
	ask "$requests" "$tree"
	"$TOP/test/tools/answers.py" Content-Type <"$answer" >"$BATS_TEST_TMPDIR/types"
	ask "$requests" "$tree"
	"$TOP/test/tools/answers.py" Content-Type <"$answer" >>"$BATS_TEST_TMPDIR/types"
	assert_equal "$(sort -u "$BATS_TEST_TMPDIR/types" | wc -l)" 12
}

@test "416 tells the length, has a page, and closes as errors do" {
	options=()
	ask_one GET /data.bin 'Range: bytes=1000-'
	assert_status 416 range-not-satisfiable
	assert_equal "$(field Content-Range)" 'bytes */1000'
	assert_equal "$(field Connection)" close
	assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
	assert_equal "$(content | wc -c)" "$(field Content-Length)"
	assert_regex "$(content)" '<h1>416 Range Not Satisfiable</h1>'
	ask_one GET /data.bin 'Range: bytes=0-0'
	assert_equal "$(field Connection)" keep-alive
}

@test "an empty file has no ranges, and is sent whole" {
	: >"$tree/empty.bin"
	row 'from the start' 200 GET /empty.bin 'Range: bytes=0-'
	row 'the first byte' 200 GET /empty.bin 'Range: bytes=0-0'
	row 'the second byte' 200 GET /empty.bin 'Range: bytes=1-'
	row 'far behind the end' 200 GET /empty.bin 'Range: bytes=99999-'
	row 'the last byte' 200 GET /empty.bin 'Range: bytes=-1'
	row 'the last bytes' 200 GET /empty.bin 'Range: bytes=-500'
	row 'the last none' 200 GET /empty.bin 'Range: bytes=-0'
	row 'several' 200 GET /empty.bin 'Range: bytes=0-0,5-'
	row 'no range' 200 GET /empty.bin 'Range: bytes=x'
	row 'none' 200 GET /empty.bin
	check_rows ranges_of "$tree/empty.bin"
}

@test "a file of one byte has one range" {
	printf x >"$tree/one.bin"
	row 'bytes=0-' '206 0-0' GET /one.bin 'Range: bytes=0-'
	row 'bytes=-5' '206 0-0' GET /one.bin 'Range: bytes=-5'
	row 'bytes=1-' '416 */1' GET /one.bin 'Range: bytes=1-'
	row 'bytes=0-0,-1' '206 0-0' GET /one.bin 'Range: bytes=0-0,-1'
	check_rows ranges_of "$tree/one.bin"
}

# Rows: fields apart by " & ", TAG being the file's, and what comes of them.
conditional_ranges() {
	cat <<-'ROWS'
		If-Range: TAG                                 | 206 0-9
		If-Range: W/TAG                               | 200
		If-Range: "other"                             | 200
		If-Range: W/"other"                           | 200
		If-Range: ""                                  | 200
		If-Range: *                                   | 200
		If-Range:                                     | 200
		If-Range: x                                   | 200
		If-Range: TAG, "other"                        | 200
		If-Range: "other", TAG                        | 200
		If-Range: TAG x                               | 200
		If-Range: TAG & If-Range: TAG                 | 200
		If-Range: TAG & If-Range: "other"             | 200
		If-Range: Sun, 06 Nov 1994 08:49:37 GMT       | 206 0-9
		If-Range: Sun, 06 Nov 1994 08:49:36 GMT       | 200
		If-Range: Sun, 06 Nov 1994 08:49:38 GMT       | 200
		If-Range: Fri, 31 Dec 9999 23:59:59 GMT       | 200
		If-Range: Sun, 06 Nov 1994 08:49:37           | 200
		If-Range: "Sun, 06 Nov 1994 08:49:37 GMT"     | 200
		If-None-Match: TAG                            | 304
		If-None-Match: "other"                        | 206 0-9
		If-None-Match: TAG & If-Range: TAG            | 304
		If-None-Match: "other" & If-Range: TAG        | 206 0-9
		If-None-Match: "other" & If-Range: "other"    | 200
		If-Match: TAG                                 | 206 0-9
		If-Match: W/TAG                               | 412
		If-Match: "other"                             | 412
		If-Match: TAG & If-Range: "other"             | 200
		If-Match: "other" & If-Range: TAG             | 412
		If-Modified-Since: Sun, 06 Nov 1994 08:49:37 GMT   | 304
		If-Modified-Since: Sun, 06 Nov 1994 08:49:36 GMT   | 206 0-9
		If-Unmodified-Since: Sun, 06 Nov 1994 08:49:37 GMT | 206 0-9
		If-Unmodified-Since: Sun, 06 Nov 1994 08:49:36 GMT | 412
	ROWS
}

# rows_of_conditions RANGE OUTCOME: a row for each of them, for another range;
# OUTCOME is what comes of that one where it is honoured.
rows_of_conditions() {
	local conditions wanted tag lines
	settle "$file"
	ask_one GET /data.bin
	tag=$(field ETag)
	while IFS='|' read -r conditions wanted; do
		read -r conditions <<<"${conditions//TAG/$tag}"
		mapfile -t lines <<<"${conditions// & /$'\n'}"
		read -r wanted <<<"${wanted/206*/$2}"
		row "$1 ${lines[*]}" "$wanted" GET /data.bin \
			"Range: $1" "${lines[@]}"
	done < <(conditional_ranges)
}

@test "If-Range has its range where the validator is strong and the same" {
	rows_of_conditions bytes=0-9 '206 0-9'
	check_rows ranges_of "$file"
}

@test "If-Range does the same to several ranges" {
	rows_of_conditions bytes=0-9,500-509 '206 multipart 0-9 500-509'
	check_rows ranges_of "$file"
}

@test "a range that is not satisfiable is refused only where If-Range holds" {
	rows_of_conditions bytes=1000- '416 */1000'
	check_rows ranges_of "$file"
}

@test "a range that is ignored changes nothing of the conditions" {
	rows_of_conditions lines=1-2 200
	check_rows ranges_of "$file"
}

@test "If-Range without Range is ignored" {
	row 'the tag' 200 GET /data.bin 'If-Range: "other"'
	row 'the date' 200 GET /data.bin "If-Range: $MODIFIED"
	check_rows ranges_of "$file"
}

@test "a file that has just changed has no range by its tag, nor one dated in the future by its date" {
	local tag date
	touch -d '+1 day' "$file"
	for tag in new settled; do
		[ "$tag" = new ] || settle "$file"
		ask_one GET /data.bin
		date=$(field Last-Modified)
		tag=$(field ETag)
		row 'no condition' '206 0-9' GET /data.bin 'Range: bytes=0-9'
		[[ $tag != W/* ]] ||
			row 'its weak tag' 200 GET /data.bin 'Range: bytes=0-9' "If-Range: $tag"
		row 'its date as sent' 200 GET /data.bin 'Range: bytes=0-9' "If-Range: $date"
		row 'its own date' 200 GET /data.bin 'Range: bytes=0-9' \
			"If-Range: $(LC_ALL=C date -u -r "$file" '+%a, %d %b %Y %H:%M:%S GMT')"
		check_rows ranges_of "$file"
	done
	row 'its strong tag' '206 0-9' GET /data.bin 'Range: bytes=0-9' "If-Range: $tag"
	check_rows ranges_of "$file"
}

@test "a file dated 1 has no date that If-Range could name" {
	touch -d @1 "$file"
	row 'its date' 200 GET /data.bin 'Range: bytes=0-9' \
		'If-Range: Thu, 01 Jan 1970 00:00:01 GMT'
	check_rows ranges_of "$file"
}

@test "a file that was replaced is sent whole, not in parts of two files" {
	settle "$file"
	ask_one GET /data.bin
	local tag
	tag=$(field ETag)
	head -c 1000 /dev/urandom >"$tree/new"
	touch -d "$MODIFIED" "$tree/new"
	mv "$tree/new" "$file"
	settle "$file"
	row 'the old tag' 200 GET /data.bin 'Range: bytes=500-' "If-Range: $tag"
	row 'the old tag' 412 GET /data.bin 'Range: bytes=500-' "If-Match: $tag"
	check_rows ranges_of "$file"
}

@test "HEAD ignores ranges" {
	local value
	for value in bytes=0-9 bytes=1000- bytes=0-0,500-500 x; do
		row "$value" '200 1000 bytes -' HEAD /data.bin "Range: $value"
		row "$value, If-Range" '200 1000 bytes -' HEAD /data.bin "Range: $value" \
			'If-Range: "other"'
	done
	check_rows "$TOP/test/tools/answers.py" --head Content-Length Accept-Ranges \
		Content-Range
}

@test "what is no file's content has no ranges" {
	mkdir "$tree/dir"
	echo '/old /new' >"$tree/_redirects"
	cp "$file" "$tree/404.html"
	local target wanted
	while read -r target wanted; do
		row "$target" "$wanted - -" GET "$target" 'Range: bytes=0-9'
		row "$target" "$wanted - -" GET "$target" 'Range: bytes=9999-'
	done <<-'ROWS'
		/none 404
		/old 301
		/dir 301
		/.hidden 404
	ROWS
	row POST '405 - -' POST /data.bin 'Range: bytes=0-9'
	check_rows "$TOP/test/tools/answers.py" Content-Range Accept-Ranges
}

@test "an index and HTTP/1.0 have ranges too" {
	cp -p "$file" "$tree/index.html"
	row index '206 10-19' GET / 'Range: bytes=10-19'
	row index '206 multipart 10-19 500-509' GET / 'Range: bytes=10-19,500-509'
	check_rows "$TOP/test/tools/byteranges.py" "$file" 'text/html; charset=utf-8'
	ask 'GET /data.bin HTTP/1.0\r\nRange: bytes=10-19\r\n\r\n' "$tree"
	assert_status 206 partial
	content | cmp - <(tail -c +11 "$file" | head -c 10)
}

@test "ranges of every size around the limits arrive byte for byte" {
	head -c 300000 /dev/urandom >"$file"
	local size first
	for size in 1 2 4095 4096 4097 16383 16384 16385 32767 32768 32769 65536 100000; do
		for first in 0 1 4095 4096 65537 199999; do
			row "$size bytes from $first" "206 $first-$((first + size - 1))" \
				GET /data.bin "Range: bytes=$first-$((first + size - 1))"
		done
		row "the last $size bytes" "206 $((300000 - size))-299999" \
			GET /data.bin "Range: bytes=-$size"
		row "two of $size bytes" "206 multipart 0-$((size - 1)) 200000-$((200000 + size - 1))" \
			GET /data.bin "Range: bytes=0-$((size - 1)),200000-$((200000 + size - 1))"
	done
	check_rows ranges_of "$file"
}

# huge_tree: sets $tree to one in memory with a sparse file of 5 GiB that has
# a few bytes around each place that a number of 32 bits cannot hold.
huge_tree() {
	tree=$(mktemp -d /dev/shm/httpd-test.XXXXXX)
	file=$tree/huge.bin
	truncate -s 5G "$file"
	local at
	for at in 0 2147483640 4294967290 5368709104; do
		seq -f '%016.0f' "$at" $((at + 3)) | tr -d '\n' | head -c 16 |
			dd of="$file" bs=1 seek="$at" conv=notrunc status=none
	done
	touch -d "$MODIFIED" "$file"
}

teardown() {
	case $tree in
	/dev/shm/httpd-test.*) rm -r "$tree" ;;
	esac
}

@test "ranges beyond 4 GiB have the bytes of that place" {
	huge_tree
	row 'across 2 GiB' '206 2147483640-2147483655' \
		GET /huge.bin 'Range: bytes=2147483640-2147483655'
	row 'across 4 GiB' '206 4294967290-4294967305' \
		GET /huge.bin 'Range: bytes=4294967290-4294967305'
	row 'from 4 GiB' '206 4294967296-4294967296' \
		GET /huge.bin 'Range: bytes=4294967296-4294967296'
	row 'the end' '206 5368709104-5368709119' GET /huge.bin 'Range: bytes=5368709104-'
	row 'the last byte' '206 5368709119-5368709119' GET /huge.bin 'Range: bytes=-1'
	row 'clipped' '206 5368709119-5368709119' \
		GET /huge.bin 'Range: bytes=5368709119-99999999999'
	row 'behind the end' '416 */5368709120' GET /huge.bin 'Range: bytes=5368709120-'
	row 'parts' '206 multipart 4294967290-4294967299 0-9 5368709110-5368709119' \
		GET /huge.bin 'Range: bytes=4294967290-4294967299,0-9,-10'
	row '4 GiB apart' '206 multipart 0-0 4294967296-4294967296' \
		GET /huge.bin 'Range: bytes=0-0,4294967296-4294967296'
	check_rows ranges_of "$file"
}

@test "the length of a range longer than 4 GiB is right" {
	huge_tree
	talk "$tree" <<-'EOP'
		for ranges, length in (("10-", 5 * GiB - 10), ("0-4294967295", 4 * GiB),
		                       ("-4294967297", 4 * GiB + 1)):
		    c = Handler(root=sys.argv[1])
		    c.send(get("/huge.bin", f"Range: bytes={ranges}"))
		    answer = c.read_head()
		    check("status", answer.status, 206)
		    check("Content-Length", answer.length, length)
		    c.reset()
		    c.wait()
		    check("exit", c.exit, 0)
	EOP
}

@test "ranges of a file of many terabytes are found at once" {
	huge_tree
	truncate -s 8000G "$file"
	row 'the end' '206 8589934591990-8589934591999' \
		GET /huge.bin 'Range: bytes=8589934591990-'
	row 'the last' '206 8589934591999-8589934591999' GET /huge.bin 'Range: bytes=-1'
	check_rows ranges_of "$file"
}

# traced RANGE: asks for a range over a socket; leaves what was called to send
# it in $calls, and the answer in $answer.
traced() {
	answer=$BATS_TEST_TMPDIR/answer exit=0
	: >"$BATS_TEST_TMPDIR/log"
	talk "$1" "$tree" "$answer" <<-'EOP'
		c = Handler(root=sys.argv[2], before=["strace", "-qq", "-o",
		    os.path.join(TMP, "strace"), "-e",
		    "trace=/^(send|sendto|sendmsg|sendfile|sendfile64|write|writev)$"])
		c.send(get("/data.bin", f"Range: bytes={sys.argv[1]}", "Connection: close"))
		with open(sys.argv[3], "wb") as file:
		    file.write(c.read_to_end())
		c.wait()
		check("exit", c.exit, 0)
	EOP
	calls=$(sed -n 's/^sendfile64/sendfile/; s/^\(sendfile\)(.*/\1/p' \
		"$BATS_TEST_TMPDIR/strace")
}

@test "a large range leaves by sendfile, from its place" {
	head -c 1000000 /dev/urandom >"$file"
	traced 123456-923455
	assert_equal "$(ranges_of "$file" <"$answer")" '206 123456-923455'
	assert_equal "$(uniq <<<"$calls")" sendfile
	refute grep -qE '^(send|sendto|write|writev)\(1, .{32}.*, [0-9]{5,}' \
		"$BATS_TEST_TMPDIR/strace"
}

@test "large parts leave by sendfile, each from its place" {
	head -c 2000000 /dev/urandom >"$file"
	traced 1000000-1799999,100000-899999
	assert_equal "$(ranges_of "$file" <"$answer")" \
		'206 multipart 1000000-1799999 100000-899999'
	[ "$(grep -c sendfile <<<"$calls")" -ge 2 ]
	refute grep -qE '^(send|sendto|write|writev)\(1, .{32}.*, [0-9]{5,}' \
		"$BATS_TEST_TMPDIR/strace"
}

@test "ranges over a file system that does not know sendfile are copied" {
	head -c 1000000 /dev/urandom >"$file"
	local program=$HTTPD
	cat >"$BATS_TEST_TMPDIR/httpd" <<-SH
		#!/bin/sh
		exec strace -qq -o /dev/null -e inject=sendfile,sendfile64:error=EINVAL "$program" "\$@"
	SH
	chmod +x "$BATS_TEST_TMPDIR/httpd"
	talk "$tree" "$BATS_TEST_TMPDIR/httpd" "$BATS_TEST_TMPDIR/came" <<-'EOP'
		import conversation
		conversation.HTTPD = sys.argv[2]
		c = Handler(root=sys.argv[1])
		c.send(get("/data.bin", "Range: bytes=123456-923455"))
		c.send(get("/data.bin", "Range: bytes=500000-999999,1-300000"))
		c.half_close()
		with open(sys.argv[3], "wb") as file:
		    file.write(c.read_to_end())
	EOP
	assert_equal "$(ranges_of "$file" <"$BATS_TEST_TMPDIR/came")" \
		$'206 123456-923455\n206 multipart 500000-999999 1-300000'
}

@test "a client that reads parts slowly gets each of them whole" {
	head -c 3000000 /dev/urandom >"$file"
	talk "$tree" "$BATS_TEST_TMPDIR/came" <<-'EOP'
		c = Handler(root=sys.argv[1], pair=tcp_pair(receive_buffer=8192))
		c.send(get("/data.bin", "Range: bytes=2000000-2999999,0-999999,1500000-1500009"))
		c.half_close()
		with open(sys.argv[2], "wb") as file:
		    file.write(c.read_to_end())
		c.check_ended("partial")
	EOP
	assert_equal "$(ranges_of "$file" <"$BATS_TEST_TMPDIR/came")" \
		'206 multipart 2000000-2999999 0-999999 1500000-1500009'
}

@test "a file that is cut amid its parts ends the connection" {
	talk <<-'EOP'
		root = site(large=64 * MiB)
		c = Handler(root=root)
		c.send(get("/large", "Range: bytes=40000000-,0-20000000"))
		answer = c.read_head()
		check("status", answer.status, 206)
		c.read(100000)
		os.truncate(os.path.join(root, "large"), 1000)
		rest = len(c.read_to_end())
		check_within("bytes of content", 100000 + rest, 100000, answer.length - 1)
		c.check_ended("file-shrank")
	EOP
}

@test "what the log counts is what was sent" {
	ask_one GET /data.bin 'Range: bytes=100-199'
	assert_regex "$log" ' 206 100 "-" "-" "partial"$'
	ask_one GET /data.bin 'Range: bytes=0-0,500-500'
	assert_regex "$log" " 206 $(field Content-Length) \"-\" \"-\" \"partial\"\$"
	ask_one GET /data.bin 'Range: bytes=1000-'
	assert_regex "$log" " 416 $(field Content-Length) \"-\" \"-\" \"range-not-satisfiable\"\$"
}
