#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Descriptors that an exec keeps, wherever they are: low, high, at the highest number, among
# thousands; and beyond the bounds of what is looked through, where it is inferred and said so.
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

ssh=/root/.ssh
key_new $ssh/id_low
for name in last among many beyond; do
	key_copy $ssh/id_$name
done
policy_allow
kt_start --policy "$T/policy.yaml" || exit 1
keys_known

keeps() {
	_key=$1
	shift
	env "$@" $WAYS/fd-exec "$_key" </dev/null >"$T/said" 2>&1 9>&- ||
		not_ok "$_key is read" "$(cat "$T/said")"
}
keeps $ssh/id_low WAY_FD=3
# 1048576 numbers are looked through: what fs.nr_open allows unless root raised it.
equal "fs.nr_open" "$(cat /proc/sys/fs/nr_open)" 1048576
keeps $ssh/id_last WAY_FD=last
keeps $ssh/id_among WAY_FD=1500 WAY_FILL=1000
# More open descriptors than are looked at.
keeps $ssh/id_many WAY_FD=4000 WAY_FILL=3000
# A number beyond those that are looked at.
echo 4194304 >/proc/sys/fs/nr_open
keeps $ssh/id_beyond WAY_FD=last
echo 1048576 >/proc/sys/fs/nr_open
gather || exit 1
reader="$(by $WAYS/fd-reader)"
observed='.evidence == "observed" and .access.how == "exec-fd"'
one "at 3" "$(of $ssh/id_low)" "$(named $ssh/id_low)" "$reader" "$observed"
one "at the highest number that fs.nr_open allows" "$(of $ssh/id_last)" "$(named $ssh/id_last)" \
	"$reader" "$observed"
one "behind a thousand others" "$(of $ssh/id_among)" "$(named $ssh/id_among)" "$reader" "$observed"
inferred='.evidence == "inferred" and .access.how == "exec-fd"'
one "behind more others than are looked at: inferred" "$(of $ssh/id_many)" \
	"$(named $ssh/id_many)" "$reader" "$inferred" '.text | contains("probably")'
one "at a number beyond the bound: inferred" "$(of $ssh/id_beyond)" "$(named $ssh/id_beyond)" \
	"$reader" "$inferred"
check "and that it was not looked for is told as a gap" wait_alert \
	'.type == "events-lost" and .gap.cause == "fd-scan-bound"'
told_only 5
