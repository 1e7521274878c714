#!/usr/bin/env bats
#
# make install and make uninstall: with a prefix of their own, which is for any
# host, and as root of a container with systemd.

bats_require_minimum_version 1.5.0

setup() {
	load lib
	load container
	PREFIX=$BATS_TEST_TMPDIR/prefix
	MANIFEST=$PREFIX/share/httpd/manifest
}

teardown() {
	halt
}

# make_quietly TARGET [VARIABLE=VALUE]...: below $PREFIX.
make_quietly() {
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$TOP" "$@" \
		prefix="$PREFIX" sysconfdir="$PREFIX/etc"
}

# All files below $PREFIX, with their sums.
files_there() {
	find "$PREFIX" -type f -exec sha256sum {} + | sort -k 2
}

@test "make install lists what it installs, and may be repeated" {
	make_quietly install
	run cat "$MANIFEST"
	assert_output "$(files_there | grep -v -e "$MANIFEST" -e "$PREFIX/etc/")"
	run -0 make_quietly install
	run find "$PREFIX" -type f ! -perm 644
	run sort <<<"$output"
	assert_output "$(printf "$PREFIX/%s\n" bin/{httpd-precompress,upper-client} \
		sbin/{from-listen-fds,httpd,upper} share/httpd/check-sockets)"
}

@test "directories that are there keep their modes, new ones may be entered by all" {
	mkdir -p "$PREFIX"
	mkdir -m 2775 "$PREFIX/sbin"
	(umask 077 && make_quietly install)
	run find "$PREFIX" -type d ! -perm 755 -printf '%m %P\n'
	assert_output '2775 sbin'
}

@test "what is installed serves the sample tree that the settings name" {
	make_quietly install
	# shellcheck disable=SC1091 # Made by the installation.
	. "$PREFIX/etc/default/httpd"
	HTTPD=$PREFIX/sbin/httpd get /a/b/ref.html "$HTTPD_ROOT"
	assert_status 200 ok
	run grep -F "$HTTPD_ROOT" "$PREFIX/share/doc/httpd/examples/httpd.xinetd"
	assert_success
	run grep -F "EnvironmentFile=-$PREFIX/etc/default/httpd" \
		"$PREFIX/lib/systemd/system/httpd@.service"
	assert_success
}

@test "settings that are there are kept by make install and make uninstall" {
	mkdir -p "$PREFIX/etc/default"
	echo HTTPD_ROOT=/nowhere >"$PREFIX/etc/default/httpd"
	run -0 make_quietly install
	assert_line "HTTPD_ROOT in $PREFIX/etc/default/httpd names /nowhere, which is not a directory."
	run -0 make_quietly uninstall
	assert_line "Left the settings, $PREFIX/etc/default/httpd."
	run find "$PREFIX" -type f
	assert_output "$PREFIX/etc/default/httpd"
	run cat "$PREFIX/etc/default/httpd"
	assert_output HTTPD_ROOT=/nowhere
}

@test "make install refuses what is not its own, names it, and writes nothing" {
	local stranger before
	make_quietly install
	mv "$PREFIX" "$PREFIX.whole"
	while read -r stranger; do
		rm -rf "$PREFIX"
		mkdir -p "$PREFIX/${stranger%/*}"
		case $stranger in
		*.8) ln -s nowhere "$PREFIX/$stranger" ;;
		*.1) mkdir "$PREFIX/$stranger" ;;
		*) echo stranger >"$PREFIX/$stranger" ;;
		esac
		before=$(find "$PREFIX")
		run -2 make_quietly install
		assert_line --index 0 "packaging/install: $PREFIX/$stranger exists and is not in $MANIFEST"
		assert_line --index 1 --partial 'nothing was installed; choose another name for httpd (make install NAME=httpd-socket)'
		assert_equal "$(find "$PREFIX")" "$before"
	done < <(cd "$PREFIX.whole" && find . -type f ! -path './etc/*' ! -name manifest \
		! -path './share/httpd/files/a/*' | sed 's,^\./,,')
}

@test "a file that was changed is not ours: install refuses it, uninstall leaves it" {
	local page=$PREFIX/share/httpd/files/index.html unit=$PREFIX/lib/systemd/system/httpd@.service
	make_quietly install
	echo changed >"$page"
	ln -sf /dev/null "$unit"
	run -2 make_quietly install
	assert_line "packaging/install: $page has changed since it was installed"
	assert_line "packaging/install: $unit has changed since it was installed"
	run -0 make_quietly uninstall
	assert_line "Left $page, which has changed since it was installed."
	assert_line "Left $unit, which has changed since it was installed."
	run bash -c 'find "$1" ! -type d ! -path "*/etc/*" | sort' - "$PREFIX"
	assert_output "$(printf '%s\n' "$unit" "$page")"
	run cat "$page"
	assert_output changed
}

@test "what an older release had is removed by the next, unless it was changed" {
	local name
	make_quietly install
	for name in old changed; do
		echo old >"$PREFIX/share/httpd/$name"
		sha256sum "$PREFIX/share/httpd/$name" >>"$MANIFEST"
	done
	echo new >"$PREFIX/share/httpd/changed"
	make_quietly install
	[ ! -e "$PREFIX/share/httpd/old" ]
	run cat "$PREFIX/share/httpd/changed"
	assert_output new
	run grep -E 'share/httpd/(old|changed)$' "$MANIFEST"
	assert_output ''
}

@test "an installation that was broken off can be repeated, and removed" {
	local target
	mkdir "$BATS_TEST_TMPDIR/bin"
	# shellcheck disable=SC2016 # For the stub to expand.
	printf '#!/bin/sh\ncase $* in *httpd@.service) exit 1 ;; esac\nexec %s "$@"\n' \
		"$(type -P mv)" >"$BATS_TEST_TMPDIR/bin/mv"
	chmod +x "$BATS_TEST_TMPDIR/bin/mv"
	for target in install uninstall; do
		PATH=$BATS_TEST_TMPDIR/bin:$PATH run -2 make_quietly install
		run -0 make_quietly "$target"
	done
	run find "$PREFIX" ! -type d ! -path '*/etc/*'
	assert_output ''
}

@test "NAME= renames program, units, pages, settings and the names in them" {
	make_quietly install NAME=httpd-socket
	cd "$PREFIX"
	run find . -type f -name '*httpd*' ! -path './share/httpd-socket/files/*'
	run sort <<<"$output"
	assert_output - <<-'END'
		./bin/httpd-socket-precompress
		./etc/default/httpd-socket
		./lib/systemd/system/httpd-socket@.service
		./lib/systemd/system/httpd-socket@.socket
		./lib/sysusers.d/httpd-socket.conf
		./sbin/httpd-socket
		./share/doc/httpd-socket/examples/httpd-socket.inetd
		./share/doc/httpd-socket/examples/httpd-socket.nft
		./share/doc/httpd-socket/examples/httpd-socket.xinetd
		./share/man/man1/httpd-socket-precompress.1
		./share/man/man5/httpd-socket-redirects.5
		./share/man/man8/httpd-socket.8
	END
	# Everywhere, the word is followed by the rest of the name.
	run grep -rIEi 'httpd($|[^_-]|-[^s]|-s[^o])' . --exclude-dir=files
	assert_output ''
	run cat lib/systemd/system/httpd-socket@.service
	assert_line "ExecStart=$PREFIX/sbin/httpd-socket --user=\${HTTPD_USER} \${HTTPD_ROOT}"
	assert_line 'Environment=HTTPD_ROOT=/srv/http HTTPD_USER=httpd-socket'
	assert_line "EnvironmentFile=-$PREFIX/etc/default/httpd-socket"
	assert_line 'Documentation=man:httpd-socket(8)'
	assert_line 'Slice=httpd-socket.slice'
	run cat share/man/man8/httpd-socket.8
	assert_line '.Dt HTTPD-SOCKET 8'
	assert_line '.Nm httpd-socket'
	run grep -h '^\.Xr httpd' share/man/man8/upper.8
	assert_line --partial '.Xr httpd-socket 8'
	run bash -c "mandoc -T lint share/man/man*/* 2>/dev/null | grep -v 'referenced manual not found'"
	assert_output ''
	cd "$TOP"
	make_quietly uninstall NAME=httpd-socket
	run find "$PREFIX" -type f
	assert_output "$PREFIX/etc/default/httpd-socket"
}

@test "a directory of the program's own name stays as it is under another NAME" {
	PREFIX=$BATS_TEST_TMPDIR/httpd
	make_quietly install NAME=web
	run grep -h ^ExecStart= "$PREFIX/lib/systemd/system/web@.service"
	assert_output "ExecStart=$PREFIX/sbin/web --user=\${HTTPD_USER} \${HTTPD_ROOT}"
}

@test "a NAME or directory that units or pages could not name is refused" {
	local name
	for name in '' Httpd 9httpd 'a b' a/b 'a&b' upper from-listen-fds \
		a234567890123456789012345678901234; do
		run -2 make_quietly install NAME="$name"
		assert_line --index 0 --regexp "^packaging/install: NAME: .*'$name'"
	done
	for PREFIX in relative "$BATS_TEST_TMPDIR/a b" "$BATS_TEST_TMPDIR/a&b" /a%b; do
		run -2 make_quietly install
		assert_line --index 0 "packaging/install: invalid directory '$PREFIX/bin' (expected a path from /, of letters, digits and \"._+-\")"
	done
	run find "$BATS_TEST_TMPDIR" -name 'a*'
	assert_output ''
}

# as_user [--uninstall]: packaging/install of a copy, as nobody.
as_user() {
	local name variables=(NAME=httpd BUILD=build DESTDIR=)
	for name in bin sbin data man doc sysconf unit sysusers; do
		variables+=("${name}dir=$PREFIX/$name")
	done
	as_nobody env "${variables[@]}" "$BATS_TEST_TMPDIR/copy/packaging/install" "$@"
}

@test "who may not write there is told to be root, before anything is written" {
	let_others_in
	mkdir -p "$BATS_TEST_TMPDIR/copy/build"
	cp -R "$TOP"/{packaging,units,src,files} "$BATS_TEST_TMPDIR/copy"
	cp "$BUILD"/{httpd,upper,upper-client} "$BATS_TEST_TMPDIR/copy/build"
	run -77 as_user
	assert_output "packaging/install: cannot write to $BATS_TEST_TMPDIR as nobody; run this as root (sudo)"

	mkdir -p "$PREFIX/data/httpd"
	: >"$PREFIX/data/httpd/page"
	echo "0  $PREFIX/data/httpd/page" >"$PREFIX/data/httpd/manifest"
	run -77 as_user --uninstall
	assert_output "packaging/install: cannot write to $PREFIX/data/httpd as nobody; run this as root (sudo)"
}

@test "make uninstall without an installation says so" {
	run -2 make_quietly uninstall
	assert_line --index 0 "packaging/install: there is no $MANIFEST: name the NAME= and prefix= of the installation"
}

@test "DESTDIR may be relative, and have a blank" {
	local root
	root=$(realpath --relative-to="$TOP" "$BATS_TEST_TMPDIR")
	run -0 timeout 60 make -s -C "$TOP" install DESTDIR="$root/a b" prefix=/usr
	[ -x "$BATS_TEST_TMPDIR/a b/usr/sbin/httpd" ]
	run -0 timeout 60 make -s -C "$TOP" uninstall DESTDIR="$root/a b" prefix=/usr
	run find "$BATS_TEST_TMPDIR/a b" ! -type d
	assert_output "$BATS_TEST_TMPDIR/a b/etc/default/httpd"
}

@test "with DESTDIR nothing is called, refused or asked for" {
	local root=$BATS_TEST_TMPDIR/root command
	mkdir -p "$BATS_TEST_TMPDIR/bin" "$root/usr/sbin" "$root/usr/lib/systemd/system"
	for command in systemctl systemd-sysusers; do
		printf '#!/bin/sh\necho %s "$@" >>%q\n' "$command" "$BATS_TEST_TMPDIR/calls" \
			>"$BATS_TEST_TMPDIR/bin/$command"
		chmod +x "$BATS_TEST_TMPDIR/bin/$command"
	done
	echo stranger | tee "$root/usr/sbin/httpd" >"$root/usr/lib/systemd/system/httpd@.socket"
	for command in install install uninstall; do
		PATH=$BATS_TEST_TMPDIR/bin:$PATH run -0 make -s -C "$TOP" "$command" \
			DESTDIR="$root" prefix=/usr
	done
	[ ! -e "$BATS_TEST_TMPDIR/calls" ]
	run find "$root" ! -type d
	assert_output "$root/etc/default/httpd"
	run cat "$root/etc/default/httpd"
	assert_line HTTPD_ROOT=/usr/share/httpd/files
}

# -- As root of a host with systemd

# boot_with_sources: a container that has what was built, and its sources, in
# /opt/httpd.
boot_with_sources() {
	local stage=$BATS_TEST_TMPDIR/stage
	export C=$BATS_TEST_TMPDIR/container
	mkdir -p "$stage/opt/httpd/build"
	cp -a "$TOP"/{Makefile,files,packaging,src,units} "$stage/opt/httpd"
	cp -a "$BUILD"/{httpd,upper,upper-client,from-listen-fds,obj,host} \
		"$stage/opt/httpd/build"
	boot --copy "$stage"
}

# make_inside [ARGUMENT]...: with the container's own / as the destination.
make_inside() {
	inside make -s -C /opt/httpd "$@"
}

assert_serves() {
	client curl -sS --fail -m 300 -o "$BATS_TEST_TMPDIR/page" "http://127.0.0.1:$1/"
	cmp "$BATS_TEST_TMPDIR/page" "$FILES/index.html"
}

listening() {
	client ss -Hltn | sed 's/.*:\([0-9]*\) .*:.*/\1/' | sort -nu | paste -sd ' '
}

@test "make install, an enabled socket, a page; make uninstall, and nothing listens" {
	local before
	boot_with_sources
	before=$(inside find /etc /usr/local /usr/lib ! -type d ! -name '*passwd*' \
		! -name '*shadow*' ! -name 'group*' | sort)

	run -0 make_inside install
	assert_line 'To serve /usr/local/share/httpd/files at port 8080: systemctl enable --now httpd@8080.socket'
	run listening
	assert_output ''
	run -0 inside systemd-analyze --man=no verify httpd@8080.socket upper@12345.socket
	inside systemctl --quiet enable --now httpd@8080.socket upper@12345.socket
	inside systemctl --quiet enable httpd@8081.socket
	assert_serves 8080
	run -0 make_inside install
	assert_serves 8080
	# What the administrator has made or changed meanwhile.
	inside mkdir -p /etc/systemd/system/httpd@8081.socket.d /etc/xinetd.d /srv/site
	inside tee /etc/xinetd.d/site <<<'server = /usr/local/sbin/httpd' >/dev/null
	inside sed -i 's,^HTTPD_ROOT=.*,HTTPD_ROOT=/srv/site,' /etc/default/httpd
	inside sed -i 's/^Backlog=.*/Backlog=100/' /usr/local/lib/systemd/system/upper@.socket

	run -0 make_inside uninstall
	assert_line 'Stopped and disabled httpd@8080.socket.'
	assert_line 'Stopped and disabled upper@12345.socket.'
	assert_line 'Left the settings, /etc/default/httpd.'
	assert_line 'Left the user httpd.'
	assert_line 'Left what was served, /srv/site.'
	assert_line 'Left /etc/systemd/system/httpd@8081.socket.d.'
	assert_line 'Left /etc/xinetd.d/site, which names /usr/local/sbin/httpd.'
	assert_line 'Left /usr/local/lib/systemd/system/upper@.socket, which has changed since it was installed.'
	run listening
	assert_output ''
	run inside systemctl list-units --all --plain --no-legend 'httpd*' 'upper*'
	assert_output ''
	run comm -3 <(printf '%s\n' "$before") <(inside find /etc /usr/local /usr/lib \
		! -type d ! -name '*passwd*' ! -name '*shadow*' ! -name 'group*' | sort)
	assert_output "$(printf '\t%s\n' /etc/default/httpd /etc/xinetd.d/site \
		/usr/local/lib/systemd/system/upper@.socket)"
}

@test "beside Apache's files it is refused, and installs under another NAME" {
	local file
	boot_with_sources
	inside mkdir -p /usr/local/share/man
	for file in /usr/sbin/httpd /usr/share/man/man8/httpd.8 \
		/usr/lib/systemd/system/httpd@.service; do
		inside tee "$file" <<<Apache >/dev/null
	done

	run -2 make_inside install prefix=/usr
	for file in /usr/sbin/httpd /usr/share/man/man8/httpd.8 \
		/usr/lib/systemd/system/httpd@.service; do
		assert_line "packaging/install: $file exists and is not in /usr/share/httpd/manifest"
	done
	run -2 make_inside install
	assert_line --index 0 'packaging/install: /usr/lib/systemd/system/httpd@.service exists: systemd would read only one of it and /usr/local/lib/systemd/system/httpd@.service'
	run inside find /usr /etc -name 'upper@*' -o -path /etc/default/httpd
	assert_output ''

	run -0 make_inside install prefix=/usr NAME=httpd-socket
	assert_line 'To serve /usr/share/httpd-socket/files at port 8080: systemctl enable --now httpd-socket@8080.socket'
	inside systemctl --quiet enable --now httpd-socket@8080.socket
	assert_serves 8080
	inside journalctl --sync
	run inside journalctl --quiet -o cat -t httpd-socket --grep 'GET / HTTP'
	assert_equal "${#lines[@]}" 1
	run inside getent passwd httpd-socket
	assert_success

	run -0 make_inside uninstall prefix=/usr NAME=httpd-socket
	run listening
	assert_output ''
	for file in /usr/sbin/httpd /usr/share/man/man8/httpd.8 \
		/usr/lib/systemd/system/httpd@.service; do
		run inside cat "$file"
		assert_output Apache
	done
}
