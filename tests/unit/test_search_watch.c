// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/search.c, search-told.c: when is searched, what becomes of a child that does not go on as
 * it should, and what is told of it. */
#include "unit/searchworld.h"

static const struct search_message next = {.word = SEARCH_NEXT};
static const struct search_message cut = {.word = SEARCH_NEXT, .value = 1};
static const struct search_message done_all = {.word = SEARCH_DONE,
					       .counts = {.names = 5, .asked = 1}};

/* Places without a tree on any disk: what the child does with them is said by the test. */
static void give_places(struct rig *rig, size_t nr)
{
	search_places_free(rig->search);
	rig->search->places = calloc(nr, sizeof(*rig->search->places));
	rig->search->nr_places = nr;
	for (size_t i = 0; i < nr; i++)
		assert_true(asprintf(&rig->search->places[i].path, "/tree/%zu", i) > 0);
}

/* A whole search in which so many of three trees are cut short. */
static void search_with_cuts(struct rig *rig, int cuts)
{
	begin_search(rig);
	give_places(rig, 3);
	while (recv(puppet_fd, &(struct search_message){}, sizeof(struct search_message),
		    MSG_DONTWAIT) > 0)
		;
	child_says(rig, &next);
	assert_int_equal(child_hears().word, SEARCH_TREE);
	for (int i = 0; i < 3; i++) {
		child_says(rig, i < cuts ? &cut : &next);
		assert_int_equal(child_hears().word, i < 2 ? SEARCH_TREE : SEARCH_END);
	}
	child_says(rig, &done_all);
	assert_int_equal(rig->search->state, SEARCH_IS_WAITING);
}

static void a_search_goes_from_tree_to_tree(void **state)
{
	struct search_message message;
	struct rig rig;

	rig_start(&rig);
	tree_list[0] = "/usr";
	tree_list[1] = "/nothing/of/the/kind";
	nr_tree_list = 2;
	set.discover.max_size_kib = 64;
	policy_in_force(&rig);
	assert_int_equal(entry_set, 7);
	assert_int_equal(lent, puppet);
	message = child_hears();
	assert_int_equal(message.word, SEARCH_BEGIN);
	assert_int_equal(message.value, SEARCH_WHOLE | SEARCH_FORGET);
	assert_int_equal(message.limits.max_size, 65536);
	assert_int_equal(message.limits.max_names, 1000);
	message = child_hears();
	assert_int_equal(message.word, SEARCH_TREE);
	assert_string_equal(message.path, "/usr");
	child_says(&rig, &next);
	assert_int_equal(child_hears().word, SEARCH_END);
	child_says(&rig, &(struct search_message){.word = SEARCH_COUNTS, .counts.names = 3});
	assert_int_equal(rig.search->so_far.names, 3);
	child_says(&rig, &done_all);
	assert_int_equal(rig.search->last.names, 5);
	assert_int_equal(rig.search->searches, 1);
	assert_int_equal(rig.search->next_s, clock_s + 60);
	/* The next one is of what has changed, with the same child. */
	begin_search(&rig);
	message = child_hears();
	assert_int_equal(message.word, SEARCH_BEGIN);
	assert_int_equal(message.value, 0);
	assert_told("");
	rig_end(&rig);
}

static void trees_that_were_cut_short_are_told_once_and_named(void **state)
{
	json_t *json, *trees;
	struct rig rig;

	rig_start(&rig);
	search_watch_policy(rig.search);
	search_with_cuts(&rig, 2);
	assert_told("degraded search-bounds; ");
	assert_non_null(strstr(said, "/tree/0 has more names"));
	assert_non_null(strstr(said, "cut short: 2"));
	json = search_json(rig.search);
	trees = json_object_get(json, "bounded_trees");
	assert_int_equal(json_array_size(trees), 2);
	assert_string_equal(json_string_value(json_array_get(trees, 1)), "/tree/1");
	json_decref(json);
	/* Still so: no news. Not so in a search of what has changed: that proves nothing. */
	search_with_cuts(&rig, 1);
	search_with_cuts(&rig, 0);
	assert_told("");
	clock_s += 3600;
	search_with_cuts(&rig, 0);
	assert_true(rig.search->whole);
	assert_told("ok search-bounds; ");
	rig_end(&rig);
}

static void wait_until_stopped(const struct rig *rig)
{
	for (int i = 0; i < 10000 && !scan_process_stopped(&rig->search->child); i++)
		usleep(1000);
	assert_true(scan_process_stopped(&rig->search->child));
}

static void a_child_that_was_stopped_goes_on_once(void **state)
{
	struct rig rig;
	pid_t first;

	rig_start(&rig);
	policy_in_force(&rig);
	first = puppet;
	kill(first, SIGSTOP);
	wait_until_stopped(&rig);
	search_watch_second(rig.search);
	assert_non_null(strstr(said, "it is to go on"));
	assert_false(scan_process_stopped(&rig.search->child));
	assert_int_equal(rig.search->state, SEARCH_IS_UNDER_WAY);
	assert_told("");
	kill(first, SIGSTOP);
	wait_until_stopped(&rig);
	search_watch_second(rig.search);
	assert_int_equal(rig.search->state, SEARCH_IS_BROKEN);
	assert_int_equal(rig.search->failed, 1);
	assert_int_equal(lent, 0);
	assert_told("degraded search-broken; ");
	/* It was killed and taken in. */
	assert_int_equal(waitpid(first, NULL, WNOHANG), -1);
	puppet_close();
	/* Ten minutes later there is another one, and then all is well again. */
	clock_s += 599;
	search_watch_second(rig.search);
	assert_int_equal(rig.search->state, SEARCH_IS_BROKEN);
	search_with_cuts(&rig, 0);
	assert_int_not_equal(puppet, first);
	assert_told("ok search-broken; ");
	rig_end(&rig);
}

static void a_child_that_is_killed_again_and_again_is_told_once(void **state)
{
	struct rig rig;

	rig_start(&rig);
	policy_in_force(&rig);
	child_dies(&rig);
	assert_int_equal(rig.search->state, SEARCH_IS_BROKEN);
	assert_non_null(strstr(said, "killed by signal 9"));
	assert_told("degraded search-broken; ");
	begin_search(&rig);
	child_dies(&rig);
	assert_int_equal(rig.search->failed, 2);
	assert_told("");
	search_with_cuts(&rig, 0);
	assert_true(rig.search->whole);
	assert_told("ok search-broken; ");
	rig_end(&rig);
}

static void a_child_that_cannot_be_had_is_tried_again(void **state)
{
	json_t *json;
	struct rig rig;

	rig_start(&rig);
	puppet_error = -EACCES;
	policy_in_force(&rig);
	assert_int_equal(rig.search->state, SEARCH_IS_BROKEN);
	assert_told("degraded search-broken; ");
	json = search_json(rig.search);
	assert_string_equal(json_string_value(json_object_get(json, "state")), "failed");
	assert_int_equal(json_integer_value(json_object_get(json, "next_in_s")), 600);
	json_decref(json);
	puppet_error = 0;
	search_with_cuts(&rig, 0);
	assert_told("ok search-broken; ");
	rig_end(&rig);
}

static void a_child_that_says_nothing_is_given_up(void **state)
{
	struct rig rig;

	rig_start(&rig);
	policy_in_force(&rig);
	clock_s += SILENCE_S - 1;
	search_watch_second(rig.search);
	assert_int_equal(rig.search->state, SEARCH_IS_UNDER_WAY);
	clock_s++;
	search_watch_second(rig.search);
	assert_int_equal(rig.search->state, SEARCH_IS_BROKEN);
	assert_non_null(strstr(said, "a file system does not answer"));
	rig_end(&rig);
}

/* While its question is asked it must be silent. */
static void a_child_that_waits_for_an_answer_is_not_given_up(void **state)
{
	static const struct search_message file = {.word = SEARCH_FILE, .path = "/tree/key"};
	struct rig rig;

	rig_start(&rig);
	policy_in_force(&rig);
	replies[0] = NEVER;
	child_says(&rig, &file);
	clock_s += SILENCE_S + 1;
	search_watch_second(rig.search);
	assert_int_equal(rig.search->state, SEARCH_IS_UNDER_WAY);
	rig_end(&rig);
}

static void a_child_that_says_what_is_no_word_is_killed(void **state)
{
	struct rig rig;

	rig_start(&rig);
	policy_in_force(&rig);
	child_says(&rig, &(struct search_message){.word = 99});
	puppet_close();
	assert_true(sd_event_run(rig.app.loop, 10000000) > 0);
	assert_int_equal(rig.search->state, SEARCH_IS_BROKEN);
	assert_non_null(strstr(said, "killed by signal 9"));
	rig_end(&rig);
}

static void switched_off_nothing_is_degraded(void **state)
{
	struct rig rig;
	pid_t child;

	rig_start(&rig);
	search_watch_policy(rig.search);
	search_with_cuts(&rig, 1);
	child = puppet;
	assert_told("degraded search-bounds; ");
	set.discover.content = false;
	search_watch_policy(rig.search);
	assert_told("ok search-bounds; ");
	assert_int_equal(entry_set, 0);
	assert_int_equal(rig.search->state, SEARCH_IS_OFF);
	assert_int_equal(waitpid(child, NULL, WNOHANG), -1);
	clock_s += 100000;
	search_watch_second(rig.search);
	assert_int_equal(rig.search->state, SEARCH_IS_OFF);
	rig_end(&rig);
}

static void a_mount_is_looked_at_soon(void **state)
{
	struct rig rig;

	rig_start(&rig);
	search_watch_policy(rig.search);
	search_with_cuts(&rig, 0);
	search_watch_soon(rig.search);
	assert_int_equal(rig.search->next_s, clock_s + SOON_S);
	assert_true(search_watch_is(rig.search, &(struct subject){.id.tgid = (uint32_t)puppet}));
	assert_false(search_watch_is(rig.search, &(struct subject){.id.tgid = 1}));
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_search_goes_from_tree_to_tree),
		cmocka_unit_test(trees_that_were_cut_short_are_told_once_and_named),
		cmocka_unit_test(a_child_that_was_stopped_goes_on_once),
		cmocka_unit_test(a_child_that_is_killed_again_and_again_is_told_once),
		cmocka_unit_test(a_child_that_cannot_be_had_is_tried_again),
		cmocka_unit_test(a_child_that_says_nothing_is_given_up),
		cmocka_unit_test(a_child_that_waits_for_an_answer_is_not_given_up),
		cmocka_unit_test(a_child_that_says_what_is_no_word_is_killed),
		cmocka_unit_test(switched_off_nothing_is_degraded),
		cmocka_unit_test(a_mount_is_looked_at_soon),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
