// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The policy that is shipped (policy/, so to be run from the top of the tree): it is free of
 * warnings, watches what it is meant to, and leaves ordinary work alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "policy/check.h"
#include "policy/watchset.h"

static const char *const homes[] = {"/root", "/home/ada"};

static struct policy *policy;
static struct watchset *set;

static int load(void **state)
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

static int unload(void **state)
{
	watchset_free(set);
	policy_free(policy);
	return 0;
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
		{"/home/ada/.ssh/agent/s.1", NULL},
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
		{"/home/ada/.config/chromium/Default/Login Data", NULL},
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
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct policy_query query = {
			.watch = watchset_match(set, span_of(cases[i].path)),
			.action = ACTION_READ,
			.exe = span_of(cases[i].exe),
			.exe_trust = EXE_VERIFIED,
		};
		struct policy_answer answer;

		assert_int_not_equal(query.watch, 0);
		policy_judge(policy, &query, &answer);
		if (answer.verdict != cases[i].verdict)
			fail_msg("%s reads %s: %s", cases[i].exe, cases[i].path, answer.why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_belong_to_their_entries),
		cmocka_unit_test(ordinary_work_is_silent_and_the_rest_is_not),
	};

	return cmocka_run_group_tests(tests, load, unload);
}
