# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh
#
# What both suites need: people with keys, a server, packages, and a site's own policy. It is made once for
# a guest.

WORK_STAGED=/var/lib/keytrail-work-stage

for topic in ssh git accounts packages web host home crash; do
	# shellcheck disable=SC1090
	. /kt/tests/work/$topic.sh
done

# What a site says of itself: its backups and its renewals are run by units of theirs.
stage_policy() {
	mkdir -p /etc/keytrail/policy.d
	cat >/etc/keytrail/policy.d/70-site.yaml <<-'SITE'
		version: 1
		settings:
		  memory: on
		watch:
		  - name: signing-keys
		    class: key
		    severity: critical
		    paths: [/srv/signing/*.pem]
		    allow:
		      - exe: /usr/local/bin/kt-signer
		override:
		  - name: "*"
		    expect:
		      - {exe: /usr/bin/restic, unit: backup.service, login: none}
		      - {exe: /usr/bin/tar, unit: backup.service, login: none}
		  - name: tls-private
		    allow:
		      - {exe: /usr/bin/openssl, unit: renew.service, login: none}
		  - name: cloud-credentials
		    allow:
		      - exe: /usr/local/aws-cli/v2/2.17.0/dist/aws
		exceptions:
		  - name: homes-move
		    watch: [ssh-user-keys, gpg-private-keys, cloud-credentials, user-kubeconfigs]
		    exe: /usr/bin/rsync
		    unit: backup.service
		    until: 2099-12-31
		    reason: homes move to another server
	SITE
	keytrail policy check
}

stage() {
	[ ! -e $WORK_STAGED ] || return 0
	loginctl enable-linger alice
	for topic in ssh git accounts web packages host home crash; do
		note "stage $topic: $(date +%T)"
		work_run "${topic}_stage"
		_staged=$?
		if [ $_staged -ne 0 ]; then
			not_ok "the stage is set: $topic" "$_staged: $(tail -n 5 "$T/said")"
			return 1
		fi
	done
	stage_policy >"$T/said" 2>&1 || {
		not_ok "the site's policy is good" "$(cat "$T/said")"
		return 1
	}
	touch $WORK_STAGED
}

# Names that a stage has found out are lost with its shell.
stage_names() {
	GPG_KEY=$(echo /home/bob/.gnupg/private-keys-v1.d/*.key)
}
