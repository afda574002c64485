# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2154
#
# Logging in, becoming somebody else, changing passwords; and who looks at the hashes.

accounts_stage() {
	echo 'bob:pass of bob' | chpasswd
}

# cron_runs FILE LINE...: until the jobs have run, of which the last makes the file. The minute is made
# short, since this host's cron begins with the next one.
cron_runs() {
	_made=$1
	shift
	rm -f "$_made"
	printf '%s\n' "$@" >/etc/cron.d/keytrail-work
	date -s "$(date +%H:%M):57"
	systemctl restart cron
	# Whatever comes of it, the next case is without these jobs.
	_ran=0
	wait_for -t 130 test -s "$_made" || _ran=$?
	rm /etc/cron.d/keytrail-work
	systemctl stop cron
	return $_ran
}

accounts_passwd() {
	printf 'pass of bob\npass of bob\n' | passwd bob
	echo 'bob:pass of bob' | chpasswd
	chage -l bob
	passwd -S bob
}
accounts_users() {
	useradd -m -s /bin/sh carl
	usermod -aG users carl
	groupadd artists
	gpasswd -a carl artists
	pwck -rq || true
	userdel -r carl || true
	groupdel artists
	getent passwd bob
}
accounts_sudo() {
	as_alice 'sudo id; sudo -u bob id -un; sudo -l'
	usermod -aG sudo bob
	as_bob 'echo "pass of bob" | sudo -S -k id'
	gpasswd -d bob sudo
}
accounts_su() {
	as_alice 'echo "pass of bob" | su bob -c id'
	as_alice 'echo "no such password" | su bob -c id' && return 1
	runuser -u alice -- id
}
accounts_login() {
	mkfifo typed
	script -qefc 'login bob' shown <typed &
	exec 3>typed
	wait_for grep -q Password shown
	echo 'pass of bob' >&3
	wait_for grep -q 'bob@' shown
	echo 'id; exit' >&3
	exec 3>&-
	wait $!
	grep -q 'uid=1001(bob)' shown
}
accounts_cron() {
	cron_runs /tmp/cron-alice '* * * * * root id >/tmp/cron-root' \
		'* * * * * alice sleep 1; date >/tmp/cron-alice'
	test -s /tmp/cron-root
}

accounts_quiet() {
	quiet "accounts: passwd, chpasswd, chage" accounts_passwd
	quiet "accounts: users and groups made, changed, removed" accounts_users
	quiet "accounts: sudo, with and without a password" accounts_sudo
	quiet "accounts: su, with the right and with a wrong password" accounts_su
	quiet "accounts: login at a terminal" accounts_login
	quiet "cron: jobs of the system and of a person" accounts_cron
}

accounts_sudo_cat() {
	at_login 'sudo cat /etc/shadow'
}
accounts_getent() {
	getent shadow bob
}
accounts_python() {
	python3 -c 'print(len(open("/etc/shadow").read()))'
}
accounts_cron_cp() {
	cron_runs /tmp/cron-copy '* * * * * root cp /etc/ssh/ssh_host_ecdsa_key /tmp/cron-copy'
}

accounts_loud() {
	loud "accounts: sudo cat of the hashes" high accounts_sudo_cat -- \
		"$(about_credential /etc/shadow /usr/bin/cat)" '.subject.login_user == "alice"'
	loud "accounts: getent of a hash" high accounts_getent -- \
		"$(about_credential /etc/shadow /usr/bin/getent)"
	loud "accounts: python3 -c reads the hashes" high accounts_python -- \
		'.type == "credential-read" and (.subject.exe | startswith("/usr/bin/python3"))'
	loud "cron: a job copies a host's key" critical accounts_cron_cp -- \
		"$(about_key /etc/ssh/ssh_host_ecdsa_key /usr/bin/cp)" '.subject.unit == "cron.service"' \
		'.subject.session_type == "cron"'
}
