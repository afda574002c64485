#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where those talk to who have read a key: each destination once in the trace and in the counters of
# `keytrail status`, no alert; nobody else.
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

policy_allow $WAYS/leave-net
printf 'version: 1\nsettings: {memory: on}\n' >"$T/settings.yaml"
kt_start --policy "$T/settings.yaml" --policy "$T/policy.yaml" --record "$T/trace" || exit 1
# With these probes every program there is was loaded: what the kernel lacks is one thing, what its
# verifier refuses another.
equal "the kernel refuses no program" "$(keytrail status --json |
	jq -c '[.hooks[] | select(.why | startswith("the kernel refuses")) | .name]')" "[]"
key_new /root/.ssh/id_first

ip link set lo up 2>/dev/null
: >"$T/want"
# go WAY HOW FAMILY
go() {
	$WAYS/leave-net "$1" /root/.ssh/id_first >"$T/said" 2>&1 9>&-
	case $? in
	0) echo "$1 $2 $3 $(sed -n 's/port //p' "$T/said")" >>"$T/want" ;;
	77) skip "$1" "$(cat "$T/said")" ;;
	*) not_ok "$1" "$(cat "$T/said")" ;;
	esac
}
go tcp4 connect 2
go tcp6 connect 10
go udp4 send 2
go udp6 connect 10
go early send 2
go sendfile send 2
go twice connect 2
go unix unix 1
# A file system that others serve: FUSE, for all of its kind (NFS, CIFS, removable disks, ...).
mounted=
if modprobe -q fuse; then
	mkdir -p "$T/fuse"
	$WAYS/fuse-serve "$T/policy.yaml" "$T/fuse" out >"$T/served" 2>&1 9>&- &
	wait_for grep -q mounted "$T/served" || not_ok "fuse-serve mounts" "$(cat "$T/served")"
	$WAYS/leave-net file /root/.ssh/id_first "$T/fuse/out" >"$T/said" 2>&1 9>&- ||
		not_ok "a write to FUSE" "$(cat "$T/said")"
	mounted=1
else
	skip "a file on another kind of mount" "no module fuse"
fi
# Of no concern: an ordinary file, and who has read nothing.
$WAYS/leave-net file /root/.ssh/id_first /tmp/plain >/dev/null 2>&1 || not_ok "file" "fails"
echo "not a key" >"$T/plain"
WAY_MAGIC="not a key" $WAYS/leave-net tcp4 "$T/plain" >"$T/said" 2>&1 || not_ok "a stranger" "$(cat "$T/said")"
stranger=$(sed -n 's/port //p' "$T/said")
gather || exit 1

told() {
	jq -c 'select(.t == "net") | select(.exe == "/kt/ways/leave-net") | select('"$1"')' "$T/trace.lines"
}
kt_stop
sed 1d "$T/trace" >"$T/trace.lines"
key=$(jq -r 'select(.t == "object") | select(.path == "/root/.ssh/id_first") | .object' "$T/trace.lines" |
	tail -n 1)
while read -r way how family port; do
	if [ "$way" = unix ]; then # the other holder, by its pid
		equal "$way" "$(told ".how == \"unix\" and .peer == $port" |
			jq -r '[.how, .key1, .keys] | join(" ")')" "$how $key 1"
		continue
	fi
	equal "$way" "$(told ".port == $port and .family == $family" |
		jq -r '[.how // "connect", .key1, .keys] | join(" ")')" "$how $key 1"
done <"$T/want"
equal "who has read nothing is none of them" "$(told ".port == ${stranger:-0}" | wc -l)" 0
[ -z "$mounted" ] || equal "a file on another kind of mount" "$(told '.how == "mount"' |
	jq -r '[.path, .key1] | join(" ")')" "$T/fuse/out $key"
equal "nothing else" "$(told true | wc -l)" "$(($(wc -l <"$T/want") + ${mounted:-0}))" ||
	told true >&9
umount "$T/fuse" 2>/dev/null
told_only 0
