// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/search-owners.c: nobody takes the time or the room of the others. */
#include "daemon/search-owners.c" /* the daemon is no library */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void each_may_ask_so_often_in_a_search(void **state)
{
	struct search_owners *o = NULL;

	assert_int_equal(search_owners_new(&o), 0);
	for (int i = 0; i < SEARCH_ASKS_MAX; i++)
		assert_true(search_owners_ask(o, 1000));
	assert_false(search_owners_ask(o, 1000));
	assert_true(search_owners_ask(o, 1001));
	search_owners_begin(o, false);
	assert_true(search_owners_ask(o, 1000));
	/* Those beyond share what one has. */
	for (uint32_t uid = 0; uid < SEARCH_OWNERS_MAX - 1 + SEARCH_ASKS_MAX; uid++)
		assert_true(search_owners_ask(o, 10000 + uid));
	assert_false(search_owners_ask(o, 99999));
	assert_true(search_owners_ask(o, 1000));
	search_owners_free(o);
}

static void who_is_left_out_is_told_once_and_once_that_it_is_over(void **state)
{
	struct search_owners *o = NULL;

	assert_int_equal(search_owners_new(&o), 0);
	assert_false(search_owners_over(o));
	assert_true(search_owners_left_out(o, 1000));
	assert_false(search_owners_left_out(o, 1000));
	assert_true(search_owners_left_out(o, 1001));
	search_owners_begin(o, false);
	assert_false(search_owners_over(o));
	/* Of one there is still no room: no news, and not over. */
	search_owners_begin(o, true);
	assert_false(search_owners_left_out(o, 1000));
	assert_false(search_owners_over(o));
	/* The file that was left out is gone: his others take all the room still. */
	search_owners_begin(o, true);
	assert_true(search_owners_over(o));
	assert_false(search_owners_over(o));
	assert_true(search_owners_left_out(o, 1000));
	search_owners_free(o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_may_ask_so_often_in_a_search),
		cmocka_unit_test(who_is_left_out_is_told_once_and_once_that_it_is_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
