#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon notices that it does not see any more, though every hook is attached; says so; and sees
# again once its marks are set anew.
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

cat >"$T/settings.yaml" <<'YAML'
version: 1
settings: {canary_s: 1}
YAML
kt_start --policy "$T/settings.yaml" --policy /usr/local/share/keytrail/policy.d/10-ssh.yaml || exit 1

# State of each hook; one that this kernel lacks is missing from the start.
hooks() {
	keytrail status --json | jq -c '[.hooks[] | {name, state}]'
}

seen() {
	keytrail status --json | jq -e ".canary.seen >= $1 and .canary.blind == false"
}
check "it sees its own reads" wait_for seen 2
equal "and they are nobody's alerts" "$(alerts '.object != null' | wc -l)" 0

key_new /root/.ssh/id_before
keys_known
before=$(hooks)
check "hooks are attached" test "$(echo "$before" |
	jq '[.[] | select(.state == "attached")] | length')" -gt 20
check "somebody empties the map of marks" $WAYS/blind marks
check "that is told" wait_alert '.type == "sensor-degraded" and (.text | startswith("sensor blind"))'
equal "as high" "$(alerts '(.text | startswith("sensor blind"))' | jq -r .severity | sort -u)" high
check "and that it sees again" wait_alert '.type == "daemon" and (.text | contains("sees again"))'
equal "all hooks stayed attached meanwhile" "$(hooks)" "$before"
cat /root/.ssh/id_before >/dev/null
gather && one "a key from before is watched again" "$(of /root/.ssh/id_before)" \
	"$(named /root/.ssh/id_before)"
