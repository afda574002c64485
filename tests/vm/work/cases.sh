# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Work that is watched case by case: what the daemon tells of a case is asked for when the case is
# over, so that a failure names what somebody did. After lib.sh:
#
#	work_start || exit 1		the installed unit, the default policy, alerts followed
#	quiet NAME COMMAND...		it succeeds, and no alert of medium or above comes of it
#	loud NAME SEVERITY COMMAND... -- CONDITION...
#					one alert of medium or above comes of it, of this severity, and
#					each condition (jq) is true of it
#	work_end			what was told below medium, and what was only recorded
#
# A command is a function as a rule. It runs in a shell of its own with `set -e`, in an empty directory,
# and what it prints is shown if it fails.

WORK_STREAM=$T/stream
WORK_LOW=$T/low
WORK_HEARD=0 # lines of the stream that are accounted for
WORK_NR=0

# Every alert from now on, a line each, in a file.
work_start() {
	[ -d /root/.ssh ] || mkdir -m 0700 /root/.ssh
	if ! systemctl start keytraild; then
		note "$(journalctl -u keytraild --no-pager -n 20 -o cat)"
		return 1
	fi
	: >"$WORK_STREAM"
	: >"$WORK_LOW"
	# It may connect when the barrier has been told already: then it is among those that are
	# stored, and after these comes all that is new. What was told until now is of no case.
	keytrail alerts --follow --json --limit 100 >>"$WORK_STREAM" 2>"$T/stream.err" 9>&- &
	WORK_FOLLOWER=$!
	work_barrier || return 1
	WORK_HEARD=$(wc -l <"$WORK_STREAM")
}

# All that was done before this is in the stream, or never will be: a key is read that nobody may, and
# events keep their order.
work_barrier() {
	WORK_NR=$((WORK_NR + 1))
	_key=/root/.ssh/id_barrier_$$_$WORK_NR # of no test before, whose alerts are stored
	(umask 077 && echo "not a key" >"$_key")
	cat "$_key" >/dev/null
	if ! wait_for grep -q "\"path\":\"$_key\"" "$WORK_STREAM"; then
		not_ok "alerts come through" "no alert for the barrier $_key"
		note "$(cat "$T/stream.err")"
		note "$(keytrail alerts -n 5 2>&1)"
		note "$(keytrail status --json | jq -c '{alerts, events, objects, rings}')"
		note "$(journalctl -u keytraild --no-pager -n 10 -o cat)"
		return 1
	fi
	rm -f "$_key"
}

# What came since the last time, without the barriers, in $T/heard: alerts of medium or above. The
# others are kept for the end.
work_heard() {
	work_barrier || return 1
	tail -n +$((WORK_HEARD + 1)) "$WORK_STREAM" >"$T/new"
	WORK_HEARD=$((WORK_HEARD + $(wc -l <"$T/new")))
	grep -v '"path":"/root/.ssh/id_barrier_' "$T/new" >"$T/others"
	grep -E '"severity":"(medium|high|critical)"' "$T/others" >"$T/heard"
	grep -vE '"severity":"(medium|high|critical)"' "$T/others" >>"$WORK_LOW"
	return 0
}

# work_run COMMAND...: its status; its output is in $T/said.
work_run() {
	mkdir -p "$T/here"
	# -e does not hold where a status is asked for, so it is asked for afterwards.
	(
		cd "$T/here" || exit 1
		set -e
		"$@"
	) >"$T/said" 2>&1 </dev/null 9>&-
	_status=$?
	rm -rf "$T/here"
	return $_status
}

quiet() {
	_name=$1
	shift
	_began=$(cut -d. -f1 /proc/uptime)
	work_run "$@"
	_did=$?
	work_heard || return 1
	note "$_name: $(($(cut -d. -f1 /proc/uptime) - _began)) s"
	if [ $_did -ne 0 ]; then
		not_ok "$_name" "it did not succeed ($_did): $(tail -n 3 "$T/said")"
	elif [ -s "$T/heard" ]; then
		not_ok "$_name" "$(wc -l <"$T/heard") alerts: $(jq -r .text "$T/heard" | head -n 3)"
	else
		ok "$_name"
		return 0
	fi
	note "$(tail -n 20 "$T/said")"
	note "$(jq -c '{type, severity, text, rule}' "$T/heard")"
	return 1
}

loud() {
	_name=$1
	_severity=$2
	shift 2
	_command=
	_nr=0
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		_command="$_command $1"
		shift
	done
	[ $# -eq 0 ] || shift
	# shellcheck disable=SC2086 # names of functions, without spaces
	work_run $_command
	_did=$?
	work_heard || return 1
	set -- ".severity == \"$_severity\"" '.count == 1' "$@"
	_checks=empty
	for _condition; do
		_checks="$_checks, (if ($_condition) then empty else
			\"not true of its alert: \\(\$ARGS.positional[$_nr])\" end)"
		_nr=$((_nr + 1))
	done
	jq -rs "if length != 1 then \"\(length) alerts, wanted 1\" else
		.[0] | $_checks end" "$T/heard" --args -- "$@" >"$T/wrong" 2>&1
	if [ ! -s "$T/wrong" ]; then
		ok "$_name"
		return 0
	fi
	not_ok "$_name" "$(paste -sd ';' "$T/wrong") (it ended with $_did: $(tail -n 2 "$T/said"))"
	note "$(jq -c '{type, severity, count, text, object: .object.path, exe: .subject.exe, rule}' \
		"$T/heard")"
	return 1
}

# Conditions: which type, about which file, by which program.
about_key() {
	printf '.type == "key-read" and .object.path == "%s" and .subject.exe == "%s"' "$1" "$2"
}
about_credential() {
	printf '.type == "credential-read" and .object.path == "%s" and .subject.exe == "%s"' "$1" "$2"
}

work_end() {
	note "told below medium: $(wc -l <"$WORK_LOW")"
	note "$(jq -r '"\(.severity) \(.type): \(.text)"' "$WORK_LOW" | cut -c 1-200)"
	note "$(keytrail status --json | jq -c '{alerts, events, canary, scan: .scan.done}')"
	kill "$WORK_FOLLOWER"
	systemctl stop keytraild
}

# As alice, from a login of hers.
as_alice() {
	su - alice -c "$1"
}
as_bob() {
	su - bob -c "$1"
}
