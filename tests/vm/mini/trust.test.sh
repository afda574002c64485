#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# An allowed executable is a file that stands at its path and that only root can change: not a name,
# and not a path that only a namespace of one's own has.
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

# Allowed programs, and all that can be about one.
bin=/opt/keys
ssh=/root/.ssh
rm -rf $bin
mkdir -p $bin/open
for name in honest upgraded shadowed writable open/below owned opened-up; do
	cp $WAYS/read $bin/$name
done
cp $WAYS/race-reader $bin/deleted
cp $WAYS/race-reader $bin/long-running
chmod 0777 $bin/writable $bin/open
chown 1000 $bin/owned
policy_allow $bin/honest $bin/upgraded $bin/shadowed $bin/deleted $bin/writable $bin/open/below \
	$bin/owned $bin/long-running $bin/opened-up
key_new $ssh/id_honest
for name in copied memory upgraded shadowed elsewhere writable below owned opened-up1 opened-up2; do
	key_copy $ssh/id_$name
done
kt_start --policy "$T/policy.yaml" || exit 1
keys_known

reads() {
	"$@" || not_ok "$* reads" "it did not"
}
reads $bin/honest $ssh/id_honest
cp $bin/honest "$T/honest"
reads "$T/honest" $ssh/id_copied
reads $WAYS/memfd-exec $bin/honest $ssh/id_memory
# As a package manager does it: a new file takes the place of the old one.
cp $WAYS/pread $bin/upgraded.new
mv $bin/upgraded.new $bin/upgraded
reads $bin/upgraded $ssh/id_upgraded
# In a mount namespace of its own, another program stands at the same path.
reads unshare -m --propagation private sh -c \
	"mount --bind $WAYS/pread $bin/shadowed && exec $bin/shadowed $ssh/id_shadowed"
# Or another file at the path of the key, which is reached by a path that nobody else has.
reads unshare -m --propagation private sh -c "mkdir -p /mnt/ssh && mount --bind $ssh /mnt/ssh &&
	mount -t tmpfs none $ssh && echo nothing >$ssh/id_elsewhere && cat $ssh/id_elsewhere &&
	exec $WAYS/pread /mnt/ssh/id_elsewhere" >/dev/null
reads $bin/writable $ssh/id_writable
reads $bin/open/below $ssh/id_below
reads $bin/owned $ssh/id_owned
# Honest at first, then anybody may write it.
reads $bin/opened-up $ssh/id_opened-up1
kt_barrier || not_ok "alerts come through" "no alert for the barrier"
chmod 0777 $bin/opened-up
reads $bin/opened-up $ssh/id_opened-up2

# It runs, waiting for a key; then its file is deleted, or replaced as by an upgrade.
key_copy /root/outside/late1
key_copy /root/outside/late2
spinning() {
	grep -q ready "$T/$1.out"
}
for name in deleted long-running; do
	$bin/$name $ssh/id_$name >"$T/$name.out" &
	eval "pid_$(echo $name | tr - _)=$!"
	wait_for spinning $name
done
# Until the daemon has seen it start: a file that goes within that moment is one that it never saw.
kt_barrier || not_ok "alerts come through" "no alert for the barrier"
rm $bin/deleted
mv /root/outside/late1 $ssh/id_deleted
# shellcheck disable=SC2154
wait "$pid_deleted" || not_ok "the deleted program reads" "it did not"
cp $WAYS/pread $bin/new && mv $bin/new $bin/long-running
mv /root/outside/late2 $ssh/id_long-running
# shellcheck disable=SC2154
wait "$pid_long_running" || not_ok "the long running program reads" "it did not"

gather || exit 1
none "an allowed program" "$(of $ssh/id_honest)"
one "its copy" "$(of $ssh/id_copied)" "$(named $ssh/id_copied)" "$(by "$T/honest")"
one "the same program run from memory" "$(of $ssh/id_memory)" "$(named $ssh/id_memory)" \
	'.subject.exe | contains("memfd:program")'
none "its successor at the same path" "$(of $ssh/id_upgraded)"
one "another program, shadowing it in a mount namespace" "$(of $ssh/id_shadowed)" \
	"$(named $ssh/id_shadowed)" '.subject.exe_trust == "other"'
one "a key reached by a path that only its reader's namespace has" "$(of $ssh/id_elsewhere)" \
	"$(named $ssh/id_elsewhere)" "$(by $WAYS/pread)"
one "a program that anybody may write" "$(of $ssh/id_writable)" '.subject.exe_trust == "writable"'
one "a program in a directory that anybody may write" "$(of $ssh/id_below)" \
	'.subject.exe_trust == "writable"'
one "a program that a user owns" "$(of $ssh/id_owned)" '.subject.exe_trust == "writable"'
none "a program before anybody may write it" "$(of $ssh/id_opened-up1)"
one "and after" "$(of $ssh/id_opened-up2)" '.subject.exe_trust == "writable"'
none "an allowed program whose file was deleted while it ran" "$(of $ssh/id_deleted)"
none "an allowed program that was replaced while it ran" "$(of $ssh/id_long-running)"
told_only 8
