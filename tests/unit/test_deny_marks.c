// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/deny.c: which group a file's mark has, from one policy to the next. */
#include "unit/denyworld.h"

/* What the walk did not come by has the group of the new policy before that of the old ends. */
static void marks_follow_a_reload(void **state)
{
	struct world w;

	begin(&w, state, "");
	assert_int_equal(deny_prepare(w.d, w.policy), 0);
	deny_switch(w.d);
	regrouped = 0;
	deny_retire(w.d);
	assert_int_equal(mark_group(regrouped), deny_flags(w.d, 1));
	assert_int_not_equal(regrouped, 0);
	end(&w);
}

/* On overlayfs an object has one more mark than its identity says, and that may outlive it. */
static void so_do_marks_that_no_identity_leads_to(void **state)
{
	struct world w;
	uint16_t group;

	begin(&w, state, "");
	group = w.d->now.rows[0].group;
	marks[nr_marks].object = FILE_OBJECT; /* beneath */
	marks[nr_marks++].group = group;
	marks[nr_marks].object = FILE_OBJECT + 1; /* of an object that is none any more */
	marks[nr_marks++].group = group;
	marks[nr_marks++].object = FILE_OBJECT + 2; /* likewise, and of no group */
	assert_int_equal(deny_prepare(w.d, w.policy), 0);
	deny_switch(w.d);
	/* Marked by the new policy's states, and not told yet. */
	marks[nr_marks].object = FILE_OBJECT + 3;
	marks[nr_marks++].group = w.d->now.rows[0].group;
	deny_retire(w.d);
	assert_int_not_equal(w.d->now.rows[0].group, group);
	assert_int_equal(denied_by_group[group], 0);
	assert_int_equal(marks[0].group, w.d->now.rows[0].group);
	assert_int_equal(marks[1].group, 0);
	assert_int_equal(marks[2].group, 0);
	assert_int_equal(marks[3].group, w.d->now.rows[0].group);
	end(&w);
}

/* All marks, which may be many, only if the group of some object is another one, or it has one and
 * its mark is gone: there may be one beneath. That of what has ended would stay as it is. */
static void a_walk_that_changes_no_group_goes_through_no_marks(void **state)
{
	static const struct {
		int result; /* of sensor_regroup() */
		uint32_t watch; /* 1 is denied, 0 has ended */
		bool all;
	} cases[] = {
		{0, 1, false}, {1, 1, true},	    {-ENOENT, 1, true},	 {-ESTALE, 1, true},
		{0, 2, false}, {1, 2, true},	    {-ENOENT, 2, false}, {0, 0, false},
		{1, 0, false}, {-ENOENT, 0, false},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct watched file = {
			.object = FILE_OBJECT,
			.watch = cases[i].watch,
			.inode = {.ino = 1},
		};
		struct world w;

		begin(&w, state, "");
		all_regroups = 0;
		regroup_result = cases[i].result;
		deny_object(w.d, &file);
		regroup_result = 0;
		deny_hold(w.d);
		deny_object(w.d, &file); /* the walk's own changes are seen at its end */
		deny_settle(w.d);
		deny_hold(w.d);
		deny_settle(w.d);
		assert_int_equal(all_regroups, cases[i].all);
		end(&w);
	}
}

static void a_long_way_through_marks_shows_signs_of_life(void **state)
{
	struct world w;

	begin(&w, state, "");
	others = 3 * WATCHER_ALIVE_NAMES;
	reload(&w);
	assert_in_range(alives, 3, 4);
	end(&w);
}

static void marks_are_gone_through_until_all_were_come_by(void **state)
{
	json_t *warnings = json_array();
	struct world w;

	begin(&w, state, "");
	marks[nr_marks].object = FILE_OBJECT;
	marks[nr_marks++].group = w.d->now.rows[0].group;
	all_fails = REGROUP_TRIES;
	reload(&w);
	assert_int_not_equal(marks[0].group, w.d->now.rows[0].group);
	json_decref(deny_json(w.d, warnings));
	assert_int_equal(json_array_size(warnings), 1);
	assert_non_null(strstr(json_string_value(json_array_get(warnings, 0)), "not all marks"));
	json_array_clear(warnings);
	second(&w);
	assert_int_equal(marks[0].group, w.d->now.rows[0].group);
	json_decref(deny_json(w.d, warnings));
	assert_int_equal(json_array_size(warnings), 0);
	all_regroups = 0;
	second(&w);
	assert_int_equal(all_regroups, 0);
	json_decref(warnings);
	end(&w);
}

/* However many policies came to nothing in between, none has had the groups that are in force. */
static void groups_in_force_are_not_given_again(void **state)
{
	struct world w;
	uint16_t group;

	begin(&w, state, "");
	group = w.d->now.rows[0].group;
	for (unsigned i = 0; i < 2 * BASES; i++) {
		assert_int_equal(deny_prepare(w.d, w.policy), 0);
		assert_int_not_equal(w.d->next.rows[0].group, group);
		deny_abandon(w.d);
		assert_int_equal(denied_by_group[group], DENY_READ);
		assert_int_equal(nr_permits, 1);
	}
	end(&w);
}

/* Between its names a file with two of them is not another entry's for a moment. */
static void a_walk_changes_groups_at_its_end(void **state)
{
	const struct watched file = {.object = FILE_OBJECT, .watch = 1, .inode = {.ino = 1}};
	struct world w;

	begin(&w, state, "");
	deny_hold(w.d);
	regrouped = 0;
	deny_object(w.d, &file);
	assert_int_equal(regrouped, 0);
	deny_settle(w.d);
	assert_int_equal(mark_group(regrouped), deny_flags(w.d, 1));
	end(&w);
}

/* A file that is told late still has the group of a policy before. */
static void groups_are_taken_off_when_nothing_denies_any_more(void **state)
{
	const struct watched file = {.object = FILE_OBJECT, .watch = 1, .inode = {.ino = 1}};
	_cleanup_(policy_freep) struct policy *none = NULL;
	struct world w;

	begin(&w, state, "");
	parse_none(&none);
	no_orders = 0;
	assert_int_equal(deny_prepare(w.d, none), 0);
	assert_int_equal(no_orders, 1);
	deny_switch(w.d);
	deny_retire(w.d);
	regrouped = 1;
	deny_object(w.d, &file);
	assert_int_equal(regrouped, 0);
	end(&w);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(marks_follow_a_reload),
		CASE(so_do_marks_that_no_identity_leads_to),
		CASE(a_walk_that_changes_no_group_goes_through_no_marks),
		CASE(a_long_way_through_marks_shows_signs_of_life),
		CASE(marks_are_gone_through_until_all_were_come_by),
		CASE(groups_in_force_are_not_given_again),
		CASE(a_walk_changes_groups_at_its_end),
		CASE(groups_are_taken_off_when_nothing_denies_any_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
