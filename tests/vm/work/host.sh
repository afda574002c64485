# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2154
#
# What a host does by itself: logs, temporary files, manuals, backups; and what that can be made to do.

host_stage() {
	mkdir -p /usr/local/share/man/man1
	printf '.TH KT-PAGE 1\n.SH NAME\nkt-page \\- a page\n' >/usr/local/share/man/man1/kt-page.1
	export RESTIC_REPOSITORY=/srv/restic RESTIC_PASSWORD=of-restic
	restic -q init --no-cache
}

host_logrotate() {
	logger -t test "something to rotate"
	logrotate -f /etc/logrotate.conf
	logger -t test "after it"
	wait_for grep -q "after it" /var/log/syslog
}
host_tmpfiles() {
	systemd-tmpfiles --create
	systemd-tmpfiles --clean
}
host_man() {
	mandb -q
	man -w kt-page
	man kt-page | grep -q KT-PAGE
}
host_units() {
	systemctl daemon-reload
	systemctl restart rsyslog
	systemctl status ssh --no-pager
	journalctl -n 5 --no-pager
	ps auxww
	ss -lntp
	lsof -nP -i
	wait_for test -S /run/keytrail/rsyslog/syslog.sock
}
# Each in the unit that the site's policy names for it.
host_backup() {
	systemd-run -q --wait --unit=backup.service -p Environment="RESTIC_REPOSITORY=/srv/restic" \
		-p Environment=RESTIC_PASSWORD=of-restic -p Environment=GOMAXPROCS=1 \
		restic -q backup --no-cache /home /etc/ssh /etc/shadow /etc/ssl/private
	systemd-run -q --wait --unit=backup.service tar -cf /srv/backup.tar /home /etc
	systemd-run -q --wait --unit=backup.service rsync -a /home/ /srv/home-backup/
	tar -tf /srv/backup.tar | grep -q id_ed25519
	test -s /srv/home-backup/alice/.ssh/id_ed25519
}

host_quiet() {
	quiet "logrotate" host_logrotate
	quiet "systemd-tmpfiles" host_tmpfiles
	quiet "man-db, and a page" host_man
	quiet "services, processes and sockets are looked at" host_units
	quiet "backup: restic, tar and rsync, declared" host_backup
}

host_rotate_key() {
	mkdir -p rotated
	printf '%s {\ncopy\nrotate 1\nolddir %s\n}\n' /etc/ssh/ssh_host_ecdsa_key "$PWD/rotated" >conf
	logrotate -f -s "$PWD/state" conf
}
host_tmpfiles_key() {
	echo 'C /tmp/tmpfiles-copy - - - - /etc/ssh/ssh_host_ecdsa_key' >copy.conf
	systemd-tmpfiles --create "$PWD/copy.conf"
}
host_tar() {
	as_alice 'tar -cf /tmp/ssh.tar .ssh'
}
host_restic() {
	GOMAXPROCS=1 RESTIC_REPOSITORY=/srv/restic RESTIC_PASSWORD=of-restic \
		restic -q backup --no-cache /home/alice/.ssh
}
host_rsync() {
	systemd-run -q --wait --unit=other.service rsync -a /home/alice/.ssh/ /srv/ssh-copy/
}
host_man_key() {
	as_alice 'man -l .ssh/id_ed25519 >/dev/null' || true
}

host_loud() {
	loud "logrotate copies a host's key" critical host_rotate_key -- \
		"$(about_key /etc/ssh/ssh_host_ecdsa_key /usr/sbin/logrotate)"
	loud "systemd-tmpfiles copies a host's key" critical host_tmpfiles_key -- \
		"$(about_key /etc/ssh/ssh_host_ecdsa_key /usr/bin/systemd-tmpfiles)"
	loud "man shows a key" high host_man_key -- "$(about_key $KEY /usr/bin/man)"
	loud "backup: tar of ~/.ssh that nobody declared" high host_tar -- "$(about_key $KEY /usr/bin/tar)"
	loud "backup: restic by hand" high host_restic -- "$(about_key $KEY /usr/bin/restic)"
	loud "backup: rsync in another unit" high host_rsync -- "$(about_key $KEY /usr/bin/rsync)" \
		'.subject.unit == "other.service"'
}
