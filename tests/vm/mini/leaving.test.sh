#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Where those talk to who have read a key: each destination once in the trace and in the counters of
# `keytrail status`, no alert; nobody else.
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

# Mounts of kinds that others than this host read, or that can be carried away; $T/foreign names those
# that are there, and the file to be written to.
: >"$T/foreign"
foreign() {
	echo "$1 $2" >>"$T/foreign"
}

# FUSE, served by ourselves.
fuse_is_there() {
	modprobe -q fuse || return 77
	mkdir -p "$T/fuse"
	echo nothing >"$T/source"
	$WAYS/fuse-serve "$T/source" "$T/fuse" out >"$T/served" 2>&1 9>&- &
	wait_for grep -q mounted "$T/served"
}

# A disk that says that it can be taken out.
removable_is_there() {
	modprobe -q ext4 && modprobe -q sd_mod && modprobe -q scsi_debug removable=1 dev_size_mb=8 ||
		return 77
	wait_for sh -c 'grep -qs 1 /sys/block/sd*/removable' || return 1
	disk=/dev/$(grep -ls 1 /sys/block/sd*/removable | head -n 1 | cut -d/ -f4)
	wait_for test -b "$disk" && mkdir -p "$T/removable" && mke2fs -F "$disk" >/dev/null 2>&1 &&
		mount -t ext4 "$disk" "$T/removable"
}

# The kernel's own server at one end of lo and its client at the other. What exportfs and mountd
# would tell the server is written by hand (net/sunrpc/cache.c, fs/nfsd/export.c): who 127.0.0.1 is,
# what is exported (2 any port, 16 async, 1024 no subtree check, 8192 by number), as number 0.
nfs_is_there() {
	modprobe -q nfsd && modprobe -q nfsv4 || return 77
	mkdir -p "$T/exported" "$T/nfs" && mount -t tmpfs none "$T/exported"
	grep -q ' /proc/fs/nfsd ' /proc/mounts || mount -t nfsd nfsd /proc/fs/nfsd || return 1
	n=/proc/fs/nfsd
	echo 10 >$n/nfsv4gracetime
	for version in -2 -3 +4 +4.1; do
		echo $version >$n/versions
	done 2>/dev/null
	for cache in auth.unix.ip nfsd.export nfsd.fh; do
		[ -e /proc/net/rpc/$cache/channel ] || return 1
	done
	never=2147483647
	echo "nfsd 127.0.0.1 $never here" >/proc/net/rpc/auth.unix.ip/channel
	echo "here $T/exported $never 9234 65534 65534 0" >/proc/net/rpc/nfsd.export/channel
	printf 'here 1 \\x00000000 %s %s\n' $never "$T/exported" >/proc/net/rpc/nfsd.fh/channel
	echo "tcp 2049" >$n/portlist && echo 2 >$n/threads || return 1
	echo Y >$n/v4_end_grace 2>/dev/null
	mount -t nfs4 -o addr=127.0.0.1,clientaddr=127.0.0.1,vers=4.1,sec=sys 127.0.0.1:/ "$T/nfs"
}

ip link set lo up 2>/dev/null
for kind in fuse removable nfs; do
	${kind}_is_there >"$T/said" 2>&1 9>&-
	case $? in
	0) foreign $kind "$T/$kind/out" ;;
	77) skip "a file on $kind" "no module" ;;
	*) not_ok "a file on $kind" "not mounted: $(cat "$T/said"; dmesg | tail -n 5)" ;;
	esac
done

policy_allow $WAYS/leave-net
printf 'version: 1\nsettings: {memory: on}\n' >"$T/settings.yaml"
kt_start --policy "$T/settings.yaml" --policy "$T/policy.yaml" --record "$T/trace" || exit 1
# With these probes every program there is was loaded: what the kernel lacks is one thing, what its
# verifier refuses another.
equal "the kernel refuses no program" "$(keytrail status --json |
	jq -c '[.hooks[] | select(.why | startswith("the kernel refuses")) | .name]')" "[]"
key_new /root/.ssh/id_first

: >"$T/want"
# go WAY HOW FAMILY
go() {
	$WAYS/leave-net "$1" /root/.ssh/id_first >"$T/said" 2>&1 9>&-
	case $? in
	0) echo "$1 $2 $3 $(sed -n 's/port //p' "$T/said")" >>"$T/want" ;;
	77) skip "$1" "$(cat "$T/said")" ;;
	*) not_ok "$1" "$(cat "$T/said")" ;;
	esac
}
go tcp4 connect 2
go tcp6 connect 10
go udp4 send 2
go udp6 connect 10
go early send 2
go sendfile send 2
go twice connect 2
go unix unix 1
# Written to, of each kind.
while read -r kind file; do
	$WAYS/leave-net file /root/.ssh/id_first "$file" >"$T/said" 2>&1 9>&- </dev/null ||
		not_ok "a write to $kind" "$(cat "$T/said")"
done <"$T/foreign"
# Of no concern: an ordinary file, and who has read nothing.
$WAYS/leave-net file /root/.ssh/id_first /tmp/plain >/dev/null 2>&1 || not_ok "file" "fails"
echo "not a key" >"$T/plain"
WAY_MAGIC="not a key" $WAYS/leave-net tcp4 "$T/plain" >"$T/said" 2>&1 || not_ok "a stranger" "$(cat "$T/said")"
stranger=$(sed -n 's/port //p' "$T/said")
gather || exit 1

told() {
	jq -c 'select(.t == "net") | select(.exe == "/kt/ways/leave-net") | select('"$1"')' "$T/trace.lines"
}
kt_stop
sed 1d "$T/trace" >"$T/trace.lines"
key=$(jq -r 'select(.t == "object") | select(.path == "/root/.ssh/id_first") | .object' "$T/trace.lines" |
	tail -n 1)
while read -r way how family port; do
	if [ "$way" = unix ]; then # the other holder, by its pid
		equal "$way" "$(told ".how == \"unix\" and .peer == $port" |
			jq -r '[.how, .key1, .keys] | join(" ")')" "$how $key 1"
		continue
	fi
	equal "$way" "$(told ".port == $port and .family == $family" |
		jq -r '[.how // "connect", .key1, .keys] | join(" ")')" "$how $key 1"
done <"$T/want"
equal "who has read nothing is none of them" "$(told ".port == ${stranger:-0}" | wc -l)" 0
while read -r kind file; do
	equal "a file on $kind" "$(told ".how == \"mount\" and .path == \"$file\"" | jq -r .key1)" "$key"
done <"$T/foreign"
# What the client of NFS sends to its server, it may send as the process that writes.
others=".port != 2049"
equal "nothing else" "$(told "$others" | wc -l)" "$(cat "$T/want" "$T/foreign" | wc -l)" ||
	told "$others" >&9
told_only 0
for kind in fuse removable nfs; do
	umount "$T/$kind" 2>/dev/null
done
[ ! -e /proc/fs/nfsd/threads ] || echo 0 >/proc/fs/nfsd/threads
umount -l "$T/exported" 2>/dev/null || :
