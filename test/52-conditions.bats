# Validators, and requests that depend on them: RFC 9110 8.8 and 13.

load lib
load requests
load filesystems

# The date of the file that is asked for, a second before it and one after.
MODIFIED='Sun, 06 Nov 1994 08:49:37 GMT'
BEFORE='Sun, 06 Nov 1994 08:49:36 GMT'
AFTER='Sun, 06 Nov 1994 08:49:38 GMT'

teardown() {
	unmount_all
}

# A tree that no test changes.
setup_file() {
	make_tree "$BATS_FILE_TMPDIR/tree"
	settle "$BATS_FILE_TMPDIR/tree"
}

setup() {
	tree=$BATS_FILE_TMPDIR/tree
	file=$tree/file.txt
}

make_tree() {
	mkdir -p "$1/dir"
	echo content >"$1/file.txt"
	touch -d '1994-11-06 08:49:37.123456789 UTC' "$1/file.txt"
	echo index >"$1/dir/index.html"
	cp -p "$1/dir/index.html" "$1/404.html"
	echo '/old /new' >"$1/_redirects"
}

# own_tree: a tree for a test that changes it.
own_tree() {
	tree=$BATS_TEST_TMPDIR/tree
	file=$tree/file.txt
	make_tree "$tree"
}

# dated DATE: the file has that date, and its tag is strong.
dated() {
	touch -d "$1" "$file"
	settle "$file"
}

# tag_of FILE: the tag of a file that is settled.
tag_of() {
	local inode size modified changed
	read -r inode size modified changed < <(stat -c '%i %s %.9Y %.9Z' "$1")
	printf '"%x-%x-%x-%x"' "$inode" "$size" $((10#${modified/./})) $((10#${changed/./}))
}

portable_tag_of() {
	local size seconds
	read -r size seconds < <(stat -c '%s %.9Y' "$1")
	printf '"%x-%x"' "$size" $((10#${seconds/./}))
}

imf_date() {
	LC_ALL=C date -u -d "$1" '+%a, %d %b %Y %H:%M:%S GMT'
}

@test "the tag is made of inode, size, date and time of the change in nanoseconds, in hexadecimal" {
	ask_one GET /file.txt
	assert_status 200 ok
	assert_equal "$(field ETag)" "$(tag_of "$file")"
	assert_equal "$(field Last-Modified)" "$MODIFIED"
	options=(--etag=inode)
	ask_one GET /file.txt
	assert_equal "$(field ETag)" "$(tag_of "$file")"
}

@test "a portable tag leaves out the inode and the time of the change" {
	own_tree
	cp -p "$file" "$tree/copy.txt"
	settle "$tree"
	options=(--etag=portable)
	ask_one GET /file.txt
	assert_status 200 ok
	assert_equal "$(field ETag)" "$(portable_tag_of "$file")"
	ask_one GET /copy.txt
	assert_equal "$(field ETag)" "$(portable_tag_of "$file")"
}

@test "another --etag is refused" {
	local value
	for value in '' none Inode; do
		ask '' "--etag=$value" "$tree"
		assert_equal "$exit" 64
		assert_regex "$log" "^httpd: .*'$value'"
	done
}

@test "each change of a file changes its tag" {
	own_tree
	local tags=''
	tag() {
		settle "$file"
		ask_one GET /file.txt
		tags+="$(field ETag)"$'\n'
	}
	tag
	touch -d '1994-11-06 08:49:37.123456790 UTC' "$file" # a nanosecond
	tag
	echo content >>"$file"
	touch -d '1994-11-06 08:49:37.123456790 UTC' "$file" # the size
	tag
	cp -p "$file" "$tree/new"
	mv "$tree/new" "$file" # the inode
	tag
	echo Content >"$tree/new"
	touch -r "$file" "$tree/new"
	cp -p "$tree/new" "$file" # the time of the change alone
	tag
	assert_equal "$(printf '%s' "$tags" | grep -c '^"')" 5
	assert_equal "$(printf '%s' "$tags" | sort -u | wc -l)" 5
}

@test "a release that is unpacked over another, sizes and dates alike, has other tags" {
	own_tree
	local tag release
	for release in 1 2; do
		mkdir "$BATS_TEST_TMPDIR/$release"
		printf 'release %s\n' $release >"$BATS_TEST_TMPDIR/$release/file.txt"
		touch -d '1994-11-06 08:49:37 UTC' "$BATS_TEST_TMPDIR/$release/file.txt"
		tar -C "$BATS_TEST_TMPDIR/$release" -cf "$BATS_TEST_TMPDIR/$release.tar" file.txt
	done
	tar -C "$tree" -xf "$BATS_TEST_TMPDIR/1.tar"
	settle "$file"
	ask_one GET /file.txt
	assert_equal "$(content)" 'release 1'
	tag=$(field ETag)
	# The inode may be the same again: it is what ext4 hands out next.
	tar -C "$tree" -xf "$BATS_TEST_TMPDIR/2.tar"
	settle "$file"
	ask_one GET /file.txt "If-None-Match: $tag"
	assert_status 200 ok
	assert_equal "$(content)" 'release 2'
	ask_one GET /file.txt "If-Range: $tag" 'Range: bytes=5-'
	assert_status 200 ok
	ask_one GET /file.txt "If-Match: $tag"
	assert_status 412 precondition-failed
}

# assert_unsettled: the last response has a weak tag, which matches nothing from
# now on.
assert_unsettled() {
	local tag
	tag=$(field ETag)
	assert_regex "$tag" '^W/"[0-9a-f]{32}"$'
	ask_one GET /file.txt "If-None-Match: $tag"
	assert_status 200 ok
	refute [ "$(field ETag)" = "$tag" ]
	ask_one GET /file.txt "If-Match: $tag"
	assert_status 412 precondition-failed
	ask_one GET /file.txt "If-Range: $tag" 'Range: bytes=0-1'
	assert_status 200 ok
}

@test "a file that changed less than a second ago has a tag that matches nothing, now and later" {
	own_tree
	# The machine may be slow; the program is not, each time.
	local tries tag
	for ((tries = 0; tries < 5; tries++)); do
		touch "$file"
		ask_one GET /file.txt
		[[ $(field ETag) != W/* ]] || break
	done
	tag=$(field ETag)
	assert_regex "$tag" '^W/'
	settle "$file"
	ask_one GET /file.txt "If-None-Match: $tag"
	assert_status 200 ok
	assert_equal "$(field ETag)" "$(tag_of "$file")"
	ask_one GET /file.txt "If-None-Match: $(tag_of "$file")"
	assert_status 304 not-modified
}

@test "a file that was given an old date less than a second ago is as new" {
	own_tree
	local tries
	for options in --etag=inode --etag=portable; do
		for ((tries = 0; tries < 5; tries++)); do
			touch -d '1994-11-06 08:49:37.5 UTC' "$file"
			ask_one GET /file.txt
			[[ $(field ETag) != W/* ]] || break
		done
		assert_equal "$(field Last-Modified)" "$MODIFIED"
		assert_unsettled
	done
}

@test "no two contents have one tag on a file system that counts in seconds" {
	tree=$BATS_TEST_TMPDIR/mount
	file=$tree/file.txt
	mount_new seconds "$tree"
	local tag
	echo '{"v":1}' >"$file"
	assert_equal "$(stat -c %.9Z "$file" | cut -d. -f2)" 000000000
	ask_one GET /file.txt
	assert_equal "$(content)" '{"v":1}'
	tag=$(field ETag)
	echo '{"v":2}' >"$file"
	ask_one GET /file.txt "If-None-Match: $tag"
	assert_status 200 ok
	settle "$file"
	ask_one GET /file.txt "If-None-Match: $tag"
	assert_status 200 ok
	assert_equal "$(content)" '{"v":2}'
	ask_one GET /file.txt "If-None-Match: ${tag#W/}"
	assert_status 200 ok
	assert_equal "$(field ETag)" "$(tag_of "$file")"
}

@test "a date without a fraction of a second may be of a clock that counts by two" {
	own_tree
	local tries second
	# The change itself is settled after a second.
	for ((tries = 0; tries < 20; tries++)); do
		second=$(date +%s)
		touch -d "@$second" "$file"
		settle "$file"
		ask_one GET /file.txt
		[ "$(date +%s)" -ge $((second + 2)) ] || break
	done
	assert_unsettled
	dated "@$second.5"
	ask_one GET /file.txt
	assert_equal "$(field ETag)" "$(tag_of "$file")"
}

@test "a date in the future tells nothing: the time of the change does" {
	own_tree
	touch -d '+1 day' "$file"
	ask_one GET /file.txt
	assert_unsettled
	settle "$file"
	ask_one GET /file.txt
	assert_equal "$(field ETag)" "$(tag_of "$file")"
	assert_equal "$(field Last-Modified)" "$(field Date)"
	options=(--etag=portable)
	ask_one GET /file.txt
	assert_equal "$(field ETag)" "$(portable_tag_of "$file")"
}

@test "a file dated 0 or 1 has no date, and no portable tag" {
	own_tree
	local date
	for date in 0 0.5 1 1.999999999; do
		dated "@$date"
		options=()
		ask_one GET /file.txt
		assert_equal "$(field ETag)" "$(tag_of "$file")"
		has_no Last-Modified
		options=(--etag=portable)
		ask_one GET /file.txt
		assert_status 200 ok
		has_no Last-Modified ETag
	done
	dated @2
	for options in --etag=inode --etag=portable; do
		ask_one GET /file.txt
		assert_equal "$(field Last-Modified)" 'Thu, 01 Jan 1970 00:00:02 GMT'
		field ETag
	done
}

@test "conditions on a date or tag that is not there are as the RFC says" {
	local now
	now=$(imf_date now)
	own_tree
	dated @1
	# 13.1.3, 13.1.4: a date is ignored where there is none to compare with.
	row 'since now' 200 GET /file.txt "If-Modified-Since: $now"
	row 'unmodified since 1970' 200 GET /file.txt \
		'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT'
	row 'the same as the file' 200 GET /file.txt \
		'If-Modified-Since: Thu, 01 Jan 1970 00:00:01 GMT'
	row 'If-None-Match: *' 304 GET /file.txt 'If-None-Match: *'
	row 'If-Match: *' 200 GET /file.txt 'If-Match: *'
	check_rows statuses
	options=(--etag=portable)
	row 'If-None-Match: *' 304 GET /file.txt 'If-None-Match: *'
	row 'If-None-Match: ""' 200 GET /file.txt 'If-None-Match: ""'
	row 'If-None-Match' 200 GET /file.txt "If-None-Match: $(portable_tag_of "$file")"
	row 'If-Match: *' 200 GET /file.txt 'If-Match: *'
	row 'If-Match: ""' 412 GET /file.txt 'If-Match: ""'
	row 'If-Match' 412 GET /file.txt "If-Match: $(portable_tag_of "$file")"
	check_rows statuses
}

@test "a file dated before 1970 has a tag and no date" {
	own_tree
	dated '1960-01-01 UTC'
	ask_one GET /file.txt
	assert_status 200 ok
	has_no Last-Modified
	row 'its tag' 304 GET /file.txt "If-None-Match: $(field ETag)"
	row 'another' 200 GET /file.txt 'If-None-Match: "x"'
	check_rows statuses
}

# If-Match, If-Unmodified-Since, If-None-Match, If-Modified-Since, status.
# true, false: what the condition comes to; -: the field is not there; any:
# whether it is there, and what it would come to, makes no difference.
precedence() {
	cat <<-'ROWS'
		false any   any   any   412
		true  any   false any   304
		true  any   true  any   200
		true  any   -     false 304
		true  any   -     true  200
		true  any   -     -     200
		-     false any   any   412
		-     true  false any   304
		-     true  true  any   200
		-     true  -     false 304
		-     true  -     true  200
		-     true  -     -     200
		-     -     false any   304
		-     -     true  any   200
		-     -     -     false 304
		-     -     -     true  200
		-     -     -     -     200
	ROWS
}

# set_condition FIELD BOOLEAN: the line with which it comes to that in $line.
set_condition() {
	case $1:$2 in
	*:-) line= ;;
	If-Match:true | If-None-Match:false) line="$1: $(tag_of "$file")" ;;
	If-Match:false | If-None-Match:true) line="$1: \"other\"" ;;
	If-Unmodified-Since:true | If-Modified-Since:false) line="$1: $MODIFIED" ;;
	If-Unmodified-Since:false | If-Modified-Since:true) line="$1: $BEFORE" ;;
	esac
}

# rows_of_precedence METHOD: one for each of the 81 combinations.
rows_of_precedence() {
	local wanted match unmodified none modified line a b c d
	local all='true false -'
	while read -r match unmodified none modified wanted; do
		for a in ${match/any/$all}; do
			for b in ${unmodified/any/$all}; do
				for c in ${none/any/$all}; do
					for d in ${modified/any/$all}; do
						row_of_conditions "$1" "$wanted"
					done
				done
			done
		done
	done < <(precedence)
}

# The fields are sent in the reverse order, which is of no account.
row_of_conditions() {
	local lines=()
	set_condition If-Modified-Since "$d"
	lines+=(${line:+"$line"})
	set_condition If-None-Match "$c"
	lines+=(${line:+"$line"})
	set_condition If-Unmodified-Since "$b"
	lines+=(${line:+"$line"})
	set_condition If-Match "$a"
	lines+=(${line:+"$line"})
	row "$1 $a $b $c $d" "$2" "$1" /file.txt "${lines[@]}"
}

@test "every combination of the four conditions is evaluated in the RFC's order" {
	rows_of_precedence GET
	assert_equal "${#row_names[@]}" 81
	assert_equal "$(printf '%s\n' "${row_names[@]}" | sort -u | wc -l)" 81
	check_rows statuses
}

@test "every combination does the same to HEAD" {
	rows_of_precedence HEAD
	check_rows "$TOP/test/tools/answers.py" --head
}

@test "each answer to a condition has its own word in the log" {
	ask_one GET /file.txt "If-None-Match: $(tag_of "$file")"
	assert_status 304 not-modified
	ask_one GET /file.txt "If-Modified-Since: $MODIFIED"
	assert_status 304 not-modified
	ask_one GET /file.txt 'If-Match: "other"'
	assert_status 412 precondition-failed
	ask_one GET /file.txt "If-Unmodified-Since: $BEFORE"
	assert_status 412 precondition-failed
}

# Values, "TAG" being the file's; then what If-None-Match and If-Match make
# of them.  Where there are two, they are on two field lines.
tag_lists() {
	cat <<-'ROWS'
		"TAG"                    | 304 200
		W/"TAG"                  | 304 412
		"other"                  | 200 412
		W/"other"                | 200 412
		*                        | 304 200
		"*"                      | 200 412
		""                       | 200 412
		"other", "TAG"           | 304 200
		"TAG", "other"           | 304 200
		"a","b","TAG","c"        | 304 200
		"a" , "b" , "TAG"        | 304 200
		"a",   "TAG"             | 304 200
		"a",\t"TAG"\t,"b"        | 304 200
		, ,, "TAG",              | 304 200
		,"TAG"                   | 304 200
		W/"a", W/"TAG"           | 304 412
		W/"TAG", "TAG"           | 304 200
		W/"TAG", "other"         | 304 412
		"a,b", "TAG"             | 304 200
		"a, \\", "TAG"           | 304 200
		"\\", "TAG"              | 304 200
		"W/", "TAG"              | 304 200
		"\xfc\xff", "TAG"        | 304 200
		"!#$%&'()~", "TAG"       | 304 200
		"a", "b" + "c", "TAG"    | 304 200
		"TAG" + "other"          | 304 200
		W/"TAG" + "other"        | 304 412
		"a" + "b"                | 200 412
		(empty)                  | 200 412
		(empty) + "TAG"          | 304 200
		,                        | 200 412
		TAG                      | 200 412
		'TAG'                    | 200 412
		"TAG                     | 200 412
		TAG"                     | 200 412
		w/"TAG"                  | 200 412
		W/ "TAG"                 | 200 412
		W"TAG"                   | 200 412
		W/TAG                    | 200 412
		"T"TAG"                  | 200 412
		"tag"                    | 200 412
		"TAG "                   | 200 412
		"TAG", fault             | 304 200
		"other", fault           | 200 412
		x                        | 200 412
	ROWS
}

rows_of_tags() {
	local value none match tag line lines
	tag=$(tag_of "$file")
	tag=${tag//\"/}
	while IFS='|' read -r value none; do
		read -r none match <<<"$none"
		field_lines "$1" "$(sed "s/ *\$//; s/TAG/$tag/g" <<<"$value")"
		[ "$1" = If-None-Match ] || none=$match
		row "$1: $value" "$none" GET /file.txt "${lines[@]}"
	done < <(tag_lists)
}

@test "lists of tags are read member by member for If-None-Match, compared weakly" {
	rows_of_tags If-None-Match
	assert_equal "${#row_names[@]}" 45
	check_rows statuses
}

@test "lists of tags are read member by member for If-Match, compared strongly" {
	rows_of_tags If-Match
	check_rows statuses
}

@test "tags are compared byte by byte" {
	local tag
	tag=$(tag_of "$file")
	row 'the tag' 304 GET /file.txt "If-None-Match: $tag"
	row 'in upper case' 200 GET /file.txt "If-None-Match: ${tag^^}"
	row 'a byte less' 200 GET /file.txt "If-None-Match: ${tag%?\"}\""
	row 'a byte more' 200 GET /file.txt "If-None-Match: ${tag%\"}0\""
	check_rows statuses
}

@test "a list of tags as long as a head can hold is read to its end" {
	local i list=''
	for ((i = 0; i < 1000; i++)); do
		list+="\"$i-$i\", "
	done
	row 'the tag is last' 304 GET /file.txt "If-None-Match: $list$(tag_of "$file")"
	row 'the tag is not there' 200 GET /file.txt "If-None-Match: $list"
	check_rows statuses
}

@test "the tag of a file that has just changed matches no list, but \"*\"" {
	own_tree
	touch -d '+1 day' "$file" # the change is new for a second
	local tag
	tag=$(tag_of "$file")
	row 'If-Match, with the tag to come' 412 GET /file.txt "If-Match: $tag"
	row 'If-Match: *' 200 GET /file.txt 'If-Match: *'
	row 'If-None-Match, with the tag to come' 200 GET /file.txt "If-None-Match: $tag"
	row 'If-None-Match: *' 304 GET /file.txt 'If-None-Match: *'
	check_rows statuses
}

# Dates of the file, one second earlier and later, in the three formats.
@test "dates are read in all three formats" {
	while IFS='|' read -r since unmodified date; do
		row "If-Modified-Since: $date" "$since" GET /file.txt "If-Modified-Since: $date"
		row "If-Unmodified-Since: $date" "$unmodified" GET /file.txt \
			"If-Unmodified-Since: $date"
	done <<-'ROWS'
		304|200|Sun, 06 Nov 1994 08:49:37 GMT
		200|412|Sun, 06 Nov 1994 08:49:36 GMT
		304|200|Sun, 06 Nov 1994 08:49:38 GMT
		304|200|Sunday, 06-Nov-94 08:49:37 GMT
		200|412|Sunday, 06-Nov-94 08:49:36 GMT
		304|200|Sunday, 06-Nov-94 08:49:38 GMT
		304|200|Sun Nov  6 08:49:37 1994
		200|412|Sun Nov  6 08:49:36 1994
		304|200|Sun Nov  6 08:49:38 1994
		304|200|Sun Nov 13 08:49:37 1994
		200|412|Wed Nov  2 08:49:37 1994
		200|412|Thu, 01 Jan 1970 00:00:00 GMT
		304|200|Fri, 31 Dec 9999 23:59:59 GMT
		200|412|Saturday, 29-Feb-92 00:00:00 GMT
		304|200|Tue, 29 Feb 2000 00:00:00 GMT
		200|412|Mon, 01 Jan 1900 00:00:00 GMT
		304|200|  Sun, 06 Nov 1994 08:49:37 GMT \t
	ROWS
	check_rows statuses
}

# rfc850 DATE: with a year of two digits.
rfc850() {
	LC_ALL=C date -u -d "$1" '+%A, %d-%b-%y %H:%M:%S GMT'
}

@test "a year of two digits is at most fifty years ahead" {
	# The file is of 2000.  A date that is taken for the future makes 304 of
	# If-Modified-Since, and one that is taken for the past, 200.
	own_tree
	touch -d '2000-01-01 UTC' "$file"
	while IFS='|' read -r wanted date; do
		row "$date, $(rfc850 "$date")" "$wanted" GET /file.txt \
			"If-Modified-Since: $(rfc850 "$date")"
	done <<-'ROWS'
		304|now
		304|+1 year
		304|+49 years
		304|+50 years -10 days
		200|+50 years +10 days
		200|+51 years
		200|-49 years
		304|-1 year
		304|-20 years
	ROWS
	check_rows statuses
}

bad_dates() {
	cat <<-'ROWS'
		(empty)
		0
		-1
		784111777
		x
		*
		"DATE"
		Sun, 06 Nov 1994 08:49:37
		Sun, 06 Nov 1994 08:49:37 UTC
		Sun, 06 Nov 1994 08:49:37 gmt
		Sun, 06 Nov 1994 08:49:37 +0000
		Sun, 06 Nov 1994 08:49:37 GMT; length=8
		Sun, 06 Nov 1994 08:49:37 GMT x
		Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT
		Sun, 06 Nov 1994 08:49:37 GMT + Sun, 06 Nov 1994 08:49:37 GMT
		Sun, 06 Nov 1994 08:49:37 GMT + x
		Sun, 6 Nov 1994 08:49:37 GMT
		Sun, 006 Nov 1994 08:49:37 GMT
		Sun, 00 Nov 1994 08:49:37 GMT
		Sun, 31 Nov 1994 08:49:37 GMT
		Sun, 30 Feb 1994 08:49:37 GMT
		Mon, 29 Feb 1993 08:49:37 GMT
		Thu, 29 Feb 1900 08:49:37 GMT
		Sun, 32 Dec 1994 08:49:37 GMT
		Sun, 06 Now 1994 08:49:37 GMT
		Sun, 06 nov 1994 08:49:37 GMT
		sun, 06 Nov 1994 08:49:37 GMT
		Sun, 06 November 1994 08:49:37 GMT
		Sun, 06 11 1994 08:49:37 GMT
		Sun, 06 Nov 94 08:49:37 GMT
		Sun, 06 Nov 01994 08:49:37 GMT
		Sun, 06 Nov 1994 24:00:00 GMT
		Sun, 06 Nov 1994 08:60:00 GMT
		Sun, 06 Nov 1994 08:49:61 GMT
		Sun, 06 Nov 1994 8:49:37 GMT
		Sun, 06 Nov 1994 08:49 GMT
		Sun, 06 Nov 1994 08.49.37 GMT
		Sun, 06 Nov 1994 -8:49:37 GMT
		Sun,06 Nov 1994 08:49:37 GMT
		Sun,  06 Nov 1994 08:49:37 GMT
		Sun, 06\tNov 1994 08:49:37 GMT
		06 Nov 1994 08:49:37 GMT
		Son, 06 Nov 1994 08:49:37 GMT
		Sunday, 06 Nov 1994 08:49:37 GMT
		Sun, 06-Nov-94 08:49:37 GMT
		Sun, 06-Nov-1994 08:49:37 GMT
		Sunday, 06-Nov-1994 08:49:37 GMT
		Sunday, 6-Nov-94 08:49:37 GMT
		Sunday, 06-Nov-94 08:49:37
		Sun Nov 6 08:49:37 1994
		Sun Nov  6 08:49:37 94
		Sun Nov  6 08:49:37 1994 GMT
		Sun, Nov  6 08:49:37 1994
		Sunday Nov  6 08:49:37 1994
		1994-11-06T08:49:37Z
		1994-11-06
	ROWS
}

@test "dates that are none are ignored" {
	local value bad lines count=0
	while IFS= read -r value; do
		# The file's date would make 304 of it, and one before it 412.
		bad=${value//DATE/$MODIFIED}
		field_lines If-Modified-Since "$bad"
		row "If-Modified-Since: $bad" 200 GET /file.txt "${lines[@]}"
		bad=${bad//1994/1993}
		field_lines If-Unmodified-Since "${bad//-94/-93}"
		row "If-Unmodified-Since: $bad" 200 GET /file.txt "${lines[@]}"
		count=$((count + 1))
	done < <(bad_dates)
	[ "$count" -ge 50 ]
	check_rows statuses
}

@test "a date of the file's second counts, whatever its nanoseconds" {
	own_tree
	touch -d '1994-11-06 08:49:37.999999999 UTC' "$file"
	row 'its second' 304 GET /file.txt "If-Modified-Since: $MODIFIED"
	row 'its second' 200 GET /file.txt "If-Unmodified-Since: $MODIFIED"
	row 'the next' 304 GET /file.txt "If-Modified-Since: $AFTER"
	check_rows statuses
}

@test "304 has the fields that a cache needs, no others, and no content" {
	ask_one GET /file.txt "If-None-Match: $(tag_of "$file")"
	assert_status 304 not-modified
	assert_equal "$(field_names)" 'Connection Date ETag Keep-Alive Last-Modified '
	assert_equal "$(field ETag)" "$(tag_of "$file")"
	assert_equal "$(field Last-Modified)" "$MODIFIED"
	assert_equal "$(content | wc -c)" 0
	# With a variant, whoever keeps the response must know what it depends on.
	own_tree
	echo zipped >"$file.gz"
	settle "$tree"
	ask_one GET /file.txt "If-None-Match: $(tag_of "$file")"
	assert_status 304 not-modified
	assert_equal "$(field_names)" 'Connection Date ETag Keep-Alive Last-Modified Vary '
	assert_equal "$(field Vary)" Accept-Encoding
}

@test "304 keeps the connection, 412 closes it as errors do unless told otherwise" {
	request GET /file.txt 'If-None-Match: *'
	request GET /file.txt 'If-None-Match: *'
	request GET /file.txt 'If-Match: "other"'
	request GET /file.txt
	ask "$requests" "$tree"
	assert_equal "$("$TOP/test/tools/answers.py" Connection <"$answer" | tr '\n' ';')" \
		'304 keep-alive;304 keep-alive;412 close;'
	ask "$requests" --persist=always "$tree"
	assert_equal "$("$TOP/test/tools/answers.py" Connection <"$answer" | tr '\n' ';')" \
		'304 keep-alive;304 keep-alive;412 keep-alive;200 keep-alive;'
}

@test "412 has a page, and nothing that could be taken for the file's" {
	ask_one GET /file.txt 'If-Match: "other"'
	assert_status 412 precondition-failed
	has_no ETag Last-Modified Accept-Ranges
	assert_equal "$(field Content-Type)" 'text/html; charset=utf-8'
	assert_equal "$(content | wc -c)" "$(field Content-Length)"
	assert_regex "$(content)" '<h1>412 Precondition Failed</h1>'
}

@test "an index has the validators of its file" {
	ask_one GET /dir/
	assert_equal "$(field ETag)" "$(tag_of "$tree/dir/index.html")"
	ask_one GET /dir/ "If-None-Match: $(field ETag)"
	assert_status 304 not-modified
}

@test "where the answer is no file's, conditions are ignored and validators left out" {
	local target wanted line
	while read -r target wanted; do
		for line in 'If-None-Match: *' 'If-Match: "other"' \
			"If-None-Match: $(tag_of "$tree/404.html")" \
			'If-Modified-Since: Fri, 31 Dec 9999 23:59:59 GMT' \
			'If-Unmodified-Since: Thu, 01 Jan 1970 00:00:00 GMT'; do
			row "$target $line" "$wanted - -" GET "$target" "$line"
		done
	done <<-'ROWS'
		/none 404
		/old 301
		/dir 301
		/.hidden 404
		/file.txt/ 404
		/a%2fb 404
	ROWS
	check_rows "$TOP/test/tools/answers.py" ETag Last-Modified
	ask_one GET / 'If-None-Match: *' 'Expect: x'
	assert_status 417 expectation-failed
	ask_one POST /file.txt 'If-None-Match: *'
	assert_status 405 method-not-allowed
	ask_one BREW /file.txt 'If-Match: "other"'
	assert_status 501 method-unknown
}

@test "404.html asked for by its name has validators" {
	ask_one GET /404.html "If-None-Match: $(tag_of "$tree/404.html")"
	assert_status 304 not-modified
}

@test "HTTP/1.0 has conditions too" {
	ask "GET /file.txt HTTP/1.0\r\nIf-Modified-Since: $MODIFIED\r\n\r\n" "$tree"
	assert_status 304 not-modified
	assert_equal "$(field Connection)" close
}

@test "a client that has the tag of one coding is not told that it has another" {
	own_tree
	echo zipped >"$file.gz"
	touch -d '1994-11-06 08:49:37 UTC' "$file.gz"
	settle "$tree"
	local zipped
	zipped=$(tag_of "$file.gz" | sed 's/"$/-gzip"/')
	row 'plain tag, plain' 304 GET /file.txt "If-None-Match: $(tag_of "$file")"
	row 'plain tag, zipped' 200 GET /file.txt 'Accept-Encoding: gzip' \
		"If-None-Match: $(tag_of "$file")"
	row 'zipped tag, zipped' 304 GET /file.txt 'Accept-Encoding: gzip' \
		"If-None-Match: $zipped"
	row 'zipped tag, plain' 200 GET /file.txt "If-None-Match: $zipped"
	row 'both tags, zipped' 304 GET /file.txt 'Accept-Encoding: gzip' \
		"If-None-Match: $(tag_of "$file"), $zipped"
	row 'zipped tag, If-Match, plain' 412 GET /file.txt "If-Match: $zipped"
	check_rows statuses
}
