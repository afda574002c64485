# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Dumps that the daemon scans. After lib.sh and alerts.sh.
#
# Scanners run when nobody else wants the processor, so who waits for one sleeps: wait_for and
# `keytrail status` in a loop would leave an emulated guest no time for it.

SCAN_WAIT=${SCAN_WAIT:-200}
JSONL=/var/log/keytrail/alerts.jsonl

# told TYPE PATH: until there is such an alert about a dump.
told() {
	_left=$SCAN_WAIT
	until grep "\"type\":\"$1\"" $JSONL 2>/dev/null | grep -q "\"path\":\"$2\""; do
		_left=$((_left - 1))
		[ $_left -gt 0 ] || return 1
		sleep 1
	done
}

# scans EXPRESSION: of the status' part about scans.
scans() {
	keytrail status --json | jq -r ".scan | $1"
}

# scanned N: until N files were taken up and nothing waits any more.
scanned() {
	_left=$((SCAN_WAIT / 4))
	until [ "$(scans ".taken >= $1 and .queued + .running == 0")" = true ]; do
		_left=$((_left - 1))
		[ $_left -gt 0 ] || return 1
		sleep 4
	done
}

# dump_to NAME COMMAND...: the command crashes into $DUMPS/NAME.
DUMPS=/tmp/odd # no pattern of the policy leads here
mkdir -p $DUMPS
dump_to() {
	printf '%s' "$DUMPS/$1" >/proc/sys/kernel/core_pattern
	shift
	"$@" 2>/dev/null 9>&-
	[ $? -ge 128 ] || not_ok "$* crashes" "it did not"
}

# dump_alert TYPE NAME: filter for alerts.
dump_alert() {
	printf '.type == "%s" and ((.scan.path // .object.path) == "%s/%s")' "$1" "$DUMPS" "$2"
}

# scan_settings TEXT: these, on top of the installed policy.
scan_settings() {
	mkdir -p /etc/keytrail/policy.d
	printf 'version: 1\nsettings:\n  scan: {%s}\n' "$1" >/etc/keytrail/policy.d/90-scan.yaml
}
