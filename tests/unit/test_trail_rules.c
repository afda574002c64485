// SPDX-License-Identifier: GPL-2.0-or-later
/* trail/rules: what completes a rule, once, and what a window or a full table makes of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trail/rules.h"

#define SECOND 1000000000ULL
#define MANY   (1U << RULE_MANY_KEYS)
#define TALKS  (1U << RULE_READ_THEN_CONNECT)
#define BLIND  (1U << RULE_BLIND_THEN_READ)
#define PACKED (1U << RULE_ARCHIVE_THEN_CONNECT)
#define DUMPED (1U << RULE_DUMPED_BY_OTHER)

static struct proc_id pid(uint32_t n)
{
	return (struct proc_id){.start = n, .exec_id = 1, .tgid = n};
}

static uint32_t reads(struct trail_rules *rules, uint64_t second, uint64_t group, uint32_t who,
		      uint64_t object)
{
	const struct proc_id id = pid(who);

	return trail_rules_read(rules, second * SECOND, group, &id, object, false);
}

static uint32_t reads_copy(struct trail_rules *rules, uint32_t who)
{
	const struct proc_id id = pid(who);

	return trail_rules_read(rules, SECOND, 7, &id, 1, true);
}

static uint32_t dumps(struct trail_rules *rules, uint32_t who)
{
	const struct proc_id id = pid(who);

	return trail_rules_dumped(rules, &id);
}

static uint32_t connects(struct trail_rules *rules, uint32_t who)
{
	const struct proc_id id = pid(who);

	return trail_rules_connect(rules, SECOND, &id);
}

static void the_fifth_key_within_a_minute_is_one_too_many(void **state)
{
	struct trail_rules *rules = trail_rules_new();

	for (uint64_t i = 1; i < RULES_KEYS; i++)
		assert_int_equal(reads(rules, i, 7, (uint32_t)i, i), 0);
	assert_int_equal(reads(rules, 9, 7, 1, 1), 0); /* the same once more */
	assert_int_equal(reads(rules, 9, 8, 1, 99), 0); /* somebody else */
	assert_int_equal(reads(rules, 10, 7, 9, 100), MANY);
	assert_int_equal(reads(rules, 11, 7, 9, 101), 0); /* told */
	for (uint64_t i = 1; i < RULES_KEYS; i++)
		assert_int_equal(reads(rules, 700 + i, 7, 1, i), 0);
	assert_int_equal(reads(rules, 710, 7, 1, 100), MANY);
	trail_rules_free(rules);
}

static void slowly_is_not_many(void **state)
{
	struct trail_rules *rules = trail_rules_new();

	for (uint64_t i = 1; i < 100; i++)
		assert_int_equal(reads(rules, i * 20, 7, 1, i), 0);
	trail_rules_free(rules);
}

static void who_read_and_connects_is_told_once_in_either_order(void **state)
{
	struct trail_rules *rules = trail_rules_new();

	assert_int_equal(reads(rules, 1, 7, 1, 1), 0);
	assert_int_equal(connects(rules, 1), TALKS);
	assert_int_equal(connects(rules, 1), 0);
	assert_int_equal(reads(rules, 2, 7, 1, 2), 0);
	assert_int_equal(connects(rules, 2), 0); /* before the verdict on its read */
	assert_int_equal(reads(rules, 3, 7, 2, 1), TALKS);
	assert_int_equal(reads(rules, 3, 7, 2, 2), 0);
	assert_int_equal(connects(rules, 3), 0); /* read nothing */
	trail_rules_free(rules);
}

static void who_has_only_a_copy_is_told_as_that(void **state)
{
	struct trail_rules *rules = trail_rules_new();

	assert_int_equal(reads_copy(rules, 1), 0);
	assert_int_equal(connects(rules, 1), PACKED);
	assert_int_equal(connects(rules, 1), 0);
	assert_int_equal(connects(rules, 2), 0);
	assert_int_equal(reads_copy(rules, 2), PACKED); /* the verdict came late */
	assert_int_equal(reads_copy(rules, 3), 0);
	assert_int_equal(reads(rules, 2, 7, 3, 2), 0);
	assert_int_equal(connects(rules, 3), TALKS); /* the key itself counts */
	assert_int_equal(reads(rules, 2, 7, 1, 2), TALKS); /* and is told after a copy */
	assert_int_equal(connects(rules, 1), 0);
	trail_rules_free(rules);
}

static void who_reads_memory_and_writes_a_dump_is_told_once(void **state)
{
	struct trail_rules *rules = trail_rules_new();
	struct proc_id id = pid(1);

	assert_int_equal(dumps(rules, 1), 0); /* of its own */
	trail_rules_memory(rules, &id, true);
	assert_int_equal(connects(rules, 1), 0);
	assert_int_equal(dumps(rules, 2), 0);
	assert_int_equal(dumps(rules, 1), DUMPED);
	assert_int_equal(dumps(rules, 1), 0);
	trail_rules_memory(rules, &id, true);
	assert_int_equal(dumps(rules, 1), 0);
	id.exec_id = 2; /* another program */
	assert_int_equal(trail_rules_dumped(rules, &id), 0);
	trail_rules_memory(rules, &id, true);
	assert_int_equal(trail_rules_dumped(rules, &id), DUMPED);
	trail_rules_free(rules);
}

static void who_had_memory_in_hand_brings_no_dump_from_elsewhere(void **state)
{
	struct trail_rules *rules = trail_rules_new();
	struct proc_id helper = pid(1), other = pid(2);

	trail_rules_memory(rules, &helper, false);
	assert_int_equal(trail_rules_foreign(rules, &helper), 0);
	assert_int_equal(trail_rules_dumped(rules, &helper), 0);
	assert_int_equal(trail_rules_foreign(rules, &other), 1U << RULE_FOREIGN_DUMP);
	helper.exec_id = 2;
	assert_int_equal(trail_rules_foreign(rules, &helper), 1U << RULE_FOREIGN_DUMP);
	trail_rules_free(rules);
}

static void a_late_verdict_on_an_older_image_takes_nothing(void **state)
{
	struct trail_rules *rules = trail_rules_new();
	struct proc_id id = pid(1);

	id.exec_id = 2;
	trail_rules_memory(rules, &id, true);
	assert_int_equal(reads(rules, 1, 7, 1, 1), 0); /* of image 1 */
	assert_int_equal(trail_rules_dumped(rules, &id), DUMPED);
	trail_rules_free(rules);
}

static void who_only_connects_gives_way_first(void **state)
{
	struct trail_rules *rules = trail_rules_new();
	struct proc_id id = pid(1);

	trail_rules_memory(rules, &id, true);
	for (uint32_t i = 2; i < 3 * RULES_READERS; i++)
		connects(rules, i);
	assert_int_equal(dumps(rules, 1), DUMPED);
	trail_rules_free(rules);
}

static void another_program_has_read_nothing(void **state)
{
	struct trail_rules *rules = trail_rules_new();
	struct proc_id id = pid(1);

	assert_int_equal(reads(rules, 1, 7, 1, 1), 0);
	id.exec_id = 2;
	assert_int_equal(trail_rules_connect(rules, SECOND, &id), 0);
	trail_rules_free(rules);
}

static void blindness_is_fresh_for_a_minute(void **state)
{
	struct trail_rules *rules = trail_rules_new();

	trail_rules_blind(rules, 100 * SECOND);
	assert_int_equal(reads(rules, 99, 7, 1, 1), 0);
	assert_int_equal(reads(rules, 160, 7, 1, 1), 0);
	trail_rules_blind(rules, 200 * SECOND);
	assert_int_equal(reads(rules, 201, 7, 1, 1), BLIND);
	assert_int_equal(reads(rules, 202, 7, 1, 1), 0);
	trail_rules_free(rules);
}

static void memory_is_bounded(void **state)
{
	struct trail_rules *rules = trail_rules_new();
	size_t full = 0;

	for (uint32_t i = 1; i < 20000; i++) {
		reads(rules, 1, i, i, 1);
		if (i == RULES_GROUPS)
			full = trail_rules_bytes(rules);
	}
	assert_int_equal(trail_rules_bytes(rules), full);
	/* The oldest were forgotten, the newest not. */
	assert_int_equal(connects(rules, 1), 0);
	assert_int_equal(connects(rules, 19999), TALKS);
	trail_rules_free(rules);
}

static void a_login_is_one_group_whatever_it_runs(void **state)
{
	struct subject a = {.id = pid(1), .loginuid = 1000, .session = 3}, b = a;

	b.id = pid(2);
	assert_true(trail_rules_group(&a, 5) == trail_rules_group(&b, 6));
	b.session = 4;
	assert_false(trail_rules_group(&a, 5) == trail_rules_group(&b, 5));
	a.loginuid = b.loginuid = UID_UNSET;
	assert_true(trail_rules_group(&a, 5) == trail_rules_group(&b, 5));
	assert_false(trail_rules_group(&a, 5) == trail_rules_group(&b, 6));
	assert_false(trail_rules_group(&a, 0) == trail_rules_group(&b, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fifth_key_within_a_minute_is_one_too_many),
		cmocka_unit_test(slowly_is_not_many),
		cmocka_unit_test(who_read_and_connects_is_told_once_in_either_order),
		cmocka_unit_test(who_has_only_a_copy_is_told_as_that),
		cmocka_unit_test(who_reads_memory_and_writes_a_dump_is_told_once),
		cmocka_unit_test(who_had_memory_in_hand_brings_no_dump_from_elsewhere),
		cmocka_unit_test(a_late_verdict_on_an_older_image_takes_nothing),
		cmocka_unit_test(who_only_connects_gives_way_first),
		cmocka_unit_test(another_program_has_read_nothing),
		cmocka_unit_test(blindness_is_fresh_for_a_minute),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(a_login_is_one_group_whatever_it_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
