#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whether the code that an allowed program has mapped is root's: by owner, mode, group and access
# control list of the file, and never where a user has mounted the file system, whose files then
# belong to whom it says. How code can be mapped: tests/vm/mini/identity.test.sh.
# kernels: 5.10 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

bin=/opt/keys
code=/opt/code
ssh=/home/alice/.ssh
work=/home/alice/work
rm -rf $bin $code /opt/none $work
mkdir -p $bin $code /opt/none $work
chown 1000:1000 /home/alice $work
cp $WAYS/map-code $bin/map-code
# A tree that root has installed under umask 002, and what differs from it by one thing.
for name in plain theirs anybodys listed; do
	cp $WAYS/read $code/$name
	chmod 0775 $code/$name
done
chown 0:1000 $code/theirs
chmod 0757 $code/anybodys
chmod 0644 $code/listed
cp $WAYS/read $code/strict && chmod 0755 $code/strict
if $WAYS/give-write 1000 $code/listed 2>"$T/list"; then listed=yes; fi
policy_allow $bin/map-code
key_new $ssh/id_plain alice
for name in theirs anybodys listed implied noexec tmpfs tmpfs-later overlay overlay-later; do
	key_copy $ssh/id_$name alice
done
kt_start --policy "$T/policy.yaml" || exit 1
keys_known

alice() {
	$WAYS/as 1000 1000 "$@"
}
reads() {
	"$@" >/dev/null || not_ok "$* reads" "it did not"
}
for name in plain theirs anybodys listed; do
	reads alice $bin/map-code map $code/$name $ssh/id_$name
done

# By a personality what is mapped to be read is code, but where nothing can be run.
reads alice $bin/map-code implied $code/theirs $ssh/id_implied
mkdir $code/noexec
mount -t tmpfs -o noexec none $code/noexec || not_ok "what nothing can be run from" "not mounted"
cp $WAYS/read $code/noexec/hers
chown 1000:1000 $code/noexec/hers
reads alice $bin/map-code implied $code/noexec/hers $ssh/id_noexec
# keytraild looks at what was mounted; were it there still, no overlay of hers could lie over it.
wait_for umount $code/noexec || not_ok "what nothing can be run from" "not unmounted"

# A tmpfs of hers has a file of root's: her namespace has the host's root as its user 1.
hers() {
	$WAYS/in-user-ns 1000 0 1 unshare -m sh -c "mount -t tmpfs none $work && cp $code/plain $work/ &&
		chmod 0755 $work $work/plain && chown 1:1 $work/plain && $1"
}
if hers true 2>"$T/tmpfs"; then
	equal "a file of root's stands in a tmpfs of hers" "$(hers "stat -c %u $work/plain")" 1
	reads hers "exec $bin/map-code map $work/plain $ssh/id_tmpfs"
	reads hers "exec $bin/map-code protect $work/plain $ssh/id_tmpfs-later"
	tmpfs=yes
fi

# An overlay of hers shows a directory of root's.
laid() {
	alice unshare -U -r -m sh -c \
		"mount -t overlay -o lowerdir=$code:/opt/none none $work && $1"
}
if ! modprobe -q overlay && ! grep -q overlay /proc/filesystems; then
	lacks="no module"
elif ! laid true 2>"$T/overlay"; then
	lacks=$(tail -n 1 "$T/overlay")
	case $(uname -r) in
	5.10.*) ;; # 5.11 lets users mount it
	*) not_ok "overlayfs in a user namespace" "$lacks" ;;
	esac
else
	equal "a file of root's stands in an overlay of hers" "$(laid "stat -c %u $work/strict")" 65534
	reads laid "exec $bin/map-code map $work/strict $ssh/id_overlay"
	reads laid "exec $bin/map-code protect $work/strict $ssh/id_overlay-later"
fi

gather || exit 1
others='.subject.untrusted == ["mapped"]'
none "what root's group may write" "$(of $ssh/id_plain)"
one "what another group may write" "$(of $ssh/id_theirs)" "$others" "$(by $bin/map-code)"
one "what anybody may write" "$(of $ssh/id_anybodys)" "$others"
one "mapped to be read, which implies to be run" "$(of $ssh/id_implied)" "$others"
none "the same where nothing can be run" "$(of $ssh/id_noexec)"
if [ "${listed-}" ]; then
	one "what a list lets a user write" "$(of $ssh/id_listed)" "$others"
else
	skip "what a list lets a user write" "$(cat "$T/list")"
fi
if [ "${tmpfs-}" ]; then
	one "root's in a tmpfs that a user has mounted" "$(of $ssh/id_tmpfs)" "$others"
	one "mapped to be read, then made code" "$(of $ssh/id_tmpfs-later)" "$others"
else
	skip "root's in a tmpfs that a user has mounted" "$(tail -n 1 "$T/tmpfs")"
fi
if [ "${lacks-}" ]; then
	skip "root's in an overlay that a user has mounted" "$lacks"
else
	one "root's in an overlay that a user has mounted" "$(of $ssh/id_overlay)" "$others"
	# From 6.8 on it is the layer's file, under the layer's mount, that is mapped by then.
	case $(uname -r) in
	6.1.*) one "there, mapped to be read, then made code" "$(of $ssh/id_overlay-later)" "$others" ;;
	esac
fi
