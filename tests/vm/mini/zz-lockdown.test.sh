#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A kernel in lockdown is named as the reason. The last test of a guest, by its name: there is no
# way back from lockdown.
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh

if [ ! -w /sys/kernel/security/lockdown ]; then
	skip "lockdown is told" "this kernel has none"
	exit 0
fi
rm -rf /run/keytrail /var/lib/keytrail /var/log/keytrail
echo confidentiality >/sys/kernel/security/lockdown
/usr/local/sbin/keytraild >"$T/said" 2>&1 9>&-
equal "lockdown: 69" "$?" 69
check "names the mode" grep -q "confidentiality" "$T/said"
check "says what to do" grep -q "lockdown=integrity" "$T/said"
check "leaves nothing behind" test ! -e /run/keytrail
