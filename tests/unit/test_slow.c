// SPDX-License-Identifier: GPL-2.0-or-later
/* Children that walk what may not answer: seen, silent, tried again, forgotten. */
#include "daemon/slow.c" /* the daemon is no library */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>

struct rig {
	sd_event *loop;
	struct watcher *watcher;
	struct slow *slow;
	bool hangs;
	unsigned ended, silences, answers;
	char path[64]; /* told last as silent */
};

/* In the child. */
static void on_enter(void *userdata, unsigned slot)
{
	const struct rig *rig = userdata;

	if (!slot || slot >= MARKING_SLOTS)
		_exit(EXIT_PARTLY);
	while (rig->hangs)
		pause();
}

static void on_ended(void *userdata, unsigned slot)
{
	((struct rig *)userdata)->ended++;
}

static void on_silent(void *userdata, const char *path)
{
	struct rig *rig = userdata;

	if (!path) {
		rig->answers++;
		return;
	}
	rig->silences++;
	snprintf(rig->path, sizeof(rig->path), "%s", path);
}

static const struct slow_ops ops = {on_enter, on_ended, on_silent};

static int rig_start(void **state)
{
	static const struct watcher_ops none;
	struct rig *rig = calloc(1, sizeof(*rig));
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	assert_true(sd_event_new(&rig->loop) >= 0);
	assert_int_equal(watcher_new(&none, rig, &rig->watcher), 0);
	assert_int_equal(slow_new(rig->loop, rig->watcher, &ops, rig, &rig->slow), 0);
	*state = rig;
	return 0;
}

static int rig_end(void **state)
{
	struct rig *rig = *state;

	slow_free(rig->slow);
	watcher_free(rig->watcher);
	sd_event_unref(rig->loop);
	free(rig);
	return 0;
}

static enum slow_state state_of(struct rig *rig, const char *path)
{
	struct place *place = find(rig->slow, path);

	assert_non_null(place);
	return place->state;
}

static unsigned children(const struct rig *rig)
{
	unsigned nr = 0;

	for (const struct place *place = rig->slow->places; place; place = place->hh.next)
		nr += place->pid != 0;
	return nr;
}

/* Until so many have ended in all. */
static void loop(struct rig *rig, unsigned ended)
{
	while (rig->ended < ended) {
		assert_true(sd_event_run(rig->loop, 100000) >= 0);
		reap(rig->slow); /* as each second does */
	}
}

/* As if so many seconds had gone by. */
static void age(struct rig *rig, uint64_t seconds)
{
	for (struct place *place = rig->slow->places; place; place = place->hh.next) {
		if (place->begun_s)
			place->begun_s -= seconds;
		place->said_s -= seconds;
	}
	slow_second(rig->slow);
}

static void what_answers_is_seen(void **state)
{
	struct rig *rig = *state;

	assert_true(slow_add(rig->slow, "/home/a"));
	assert_int_equal(state_of(rig, "/home/a"), SLOW_WALKING);
	loop(rig, 1);
	assert_int_equal(state_of(rig, "/home/a"), SLOW_SEEN);
	/* Something in it is the place once more, and not at once. */
	assert_true(slow_add(rig->slow, "/home/a/.ssh/id"));
	assert_int_equal(HASH_COUNT(rig->slow->places), 1);
	assert_int_equal(state_of(rig, "/home/a"), SLOW_WAITING);
	age(rig, INTERVAL_S);
	assert_int_equal(state_of(rig, "/home/a"), SLOW_WALKING);
	assert_true(slow_add(rig->slow, "/home/ab"));
	assert_int_equal(HASH_COUNT(rig->slow->places), 2);
	loop(rig, 3);
	assert_int_equal(rig->silences, 0);
}

static void what_hangs_is_told_once_and_tried_again(void **state)
{
	struct rig *rig = *state;

	rig->hangs = true;
	assert_true(slow_add(rig->slow, "/home/a"));
	assert_true(slow_add(rig->slow, "/home/b"));
	slow_second(rig->slow);
	assert_int_equal(rig->silences, 0);
	age(rig, SILENCE_S);
	assert_int_equal(rig->silences, 1);
	assert_int_equal(state_of(rig, "/home/a"), SLOW_SILENT);
	assert_int_equal(state_of(rig, "/home/b"), SLOW_SILENT);
	loop(rig, 2);
	assert_int_equal(children(rig), 0);
	age(rig, SILENCE_S);
	assert_int_equal(children(rig), 0);
	rig->hangs = false;
	age(rig, RETRY_S);
	assert_int_equal(children(rig), 2);
	loop(rig, 4);
	assert_int_equal(state_of(rig, "/home/a"), SLOW_SEEN);
	assert_int_equal(state_of(rig, "/home/b"), SLOW_SEEN);
	assert_int_equal(rig->silences, 1);
	assert_int_equal(rig->answers, 1);
}

static void there_are_no_more_children_than_slots(void **state)
{
	struct rig *rig = *state;
	char path[32];

	rig->hangs = true;
	for (unsigned i = 0; i < 2 * MARKING_SLOTS; i++) {
		snprintf(path, sizeof(path), "/home/%u", i);
		assert_true(slow_add(rig->slow, path));
	}
	assert_int_equal(children(rig), MARKING_SLOT_SEARCH - 1);
	/* Those that hang make room. */
	rig->hangs = false;
	age(rig, SILENCE_S);
	loop(rig, 2 * MARKING_SLOTS);
	assert_int_equal(state_of(rig, path), SLOW_SEEN);
	assert_int_equal(children(rig), 0);
}

static void what_another_set_does_not_want_is_forgotten(void **state)
{
	struct rig *rig = *state;

	rig->hangs = true;
	assert_true(slow_add(rig->slow, "/home/a"));
	assert_true(slow_add(rig->slow, "/home/b"));
	rig->hangs = false;
	slow_begin(rig->slow);
	assert_true(slow_add(rig->slow, "/home/b"));
	slow_end(rig->slow);
	/* Both had a child that hung; that of the one that is wanted is followed by another. */
	loop(rig, 3);
	assert_int_equal(HASH_COUNT(rig->slow->places), 1);
	assert_int_equal(state_of(rig, "/home/b"), SLOW_SEEN);
	assert_int_equal(rig->silences, 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, rig_start, rig_end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_answers_is_seen),
		CASE(what_hangs_is_told_once_and_tried_again),
		CASE(there_are_no_more_children_than_slots),
		CASE(what_another_set_does_not_want_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
