# Chromium without a screen, driven over WebDriver by curl and jq.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154  # the variables are the suites', BATS_... bats'

# start_driver: sets $driver, its process, and $DRIVER, its address.  Of --port=0
# it takes a port that is free on ::1, and gives up where the same port of
# 127.0.0.1 is not: then it gets another chance.
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

# start_browser [ARG]...: sets $SESSION.  It may talk to nobody but us.
start_browser() {
	local answer
	answer=$(jq -n --arg profile "$BATS_FILE_TMPDIR/profile" '{
		capabilities: { alwaysMatch: {
			timeouts: { pageLoad: 30000, script: 30000 },
			"goog:chromeOptions": { args: ([
				"--headless", "--no-sandbox", "--disable-gpu",
				"--disable-dev-shm-usage", "--disable-quic",
				"--no-first-run", "--disable-background-networking",
				"--disable-component-update", "--disable-sync",
				"--disable-default-apps", "--no-proxy-server",
				"--window-size=1280,1000",
				"--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
				"--user-data-dir=" + $profile
			] + $ARGS.positional) }
		} }
	}' --args -- "$@" | curl -qsS --max-time 300 --json @- "$DRIVER/session")
	export SESSION
	SESSION=$(jq -er '.value.sessionId' <<<"$answer") || {
		printf 'the browser does not start: %s\n' "$answer" >&2
		return 1
	}
}

stop_browser() {
	[ -z "${SESSION:-}" ] || driver_does DELETE '' >/dev/null || :
	end_with_children "$driver"
}

# driver_does METHOD COMMAND [JSON]: prints the value that comes back.
driver_does() {
	local answer body=()
	[ $# -lt 3 ] || body=(--data-binary "$3" -H 'Content-Type: application/json')
	answer=$(curl -qsS --max-time 300 -X "$1" "${body[@]}" \
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

reload_page() {
	driver_does POST /refresh '{}' >/dev/null
}

title() {
	driver_does GET /title
}

# evaluate SCRIPT: what the JavaScript returns in the page, a promise awaited.
evaluate() {
	driver_does POST /execute/sync \
		"$(jq -n --arg script "$1" '{ script: $script, args: [] }')"
}
