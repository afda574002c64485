#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Every way to the bytes of a key that tests/vm/ways has: one alert each, for the one who got them.
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

# Those who open a key only to hand it on may do so here, so that what is left is who was handed it.
policy_allow $WAYS/scm-rights $WAYS/hold-open $WAYS/hold-mapped $WAYS/uring-msg
kt_start --policy "$T/policy.yaml" || exit 1

# [VARIABLE=VALUE]... PROGRAM [READER]: reader is who gets the bytes, if it is another one.
cat >"$T/ways" <<WAYS
read
pread
readv
preadv2
mmap-private
mmap-shared
sendfile
splice
tee
vmsplice
copy-file-range
openat2
open-by-handle
o-path-reopen
io-uring
uring-async
uring-sqpoll
uring-read-fixed
uring-files
uring-direct
uring-chain
uring-msg uring-receiver
aio
o-direct
hard-link
symlink
symlink-dir
proc-fd
map-files
bind-mount
open-tree
move-mount
mount-ns
user-ns
chroot
rename-read
rename-parent
rename-exchange
exit-at-once
fd-fork
fd-exec fd-reader
WAY_FD=300 fd-exec fd-reader
WAY_FD=last fd-exec fd-reader
scm-rights scm-receiver
pidfd-getfd
WAYS

# Sets settings, program, reader and name from the words of a line.
split() {
	settings=
	while [ "${1#*=}" != "$1" ]; do
		settings="$settings $1"
		shift
	done
	program=$1 reader=${2:-$1}
	name=$(echo "$settings $1" | tr -c 'a-zA-Z0-9\n' '-' | sed 's/^-*//')
	key=/root/.ssh/id_$name
}

key_new /root/.ssh/id_first
while read -r words; do
	# shellcheck disable=SC2086
	split $words
	key_copy "$key"
done <"$T/ways"
keys_known
while read -r words; do
	# shellcheck disable=SC2086
	split $words
	# shellcheck disable=SC2086
	env $settings "$WAYS/$program" "$key" </dev/null >"$T/said" 2>&1 9>&-
	case $? in
	0) echo "$words" >>"$T/done" ;;
	77)
		skip "$name" "$(cat "$T/said")"
		# An open that the file system refuses in the end is told, and rightly so: it was tried.
		echo "$key" >>"$T/skipped"
		;;
	*) not_ok "$name" "did not get at the key: $(cat "$T/said")" ;;
	esac
done <"$T/ways"
gather || exit 1
while read -r words; do
	# shellcheck disable=SC2086
	split $words
	one "$name" "$(of "$key")" '.type == "key-read"' "$(by "$WAYS/$reader")" \
		".object.key.fingerprint == \"$FP\""
done <"$T/done"
touch "$T/skipped"
grep -vFf "$T/skipped" "$T/alerts" >"$T/alerts.done"
mv "$T/alerts.done" "$T/alerts"
told_only "$(wc -l <"$T/done")"
