// SPDX-License-Identifier: GPL-2.0-or-later
/* daemon/search-places.c: which trees are searched, each once, by its own name. */
#include "unit/searchworld.h"
#include "unit/tmpdir.h"

static void make(void **state, const char *name)
{
	assert_int_equal(mkdir(tmpdir_path(state, name), 0755), 0);
}

/* The places of a search that begins now, one behind the other without the directory before. */
static const char *places(struct rig *rig, void **state)
{
	static char text[4096];
	const size_t top = strlen(*state);

	search_places_list(rig->search);
	text[0] = '\0';
	for (size_t i = 0; i < rig->search->nr_places; i++) {
		const char *path = rig->search->places[i].path;
		const bool inside = !strncmp(path, *state, top);
		size_t len = strlen(text);

		snprintf(text + len, sizeof(text) - len, "%s%s", i ? " " : "",
			 inside ? path + top : path);
	}
	return text;
}

static void trees_come_before_homes_and_each_once(void **state)
{
	struct rig rig;

	rig_start(&rig);
	make(state, "srv");
	make(state, "srv/in");
	make(state, "ada");
	tree_list[0] = tmpdir_path(state, "srv");
	tree_list[1] = tmpdir_path(state, "not-there");
	nr_tree_list = 2;
	home_list[0] = tmpdir_path(state, "ada");
	home_list[1] = tmpdir_path(state, "srv/in"); /* is in a tree that is searched */
	nr_home_list = 2;
	assert_string_equal(places(&rig, state), "/srv /ada");
	set.discover.homes = false;
	assert_string_equal(places(&rig, state), "/srv");
	rig_end(&rig);
}

static void a_tree_is_known_by_its_own_name(void **state)
{
	struct rig rig;

	rig_start(&rig);
	make(state, "real");
	assert_int_equal(symlink("real", tmpdir_path(state, "link")), 0);
	home_list[0] = tmpdir_path(state, "link");
	home_list[1] = tmpdir_path(state, "real");
	nr_home_list = 2;
	assert_string_equal(places(&rig, state), "/real");
	rig_end(&rig);
}

static void what_is_all_peoples_is_nobodys_home(void **state)
{
	struct rig rig;

	rig_start(&rig);
	home_list[0] = "/";
	home_list[1] = "/usr/sbin";
	home_list[2] = "/var/lib";
	home_list[3] = "/proc";
	nr_home_list = 4;
	assert_string_equal(places(&rig, state), "");
	/* Who names it himself means it. */
	tree_list[0] = "/usr";
	nr_tree_list = 1;
	assert_string_equal(places(&rig, state), "/usr");
	rig_end(&rig);
}

static void what_may_not_answer_is_left_apart(void **state)
{
	struct rig rig;

	rig_start(&rig);
	tree_list[0] = "/proc"; /* is asked about where it is mounted */
	nr_tree_list = 1;
	fds_answer = false;
	assert_string_equal(places(&rig, state), "");
	assert_int_equal(rig.search->places_apart, 1);
	set.discover.network = true;
	assert_string_equal(places(&rig, state), "/proc");
	assert_int_equal(rig.search->places_apart, 0);
	rig_end(&rig);
}

static void what_is_mounted_in_a_tree_is_a_tree(void **state)
{
	const char *top = *state;
	char disk[PATH_MAX], nfs[PATH_MAX], proc[PATH_MAX], later[PATH_MAX];
	const struct fake_mount mounts[] = {
		{disk, "ext4", 900001, true},	 {nfs, "nfs4", 900002, false},
		{proc, "proc", 900003, true},	 {later, "autofs", 900004, false},
		{"/boot", "ext4", 900005, true}, /* in none of the trees */
	};
	struct rig rig;

	rig_start(&rig);
	make(state, "ada");
	snprintf(disk, sizeof(disk), "%s/ada/disk", top);
	snprintf(nfs, sizeof(nfs), "%s/ada/nfs", top);
	snprintf(proc, sizeof(proc), "%s/ada/proc", top);
	snprintf(later, sizeof(later), "%s/ada/later", top);
	home_list[0] = tmpdir_path(state, "ada");
	nr_home_list = 1;
	mount_list = mounts;
	nr_mount_list = ARRAY_SIZE(mounts);
	assert_string_equal(places(&rig, state), "/ada /ada/disk");
	assert_int_equal(rig.search->places_apart, 2);
	set.discover.network = true;
	assert_string_equal(places(&rig, state), "/ada /ada/disk /ada/nfs");
	assert_int_equal(rig.search->places_apart, 1); /* to look at it would mount it */
	rig_end(&rig);
}

static void there_is_a_bound(void **state)
{
	struct rig rig;
	char path[32];

	rig_start(&rig);
	for (int i = 0; i < TREES_MAX + 2; i++) {
		snprintf(path, sizeof(path), "/t%d", i);
		add_place(rig.search, path, 1);
	}
	assert_int_equal(rig.search->nr_places, TREES_MAX);
	assert_int_equal(rig.search->left_out, 2);
	rig_end(&rig);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(trees_come_before_homes_and_each_once),
		TEST(a_tree_is_known_by_its_own_name),
		TEST(what_is_all_peoples_is_nobodys_home),
		TEST(what_may_not_answer_is_left_apart),
		TEST(what_is_mounted_in_a_tree_is_a_tree),
		TEST(there_is_a_bound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
