#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A watched file is given another name, by hard link, rename and exchange: told with both names where
# its entry has `on: link`, once it has succeeded. Not told: what the policy allows, what fails, what
# was not watched before, and entries with the default `on`.
# shellcheck disable=SC2119
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

ssh=/root/.ssh
out=/root/out
full=/mnt/full
rm -rf $out /srv/quiet /srv/laid
mkdir -p $ssh $out $full /srv/quiet /srv/laid/lower /srv/laid/upper /srv/laid/work /srv/laid/top
cat >"$T/policy.yaml" <<END
version: 1
watch:
  - name: test-keys
    class: ssh-user-key
    severity: medium
    on: [read, link]
    paths: [ ~/.ssh/id_*, $full/id_*, /srv/laid/top/id_* ]
    exclude: [ "*.pub" ]
    allow:
      - exe: $WAYS/hard-link
      - exe: $WAYS/make-tmpfile
      - {exe: $WAYS/rename-exchange, on: [link]}
  - name: by-default
    class: ssh-user-key
    paths: [ /srv/quiet/id_* ]
    exclude: [ "*.pub" ]
END
# Room for a file and not for another name of it: a link that fails when the kernel has begun it.
mount -t tmpfs -o nr_inodes=3 none $full || not_ok "a small file system" "not mounted"
echo key >$full/id_full
echo >$full/filler
if modprobe -q overlay || grep -q overlay /proc/filesystems; then
	mount -t overlay -o lowerdir=/srv/laid/lower,upperdir=/srv/laid/upper,workdir=/srv/laid/work \
		overlay /srv/laid/top && laid=1
fi
# Asked for by a reload only: the probes on links come by that.
sed 's/on: \[read, link\]/on: [read]/' "$T/policy.yaml" >"$T/first.yaml"
cp "$T/policy.yaml" "$T/second.yaml"
cp "$T/first.yaml" "$T/policy.yaml"
kt_start --policy "$T/policy.yaml" --record "$T/trace" || exit 1
state() {
	keytrail status --json | jq -r --arg p "$1" '.hooks[] | select(.name == $p) | .state'
}
equal "no probe on links unasked" "$(state on_inode_link)" off
key_new $ssh/id_early
keys_known
mv $ssh/id_early $out/early
kt_barrier || not_ok "alerts come through" "no alert for the barrier"
cp "$T/second.yaml" "$T/policy.yaml"
check "a reload asks for it" keytrail reload
for hook in on_inode_link on_link_end on_d_move on_d_exchange; do
	equal "$hook sees" "$(state $hook | sed s/fallback/attached/)" attached
done

key_new $ssh/id_linked
for name in id_moved id_exchanged id_there id_allowed; do
	key_copy $ssh/$name
done
key_copy /srv/quiet/id_quiet
key_copy $out/other
key_copy $out/third
keys_known

ln $ssh/id_linked $out/linked
mv $ssh/id_moved $out/moved
echo plain >$out/plain
$WAYS/exchange $ssh/id_exchanged $out/plain || not_ok "exchange" "it fails"
# To a name that is watched as well.
mv $ssh/id_there $ssh/id_elsewhere

# Nothing came of these.
ln $full/id_full $full/again 2>/dev/null && not_ok "a link that fails" "it does not"
ln $ssh/id_linked $out/linked 2>/dev/null && not_ok "a link to a name that is there" "it does not fail"
mkdir -p $out/dir/full
mv -T $ssh/id_linked $out/dir 2>/dev/null && not_ok "a rename that fails" "it does not"
ln $ssh/id_linked $full/other 2>/dev/null && not_ok "a link to elsewhere" "it does not fail"
# Allowed: the whole program, or for that.
WAY_ALSO=$out/also $WAYS/hard-link $ssh/id_allowed >/dev/null || not_ok "hard-link" "it fails"
$WAYS/rename-exchange $ssh/id_allowed >/dev/null || not_ok "rename-exchange" "it fails"
# Not watched before; a file that had no name is made, and one that is linked from then on is not.
ln $out/other $ssh/id_new
mv $out/third $ssh/id_new2
$WAYS/make-tmpfile $ssh/id_new $ssh/id_made >/dev/null || not_ok "make-tmpfile" "it fails"
# An entry that does not ask for it.
ln /srv/quiet/id_quiet $out/quiet
mv $out/quiet $out/quiet2
$WAYS/exchange /srv/quiet/id_quiet $out/third.pub || not_ok "exchange" "it fails"

ln $ssh/id_made $out/made
nr=6
if [ "${laid-}" ]; then
	key_copy /srv/laid/top/id_laid
	keys_known
	mv /srv/laid/top/id_laid /srv/laid/top/moved || not_ok "a rename on overlayfs" "it fails"
	nr=7
fi
gather || exit 1

# told NAME HOW OLD NEW EXE
told() {
	one "$1" "$(of "$3")" '.type == "object-linked" and .severity == "medium"' \
		".access.how == \"$2\" and .access.new_path == \"$4\" and .object.path == \"$3\"" \
		".object.watch == \"test-keys\"" "$(by "$5")" ".subject.uid == 0" \
		'.rule | test("no such program to give it another name")'
}
told "a hard link" link $ssh/id_linked $out/linked /bin/busybox
told "a rename" rename $ssh/id_moved $out/moved /bin/busybox
told "an exchange" rename $ssh/id_exchanged $out/plain $WAYS/exchange
told "a rename to a watched name" rename $ssh/id_there $ssh/id_elsewhere /bin/busybox
told "a link to what was made without a name" link $ssh/id_made $out/made /bin/busybox
if [ "${laid-}" ]; then
	# In the layer beneath, if that is marked as well: it is renamed there first.
	one "a rename on overlayfs, once" "$(of /srv/laid/top/id_laid)" '.type == "object-linked"' \
		'.access.new_path | test("^/srv/laid/(top|upper)/moved$")'
else
	skip "a rename on overlayfs" "no module"
fi
one "who may rename it may not read it" "$(of $ssh/id_allowed)" '.type == "key-read"' \
	"$(by $WAYS/rename-exchange)"
one "whose key it is" "$(of $ssh/id_linked)" ".object.key.fingerprint == \"$(fp $ssh/id_linked)\""
told_only $nr
keytrail explain --policy "$T/policy.yaml" "$(picked "$(of $ssh/id_moved)" | jq -r .id)" >"$T/said" 2>&1
check "explain says what would let it" grep -q "^Verdict: alert, .*another name" "$T/said" || cat "$T/said" >&9
kt_stop
# Two names within a second.
equal "each new name is told" "$(sed 1d "$T/trace" | jq -r 'select(.how == "link") | .from' |
	grep -c id_allowed)" 2
equal "what nobody asks for is not told" "$(sed 1d "$T/trace" | jq -r 'select(.from) | .from' |
	grep -c -e id_early -e id_moved)" 1
umount $full /srv/laid/top 2>/dev/null || :
