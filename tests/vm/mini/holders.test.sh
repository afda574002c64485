#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who is taken for a holder of a key, and for how long: `keytrail status` counts them.
# kernels: 7.x
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

holders() {
	keytrail status --json | jq -r .holders.now
}

are() {
	[ "$(holders)" = "$1" ]
}

# Forks, execs and exits for which the kernel ran no program (docs/architecture.md, LSM programs where the
# kernel can be preempted): a child of which nobody told is no holder.
left_out() {
	keytrail status --json | jq -r '.drops["recursion-lifecycle"]'
}

# become NAME N: there come to be N.
become() {
	wait_for are "$2"
	if ! are "$2" && [ "$(left_out)" != "$before" ]; then
		skip "$1" "the kernel left out a fork, exec or exit, as status says: $(holders), not $2"
		return
	fi
	equal "$1" "$(holders)" "$2"
}

# hold SCRIPT: a shell of its own that has the key open at 3, does that, and goes at `let_go`.
hold() {
	before=$(left_out)
	rm -f "$T/fifo"
	mkfifo "$T/fifo"
	sh -c "exec 3</root/.ssh/id_held
		$1
		read -r _
		kill \$! 2>/dev/null
		exit" <"$T/fifo" &
	holder=$!
	exec 4>"$T/fifo"
}

let_go() {
	exec 4>&-
	wait $holder
}

# shellcheck disable=SC2119
kt_start || exit 1
before=$(left_out)
# Who writes a key has it, and so would this shell.
mkdir -p /root/.ssh
cp /etc/passwd /root/.ssh/id_held
become "nobody holds a key that nobody has open" 0

hold :
become "who has opened it does" 1
let_go
become "not when it is over" 0

hold '/bin/sleep 1000 &'
become "with its child that keeps the descriptor over exec" 2
let_go
become "none of them when they are over" 0

hold '/bin/sleep 1000 3<&- &'
become "a child that execs without the descriptor does not" 1
let_go
become "and none in the end" 0
