#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Links that a user lays where watched names lead: none of them makes another's key known as his, or
# tells him anything of it.
# kernels: 5.10
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

key_new /root/.ssh/id_same
key_new /home/alice/.ssh/id_same alice
policy_allow
kt_start --policy "$T/policy.yaml" || exit 1
keys_known

# His directory goes, a link to root's stands there; what he then does to his file has the daemon
# look at it anew.
cat >"$T/swap" <<'END'
cd /home/alice || exit 1
mv .ssh .s2
ln -s /root/.ssh .ssh
echo >>.s2/id_same
cat .s2/id_same
END
$WAYS/as "$(id -u alice)" "$(id -g alice)" sh "$T/swap" >/dev/null || not_ok "swap" "it failed"
keys_known
cat /home/alice/.s2/id_same >/dev/null

# The directory is gone before its event is read, and a link comes where it was.
cat >"$T/late" <<'END'
cd /home/alice || exit 1
i=0
while [ $((i += 1)) -le 100 ]; do
	rm -f .ssh
	mkdir .ssh
	rmdir .ssh
	ln -s /root/.ssh .ssh
done
END
$WAYS/as "$(id -u alice)" "$(id -g alice)" sh "$T/late" || not_ok "links" "they failed"
kt_barrier || not_ok "alerts come through" "no alert for the barrier"
# All that was put off has been looked at when a later name has.
key_copy /home/alice/.late/id_late alice
$WAYS/read /root/.ssh/id_same
key_new /root/.ssh/id_after
keys_known
$WAYS/pread /root/.ssh/id_after

gather || exit 1
none "no alert about alice's file has the fingerprint of root's" \
	"(.object.path | startswith(\"/home/alice\")) and
		.object.key.fingerprint == \"$(fp /root/.ssh/id_same)\""
none "nothing of root's is told as alice's" "(.object.path | startswith(\"/home/alice/.ssh/\")) and
	.subject.uid == 0 and (.subject.exe | startswith(\"$WAYS\"))"
one "root's key is known by its own name" "$(by $WAYS/read)" "$(named /root/.ssh/id_same)"
one "a key made there later is watched" "$(by $WAYS/pread)" "$(named /root/.ssh/id_after)"
