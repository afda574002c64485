#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What decides about dumps: told when it is changed, with who did it; of a process that holds a key
# when it opens itself up, or is opened up, and not when it closes itself.
# guest: own
# kernels: 6.1
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

crash=$WAYS/dump-crash
key_new /root/.ssh/id_setting
key=$KEY
kt_start || exit 1
keys_known

cp /proc/sys/kernel/core_pattern "$T/pattern"
echo "/tmp/x.%p" >/proc/sys/kernel/core_pattern
echo "/tmp/x.%p" >/proc/sys/kernel/core_pattern # nothing new
echo 2 >/proc/sys/fs/suid_dumpable
echo 7 >/proc/sys/fs/suid_dumpable 2>/dev/null # refused
echo 0 >/proc/sys/fs/suid_dumpable
cat /proc/sys/kernel/core_pattern /proc/sys/fs/suid_dumpable >/dev/null
# No hook has this one: it is found changed.
echo 4 >/proc/sys/kernel/core_pipe_limit
wait_alert '.setting.name == "kernel.core_pipe_limit"' ||
	not_ok "a setting without a hook" "not found changed"

$crash "$key" closed end
$crash "$key" closed open end
$crash - closed open end
$crash "$key" limit=0 end
$crash "$key" limit=0 limit=4096 end
$crash - limit=0 limit=4096 end
gather || exit 1

changed() {
	printf '.type == "dump-setting-changed" and .setting.name == "%s" and .setting.new == "%s"' \
		"$1" "$2"
}

# told NAME N FILTER [CONDITION]...
told() {
	_name=$1
	_wanted=$2
	jq -c "select($3)" "$T/alerts" >"$T/told"
	shift 3
	equal "$_name" "$(wc -l <"$T/told")" "$_wanted" || return 1
	for _condition; do
		jq -es "all(.[]; $_condition)" "$T/told" >/dev/null ||
			not_ok "$_name: $_condition" "$(cat "$T/told")"
	done
}

told "core_pattern" 1 "$(changed kernel.core_pattern /tmp/x.%p)" '.severity == "medium"' \
	".setting.old == \"$(cat "$T/pattern")\"" '.subject.exe == "/bin/busybox"' \
	'.subject.user == "root"' '.ancestry_complete' '.evidence == "observed"' \
	'.text | contains("changed kernel.core_pattern from")'
told "suid_dumpable" 1 "$(changed fs.suid_dumpable 2)" '.setting.old == "0"' \
	'.subject.exe == "/bin/busybox"'
told "suid_dumpable, back" 1 "$(changed fs.suid_dumpable 0)" '.setting.old == "2"'
told "a value that is refused" 0 "$(changed fs.suid_dumpable 7)"
told "core_pipe_limit, by whom is not known" 1 "$(changed kernel.core_pipe_limit 4)" \
	'.subject == null' '.evidence == "inferred"'
told "a holder that makes itself dumpable" 1 "$(changed dumpable 1)" \
	".subject.exe == \"$crash\"" '.setting.pid == .subject.pid' '.holds_nr == 1' \
	".holds[0].key.fingerprint == \"$(fp "$key")\"" '.setting.old == "0"'
told "a holder that raises its core limit" 1 "$(changed core-limit 4096)" \
	".subject.exe == \"$crash\"" ".holds[0].path == \"$key\"" '.setting.old == "0"'
told "and nothing else" 6 '.type == "dump-setting-changed"'
