# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=sh disable=SC2016,SC2154
#
# A web server with TLS, and a certificate that is renewed by a hook.

SITE_KEY=/etc/ssl/private/site.key
CA=/srv/ca

# renewal: as a timer would call it. The request is signed by a CA of this host's own.
web_stage() {
	mkdir -p $CA /etc/nginx/conf.d
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=ca \
		-keyout $CA/ca.pem.key -out $CA/ca.pem
	cat >/usr/local/sbin/renew <<-'RENEW'
		#!/bin/sh
		set -e
		umask 077
		cd /srv/ca
		openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost \
			-addext subjectAltName=DNS:localhost -keyout site.new -out site.csr
		openssl x509 -req -in site.csr -CA ca.pem -CAkey ca.pem.key -CAcreateserial -days 20 \
			-copy_extensions copy -out site.pem
		mv site.new /etc/ssl/private/site.key
		install -m 0644 site.pem /etc/ssl/certs/site.pem
		openssl x509 -in /etc/ssl/certs/site.pem -noout -checkend 86400
		# Do key and certificate belong together?
		test "$(openssl pkey -in /etc/ssl/private/site.key -pubout)" = \
			"$(openssl x509 -in site.pem -noout -pubkey)"
		if [ -n "$1" ]; then "$@"; fi
	RENEW
	chmod 0755 /usr/local/sbin/renew
	mkdir -p /etc/ssl/private
	/usr/local/sbin/renew
	cat >/etc/nginx/conf.d/site.conf <<-'CONF'
		server {
			listen 127.0.0.1:8443 ssl;
			server_name localhost;
			ssl_certificate /etc/ssl/certs/site.pem;
			ssl_certificate_key /etc/ssl/private/site.key;
			location / { return 200 "here\n"; }
		}
	CONF
	rm -f /etc/nginx/sites-enabled/default
}

web_answers() {
	wait_for sh -c "curl -s --cacert $CA/ca.pem https://localhost:8443/ | grep -q here"
}
web_start() {
	nginx -t
	systemctl start nginx
	web_answers
}
web_reload() {
	systemctl reload nginx
	nginx -s reload
	web_answers
}
# The unit is the one that the site's policy names.
web_renew() {
	systemd-run -q --wait --unit=renew.service /usr/local/sbin/renew systemctl reload nginx
	web_answers
}

web_quiet() {
	quiet "nginx: starts with TLS, and answers" web_start
	quiet "nginx: reloads" web_reload
	quiet "a certificate is renewed by a hook" web_renew
}

web_openssl() {
	openssl pkcs12 -export -passout pass:x -inkey $SITE_KEY -in /etc/ssl/certs/site.pem -out /tmp/site.p12
}
web_copy() {
	cp /usr/sbin/nginx /tmp/nginx
	/tmp/nginx -t
}
web_by_hand() {
	openssl pkey -in $SITE_KEY -pubout
}

web_loud() {
	loud "nginx: openssl exports its key" high web_openssl -- \
		"$(about_key $SITE_KEY /usr/bin/openssl)"
	loud "nginx: a copy of it reads the key" high web_copy -- "$(about_key $SITE_KEY /tmp/nginx)"
	loud "renewal: what its unit may, a person may not" high web_by_hand -- \
		"$(about_key $SITE_KEY /usr/bin/openssl)"
}
