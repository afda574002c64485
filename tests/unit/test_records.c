// SPDX-License-Identifier: GPL-2.0-or-later
/* Which accesses are recorded: the first of a kind at once, repeats as a count, a share for each.
 */
#include "engine/records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define S      1000000000ULL
#define WINDOW (600 * S)

struct told {
	unsigned first, again;
	uint64_t count, from, to; /* of the last repeat */
	uint32_t pid;
	bool wait; /* the key's name is not known yet */
	uint64_t held;
	char script[32];
};

static bool on_record(void *ctx, const struct record_kind *kind, bool again, bool late,
		      uint64_t now)
{
	struct told *t = ctx;

	if (t->wait && !late)
		return false;
	t->pid = kind->subject.id.tgid;
	snprintf(t->script, sizeof(t->script), "%.*s", (int)kind->script.len,
		 kind->script.len ? kind->script.p : "");
	if (!again) {
		t->first++;
		return true;
	}
	t->again++;
	t->count = kind->count;
	t->from = kind->first;
	t->to = kind->last;
	return true;
}

static void on_held(void *ctx, uint32_t user, uint64_t start, uint64_t held, uint64_t first,
		    uint64_t last)
{
	((struct told *)ctx)->held += held;
}

static const struct policy_answer answer = {.verdict = VERDICT_ALLOW, .why = "it may"};

static void add(struct records *records, uint64_t object, uint32_t pid, uint32_t uid, uint64_t time)
{
	const struct subject subject = {.id = {.tgid = pid, .start = time},
					.uid = uid,
					.loginuid = UID_UNSET};
	const struct record record = {
		.subject = &subject,
		.object = object,
		.action = ACTION_READ,
		.verdict = VERDICT_ALLOW,
		.answer = &answer,
		.how = "open",
		.exe = span_of("/usr/sbin/sshd"),
		.count = 1,
		.first = time,
		.last = time,
	};
	const struct share_case share = {.user = uid, .owner = uid, .object = object};

	records_add(records, &record, &share, time);
}

static void a_busy_server_is_two_records_in_a_window(void **state)
{
	struct told t = {0};
	struct records *records = records_new(on_record, on_held, &t);

	for (uint32_t i = 0; i < 5000; i++)
		add(records, 7, 1000 + i, 0, S + i * 1000);
	assert_int_equal(t.first, 1);
	assert_int_equal(t.again, 0);
	assert_int_equal(records_next(records, WINDOW), S + WINDOW);
	records_tick(records, S + WINDOW, WINDOW);
	assert_int_equal(t.again, 1);
	assert_int_equal(t.count, 4999);
	assert_int_equal(t.from, S + 1000);
	assert_int_equal(t.to, S + 4999 * 1000);
	assert_int_equal(t.pid, 5999);
	/* The next window begins anew. */
	add(records, 7, 9, 0, 2 * WINDOW);
	assert_int_equal(t.first, 2);
	records_flush(records, 2 * WINDOW);
	assert_int_equal(t.again, 1);
	records_free(records);
}

/* Two scripts of one interpreter are two programs. */
static void scripts_are_told_apart_and_kept(void **state)
{
	static const char *const scripts[] = {"/usr/sbin/a", "/usr/sbin/b", "/usr/sbin/a", ""};
	struct told t = {0};
	struct records *records = records_new(on_record, on_held, &t);
	const struct subject subject = {.id = {.tgid = 10}, .loginuid = UID_UNSET};
	const struct share_case share = {.object = 1};

	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		char script[32];
		struct record record = {
			.subject = &subject,
			.object = 1,
			.answer = &answer,
			.how = "open",
			.exe = span_of("/usr/bin/perl"),
			.script_trust = EXE_VERIFIED,
			.count = 1,
		};

		strcpy(script, scripts[i]);
		record.script = span_of(script);
		records_add(records, &record, &share, S);
		memset(script, 'x', sizeof(script));
		assert_string_equal(t.script, scripts[i == 2 ? 1 : i]);
	}
	assert_int_equal(t.first, 3);
	records_flush(records, S);
	assert_int_equal(t.again, 1);
	records_free(records);
}

static void what_differs_is_recorded_by_itself(void **state)
{
	struct told t = {0};
	struct records *records = records_new(on_record, on_held, &t);

	add(records, 1, 10, 0, S);
	add(records, 2, 10, 0, S); /* another object */
	add(records, 1, 10, 5, S); /* another user */
	assert_int_equal(t.first, 3);
	records_free(records);
}

static void the_first_waits_for_the_name_of_its_key_and_not_for_ever(void **state)
{
	struct told t = {.wait = true};
	struct records *records = records_new(on_record, on_held, &t);

	add(records, 1, 10, 0, S);
	add(records, 1, 11, 0, S + 1);
	assert_int_equal(t.first, 0);
	assert_int_equal(records_next(records, WINDOW), S + EVIDENCE_KEY_WAIT_NS);
	records_tick(records, S + EVIDENCE_KEY_WAIT_NS - 1, WINDOW);
	assert_int_equal(t.first, 0);
	records_tick(records, S + EVIDENCE_KEY_WAIT_NS, WINDOW);
	assert_int_equal(t.first, 1);
	assert_int_equal(t.pid, 10);
	records_flush(records, 5 * S);
	assert_int_equal(t.again, 1);
	assert_int_equal(t.pid, 11);
	records_free(records);
}

static void one_that_waits_behind_one_that_does_not_is_told_in_time(void **state)
{
	struct told t = {.wait = true};
	struct records *records = records_new(on_record, on_held, &t);

	add(records, 1, 10, 0, S);
	t.wait = false;
	add(records, 2, 11, 0, S + 1);
	t.wait = true;
	assert_int_equal(t.first, 1);
	assert_int_equal(records_next(records, WINDOW), S + EVIDENCE_KEY_WAIT_NS);
	records_free(records);
}

static void one_that_waits_is_told_when_the_name_comes(void **state)
{
	struct told t = {.wait = true};
	struct records *records = records_new(on_record, on_held, &t);

	add(records, 1, 10, 0, S);
	t.wait = false;
	records_tick(records, S + 1000, WINDOW);
	assert_int_equal(t.first, 1);
	assert_int_equal(records_next(records, WINDOW), S + WINDOW);
	records_free(records);
}

static void beyond_its_share_a_user_is_counted(void **state)
{
	struct told t = {0};
	struct records *records = records_new(on_record, on_held, &t);

	for (uint64_t i = 0; i < EVIDENCE_SHARE + 500; i++)
		add(records, 100 + i, 10, 1000, S + i);
	assert_int_equal(t.first, EVIDENCE_SHARE);
	/* Another user's are not touched by it. */
	add(records, 1, 11, 1001, S + 5000);
	assert_int_equal(t.first, EVIDENCE_SHARE + 1);
	records_flush(records, 2 * S);
	assert_int_equal(t.held, 500);
	records_free(records);
}

static void more_kinds_than_have_room_are_summed_up_early(void **state)
{
	struct told t = {0};
	struct records *records = records_new(on_record, on_held, &t);

	add(records, 1, 10, 0, S);
	add(records, 1, 11, 0, S + 1);
	for (uint64_t i = 0; i < 3 * EVIDENCE_KINDS_MAX; i++)
		add(records, 100 + i, 10, 0, 2 * S + i);
	assert_int_equal(t.first, 1 + 3 * EVIDENCE_KINDS_MAX);
	assert_int_equal(t.again, 1);
	/* Forgotten, it is recorded once more: giving way is never silence. */
	add(records, 1, 12, 0, 3 * S);
	assert_int_equal(t.first, 2 + 3 * EVIDENCE_KINDS_MAX);
	records_free(records);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_busy_server_is_two_records_in_a_window),
		cmocka_unit_test(scripts_are_told_apart_and_kept),
		cmocka_unit_test(what_differs_is_recorded_by_itself),
		cmocka_unit_test(the_first_waits_for_the_name_of_its_key_and_not_for_ever),
		cmocka_unit_test(one_that_waits_behind_one_that_does_not_is_told_in_time),
		cmocka_unit_test(one_that_waits_is_told_when_the_name_comes),
		cmocka_unit_test(beyond_its_share_a_user_is_counted),
		cmocka_unit_test(more_kinds_than_have_room_are_summed_up_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
