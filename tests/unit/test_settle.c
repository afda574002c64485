// SPDX-License-Identifier: GPL-2.0-or-later
/* access/settle.c: who has the object, once, at the right time, whatever the rings' order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access/settle.h"
#include "base/cleanup.h"

#define MS  1000000ULL
#define KEY 17

struct fixture {
	struct settle *settle;
	char log[8192]; /* "pid.exec_id/how+how<opener.exec_id@ms" for each verdict */
	size_t n;
	uint64_t later; /* what the verdict answers, once */
	unsigned kept, back; /* references */
	uint32_t permitted_tgid, unknown_tgid;
};

static uint64_t on_settled(void *ctx, const struct settled *s, uint64_t now)
{
	static const char letters[] = " oremfwcR";
	struct fixture *f = ctx;
	uint64_t later = f->later;

	f->later = 0;
	if (later && !s->final)
		return later;
	f->n += (size_t)snprintf(f->log + f->n, sizeof(f->log) - f->n, "%s%u.%u/", f->n ? " " : "",
				 s->access.subject.id.tgid, (unsigned)s->access.subject.id.exec_id);
	for (unsigned how = 1; how < ACCESS_HOW_NR; how++)
		if (s->hows & 1U << how)
			f->log[f->n++] = letters[how];
	if (s->handed)
		f->n += (size_t)snprintf(f->log + f->n, sizeof(f->log) - f->n, "<%u.%u",
					 s->handed_by.tgid, (unsigned)s->handed_by.exec_id);
	f->n += (size_t)snprintf(f->log + f->n, sizeof(f->log) - f->n, "%s@%u", s->early ? "!" : "",
				 (unsigned)(now / MS));
	f->back++;
	return 0;
}

static void on_drop(void *ctx, const struct settled *s)
{
	struct fixture *f = ctx;

	f->back++;
}

static enum settle_permit on_permit(void *ctx, const struct event *ev)
{
	const struct event_access *a = &ev->access;
	struct fixture *f = ctx;

	if (a->subject.id.tgid == f->unknown_tgid && a->how == ACCESS_EXEC_FD)
		return PERMIT_UNKNOWN;
	return a->subject.id.tgid == f->permitted_tgid && a->how == ACCESS_EXEC_FD ? PERMIT_YES
										   : PERMIT_NO;
}

static void setup(struct fixture *f, uint32_t slots)
{
	memset(f, 0, sizeof(*f));
	f->settle = settle_new(slots, on_settled, on_drop, on_permit, f);
	assert_non_null(f->settle);
}

static void teardown(struct fixture *f)
{
	settle_flush(f->settle, 1000000 * MS);
	assert_int_equal(f->kept, f->back); /* every reference came back, once */
	assert_int_equal(settle_next(f->settle), UINT64_MAX);
	settle_free(f->settle);
}

static struct proc_id id(uint32_t tgid, uint64_t exec_id)
{
	return (struct proc_id){.tgid = tgid, .start = tgid * 1000, .exec_id = exec_id};
}

static struct event event(uint64_t ms, uint32_t tgid, uint64_t exec_id, enum access_how how)
{
	return (struct event){
		.type = EVENT_ACCESS,
		.time = ms * MS,
		.access =
			{
				.subject = {.id = id(tgid, exec_id)},
				.parent = id(1, 3),
				.object = KEY,
				.how = how,
				.mode = ACCESS_M_READ,
				.path = span_of("/home/alice/.ssh/id_rsa"),
				.exe = span_of("/usr/bin/cat"),
			},
	};
}

static void feed(struct fixture *f, const struct event *ev, bool over)
{
	f->kept += settle_access(f->settle, ev, (struct proc_ref){1, 1}, over);
}

static void access_(struct fixture *f, uint64_t ms, uint32_t tgid, uint64_t exec_id,
		    enum access_how how)
{
	struct event ev = event(ms, tgid, exec_id, how);

	feed(f, &ev, false);
}

static void mode_(struct fixture *f, uint64_t ms, uint32_t tgid, uint64_t exec_id,
		  enum access_how how, uint32_t mode)
{
	struct event ev = event(ms, tgid, exec_id, how);

	ev.access.mode = mode;
	feed(f, &ev, false);
}

static void exec_(struct fixture *f, uint64_t ms, uint32_t tgid, uint64_t exec_id)
{
	struct proc_id who = id(tgid, exec_id);

	settle_exec(f->settle, &who, ms * MS);
}

static void exit_(struct fixture *f, uint64_t ms, uint32_t tgid, uint64_t exec_id)
{
	struct proc_id who = id(tgid, exec_id);

	settle_exit(f->settle, &who, ms * MS);
}

static void tick(struct fixture *f, uint64_t ms)
{
	settle_tick(f->settle, ms * MS);
}

static void an_open_settles_after_its_time(void **state)
{
	struct fixture f;

	setup(&f, 16);
	access_(&f, 1000, 800, 6, ACCESS_OPEN);
	assert_int_equal(settle_next(f.settle), 1300 * MS);
	tick(&f, 1299);
	assert_string_equal(f.log, "");
	tick(&f, 1300);
	assert_string_equal(f.log, "800.6/o@1300");
	teardown(&f);
}

static void exit_and_exec_settle_sooner_but_not_at_once(void **state)
{
	struct fixture f;

	setup(&f, 16);
	access_(&f, 1000, 800, 6, ACCESS_OPEN);
	exit_(&f, 1010, 800, 6);
	tick(&f, 1010);
	tick(&f, 1029);
	assert_string_equal(f.log, "");
	tick(&f, 1030);
	assert_string_equal(f.log, "800.6/o@1030");
	/* exec without the descriptor: the old image had read it */
	access_(&f, 2000, 801, 6, ACCESS_OPEN);
	exec_(&f, 2005, 801, 7);
	tick(&f, 2025);
	assert_string_equal(f.log, "800.6/o@1030 801.6/o@2025");
	teardown(&f);
}

static void what_one_image_does_with_one_object_is_one_access(void **state)
{
	struct fixture f;

	setup(&f, 16);
	access_(&f, 1000, 800, 6, ACCESS_OPEN);
	access_(&f, 1001, 800, 6, ACCESS_MMAP);
	access_(&f, 1002, 800, 6, ACCESS_OPEN);
	access_(&f, 1003, 800, 6, ACCESS_RECEIVE);
	access_(&f, 1004, 800, 6, ACCESS_FOUND);
	tick(&f, 2000);
	assert_string_equal(f.log, "800.6/ormf@2000");
	teardown(&f);
}

static void other_objects_and_images_are_other_accesses(void **state)
{
	struct fixture f;
	struct event ev = event(1000, 800, 6, ACCESS_OPEN);

	setup(&f, 16);
	feed(&f, &ev, false);
	ev.access.object = KEY + 1;
	feed(&f, &ev, false);
	access_(&f, 1000, 800, 7, ACCESS_OPEN);
	access_(&f, 1000, 801, 6, ACCESS_OPEN);
	tick(&f, 2000);
	assert_string_equal(f.log, "800.6/o@2000 800.6/o@2000 800.7/o@2000 801.6/o@2000");
	teardown(&f);
}

static void a_redirection_is_the_new_image_once(void **state)
{
	struct fixture f;
	struct event ev;

	/* in the order in which things happen */
	setup(&f, 16);
	access_(&f, 1000, 812, 6, ACCESS_OPEN);
	access_(&f, 1001, 812, 7, ACCESS_EXEC_FD);
	exec_(&f, 1001, 812, 7);
	exit_(&f, 1003, 812, 7);
	tick(&f, 1100);
	assert_string_equal(f.log, "812.7/e<812.6@1100");
	teardown(&f);
	/* as the rings tell it: exec and exit first; the open's image is known to be over */
	setup(&f, 16);
	exec_(&f, 1001, 812, 7);
	exit_(&f, 1003, 812, 7);
	ev = event(1000, 812, 6, ACCESS_OPEN);
	feed(&f, &ev, true);
	ev = event(1001, 812, 7, ACCESS_EXEC_FD);
	feed(&f, &ev, true);
	assert_int_equal(settle_next(f.settle), 1020 * MS);
	tick(&f, 1100);
	assert_string_equal(f.log, "812.7/e<812.6@1100");
	teardown(&f);
	/* and if the open itself is told last */
	setup(&f, 16);
	access_(&f, 1001, 812, 7, ACCESS_EXEC_FD);
	access_(&f, 1000, 812, 6, ACCESS_OPEN);
	tick(&f, 2000);
	assert_string_equal(f.log, "812.7/e<812.6@2000");
	teardown(&f);
}

static void over_several_images_the_last_one_has_it(void **state)
{
	struct fixture f;

	setup(&f, 16);
	access_(&f, 1000, 812, 6, ACCESS_OPEN);
	access_(&f, 1001, 812, 7, ACCESS_EXEC_FD);
	access_(&f, 1002, 812, 8, ACCESS_EXEC_FD);
	tick(&f, 2000);
	assert_string_equal(f.log, "812.8/e<812.6@2000");
	teardown(&f);
	/* but one on the way that mapped it had it too */
	setup(&f, 16);
	access_(&f, 1000, 812, 6, ACCESS_OPEN);
	access_(&f, 1001, 812, 7, ACCESS_EXEC_FD);
	access_(&f, 1001, 812, 7, ACCESS_MMAP);
	access_(&f, 1002, 812, 8, ACCESS_EXEC_FD);
	tick(&f, 2000);
	assert_string_equal(f.log, "812.7/em<812.6@2000 812.8/e@2000");
	teardown(&f);
}

static void a_parent_that_opened_for_its_child_makes_way(void **state)
{
	struct fixture f;
	struct event ev = event(1002, 813, 7, ACCESS_EXEC_FD);

	setup(&f, 16);
	access_(&f, 1000, 812, 6, ACCESS_OPEN);
	ev.access.parent = id(812, 6);
	feed(&f, &ev, false);
	tick(&f, 2000);
	assert_string_equal(f.log, "813.7/e<812.6@2000");
	teardown(&f);
}

static void nobody_makes_way_for_an_image_that_may_read(void **state)
{
	struct fixture f;

	setup(&f, 16);
	f.permitted_tgid = 812;
	access_(&f, 1000, 812, 6, ACCESS_OPEN);
	access_(&f, 1001, 812, 7, ACCESS_EXEC_FD);
	access_(&f, 1000, 813, 7, ACCESS_OPEN); /* in the other order */
	tick(&f, 2000);
	assert_string_equal(f.log, "812.6/o@2000 812.7/e@2000 813.7/o@2000");
	teardown(&f);
	/* nor for one of which that is not known yet */
	setup(&f, 16);
	f.unknown_tgid = 812;
	access_(&f, 1000, 812, 6, ACCESS_OPEN);
	access_(&f, 1001, 812, 7, ACCESS_EXEC_FD);
	tick(&f, 2000);
	assert_string_equal(f.log, "812.6/o@2000 812.7/e@2000");
	teardown(&f);
}

static void who_writes_or_creates_does_not_read(void **state)
{
	struct fixture f;
	struct settle_stats stats;
	struct event ev;

	setup(&f, 16);
	mode_(&f, 1000, 800, 6, ACCESS_OPEN, ACCESS_M_WRITE);
	mode_(&f, 1000, 800, 6, ACCESS_CLOSE_WRITE, ACCESS_M_READ | ACCESS_M_WRITE);
	mode_(&f, 1000, 801, 6, ACCESS_OPEN, ACCESS_M_READ | ACCESS_M_WRITE | ACCESS_M_CREATED);
	mode_(&f, 1000, 801, 6, ACCESS_MMAP, ACCESS_M_WRITE); /* what it has just made */
	mode_(&f, 1001, 801, 7, ACCESS_EXEC_FD, ACCESS_M_READ | ACCESS_M_WRITE);
	mode_(&f, 1000, 802, 6, ACCESS_RECEIVE, ACCESS_M_WRITE);
	settle_stats(f.settle, &stats);
	assert_int_equal(stats.not_read, 6);
	tick(&f, 2000);
	assert_string_equal(f.log, "");
	/* opened again: somebody else may have put a key there meanwhile */
	mode_(&f, 3000, 801, 6, ACCESS_OPEN, ACCESS_M_READ | ACCESS_M_WRITE | ACCESS_M_CREATED);
	mode_(&f, 3001, 801, 6, ACCESS_OPEN, ACCESS_M_READ);
	tick(&f, 4000);
	assert_string_equal(f.log, "801.6/o@4000");
	teardown(&f);
	/* read by who made it; and after it has opened it again, with opens untold */
	setup(&f, 16);
	mode_(&f, 1000, 801, 6, ACCESS_OPEN, ACCESS_M_READ | ACCESS_M_WRITE | ACCESS_M_CREATED);
	mode_(&f, 1001, 801, 6, ACCESS_READ, ACCESS_M_READ);
	ev = event(1002, 801, 6, ACCESS_OPEN);
	settle_reopened(f.settle, &ev.access.subject.id, ev.access.object);
	tick(&f, 1003);
	assert_string_equal(f.log, "");
	mode_(&f, 1004, 801, 6, ACCESS_READ, ACCESS_M_READ);
	tick(&f, 2000);
	assert_string_equal(f.log, "801.6/R@2000");
	teardown(&f);
	/* reading and writing is reading, and a mapping of whatever protection too */
	setup(&f, 16);
	mode_(&f, 1000, 800, 6, ACCESS_OPEN, ACCESS_M_READ | ACCESS_M_WRITE);
	mode_(&f, 1000, 801, 6, ACCESS_MMAP, 0);
	tick(&f, 2000);
	assert_string_equal(f.log, "800.6/o@2000 801.6/m@2000");
	teardown(&f);
}

static void a_verdict_may_be_put_off_and_poked(void **state)
{
	struct fixture f;

	setup(&f, 16);
	access_(&f, 1000, 800, 6, ACCESS_OPEN);
	f.later = 1800 * MS;
	tick(&f, 1300);
	assert_int_equal(settle_next(f.settle), 1800 * MS);
	access_(&f, 1400, 800, 6, ACCESS_OPEN); /* joins */
	tick(&f, 1799);
	assert_string_equal(f.log, "");
	settle_poke(f.settle, KEY + 1);
	tick(&f, 1799);
	assert_string_equal(f.log, "");
	settle_poke(f.settle, KEY);
	tick(&f, 1799);
	assert_string_equal(f.log, "800.6/o@1799");
	/* at its own time without a poke; a time that is past already means the next tick */
	access_(&f, 2000, 801, 6, ACCESS_OPEN);
	f.later = 1;
	tick(&f, 2300);
	tick(&f, 2301);
	assert_string_equal(f.log, "800.6/o@1799 801.6/o@2301");
	/* the end takes no "later" */
	access_(&f, 3000, 802, 6, ACCESS_OPEN);
	f.later = 9999 * MS;
	settle_flush(f.settle, 3000 * MS);
	assert_string_equal(f.log, "800.6/o@1799 801.6/o@2301 802.6/o@3000");
	teardown(&f);
}

static void without_room_the_oldest_settles_early_and_says_so(void **state)
{
	struct fixture f;
	struct settle_stats stats;

	setup(&f, 4);
	for (uint32_t i = 0; i < 6; i++)
		access_(&f, 1000 + i, 800 + i, 6, ACCESS_OPEN);
	assert_string_equal(f.log, "800.6/o!@1004 801.6/o!@1005");
	settle_stats(f.settle, &stats);
	assert_int_equal(stats.pending, 4);
	assert_int_equal(stats.early, 2);
	teardown(&f);
}

static void strings_are_copied_and_bounded(void **state)
{
	struct fixture f;
	struct event ev = event(1000, 800, 6, ACCESS_OPEN);
	_cleanup_free_ char *text = malloc(8192);

	setup(&f, 2);
	memset(text, 'a', 8192);
	ev.access.path = ev.access.exe = ev.access.cgroup = ev.access.args =
		(struct span){text, 8192};
	feed(&f, &ev, false);
	memset(text, 'b', 8192); /* the producer's buffer is gone */
	tick(&f, 2000);
	assert_string_equal(f.log, "800.6/o@2000");
	teardown(&f);
}

/* The order within a bucket, a ring and a process must never matter for the count of references. */
static void a_verdict_is_pending_until_it_is_made(void **state)
{
	const struct proc_id who = id(5, 1), other = id(6, 1);
	struct fixture f;

	setup(&f, 4);
	access_(&f, 0, 5, 1, ACCESS_OPEN);
	assert_true(settle_pending(f.settle, &who, KEY));
	assert_false(settle_pending(f.settle, &other, KEY));
	assert_false(settle_pending(f.settle, &who, KEY + 1));
	settle_exit(f.settle, &who, 30 * MS);
	settle_tick(f.settle, 49 * MS);
	assert_true(settle_pending(f.settle, &who, KEY));
	settle_tick(f.settle, 50 * MS);
	assert_false(settle_pending(f.settle, &who, KEY));
	teardown(&f);
}

static void rubbish_loses_no_reference(void **state)
{
	uint64_t x = 88172645463325252ULL, ms = 1000;
	struct fixture f;

	setup(&f, 8);
	for (int i = 0; i < 300000; i++) {
		struct event ev;

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		ms += x >> 60;
		ev = event(ms - (x >> 50 & 15), (uint32_t)(x & 3) + 1, x >> 8 & 3,
			   (enum access_how)(1 + (x >> 16) % 6));
		ev.access.object = x >> 24 & 1;
		ev.access.mode = (uint32_t)(x >> 32 & 15);
		ev.access.parent = id((uint32_t)(x >> 36 & 3) + 1, x >> 38 & 3);
		f.unknown_tgid = (uint32_t)(x >> 40 & 3);
		f.permitted_tgid = (uint32_t)(x >> 42 & 3);
		switch (x >> 44 & 7) {
		case 0:
			exec_(&f, ms, ev.access.subject.id.tgid, ev.access.subject.id.exec_id);
			break;
		case 1:
			exit_(&f, ms, ev.access.subject.id.tgid, ev.access.subject.id.exec_id);
			break;
		case 2:
			settle_poke(f.settle, x & 1);
			f.later = x & 16 ? (ms + 5) * MS : 0;
			break;
		case 3:
			tick(&f, ms);
			break;
		default:
			feed(&f, &ev, x & 32);
		}
		if (f.n > sizeof(f.log) / 2)
			f.n = 0;
	}
	teardown(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_open_settles_after_its_time),
		cmocka_unit_test(exit_and_exec_settle_sooner_but_not_at_once),
		cmocka_unit_test(what_one_image_does_with_one_object_is_one_access),
		cmocka_unit_test(other_objects_and_images_are_other_accesses),
		cmocka_unit_test(a_redirection_is_the_new_image_once),
		cmocka_unit_test(over_several_images_the_last_one_has_it),
		cmocka_unit_test(a_parent_that_opened_for_its_child_makes_way),
		cmocka_unit_test(nobody_makes_way_for_an_image_that_may_read),
		cmocka_unit_test(who_writes_or_creates_does_not_read),
		cmocka_unit_test(a_verdict_may_be_put_off_and_poked),
		cmocka_unit_test(without_room_the_oldest_settles_early_and_says_so),
		cmocka_unit_test(strings_are_copied_and_bounded),
		cmocka_unit_test(a_verdict_is_pending_until_it_is_made),
		cmocka_unit_test(rubbish_loses_no_reference),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
