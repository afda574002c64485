// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/deny*.c: who has a permit, what takes it away and what does not. */
#include "unit/denyworld.h"

/* Changes the time of the last change, whatever the clock's steps are. */
static void change_mode(struct world *w)
{
	static mode_t mode = 0700;

	mode ^= 0050;
	assert_int_equal(chmod(w->path, mode), 0);
}

static void a_change_of_mode_takes_nothing_while_it_is_looked_at(void **state)
{
	struct world w;

	begin(&w, state, ", package: tool");
	assert_int_equal(nr_permits, 0);
	found(&w, PACKAGE_INTACT);
	assert_int_equal(nr_permits, 1);
	change_mode(&w);
	looks = 0;
	second(&w);
	assert_int_equal(looks, 1);
	assert_int_equal(nr_permits, 1);
	found(&w, PACKAGE_PENDING);
	assert_int_equal(nr_permits, 1);
	found(&w, PACKAGE_MODIFIED);
	assert_int_equal(nr_permits, 0);
	/* Told that it has changed before the daemon has looked itself. */
	found(&w, PACKAGE_INTACT);
	change_mode(&w);
	found(&w, PACKAGE_PENDING);
	assert_int_equal(nr_permits, 1);
	/* Without an answer not for ever. */
	for (unsigned i = 0; i < 40; i++)
		second(&w);
	assert_int_equal(nr_permits, 0);
	/* Other content does at once. */
	found(&w, PACKAGE_INTACT);
	assert_int_equal(nr_permits, 1);
	write_file(w.path, "other");
	second(&w);
	assert_int_equal(nr_permits, 0);
	end(&w);
}

static void what_is_not_permitted_is_looked_at_again(void **state)
{
	struct world w;

	begin(&w, state, ", package: tool");
	found(&w, PACKAGE_MODIFIED);
	assert_int_equal(looks_again, 0);
	for (unsigned i = 0; i < 14; i++)
		second(&w);
	assert_int_equal(looks_again, 2); /* after 2 and 4 more; the next after 8 */
	found(&w, PACKAGE_INTACT);
	assert_int_equal(nr_permits, 1);
	for (unsigned i = 0; i < 200; i++)
		second(&w);
	assert_in_range(looks_again, 2, 2);
	end(&w);
}

/* Two entries may ask for two contents: that one of them is lacking has no end. */
static void what_is_lacking_for_long_is_in_nobodys_way(void **state)
{
	struct world w;

	begin(&w, state, ", package: tool");
	found(&w, PACKAGE_MODIFIED);
	for (unsigned i = 0; i < 60; i++)
		second(&w);
	assert_true(looks_again >= 4);
	assert_int_equal(looks_first, looks_again);
	for (unsigned i = 0; i < 600; i++)
		second(&w);
	assert_true(looks_again > 8);
	assert_int_equal(looks_first, 5); /* after 2, 4, 8, 16 and 32 seconds */
	end(&w);
}

static unsigned nr_allowed(void)
{
	unsigned nr = 0;

	for (size_t i = 0; i < nr_permits; i++)
		nr += (unsigned)__builtin_popcount(permits[i].value.may);
	return nr;
}

/* What it may do already, by its path alone, is not all that it is to be let do. */
static void so_is_what_may_do_a_part_of_it(void **state)
{
	static const char *const of_another_entry =
		"}\n- name: v\n  class: key\n  paths: [/v]\n  mode: deny\n  allow:\n";
	static const char *const of_another_action =
		", on: [read]}\n  on: [read, write]\n  expect:\n";
	const char *const cases[] = {of_another_entry, of_another_action};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *conditions = NULL;
		struct world w;

		assert_true(asprintf(&conditions, "%s  - {exe: '%s', package: tool", cases[i],
				     tmpdir_path(state, "signd")) > 0);
		begin(&w, state, conditions);
		found(&w, PACKAGE_MODIFIED);
		assert_int_equal(nr_allowed(), 1);
		for (unsigned n = 0; n < 14; n++)
			second(&w);
		assert_int_equal(looks_again, 2);
		found(&w, PACKAGE_INTACT);
		assert_int_equal(nr_allowed(), 2);
		for (unsigned n = 0; n < 200; n++)
			second(&w);
		assert_int_equal(looks_again, 2);
		end(&w);
	}
}

static void who_was_replaced_has_a_stamp(void **state)
{
	struct world w;
	char other[PATH_MAX + 8];

	begin(&w, state, "");
	assert_int_equal(nr_permits, 1);
	assert_int_equal(permits[0].value.before, 0);
	snprintf(other, sizeof(other), "%s.new", w.path);
	write_file(other, "two");
	assert_int_equal(rename(other, w.path), 0);
	second(&w);
	assert_int_equal(nr_permits, 2);
	for (size_t i = 0; i < nr_permits; i++) {
		const bool past = permits[i].key.ino != w.d->programs->now.ino;

		assert_int_equal(permits[i].value.may, DENY_READ | (past ? PERMIT_PAST : 0));
		assert_int_equal(permits[i].value.before, past ? now_ns : 0);
	}
	end(&w);
}

/* The old file keeps a name, so that its number is not given to another. */
static void replace(struct world *w, const char *text)
{
	char other[PATH_MAX + 16];

	snprintf(other, sizeof(other), "%s.before-%s", w->path, text);
	assert_int_equal(link(w->path, other), 0);
	snprintf(other, sizeof(other), "%s.new", w->path);
	write_file(other, text);
	assert_int_equal(rename(other, w->path), 0);
}

/* With a rule that asks for more than the path. */
static void who_was_replaced_is_what_he_was(void **state)
{
	struct world w;

	begin(&w, state, ", package: tool");
	found(&w, PACKAGE_INTACT);
	assert_int_equal(nr_permits, 1);
	replace(&w, "two");
	second(&w);
	assert_int_equal(nr_permits, 1);
	assert_int_equal(permits[0].value.may, DENY_READ | PERMIT_PAST);
	/* Whatever the new one turns out to be. */
	found(&w, PACKAGE_MODIFIED);
	assert_int_equal(nr_permits, 1);
	found(&w, PACKAGE_INTACT);
	assert_int_equal(nr_permits, 2);
	/* One that was never what the rule asks for is not let through for its successor's sake. */
	found(&w, PACKAGE_MODIFIED);
	replace(&w, "three");
	second(&w);
	found(&w, PACKAGE_INTACT);
	assert_int_equal(nr_permits, 2);
	assert_int_equal(w.d->programs->nr_past, 2);
	end(&w);
}

static void what_is_being_looked_at_is_waited_for(void **state)
{
	struct world w;

	begin(&w, state, ", package: tool");
	assert_false(in_force(&w.d->now));
	found(&w, PACKAGE_MODIFIED);
	assert_true(in_force(&w.d->now));
	end(&w);
	begin(&w, state, ", package: tool");
	for (unsigned i = 0; i < 31; i++)
		second(&w);
	assert_true(in_force(&w.d->now));
	end(&w);
}

/* Nor is what may not be asked about, on a file system that does not answer. */
static void what_is_not_there_is_not_waited_for(void **state)
{
	struct policy *policy;
	struct world w;

	begin(&w, state, "}\n  - {exe: /no/such, package: tool");
	assert_true(in_force(&w.d->now));
	assert_int_equal(nr_permits, 1);
	end(&w);
	begin(&w, state, "");
	open_error = -EREMOTE;
	parse(&w, "w", ", package: tool", &policy);
	assert_int_equal(deny_prepare(w.d, policy), 0);
	assert_true(in_force(&w.d->next));
	deny_abandon(w.d);
	policy_free(policy);
	end(&w);
}

/* An entry that is in force stays so, and who is new to it is refused until he is known; not one
 * whom it let until now, nor where the entry is new itself. */
static void a_reload_does_not_open_what_was_denied(void **state)
{
	static const struct {
		const char *name, *of_the_first, *of_the_second;
		bool at_once;
	} cases[] = {
		{"w", "", ", package: tool", true},
		{"v", "", ", package: tool", false},
		{"w", ", package: tool", "", false},
	};
	char other[PATH_MAX + 8];
	struct world w;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		_cleanup_free_ char *conditions = NULL;
		struct policy *policy;

		begin(&w, state, "");
		assert_true(in_force(&w.d->now));
		snprintf(other, sizeof(other), "%s.other", w.path);
		write_file(other, "other");
		assert_true(asprintf(&conditions, "%s}\n  - {exe: '%s'%s", cases[i].of_the_first,
				     other, cases[i].of_the_second) > 0);
		parse(&w, cases[i].name, conditions, &policy);
		assert_int_equal(deny_prepare(w.d, policy), 0);
		assert_int_equal(in_force(&w.d->next), cases[i].at_once);
		deny_switch(w.d);
		deny_retire(w.d);
		assert_int_equal(in_force(&w.d->now), cases[i].at_once);
		assert_int_equal(nr_permits, 1);
		end(&w);
		policy_free(policy);
	}
}

/* Anybody could have libc denied to the host by a link of it. */
static void it_is_not_in_force_where_anybody_can_link_what_is_not_his(void **state)
{
	json_t *warnings = json_array();
	struct policy *none;
	struct world w;

	begin(&w, state, "");
	assert_true(in_force(&w.d->now));
	/* What is in force stays so. */
	set_links(state, "0\n");
	reload(&w);
	assert_true(in_force(&w.d->now));
	parse_none(&none);
	assert_int_equal(deny_prepare(w.d, none), 0);
	deny_switch(w.d);
	deny_retire(w.d);
	healths = 0;
	reload(&w);
	second(&w);
	assert_false(in_force(&w.d->now));
	assert_int_equal(healths, 1);
	json_decref(deny_json(w.d, warnings));
	assert_int_equal(json_array_size(warnings), 1);
	assert_non_null(
		strstr(json_string_value(json_array_get(warnings, 0)), "protected_hardlinks"));
	json_decref(warnings);
	assert_int_equal(unlink(hardlinks), 0); /* not known */
	reload(&w);
	assert_false(in_force(&w.d->now));
	set_links(state, "1\n");
	reload(&w);
	assert_true(in_force(&w.d->now));
	end(&w);
	policy_free(none);
}

/* A server is away: whoever was known goes on being let through. */
static void no_answer_changes_nothing(void **state)
{
	json_t *warnings = json_array();
	struct world w;

	begin(&w, state, "");
	open_error = -EREMOTE;
	assert_int_equal(unlink(w.path), 0);
	second(&w);
	assert_int_equal(nr_permits, 1);
	json_decref(deny_json(w.d, warnings));
	assert_int_equal(json_array_size(warnings), 0);
	json_decref(warnings);
	end(&w);
}

static void nobody_is_a_warning_with_why(void **state)
{
	json_t *warnings = json_array();
	struct world w;
	const char *text;

	begin(&w, state, ", package: tool");
	found(&w, PACKAGE_MODIFIED);
	json_decref(deny_json(w.d, warnings));
	assert_int_equal(json_array_size(warnings), 1);
	text = json_string_value(json_array_get(warnings, 0));
	assert_non_null(strstr(text, "nobody may open files of 'w'"));
	assert_non_null(strstr(text, w.path));
	assert_non_null(strstr(text, "not of the package or content"));
	json_decref(warnings);
	end(&w);
}

static void too_many_is_tried_again_and_over_at_last(void **state)
{
	struct world w;

	begin(&w, state, ", package: tool");
	permit_error = -E2BIG;
	found(&w, PACKAGE_INTACT);
	assert_int_equal(nr_permits, 0);
	found(&w, PACKAGE_INTACT);
	assert_int_equal(healths, 1); /* once */
	permit_error = 0;
	second(&w); /* though nothing else has changed */
	assert_int_equal(nr_permits, 1);
	assert_int_equal(healths, 2);
	end(&w);
}

/* A full table costs a look at all of them now and then, and not each second. */
static void room_is_looked_for_ever_more_seldom(void **state)
{
	struct world w;

	begin(&w, state, ", package: tool");
	permit_error = -E2BIG;
	found(&w, PACKAGE_INTACT);
	permits_tried = 0;
	for (unsigned i = 0; i < 64; i++)
		second(&w);
	assert_in_range(permits_tried, 4, 7);
	permit_error = 0;
	for (unsigned i = 0; i < 64; i++)
		second(&w);
	assert_int_equal(nr_permits, 1);
	assert_int_equal(healths, 2);
	end(&w);
}

/* So that the next policy's have room beside them. */
static void no_policy_has_more_permits_than_its_room(void **state)
{
	struct policy *two;
	struct world w;
	char text[3 * PATH_MAX];
	struct diag_list diags = {0};

	begin(&w, state, "");
	snprintf(text, sizeof(text),
		 "version: 1\nwatch:\n"
		 "- {name: a, class: key, paths: [/a], mode: deny, allow: [{exe: '%s'}]}\n"
		 "- {name: b, class: key, paths: [/b], mode: deny, allow: [{exe: '%s'}]}\n",
		 w.path, w.path);
	assert_int_equal(policy_parse("p", text, strlen(text), &diags, &two), 0);
	permits_room = 1;
	assert_int_equal(deny_prepare(w.d, two), 0);
	assert_int_equal(nr_permits, 2); /* one of each */
	assert_int_equal(healths, 1);
	deny_switch(w.d);
	deny_retire(w.d);
	assert_int_equal(nr_permits, 1);
	assert_int_equal(w.d->now.nr_permits, 1);
	permits_room = 2;
	second(&w);
	assert_int_equal(nr_permits, 2);
	assert_int_equal(healths, 2);
	assert_int_equal(deny_prepare(w.d, w.policy), 0);
	deny_abandon(w.d);
	assert_int_equal(w.d->now.nr_permits, 2);
	end(&w);
	policy_free(two);
	diag_list_fini(&diags);
}

/* While the one policy's stand beside the other's there may be no room that is there afterwards. */
static void what_a_reload_found_no_room_for_is_let_through_at_its_end(void **state)
{
	struct world w;

	begin(&w, state, "");
	permit_error = -E2BIG;
	assert_int_equal(deny_prepare(w.d, w.policy), 0);
	permit_error = 0;
	assert_int_equal(nr_permits, 1);
	deny_switch(w.d);
	deny_retire(w.d);
	assert_int_equal(nr_permits, 1);
	assert_int_equal(permits[0].key.group, w.d->now.rows[0].group);
	assert_int_equal(healths, 2);
	end(&w);
}

/* An open that is under way when the one program takes over from the other is seen by neither. */
static void open_files_are_looked_for_when_it_begins_and_ends(void **state)
{
	struct policy *none;
	struct world w;

	begin(&w, state, "");
	assert_true(w.app.look_for_open);
	w.app.look_for_open = false;
	parse_none(&none);
	assert_int_equal(deny_prepare(w.d, none), 0);
	deny_switch(w.d);
	deny_retire(w.d);
	assert_true(w.app.look_for_open);
	assert_int_equal(deny_prepare(w.d, w.policy), 0);
	w.app.look_for_open = false;
	deny_abandon(w.d);
	assert_true(w.app.look_for_open);
	end(&w);
	policy_free(none);
}

static void who_is_gone_from_his_path_has_a_stamp(void **state)
{
	struct world w;
	char other[PATH_MAX + 8];

	begin(&w, state, "");
	snprintf(other, sizeof(other), "%s.old", w.path);
	assert_int_equal(rename(w.path, other), 0);
	second(&w);
	second(&w);
	assert_int_equal(nr_permits, 1);
	assert_int_equal(permits[0].value.may, DENY_READ | PERMIT_PAST);
	assert_int_equal(permits[0].value.before, now_ns - SECOND);
	assert_int_equal(rename(other, w.path), 0);
	second(&w);
	assert_int_equal(nr_permits, 1);
	assert_int_equal(permits[0].value.may, DENY_READ);
	assert_int_equal(permits[0].value.before, 0);
	end(&w);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_change_of_mode_takes_nothing_while_it_is_looked_at),
		CASE(what_is_not_permitted_is_looked_at_again),
		CASE(what_is_lacking_for_long_is_in_nobodys_way),
		CASE(so_is_what_may_do_a_part_of_it),
		CASE(who_was_replaced_has_a_stamp),
		CASE(who_was_replaced_is_what_he_was),
		CASE(what_is_being_looked_at_is_waited_for),
		CASE(what_is_not_there_is_not_waited_for),
		CASE(a_reload_does_not_open_what_was_denied),
		CASE(it_is_not_in_force_where_anybody_can_link_what_is_not_his),
		CASE(no_answer_changes_nothing),
		CASE(nobody_is_a_warning_with_why),
		CASE(too_many_is_tried_again_and_over_at_last),
		CASE(room_is_looked_for_ever_more_seldom),
		CASE(no_policy_has_more_permits_than_its_room),
		CASE(what_a_reload_found_no_room_for_is_let_through_at_its_end),
		CASE(open_files_are_looked_for_when_it_begins_and_ends),
		CASE(who_is_gone_from_his_path_has_a_stamp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
