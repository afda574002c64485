#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# One user with many uids has one quota: those that /etc/subuid gives him, and those that a user
# namespace of his maps. And of more users than are counted one by one, what is given back is given
# back where it was taken.
# kernels: 6.1
# long: 900 s, 1024 MiB
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh
# shellcheck source=tests/vm/quota.sh
. /kt/tests/quota.sh

ssh=/home/alice/.ssh
many=$WAYS/many-files
cp /etc/subuid "$T/subuid" 2>/dev/null || : >"$T/subuid"
echo "alice:200000:65536" >>/etc/subuid
printf 'version: 1\nsettings: {marks_max: 65536, marks_quota: 1000}\n' >"$T/settings.yaml"
start() {
	kt_start --policy "$T/settings.yaml" --policy /usr/local/share/keytrail/policy.d/10-ssh.yaml
}
start || exit 1
key_new $ssh/id_own alice
key_copy /home/bob/.ssh/id_his bob
keys_known

# In a namespace of hers.
made=$($WAYS/in-user-ns 1000 300000 65536 $many give $ssh/id_m 1500 1 2>"$T/said" 9>&-)
if [ "$made" = 1500 ]; then
	equal "files of uids that her namespace maps" "$(stat -c %u $ssh/id_m0 $ssh/id_m1499 | paste -sd ' ')" \
		"300000 301499"
	check "they are charged to her" quota_is ".refused >= 500 and .marks == 1000" ||
		jq -c .quota "$T/status" >&9
	equal "and are removed" "$($many remove $ssh/id_m 1500)" 1500
	check "what she gives back is hers again" quota_is ".marks < 10" || jq -c .quota "$T/status" >&9
else
	skip "uids of a user namespace" "$(cat "$T/said")"
fi

# By /etc/subuid, whoever gives them away: at once, and by a walk.
equal "files of subordinate uids are made" "$($many give $ssh/id_m 1500 200000)" 1500
check "they are charged to whose they are" quota_is ".marks == 1000" || jq -c .quota "$T/status" >&9
start || exit 1
check "by a walk, too" quota_is ".refused >= 500 and .marks == 1000" || jq -c .quota "$T/status" >&9
$many remove $ssh/id_m 1500 >/dev/null
check "and given back" quota_is ".marks < 10" || jq -c .quota "$T/status" >&9
cp "$T/subuid" /etc/subuid

# More uids than there are rows, each with one file.
shared_is() {
	wait_for sh -c "keytrail status --json >$T/status &&
		jq -e '[.quota.users[] | select(.uid == null)] | length == 1 and (.[0] | $1)' $T/status"
}
equal "files of 18,000 uids are made" "$($many give $ssh/id_n 18000 1000000)" 18000
check "those beyond 16384 share one quota" shared_is ".marks == 1000 and .refused > 0" ||
	jq -c .quota "$T/status" >&9
equal "and are removed" "$($many remove $ssh/id_n 18000)" 18000
check "what they give back goes where it came from" shared_is ".marks == 0" ||
	jq -c .quota "$T/status" >&9
$WAYS/read /home/bob/.ssh/id_his
gather || exit 1
one "another user's key is watched as ever" "$(of /home/bob/.ssh/id_his)" "$(by $WAYS/read)"
