// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/search-file.c: what becomes of a file that begins as a key does. */
#include "unit/searchworld.h"

static const struct search_message file = {.word = SEARCH_FILE, .path = "/tree/key"};

static void silence(void)
{
	char byte;

	assert_int_equal(recv(puppet_fd, &byte, 1, MSG_DONTWAIT), -1);
}

static void start(struct rig *rig)
{
	rig_start(rig);
	policy_in_force(rig);
	assert_int_equal(child_hears().word, SEARCH_BEGIN);
	assert_int_equal(child_hears().word, SEARCH_END);
}

/* Until the answer is there, which is returned. */
static int answer_to(struct rig *rig)
{
	struct search_message message;

	child_says(rig, &file);
	for (int i = 0; i < 10; i++) {
		if (recv(puppet_fd, &message, sizeof(message), MSG_DONTWAIT) == sizeof(message)) {
			assert_int_equal(message.word, SEARCH_ANSWER);
			assert_true(rig->search->file < 0);
			assert_null(rig->search->reader);
			return message.value;
		}
		assert_true(sd_event_run(rig->app.loop, 10000000) > 0);
	}
	fail();
	return -1;
}

static void a_key_is_watched(void **state)
{
	struct rig rig;

	start(&rig);
	assert_int_equal(answer_to(&rig), 0);
	assert_int_equal(added, 1);
	assert_int_equal(rig.search->keys, 1);
	/* What was not watched for want of something is asked about again. */
	add_result = -ENOMEM;
	assert_int_equal(answer_to(&rig), 1);
	rig_end(&rig);
}

static void what_is_no_key_is_not(void **state)
{
	struct rig rig;

	start(&rig);
	reply_key = (struct key_identity){.kind = KEY_NONE};
	assert_int_equal(answer_to(&rig), 0);
	assert_int_equal(added, 0);
	rig_end(&rig);
}

static void what_cannot_be_opened_is_asked_about_again_or_not(void **state)
{
	static const int results[][2] = {
		{-EEXIST, 0}, /* it is watched already */
		{-EINVAL, 0}, /* it is no regular file */
		{-EACCES, 1}, {-ESTALE, 1}, {-EREMOTE, 1},
	};
	struct rig rig;

	start(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(results); i++) {
		open_result = results[i][0];
		assert_int_equal(answer_to(&rig), results[i][1]);
	}
	assert_int_equal(readers, 0);
	rig_end(&rig);
}

static void a_reader_that_crashes_is_tried_twice(void **state)
{
	struct rig rig;

	start(&rig);
	replies[0] = -ECHILD;
	replies[1] = 0;
	assert_int_equal(answer_to(&rig), 0);
	assert_int_equal(readers, 2);
	assert_int_equal(added, 1);
	assert_int_equal(rig.search->unread, 0);
	replies[2] = replies[3] = -ECHILD;
	assert_int_equal(answer_to(&rig), 2);
	assert_int_equal(readers, 4);
	assert_int_equal(rig.search->unread, 1);
	assert_non_null(strstr(said, "tried again within 3600 s"));
	/* Of many in one search one line. */
	said[0] = '\0';
	replies[4] = replies[5] = -EBADMSG;
	assert_int_equal(answer_to(&rig), 2);
	assert_int_equal(rig.search->unread, 2);
	assert_string_equal(said, "");
	rig_end(&rig);
}

/* As one that was sent SIGSTOP: it says nothing, and its pipe stays open. */
static void a_reader_that_was_stopped_is_given_up_and_tried_twice(void **state)
{
	struct search_message message;
	struct rig rig;

	start(&rig);
	replies[0] = replies[1] = NEVER;
	child_says(&rig, &file);
	silence();
	assert_int_equal(on_reader_timeout(NULL, 0, rig.search), 0);
	assert_int_equal(readers, 2);
	assert_int_equal(readers_ended, 1);
	silence();
	assert_int_equal(on_reader_timeout(NULL, 0, rig.search), 0);
	message = child_hears();
	assert_int_equal(message.word, SEARCH_ANSWER);
	assert_int_equal(message.value, 2);
	assert_int_equal(readers_ended, 2);
	assert_int_equal(rig.search->unread, 1);
	rig_end(&rig);
}

/* The loop was busy: the answer was there when the time was over. */
static void an_answer_that_waits_to_be_read_counts(void **state)
{
	struct rig rig;

	start(&rig);
	replies[0] = NEVER;
	child_says(&rig, &file);
	replies[0] = 0;
	assert_int_equal(on_reader_timeout(NULL, 0, rig.search), 0);
	assert_int_equal(child_hears().value, 0);
	assert_int_equal(readers, 1);
	assert_int_equal(added, 1);
	rig_end(&rig);
}

static void a_reader_that_cannot_be_had_is_not_the_files_fault(void **state)
{
	static const int errors[] = {-EAGAIN, -EBUSY, -EMFILE, -ENOMEM, -EPERM};
	struct rig rig;

	start(&rig);
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		spawn_result = errors[i];
		assert_int_equal(answer_to(&rig), 1);
	}
	spawn_result = 0;
	/* Started, and then without its walls. */
	replies[0] = -EPERM;
	assert_int_equal(answer_to(&rig), 1);
	assert_int_equal(readers, 1);
	/* Larger than a key is: until it changes. */
	replies[1] = -EFBIG;
	assert_int_equal(answer_to(&rig), 0);
	assert_int_equal(rig.search->unread, 0);
	rig_end(&rig);
}

static void beyond_an_owners_share_nothing_is_read(void **state)
{
	struct rig rig;

	start(&rig);
	room_result = -EDQUOT;
	assert_int_equal(answer_to(&rig), 2);
	assert_int_equal(answer_to(&rig), 2);
	assert_int_equal(readers, 0);
	assert_int_equal(rig.search->left_out, 2);
	assert_told("degraded found-keys; ");
	assert_non_null(strstr(said, "as one may have"));
	/* Found to be full only when the key is to be watched. */
	room_result = 0;
	add_result = -ENOSPC;
	assert_int_equal(answer_to(&rig), 2);
	assert_int_equal(rig.search->left_out, 3);
	assert_told("");
	/* There is room in a whole search later. */
	add_result = 0;
	child_says(&rig, &(struct search_message){.word = SEARCH_DONE});
	assert_told("");
	clock_s += 3600;
	begin_search(&rig);
	while (child_hears().word != SEARCH_END)
		;
	assert_int_equal(answer_to(&rig), 0);
	child_says(&rig, &(struct search_message){.word = SEARCH_DONE});
	assert_told("ok found-keys; ");
	rig_end(&rig);
}

static void of_one_owner_so_many_are_read_in_a_search(void **state)
{
	struct rig rig;

	start(&rig);
	for (int i = 0; i < SEARCH_ASKS_MAX; i++)
		search_owners_ask(rig.search->owners, 0);
	assert_int_equal(answer_to(&rig), 1);
	assert_int_equal(readers, 0);
	child_says(&rig, &(struct search_message){.word = SEARCH_DONE});
	begin_search(&rig);
	while (child_hears().word != SEARCH_END)
		;
	assert_int_equal(answer_to(&rig), 0);
	assert_int_equal(readers, 1);
	rig_end(&rig);
}

/* Of a subordinate uid: all of them together have one share, that of whose they are. */
static void files_of_subordinate_uids_are_of_one_owner(void **state)
{
	struct rig rig;

	start(&rig);
	account = 1000;
	assert_int_equal(answer_to(&rig), 0);
	assert_int_equal(added, 1);
	for (int i = 1; i < SEARCH_ASKS_MAX; i++)
		search_owners_ask(rig.search->owners, 1000);
	assert_int_equal(answer_to(&rig), 1);
	room_result = -EDQUOT;
	assert_int_equal(answer_to(&rig), 2);
	assert_non_null(strstr(said, "the user with uid 1000 has as many"));
	rig_end(&rig);
}

static void a_second_question_before_the_answer_is_not_heard(void **state)
{
	struct rig rig;

	start(&rig);
	replies[0] = NEVER;
	child_says(&rig, &file);
	child_says(&rig, &file);
	assert_int_equal(opened, 1);
	assert_int_equal(readers, 1);
	rig_end(&rig);
}

/* Whoever searches is killed while a file of his is read. */
static void the_end_of_the_child_ends_the_reader(void **state)
{
	struct rig rig;

	start(&rig);
	replies[0] = NEVER;
	child_says(&rig, &file);
	child_dies(&rig);
	assert_int_equal(readers_ended, 1);
	assert_null(rig.search->reader);
	assert_true(rig.search->file < 0);
	rig_end(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_watched),
		cmocka_unit_test(what_is_no_key_is_not),
		cmocka_unit_test(what_cannot_be_opened_is_asked_about_again_or_not),
		cmocka_unit_test(a_reader_that_crashes_is_tried_twice),
		cmocka_unit_test(a_reader_that_was_stopped_is_given_up_and_tried_twice),
		cmocka_unit_test(an_answer_that_waits_to_be_read_counts),
		cmocka_unit_test(a_reader_that_cannot_be_had_is_not_the_files_fault),
		cmocka_unit_test(beyond_an_owners_share_nothing_is_read),
		cmocka_unit_test(of_one_owner_so_many_are_read_in_a_search),
		cmocka_unit_test(files_of_subordinate_uids_are_of_one_owner),
		cmocka_unit_test(a_second_question_before_the_answer_is_not_heard),
		cmocka_unit_test(the_end_of_the_child_ends_the_reader),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
