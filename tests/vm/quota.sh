# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# One user makes very many files that match a watched name: what quota.test.sh and
# quota-million.test.sh do, with another number. After lib.sh and alerts.sh.
#
#	quota_flood FILES QUOTA

# quota_is EXPRESSION: true of alice's entry in status, some time.
quota_is() {
	wait_for sh -c "keytrail status --json >$T/status &&
		jq -e '[.quota.users[] | select(.uid == 1000)] | length == 1 and (.[0] | $1)' $T/status"
}

quota_of_alice() {
	jq -r ".quota.users[] | select(.uid == 1000) | .$1" "$T/status"
}

quota_flood() {
	_files=$1
	_quota=$2
	printf 'version: 1\nsettings: {marks_max: 8192, marks_quota: %d}\n' "$_quota" \
		>"$T/settings.yaml"
	kt_start --policy "$T/settings.yaml" --policy /usr/local/share/keytrail/policy.d/10-ssh.yaml ||
		return 1
	key_new /home/alice/.ssh/id_own alice
	keys_known
	for _round in 1 2; do
		equal "round $_round: alice makes $_files files of a watched name" \
			"$($WAYS/as 1000 1000 $WAYS/many-files make /home/alice/.ssh/id_m $_files 9>&-)" \
			$_files
		check "round $_round: status names her, and that she has her quota" \
			quota_is ".refused >= $_round * ($_files - $_quota) and .marks == $_quota" ||
			jq -c .quota "$T/status" >&9
		equal "round $_round: the map of marks is not full" \
			"$(jq '.drops["mark-full"]' "$T/status")" 0

		# Another user's key, made now, is read.
		key_copy /home/bob/.ssh/id_new$_round bob
		$WAYS/as 1001 1001 $WAYS/read /home/bob/.ssh/id_new$_round >/dev/null
		# What was hers before is watched as ever.
		$WAYS/as 1000 1000 $WAYS/pread /home/alice/.ssh/id_own >/dev/null
		gather || return 1
		one "round $_round: another user's new key is read" "$(of /home/bob/.ssh/id_new$_round)" \
			'.subject.user == "bob"' "$(by $WAYS/read)"
		equal "round $_round: so is what alice had before" \
			"$(picked "$(of /home/alice/.ssh/id_own)" | wc -l)" "$_round"

		equal "round $_round: she removes them" \
			"$($WAYS/as 1000 1000 $WAYS/many-files remove /home/alice/.ssh/id_m $_files 9>&-)" \
			$_files
		check "round $_round: what she gives back is hers again" quota_is '.marks < 10' ||
			jq -c .quota "$T/status" >&9
		[ $_round = 1 ] && _left=$(quota_of_alice marks)
		key_copy /home/alice/.ssh/id_again$_round alice
		$WAYS/as 1000 1000 $WAYS/read /home/alice/.ssh/id_again$_round >/dev/null
		gather || return 1
		one "round $_round: and a new key of hers is watched" \
			"$(of /home/alice/.ssh/id_again$_round)" '.subject.user == "alice"'
		rm -f /home/alice/.ssh/id_again$_round /home/alice/.ssh/id_again$_round.pub
	done
	# From two CPUs at once, twice: nothing was counted wrongly.
	equal "no mark is lost in the count" "$(quota_of_alice marks)" "$_left"
	expect_field "a health alert names the user" '.cause == "marks-quota"' \
		'.type + (.text | contains("uid 1000") | tostring)' sensor-degradedtrue
	check "the refusals are told as a gap" wait_alert \
		'.type == "events-lost" and .gap.cause == "mark-quota"'
}
