// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages with a place: how they are kept, counted and printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/diag.h"

static void expect_printed(const struct diag_list *list, const char *text)
{
	_cleanup_free_ char *printed = NULL;
	size_t size;
	FILE *f = open_memstream(&printed, &size);

	diag_print(list, f);
	fclose(f);
	assert_string_equal(printed, text);
}

static void the_place_is_as_exact_as_it_is_known(void **state)
{
	struct diag_list list = {0};

	diag_add(&list, DIAG_ERROR, "a.yaml", 3, 14, "no key '%s'", "x");
	diag_add(&list, DIAG_WARNING, "a.yaml", 3, 0, "odd");
	diag_add(&list, DIAG_ERROR, "a.yaml", 0, 7, "cannot be read");
	diag_add(&list, DIAG_WARNING, NULL, 0, 0, "nothing to do");
	expect_printed(&list, "a.yaml:3:14: error: no key 'x'\n"
			      "a.yaml:3: warning: odd\n"
			      "a.yaml: error: cannot be read\n"
			      "-: warning: nothing to do\n");
	assert_int_equal(list.errors, 2);
	assert_int_equal(list.warnings, 2);
	diag_list_fini(&list);
}

static void hostile_bytes_stay_on_their_line(void **state)
{
	struct diag_list list = {0};

	diag_add(&list, DIAG_ERROR, "a\nb", 1, 1, "%s", "x\n/etc/p:1:1: error: y\x1b[2J\xff\\");
	assert_string_equal(list.items[0].file, "a\nb");
	expect_printed(&list, "a\\x0ab:1:1: error: "
			      "x\\x0a/etc/p:1:1: error: y\\x1b[2J\\xff\\\\\n");
	diag_list_fini(&list);
}

static void what_is_too_much_is_only_counted(void **state)
{
	struct diag_list list = {0};

	for (unsigned i = 1; i <= DIAG_MAX + 10; i++)
		diag_add(&list, i % 2 ? DIAG_ERROR : DIAG_WARNING, "f", i, 1, "m");
	assert_int_equal(list.nr, DIAG_MAX);
	assert_int_equal(list.items[DIAG_MAX - 1].line, DIAG_MAX);
	assert_int_equal(list.errors + list.warnings, DIAG_MAX + 10);
	diag_list_fini(&list);
}

static void an_emptied_list_can_be_used_again(void **state)
{
	struct diag_list list = {0};

	diag_list_fini(&list);
	diag_add(&list, DIAG_ERROR, "f", 1, 1, "one");
	diag_list_fini(&list);
	assert_int_equal(list.nr + list.errors + list.warnings, 0);
	diag_add(&list, DIAG_ERROR, "f", 2, 1, "two");
	expect_printed(&list, "f:2:1: error: two\n");
	diag_list_fini(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_place_is_as_exact_as_it_is_known),
		cmocka_unit_test(hostile_bytes_stay_on_their_line),
		cmocka_unit_test(what_is_too_much_is_only_counted),
		cmocka_unit_test(an_emptied_list_can_be_used_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
