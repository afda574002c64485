#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A rule that names a script: what the kernel starts by its first line counts, whatever the arguments
# say does not, nor what somebody other than root has a hand in. The interpreter is cat,
# and the first lines name the keys.
#
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

bin=/opt/keys
ssh=/root/.ssh
home=/home/alice
work=$home/work
rm -rf $bin $work
mkdir -p $bin $work
cp /bin/busybox $bin/cat

# script FILE KEY: it is run by the interpreter and reads the key.
script() {
	printf '#!%s %s\n' "$bin/cat" "$2" >"$1"
	chmod 0755 "$1"
}
# shellcheck disable=SC2119 # nobody is allowed by the program alone
policy_allow
printf '    allow:\n' >>"$T/policy.yaml"
for name in honest link relative far alice writable shadowed inner failed; do
	script $bin/$name $ssh/id_$name
	echo "      - {exe: $bin/cat, script: $bin/$name}" >>"$T/policy.yaml"
done
key_new $ssh/id_honest
for name in link relative far writable shadowed inner failed claimed copied; do
	key_copy $ssh/id_$name
done
key_copy $home/.ssh/id_alice alice
script $bin/alice $home/.ssh/id_alice
script $bin/copied $ssh/id_copied
script $work/shadow $ssh/id_shadowed
printf '#!%s\n' $bin/inner >$bin/outer
printf '#!%s\n' $bin/not-there >$bin/failed
chmod 0755 $bin/outer
ln -s link $bin/link-of-root
ln -s $bin/far $work/far
chmod o+w $bin/writable
chown -R 1000:1000 $home
kt_start --policy "$T/policy.yaml" || exit 1
keys_known

reads() {
	"$@" >/dev/null || not_ok "$* reads" "it did not"
}
reads $bin/honest
reads $bin/link-of-root
reads $bin/outer
(cd $bin && reads ./relative)
reads $work/far
reads $bin/writable
reads $bin/copied
reads $bin/cat $ssh/id_claimed $bin/honest
reads $WAYS/as 1000 1000 $bin/alice
if unshare -m true 2>/dev/null; then
	reads unshare -m sh -c "mount --bind $work/shadow $bin/shadowed && exec $bin/shadowed"
	shadowed=yes
fi
# An exec that fails is forgotten: the same process then is the interpreter, of no script.
reads $WAYS/exec-again $bin/failed $bin/cat $ssh/id_failed $bin/failed

gather || exit 1
observed() {
	printf '.subject.script == "%s" and .subject.script_evidence == "observed"' "$1"
}
none "a script that a rule names" "$(of $ssh/id_honest)"
none "by a link that only root can change" "$(of $ssh/id_link)"
none "behind the first line of another" "$(of $ssh/id_inner)"
one "by a name that depends on where one stands" "$(of $ssh/id_relative)" \
	"$(observed $bin/relative)" '.rule | contains("could not be verified")'
one "by a link that somebody else can change" "$(of $ssh/id_far)" "$(observed $bin/far)" \
	'.rule | contains("other than root can change it")'
one "a script that others can write" "$(of $ssh/id_writable)" "$(observed $bin/writable)" \
	'.subject.script_trust == "writable"'
one "a script that no rule names" "$(of $ssh/id_copied)" "$(observed $bin/copied)" \
	'.rule | startswith("the policy allows no such program")' '.text | contains("running")'
one "a script that arguments name" "$(of $ssh/id_claimed)" '.subject | has("script") | not' \
	'.rule | startswith("the policy allows no such program")'
one "with the environment of who is not root" "$(of $home/.ssh/id_alice)" \
	"$(observed $bin/alice)" '.rule | contains("not to who is not root")'
if [ "${shadowed-}" ]; then
	one "another file mounted over it" "$(of $ssh/id_shadowed)" "$(observed $bin/shadowed)" \
		'.subject.script_trust == "other"'
else
	skip "another file mounted over it" "no mount namespaces here"
fi
one "an interpreter by itself, after a script that could not start" "$(of $ssh/id_failed)" \
	'.subject | has("script") | not'
told_only 8

# What is proposed of it: nothing, and each with its reason; live and stored. Nobody reads a key while
# it watches; that the kernel left something out may be told meanwhile.
keytrail learn --for 1s >"$T/live" 2>&1
check "learn watches for as long as it is told to" \
	grep -q '^# What .* made of [0-9]* alerts, 0 of them about accesses' "$T/live" ||
	note "$(cat "$T/live")"
keytrail learn --since 1h --write "$T/learnt" >"$T/said" 2>&1
check "learn takes what is stored" grep -q '^0 rules were written' "$T/said"
equal "and writes only what is sound" "$(grep -c '      - {' "$T/learnt")" 0
check "and says why not" grep -q "^#   $bin/cat of script $bin/copied for test-keys: " "$T/learnt"
kt_stop
