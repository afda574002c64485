#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# keytrail itself is no place where keys leak: a core of the daemon that root takes while it knows keys
# by name is clean, and so is its living memory; of the scanner, which does hold keys, the kernel writes
# no core. What is shown by the same means of a process that holds a key: it is found.
# kernels: 6.1
# guest: own
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

key_new /root/.ssh/id_rsa root rsa
RSA=$FP
key_new /root/.ssh/id_ed25519 root
check "the installed unit gets ready" systemctl start keytraild || exit 1
keys_known
cat /root/.ssh/id_rsa /root/.ssh/id_ed25519 >/dev/null
kt_barrier

daemon=$(systemctl show -p MainPID --value keytraild)
# core PID NAME: a core that gdb takes as root, in $T/NAME.PID
core() {
	gcore -o "$T/$2" "$1" >"$T/gcore.out" 2>&1 || note "$(tail -n 3 "$T/gcore.out")"
	test -s "$T/$2.$1"
}
check "root takes a core of keytraild" core "$daemon" keytraild
keytrail scan --json "$T/keytraild.$daemon" >"$T/verdict"
equal "it holds no key" "$? $(jq -r .verdict "$T/verdict")" "0 clean" || note "$(cat "$T/verdict")"
keytrail scan --json "$daemon" >"$T/verdict"
equal "nor does its living memory" "$? $(jq -r .verdict "$T/verdict")" "0 clean" ||
	note "$(cat "$T/verdict")"

# Who does hold a key, by the same means.
python3 -c '
import sys, time
key = open("/root/.ssh/id_rsa").read()
print("ready", flush=True)
time.sleep(1000)' >"$T/ready" 9>&- &
holder=$!
wait_for grep -q ready "$T/ready"
check "root takes a core of a process that holds a key" core $holder holder
keytrail scan --json "$T/holder.$holder" >"$T/verdict"
equal "the key is found there, by its name" \
	"$? $(jq -r '.keys[] | select(.class == "proven") | .fingerprint' "$T/verdict")" "1 $RSA" ||
	note "$(head -c 1000 "$T/verdict")"
kill $holder

# --- of the scanner the kernel writes none ----------------------------------------------------------

echo "$T/core.%p" >/proc/sys/kernel/core_pattern
# shellcheck disable=SC3045 # dash has it
ulimit -c unlimited
sleep 1000 9>&- &
kill -ABRT $!
wait $!
check "the kernel writes cores here" test -s "$T/core.$!"

# A dump that takes a while, so that the scanner can be caught at work.
mkdir "$T/dumps"
head -c 400000000 /dev/zero | openssl enc -aes-128-ctr -K 00 -iv 00 2>/dev/null >"$T/dumps/long"
cat /root/.ssh/id_rsa >>"$T/dumps/long"
keytrail scan "$T/dumps/long" >"$T/scan.out" 2>&1 9>&- &
scan=$!
check "the scanner is a process of its own" wait_for pgrep -P $scan
scanner=$(pgrep -P $scan)
check "and gives its capabilities away" wait_for grep -q '^CapEff:.0*$' "/proc/$scanner/status"
kill -ABRT "$scanner"
wait $scan
equal "killed, it is told that the file was not scanned" "$?" 2
check "and there is no core of it" test ! -e "$T/core.$scanner"
