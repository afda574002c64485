# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# Keys to be read, and what is asked about the alerts that followed. After lib.sh:
#
#	. /kt/tests/lib.sh
#	. /kt/tests/alerts.sh
#	key_new /root/.ssh/id_a           ... cat "$KEY" ... other acts
#	gather                            all of it has become alerts, or never will
#	one "cat is told" "$(of "$KEY")" '.subject.exe == "/bin/busybox"'

# A guest runs several tests; each has the homes to itself.
rm -rf /root/.ssh /home/alice/.ssh /home/bob/.ssh

# key_new FILE [OWNER] [TYPE]: a key nobody has seen before. Its name is in $KEY, its fingerprint by
# ssh-keygen in $FP.
key_new() {
	_type=${3:-ed25519}
	[ "$_type" != rsa ] || _type="rsa -b 1024" # a guest takes half a minute for a long one
	rm -f "$T/new-key" "$T/new-key.pub"
	# shellcheck disable=SC2086
	ssh-keygen -q -t $_type -N '' -C "test of ${1##*/}" -f "$T/new-key" 9>&- || return 1
	FP=$(ssh-keygen -lf "$T/new-key.pub" | cut -d' ' -f2)
	key_copy "$1" "${2-}"
}

# key_copy FILE [OWNER]: the key that was made last, in another file. In a guest that costs a tenth.
key_copy() {
	KEY=$1
	if [ ! -d "${1%/*}" ]; then
		mkdir -p "${1%/*}"
		chmod 0700 "${1%/*}"
		[ -z "${2-}" ] || chown "$2:$2" "${1%/*}"
	fi
	printf '%s %s\n' "$FP" "$1" >>"$T/fingerprints"
	# It gets its name when it is whole and its owner's, as programs do it that write keys.
	cp -p "$T/new-key" "${1%/*}/.tmp-key" && cp -p "$T/new-key.pub" "$1.pub"
	[ -z "${2-}" ] || chown "$2:$2" "${1%/*}/.tmp-key" "$1.pub"
	mv "${1%/*}/.tmp-key" "$1"
}

# What is said of watched places on file systems that may not answer.
apart_states() {
	keytrail status --json | jq -c .apart
}

# apart_is [-t SECONDS] PATH STATE: until it is so.
apart_is() {
	_seconds=$WAIT
	if [ "$1" = -t ]; then
		_seconds=$2
		shift 2
	fi
	wait_for -t "$_seconds" sh -c "keytrail status --json | jq -e --arg path '$1' \
		'.apart[] | select(.path == \$path and .state == \"$2\")'"
}

# fp FILE: fingerprint of the key that was put into it.
fp() {
	_found=
	while read -r _fp _name; do
		[ "$_name" != "$1" ] || _found=$_fp
	done <"$T/fingerprints"
	printf '%s\n' "$_found"
}

# Waits until the daemon has looked at every key there is. A guest is slow: who reads a key at once
# is told without its fingerprint, and tests that are about the fingerprint wait.
keys_known() {
	if ! wait_for sh -c "keytrail status --json >$T/status &&
		jq -e '.objects.identify | .waiting + .running == 0' $T/status"; then
		not_ok "keys are identified" "$(jq -c .objects.identify "$T/status")"
	elif jq -e '.objects.identify.failed > 0' "$T/status" >/dev/null; then
		note "some were not: $(jq -c .objects.identify "$T/status")"
	fi
}

# Filter: alerts about the file of this name, by whichever name it was reached.
of() {
	printf '(.object.path == "%s" or .object.via == "%s")' "$1" "$1"
}

# All that was done before this has become an alert, or never will; $T/alerts holds what there is.
gather() {
	if ! kt_barrier; then
		not_ok "alerts come through" "no alert for the barrier"
		return 1
	fi
	keytrail alerts --json --limit 1000000 9>&- >"$T/alerts"
}

# Alerts of $T/alerts about accesses for which the filter is true; a JSON object a line.
picked() {
	jq -c 'select(.object != null) | select('"$1"')' "$T/alerts"
}

# one NAME FILTER [CONDITION]...: exactly one alert is picked, it stands for one access, and each
# condition is true of it. Else: not ok, with what is there instead. One jq, they are dear in a guest.
one() {
	_name=$1
	_filter=$2
	shift 2
	set -- '.count == 1' '.summary == false' "$@"
	_nr=0
	_checks=empty
	for _condition; do
		_checks="$_checks, (if ($_condition) then empty else
			\"not true of its alert: \\(\$ARGS.positional[$_nr])\" end)"
		_nr=$((_nr + 1))
	done
	jq -rs "map(select(.object != null) | select($_filter)) |
		if length != 1 then \"\(length) alerts, wanted 1\", (.[] | \"# \(.text)\")
		else .[0] | [$_checks] as \$wrong | if \$wrong == [] then empty else
			(\$wrong | join(\"; \")),
			\"# \({text, count, subject, object, access, ancestry_complete})\" end
		end" "$T/alerts" --args -- "$@" >"$T/wrong" 2>&1
	if [ -s "$T/wrong" ]; then
		not_ok "$_name" "$(head -n 1 "$T/wrong")"
		sed 1d "$T/wrong" >&9
		return 1
	fi
	ok "$_name"
}

# none NAME FILTER
none() {
	picked "$2" >"$T/picked"
	if [ -s "$T/picked" ]; then
		not_ok "$1" "$(($(wc -l <"$T/picked"))) alerts, wanted none"
		jq -r '"# - \(.text)"' "$T/picked" >&9
		return 1
	fi
	ok "$1"
}

# Alerts about accesses, those that barriers raised left out: as many as were asked for by one, so
# nothing else was told.
told_only() {
	equal "nothing else is told" "$(picked '(.object.path // "") | contains("id_barrier") | not' |
		wc -l)" "$1" || picked true | jq -r '"# - \(.text)"' >&9
}

# Conditions that the alert of a key made by key_new fulfils whoever read it: the path by which its
# owner knows it, the fingerprint that ssh-keygen tells of it.
named() {
	printf '.type == "key-read" and .object.path == "%s" and .object.key.fingerprint == "%s"' \
		"$1" "$(fp "$1")"
}

by() {
	printf '.subject.exe == "%s"' "$1"
}

# The ancestry reaches pid 1 and leads over a process of each of these executables, nearest first.
under() {
	_want=
	for _exe; do
		_want="$_want,\"$_exe\""
	done
	# Where to look on: behind the last one that was found; below 0 once one was not.
	_step='if . < 0 then . else . as $i | (($all[$i:] | index($e)) // (-2 - $i)) + $i + 1 end'
	printf '.ancestry_complete and ([.ancestry[].exe] as $all | reduce (%s) as $e (0; %s)>=0)' \
		"${_want#,}" "$_step"
}

# A policy that watches ~/.ssh/id_* and lets these executables read, in $T/policy.yaml.
policy_allow() {
	{
		printf 'version: 1\nwatch:\n  - name: test-keys\n    class: ssh-user-key\n'
		printf '    severity: high\n    paths: [ ~/.ssh/id_* ]\n    exclude: [ "*.pub" ]\n'
		[ $# -eq 0 ] || printf '    allow:\n'
		for _exe; do
			printf '      - exe: %s\n' "$_exe"
		done
	} >"$T/policy.yaml"
}
