#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A key taken from the memory of who has read it: every way is one alert, with the victim and what it
# has read; and what looks like it and is not raises nothing.
# kernels: 5.10 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

policy_allow $WAYS/mem-holder
cat >>"$T/policy.yaml" <<'POLICY'
  - name: test-memory
    class: process-memory
    severity: critical
    allow:
      - exe: /kt/ways/mem-seize
  - name: test-machine
    class: system-memory
    severity: high
POLICY
printf 'version: 1\nsettings: {memory: on}\n' >"$T/settings.yaml"
kt_start --policy "$T/settings.yaml" --policy "$T/policy.yaml" || exit 1

# PROGRAM HOW
cat >"$T/ways" <<WAYS
mem-attach attach
mem-traced traced
mem-process-vm process-vm
mem-file proc-mem
mem-file-old proc-mem
mem-environ environ
WAYS

key_new /root/.ssh/id_first
for name in mem-attach mem-traced mem-process-vm mem-file mem-file-old mem-environ mem-seize quiet; do
	key_copy "/root/.ssh/id_$name"
done
keys_known
run() {
	"$WAYS/$1" "/root/.ssh/id_$1" </dev/null >"$T/said" 2>&1 9>&- ||
		not_ok "$1" "did not get at the key: $(cat "$T/said")"
}
while read -r name how; do
	run "$name"
done <"$T/ways"
run mem-seize

# Looked at from outside, and from within.
rm -f "$T/fifo" "$T/out"
mkfifo "$T/fifo"
$WAYS/mem-holder /root/.ssh/id_quiet self <"$T/fifo" >"$T/out" 2>&1 9>&- &
holder=$!
exec 4>"$T/fifo"
echo >&4
check "a process that looks at itself" wait_for grep -qx read "$T/out"
ps -o pid,args >/dev/null
for file in cmdline comm maps smaps stat statm status limits cgroup io auxv; do
	cat /proc/$holder/$file >/dev/null 2>&1
done
ls -l /proc/$holder/fd /proc/$holder/map_files /proc/$holder/exe >/dev/null 2>&1
exec 4>&-
wait $holder
# A crash: the kernel reads all of it.
echo core >/proc/sys/kernel/core_pattern
# shellcheck disable=SC3045 # both shells have it
(cd "$T" && ulimit -c unlimited && echo | $WAYS/mem-holder /root/.ssh/id_quiet core >/dev/null 2>&1 9>&-)
check "a core is written" test -s "$T/core" || ls -l "$T"

machine=
for file in /dev/mem /proc/kcore; do
	if dd if=$file of=/dev/null bs=64 count=1 2>"$T/said"; then
		machine="$machine $file"
	else
		skip "$file" "$(tail -n 1 "$T/said")"
	fi
done
gather || exit 1

memory() {
	jq -c 'select(.type == "memory-read") | select('"$1"')' "$T/alerts"
}
while read -r name how; do
	memory ".subject.exe == \"$WAYS/$name\"" >"$T/got"
	equal "$name" "$(jq -rs --arg how "$how" --arg key "/root/.ssh/id_$name" --arg fp "$FP" \
		'if length != 1 then "\(length) alerts" else .[0] |
		{n: .count, how: .memory.how, target: .target.exe, pid: (.target.pid > 1),
		read: .memory.keys_read, key: [.memory.keys[] | .path, .class, .key.fingerprint],
		severity, root: .target.user} ==
		{n: 1, how: $how, target: "/kt/ways/mem-holder", pid: true, read: 1,
		key: [$key, "ssh-user-key", $fp], severity: "critical", root: "root"} end' \
		"$T/got")" true || jq -c '{text, target, memory, severity}' "$T/got" >&9
done <"$T/ways"
equal "who may is silent" "$(memory ".subject.exe == \"$WAYS/mem-seize\"" | wc -l)" 0
for file in $machine; do
	how=$(echo "${file##*/}" | sed s/^mem$/dev-mem/)
	equal "$file" "$(memory '.target == null' | jq -r .memory.how | grep -cx "$how")" 1
done
equal "nothing else is told" "$(memory '.target != null' | wc -l)" "$(wc -l <"$T/ways")" ||
	memory true | jq -r .text >&9
