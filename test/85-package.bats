#!/usr/bin/env bats
#
# What packaging/ makes and installs: the Debian package as a file, and
# install-deps before package managers that only pretend.  That the package
# installs, serves and purges is shown where systemd runs: 90-systemd.bats.

bats_require_minimum_version 1.5.0

setup_file()
{
	load lib
	built=$("$TOP/packaging/build-deb")
	export DEB=${built##*$'\n'}
	export ROOT=$BATS_FILE_TMPDIR/root
	dpkg-deb -x "$DEB" "$ROOT"
}

setup()
{
	load lib
}

# The control field $1 of the package.
control_field()
{
	dpkg-deb -f "$DEB" "$1"
}

# -- The package

@test "the package has the version that the program names" {
	run "$ROOT/usr/sbin/httpd" --version
	assert_success
	assert_line --index 0 "httpd $(control_field Version)"
	assert_equal "$DEB" "$TOP/build/deb/httpd-socket_$(control_field Version)_$(dpkg --print-architecture).deb"
}

@test "lintian finds nothing to say about the package" {
	run cat "$TOP/build/deb/lintian.log"
	assert_success
	assert_output ''
}

@test "the package is a web server to others and needs no more than libsystemd" {
	run control_field Provides
	assert_output 'httpd'
	run control_field Section
	assert_output 'httpd'
	run control_field Depends
	assert_output --partial 'libsystemd0'
	run control_field Static-Built-Using
	assert_output --regexp '^musl \(= [^ )]+\)$'
}

@test "the package holds the programs, units, manuals, settings and examples" {
	cd "$ROOT"
	run find . ! -type d ! -path './usr/share/httpd/files/*' -printf '%M %P\n'
	run env LC_ALL=C sort -k 2 <<<"$output"
	assert_output - <<'EOF'
-rw-r--r-- etc/default/httpd
-rwxr-xr-x usr/bin/httpd-precompress
-rwxr-xr-x usr/bin/upper-client
-rw-r--r-- usr/lib/systemd/system/httpd@.service
-rw-r--r-- usr/lib/systemd/system/httpd@.socket
-rw-r--r-- usr/lib/systemd/system/upper@.service
-rw-r--r-- usr/lib/systemd/system/upper@.socket
-rw-r--r-- usr/lib/sysusers.d/httpd.conf
-rwxr-xr-x usr/sbin/from-listen-fds
-rwxr-xr-x usr/sbin/httpd
-rwxr-xr-x usr/sbin/upper
-rw-r--r-- usr/share/doc/httpd-socket/NEWS.md
-rw-r--r-- usr/share/doc/httpd-socket/README.Debian
-rw-r--r-- usr/share/doc/httpd-socket/README.md
-rw-r--r-- usr/share/doc/httpd-socket/changelog.gz
-rw-r--r-- usr/share/doc/httpd-socket/copyright
-rw-r--r-- usr/share/doc/httpd-socket/examples/httpd.inetd
-rw-r--r-- usr/share/doc/httpd-socket/examples/httpd.nft
-rw-r--r-- usr/share/doc/httpd-socket/examples/httpd.xinetd
-rw-r--r-- usr/share/doc/httpd-socket/examples/upper.xinetd
-rwxr-xr-x usr/share/httpd/check-sockets
-rw-r--r-- usr/share/httpd/paranoid.conf
-rw-r--r-- usr/share/lintian/overrides/httpd-socket
-rw-r--r-- usr/share/man/man1/httpd-precompress.1.gz
-rw-r--r-- usr/share/man/man1/upper-client.1.gz
-rw-r--r-- usr/share/man/man5/httpd-redirects.5.gz
-rw-r--r-- usr/share/man/man8/from-listen-fds.8.gz
-rw-r--r-- usr/share/man/man8/httpd.8.gz
-rw-r--r-- usr/share/man/man8/upper.8.gz
EOF
}

@test "the packaged sample tree is that of the checkout" {
	run diff -r "$TOP/files" "$ROOT/usr/share/httpd/files"
	assert_success
	assert_output ''
}

@test "the only conffile is /etc/default/httpd" {
	run dpkg-deb --info "$DEB" conffiles
	assert_success
	assert_output '/etc/default/httpd'
}

@test "the packaged settings serve a directory that the package holds" {
	# shellcheck disable=SC1091 # Made by the build.
	. "$ROOT/etc/default/httpd"
	assert [ -f "$ROOT$HTTPD_ROOT/index.html" ]
}

@test "the packaged program serves the packaged tree" {
	run "$ROOT/usr/sbin/httpd" --log=none "$ROOT/usr/share/httpd/files" \
		< <(printf 'GET /result.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
	assert_success
	assert_line --index 0 $'HTTP/1.1 200 OK\r'
}

@test "every program that a packaged unit or example starts is in the package" {
	cd "$ROOT"
	run grep -hoE '/[a-z/]*bin/[a-z-]+' usr/lib/systemd/system/{httpd,upper}@.service \
		usr/share/doc/httpd-socket/examples/{httpd.{xinetd,inetd},upper.xinetd}
	assert_success
	while read -r program; do
		assert [ -x "$ROOT$program" ]
	done <<<"$output"
}

@test "the packaged program is static and stripped" {
	run file "$ROOT/usr/sbin/httpd"
	assert_output --regexp 'static(ally|-pie) linked, stripped'
}

# -- install-deps
#
# $FAKE is a PATH of its own: what is not put there does not exist.  Each
# stub writes the line it was called with to $CALLS.

# fake_system ID UID COMMAND...: a distribution, a user, and real commands.
fake_system()
{
	FAKE=$BATS_TEST_TMPDIR/bin
	CALLS=$BATS_TEST_TMPDIR/calls
	mkdir -p "$FAKE"
	: >"$CALLS"
	printf 'ID=%s\nPRETTY_NAME="The %s system"\n' "$1" "$1" >"$BATS_TEST_TMPDIR/os-release"
	stub id "echo $2"
	shift 2
	for command in cat env ls mktemp rm tr "$@"; do
		ln -sf "$(type -P "$command")" "$FAKE/$command"
	done
}

# stub NAME [SCRIPT]: a command that notes its call and runs SCRIPT.
stub()
{
	printf '#!/bin/sh\n[ %s = id ] || echo %s "$@" >>%q\n%s\n' "$1" "$1" "$CALLS" "${2:-}" \
		>"$FAKE/$1"
	chmod 755 "$FAKE/$1"
}

install_deps()
{
	run env -i PATH="$FAKE" OS_RELEASE="$BATS_TEST_TMPDIR/os-release" \
		"$TOP/packaging/install-deps" "$@"
}

assert_calls()
{
	run cat "$CALLS"
	assert_output "$@"
}

# What each manager says is there: gcc alone.  $1 is what apt-get then does.
fake_apt()
{
	stub dpkg-query 'echo installed gcc; echo unpacked make; exit 1'
	stub apt-get "${1:-}"
}

fake_dnf()
{
	# shellcheck disable=SC2016 # For the stub to expand.
	stub rpm 'for last; do :; done; [ "$last" = gcc ]'
	stub dnf
}

fake_pacman()
{
	# shellcheck disable=SC2016 # For the stub to expand.
	stub pacman 'if [ "$1" = -T ]; then shift 2; printf "%s\n" "$@"; exit 127; fi'
}

fake_apk()
{
	# shellcheck disable=SC2016 # For the stub to expand.
	stub apk 'if [ "$1" = info ]; then echo gcc; exit 1; fi'
}

@test "install-deps --dry-run says what apt would install, and calls nothing that installs" {
	fake_system debian 1000
	fake_apt
	install_deps --dry-run build
	assert_success
	assert_output 'install-deps: would install with apt: make libc6-dev musl-tools linux-libc-dev libsystemd-dev libbrotli-dev libzstd-dev zlib1g-dev libzopfli-dev pkgconf binutils'
	refute [ "$(grep -c '^apt-get' "$CALLS")" -gt 0 ]
}

@test "install-deps --dry-run says what dnf would install" {
	fake_system fedora 1000
	fake_dnf
	install_deps --dry-run build
	assert_success
	assert_output 'install-deps: would install with dnf: make glibc-devel glibc-static musl-gcc musl-libc-static kernel-headers systemd-devel brotli-devel libzstd-devel zlib-devel pkgconf-pkg-config binutils'
}

@test "install-deps --dry-run says what pacman would install" {
	fake_system arch 1000
	fake_pacman
	install_deps --dry-run build
	assert_success
	assert_output 'install-deps: would install with pacman: make glibc musl linux-api-headers systemd-libs brotli zstd zlib zopfli pkgconf binutils'
}

@test "install-deps --dry-run says what apk would install" {
	fake_system alpine 1000
	fake_apk
	install_deps --dry-run run
	assert_success
	assert_output 'install-deps: would install with apk: make musl-dev linux-headers brotli-dev zstd-dev zlib-dev pkgconf binutils socat'
}

@test "install-deps as root calls apt without sudo, unattended, and says one line" {
	fake_system debian 0
	fake_apt 'echo chatter'
	install_deps build
	assert_success
	assert_output 'install-deps: installing with apt: make libc6-dev musl-tools linux-libc-dev libsystemd-dev libbrotli-dev libzstd-dev zlib1g-dev libzopfli-dev pkgconf binutils'
	run grep '^apt-get' "$CALLS"
	assert_line --index 0 --regexp '^apt-get .*update$'
	assert_line --index 1 --regexp '^apt-get .*-y .*install --no-install-recommends make libc6-dev '
}

@test "install-deps as a user installs with sudo, and says so" {
	fake_system fedora 1000
	fake_dnf
	# shellcheck disable=SC2016 # For the stub to expand.
	stub sudo 'exec "$@"'
	install_deps build
	assert_success
	assert_output --partial 'installing with dnf and sudo: make '
	run grep -A 1 '^sudo' "$CALLS"
	assert_line --index 0 --regexp '^sudo dnf -y .*install make '
	assert_line --index 1 --regexp '^dnf -y .*install make '
}

@test "install-deps does nothing, says nothing and needs no sudo when all is there" {
	fake_system alpine 1000
	# shellcheck disable=SC2016 # For the stub to expand.
	stub apk 'shift 2; printf "%s\n" "$@"'
	install_deps build run bench
	assert_success
	assert_output ''
	assert_calls --regexp '^apk info -e [^'$'\n'']*$'
}

@test "install-deps is content with any one of several spawners" {
	fake_system debian 0
	# shellcheck disable=SC2016 # For the stub to expand.
	stub dpkg-query 'shift 3; for p; do [ "$p" = systemd ] || echo "installed $p"; done'
	stub apt-get
	install_deps run
	assert_success
	assert_output ''
}

@test "install-deps goes by the distribution, not by a foreign manager that is there" {
	fake_system fedora 1000
	fake_dnf
	fake_apt
	install_deps --dry-run build
	assert_success
	assert_output --partial 'would install with dnf: '
}

@test "install-deps without root or sudo says what root must install and ends with 77" {
	fake_system debian 1000
	fake_apt
	install_deps build
	assert_failure 77
	assert_output 'install-deps: root must install make libc6-dev musl-tools linux-libc-dev libsystemd-dev libbrotli-dev libzstd-dev zlib1g-dev libzopfli-dev pkgconf binutils: there is no sudo to become root with'
	refute [ "$(grep -c '^apt-get' "$CALLS")" -gt 0 ]
}

@test "install-deps on an unknown distribution names it and ends with 69" {
	fake_system plan9 0
	install_deps build
	assert_failure 69
	assert_output --partial 'install-deps: The plan9 system has none of apt, dnf, pacman and apk'
}

@test "install-deps shows what the manager said when it fails, and ends with 1" {
	fake_system debian 0
	# shellcheck disable=SC2016 # For the stub to expand.
	fake_apt 'case $* in *install*) echo "E: no space"; exit 100 ;; esac'
	install_deps build
	assert_failure 1
	assert_line 'E: no space'
	assert_line --regexp '^install-deps: apt could not install make '
}

@test "install-deps installs although a third-party repository does not answer" {
	fake_system debian 0
	# shellcheck disable=SC2016 # For the stub to expand.
	fake_apt 'case $* in *update*) exit 100 ;; esac'
	install_deps build
	assert_success
}

@test "install-deps refuses a role or option that it does not know with 64" {
	fake_system debian 0
	fake_apt
	for arguments in '' brew '--help-me' '--dry-run' 'build brew' '--unpack' '--unpack dir'; do
		# shellcheck disable=SC2086 # Splitting is what this is for.
		install_deps $arguments
		assert_failure 64
		assert_output --partial 'usage: install-deps [--dry-run]'
	done
}

@test "install-deps --unpack without apt ends with 69" {
	fake_system fedora 0
	fake_dnf
	install_deps --unpack "$BATS_TEST_TMPDIR/unpacked" xinetd
	assert_failure 69
	assert_output 'install-deps: --unpack needs apt, and this system has dnf'
}

@test "install-deps --unpack brings a daemon that runs, once, and installs nothing" {
	dir=$BATS_TEST_TMPDIR/unpacked
	before=$(dpkg-query -W)
	run "$TOP/packaging/install-deps" --unpack "$dir" xinetd
	assert_success
	assert_output ''
	run "$dir/run" xinetd -version
	assert_output --regexp '^2\.[0-9.]+ '
	assert_equal "$(dpkg-query -W)" "$before"

	# The second time nothing is called: neither apt-get nor anything exists.
	run env -i PATH=/nonexistent "$TOP/packaging/install-deps" --unpack "$dir" xinetd
	assert_success
	assert_output ''

	run -127 "$dir/run" inetd
	assert_output --partial 'inetd is not among the programs unpacked'
}
