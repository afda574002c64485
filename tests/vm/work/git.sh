# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2154
#
# Work with git over ssh, commits that are signed, and GnuPG.

git_stage() {
	as_alice 'set -e
		gpg --batch --quiet --passphrase "" --quick-gen-key "alice <alice@example.org>" ed25519 sign \
			never
		fpr=$(gpg --list-keys --with-colons alice@example.org | sed -n "s/^fpr:*\([^:]*\).*/\1/p")
		gpg --batch --quiet --passphrase "" --quick-add-key "$fpr" cv25519 encr never
		git config --global user.email alice@example.org
		git config --global user.name alice
		git config --global init.defaultBranch main
		echo "alice@example.org $(cat ~/.ssh/id_ed25519.pub)" >signers
		git config --global gpg.ssh.allowedSignersFile ~/signers
		git init -q --bare origin.git
		git clone -q origin.git work
		cd work && echo 0 >file && git add file && git commit -qm begun && git push -q'
	as_bob 'gpg --batch --quiet --passphrase "" --quick-gen-key bob@example.org ed25519 sign never
		gpgconf --kill all'
	GPG_KEY=$(echo /home/bob/.gnupg/private-keys-v1.d/*.key)
}

git_remote() {
	as_alice 'set -e; rm -rf clone; git clone -q ssh://localhost/home/alice/origin.git clone
		cd clone; date >>file; git commit -qam "by ssh"; git push -q; git fetch -q; git pull -q'
}
git_sign_ssh() {
	as_alice 'set -e; cd work; date >>file
		git -c gpg.format=ssh -c user.signingKey=~/.ssh/id_ed25519.pub commit -q -S -am signed
		git -c gpg.format=ssh verify-commit HEAD'
}
git_sign_gpg() {
	as_alice 'set -e; cd work; date >>file; git commit -q -S -am signed; git verify-commit HEAD
		git tag -f -s -m signed signed; git verify-tag signed'
}
gpg_sign() {
	as_alice 'set -e; date >text; rm -f text.*
		gpg --batch -q --detach-sign text; gpg -q --verify text.sig text
		gpg --batch -q --clearsign text; gpg -q --verify text.asc'
}
gpg_encrypt() {
	as_alice 'set -e; date >text; rm -f text.*
		gpg --batch -q --trust-model always -er alice@example.org text
		gpg --batch -q -d text.gpg | cmp - text'
}
gpg_look() {
	as_alice 'set -e; gpg -q --list-secret-keys --with-keygrip; gpg --export -a >/dev/null
		ls -la ~/.gnupg/private-keys-v1.d
		gpg-connect-agent "keyinfo --list" /bye; gpgconf --kill all'
}

git_quiet() {
	quiet "git: clone, push, fetch and pull over ssh" git_remote
	quiet "git: a commit signed by an ssh key" git_sign_ssh
	quiet "git: a commit and a tag signed by gpg" git_sign_gpg
	quiet "gpg: files are signed" gpg_sign
	quiet "gpg: files are encrypted, and read again" gpg_encrypt
	quiet "gpg: keys are listed, the public ones exported" gpg_look
}

# Dotfiles in a repository, and ~/.ssh with them.
git_add_key() {
	as_alice 'cd ~/.ssh && git init -q && git add id_ed25519'
	rm -rf /home/alice/.ssh/.git
}
gpg_cp() {
	as_bob 'cp ~/.gnupg/private-keys-v1.d/*.key /tmp'
}
gpg_rsync() {
	as_bob 'rsync -a ~/.gnupg /tmp/gnupg-copy'
}
gpg_tar() {
	as_bob 'tar -C ~ -cf /tmp/gnupg.tar .gnupg/private-keys-v1.d'
}

git_loud() {
	loud "git: the key is added to a repository" high git_add_key -- "$(about_key $KEY /usr/bin/git)"
	loud "gpg: cp of a key" high gpg_cp -- "$(about_key "$GPG_KEY" /usr/bin/cp)"
	loud "gpg: rsync of ~/.gnupg" high gpg_rsync -- "$(about_key "$GPG_KEY" /usr/bin/rsync)"
	loud "gpg: tar of its keys" high gpg_tar -- "$(about_key "$GPG_KEY" /usr/bin/tar)"
}
