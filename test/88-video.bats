#!/usr/bin/env bats
# Chromium plays and seeks a long recording by ranges, and reloads by 304.
# shellcheck disable=SC2154  # spawn.bash and browser.bash set what is not set here

bats_require_minimum_version 1.5.0
load lib
load spawn
load browser

# One browser for all tests: they take turns.
export BATS_NO_PARALLELIZE_WITHIN_FILE=true
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy='*'

# An hour of sound at 8000 bytes a second is less than the browser reads ahead;
# one of 16-bit stereo at 48 kHz is 660 MiB, all of it silence, and a hole, but
# for ten seconds of a tone from 50:00.  No codec is needed, and no room.
make_recording() {
	python3 - "$1" <<-'EOP'
		import math, struct, sys
		rate, seconds, frame = 48000, 3600, 4
		length = rate * seconds * frame
		tone = b"".join(struct.pack("<hh", *2 * [int(
		    16000 * math.sin(2 * math.pi * 480 * i / rate))]) for i in range(rate))
		with open(sys.argv[1], "wb") as file:
		    file.write(struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + length,
		        b"WAVE", b"fmt ", 16, 1, 2, rate, rate * frame, frame, 16,
		        b"data", length))
		    file.truncate(44 + length)
		    file.seek(44 + 3000 * rate * frame)
		    file.write(10 * tone)
	EOP
}

setup_file() {
	load lib
	load spawn
	load browser
	export ROOT=$BATS_FILE_TMPDIR/root
	mkdir "$ROOT"
	cp -a "$FILES/." "$ROOT"
	make_recording "$ROOT/sound.wav"
	cat >"$ROOT/player.html" <<-'EOH'
		<!DOCTYPE html>
		<meta charset="utf-8">
		<title>Player</title>
		<link rel="icon" href="/favicon.ico">
		<audio controls preload="metadata"></audio>
	EOH
	{
		printf '<!DOCTYPE html>\n<meta charset="utf-8">\n<title>Long</title>\n'
		seq -f '<p>%.0f' 5000
	} >"$ROOT/long.html"
	touch -d '1 day ago' "$ROOT"/*.html "$ROOT/sound.wav"
	"$BUILD/httpd-precompress" "$ROOT"
	spawn tcpserver "$HTTPD" "$ROOT"
	export URL=$url SPAWN_LOG=$spawn_log
	start_driver
	# Nobody clicks, and there is no loudspeaker.
	start_browser --autoplay-policy=no-user-gesture-required --mute-audio
}

teardown_file() {
	stop_browser
	unspawn
}

# given TARGET STATUS: how often the log has that.
given() {
	grep -cF "\"GET $1 HTTP/1.1\" $2 " "$SPAWN_LOG" || :
}

# wait_for_given TARGET STATUS NUMBER: until the log has it that often.
wait_for_given() {
	local tries
	for ((tries = 0; tries < 1000; tries++)); do
		[ "$(given "$1" "$2")" -lt "$3" ] || return 0
		sleep 0.01
	done
	printf 'wanted: %s times %s with %s\ngot:\n' "$3" "$1" "$2" >&2
	cut -d '"' -f 2,3,8 "$SPAWN_LOG" >&2
	return 1
}

# in_player SCRIPT: evaluates it where the element is loaded; it may await.
in_player() {
	evaluate "
		const media = document.querySelector('audio, video');
		const event = (name) => new Promise((done, fail) => {
			media.addEventListener(name, done, { once: true });
			media.addEventListener('error', () => fail(
				new Error(media.error.message)), { once: true });
		});
		const ready = async (state, name) => {
			while (media.readyState < state)
				await event(name);
		};
		const seek = async (seconds) => {
			const sought = event('seeked');
			media.currentTime = seconds;
			await sought;
			await ready(media.HAVE_FUTURE_DATA, 'canplay');
		};
		const played = async (seconds) => {
			const from = media.currentTime;
			await media.play();
			while (media.currentTime < from + seconds)
				await event('timeupdate');
			media.pause();
			return media.currentTime;
		};
		return (async () => { $1 })();"
}

# load_recording [ELEMENT]: opens the player with a new URL for the recording,
# which the browser has not in its cache.
load_recording() {
	target="/sound.wav?$BATS_TEST_NUMBER"
	open_page "$URL/player.html"
	in_player "
		const element = document.createElement('${1:-audio}');
		element.preload = 'metadata';
		document.body.replaceChildren(element);" >/dev/null
	run in_player "
		const loaded = event('loadedmetadata');
		media.src = '$target';
		await loaded;
		return media.duration + ' ' + media.seekable.end(0);"
	assert_output '3600 3600'
}

# Each place is far from what has been read: for each there is a range.  (An
# answer is logged at its end, and here each ends when the browser goes on.)
seeks_about() {
	local position
	load_recording "$1"
	for position in 3000 600 3599 1800; do
		run in_player "
			await seek($position);
			const within = [...Array(media.buffered.length).keys()].some((i) =>
				media.buffered.start(i) <= $position &&
				media.buffered.end(i) > $position);
			return [media.currentTime, media.readyState >= 3, within].join(' ');"
		assert_output "$position true true"
	done
	open_page about:blank
	wait_for_given "$target" 206 5
	assert_equal "$(given "$target" 200)" 0
}

@test "Chromium seeks in an <audio> by ranges" {
	seeks_about audio
}

@test "Chromium seeks in a <video> by ranges" {
	seeks_about video
}

@test "Chromium plays on from where it was sought, and hears what is there" {
	load_recording audio
	# In the stillness and in the tone: how loud it is, at the most.
	run in_player "
		const context = new AudioContext();
		const meter = context.createAnalyser();
		context.createMediaElementSource(media).connect(meter);
		meter.connect(context.destination);
		await context.resume();
		const samples = new Float32Array(meter.fftSize);
		const loudness = async (seconds) => {
			await seek(seconds);
			if (await played(0.5) < seconds + 0.5)
				throw new Error('it does not play from there');
			media.play();
			await played(0.5);
			meter.getFloatTimeDomainData(samples);
			return Math.max(...samples) > 0.1 ? 'loud' : 'still';
		};
		return [await loudness(60), await loudness(3003), await loudness(2000),
			await loudness(3001)].join(' ');"
	assert_output 'still loud still loud'
}

@test "a reload of / is answered 304, and shows the same page" {
	local before times
	open_page "$URL/"
	before=$(title)
	assert [ -n "$before" ]
	wait_for_given / 200 1
	assert_equal "$(given / 304)" 0
	for times in 1 2; do
		reload_page
		assert_equal "$(title)" "$before"
		wait_for_given / 304 "$times"
		run evaluate 'const [entry] = performance.getEntriesByType("navigation");
			return [entry.type, entry.responseStatus,
				entry.transferSize < entry.encodedBodySize].join(" ")'
		assert_output 'reload 200 true'
	done
	assert_equal "$(given / 200)" 1
}

@test "what Chromium has in its cache it revalidates by 304" {
	local script='const get = async (options) => {
			const answer = await fetch("/a/2.jpg", options);
			return (await answer.blob()).size;
		};
		return (async () => [await get(), await get({ cache: "no-cache" }),
			await get({ cache: "no-cache" })].join(" "))()'
	local size
	size=$(stat -c %s "$ROOT/a/2.jpg")
	open_page "$URL/player.html"
	run evaluate "$script"
	assert_output "$size $size $size"
	wait_for_given /a/2.jpg 304 2
	# And fetches it anew when it has changed.
	cp "$ROOT/a/3.jpg" "$ROOT/a/.new"
	mv "$ROOT/a/.new" "$ROOT/a/2.jpg"
	run evaluate "$script"
	size=$(stat -c %s "$ROOT/a/2.jpg")
	assert_output --partial " $size $size"
	wait_for_given /a/2.jpg 200 2
}

@test "Chromium decodes a compressed neighbour, and revalidates it" {
	open_page "$URL/long.html"
	run evaluate 'const [entry] = performance.getEntriesByType("navigation");
		return [document.querySelectorAll("p").length, document.characterSet,
			document.contentType, entry.decodedBodySize].join(" ")'
	assert_output "5000 UTF-8 text/html $(stat -c %s "$ROOT/long.html")"
	run evaluate 'const [entry] = performance.getEntriesByType("navigation");
		return entry.encodedBodySize'
	assert [ "$output" = "$(stat -c %s "$ROOT/long.html.gz")" ] ||
		[ "$output" = "$(stat -c %s "$ROOT/long.html.br")" ] ||
		[ "$output" = "$(stat -c %s "$ROOT/long.html.zst")" ]
	reload_page
	wait_for_given /long.html 304 1
	run evaluate 'return document.querySelectorAll("p").length'
	assert_output 5000
}
