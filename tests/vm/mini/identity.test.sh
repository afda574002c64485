#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# What does not count as an allowed program, though its path is the right one, or its name is: all of
# it done by a user without rights, to programs that root alone can change. tests/vm/mini/trust.test.sh
# is about the files themselves.
#
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

bin=/opt/keys
home=/home/alice
ssh=$home/.ssh
work=$home/work
rm -rf $bin $work
mkdir -p $bin $work
for name in read pread map-code race-reader; do
	cp $WAYS/$name $bin/$name
done
cp $WAYS/read $bin/code
# Where each of these is, a user's copy is, too.
cp $WAYS/read $work/copied
cp $WAYS/read $work/read
library=$(find /lib /usr/lib -name 'libonig.so*' | head -n 1)
keygen=$(command -v ssh-keygen)
cp "$library" $work/evil.so
cp "$library" $bin/honest.so
chown -R 1000:1000 $home
# What a package installed, as dpkg keeps it: one file as it is, one that was changed since.
for name in packaged modified stated other; do
	cp $WAYS/read $bin/$name
done
mkdir -p /var/lib/dpkg/info
{
	printf '%s  %s\n' "$(md5sum $bin/packaged | cut -d' ' -f1)" "${bin#/}/packaged"
	printf '%s  %s\n' "$(md5sum $bin/pread | cut -d' ' -f1)" "${bin#/}/modified"
} >/var/lib/dpkg/info/key-reader:amd64.md5sums
digest() {
	sha256sum "$1" | cut -d' ' -f1
}
policy_allow $bin/read $bin/pread $bin/map-code $bin/race-reader "$keygen"
cat >>"$T/policy.yaml" <<END
      - {exe: $bin/packaged, package: key-reader}
      - {exe: $bin/modified, package: key-reader}
      - {exe: $bin/stated, digest: "sha256:$(digest $bin/stated)"}
      - {exe: $bin/other, digest: "sha256:$(digest $bin/pread)"}
END
key_new $ssh/id_honest alice
for name in copied comm memory shadowed traced detached root-traced touched written quiet-touched \
	preload audit preload-root mapped protected forked root-mapped anonymous execed \
	packaged modified stated other upgraded; do
	key_copy $ssh/id_$name alice
done
kt_start --policy "$T/policy.yaml" || exit 1
keys_known

alice() {
	$WAYS/as 1000 1000 "$@"
}
reads() {
	"$@" >/dev/null || not_ok "$* reads" "it did not"
}
# waits NAME: the allowed program runs as alice, waiting for her key NAME; its number is in $pid.
waits() {
	mv "$ssh/id_$1" "$work/late_$1"
	# Not by a function: then $! would be the shell that runs it.
	$WAYS/as 1000 1000 $bin/race-reader "$ssh/id_$1" >"$T/$1.out" &
	pid=$!
	wait_for grep -q ready "$T/$1.out"
}
# comes NAME: and now it reads.
comes() {
	mv "$work/late_$1" "$ssh/id_$1"
	wait "$pid" || not_ok "the program that waited for $1 reads" "it did not"
}

reads alice $bin/read $ssh/id_honest
reads alice $work/copied $ssh/id_copied
reads alice $WAYS/disguise $bin/read $ssh/id_comm
reads alice $WAYS/memfd-exec $bin/read $ssh/id_memory

# Another file at the same path, by a mount that only its reader sees.
if alice unshare -U -r -m true 2>/dev/null; then
	reads alice unshare -U -r -m sh -c \
		"mount --bind $work/read $bin/pread && exec $bin/pread $ssh/id_shadowed"
	shadowed=yes
fi

# Nobody but a parent may attach where this is 1: what comes then is what root could allow.
[ ! -e /proc/sys/kernel/yama/ptrace_scope ] || echo 0 >/proc/sys/kernel/yama/ptrace_scope

# A debugger: all the time, before the program's first instruction, or at some time. Root's counts
# while it is there.
reads alice $WAYS/tracer run $bin/read $ssh/id_traced
reads alice $WAYS/tracer start $bin/read $ssh/id_detached
reads $WAYS/tracer run $bin/read $ssh/id_root-traced
waits touched
if alice $WAYS/tracer touch $pid; then attached=yes; fi
comes touched
waits written
if alice $WAYS/tracer write $pid; then opened=yes; fi
comes written
waits quiet-touched
$WAYS/tracer touch $pid
comes quiet-touched

# Somebody's library in an allowed program.
reads alice env LD_PRELOAD=$work/evil.so "$keygen" -y -f $ssh/id_preload
reads alice env LD_AUDIT=$work/evil.so "$keygen" -y -f $ssh/id_audit 2>/dev/null
reads alice env LD_PRELOAD=$bin/honest.so "$keygen" -y -f $ssh/id_preload-root

# The same by what the dynamic linker does, and nearly does.
reads alice $bin/map-code map $work/evil.so $ssh/id_mapped
reads alice $bin/map-code protect $work/evil.so $ssh/id_protected
reads alice $bin/map-code fork $work/evil.so $ssh/id_forked
reads alice $bin/map-code map $bin/honest.so $ssh/id_root-mapped
reads alice $bin/map-code anonymous - $ssh/id_anonymous
# What an image had mapped is gone with its exec.
reads alice $bin/map-code exec $work/evil.so $bin/read $ssh/id_execed

# Who it is by package and digest; and by those of the file that takes its place.
for name in packaged modified stated other; do
	reads alice $bin/$name $ssh/id_$name
done
# They wait for what is found out of the files, and others' alerts do not wait for them.
check "a file that is looked at is told of in the end" wait_alert "$(of $ssh/id_modified)"
check "and so is the next" wait_alert "$(of $ssh/id_other)"
cp $WAYS/pread $bin/packaged.new
printf '%s  %s\n' "$(md5sum $bin/packaged.new | cut -d' ' -f1)" "${bin#/}/packaged" \
	>/var/lib/dpkg/info/key-reader:amd64.md5sums
mv $bin/packaged.new $bin/packaged
reads alice $bin/packaged $ssh/id_upgraded

gather || exit 1
rm -r /var/lib/dpkg/info
is() {
	printf '.subject.untrusted == ["%s"]' "$1"
}
none "an allowed program" "$(of $ssh/id_honest)"
one "its copy" "$(of $ssh/id_copied)" "$(by $work/copied)" "$(is writable)"
one "a program by the name and arguments of an allowed one" "$(of $ssh/id_comm)" \
	"$(by $WAYS/disguise)" '.rule | startswith("the policy allows no such program")'
one "an allowed program's bytes, run from memory" "$(of $ssh/id_memory)" \
	'.subject.untrusted | contains(["memory"])'
if [ "${shadowed-}" ]; then
	one "a program at an allowed path, in a user's mount namespace" "$(of $ssh/id_shadowed)" \
		"$(by $bin/pread)" '.subject.untrusted == ["other", "writable"]' \
		'.rule | contains("another file stands there")'
else
	skip "a program at an allowed path, in a user's mount namespace" "no user namespaces here"
fi
one "an allowed program under a debugger" "$(of $ssh/id_traced)" "$(is traced)" \
	"$(by $bin/read)" '.rule | contains("tracer")' '.text | contains("tracer")'
one "let go before it ran" "$(of $ssh/id_detached)" "$(is traced)"
one "under root's debugger" "$(of $ssh/id_root-traced)" "$(is traced)"
if [ "${attached-}" ]; then
	one "attached to, and let go" "$(of $ssh/id_touched)" "$(is traced)"
else
	not_ok "attached to, and let go" "nobody could attach, though the kernel lets him"
fi
if [ "${opened-}" ]; then
	one "its memory opened to write" "$(of $ssh/id_written)" "$(is traced)"
else
	not_ok "its memory opened to write" "nobody could, though the kernel lets him"
fi
none "once traced by root" "$(of $ssh/id_quiet-touched)"
one "LD_PRELOAD of a user's library" "$(of $ssh/id_preload)" "$(is mapped)" "$(by "$keygen")" \
	'.rule | contains("mapped code")' '.text | contains("mapped code")'
one "LD_AUDIT of a user's library" "$(of $ssh/id_audit)" "$(is mapped)"
none "LD_PRELOAD of a library of root's" "$(of $ssh/id_preload-root)"
one "a user's file mapped as code" "$(of $ssh/id_mapped)" "$(is mapped)"
one "mapped to be read, then made code" "$(of $ssh/id_protected)" "$(is mapped)"
one "mapped by the parent" "$(of $ssh/id_forked)" "$(is mapped)"
none "a file of root's mapped as code" "$(of $ssh/id_root-mapped)"
none "code without a file" "$(of $ssh/id_anonymous)"
none "a new image of a process that had a user's code" "$(of $ssh/id_execed)"
none "a program that is what its package installed" "$(of $ssh/id_packaged)"
one "one that is not" "$(of $ssh/id_modified)" '.rule | contains("not what its package installed")' \
	'.subject.package == "key-reader:amd64" and .subject.package_state == "modified"' \
	".subject.exe_digest == \"sha256:$(digest $bin/modified)\""
none "a program with the digest that is asked for" "$(of $ssh/id_stated)"
one "one with another" "$(of $ssh/id_other)" '.rule | contains("digest is another")' \
	'.subject.package_state == "none"'
none "its package's next version" "$(of $ssh/id_upgraded)"
