// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose subordinate uids are whose: lines of /etc/subuid, good ones and others. */
#include "daemon/subuid.c" /* the daemon is no library */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char users[] = "root:x:0:0::/root:/bin/sh\n"
			    "alice:x:1000:1000::/home/alice:/bin/sh\n"
			    "bob:x:1001:1001::/home/bob:/bin/sh\n";

static size_t parsed(const char *text, struct quota_range *ranges, size_t max, size_t *more)
{
	FILE *f = fmemopen((void *)text, strlen(text), "r");
	FILE *passwd = fmemopen((void *)users, strlen(users), "r");
	size_t nr;

	assert_non_null(f);
	assert_non_null(passwd);
	nr = subuid_read(f, passwd, ranges, max, more);
	fclose(f);
	fclose(passwd);
	return nr;
}

static void lines(void **state)
{
	static const struct {
		const char *text;
		size_t nr;
		struct quota_range ranges[3];
	} cases[] = {
		{"alice:100000:65536\n", 1, {{100000, 65536, 1000}}},
		{"alice:100000:65536", 1, {{100000, 65536, 1000}}},
		{"1001:100000:65536\n", 1, {{100000, 65536, 1001}}},
		{"alice:1:1\r\nbob:2:1 \n", 2, {{1, 1, 1000}, {2, 1, 1001}}},
		/* Sorted, whatever the order of the lines. */
		{"bob:200000:5\nalice:100000:5\n", 2, {{100000, 5, 1000}, {200000, 5, 1001}}},
		/* Who is not to be found: one account for the range. */
		{"stranger:300000:10\n", 1, {{300000, 10, 300000}}},
		/* One over another. */
		{"alice:100:10\nbob:105:10\n", 2, {{100, 10, 1000}, {110, 5, 1001}}},
		{"alice:100:10\nbob:102:3\n", 1, {{100, 10, 1000}}},
		/* To the last uid there is, and not beyond. */
		{"alice:4294967290:10\n", 1, {{4294967290U, 5, 1000}}},
		/* None. */
		{"", 0, {}},
		{"\n\n:\n::\n:::\n", 0, {}},
		{"alice\nalice:\nalice:1\nalice:1:\nalice::1\n", 0, {}},
		{"alice:1:0\nalice:-1:5\nalice:1:-5\nalice: 1:5\nalice:0x10:5\n", 0, {}},
		{"alice:4294967295:1\nalice:1:4294967295\nalice:1:99999999999999999999\n", 0, {}},
		{"alice:1:5:6\nalice:1:5x\nalice:1x:5\n", 0, {}},
		{"root:100:5\n0:100:5\n", 0, {}},
		{"# alice:1:5\n", 1, {{1, 5, 1}}}, /* no comment: a user of an odd name */
	};
	struct quota_range ranges[8];
	size_t more;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(ranges, 0xff, sizeof(ranges));
		if (parsed(cases[i].text, ranges, ARRAY_SIZE(ranges), &more) != cases[i].nr)
			fail_msg("%s", cases[i].text);
		assert_int_equal(more, 0);
		for (size_t k = 0; k < cases[i].nr; k++)
			if (memcmp(&ranges[k], &cases[i].ranges[k], sizeof(ranges[k])))
				fail_msg("%s: %u %u %u", cases[i].text, ranges[k].first,
					 ranges[k].count, ranges[k].account);
	}
}

static void more_than_there_is_room_for(void **state)
{
	struct quota_range ranges[2];
	size_t more;

	assert_int_equal(parsed("alice:100:1\nbob:200:1\nalice:50:1\nx\nbob:60:1\n", ranges, 2,
				&more),
			 2);
	assert_int_equal(more, 2);
	assert_int_equal(ranges[0].first, 100);
	assert_int_equal(ranges[1].first, 200);
}

static void who_owns_what_a_uid_has(void **state)
{
	struct quota_range ranges[4];
	size_t more, nr = parsed("bob:200:100\n5:100:50\n7:300:4294967294\n", ranges, 4, &more);

	assert_int_equal(nr, 3);
	assert_int_equal(subuid_account(ranges, nr, 0), 0);
	assert_int_equal(subuid_account(ranges, nr, 99), 99);
	assert_int_equal(subuid_account(ranges, nr, 100), 5);
	assert_int_equal(subuid_account(ranges, nr, 149), 5);
	assert_int_equal(subuid_account(ranges, nr, 150), 150);
	assert_int_equal(subuid_account(ranges, nr, 200), ranges[1].account);
	assert_int_equal(subuid_account(ranges, nr, 299), ranges[1].account);
	assert_int_equal(subuid_account(ranges, nr, 300), 7);
	assert_int_equal(subuid_account(ranges, nr, UINT32_MAX - 1), 7);
	assert_int_equal(subuid_account(ranges, 0, 100), 100);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines),
		cmocka_unit_test(more_than_there_is_room_for),
		cmocka_unit_test(who_owns_what_a_uid_has),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
