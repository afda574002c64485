#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The mini guest is the place that the other tests think it is.
. /kt/tests/lib.sh

equal "root runs the test" "$(id -u)" 0
check "the kernel has BTF" test -s /sys/kernel/btf/vmlinux
for mount in "cgroup2 /sys/fs/cgroup" "bpf /sys/fs/bpf" "tracefs /sys/kernel/tracing" \
	"proc /proc" "sysfs /sys" "devpts /dev/pts" "tmpfs /tmp" "securityfs /sys/kernel/security"; do
	check "mounted: $mount" grep -q " ${mount#* } ${mount% *} " /proc/mounts
done
equal "nobody else may write to /" "$(stat -c %a /)" 755
check "lo is up" grep -q "LOOPBACK" "$(ip link show lo >"$T/lo" && echo "$T/lo")"
check "standard error can be opened by name" sh -c 'echo >/dev/stderr'
check "a user can be become" su -s /bin/sh alice -c 'test "$(id -u)" = 1000 && touch ~/x'
if modprobe -q overlay 2>/dev/null || grep -q overlay /proc/filesystems; then
	mkdir -p "$T/lower" "$T/upper" "$T/work" "$T/merged"
	check "overlay mounts" mount -t overlay overlay \
		-o "lowerdir=$T/lower,upperdir=$T/upper,workdir=$T/work" "$T/merged"
	umount "$T/merged"
else
	skip "overlay mounts" "this kernel came without modules"
fi
check "jq works" jq -e '.a == 1' "$(echo '{"a":1}' >"$T/j" && echo "$T/j")"
# wait_for gives up when it should, and not before.
check "wait_for sees what comes" sh -c \
	'(sleep 0.3; touch "$T/came") & . /kt/tests/lib.sh; wait_for -t 10 test -e "$T/came"'
if wait_for -t 1 false; then
	not_ok "wait_for gives up" "it did not"
else
	ok "wait_for gives up"
fi
