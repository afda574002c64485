#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A flood from every processor that does not end: the daemon's other work (sinks, timers, control
# socket) keeps its turns, and what others read is told while the flood goes on.
# cpus: 2
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

cat >"$T/settings.yaml" <<'YAML'
version: 1
settings: {ring_critical_kib: 64, ring_bulk_kib: 64}
YAML
kt_start --policy "$T/settings.yaml" --policy /usr/local/share/keytrail/policy.d/10-ssh.yaml || exit 1
equal "there are two processors" "$(nproc)" 2
key_new /home/alice/.ssh/id_flood alice
key_copy /home/bob/.ssh/id_others bob
keys_known

# More than it can do while we look: it is ended below. And processes, for the other ring.
$WAYS/as 1000 1000 $WAYS/flood 2000000000 /home/alice/.ssh/id_flood >/dev/null 2>&1 9>&- &
flooder=$!
$WAYS/as 1000 1000 sh -c 'while :; do /bin/true; done' >/dev/null 2>&1 9>&- &
forker=$!

drowning() {
	keytrail status --json >"$T/status" && jq -e '.repeats > 1000' "$T/status"
}
check "the control socket answers while repeats are counted" wait_for drowning
before=$(jq .repeats "$T/status")
more() {
	keytrail status --json | jq -e ".repeats > $before + 1000"
}
$WAYS/as 1001 1001 $WAYS/read /home/bob/.ssh/id_others >/dev/null
check "another's read is told while the flood goes on" wait_alert \
	'(.object.path == "/home/bob/.ssh/id_others") and .subject.user == "bob"'
check "the flood has gone on" wait_for more
check "by the same processes" kill -0 $flooder $forker
kill $forker
pkill -P $flooder 2>/dev/null
kill $flooder 2>/dev/null
wait $flooder $forker 2>/dev/null
gather || exit 1
one "the other's read is one alert" "$(of /home/bob/.ssh/id_others)" '.subject.user == "bob"'
equal "no access was lost" "$(keytrail status --json | jq '.drops["ring-critical"]')" 0
