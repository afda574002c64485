// SPDX-License-Identifier: GPL-2.0-or-later
/* The small languages that doctor reads. */
#include "doctor/conf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "doctor/host.h"

static void ini_settings(void **state)
{
	static const struct {
		const char *text, *value; /* NULL: not set */
	} cases[] = {
		{"[Coredump]\nStorage=none\n", "none"},
		{"[Coredump]\n  Storage = journal  \n", "journal"},
		{"[Coredump]\nStorage=none\nStorage=external\n", "external"},
		{"[Coredump]\nStorage=\n", ""},
		{"[Coredump]\n#Storage=none\n;Storage=none\n", NULL},
		{"[Other]\nStorage=none\n", NULL},
		{"[Coredump]\n[Other]\nStorage=none\n", NULL},
		{"[Coredump]\nStorageX=none\nXStorage=none\n", NULL},
		{"[Coredump]\nOther=x \\\nStorage=none\n", NULL},
		{"[Coredump]\nStorage", NULL},
		{"Storage=none\n", NULL},
		{"", NULL},
	};
	char out[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool found = conf_ini(cases[i].text, "Coredump", "Storage", out, sizeof(out));

		assert_int_equal(found, cases[i].value != NULL);
		if (found)
			assert_string_equal(out, cases[i].value);
	}
	assert_true(conf_ini("AutoreportingEnabled = yes\n", NULL, "AutoreportingEnabled", out,
			     sizeof(out)));
	assert_string_equal(out, "yes");
}

static void shell_words_and_command_lines(void **state)
{
	char out[64];

	assert_true(conf_shell("# NFS=\"no\"\nNFS=\"h:/a b\" # x\n", "NFS", out, sizeof(out)));
	assert_string_equal(out, "h:/a b");
	assert_true(conf_shell("export SSH='u@h'\n", "SSH", out, sizeof(out)));
	assert_string_equal(out, "u@h");
	assert_true(conf_shell("A=1 B=2\n", "A", out, sizeof(out)));
	assert_string_equal(out, "1");
	assert_false(conf_shell("AB=1\n", "A", out, sizeof(out)));
	assert_true(conf_shell("A=\"unclosed\n", "A", out, sizeof(out)));
	assert_string_equal(out, "unclosed");
	assert_true(conf_word("#nfs x\nnfs  h:/x\n", "nfs", out, sizeof(out)));
	assert_string_equal(out, "h:/x");
	assert_false(conf_word("nfsx y\n", "nfs", out, sizeof(out)));
	assert_true(conf_cmdline("root=/dev/a resume=/dev/b quiet\n", "resume", out, sizeof(out)));
	assert_string_equal(out, "/dev/b");
	assert_false(conf_cmdline("noresume resumewait\n", "resume", out, sizeof(out)));
}

static void ages_of_tmpfiles(void **state)
{
	static const char text[] = "d /var/lib/systemd/coredump 0755 root root 3d\n"
				   "d /var/lib/systemd/coredump/x 0755 root root 9d\n"
				   "L /var/crash - - - - /x\nD /srv/cores 0700 root root -\n";
	char age[16];

	assert_true(conf_tmpfiles(text, "/var/lib/systemd/coredump", age, sizeof(age)));
	assert_string_equal(age, "3d");
	assert_true(conf_tmpfiles(text, "/srv/cores", age, sizeof(age)));
	assert_string_equal(age, "-");
	assert_false(conf_tmpfiles(text, "/var/crash", age, sizeof(age)));
	assert_true(conf_tmpfiles("d /a\n", "/a", age, sizeof(age)));
	assert_string_equal(age, "");
}

static void logs_that_leave(void **state)
{
	static const struct {
		const char *line;
		bool remote;
	} cases[] = {
		{"*.* @@log.example.org:6514", true},
		{"auth.*\t@10.0.0.1", true},
		{"*.* action(type=\"omfwd\" target=\"h\")", true},
		{"action(type=\"omrelp\" target=\"h\")", true},
		{"destination d { network(\"h\" port(514)); };", true},
		{"module(load=\"omfwd\")", false},
		{"# *.* @@log.example.org", false},
		{"*.* -/var/log/syslog", false},
		{"source s { network(); };", false},
		{"mail.* user@host", false},
		{"", false},
	};
	char out[128];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(conf_syslog_remote(cases[i].line, out, sizeof(out)),
				 cases[i].remote);
}

static void the_mount_of_a_path(void **state)
{
	static const char text[] = "1 0 8:1 / / rw shared:1 - ext4 /dev/sda1 rw\n"
				   "2 1 0:40 / /srv/a\\040b rw,noexec - nfs4 host:/x rw\n"
				   "3 1 0:41 / /srv rw - tmpfs none rw\n"
				   "4 1 0:42 / /srv rw - cifs //h/x rw\n"
				   "broken line\n5 1 x / /home rw - nfs h rw\n";
	struct mount mount;

	assert_true(conf_mount_of(text, "/srv/a b/core", &mount));
	assert_string_equal(mount.type, "nfs4");
	assert_true(conf_mount_of(text, "/srv/x", &mount));
	assert_string_equal(mount.type, "cifs"); /* the one on top */
	assert_true(conf_mount_of(text, "/srvx", &mount));
	assert_string_equal(mount.path, "/");
	assert_int_equal(mount.major, 8);
	assert_string_equal(mount.source, "/dev/sda1");
	assert_true(conf_mount_of(text, "/home/u", &mount));
	assert_string_equal(mount.type, "ext4");
	assert_false(conf_mount_of("", "/", &mount));
	assert_true(conf_mount_remote("nfs4"));
	assert_true(conf_mount_remote("fuse.sshfs"));
	assert_false(conf_mount_remote("ext4"));
	assert_false(conf_mount_remote("tmpfs"));
}

#define ENTRY(tag, perm, id) \
	(tag), 0, (perm), 0, (id)&0xff, (id) >> 8 & 0xff, (id) >> 16 & 0xff, (id) >> 24 & 0xff

static void acls(void **state)
{
	static const uint8_t open[] = {2,
				       0,
				       0,
				       0,
				       ENTRY(0x01, 7, ~0u),
				       ENTRY(0x02, 4, 1000),
				       ENTRY(0x08, 5, 50),
				       ENTRY(0x02, 2, 77),
				       ENTRY(0x10, 7, ~0u)};
	static const uint8_t masked[] = {2, 0, 0, 0, ENTRY(0x02, 4, 1000), ENTRY(0x10, 2, ~0u)};
	struct acl acl;

	assert_int_equal(conf_acl(open, sizeof(open), &acl), 0);
	assert_int_equal(acl.nr, 2);
	assert_int_equal(acl.named[0].id, 1000);
	assert_false(acl.named[0].group);
	assert_int_equal(acl.named[1].id, 50);
	assert_true(acl.named[1].group);
	assert_int_equal(conf_acl(masked, sizeof(masked), &acl), 0);
	assert_int_equal(acl.nr, 0);
	assert_int_equal(conf_acl(open, 5, &acl), -EBADMSG);
	assert_int_equal(conf_acl(open + 1, 4, &acl), -EBADMSG);
	assert_int_equal(conf_acl(NULL, 0, &acl), -EBADMSG);
}

static void who_is_told_the_core_limit(void **state)
{
	assert_true(
		core_pattern_tells_limit("|/lib/systemd/systemd-coredump %P %u %g %s %t %c %h"));
	assert_true(core_pattern_tells_limit("core.%c"));
	/* Debian 12's */
	assert_false(core_pattern_tells_limit(
		"|/lib/systemd/systemd-coredump %P %u %g %s %t 9223372036854775808 %h %d"));
	assert_false(core_pattern_tells_limit("core.%%c"));
	assert_false(core_pattern_tells_limit("core.%"));
	assert_false(core_pattern_tells_limit(""));
}

static void kinds_of_core_pattern(void **state)
{
	static const struct {
		const char *pattern;
		enum core_kind kind;
		const char *dir;
	} cases[] = {
		{"core", CORE_RELATIVE, ""},
		{"", CORE_NOWHERE, ""},
		{"/dev/null", CORE_NOWHERE, ""},
		{"|/bin/false", CORE_NOWHERE, ""},
		{"/var/crash/core.%e.%p", CORE_FILE, "/var/crash"},
		{"/var/crash/%u/core", CORE_FILE, "/var/crash"},
		{"/core.%p", CORE_FILE, "/"},
		{"|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h", CORE_SYSTEMD, ""},
		{"|/lib/systemd/systemd-coredump", CORE_SYSTEMD, ""},
		{"|/usr/share/apport/apport -p%p", CORE_APPORT, ""},
		{"|/usr/libexec/abrt-hook-ccpp %s", CORE_ABRT, ""},
		{"|/opt/x/collect %p", CORE_HELPER, ""},
		{"|/opt/systemd-coredump/x", CORE_HELPER, ""},
		{"@/run/coredump.sock", CORE_SOCKET, ""},
	};
	char dir[64];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(core_pattern_kind(cases[i].pattern, dir, sizeof(dir)),
				 cases[i].kind);
		assert_string_equal(dir, cases[i].dir);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ini_settings),
		cmocka_unit_test(shell_words_and_command_lines),
		cmocka_unit_test(ages_of_tmpfiles),
		cmocka_unit_test(logs_that_leave),
		cmocka_unit_test(the_mount_of_a_path),
		cmocka_unit_test(acls),
		cmocka_unit_test(who_is_told_the_core_limit),
		cmocka_unit_test(kinds_of_core_pattern),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
