// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths out of configurations: what a line names, what is left alone, and who reads which file. */
#include "cli/discover.c"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "keymaker.h"
#include "tmpdir.h"

static const struct discover_kind *kind_of(const char *word)
{
	for (size_t i = 0; discover_kinds[i].files; i++)
		if (!strcmp(discover_kinds[i].word, word))
			return &discover_kinds[i];
	fail_msg("no kind %s", word);
	return NULL;
}

static void lines_name_paths(void **state)
{
	static const struct {
		const char *word, *line, *path; /* path NULL: none */
		bool unclear;
	} cases[] = {
		{"HostKey", "HostKey /etc/ssh/k", "/etc/ssh/k", false},
		{"HostKey", "  hostkey=/etc/ssh/k\n", "/etc/ssh/k", false},
		{"HostKey", "HostKey \"/etc/my keys/k\" # old", "/etc/my keys/k", false},
		{"HostKey", "#HostKey /etc/ssh/k", NULL, false},
		{"HostKey", "HostKeyAlgorithms ssh-rsa", NULL, false},
		{"HostKey", "XHostKey /k", NULL, false},
		{"HostKey", "Match user a HostKey /k", NULL, false},
		{"HostKey", "HostKey", NULL, false},
		{"HostKey", "HostKey none", NULL, false},
		{"HostKey", "HostKey rel", "/etc/ssh/rel", false},
		{"IdentityFile", "IdentityFile ~/.ssh/work", "/home/ada/.ssh/work", false},
		{"IdentityFile", "\tIdentityFile %d/k", "/home/ada/k", false},
		{"IdentityFile", "IdentityFile /k/%h", "/k/%h", true},
		{"IdentityFile", "IdentityFile /k/../x", "/k/../x", true},
		{"ssl_certificate_key", "server { ssl_certificate_key ssl/a.key; }",
		 "/etc/nginx/ssl/a.key", false},
		{"ssl_certificate_key", "ssl_certificate_key /k/$ssl_server_name.key;",
		 "/k/$ssl_server_name.key", true},
		{"ssl_certificate_key", "ssl_certificate /k/a.crt;", NULL, false},
		{"ssl_certificate_key", "a; # ssl_certificate_key /k;", NULL, false},
		{"SSLCertificateKeyFile", "  SSLCertificateKeyFile '/k/a b.key'", "/k/a b.key",
		 false},
		{"crt", "bind :443 ssl crt /k/site.pem alpn h2", "/k/site.pem", false},
		{"smtpd_tls_key_file", "smtpd_tls_key_file = /k/mail.key", "/k/mail.key", false},
		{"smtpd_tls_key_file", "smtpd_tls_key_file = ${config_directory}/k",
		 "/etc/postfix/${config_directory}/k", true},
		{"ssl_key", "ssl_key = </etc/dovecot/private/k", "/etc/dovecot/private/k", false},
		{"client-key:", "    client-key: /k/c.key", "/k/c.key", false},
		{"client-key:", "    client-key-data: AAAA", NULL, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[PATH_MAX] = "";
		const char *unclear = NULL;
		bool found = discover_line(kind_of(cases[i].word), cases[i].line, "/dir",
					   "/home/ada", out, sizeof(out), &unclear);

		if (found != !!cases[i].path || (found && strcmp(out, cases[i].path)) ||
		    (found && !unclear != !cases[i].unclear))
			fail_msg("%s: %s %s", cases[i].line, out, unclear ? unclear : "");
	}
}

static void core_patterns_are_patterns_of_paths(void **state)
{
	static const struct {
		const char *core, *pattern, *sample;
	} cases[] = {
		{"core", NULL, NULL},
		{"|/usr/lib/systemd/systemd-coredump %P", NULL, NULL},
		{"@/run/x.socket", NULL, NULL},
		{"/cores/core\n", "/cores/core*", "/cores/core"},
		{"/cores/%e.%p.core\n", "/cores/*.*.core*", "/cores/7.7.core"},
		{"/c/%%a[%e%p", "/c/%a\\[*", "/c/%a[77"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char out[256], sample[256];
		bool found = discover_core_pattern(cases[i].core, out, sample, sizeof(out));

		assert_int_equal(found, !!cases[i].pattern);
		if (!found)
			continue;
		assert_string_equal(out, cases[i].pattern);
		assert_string_equal(sample, cases[i].sample);
	}
}

static void note(void *ctx, const struct discovered *found)
{
	fprintf(ctx, "%s|%s|%s:%u|%s\n", found->path, found->watch, found->file, found->line,
		found->unclear ? "unclear" : "");
}

static void files_of_the_host_and_of_homes_are_read(void **state)
{
	const char *dir = *state;
	_cleanup_free_ char *text = NULL, *home = NULL;
	char expected[4096];
	size_t size;
	FILE *f = open_memstream(&text, &size);

	shell(dir, NULL, 0,
	      "umask 022; mkdir -p etc/ssh/sshd_config.d etc/nginx/sites-available "
	      "etc/nginx/sites-enabled home/ada/.ssh home/ada/.kube keys;"
	      "echo x >keys/real; ln -s real keys/link;"
	      "printf 'Port 22\\nHostKey %%s/keys/link\\n' \"$PWD\" >etc/ssh/sshd_config;"
	      "echo 'HostKey /odd' >etc/ssh/sshd_config.d/a.conf;"
	      "chmod 666 etc/ssh/sshd_config.d/a.conf;"
	      "echo 'ssl_certificate_key /k/site.key;' >etc/nginx/sites-available/a;"
	      "ln -s ../sites-available/a etc/nginx/sites-enabled/a;"
	      "printf 'Host a\\n IdentityFile ~/.ssh/work\\n' >home/ada/.ssh/config;"
	      "printf 'users:\\n- user:\\n    client-key: c.key\\n' >home/ada/.kube/config");
	assert_true(asprintf(&home, "%s/home/ada", dir) > 0);
	assert_int_equal(discover_all(dir, (const char *const *)&home, 1, note, f), 0);
	fclose(f);
	snprintf(expected, sizeof(expected),
		 "%s/keys/real|ssh-host-keys|%s/etc/ssh/sshd_config:2|\n"
		 "%s"
		 "/k/site.key|tls-private|%s/etc/nginx/sites-enabled/a:1|\n"
		 "%s/.ssh/work|ssh-user-keys|%s/.ssh/config:2|\n"
		 "%s/.kube/c.key|user-kubeconfigs|%s/.kube/config:3|\n",
		 dir, dir,
		 /* What others can write root does not read. */
		 geteuid() == 0 ? "" : "/odd|ssh-host-keys|...", dir, home, home, home, home);
	if (geteuid() == 0)
		assert_string_equal(text, expected);
	else
		assert_non_null(strstr(text, "/.ssh/work|ssh-user-keys|"));
}

/* A home that is another user's is read as that user: what only root can read stays unread. */
static void a_home_is_read_as_its_owner(void **state)
{
	const char *dir = *state;
	_cleanup_free_ char *text = NULL, *home = NULL;
	size_t size;
	FILE *f;

	if (geteuid() != 0)
		skip();
	chmod(dir, 0755);
	shell(dir, NULL, 0,
	      "umask 022; mkdir -p home/.ssh home/.kube; echo 'IdentityFile /a' >home/.ssh/config;"
	      "echo 'client-key: /secret' >home/.kube/config;"
	      "chown -R 65534:65534 home; chown 0:0 home/.kube/config; chmod 600 home/.kube/config");
	assert_true(asprintf(&home, "%s/home", dir) > 0);
	f = open_memstream(&text, &size);
	assert_int_equal(discover_all("/nonexistent", (const char *const *)&home, 1, note, f), 0);
	fclose(f);
	assert_non_null(strstr(text, "/a|ssh-user-keys|"));
	assert_null(strstr(text, "/secret"));
}

static void what_the_child_says_is_checked(void **state)
{
	char answer[] = "99\t1\t0\tf\t/p\n"
			"x\n"
			"2\t1\t0\tf\n"
			"\t\t\t\t\n"
			"0\t7\t0\tfile\t/good\n";
	_cleanup_free_ char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	const struct finder finder = {note, f};

	take_answer(answer, &finder);
	fclose(f);
	assert_string_equal(text, "/good|ssh-host-keys|file:7|\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_name_paths),
		cmocka_unit_test(core_patterns_are_patterns_of_paths),
		TEST(files_of_the_host_and_of_homes_are_read),
		TEST(a_home_is_read_as_its_owner),
		cmocka_unit_test(what_the_child_says_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
