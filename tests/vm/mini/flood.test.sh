#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who floods the sensor buys no silence by it: not for what he reads himself meanwhile, nor for what
# others read. Rings are as small as can be, so that they do run over.
# kernels: 5.10
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

cat >"$T/settings.yaml" <<'YAML'
version: 1
settings: {ring_critical_kib: 64, ring_bulk_kib: 64}
YAML
kt_start --policy "$T/settings.yaml" --policy /usr/local/share/keytrail/policy.d/10-ssh.yaml || exit 1
key_new /home/alice/.ssh/id_flood alice
key_copy /home/alice/.ssh/id_own alice
key_copy /home/alice/.ssh/id_flooded alice
key_copy /home/bob/.ssh/id_others bob
for i in 1 2 3 4 5 6 7 8; do
	key_copy /home/alice/.ssh/id_flood$i alice
done
keys_known

# One process that opens again and again: told once a second, else counted.
OPENS=20000
$WAYS/as 1000 1000 $WAYS/flood $OPENS /home/alice/.ssh/id_flood /home/alice/.ssh/id_flood[1-8] \
	>"$T/made" 2>&1 9>&- &
flooder=$!
repeated() {
	keytrail status --json | jq -e ".repeats > $1"
}
check "repeats are counted only" wait_for repeated 100
$WAYS/as 1000 1000 $WAYS/read /home/alice/.ssh/id_own >/dev/null
wait $flooder
equal "as many opens were made as were meant" "$(cat "$T/made")" $OPENS
check "that is most of them" wait_for repeated $((OPENS / 2))

# Many processes, each new: more of them than the ring holds, and nobody reads it meanwhile.
counted=$(keytrail status --json | jq .repeats)
kill -STOP "$KT_PID"
i=0
while [ $i -lt 60 ]; do
	$WAYS/as 1000 1000 $WAYS/read /home/alice/.ssh/id_flood >/dev/null
	i=$((i + 1))
done
$WAYS/as 1000 1000 $WAYS/read /home/alice/.ssh/id_flooded >/dev/null
$WAYS/as 1001 1001 $WAYS/read /home/bob/.ssh/id_others >/dev/null
kill -CONT "$KT_PID"
check "repeats by others like it are counted" wait_for repeated $((counted + 20))
gather || exit 1
one "what the flooder read meanwhile" "$(of /home/alice/.ssh/id_own)" '.subject.user == "alice"'
one "what he read when the ring was filling" "$(of /home/alice/.ssh/id_flooded)" \
	'.subject.user == "alice"'
one "what another user read" "$(of /home/bob/.ssh/id_others)" '.subject.user == "bob"'
check "the flood is told, too" test "$(picked "$(of /home/alice/.ssh/id_flood)" | wc -l)" -ge 1

# Nothing is unaccounted for: each open was written to a ring, or counted.
keytrail status --json >"$T/status"
equal "no access was lost" "$(jq '.drops["ring-critical"]' "$T/status")" 0
check "and that there were repeats is an alert" wait_alert '.type == "events-lost" and .gap.cause == "repeats"'
equal "of no weight" "$(alerts '.gap.cause == "repeats"' | jq -r .severity | sort -u)" info
kt_stop

# Names by the hundred while nobody reads the rings: each is a file that was not there before, so
# none is a repeat. What is not told of names is found by walking, and reads are still told.
kt_start --policy "$T/settings.yaml" --policy /usr/local/share/keytrail/policy.d/10-ssh.yaml || exit 1
keys_known
kill -STOP "$KT_PID"
$WAYS/as 1000 1000 sh -c 'cd /home/alice/.ssh && i=0
	while [ $i -lt 300 ]; do : >id_new$i; mv id_new$i id_moved$i; i=$((i + 1)); done'
$WAYS/as 1000 1000 $WAYS/read /home/alice/.ssh/id_own >/dev/null
cp "$T/new-key" /home/bob/.ssh/.tmp && chown bob:bob /home/bob/.ssh/.tmp &&
	mv /home/bob/.ssh/.tmp /home/bob/.ssh/id_fresh
$WAYS/as 1001 1001 $WAYS/read /home/bob/.ssh/id_fresh >/dev/null
kill -CONT "$KT_PID"
gather || exit 1
keytrail status --json >"$T/status"
check "the ring did run over" jq -e '.drops["ring-critical"] > 0' "$T/status"
check "what it had no room for stood in the spare one" \
	jq -e '.rings[] | select(.name == "spare") | .records > 100' "$T/status"
one "after a flood of names, the flooder's own read" "$(of /home/alice/.ssh/id_own)" \
	'.subject.user == "alice"'
one "and a new key of another user" "$(of /home/bob/.ssh/id_fresh)" '.subject.user == "bob"'
