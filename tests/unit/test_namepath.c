// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/namepath: the whole path of a name that was written from anywhere. */
#include "watch/namepath.h"

#include <errno.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "base/cleanup.h"

static void names_become_paths(void **state)
{
	static const struct {
		const char *dir, *name, *path;
	} cases[] = {
		{"/", "/home/a/.ssh/id", "/home/a/.ssh/id"},
		{"/", "home/a", "/home/a"},
		{"/home/a", "id", "/home/a/id"},
		{"/home/a", "./id", "/home/a/id"},
		{"/home/a", ".//.///id", "/home/a/id"},
		{"/home/a/b", "../id", "/home/a/id"},
		{"/home/a/b", "../../../../id", "/id"},
		{"/home/a", "b/../c/../id", "/home/a/id"},
		{"/home/a", "..id", "/home/a/..id"},
		{"/home/a", ".id", "/home/a/.id"},
		{"/home/a", "...", "/home/a/..."},
		{"/srv/root", "/etc/ssh/key", "/srv/root/etc/ssh/key"}, /* chroot */
		{"", "id", "/id"},
		{"/", "..", "/"},
		{"/", "", "/"},
		{"", "", "/"},
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int len = name_path(span_of(cases[i].dir), span_of(cases[i].name), path,
				    sizeof(path));

		assert_int_equal(len, strlen(cases[i].path));
		assert_string_equal(path, cases[i].path);
	}
}

static void what_does_not_fit_is_an_error(void **state)
{
	char path[8] = "";

	assert_int_equal(name_path(span_of("/"), span_of("abcdef"), path, sizeof(path)), 7);
	assert_string_equal(path, "/abcdef");
	assert_int_equal(name_path(span_of("/"), span_of("abcdefg"), path, sizeof(path)),
			 -ENAMETOOLONG);
	assert_int_equal(name_path(span_of("/abcdefg"), span_of("x"), path, sizeof(path)),
			 -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_become_paths),
		cmocka_unit_test(what_does_not_fit_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
