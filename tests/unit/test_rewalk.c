// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/rewalk.c: when the next walk comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/rewalk.c" /* the daemon is no library */

static void no_walk_follows_one_that_was_sure(void **state)
{
	assert_int_equal(rewalk_after(0, true), 0);
	assert_int_equal(rewalk_after(REWALK_MAX_US, true), 0);
}

static void walks_go_on_and_become_rarer(void **state)
{
	uint64_t last = 0, sum = 0;

	for (int i = 0; i < 7; i++) {
		const uint64_t next = rewalk_after(last, false);

		assert_int_equal(next, REWALK_FIRST_US << i);
		sum += next;
		last = next;
	}
	assert_int_equal(last, REWALK_MAX_US);
	assert_int_equal(sum, 127 * REWALK_FIRST_US);
	for (int i = 0; i < 100; i++)
		assert_int_equal(rewalk_after(last, false), REWALK_MAX_US);
}

static void a_sure_one_makes_the_next_delay_short_again(void **state)
{
	assert_int_equal(rewalk_after(rewalk_after(REWALK_MAX_US, true), false), REWALK_FIRST_US);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_walk_follows_one_that_was_sure),
		cmocka_unit_test(walks_go_on_and_become_rarer),
		cmocka_unit_test(a_sure_one_makes_the_next_delay_short_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
