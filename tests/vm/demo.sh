#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The part of `make demo` that runs in the Debian guest: a day in the life of alice's key. What is
# ordinary stays silent; what is not stands in syslog. Lines that begin with "@step " are headings, for
# scripts/demo to put times before; everything else is for who watches. Exit status 0 if all that was
# expected came true.
set -u

LOG=/var/log/keytrail.log
SSH=/home/alice/.ssh
KEY=$SSH/id_ed25519
WORK=$(mktemp -d)
SECOND=1000 # milliseconds in which an alert has to stand in syslog's file
WAIT=20     # seconds to wait for a line before it is given up
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
now_ms() {
	local us=${EPOCHREALTIME/[.,]/}
	echo $((us / 1000))
}

failed=0
# expect TEXT COMMAND...
verdicts=()
expect() {
	local text=$1
	shift
	if "$@" >/dev/null 2>&1; then
		verdicts+=("${green}PASS${plain}  $text")
	else
		verdicts+=("${red}FAIL${plain}  $text")
		failed=$((failed + 1))
	fi
}

# Alerts about reading; those about the daemon's own state are not.
alerts() {
	keytrail alerts --json --limit 100000 | jq -c 'select(.object != null)'
}
alert_count() {
	alerts | wc -l
}

# As alice, from a login that came in through sshd by her key.
login() {
	su - alice -c "ssh -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR \
		alice@localhost $(printf '%q' "$1")"
}

# --- the stage --------------------------------------------------------------------------------------
step "it is a Debian host: $(. /etc/os-release && echo "$PRETTY_NAME"), kernel $(uname -r), rsyslog, sshd"
su - alice -c 'mkdir -p -m 0700 ~/.ssh && ssh-keygen -q -t ed25519 -N "" -C alice@work \
	-f ~/.ssh/id_ed25519 && cp ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys'
FINGERPRINT=$(ssh-keygen -lf $KEY.pub | cut -d' ' -f2)
say "alice has an SSH key:  ${bold}$(ssh-keygen -lf $KEY.pub)${plain}"
# A program of this host that is allowed to read keys, as ssh is, declared the way an administrator
# does it; later it hands the open key on to another one that is not.
install -m 0755 /kt/ways/scm-rights /usr/local/bin/key-agent
install -m 0755 /kt/ways/scm-receiver /usr/local/bin/helper
mkdir -p /etc/keytrail/policy.d
shipped=/usr/local/share/keytrail/policy.d/10-ssh.yaml
ours=/etc/keytrail/policy.d/10-ssh.yaml
sed '0,\|^\( *\)- exe: /usr/bin/ssh-add$|s||&\n\1- exe: /usr/local/bin/key-agent|' $shipped >$ours
say "her administrator lets one more program read it, in $ours:"
say "    $(diff $shipped $ours | sed -n 's/^> */+ /p')"

step "systemctl start keytraild"
if ! systemctl start keytraild; then
	journalctl -u keytraild --no-pager | tail -n 20
	exit 1
fi
keytrail status | sed -n 's/^/    /; /keytraild\|hooks .*attached$\|watched\|sinks\|syslog/p'
keys_known() {
	[ "$(keytrail status --json | jq '.objects.identify | .waiting + .running')" = 0 ]
}
until keys_known; do
	sleep 0.1
done

# --- what is ordinary ---------------------------------------------------------------------------
# ordinary COMMAND: as alice; shows it.
ordinary() {
	say "${cyan}alice\$${plain} $1"
	su - alice -c "$1" >"$WORK/out" 2>&1 || {
		say "${red}failed:${plain} $(tail -n 3 "$WORK/out")"
		failed=$((failed + 1))
	}
}
step "ordinary work with the key"
ordinary 'ssh -o StrictHostKeyChecking=accept-new alice@localhost hostname'
ordinary 'eval "$(ssh-agent)"; ssh-add; ssh-add -l; ssh-agent -k'
ordinary 'git init -q --bare r.git && git clone -q ssh://alice@localhost/home/alice/r.git work'
ordinary 'ssh-keygen -lf ~/.ssh/id_ed25519; ls -l ~/.ssh; stat ~/.ssh/id_ed25519'
silent=$(alert_count)
if [ "$silent" = 0 ]; then
	say "${green}nothing was raised${plain}"
else
	say "${red}$silent alerts were raised:${plain} $(alerts | jq -r .text)"
fi
expect "ssh login, ssh-add, git over ssh, ssh-keygen -l: 0 alerts" [ "$silent" = 0 ]

# --- what is not ---------------------------------------------------------------------------
# reads NAME EXE COMMAND: alice logs in by ssh and does it. How long after the kernel saw it rsyslog
# had the line is told by rsyslog's clock for arrival, in a file that the demo has it write.
names=() exes=() slowest=0
lines() {
	sed -n "/ key-read /p" "$1" 2>/dev/null | wc -l
}
# Milliseconds between the two times of the last line of $ARRIVAL.
delay() {
	local arrived seen _
	read -r arrived seen _ < <(tail -n 1 $ARRIVAL)
	echo $((($(date -d "$arrived" +%s%N) - $(date -d "$seen" +%s%N)) / 1000000))
}
reads() {
	local name=$1 exe=$2 command=$3 nr=$((${#names[@]} + 1)) began ms
	say "${cyan}alice\$${plain} $command"
	login "$command" >"$WORK/out" 2>&1 || say "${red}failed:${plain} $(tail -n 2 "$WORK/out")"
	names+=("$name")
	exes+=("$exe")
	began=$(now_ms)
	while [ "$(lines $LOG)" -lt $nr ] || [ "$(lines $ARRIVAL)" -lt $nr ]; do
		if [ $(($(now_ms) - began)) -gt $((WAIT * 1000)) ]; then
			say "    ${red}no line in $LOG within $WAIT s${plain}"
			slowest=$((WAIT * 1000))
			return
		fi
		sleep 0.02
	done
	ms=$(delay)
	[ "$ms" -le "$slowest" ] || slowest=$ms
	say "    told in $LOG ${bold}$ms ms${plain} after the read"
}
# The time at which rsyslog took each alert, beside the time that the alert has from the kernel.
ARRIVAL=/var/log/keytrail.arrival
cat >/etc/rsyslog.d/99-demo.conf <<'CONF'
template(name="demo-arrival" type="string"
	string="%timegenerated:::date-rfc3339% %timestamp:::date-rfc3339% %msgid% \n")
if $programname == "keytraild" and $msgid == "key-read" then
	action(type="omfile" file="/var/log/keytrail.arrival" template="demo-arrival")
CONF
systemctl restart rsyslog

step "the same key, read by others, each in an ssh session of alice's"
reads cat /usr/bin/cat 'cat ~/.ssh/id_ed25519'
reads cp /usr/bin/cp 'cp ~/.ssh/id_ed25519 /tmp/just-a-copy'
reads python3 "$(readlink -f /usr/bin/python3)" \
	"python3 -c 'open(\"/home/alice/.ssh/id_ed25519\").read()'"
reads 'cat < key' /usr/bin/cat 'cat < ~/.ssh/id_ed25519'
reads 'handed descriptor' /usr/local/bin/helper \
	'WAY_RECEIVER="exec helper" key-agent ~/.ssh/id_ed25519'

# --- what came of it ---------------------------------------------------------------------------
step "$LOG, written by rsyslog (RFC 5424)"
sed "s/^/\n/; s/\[keytrail@/$dim&/; s/\] /&$plain$bold/; s/\$/$plain/" $LOG | grep -v ' daemon ' |
	cat -s
step "keytrail alerts"
if [ -n "${KT_COLOR-}" ]; then
	script -qec 'keytrail alerts --type key-read' /dev/null </dev/null | tr -d '\r'
else
	keytrail alerts --type key-read
fi

step "what was expected, and what came true"
alerts >"$WORK/alerts"
expect "${#names[@]} reads: ${#names[@]} alerts, and ${#names[@]} lines in rsyslog's file" \
	[ "$(wc -l <"$WORK/alerts")/$(lines $LOG)" = "${#names[@]}/${#names[@]}" ]
for i in "${!names[@]}"; do
	one=$(sed -n $((i + 1))p "$WORK/alerts")
	expect "${names[i]}: told as ${exes[i]} of alice's login through sshd, key $FINGERPRINT" \
		jq -e --arg exe "${exes[i]}" --arg key $KEY --arg fp "$FINGERPRINT" '
			.subject.exe == $exe and .subject.user == "alice" and
			.subject.login_user == "alice" and .object.path == $key and
			.object.key.fingerprint == $fp and .count == 1 and .ancestry_complete and
			([.ancestry[].exe] | index("/usr/sbin/sshd")) != null' <<<"$one"
done
expect "each in syslog within a second of the read (slowest: $slowest ms, in an emulated machine)" \
	[ "$slowest" -le $SECOND ]
# Every line of it that is not the same in all keys.
sed '1,2d;$d' $KEY >"$WORK/secret"
expect "no line of the key in any log or store" \
	sh -c "! grep -rqsFf $WORK/secret /var/log /var/lib/keytrail /run/keytrail"
for verdict in "${verdicts[@]}"; do
	say "$verdict"
done
[ $failed = 0 ]
