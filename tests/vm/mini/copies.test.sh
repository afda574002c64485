#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What who has read a key writes is searched for the key: plain, packed by itself, packed by a program that
# it runs. A copy is on the trail and no alert; who reads it is both. What cannot be opened stays inferred.
# All this only with an entry of class key-copy, which the shipped policy does not have.
# kernels: 6.1
# limit: 600 s
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

HERE=/var/copies
BACKUP=/usr/local/bin/tar # a program of its own to the policy
rm -rf $HERE
mkdir -p $HERE/by-backup
cp /bin/busybox $BACKUP
policy_allow $BACKUP
key_new /root/.ssh/id_copied
kt_start --policy "$T/policy.yaml" || exit 1
keys_known

# All is root's, who has a tenth of the time for his copies: on a slow machine scans wait for that.
SCANS=300
copies() { keytrail status --json | jq -e ".copies | $1" >/dev/null; }
/bin/busybox dd if="$KEY" of=$HERE/before 2>/dev/null
cat >>"$T/policy.yaml" <<'EOF2'
  - name: key-copies
    class: key-copy
    severity: low
    on: [read]
EOF2
keytrail reload >"$T/reloaded" 2>&1
check "an entry for copies is taken up" test $? = 0
# scanned COUNT: so many verdicts on what holders wrote.
scanned() { copies "(.done | add) >= $1 and .queued == 0"; }
# The trail, an edge a line: evidence, kind, from, to.
trail() {
	keytrail trail --json "$FP" >"$T/trail.json" 2>"$T/trail.err" || return 1
	jq -r '([.nodes[] | {(.name): .label}] | add) as $name | .edges[] |
		"\(.evidence) \(.kind) \($name[.from]) \($name[.to])"' "$T/trail.json" \
		>"$T/trail" 2>>"$T/trail.err"
}
on_trail() { trail && grep -qxF "$1" "$T/trail"; }
shown() {
	if wait_for -t 20 on_trail "$2"; then ok "$1"; else
		not_ok "$1" "$2"
		note "$(cat "$T/trail" "$T/trail.err")"
		note "$(keytrail status --json | jq -c '.copies, .scan')"
	fi
}

# By their own names the shell would run some of these without an exec, and their arguments be its own.
/bin/busybox cp "$KEY" $HERE/plain
tar -C /root -czf $HERE/packed.tgz .ssh
gzip -c "$KEY" >$HERE/key.gz
/bin/busybox awk '{ gsub(/[A-Za-z0-9]/, "&-"); print >"'$HERE/encoded'" }' "$KEY"
# Whole under another name, as zip and rsync do it.
cat "$KEY" >$HERE/.part && mv $HERE/.part $HERE/whole
$BACKUP -C /root -cf $HERE/by-backup/home.tar .ssh
check "what who has a key writes is scanned" wait_for -t $SCANS scanned 6 ||
	{
		note "$(keytrail status --json | jq -c '.copies, .dumps, .drops')"
		trail
		note "$(cat "$T/trail" "$T/trail.err")"
	}
check "a key is found in all but one" copies '.kept == 5 and .watched == 5 and .done.key == 5' ||
	note "$(keytrail status --json | jq -c .copies)"
# It would have been told before those.
if trail && ! grep -q "$HERE/before" "$T/trail"; then
	ok "what was written without an entry is not looked at"
else
	not_ok "what was written without an entry is not looked at" "$(cat "$T/trail" "$T/trail.err")"
fi
key=$FP
for file in plain key.gz whole; do
	shown "$file: who wrote it is on the trail" "inferred wrote /bin/busybox $HERE/$file"
	shown "$file: the key was found in it" "confirmed found-in $key $HERE/$file"
done
shown "a program that the holder runs writes for it" "inferred wrote /bin/busybox $HERE/packed.tgz"
shown "through tar and gzip" "confirmed found-in $key $HERE/packed.tgz"
shown "by a program that may read the key" "inferred wrote $BACKUP $HERE/by-backup/home.tar"
shown "and that is found" "confirmed found-in $key $HERE/by-backup/home.tar"
shown "what is encoded stays inferred" "inferred wrote /bin/busybox $HERE/encoded"
if grep -q "found-in.*$HERE/encoded" "$T/trail"; then
	not_ok "and no more"
else
	ok "and no more"
fi

# Second hand: the copy of a copy; and what is no copy is nobody's business.
cat $HERE/by-backup/home.tar >/dev/null
cp $HERE/plain $HERE/again
cat $HERE/encoded >/dev/null
echo nothing >$HERE/other
check "a copy of a copy is one, too" wait_for -t $SCANS copies '.kept == 6'
shown "who reads a copy is on the trail" "observed read $HERE/by-backup/home.tar /bin/busybox"
shown "and what he writes" "confirmed found-in $key $HERE/again"
# Written over, it is no copy any more.
echo nothing >$HERE/whole
check "what has no key any more is let go" wait_for -t $SCANS copies '.watched == 5'

gather
for deed in "dd if=$KEY" "cp $KEY" "gzip -c" "awk " "tar -C /root -czf"; do
	one "told once, by its read: $deed" "$(of "$KEY") and (.subject.args | contains(\"$deed\"))" \
		"$(by /bin/busybox)" '.severity == "high"'
done
none "the backup is not told" "$(by $BACKUP)"
none "that there are copies is no alert" '.type == "dump-with-key" or .type == "dump-unscanned"'
for file in by-backup/home.tar plain; do
	one "a read of $file is told" "$(of $HERE/$file)" '.type == "key-read"' '.severity == "low"' \
		'.object.class == "key-copy"' ".scan.keys[0].key.fingerprint == \"$FP\""
done
none "what was encoded is not watched" "$(of $HERE/encoded)"
told_only 8
