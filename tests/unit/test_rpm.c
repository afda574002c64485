// SPDX-License-Identifier: GPL-2.0-or-later
/* Packages of rpm: by the real child on a real database, and what is believed of a child. */
#include "trust/rpm.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "tmpdir.h"
#include "trust/rpm-answer.h"

#define ABC_SHA256 "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC_MD5	   "900150983cd24fb0d6963f7d28e17f72"
#define X_SHA256   "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define X_MD5	   "00000000000000000000000000000000"

/* keytrail-rpm of the build that this test belongs to; not there if that was without librpm. */
static const char *program(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);

	assert_true(n > 0);
	path[n] = '\0';
	for (int i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	strcat(path, "/keytrail-rpm");
	return path;
}

static bool has(const char *tool)
{
	char command[128];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", tool);
	return system(command) == 0;
}

static void write_file(const char *path, const char *text, mode_t mode)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static void run(const char *fmt, ...)
{
	_cleanup_free_ char *command = NULL;
	va_list ap;

	va_start(ap, fmt);
	assert_true(vasprintf(&command, fmt, ap) > 0);
	va_end(ap);
	if (system(command) != 0)
		fail_msg("failed: %s", command);
}

/* A database with two packages: what is in them is "abc" throughout. They are put into the database
 * alone. */
static bool make_database(void **state)
{
	static const char spec[] =
		"Name: kt-tool\nVersion: 1\nRelease: 1\nSummary: t\nLicense: MIT\nBuildArch: noarch\n"
		"%%global _binary_filedigest_algorithm %d\n"
		"%%define _build_id_links none\n"
		"%%description\nt\n"
		"%%package -n NetworkThing_x\nSummary: t\n%%description -n NetworkThing_x\nt\n"
		"%%install\nmkdir -p %%{buildroot}/opt/kt-tool/bin %%{buildroot}/etc/kt-tool\n"
		"for i in bin/tool bin/other bin/shared; do "
		"printf abc >%%{buildroot}/opt/kt-tool/$i; done\n"
		"printf abc >%%{buildroot}/etc/kt-tool/conf\n"
		"ln -s tool %%{buildroot}/opt/kt-tool/bin/link\n"
		"%%files\n/opt/kt-tool/bin/tool\n/opt/kt-tool/bin/shared\n/opt/kt-tool/bin/link\n"
		"%%config(noreplace) /etc/kt-tool/conf\n%%ghost /opt/kt-tool/ghost\n"
		"%%files -n NetworkThing_x\n/opt/kt-tool/bin/other\n/opt/kt-tool/bin/shared\n";
	const char *dir = *state;

	if (access(program(), X_OK) < 0 || !has("rpmbuild") || !has("rpm"))
		return false;
	assert_int_equal(chmod(dir, 0755), 0); /* for who is nobody */
	for (int algorithm = 1; algorithm <= 8; algorithm += 7) {
		char text[2048];

		snprintf(text, sizeof(text), spec, algorithm);
		write_file(tmpdir_path(state, "t.spec"), text, 0644);
		run("cd %s && HOME=%s rpmbuild -bb --define '_topdir %s/top' --define '_rpmdir %s/rpms%d' "
		    "t.spec >build.log 2>&1 || { cat build.log; exit 1; }",
		    dir, dir, dir, dir, algorithm);
		run("mkdir -p %s/db%d && cd %s && HOME=%s rpm --dbpath %s/db%d --justdb --nodeps "
		    "-i rpms%d/noarch/*.rpm >/dev/null 2>&1",
		    dir, algorithm, dir, dir, dir, algorithm, algorithm);
	}
	return true;
}

static struct rpm_reader reader_at(const char *const *dirs)
{
	return (struct rpm_reader){.program = program(), .dirs = dirs, .timeout_ms = 60000};
}

static void what_is_installed_is_told_from_what_is_not(void **state)
{
	static const struct {
		const char *path, *sha256, *md5, *package;
		enum package_state state;
	} rows[] = {
		{"/opt/kt-tool/bin/tool", ABC_SHA256, ABC_MD5, "kt-tool:noarch", PACKAGE_INTACT},
		{"/opt/kt-tool/bin/tool", X_SHA256, X_MD5, "kt-tool:noarch", PACKAGE_MODIFIED},
		{"/opt/kt-tool/bin/other", ABC_SHA256, ABC_MD5, "NetworkThing_x:noarch",
		 PACKAGE_INTACT},
		{"/opt/kt-tool/bin/nothing", ABC_SHA256, ABC_MD5, "", PACKAGE_NONE},
		{"/opt/kt-tool/bin", ABC_SHA256, ABC_MD5, "", PACKAGE_NONE},
		{"/nowhere/tool", ABC_SHA256, ABC_MD5, "", PACKAGE_NONE},
		{"/etc/kt-tool/conf", ABC_SHA256, ABC_MD5, "kt-tool:noarch", PACKAGE_INTACT},
		{"/etc/kt-tool/conf", X_SHA256, X_MD5, "kt-tool:noarch", PACKAGE_MODIFIED},
		/* Nobody installed its content. */
		{"/opt/kt-tool/ghost", ABC_SHA256, ABC_MD5, "kt-tool:noarch", PACKAGE_MODIFIED},
	};

	if (!make_database(state))
		skip();
	for (int algorithm = 1; algorithm <= 8; algorithm += 7) {
		char dir[PATH_MAX];
		const char *const dirs[] = {"/nonexistent", dir, NULL};
		const struct rpm_reader reader = reader_at(dirs);

		snprintf(dir, sizeof(dir), "%s/db%d", (const char *)*state, algorithm);
		assert_int_equal(rpm_state(&reader), RPM_READ);
		for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
			enum package_state found = PACKAGE_PENDING;
			char package[PACKAGE_MAX];
			int r = rpm_find(&reader, rows[i].path, rows[i].sha256, rows[i].md5,
					 package, &found);

			if (r || found != rows[i].state || strcmp(package, rows[i].package) != 0)
				fail_msg("%s by %d: %d, %s, '%s'", rows[i].path, algorithm, r,
					 package_state_str(found), package);
		}
	}
}

/* What cannot be read must not be "no package has such a file". */
static void a_broken_database_is_no_answer(void **state)
{
	static const char *const breaks[] = {
		"printf 'no database at all, but long enough' >$D/rpmdb.sqlite",
		": >$D/rpmdb.sqlite",
		"truncate -s 6000 $D/rpmdb.sqlite",
		"dd if=/dev/urandom of=$D/rpmdb.sqlite bs=4096 seek=1 count=40 conv=notrunc status=none",
		"chmod 0600 $D/rpmdb.sqlite; chown 0 $D/rpmdb.sqlite",
		"rm $D/rpmdb.sqlite*; echo x >$D/Packages.db", /* Debian's librpm cannot read it */
		"rm $D/rpmdb.sqlite*; echo x >$D/Packages",
	};
	char dir[PATH_MAX];
	const char *const dirs[] = {dir, NULL};

	if (!make_database(state))
		skip();
	snprintf(dir, sizeof(dir), "%s/broken", (const char *)*state);
	for (size_t i = 0; i < ARRAY_SIZE(breaks); i++) {
		const struct rpm_reader reader = reader_at(dirs);
		enum package_state found = PACKAGE_PENDING;
		char package[PACKAGE_MAX] = "untouched";
		int r;

		if (i == 4 && getuid() != 0)
			continue;
		run("rm -rf %s; cp -a %s/db8 %s; D=%s; %s", dir, (const char *)*state, dir, dir,
		    breaks[i]);
		r = rpm_find(&reader, "/opt/kt-tool/bin/tool", ABC_SHA256, ABC_MD5, package,
			     &found);
		if (r != -EIO)
			fail_msg("'%s': %d, %s, %s", breaks[i], r, package_state_str(found),
				 package);
		assert_string_equal(package, "untouched");
		assert_int_equal(found, PACKAGE_PENDING);
	}
}

static int ask_stand_in(void **state, const char *script, int timeout_ms,
			char package[static PACKAGE_MAX], enum package_state *out_state)
{
	char stand_in[PATH_MAX];
	const char *const dirs[] = {*state, NULL};
	const struct rpm_reader reader = {.program = stand_in,
					  .dirs = dirs,
					  .timeout_ms = timeout_ms};

	snprintf(stand_in, sizeof(stand_in), "%s/stand-in", (const char *)*state);
	if (script)
		write_file(stand_in, script, 0755);
	else
		unlink(stand_in);
	return rpm_find(&reader, "/x", ABC_SHA256, ABC_MD5, package, out_state);
}

static void a_child_is_not_believed_what_it_cannot_know(void **state)
{
	static const struct {
		const char *script;
		int error;
	} rows[] = {
		{NULL, -ENOSYS},
		{"#!/bin/sh\n", -EBADMSG},
		{"#!/bin/sh\necho hello\n", -EBADMSG},
		{"#!/bin/sh\nkill -SEGV $$\n", -EBADMSG},
		{"#!/bin/sh\nexec /usr/bin/head -c 100000 /dev/zero\n", -EBADMSG},
		{"#!/bin/sh\nexec /usr/bin/cat \"$1/answer\"\n", -EBADMSG},
	};
	enum package_state found = PACKAGE_PENDING;
	char package[PACKAGE_MAX] = "untouched";

	write_file(tmpdir_path(state, "rpmdb.sqlite"), "", 0644);
	write_file(tmpdir_path(state, "answer"), "", 0644);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int r = ask_stand_in(state, rows[i].script, 60000, package, &found);

		if (r != rows[i].error)
			fail_msg("%s: %d", rows[i].script, r);
	}
	assert_string_equal(package, "untouched");
	assert_int_equal(ask_stand_in(state, "#!/bin/sh\nexec /usr/bin/sleep 1000\n", 200, package,
				      &found),
			 -ETIMEDOUT);
}

static void put_answer(void **state, const struct rpm_answer *answer)
{
	FILE *f = fopen(tmpdir_path(state, "answer"), "we");

	assert_non_null(f);
	assert_int_equal(fwrite(answer, sizeof(*answer), 1, f), 1);
	assert_int_equal(fclose(f), 0);
}

static void of_an_answer_each_part_is_checked(void **state)
{
	static const char cat[] = "#!/bin/sh\nexec /usr/bin/cat \"$1/answer\"\n";
	const struct rpm_answer good = {
		.magic = RPM_ANSWER_MAGIC,
		.nr = 3,
		.owners = {{.package = "a:i686", .digest = "00", .algorithm = RPM_SHA256},
			   {.package = "b:x86_64", .digest = ABC_MD5, .algorithm = RPM_MD5},
			   {.package = "c", .digest = "00", .algorithm = 2}},
	};
	struct rpm_answer bad;
	enum package_state found;
	char package[PACKAGE_MAX];

	write_file(tmpdir_path(state, "rpmdb.sqlite"), "", 0644);
	put_answer(state, &good);
	assert_int_equal(ask_stand_in(state, cat, 60000, package, &found), 0);
	assert_string_equal(package, "b:x86_64"); /* which has this content */
	assert_int_equal(found, PACKAGE_INTACT);
	bad = good;
	bad.owners[1].algorithm = 10; /* a hash that nobody has made: not known, and no worse */
	put_answer(state, &bad);
	assert_int_equal(ask_stand_in(state, cat, 60000, package, &found), 0);
	assert_string_equal(package, "a:i686");
	assert_int_equal(found, PACKAGE_MODIFIED);
	for (int i = 0; i < 7; i++) {
		bad = good;
		switch (i) {
		case 0:
			bad.magic++;
			break;
		case 1:
			bad.nr = RPM_OWNERS_MAX + 1;
			break;
		case 2:
			memset(bad.owners[0].package, 'a', sizeof(bad.owners[0].package));
			break;
		case 3:
			strcpy(bad.owners[2].package, "c\n");
			break;
		case 4:
			bad.owners[2].package[0] = '\0';
			break;
		case 5:
			strcpy(bad.owners[0].digest, "0X");
			break;
		default:
			bad.error = 1;
		}
		put_answer(state, &bad);
		assert_int_equal(ask_stand_in(state, cat, 60000, package, &found), -EBADMSG);
	}
}

static void a_host_without_rpm_asks_nobody(void **state)
{
	const char *const dirs[] = {*state, NULL};
	const struct rpm_reader reader = {.program = "/nonexistent", .dirs = dirs};
	enum package_state found = PACKAGE_PENDING;
	char package[PACKAGE_MAX];

	assert_int_equal(rpm_state(&reader), RPM_NONE);
	assert_int_equal(rpm_find(&reader, "/x", ABC_SHA256, ABC_MD5, package, &found), -ENOENT);
	write_file(tmpdir_path(state, "rpmdb.sqlite"), "", 0644);
	assert_int_equal(rpm_state(&reader), RPM_NO_READER);
	assert_int_equal(rpm_find(&reader, "/x", ABC_SHA256, ABC_MD5, package, &found), -ENOSYS);
	assert_int_equal(found, PACKAGE_PENDING);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(what_is_installed_is_told_from_what_is_not),
		TEST(a_broken_database_is_no_answer),
		TEST(a_child_is_not_believed_what_it_cannot_know),
		TEST(of_an_answer_each_part_is_checked),
		TEST(a_host_without_rpm_asks_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
