// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/unfound.c: what becomes of what a walk has not found, while names are moved and after. */
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>

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

static void tell_moved_as(struct world *w, const char *name, uint64_t object, struct inode_id id,
			  uint32_t mode)
{
	struct event event = {
		.type = EVENT_MARK,
		.mark = {.op = MARK_MOVED,
			 .object = object,
			 .inode = id,
			 .mode = mode,
			 .path = span_of(name)},
	};

	for (size_t i = 0; i < w->nr_marks; i++)
		if (watchset_step(w->set, w->marks[i].mark.state, span_of("a.key")).watch)
			event.mark.parent_object = w->marks[i].mark.object;
	watcher_mark_event(w->watcher, &event);
}

static void tell_moved(struct world *w, const char *name, uint64_t object, struct inode_id id)
{
	tell_moved_as(w, name, object, id, S_IFREG);
}

/* The event that it has a watched name again was on its way while the walk let go of it. */
static void what_was_let_go_on_its_way_is_marked_anew(void **state)
{
	const struct inode_id gone = {.ino = 4711, .dev = 1};
	struct world *w = *state;
	uint64_t a, again;

	make(w, "home/a/.ssh/id_a", "x");
	make(w, "etc/ssl", NULL);
	compile(w, policy_keys, 1);
	a = object_at(w, "home/a/.ssh/id_a");
	rename_in(w, "home/a/.ssh/id_a", "away");
	compile(w,
		"version: 1\n"
		"watch:\n"
		"  - name: tree\n"
		"    class: tls-key\n"
		"    severity: high\n"
		"    paths: [\"@/etc/ssl/**/*.key\"]\n",
		100);
	assert_false(is_marked(w, "away", a));
	rename_in(w, "away", "etc/ssl/a.key");
	tell_moved(w, "a.key", a, inode_of(w, "etc/ssl/a.key"));
	again = object_at(w, "etc/ssl/a.key");
	assert_true(again && again != a);
	assert_true(is_marked(w, "etc/ssl/a.key", again));
	assert_int_equal(watched(w), 1);

	/* Nothing is there any more: who has read it meanwhile has read that. */
	tell_moved(w, "gone.key", MARK_OBJECT_KERNEL | 9, gone);
	assert_int_equal(object_at(w, "etc/ssl/gone.key"), MARK_OBJECT_KERNEL | 9);
}

/* The hook at a rename runs before it. */
static void nor_has_it_the_name_when_it_is_told(void **state)
{
	const uint64_t told = MARK_OBJECT_KERNEL | 9, dir = MARK_OBJECT_KERNEL | 10;
	struct world *w = *state;
	uint64_t old, again;

	make(w, "away", "x");
	make(w, "stays", "x");
	make(w, "gone/in.key", "x");
	make(w, "etc/ssl/old.key", "y");
	compile(w, policy_keys, 1);
	old = object_at(w, "etc/ssl/old.key");
	assert_int_equal(watched(w), 1);

	/* Nothing is there yet. */
	tell_moved(w, "a.key", told, inode_of(w, "away"));
	assert_int_equal(watch_of(w, told), 2);
	watcher_catch_up(w->watcher);
	rename_in(w, "away", "etc/ssl/a.key");
	watcher_catch_up(w->watcher);
	again = object_at(w, "etc/ssl/a.key");
	assert_true(again && again != told);
	assert_true(is_marked(w, "etc/ssl/a.key", again));
	assert_int_equal(watch_of(w, told), 0); /* the number of no mark */
	assert_int_equal(watched(w), 2);

	/* The file is there that it replaces. */
	make(w, "away", "x");
	tell_moved(w, "old.key", told, inode_of(w, "away"));
	watcher_catch_up(w->watcher);
	assert_true(is_marked(w, "etc/ssl/old.key", old));
	rename_in(w, "away", "etc/ssl/old.key");
	watcher_catch_up(w->watcher);
	for (size_t i = 0; i < w->nr_objects; i++)
		if (is_marked(w, "etc/ssl/old.key", w->objects[i].object))
			again = w->objects[i].object;
	assert_true(again != old && is_marked(w, "etc/ssl/old.key", again));
	assert_int_equal(watch_of(w, again), 2);

	tell_moved_as(w, "d", dir, inode_of(w, "gone"), S_IFDIR);
	watcher_catch_up(w->watcher);
	assert_int_equal(object_at(w, "etc/ssl/d/in.key"), 0);
	rename_in(w, "gone", "etc/ssl/d");
	watcher_catch_up(w->watcher);
	assert_true(object_at(w, "etc/ssl/d/in.key"));

	/* What does not come is not waited for without end. */
	tell_moved(w, "b.key", told, inode_of(w, "stays"));
	assert_int_equal(watch_of(w, told), 2);
	for (unsigned i = 0; i < 100; i++)
		watcher_catch_up(w->watcher);
	assert_int_equal(watch_of(w, told), 0);
}

/* The same entries by other numbers. */
static const char *const policy_other = "version: 1\n"
					"watch:\n"
					"  - name: tree\n"
					"    class: tls-key\n"
					"    severity: high\n"
					"    paths: [\"@/etc/ssl/**/*.key\"]\n"
					"  - name: keys\n"
					"    class: ssh-user-key\n"
					"    severity: high\n"
					"    paths: [\"@/home/*/.ssh/id_*\"]\n";

static void what_is_missed_is_watched_as_the_new_policy_says(void **state)
{
	struct world *w = *state;
	uint64_t a;

	make(w, "home/a/.ssh/id_a", "x");
	make(w, "home/a/.ssh/id_b", "x");
	compile(w, policy_keys, 1);
	a = object_at(w, "home/a/.ssh/id_a");
	rename_in(w, "home/a/.ssh/id_a", "home/a/.ssh/b");
	compile(w, policy_other, 100);
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

/* A lease on it, no descriptor left: it stands there, and the walk has not seen it. */
static void what_cannot_be_opened_is_not_gone(void **state)
{
	static const int errors[] = {EAGAIN, EMFILE, ENFILE, ENOMEM, EIO, EACCES};
	struct world *w = *state;
	uint64_t a;

	make(w, "home/a/.ssh/id_a", "x");
	compile(w, policy_keys, 1);
	a = object_at(w, "home/a/.ssh/id_a");
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		w->refuse = errors[i];
		for (uint32_t j = 1; j < 4; j++) {
			compile(w, policy_keys, (uint32_t)i * 1000 + j * 100);
			assert_true(is_marked(w, "home/a/.ssh/id_a", a));
			assert_true(disturbed(w));
			assert_int_equal(missed(w), 1);
		}
	}
	w->refuse = 0;
	compile(w, policy_keys, 9000);
	assert_false(disturbed(w));
	assert_int_equal(missed(w), 0);
	/* That is counted elsewhere, and no reason to walk. */
	w->refuse = EDQUOT;
	compile(w, policy_keys, 9100);
	assert_false(disturbed(w));
}

static void lies_below_a_mount(struct world *w, const char *dir, const char *key)
{
	char at[4096];
	uint64_t a;

	make(w, key, "x");
	make(w, "home/b/.ssh/id_b", "x");
	compile(w, policy_keys, 1);
	a = object_at(w, key);
	rename_in(w, "home/b/.ssh/id_b", "away");
	snprintf(at, sizeof(at), "%s/%s", w->top, dir);
	assert_int_equal(mount("none", at, "tmpfs", 0, NULL), 0);
	for (uint32_t i = 1; i < 5; i++) {
		compile(w, policy_keys, i * 100);
		assert_int_equal(watch_of(w, a), 1);
	}
	/* None of it is looked for, and what is away elsewhere is let go. */
	assert_int_equal(missed(w), 0);
	assert_int_equal(watched(w), 1);
	assert_int_equal(umount2(at, MNT_DETACH), 0);
	assert_true(is_marked(w, key, a));
	assert_int_equal(watcher_rescan(w->watcher, at), 0);
	assert_int_equal(object_at(w, key), a);
}

static void what_lies_below_a_mount_is_not_gone(void **state)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	lies_below_a_mount(*state, "home/a/.ssh", "home/a/.ssh/id_a");
}

/* As of a user's FUSE. */
static void nor_below_one_that_may_not_answer(void **state)
{
	struct world *w = *state;

	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip();
	lies_below_a_mount(w, "home/slow/.ssh", "home/slow/.ssh/id_a");
	assert_true(w->nr_apart > 0);
}

static void what_a_link_led_to_stays_watched_while_it_stands(void **state)
{
	struct world *w = *state;
	char at[4096];
	uint64_t a;

	make(w, "home/a/dots/ssh/id_a", "x");
	snprintf(at, sizeof(at), "%s/home/a/.ssh", w->top);
	assert_int_equal(symlink("dots/ssh", at), 0);
	compile(w, policy_keys, 1);
	a = object_at(w, "home/a/.ssh/id_a");
	assert_true(a);
	/* None of this has a watched name. */
	rename_in(w, "home/a/dots", "home/a/d2");
	for (uint32_t i = 1; i < 5; i++)
		compile(w, policy_keys, i * 100);
	assert_true(is_marked(w, "home/a/d2/ssh/id_a", a));
	/* Nor that: it leads elsewhere meanwhile. */
	make(w, "home/a/dots/ssh/id_x", "x");
	for (uint32_t i = 5; i < 9; i++)
		compile(w, policy_keys, i * 100);
	assert_true(is_marked(w, "home/a/d2/ssh/id_a", a));
	assert_int_equal(missed(w), 0);
	/* The link is what the kernel side sees. */
	assert_int_equal(unlink(at), 0);
	compile(w, policy_keys, 1000);
	assert_int_equal(missed(w), 4);
	compile(w, policy_keys, 1100);
	assert_false(is_marked(w, "home/a/d2/ssh/id_a", a));
}

/* 100,001 names of one user: the walk ends among them. */
static void a_walk_that_was_cut_short_lets_go_of_nothing(void **state)
{
	struct world *w = *state;
	struct watcher_stats stats;
	struct inode_id id;
	char at[4096];
	uint64_t a, c;

	if (getuid() != 0)
		skip();
	make(w, "home/a/.ssh/id_a", "x");
	make(w, "home/a/.ssh/id_c", "x");
	id = inode_of(w, "home/a/.ssh/id_a");
	snprintf(at, sizeof(at), "%s/home/a/.ssh", w->top);
	assert_int_equal(chown(at, 1000, 1000), 0);
	compile(w, policy_keys, 1);
	watcher_stats(w->watcher, &stats);
	assert_false(stats.bounded);
	a = object_at(w, "home/a/.ssh/id_a");
	c = object_at(w, "home/a/.ssh/id_c");
	rename_in(w, "home/a/.ssh/id_a", "away");
	compile(w, policy_keys, 50);
	assert_int_equal(missed(w), 1);
	for (unsigned i = 0; i < 100001; i++) {
		snprintf(at, sizeof(at), "%s/home/a/.ssh/%u", w->top, i);
		assert_int_equal(symlink("x", at), 0);
	}
	rename_in(w, "home/a/.ssh/id_c", "away_c");
	for (uint32_t i = 1; i < 4; i++) {
		compile(w, policy_keys, i * 100);
		watcher_stats(w->watcher, &stats);
		assert_true(stats.bounded);
		assert_int_equal(stats.missed, 2);
		assert_true(is_marked(w, "away", a));
	}
	/* What has no mark any more is not kept for that. */
	assert_int_equal(fake_unmark(w, &id, a), 0);
	compile(w, policy_keys, 1000);
	assert_int_equal(watch_of(w, a), 0);
	/* Only those that came to their end count as having looked for it. */
	for (unsigned i = 0; i < 100001; i++) {
		snprintf(at, sizeof(at), "%s/home/a/.ssh/%u", w->top, i);
		assert_int_equal(unlink(at), 0);
	}
	compile(w, policy_keys, 1100);
	assert_int_equal(missed(w), 1);
	assert_true(is_marked(w, "away_c", c));
	compile(w, policy_keys, 1200);
	assert_false(is_marked(w, "away_c", c));
}

/* `n` directories, one in the other, below `top`, and what is there. */
static void make_deep(const struct world *w, const char *top, unsigned n, const char *name,
		      char out[static 1024])
{
	size_t used = (size_t)snprintf(out, 1024, "%s", top);

	while (n--)
		used += (size_t)snprintf(out + used, 1024 - used, "/d");
	snprintf(out + used, 1024 - used, "/%s", name);
	make(w, out, name[0] ? "x" : NULL);
}

/* Any user can make one below a pattern with `**`. */
static void a_tree_that_is_too_deep_keeps_nothing_else_watched(void **state)
{
	struct world *w = *state;
	struct watcher_stats stats;
	char deep[1024];
	uint64_t a;

	make_deep(w, "etc/ssl/a", 80, "x.key", deep);
	make(w, "home/a/.ssh/id_a", "x");
	make(w, "etc/ssl/z.key", "x");
	compile(w, policy_keys, 1);
	a = object_at(w, "home/a/.ssh/id_a");
	rename_in(w, "home/a/.ssh/id_a", "away");
	compile(w, policy_keys, 200);
	watcher_stats(w->watcher, &stats);
	assert_true(stats.bounded);
	assert_false(stats.disturbed);
	assert_int_equal(stats.missed, 1);
	assert_true(is_marked(w, "away", a));
	compile(w, policy_keys, 400);
	assert_false(is_marked(w, "away", a));
	assert_int_equal(watch_of(w, a), 0);
	assert_true(object_at(w, "etc/ssl/z.key"));
}

/* Its directory stands, and the walk does not read so far down. */
static void what_has_come_to_lie_too_deep_stays_watched(void **state)
{
	struct world *w = *state;
	char key[1024], bottom[1024], now[2048];
	uint64_t a;

	make_deep(w, "etc/ssl/a", 20, "x.key", key);
	make_deep(w, "etc/ssl/b", 50, "", bottom);
	compile(w, policy_keys, 1);
	a = object_at(w, key);
	assert_true(a);
	snprintf(now, sizeof(now), "%sa", bottom);
	rename_in(w, "etc/ssl/a", now);
	snprintf(now, sizeof(now), "%s%s", bottom, key + strlen("etc/ssl/"));
	for (uint32_t i = 1; i < 5; i++) {
		compile(w, policy_keys, i * 200);
		assert_true(is_marked(w, now, a));
		assert_int_equal(watch_of(w, a), 2);
		assert_int_equal(missed(w), 0);
	}
	/* Not for ever. */
	rename_in(w, "etc/ssl/b", "b");
	compile(w, policy_keys, 2000);
	assert_true(missed(w) > 0);
	compile(w, policy_keys, 2200);
	assert_int_equal(watch_of(w, a), 0);
}

static struct rlimit files;

static void no_more_files(void)
{
	struct rlimit none;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &files), 0);
	none = files;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
}

/* What is known is of the new policy's entries all the same: the old ones' numbers mean others. */
static void a_walk_that_sees_nothing_lets_go_of_nothing(void **state)
{
	struct world *w = *state;
	uint64_t object;

	make(w, "home/a/.ssh/id_a", "x");
	compile(w, policy_keys, 1);
	assert_false(disturbed(w));
	object = object_at(w, "home/a/.ssh/id_a");
	assert_int_equal(watch_of(w, object), 1);
	w->begins = no_more_files;
	compile(w, policy_other, 200);
	w->begins = NULL;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &files), 0);
	assert_true(disturbed(w));
	assert_int_equal(watched(w), 1);
	assert_int_equal(watch_of(w, object), 2);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_renamed_during_a_walk_stays_watched),
		CASE(what_is_not_there_is_let_go_when_that_is_sure),
		CASE(what_a_new_policy_does_not_name_goes_at_once),
		CASE(what_was_let_go_on_its_way_is_marked_anew),
		CASE(nor_has_it_the_name_when_it_is_told),
		CASE(what_is_missed_is_watched_as_the_new_policy_says),
		CASE(a_directory_that_is_missed_leads_on),
		CASE(what_cannot_be_opened_is_not_gone),
		CASE(what_lies_below_a_mount_is_not_gone),
		CASE(nor_below_one_that_may_not_answer),
		CASE(what_a_link_led_to_stays_watched_while_it_stands),
		CASE(a_walk_that_was_cut_short_lets_go_of_nothing),
		CASE(a_tree_that_is_too_deep_keeps_nothing_else_watched),
		CASE(what_has_come_to_lie_too_deep_stays_watched),
		CASE(a_walk_that_sees_nothing_lets_go_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
