#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What was recorded gives the same alerts when it is replayed, without a kernel.
# kernels: 6.1
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

key_new /root/.ssh/id_one
key_new /home/alice/.ssh/id_two alice ecdsa
kt_start --record "$T/trace" || exit 1
keys_known
cat /root/.ssh/id_one >/dev/null
keys_known
su -s /bin/sh alice -c "cat < /home/alice/.ssh/id_two" >/dev/null 9>&-
key_new /home/alice/.ssh/id_three alice ecdsa # not known when it is read
$WAYS/exit-at-once /home/alice/.ssh/id_three
$WAYS/fd-exec /root/.ssh/id_one
gather || exit 1
equal "accesses while it was recorded" \
	"$(picked '.object.path | contains("barrier") | not' | wc -l)" 4
kt_stop
check "the trace is there" test -s "$T/trace"
check "who records writes for root only" test "$(stat -c %a "$T/trace")" = 600
for _key in /root/.ssh/id_one /home/alice/.ssh/id_two /home/alice/.ssh/id_three; do
	_middle=$(sed -n 3p $_key)
	if grep -qF -e "$_middle" "$T/trace"; then
		not_ok "no bytes of keys are in the trace" "of $_key there are"
	else
		ok "no bytes of keys are in the trace"
	fi
done
keytrail replay --json "$T/trace" >"$T/replayed" 2>"$T/replay.err" ||
	not_ok "the trace is replayed" "exit status $?: $(cat "$T/replay.err")"
# All of them: those about the daemon itself are events, too. But a replay writes no evidence log in
# which an alert would have its place.
jq -cS 'del(.chain)' /var/log/keytrail/alerts.jsonl | sort >"$T/live.sorted"
jq -cS 'del(.chain)' "$T/replayed" | sort >"$T/replayed.sorted"
if cmp -s "$T/live.sorted" "$T/replayed.sorted"; then
	ok "the same alerts, to the last field"
else
	not_ok "the same alerts, to the last field" "live $(wc -l <"$T/live.sorted"), replayed \
$(wc -l <"$T/replayed.sorted")"
	# Which fields: those of alerts of the same id, and ids that only one side has.
	jq -nr --slurpfile live "$T/live.sorted" --slurpfile again "$T/replayed.sorted" '
		def flat: [paths(scalars) as $p | ($p | map(tostring) | join(".")) + " = \(getpath($p))"];
		($again | map({key: .id, value: .}) | from_entries) as $by_id | $live[] |
		. as $one | $by_id[.id] as $other |
		if $other == null then "# only live: \(.text)"
		else (($one | flat) - ($other | flat) | map("# live: " + .)[]),
			(($other | flat) - ($one | flat) | map("# replayed: " + .)[]) end' >&9
fi
