// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/strays.c: what has another object's mark by the time it is told. */
#include "unit/watchworld.h"

#include "watch/watcher-internal.h"

#define OTHER 4711

static const struct node *node_at(const struct world *w, uint64_t object)
{
	const struct node *node = tree_find(&w->watcher->tree, object);

	assert_non_null(node);
	return node;
}

static void dropped(struct world *w, uint64_t object)
{
	const struct event event = {
		.type = EVENT_MARK,
		.mark = {.op = MARK_DROPPED, .object = object},
	};

	watcher_mark_event(w->watcher, &event);
}

static void what_is_marked_as_another_is_walked_for(void **state)
{
	static const struct {
		const char *dir, *name;
		bool put_back, ended, mended;
		bool walk;
	} cases[] = {
		{"home/a/.ssh", "id_rsa", true, false, false, true},
		{"home/a/.ssh", "id_rsa", true, true, false, false},
		{"home/a/.ssh", "id_rsa", true, false, true, false},
		{"home/a/.ssh", "id_rsa", false, false, false, false},
		{"home", "b", true, false, false, true},
	};
	struct world *w = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char at[4096];
		struct inode_id inode;
		uint64_t object;

		make(w, "home/a/.ssh", NULL);
		compile(w, policy_keys, 1);
		snprintf(at, sizeof(at), "%s/%s", cases[i].dir, cases[i].name);
		make(w, at, strchr(cases[i].name, '_') ? "x" : NULL);
		w->put_back = cases[i].put_back ? OTHER : 0;
		object = appear_from(w, at, cases[i].dir, cases[i].name, MARK_ADDED);
		inode = node_at(w, object)->inode;
		if (cases[i].ended)
			dropped(w, object);
		assert_false(watcher_has_strays(w->watcher));
		if (cases[i].mended)
			set_object(w, &inode, object);
		assert_int_equal(watcher_has_strays(w->watcher), cases[i].walk);
		assert_false(watcher_has_strays(w->watcher));
		/* By the walk it is known as what it is marked as, and is what that says. */
		compile(w, policy_keys, 100);
		if (cases[i].walk) {
			assert_null(tree_find(&w->watcher->tree, object));
			assert_true(fake_is_marked(w, &node_at(w, OTHER)->inode, OTHER));
			assert_true(inode_id_same(&node_at(w, OTHER)->inode, &inode));
		}
		assert_false(watcher_has_strays(w->watcher));
		assert_false(watcher_has_strays(w->watcher));
		snprintf(at, sizeof(at), "%s/%s/%s", w->top, cases[i].dir, cases[i].name);
		assert_int_equal(remove(at), 0);
		compile(w, policy_keys, 200);
		w->nr_marks = 0;
		watcher_forget(w->watcher);
	}
}

/* What a child has marked on a file system that may not answer comes by another way. */
static void so_is_what_a_child_has_found(void **state)
{
	struct world *w = *state;
	struct watcher_find find = {
		.mark = {.object = 99, .watch = 1, .flags = MARK_FILE},
		.inode = {.ino = 1, .dev = 1},
		.name = "id_rsa",
	};

	make(w, "home/a/.ssh/id_a", "x");
	compile(w, policy_keys, 1);
	find.dir = node_at(w, object_at(w, "home/a/.ssh/id_a"))->parent->object;
	watcher_take(w->watcher, &find);
	assert_false(watcher_has_strays(w->watcher));
	assert_true(watcher_has_strays(w->watcher));
}

/* Who makes and removes files, faster than that is read, does not have everything walked: neither
 * if each is gone before the next is told, nor if all are told before the first has gone. */
static void those_that_have_ended_are_not_too_many(void **state)
{
	uint64_t objects[64];
	struct world *w = *state;
	char at[64], name[32];

	make(w, "home/a/.ssh", NULL);
	compile(w, policy_keys, 1);
	for (unsigned at_once = 0; at_once < 2; at_once++) {
		for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
			snprintf(name, sizeof(name), "id_%u_%u", at_once, i);
			snprintf(at, sizeof(at), "home/a/.ssh/%s", name);
			make(w, at, "x");
			w->put_back = OTHER + at_once * ARRAY_SIZE(objects) + i;
			objects[i] = appear_from(w, at, "home/a/.ssh", name, MARK_ADDED);
			if (!at_once)
				dropped(w, objects[i]);
		}
		for (unsigned i = 0; at_once && i < ARRAY_SIZE(objects); i++)
			dropped(w, objects[i]);
		assert_false(watcher_has_strays(w->watcher));
		assert_false(watcher_has_strays(w->watcher));
	}
}

/* One among many is; and one walk is for all. */
static void one_among_many_is_walked_for(void **state)
{
	uint64_t objects[64];
	struct world *w = *state;
	char at[64], name[32];

	make(w, "home/a/.ssh", NULL);
	compile(w, policy_keys, 1);
	for (unsigned left = 1; left <= 2; left++) {
		for (unsigned i = 0; i < ARRAY_SIZE(objects); i++) {
			snprintf(name, sizeof(name), "id_%u_%u", left, i);
			snprintf(at, sizeof(at), "home/a/.ssh/%s", name);
			make(w, at, "x");
			w->put_back = OTHER + left * ARRAY_SIZE(objects) + i;
			objects[i] = appear_from(w, at, "home/a/.ssh", name, MARK_ADDED);
		}
		for (unsigned i = left; i < ARRAY_SIZE(objects); i++)
			dropped(w, objects[i]);
		assert_false(watcher_has_strays(w->watcher));
		assert_true(watcher_has_strays(w->watcher));
		assert_false(watcher_has_strays(w->watcher));
		assert_false(watcher_has_strays(w->watcher));
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_marked_as_another_is_walked_for),
		CASE(so_is_what_a_child_has_found),
		CASE(those_that_have_ended_are_not_too_many),
		CASE(one_among_many_is_walked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
