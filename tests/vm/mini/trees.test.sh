#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Files that come to a watched name otherwise than by open: with the tree that they are in, from a
# tar, by mknod, by O_TMPFILE and linkat; and a rename that fails. What is opened by the next system
# call is seen, deep down as well.
# kernels: 7.x
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

w=/srv/watched
away=/srv/.away
rm -rf /srv/* $away
mkdir -p $w $away /srv/all
printf 'version: 1\nwatch:\n  - name: k\n    class: ssh-user-key\n    severity: high
    paths: [ "%s/**/id_*" ]\n    exclude: [ "*.pub" ]
  - name: all\n    class: ssh-user-key\n    severity: high\n    paths: [ "/srv/all/*" ]\n' \
	$w >"$T/policy.yaml"
key_new "$T/outside/source"
src="$T/outside/source"
key=".object.key.fingerprint == \"$FP\""
# A link that is older than the daemon, to a key and to nothing that is watched.
mkdir -p $w/links
cp "$T/new-key" $w/links/id_linked
ln $w/links/id_linked $away/older-link
kt_start --policy "$T/policy.yaml" || exit 1

# tree NAME: a tree with keys at three depths and names that nobody watches between them.
tree() {
	mkdir -p "$away/$1/a/b/c" "$away/$1/d"
	cp "$T/new-key" "$away/$1/id_top"
	cp "$T/new-key" "$away/$1/a/b/c/id_deep"
	for i in 1 2 3 4 5 6 7 8 9; do
		echo no >"$away/$1/a/no$i"
		echo no >"$away/$1/d/no$i"
	done
	cp "$T/new-key" "$away/$1/d/id_last"
	cp "$T/new-key" "$away/$1/d/stranger"
}
tree moved
$WAYS/move-read $away/moved $w/moved a/b/c/id_deep id_top d/id_last d/stranger ||
	not_ok "a tree is moved and read" "it was not"
# Exchanged with a directory that is there.
tree exchanged
mkdir -p $w/there
$WAYS/exchange $away/exchanged $w/there || not_ok "trees are exchanged" "they were not"
$WAYS/pread $w/there/a/b/c/id_deep
# On a disk, where what nobody has looked up is in no cache.
disk=
if modprobe -q loop && modprobe -q ext4; then
	disk=$(losetup -f)
	dd if=/dev/zero of="$T/disk" bs=1M count=8 2>/dev/null
	mke2fs -F "$T/disk" >/dev/null 2>&1
	mkdir -p $w/disk
	losetup "$disk" "$T/disk"
	mkdir "$T/mnt"
	mount -t ext4 "$disk" "$T/mnt"
	away=$T/mnt
	tree cold
	away=/srv/.away
	mkdir "$T/mnt/watched"
	before=$(keytrail status --json | jq .objects.directories)
	mount --bind "$T/mnt/watched" $w/disk
	is_known() {
		[ "$(keytrail status --json | jq .objects.directories)" -gt "$before" ]
	}
	wait_for is_known || not_ok "a mounted directory becomes known" "it did not"
	sync
	echo 3 >/proc/sys/vm/drop_caches
	$WAYS/move-read "$T/mnt/cold" "$T/mnt/watched/cold" a/b/c/id_deep d/id_last ||
		not_ok "a cold tree is moved and read" "it was not"
fi
# A tar.
tree packed
(cd $away && tar cf "$T/packed.tar" packed)
(cd $w && tar xf "$T/packed.tar")
$WAYS/readv $w/packed/a/b/c/id_deep
# Made by other calls than open.
$WAYS/make-mknod "$src" $w/id_mknod || not_ok "mknod" "it did not read"
$WAYS/make-tmpfile "$src" $w/id_tmpfile || not_ok "O_TMPFILE and linkat" "it did not read"
# Where each name is watched, it is known by the one it is given, and not by #NUMBER.
$WAYS/make-tmpfile "$src" /srv/all/named || not_ok "O_TMPFILE where all is watched" "it did not read"
# By the older link.
$WAYS/read $away/older-link
# The hooks before a rename see it; then the file system refuses: the target is not empty.
tree refused
mkdir -p $w/full
echo no >$w/full/no
if $WAYS/move-read $away/refused $w/full id_top 2>/dev/null; then
	not_ok "a rename onto a full directory fails" "it did not"
fi
$WAYS/read $away/refused/id_top $away/refused/a/b/c/id_deep
# More names than are marked within the rename: the daemon's walk does the rest.
mkdir -p $away/large
for i in $(seq 0 39); do
	mkdir "$away/large/$i"
	(cd "$away/large/$i" && seq 1 50 | sed 's/^/no/' | xargs touch)
done
cp "$T/new-key" $away/large/0/id_first
cp "$T/new-key" $away/large/39/id_last
mv $away/large $w/large
is_walked() {
	[ "$(keytrail status --json | jq .objects.directories)" -ge 60 ]
}
wait_for is_walked || not_ok "a large tree is walked" "it was not"
$WAYS/preadv2 $w/large/0/id_first $w/large/39/id_last

# A path of nearly 4 KiB, more than a record holds.
far=$w
long=$(printf '%0100d' 0)
for i in $(seq 10 48); do
	far=$far/$i$long
done
mkdir -p "$far"
cp "$T/new-key" "$far/id_far" || not_ok "a path of nearly 4 KiB" "it is not made"
$WAYS/tee "$far/id_far" || not_ok "a path of nearly 4 KiB" "it is not read"

KT_BARRIER_DIR=$w/barrier gather || exit 1
for name in a/b/c/id_deep id_top d/id_last; do
	one "moved with its tree, opened by the next system call: $name" "$(of $w/moved/$name)" \
		"$(by $WAYS/move-read)" '.access.how == "open"'
done
if [ -n "$disk" ]; then
	for name in a/b/c/id_deep d/id_last; do
		one "moved with a tree that is in no cache: $name" "$(of $w/disk/cold/$name)" \
			"$(by $WAYS/move-read)"
	done
fi
none "a name in the tree that is not watched" '.object.path | contains("stranger")'
one "exchanged with its tree" "$(of $w/there/a/b/c/id_deep)" "$(by $WAYS/pread)"
one "unpacked by tar" "$(of $w/packed/a/b/c/id_deep)" "$(by $WAYS/readv)"
one "made by mknod" "$(of $w/id_mknod)" "$(by $WAYS/make-mknod)"
one "made by O_TMPFILE and linkat" "$(of $w/id_tmpfile)" "$(by $WAYS/make-tmpfile)"
one "made by O_TMPFILE where each name is watched" "$(of /srv/all/named)" \
	"$(by $WAYS/make-tmpfile)" '.object.path == "/srv/all/named"'
one "a hard link older than the daemon" "$(of $w/links/id_linked)" "$key" \
	".object.via == \"$away/older-link\""
none "a rename that the file system refuses" '(.object.path + (.object.via // "")) |
	contains("refused")'
for name in 0/id_first 39/id_last; do
	one "a tree too large to be marked at once: $name" "$(of $w/large/$name)" \
		"$(by $WAYS/preadv2)"
done
check "which is told as a gap" wait_alert '.type == "events-lost" and .gap.cause == "tree-bound"'
one "a path of nearly 4 KiB: its end is told" "$(by $WAYS/tee)" '.type == "key-read"' \
	'.object.path | endswith("/id_far")'
kt_stop
[ -z "$disk" ] || { umount $w/disk && umount "$T/mnt" && losetup -d "$disk"; }
