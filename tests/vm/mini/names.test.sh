#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Keys come, go and change names while the daemon runs: whatever has a watched name is watched from
# the moment it has it, and nothing else is.
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

ssh=/root/.ssh
away=/root/outside
rm -rf $away /home/carol
mkdir -p $ssh $away
kt_start || exit 1

directories() {
	keytrail status --json | jq .objects.directories
}
grown_from() {
	[ "$(directories)" -gt "$1" ]
}

# A user, a home, a directory and a key that were not there. The daemon learns of users when
# /etc/passwd is written; a key made before it has learnt that is found when it has.
before=$(directories)
mkdir -p /home/carol
chown 1777:1777 /home/carol
sed -i '/^carol:/d' /etc/passwd /etc/group
echo "carol:x:1777:" >>/etc/group
echo "carol:x:1777:1777:Carol:/home/carol:/bin/sh" >>/etc/passwd
check "the home of a user made after start becomes known" wait_for grown_from "$before"
key_new /home/carol/.ssh/id_ed25519 carol

# To a watched name: within the directory, from elsewhere, by a hard link, in a directory.
key_new $ssh/unwatched
mv $ssh/unwatched $ssh/id_renamed
key_new $away/moved
mv $away/moved $ssh/id_moved
key_new $away/linked
ln $away/linked $ssh/id_linked
key_new $away/linked2
ln $away/linked2 $ssh/id_linked2
before=$(directories)
key_new /root/tree/id_in_tree
mv /root/tree /home/bob/.ssh
check "a directory that was moved in becomes known" wait_for grown_from "$before"
# From a watched name to another place: what was a key there is one here.
key_new $ssh/id_taken
keys_known # by its name: where it is moved to nobody looks for it
mv $ssh/id_taken $away/taken
# Under a name that is not watched, and deleted before anybody read it.
key_new $ssh/stranger
key_new $ssh/id_deleted
rm $ssh/id_deleted $ssh/id_deleted.pub
key_new $ssh/id_replaced
first=$FP
key_new $ssh/new-one
second=$FP
keys_known

cat /home/carol/.ssh/id_ed25519 $ssh/id_renamed $ssh/id_moved $ssh/id_linked $away/linked2 \
	/home/bob/.ssh/id_in_tree $away/taken $ssh/stranger $ssh/id_replaced >/dev/null
# Replaced as a whole, once the alert about what was there is out.
told_first() {
	keytrail alerts --json | grep -q "$first"
}
wait_for told_first
mv $ssh/new-one $ssh/id_replaced
keys_known
$WAYS/read $ssh/id_replaced

# Made and read at once, before any process of ours could have looked.
key_new $away/source
$WAYS/create-race "$KEY" $ssh/id_race1 $ssh/id_race2 $ssh/id_race3 $ssh/id_race4 $ssh/id_race5 ||
	not_ok "keys are made and read in a race" "the reader did not read"
env WAY_MAKE=link $WAYS/create-race "$KEY" $ssh/id_race6 $ssh/id_race7 ||
	not_ok "keys are linked and read in a race" "the reader did not read"
$WAYS/create-read "$KEY" $ssh/id_self1 $ssh/id_self2 ||
	not_ok "keys are read by their maker" "it did not read"

gather || exit 1
fingerprint() {
	printf '.object.key.fingerprint == "%s"' "$1"
}
one "a key in the home of a user made after start" "$(of /home/carol/.ssh/id_ed25519)" \
	"$(named /home/carol/.ssh/id_ed25519)" '.object.owner_user == "carol"'
one "renamed to a watched name" "$(of $ssh/id_renamed)" "$(fingerprint "$(fp $ssh/unwatched)")"
one "moved in from elsewhere" "$(of $ssh/id_moved)" "$(fingerprint "$(fp $away/moved)")"
one "linked into a watched directory" "$(of $ssh/id_linked)" "$(fingerprint "$(fp $away/linked)")"
one "and read by the name that it had before" "$(of $away/linked2)" \
	"$(fingerprint "$(fp $away/linked2)")" ".object.path == \"$ssh/id_linked2\""
one "in a directory that was moved in" "$(of /home/bob/.ssh/id_in_tree)" \
	"$(fingerprint "$(fp /root/tree/id_in_tree)")"
one "moved away and read there" "$(of $away/taken)" "$(fingerprint "$(fp $ssh/id_taken)")"
one "before it was replaced" "$(fingerprint "$first")" "$(of $ssh/id_replaced)" \
	"$(by /bin/busybox)"
one "after it was replaced" "$(fingerprint "$second")" "$(of $ssh/id_replaced)" \
	"$(by $WAYS/read)"
none "a name that is not watched" "$(of $ssh/stranger)"
none "a key that nobody read" "$(of $ssh/id_deleted)"
for i in 1 2 3 4 5 6 7; do
	one "read within microseconds of its name ($i)" "$(of $ssh/id_race$i)" \
		"$(by $WAYS/race-reader)" ".object.path == \"$ssh/id_race$i\""
done
for i in 1 2; do
	one "read by who just made it ($i)" "$(of $ssh/id_self$i)" "$(by $WAYS/create-read)"
done
told_only 18
