#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in a guest with two CPUs: burst.sh OPENS. That many opens of ten watched files, from both CPUs
# at once, against a daemon with the rings of its default size. Prints how many were made, how many
# came through to the daemon, how many were counted as repeats of those, and how many as lost.
B=/kt/bench
mkdir -p /bench
$B/ops tree /bench/w 0 10
cat >/bench/policy.yaml <<END
version: 1
settings: {alert_window_s: 3600}
watch:
  - name: bench
    class: credential
    paths: [/bench/w/**]
END
/usr/local/sbin/keytraild --policy /bench/policy.yaml >/bench/log 2>&1 &
pid=$!
tries=0
until keytrail status --json >/bench/status.json 2>/dev/null; do
	tries=$((tries + 1))
	[ $tries -lt 600 ] || { cat /bench/log >&2; exit 1; }
	sleep 0.2
done
$B/ops burst "$1" /bench/w/d000/k*
# It has come through when a read after it has: events keep their order.
cat /bench/w/d000/k000 >/dev/null
until keytrail alerts --json | grep -q '"exe":"/bin/busybox"'; do
	sleep 0.5
done
keytrail status --json >/bench/status.json
jq -r '.drops | to_entries[] | select(.value > 0) | "fact drop:\(.key) \(.value)"' /bench/status.json
echo "fact made $1"
# Less the one that was waited for.
echo "fact reported $(($(jq .events.access /bench/status.json) - 1))"
echo "fact repeats $(jq .repeats /bench/status.json)"
echo "fact lost $(jq '[.drops | to_entries[].value] | add' /bench/status.json)"
kill $pid
wait $pid
