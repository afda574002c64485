// SPDX-License-Identifier: GPL-2.0-or-later
/* proc/proctab.c: where a process came from, whatever order the records come in, within bounds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "proc/proctab.h"

#define S 1000000000ULL

struct fixture {
	struct strtab *strings;
	struct proctab *tab;
	uint64_t now;
};

static void setup(struct fixture *f, uint32_t max)
{
	f->strings = strtab_new(1 << 20);
	assert_non_null(f->strings);
	f->tab = proctab_new(max, f->strings);
	assert_non_null(f->tab);
	f->now = 100 * S;
}

static void teardown(struct fixture *f)
{
	size_t empty = strtab_bytes(f->strings);

	proctab_free(f->tab);
	/* Every string was given back. */
	assert_true(strtab_bytes(f->strings) <= empty);
	strtab_free(f->strings);
}

static struct proc_id id(uint32_t tgid, uint64_t start, uint64_t exec_id)
{
	return (struct proc_id){.tgid = tgid, .start = start, .exec_id = exec_id};
}

static struct subject subject(struct proc_id who, bool has_exe)
{
	return (struct subject){
		.id = who,
		.tid = who.tgid,
		.uid = 1000,
		.euid = 1000,
		.loginuid = 1000,
		.session = 3,
		.exe = {.ino = has_exe ? who.exec_id + 1 : 0, .dev = has_exe},
		.comm = "comm",
	};
}

static struct proc_ref fork_(struct fixture *f, struct proc_id parent, struct proc_id child)
{
	struct event_fork ev = {.child = subject(child, true), .parent = parent};

	return proctab_fork(f->tab, f->now, &ev);
}

static struct proc_ref exec_(struct fixture *f, struct proc_id who, struct proc_id parent,
			     const char *exe)
{
	struct event_exec ev = {.subject = subject(who, true),
				.parent = parent,
				.exe = span_of(exe)};

	return proctab_exec(f->tab, f->now, 0, false, &ev);
}

static struct proc_ref start_(struct fixture *f, struct proc_id who, struct proc_id parent,
			      const char *exe)
{
	struct event_exec ev = {.subject = subject(who, exe),
				.parent = parent,
				.exe = span_of(exe)};

	return proctab_exec(f->tab, f->now, 0, true, &ev);
}

static void exit_(struct fixture *f, struct proc_id who)
{
	struct event_exit ev = {.subject = subject(who, false)};

	proctab_exit(f->tab, f->now, &ev);
}

static struct proc_ref access_(struct fixture *f, struct proc_id who, struct proc_id parent,
			       const char *exe)
{
	struct event_access ev = {.subject = subject(who, true),
				  .parent = parent,
				  .exe = span_of(exe)};

	return proctab_access(f->tab, f->now, 0, &ev);
}

/* The ancestry as "812:/bin/cat 800:/bin/bash 1:/init", with " ..." if it is incomplete. */
static const char *ancestry(struct fixture *f, struct proc_ref ref)
{
	static char text[4096];
	struct proc_info infos[32];
	bool complete = false;
	size_t nr = proctab_ancestry(f->tab, ref, infos, ARRAY_SIZE(infos), &complete), n = 0;

	text[0] = '\0';
	for (size_t i = 0; i < nr; i++) {
		struct span exe = str_span(infos[i].exe);

		n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%u:%.*s", i ? " " : "",
				      infos[i].id.tgid, exe.len ? (int)exe.len : 1,
				      exe.len ? exe.p : "?");
	}
	snprintf(text + n, sizeof(text) - n, "%s", complete ? "" : " ...");
	return text;
}

#define INIT id(1, 1, 3)
#define BASH id(800, 50 * S, 6)

static void login(struct fixture *f)
{
	start_(f, INIT, id(0, 0, 0), "/init");
	start_(f, BASH, INIT, "/bin/bash");
}

static void fork_and_exec_build_an_ancestry(void **state)
{
	struct fixture f;
	struct proc_id child = id(812, 100 * S, 6), cat = id(812, 100 * S, 7);

	setup(&f, 100);
	login(&f);
	assert_string_equal(ancestry(&f, fork_(&f, BASH, child)),
			    "812:/bin/bash 800:/bin/bash 1:/init");
	assert_string_equal(ancestry(&f, exec_(&f, cat, BASH, "/bin/cat")),
			    "812:/bin/cat 800:/bin/bash 1:/init");
	/* An image that exec replaced is a step of its own. */
	assert_string_equal(ancestry(&f, exec_(&f, id(812, 100 * S, 8), BASH, "/bin/dog")),
			    "812:/bin/dog 812:/bin/cat 800:/bin/bash 1:/init");
	teardown(&f);
}

/* Every order of the same records, some of them twice, tells the same. */
static void any_order_of_records_gives_the_same_ancestry(void **state)
{
	enum { NR = 5 };
	int order[NR] = {0, 1, 2, 3, 4};
	unsigned done = 0;

	for (unsigned perm = 0; perm < 3125; perm++) {
		struct fixture f;
		struct proc_id child = id(812, 100 * S, 6), cat = id(812, 100 * S, 7);
		unsigned p = perm, seen = 0;

		for (int i = 0; i < NR; i++, p /= 5) {
			order[i] = (int)(p % 5);
			seen |= 1U << order[i];
		}
		if (seen != 31)
			continue;
		setup(&f, 100);
		for (int i = 0; i < 2 * NR; i++) {
			f.now += 1000;
			switch (order[i % NR]) {
			case 0:
				start_(&f, INIT, id(0, 0, 0), "/init");
				break;
			case 1:
				start_(&f, BASH, INIT, "/bin/bash");
				break;
			case 2:
				fork_(&f, BASH, child);
				break;
			case 3: /* bash is gone by then: the kernel says pid 1 */
				exec_(&f, cat, INIT, "/bin/cat");
				break;
			case 4:
				exit_(&f, cat);
				break;
			}
		}
		assert_string_equal(ancestry(&f, proctab_find(f.tab, &cat)),
				    "812:/bin/cat 800:/bin/bash 1:/init");
		struct proc_info info;

		assert_true(proctab_info(f.tab, proctab_find(f.tab, &cat), &info));
		assert_true(info.ended);
		teardown(&f);
		done++;
	}
	assert_int_equal(done, 120);
}

static void ancestry_survives_as_long_as_a_descendant_lives(void **state)
{
	struct fixture f;
	struct proc_id a = id(900, 100 * S, 7), b = id(901, 101 * S, 7), c = id(902, 102 * S, 7);
	struct proctab_stats stats;
	struct proc_ref last;

	setup(&f, 100);
	login(&f);
	fork_(&f, BASH, id(900, 100 * S, 6));
	exec_(&f, a, BASH, "/tmp/relay");
	fork_(&f, a, b);
	exit_(&f, a);
	last = fork_(&f, b, c);
	exit_(&f, b);
	exit_(&f, BASH);
	f.now += 3600 * S;
	proctab_tick(f.tab, f.now);
	assert_string_equal(ancestry(&f, last),
			    "902:/tmp/relay 901:/tmp/relay 900:/tmp/relay 800:/bin/bash 1:/init");
	/* The last one goes, and some seconds later all that only it had kept. */
	exit_(&f, c);
	proctab_tick(f.tab, f.now);
	assert_string_equal(ancestry(&f, last),
			    "902:/tmp/relay 901:/tmp/relay 900:/tmp/relay 800:/bin/bash 1:/init");
	proctab_tick(f.tab, f.now + PROCTAB_LINGER_NS);
	proctab_stats(f.tab, &stats);
	assert_int_equal(stats.nodes, 1); /* pid 1 */
	assert_string_equal(ancestry(&f, last), " ...");
	teardown(&f);
}

static void a_pinned_image_stays(void **state)
{
	struct fixture f;
	struct proc_id who = id(900, 100 * S, 7);
	struct proc_ref ref;

	setup(&f, 100);
	login(&f);
	ref = exec_(&f, who, BASH, "/bin/x");
	proctab_pin(f.tab, ref);
	exit_(&f, who);
	proctab_tick(f.tab, f.now + 100 * PROCTAB_LINGER_NS);
	assert_string_not_equal(ancestry(&f, ref), " ...");
	proctab_unpin(f.tab, ref);
	proctab_tick(f.tab, f.now + 100 * PROCTAB_LINGER_NS);
	assert_string_equal(ancestry(&f, ref), " ...");
	teardown(&f);
}

static void a_reused_pid_is_another_process(void **state)
{
	struct fixture f;
	struct proc_id old = id(812, 100 * S, 7), late = id(812, 100 * S, 8);
	struct proc_id new_ = id(812, 200 * S, 9);
	struct proc_info info;

	setup(&f, 100);
	login(&f);
	exec_(&f, old, BASH, "/bin/old"); /* its exit is lost */
	f.now += 100 * S;
	fork_(&f, INIT, new_);
	assert_true(proctab_info(f.tab, proctab_find(f.tab, &old), &info));
	assert_true(info.ended);
	assert_string_equal(ancestry(&f, proctab_find(f.tab, &new_)), "812:/init 1:/init");
	/* A late record of the old one changes nothing for the new one, and it stays ended. */
	exec_(&f, late, BASH, "/bin/older");
	assert_string_equal(ancestry(&f, proctab_find(f.tab, &new_)), "812:/init 1:/init");
	assert_true(proctab_info(f.tab, proctab_find(f.tab, &late), &info));
	assert_true(info.ended);
	teardown(&f);
}

static void a_process_that_ended_does_not_come_back(void **state)
{
	struct fixture f;
	struct proc_id who = id(812, 100 * S, 7);
	struct proc_info info;
	struct proctab_stats stats;

	setup(&f, 100);
	login(&f);
	exit_(&f, who); /* the picture at start was taken before, and comes after */
	start_(&f, who, BASH, "/bin/x");
	assert_true(proctab_info(f.tab, proctab_find(f.tab, &who), &info));
	assert_true(info.ended);
	proctab_tick(f.tab, f.now + PROCTAB_LINGER_NS);
	proctab_stats(f.tab, &stats);
	assert_int_equal(stats.nodes, 2);
	teardown(&f);
}

static void a_lost_fork_or_exec_is_told_as_incomplete(void **state)
{
	struct fixture f;

	setup(&f, 100);
	login(&f);
	/* no fork record */
	assert_string_equal(ancestry(&f, exec_(&f, id(812, 100 * S, 7), BASH, "/bin/cat")),
			    "812:/bin/cat 800:/bin/bash 1:/init ...");
	/* no exec record: the access names the process, its parent is known by number only */
	assert_string_equal(ancestry(&f, access_(&f, id(813, 100 * S, 9), id(555, 90 * S, 8),
						 "/bin/x")),
			    "813:/bin/x 555:? ...");
	/* an exec in between is missing */
	fork_(&f, BASH, id(814, 100 * S, 6));
	assert_string_equal(ancestry(&f, exec_(&f, id(814, 100 * S, 8), BASH, "/bin/y")),
			    "814:/bin/y 800:/bin/bash 1:/init ...");
	teardown(&f);
}

static void an_access_names_a_process_but_does_not_overrule(void **state)
{
	struct fixture f;
	struct proc_id who = id(812, 100 * S, 7);

	setup(&f, 100);
	login(&f);
	fork_(&f, BASH, id(812, 100 * S, 6));
	access_(&f, who, INIT, "/bin/late"); /* before its exec record; adopted by pid 1 */
	assert_string_equal(ancestry(&f, exec_(&f, who, INIT, "/bin/cat")),
			    "812:/bin/cat 800:/bin/bash 1:/init");
	teardown(&f);
}

static void kernel_threads_end_an_ancestry_and_zombies_do_not(void **state)
{
	struct fixture f;

	setup(&f, 100);
	login(&f);
	start_(&f, id(2, 2, 0), id(0, 0, 0), NULL);
	start_(&f, id(33, 3, 0), id(2, 2, 0), NULL);
	assert_string_equal(ancestry(&f, fork_(&f, id(33, 3, 0), id(812, 100 * S, 0))),
			    "812:? 33:?");
	/* no executable any more, but a child of bash: its way goes on */
	assert_string_equal(ancestry(&f, start_(&f, id(900, 60 * S, 7), BASH, NULL)),
			    "900:? 800:/bin/bash 1:/init");
	teardown(&f);
}

static void images_of_one_process_are_bounded(void **state)
{
	struct fixture f;
	struct proctab_stats stats;
	struct proc_ref last = {0};
	struct proc_info infos[32];
	bool complete;

	setup(&f, 100);
	login(&f);
	fork_(&f, BASH, id(812, 100 * S, 6));
	for (uint64_t i = 7; i < 10000; i++) {
		f.now += S;
		last = exec_(&f, id(812, 100 * S, i), BASH, "/bin/again");
		proctab_tick(f.tab, f.now);
	}
	/* subject, six more images, bash, init; the middle is missing and that is told */
	assert_int_equal(proctab_ancestry(f.tab, last, infos, ARRAY_SIZE(infos), &complete), 9);
	assert_false(complete);
	proctab_stats(f.tab, &stats);
	assert_in_range(stats.nodes, 10, 25);
	teardown(&f);
}

static void a_long_chain_keeps_both_ends(void **state)
{
	struct fixture f;
	struct proc_info infos[32];
	struct proc_ref last = {0};
	struct proc_id parent = BASH;
	bool complete = true;

	setup(&f, 5000);
	login(&f);
	for (uint32_t i = 0; i < 1000; i++) {
		struct proc_id child = id(1000 + i, 100 * S + i, 6);

		last = fork_(&f, parent, child);
		exit_(&f, parent);
		parent = child;
	}
	assert_int_equal(proctab_ancestry(f.tab, last, infos, ARRAY_SIZE(infos), &complete), 32);
	assert_int_equal(infos[0].id.tgid, 1999);
	assert_int_equal(infos[23].id.tgid, 1976);
	assert_int_equal(infos[24].id.tgid, 1005);
	assert_int_equal(infos[30].id.tgid, 800);
	assert_int_equal(infos[31].id.tgid, 1);
	assert_false(complete);
	teardown(&f);
}

static void when_full_the_least_needed_goes_first(void **state)
{
	struct fixture f;
	struct proctab_stats stats;
	struct proc_id first = id(1000, 100 * S, 6), last, init = INIT;

	setup(&f, 10);
	login(&f);
	/* dead without descendants: they go before anything that lives */
	for (uint32_t i = 0; i < 100; i++) {
		f.now++;
		fork_(&f, BASH, id(1000 + i, 100 * S + i, 6));
		exit_(&f, id(1000 + i, 100 * S + i, 6));
	}
	proctab_stats(f.tab, &stats);
	assert_int_equal(stats.nodes, 10);
	assert_int_equal(stats.dropped_leaves, 92);
	assert_int_equal(stats.dropped_dead + stats.dropped_live, 0);
	assert_int_equal(proctab_find(f.tab, &first).index, 0);
	/* dead with living descendants: the oldest */
	last = id(3019, 300 * S + 19, 6);
	for (uint32_t i = 0; i < 20; i++) {
		struct proc_id child = id(3000 + i, 300 * S + i, 6);

		fork_(&f, i ? id(3000 + i - 1, 300 * S + i - 1, 6) : BASH, child);
		if (i)
			exit_(&f, id(3000 + i - 1, 300 * S + i - 1, 6));
	}
	proctab_stats(f.tab, &stats);
	assert_true(stats.dropped_dead > 0);
	assert_int_equal(stats.dropped_live, 0);
	assert_true(strstr(ancestry(&f, proctab_find(f.tab, &last)), "...") != NULL);
	assert_true(proctab_find(f.tab, &init).index != 0);
	/* only the living are left: the oldest, and it is counted */
	for (uint32_t i = 0; i < 30; i++)
		fork_(&f, INIT, id(5000 + i, 500 * S + i, 6));
	proctab_stats(f.tab, &stats);
	assert_int_equal(stats.nodes, 10);
	assert_true(stats.dropped_live > 0);
	teardown(&f);
}

/* Random records with few pids: nothing but the sanitizers and the table's own invariants judge. */
static void rubbish_does_no_harm(void **state)
{
	uint64_t x = 88172645463325252ULL;
	struct fixture f;
	struct proc_ref pins[8] = {{0}};

	setup(&f, 30);
	for (int i = 0; i < 200000; i++) {
		struct proc_id a, b;
		struct proc_ref ref = {0};

		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		a = id((uint32_t)(x & 15), x >> 8 & 3, x >> 16 & 7);
		b = id((uint32_t)(x >> 24 & 15), x >> 32 & 3, x >> 40 & 7);
		f.now += (x >> 48 & 255) * 10000000;
		switch (x >> 56 & 7) {
		case 0:
		case 1:
			ref = fork_(&f, a, b);
			break;
		case 2:
			ref = exec_(&f, a, b, "/bin/a");
			break;
		case 3:
			ref = start_(&f, a, b, x & 1 ? "/bin/b" : NULL);
			break;
		case 4:
			exit_(&f, a);
			break;
		case 5:
			ref = access_(&f, a, b, "/bin/c");
			break;
		case 6:
			proctab_tick(f.tab, f.now);
			break;
		default:
			proctab_unpin(f.tab, pins[x & 7]);
			pins[x & 7] = proctab_find(f.tab, &b);
			proctab_pin(f.tab, pins[x & 7]);
		}
		if (ref.index)
			ancestry(&f, ref);
		if (i % 1000 == 0) {
			struct proctab_stats stats;

			proctab_stats(f.tab, &stats);
			assert_true(stats.nodes <= 30);
		}
	}
	teardown(&f);
}

static void a_script_is_of_its_image_and_of_children_of_that(void **state)
{
	struct fixture f;
	const struct proc_id sh = id(10, 5 * S, 3), child = id(11, 6 * S, 3),
			     next = id(10, 5 * S, 4);
	struct proc_info info;

	setup(&f, 64);
	proctab_exec(f.tab, f.now, 0, false,
		     &(struct event_exec){.subject = subject(sh, true), .exe = span_of("/bin/sh")});
	proctab_script(f.tab, f.now,
		       &(struct event_script){.id = sh,
					      .path = span_of("/usr/sbin/x"),
					      .trust = EXE_VERIFIED});
	assert_true(proctab_info(f.tab, proctab_find(f.tab, &sh), &info));
	assert_string_equal(info.script->s, "/usr/sbin/x");
	assert_int_equal(info.script_trust, EXE_VERIFIED);
	proctab_fork(f.tab, f.now,
		     &(struct event_fork){.child = subject(child, true), .parent = sh});
	assert_true(proctab_info(f.tab, proctab_find(f.tab, &child), &info));
	assert_string_equal(info.script->s, "/usr/sbin/x");
	assert_int_equal(info.script_trust, EXE_VERIFIED);
	proctab_exec(f.tab, f.now, 0, false,
		     &(struct event_exec){.subject = subject(next, true),
					  .exe = span_of("/bin/sh")});
	assert_true(proctab_info(f.tab, proctab_find(f.tab, &next), &info));
	assert_null(info.script);
	assert_int_equal(info.script_trust, EXE_UNKNOWN);
	teardown(&f);
}

static void strings_are_shared_and_bounded(void **state)
{
	struct strtab *tab = strtab_new(20000);
	struct str *a, *b, *nul;
	size_t before;
	char name[64];

	assert_non_null(tab);
	before = strtab_bytes(tab);
	a = strtab_get(tab, span_of("/bin/bash"));
	b = strtab_get(tab, span_of("/bin/bash"));
	assert_ptr_equal(a, b);
	nul = strtab_get(tab, (struct span){"a\0b", 3});
	assert_int_equal(str_span(nul).len, 3);
	assert_null(strtab_get(tab, (struct span){NULL, 0}));
	strtab_put(tab, NULL);
	strtab_put(tab, nul);
	strtab_put(tab, a);
	assert_string_equal(b->s, "/bin/bash");
	strtab_put(tab, b);
	assert_int_equal(strtab_bytes(tab), before);
	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "/opt/some/program/number/%d", i);
		strtab_get(tab, span_of(name));
	}
	assert_true(strtab_bytes(tab) <= 20000);
	assert_true(strtab_refused(tab) > 0);
	strtab_free(tab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fork_and_exec_build_an_ancestry),
		cmocka_unit_test(any_order_of_records_gives_the_same_ancestry),
		cmocka_unit_test(ancestry_survives_as_long_as_a_descendant_lives),
		cmocka_unit_test(a_pinned_image_stays),
		cmocka_unit_test(a_reused_pid_is_another_process),
		cmocka_unit_test(a_process_that_ended_does_not_come_back),
		cmocka_unit_test(a_lost_fork_or_exec_is_told_as_incomplete),
		cmocka_unit_test(an_access_names_a_process_but_does_not_overrule),
		cmocka_unit_test(kernel_threads_end_an_ancestry_and_zombies_do_not),
		cmocka_unit_test(images_of_one_process_are_bounded),
		cmocka_unit_test(a_long_chain_keeps_both_ends),
		cmocka_unit_test(when_full_the_least_needed_goes_first),
		cmocka_unit_test(rubbish_does_no_harm),
		cmocka_unit_test(a_script_is_of_its_image_and_of_children_of_that),
		cmocka_unit_test(strings_are_shared_and_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
