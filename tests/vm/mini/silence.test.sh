#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What is no reading of a key raises nothing, and neither does who may read it.
# kernels: 6.1
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

ssh=/root/.ssh
key_new $ssh/id_allowed
key_copy $ssh/id_looked_at
key_copy $ssh/id_other
policy_allow $WAYS/read /usr/bin/ssh-keygen
kt_start --policy "$T/policy.yaml" || exit 1

# Names and attributes.
stat $ssh/id_looked_at >/dev/null
ls -la $ssh >/dev/null
find /root -name 'id_*' -size +0 >/dev/null
test -r $ssh/id_looked_at
chmod 0640 $ssh/id_looked_at
chmod 0600 $ssh/id_looked_at
chown 0:0 $ssh/id_looked_at
touch $ssh/id_looked_at
mv $ssh/id_looked_at $ssh/id_looked_at2
ln $ssh/id_looked_at2 $ssh/id_looked_at
rm $ssh/id_looked_at2

# Writing.
echo "content" >$ssh/id_written
echo "more" >>$ssh/id_written
cp /etc/passwd $ssh/id_copied_to
: >$ssh/id_emptied

# The public half.
cat $ssh/id_allowed.pub $ssh/id_other.pub >/dev/null

# Who may.
$WAYS/read $ssh/id_allowed || not_ok "the allowed reader reads" "it did not"
ssh-keygen -lf $ssh/id_allowed >/dev/null
ssh-keygen -y -f $ssh/id_allowed >/dev/null
(umask 077 && ssh-keygen -q -t ed25519 -N '' -f $ssh/id_generated)
ssh-keygen -q -p -N 'secret words' -f $ssh/id_generated >/dev/null

# The daemon's own looking at keys, and its command's.
keytrail status >/dev/null
kill -HUP "$KT_PID"
wait_for sh -c 'keytrail status --json | jq -e ".policy.generation >= 2"' ||
	not_ok "the policy is read again" "the generation stays"

gather || exit 1
none "names, attributes, writing, public halves, allowed readers, the daemon itself" \
	'(.object.path // "") | contains("id_barrier") | not'
