#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Keys under names that nobody knew are found by what they are: what is there at start, and what appears
# later; not what lies on a file system that may not answer. Their reads are told as of any other key,
# and the search's own are not.
# kernels: 6.1
# long kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

rm -rf /home/alice/papers /home/alice/remote /srv/*
cat >"$T/policy.yaml" <<'EOF'
version: 1
settings:
  discover: {look_s: 1, trees: [/srv/keep]}
watch:
  - name: ssh-user-keys
    class: ssh-user-key
    severity: high
    paths: ["~/.ssh/id_*"]
    exclude: ["*.pub"]
  - name: found-keys
    class: found-key
    severity: low
EOF
mkdir -p /home/alice/papers /home/alice/remote /srv/keep
key_new /home/alice/papers/holiday.txt alice
cp "$KEY" /srv/source
key_copy /home/alice/.ssh/id_named alice
head -c 4000 /dev/zero | tr '\0' x >/home/alice/papers/prose
if modprobe -q fuse; then
	$WAYS/fuse-serve /srv/source /home/alice/remote far "$T/hang" >"$T/fuse.said" 2>&1 9>&- &
	wait_for grep -q mounted "$T/fuse.said" || not_ok "fuse-serve mounts" "$(cat "$T/fuse.said")"
fi

search() { keytrail status --json | jq -e ".search | $1" >/dev/null; }
found() { keytrail status --json | jq -e ".objects.by_class[\"found-key\"] >= $1" >/dev/null; }

kt_start --policy "$T/policy.yaml" || exit 1
check "the first search ends" wait_for search '.searches > 0'
check "a key under a name that nobody knows is found" wait_for found 1
# Made while it runs, in a directory that is known and in a new one.
key_new /home/alice/papers/second alice
mkdir -p /srv/keep/deep/er
key_copy /srv/keep/deep/er/third
check "keys that appear are found" wait_for found 3
keys_known
cat /home/alice/papers/holiday.txt /home/alice/papers/prose >/dev/null
cat /home/alice/papers/second /srv/keep/deep/er/third >/dev/null
# The mark follows the object; the search gives it its new name.
mv /srv/keep/deep/er/third /srv/keep/moved
$WAYS/read /srv/keep/moved
gather
first=/home/alice/papers/holiday.txt
one "a read of what was there is told once, as what it is" "$(of $first)" "$(named $first)" \
	'.object.class == "found-key"' '.severity == "low"'
one "and so is one of what appeared" "$(of /home/alice/papers/second)" \
	"$(named /home/alice/papers/second)"
one "moved, it is told" "$(by $WAYS/read)" '.object.class == "found-key"' \
	'.object.path == "/srv/keep/moved" or .object.via == "/srv/keep/moved"'
none "what is no key is not watched" "$(of /home/alice/papers/prose)"
none "the search's own reads are not told" '.subject.exe | endswith("keytrail-search")'
if [ -e "$T/fuse.said" ]; then
	check "a file system that may not answer is left alone, and that is said" search '.apart >= 1'
	umount -l /home/alice/remote
fi

# No key any more: not watched any more.
printf 'these are no keys, and never have been, whatever it looks like\n' >/home/alice/papers/second
check "what is no key any more is let go" wait_for search '.watched == 2'
keytrail inventory --json /home/alice 2>"$T/said" >"$T/inventory"
equal "the inventory says who read it last" "$(jq -r \
	"select(.path == \"$first\") | .last_read.exe | sub(\".*/\"; \"\")" "$T/inventory")" busybox
check "and how far the search is" grep -q "keys watched that no name leads to" "$T/said"

# Whoever can signal the child that searches could keep new keys from being found.
child=$(pidof keytrail-search)
uid=$(sed -n 's/^keytrail-scan:x:\([0-9]*\):.*/\1/p' /etc/passwd)
equal "the child that searches is a user of its own" \
	"$(awk '/^Uid:/ { print $2, $3, $4 }' "/proc/$child/status")" "$uid $uid $uid"
check "who is that user could stop it" $WAYS/as "$uid" "$uid" kill -0 "$child"
if $WAYS/as 65534 65534 kill -STOP "$child" 2>"$T/kill"; then
	not_ok "nobody cannot stop it"
else
	ok "nobody cannot stop it"
fi
kill -KILL "$child"
check "that it was killed is told" wait_alert \
	'.type == "sensor-degraded" and .cause == "search-broken"' ||
	note "$(grep search "$KT_LOG"; alerts '.type == "sensor-degraded"')"
check "and counted" search '.failed == 1 and .state == "failed"'
