# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2154
#
# Programs that crash and what debuggers make of it; containers.

BUNDLE=/srv/bundle

crash_stage() {
	printf 'int f(int *p) { return *p; }\nint main(void) { return f(0); }\n' >crashy.c
	tcc -g -o /usr/local/bin/crashy crashy.c
	mkdir -p /srv/signing
	openssl genpkey -algorithm ed25519 -out /srv/signing/key.pem
	tcc -o /usr/local/bin/kt-signer /kt/tests/work/reader.c
	mkdir -p $BUNDLE/rootfs/bin $BUNDLE/rootfs/keys
	cp /bin/busybox $BUNDLE/rootfs/bin
	for _name in sh echo cat; do ln -sf busybox $BUNDLE/rootfs/bin/$_name; done
	(cd $BUNDLE && rm -f config.json && crun spec && jq '.process.terminal = false' config.json >spec)
}

# container NAME MOUNT COMMAND...: MOUNT is a directory that it sees as /keys.
container() {
	_container=$1
	jq --arg from "$2" '.process.args = $ARGS.positional | .mounts += [{destination: "/keys",
		type: "bind", source: $from, options: ["rbind", "ro"]}]' \
		$BUNDLE/spec --args -- "$3" "$4" >$BUNDLE/config.json
	crun run -b $BUNDLE "$_container"
}

crash_debugged() {
	crash_scanned 0 # those of before
	_scans=$(crash_scans)
	as_alice 'ulimit -c unlimited; crashy' || true
	wait_for sh -c 'coredumpctl -q list crashy'
	wait_for sh -c 'ls /var/lib/systemd/coredump | grep -q crashy'
	crash_scanned $((_scans + 1))
	coredumpctl info crashy
	_scans=$(crash_scans)
	coredumpctl dump -o core.crashy crashy
	crash_scanned $((_scans + 1))
	gdb -batch -ex bt /usr/local/bin/crashy core.crashy
}
# It unpacks the core, and starts the debugger before anybody can have scanned that: the debugger waits for
# nobody, but what is told of it for the scan.
crash_unpacked() {
	_scans=$(crash_scans)
	coredumpctl debug --debugger-arguments="-batch -ex bt" "$1"
	crash_scanned $((_scans + 1))
}
crash_unpacked_stranger() {
	crash_unpacked crashy
}
# Dumps of which it is known what they are, since the start.
crash_scans() {
	keytrail status --json | jq '.scan | .known + ([.done[], .unscanned[]] | add)'
}
# Until so many are, and none is at work. Whoever scans wants the processor, so: seldom.
crash_scanned() {
	wait_for -t 100 sh -c "sleep 1; keytrail status --json | jq -e '.scan |
		.queued + .running == 0 and .known + ([.done[], .unscanned[]] | add) >= $1'"
}
crash_container() {
	container quiet /srv echo inside | grep -q inside
}

crash_quiet() {
	quiet "a crash, and gdb on its core" crash_debugged
	quiet "coredumpctl debug of it" crash_unpacked_stranger
	quiet "a container starts" crash_container
}

crash_holder() {
	crash_scanned 0 # those of before
	_scans=$(crash_scans)
	prlimit --core=unlimited /usr/local/bin/kt-signer /srv/signing/key.pem crash || true
	wait_for sh -c 'ls /var/lib/systemd/coredump | grep -q kt-signer'
	crash_scanned $((_scans + 1))
}
crash_holder_cat() {
	cat /var/lib/systemd/coredump/core.kt-signer.* >/dev/null
}
crash_unpacked_holder() {
	crash_unpacked kt-signer
}
crash_agent() {
	as_alice 'eval "$(ssh-agent)" >/dev/null; ssh-add -q; echo $SSH_AGENT_PID' >agent
	gdb -batch -p "$(cat agent)" -ex 'info registers rip'
	kill "$(cat agent)"
}

crash_container_key() {
	container loud /etc/ssh cat /keys/ssh_host_ecdsa_key
}

crash_loud() {
	loud "a program that has read a key crashes" high crash_holder -- \
		'.type == "holder-dumped"' '.subject.exe == "/usr/local/bin/kt-signer"' \
		'.holds | length == 1 and .[0].path == "/srv/signing/key.pem"'
	loud "cat of its core" high crash_holder_cat -- '.type == "dump-read"' '.scan.state == "clean"' \
		'.subject.exe == "/usr/bin/cat"' '.object.path | startswith("/var/lib/systemd/coredump/")'
	# Who crashed had read a key, so nothing is waited for: whatever the scan finds.
	loud "coredumpctl debug of it" high crash_unpacked_holder -- '.type == "dump-read"' \
		'.subject.exe == "/usr/bin/gdb"' \
		'.object.path | startswith("/var/tmp/coredump-")'
	loud "a debugger at an agent" high crash_agent -- '.type == "memory-read"' \
		'.subject.exe == "/usr/bin/gdb"' '.target.exe == "/usr/bin/ssh-agent"'
	loud "a container reads a key of the host" critical crash_container_key -- \
		'.type == "key-read" and .object.path == "/etc/ssh/ssh_host_ecdsa_key"' '.subject.exe | endswith("/busybox")'
}
