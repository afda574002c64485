#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Keys on file systems of each kind, made while the daemon runs and before it came; what lies one on
# the other (overlayfs) is one event, not two.
# kernels: 7.x
# shellcheck disable=SC2119,SC2086
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

fs=/srv/fs
rm -rf $fs /srv/overlay
mkdir -p $fs /srv/overlay
printf 'version: 1\nwatch:\n  - name: k\n    class: ssh-user-key\n    severity: high
    paths: [ "/srv/**/id_*" ]\n    exclude: [ "*.pub" ]\n' >"$T/policy.yaml"
key_new "$T/outside/id_source"
echo "$FP" >"$T/fp"

# made NAME: a file system of this kind is mounted at $fs/NAME.
made() {
	mkdir -p "$fs/$1"
	case $1 in
	tmpfs) mount -t tmpfs none $fs/tmpfs; return ;;
	esac
	modprobe -q loop && modprobe -q "$1" || return 77
	# xfs asks for 300 MB; nothing of it is there before it is written to.
	dd if=/dev/zero of="$T/$1.img" bs=1 count=0 seek=320M 2>/dev/null
	case $1 in
	ext4) mke2fs -F "$T/$1.img" 16384 >/dev/null 2>&1 ;;
	btrfs) # From 6.16 to 6.19 its checksum is a module that nothing of busybox's finds by its alias.
		modprobe -q crc32c-cryptoapi
		mkfs.btrfs -q "$T/$1.img" >"$T/said" 2>&1 ;;
	xfs) mkfs.xfs -q "$T/$1.img" >"$T/said" 2>&1 ;;
	esac || return 1
	device=$(losetup -f)
	losetup "$device" "$T/$1.img" && mount -t "$1" "$device" "$fs/$1" 2>"$T/said"
}
kinds=
for kind in tmpfs ext4 btrfs xfs; do
	if made $kind 9>&-; then
		kinds="$kinds $kind"
		key_copy $fs/$kind/before/id_before
	else
		skip "$kind" "no module, or not made: $(cat "$T/said" 2>/dev/null)"
	fi
done

# A FUSE file system with one key in it.
if modprobe -q fuse; then
	mkdir -p $fs/fuse
	mkfifo "$T/fuse"
	$WAYS/fuse-serve "$T/outside/id_source" $fs/fuse id_fuse >"$T/served" 2>"$T/fuse.err" 9>&- &
	server=$!
	is_served() {
		grep -q mounted "$T/served"
	}
	wait_for is_served || not_ok "fuse-serve mounts" "$(cat "$T/fuse.err")"
else
	server=
	skip "fuse" "no module"
fi

# Overlays: nobody watches the layers of the first but by the merged tree; of the second, the lower
# layer is watched by its own name and the merged tree is not.
overlay=
if modprobe -q overlay; then
	overlay=1
	for layer in lower upper work; do
		mkdir -p $T/o1/$layer $T/o2/$layer
	done
	mkdir -p $T/o1/lower/d $T/o1/upper/d /srv/overlay/merged $T/o2/merged /srv/overlay/lower
	cp "$T/new-key" $T/o1/lower/d/id_lower
	cp "$T/new-key" $T/o1/lower/d/id_copied_up
	cp "$T/new-key" $T/o1/upper/d/id_upper
	cp "$T/new-key" /srv/overlay/lower/id_below
	mount -t overlay o1 -o "lowerdir=$T/o1/lower,upperdir=$T/o1/upper,workdir=$T/o1/work" \
		/srv/overlay/merged
	mount -t overlay o2 -o "lowerdir=/srv/overlay/lower,upperdir=$T/o2/upper,workdir=$T/o2/work" \
		$T/o2/merged
else
	skip "overlayfs" "no module"
fi

m=/srv/overlay/merged/d
kt_start --policy "$T/policy.yaml" || exit 1
[ -z "$server" ] || apart_is $fs/fuse seen || not_ok "fuse is walked" "$(apart_states)"
for kind in $kinds; do
	key_copy $fs/$kind/after/id_after
	key_copy $fs/$kind/after/id_clone
done
[ -z "$overlay" ] || cp "$T/new-key" /srv/overlay/merged/d/id_made
keys_known

for kind in $kinds; do
	$WAYS/read $fs/$kind/before/id_before $fs/$kind/after/id_after ||
		not_ok "$kind is read" "it was not"
	$WAYS/ficlone $fs/$kind/after/id_clone >"$T/said" 2>&1 9>&-
	case $? in
	0) echo "$kind" >>"$T/cloned" ;;
	77) ;;
	*) not_ok "$kind: reflink" "$(cat "$T/said")" ;;
	esac
done
if [ -n "$server" ]; then
	$WAYS/read $fs/fuse/id_fuse || not_ok "fuse is read" "it was not"
fi
if [ -n "$overlay" ]; then
	$WAYS/read $m/id_lower $m/id_upper $m/id_made || not_ok "overlay is read" "it was not"
	# Copied up by who only writes to it; read by another program before and after.
	$WAYS/pread $m/id_copied_up || not_ok "overlay is read" "it was not"
	$WAYS/as 0 0 sh -c "echo >>$m/id_copied_up"
	$WAYS/read $m/id_copied_up || not_ok "overlay is read" "it was not"
	# Below the merged tree, by the layers' own names.
	$WAYS/preadv2 $T/o1/lower/d/id_lower || not_ok "the lower layer is read" "it was not"
	$WAYS/readv $T/o2/merged/id_below || not_ok "overlay is read" "it was not"
fi

KT_BARRIER_DIR=/srv/barrier gather || exit 1
key=".object.key.fingerprint == \"$(cat "$T/fp")\""
for kind in $kinds; do
	for when in before after; do
		one "$kind: a key made $when the daemon came" "$(of $fs/$kind/$when/id_$when)" "$key" \
			"$(by $WAYS/read)"
	done
	if grep -qs "$kind" "$T/cloned"; then
		one "$kind: reflink" "$(of $fs/$kind/after/id_clone)" "$key" "$(by $WAYS/ficlone)"
	else
		case $kind in
		btrfs | xfs) not_ok "$kind: reflink" "the file system makes none" ;;
		esac
	fi
done
[ -z "$server" ] || one "fuse" "$(of $fs/fuse/id_fuse)" "$key" "$(by $WAYS/read)"
if [ -n "$overlay" ]; then
	one "overlayfs, a file of the lower layer: one event" \
		"$(of $m/id_lower) and $(by $WAYS/read)" "$key"
	one "overlayfs, a file of the upper layer: one event" "$(of $m/id_upper)" "$key"
	one "overlayfs, a file made in the merged tree: one event" "$(of $m/id_made)" "$key"
	one "overlayfs, before the copy-up" "$(of $m/id_copied_up) and $(by $WAYS/pread)" "$key"
	one "overlayfs, after the copy-up" "$(of $m/id_copied_up) and $(by $WAYS/read)"
	one "overlayfs, the layer by its own name" "$(of $m/id_lower) and $(by $WAYS/preadv2)"
	one "overlayfs, a watched lower layer in a merged tree that nobody watches" \
		"$(of /srv/overlay/lower/id_below)" "$(by $WAYS/readv)"
fi
kt_stop
for mount in "$fs"/* /srv/overlay/merged "$T/o2/merged"; do
	umount "$mount" 2>/dev/null
done
for kind in ext4 btrfs xfs; do
	losetup -a | grep "/$kind.img" | cut -d: -f1 | xargs -r -n 1 losetup -d
done
