// SPDX-License-Identifier: GPL-2.0-or-later
/* engine/fold.c: one cause, one alert; what is counted is told; nothing is lost by want of room. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "engine/fold.h"

#define S 1000000000ULL

static struct {
	unsigned summaries;
	uint64_t count, first, last;
	char like[33];
	uint64_t total;
} told;

static void on_summary(void *ctx, const struct alert *like, uint64_t count, uint64_t first,
		       uint64_t last)
{
	told.summaries++;
	told.count = count;
	told.total += count;
	told.first = first;
	told.last = last;
	memcpy(told.like, like->id, sizeof(told.like));
}

static struct fold_key key(uint32_t tgid, const char *exe)
{
	return (struct fold_key){
		.type = ALERT_KEY_READ,
		.image = {.tgid = tgid, .start = tgid, .exec_id = 7},
		.uid = 1000,
		.object = 17,
		.exe = span_of(exe),
	};
}

/* As the engine does it. Returns whether an alert went out. */
static bool admit(struct fold *fold, const struct fold_key *k, uint64_t now)
{
	enum fold_answer answer = fold_admit(fold, k, 1, now, now, now, 3);
	struct alert *alert;

	if (answer == FOLD_COUNTED)
		return false;
	alert = calloc(1, sizeof(*alert));
	assert_non_null(alert);
	snprintf(alert->id, sizeof(alert->id), "%u", k->image.tgid);
	fold_keep(fold, k, alert);
	return answer == FOLD_SEND;
}

static struct fold *setup(void)
{
	struct fold *fold = fold_new(on_summary, NULL);

	memset(&told, 0, sizeof(told));
	assert_non_null(fold);
	return fold;
}

static void one_image_has_one_alert_and_a_count(void **state)
{
	struct fold *fold = setup();
	struct fold_key k = key(812, "/bin/poller");

	assert_true(admit(fold, &k, 100 * S));
	for (uint64_t i = 1; i <= 5; i++)
		assert_false(admit(fold, &k, (100 + i) * S));
	fold_tick(fold, 100 * S + 600 * S - 1, 600 * S);
	assert_int_equal(told.summaries, 0);
	assert_int_equal(fold_next(fold, 600 * S), 700 * S);
	fold_tick(fold, 700 * S, 600 * S);
	assert_int_equal(told.summaries, 1);
	assert_int_equal(told.count, 5);
	assert_int_equal(told.first, 101 * S);
	assert_int_equal(told.last, 105 * S);
	assert_string_equal(told.like, "812");
	assert_int_equal(fold_next(fold, 600 * S), UINT64_MAX);
	/* In the next window it still has had its alert: only the count is told, like the first. */
	assert_false(admit(fold, &k, 800 * S));
	fold_flush(fold);
	assert_int_equal(told.summaries, 2);
	assert_int_equal(told.count, 1);
	assert_string_equal(told.like, "812");
	fold_free(fold);
}

static void many_processes_are_told_up_to_the_burst(void **state)
{
	struct fold *fold = setup();
	unsigned sent = 0;

	for (uint32_t i = 0; i < 20; i++) {
		struct fold_key k = key(1000 + i, "/bin/cat");

		sent += admit(fold, &k, (100 + i) * S);
	}
	assert_int_equal(sent, 3);
	fold_flush(fold);
	assert_int_equal(told.count, 17);
	assert_string_equal(told.like, "1000");
	/* after the window: as many again */
	sent = 0;
	for (uint32_t i = 0; i < 5; i++) {
		struct fold_key k = key(2000 + i, "/bin/cat");

		sent += admit(fold, &k, 900 * S);
	}
	assert_int_equal(sent, 3);
	fold_free(fold);
}

static void what_differs_is_not_folded(void **state)
{
	struct fold *fold = setup();
	struct fold_key base = key(1, "/bin/cat");

	for (uint32_t i = 0; i < 3; i++) {
		base.image.tgid = i + 1;
		assert_true(admit(fold, &base, S));
	}
	base.image.tgid = 10;
	assert_false(admit(fold, &base, S));
	for (int i = 0; i < 4; i++) {
		struct fold_key k = base;

		k.image.tgid = 20 + (uint32_t)i;
		if (i == 0)
			k.exe = span_of("/bin/dog");
		if (i == 1)
			k.uid = 0;
		if (i == 2)
			k.object = 18;
		if (i == 3)
			k.type = ALERT_DUMP_READ;
		assert_true(admit(fold, &k, S));
	}
	fold_free(fold);
}

static void one_program_of_two_images_is_two_causes(void **state)
{
	/* One image by two names; a name that was given to another; of others less is known. */
	static const struct container_image images[] = {
		{"a", "sha256:1"}, {"b", "sha256:1"}, {"a", "sha256:2"},
		{"a", ""},	   {"", "sha256:1"},
	};
	struct fold *fold = setup();
	uint32_t pid = 0;

	for (size_t i = 0; i <= ARRAY_SIZE(images); i++) {
		struct fold_key k = key(0, "/bin/cat");

		/* What is in none, or not known, comes last. */
		k.made_from = i < ARRAY_SIZE(images) ? &images[i] : NULL;
		for (unsigned n = 0; n < 5; n++) {
			k.image.tgid = ++pid;
			if (admit(fold, &k, S) != (n < 3))
				fail_msg("image %zu: process %u", i, n);
		}
	}
	fold_flush(fold);
	assert_int_equal(told.summaries, ARRAY_SIZE(images) + 1);
	assert_int_equal(told.total, 2 * (ARRAY_SIZE(images) + 1));
	fold_free(fold);
}

static void nothing_to_tell_is_not_told(void **state)
{
	struct fold *fold = setup();
	struct fold_key k = key(1, "/bin/cat");

	assert_true(admit(fold, &k, S));
	fold_tick(fold, 10000 * S, 600 * S);
	assert_int_equal(told.summaries, 0);
	fold_free(fold);
}

/* A flood of different programs cannot push a count out unseen. */
static void without_room_windows_end_early_and_are_told(void **state)
{
	struct fold *fold = setup();
	uint64_t sent = 0, total = 0;

	for (uint32_t i = 0; i < 3 * FOLD_GROUPS_MAX; i++) {
		char exe[32];

		snprintf(exe, sizeof(exe), "/tmp/%u", i);
		for (uint32_t j = 0; j < 5; j++) {
			struct fold_key k = key(5 * i + j + 1, exe);

			sent += admit(fold, &k, S);
			total++;
		}
		assert_in_range(fold_count(fold), 1, FOLD_GROUPS_MAX);
	}
	assert_int_equal(told.summaries, 2 * FOLD_GROUPS_MAX);
	fold_flush(fold);
	assert_int_equal(sent + told.total, total);
	fold_free(fold);
}

static void a_forgotten_image_alerts_again(void **state)
{
	struct fold *fold = setup();
	struct fold_key first = key(1, "/bin/first");

	assert_true(admit(fold, &first, S));
	for (uint32_t i = 0; i < FOLD_IMAGES_MAX; i++) {
		struct fold_key k = key(i + 2, "/bin/cat");

		admit(fold, &k, S);
	}
	assert_true(admit(fold, &first, S));
	fold_free(fold);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_image_has_one_alert_and_a_count),
		cmocka_unit_test(many_processes_are_told_up_to_the_burst),
		cmocka_unit_test(what_differs_is_not_folded),
		cmocka_unit_test(one_program_of_two_images_is_two_causes),
		cmocka_unit_test(nothing_to_tell_is_not_told),
		cmocka_unit_test(without_room_windows_end_early_and_are_told),
		cmocka_unit_test(a_forgotten_image_alerts_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
