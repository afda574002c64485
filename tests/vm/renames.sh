# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# One user renames a key of his, from one watched name to another, again and again: what he reads
# himself meanwhile, what others read, and a key that comes to be, are told. After lib.sh and
# alerts.sh.

# renames_flood NUMBER [SETTINGS]
renames_flood() {
	printf 'version: 1\nsettings: {%s}\n' "${2-}" >"$T/settings.yaml"
	kt_start --policy "$T/settings.yaml" --policy /usr/local/share/keytrail/policy.d/10-ssh.yaml ||
		return 1
	key_new /home/alice/.ssh/id_flood alice
	key_copy /home/alice/.ssh/id_own alice
	key_copy /home/bob/.ssh/id_others bob
	keys_known
	$WAYS/as 1000 1000 $WAYS/flood-renames "$1" /home/alice/.ssh/id_flood /home/alice/.ssh/id_moved \
		>"$T/made" 2>&1 9>&- &
	flooder=$!
	renamed() {
		[ -e /home/alice/.ssh/id_moved ]
	}
	wait_for renamed || not_ok "the flood begins" "$(cat "$T/made")"
	$WAYS/as 1000 1000 $WAYS/read /home/alice/.ssh/id_own >/dev/null
	$WAYS/as 1001 1001 $WAYS/read /home/bob/.ssh/id_others >/dev/null
	cp "$T/new-key" /home/bob/.ssh/.tmp && chown bob:bob /home/bob/.ssh/.tmp &&
		mv /home/bob/.ssh/.tmp /home/bob/.ssh/id_fresh
	$WAYS/as 1001 1001 $WAYS/read /home/bob/.ssh/id_fresh >/dev/null
	check "all of this while the flood goes on" kill -0 $flooder
	wait $flooder
	equal "as many renames were made as were meant" "$(cat "$T/made")" "$1"
	# What was renamed, by the name that it has in the end.
	for name in id_flood id_moved; do
		[ ! -e /home/alice/.ssh/$name ] || $WAYS/as 1000 1000 $WAYS/pread /home/alice/.ssh/$name
	done >/dev/null
	gather || return 1
	one "what the flooder read meanwhile" "$(of /home/alice/.ssh/id_own)" '.subject.user == "alice"'
	one "what another user read" "$(of /home/bob/.ssh/id_others)" '.subject.user == "bob"'
	one "a new key of another user" "$(of /home/bob/.ssh/id_fresh)" '.subject.user == "bob"'
	one "what was renamed, in the end" "$(by $WAYS/pread)" '.subject.user == "alice"'
	keytrail status --json >"$T/status"
	check "the daemon has not grown by it" jq -e '.self.rss_kib < 65536' "$T/status"
	note "$(jq -c '{rss_kib: .self.rss_kib, drops: (.drops | with_entries(select(.value > 0)))}' \
		"$T/status")"
	kt_stop
}
