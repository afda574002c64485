// SPDX-License-Identifier: GPL-2.0-or-later
/* engine/programs.c: what is known of executables, and which of them is forgotten. */
#include "engine/programs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

static void set(struct programs *programs, uint64_t ino, uint32_t gen, const char *package)
{
	const struct event_program program = {
		.inode = {.ino = ino, .dev = 5, .gen = gen},
		.state = PACKAGE_INTACT,
		.package = span_of(package),
		.digest = span_of("sha256:00"),
		.verity = span_of("sha512:01"),
	};

	programs_set(programs, &program);
}

static const struct program *find(const struct programs *programs, uint64_t ino, uint32_t gen)
{
	const struct inode_id id = {.ino = ino, .dev = 5, .gen = gen};

	return programs_find(programs, &id);
}

static void the_last_word_counts(void **state)
{
	struct programs *programs = programs_new();

	assert_null(find(programs, 1, 1));
	set(programs, 1, 1, "a");
	set(programs, 1, 2, "b"); /* the number again: another file */
	set(programs, 1, 1, "c");
	assert_string_equal(find(programs, 1, 1)->package, "c");
	assert_string_equal(find(programs, 1, 1)->digest, "sha256:00");
	assert_string_equal(find(programs, 1, 1)->verity, "sha512:01");
	assert_string_equal(find(programs, 1, 2)->package, "b");
	programs_free(programs);
}

static void what_holds_no_longer_is_not_known(void **state)
{
	struct programs *programs = programs_new();
	struct event_program pending = {.inode = {.ino = 1, .gen = 1}, .state = PACKAGE_PENDING};

	set(programs, 1, 1, "a");
	pending.inode.dev = find(programs, 1, 1)->inode.dev;
	programs_set(programs, &pending);
	assert_null(find(programs, 1, 1));
	set(programs, 1, 1, "b");
	assert_string_equal(find(programs, 1, 1)->package, "b");
	programs_free(programs);
}

static void the_oldest_gives_way(void **state)
{
	struct programs *programs = programs_new();

	for (uint64_t i = 0; i < 3 * PROGRAMS_MAX + 7; i++)
		set(programs, i, 1, "p");
	for (uint64_t i = 0; i < 3 * PROGRAMS_MAX + 7; i++)
		assert_int_equal(find(programs, i, 1) != NULL, i >= 2 * PROGRAMS_MAX + 7);
	programs_free(programs);
}

static void what_is_too_long_is_cut(void **state)
{
	struct programs *programs = programs_new();
	char name[2 * PROGRAM_PACKAGE_MAX] = "";

	memset(name, 'x', sizeof(name) - 1);
	set(programs, 1, 1, name);
	assert_int_equal(strlen(find(programs, 1, 1)->package), PROGRAM_PACKAGE_MAX - 1);
	set(programs, 1, 1, NULL);
	assert_string_equal(find(programs, 1, 1)->package, "");
	programs_free(programs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_word_counts),
		cmocka_unit_test(what_holds_no_longer_is_not_known),
		cmocka_unit_test(the_oldest_gives_way),
		cmocka_unit_test(what_is_too_long_is_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
