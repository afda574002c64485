#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The disk under the root file system, with the installed policy: what a system does to it by itself
# and what looks at labels and tables is silent; who gets a key out of it by debugfs or dd is told.
# kernels: 6.1
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

root=$(findmnt -no SOURCE /)
if [ ! -b "$root" ]; then
	skip "the disk under the root file system" "it is $root"
	exit 0
fi
key_new /root/.ssh/id_disk
sync
kt_start || exit 1
keys_known
check "the disk is known" sh -c "keytrail status --json | jq -e '.objects.by_class.device >= 1'"

udevadm trigger --settle --subsystem-match=block
blkid -p "$root" >/dev/null
blkid >/dev/null
lsblk -f >/dev/null
findmnt --verify >/dev/null 2>&1
tune2fs -l "$root" >/dev/null
systemctl daemon-reload # runs the generators

equal "debugfs shows the key" "$(debugfs -R 'cat /root/.ssh/id_disk' "$root" 2>/dev/null 9>&-)" \
	"$(cat "$T/new-key")"
dd if="$root" of=/dev/null bs=4096 count=1 2>/dev/null
gather || exit 1
device() {
	printf '.type == "device-read" and .object.path == "%s" and .severity == "high"' "$root"
}
one "debugfs" "$(by /usr/sbin/debugfs)" "$(device)" '.subject.user == "root"'
one "dd" "$(by /usr/bin/dd)" "$(device)"
told_only 2
