// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/unfound.c: what becomes of what a walk has not found, while names are moved and after. */
#include "unit/watchworld.h"

static void rename_in(const struct world *w, const char *from, const char *to)
{
	char a[4096], b[4096];

	snprintf(a, sizeof(a), "%s/%s", w->top, from);
	snprintf(b, sizeof(b), "%s/%s", w->top, to);
	assert_int_equal(rename(a, b), 0);
}

static struct inode_id inode_of(const struct world *w, const char *path)
{
	char full[4096];
	struct stat st;

	snprintf(full, sizeof(full), "%s/%s", w->top, path);
	assert_int_equal(stat(full, &st), 0);
	return (struct inode_id){.ino = st.st_ino, .dev = st.st_dev};
}

static bool is_marked(struct world *w, const char *path, uint64_t object)
{
	const struct inode_id id = inode_of(w, path);

	return fake_is_marked(w, &id, object);
}

static uint32_t missed(const struct world *w)
{
	struct watcher_stats stats;

	watcher_stats(w->watcher, &stats);
	return stats.missed;
}

static bool disturbed(const struct world *w)
{
	struct watcher_stats stats;

	watcher_stats(w->watcher, &stats);
	return stats.disturbed;
}

/* Both names were read from the directory; what is looked at second is called otherwise by then. */
static void rename_the_other(struct world *w, const char *at)
{
	rename_in(w, strstr(at, "/id_a") ? "home/a/.ssh/id_b" : "home/a/.ssh/id_a",
		  "home/a/.ssh/id_renamed");
	w->names_moved++;
}

static void what_is_renamed_during_a_walk_stays_watched(void **state)
{
	struct world *w = *state;
	uint64_t a, b, renamed;

	make(w, "home/a/.ssh/id_a", "x");
	make(w, "home/a/.ssh/id_b", "x");
	compile(w, policy_keys, 1);
	a = object_at(w, "home/a/.ssh/id_a");
	b = object_at(w, "home/a/.ssh/id_b");
	assert_int_equal(missed(w), 0);
	assert_false(disturbed(w));

	/* Without an event: it was lost. */
	w->meanwhile = rename_the_other;
	compile(w, policy_keys, 100);
	assert_null(w->meanwhile);
	assert_int_equal(watched(w), 2);
	assert_int_equal(missed(w), 1);
	assert_true(disturbed(w));
	renamed = is_marked(w, "home/a/.ssh/id_renamed", a) ? a : b;
	assert_true(is_marked(w, "home/a/.ssh/id_renamed", renamed));

	/* Found by the next one under the name that it has, and still the same object. */
	compile(w, policy_keys, 200);
	assert_int_equal(watched(w), 2);
	assert_int_equal(object_at(w, "home/a/.ssh/id_renamed"), renamed);
	assert_int_equal(missed(w), 0);
	assert_false(disturbed(w));
}

static void count_as_moved(struct world *w, const char *at)
{
	w->names_moved++;
}

static void what_is_not_there_is_let_go_when_that_is_sure(void **state)
{
	struct world *w = *state;
	uint64_t a;

	make(w, "home/a/.ssh/id_a", "x");
	make(w, "home/a/.ssh/id_b", "x");
	compile(w, policy_keys, 1);
	a = object_at(w, "home/a/.ssh/id_a");
	rename_in(w, "home/a/.ssh/id_a", "away");
	/* Not while names are moved, however often. */
	for (uint32_t i = 1; i < 20; i++) {
		w->meanwhile = count_as_moved;
		compile(w, policy_keys, i * 100);
		assert_int_equal(missed(w), 1);
		assert_true(is_marked(w, "away", a));
		assert_int_equal(watch_of(w, a), 1);
	}
	compile(w, policy_keys, 2000);
	assert_false(is_marked(w, "away", a));
	assert_int_equal(watch_of(w, a), 0);
	assert_int_equal(missed(w), 0);

	/* Nor by the first walk that was not disturbed. */
	a = object_at(w, "home/a/.ssh/id_b");
	rename_in(w, "home/a/.ssh/id_b", "home/a/b");
	compile(w, policy_keys, 2100);
	assert_true(is_marked(w, "home/a/b", a));
	assert_int_equal(missed(w), 1);
	compile(w, policy_keys, 2200);
	assert_false(is_marked(w, "home/a/b", a));
}

static void what_a_new_policy_does_not_name_goes_at_once(void **state)
{
	struct world *w = *state;
	uint64_t a;

	make(w, "home/a/.ssh/id_a", "x");
	make(w, "home/a/.ssh/id_b", "x");
	compile(w, policy_keys, 1);
	a = object_at(w, "home/a/.ssh/id_a");
	rename_in(w, "home/a/.ssh/id_a", "away");
	w->names_moved++;
	compile(w,
		"version: 1\n"
		"watch:\n"
		"  - name: b\n"
		"    class: ssh-user-key\n"
		"    severity: high\n"
		"    paths: [\"@/home/*/.ssh/id_b\"]\n",
		100);
	assert_false(is_marked(w, "away", a));
	assert_int_equal(watch_of(w, a), 0);
	assert_int_equal(missed(w), 0);
}

static void what_is_missed_is_watched_as_the_new_policy_says(void **state)
{
	struct world *w = *state;
	uint64_t a;

	make(w, "home/a/.ssh/id_a", "x");
	make(w, "home/a/.ssh/id_b", "x");
	compile(w, policy_keys, 1);
	a = object_at(w, "home/a/.ssh/id_a");
	rename_in(w, "home/a/.ssh/id_a", "home/a/.ssh/b");
	compile(w,
		"version: 1\n"
		"watch:\n"
		"  - name: tree\n"
		"    class: tls-key\n"
		"    severity: high\n"
		"    paths: [\"@/etc/ssl/**/*.key\"]\n"
		"  - name: keys\n"
		"    class: ssh-user-key\n"
		"    severity: high\n"
		"    paths: [\"@/home/*/.ssh/id_*\"]\n",
		100);
	assert_int_equal(watch_of(w, a), 2);
	for (size_t i = 0; i < w->nr_marks; i++)
		if (w->marks[i].mark.object == a)
			assert_int_equal(w->marks[i].mark.watch, 2);
}

static void a_directory_that_is_missed_leads_on(void **state)
{
	struct world *w = *state;
	uint32_t states = 0;

	make(w, "etc/ssl/x/one.key", "x");
	compile(w, policy_keys, 1);
	rename_in(w, "etc/ssl/x", "y");
	compile(w, policy_keys, 100);
	assert_int_equal(missed(w), 2);
	assert_true(object_at(w, "etc/ssl/x/one.key"));
	/* Its state is one of the set in force: the one before is not in the kernel any more. */
	for (size_t i = 0; i < w->nr_marks; i++) {
		const struct inode_id id = inode_of(w, "y");

		if (inode_id_same(&w->marks[i].inode, &id))
			states = w->marks[i].mark.state;
	}
	assert_true(states >= 100);
	assert_int_equal(watchset_step(w->set, states, span_of("one.key")).watch, 2);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_renamed_during_a_walk_stays_watched),
		CASE(what_is_not_there_is_let_go_when_that_is_sure),
		CASE(what_a_new_policy_does_not_name_goes_at_once),
		CASE(what_is_missed_is_watched_as_the_new_policy_says),
		CASE(a_directory_that_is_missed_leads_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
