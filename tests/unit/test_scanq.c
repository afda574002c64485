// SPDX-License-Identifier: GPL-2.0-or-later
/* scanq/: the most urgent first, each content once, never more than asked for; and what comes of a
 * scan. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "scanq/scanq.h"
#include "scanq/shares.h"
#include "scanq/tally.h"

static struct scanq_item item(uint64_t ino, uint64_t changed, enum scanq_rank rank)
{
	return (struct scanq_item){
		.inode = {.ino = ino, .dev = 1, .gen = 7},
		.changed = changed,
		.size = 100,
		.rank = rank,
	};
}

static void the_most_urgent_comes_first_and_then_the_oldest(void **state)
{
	struct scanq_item items[] = {
		item(1, 1, SCANQ_RANK_OTHER), item(2, 1, SCANQ_RANK_SMALL),
		item(3, 1, SCANQ_RANK_OTHER), item(4, 1, SCANQ_RANK_HOLDER),
		item(5, 1, SCANQ_RANK_SMALL), item(6, 1, SCANQ_RANK_HOLDER),
	};
	static const uint64_t order[] = {4, 6, 2, 5, 1, 3};
	struct scanq *q = scanq_new(10);
	struct scanq_item *ousted;

	for (size_t i = 0; i < ARRAY_SIZE(items); i++) {
		assert_int_equal(scanq_add(q, &items[i], &ousted), SCANQ_QUEUED);
		assert_null(ousted);
	}
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		assert_int_equal(scanq_take(q)->inode.ino, order[i]);
	assert_null(scanq_take(q));
	scanq_free(q);
}

static uint64_t costs[3];

static uint64_t cost_of(void *userdata, uint32_t owner)
{
	return costs[owner];
}

static void an_owner_has_his_share_of_the_queue_and_of_the_turns(void **state)
{
	struct scanq_item items[] = {
		item(1, 1, SCANQ_RANK_SMALL),
		item(2, 1, SCANQ_RANK_SMALL),
		item(3, 1, SCANQ_RANK_HOLDER),
		item(4, 1, SCANQ_RANK_OTHER),
	};
	struct scanq_item again = item(1, 2, SCANQ_RANK_SMALL), *ousted;
	struct scanq *q = scanq_new(10);
	uint64_t cost;

	assert_null(scanq_take_cheapest(q, cost_of, NULL, 10, &cost));
	scanq_set_owner_max(q, 2);
	for (size_t i = 0; i < 3; i++) {
		items[i].owner = 1;
		assert_int_equal(scanq_add(q, &items[i], &ousted),
				 i < 2 ? SCANQ_QUEUED : SCANQ_FULL);
	}
	again.owner = 1; /* which takes no more room */
	assert_int_equal(scanq_add(q, &again, &ousted), SCANQ_QUEUED);
	assert_ptr_equal(ousted, &items[0]);
	items[3].owner = 2;
	assert_int_equal(scanq_add(q, &items[3], &ousted), SCANQ_QUEUED);
	costs[1] = 20;
	costs[2] = 15;
	assert_null(scanq_take_cheapest(q, cost_of, NULL, 10, &cost));
	assert_int_equal(cost, 15);
	assert_ptr_equal(scanq_take_cheapest(q, cost_of, NULL, 100, &cost), &items[3]);
	assert_ptr_equal(scanq_take_cheapest(q, cost_of, NULL, 100, &cost), &again);
	assert_ptr_equal(scanq_take_cheapest(q, cost_of, NULL, 100, &cost), &items[1]);
	scanq_free(q);
}

static void time_that_was_used_comes_back_slowly(void **state)
{
	static struct shares shares;

	assert_int_equal(shares_spent(&shares, 0, 1000), 0);
	shares_charge(&shares, 0, 1000, 100);
	assert_int_equal(shares_spent(&shares, 0, 1000), 100);
	assert_int_equal(shares_spent(&shares, 0, 1500), 50);
	assert_int_equal(shares_spent(&shares, 1, 1500), 0);
	shares_charge(&shares, 0, 1500, 100);
	assert_int_equal(shares_spent(&shares, 0, 1500), 150);
	assert_int_equal(shares_spent(&shares, 0, 9999), 0);
	/* Many who have used little push nobody out who has used much. */
	for (uint32_t i = 1; i < 3 * SHARES_MAX; i++)
		shares_charge(&shares, i, 1500, 10);
	assert_int_equal(shares_spent(&shares, 0, 1500), 150);
	assert_int_equal(shares_spent(&shares, 3 * SHARES_MAX - 1, 1500), 10);
}

static void a_file_waits_once_as_it_is_now(void **state)
{
	struct scanq_item first = item(1, 1, SCANQ_RANK_OTHER),
			  other = item(2, 1, SCANQ_RANK_OTHER);
	struct scanq_item same = item(1, 1, SCANQ_RANK_HOLDER),
			  later = item(1, 2, SCANQ_RANK_SMALL);
	struct scanq_item reused = item(1, 1, SCANQ_RANK_OTHER);
	struct scanq *q = scanq_new(10);
	struct scanq_item *ousted;

	reused.inode.gen++; /* another file with the same number */
	scanq_add(q, &first, &ousted);
	scanq_add(q, &other, &ousted);
	assert_int_equal(scanq_add(q, &same, &ousted), SCANQ_KNOWN);
	assert_null(ousted);
	assert_int_equal(first.rank, SCANQ_RANK_HOLDER); /* that it is urgent is news */
	assert_int_equal(scanq_add(q, &later, &ousted), SCANQ_QUEUED);
	assert_ptr_equal(ousted, &first);
	assert_int_equal(scanq_add(q, &reused, &ousted), SCANQ_QUEUED);
	assert_null(ousted);
	assert_int_equal(scanq_count(q), 3);
	/* It kept rank and turn of what it replaced. */
	assert_ptr_equal(scanq_take(q), &later);
	assert_ptr_equal(scanq_take(q), &other);
	assert_ptr_equal(scanq_take(q), &reused);
	scanq_free(q);
}

static void a_full_queue_gives_up_the_least_urgent(void **state)
{
	struct scanq_item a = item(1, 1, SCANQ_RANK_OTHER), b = item(2, 1, SCANQ_RANK_OTHER);
	struct scanq_item c = item(3, 1, SCANQ_RANK_OTHER), d = item(4, 1, SCANQ_RANK_SMALL);
	struct scanq_item e = item(5, 1, SCANQ_RANK_HOLDER), f = item(6, 1, SCANQ_RANK_SMALL);
	struct scanq *q = scanq_new(2);
	struct scanq_item *ousted;

	scanq_add(q, &a, &ousted);
	scanq_add(q, &b, &ousted);
	assert_int_equal(scanq_add(q, &c, &ousted), SCANQ_FULL);
	assert_null(ousted);
	assert_int_equal(scanq_add(q, &d, &ousted), SCANQ_QUEUED);
	assert_ptr_equal(ousted, &b); /* the later one of two */
	assert_int_equal(scanq_add(q, &e, &ousted), SCANQ_QUEUED);
	assert_ptr_equal(ousted, &a);
	assert_int_equal(scanq_add(q, &f, &ousted), SCANQ_FULL);
	/* A lower bound throws nothing out. */
	scanq_set_max(q, 1);
	assert_int_equal(scanq_count(q), 2);
	assert_int_equal(scanq_add(q, &f, &ousted), SCANQ_FULL);
	assert_ptr_equal(scanq_take(q), &e);
	assert_ptr_equal(scanq_take(q), &d);
	scanq_set_max(q, 0);
	assert_int_equal(scanq_add(q, &f, &ousted), SCANQ_FULL);
	scanq_free(q);
}

/* --- what comes of a scan ----------------------------------------------------------------------
 */

static void found(struct scan_tally *t, enum finding_what what, enum finding_class class,
		  uint64_t tag)
{
	const struct finding f = {
		.what = what,
		.class = class,
		.bits = 2048,
		.tag = tag,
		.offset = 4096 * tag,
	};

	assert_int_equal(scan_tally_found(t, &f), 0);
}

static void end(struct scan_tally *t, uint64_t bytes, unsigned flags)
{
	const struct finding f = {.what = FINDING_END, .offset = bytes, .vaddr = flags};

	assert_int_equal(scan_tally_found(t, &f), 0);
}

static bool is(struct span s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.p ? s.p : "", text, s.len);
}

static void a_scan_comes_to_a_state(void **state)
{
	static const struct {
		const char *what;
		bool key, test_key;
		unsigned flags;
		int error;
		enum scan_state state;
		enum scan_cause cause;
	} cases[] = {
		{"nothing", false, false, SCAN_CORE, 0, SCANSTATE_CLEAN, SCANCAUSE_NONE},
		{"a key", true, false, SCAN_CORE, 0, SCANSTATE_KEY, SCANCAUSE_NONE},
		{"a test key", false, true, SCAN_CORE, 0, SCANSTATE_CLEAN, SCANCAUSE_NONE},
		{"cut off by its limit", false, false, SCAN_TRUNCATED, 0, SCANSTATE_CLEAN,
		 SCANCAUSE_NONE},
		{"damaged", false, false, SCAN_DAMAGED, 0, SCANSTATE_INCOMPLETE, SCANCAUSE_NONE},
		{"a crash", false, false, 0, -ECHILD, SCANSTATE_UNSCANNED, SCANCAUSE_CRASHED},
		{"a crash after a key", true, false, 0, -ECHILD, SCANSTATE_KEY, SCANCAUSE_CRASHED},
		{"CPU time", false, false, 0, -ETIME, SCANSTATE_UNSCANNED, SCANCAUSE_TIME},
		{"time", false, false, SCAN_DAMAGED, -ETIMEDOUT, SCANSTATE_UNSCANNED,
		 SCANCAUSE_TIME},
		{"memory", false, false, 0, -ENOMEM, SCANSTATE_UNSCANNED, SCANCAUSE_MEMORY},
		{"no walls", false, false, 0, -EPERM, SCANSTATE_UNSCANNED, SCANCAUSE_SANDBOX},
		{"a lie", false, false, 0, -EBADMSG, SCANSTATE_UNSCANNED, SCANCAUSE_ANSWER},
		{"a bad disk", false, false, 0, -EIO, SCANSTATE_UNSCANNED, SCANCAUSE_UNREADABLE},
		{"no program", false, false, 0, -ENOENT, SCANSTATE_UNSCANNED, SCANCAUSE_PROGRAM},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scan_tally tally = {.dumps = 0};
		const struct scan_about about = {.container = CONTAINER_ELF, .pid = 9};
		char flags[SCAN_TALLY_FLAGS];
		struct event_scan out = {.scan = 1};

		scan_tally_about(&tally, &about);
		if (cases[i].key)
			found(&tally, FINDING_RSA, CLASS_PROVEN, 1);
		if (cases[i].test_key)
			found(&tally, FINDING_RSA, CLASS_TEST, 2);
		end(&tally, 100, cases[i].flags);
		scan_tally_end(&tally, cases[i].error, flags, &out);
		if (out.state != cases[i].state || out.cause != cases[i].cause)
			fail_msg("%s: %s, %s", cases[i].what, scan_state_str(out.state),
				 scan_cause_str(out.cause));
		assert_int_equal(out.keys, cases[i].key);
		assert_int_equal(out.bytes, 100);
		assert_int_equal(out.dump_pid, 9);
		assert_true(is(out.container, "elf-core"));
		scan_tally_fini(&tally);
	}
}

static void several_dumps_in_a_file_are_one_verdict(void **state)
{
	struct scan_tally tally = {.dumps = 0};
	const struct scan_about first = {.container = CONTAINER_ELF, .pid = 9},
				second = {.container = CONTAINER_RAW};
	char flags[SCAN_TALLY_FLAGS];
	struct event_scan out = {.scan = 1};
	struct event_scan_key key;

	scan_tally_about(&tally, &first);
	found(&tally, FINDING_AES, CLASS_LIKELY, 3);
	end(&tally, 100, SCAN_CORE | SCAN_FILTERED);
	scan_tally_about(&tally, &second);
	found(&tally, FINDING_RSA, CLASS_PROVEN, 4);
	found(&tally, FINDING_AES, CLASS_LIKELY, 3);
	end(&tally, 50, SCAN_TRUNCATED);
	scan_tally_end(&tally, 0, flags, &out);
	assert_int_equal(out.keys, 2);
	assert_int_equal(out.bytes, 150);
	assert_int_equal(out.dump_pid, 9);
	assert_true(is(out.flags, "truncated filtered"));
	/* The worst first. */
	scan_tally_key(&tally.verdict.keys[0], &key);
	assert_true(is(key.class, "proven") && is(key.what, "rsa-pair"));
	assert_int_equal(key.severity, SEV_HIGH);
	assert_int_equal(key.offset, 4 * 4096);
	scan_tally_key(&tally.verdict.keys[1], &key);
	assert_int_equal(key.severity, SEV_LOW);
	scan_tally_fini(&tally);
}

static void a_scanner_that_says_nothing_leaves_nothing(void **state)
{
	struct scan_tally tally = {.dumps = 0};
	char flags[SCAN_TALLY_FLAGS];
	struct event_scan out = {.scan = 1};

	scan_tally_end(&tally, -ECHILD, flags, &out);
	assert_int_equal(out.state, SCANSTATE_UNSCANNED);
	assert_int_equal(out.container.len + out.dump_exe.len + out.flags.len, 0);
	scan_tally_fini(&tally);
}

static void all_flags_have_room(void **state)
{
	struct scan_tally tally = {.dumps = 0};
	char flags[SCAN_TALLY_FLAGS];
	struct event_scan out = {.scan = 1};

	end(&tally, 1, SCAN_FLAGS_ALL);
	scan_tally_end(&tally, 0, flags, &out);
	assert_true(strstr(flags, scan_flag_str(SCAN_TIME_UP)) != NULL);
	assert_null(strstr(flags, scan_flag_str(SCAN_CORE)));
	scan_tally_fini(&tally);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_urgent_comes_first_and_then_the_oldest),
		cmocka_unit_test(a_file_waits_once_as_it_is_now),
		cmocka_unit_test(an_owner_has_his_share_of_the_queue_and_of_the_turns),
		cmocka_unit_test(time_that_was_used_comes_back_slowly),
		cmocka_unit_test(a_full_queue_gives_up_the_least_urgent),
		cmocka_unit_test(a_scan_comes_to_a_state),
		cmocka_unit_test(several_dumps_in_a_file_are_one_verdict),
		cmocka_unit_test(a_scanner_that_says_nothing_leaves_nothing),
		cmocka_unit_test(all_flags_have_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
