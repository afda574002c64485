#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# `reads: exact`: who reads or maps a key is told, by whatever call; who only has it open is not. On
# and off by a reload, and off costs nothing: the hook is not attached then.
# kernels: 5.10 7.x
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

dir=/root/.ssh
hook() {
	keytrail status --json | jq -r '.hooks[] | select(.name == "on_file_permission") | .state'
}

# policy MODE: what is in force from the next start or reload on.
policy() {
	cat >"$T/policy.yaml" <<-END
		version: 1
		settings: {reads: $1}
		watch:
		  - {name: keys, class: ssh-user-key, paths: [~/.ssh/id_*]}
	END
}

policy exact
for way in opened held read pread preadv2 sendfile splice aio copy-file-range mmap-private \
	io-uring scm-rights fd-exec; do
	key_new $dir/id_$way
done
KT_POLICY=$T/policy.yaml
kt_start || exit 1
equal "the hook on reads is attached" "$(hook)" attached
keys_known

# A descriptor that is opened, and held by two images, and not read.
sh -c "exec 3<$dir/id_opened; exec true" </dev/null
exec 3<$dir/id_held
for way in read pread preadv2 sendfile splice copy-file-range mmap-private scm-rights; do
	$WAYS/$way $dir/id_$way >/dev/null || not_ok "$way reads" "it did not"
done
cat <$dir/id_fd-exec >/dev/null
for way in aio io-uring; do
	$WAYS/$way $dir/id_$way >/dev/null 2>&1 || note "$way: not on this kernel"
done
gather || exit 1
equal "who only opens is not told" "$(picked "$(of $dir/id_opened) or $(of $dir/id_held)")" ""
for way in read pread preadv2 sendfile splice copy-file-range; do
	one "$way is told as a read" "$(of $dir/id_$way)" "$(named $dir/id_$way)" \
		'.access.how == "read"' "$(by "$WAYS/$way")"
done
one "a mapping is told" "$(of $dir/id_mmap-private)" '.access.how == "mmap"'
one "cat < key is cat, who reads" "$(of $dir/id_fd-exec)" '.subject.args == "cat"' \
	'.access.how == "read"'
equal "one who is passed a descriptor and reads is told" \
	"$(picked "$(of $dir/id_scm-rights)" | jq -r .access.how | sort -u)" read

policy open
keytrail reload >/dev/null || not_ok "the policy is read again" "reload failed"
equal "after the reload to open the hook is off" "$(hook)" off
# The descriptor from before: with \`open\` having it was what counted, and that is over.
cat <&3 >/dev/null
exec 3<&-
key_new $dir/id_again
sh -c "exec 3<$dir/id_again; exec true" </dev/null
gather || exit 1
one "who opens is told again" "$(of $dir/id_again)" '.access.how == "open" or .access.how == "exec-fd"'

policy exact
keytrail reload >/dev/null || not_ok "the policy is read again" "reload failed"
key_new $dir/id_third
case $(uname -r) in
5.10.*) # attaches a program once only
	check "that exact needs a restart is told" wait_alert \
		'.type == "sensor-degraded" and (.text | contains("before keytraild is restarted"))'
	how='open'
	;;
*)
	equal "after the reload to exact it is attached" "$(hook)" attached
	how='read'
	;;
esac
$WAYS/read $dir/id_third >/dev/null
gather || exit 1
one "and reads are told" "$(of $dir/id_third)" ".access.how == \"$how\""
case $(uname -r) in
5.10.*)
	policy open
	keytrail reload >/dev/null || not_ok "the policy is read again" "reload failed"
	check "that it is not asked for any more is told" wait_alert \
		'.cause == "reads-exact" and (.text | contains("or not asked for"))'
	;;
esac
kt_stop
