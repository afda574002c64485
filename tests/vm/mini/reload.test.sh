#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The policy is read again and again while keys are read: no access is lost, none is told twice, and
# each is judged by one policy or the other, never by half of each. The two differ in the name of the
# entry, in its severity, and in whom they allow.
# kernels: 6.1
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

ssh=/root/.ssh
bin=/opt/keys
keys=40
for name in nobody one other both; do
	mkdir -p $bin/$name
	cp /bin/busybox $bin/$name/cat
done

# as NAME SEVERITY EXE...: the policy of this name, in $T.
as() {
	_name=$1
	_severity=$2
	shift 2
	policy_allow "$@"
	sed -e "s/name: test-keys/name: $_name/" -e "s/severity: high/severity: $_severity/" \
		"$T/policy.yaml" >"$T/$_name.yaml"
}
as these low $bin/one/cat $bin/both/cat
as those medium $bin/other/cat $bin/both/cat
cp "$T/these.yaml" "$T/policy.yaml"

key_new $ssh/id_1
for i in $(seq 2 $keys); do
	key_copy "$ssh/id_$i"
done
kt_start --policy "$T/policy.yaml" || exit 1
keys_known
generation() {
	keytrail status --json | jq .policy.generation
}
before=$(generation)

# Each program reads each key once; every fourth key waits for the next policy.
changed() {
	[ "$(cat "$T/reloads")" != "$1" ]
}
read_all() {
	for i in $(seq $keys); do
		[ $((i % 4)) -ne 0 ] || wait_for changed "$(cat "$T/reloads")"
		for name in nobody one other both; do
			$bin/$name/cat "$ssh/id_$i" >/dev/null || echo "$name of $i" >>"$T/unread"
		done
	done
	: >"$T/all-read"
}
: >"$T/unread"
echo 0 >"$T/reloads"
read_all &
reloads=0
refused=0
while [ ! -e "$T/all-read" ]; do
	for name in those these; do
		# As an editor does it: there is never half a file.
		cp "$T/$name.yaml" "$T/next.yaml" && mv "$T/next.yaml" "$T/policy.yaml"
		keytrail reload >"$T/said" 2>&1 || refused=$((refused + 1))
		reloads=$((reloads + 1))
		echo $reloads >"$T/reloads"
	done
done
wait $!
equal "all keys are read" "$(wc -l <"$T/unread")" 0
equal "no reload fails" "$refused" 0
check "the policy changed often meanwhile" [ "$reloads" -ge 8 ]
equal "each has a number of its own" "$(($(generation) - before))" "$reloads"

gather || exit 1
# those of PROGRAM, a number
told() {
	picked "$(by $bin/"$1"/cat)" | jq -r "$2" | sort | uniq -c | awk "$3"
}
count='{n += $1} END {print n + 0}'
equal "who is allowed by both is silent" "$(told both .text "$count")" 0
equal "who is allowed by neither is told of each key" "$(told nobody .object.path "$count")" $keys
equal "and once" "$(told nobody .object.path '$1 > 1')" ""
for name in one other; do
	equal "who is allowed by one of them is told once of a key, or not at all ($name)" \
		"$(told $name .object.path '$1 > 1')" ""
done
equal "one policy or the other" "$(picked "$(by $bin/nobody/cat)" |
	jq -r '.object.watch + " " + .severity' | sort -u | tr '\n' ' ')" "these low those medium "
# What waits for its verdict while the policy changes is judged by the new one, and by what that asks
# about its program.
equal "one is told by the policy alone that does not allow it" "$(picked "$(by $bin/one/cat)" |
	jq -r '.object.watch + " " + .severity' | sort -u)" "those medium"
equal "and so is the other" "$(picked "$(by $bin/other/cat)" |
	jq -r '.object.watch + " " + .severity' | sort -u)" "these low"
equal "no access was lost" "$(keytrail status --json | jq '.drops["ring-critical"]')" 0
kt_stop
equal "it ends as it should" "$KT_STATUS" 0
