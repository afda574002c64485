// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which files are the policy, what `keytrail policy check` says of them, and that the shipped ones
 * (policy/: to be run from the top of the tree) watch what they are meant to and leave ordinary
 * work alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "policy/check.h"
#include "policy/watchset.h"
#include "tmpdir.h"

#define GOOD "version: 1\nwatch: [{name: x, class: key, paths: [/a]}]\n"

static const char *put(void **state, const char *name, const char *text)
{
	const char *path = tmpdir_path(state, name);
	FILE *f = fopen(path, "w");

	fputs(text, f);
	fclose(f);
	return path;
}

static void expect_files(void **state, const char *const *names, size_t nr)
{
	struct diag_list diags = {0};
	struct policy_files files;

	assert_int_equal(policy_list_files(tmpdir_path(state, "shipped"),
					   tmpdir_path(state, "local"), &diags, &files),
			 0);
	assert_int_equal(files.nr, nr);
	for (size_t i = 0; i < nr; i++)
		assert_string_equal(files.paths[i], tmpdir_path(state, names[i]));
	assert_int_equal(diags.errors + diags.warnings, 0);
	policy_files_fini(&files);
}

static void missing_directories_are_fine(void **state)
{
	expect_files(state, NULL, 0);
}

static void local_files_replace_shipped_ones(void **state)
{
	static const char *const expected[] = {
		"shipped/10-a.yaml", "local/20-b.yaml", "shipped/30-C.yaml",
		"shipped/30-c.yaml", "local/40-d.yaml",
	};

	mkdir(tmpdir_path(state, "shipped"), 0700);
	mkdir(tmpdir_path(state, "local"), 0700);
	put(state, "shipped/30-c.yaml", GOOD);
	put(state, "shipped/30-C.yaml", GOOD);
	put(state, "shipped/20-b.yaml", GOOD);
	put(state, "shipped/10-a.yaml", GOOD);
	put(state, "local/20-b.yaml", GOOD);
	put(state, "local/40-d.yaml", GOOD);
	put(state, "local/README", "");
	put(state, "local/50-e.yaml~", "");
	put(state, "local/60-f.yml", "");
	put(state, "local/.70-g.yaml", "");
	put(state, "local/.yaml", "");
	expect_files(state, expected, ARRAY_SIZE(expected));
}

static void a_link_to_dev_null_masks(void **state)
{
	static const char *const expected[] = {"shipped/10-a.yaml", "local/30-gone.yaml"};

	mkdir(tmpdir_path(state, "shipped"), 0700);
	mkdir(tmpdir_path(state, "local"), 0700);
	put(state, "shipped/10-a.yaml", GOOD);
	put(state, "shipped/20-b.yaml", GOOD);
	assert_int_equal(symlink("/dev/null", tmpdir_path(state, "local/20-b.yaml")), 0);
	/* A link to nowhere is a mistake, which loading will tell. */
	assert_int_equal(symlink("nowhere", tmpdir_path(state, "local/30-gone.yaml")), 0);
	expect_files(state, expected, ARRAY_SIZE(expected));
}

static void a_directory_that_cannot_be_read_is_told(void **state)
{
	struct diag_list diags = {0};
	struct policy_files files = {.nr = 77};

	put(state, "shipped", "");
	assert_int_equal(policy_list_files(tmpdir_path(state, "shipped"),
					   tmpdir_path(state, "local"), &diags, &files),
			 -ENOTDIR);
	assert_int_equal(files.nr, 77);
	assert_string_equal(diags.items[0].text, "cannot be read: Not a directory");
	diag_list_fini(&diags);
}

static void check_says(const char *const *files, size_t nr, int code, const char *told)
{
	_cleanup_free_ char *printed = NULL;
	size_t size;
	FILE *f = open_memstream(&printed, &size);
	int got = policy_check_files(files, nr, f);

	fclose(f);
	assert_string_equal(printed, told);
	assert_int_equal(got, code);
}

static void a_good_file_exits_0(void **state)
{
	const char *path = put(state, "a.yaml", GOOD);

	check_says(&path, 1, 0, "policy good: 1 file, 1 watch entry, 0 warnings\n");
}

static void warnings_alone_exit_0(void **state)
{
	const char *path = put(state, "a.yaml",
			       "version: 1\nwatch: [{name: x, class: key, "
			       "paths: [/a, /a]}]\n");
	char told[512];

	snprintf(told, sizeof(told),
		 "%s:2:43: warning: path '/a' stands twice in this entry\n"
		 "policy good: 1 file, 1 watch entry, 1 warning\n",
		 path);
	check_says(&path, 1, 0, told);
}

static void an_error_exits_2(void **state)
{
	const char *path = put(state, "a.yaml", "version: 1\nwatch: [{name: x, paths: [a]}]\n");
	char told[512];

	snprintf(told, sizeof(told),
		 "%s:2:27: error: path 'a': does not begin with `/` or `~/`\n"
		 "%s:2:9: error: a watch entry needs the key 'class'\n"
		 "policy refused: 2 errors, 0 warnings\n",
		 path, path);
	check_says(&path, 1, 2, told);
}

static void shows_nothing_of(void **state, const char *text, const char *secret)
{
	const char *path = put(state, "mistake", text);
	char *told = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&told, &size);

	assert_int_equal(policy_check_files(&path, 1, f), 2);
	fclose(f);
	for (size_t at = 0; at + 6 <= strlen(secret); at++) {
		char part[7] = "";

		memcpy(part, secret + at, 6);
		if (strstr(told, part))
			fail_msg("%s: %s", text, told);
	}
	free(told);
}

/* What is printed stands in a terminal, a ticket or the log of a CI run. */
static void nothing_of_a_key_that_is_named_by_mistake_is_shown(void **state)
{
#define SECRET "bm90QVJlYWxLZXlCdXRBVGVzdA"
	static const char *const files[] = {
		"-----BEGIN "
		"PRIVATE KEY-----\n" SECRET "==\n-----END PRIVATE KEY-----\n",
		"-----BEGIN RSA "
		"PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES," SECRET "\n\n" SECRET
		"\n",
		"PuTTY-User-Key-File-3: ssh-rsa\nComment: " SECRET "\nPublic-Lines: 1\n" SECRET
		"\nPrivate-Lines: 1\n" SECRET "\nPrivate-MAC: " SECRET "\n",
		"{\"kty\": \"RSA\", \"d\": \"" SECRET "\", \"" SECRET "\": [1]}\n",
		"machine: h\nlogin: me\n" SECRET ":\n",
		"include: [" SECRET ", ~/" SECRET "]\n" SECRET ": " SECRET "\n",
		"version: " SECRET "\n" SECRET ": " SECRET "\n",
		"version: 1\n" SECRET ": " SECRET "\nwatch: " SECRET "\nsettings: {" SECRET
		": 1}\n",
		"version: 1\nwatch: [{class: " SECRET ", " SECRET ": 1}]\n",
		SECRET "\n",
		"*" SECRET "\n",
		"&" SECRET " a\n",
		"!" SECRET " a\n",
		"? [" SECRET "]\n: " SECRET "\n",
		"- \"" SECRET "\n",
		"a: " SECRET ": " SECRET "\n",
		"%" SECRET "\n",
		"a: @" SECRET "\n",
		"\t" SECRET "\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		shows_nothing_of(state, files[i], SECRET);
}

/* One that could be a mistyped key, in what other programs read. */
static void nothing_of_a_short_secret_is_shown_of_a_file_of_another_version(void **state)
{
#define SHORT "Q7ZPL2M4XN8RTB5WKDJH"
	static const char *const versions[] = {
		"",	      "version: \"3.8\"\n", "version: 3\n",	 "version: '1'\n",
		"version:\n", "version: [1]\n",	    "version: {1: 1}\n", "\"version\\0\": 1\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
		char text[256];

		snprintf(text, sizeof(text),
			 "%sinclude: [" SHORT "]\nwatch: [{class: " SHORT "}]\n" SHORT ": " SHORT
			 "\n",
			 versions[i]);
		shows_nothing_of(state, text, SHORT);
	}
}

static void what_the_kernel_has_no_room_for_exits_2(void **state)
{
	const char *path = put(state, "a.yaml",
			       "version: 1\nwatch: [{name: x, class: key, paths: [/d/*a, /d/*b, "
			       "/d/*c, /d/*d, /d/*e, /d/*f, /d/*g, /d/*h, /d/*i, /d/*j, /d/*k, "
			       "/d/*l, /d/*m, /d/*n, /d/*o, /d/*p, /d/*q]}]\n");
	char told[512];

	snprintf(told, sizeof(told),
		 "%s:2:9: error: more than 16 globs in one directory, in /d (watch entry 'x' and "
		 "others before it)\n"
		 "policy refused: 1 error, 0 warnings\n",
		 path);
	check_says(&path, 1, 2, told);
}

#define DIGEST64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* The kernel tells resolved paths, so /bin/x is never seen where /bin is a link to usr/bin. */
static void linked_programs_are_warned_of(void **state)
{
	_cleanup_free_ char *real = realpath(*state, NULL);
	char text[512], told[1024];
	const char *path;

	put(state, "ssh", "");
	assert_int_equal(symlink("ssh", tmpdir_path(state, "link")), 0);
	snprintf(text, sizeof(text),
		 "version: 1\nwatch:\n- name: x\n  class: key\n  paths: [/a]\n  allow:\n"
		 "  - exe: %s/link\n  - exe: %s/ssh\n  - exe: %s/gone\n",
		 real, real, real);
	path = put(state, "a.yaml", text);
	snprintf(told, sizeof(told),
		 "%s:7:10: warning: exe '%s/link' is %s/ssh on this host: that is the path the "
		 "kernel tells, and so the one to name\n"
		 "policy good: 1 file, 1 watch entry, 1 warning\n",
		 path, real, real);
	check_says(&path, 1, 0, told);
}

/* Where there can be no answer a rule that asks for one is dead. */
static void what_is_not_looked_for_is_warned_of(void **state)
{
	const char *path = put(state, "a.yaml",
			       "version: 1\nwatch:\n- name: x\n  class: key\n  paths: [/a]\n"
			       "  allow:\n  - {container: c, digest: 'sha256:" DIGEST64 "'}\n"
			       "  - {exe: /nonexistent/a, package: pkg}\n");
	char told[1024];
	bool dpkg = access(DPKG_INFO, F_OK) == 0;

	snprintf(told, sizeof(told),
		 "%s:7:5: warning: package and digest are not looked for where programs run in "
		 "containers: the rule never counts\n"
		 "%s%s"
		 "policy good: 1 file, 1 watch entry, %s\n",
		 path, dpkg ? "" : path,
		 dpkg ? ""
		      : ":8:11: warning: package 'pkg': this host has no database of dpkg, so the "
			"rule never counts; use `digest`\n",
		 dpkg ? "1 warning" : "2 warnings");
	check_says(&path, 1, 0, told);
}

/* --- the shipped policy -------------------------------------------------------------------------
 */

static const char *const homes[] = {"/root", "/home/ada"};

static struct policy *policy;
static struct watchset *set;

/* Any message at all is a failure. */
static int load_shipped(void **state)
{
	struct diag_list diags = {0};
	struct policy_files files;
	int err = policy_list_files("policy", "/nonexistent", &diags, &files);

	if (err == 0) {
		err = policy_load((const char *const *)files.paths, files.nr, &diags, &policy);
		policy_files_fini(&files);
	}
	if (err == 0)
		err = watchset_compile(policy, homes, ARRAY_SIZE(homes), 1, &diags, &set);
	diag_print(&diags, stderr);
	err = err < 0 || diags.errors || diags.warnings ? -1 : 0;
	diag_list_fini(&diags);
	return err;
}

static int unload_shipped(void **state)
{
	watchset_free(set);
	policy_free(policy);
	return 0;
}

/* It costs, and has limits: who wants it says so (docs/policy.md). */
static void copies_of_keys_are_opt_in(void **state)
{
	assert_int_equal(policy_find_class(policy, CLASS_KEY_COPY), 0);
	assert_true(policy_find_class(policy, CLASS_FOUND_KEY) != 0);
}

static void files_belong_to_their_entries(void **state)
{
	static const struct {
		const char *path, *entry; /* NULL = not watched */
	} cases[] = {
		{"/home/ada/.ssh/id_rsa", "ssh-user-keys"},
		{"/home/ada/.ssh/id_ed25519_work", "ssh-user-keys"},
		{"/home/made-later/.ssh/id_ed25519", "ssh-user-keys"},
		{"/root/.ssh/id_ecdsa", "ssh-user-keys"},
		{"/home/ada/.ssh/aws.pem", "ssh-user-keys"},
		{"/home/ada/.ssh/deploy_key", "ssh-user-keys"},
		{"/home/ada/.ssh/work.ppk", "putty-keys"},
		{"/home/ada/.ssh/id_rsa.pub", NULL},
		{"/home/ada/.ssh/id_rsa-cert.pub", NULL},
		{"/home/ada/.ssh/config", NULL},
		{"/home/ada/.ssh/known_hosts", NULL},
		{"/home/ada/.ssh/authorized_keys", NULL},
		{"/home/ada/.ssh/agent/s.1", "ssh-agents"}, /* a socket: see watchset_wants() */
		{"/tmp/ssh-XXXXabcd/agent.4711", "ssh-agents"},
		{"/tmp/ssh-XXXXabcd/other", NULL},
		{"/run/user/1000/gnupg/S.gpg-agent.ssh", "gpg-agents"},
		{"/run/user/1000/gnupg/d.abc/S.gpg-agent", "gpg-agents"},
		{"/run/user/1000/gnupg/S.dirmngr", NULL},
		{"/home/ada/.gnupg/S.gpg-agent", "gpg-agents"},
		{"/etc/ssh/ssh_host_ed25519_key", "ssh-host-keys"},
		{"/etc/ssh/ssh_host_rsa_key.bak", "ssh-host-keys"},
		{"/etc/ssh/ssh_host_ed25519_key.pub", NULL},
		{"/etc/ssh/sshd_config", NULL},
		{"/etc/dropbear/dropbear_ed25519_host_key", "dropbear-host-keys"},
		{"/etc/ssl/private/ssl-cert-snakeoil.key", "tls-private"},
		{"/etc/ssl/private/site/server.pem", "tls-private"},
		{"/etc/ssl/private/server.crt", NULL},
		{"/etc/ssl/private/dhparams.pem", NULL},
		{"/etc/ssl/certs/ca-certificates.crt", NULL},
		{"/etc/letsencrypt/archive/example.org/privkey12.pem", "tls-private"},
		{"/etc/letsencrypt/archive/example.org/fullchain12.pem", NULL},
		{"/etc/letsencrypt/accounts/acme/x/y/private_key.json", "acme-accounts"},
		{"/etc/nginx/nginx.conf", NULL},
		{"/etc/nginx/ssl/site.key", "tls-private"},
		{"/var/lib/postgresql/15/main/server.key", "tls-private"},
		{"/var/lib/postgresql/15/main/base/1/1259", NULL},
		{"/etc/kubernetes/pki/etcd/ca.key", "kubernetes-pki"},
		{"/etc/kubernetes/pki/etcd/ca.crt", NULL},
		{"/home/ada/.gnupg/private-keys-v1.d/0123456789ABCDEF.key", "gpg-private-keys"},
		{"/home/ada/.gnupg/secring.gpg", "gpg-secret-keyring"},
		{"/home/ada/.gnupg/pubring.kbx", NULL},
		{"/home/ada/.gnupg/trustdb.gpg", NULL},
		{"/home/ada/.gnupg/openpgp-revocs.d/x.rev", NULL},
		{"/var/lib/systemd/coredump/core.sshd.0.f00.1.2.zst", "coredumps"},
		{"/core", "coredumps"},
		{"/core.4711", "coredumps"},
		{"/tmp/core.4711", "coredumps"},
		{"/tmp/core.conf", NULL},
		{"/var/crash/202401010000/dump.202401010000", "crash-reports"},
		{"/var/crash/202401010000/dmesg.202401010000", NULL},
		{"/var/crash/127.0.0.1-2024/vmcore", "crash-reports"},
		{"/var/crash/127.0.0.1-2024/vmcore-dmesg.txt", NULL},
		{"/var/crash/_usr_bin_x.1000.crash", "crash-reports"},
		{"/var/crash/_usr_bin_x.1000.upload", NULL},
		{"/var/spool/abrt/ccpp-1/coredump", "abrt-dumps"},
		{"/var/spool/abrt/ccpp-1/environ", NULL},
		{"/tmp/java_pid77.hprof", "program-dumps"},
		{"/home/ada/.config/chromium/Crash Reports/pending/a.dmp", "program-dumps"},
		{"/home/ada/.config/chromium/Default/Login Data", "chromium-logins"},
		{"/home/ada/.config/chromium/Default/Preferences", NULL},
		{"/home/ada/.mozilla/firefox/x.default/key4.db", "firefox-logins"},
		{"/home/ada/.mozilla/firefox/x.default/places.sqlite", NULL},
		{"/etc/shadow", "password-hashes"},
		{"/etc/gshadow-", "password-hashes"},
		{"/var/lib/shim-signed/mok/MOK.priv", "secure-boot-keys"},
		{"/var/lib/shim-signed/mok/MOK.der", NULL},
		{"/usr/src/linux-6.1/certs/signing_key.pem", "kernel-module-keys"},
		{"/etc/pki/rpm-gpg/RPM-GPG-KEY-fedora", NULL},
		{"/var/lib/softhsm/tokens/abc/token.object", "token-stores"},
		{"/etc/bind/keys/Kexample.org.+013+1.private", "dnssec-keys"},
		{"/etc/bind/keys/Kexample.org.+013+1.key", NULL},
		{"/etc/dkimkeys/mail.private", "dkim-keys"},
		{"/etc/wireguard/wg0.conf", "wireguard-keys"},
		{"/etc/ipsec.secrets", "ipsec-keys"},
		{"/etc/NetworkManager/system-connections/home.nmconnection", "network-secrets"},
		{"/home/ada/.config/sops/age/keys.txt", "age-keys"},
		{"/etc/krb5.keytab", "keytabs"},
		{"/etc/apache2/http.keytab", "keytabs"},
		{"/etc/krb5.conf", NULL},
		{"/var/lib/krb5kdc/principal", "kdc-secrets"},
		{"/var/lib/samba/private/secrets.tdb", "kdc-secrets"},
		{"/tmp/krb5cc_1000", "kerberos-tickets"},
		{"/home/ada/.aws/credentials", "cloud-credentials"},
		{"/home/ada/.config/gcloud/legacy_credentials/a/adc.json", "cloud-credentials"},
		{"/etc/kubernetes/admin.conf", "cluster-admin-config"},
		{"/home/ada/.kube/config", "user-kubeconfigs"},
		{"/home/ada/.kube/cache/discovery/x.json", NULL},
		{"/home/ada/.docker/config.json", "registry-logins"},
		{"/home/ada/.git-credentials", "git-credentials"},
		{"/home/ada/.gitconfig", NULL},
		{"/home/ada/.netrc", "netrc"},
		{"/home/ada/.npmrc", "package-registry-tokens"},
		{"/home/ada/.vault-token", "infrastructure-tokens"},
		{"/home/ada/.pgpass", "database-passwords"},
		{"/home/ada/.claude.json", "assistant-credentials"},
		{"/home/ada/.password-store/mail/work.gpg", "password-stores"},
		{"/home/ada/.password-store/.gpg-id", NULL},
		{"/home/ada/.local/share/keyrings/login.keyring", "password-stores"},
		{"/home/ada/.bitcoin/wallets/main/wallet.dat", "wallets"},
		{"/var/lib/jenkins/secrets/master.key", "jenkins-secrets"},
		{"/etc/cryptsetup-keys.d/data.key", "disk-keys"},
		{"/var/lib/systemd/credential.secret", "machine-secrets"},
		{"/etc/passwd", NULL},
		{"/usr/bin/ssh", NULL},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint32_t watch = watchset_match(set, span_of(cases[i].path));
		const char *entry = watch ? policy_watch(policy, watch)->name : NULL;

		if (!entry != !cases[i].entry || (entry && strcmp(entry, cases[i].entry)))
			fail_msg("%s: %s", cases[i].path, entry ? entry : "not watched");
	}
}

static void ordinary_work_is_silent_and_the_rest_is_not(void **state)
{
	static const struct {
		const char *exe, *path;
		enum verdict verdict;
	} cases[] = {
		{"/usr/bin/ssh", "/home/ada/.ssh/id_rsa", VERDICT_ALLOW},
		{"/usr/bin/ssh-add", "/home/ada/.ssh/id_rsa", VERDICT_ALLOW},
		{"/usr/bin/ssh-keygen", "/home/ada/.ssh/id_rsa", VERDICT_ALLOW},
		{"/usr/bin/ssh-agent", "/home/ada/.ssh/id_rsa", VERDICT_ALLOW},
		{"/usr/bin/cat", "/home/ada/.ssh/id_rsa", VERDICT_ALERT},
		{"/usr/bin/cp", "/home/ada/.ssh/id_rsa", VERDICT_ALERT},
		{"/usr/bin/python3.11", "/home/ada/.ssh/id_rsa", VERDICT_ALERT},
		{"/home/ada/ssh", "/home/ada/.ssh/id_rsa", VERDICT_ALERT},
		{"/usr/sbin/sshd", "/home/ada/.ssh/id_rsa", VERDICT_ALERT},
		{"/usr/sbin/sshd", "/etc/ssh/ssh_host_rsa_key", VERDICT_ALLOW},
		{"/usr/lib/openssh/sshd-session", "/etc/ssh/ssh_host_rsa_key", VERDICT_ALLOW},
		{"/usr/lib/openssh/ssh-keysign", "/etc/ssh/ssh_host_rsa_key", VERDICT_ALLOW},
		{"/usr/bin/ssh-keygen", "/etc/ssh/ssh_host_rsa_key", VERDICT_ALLOW},
		{"/usr/bin/ssh", "/etc/ssh/ssh_host_rsa_key", VERDICT_ALERT},
		{"/usr/sbin/nginx", "/etc/ssl/private/site.key", VERDICT_ALLOW},
		{"/usr/sbin/apache2", "/etc/letsencrypt/archive/a/privkey1.pem", VERDICT_ALLOW},
		{"/usr/bin/openssl", "/etc/ssl/private/site.key", VERDICT_ALERT},
		{"/usr/bin/python3.11", "/etc/letsencrypt/archive/a/privkey1.pem", VERDICT_ALERT},
		{"/usr/bin/gpg-agent", "/home/ada/.gnupg/private-keys-v1.d/A.key", VERDICT_ALLOW},
		{"/usr/bin/tar", "/home/ada/.gnupg/private-keys-v1.d/A.key", VERDICT_ALERT},
		{"/usr/lib/systemd/systemd-coredump", "/var/lib/systemd/coredump/core.x",
		 VERDICT_ALLOW},
		{"/usr/bin/coredumpctl", "/var/lib/systemd/coredump/core.x", VERDICT_ALLOW},
		{"/usr/bin/gdb", "/var/lib/systemd/coredump/core.x", VERDICT_ALERT},
		{"/usr/bin/whoopsie", "/var/crash/x.crash", VERDICT_ALERT},
		{"/usr/bin/sudo", "/etc/shadow", VERDICT_ALLOW},
		{"/usr/bin/passwd", "/etc/shadow", VERDICT_ALLOW},
		{"/usr/bin/cat", "/etc/shadow", VERDICT_ALERT},
		{"/usr/bin/bash", "/etc/wireguard/wg0.conf", VERDICT_ALERT}, /* no unit */
		{"/usr/bin/wg", "/etc/wireguard/wg0.conf", VERDICT_ALLOW},
		{"/usr/sbin/gssproxy", "/etc/krb5.keytab", VERDICT_ALLOW},
		{"/usr/bin/kubectl", "/home/ada/.kube/config", VERDICT_ALLOW},
		{"/usr/bin/curl", "/home/ada/.kube/config", VERDICT_ALERT},
		{"/usr/bin/terraform", "/home/ada/.aws/credentials", VERDICT_ALLOW},
		{"/usr/bin/python3.11", "/home/ada/.aws/credentials", VERDICT_ALERT},
		{"/usr/bin/git", "/home/ada/.git-credentials", VERDICT_ALLOW},
		{"/usr/bin/tar", "/home/ada/.mozilla/firefox/x.default/key4.db", VERDICT_ALERT},
		{"/usr/lib/systemd/systemd-cryptsetup", "/etc/cryptsetup-keys.d/d.key",
		 VERDICT_ALLOW},
		{"/usr/bin/dd", "/etc/cryptsetup-keys.d/d.key", VERDICT_ALERT},
		/* keytrail's own search for keys is known, and recorded. */
		{"/usr/local/bin/keytrail", "/home/ada/.ssh/id_rsa", VERDICT_RECORD},
		{"/usr/libexec/keytrail/keytrail-scan", "/etc/krb5.keytab", VERDICT_RECORD},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_query query = {
			.watch = watchset_match(set, span_of(cases[i].path)),
			.action = ACTION_READ,
			.subject.exe = span_of(cases[i].exe),
			.subject.exe_trust = EXE_VERIFIED,
		};
		struct policy_answer answer;

		assert_int_not_equal(query.watch, 0);
		policy_judge(policy, &query, &answer);
		if (answer.verdict != cases[i].verdict)
			fail_msg("%s reads %s: %s", cases[i].exe, cases[i].path, answer.why);
	}
}

/* --- docs/policy.md -----------------------------------------------------------------------------
 */

static char *read_document(void)
{
	FILE *f = fopen("docs/policy.md", "r");
	char *text = calloc(1, 1 << 20);

	assert_non_null(f);
	assert_non_null(text);
	assert_true(fread(text, 1, (1 << 20) - 1, f) > 1000);
	fclose(f);
	return text;
}

static struct policy *parse_clean(const char *text, size_t len)
{
	struct diag_list diags = {0};
	struct policy *parsed = NULL;

	policy_parse("docs/policy.md", text, len, &diags, &parsed);
	if (diags.errors)
		fail_msg("%u:%u: %s", diags.items[0].line, diags.items[0].column,
			 diags.items[0].text);
	diag_list_fini(&diags);
	return parsed;
}

/* `keytrail sweep` opens the memory of all that hold keys: root's is recorded, as his scan is. */
static void root_may_sweep_memory(void **state)
{
	static const struct {
		const char *exe, *user;
		uint32_t uid;
		enum exe_trust trust;
		enum verdict verdict;
	} rows[] = {
		{"/usr/bin/keytrail", "root", 0, EXE_VERIFIED, VERDICT_RECORD},
		{"/usr/local/bin/keytrail", "root", 0, EXE_VERIFIED, VERDICT_RECORD},
		{"/usr/bin/keytrail", "root", 0, EXE_OTHER, VERDICT_ALERT},
		{"/usr/bin/keytrail", "ada", 1000, EXE_VERIFIED, VERDICT_ALERT},
		{"/root/keytrail", "root", 0, EXE_VERIFIED, VERDICT_ALERT},
		{"/usr/bin/gdb", "root", 0, EXE_VERIFIED, VERDICT_ALERT},
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct policy_query query = {
			.watch = policy_find_class(policy, CLASS_PROCESS_MEMORY),
			.action = ACTION_READ,
			.subject = {.exe = {rows[i].exe, strlen(rows[i].exe)},
				    .exe_trust = rows[i].trust,
				    .uid = rows[i].uid,
				    .loginuid = 1000,
				    .user = {rows[i].user, strlen(rows[i].user)}},
		};
		struct policy_answer answer;

		policy_judge(policy, &query, &answer);
		if (answer.verdict != rows[i].verdict)
			fail_msg("%s of %s: %s", rows[i].exe, rows[i].user, answer.why);
		query.watch = policy_find_class(policy, CLASS_SYSTEM_MEMORY);
		policy_judge(policy, &query, &answer);
		assert_int_equal(answer.verdict, VERDICT_ALERT);
	}
}

static void the_documented_example_is_valid(void **state)
{
	_cleanup_free_ char *text = read_document();
	const char *example = strstr(text, "```yaml\nversion:") + 8;

	policy_free(parse_clean(example, (size_t)(strstr(example, "```") - example)));
}

/* The documented default of each setting, put into a policy, gives the same settings as none. */
static void documented_defaults_are_the_defaults(void **state)
{
	_cleanup_free_ char *text = read_document();
	char yaml[2048] = "version: 1\nsettings:\n";
	const struct settings *a, *b;
	struct policy *with, *without;
	unsigned nr = 0;

	*strstr(text, "### A watch entry") = '\0';
	for (char *row = strstr(text, "### `settings`"); (row = strstr(row, "\n| `")); nr++) {
		char *end = strchr(++row, '\n'), *value;

		*end = '\0';
		value = strrchr(row, '`');
		*value = '\0';
		value = strrchr(row, '`') + 1;
		sprintf(yaml + strlen(yaml), "  %.*s: %s\n", (int)strcspn(row + 3, "`"), row + 3,
			value);
		*end = '\n'; /* with which the next row begins */
		row = end;
	}
	assert_true(nr >= 11); /* rows are found at all; others add theirs */
	with = parse_clean(yaml, strlen(yaml));
	without = parse_clean("version: 1\n", 11);
	a = policy_settings(with);
	b = policy_settings(without);
	assert_string_equal(a->sd_id, b->sd_id);
	assert_string_equal(a->syslog_socket, b->syslog_socket);
	assert_string_equal(a->syslog_fallback, b->syslog_fallback);
	assert_string_equal(a->jsonl, b->jsonl);
	assert_int_equal(a->cmdline, b->cmdline);
	assert_int_equal(a->reads, b->reads);
	assert_int_equal(a->alert_burst, b->alert_burst);
	assert_int_equal(a->alert_window_s, b->alert_window_s);
	assert_int_equal(a->ring_critical_kib, b->ring_critical_kib);
	assert_int_equal(a->ring_bulk_kib, b->ring_bulk_kib);
	assert_int_equal(a->marks_max, b->marks_max);
	assert_int_equal(a->canary_s, b->canary_s);
	assert_int_equal(a->memory, b->memory);
	assert_int_equal(a->scan.max_size_mib, b->scan.max_size_mib);
	assert_int_equal(a->marks_quota, b->marks_quota);
	assert_int_equal(a->refused, b->refused);
	assert_int_equal(a->journal.max_size_mib, b->journal.max_size_mib);
	assert_int_equal(a->heartbeat_s, b->heartbeat_s);
	assert_int_equal(a->trail_keep_days, b->trail_keep_days);
	policy_free(with);
	policy_free(without);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(missing_directories_are_fine),
		TEST(local_files_replace_shipped_ones),
		TEST(a_link_to_dev_null_masks),
		TEST(a_directory_that_cannot_be_read_is_told),
		TEST(a_good_file_exits_0),
		TEST(warnings_alone_exit_0),
		TEST(an_error_exits_2),
		TEST(nothing_of_a_key_that_is_named_by_mistake_is_shown),
		TEST(nothing_of_a_short_secret_is_shown_of_a_file_of_another_version),
		TEST(what_the_kernel_has_no_room_for_exits_2),
		TEST(linked_programs_are_warned_of),
		TEST(what_is_not_looked_for_is_warned_of),
		cmocka_unit_test(copies_of_keys_are_opt_in),
		cmocka_unit_test(files_belong_to_their_entries),
		cmocka_unit_test(ordinary_work_is_silent_and_the_rest_is_not),
		cmocka_unit_test(root_may_sweep_memory),
		cmocka_unit_test(the_documented_example_is_valid),
		cmocka_unit_test(documented_defaults_are_the_defaults),
	};

	return cmocka_run_group_tests(tests, load_shipped, unload_shipped);
}
