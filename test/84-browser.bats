#!/usr/bin/env bats
# Chromium, driven over WebDriver by curl and jq, shows the sample tree.
# shellcheck disable=SC2154  # spawn.bash sets what is not set here

load lib
load spawn

# One browser for all tests: they take turns.
export BATS_NO_PARALLELIZE_WITHIN_FILE=true
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy='*'

setup_file() {
	load lib
	load spawn
	spawn tcpserver "$HTTPD" "$FILES"
	tcpserver=$spawner
	export TCPSERVER_URL=$url
	spawn activate-inetd "$HTTPD" "$FILES"
	export ACTIVATE_URL=$url

	start_driver
	start_browser
}

teardown_file() {
	[ -z "${SESSION:-}" ] || driver_does DELETE '' >/dev/null || :
	end_with_children "$driver"
	end_with_children "$tcpserver"
	unspawn
}

# Of --port=0 the driver takes a port that is free on ::1, and gives up where
# the same port of 127.0.0.1 is not: then it gets another chance.
start_driver() {
	local tries said=$BATS_FILE_TMPDIR/driver
	for ((tries = 0; tries < 20; tries++)); do
		: >"$said"
		chromedriver --port=0 >"$said" 2>&1 </dev/null 3>&- &
		driver=$!
		wait_for_line "$said" 'started successfully on port\|Exiting'
		export DRIVER
		DRIVER=http://127.0.0.1:$(sed -n \
			's/.*successfully on port \([0-9]*\).*/\1/p' "$said")
		[ "$DRIVER" = http://127.0.0.1: ] || return 0
		wait "$driver" || :
	done
	cat "$said" >&2
	return 1
}

# The browser may talk to nobody but us.
start_browser() {
	local answer
	answer=$(jq -n --arg profile "$BATS_FILE_TMPDIR/profile" '{
		capabilities: { alwaysMatch: {
			timeouts: { pageLoad: 30000, script: 30000 },
			"goog:chromeOptions": { args: [
				"--headless", "--no-sandbox", "--disable-gpu",
				"--disable-dev-shm-usage", "--disable-quic",
				"--no-first-run", "--disable-background-networking",
				"--disable-component-update", "--disable-sync",
				"--disable-default-apps", "--no-proxy-server",
				"--window-size=1280,1000",
				"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
				"--user-data-dir=" + $profile
			] }
		} }
	}' | curl -qsS --max-time 60 --json @- "$DRIVER/session")
	export SESSION
	SESSION=$(jq -er '.value.sessionId' <<<"$answer") || {
		printf 'the browser does not start: %s\n' "$answer" >&2
		return 1
	}
}

# driver_does METHOD COMMAND [JSON]: prints the value that comes back.
driver_does() {
	local answer body=()
	[ $# -lt 3 ] || body=(--data-binary "$3" -H 'Content-Type: application/json')
	answer=$(curl -qsS --max-time 60 -X "$1" "${body[@]}" \
		"$DRIVER/session/$SESSION$2")
	jq -e '(.value | type) != "object" or (.value | has("error") | not)' \
		<<<"$answer" >/dev/null || {
		printf 'the browser says: %s\n' "$answer" >&2
		return 1
	}
	jq -rc '.value' <<<"$answer"
}

open_page() {
	driver_does POST /url "$(jq -n --arg url "$1" '{ url: $url }')" >/dev/null
}

title() {
	driver_does GET /title
}

# evaluate SCRIPT: what the JavaScript returns in the page, a promise awaited.
evaluate() {
	driver_does POST /execute/sync \
		"$(jq -n --arg script "$1" '{ script: $script, args: [] }')"
}

title_of() {
	sed -n 's,.*<title>\(.*\)</title>.*,\1,p' "$FILES/$1"
}

opens_welcome_page() {
	open_page "$1/"
	run title
	assert_output "$(title_of index.html)"
	run evaluate 'return document.characterSet + " " + document.compatMode +
		" " + performance.getEntriesByType("navigation")[0].nextHopProtocol'
	assert_output 'UTF-8 CSS1Compat http/1.1'
}

follows_redirect() {
	open_page "$1/redirect"
	run driver_does GET /url
	assert_output "$1/result.html"
	run title
	assert_output "$(title_of result.html)"
	# The same by a click, where a page of ours is left.
	open_page "$1/"
	evaluate 'document.querySelector("a[href=\"/redirect\"]").click()' >/dev/null
	run driver_does GET /url
	assert_output "$1/result.html"
}

shows_twelve_pictures() {
	open_page "$1/a/b/ref.html"
	run title
	assert_output "$(title_of a/b/ref.html)"
	# decode() waits until a picture is there, and fails if it is none.
	run evaluate 'return Promise.all([...document.images].map(async (image) => {
			image.loading = "eager";
			await image.decode();
			return image.complete && image.naturalWidth > 0 &&
				image.naturalHeight > 0 && new URL(image.src).pathname;
		})).then((paths) => paths.sort().join(" "))'
	assert_output "$(echo /a/{1,2,3,4,5,6}.jpg /a/b/{1,2,3,4,5,6}.jpg)"
}

@test "under systemd-socket-activate, Chromium shows the welcome page" {
	opens_welcome_page "$ACTIVATE_URL"
}

@test "under systemd-socket-activate, Chromium follows the redirect" {
	follows_redirect "$ACTIVATE_URL"
}

@test "under systemd-socket-activate, Chromium shows the page with twelve pictures" {
	shows_twelve_pictures "$ACTIVATE_URL"
}

@test "under tcpserver, Chromium shows the welcome page" {
	opens_welcome_page "$TCPSERVER_URL"
}

@test "under tcpserver, Chromium follows the redirect" {
	follows_redirect "$TCPSERVER_URL"
}

@test "under tcpserver, Chromium shows the page with twelve pictures" {
	shows_twelve_pictures "$TCPSERVER_URL"
}

@test "Chromium decodes the icon" {
	open_page "$ACTIVATE_URL/"
	run evaluate 'const image = new Image();
		image.src = document.querySelector("link[rel=icon]").href;
		return image.decode().then(() => image.naturalWidth > 0 &&
			image.naturalWidth == image.naturalHeight)'
	assert_output true
}

@test "Chromium shows the tree's own page for what is not there" {
	open_page "$ACTIVATE_URL/no/such/page.html"
	run title
	assert_output "$(title_of 404.html)"
	run evaluate 'return performance.getEntriesByType("navigation")[0].responseStatus'
	assert_output 404
}

@test "a page stays usable when the connection has been closed for idleness" {
	open_page "$ACTIVATE_URL/result.html"
	# Longer than the idle second: that time passes is what is tested.
	run evaluate 'return new Promise((done) => setTimeout(done, 1500))
		.then(() => fetch("/a/2.jpg")).then((answer) => answer.blob())
		.then((blob) => blob.type + " " + blob.size)'
	assert_output "image/jpeg $(stat -c %s "$FILES/a/2.jpg")"
}
