// SPDX-License-Identifier: GPL-2.0-or-later
/* trail/zoned: which zone a key belongs to, and what happens when there are too many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "trail/zoned.h"

static void the_latest_word_counts(void **state)
{
	struct zoned *zoned = zoned_new();

	assert_null(zoned_find(zoned, "key/a"));
	zoned_set(zoned, "key/a", "one");
	zoned_set(zoned, "key/b", "two");
	zoned_set(zoned, "key/a", "three");
	assert_string_equal(zoned_find(zoned, "key/a"), "three");
	assert_string_equal(zoned_find(zoned, "key/b"), "two");
	zoned_free(zoned);
}

static void none_is_forgotten_when_it_is_full(void **state)
{
	struct zoned *zoned = zoned_new();
	char name[32];
	size_t full;

	for (int i = 0; i < ZONED_MAX; i++) {
		snprintf(name, sizeof(name), "key/%d", i);
		zoned_set(zoned, name, "z");
	}
	full = zoned_bytes(zoned);
	zoned_set(zoned, "key/more", "z");
	assert_null(zoned_find(zoned, "key/more"));
	assert_non_null(zoned_find(zoned, "key/0"));
	assert_int_equal(zoned_refused(zoned), 1);
	assert_int_equal(zoned_bytes(zoned), full);
	zoned_set(zoned, "key/0", "y"); /* what is there can change */
	assert_string_equal(zoned_find(zoned, "key/0"), "y");
	zoned_free(zoned);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_latest_word_counts),
		cmocka_unit_test(none_is_forgotten_when_it_is_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
