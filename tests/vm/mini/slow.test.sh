#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A file system that takes requests and never answers (a dead NFS server; here FUSE) keeps the daemon
# neither from starting, nor from telling, nor from ending; and is watched when it answers again.
# kernels: 6.1
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

if ! modprobe -q fuse; then
	skip "a file system that does not answer" "no module fuse"
	exit 0
fi
KT_BARRIER_DIR=/srv/barrier
rm -rf /srv/*
mkdir -p /srv/dead /srv/late
printf 'version: 1\nwatch:\n  - name: k\n    class: ssh-user-key\n    severity: high
    paths: [ "/srv/**/id_*" ]\n    exclude: [ "*.pub" ]\n' >"$T/policy.yaml"
key_new "$T/outside/id_source"
key_copy /srv/here/id_here

# served DIRECTORY: a FUSE file system with one key, which hangs while there is $T/hang.
served() {
	$WAYS/fuse-serve "$T/outside/id_source" "$1" id_there "$T/hang" >"$1.said" 2>&1 9>&- &
	wait_for grep -q mounted "$1.said" || not_ok "fuse-serve mounts" "$(cat "$1.said")"
}

: >"$T/hang"
served /srv/dead
kt_start --policy "$T/policy.yaml" || exit 1
ok "the daemon starts"
check "it says that the place does not answer" apart_is -t 180 /srv/dead silent
wait_alert '(.text // "") | contains("/srv/dead does not answer")' || :
equal "it is told, once" "$(alert_count '(.text // "") | contains("/srv/dead does not answer")')" 1

# Mounted while it runs, and looked at by events, a reload, a rescan.
served /srv/late
keytrail reload >/dev/null || not_ok "a reload" "it failed"
check "events come through" kt_barrier
$WAYS/read /srv/here/id_here
check "keys elsewhere are told" wait_alert "$(of /srv/here/id_here) and $(by $WAYS/read)"
check "the other place is silent, too" apart_is -t 180 /srv/late silent

kt_stop
equal "the daemon ends" "$KT_STATUS" 0
kt_start --policy "$T/policy.yaml" || exit 1
ok "and starts again"
rm "$T/hang"
check "when it answers it is walked" apart_is -t 300 /srv/dead seen
check "and so is the other" apart_is -t 300 /srv/late seen
keys_known

$WAYS/read /srv/dead/id_there /srv/late/id_there
kt_barrier || not_ok "alerts come through" "no alert for the barrier"
# Marked once, it stays so over what makes all names anew, answer or not.
: >"$T/hang"
keytrail reload >/dev/null || not_ok "a reload" "it failed"
rm "$T/hang"
$WAYS/pread /srv/dead/id_there
gather || exit 1
key=".object.key.fingerprint == \"$FP\""
one "a key there is told" "$(of /srv/dead/id_there) and $(by $WAYS/read)" "$key"
one "a key on the other is told" "$(of /srv/late/id_there) and $(by $WAYS/read)" "$key"
one "it stays watched over a reload" "$(of /srv/dead/id_there) and $(by $WAYS/pread)" "$key"
kt_stop
umount /srv/dead /srv/late
