#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# A cgroup is told to user space once and known by its number then: programs started later in the same
# one, in others, and again in the first, are all told with the path that is theirs.
# kernels: 5.10
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

kt_start --record "$T/trace" || exit 1
root=/sys/fs/cgroup
for name in one two; do
	mkdir -p $root/told.slice/$name.scope
done

# start_in CGROUP WORD: a program with that argument, in that cgroup.
start_in() {
	sh -c 'echo $$ >"$1/cgroup.procs" && exec /bin/busybox echo "$2"' sh "$root/$1" "$2" >/dev/null
}

n=0
while [ $n -lt 3 ]; do
	start_in told.slice/one.scope mine-one
	start_in told.slice/two.scope mine-two
	n=$((n + 1))
done
# More cgroups than are known to have been told at a time; then the first ones again.
n=0
while [ $n -lt 300 ]; do
	mkdir $root/told.slice/n$n.scope
	start_in told.slice/n$n.scope mine-many
	n=$((n + 1))
done
start_in told.slice/one.scope mine-one
start_in told.slice/two.scope mine-two
gather || exit 1 # what came before it has been read
kt_stop

# execs WORD: the cgroups in which the programs with that argument were started, in order.
execs() {
	jq -r --arg word "$1" 'select(.t == "exec" and ((.args // "") | contains($word))
		and ((.args // "") | startswith("/bin/busybox"))) | .cgroup // "none"' "$T/trace"
}

equal "four starts in the first, all of them there" "$(execs mine-one | sort | uniq -c | tr -s ' ')" \
	" 4 /told.slice/one.scope"
equal "four starts in the second, all of them there" "$(execs mine-two | sort | uniq -c | tr -s ' ')" \
	" 4 /told.slice/two.scope"
equal "each of three hundred is told" "$(execs mine-many | sort -u | grep -c '^/told.slice/n')" 300
equal "in the order of the starts" "$(execs mine-many | sed -n '1p;300p' | tr '\n' ' ')" \
	"/told.slice/n0.scope /told.slice/n299.scope "
equal "no start is without" "$(jq -r 'select(.t == "exec") | .cgroup // "none"' "$T/trace" |
	grep -c none)" 0
