#!/usr/bin/env bats
# What people really ask with: curl, wget, nc and others.
# shellcheck disable=SC2154  # spawn.bash sets what is not set here

load lib
load spawn

setup() {
	cd "$BATS_TEST_TMPDIR" || return
}

teardown() {
	unspawn
}

# Whatever the host's environment says, it is the spawner that is asked.
unset http_proxy HTTP_PROXY all_proxy ALL_PROXY
export no_proxy='*'

ask_curl() {
	curl -qsS --max-time 300 "$@"
}

@test "curl gets several files over one connection" {
	spawn activate-inetd "$HTTPD" "$FILES"
	run ask_curl -w '%{http_version} %{http_code} %{num_connects}\n' \
		-o index.html "$url/" -o favicon.ico "$url/favicon.ico" \
		-o 2.jpg "$url/a/2.jpg" -o ref.html "$url/a/b/ref.html"
	assert_success
	assert_output $'1.1 200 1\n1.1 200 0\n1.1 200 0\n1.1 200 0'
	cmp index.html "$FILES/index.html"
	cmp favicon.ico "$FILES/favicon.ico"
	cmp 2.jpg "$FILES/a/2.jpg"
	cmp ref.html "$FILES/a/b/ref.html"
}

@test "curl gets twelve pictures at once" {
	local i wanted=()
	spawn tcpserver "$HTTPD" "$FILES"
	for i in 1 2 3 4 5 6; do
		wanted+=(-o "$i.jpg" "$url/a/$i.jpg" -o "b$i.jpg" "$url/a/b/$i.jpg")
	done
	ask_curl --fail --parallel --parallel-immediate "${wanted[@]}"
	for i in 1 2 3 4 5 6; do
		cmp "$i.jpg" "$FILES/a/$i.jpg"
		cmp "b$i.jpg" "$FILES/a/b/$i.jpg"
	done
}

@test "curl --http1.0 is answered and closed, unless it asks to keep the connection" {
	spawn activate-inetd "$HTTPD" "$FILES"
	run ask_curl --http1.0 -w '%{http_code} %{num_connects}\n' \
		-o 1 "$url/" -o 2 "$url/result.html"
	assert_output $'200 1\n200 1'
	cmp 1 "$FILES/index.html"
	cmp 2 "$FILES/result.html"
	run ask_curl --http1.0 -D - -o 1 "$url/"
	assert_output --regexp $'\nConnection: close\r\n'
	run ask_curl --http1.0 -H 'Connection: keep-alive' -D - \
		-w '%{num_connects}\n' -o 1 "$url/" -o 2 "$url/result.html"
	assert_output --regexp $'\nConnection: keep-alive\r\n'
	assert_line --index -1 0
	cmp 2 "$FILES/result.html"
}

@test "curl -I gets the fields of the file and waits for no content" {
	spawn tcpserver "$HTTPD" "$FILES"
	run ask_curl -I -w '%{time_total}\n' "$url/a/2.jpg"
	assert_success
	assert_output --regexp "Content-Length: $(stat -c %s "$FILES/a/2.jpg")"$'\r\n'
	assert_output --partial $'Content-Type: image/jpeg\r\n'
	assert_line --index -1 --regexp '^0\.'
}

@test "curl -L follows the redirect, query and all" {
	spawn tcpserver "$HTTPD" "$FILES"
	run ask_curl -L -o result.html \
		-w '%{http_code} %{num_redirects} %{url_effective}' "$url/redirect?a=1"
	assert_output "200 1 $url/result.html?a=1"
	cmp result.html "$FILES/result.html"
}

@test "curl -L follows the slash that a directory lacks" {
	spawn tcpserver "$HTTPD" "$FILES/.."
	run ask_curl -L -o index.html \
		-w '%{http_code} %{num_redirects} %{url_effective}' "$url/files?a=1"
	assert_output "200 1 $url/files/?a=1"
	cmp index.html "$FILES/index.html"
}

@test "curl -R gives the file its date" {
	spawn tcpserver "$HTTPD" "$FILES"
	ask_curl -R -o 2.jpg "$url/a/2.jpg"
	assert_equal "$(stat -c %Y 2.jpg)" "$(stat -c %Y "$FILES/a/2.jpg")"
}

@test "curl --path-as-is does not climb out" {
	local path
	spawn activate-inetd "$HTTPD" "$FILES/a/b"
	for path in /../../index.html /../2.jpg /%2e%2e/2.jpg /..%2f2.jpg \
		//..//2.jpg /x/../../2.jpg; do
		run ask_curl --path-as-is -o got -w '%{http_code}' "$url$path"
		assert_output 404
	done
}

@test "curl --path-as-is gets what is left without the dot segments" {
	local path
	spawn tcpserver "$HTTPD" "$FILES"
	for path in /./a/2.jpg /a/../a/2.jpg /a/b/%2E./2.jpg /none//../a/./2.jpg; do
		ask_curl --fail --path-as-is -o got "$url$path"
		cmp got "$FILES/a/2.jpg"
	done
}

@test "curl asks over IPv6" {
	spawn activate-inetd -6 "$HTTPD" "$FILES"
	run ask_curl -g -w '%{http_code} %{remote_ip}' -o 2.jpg "$url/a/2.jpg"
	assert_output '200 ::1'
	cmp 2.jpg "$FILES/a/2.jpg"
}

@test "curl asks over a Unix socket" {
	spawn socat -u "$HTTPD" "$FILES"
	ask_curl --fail --unix-socket "$UNIX_PATH" -o 1 "$url/" -o 2 "$url/a/2.jpg"
	cmp 1 "$FILES/index.html"
	cmp 2 "$FILES/a/2.jpg"
}

@test "curl that sends a form or a file gets its 405" {
	spawn tcpserver "$HTTPD" "$FILES"
	run ask_curl -D - -o content -d name=value "$url/"
	assert_line --index 0 $'HTTP/1.1 405 Method Not Allowed\r'
	assert_line $'Allow: GET, HEAD, OPTIONS\r'
	truncate -s 60K upload
	run ask_curl -o content -w '%{http_code}' -T upload "$url/new"
	assert_output 405
	truncate -s 300K upload
	# Whether curl expects 100 by itself depends on the length and its version.
	run ask_curl -o content -w '%{http_code}' -H 'Expect: 100-continue' \
		-T upload "$url/new"
	assert_output 405
	run ask_curl -o content -w '%{http_code}' -H Expect: -T upload "$url/new"
	assert_output 413
	run ask_curl -o content -w '%{http_code}' -T - "$url/new" <upload
	assert_output 405
}

@test "curl to a file and a server that are gone says so, and the program ends" {
	truncate -s 1G large
	spawn tcpserver "$HTTPD" .
	run ask_curl --max-time 0.3 --limit-rate 100K -o /dev/null "$url/large"
	assert_failure 28
	wait_for_line "$spawn_log" '"GET /large HTTP/1\.1" 200 [0-9]* "-" "curl/.*" "client-gone"$'
}

@test "wget mirrors the tree, byte for byte" {
	local file
	spawn tcpserver "$HTTPD" "$FILES"
	mkdir mirror
	cd mirror
	# 8: a link of the welcome page is meant to lead nowhere.
	run env LC_ALL=C wget --no-config -nv -r -p -nH -T 20 -t 1 --trust-server-names "$url/"
	[ "$status" -eq 0 ] || assert_failure 8
	for file in index.html favicon.ico result.html a/b/ref.html \
		a/{1,2,3,4,5,6}.jpg a/b/{1,2,3,4,5,6}.jpg; do
		cmp "$file" "$FILES/$file"
	done
	# It has made nothing else than what is there.
	while IFS= read -r file; do
		cmp "$file" "$FILES/$file"
	done < <(find . -type f)
	# The page that it got by /redirect, it had from there.
	wait_for_line "$spawn_log" '"GET /redirect HTTP/1\.1" 301 '
}

@test "wget over xinetd keeps its connection" {
	unpack_spawners
	spawn xinetd "$HTTPD" "$FILES"
	run env LC_ALL=C wget --no-config -T 20 -t 1 -i - -P got \
		<<<"$url/a/1.jpg"$'\n'"$url/a/2.jpg"$'\n'"$url/a/3.jpg"
	assert_success
	assert_output --partial 'Reusing existing connection'
	cmp got/1.jpg "$FILES/a/1.jpg"
	cmp got/2.jpg "$FILES/a/2.jpg"
	cmp got/3.jpg "$FILES/a/3.jpg"
}

@test "busybox wget gets a file" {
	spawn tcpserver "$HTTPD" "$FILES"
	# Its own -T crashes in Debian 12, whatever the server.
	timeout 300 busybox wget -q -O 2.jpg "$url/a/2.jpg"
	cmp 2.jpg "$FILES/a/2.jpg"
}

@test "nc gets a file, whether or not it ends its side" {
	spawn tcpserver "$HTTPD" "$FILES"
	printf 'GET /a/2.jpg HTTP/1.1\r\nHost: x\r\n\r\n' |
		timeout 300 nc.openbsd -N 127.0.0.1 "$PORT" >ended
	sed '1,/^\r$/d' ended | cmp - "$FILES/a/2.jpg"
	printf 'GET /a/2.jpg HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n' |
		timeout 300 nc.openbsd 127.0.0.1 "$PORT" >closed
	sed '1,/^\r$/d' closed | cmp - "$FILES/a/2.jpg"
	printf 'GET /result.html HTTP/1.0\r\n\r\n' |
		timeout 300 nc.openbsd 127.0.0.1 "$PORT" >old
	sed '1,/^\r$/d' old | cmp - "$FILES/result.html"
}

@test "nc typed by hand, with bare line feeds, is told of its error" {
	spawn tcpserver "$HTTPD" "$FILES"
	printf 'GET / HTTP/1.1\nHost: x\n\n' |
		timeout 300 nc.openbsd 127.0.0.1 "$PORT" >answer
	run head -1 answer
	assert_output $'HTTP/1.1 400 Bad Request\r'
}

@test "nc asks over a Unix socket" {
	spawn socat -u "$HTTPD" "$FILES"
	printf 'GET /a/2.jpg HTTP/1.1\r\nHost: x\r\n\r\n' |
		timeout 300 nc.openbsd -N -U "$UNIX_PATH" >answer
	sed '1,/^\r$/d' answer | cmp - "$FILES/a/2.jpg"
}

@test "Python's client keeps its connection" {
	spawn activate-fds "$HTTPD" "$FILES"
	talk <<-'EOP'
		import http.client
		client = http.client.HTTPConnection("127.0.0.1", int(os.environ["PORT"]))
		client.connect()
		first = client.sock
		for target in ("a/2.jpg", "result.html", "a/b/ref.html"):
		    client.request("GET", "/" + target)
		    check(target, client.getresponse().read(), content_of(target))
		check("the same connection", client.sock is first, True)
	EOP
}

# make_flat_repository DIR: a package and its index, without any structure.
make_flat_repository() {
	local repository=$1 package=$BATS_TEST_TMPDIR/package
	mkdir -p "$repository" "$package/DEBIAN" "$package/usr/share/flat"
	echo 'from a flat repository' >"$package/usr/share/flat/file"
	cat >"$package/DEBIAN/control" <<-'CONTROL'
		Package: flat
		Version: 1.0
		Architecture: all
		Maintainer: Nobody <nobody@example.org>
		Description: a package of one file
	CONTROL
	dpkg-deb --root-owner-group --build "$package" "$repository" >/dev/null
	(cd "$repository" && dpkg-scanpackages . 2>/dev/null >Packages)
}

# make_apt_root DIR URL: where apt keeps all that it keeps, so that it neither
# reads nor changes anything of the host's; one source.
make_apt_root() {
	local root=$1
	mkdir -p "$root"/etc/apt/{apt.conf.d,preferences.d,sources.list.d,trusted.gpg.d} \
		"$root"/var/lib/{apt/lists/partial,dpkg/{info,updates,triggers}} \
		"$root"/var/{cache/apt/archives/partial,log/apt}
	: >"$root/var/lib/dpkg/status"
	echo "deb [trusted=yes] $2 ./" >"$root/etc/apt/sources.list"
	cat >"$root/apt.conf" <<-CONF
		Dir "$root/";
		Dir::State::status "$root/var/lib/dpkg/status";
		APT::Sandbox::User "root";
		Acquire::Languages "none";
		Acquire::Retries "0";
		DPkg::Path "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
		DPkg::Options { "--root=$root"; "--force-not-root"; "--log=/dev/null"; };
	CONF
}

@test "apt installs a package from a flat repository" {
	local root=$BATS_TEST_TMPDIR/root
	make_flat_repository repository
	spawn tcpserver "$HTTPD" "$PWD/repository"
	make_apt_root "$root" "$url"
	export APT_CONFIG=$root/apt.conf LC_ALL=C DEBIAN_FRONTEND=noninteractive
	run timeout 300 apt-get -q update
	assert_success
	refute_output --regexp '(^|\n)[WE]:'
	run timeout 300 apt-get -q -y install flat
	assert_success
	assert_equal "$(cat "$root/usr/share/flat/file")" 'from a flat repository'
	run dpkg-query --admindir="$root/var/lib/dpkg" -W -f '${Status} ${Version}' flat
	assert_output 'install ok installed 1.0'
	# It sends the "./" of its source as it is.
	wait_for_line "$spawn_log" '"GET /\./Packages[.a-z0-9]* HTTP/1\.1" 200 .* "ok"$'
	wait_for_line "$spawn_log" '"GET /\./flat_1\.0_all\.deb HTTP/1\.1" 200 .* "ok"$'
	refute grep -v '"GET /\./' "$spawn_log"
}

# fetch_often LOOPS TIMES FROM TO: that many loops at the same time ask so often
# with node's fetch, with pauses from FROM to TO milliseconds; prints how many
# requests there were, how many failed, and how many used a connection again.
fetch_often() {
	cat >fetch.mjs <<-'EOJ'
		import { subscribe } from 'node:diagnostics_channel';
		import { setTimeout as pause } from 'node:timers/promises';

		const [url, loops, times, from, to] = process.argv.slice(2)
			.map((value, i) => i === 0 ? value : Number(value));
		let asked = 0, lost = 0, connected = 0;
		subscribe('undici:client:connected', () => connected++);
		async function loop(number) {
			for (let i = 0; i < times; i++) {
				if (i > 0)
					await pause(from + (to - from) * number / loops);
				asked++;
				try {
					const response = await fetch(url);
					if (!(await response.text()).endsWith('</html>\n'))
						throw new Error('the page is not whole');
				} catch (error) {
					lost++;
					console.error(error.cause ?? error);
				}
			}
		}
		await Promise.all(Array.from({ length: loops }, (_, i) => loop(i)));
		console.log(`${asked} requests, ${lost} lost, ` +
			`${asked - connected} over a connection used before`);
	EOJ
	timeout 300 node fetch.mjs "$url/result.html" "$@"
}

@test "node's fetch loses no request, whatever its pauses are" {
	# It uses no connection again that is to be closed within a second or two.
	spawn tcpserver "$HTTPD" "$FILES"
	run fetch_often 36 6 980 1010
	assert_output '216 requests, 0 lost, 0 over a connection used before'
	unspawn
	spawn tcpserver "$HTTPD" --timeout=4 "$FILES"
	run fetch_often 36 3 3900 4020
	assert_output --regexp '^108 requests, 0 lost, '
}

@test "node's fetch uses a connection again that is kept for long enough" {
	spawn tcpserver "$HTTPD" --timeout=60 "$FILES"
	run fetch_often 1 20 0 0
	assert_output '20 requests, 0 lost, 19 over a connection used before'
}
