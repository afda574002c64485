#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Memory of those who have read a key, with the installed policy and what people really use: gdb, gcore,
# strace, ps, a real ssh-agent and gpg-agent. One attach is one alert.
# kernels: 6.1
# guest: own
# long: 900 s, 1536 MiB
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

mkdir -p /etc/keytrail/policy.d
printf 'version: 1\nsettings: {memory: on}\n' >/etc/keytrail/policy.d/00-test.yaml
# The verifier takes its time for all of it, and a guest many times that.
mkdir -p /etc/systemd/system/keytraild.service.d
printf '[Service]\nTimeoutStartSec=900\nWatchdogSec=0\n' >/etc/systemd/system/keytraild.service.d/slow.conf
systemctl daemon-reload
check "the installed unit gets ready" systemctl start keytraild || exit 1
key_new /root/.ssh/id_ed25519
keys_known
mkfifo "$T/fifo"
$WAYS/mem-holder /root/.ssh/id_ed25519 <"$T/fifo" >"$T/out" 2>&1 9>&- &
holder=$!
exec 4>"$T/fifo"
echo >&4
wait_for grep -qx read "$T/out" || not_ok "a process has read the key" "$(cat "$T/out")"
# Signs with a key that it got over its socket.
# Without the end of the fifo, or the holder waits for it.
eval "$(ssh-agent -s 9>&- 4>&-)" >/dev/null
ssh-add /root/.ssh/id_ed25519 2>/dev/null || not_ok "the agent takes the key"
ssh-add -l >/dev/null

gdb -p $holder -batch -ex 'x/4x $sp' >/dev/null 2>&1 </dev/null 9>&-
gcore -o "$T/core" $holder >/dev/null 2>&1 </dev/null 9>&-
strace -p $holder -o /dev/null 2>/dev/null 9>&- 4>&- &
traced() {
	grep -q "^TracerPid:[[:space:]]*[1-9]" /proc/$holder/status
}
wait_for traced || not_ok "strace attaches" "it does not"
kill $! && wait $!
gdb -p "$SSH_AGENT_PID" -batch -ex 'x/4x $sp' >/dev/null 2>&1 </dev/null 9>&-
python3 -c "open('/proc/$holder/mem', 'rb').close()"
connects() {
	python3 -c "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])" "$1" ||
		not_ok "a connection to $1" "it fails"
}
connects "$SSH_AUTH_SOCK"
# And gpg's, by its own programs first.
export GNUPGHOME=/root/.gnupg
(umask 077 && mkdir -p $GNUPGHOME)
gpgconf --launch gpg-agent 9>&- 4>&- || not_ok "gpg-agent starts"
gpg-connect-agent /bye >/dev/null 2>&1 9>&- 4>&-
gpg_socket=$(gpgconf --list-dirs agent-socket)
connects "$gpg_socket"
# What looks at processes and is none of it.
ps auxww >/dev/null
ps -eo pid,comm,args,wchan,stat,label >/dev/null 2>&1
top -bn1 >/dev/null
lsof -p $holder >/dev/null 2>&1
systemctl status ssh >/dev/null 2>&1
pgrep -f mem-holder >/dev/null
# ssh reads its key, sshd the host's, and somebody logs in and looks around.
install -d -m 0700 -o alice -g alice /home/alice/.ssh
install -m 0600 -o alice -g alice /root/.ssh/id_ed25519.pub /home/alice/.ssh/authorized_keys
equal "alice logs in" "$(ssh -i /root/.ssh/id_ed25519 -o BatchMode=yes -o StrictHostKeyChecking=no \
	-o UserKnownHostsFile=/dev/null alice@127.0.0.1 'ps aux >/dev/null; top -bn1 >/dev/null
	systemctl status --no-pager >/dev/null 2>&1; id -un' 2>"$T/ssh.err" 9>&- 4>&-)" alice ||
	note "$(cat "$T/ssh.err")"
exec 4>&-
wait $holder
kill "$SSH_AGENT_PID"
gpgconf --kill gpg-agent
gather || exit 1

# told NAME N FILTER: so many memory-read alerts.
told() {
	equal "$1" "$(jq -c "select(.type == \"memory-read\") | select($3)" "$T/alerts" | wc -l)" "$2" ||
		jq -r 'select(.type == "memory-read") | .text' "$T/alerts" >&9
}
at_holder='.target.exe == "/kt/ways/mem-holder" and .memory.keys_read == 1 and
	.memory.keys[0].path == "/root/.ssh/id_ed25519" and .memory.keys[0].key.fingerprint == "'$FP'"'
told "gdb and gcore, one each" 2 ".subject.exe == \"/usr/bin/gdb\" and $at_holder"
told "strace" 1 ".subject.exe == \"/usr/bin/strace\" and $at_holder"
told "python3, by /proc/PID/mem" 1 \
	".subject.exe == \"/usr/bin/python3.11\" and .memory.how == \"proc-mem\" and $at_holder"
told "gdb at a real ssh-agent" 1 '.subject.exe == "/usr/bin/gdb" and .target.exe == "/usr/bin/ssh-agent" and
	.memory.keys[0].class == "agent-socket"'
told "nothing else" 5 true
used() {
	jq -r 'select(.type == "agent-use") | "\(.subject.exe) \(.object.path)"' "$T/alerts" | sort
}
equal "python3 at the agent's socket, and not ssh-add" "$(used | grep -v gnupg)" \
	"/usr/bin/python3.11 $SSH_AUTH_SOCK"
equal "python3 at gpg-agent's socket, and not gpg's programs" "$(used | grep gnupg)" \
	"/usr/bin/python3.11 $gpg_socket"
