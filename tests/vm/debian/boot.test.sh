#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The Debian guest is a whole system: logs are written, people are let in, dumps are kept.
. /kt/tests/lib.sh

finished() {
	case $(systemctl is-system-running) in
	running | degraded) ;;
	*) false ;;
	esac
}
wait_for -t 240 finished
equal "the system runs" "$(systemctl is-system-running)" running ||
	note "$(systemctl --failed --no-legend)"
check "sshd listens" sh -c 'ss -lnt | grep -q ":22 "'

stamp="boot-test-$$"
logger -t keytrail-test "$stamp"
check "rsyslog writes /var/log/syslog" wait_for grep -q "$stamp" /var/log/syslog

ssh-keygen -q -t ed25519 -N '' -f "$T/key"
install -d -m 0700 -o alice -g alice /home/alice/.ssh
install -m 0600 -o alice -g alice "$T/key.pub" /home/alice/.ssh/authorized_keys
equal "alice logs in by key" "$(ssh -i "$T/key" -o BatchMode=yes -o StrictHostKeyChecking=no \
	-o UserKnownHostsFile=/dev/null alice@127.0.0.1 'id -un; cat /proc/self/loginuid' \
	2>"$T/ssh.err" | paste -sd " ")" "alice 1000" || note "$(cat "$T/ssh.err")"

check "core dumps go to systemd-coredump" grep -q systemd-coredump /proc/sys/kernel/core_pattern
check "modules of this kernel load" modprobe overlay
check "the kernel has BTF" test -s /sys/kernel/btf/vmlinux

# Watching nothing in silence is the worst that can happen: without openat2() it does not start.
systemd-run --quiet --wait --pipe -p RestrictSUIDSGID=yes keytraild >"$T/refused" 2>&1
equal "a unit that takes openat2() away is refused: 69" "$?" 69 || note "$(cat "$T/refused")"
check "and told why" grep -q "openat2() is refused here.*RestrictSUIDSGID" "$T/refused"
