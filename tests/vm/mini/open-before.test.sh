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
mkfifo "$T/hold"
$WAYS/hold-open $ssh/id_open <"$T/hold" >"$T/held" 2>&1 &
holder=$!
exec 3>"$T/hold"
is_open() {
	grep -q open "$T/held"
}
wait_for is_open || not_ok "the holder opens the key" "it did not"
cat $ssh/id_closed >/dev/null

kt_start 3>&- || exit 1
exec 3>&-
wait "$holder" || not_ok "the holder reads" "it did not"
keys_known
$WAYS/read $ssh/id_after
gather || exit 1
one "open before the daemon came" "$(of $ssh/id_open)" "$(named $ssh/id_open)" \
	"$(by $WAYS/hold-open)" ".subject.pid == $holder" '.access.how == "found"' \
	"$(under /bin/busybox)"
none "read and closed before" "$(of $ssh/id_closed)"
one "read after" "$(of $ssh/id_after)" "$(named $ssh/id_after)" "$(by $WAYS/read)"
