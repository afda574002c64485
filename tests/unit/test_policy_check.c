// SPDX-License-Identifier: GPL-2.0-or-later
/* Which files are the policy, and what `keytrail policy check` says of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "policy/check.h"
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
		TEST(what_the_kernel_has_no_room_for_exits_2),
		TEST(linked_programs_are_warned_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
