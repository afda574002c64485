// SPDX-License-Identifier: GPL-2.0-or-later
/* The canary: what it says when its child's read arrives, does not, or arrives again. */
#include "daemon/canary.c" /* the daemon is no library */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <signal.h>

#include "unit/tmpdir.h"

/* A sensor that sees, or does not, what the last child did. */
struct rig {
	sd_event *loop;
	struct canary *canary;
	bool sees;
	unsigned marks, drains, changes;
	bool blind;
};

static int on_mark(void *userdata, const char *path)
{
	struct rig *rig = userdata;

	rig->marks++;
	return access(path, R_OK) < 0 ? -errno : 0;
}

static void on_drain(void *userdata)
{
	struct rig *rig = userdata;
	struct event_access access = {};

	rig->drains++;
	if (!rig->canary || !rig->sees)
		return;
	access.subject.id.tgid = (uint32_t)rig->canary->pid;
	assert_true(canary_seen(rig->canary, &access));
}

static void on_changed(void *userdata, bool blind)
{
	struct rig *rig = userdata;

	rig->changes++;
	rig->blind = blind;
}

static void rig_start(struct rig *rig, void **state)
{
	static const struct canary_ops ops = {on_mark, on_drain, on_changed};
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	assert_true(sd_event_new(&rig->loop) >= 0);
	assert_int_equal(canary_new(rig->loop, tmpdir_path(state, "canary"), 1, &ops, rig,
				    &rig->canary),
			 0);
}

static void rig_stop(struct rig *rig)
{
	canary_free(rig->canary);
	sd_event_unref(rig->loop);
}

/* Until `reads` have been made and nothing is open about the last one. */
static void run_until(struct rig *rig, uint64_t reads)
{
	struct canary_stats st = {};
	int enabled = SD_EVENT_ON;

	for (int i = 0; i < 1000 && (st.reads < reads || enabled != SD_EVENT_OFF); i++) {
		sd_event_run(rig->loop, 100000);
		canary_stats(rig->canary, &st);
		sd_event_source_get_enabled(rig->canary->grace, &enabled);
	}
	assert_true(st.reads >= reads);
}

static void a_read_that_arrives_changes_nothing(void **state)
{
	struct rig rig = {.sees = true};
	struct canary_stats st;

	rig_start(&rig, state);
	run_until(&rig, 2);
	canary_stats(rig.canary, &st);
	assert_int_equal(rig.changes, 0);
	assert_true(st.seen >= 2 && !st.blind);
	rig_stop(&rig);
	assert_int_equal(access(tmpdir_path(state, "canary"), F_OK), -1);
}

static void a_read_that_does_not_is_told_once_and_so_is_the_next_that_does(void **state)
{
	struct rig rig = {.sees = false};

	rig_start(&rig, state);
	for (int i = 0; i < 100 && !rig.blind; i++)
		sd_event_run(rig.loop, 100000);
	assert_true(rig.blind);
	run_until(&rig, 3);
	assert_int_equal(rig.changes, 1);
	assert_true(rig.marks > 1); /* it was laid anew */
	rig.sees = true;
	for (int i = 0; i < 100 && rig.blind; i++)
		sd_event_run(rig.loop, 100000);
	assert_int_equal(rig.changes, 2);
	assert_false(rig.blind);
	rig_stop(&rig);
}

static void a_file_that_is_gone_is_made_again_and_blinds_nobody(void **state)
{
	struct rig rig = {.sees = true};

	rig_start(&rig, state);
	run_until(&rig, 1);
	assert_int_equal(unlink(tmpdir_path(state, "canary")), 0);
	for (int i = 0; i < 100 && access(tmpdir_path(state, "canary"), F_OK); i++)
		sd_event_run(rig.loop, 100000);
	run_until(&rig, rig.canary->st.reads + 1);
	assert_int_equal(rig.changes, 0);
	rig_stop(&rig);
}

static void anybody_elses_read_does_not_count(void **state)
{
	struct event_access access = {.subject.id.tgid = 1};
	struct rig rig = {.sees = true};

	rig_start(&rig, state);
	run_until(&rig, 1);
	assert_false(canary_seen(rig.canary, &access));
	rig_stop(&rig);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_read_that_arrives_changes_nothing, tmpdir_make,
						tmpdir_clean),
		cmocka_unit_test_setup_teardown(
			a_read_that_does_not_is_told_once_and_so_is_the_next_that_does, tmpdir_make,
			tmpdir_clean),
		cmocka_unit_test_setup_teardown(a_file_that_is_gone_is_made_again_and_blinds_nobody,
						tmpdir_make, tmpdir_clean),
		cmocka_unit_test_setup_teardown(anybody_elses_read_does_not_count, tmpdir_make,
						tmpdir_clean),
	};

	return cmocka_run_group_tests_name("canary", tests, NULL, NULL);
}
