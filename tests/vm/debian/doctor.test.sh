#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `keytrail doctor` and `sweep` on a stock Debian with systemd-coredump: the service that has read a key is
# named by the daemon, would leave a core, and the key is in the pages of that core.
# kernels: 6.1
# guest: own
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

key_new /root/.ssh/id_doctor
kt_start || exit 1
keys_known

# found ID [CONDITION]: in the report there is exactly one such finding.
found() {
	[ "$(jq -c ".findings[] | select(.id == \"$1\" and (${2-true}))" "$T/doctor" | wc -l)" = 1 ]
}
doctor() {
	keytrail doctor --json "$@" >"$T/doctor" 2>"$T/doctor.err"
	echo $? >"$T/code"
}
holds() {
	doctor && jq -e '.holders[] | select(.unit == "kt-signer.service")' "$T/doctor"
}

systemd-run --quiet --unit=kt-signer -p LimitCORE=infinity \
	"$WAYS/dump-crash" /root/.ssh/id_doctor keep stay 9>&- ||
	not_ok "a service with a key starts"
wait_for holds || not_ok "the service is a holder" "$(cat "$T/doctor" "$T/doctor.err")"
pid=$(jq '.holders[] | select(.unit == "kt-signer.service") | .pid' "$T/doctor")
equal "it is the service's process" "$pid" "$(systemctl show -P MainPID kt-signer)"
equal "its key is named as ssh-keygen does" \
	"$(jq -r ".holders[] | select(.pid == $pid) | .keys[0].name" "$T/doctor")" "$FP"
equal "doctor exits 1" "$(cat "$T/code")" 1
check "it would leave a core, and the mend is the unit's" found holder-dumpable \
	".pid == $pid and (.mend | test(\"kt-signer.service.d\"))"
if grep -q '^|.*systemd-coredump' /proc/sys/kernel/core_pattern; then
	check "cores are kept by systemd-coredump" found cores-kept
fi
check "Debian does not dump set-uid programs for their users" sh -c \
	"! jq -e '.findings[] | select(.id == \"suid-dumpable\")' $T/doctor"
check "that the daemon runs is seen" sh -c "jq -e '.daemon == \"running\"' $T/doctor"
check "that memory is not watched by the default policy is said" found memory-off

doctor --pid "$pid" --sweep
check "in its memory the key is found, in pages that a core has" found key-in-core \
	".pid == $pid and (.evidence.value | contains(\"$FP\"))"
keytrail sweep --json "$pid" >"$T/sweep" 2>&1
equal "sweep names process and key" \
	"$(jq -r 'select(.pid) | "\(.pid) \(.keys[].name)"' "$T/sweep" | sort -u)" "$pid $FP"

systemctl stop kt-signer
gone() {
	doctor && ! jq -e ".holders[] | select(.pid == $pid)" "$T/doctor"
}
check "when it has ended it is no holder any more" wait_for gone
kt_stop
