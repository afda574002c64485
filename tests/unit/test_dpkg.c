// SPDX-License-Identifier: GPL-2.0-or-later
/* Which package a file belongs to. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tmpdir.h"
#include "trust/digest.h"
#include "trust/dpkg.h"

#define SUM_A "0123456789abcdef0123456789abcdef"
#define SUM_B "ffffffffffffffffffffffffffffffff"

static const char *dir;

static void write_file(const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "we");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static int setup(void **state)
{
	if (tmpdir_make(state))
		return -1;
	dir = *state;
	write_file("client.md5sums", SUM_A "  usr/bin/ssh\n" SUM_B "  usr/bin/scp\n");
	write_file("old:amd64.md5sums",
		   SUM_A "  bin/old\n" SUM_B "  usr/share/bin/none\n" SUM_A "  usr/bin/two");
	write_file("client.list", "/usr/bin/listed\n");
	write_file("bad.md5sums", "usr/bin/ssh\nx  usr/bin/bad\n" SUM_A " usr/bin/bad\n" SUM_A
				  "  usr/bin/badly\nzz" SUM_A "  usr/bin/bad\n");
	write_file("diverter.md5sums", SUM_B "  usr/bin/ssh\n");
	return 0;
}

static void files_are_found_as_their_packages_list_them(void **state)
{
	static const struct {
		const char *path, *md5, *package;
		enum package_state state;
	} cases[] = {
		/* Also listed by another, with another sum: who diverts has moved its own away. */
		{"/usr/bin/ssh", SUM_A, "client", PACKAGE_INTACT},
		{"/usr/bin/scp", SUM_B, "client", PACKAGE_INTACT},
		{"/usr/bin/scp", SUM_A, "client", PACKAGE_MODIFIED},
		{"/usr/bin/old", SUM_A, "old:amd64", PACKAGE_INTACT}, /* before /usr was merged */
		{"/usr/bin/two", SUM_A, "old:amd64",
		 PACKAGE_INTACT}, /* the last line, unfinished */
		{"/usr/bin/none", SUM_B, "", PACKAGE_NONE},
		{"/usr/bin/ss", SUM_A, "", PACKAGE_NONE},
		{"/usr/bin/listed", SUM_A, "", PACKAGE_NONE}, /* without a sum: not verified */
		{"/usr/bin/bad", SUM_A, "", PACKAGE_NONE},
		{"/opt/x", SUM_A, "", PACKAGE_NONE},
		{"memfd:x", SUM_A, "", PACKAGE_NONE},
		{"", SUM_A, "", PACKAGE_NONE},
	};
	enum package_state found;
	char package[PACKAGE_MAX];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		dpkg_find(dir, cases[i].path, cases[i].md5, package, &found);
		if (found != cases[i].state || strcmp(package, cases[i].package))
			fail_msg("%s: %d, '%s'", cases[i].path, found, package);
	}
}

static void without_a_database_nothing_is_said(void **state)
{
	enum package_state found;
	char package[PACKAGE_MAX];

	dpkg_find("/nonexistent", "/usr/bin/ssh", SUM_A, package, &found);
	assert_int_equal(found, PACKAGE_UNKNOWN);
	assert_string_equal(package, "");
}

static void a_digest_is_what_sha256sum_prints(void **state)
{
	char path[256], sha256[DIGEST_TEXT], md5[DIGEST_MD5];
	int fd;

	write_file("abc", "abc");
	snprintf(path, sizeof(path), "%s/abc", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(digest_file(fd, 3, sha256, md5), 0);
	assert_string_equal(
		sha256, "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_string_equal(md5, "900150983cd24fb0d6963f7d28e17f72");
	assert_int_equal(digest_file(fd, 2, sha256, md5), -EFBIG);
	close(fd);
	assert_int_equal(digest_file(-1, 2, sha256, md5), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_are_found_as_their_packages_list_them),
		cmocka_unit_test(without_a_database_nothing_is_said),
		cmocka_unit_test(a_digest_is_what_sha256sum_prints),
	};

	return cmocka_run_group_tests(tests, setup, tmpdir_clean);
}
