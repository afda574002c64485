#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who has read a file whose entry has `on: send`, and talks to another host: told once for a process
# and file, with where to. Not told: whom the policy lets, loopback, Unix sockets, entries with the
# default `on`, who has read nothing. The probes for it are there because of that one entry.
# shellcheck disable=SC2119
# kernels: 5.10
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

state() {
	keytrail status --json | jq -r --arg p "$1" '.hooks[] | select(.name == $p) | .state'
}

ssh=/root/.ssh
may=/usr/bin/may-send
rm -rf /srv/quiet
mkdir -p $ssh /srv/quiet
cp $WAYS/leave-net $may
# Addresses of this host, which to the sensor are others': it knows loopback only.
ip link set lo up
ip addr add 192.0.2.1/32 dev lo 2>/dev/null
ip -6 addr add 2001:db8::1/128 dev lo 2>/dev/null
entries() {
	cat <<END
version: 1
watch:
  - name: sealed
    class: ssh-user-key
    severity: critical
    on: [read$1]
    paths: [ ~/.ssh/id_* ]
    exclude: [ "*.pub" ]
    allow:
      - exe: $may
      - {exe: $WAYS/leave-net, on: [read]}
  - name: by-default
    class: ssh-user-key
    paths: [ /srv/quiet/id_* ]
    exclude: [ "*.pub" ]
    allow:
      - exe: $WAYS/leave-net
END
}

# Without such an entry nobody pays; it cannot come by a reload, and that is said.
entries >"$T/policy.yaml"
kt_start --policy "$T/policy.yaml" || exit 1
for hook in on_socket_connect on_socket_sendmsg; do
	equal "$hook is not there unasked" "$(state $hook)" needless
done
entries ", send" >"$T/policy.yaml"
keytrail reload >"$T/said" 2>&1
check "a reload says that it wants a restart" grep -q "restart keytraild for .on: send" "$T/said" ||
	cat "$T/said" >&9
kt_stop
kt_start --policy "$T/policy.yaml" || exit 1
for hook in on_socket_connect on_socket_sendmsg; do
	equal "$hook is there" "$(state $hook)" attached
done
equal "no more than that" "$(state on_unix_connect)/$(state on_ptrace_access)" needless/needless

key_new $ssh/id_tcp4
for name in tcp6 udp4 early sendfile twice again4 decoys4 named4 none4 none6 short4 allowed local \
	sctp4 local6 unix none; do
	key_copy $ssh/id_$name
done
key_copy /srv/quiet/id_quiet
for i in 1 2 3 4; do
	key_copy /srv/quiet/id_$i
done
keys_known

: >"$T/want"
# go WAY FILE [SECOND]: says the port
go() {
	WAY_HOST4=192.0.2.1 WAY_HOST6=2001:db8::1 ${by:-$WAYS/leave-net} "$@" >"$T/said" 2>&1 9>&- ||
		not_ok "$1" "$(cat "$T/said")"
	sed -n 's/port //p' "$T/said"
}
# Where it goes to, whatever the message says.
for way in tcp4 tcp6 udp4 early sendfile twice named4 none4 none6; do
	echo "$way $(go $way $ssh/id_$way)" >>"$T/want"
done
# Already there when it reads the key that matters.
echo "again4 $(go again4 /srv/quiet/id_quiet $ssh/id_again4)" >>"$T/want"

# No more is numbered of a process than four, and the one that is asked about is one of them.
echo "decoys4 $(go decoys4 $ssh/id_decoys4 /srv/quiet/id_)" >>"$T/want"

# By a message to an address that makes the association, on a socket that is connected to nobody.
if modprobe -q sctp; then
	echo "sctp4 $(go sctp4 $ssh/id_sctp4)" >>"$T/want"
else
	skip "sctp4" "no module sctp for this kernel"
fi

go short4 $ssh/id_short4 >/dev/null
by=$may go tcp4 $ssh/id_allowed >/dev/null
$WAYS/leave-net tcp4 $ssh/id_local >/dev/null || not_ok "loopback" "it fails"
$WAYS/leave-net tcp6 $ssh/id_local6 >/dev/null || not_ok "loopback, IPv6" "it fails"
go unix $ssh/id_unix >/dev/null
go none $ssh/id_none >/dev/null
go tcp4 /srv/quiet/id_quiet >/dev/null
echo "not a key" >"$T/plain"
WAY_MAGIC="not a key" go tcp4 "$T/plain" >/dev/null
gather || exit 1

while read -r way port; do
	how=connect to=192.0.2.1
	case $way in
	udp4 | early | sendfile | again4 | named4 | none4 | sctp4) how=send ;;
	none6) how=send to=2001:db8::1 ;;
	tcp6) to=2001:db8::1 ;;
	esac
	one "$way" "$(of "$ssh/id_$way")" '.type == "holder-sent" and .severity == "critical"' \
		".sent == {how: \"$how\", to: \"$to\", port: $port}" '.object.watch == "sealed"' \
		".object.key.fingerprint == \"$(fp "$ssh/id_$way")\"" '.access == null' \
		"$(by $WAYS/leave-net)" '.subject.exe_trust == "verified"' \
		'.rule | test("no such program to talk to other hosts")'
done <"$T/want"
told_only "$(wc -l <"$T/want")"
keytrail explain --policy "$T/policy.yaml" "$(picked "$(of $ssh/id_tcp4)" | jq -r .id)" >"$T/said" 2>&1
check "explain says what would let it" grep -q "^Verdict: alert, .*other hosts" "$T/said" ||
	cat "$T/said" >&9
kt_stop
rm -f $may
ip addr del 192.0.2.1/32 dev lo 2>/dev/null
ip -6 addr del 2001:db8::1/128 dev lo 2>/dev/null || :
