#!/usr/bin/env bats
# Chromium, driven over WebDriver by curl and jq, shows the sample tree.
# shellcheck disable=SC2154  # spawn.bash and browser.bash set what is not set here

load lib
load spawn
load browser

# One browser for all tests: they take turns.
export BATS_NO_PARALLELIZE_WITHIN_FILE=true
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy='*'

setup_file() {
	load lib
	load spawn
	load browser
	spawn tcpserver "$HTTPD" "$FILES"
	tcpserver=$spawner
	export TCPSERVER_URL=$url
	spawn activate-inetd "$HTTPD" "$FILES"
	export ACTIVATE_URL=$url

	start_driver
	start_browser
}

teardown_file() {
	stop_browser
	end_with_children "$tcpserver"
	unspawn
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
