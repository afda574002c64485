#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# People at work over ssh are not heard of; whoever else reads their keys is, once, within a second, in
# rsyslog's own file: which program, whose, from which login on, which key.
# guest: own
# shellcheck source=tests/vm/lib.sh
. /kt/tests/lib.sh
# shellcheck source=tests/vm/alerts.sh
. /kt/tests/alerts.sh

LOG=/var/log/keytrail.log
alice=/home/alice/.ssh

cat >/etc/rsyslog.d/99-test.conf <<'CONF'
template(name="kt-delay" type="string" string="%timegenerated:::date-unixtimestamp%.%timegenerated:::date-subseconds% %timereported:::date-unixtimestamp%.%timereported:::date-subseconds% %msgid%\n")
if $programname == "keytraild" then action(type="omfile" file="/var/log/keytrail.delay" template="kt-delay")
CONF
systemctl restart rsyslog
wait_for test -S /run/keytrail/rsyslog/syslog.sock || not_ok "rsyslog listens" "it does not"

# When the guest stood still: it is emulated beside others. This one runs before all else in it, so that
# what keytraild or anybody in the guest takes is none of that. Less than a hundredth is not counted.
cat >"$T/clock.py" <<'PY'
import os, time

os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))
before = time.time()
while True:
    time.sleep(0.02)
    now = time.time()
    if now - before > 0.03:
        print(f"{before + 0.02:.6f} {now:.6f}", flush=True)
    before = now
PY
echo "0 0" >"$T/stalls"
python3 "$T/clock.py" >>"$T/stalls" 9>&- &
CLOCK=$!

key_new $alice/id_ed25519 alice
FIRST=$FP
install -m 0600 -o alice -g alice $alice/id_ed25519.pub $alice/authorized_keys
check "the installed unit gets ready" systemctl start keytraild || exit 1
keys_known

# As alice, from a login through sshd, the way she comes.
cp "$T/new-key" "$T/login" && chmod 0600 "$T/login"
login() {
	ssh -i "$T/login" -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR \
		-o UserKnownHostsFile=/dev/null alice@127.0.0.1 "$@" 9>&-
}

# --- what is ordinary -------------------------------------------------------------------------------

# One login for all of it: in a guest each costs seconds.
cat >"$T/work" <<'WORK'
quiet="-o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR"
say() { if "$@" >/tmp/work.out 2>&1; then echo "done $what"; else cat /tmp/work.out; fi; }
what=ssh; say ssh $quiet alice@localhost true
what=agent; eval "$(ssh-agent)" >/dev/null; say ssh-add; say ssh-add -l; ssh-agent -k >/dev/null
what=ssh-keygen; say ssh-keygen -lf ~/.ssh/id_ed25519
what=scp; echo x >a; say scp $quiet a localhost:b
export GIT_SSH_COMMAND="ssh $quiet"
git config --global user.email a@example.org; git config --global user.name alice
git init -q --bare origin.git
what=clone; say git clone -q ssh://alice@localhost/home/alice/origin.git work
cd work && echo x >f && git add f && git commit -q -m x
what=push; say git push -q origin HEAD
what=ls; say sh -c 'ls -la ~/.ssh && stat ~/.ssh/id_ed25519'
WORK
login sh -s <"$T/work" >"$T/work.out" 2>&1
equal "alice logs in by key, and works: ssh, ssh-add, ssh-keygen -l, scp, git over ssh, ls" \
	"$(grep -c '^done' "$T/work.out")" 8 || note "$(cat "$T/work.out")"
gather || exit 1
none "none of it is told" "$(of $alice/id_ed25519)"
none "nor are the host's keys" '.object.class == "ssh-host-key"'

# --- what is not ------------------------------------------------------------------------------------

# A file for each, so that each alert can be told from the others.
key_new $alice/id_cat alice
for reader in cp python redirect mmap handed; do
	key_copy $alice/id_$reader alice
done
keys_known

in_log() {
	grep -qF "path=\"$1\"" $LOG
}
# Each by a process of its own below the login's shell.
cat >"$T/reads" <<READS
cat $alice/id_cat >/dev/null
cp $alice/id_cp /tmp/copy
python3 -c 'print(len(open("$alice/id_python").read()))' >/dev/null
cat < $alice/id_redirect >/dev/null
$WAYS/mmap-private $alice/id_mmap
$WAYS/scm-rights $alice/id_handed
READS
login bash -s <"$T/reads"
for reader in cat cp python redirect mmap handed; do
	wait_for -t 30 in_log $alice/id_$reader ||
		not_ok "$reader stands in rsyslog's file" "it does not"
done
gather || exit 1

check "rsyslog's file says that she came by ssh, and from where" grep -q \
	"session_type=\"ssh\" remote=\"127.0.0.1\".*path=\"$alice/id_cat\"" $LOG
from_login=$(under /usr/bin/bash /usr/sbin/sshd /usr/lib/systemd/systemd)
who='.subject.user == "alice" and .subject.login_user == "alice" and .subject.session != null and
	.subject.session_type == "ssh" and .subject.remote == "127.0.0.1"'
one cat "$(of $alice/id_cat)" "$(named $alice/id_cat)" "$(by /usr/bin/cat)" "$who" "$from_login"
one cp "$(of $alice/id_cp)" "$(named $alice/id_cp)" "$(by /usr/bin/cp)" "$who" "$from_login"
one python3 "$(of $alice/id_python)" "$(named $alice/id_python)" \
	'.subject.exe | startswith("/usr/bin/python3")' "$who" "$from_login"
one "cat < key" "$(of $alice/id_redirect)" "$(named $alice/id_redirect)" "$(by /usr/bin/cat)" \
	'.access.how == "exec-fd"' "$who"
one mmap "$(of $alice/id_mmap)" "$(named $alice/id_mmap)" "$(by $WAYS/mmap-private)" "$who"
# Two processes have the means: the one that opened and the one that was handed it.
equal "opener and receiver of a descriptor are told, each once" \
	"$(picked "$(of $alice/id_handed)" | jq -r .access.how | sort | paste -sd " ")" "open receive"

# --- within a second --------------------------------------------------------------------------------

# rsyslog's clock when it took the message, ours when the kernel saw the read: both of one host. Each
# alert is asked, and given what the guest as a whole stood still meanwhile, and no more.
sed -n 's/^\([0-9.]*\) \([0-9.]*\) .*key-read.*/\2 \1/p' /var/log/keytrail.delay >"$T/delays"
awk 'NR == FNR { from[NR] = $1; to[NR] = $2; n = NR; next }
	{
		still = 0
		for (i = 1; i <= n; i++) {
			a = from[i] > $1 ? from[i] : $1
			b = to[i] < $2 ? to[i] : $2
			still += b > a ? b - a : 0
		}
		printf "%.3f %.3f\n", $2 - $1 - still, still
	}' "$T/stalls" "$T/delays" | sort -n >"$T/took"
read -r most still <<TOOK
$(tail -n 1 "$T/took")
TOOK
note "from read to rsyslog at most $most s (and $still s of standing still), of $(wc -l <"$T/took") alerts"
equal "as many delays were measured as keys were read" "$(wc -l <"$T/took")" \
	"$(grep -c ' key-read ' $LOG)"
equal "each alert is with rsyslog within a second" "$(awk '!($1 > 0 && $1 <= 1)' "$T/took")" ""
check "the clock of the stalls went on" kill "$CLOCK"
equal "each stands once in its file" "$(grep -o 'path="[^"]*/id_[a-z]*"' $LOG | grep -v id_handed |
	grep -v id_barrier | sort | uniq -d)" ""

# --- a user who was not there when the daemon started -----------------------------------------------

useradd -m -s /bin/bash dora
su - dora -c 'ssh-keygen -q -t ed25519 -N "" -f ~/.ssh/id_ed25519' 9>&-
keys_known
FP=$(ssh-keygen -lf /home/dora/.ssh/id_ed25519.pub | cut -d' ' -f2)
printf '%s %s\n' "$FP" /home/dora/.ssh/id_ed25519 >>"$T/fingerprints"
su - dora -c 'cat ~/.ssh/id_ed25519' >/dev/null 9>&-
check "a new user's key is told in rsyslog's file" wait_for in_log /home/dora/.ssh/id_ed25519
gather || exit 1
one "a new user's key" "$(of /home/dora/.ssh/id_ed25519)" "$(named /home/dora/.ssh/id_ed25519)" \
	"$(by /usr/bin/cat)" '.subject.user == "dora"'
equal "the first key was named as ssh-keygen names it" "$FIRST" \
	"$(ssh-keygen -lf $alice/id_ed25519.pub | cut -d' ' -f2)"
systemctl stop keytraild
