#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A key that was open before the daemon came is found at its start, with who has it; and nobody who
# did not open it.
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

ssh=/root/.ssh
key_new $ssh/id_open
key_new $ssh/id_closed
key_new $ssh/id_after
key_copy $ssh/id_mapped
key_copy $ssh/id_in_flight
key_copy $ssh/id_direct
# Others that have it in some way, and go on when the daemon looks.
hold() {
	mkfifo "$T/hold-$1"
	$WAYS/hold-"$1" "$2" <"$T/hold-$1" >"$T/held-$1" 2>&1 9>&- &
	eval "$3=$!"
}
hold mapped $ssh/id_mapped mapped
hold in-flight $ssh/id_in_flight flying
hold direct $ssh/id_direct direct
exec 4>"$T/hold-mapped" 5>"$T/hold-in-flight" 6>"$T/hold-direct"
has() {
	grep -q open "$T/held-$1"
}
for how in mapped in-flight; do
	wait_for has $how || not_ok "$how: the holder has the key" "it has not"
done
# It ends with 77 where the kernel has no such table.
# shellcheck disable=SC2154
ready() {
	has direct || ! kill -0 "$direct"
}
wait_for ready || not_ok "the holder in the table of an io_uring has the key" "it has not"
mkfifo "$T/hold"
$WAYS/hold-open $ssh/id_open <"$T/hold" >"$T/held" 2>&1 &
holder=$!
exec 3>"$T/hold"
is_open() {
	grep -q open "$T/held"
}
wait_for is_open || not_ok "the holder opens the key" "it did not"
cat $ssh/id_closed >/dev/null

kt_start 3>&- 4>&- 5>&- 6>&- || exit 1
keys_known
exec 3>&- 4>&- 5>&- 6>&-
# shellcheck disable=SC2154
if ! wait "$mapped" || ! wait "$flying"; then
	not_ok "the other holders read" "they did not"
fi
# shellcheck disable=SC2154
wait "$direct"
case $? in
0) ;;
77) skip "in the table of an io_uring" "$(cat "$T/held-direct")" ;;
*) not_ok "the holder in the table of an io_uring reads" "it did not" ;;
esac
wait "$holder" || not_ok "the holder reads" "it did not"
$WAYS/read $ssh/id_after

# Who has what open is looked at anew when a file gets a watched name that may be open. What a child
# has by fork alone is no second access.
key_copy $ssh/id_forked
mkdir -p /srv
cp "$T/new-key" /srv/plain
mkfifo "$T/go"
# shellcheck disable=SC2016
sh -c 'exec 3<"$1"; (read -r _ <"$2") & wait' forked $ssh/id_forked "$T/go" 9>&- &
forked=$!
sh -c 'exec 3<"$1"; : >"$3"; read -r _ <"$2"' renamed /srv/plain "$T/go" "$T/plain-open" 9>&- &
renamed=$!
wait_for test -e "$T/plain-open" || not_ok "a file is open under another name" "it is not"
wait_alert "$(of $ssh/id_forked)" || not_ok "who opens and forks is told" "he is not"
mv /srv/plain $ssh/id_renamed
wait_alert "$(of $ssh/id_renamed)" || not_ok "what got its name while open is found" "it is not"
: >"$T/go"
wait $forked $renamed

# Nor has a child that is just being forked while it is looked who has what open.
key_copy $ssh/id_forking
mkfifo "$T/hold-forking" "$T/hold-plain"
plain=
for nr in 1 2 3 4 5 6; do
	cp "$T/new-key" /srv/plain-$nr
	plain="$plain /srv/plain-$nr"
done
$WAYS/fork-often $ssh/id_forking <"$T/hold-forking" >/dev/null 2>&1 9>&- &
forking=$!
# shellcheck disable=SC2086
$WAYS/hold-open $plain <"$T/hold-plain" >/dev/null 2>&1 9>&- &
plain=$!
exec 3>"$T/hold-forking" 4>"$T/hold-plain"
wait_alert "$(of $ssh/id_forking)" || not_ok "who opens and forks often is told" "he is not"
for nr in 1 2 3 4 5 6; do
	mv /srv/plain-$nr $ssh/id_plain-$nr
	wait_alert "$(of $ssh/id_plain-$nr)" || not_ok "what is open is found, $nr" "it is not"
done
exec 3>&- 4>&-
wait $forking || not_ok "who forks often reads" "he does not"
wait $plain
gather || exit 1
one "open in who forks again and again" "$(of $ssh/id_forking)" '.access.how == "open"' \
	".subject.pid == $forking"
one "got its name while it was open" "$(of $ssh/id_renamed)" '.access.how == "found"' \
	".subject.pid == $renamed"
one "open in who opened it and in his child" "$(of $ssh/id_forked)" '.access.how == "open"' \
	".subject.pid == $forked"
one "open before the daemon came" "$(of $ssh/id_open)" "$(named $ssh/id_open)" \
	"$(by $WAYS/hold-open)" ".subject.pid == $holder" '.access.how == "found"' \
	"$(under /bin/busybox)"
if jq -e '.hooks[] | select(.name == "on_iter_task_vma") | .state == "attached"' "$T/status" \
	>/dev/null; then
	one "mapped, and closed, before the daemon came" "$(of $ssh/id_mapped)" \
		"$(named $ssh/id_mapped)" "$(by $WAYS/hold-mapped)" '.access.how == "found"' \
		'.text | contains("mapped")'
else
	none "mapped, and closed, before the daemon came: not seen" "$(of $ssh/id_mapped)"
	check "and that is declared" wait_alert \
		'.type == "sensor-degraded" and (.cause == "hook:task_vma")'
fi
one "in a socket's queue when the daemon came: seen when it is received" \
	"$(of $ssh/id_in_flight)" "$(named $ssh/id_in_flight)" "$(by $WAYS/hold-in-flight)" \
	'.access.how == "receive"'
# Declared in README.md: no iterator goes through the tables of io_uring.
none "in the table of an io_uring before the daemon came: not seen, declared" \
	"$(of $ssh/id_direct)"
none "read and closed before" "$(of $ssh/id_closed)"
one "read after" "$(of $ssh/id_after)" "$(named $ssh/id_after)" "$(by $WAYS/read)"
