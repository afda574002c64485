#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The daemon says whether it can work, that it does, and what it was told: exit statuses, one
# instance, hooks, policies that are no good.
# kernels: 6.1
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

daemon=/usr/local/sbin/keytraild
rm -rf /run/keytrail /var/lib/keytrail /var/log/keytrail

# refused NAME STATUS WORDS COMMAND...: ends with this status, says these words.
refused() {
	_name=$1 _status=$2 _words=$3
	shift 3
	"$@" >"$T/refused" 2>&1 9>&-
	_got=$?
	if [ $_got != "$_status" ]; then
		not_ok "$_name" "exit status $_got, wanted $_status: $(cat "$T/refused")"
	elif ! grep -q -e "$_words" "$T/refused"; then
		not_ok "$_name" "does not say \"$_words\": $(cat "$T/refused")"
	else
		ok "$_name"
	fi
}
refused "an unknown option: 64" 64 "Usage" $daemon --no-such-option
refused "not root: 77" 77 "not permitted.*root" $WAYS/as 1000 1000 $daemon
if [ "$(cat /proc/sys/user/max_user_namespaces 2>/dev/null || echo 0)" -gt 0 ]; then
	refused "root of a user namespace only: 77" 77 "not permitted\|refuses" \
		$WAYS/as 1000 1000 unshare -U -r $daemon
else
	skip "root of a user namespace only: 77" "this kernel makes none for users"
fi
# CAP_SYS_ADMIN is 21, CAP_PERFMON 38, CAP_BPF 39.
refused "root without CAP_BPF and CAP_SYS_ADMIN: 77" 77 "not permitted.*CAP_BPF" \
	$WAYS/drop-caps 21,39 $daemon
refused "root without CAP_SYS_ADMIN: 77" 77 "CAP_SYS_ADMIN is missing" $WAYS/drop-caps 21 $daemon
refused "in a process namespace of its own: 77" 77 "process.*namespace" unshare -p -f $daemon
refused "a kernel without BTF: 69" 69 "no type information.*CONFIG_DEBUG_INFO_BTF" \
	unshare -m --propagation private sh -c "mount -t tmpfs none /sys/kernel/btf && exec $daemon"
check "who is refused leaves nothing behind" test ! -e /run/keytrail
printf 'version: 1\nwatch:\n  - name: x\n    class: no-such\n' >"$T/bad.yaml"
refused "a bad policy at start: 78, by line and column" 78 "bad.yaml:4:12: " \
	$daemon --policy "$T/bad.yaml"
refused "the command without a daemon: 69" 69 "" keytrail status

kt_start || exit 1
ok "starts"
one_line=$(keytrail status --json | jq -r '[.hooks[] |
	select(.state | IN("attached", "spare", "needless", "off") | not)] |
	map("\(.name): \(.state) \(.why)") | join("; ")')
# What a kernel of the list is known not to have, and is told as missing.
case $(uname -r) in
5.10.*) lacks="on_iter_task_vma: missing this kernel has no bpf_iter_task_vma" ;;
*) lacks= ;;
esac
equal "all hooks are attached that this kernel can have" "$one_line" "$lacks"
equal "nothing is a spare of what is off" "$(keytrail status --json | jq -c '[.hooks[]] as $all |
	[$all[] | select(.state == "spare") | .why | sub(" serves$"; "")] as $firsts |
	[$all[] | select(.state == "needless" and (.target | IN($firsts[])))] | map(.target)')" "[]"
check "status is for people, too" sh -c 'keytrail status | grep -q "hooks .*attached"'
equal "status names the daemon" "$(keytrail status --json | jq .pid)" "$KT_PID"
refused "a second one: 75, naming the first" 75 "process $KT_PID " $daemon
check "the first one goes on" kt_running
check "the second one took nothing away" keytrail status
equal "root alone reads the socket and its group" "$(stat -c %a:%U:%G /run/keytrail/control.sock)" \
	"660:root:keytrail"
refused "a user is not answered" 77 "" $WAYS/as 1000 1000 keytrail status
check "the group keytrail is" $WAYS/as 1000 990 keytrail status
refused "but cannot change anything" 77 "" $WAYS/as 1000 990 keytrail reload

# A policy that is no good leaves the old one in force, and everybody hears of it.
mkdir -p /etc/keytrail/policy.d
key_new /root/.ssh/id_before
key_new /root/.ssh/id_after
keys_known
cat /root/.ssh/id_before >/dev/null
generation=$(keytrail status --json | jq .policy.generation)
printf 'version: 1\nwatch:\n  - name: x\n    clas: ssh-user-key\n' >/etc/keytrail/policy.d/99-bad.yaml
kill -HUP "$KT_PID"
check "a bad policy is told as an alert" wait_alert '.type == "policy-refused"'
check "and in the log, by line and column" grep -q '99-bad.yaml:4:5: ' "$KT_LOG"
equal "the old policy stays in force" "$(keytrail status --json | jq .policy.generation)" \
	"$generation"
refused "keytrail reload says the same" 1 "99-bad.yaml:4:5: error: " keytrail reload
check "keytrail policy check says the same" sh -c \
	'keytrail policy check /etc/keytrail/policy.d/99-bad.yaml 2>&1 | grep -q "99-bad.yaml:4:5: "'
keytrail policy check /etc/keytrail/policy.d/99-bad.yaml >/dev/null 2>&1
equal "and exits 2" "$?" 2
cat /root/.ssh/id_after >/dev/null
rm /etc/keytrail/policy.d/99-bad.yaml
kill -HUP "$KT_PID"
generation_grew() {
	[ "$(keytrail status --json | jq .policy.generation)" -gt "$generation" ]
}
check "a good one comes into force" wait_for generation_grew
printf 'version: 1\nsettings: {canary_s: 7}\n' >/etc/keytrail/policy.d/98-canary.yaml
keytrail reload >"$T/reloaded" 2>&1
check "what needs a restart is said at a reload" grep -q "canary_s is read at the start only" "$T/reloaded"
rm /etc/keytrail/policy.d/98-canary.yaml
keytrail reload >/dev/null 2>&1
gather && one "a key before" "$(of /root/.ssh/id_before)" "$(named /root/.ssh/id_before)"
one "and after the bad policy" "$(of /root/.ssh/id_after)" "$(named /root/.ssh/id_after)"

kt_stop
equal "ends when told so: 0" "$KT_STATUS" 0
check "and says that it is blind from then on" grep -q '"type":"daemon".*stops' \
	/var/log/keytrail/alerts.jsonl
kt_start
check "starts again" kt_running
kill -KILL "$KT_PID"
wait "$KT_PID" 2>/dev/null
KT_PID=
kt_start
check "starts after it was killed" kt_running
