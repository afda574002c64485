// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/rewalk.c: when the next walk comes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "daemon/rewalk.c" /* the daemon is no library */

static uint64_t after(struct rewalk *r, bool settled)
{
	return rewalk_after(r, &(struct rewalk_seen){.settled = settled});
}

static void no_walk_follows_one_that_was_sure(void **state)
{
	struct rewalk r = {};

	assert_int_equal(after(&r, true), 0);
	assert_int_equal(after(&r, false), REWALK_FIRST_US);
	assert_int_equal(after(&r, true), 0);
}

static void walks_go_on_and_become_rarer(void **state)
{
	struct rewalk r = {};

	for (int i = 0; i < 7; i++)
		assert_int_equal(after(&r, false), REWALK_FIRST_US << i);
	for (int i = 0; i < 100; i++)
		assert_int_equal(after(&r, false), REWALK_MAX_US);
}

static void a_sure_one_makes_the_next_delay_short_again(void **state)
{
	struct rewalk r = {.after = REWALK_MAX_US};

	after(&r, true);
	assert_int_equal(after(&r, false), REWALK_FIRST_US);
}

/* The next one will end there, too, for all that it finds. */
static void one_that_came_to_its_bound_is_not_soon_made_again(void **state)
{
	const struct rewalk_seen bounded = {.settled = true, .bounded = true};
	struct rewalk r = {};

	for (int i = 0; i < 3; i++)
		assert_int_equal(rewalk_after(&r, &bounded), REWALK_MAX_US);
}

static void a_long_walk_is_not_made_often(void **state)
{
	struct rewalk r = {};

	assert_int_equal(rewalk_after(&r, &(struct rewalk_seen){.took = 1000000}), 20000000);
	assert_int_equal(rewalk_after(&r, &(struct rewalk_seen){.took = 9000000}), 180000000);
	assert_int_equal(rewalk_after(&r, &(struct rewalk_seen){.took = 1000, .bounded = true}),
			 REWALK_MAX_US);
}

/* Each second it is looked whether records were lost, and each time some were. */
static void walks_for_lost_records_become_rarer(void **state)
{
	const uint64_t start = 1000000000, second = 1000000;
	struct rewalk r = {};
	unsigned walks = 0;

	after(&r, true);
	for (uint64_t now = start; now < start + 640 * second; now += second) {
		if (rewalk_lost(&r, now))
			continue;
		walks++;
		rewalk_after(&r, &(struct rewalk_seen){.now = now, .settled = true});
	}
	/* 0, 1, 3, 7, 15, 31, 63, then each 64 s. */
	assert_int_equal(walks, 7 + 9);
	/* The next is said to come when it is due. */
	assert_int_equal(rewalk_lost(&r, r.walked + second), REWALK_MAX_US - second);
	/* Nothing is lost from one walk to the next: at once again. */
	after(&r, true);
	after(&r, true);
	assert_int_equal(rewalk_lost(&r, r.walked), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_walk_follows_one_that_was_sure),
		cmocka_unit_test(walks_go_on_and_become_rarer),
		cmocka_unit_test(a_sure_one_makes_the_next_delay_short_again),
		cmocka_unit_test(one_that_came_to_its_bound_is_not_soon_made_again),
		cmocka_unit_test(a_long_walk_is_not_made_often),
		cmocka_unit_test(walks_for_lost_records_become_rarer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
