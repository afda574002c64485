#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Who reads a key is told once, with its name, its user, where it came from, and which key it was; by
# the policy that is shipped, without anything of its own.
# shellcheck disable=SC2119
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

box=/bin/busybox
alice=/home/alice/.ssh

# Half of the keys are there when the daemon starts, half come later.
key_new $alice/id_cat alice
key_new $alice/id_cp alice
key_new $alice/id_mmap alice
key_new $alice/id_twice alice
kt_start || exit 1
key_new $alice/id_redirect alice
key_new $alice/id_exit alice
key_new $alice/id_rsa alice rsa
key_new $alice/id_root
key_new $alice/id_gone alice
key_new $alice/id_thread alice
key_copy $alice/id_alone alice
keys_known

as_alice() {
	su -s /bin/sh alice -c "$*" 9>&-
}
as_alice "cat $alice/id_cat" >/dev/null
# By its path: busybox's shell does what it can itself.
as_alice "/bin/cp $alice/id_cp /tmp/copy-of-it" && rm /tmp/copy-of-it
as_alice "cat < $alice/id_redirect" >/dev/null
as_alice "$WAYS/mmap-private $alice/id_mmap" || not_ok "mmap reader reads" "it did not"
as_alice "$WAYS/exit-at-once $alice/id_exit" || not_ok "short reader reads" "it did not"
as_alice "head -n 1 $alice/id_rsa" >/dev/null
cat $alice/id_root >/dev/null
as_alice "cat $alice/id_twice $alice/id_twice" >/dev/null
# Its parents are gone when the alert is made: a shell in a shell in the background.
as_alice "(($WAYS/read $alice/id_gone) & ) & sleep 0.1"
# Of a thread: what is told is its process.
$WAYS/as 1000 1000 $WAYS/thread $alice/id_thread 9>&- &
thread=$!
wait $thread || not_ok "a thread reads" "it did not"
WAY_ALONE=1 $WAYS/as 1000 1000 $WAYS/thread $alice/id_alone 9>&- &
alone=$!
wait $alone || not_ok "a thread whose process's first one has ended reads" "it did not"
gather || exit 1

one "cat" "$(of $alice/id_cat)" "$(named $alice/id_cat)" "$(by $box)" \
	'.subject.args | startswith("cat /home/alice/.ssh/id_cat")' '.subject.user == "alice"' \
	'.subject.uid == 1000' '.severity == "high"' '.object.owner_user == "alice"' \
	'.object.class == "ssh-user-key"' '.object.key.type == "ED25519"' \
	'.object.key.encrypted == false' '.object.key.source == "file"' "$(under $box $box)" \
	'.text | contains("/home/alice/.ssh/id_cat") and contains("alice")' \
	'(.access.how == "open") and (.access.incomplete == [])'
one "cp" "$(of $alice/id_cp)" "$(named $alice/id_cp)" "$(by $box)" \
	'.subject.args | startswith("/bin/cp ")'
one "cat < key is cat, once, not the shell" "$(of $alice/id_redirect)" \
	"$(named $alice/id_redirect)" '.subject.args == "cat"' '.access.how == "exec-fd"'
one "mmap" "$(of $alice/id_mmap)" "$(named $alice/id_mmap)" "$(by $WAYS/mmap-private)"
one "a reader that is gone at once" "$(of $alice/id_exit)" "$(named $alice/id_exit)" \
	"$(by $WAYS/exit-at-once)" "$(under $WAYS/exit-at-once $box)" '.subject.user == "alice"'
one "an RSA key" "$(of $alice/id_rsa)" "$(named $alice/id_rsa)" '.object.key.type == "RSA"' \
	'.object.key.bits == 1024'
one "root" "$(of $alice/id_root)" "$(named $alice/id_root)" '.subject.user == "root"' \
	'.object.owner_user == "root"'
one "one process that reads a key twice is one alert" "$(of $alice/id_twice)" \
	"$(named $alice/id_twice)"
one "ancestors that are gone are told" "$(of $alice/id_gone)" "$(named $alice/id_gone)" \
	"$(by $WAYS/read)" "$(under $box $box)"
one "a worker thread is its process" "$(of $alice/id_thread)" "$(named $alice/id_thread)" \
	"$(by $WAYS/thread)" ".subject.pid == $thread" '.subject.user == "alice"' "$(under $box)"
one "so is one whose process's first thread has ended" "$(of $alice/id_alone)" \
	"$(by $WAYS/thread)" ".subject.pid == $alone" '.subject.user == "alice"' "$(under $box)"
told_only 11
