#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Keys on a disk that is mounted while the daemon runs: ext4 with inodes that are used again, and
# that is unmounted and mounted once more.
# kernels: 6.1
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

if ! modprobe -q loop || ! modprobe -q ext4; then
	skip "keys on a disk" "this kernel came without loop or ext4"
	exit 0
fi
home=/home/bob
dd if=/dev/zero of="$T/disk" bs=1M count=8 2>/dev/null
mke2fs -F "$T/disk" >/dev/null 2>&1
attach() {
	device=$(losetup -f)
	losetup "$device" "$T/disk" && mount -t ext4 "$device" $home
}
# The daemon looks at files there, which holds the disk for moments, and must let go of it.
detach() {
	wait_for umount $home && losetup -d "$device"
}
directories() {
	keytrail status --json | jq .objects.directories
}
grown_from() {
	[ "$(directories)" -gt "$1" ]
}

attach || {
	not_ok "a disk is mounted" "it was not"
	exit 1
}
key_new $home/.ssh/id_on_disk bob
detach
kt_start || exit 1
before=$(directories)
attach
check "a home that is mounted later becomes known" wait_for grown_from "$before"

ways="o-direct copy-file-range open-by-handle hard-link set-version"
for way in $ways; do
	key_copy "$home/.ssh/id_$way" bob
done
keys_known
cat $home/.ssh/id_on_disk >/dev/null
for way in $ways; do
	$WAYS/"$way" "$home/.ssh/id_$way" >"$T/said" 2>&1 9>&-
	case $? in
	0) echo "$way" >>"$T/done" ;;
	77) skip "$way" "$(cat "$T/said")" ;;
	*) not_ok "$way" "$(cat "$T/said")" ;;
	esac
done

# All that is in memory of the file is forgotten and read anew.
key_copy $home/.ssh/id_evicted bob
keys_known
sync
echo 3 >/proc/sys/vm/drop_caches
$WAYS/read $home/.ssh/id_evicted

# The inode of a deleted key goes to a stranger.
reused=0
for i in 1 2 3 4 5 6 7 8; do
	key_copy $home/.ssh/id_short$i bob
	inode=$(stat -c %i "$KEY")
	rm "$KEY" "$KEY.pub"
	echo "no key" >$home/stranger$i
	[ "$(stat -c %i $home/stranger$i)" != "$inode" ] || reused=$((reused + 1))
	cat $home/stranger$i >/dev/null
done
# And that of a stranger to a key.
echo "no key" >$home/stranger
inode=$(stat -c %i $home/stranger)
rm $home/stranger
cat "$T/new-key" >$home/.ssh/id_second
second=$(stat -c %i $home/.ssh/id_second)
keys_known
cat $home/.ssh/id_second >/dev/null

gather || exit 1
one "a key on a disk mounted after start" "$(of $home/.ssh/id_on_disk)" \
	"$(named $home/.ssh/id_on_disk)" '.object.owner_user == "bob"'
while read -r way; do
	case $way in
	# It was open for writing, so which key it is has to be found out anew.
	set-version) key=".object.path == \"$home/.ssh/id_$way\"" ;;
	*) key=$(named "$home/.ssh/id_$way") ;;
	esac
	one "$way" "$(of "$home/.ssh/id_$way")" "$key" "$(by "$WAYS/$way")"
done <"$T/done"
one "after its inode was dropped from memory" "$(of $home/.ssh/id_evicted)" \
	"$(named $home/.ssh/id_evicted)" "$(by $WAYS/read)"
if [ $reused = 0 ]; then
	skip "a stranger with the inode of a deleted key" "the file system gave it to none of 8"
else
	none "a stranger with the inode of a deleted key ($reused of 8 had it)" \
		'.object.path | contains("stranger")'
fi
if [ "$inode" = "$second" ]; then
	name="a key with the inode of a stranger"
else
	name="a key made where a stranger was deleted"
fi
one "$name" "$(of $home/.ssh/id_second)" ".object.key.fingerprint == \"$FP\""

# Unmounted, and back: the same file system, on another device perhaps.
# A child of the daemon that looks which key a file holds has it open for that time.
detach || not_ok "the disk is unmounted" "the daemon holds it"
before=$(directories)
attach
check "a home that is mounted again becomes known" wait_for grown_from "$before"
keys_known
$WAYS/read $home/.ssh/id_on_disk
gather || exit 1
one "the same key after the disk was away" "$(of $home/.ssh/id_on_disk) and $(by $WAYS/read)" \
	"$(named $home/.ssh/id_on_disk)"
kt_stop
detach
