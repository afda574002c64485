// SPDX-License-Identifier: GPL-2.0-or-later
/* proc/cmdline.c and proc/redact.c: no secret gets into a command line, and what is none stays
 * readable. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "proc/cmdline.h"

#define GHP "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
#define JWT \
	"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U"
#define AWS "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzEXAMPLEKEY"
#define PEM "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIHx\nqqq\n-----END PRIVATE KEY-----"

/* Words are separated by | here; ^ is a |. */
static const struct {
	const char *args, *text;
} cases[] = {
	/* what is no secret stays as it is */
	{"cat|/home/alice/.ssh/id_ed25519", NULL},
	{"/usr/lib/systemd/systemd-executor|--deserialize|54|--log-level|info", NULL},
	{"/usr/bin/python3|/srv/app/main.py|--config|/etc/app/production.yaml|--workers=4", NULL},
	{"ssh|-o|StrictHostKeyChecking=no|-o|PubkeyAuthentication=yes|-i|/home/a/.ssh/id_rsa|"
	 "-p|2222|git@github.com",
	 NULL},
	{"git|clone|git@github.com:torvalds/linux.git", NULL},
	{"git|show|--stat|HEAD~3", NULL},
	{"git|push|https://github.com/torvalds/linux.git", NULL},
	{"docker|run|-p|8080:80|-v|/etc/passwd:/etc/passwd:ro|nginx:1.25", NULL},
	{"docker|pull|nginx:1.25@sha256:0f04e4f646a3f14bf31d8bc8d885b6c951fdcf42589d06845f64d18aec6a3c4d",
	 "docker pull nginx:1.25@sha256:***"},
	{"mkdir|-p|build/release2/objects", NULL},
	{"ps|-p|1234", NULL},
	{"tar|-xpf|linux-image-6.1.0-28-amd64-unsigned_6.1.119-1_amd64.deb", NULL},
	{"make|-j8|CFLAGS=-O2|KERNELS=5.10", NULL},
	{"cmake|-DCMAKE_BUILD_TYPE=RelWithDebInfo|-B|build/CMakeFiles/Foo2.dir/main", NULL},
	{"find|/|-name|id_rsa|-print0", NULL},
	{"grep|-r|password|/etc/nginx", NULL},
	{"less|/var/log/passwords.txt", NULL},
	{"llama|--tokenizer=bert-base|--max-tokens|4096", NULL},
	{"app|--token-file|/run/secrets/token|--password-file=/etc/pw", NULL},
	{"app|--password-stdin|--user|bob", NULL},
	{"env|PWD=/home/alice|SSH_AUTH_SOCK=/tmp/ssh-XX/agent.12|SSH_AGENT_PID=77|ls", NULL},
	{"/nix/store/0c9a8abcdef0123456789abcdefghijk-bash-5.2/bin/bash|-l", NULL},
	{"/usr/libexec/NetworkManagerDispatcherService|--no-daemon", NULL},
	{"mount|/dev/disk/by-uuid/8b3f1c1e-0c1d-4f5e-9a1b-2c3d4e5f6a7b|/mnt", NULL},
	{"qemu|-uuid|8b3f1c1e-0c1d-4f5e-9a1b-2c3d4e5f6a7b", NULL},
	{"openssl|rsa|-passin|file:/root/pw|-in|k.pem", NULL},
	{"login|-p|--|alice", NULL},
	{"sshd: alice [priv]", "'sshd: alice [priv]'"},
	{"sh|-c|echo hello; ls -l /tmp", "sh -c 'echo hello; ls -l /tmp'"},
	{"a||b", "a '' b"},
	/* options by their name */
	{"app|--password|hunter2|x", "app --password *** x"},
	{"app|--password=hunter2|x", "app --password=*** x"},
	{"app|--password|correct horse battery", "app --password ***"},
	{"app|--password|-dash-first", "app --password ***"},
	{"app|--password|", "app --password ''"},
	{"app|-password|hunter2", "app -password ***"},
	{"app|--token|abc", "app --token ***"},
	{"app|--api-key|abc", "app --api-key ***"},
	{"app|--apiKey=abc", "app --apiKey=***"},
	{"app|--client-secret|abc", "app --client-secret ***"},
	{"app|--db.pass=abc", "app --db.pass=***"},
	{"app|--passphrase|a b c", "app --passphrase ***"},
	{"app|--auth|Tr0ub4dor", "app --auth ***"},
	{"app|--auth|basic", NULL},
	{"app|--private-key|/etc/k.pem", "app --private-key /etc/k.pem"},
	{"java|-Dspring.datasource.password=hunter2|-jar|app.jar",
	 "java -Dspring.datasource.password=*** -jar app.jar"},
	/* short options, by program */
	{"mysql|-u|root|-phunter2|db", "mysql -u root -p*** db"},
	{"/usr/bin/mysqldump|-pabc", "/usr/bin/mysqldump -p***"},
	{"sudo|sshpass|-p|123456|ssh|-p|2222|bob@host", "sudo sshpass -p *** ssh -p 2222 bob@host"},
	{"sshpass|-p123456|ssh|host", "sshpass -p*** ssh host"},
	{"redis-cli|-a|x|ping", "redis-cli -a *** ping"},
	{"ldapsearch|-D|cn=admin|-w|x", "ldapsearch -D cn=admin -w ***"},
	{"curl|-u|alice:s3cret|https://api", "curl -u alice:*** https://api"},
	{"curl|-ualice:s3cret|https://api", "curl -ualice:*** https://api"},
	{"curl|--user|alice:s:e:c", "curl --user alice:***"},
	{"smbclient|-U|bob%pw|//h/s", "smbclient -U bob%*** //h/s"},
	{"openssl|rsa|-passin|pass:foo|-in|k", "openssl rsa -passin *** -in k"},
	{"7z|a|-pfoo|x.7z", "7z a -p*** x.7z"},
	{"docker|login|-u|bob|-p|foo", "docker login -u bob -p ***"},
	{"unknowntool|-p|S3cr3t!pw", "unknowntool -p ***"},
	{"unknowntool|-pS3cr3t!pw", "unknowntool -p***"},
	{"nmcli|dev|wifi|connect|home|password|hunter22",
	 "nmcli dev wifi connect home password ***"},
	{"aws|configure|set|aws_secret_access_key|foo1234bar",
	 "aws configure set aws_secret_access_key ***"},
	/* keys, users */
	{"ssh-keygen|-t|ed25519|-N|correcthorse|-f|/root/k",
	 "ssh-keygen -t ed25519 -N *** -f /root/k"},
	{"ssh-keygen|-p|-P|oldpassword|-N|newpassword|-f|id_rsa",
	 "ssh-keygen -p -P *** -N *** -f id_rsa"},
	{"ssh-keygen|-qNsecret|-f|login", "ssh-keygen -qN*** -f login"},
	{"ssh-keygen|-f|mysql|-N|correcthorse", "ssh-keygen -f mysql -N ***"},
	{"ssh-keygen|-lf|/home/a/.ssh/id_rsa", NULL},
	{"keytool|-list|-storepass|changeit|-keypass|changeit|-keystore|/etc/k.jks",
	 "keytool -list -storepass *** -keypass *** -keystore /etc/k.jks"},
	{"openssl|enc|-aes-256-cbc|-k|sesame|-in|f", "openssl enc -aes-256-cbc -k *** -in f"},
	{"openssl|pkey|-keyform|PEM|-in|k", NULL},
	{"openssl|passwd|-6|sesame", "openssl passwd -6 ***"},
	{"gpg|--batch|--passphrase|sesame|-d|f", "gpg --batch --passphrase *** -d f"},
	{"pk12util|-i|a.p12|-W|sesame", "pk12util -i a.p12 -W ***"},
	{"keyctl|add|user|name|sesame|@u", "keyctl add user name *** ***"},
	{"htpasswd|-b|/etc/f|bob|sesame", "htpasswd -b /etc/f *** ***"},
	{"htpasswd|-nbB|bob|sesame", "htpasswd -nbB bob ***"},
	{"mkpasswd|sesame", "mkpasswd ***"},
	{"slappasswd|-s|sesame", "slappasswd -s ***"},
	{"ldappasswd|-x|-w|old|-s|new|uid=a", "ldappasswd -x -w *** -s *** uid=a"},
	{"ldapsearch|-xw|sesame|-s|base", "ldapsearch -xw *** -s base"},
	{"useradd|-mp|$1$x|bob", "useradd -mp *** bob"},
	{"wpa_passphrase|home|sesame", "wpa_passphrase home ***"},
	{"nmcli|con|modify|x|wifi-sec.psk|sesame", "nmcli con modify x wifi-sec.psk ***"},
	{"net|user|alice|sesame", "net user alice ***"},
	{"net|ads|join|-U|admin%sesame", "net ads join -U admin%***"},
	{"smbclient|--user=bob%sesame|//h/s", "smbclient --user=bob%*** //h/s"},
	/* the network */
	{"curl|--user=alice:sesame|h", "curl --user=alice:*** h"},
	{"curl|-sualice:sesame|h", "curl -sualice:*** h"},
	{"curl|-sSfu|alice:sesame|h", "curl -sSfu alice:*** h"},
	{"curl|-fsSLo|out.tar|https://h/x.tar", NULL},
	{"curl|--key|host1.pem|--cert|c.pem:sesame|h", "curl --key host1.pem --cert c.pem:*** h"},
	{"anything|--user=bob:sesame", "anything --user=bob:***"},
	{"docker|run|--user|1000:1000|-p|127.0.0.1:8080:80|x", NULL},
	{"docker|run|--user=www-data:www-data|x", NULL},
	{"skopeo|copy|--src-creds|bob:sesame|a|b", "skopeo copy --src-creds bob:*** a b"},
	{"http|-a|bob:sesame|h", "http -a bob:*** h"},
	{"http|--auth=bob:sesame|h", "http --auth=bob:*** h"},
	{"wget|--password=sesame|-p|http://h/", "wget --password=*** -p http://h/"},
	{"lftp|-u|bob,sesame|h", "lftp -u bob,*** h"},
	{"ncftp|-u|bob|-p|sesame|h", "ncftp -u bob -p *** h"},
	{"xfreerdp|/u:bob|/p:sesame|/v:h", "xfreerdp /u:bob /p:*** /v:h"},
	/* databases, clouds */
	{"mysqladmin|password|sesame", "mysqladmin password ***"},
	{"mysql|-e|SET PASSWORD FOR bob = 'sesame'", "mysql -e 'SET PASSWORD FOR bob = '***''"},
	{"psql|-c|ALTER USER bob PASSWORD 'sesame'", "psql -c 'ALTER USER bob PASSWORD '***''"},
	{"psql|postgresql://bob:sesame@h/db?sslmode=require",
	 "psql postgresql://bob:***@h/db?sslmode=require"},
	{"sqlplus|bob/sesame@db", "sqlplus ***"},
	{"mongo|-u|bob|-p|sesame", "mongo -u bob -p ***"},
	{"rabbitmqctl|add_user|bob|sesame", "rabbitmqctl add_user bob ***"},
	{"az|login|-u|bob|-p|sesame", "az login -u bob -p ***"},
	{"kubectl|--token|sesame|get|pods", "kubectl --token *** get pods"},
	{"kubectl|create|secret|generic|x|--from-literal=db=sesame",
	 "kubectl create secret generic x --from-literal=db=***"},
	{"vault|login|sesame", "vault login ***"},
	{"vault|kv|put|secret/app|db=sesame", "vault kv put secret/app db=***"},
	{"rclone|obscure|sesame", "rclone obscure ***"},
	{"rclone|config|create|r|sftp|pass|sesame", "rclone config create r sftp pass ***"},
	{"helm|registry|login|-u|bob|-p|sesame|h", "helm registry login -u bob -p *** h"},
	{"cargo|login|sesame", "cargo login ***"},
	{"git|-c|http.extraHeader=Authorization: Basic c2VzYW1l|fetch",
	 "git -c 'http.extraHeader=Authorization: ***' fetch"},
	/* files */
	{"zip|-rP|sesame|a.zip|d", "zip -rP *** a.zip d"},
	{"unzip|-P|sesame|a.zip", "unzip -P *** a.zip"},
	{"pdftk|a.pdf|input_pw|sesame|output|b", "pdftk a.pdf input_pw *** output b"},
	{"restic|-p|/etc/restic.pw|backup", NULL},
	{"age|-p|-o|out|in", NULL},
	{"app|--key|/etc/ssl/k2.pem|--keyfile|k2|-keyfile|/root/k9", NULL},
	{"app|--key|id_rsa_2024", NULL},
	{"iptables|--bypass|queue1x", NULL},
	/* in a shell's command all of it holds as well */
	{"bash|-c|ssh-keygen -N secret -f k; cat key", "bash -c 'ssh-keygen -N *** -f k; cat key'"},
	{"sh|-c|cd /x && ssh-keygen -qN 'correct horse' -f k",
	 "sh -c 'cd /x && ssh-keygen -qN '***' -f k'"},
	{"sh|-c|mysql -p'my pw' db", "sh -c 'mysql -p'***' db'"},
	{"sh|-c|mysql -uroot -psesame;true x", "sh -c 'mysql -uroot -p***;true x'"},
	{"sh|-c|curl --user=\"alice:se same\" h", "sh -c 'curl --user=\"alice:***\" h'"},
	{"ssh|h|sudo sh -c 'htpasswd -b /f bob sesame'",
	 "ssh h 'sudo sh -c 'htpasswd -b /f *** ***''"},
	{"sh|-c|bash -c \"ssh-keygen -N sesame -f k\" x",
	 "sh -c 'bash -c \"ssh-keygen -N *** -f k\" x'"},
	{"sh|-c|ssh-keygen -C 'my own' -N sesame", "sh -c 'ssh-keygen -C 'my own' -N ***'"},
	{"sh|-c|echo sesame ^ sudo -S id", "sh -c 'echo*** ^ sudo -S id'"},
	{"sh|-c|true; printf '%s' 'se same'^/usr/bin/sudo -S id",
	 "sh -c 'true; printf***^/usr/bin/sudo -S id'"},
	{"sh|-c|echo sesame ^ docker login --password-stdin",
	 "sh -c 'echo*** ^ docker login --password-stdin'"},
	{"sh|-c|echo hello ^ grep h", "sh -c 'echo hello ^ grep h'"},
	{"sh|-c|cryptsetup open /dev/sda1 x <<< sesame",
	 "sh -c 'cryptsetup open /dev/sda1 x <<< ***'"},
	{"sh|-c|don't ssh-keygen -N sesame", "sh -c 'don't ssh-keygen -N ***'"},
	/* names with values */
	{"env|DB_PASSWORD=hunter2|app", "env DB_PASSWORD=*** app"},
	{"env|PGPASSWORD=x|MYSQL_PWD=y|GITHUB_TOKEN=z|app",
	 "env PGPASSWORD=*** MYSQL_PWD=*** GITHUB_TOKEN=*** app"},
	{"docker|run|-e|API_KEY=k1k2k3k4|x", "docker run -e API_KEY=*** x"},
	{"app|PASSWORD=a&b;c|d", "app PASSWORD=*** d"},
	{"curl|https://h/?user=bob&token=abc", "curl https://h/?user=bob&token=***"},
	{"curl|-d|{\"user\":\"bob\",\"password\": \"a \\\" b\",\"x\":1}|http://h",
	 "curl -d '{\"user\":\"bob\",\"password\": \"***\",\"x\":1}' http://h"},
	{"curl|-d|{'password':'x'}", "curl -d '{'password':'***'}'"},
	{"sh|-c|PGPASSWORD='a b' psql -h x", "sh -c 'PGPASSWORD='***' psql -h x'"},
	{"sh|-c|export TOKEN=abc; run", "sh -c 'export TOKEN=*** run'"},
	{"sh|-c|mysql -u root -phunter2 db", "sh -c 'mysql -u root -p*** db'"},
	{"bash|-c|sshpass -p 'my pw' ssh h", "bash -c 'sshpass -p '***' ssh h'"},
	/* headers */
	{"curl|-H|Authorization: Bearer abc.def ghi|https://h",
	 "curl -H 'Authorization: ***' https://h"},
	{"curl|-H|authorization:Basic YWxhZGRpbjpvcGVu", "curl -H authorization:***"},
	{"curl|-H|X-Api-Key: foo", "curl -H 'X-Api-Key: ***'"},
	{"curl|-H|Cookie: a=b; c=d", "curl -H 'Cookie: ***'"},
	{"sh|-c|curl -H 'Authorization: Bearer abc' https://h",
	 "sh -c 'curl -H 'Authorization: ***' https://h'"},
	/* URLs */
	{"git|clone|https://bob:pw@h/x", "git clone https://bob:***@h/x"},
	{"git|clone|https://" GHP "@github.com/x", "git clone https://***@github.com/x"},
	{"app|--url=postgres://u:p@h:5432/db", "app --url=postgres://u:***@h:5432/db"},
	{"app|https://u:p@ss/w@h/", "app https://u:***@h/"},
	{"app|https://u:p/w@h/", "app https://u:***@h/"},
	{"app|http://h:8080/a@b", NULL},
	{"app|amqp://a:b@c,d:e@f/", "app amqp://a:***@f/"},
	{"app|bob:pw@example.org", "app bob:***@example.org"},
	/* tokens that say what they are, wherever they stand */
	{"app|" GHP, "app ***"},
	{"app|x=" GHP "|y", "app x=*** y"},
	{"app|" JWT, "app ***"},
	{"app|AKIAIOSFODNN7EXAMPLE", "app ***"},
	{"app|xoxb-1234-abcd", "app ***"},
	{"app|glpat-abcDEF123456", "app ***"},
	{"app|sk_live_4eC39Hq", "app ***"},
	{"app|$6$salt$hashhashhash", "app ***"},
	{"echo|" PEM "|x", "echo *** x"},
	{"app|--cert=" PEM, "app --cert=***"},
	/* by looking random */
	{"app|" AWS, "app ***"},
	{"app|dGhpcyBpcyBhIHNlY3JldCBrZXk0Mg==", "app ***"},
	{"app|5f4dcc3b5aa765d61d8327deb882cf99", "app ***"},
	{"app|/srv/" GHP "/x", "app /srv/***/x"},
	/* hostile bytes */
	{"a\nb|c\x1b[0m|\xff|\xe2\x80\xae", "a\\x0ab c\\x1b[0m \\xff \\xe2\\x80\\xae"},
};

static size_t words(const char *spec, char *out)
{
	size_t n = strlen(spec);

	for (size_t i = 0; i < n; i++)
		out[i] = spec[i] == '|' ? '\0' : spec[i] == '^' ? '|' : spec[i];
	out[n] = '\0';
	return n + 1;
}

static void plain(const char *spec, char *out)
{
	size_t n = strlen(spec);

	for (size_t i = 0; i <= n; i++)
		out[i] = spec[i] == '|' ? ' ' : spec[i] == '^' ? '|' : spec[i];
}

static void secrets_are_hidden_and_the_rest_is_readable(void **state)
{
	int failed = 0;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char args[1024], text[CMDLINE_TEXT_MAX + 1], want[1024];
		struct span span = {args, words(cases[i].args, args)};

		plain(cases[i].text ? cases[i].text : cases[i].args, want);
		cmdline_text(span, false, true, text);
		if (strcmp(text, want) != 0) {
			print_error("%s\n  wanted: %s\n  got:    %s\n", cases[i].args, want, text);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

static void redacting_again_changes_nothing(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		for (int truncated = 0; truncated < 2; truncated++) {
			char args[1024], once[2048], twice[2048];
			struct span span = {args, words(cases[i].args, args)};
			bool cut1, cut2;
			size_t n1, n2;

			/* the kernel cuts anywhere; here: the NUL at the end is missing */
			span.len -= (size_t)truncated;
			n1 = cmdline_redact(span, truncated, once, sizeof(once), &cut1);
			n2 = cmdline_redact((struct span){once, n1}, cut1, twice, sizeof(twice),
					    &cut2);
			assert_int_equal(cut1, cut2);
			if (n1 != n2)
				fail_msg("%s: %.*s, then %.*s", cases[i].args, (int)n1, once,
					 (int)n2, twice);
			assert_memory_equal(once, twice, n1);
		}
	}
}

/*
 * The kernel side cuts arguments after so many bytes, wherever that is. Whatever the cut leaves of
 * a secret must not be shown: at no cut may more than what stands before the secret be readable.
 */
static void no_part_of_a_secret_is_shown_however_it_is_cut(void **state)
{
	static const struct {
		const char *args, *secret;
	} cut[] = {
		{"app|--password|hunter2", "hunter2"},
		{"app|--password=hunter2", "hunter2"},
		{"app|" GHP, GHP},
		{"app|" JWT, JWT},
		{"app|" AWS, AWS},
		{"git|clone|https://bob:hunter2@h/x", "hunter2"},
		{"curl|-u|alice:hunter2", "hunter2"},
		{"sh|-c|curl -H 'Authorization: Bearer hunter2'", "hunter2"},
		{"sh|-c|PGPASSWORD='hun ter2' psql", "hun ter2"},
		{"mysql|-phunter2", "hunter2"},
		{"ssh-keygen|-N|hunter2", "hunter2"},
		{"curl|-sualice:hunter2", "hunter2"},
		{"htpasswd|-b|/f|bob|hunter2", "hunter2"},
		{"sh|-c|ssh-keygen -N hunter2 -f k; cat k", "hunter2"},
		{"sh|-c|echo hunter2 ^ sudo -S id", "hunter2"},
		{"echo|" PEM, "MC4CAQAwBQYDK2VwBCIEIHx"},
		{"app|5f4dcc3b5aa765d61d8327deb882cf99", "5f4dcc3b5aa765d61d8327deb882cf99"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cut); i++) {
		char args[1024];
		size_t whole = words(cut[i].args, args);
		size_t at = 0;

		while (memcmp(args + at, cut[i].secret, strlen(cut[i].secret)) != 0)
			at++;
		for (size_t n = 1; n < whole; n++) {
			_cleanup_free_ char *copy = malloc(n); /* reading past it is seen */
			char text[CMDLINE_TEXT_MAX + 1], head[3] = {args[at], args[at + 1], 0};

			assert_non_null(copy);
			memcpy(copy, args, n);
			cmdline_text((struct span){copy, n}, true, true, text);
			if (n < at + 2)
				continue;
			/* Two characters of it, where the secret would be. */
			if (strstr(text, head) && !strstr("app -c curl psql", head))
				fail_msg("%s cut to %zu: %s", cut[i].args, n, text);
		}
	}
}

static void text_is_bounded_and_says_when_it_was_cut(void **state)
{
	char args[4096 + 64], text[CMDLINE_TEXT_MAX + 1];
	size_t n;

	memset(args, 'a', sizeof(args));
	for (size_t i = 10; i < sizeof(args); i += 11)
		args[i] = '\0';
	for (size_t len = 0; len < sizeof(args); len += len < 600 ? 1 : 97) {
		n = cmdline_text((struct span){args, len}, false, true, text);
		assert_int_equal(n, strlen(text));
		assert_true(n <= CMDLINE_TEXT_MAX);
		if (len > CMDLINE_TEXT_MAX + 1)
			assert_string_equal(text + n - 3, "\xe2\x80\xa6");
	}
	/* all escapes, all full-width characters: cut between them */
	memset(args, '\x01', sizeof(args));
	n = cmdline_text((struct span){args, 500}, false, false, text);
	assert_int_equal((n - 3) % 4, 0);
	for (size_t i = 0; i + 3 <= sizeof(args); i += 3)
		memcpy(args + i, "\xe2\x82\xac", 3);
	n = cmdline_text((struct span){args, 600}, false, false, text);
	assert_int_equal(n % 3, 0);
	assert_null(strstr(text, "\\x"));
}

static void full_text_is_not_redacted_and_truncation_is_shown(void **state)
{
	char text[CMDLINE_TEXT_MAX + 1];
	static const char args[] = "app\0--password\0hunter2";

	cmdline_text((struct span){args, sizeof(args)}, false, false, text);
	assert_string_equal(text, "app --password hunter2");
	cmdline_text((struct span){args, sizeof(args) - 3}, true, false, text);
	assert_string_equal(text, "app --password hunte\xe2\x80\xa6");
	cmdline_text((struct span){NULL, 0}, false, true, text);
	assert_string_equal(text, "");
}

/* Base64 and hex drawn by lot, at the lengths that keys and tokens have: few may get through. */
static void random_words_are_hidden(void **state)
{
	static const char base64[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	unsigned shown = 0, total = 0;
	uint64_t x = 88172645463325252ULL;

	for (int i = 0; i < 2000; i++) {
		char args[80] = "app", text[CMDLINE_TEXT_MAX + 1];
		size_t len = 24 + (size_t)(i % 41);

		for (size_t k = 0; k < len; k++) {
			x ^= x << 13;
			x ^= x >> 7;
			x ^= x << 17;
			args[4 + k] = i % 4 ? base64[x >> 58] : "0123456789abcdef"[x >> 60];
		}
		if (i % 4 == 0 && len < 32)
			continue;
		cmdline_text((struct span){args, 5 + len}, false, true, text);
		total++;
		args[4 + 8] = '\0';
		shown += strstr(text, args + 4) != NULL;
	}
	assert_in_range(shown * 1000 / total, 0, 20); /* 2 % */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(secrets_are_hidden_and_the_rest_is_readable),
		cmocka_unit_test(redacting_again_changes_nothing),
		cmocka_unit_test(no_part_of_a_secret_is_shown_however_it_is_cut),
		cmocka_unit_test(text_is_bounded_and_says_when_it_was_cut),
		cmocka_unit_test(full_text_is_not_redacted_and_truncation_is_shown),
		cmocka_unit_test(random_words_are_hidden),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
