#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The block device under a file system with keys: who reads it is told, by whatever node, partition,
# disk or file behind a loop device; who may, and who reads another device, is not.
# kernels: 7.x
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

if ! modprobe -q loop || ! modprobe -q ext4; then
	skip "raw devices" "this kernel came without loop or ext4"
	exit 0
fi
policy_allow $WAYS/hold-open
cat >>"$T/policy.yaml" <<POLICY
  - name: devices
    class: device
    severity: high
    allow:
      - exe: $WAYS/readv
POLICY
home=/home/bob
# A disk with one partition from sector 2048 on, and another disk that has nothing to do with it.
dd if=/dev/zero of="$T/disk" bs=1M count=9 2>/dev/null
dd if=/dev/zero of="$T/other" bs=1M count=2 2>/dev/null
printf '%s\n' "-----BEGIN nothing" >"$T/begin"
dd if="$T/begin" of="$T/other" conv=notrunc 2>/dev/null
printf 'n\np\n1\n2048\n18431\nw\n' | fdisk -u "$T/disk" >/dev/null 2>&1
disk=$(losetup -f)
losetup -P "$disk" "$T/disk" 2>/dev/null || losetup "$disk" "$T/disk"
other=$(losetup -f)
losetup "$other" "$T/other"
$WAYS/partitions "$disk" 2>"$T/said" || not_ok "the disk's partition is known" "$(cat "$T/said")"
part=${disk}p1
[ -b "$part" ] || {
	part=/dev/part
	# shellcheck disable=SC2046
	mknod $part b $(tr : ' ' <"/sys/block/${disk#/dev/}/${disk#/dev/}p1/dev")
}
mke2fs -F "$part" >/dev/null 2>&1
mount -t ext4 "$part" $home || not_ok "the partition is mounted" "it was not"
key_new $home/.ssh/id_on_disk bob
sync

# One has it open before the daemon comes.
mkfifo "$T/hold"
env WAY_MAGIC= $WAYS/hold-open "$part" <"$T/hold" >"$T/held" 2>&1 9>&- &
holder=$!
exec 3>"$T/hold"
is_open() {
	grep -q open "$T/held"
}
wait_for is_open
# That one may read keys, and no devices.
kt_start --policy "$T/policy.yaml" 3>&- || exit 1
exec 3>&-
wait "$holder"
keys_known
equal "the devices are known: partition, disk, and the file behind it" \
	"$(keytrail status --json | jq .objects.by_class.device)" 3

# The number of a node: as the kernel tells it.
number() {
	tr : ' ' <"/sys/class/block/${1#/dev/}/dev"
}
# shellcheck disable=SC2046
mknod "$T/node" b $(number "${disk#/dev/}p1")
reads() {
	"$@" >"$T/said" 2>&1 9>&- || not_ok "$* reads" "$(cat "$T/said")"
}
reads $WAYS/raw-device "$part"
# Each by a program of its own, so that none is a repeat.
for name in of_disk by_node by_file by_loop; do
	cp $WAYS/raw-device "$T/$name"
done
reads "$T/of_disk" "$disk"
reads "$T/by_node" "$T/node"
reads "$T/by_file" "$T/disk"
second=$(losetup -f)
cp /bin/busybox "$T/losetup"
reads "$T/losetup" "$second" "$T/disk"
# Handed on, and kept over exec, like any file.
env WAY_MAGIC= $WAYS/fd-exec "$part" </dev/null >/dev/null 2>&1 9>&-
# Who may.
env WAY_MAGIC= $WAYS/readv "$part"
# Another disk, and writing.
reads $WAYS/raw-device "$other"
dd if=/dev/zero of="$part" bs=512 count=0 conv=notrunc 2>/dev/null
# A device that is mounted while the daemon runs.
losetup -d "$second"

gather || exit 1
device() {
	printf '.type == "device-read" and .attack == "T1006" and .object.class == "device" and %s' \
		".object.path == \"$1\""
}
one "the partition" "$(by $WAYS/raw-device)" "$(device "/dev/${disk#/dev/}p1")" \
	'.access.how == "open"' '.text | contains("raw device")'
one "the disk that it is on" "$(by "$T/of_disk")" "$(device "$disk")"
one "a node made by mknod" "$(by "$T/by_node")" "$(device "/dev/${disk#/dev/}p1")" \
	".object.via == \"$T/node\""
one "the file behind the loop device" "$(by "$T/by_file")" "$(device "$T/disk")"
one "another loop device over that file" "$(by "$T/losetup")" "$(device "$T/disk")"
one "a descriptor of it kept over exec" "$(by $WAYS/fd-reader)" \
	"$(device "/dev/${disk#/dev/}p1")" '.access.how == "exec-fd"'
one "open before the daemon came" "$(by $WAYS/hold-open)" "$(device "/dev/${disk#/dev/}p1")" \
	'.access.how == "found"'
none "a program that may" "$(by $WAYS/readv)"
none "another device" ".object.path == \"$other\" or .object.via == \"$other\""
told_only 7

check "the disk is unmounted" wait_for umount $home
is_unmarked() {
	keytrail status --json | jq -e '.objects.by_class.device == null'
}
check "the devices are forgotten with the file system" wait_for is_unmarked
kt_stop
losetup -d "$disk"
losetup -d "$other"
