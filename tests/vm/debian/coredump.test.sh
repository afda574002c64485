#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Debian's own ways to a dump: systemd-coredump, which passes the pipe on to a service that writes a
# compressed file; and gcore, by which a debugger writes the core of a process that lives on. The trail of
# the key goes the same way.
# kernels: 6.1
# guest: own
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

crash=$WAYS/dump-crash
key_new /root/.ssh/id_dump
key=$KEY
if ! grep -q '^|.*systemd-coredump' /proc/sys/kernel/core_pattern; then
	skip "systemd-coredump" "core_pattern is $(cat /proc/sys/kernel/core_pattern)"
	exit 0
fi
helper=$(sed 's/^|//; s/ .*//' /proc/sys/kernel/core_pattern)
kt_start --record "$T/trace" || exit 1
keys_known

"$crash" "$key" abort 2>/dev/null
stored() {
	set -- /var/lib/systemd/coredump/core.dump-crash.*
	[ -s "$1" ] && printf '%s' "$1"
}
wait_for stored || not_ok "systemd-coredump stores the core" "it does not"
core=$(stored)
WAY_MAGIC=$(printf '\050\265\057\375') $WAYS/read "$core" ||
	not_ok "the stored core is read" "it was not"
coredumpctl info dump-crash >/dev/null 2>&1

"$crash" "$key" stay &
pid=$!
wait_for grep -q '^State:.S' /proc/$pid/status
gcore -o /tmp/odd $pid >/dev/null 2>&1
kill $pid
wait_for sh -c "keytrail status --json | jq -e '.dumps.dumps >= 1'"
WAY_MAGIC=$(printf '\177ELF') $WAYS/read /tmp/odd.$pid || not_ok "gcore's file is read" "it was not"
gather || exit 1

# one_of NAME FILTER [CONDITION]...
one_of() {
	_name=$1
	jq -c "select($2)" "$T/alerts" >"$T/picked"
	shift 2
	if ! equal "$_name" "$(wc -l <"$T/picked")" 1; then
		jq -r '"# \(.type) \(.object.path) \(.object.via) \(.text)"' "$T/alerts" >&9
		return 1
	fi
	for _condition; do
		jq -es "all(.[]; $_condition)" "$T/picked" >/dev/null ||
			not_ok "$_name: $_condition" "$(cat "$T/picked")"
	done
}

one_of "a holder dumped to systemd-coredump" '.type == "holder-dumped"' '.dump.how == "pipe"' \
	".dump.path == \"$helper\"" '.dump.signal == 6' ".subject.exe == \"$crash\"" \
	".holds[0].key.fingerprint == \"$(fp "$key")\""
one_of "the stored core is watched" ".type == \"dump-read\" and .object.path == \"$core\"" \
	".subject.exe == \"$WAYS/read\""
one_of "gcore's file is watched" \
	".type == \"dump-read\" and .object.path == \"/tmp/odd.$pid\"" \
	".subject.exe == \"$WAYS/read\""

# trail_has KIND FROM TO: the key's trail has such an edge; nodes by their labels, "*" is any.
trail_has() {
	keytrail trail --json "$(fp "$key")" >"$T/trail" 2>&1 &&
		jq -e --arg kind "$1" --arg from "$2" --arg to "$3" '
			(.nodes | map({(.name): .label}) | add) as $named |
			any(.edges[]; .kind == $kind and ($from == "*" or $named[.from] == $from)
				and ($to == "*" or $named[.to] == $to))' "$T/trail" >/dev/null
}
check "the key's trail: who crashed had read the file" wait_for trail_has read "$key" "$crash"
check "its memory was handed on" trail_has crashed-into "$crash" "*"
check "a helper wrote the core" wait_for trail_has wrote "*" "$core"

# That one has let go of what it read. This one has not: its core holds the key, and who reads that has it.
python3 -c "key = open('$key').read(); import os; os.abort()" 2>/dev/null
stored() {
	set -- /var/lib/systemd/coredump/core.python3.*
	[ -s "$1" ] && printf '%s' "$1"
}
wait_for stored || not_ok "systemd-coredump stores the other core" "it does not"
core=$(stored)
check "the scan confirms that the key is in the other core" \
	wait_for -t 240 trail_has found-in "$(fp "$key")" "$core" ||
	note "$(keytrail status --json | jq -c .scan)"
WAY_MAGIC=$(printf "\050\265\057\375") $WAYS/read "$core" || not_ok "the other core is read" "it was not"
check "and who reads that has the key" wait_for trail_has dump-read "$core" "$WAYS/read"
note "$(keytrail trail "$(fp "$key")")"
kt_stop
check "the trail is there when the daemon is stopped" trail_has found-in "*" "$core"
jq -c 'select(.t == "dump" and .how == "helper")' "$T/trace" >"$T/helpers"
check "who is passed the pipe is known" test "$(wc -l <"$T/helpers")" -ge 2
jq -c 'select(.t == "written" and .kind == "elf-core")' "$T/trace" >"$T/written"
equal "gdb wrote it" "$(jq -r 'select(.path == "/tmp/odd.'$pid'") | .comm' "$T/written")" gdb
