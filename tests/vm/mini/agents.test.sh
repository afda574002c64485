#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Sockets of agents: who connects is told, those who may are not, whether the agent was there before
# the daemon or came later; and who reads the memory of an agent.
# kernels: 6.1
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

cat >"$T/policy.yaml" <<'POLICY'
version: 1
watch:
  - name: test-agents
    class: agent-socket
    severity: medium
    paths: [ "/tmp/ssh-*/agent.*" ]
    allow:
      - exe: /kt/ways/agent-listen
      - exe: /kt/ways/as
  - name: test-keys
    class: ssh-user-key
    severity: high
    paths: [ ~/.ssh/id_* ]
  - name: test-memory
    class: process-memory
    severity: high
POLICY

# agent DIR: one listens there. The last one's pid is $agent.
agent() {
	mkdir -p "$1"
	rm -f "$1/agent.1" "$T/fifo"
	mkfifo "$T/fifo"
	$WAYS/agent-listen "$1/agent.1" <"$T/fifo" >"$T/says" 2>&1 9>&- &
	agent=$!
	sleep 1000 >"$T/fifo" &
	wait_for grep -q listens "$T/says" || not_ok "an agent in $1" "$(cat "$T/says")"
}

rm -rf /tmp/ssh-*
agent /tmp/ssh-before
printf 'version: 1\nsettings: {memory: on}\n' >"$T/settings.yaml"
kt_start --policy "$T/settings.yaml" --policy "$T/policy.yaml" || exit 1
agent /tmp/ssh-after
echo text >/tmp/ssh-after/agent.file
agent /tmp/not-an-agent

$WAYS/agent-connect /tmp/ssh-before/agent.1
$WAYS/agent-connect /tmp/ssh-after/agent.1 /tmp/ssh-after/agent.1
$WAYS/agent-connect /tmp/not-an-agent/agent.1
cat /tmp/ssh-after/agent.file >/dev/null
key_new /root/.ssh/id_first
gather || exit 1
for name in before after; do
	one "agent $name" "$(of "/tmp/ssh-$name/agent.1")" '.type == "agent-use"' \
		"$(by $WAYS/agent-connect)" '.access.how == "connect"' \
		'.object.class == "agent-socket"' '.object.key == null' '.attack == "T1563.001"' ||
		jq -c '{text, count}' "$T/alerts" >&9
done
told_only 2

# What the agent holds came over its socket, from no file.
agent /tmp/ssh-memory
dd if=/proc/$agent/mem of=/dev/null bs=1 count=1 2>/dev/null
gather || exit 1
equal "memory of an agent" "$(jq -c 'select(.type == "memory-read") |
	[.memory.how, .target.exe, .memory.keys[0].path, .memory.keys[0].class]' "$T/alerts")" \
	'["proc-mem","/kt/ways/agent-listen","/tmp/ssh-memory/agent.1","agent-socket"]'
