# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2154
#
# People who work over ssh, and those who are after their keys.

KEY=/home/alice/.ssh/id_ed25519

# Alice may log in at this host by her key; so she is client and server at once.
ssh_stage() {
	rm -rf /root/.ssh /home/alice/.ssh /home/bob/.ssh
	as_alice 'set -e
		ssh-keygen -q -t ed25519 -N "" -C alice@work -f ~/.ssh/id_ed25519
		cp ~/.ssh/id_ed25519.pub ~/.ssh/authorized_keys
		printf "Host *\n\tBatchMode yes\n\tStrictHostKeyChecking accept-new\n\tLogLevel ERROR\n" \
			>~/.ssh/config'
}

# In a session that begins by sshd, as people's do.
at_login() {
	as_alice "ssh localhost $(printf "'%s'" "$1")"
}

ssh_command() {
	as_alice 'test "$(ssh localhost echo there)" = there'
}
ssh_scp() {
	as_alice 'echo x >a && scp a localhost:b && scp localhost:b c && cmp a c'
}
ssh_sftp() {
	as_alice 'set -e; echo y >a; rm -f d e
		printf "put a d\nget d e\nls\n" | sftp -b - localhost; cmp a e'
}
ssh_rsync() {
	as_alice 'set -e; rm -rf from to back; mkdir from; date >from/x
		rsync -a from/ localhost:to/; rsync -a localhost:to/ back/; cmp from/x back/x'
}
ssh_agent() {
	as_alice 'set -e; eval "$(ssh-agent)"; trap "ssh-agent -k" EXIT
		ssh-add; ssh-add -l; ssh -A localhost ssh-add -l; ssh-add -D'
}
ssh_keys() {
	as_alice 'set -e; cd ~/.ssh; rm -f id_other*
		ssh-keygen -q -t ecdsa -N "" -f id_other; ssh-keygen -q -p -N "long words" -f id_other
		ssh-keygen -y -P "long words" -f id_other >/tmp/other.pub; ssh-keygen -lf id_other.pub
		chmod 0600 id_other; mv id_other id_third; rm id_third id_other.pub
		ssh-keyscan -t ed25519 localhost >>known_hosts; ls -la; cat id_ed25519.pub config'
}
ssh_server() {
	sshd -t
	systemctl reload ssh
	systemctl restart ssh
	as_alice 'ssh localhost true'
}

ssh_quiet() {
	quiet "ssh: a command" ssh_command
	quiet "ssh: scp there and back" ssh_scp
	quiet "ssh: sftp there and back" ssh_sftp
	quiet "ssh: rsync there and back" ssh_rsync
	quiet "ssh: an agent, forwarded" ssh_agent
	quiet "ssh: keys made, locked, renamed, removed; hosts' keys asked for" ssh_keys
	quiet "ssh: the server is reloaded and restarted" ssh_server
}

ssh_cp() {
	at_login 'cp ~/.ssh/id_ed25519 /tmp/copy'
}
ssh_scp_key() {
	as_alice 'scp ~/.ssh/id_ed25519 localhost:sent'
}
ssh_sftp_key() {
	as_alice 'printf "get .ssh/id_ed25519 got\n" | sftp -b - localhost'
}
ssh_rsync_key() {
	as_alice 'rsync -a --include="id_ed25519" --exclude="*" ~/.ssh/ localhost:stolen/'
}
# The one who is handed the key may read it; the shell that opened it may not.
ssh_redirect() {
	as_alice 'ssh localhost "cat >sent2" <~/.ssh/id_ed25519'
}
ssh_copied_program() {
	cp /usr/bin/ssh-keygen /tmp/ssh-keygen
	as_alice '/tmp/ssh-keygen -y -f ~/.ssh/id_ed25519'
	rm /tmp/ssh-keygen
}
ssh_hostkey() {
	cp /etc/ssh/ssh_host_ed25519_key /tmp/host-key
}

ssh_loud() {
	loud "ssh: cp of the key" high ssh_cp -- "$(about_key $KEY /usr/bin/cp)" \
		'.subject.login_user == "alice"'
	loud "ssh: scp of the key itself" high ssh_scp_key -- "$(about_key $KEY /usr/bin/scp)"
	loud "ssh: sftp fetches the key" high ssh_sftp_key -- \
		"$(about_key $KEY /usr/lib/openssh/sftp-server)"
	loud "ssh: rsync of the key" high ssh_rsync_key -- "$(about_key $KEY /usr/bin/rsync)"
	loud "ssh: the key as ssh's input" high ssh_redirect -- "$(about_key $KEY /usr/bin/bash)"
	loud "ssh: a copy of ssh-keygen" high ssh_copied_program -- \
		"$(about_key $KEY /tmp/ssh-keygen)"
	loud "ssh: cp of a host's key" critical ssh_hostkey -- \
		"$(about_key /etc/ssh/ssh_host_ed25519_key /usr/bin/cp)"
}
