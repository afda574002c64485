#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon's evidence log: also who may is recorded, repeats are a count, alerts carry its head,
# the chain goes on over kill -9 and holds; a disk that is full costs no alert.
# kernels: 6.1
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

LOG=/var/lib/keytrail/evidence

# start_again: the daemon, with what an earlier one left.
start_again() {
	/usr/local/sbin/keytraild --policy "$T/policy.yaml" >>"$KT_LOG" 2>&1 9>&- &
	KT_PID=$!
	wait_for -t 180 kt_ready && kt_running
}

key_new /root/.ssh/id_kept
cp $WAYS/read /usr/local/bin/may-read
cat >"$T/policy.yaml" <<'YAML'
version: 1
settings: {heartbeat_s: 1}
watch:
  - name: keys
    class: ssh-user-key
    paths: [/root/.ssh/id_*]
    exclude: ["*.pub"]
    allow: [{exe: /usr/local/bin/may-read}]
YAML
# A file system of its own, which can be filled.
kt_start --policy "$T/policy.yaml" || exit 1
kt_stop
mount -t tmpfs -o size=256k,mode=700 none $LOG || exit 1
start_again || exit 1
keys_known

records() {
	cat $LOG/*.jsonl | jq -c "select($1)"
}
recorded() {
	[ -n "$(records "$1")" ]
}

check "start is recorded, with the policy's digest" recorded \
	'.kind == "start" and (.policy_sha256 | length == 64)'
$WAYS/read /root/.ssh/id_kept >/dev/null
check "an alert is told" wait_alert '.type == "key-read"'
check "with its place in the log" test "$(alerts '.type == "key-read"' | head -n 1 | jq -r .chain.head)" = \
	"$(records '.kind == "alert" and .type == "key-read"' | head -n 1 | jq -r .hash)"
check "so is the access, by the key's fingerprint" recorded \
	".kind == \"access\" and .verdict == \"alert\" and .key == \"$(fp /root/.ssh/id_kept)\""
/usr/local/bin/may-read /root/.ssh/id_kept >/dev/null
check "and that of who may" wait_for recorded \
	".verdict == \"allow\" and .exe == \"/usr/local/bin/may-read\" and .key == \"$(fp /root/.ssh/id_kept)\""
check "the chain is whole" keytrail verify $LOG

# As a crash leaves it.
kill -9 "$KT_PID"
wait "$KT_PID"
for segment in "$LOG"/*.jsonl; do :; done # the newest
printf '{"seq":' >>"$segment"
start_again || exit 1
check "a torn end is told" wait_for recorded '.kind == "recovered" and .bytes == 7'
check "and the chain goes on" keytrail verify $LOG

dd if=/dev/zero of=$LOG/full bs=4k 2>/dev/null
keys_known
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	cp /root/.ssh/id_kept "/root/.ssh/id_$i"
	$WAYS/read "/root/.ssh/id_$i" >/dev/null
done
check "a full disk is told" wait_alert '.type == "sensor-degraded" and .cause == "journal"'
$WAYS/read /root/.ssh/id_12 >/dev/null
check "alerts go out meanwhile" wait_alert '.type == "key-read" and .object.path == "/root/.ssh/id_12"'
rm $LOG/full
check "and that it is over" wait_alert '.type == "daemon" and .cause == "journal"'
check "nothing was lost, the chain is whole" keytrail verify $LOG
kt_stop
equal "stop is recorded last" "$(tail -n 1 "$segment" | jq -r .kind)" stop
check "whole to the end" keytrail verify $LOG
umount $LOG
