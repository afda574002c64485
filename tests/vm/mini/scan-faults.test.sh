#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A dump that could not be scanned has a verdict, too, and it says why: too large, no room in the queue, a
# scanner that is not there, crashes, is killed, lies, or hangs. The daemon lives on.
# It is not about a kernel's ways: one is enough, 5.10 and 7.x have been seen to pass.
# kernels: 6.1
# guest: own
# shellcheck disable=SC2119,SC2086,SC3045,SC2016
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh
# shellcheck source=tests/vm/scans.sh
. /kt/tests/scans.sh

crash=$WAYS/dump-crash
program=/usr/local/libexec/keytrail/keytrail-scan-dump
ulimit -c unlimited
key_new /root/.ssh/id_ed25519
scan_settings 'max_size_mib: 1, max_time_s: 600'
kt_start || exit 1
keys_known
mv $program $program.kept

# stand_in SCRIPT: what is started as the scanner.
stand_in() {
	printf '#!/bin/sh\n%s\n' "$1" >$program.new
	chmod 0755 $program.new
	mv $program.new $program
}

# java NAME KIB: a dump of this size.
java() {
	{ printf 'JAVA PROFILE 1.0.2\000' && head -c $(($2 * 1024)) /dev/urandom; } >$DUMPS/$1
}

# unscanned NAME CAUSE
unscanned() {
	check "$1 has a verdict" told dump-unscanned $DUMPS/$1
	expect_field "$1: why" "$(dump_alert dump-unscanned $1)" .scan.cause "$2"
}

java large 3000
unscanned large too-large
WAY_MAGIC=JAVA $WAYS/read $DUMPS/large
wait_alert "$(dump_alert dump-read large)"
expect_field "who reads it is told so" "$(dump_alert dump-read large)" \
	'.scan.state + " " + .scan.cause' "unscanned too-large"
java missing 100
unscanned missing no-scanner
stand_in 'kill -SEGV $$'
java crashing 100
unscanned crashing crashed
stand_in 'kill -KILL $$'
java killed 100
unscanned killed crashed
stand_in 'echo hello'
java lying 100
unscanned lying bad-answer
stand_in 'kill -XCPU $$'
java slow 100
unscanned slow time-up

# One that hangs is ended when its time is up; meanwhile the queue fills, and a holder's dump comes first.
scan_settings 'max_time_s: 600, queue: 2'
keytrail reload >/dev/null
stand_in 'exec sleep 1000'
java hanging 100
wait_for sh -c "keytrail status --json | jq -e '.scan.running == 1'"
# One place may be taken by what closed once more while it was being scanned.
for i in 1 2 3 4; do java waits$i 100; done
unscanned waits4 queue-full
# Its time is up for the next ones; this one is ended by hand.
scan_settings 'max_time_s: 4, queue: 2'
keytrail reload >/dev/null
for process in /proc/[0-9]*; do
	if [ "$(tr '\0' ' ' <$process/cmdline 2>/dev/null)" = "sleep 1000 " ]; then
		kill ${process#/proc/}
	fi
done
expect 1 "that the queue is full is told" '.type == "sensor-degraded" and .cause == "scan-queue"'
check "hanging has a verdict" told dump-unscanned $DUMPS/hanging
unscanned waits1 time-up
scan_settings 'max_time_s: 600'
keytrail reload >/dev/null

# A dump that is gone before its turn has come was open all the time.
stand_in 'until [ -e /tmp/go ]; do sleep 1; done; exec '$program'.kept "$@"'
dump_to gone $crash $KEY keep abort
wait_for sh -c "keytrail status --json | jq -e '.scan.running == 1'"
rm -f $DUMPS/gone
touch /tmp/go
check "one that is gone is scanned all the same" told dump-with-key $DUMPS/gone
expect_field "by its name" "$(dump_alert dump-with-key gone)" '.scan.keys[0].key.fingerprint' "$FP"
mv $program.kept $program

scan_settings 'on: off'
keytrail reload >/dev/null
dump_to off $crash $KEY keep abort
wait_for sh -c "keytrail status --json | jq -e '.scan.unscanned.off == 1'" || note "$(scans .)"
WAY_MAGIC=$(printf '\177ELF') $WAYS/read $DUMPS/off
wait_alert "$(dump_alert dump-read off)"
expect_field "switched off, a dump is unscanned" "$(dump_alert dump-read off)" \
	'.scan.state + " " + .scan.cause' "unscanned off"
expect 0 "and that is no alert by itself" "$(dump_alert dump-unscanned off)"
check "the daemon lives" kt_running
