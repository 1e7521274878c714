# File systems of a test's own, on images in $BATS_TEST_TMPDIR.
# shellcheck shell=bash

# mount_new KIND DIR: an empty file system at DIR, until unmount_all.
#	seconds	ext4 with inodes of 128 bytes, whose times have no fractions
#	exfat	exFAT: the case of names does not count, and there is no time of
#		a change but the date
mount_new() {
	local image=$BATS_TEST_TMPDIR/image.$1 loop
	truncate -s 8M "$image"
	mkdir -p "$2"
	loop=$(losetup --find --show "$image")
	printf '%s\t%s\n' "$loop" "$2" >>"$BATS_TEST_TMPDIR/mounted"
	case $1 in
	seconds)	mkfs.ext4 -q -I 128 "$loop" 2>/dev/null && mount "$loop" "$2" ;;
	exfat)	mkfs.exfat "$loop" >/dev/null && mount.exfat-fuse -o allow_other "$loop" "$2" >/dev/null ;;
	esac
}

unmount_all() {
	local loop dir
	[ -e "$BATS_TEST_TMPDIR/mounted" ] || return 0
	while IFS=$'\t' read -r loop dir; do
		! mountpoint -q "$dir" || umount "$dir"
		losetup --detach "$loop"
	done <"$BATS_TEST_TMPDIR/mounted"
}
