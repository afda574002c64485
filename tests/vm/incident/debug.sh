#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# The guest `debug` of the incident: a host on which engineers look at dumps, with sshd, gdb and a central
# syslog. Sets itself up, lets signer.sh in, and stays until that one says that the play is over.
set -u
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
here=/kt/tests/incident

useradd -m -s /bin/bash support
useradd -m -s /bin/bash dana
usermod -p '*' support
usermod -p '*' dana
usermod -aG support dana
install -d -m 0775 -g support /srv/dumps
install -D -m 0644 $here/debug.policy.yaml /etc/keytrail/policy.d/70-site.yaml
# What signer sends comes here, as it was written.
cat >/etc/rsyslog.d/20-central.conf <<'CONF'
module(load="imtcp")
input(type="imtcp" port="514" ruleset="central")
ruleset(name="central" parser=["rsyslog.rfc5424", "rsyslog.rfc3164"]) {
	action(type="omfile" file="/var/log/central.log" template="RSYSLOG_SyslogProtocol23Format")
}
CONF
systemctl restart rsyslog

# Who may log in, the needles, and what time it is, from signer: the clocks of guests may differ by a second.
nc -l 7000 </dev/null | tar -xm -C / || not_ok "debug hears of signer"
date -s "@$(cat /etc/keytrail/now)" >/dev/null
touch /run/ready

over() {
	[ -e /run/over ]
}
if wait_for -t "${PLAY_LIMIT:-2800}" over; then
	ok "debug ends when the play is over"
else
	not_ok "debug ends when the play is over" "it was not told"
fi
