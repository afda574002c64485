#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `mode: deny`: the open of a key is refused to all but the executables that the policy allows, root
# included; what counts as such an executable; what a reload, an upgrade and the end of the daemon do.
# limit: 600 s
# kernels: 5.10 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

# As systemd has it on every host.
links=/proc/sys/fs/protected_hardlinks
echo 1 >$links

bin=/opt/keys
sealed=/srv/sealed
kept=/srv/kept
second=/srv/second
layers=/srv/layers
merged=/srv/merged
rm -rf $bin $sealed $kept $second $layers $merged /srv/other
mkdir -p $bin $sealed $kept $second /srv/other
for name in reader busy shadowed upgraded moved digested modified; do
	cp $WAYS/try $bin/$name
done
sum=$(sha256sum $WAYS/try | cut -d' ' -f1)
echo >>$bin/modified
cp $WAYS/map-code $bin/mapper
cp /bin/busybox $bin/busybox-old
policy_allow "$bin/nobody"
cp "$T/policy.yaml" "$T/ssh.yaml"

# policy MODE: the sealed keys' entry, beside the one that barriers are of.
policy() {
	cp "$T/ssh.yaml" "$T/policy.yaml"
	cat >>"$T/policy.yaml" <<END
  - name: kept
    class: key
    paths: [ $kept/*.pem ]
    on: [ write ]
    mode: $1
    allow:
      - exe: $bin/gone
  - name: sealed
    class: key
    severity: critical
    paths: [ $sealed/*.pem, $merged/*.pem ]
    mode: $1
    allow:
      - exe: $bin/reader
      - exe: $bin/busy
      - exe: $bin/shadowed
      - exe: $bin/upgraded
      - exe: $bin/moved
      - exe: $bin/mapper
      - exe: $bin/busybox-old
      - {exe: $bin/digested, digest: 'sha256:$sum'}
      - {exe: $bin/modified, digest: 'sha256:$sum'}
END
}

key_new $sealed/a.pem
for name in b linked shadow mapped upgrade old late reload refused disguised known; do
	key_copy $sealed/$name.pem
done
ln $sealed/linked.pem /srv/other/innocent
key_copy $kept/a.pem

# Both files of a layer are known by the merged tree only.
overlay=
if modprobe -q overlay; then
	mkdir -p $layers/lower $layers/upper $layers/work $merged
	cp "$T/new-key" $layers/lower/below.pem
	cp "$T/new-key" $layers/lower/copied.pem
	cp "$T/new-key" $layers/upper/x.pem
	mount -t overlay o -o "lowerdir=$layers/lower,upperdir=$layers/upper,workdir=$layers/work" $merged &&
		overlay=1
fi
[ -n "$overlay" ] || skip "overlayfs" "no module"

# Another entry, written after, by whose name a file that is sealed can be had.
cat >"$T/second.yaml" <<END
version: 1
watch:
  - name: second
    class: key
    paths: [ $second/*.pem ]
END
ln $sealed/reload.pem $second/reload.pem

# The kernel decides by the executable alone.
policy deny
cat >>"$T/policy.yaml" <<END
      - {exe: $bin/other, user: root}
END
said=$(keytrail policy check "$T/policy.yaml" 2>&1)
equal "a rule that cannot be kept is an error" "$?" 2
case $said in
*:32:15:\ error:\ the\ rule\ asks\ for\ ?user?,\ which\ cannot\ be\ kept\ with\ mode\ ?deny?*)
	ok "... with its place and the condition" ;;
*) not_ok "... with its place and the condition" "$said" ;;
esac

policy deny
kt_start --policy "$T/policy.yaml" --policy "$T/second.yaml" || exit 1
keys_known
in_force() { # once it is known what the programs are of which a rule asks for the digest
	keytrail status --json | jq -e '.deny | .entries == 2 and .in_force == 2 and .why == ""'
}
check "it is in force" wait_for in_force
# Of an LSM program for what the kernel would skip a tracing one for (sensor/hooks.c), where there
# are such. As the kernel has it: BPF_LSM_MAC is 27, BPF_MODIFY_RETURN 26.
refuses_as() {
	grep -h attach_type: "/proc/$KT_PID"/fdinfo/* 2>/dev/null | cut -f2 | grep -cx "$1"
}
if grep -qw bpf /sys/kernel/security/lsm && grep -q ' bpf_rdonly_cast$' /proc/kallsyms; then
	equal "no tracing program refuses" "$(refuses_as 26)" 0
	check "LSM programs are there" test "$(refuses_as 27)" -gt 0
else
	equal "a tracing program refuses" "$(refuses_as 26)" 1
	skip "LSM programs are there" "this kernel runs none, or no better"
fi
# After 30 s it is in force whether that is known or not, and of a busy guest it may not be.
is_known() {
	[ "$($bin/digested open $sealed/known.pem)" = none ]
}
check "... and that is known" wait_for is_known

# opens NAME WANTED COMMAND...: what the command says of its open.
opens() {
	_name=$1
	_wanted=$2
	shift 2
	_said=$("$@" 2>&1 9>&-)
	if [ "$_said" = lacks ]; then
		skip "$_name" "this kernel has no such way"
	else
		equal "$_name" "$_said" "$_wanted"
	fi
}
opens "root is refused" EACCES $WAYS/try open $sealed/a.pem
check "a shell utility gets nothing" sh -c "! cat $sealed/b.pem"
opens "the allowed program reads" none $bin/reader open $sealed/a.pem
opens "by io_uring, too" none $bin/reader uring $sealed/a.pem
opens "one of the content that the rule asks for" none $bin/digested open $sealed/a.pem
opens "and not one of another" EACCES $bin/modified open $sealed/linked.pem
opens "another is refused by io_uring" EACCES $WAYS/try uring $sealed/linked.pem
opens "and by another link" EACCES $WAYS/try open /srv/other/innocent
opens "what is no read is let through" none $WAYS/try write $sealed/b.pem
cp $bin/reader "$T/reader"
opens "a copy is not the program" EACCES "$T/reader" open $sealed/shadow.pem
opens "nor is what is mounted over it" EACCES unshare -m --propagation private sh -c \
	"mount --bind $WAYS/try $bin/shadowed && exec $bin/shadowed open $sealed/shadow.pem"
cp $WAYS/read "$T/code" && chown 1000 "$T/code"
check "nor one with somebody's code in it" sh -c \
	"! $bin/mapper map $T/code $sealed/mapped.pem 2>/dev/null"
check "... and without, it is" $bin/mapper anonymous none $sealed/mapped.pem
cp /srv/other/innocent /srv/other/none 2>/dev/null # refused, as it reads
opens "nor one that has it stand for itself" EACCES $WAYS/set-exe $bin/reader $sealed/disguised.pem
opens "to empty a file is to write" EACCES $WAYS/try trunc $kept/a.pem
check "... which has not come to it" test -s $kept/a.pem
opens "and to read is not" none $WAYS/try open $kept/a.pem
equal "status says of an entry that nobody may open, and why" "$(keytrail status --json | jq -r '.warnings[] |
	select(test("nobody may open"))')" \
	"mode: deny: nobody may open files of 'kept': $bin/gone: No such file or directory"
(umask 077 && echo "made just now" >$sealed/new.pem)
opens "a file that was just made" EACCES $WAYS/try open $sealed/new.pem

gather || exit 1
denied() {
	printf '%s and .type == "access-denied"' "$(of $sealed/"$1".pem)"
}
one "one alert for one deed" "$(denied a)" '.severity == "critical"' '.access.refused == "EACCES"' \
	'.access.mode == ["read"]' ".subject.exe == \"$WAYS/try\"" '.subject.user == "root"' \
	".object.key.fingerprint == \"$FP\"" '.object.watch == "sealed"' '.attack == "T1552.004"' \
	'.text | test("was denied private key")'
one "of the shell utility" "$(denied b)" '.subject.exe == "/bin/busybox"'
one "of the program with somebody's code" "$(denied mapped)" ".subject.exe == \"$bin/mapper\"" \
	'.text | test("mapped code from a file that others than root can change")'
one "of the one in disguise" "$(denied disguised)" ".subject.exe == \"$bin/reader\"" \
	'.subject.untrusted == ["disguised"]' '.text | test("set itself which executable it counts as")'
one "of the file that was just made" "$(denied new)"
none "no key was read" "(.object.path | startswith(\"$sealed\")) and .type == \"key-read\""

# Another mode or link says nothing of the content. Until the new look is over, what was known counts.
for i in $(seq 40); do
	chmod 0755 $bin/digested
	$bin/digested open $sealed/a.pem
done >"$T/said"
equal "a program whose mode is set goes on being let through" "$(sort -u "$T/said")" none

# An upgrade: the new file is known when its first try has failed, or before.
cp $bin/upgraded $bin/upgraded.new && mv $bin/upgraded.new $bin/upgraded
is_let() {
	[ "$($bin/upgraded open $sealed/upgrade.pem)" = none ]
}
check "an upgraded program is let through" wait_for is_let
kt_barrier || not_ok "alerts come through"
check "... after one try at most" test "$(alert_count "$(denied upgrade)")" -le 1
# The old one that still runs is what it was.
mkfifo "$T/go"
$bin/busybox-old sh -c "read -r _ <$T/go; read -r line <$sealed/late.pem && echo got" >"$T/old" 9>&- &
old=$!
is_old() {
	[ "$(readlink /proc/$old/exe)" = $bin/busybox-old ]
}
check "the old one waits" wait_for is_old
# As dpkg does until the package is in place.
ln $bin/busybox-old $bin/busybox-old.tmp
cp /bin/busybox $bin/busybox-old.new && mv $bin/busybox-old.new $bin/busybox-old
check "its successor reads" wait_for $bin/busybox-old cat $sealed/old.pem
echo go >"$T/go" &
wait $old
equal "who began before the upgrade reads" "$(cat "$T/old")" got
check "and who begins by another link of the old one does not" sh -c \
	"! $bin/busybox-old.tmp cat $sealed/old.pem 2>/dev/null"
rm $bin/busybox-old.tmp

# By another name it is not started as the program that the policy means.
mv $bin/moved $bin/elsewhere
is_kept_out() {
	[ "$($bin/elsewhere open $sealed/late.pem)" = EACCES ]
}
check "who was moved away from his path is refused" wait_for is_kept_out

# layers_opened WANTED WHEN: by the merged tree, and by the layers' own names.
layers_opened() {
	for file in $merged/x.pem $merged/below.pem $layers/upper/x.pem $layers/lower/below.pem; do
		opens "overlayfs $2: $file" "$1" $WAYS/try open "$file"
	done
}
if [ -n "$overlay" ]; then
	layers_opened EACCES "at first"
	# The inode beneath is another one from now on, and is first come by by another entry's name.
	opens "overlayfs: the allowed program writes" none $bin/reader write $merged/copied.pem
	check "... by which it was copied up" test -e $layers/upper/copied.pem
	ln -s $merged/copied.pem $second/link.pem
	is_denied_beneath() {
		[ "$($WAYS/try open $layers/upper/copied.pem)" = EACCES ]
	}
	check "... and is refused by the layer's own name" wait_for is_denied_beneath
	opens "... and by the merged one" EACCES $WAYS/try open $merged/copied.pem
fi

# Reloads, while the program works: it is refused not once.
sh -c "while [ ! -e $T/enough ]; do $bin/busy open $sealed/reload.pem; done" >"$T/said" 9>&- &
busy=$!
for i in 1 2 3; do
	echo "# reload $i" >>"$T/policy.yaml"
	keytrail reload >/dev/null || not_ok "reload $i"
	opens "after reload $i others are refused" EACCES $WAYS/try open $sealed/reload.pem
	opens "... by the other entry's name, too" EACCES $WAYS/try open $second/reload.pem
	[ -z "$overlay" ] || layers_opened EACCES "after reload $i"
done
wait_for sh -c "[ \$(wc -l <$T/said) -ge 20 ]"
: >"$T/enough"
wait $busy
equal "a reload refuses the allowed program nothing" "$(sort -u "$T/said")" none

policy alert
check "to mode: alert" keytrail reload
opens "reads again" none $WAYS/try open $sealed/refused.pem
wait_alert "$(of $sealed/refused.pem) and .type == \"key-read\"" || not_ok "the read is told"
equal "nothing is attached for it" "$(keytrail status --json |
	jq -r '.hooks[] | select(.name == "on_deny_open").state')" off
policy deny
check "and back" keytrail reload
again=EACCES
case $(uname -r) in
5.10.*) # attaches a program once only
	again=none
	equal "status says that it is not in force" "$(keytrail status --json | jq -c '[.deny.in_force,
		(.warnings | map(select(test("mode: deny is not in force"))) | length)]')" '[0,1]'
	check "and so does an alert" wait_alert \
		'.type == "sensor-degraded" and .cause == "deny" and .severity != "info"'
	;;
*) check "it is in force once more" wait_for in_force ;;
esac
opens "after it" $again $WAYS/try open $sealed/reload.pem
opens "and what a digest was asked of" none $bin/digested open $sealed/reload.pem

# A daemon that was killed refuses nobody.
kill -KILL "$KT_PID"
wait "$KT_PID" 2>/dev/null
KT_PID=
is_open() {
	[ "$($WAYS/try open $sealed/a.pem)" = none ]
}
check "without the daemon it is open" wait_for is_open

# With `refused: on` the same failure comes by two ways.
printf 'version: 1\nsettings: {refused: on}\n' >"$T/settings.yaml"
# Where anybody can give others' files a name that is denied, nothing is.
echo 0 >$links
kt_start --policy "$T/settings.yaml" --policy "$T/policy.yaml" || exit 1
keys_known
equal "with unprotected hard links it is not in force" "$(keytrail status --json | jq -c '[.deny.in_force,
	(.warnings | map(select(test("protected_hardlinks"))) | length)]')" '[0,1]'
check "and an alert says so" wait_alert '.type == "sensor-degraded" and .cause == "deny" and .severity != "info"'
echo 1 >$links
check "when they are, a reload puts it in force" keytrail reload
check "... which it is" wait_for in_force
opens "refused" EACCES $WAYS/try open $sealed/refused.pem
gather || exit 1
one "told once" "$(of $sealed/refused.pem)" '.type == "access-denied"'
kt_stop
opens "stopped, it is open" none $WAYS/try open $sealed/refused.pem
[ -z "$overlay" ] || umount $merged
