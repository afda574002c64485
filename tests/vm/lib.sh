# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What tests in guests share. A test begins with `. /kt/tests/lib.sh`, says for each thing it proves
#
#	ok NAME | not_ok NAME REASON | skip NAME REASON
#
# and is a POSIX shell script: the mini guest has busybox's shell, the Debian guest has dash. Each
# test is given an empty directory $T, and root. Waiting is for conditions (wait_for), never for time.
#
# Comment lines in a test's head are read by scripts/check-vm:
#	# kernels: 6.1 7.x	it is for these only
#	# guest: own		what it does to the guest is no good to other tests: it gets its own
#	# long: 3600 s, 3072 MiB	only in `make check-long` (LONG=1) or by its name, in its own guest
#	# limit: 900 s		it may take so long
#	# cpus: 2		it wants several processors; it gets a guest of its own, too
#
# The tests' own programs (tests/vm/ways/*.c) are in /kt/ways, this directory is /kt/tests.

WAYS=/kt/ways
KT_LOG=$T/keytraild.log
KT_POLICY=${KT_POLICY-}
# A guest is emulated: what takes a moment on a machine may take seconds here.
WAIT=${WAIT:-120}

# What a test says goes out by descriptor 9, so that `ok` inside of `$(...)` is heard, too.
exec 9>&1

ok() {
	printf 'ok %s\n' "$1" >&9
}

not_ok() {
	printf 'not ok %s: %s\n' "$1" "$(printf '%s' "${2-failed}" | tr '\n' ' ')" >&9
}

skip() {
	printf 'skip %s: %s\n' "$1" "$2" >&9
}

# Words for who reads the log of a failed test.
note() {
	printf '%s\n' "$*" | sed 's/^/# /' >&9
}

# check NAME COMMAND...: ok if the command succeeds; else not ok, with the end of what it printed.
check() {
	_name=$1
	shift
	if _said=$("$@" 2>&1 9>&-); then
		ok "$_name"
	else
		not_ok "$_name" "exit $? of: $* ($(printf '%s' "$_said" | tail -n 3))"
		return 1
	fi
}

# equal NAME GOT WANTED
equal() {
	if [ "$2" = "$3" ]; then
		ok "$1"
	else
		not_ok "$1" "got \"$2\", wanted \"$3\""
		return 1
	fi
}

# wait_for [-t SECONDS] COMMAND...: until it succeeds, at most $WAIT seconds. Its output is dropped. After
# a second it is tried every $PAUSE (0.4) seconds.
wait_for() {
	_limit=$WAIT
	if [ "$1" = -t ]; then
		_limit=$2
		shift 2
	fi
	_until=$(($(cut -d. -f1 /proc/uptime) + _limit))
	_tries=0
	until "$@" >/dev/null 2>&1; do
		[ "$(cut -d. -f1 /proc/uptime)" -le "$_until" ] || return 1
		# Who asks all the time keeps an emulated processor from doing what is waited for.
		_tries=$((_tries + 1))
		if [ $_tries -lt 20 ]; then sleep 0.05; else sleep "${PAUSE:-0.4}"; fi
	done
}

# --- the daemon -------------------------------------------------------------------------------------

# kt_start [OPTION]...: a fresh keytraild, with nothing left of an earlier one, ready when this
# returns. Policies are the installed ones, or what the options (or $KT_POLICY, a file) say.
kt_start() {
	kt_stop
	# What else is in /run/keytrail belongs to others: rsyslog listens there.
	rm -rf /var/lib/keytrail /var/log/keytrail /run/keytrail/control.sock \
		/run/keytrail/keytraild.pid
	# shellcheck disable=SC2086
	/usr/local/sbin/keytraild ${KT_POLICY:+--policy $KT_POLICY} "$@" >"$KT_LOG" 2>&1 9>&- &
	KT_PID=$!
	if ! wait_for -t 180 kt_ready || ! kt_running; then
		note "keytraild did not get ready:"
		note "$(tail -n 20 "$KT_LOG")"
		return 1
	fi
}

# Answers, or has ended (then there is nothing to wait for).
kt_ready() {
	kt_running || return 0
	/usr/local/bin/keytrail status
}

kt_running() {
	[ -n "${KT_PID-}" ] && kill -0 "$KT_PID" 2>/dev/null
}

# Ends the daemon; its exit status is in KT_STATUS.
kt_stop() {
	[ -n "${KT_PID-}" ] || return 0
	kill -TERM "$KT_PID" 2>/dev/null
	wait "$KT_PID"
	KT_STATUS=$?
	KT_PID=
}

# --- alerts -----------------------------------------------------------------------------------------

# alerts [FILTER]: alerts so far for which the jq expression is true, a JSON object a line.
alerts() {
	/usr/local/bin/keytrail alerts --json | jq -c "select(${1-true})"
}

# alert_count [FILTER]
alert_count() {
	alerts "${1-true}" | wc -l | tr -d ' '
}

# Number of alerts about this path, by whichever name it was reached.
about() {
	printf '(.object.path // "") == "%s" or (.object.via // "") == "%s"' "$1" "$1"
}

_some() {
	[ "$(alert_count "$1")" -gt 0 ]
}

# wait_alert FILTER: until there is such an alert.
wait_alert() {
	wait_for _some "$1"
}

# kt_barrier: all that was done before this has become an alert, or never will: a key is made in a
# watched place and read, and its alert waited for; events keep their order.
KT_BARRIER=0
kt_barrier() {
	KT_BARRIER=$((KT_BARRIER + 1))
	_key=${KT_BARRIER_DIR:-/root/.ssh}/id_barrier_$$_$KT_BARRIER
	mkdir -p "${_key%/*}"
	(umask 077 && echo "not a key" >"$_key")
	_when=$(date -u +%T)
	cat "$_key" >/dev/null
	if ! wait_alert ".type == \"key-read\" and (.object.path == \"$_key\")"; then
		note "no alert for the barrier $_key of $_when; keytraild said:"
		note "$(tail -n 20 "$KT_LOG")"
		note "its last alerts: $(alerts '.type != "events-lost"' |
			jq -c '{time, type, text}' | tail -n 8)"
		note "its state: $(keytrail status --json | jq -c "del(.hooks)")"
		return 1
	fi
	rm -f "$_key"
}

# expect N NAME FILTER: exactly N alerts match, once all that was done before has come through.
expect() {
	kt_barrier || { not_ok "$2" "alerts do not come through"; return 1; }
	_n=$(alert_count "$3")
	if [ "$_n" = "$1" ]; then
		ok "$2"
	else
		not_ok "$2" "$_n alerts, wanted $1 (for which $3)"
		note "$(alerts '.type != "daemon"' | jq -c '{type, text, count}' | tail -n 12)"
		return 1
	fi
}

# expect_field NAME FILTER EXPRESSION WANTED: of the first alert that matches.
expect_field() {
	equal "$1" "$(alerts "$2" | head -n 1 | jq -r "$3")" "$4"
}

trap 'kt_stop 9>&-' EXIT
trap 'exit 143' TERM
