#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Names and arguments that would break a line, forge one, or lie in one if they could: an independent
# parser (rsyslog's mmpstrucdata) reads out of every line exactly what the alert says, and there are as
# many lines as alerts.
# kernels: 6.1
# long kernels: 7.x
# guest: own
[ -n "${BASH_VERSION-}" ] || exec bash "$0" "$@"
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

LOG=/var/log/keytrail.log
PARSED=/var/log/keytrail.parsed
ssh=/root/.ssh

cat >/etc/rsyslog.d/99-test.conf <<'CONF'
module(load="mmpstrucdata")
template(name="kt-test" type="list") { property(name="$!rfc5424-sd") constant(value="\n") }
if $programname == "keytraild" and $msgid == "key-read" then {
	action(type="mmpstrucdata")
	action(type="omfile" file="/var/log/keytrail.parsed" template="kt-test")
}
CONF
systemctl restart rsyslog
mkdir -p /etc/keytrail/policy.d
printf 'version: 1\nwatch: [{name: deep, class: ssh-user-key, severity: high, paths: ["/srv/**"]}]\n' \
	>/etc/keytrail/policy.d/99-deep.yaml
check "the installed unit gets ready" systemctl start keytraild || exit 1
key_new $ssh/id_plain

long=$(printf 'x%.0s' {1..200})
hostile=(
	$'a\nb' 'a\x0ab' $'a\rb' 'a]b' 'a"b' 'a\b' $'a\\' 'a\"]b' $'a\xffb' $'\xc3' $'\xed\xa0\x80'
	$'\xf8\x88\x80\x80\x80'
	$'a\tb' $'\e[2Ja' $'\x7f' $'\xe2\x80\xa8' $'\xe2\x80\xae' '%s%n%d' '$(id)' '`id`' ' ' '-rf' '={}' "it's"
	'"] [keytrail@32473 type="daemon"'
	$'"]\n<83>1 2026-01-01T00:00:00Z debian keytraild 1 key-read - forged'
	'] forged' $'\xef\xbb\xbfbom' 'ключ' '鍵' "$long"
)
for name in "${hostile[@]}"; do
	cp "$T/new-key" "$ssh/id_$name" || not_ok "a key of this name can be made" "$(printf %q "$name")"
done
keys_known
# As a name, as an argument, and as the name under which a program runs.
for name in "${hostile[@]}"; do
	cat "$ssh/id_$name" >/dev/null
	tail -n 1 "$ssh/id_$name" "/nowhere/$name" >/dev/null 2>&1
	(exec -a "$name" head -n 1 "$ssh/id_$name" >/dev/null)
done
# Longer than a line may be (and, with the barrier below, two alerts more): every byte of this path
# takes two of the line, and the path stands in it twice.
deep=/srv
level=$(printf '"]%.0s' {1..120})
for _ in {1..15}; do
	deep=$deep/$level
done
check "a path of 3,600 bytes can be made" mkdir -p "$deep"
cp "$T/new-key" "$deep/id"
keys_known
cat "$deep/id" >/dev/null
gather || exit 1
jq -c 'select(.type == "key-read")' "$T/alerts" | jq -cs 'map({(.id): .}) | add' >"$T/by-id"
alerts=$(jq length "$T/by-id")
count_lines() {
	[ "$(grep -c ' key-read ' $LOG)" -ge "$alerts" ] && [ "$(wc -l <$PARSED)" -ge "$alerts" ]
}
wait_for count_lines
equal "each access is one alert" "$alerts" $((3 * ${#hostile[@]} + 2))
equal "lines in keytrail.log, as many as alerts" "$(grep -c ' key-read ' $LOG)" "$alerts"
equal "lines parsed, as many as alerts" "$(wc -l <$PARSED)" "$alerts"
types='key-read|daemon|sensor-degraded|events-lost|heartbeat'
ours="^<[0-9]+>1 [0-9T:.+-]+ debian keytraild [0-9]+ ($types) \\["
equal "every line is a whole one of ours" "$(grep -cvE "$ours" $LOG)" 0 ||
	note "$(grep -vE "$ours" $LOG | head -n 3)"
check "all of them are UTF-8" iconv -f UTF-8 -t UTF-8 $LOG
equal "and hold no control character" "$(LC_ALL=C grep -c $'[\x01-\x08\x0b-\x1f\x7f]' $LOG)" 0
equal "none is longer than 8 KiB" "$(awk 'length > 8192' $LOG | wc -l)" 0

equal "the one that would be says that it is cut" "$(jq -c '.["keytrail@32473"] |
	select(.truncated == "1") | .path | startswith("/srv/\"]")' $PARSED)" true

# Field by field. A line that was too long says so, and its values are then shorter.
jq -c --slurpfile alerts "$T/by-id" '.["keytrail@32473"] as $line | $alerts[0][$line.id] as $alert |
	if $alert == null then "a line of no alert: \($line.id)"
	elif $line.path != $alert.object.path and $line.truncated == null then
		"path: \($line.path) is not \($alert.object.path)"
	elif $line.args != $alert.subject.args and $line.truncated == null then
		"args: \($line.args) is not \($alert.subject.args)"
	elif $line.exe != $alert.subject.exe then "exe: \($line.exe)"
	elif $line.type != "key-read" then "type: \($line.type)"
	elif ($line | keys | unique | length) != ($line | keys | length) then "a field twice"
	else empty end' $PARSED >"$T/wrong" 2>"$T/jq.err" || not_ok "parsed lines are JSON" "$(cat "$T/jq.err")"
equal "what is parsed is what the alert says" "$(wc -l <"$T/wrong")" 0 || note "$(head -n 5 "$T/wrong")"
for name in "${hostile[@]}"; do
	printf '%s\n' "$(printf %q "$name")"
done >"$T/names"
paths=$(jq -r '.[].object.path | select(contains("id_plain") or contains("barrier") or startswith("/srv/") | not)' "$T/by-id" |
	sort -u | wc -l)
equal "each name is told, and no two are told alike" "$paths" "${#hostile[@]}"

# For people: the command's view holds no control character either.
keytrail alerts --limit 1000 >"$T/view"
equal "keytrail alerts shows no control character" \
	"$(LC_ALL=C grep -c $'[\x01-\x08\x0b-\x1f\x7f]' "$T/view")" 0
systemctl stop keytraild
