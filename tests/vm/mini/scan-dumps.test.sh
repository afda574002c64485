#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Dumps are scanned for keys as soon as they are closed: a key in one is told by its name, a dump without
# one is clean. Who reads a dump is told with what is known of it.
# kernels: 6.1
# guest: own
# shellcheck disable=SC2119,SC2086,SC3045
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh
# shellcheck source=tests/vm/scans.sh
. /kt/tests/scans.sh

crash=$WAYS/dump-crash
ulimit -c unlimited
key_new /root/.ssh/id_ed25519
ED=$KEY
key_new /root/.ssh/id_rsa root rsa
RSA=$KEY
kt_start --record "$T/trace" || exit 1
keys_known

dump_to ed $crash $ED keep abort
dump_to rsa $crash $RSA keep segv
dump_to none $crash - abort
check "a key in a dump is told" told dump-with-key $DUMPS/ed
check "and one in another" told dump-with-key $DUMPS/rsa
check "all are scanned" scanned 3 || note "$(scans .)"
equal "each once" "$(scans '"\(.done.key) \(.done.clean) \(.unscanned | length)"')" "2 1 0"
taken=$(scans .taken)
for f in ed none; do
	WAY_MAGIC=$(printf '\177ELF') $WAYS/read $DUMPS/$f || not_ok "$DUMPS/$f is read" "it was not"
done
gather || exit 1

# one_of NAME FILTER [CONDITION]...
one_of() {
	_name=$1
	jq -c "select($2)" "$T/alerts" >"$T/picked"
	shift 2
	equal "$_name" "$(wc -l <"$T/picked" | tr -d ' ')" 1 || return 1
	for _condition; do
		jq -es "all(.[]; $_condition)" "$T/picked" >/dev/null ||
			not_ok "$_name: $_condition" "$(cat "$T/picked")"
	done
}

one_of "an Ed25519 key, by its name" "$(dump_alert dump-with-key ed)" \
	".scan.keys[0].key.fingerprint == \"$(fp $ED)\"" '.scan.keys[0].class == "proven"' \
	".scan.holder_exe == \"$crash\"" ".scan.exe != \"\"" '.scan.holder_pid == .subject.pid' \
	'.severity == "high"' '.attack == "T1552.004"' '.scan.container == "elf-core"' \
	".subject.exe == \"$crash\""
one_of "an RSA key, by its name" "$(dump_alert dump-with-key rsa)" \
	".scan.keys[0].key.fingerprint == \"$(fp $RSA)\"" '.scan.signal == 11'
one_of "no alert about a dump without keys but that it was read" \
	'((.scan.path // .object.path) == "'$DUMPS/none'")' '.type == "dump-read"' \
	'.scan.state == "clean"' '.scan.keys_nr == 0' '.text | contains("no key in it")'
one_of "who reads a dump with a key is told with the key" "$(dump_alert dump-read ed)" \
	".subject.exe == \"$WAYS/read\"" '.scan.state == "key"' \
	".scan.keys[0].key.fingerprint == \"$(fp $ED)\""
equal "to read one is no reason to scan it again" "$(scans .taken)" "$taken"

kt_stop
jq -r 'select(.type == "dump-with-key") | .id' "$T/alerts" | sort >"$T/live"
keytrail replay --json "$T/trace" 2>/dev/null | jq -r 'select(.type == "dump-with-key") | .id' |
	sort >"$T/replayed"
check "a replay tells the same" cmp "$T/live" "$T/replayed"

# One that is older than the daemon: nothing is known of it.
mv $DUMPS/ed /tmp/core
kt_start || exit 1
wait_for sh -c '[ $(($(date +%s) - $(stat -c %Z /tmp/core))) -gt 12 ]' # whoever wrote it has ended
WAY_MAGIC=$(printf '\177ELF') $WAYS/read /tmp/core
wait_alert "$(of /tmp/core)"
# That is the reason to scan it; the alert waits for it only if it may be less severe then.
expect_field "of an old dump it is told what is known" "$(of /tmp/core)" \
	'.scan.state | IN("unscanned", "scanning", "key")' true
check "and that is found out when somebody reads it" told dump-with-key /tmp/core
kt_stop

# Of a device, by hand.
head -c 2000000 /dev/zero >"$T/disk"
cat $RSA >>"$T/disk"
head -c 1000000 /dev/zero >>"$T/disk"
device=$(losetup -f)
losetup "$device" "$T/disk"
keytrail scan --json "$device" >"$T/verdict"
equal "a key on a block device is found" "$? $(jq -r '.keys[0].fingerprint' "$T/verdict")" "1 $(fp $RSA)"
losetup -d "$device"
