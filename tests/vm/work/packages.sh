# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2154
#
# Packages from a repository in the guest that is signed by GnuPG, and a server that is upgraded while it
# runs; a package that takes a key along.

REPO=/srv/repo

# deb NAME VERSION TREE [SCRIPT]: a package of this tree (which is moved), in the repository.
deb() {
	mkdir -p "$3/DEBIAN"
	{
		printf 'Package: %s\nVersion: %s\nArchitecture: all\n' "$1" "$2"
		printf 'Maintainer: test <t@example.org>\nDescription: of a test\n'
	} >"$3/DEBIAN/control"
	if [ -n "${4-}" ]; then
		printf '#!/bin/sh\nset -e\n%s\n' "$4" >"$3/DEBIAN/postinst"
		chmod 0755 "$3/DEBIAN/postinst"
	fi
	dpkg-deb --root-owner-group -Znone -b "$3" "$REPO/$1_$2.deb"
	rm -rf "$3"
}

repo_publish() {
	(
		cd $REPO || exit 1
		for _deb in *.deb; do
			dpkg-deb -f "$_deb"
			printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$_deb" "$(stat -c %s "$_deb")" \
				"$(sha256sum <"$_deb" | cut -d' ' -f1)"
		done >Packages
		printf 'Origin: test\nSuite: test\nDate: %s\nSHA256:\n %s %s Packages\n' \
			"$(LC_ALL=C date -uR)" "$(sha256sum <Packages | cut -d' ' -f1)" \
			"$(stat -c %s Packages)" >Release
		gpg --batch -q --yes --clearsign -o InRelease Release
	)
}

# A tree with the files of an installed package, its program another one than what runs.
nginx_tree() {
	mkdir -p "$1"
	dpkg -L nginx | while read -r _file; do
		if [ -f "$_file" ] && [ ! -L "$_file" ]; then
			cp --parents "$_file" "$1"
		fi
	done
	printf 'another build' >>"$1/usr/sbin/nginx"
}

packages_stage() {
	mkdir -p $REPO
	gpg --batch -q --passphrase '' --quick-gen-key repo@example.org ed25519 sign never
	gpg --export repo@example.org >/srv/repo.gpg
	echo "deb [signed-by=/srv/repo.gpg] file:$REPO ./" >/etc/apt/sources.list
	rm -f /etc/apt/sources.list.d/*
	mkdir -p tree/usr/bin
	printf '#!/bin/sh\necho 1\n' >tree/usr/bin/kt-tool
	chmod 0755 tree/usr/bin/kt-tool
	deb kt-tool 1 tree 'getent group kt-tool >/dev/null || groupadd -r kt-tool'
	# Readers of clusters' credentials that a package owns, compiled since the real ones are large.
	mkdir -p tree/usr/bin
	tcc -o tree/usr/bin/kubectl /kt/tests/work/reader.c
	deb kubectl 1.30 tree
	repo_publish
	dpkg -i $REPO/kubectl_1.30.deb
}

packages_install() {
	apt-get -q update
	apt-get -qy install kt-tool
	test "$(kt-tool)" = 1
}
packages_upgrade() {
	mkdir -p tree/usr/bin
	printf '#!/bin/sh\necho 2\n' >tree/usr/bin/kt-tool
	chmod 0755 tree/usr/bin/kt-tool
	deb kt-tool 2 tree
	nginx_tree tree
	deb nginx 99 tree
	repo_publish
	apt-get -q update
	apt-get -qy upgrade
	test "$(kt-tool)" = 2
	dpkg -V kt-tool
	apt-get -qy remove kt-tool
}
# The master still runs from a file that is no more; it reads the key again.
packages_reload() {
	_master=$(cat /run/nginx.pid)
	readlink "/proc/$_master/exe" | grep deleted
	nginx -s reload
	web_answers
	systemctl reload nginx
	web_answers
	test "$(cat /run/nginx.pid)" = "$_master"
}

# dpkg-preconfigure, which apt runs, asks perl for root's home; perl's getpwuid() reads the hashes as
# well. So does adduser.
packages_debconf() {
	debconf-show debconf
	if command -v adduser; then
		adduser --system --group kt-daemon
		deluser --system kt-daemon
	fi
}

packages_quiet() {
	quiet "apt: update from a signed repository, and install" packages_install
	quiet "apt: upgrade, the running server with it" packages_upgrade
	quiet "debconf's answers, and adduser" packages_debconf
	quiet "nginx: reload after its binary was replaced" packages_reload
}

packages_postinst() {
	mkdir -p tree
	deb kt-thief 1 tree 'cat /etc/ssh/ssh_host_rsa_key >/tmp/thief'
	dpkg -i $REPO/kt-thief_1.deb
	rm $REPO/kt-thief_1.deb
}

# The interpreter that those scripts have, told something else; and told by arguments that it is them.
packages_perl() {
	perl -e 'my @entry = getpwnam("root")'
}
packages_perl_claimed() {
	printf 'my @entry = getpwnam("root");\n' >dpkg-preconfigure
	mkdir -p /tmp/usr/sbin
	mv dpkg-preconfigure /tmp/usr/sbin
	unshare -m sh -c 'mount --bind /tmp/usr/sbin/dpkg-preconfigure /usr/sbin/dpkg-preconfigure &&
		perl /usr/sbin/dpkg-preconfigure'
}

packages_loud() {
	loud "perl is told to look at the hashes" high packages_perl -- \
		"$(about_credential /etc/shadow /usr/bin/perl)" '.subject | has("script") | not'
	loud "perl, by its arguments a script that may" high packages_perl_claimed -- \
		"$(about_credential /etc/shadow /usr/bin/perl)" '.subject.script_evidence == "claimed"' \
		'.subject.script == "/usr/sbin/dpkg-preconfigure"'

	loud "apt: a package's script reads a host's key" critical packages_postinst -- \
		"$(about_key /etc/ssh/ssh_host_rsa_key /usr/bin/cat)" \
		'.ancestry | any(.exe == "/usr/bin/dpkg")'
}
