#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who shares a pipe, a pair of sockets or a memory file with who has read a key is on the key's trail
# as one that may have it, and what it then does; who has a pipe of its own is not. No alert comes of
# it but that about the reader.
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

# Programs by names of their own, so that the trail can be asked for them.
bin=/kt-sharing
mkdir -p $bin
for name in cat base64 busybox-stranger; do
	cp /bin/busybox $bin/$name
done
for name in uploader sender socket-end pipe-end taker holder; do
	cp $WAYS/share $bin/$name
done

printf 'version: 1\nsettings: {memory: on}\n' >"$T/settings.yaml"
cat >"$T/policy.yaml" <<'POLICY'
version: 1
watch:
  - name: test-keys
    class: ssh-user-key
    severity: high
    paths: [ ~/.ssh/id_* ]
POLICY
kt_start --policy "$T/settings.yaml" --policy "$T/policy.yaml" || exit 1
equal "the kernel refuses no program" "$(keytrail status --json |
	jq -c '[.hooks[] | select(.why | startswith("the kernel refuses")) | [.name, .why]]')" "[]"
key_new /root/.ssh/id_first
key=$KEY
keys_known

trail() {
	keytrail trail --json "$(fp "$key")" >"$T/trail" 2>&1
}
# has KIND EVIDENCE RULE FROM TO: such an edge of the key's trail, nodes by their labels' last names.
has() {
	trail && jq -e --arg kind "$1" --arg evidence "$2" --arg rule "$3" --arg from "$4" --arg to "$5" '
		(.nodes | map({key: .name, value: (.label | sub("^.*/"; ""))}) | from_entries) as $named |
		.edges | any(.kind == $kind and .evidence == $evidence and .rule == $rule and
			$named[.from] == $from and $named[.to] == $to)' "$T/trail"
}
# hop NAME RULE FROM TO
hop() {
	if wait_for -t 30 has shared inferred "$2" "$3" "$4"; then
		ok "$1"
	else
		not_ok "$1" "no hop from $3 to $4"
		note "$(keytrail trail "$(fp "$key")")"
	fi
}

# --- a pipeline --------------------------------------------------------------------------------------
# Somebody else's pipe in the same family, there before and after.
mkfifo "$T/quiet"
$bin/busybox-stranger cat <"$T/quiet" >/dev/null 2>&1 9>&- &
strangers=$!
$bin/busybox-stranger sleep 1000 >"$T/quiet" 2>/dev/null 9>&- &
strangers="$strangers $!"
$bin/cat "$key" 9>&- | $bin/base64 9>&- | $bin/uploader upload >"$T/said" 2>&1 9>&- ||
	not_ok "the pipeline runs" "$(cat "$T/said")"
hop "cat key | base64" shares-pipe cat base64
hop "base64 | uploader" shares-pipe base64 uploader
if wait_for -t 30 has sent inferred shares-pipe uploader "127.0.0.1 port 9"; then
	ok "and where that connects to is inferred"
else
	not_ok "and where that connects to is inferred" "no such edge"
fi
# The shell waits for what comes.
said=$($bin/cat "$key" 9>&-)
[ -n "$said" ] || not_ok "cat says something" "nothing"
hop 'x=$(cat key)' shares-pipe cat busybox

# --- other channels ----------------------------------------------------------------------------------
check "a pair of sockets is used" $bin/sender socket "$key" $bin/socket-end
hop "a pair of sockets" shares-socket sender socket-end
check "a pipe is made after the read" $bin/sender pipe "$key" $bin/pipe-end
hop "a pipe that is made after the read, for a child" shares-pipe sender pipe-end
check "a child runs on" $bin/sender fork "$key"
if wait_for -t 30 has sent inferred shares-pipe sender "127.0.0.1 port 9"; then
	ok "a child that did not exec is told when it connects"
else
	not_ok "a child that did not exec is told when it connects" "no such edge"
	note "$(keytrail trail "$(fp "$key")")"
fi
$bin/taker take "$T/socket" >"$T/taker" 2>&1 9>&- &
wait_for grep -q listens "$T/taker" || not_ok "taker listens" "$(cat "$T/taker")"
check "a memfd is handed over" $bin/sender memfd "$key" "$T/socket"
hop "a memfd" shares-memory sender taker
: >/dev/shm/shared
mkfifo "$T/fifo"
$bin/holder hold /dev/shm/shared <"$T/fifo" >"$T/holder" 2>&1 9>&- &
exec 8>"$T/fifo"
wait_for grep -q holds "$T/holder" || not_ok "holder holds" "$(cat "$T/holder")"
check "a file on tmpfs is written to" $bin/sender shm "$key" /dev/shm/shared 8>&-
hop "a file in /dev/shm" shares-memory sender holder
exec 8>&-

# --- and nobody else ---------------------------------------------------------------------------------
trail
# shellcheck disable=SC2086
check "the strangers are still there" kill -0 $strangers
equal "a stranger's pipe is not on the trail" \
	"$(jq -r '.nodes[].label | sub("^.*/"; "")' "$T/trail" | grep -cx busybox-stranger)" 0
# shellcheck disable=SC2086
kill $strangers
gather || exit 1
equal "the readers alone are told of" "$(jq -r --arg key "$key" \
	'select(.subject.exe) | select(.object.path == $key or .object.path == null) |
	[.type, (.subject.exe | sub("^.*/"; ""))] | join(" ")' "$T/alerts" | sort -u | tr '\n' ,)" \
	"key-read cat,key-read sender,"
