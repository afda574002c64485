#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Whoever holds a key and is dumped is told, whichever way the dump goes; and the dump is watched from
# its birth on, whatever its name. Who holds none crashes in silence, but the dump is watched, too.
# guest: own
# kernels: 7.x
# shellcheck disable=SC2119,SC2086,SC3045
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

crash=$WAYS/dump-crash
writer=$WAYS/dump-writer
pattern=/proc/sys/kernel/core_pattern
D=/tmp/odd # no pattern of the policy leads here
mkdir -p $D
chmod 0777 $D
ulimit -c unlimited
key_new /root/.ssh/id_dump
key=$KEY
chmod 0755 /root
kt_start --record "$T/trace" || exit 1
keys_known

# crashed WHAT...: and it did crash.
crashed() {
	"$@" 2>/dev/null 9>&-
	[ $? -ge 128 ] || not_ok "$* crashes" "it did not"
}

# The one file that was dumped to a pattern with %p.
dumped() {
	set -- "$D/$1".*
	printf '%s' "$1"
}

to() {
	printf '%s' "$1" >$pattern
}

# Linux 6.16 and later; before, @ is part of a file's name.
has_core_socket() {
	uname -r | awk -F. '{ exit !($1 > 6 || ($1 == 6 && $2 >= 16)) }'
}

# all NAME FILTER N [CONDITION]...: N alerts are picked, and each fulfils each condition.
all() {
	_name=$1
	_filter=$2
	_wanted=$3
	shift 3
	jq -c "select($_filter)" "$T/alerts" >"$T/picked"
	if [ "$(wc -l <"$T/picked")" != "$_wanted" ]; then
		not_ok "$_name" "$(wc -l <"$T/picked") alerts, wanted $_wanted"
		jq -r '"# \(.type) \(.text)"' "$T/alerts" | grep -v barrier >&9
		return 1
	fi
	for _condition; do
		if ! jq -es "all(.[]; $_condition)" "$T/picked" >/dev/null; then
			not_ok "$_name" "not true: $_condition"
			sed 's/^/# /' "$T/picked" >&9
			return 1
		fi
	done
	ok "$_name"
}

# Somebody reads a dump.
read_dump() {
	if [ ! -s "$1" ]; then
		not_ok "there is a dump to read" "$1 is empty or missing"
		return 1
	fi
	WAY_MAGIC=${2-$(printf '\177ELF')} $WAYS/read "$1" || not_ok "$1 is read" "it was not"
}

was_read() {
	all "$1 is watched" ".type == \"dump-read\" and .object.path == \"$2\"" 1 \
		".subject.exe == \"$WAYS/read\"" '.object.class == "dump"' '.severity == "high"'
}

# --- to a file
to "$D/file.%p"
crashed $crash $key abort
file=$(dumped file)
read_dump "$file"
to "$D/segv.%p"
crashed $crash $key segv
to "$D/threads.%p"
crashed $crash $key threads
read_dump "$(dumped threads)"
to "$D/nokey.%p"
crashed $crash - abort
nokey=$(dumped nokey)
read_dump "$nokey"
to "$D/kill.%p"
$crash $key stay 9>&- &
pid=$!
wait_for sh -c "ls -l /proc/$pid/exe | grep dump-crash && grep '^State:.S' /proc/$pid/status"
kill -ABRT $pid
wait $pid
read_dump "$D/kill.$pid"
to "$D/short.%p"
crashed $crash $key limit=8192 abort
size=$(stat -c %s "$(dumped short)")
check "a limit cuts the core" test "$size" -gt 0 -a "$size" -le 8192
read_dump "$(dumped short)"
to "$D/none.%p"
crashed $crash $key limit=0 abort
crashed $crash $key closed abort
equal "no core of who may not be dumped, or not that much" "$(ls $D/none.* 2>/dev/null)" ""

# --- of a setuid program, and from what a container is made of
cp $crash $D/setuid-crash
chmod 4755 $D/setuid-crash
echo 2 >/proc/sys/fs/suid_dumpable
to "$D/setuid.%p"
su -s /bin/sh alice -c "ulimit -c unlimited; $D/setuid-crash $key segv" 2>/dev/null 9>&-
setuid=$(dumped setuid)
read_dump "$setuid"
echo 0 >/proc/sys/fs/suid_dumpable
to "$D/container.%p"
mkdir -p "$T/box"
unshare -m -p -f sh -c "mount -t tmpfs box $T/box && mkdir -p $T/box$D $T/box/ways &&
	cp $crash $T/box/ways/ && cp $key $T/box/key && mount --bind $key $T/box/key &&
	chroot $T/box /ways/dump-crash /key segv; exit 0" 2>/dev/null 9>&-

# --- to a program
cat >$D/helper <<EOF
#!/bin/sh
cat >$D/piped.\$1
echo "a crash of \$1" >>$D/helper.log
EOF
chmod 0755 $D/helper
to "|$D/helper %p"
crashed $crash $key limit=1 abort
: >$D/before
crashed $crash $key abort
wait_for test -s $D/helper.log
# What a helper makes is watched until the daemon has seen that it is no dump.
kt_barrier || not_ok "alerts come through" "no alert for the barrier"
piped=$(dumped piped)
read_dump "$piped"
cat $D/helper.log >/dev/null

# --- to a socket
socket=
if has_core_socket; then
	$WAYS/core-listener $D/sock $D/received 9>&- &
	listener=$!
	wait_for test -S $D/sock
	to "@$D/sock"
	crashed $crash $key abort
	wait $listener
	socket=$D/received
fi
to core

# --- by the program itself
$writer $key heap $D/heap
$writer $key exit $D/heap-exit
$writer - heap $D/heap-nokey
$writer $key minidump $D/mini
$writer $key plain $D/plain
gather || exit 1
wait_for sh -c "keytrail status --json | jq -e '.dumps.dumps >= 4'"
for f in heap heap-exit heap-nokey; do read_dump $D/$f JAVA; done
read_dump $D/mini MDMP
[ -z "$socket" ] || read_dump "$socket"
wait_alert ".type == \"dump-read\" and $(of "$nokey")" ||
	not_ok "the dump of who held no key is scanned" "no alert"
cat $D/plain >/dev/null
gather || exit 1


by_path() {
	printf '.type == "holder-dumped" and .dump.path == "%s"' "$1"
}

# one_dump NAME PATH HOW SIGNAL [CONDITION]...
one_dump() {
	_what=$1
	_path=$(by_path "$2")
	_how=".dump.how == \"$3\" and .dump.signal == $4"
	shift 4
	all "$_what" "$_path" 1 "$_how" '.severity == "high"' '.holds_nr == 1' \
		'.holds[0].class == "ssh-user-key"' ".holds[0].path == \"$key\"" \
		".holds[0].key.fingerprint == \"$(fp $key)\"" '.ancestry_complete' "$@"
}

one_dump "abort, to a file" "$file" file 6 ".subject.exe == \"$crash\"" \
	'.text | contains("crashed by SIGABRT")'
was_read "the dump in a file" "$file"
one_dump "a fault, to a file" "$(dumped segv)" file 11
one_dump "a crash of a thread among several" "$(dumped threads)" file 11
was_read "the dump of threads" "$(dumped threads)"
one_dump "kill -ABRT" "$D/kill.$pid" file 6
was_read "the dump of who was killed" "$D/kill.$pid"
one_dump "a core cut by its limit" "$(dumped short)" file 6 '.dump.limit == 8192'
was_read "the core that was cut" "$(dumped short)"
all "no dump is told where none was written" '.dump.path == ""' 0
# Told when its scan is over, which can make it less; a guest may take longer than is waited.
all "the dump of who held no key is watched" ".type == \"dump-read\" and .object.path == \"$nokey\"" 1 \
	".subject.exe == \"$WAYS/read\"" \
	'.severity == (if .scan.state == "clean" then "info" else "high" end)'
one_dump "a setuid program" "$setuid" file 11 '.dump.dumpable == 2' '.subject.euid == 0' \
	'.subject.user == "alice"'
was_read "the dump of a setuid program" "$setuid"
all "from another mount and pid namespace" '.type == "holder-dumped" and
	(.dump.path | startswith("'$T/box$D'/container."))' 1 '.dump.how == "file"' \
	".holds[0].key.fingerprint == \"$(fp $key)\"" '.dump.signal == 11'
one_dump "to a program" $D/helper pipe 6
# The kernel takes a limit of 1 for a helper that crashed itself.
all "a limit of 1 starts no program" '.dump and (.subject.args | contains("limit=1 "))' 0
was_read "what the program made of it" "$piped"
none "what else the program writes is no dump" ".object.path == \"$D/helper.log\""
if [ -n "$socket" ]; then
	one_dump "to a socket" $D/sock socket 6 ".dump.listener == $listener"
	was_read "what came by the socket" "$socket"
else
	skip "to a socket" "this kernel has no such core_pattern"
	skip "what came by the socket is watched" "this kernel has no such core_pattern"
fi
one_dump "a heap dump by the program itself" $D/heap written null '.dump.kind == "java-profile"'
one_dump "a heap dump closed by the end of its writer" $D/heap-exit written null
all "a heap dump of who holds no key" "$(by_path $D/heap-nokey)" 0
for f in heap heap-exit heap-nokey; do was_read $f $D/$f; done
one_dump "a minidump, by a child" $D/mini written null '.dump.kind == "minidump"'
was_read "the minidump" $D/mini
none "a large file that is no dump" ".object.path == \"$D/plain\""
