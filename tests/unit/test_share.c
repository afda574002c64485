// SPDX-License-Identifier: GPL-2.0-or-later
/* engine/share.c: one user's alerts are bounded, another's are not, and nothing goes uncounted. */
#include "engine/share.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <string.h>

#define S      1000000000ULL
#define LIMIT  20
#define WINDOW (600 * S)

static struct {
	unsigned begun, ended;
	uint32_t user;
	uint64_t held, first, last, total;
} told;

static void on_told(void *ctx, uint32_t user, uint64_t start, uint64_t held, uint64_t first,
		    uint64_t last)
{
	told.user = user;
	told.held = held;
	told.first = first;
	told.last = last;
	told.total += held;
	if (held)
		told.ended++;
	else
		told.begun++;
}

static struct share *setup(void)
{
	struct share *share = share_new(on_told, NULL);

	assert_non_null(share);
	memset(&told, 0, sizeof(told));
	return share;
}

static bool own(struct share *share, uint32_t user, uint64_t object, uint64_t now)
{
	const struct share_case c = {.user = user, .owner = user, .object = object};

	return share_admit(share, &c, 1, now, now, now, LIMIT);
}

static bool others(struct share *share, uint32_t user, uint32_t owner, uint64_t object,
		   uint64_t now)
{
	const struct share_case c = {.user = user,
				     .owner = owner,
				     .others = true,
				     .object = object};

	return share_admit(share, &c, 1, now, now, now, LIMIT);
}

static void a_flood_is_held_back_and_told_by_number(void **state)
{
	struct share *share = setup();
	unsigned out = 0;

	for (uint64_t i = 0; i < 100000; i++)
		out += own(share, 1000, i, 5 * S + i);
	assert_int_equal(out, LIMIT);
	assert_int_equal(told.begun, 1);
	assert_int_equal(told.ended, 0);
	assert_int_equal(told.user, 1000);
	assert_true(own(share, 1001, 1, 6 * S)); /* another user has his own share */
	assert_int_equal(share_next(share, WINDOW), 605 * S);
	share_tick(share, 604 * S, WINDOW);
	assert_int_equal(told.ended, 0);
	share_tick(share, 605 * S, WINDOW);
	assert_int_equal(told.ended, 1);
	assert_int_equal(told.held, 100000 - LIMIT);
	assert_int_equal(told.first, 5 * S + LIMIT);
	assert_int_equal(told.last, 5 * S + 99999);
	/* And anew. */
	assert_true(own(share, 1000, 1, 605 * S));
	assert_int_equal(share_next(share, WINDOW), 606 * S); /* of the other user */
	share_free(share);
}

static void the_first_about_anothers_object_goes_out(void **state)
{
	struct share *share = setup();

	for (uint64_t i = 0; i < 1000; i++)
		own(share, 1000, i, S);
	assert_true(others(share, 1000, 1001, 5000, S));
	assert_false(others(share, 1000, 1001, 5000, S)); /* not the first */
	assert_true(others(share, 1000, 1001, 5001, S));
	assert_true(others(share, 1000, 0, 5002, S));
	assert_int_equal(told.begun, 1);
	share_flush(share);
	assert_int_equal(told.total, 1000 - LIMIT + 1);
	share_free(share);
}

static void two_who_work_together_are_bounded_too(void **state)
{
	struct share *share = setup();
	unsigned out = 0;

	for (uint64_t i = 0; i < 100000; i++)
		out += others(share, 1000, 1001, i, S);
	assert_int_equal(out, SHARE_OTHERS + LIMIT);
	assert_true(others(share, 1000, 1002, 1, S)); /* a third one is not harmed by it */
	share_flush(share);
	assert_int_equal(told.total, 100000 - out);
	share_free(share);
}

static void more_users_than_there_is_room_for_are_all_told(void **state)
{
	struct share *share = setup();

	for (uint32_t user = 0; user < 3 * SHARE_MAX; user++)
		for (uint64_t i = 0; i < LIMIT + 2; i++)
			own(share, user, i, S + user);
	share_flush(share);
	assert_int_equal(told.begun, 3 * SHARE_MAX);
	assert_int_equal(told.ended, 3 * SHARE_MAX);
	assert_int_equal(told.total, 2 * 3 * SHARE_MAX);
	assert_int_equal(share_next(share, WINDOW), UINT64_MAX);
	share_free(share);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flood_is_held_back_and_told_by_number),
		cmocka_unit_test(the_first_about_anothers_object_goes_out),
		cmocka_unit_test(two_who_work_together_are_bounded_too),
		cmocka_unit_test(more_users_than_there_is_room_for_are_all_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
