#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Tries that come to nothing: opens of watched names that are refused, and looking for names that are
# not there, with `refused: on`; what looks like it and is none; and a flood of them.
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

try=$WAYS/try
policy_allow $WAYS/pread
printf 'version: 1\nsettings: {refused: on, alert_burst: 1000}\n' >"$T/settings.yaml"
key_new /home/alice/.ssh/id_there alice
key_copy /home/bob/.ssh/id_own bob
mkdir -p /srv/other && ln -f /home/alice/.ssh/id_there /srv/other/innocent
ln -sfn /home/alice/.ssh/id_there /srv/other/link
mkdir -p /home/bob/.ssh/sub && chown bob:bob /home/bob/.ssh/sub
chmod 0755 /home/alice /home/bob
kt_start --policy "$T/settings.yaml" --policy "$T/policy.yaml" || exit 1
keys_known

tries() {
	printf '.type == "access-refused" and .object.path == "%s"' "$1"
}

# refused NAME ERROR HOW PATH [KNOWN AS]: bob's try, from the directory he is in, is one alert more.
refused() {
	_as=${5:-$4}
	_before=$(alert_count "$(tries "$_as")")
	_said=$($WAYS/as 1001 1001 $try "$3" "$4" 9>&-)
	if [ "$_said" = lacks ]; then
		skip "$1" "this kernel has no such way"
		return
	fi
	equal "$1: the kernel says $2" "$_said" "$2" || return 1
	one_more() {
		[ "$(alert_count "$(tries "$_as")")" -gt "$_before" ]
	}
	if ! wait_for one_more; then
		not_ok "$1" "no alert about $_as"
		note "$(alerts '.type == "access-refused"' | jq -c '{text}' | tail -n 5)"
		return 1
	fi
	alerts "$(tries "$_as")" | tail -n 1 >"$T/last"
	if jq -e --arg e "$2" '.access.refused == $e and .severity == "low" and .subject.user == "bob" and
		.subject.exe == "/kt/ways/try" and .object.class == "ssh-user-key" and .count == 1 and
		.attack == (if $e == "ENOENT" then "T1083" else "T1552.004" end)' "$T/last" >/dev/null; then
		ok "$1"
	else
		not_ok "$1" "$(cat "$T/last")"
	fi
}

refused "a directory on the way refuses" EACCES open /home/alice/.ssh/id_there
refused "... and for a name that is not there" EACCES open /home/alice/.ssh/id_absent
refused "by io_uring" EACCES uring /home/alice/.ssh/id_there
refused "to write" EACCES write /home/alice/.ssh/id_there
equal "the mode is told" "$(jq -c .access.mode "$T/last")" '["write"]'
refused "to create" EACCES create /home/alice/.ssh/id_made
chmod 0711 /home/alice/.ssh
refused "the file itself refuses" EACCES open /home/alice/.ssh/id_there
equal "the key is named" "$(jq -r .object.key.fingerprint "$T/last")" "$(fp /home/alice/.ssh/id_there)"
equal "and its owner" "$(jq -r .object.owner_user "$T/last")" alice
refused "by another hard link" EACCES open /srv/other/innocent /home/alice/.ssh/id_there
refused "by a symbolic link" EACCES open /srv/other/link /home/alice/.ssh/id_there
refused "by io_uring, the file itself" EACCES uring /home/alice/.ssh/id_there
chmod 0644 /home/alice/.ssh/id_there
refused "EPERM" EPERM noatime /home/alice/.ssh/id_there
chmod 0600 /home/alice/.ssh/id_there

refused "nothing there" ENOENT open /home/bob/.ssh/id_none
equal "nobody owns it" "$(jq -c .object.owner "$T/last")" null
refused "from a directory's descriptor" ENOENT at /home/bob/.ssh/id_at
refused "from the working directory" ENOENT chdir /home/bob/.ssh/id_chdir
refused "by io_uring, nothing there" ENOENT uring /home/bob/.ssh/id_uring
cd /home/bob/.ssh/sub || exit 1
refused "by dots" ENOENT open ..//./../.ssh/id_dots /home/bob/.ssh/id_dots
cd / || exit 1
refused "from the root" ENOENT open home/bob//.ssh/./id_root /home/bob/.ssh/id_root

# What is none of it.
before=$(alert_count '.type == "access-refused"')
quiet() {
	$WAYS/as 1001 1001 "$@" >/dev/null 2>&1 9>&-
}
quiet $try access /home/alice/.ssh/id_there # asks, and opens nothing
quiet $try stat /home/alice/.ssh/id_absent
quiet $try open /home/alice/.ssh/config # no watched name
quiet $try open /home/bob/.ssh/id_x.pub # excluded
quiet $try open /usr/include/id_rsa
quiet $try open /nowhere/at/all/id_rsa
quiet $WAYS/pread /home/bob/.ssh/id_allowed # may read, so may look
quiet $try create /home/bob/.ssh/id_created # is made
rm -f /home/bob/.ssh/id_created
quiet $try create /home/bob/.ssh/absent/id_created
quiet cat /home/bob/.ssh/id_own # may by its permissions: a read, and told as that
cat /home/alice/.ssh/id_there >/dev/null # root is granted what the bits refuse
expect "$before" "nothing else is told" '.type == "access-refused"'
kt_stop

# A flood: counted, not told one by one; and others' tries and reads are told.
printf 'version: 1\nsettings: {refused: on}\n' >"$T/settings.yaml"
kt_start --policy "$T/settings.yaml" --policy "$T/policy.yaml" || exit 1
keys_known
$WAYS/as 1001 1001 $try open /home/bob/.ssh/id_flood 30000 >/dev/null 9>&- &
flooder=$!
sh -c "exec $WAYS/as 1000 1000 $try open /home/alice/.ssh/id_quietly" >/dev/null
$WAYS/as 1001 1001 $WAYS/read /home/bob/.ssh/id_own >/dev/null
wait $flooder
gather || exit 1
one "what the flooder reads" "$(of /home/bob/.ssh/id_own) and .type == \"key-read\"" '.subject.user == "bob"'
equal "the flood is one alert" "$(picked "$(tries /home/bob/.ssh/id_flood)" | wc -l)" 1
keytrail status --json >"$T/status"
# Where the kernel can be preempted (7.x) it skips a tracing program while another task is in it: such
# a try, or the start of a process, is not seen, and that is a loss that is told (`recursion`, and
# `recursion-lifecycle`).
equal "no record was lost" "$(jq -c '.drops | del(.recursion, .["recursion-lifecycle"]) |
	map_values(select(. > 0))' "$T/status")" '{}'
left_out=$(jq '.drops.recursion // 0' "$T/status")
if [ "$(picked "$(tries /home/alice/.ssh/id_quietly)" | wc -l)" = 1 ]; then
	ok "another user's try"
elif [ "$left_out" -gt 0 ]; then
	skip "another user's try" "not seen: the kernel left the program out, $left_out times"
else
	not_ok "another user's try" "not told, and not lost"
fi
check "each try is told or counted" test \
	"$(jq '.refused.told + .refused.counted + (.drops.recursion // 0)' "$T/status")" -ge 30000
# One by one are told as many as seconds pass, and that depends on the machine.
check "nearly all are counted" test "$(jq '.refused.counted + (.drops.recursion // 0)' "$T/status")" \
	-gt 20000
kt_stop

# Off, which is the default: no hook, no alert.
kt_start --policy "$T/policy.yaml" || exit 1
equal "off: the hooks are not there" "$(keytrail status --json |
	jq -r '.hooks[] | select(.name | test("open_failed|capable")) | .state' | sort -u |
	grep -vxc -e needless -e spare)" 0
$WAYS/as 1001 1001 $try open /home/bob/.ssh/id_off >/dev/null
expect 0 "off: nothing is told" '.type == "access-refused"'
