#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Runs in the guest: guest.sh WATCHED CONFIGURATION... measures each in turn, in this one boot.
# WATCHED: the most files that a configuration watches; all are there from the beginning, so that
# nothing differs but the monitor. scripts/bench-vm says what the configurations are called and
# reads what is printed: lines of ops.c, and "fact NAME VALUE".
most=$1
shift
B=/kt/bench
ops=$B/ops

# --- what is worked on ------------------------------------------------------------------------------
mkdir -p /bench/plain /bench/c /bench/w
mount -t tmpfs -o size=90% tmpfs /bench/w
echo plain >/bench/plain/file
echo >/bench/plain/out
echo >/bench/plain/a
n=0
while [ $n -lt 64 ]; do
	d=/bench/plain/d$(printf %02u $((n % 8)))/e$(printf %02u $((n / 8)))
	mkdir -p "$d"
	echo plain >"$d/f$(printf %02u $n)"
	n=$((n + 1))
done

c_files() {
	awk 'BEGIN {
		for (h = 0; h < 4; h++) {
			file = "/bench/c/h" h ".h"
			for (i = 0; i < 60; i++)
				printf "struct s%d_%d { int a, b; char name[%d]; struct s%d_%d *next; };\n" \
				       "int use%d_%d(const struct s%d_%d *s, unsigned long n);\n", \
				       h, i, i + 1, h, i, h, i, h, i >file
			close(file)
		}
		for (f = 0; f < 200; f++) {
			file = sprintf("/bench/c/f%03u.c", f)
			for (h = 0; h < 4; h++)
				printf "#include \"h%d.h\"\n", h >file
			for (i = 0; i < 8; i++)
				printf "int f%d_%d(struct s%d_%d *s) { int sum = 0; " \
				       "for (int i = 0; i < s->a; i++) sum += i * s->b + s->name[0]; " \
				       "return sum + %d; }\n", f, i, i % 4, i, f >file
			close(file)
		}
	}'
}
[ ! -x $B/tcc ] || c_files
for n in 10 1000 10000 100000; do
	[ $n -gt "$most" ] || $ops tree "/bench/w/$(printf %06u $n)" 0 $n
done

dir_of() {
	printf '/bench/w/%06u' "$1"
}

# As deep in the tree of cgroups as a user is who has logged in.
mkdir -p /sys/fs/cgroup/user.slice/user-0.slice/session-1.scope
echo $$ >/sys/fs/cgroup/user.slice/user-0.slice/session-1.scope/cgroup.procs

# --- monitors ---------------------------------------------------------------------------------------
policy() {
	cat >/bench/policy.yaml <<END
version: 1
settings: {reads: $2, refused: $3, memory: $4}
watch:
  - name: bench
    class: credential
    paths: [$(dir_of "$1")/**]
END
}

kt_start() {
	policy "$1" "${2:-open}" "${3:-off}" "${4:-off}"
	# shellcheck disable=SC2046
	/usr/local/sbin/keytraild $(printf -- '--policy %s ' /usr/local/share/keytrail/policy.d/*.yaml) \
		--policy /bench/policy.yaml >/bench/log 2>&1 &
	pid=$!
	tries=0
	until keytrail status --json >/bench/status.json 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { cat /bench/log >&2; exit 1; }
		sleep 0.1
	done
	sleep 2
	keytrail status --json >/bench/status.json
	watched=$(jq .objects.total /bench/status.json)
	[ "$watched" -ge "$1" ] || { echo "watches $watched files, not $1" >&2; exit 1; }
	echo "fact rss_kib:$1 $(jq .self.rss_kib /bench/status.json)"
	sed -n 's/^\(Rss\|Anonymous\): *\([0-9]*\) kB/fact smaps_\1:'"$1"' \2/p' /proc/"$pid"/smaps_rollup
	[ -z "${SMAPS-}" ] || cat /proc/"$pid"/smaps >&2
	jq -r '.start // {} | to_entries[] | "fact \(.key):'"$1"' \(.value)"' /bench/status.json
	jq -r '.hooks[] | select(.state != "attached") | "fact hook:\(.name) \(.state)"' /bench/status.json
}

kt_facts() {
	keytrail status --json >/bench/status.json
	jq -r '.drops | to_entries[] | select(.value > 0) | "fact drop:'"$1"':\(.key) \(.value)"' \
		/bench/status.json
	echo "fact rss_end_kib:$1 $(jq .self.rss_kib /bench/status.json)"
}

end() {
	kill "$1"
	wait "$1" 2>/dev/null
}

# Waits until a file has a line.
until_line() {
	tries=0
	until grep -q "$2" "$1" 2>/dev/null; do
		tries=$((tries + 1))
		[ $tries -lt 600 ] || { cat "$1" >&2; exit 1; }
		sleep 0.1
	done
}

# what LABEL [OPTION]...: all operations. Compiling takes as long as all the rest: once a monitor.
both() {
	$ops run "$1" "$(dir_of "$2")" --mode kernel --pid "$3" --but compile
	$ops run "$1" "$(dir_of "$2")" --mode agent --pid "$3"
}

others() {
	label=$1
	shift
	# shellcheck disable=SC2046
	$ops run "$label" "$(dir_of 10)" --mode agent $(printf -- '--pid %s ' "$@")
}

audit() {
	mkdir -p /var/log/audit /etc/audit /run
	cat >/etc/audit/auditd.conf <<END
log_file = /var/log/audit/audit.log
log_format = ENRICHED
flush = INCREMENTAL_ASYNC
freq = 50
max_log_file = 8
num_logs = 5
max_log_file_action = ROTATE
space_left = 75
space_left_action = IGNORE
admin_space_left = 50
admin_space_left_action = IGNORE
disk_full_action = IGNORE
disk_error_action = IGNORE
END
	chmod 0640 /etc/audit/auditd.conf
	$B/auditd -n -s enable >/bench/audit.log 2>&1 &
	pid=$!
	tries=0
	until $B/auditctl -s 2>/dev/null | grep -q "^pid $pid"; do
		tries=$((tries + 1))
		[ $tries -lt 300 ] || { cat /bench/audit.log >&2; exit 1; }
		sleep 0.1
	done
	$B/auditctl -b 8192 -r 0 >/dev/null
	$B/auditctl "$@" >/dev/null || exit 1
	sleep 1
}

for what in "$@"; do
	case $what in
	nothing | nothing:end)
		# Twice, at the beginning and at the end: what differs is not the monitor's. A process
		# that does nothing stands for the monitor: or ps has one less to list, and programs are
		# the first to map their libraries, which is dearer.
		$B/empty-hooks none >/dev/null &
		sleep 1
		$ops run "$what" "$(dir_of 10)"
		end $!
		;;
	nothing:*)
		$B/empty-hooks none >/dev/null &
		sleep 1
		$ops run "$what" "$(dir_of "${what#*:}")"
		end $!
		;;
	empty)
		$B/empty-hooks >/bench/empty.log &
		pid=$!
		until_line /bench/empty.log ready
		sed -n 's/^not attached: \([^:]*\).*/fact empty:\1 missing/p' /bench/empty.log
		$ops run "$what" "$(dir_of 10)"
		end $pid
		;;
	kt:*)
		n=${what#*:}
		kt_start "$n"
		both "$what" "$n" "$pid"
		kt_facts "$n"
		end "$pid"
		;;
	exact:*)
		n=${what#*:}
		kt_start "$n" exact
		both "$what" "$n" "$pid"
		end "$pid"
		;;
	refused:*)
		n=${what#*:}
		kt_start "$n" open on
		both "$what" "$n" "$pid"
		end "$pid"
		;;
	memory:*)
		n=${what#*:}
		kt_start "$n" open off on
		both "$what" "$n" "$pid"
		kt_facts "memory:$n"
		end "$pid"
		;;
	start:*)
		kt_start "${what#*:}"
		end "$pid"
		;;
	audit-watch)
		audit -w "$(dir_of 10)" -p rwa -k bench
		others "$what" "$pid"
		$B/auditctl -D >/dev/null
		end $pid
		;;
	audit-opens)
		audit -a always,exit -F arch=b64 -S open,openat,openat2,open_by_handle_at -k bench
		others "$what" "$pid"
		$B/auditctl -D >/dev/null
		end $pid
		;;
	fatrace)
		$B/fatrace -f O >/bench/fatrace.log 2>&1 &
		pid=$!
		sleep 3
		others "$what" "$pid"
		end $pid
		;;
	inotifywait)
		$B/inotifywait -m -r "$(dir_of 10)" >/bench/inotify.log 2>&1 &
		pid=$!
		until_line /bench/inotify.log established
		others "$what" "$pid"
		end $pid
		;;
	bpftrace)
		$B/bpftrace $B/opensnoop.bt >/bench/bpftrace.log 2>&1 &
		pid=$!
		until_line /bench/bpftrace.log COMM
		sleep 2
		others "$what" "$pid"
		end $pid
		;;
	*)
		echo "guest.sh: no such configuration: $what" >&2
		exit 2
		;;
	esac
	rm -f /bench/*.log
done
