# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What signer.sh is told in: words for who watches, and deeds of the accounts on both hosts.

bold='' dim='' red='' green='' cyan='' plain=''
if [ -n "${KT_COLOR-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' cyan=$'\e[36m' plain=$'\e[0m'
fi
step() {
	printf '@step %s\n' "$*"
}
say() {
	printf '    %s\n' "$*"
}

# Without this there is nothing to be seen.
fail() {
	not_ok "$1"
	journalctl -b -p warning --no-pager | tail -n 30
	exit 1
}

fingerprint() {
	ssh-keygen -i -m PKCS8 -f "$1" | ssh-keygen -lf - | cut -d' ' -f2
}

# --- who is on debug --------------------------------------------------------------------------------

ssh_options=(-o BatchMode=yes -o StrictHostKeyChecking=accept-new -o LogLevel=ERROR)

# Keys for logins: root's own one lets the play in everywhere, support's from signer to debug.
accounts() {
	local user
	ssh-keygen -q -t ed25519 -N '' -f /root/.ssh/id_ed25519
	su - support -c "ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519
		printf 'StrictHostKeyChecking accept-new\nLogLevel ERROR\n' >~/.ssh/config"
	cp /root/.ssh/id_ed25519.pub /home/support/.ssh/authorized_keys
	for user in root home/support home/dana; do
		install -d -m 0700 "$T/debug/$user/.ssh"
		cat /root/.ssh/id_ed25519.pub /home/support/.ssh/id_ed25519.pub \
			>"$T/debug/$user/.ssh/authorized_keys"
	done
	chown -R support: /home/support/.ssh "$T/debug/home/support/.ssh"
	chown -R 1003:1003 "$T/debug/home/dana/.ssh"
}

# debug.sh waits for these files.
greet_debug() {
	install -D -m 0644 /etc/keytrail/signing.needles "$T/debug/etc/keytrail/signing.needles"
	wait_for send_to_debug || fail "debug listens"
	wait_for on_debug test -e /run/ready || fail "debug is there"
}
send_to_debug() {
	date +%s.%N >"$T/debug/etc/keytrail/now"
	tar -C "$T/debug" -cf "$T/debug.tar" root/.ssh home/support/.ssh home/dana/.ssh \
		etc/keytrail/now etc/keytrail/signing.needles
	nc -N debug 7000 <"$T/debug.tar"
}

on_debug() {
	ssh "${ssh_options[@]}" -o ControlMaster=auto -o ControlPath=/run/to-debug \
		-o ControlPersist=yes root@debug "$(printf '%q ' "$@")" </dev/null
}

# as ACCOUNT@HOST COMMAND: somebody logs in by ssh and does it. Dana's account is used from elsewhere.
as() {
	local from=192.0.2.1
	say "${cyan}$1\$${plain} $2"
	[ "${1%@*}" = support ] || from=192.0.2.66
	ssh "${ssh_options[@]}" -b $from "$1" "$2" </dev/null >"$T/out" 2>&1 ||
		not_ok "$1 does: $2" "$(tail -n 3 "$T/out")"
}

# --- keytrail ----------------------------------------------------------------------------------------

site_policy() {
	grep -v '^#\|^version\|^$' "$2" | sed "s/^/    $dim$1|$plain  /"
}
dump_with_key() {
	printf '.type == "dump-with-key" and .scan.path == "%s"' "$1"
}
# Dumps are searched at idle priority: who asks without a pause keeps a guest's one processor from it.
export PAUSE=2
wait_debug_alert() {
	on_debug sh -c 'T=/root; . /kt/tests/lib.sh; PAUSE=2; WAIT=1500; wait_alert "$1"' sh "$1"
}
all_scanned='.scan.queued + .scan.running == 0'
scanned() {
	keytrail status --json | jq -e "$all_scanned"
}
on_debug_scanned() {
	on_debug sh -c "keytrail status --json | jq -e '$all_scanned'"
}
keys_known() {
	[ "$(keytrail status --json | jq '.objects.identify | .waiting + .running')" = 0 ]
}

# --- the service ------------------------------------------------------------------------------------

# ask INSTANCE REQUEST
ask() {
	printf '%s\n' "$2" | timeout 600 socat -t 600 - "UNIX:/run/signd-$1/socket"
}
# sign_and_verify KEY INSTANCE
sign_and_verify() {
	ask "$2" "sign token-$1 hello" | base64 -d >"$T/signature"
	printf hello | openssl dgst -sha256 -verify "/srv/signing/keys/token-$1.pub" \
		-signature "$T/signature" >"$T/out" 2>&1
	equal "signd@$2 signs by token-$1" "$(cat "$T/out")" "Verified OK"
}
core_of() {
	find /var/lib/systemd/coredump -name "core.signd.*.$1.*.zst" -size +0
}
is_stored() {
	[ -n "$(core_of "$1")" ]
}
# crash INSTANCE: a request for a key that is not there; the core's name is in $CORE.
crash() {
	local pid
	pid=$(systemctl show -P MainPID "signd@$1")
	say "somebody asks signd@$1 for a key that it does not have, which nobody had thought of"
	ask "$1" "sign token-2019 hello" >/dev/null 2>&1
	wait_for is_stored "$pid" || not_ok "systemd-coredump stores the core of signd@$1"
	CORE=$(core_of "$pid")
	say "$(ls -l "$CORE")"
}

# told FILE: what these alerts say, a line for each: type, severity, keys, zone, program, account, file. Of
# a dump that was scanned it depends on how long that took whether its writer is still known. The daemon's
# own start and stop, repeats, and the key by which it is known that all has come are left out.
told() {
	jq -r --arg rsa "$RSA" --arg p256 "$P256" '
		def name: if . == $rsa then "token-rsa" elif . == $p256 then "token-p256" else . end;
		def words: map(select(. != "")) | unique | join("+") | if . == "" then "-" else . end;
		select(.type != "daemon" and (.summary | not) and
			((.object.path // "") | contains("/id_barrier_") | not)) |
		(.type == "dump-with-key") as $scanned |
		[.type, .severity,
		 (if .breach then [.breach.rotate.fingerprint] else
			[(.scan.keys // [] | .[].key.fingerprint),
			 (.holds // [] | .[].key.fingerprint)] end | map(name) | words),
		 (if .breach then [.breach.zone] else [.scan.keys // [] | .[].zone] end | words),
		 (if $scanned then "-" else .subject.exe | sub(".*/"; "") end),
		 (if $scanned then "-" else .subject.user end),
		 ((.object.path // .scan.path // .dump.path) | sub(".*/"; "") |
			sub("core[.]signd[.].*[.]zst"; "core.signd.zst"))] | join(" ")' "$1"
}

# Each line of the keys' files that is not the same in all keys, on both hosts.
no_key_bytes() {
	local found
	sed '/^-----/d' /srv/signing/keys/*.pem >"$T/secret"
	grep -qFf "$T/secret" /srv/signing/keys/token-rsa.pem || return 1 # it would be found
	scp -q "${ssh_options[@]}" -o ControlPath=/run/to-debug "$T/secret" root@debug:/root/secret ||
		return 1
	found=$(grep -rlsFf "$T/secret" /var/log /var/lib/keytrail /run/keytrail
		on_debug sh -c "grep -qFf /root/secret /root/secret || echo not looked
			grep -rlsFf /root/secret /var/log /var/lib/keytrail /run/keytrail")
	[ -z "$found" ] || note "key bytes: $found"
	[ -z "$found" ]
}

# What both hosts have told until now, in order; kept in $T/told-HOST.
so_far() {
	local host
	cp /var/log/keytrail/alerts.jsonl "$T/signer.jsonl"
	on_debug cat /var/log/keytrail/alerts.jsonl >"$T/debug.jsonl"
	for host in signer debug; do
		told "$T/$host.jsonl" >"$T/told-$host"
		say "alerts of $host:"
		sed 's/^/        /' "$T/told-$host"
	done
}
