// SPDX-License-Identifier: GPL-2.0-or-later
/* watch/picture.c: which name and entry an object has that is come by under several. */
#include "unit/watchworld.h"

static void no_other_name_takes_an_object_out_of_its_entry(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];
	uint64_t key;

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "etc/ssl", NULL);
	compile(w, policy_keys, 1);
	key = object_at(w, "home/a/.ssh/id_rsa");
	assert_int_equal(watch_of(w, key), 1);

	/* A hard link under the other entry's names, then the rename, then a name that only the
	 * kernel's form of a glob matches. */
	snprintf(from, sizeof(from), "%s/home/a/.ssh/id_rsa", w->top);
	snprintf(to, sizeof(to), "%s/etc/ssl/x.key", w->top);
	assert_int_equal(link(from, to), 0);
	appear(w, "etc/ssl", "x.key", MARK_LINKED);
	assert_int_equal(watch_of(w, key), 1);
	assert_int_equal(object_at(w, "home/a/.ssh/id_rsa"), key);

	assert_int_equal(unlink(to), 0);
	assert_int_equal(rename(from, to), 0);
	appear(w, "etc/ssl", "x.key", MARK_MOVED);
	assert_int_equal(watch_of(w, key), 1);
	assert_int_equal(object_at(w, "etc/ssl/x.key"), key);

	snprintf(from, sizeof(from), "%s/etc/ssl/x.crt", w->top);
	assert_int_equal(rename(to, from), 0);
	appear(w, "etc/ssl", "x.crt", MARK_MOVED);
	assert_int_equal(watch_of(w, key), 1);
	assert_int_equal(w->marks[w->nr_marks - 1].mark.flags, MARK_FILE);
}

/* The watch entry that the kernel side has for an object. */
static uint32_t marked_for(const struct world *w, uint64_t object)
{
	for (size_t i = 0; i < w->nr_marks; i++)
		if (w->marks[i].mark.object == object)
			return w->marks[i].mark.watch;
	return 0;
}

static void a_new_walk_prefers_the_entry_written_first(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "etc/ssl", NULL);
	snprintf(from, sizeof(from), "%s/home/a/.ssh/id_rsa", w->top);
	snprintf(to, sizeof(to), "%s/etc/ssl/x.key", w->top);
	assert_int_equal(link(from, to), 0);
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 1);
	assert_int_equal(watch_of(w, w->objects[0].object), 1);
	assert_int_equal(marked_for(w, w->objects[0].object), 1);
	compile(w, policy_keys, 100);
	assert_int_equal(watched(w), 1);
	assert_int_equal(watch_of(w, w->objects[0].object), 1);
	assert_int_equal(marked_for(w, w->objects[0].object), 1);
}

/* It comes by the second name alone. */
static void a_walk_of_a_part_takes_no_object_out_of_its_entry(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096], link_at[4096], part[4096];
	uint64_t key;

	make(w, "home/a/.ssh/id_rsa", "x");
	make(w, "etc/ssl", NULL);
	compile(w, policy_keys, 1);
	key = object_at(w, "home/a/.ssh/id_rsa");
	snprintf(from, sizeof(from), "%s/home/a/.ssh/id_rsa", w->top);
	snprintf(part, sizeof(part), "%s/etc/ssl", w->top);
	snprintf(to, sizeof(to), "%s/etc/ssl/x.key", w->top);
	assert_int_equal(link(from, to), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(watcher_rescan(w->watcher, part), 0);
	assert_int_equal(watch_of(w, key), 1);
	assert_int_equal(marked_for(w, key), 1);
	assert_int_equal(object_at(w, "home/a/.ssh/id_rsa"), key);
	/* Nor do symbolic links: one is found, one is told after a walk of another part. */
	assert_int_equal(unlink(to), 0);
	snprintf(link_at, sizeof(link_at), "%s/etc/ssl/y.key", w->top);
	assert_int_equal(symlink(from, link_at), 0);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(watcher_rescan(w->watcher, part), 0);
		assert_int_equal(watch_of(w, key), 1);
		assert_int_equal(marked_for(w, key), 1);
		assert_int_equal(object_at(w, "home/a/.ssh/id_rsa"), key);
	}
	assert_int_equal(unlink(link_at), 0);
	assert_int_equal(watcher_rescan(w->watcher, part), 0);
	assert_int_equal(symlink(from, link_at), 0);
	appear(w, "etc/ssl", "y.key", MARK_SYMLINK);
	assert_int_equal(watch_of(w, key), 1);
	assert_int_equal(marked_for(w, key), 1);
	assert_int_equal(object_at(w, "home/a/.ssh/id_rsa"), key);
	assert_int_equal(unlink(link_at), 0);
	assert_int_equal(link(from, to), 0);
	/* That name is gone, which nobody told. */
	assert_int_equal(unlink(from), 0);
	assert_int_equal(watcher_rescan(w->watcher, part), 0);
	assert_int_equal(watch_of(w, key), 2);
	assert_int_equal(marked_for(w, key), 2);
	assert_int_equal(object_at(w, "etc/ssl/x.key"), key);
}

/* Whether the first name still stands is asked of the kernel, and of stat() where nothing else says
 * it. */
static void a_name_stands_if_the_object_stands_there(void **state)
{
	static const struct {
		uint64_t layer;
		bool strangers;
		int no_open;
		bool kept;
	} cases[] = {
		{0, false, 0, true},	  {1000, false, 0, true},	{0, true, 0, false},
		{0, false, EAGAIN, true}, {1000, false, EAGAIN, false}, {0, false, ESTALE, true},
	};
	struct world *w = *state;
	char from[4096], to[4096], part[4096];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char of[64];
		uint64_t key;

		w->layer = cases[i].layer;
		snprintf(of, sizeof(of), "home/a%zu/.ssh/id_rsa", i);
		make(w, of, "x");
		make(w, "etc/ssl", NULL);
		compile(w, policy_keys, 1);
		key = object_at(w, of);
		assert_int_equal(watch_of(w, key), 1);
		snprintf(from, sizeof(from), "%s/%s", w->top, of);
		snprintf(part, sizeof(part), "%s/etc/ssl", w->top);
		snprintf(to, sizeof(to), "%s/etc/ssl/x%zu.key", w->top, i);
		assert_int_equal(link(from, to), 0);
		w->strangers = cases[i].strangers;
		w->no_open = cases[i].no_open;
		assert_int_equal(watcher_rescan(w->watcher, part), 0);
		w->strangers = false;
		w->no_open = 0;
		assert_int_equal(watch_of(w, key), cases[i].kept ? 1 : 2);
		assert_int_equal(marked_for(w, key), cases[i].kept ? 1 : 2);
	}
}

static void a_link_takes_nothing_over_and_leads_only_to_its_owners_files(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];
	uint64_t key;

	make(w, "home/a/.ssh", NULL);
	make(w, "etc/ssl/host.key", "x");
	make(w, "etc/passwd", "x");
	snprintf(from, sizeof(from), "%s/etc/ssl/host.key", w->top);
	snprintf(to, sizeof(to), "%s/home/a/.ssh/id_host", w->top);
	assert_int_equal(symlink(from, to), 0);
	snprintf(from, sizeof(from), "%s/etc", w->top);
	snprintf(to, sizeof(to), "%s/home/b", w->top);
	assert_int_equal(symlink(from, to), 0);
	if (getuid() == 0) { /* a link of somebody else's */
		snprintf(from, sizeof(from), "%s/etc/passwd", w->top);
		snprintf(to, sizeof(to), "%s/home/a/.ssh/id_passwd", w->top);
		assert_int_equal(symlink(from, to), 0);
		assert_int_equal(lchown(to, 1000, 1000), 0);
	}
	compile(w, policy_keys, 1);
	assert_int_equal(watched(w), 1);
	key = object_at(w, "etc/ssl/host.key");
	assert_int_equal(watch_of(w, key), 2);
	compile(w, policy_keys, 100);
	assert_int_equal(watch_of(w, key), 2);
	for (size_t i = 0; i < w->nr_marks; i++)
		assert_true(!w->marks[i].mark.state || w->marks[i].mark.state >= 100);
}

/* The same entries, with one in front of them: every number is another. */
static const char *const policy_more = "version: 1\n"
				       "watch:\n"
				       "  - name: first\n"
				       "    class: key\n"
				       "    severity: low\n"
				       "    paths: [\"@/opt/x\"]\n"
				       "  - name: keys\n"
				       "    class: ssh-user-key\n"
				       "    severity: high\n"
				       "    paths: [\"@/home/*/.ssh/id_*\"]\n"
				       "    exclude: [\"*.pub\"]\n"
				       "  - name: tree\n"
				       "    class: tls-key\n"
				       "    severity: high\n"
				       "    paths: [\"@/etc/ssl/**/*.key\"]\n";

static void what_is_known_by_a_link_is_of_the_new_policys_entry(void **state)
{
	struct world *w = *state;
	char from[4096], to[4096];
	uint64_t linked, both;

	make(w, "home/a/.ssh", NULL);
	make(w, "home/a/dots/id_rsa", "x");
	make(w, "etc/ssl/host.key", "y");
	snprintf(from, sizeof(from), "%s/home/a/dots/id_rsa", w->top);
	snprintf(to, sizeof(to), "%s/home/a/.ssh/id_rsa", w->top);
	assert_int_equal(symlink(from, to), 0);
	/* A link that a walk may come by before the name, or after it. */
	snprintf(from, sizeof(from), "%s/etc/ssl/host.key", w->top);
	snprintf(to, sizeof(to), "%s/home/a/.ssh/id_host", w->top);
	assert_int_equal(symlink(from, to), 0);
	for (unsigned i = 0; i < 4; i++) {
		compile(w, i % 2 ? policy_more : policy_keys, 1 + 100 * i);
		assert_int_equal(watched(w), 2);
		linked = object_at(w, "home/a/.ssh/id_rsa"); /* by its own name */
		both = object_at(w, "etc/ssl/host.key");
		assert_int_equal(watch_of(w, linked), 1 + i % 2);
		assert_int_equal(marked_for(w, linked), 1 + i % 2);
		assert_int_equal(watch_of(w, both), 2 + i % 2);
		assert_int_equal(marked_for(w, both), 2 + i % 2);
	}
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(no_other_name_takes_an_object_out_of_its_entry),
		CASE(a_new_walk_prefers_the_entry_written_first),
		CASE(a_walk_of_a_part_takes_no_object_out_of_its_entry),
		CASE(a_name_stands_if_the_object_stands_there),
		CASE(a_link_takes_nothing_over_and_leads_only_to_its_owners_files),
		CASE(what_is_known_by_a_link_is_of_the_new_policys_entry),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
