// SPDX-License-Identifier: GPL-2.0-or-later
/* trail/zoned: which zones a key belongs to, who may say so, and what happens when there are too
 * many. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "trail/zoned.h"

/* The zones of a key, "one two". */
static void expect(const struct zoned *zoned, const char *key, const char *want)
{
	const char *zones[ZONED_ZONES_MAX];
	size_t nr = zoned_find(zoned, key, zones);
	char text[512] = "";

	for (size_t i = 0; i < nr; i++) {
		strcat(text, i ? " " : "");
		strcat(text, zones[i]);
	}
	assert_string_equal(text, want);
}

static void a_key_belongs_to_all_that_say_so(void **state)
{
	struct zoned *zoned = zoned_new();

	expect(zoned, "key/a", "");
	zoned_add(zoned, "key/a", "one", true);
	zoned_add(zoned, "key/b", "two", true);
	zoned_add(zoned, "key/a", "three", true);
	zoned_add(zoned, "key/a", "one", true);
	expect(zoned, "key/a", "one three");
	expect(zoned, "key/b", "two");
	zoned_free(zoned);
}

static void what_is_not_verified_takes_no_key_out_of_its_zone(void **state)
{
	struct zoned *zoned = zoned_new();

	zoned_add(zoned, "key/a", "one", true);
	zoned_add(zoned, "key/a", "weak", false);
	expect(zoned, "key/a", "one");
	zoned_add(zoned, "key/b", "one", false);
	zoned_add(zoned, "key/b", "weak", false); /* adds to it, at most */
	expect(zoned, "key/b", "one weak");
	zoned_add(zoned, "key/b", "two", true);
	expect(zoned, "key/b", "two");
	zoned_free(zoned);
}

static void none_is_forgotten_when_it_is_full(void **state)
{
	struct zoned *zoned = zoned_new();
	char name[32];
	size_t full;

	for (int i = 0; i < ZONED_MAX; i++) {
		snprintf(name, sizeof(name), "key/%d", i);
		zoned_add(zoned, name, "z", true);
	}
	full = zoned_bytes(zoned);
	zoned_add(zoned, "key/more", "z", true);
	expect(zoned, "key/more", "");
	expect(zoned, "key/0", "z");
	assert_int_equal(zoned_refused(zoned), 1);
	assert_int_equal(zoned_bytes(zoned), full);
	for (int i = 0; i < ZONED_ZONES_MAX; i++) {
		snprintf(name, sizeof(name), "%d", i);
		zoned_add(zoned, "key/0", name, true);
	}
	expect(zoned, "key/0", "z 0 1 2");
	assert_int_equal(zoned_refused(zoned), 2);
	zoned_free(zoned);
}

static bool is_there(void *ctx, const char *zone)
{
	return strcmp(zone, "removed") != 0;
}

static void another_policy_says_it_anew(void **state)
{
	struct zoned *zoned = zoned_new();

	zoned_add(zoned, "key/a", "one", true);
	zoned_add(zoned, "key/b", "one", true);
	zoned_add(zoned, "key/gone", "one", true);
	zoned_add(zoned, "key/gone", "removed", true);
	zoned_add(zoned, "key/gone-too", "removed", true);
	zoned_add(zoned, "key/claimed", "one", true);
	zoned_begin(zoned);
	zoned_add(zoned, "key/claimed", "weak", false);
	zoned_add(zoned, "key/a", "two", true);
	zoned_add(zoned, "key/a", "three", true);
	zoned_add(zoned, "key/b", NULL, true);
	zoned_add(zoned, "key/other", NULL, true);
	zoned_end(zoned, is_there, NULL);
	expect(zoned, "key/a", "two three");
	expect(zoned, "key/b", "");
	expect(zoned, "key/claimed", "one");
	expect(zoned, "key/gone", "one");
	expect(zoned, "key/gone-too", "");
	zoned_add(zoned, "key/gone", "two", true);
	expect(zoned, "key/gone", "one two");
	assert_int_equal(zoned_refused(zoned), 0);
	zoned_free(zoned);
}

static void a_zone_that_is_not_there_yet_finds_room(void **state)
{
	static const struct {
		uint32_t zones[4], zone, spare;
	} cases[] = {
		{{0, 0, 0, 0}, 1, 3}, {{0, 0, 0, 0}, 0, 4}, {{0, 1, 2, 3}, 4, 0},
		{{0, 1, 2, 3}, 3, 4}, {{1, 2, 1, 3}, 4, 2}, {{1, 2, 3, 4}, 5, 4},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(zoned_spare(cases[i].zones, 4, cases[i].zone), cases[i].spare);
	assert_int_equal(zoned_spare(NULL, 0, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_belongs_to_all_that_say_so),
		cmocka_unit_test(what_is_not_verified_takes_no_key_out_of_its_zone),
		cmocka_unit_test(none_is_forgotten_when_it_is_full),
		cmocka_unit_test(a_zone_that_is_not_there_yet_finds_room),
		cmocka_unit_test(another_policy_says_it_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
