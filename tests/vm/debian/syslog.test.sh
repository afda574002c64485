#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The installed unit under systemd, and what then stands in rsyslog's own files: one line per alert
# that its parser of structured data understands, whatever the file is called; over a restart of
# rsyslog, and without our input by way of /dev/log.
# kernels: 6.1
# long kernels: 7.x
# guest: own
. /kt/tests/lib.sh

KT=/usr/local/bin/keytrail
LOG=/var/log/keytrail.log
CONF=/etc/rsyslog.d/keytrail.conf
alice=/home/alice/.ssh

# Beside what is installed, every message of ours as its parser of structured data sees it.
cat >/etc/rsyslog.d/99-test.conf <<'CONF'
module(load="mmpstrucdata")
template(name="kt-test" type="list") { property(name="$!rfc5424-sd") constant(value="\n") }
if $programname == "keytraild" then {
	action(type="mmpstrucdata")
	action(type="omfile" file="/var/log/keytrail.parsed" template="kt-test")
}
CONF
systemctl restart rsyslog
check "rsyslog listens where the installed file says" wait_for test -S /run/keytrail/rsyslog/syslog.sock
equal "only root and the group can reach it" "$(stat -c '%a %U %G' /run/keytrail)" \
	"750 root keytrail"

check "the installed unit gets ready" systemctl start keytraild || {
	note "$(journalctl -b -u keytraild --no-pager | tail -n 20)"
	exit 1
}
equal "nothing that is essential is missing under it" "$($KT status --json |
	jq -c '[.hooks[] | select(.essential and .state != "attached") | .name]')" "[]"
# syslog_is FILTER: what status says of the syslog sink.
syslog_is() {
	$KT status --json | jq -e ".sinks[] | select(.name == \"syslog\") | $1"
}
check "syslog is reached by our own input" syslog_is '.state | test("RFC 5424")'

# new NAME: a key of alice's under this name; read NAME: cat reads it as alice.
install -d -m 0700 -o alice -g alice $alice
new() {
	rm -f "$T/key" "$T/key.pub"
	ssh-keygen -q -t ed25519 -N '' -f "$T/key" && chown alice "$T/key" &&
		mv "$T/key" "$alice/$1"
}
read_as_alice() {
	su -s /bin/cat alice -- "$alice/$1" >/dev/null
}
# Lines of a file that hold a fixed string.
lines() {
	grep -cF -- "$2" "$1" 2>/dev/null
}
has_line() {
	[ "$(lines "$1" "$2")" -gt 0 ]
}

new id_plain
read_as_alice id_plain
check "the alert stands in keytrail.log" wait_for has_line $LOG "path=\"$alice/id_plain\""
check "and in auth.log" wait_for has_line /var/log/auth.log "$alice/id_plain"
equal "once" "$(lines $LOG "path=\"$alice/id_plain\"")" 1
form='^<83>1 20[0-9T:.-]+[+-][0-9:]+ debian keytraild [0-9]+ key-read \[keytrail@32473 .*\] .*cat'
check "as RFC 5424, with a sentence behind the element" grep -qE "$form" $LOG

# A name that would break or forge a line if it could.
hostile=$(printf 'id_a"] [keytrail@32473 id="f"]\n<83>1 - - keytraild - key-read - forged\\\377')
new "$hostile"
before=$(wc -l <$LOG)
read_as_alice "$hostile"
check "a hostile name is told" wait_for has_line /var/log/keytrail.parsed 'x0a<83>1 - - keytraild'
equal "in one line" "$(($(wc -l <$LOG) - before))" 1
# What escape_bytes() makes of the name: newline and the byte that is no UTF-8, backslash doubled.
wanted="$alice/"'id_a"] [keytrail@32473 id="f"]\x0a<83>1 - - keytraild - key-read - forged\\\xff'
equal "and parsed it is the name" "$(grep -F x0a /var/log/keytrail.parsed |
	jq -r '.["keytrail@32473"].path')" "$wanted"
equal "no line was forged" "$(grep -c '^<83>1 - -' $LOG)" 0

# While rsyslog is down nothing is lost, and afterwards it is in the same place.
new id_down
systemctl stop syslog.socket rsyslog
read_as_alice id_down
check "an alert is queued while rsyslog is down" wait_for syslog_is '.queued + .spooled > 0'
systemctl start rsyslog
check "and stands in keytrail.log when it is back" wait_for has_line $LOG \
	"path=\"$alice/id_down\""

# Without our input: /dev/log, after the time in which it might have come back.
mv $CONF "$T/keytrail.conf"
systemctl restart rsyslog
rm -f /run/keytrail/rsyslog/syslog.sock
new id_devlog
read_as_alice id_devlog
check "without our input /dev/log is taken" wait_for -t 200 has_line /var/log/auth.log \
	"path=\"$alice/id_devlog\""
check "and its line has the element at its end" grep -qE \
	'keytraild\[[0-9]+\]: .*id_devlog.* \[keytrail@32473 .*path="[^"]*id_devlog".*"\]$' \
	/var/log/auth.log
check "the journal has it, by the command that README.md tells" sh -c \
	"journalctl -t keytraild -g id_devlog -n 1 -o cat | grep -q 'path=\"$alice/id_devlog\"'"
mv "$T/keytrail.conf" $CONF
systemctl restart rsyslog
wait_for test -S /run/keytrail/rsyslog/syslog.sock
check "our input is taken again when it is back" wait_for -t 200 syslog_is \
	'.state | test("RFC 5424")'

# Rotation: the daemon sees by itself that its file was moved.
mv /var/log/keytrail/alerts.jsonl /var/log/keytrail/alerts.jsonl.1
new id_rotated
read_as_alice id_rotated
check "after a rotation alerts stand in the new file" wait_for has_line \
	/var/log/keytrail/alerts.jsonl "$alice/id_rotated"

# Who may ask.
su bob -c "$KT status" >"$T/out" 2>&1
equal "who is not in the group may not ask" $? 77
usermod -aG keytrail bob
check "who is may" su bob -c "$KT status"
su bob -c "$KT reload" >"$T/out" 2>&1
equal "but not change anything" $? 77

systemctl restart keytraild
check "a restart of ours leaves rsyslog's socket" test -S /run/keytrail/rsyslog/syslog.sock
/usr/local/sbin/keytraild >"$T/out" 2>&1
equal "a second instance is refused" $? 75
check "by the process id of the first" grep -q "$(systemctl show -P MainPID keytraild)" "$T/out"
systemctl stop keytraild
equal "and the unit ends well" "$(systemctl show -P Result keytraild)" success
# Its last word is the head of its evidence log, so that a cut end is found.
last_heartbeat() {
	grep ' heartbeat \[' $LOG | tail -n 1
}
head_fits() {
	last_heartbeat | $KT verify --log - && last_heartbeat | grep -q "chain_seq=\"$(cat \
		/var/lib/keytrail/evidence/*.jsonl | tail -n 1 | jq .seq)\""
}
check "the head of the evidence log left the host at the end" wait_for head_fits
segment=$(find /var/lib/keytrail/evidence -name '*.jsonl' | sort | tail -n 1)
sed -i '$d' "$segment"
check "a log whose end was cut off is whole by itself" $KT verify
last_heartbeat | $KT verify --log - >"$T/out"
equal "and does not fit that head" "$? $(grep -c 'its end was cut off' "$T/out")" "1 1"
