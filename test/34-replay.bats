# The tables of the unit tests, replayed through the program itself: each row
# whole, a byte at a time, and with another request glued on behind.

setup_file() {
	load lib
	local source table objects=$BATS_FILE_TMPDIR/objects
	# The parts of the unit tests that make rows as they go need the program's
	# functions, which are built plainly here: they are not what is tested.
	mkdir "$objects"
	for source in "$TOP"/src/*.c; do
		case $source in
		*/httpd.c | */upper.c | */upper-client.c | */from-listen-fds.c) continue ;;
		esac
		gcc -c -o "$objects/$(basename "$source" .c).o" "$source"
	done
	for table in HEADS READ CHUNKS LIMITS RANGES CODINGS TAGS IF_RANGES; do
		gcc -I"$TOP/src" -I"$TOP/test/unit" -DTABLE="$table" \
			-o "$BATS_FILE_TMPDIR/$table" "$TOP/test/tools/rows.c" "$objects"/*.o
		"$BATS_FILE_TMPDIR/$table" >"$BATS_FILE_TMPDIR/$table.rows"
	done
}

setup() {
	load lib
}

# replay TABLE LEAST: replays its rows, of which there are at least so many.
replay() {
	export HTTPD FILES
	run python3 -B "$TOP/test/tools/replay.py" "$1" "$BATS_FILE_TMPDIR/$1.rows" "$2"
	assert_success
	assert_line --regexp '^[0-9]+ rows, [0-9]+ conversations, 0 failed$'
}

@test "every head of the unit tests means the same whole, in bytes and before another request" {
	replay HEADS 260
}

@test "every cut, odd or overlong head of the unit tests ends the same however it arrives" {
	replay READ 50
}

@test "every chunked body of the unit tests ends at one place, behind a GET and behind a POST" {
	replay CHUNKS 260
}

@test "chunk lines and trailers around their limits are judged the same however they arrive" {
	replay LIMITS 15
}

@test "every Range field of the unit tests is answered with the bytes that it asks for" {
	replay RANGES 150
}

@test "every Accept-Encoding field of the unit tests is answered in the coding it asks for" {
	replay CODINGS 140
}

@test "every list of tags of the unit tests says the same of a file that is really there" {
	replay TAGS 140
}

@test "every If-Range field of the unit tests says the same of a file that is really there" {
	replay IF_RANGES 29
}
