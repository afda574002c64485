// SPDX-License-Identifier: GPL-2.0-or-later
/* The mount table: what is told as new, and which file systems answer. */
#include "daemon/mounts.c" /* the daemon is no library */

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#include "unit/tmpdir.h"

struct rig {
	struct mounts mounts;
	unsigned told, gone;
	char last[256], last_gone[256];
};

static void on_mounted(void *userdata, const char *path)
{
	struct rig *rig = userdata;

	rig->told++;
	snprintf(rig->last, sizeof(rig->last), "%s", path);
}

static void on_unmounted(void *userdata, const char *path)
{
	struct rig *rig = userdata;

	rig->gone++;
	snprintf(rig->last_gone, sizeof(rig->last_gone), "%s", path);
}

static void write_table(const char *path, unsigned containers, const char *more)
{
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	assert_non_null(f);
	fprintf(f, "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n");
	for (unsigned i = 0; i < containers; i++)
		fprintf(f, "%u 1 0:%u / /run/containers/%u rw - overlay overlay rw\n", i + 100,
			i + 100, i);
	fputs(more, f);
}

static void change(struct rig *rig)
{
	refresh(&rig->mounts);
	tell_gone(&rig->mounts);
	tell_new(&rig->mounts);
}

static void what_is_new_is_told_once(void **state)
{
	struct rig rig = {.mounts = {.mounted = on_mounted,
				     .unmounted = on_unmounted,
				     .userdata = &rig,
				     .table_fd = -1}};
	const char *path = tmpdir_path(state, "mountinfo");

	rig.mounts.path = path;
	write_table(path, 5000, "");
	assert_int_equal(read_table(path, &rig.mounts.table), 0);
	change(&rig);
	assert_int_equal(rig.told, 0);
	/* A lot of mounts, each change of which is a look at all. */
	for (unsigned i = 0; i < 10; i++) {
		write_table(path, 5000 + i, "9 1 0:9 / /home/ann\\040b rw - nfs4 server:/ann rw\n");
		change(&rig);
		assert_int_equal(rig.told, i + 1);
	}
	write_table(path, 4000, "9 1 0:9 / /home/bob rw - nfs4 server:/bob rw\n");
	change(&rig);
	assert_int_equal(rig.told, 11);
	assert_string_equal(rig.last, "/home/bob");
	/* Not to be read: what is known stays, and is not believed. */
	rig.mounts.path = "/nonexistent";
	change(&rig);
	assert_true(rig.mounts.stale);
	assert_int_equal(rig.told, 11);
	assert_int_equal(HASH_COUNT(rig.mounts.table), 4002);
	table_free(rig.mounts.table);
}

static void what_is_not_told_yet_stays_new(void **state)
{
	struct rig rig = {.mounts = {.mounted = on_mounted,
				     .unmounted = on_unmounted,
				     .userdata = &rig,
				     .table_fd = -1}};
	const char *path = tmpdir_path(state, "mountinfo");

	rig.mounts.path = path;
	write_table(path, 1, "");
	assert_int_equal(read_table(path, &rig.mounts.table), 0);
	write_table(path, 2, "");
	refresh(&rig.mounts); /* as who asks does */
	refresh(&rig.mounts);
	change(&rig);
	assert_int_equal(rig.told, 1);
	table_free(rig.mounts.table);
}

/* Also if somebody asked in between, and if its number was given to another. */
static void what_is_gone_is_told_once(void **state)
{
	struct rig rig = {.mounts = {.mounted = on_mounted,
				     .unmounted = on_unmounted,
				     .userdata = &rig,
				     .table_fd = -1}};
	const char *path = tmpdir_path(state, "mountinfo");

	rig.mounts.path = path;
	write_table(path, 2, "9 1 0:9 / /home/ann/.ssh rw - fuse.x x rw\n");
	assert_int_equal(read_table(path, &rig.mounts.table), 0);
	change(&rig);
	assert_int_equal(rig.gone, 0);
	write_table(path, 2, "");
	refresh(&rig.mounts);
	refresh(&rig.mounts);
	change(&rig);
	assert_int_equal(rig.gone, 1);
	assert_string_equal(rig.last_gone, "/home/ann/.ssh");
	write_table(path, 1, "101 1 0:9 / /home/bob rw - fuse.x x rw\n");
	change(&rig);
	assert_int_equal(rig.gone, 2);
	assert_string_equal(rig.last_gone, "/run/containers/1");
	assert_int_equal(rig.told, 1);
	change(&rig);
	assert_int_equal(rig.gone, 2);
	table_free(rig.mounts.table);
}

static void what_asks_a_server_does_not_answer_at_once(void **state)
{
	static const char *const slow[] = {"nfs",	 "nfs4",       "cifs",	 "smb3",  "fuse",
					   "fuse.sshfs", "fuseblk",    "ceph",	 "9p",	  "afs",
					   "autofs",	 "virtiofs",   "lustre", "ocfs2", "gfs2",
					   "",		 "of-tomorrow"};
	static const char *const quick[] = {"ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay"};

	for (size_t i = 0; i < ARRAY_SIZE(slow); i++)
		assert_false(mounts_type_answers(slow[i]));
	for (size_t i = 0; i < ARRAY_SIZE(quick); i++)
		assert_true(mounts_type_answers(quick[i]));
}

static void a_descriptor_is_known_by_its_mount(void **state)
{
	_cleanup_close_ int fd = open("/proc", O_PATH | O_CLOEXEC);
	struct mounts *mounts = NULL;
	sd_event *loop = NULL;

	assert_true(sd_event_new(&loop) >= 0);
	assert_int_equal(mounts_new(loop, on_mounted, on_unmounted, NULL, &mounts), 0);
	assert_true(mounts_answers(mounts, fd));
	assert_string_equal(mounts_type_at(mounts, "/proc"), "proc");
	assert_false(mounts_answers(mounts, -1));
	assert_null(mounts_type_at(mounts, "/proc/self"));
	mounts_free(mounts);
	sd_event_unref(loop);
}

static void names_in_a_file_system_are_those_of_the_host(void **state)
{
	static const struct {
		const char *name, *known, *one, *other, *whole, *whole_other;
		uint32_t dev;
	} cases[] = {
		{"on the root", "", "/root/.ssh/id", "/tmp/x", "/root/.ssh/id", "/tmp/x",
		 8 << 20 | 1},
		{"on a mount", "", "/ada/id", "/ada/x", "/home/ada/id", "/home/ada/x", 8 << 20 | 2},
		{"by the mount that shows most", "", "/@h/id", "/@h/x", "/pool/@h/id", "/pool/@h/x",
		 8 << 20 | 3},
		{"by the mount that it is known by", "/data/id", "/@h/id", "/@h/x", "/data/id",
		 "/data/x", 8 << 20 | 3},
		{"known by the new name", "/data/x", "/@h/id", "/@h/x", "/data/id", "/data/x",
		 8 << 20 | 3},
		{"out of the part that is mounted", "", "/@h/id", "/@hx/id", NULL, NULL,
		 8 << 20 | 4},
		{"mounted nowhere", "/root/.ssh/id", "/root/.ssh/id", "/tmp/x", NULL, NULL,
		 8 << 20 | 5},
		{"no path at all", "", "", "", NULL, NULL, 8 << 20 | 1},
	};
	const char *path = tmpdir_path(state, "mountinfo");
	struct mounts mounts = {.path = path, .table_fd = -1};

	write_table(path, 0,
		    "2 1 8:2 / /home rw - ext4 /dev/sda2 rw\n"
		    "3 1 8:3 /@h /data rw - btrfs /dev/sda3 rw\n"
		    "4 1 8:3 / /pool rw - btrfs /dev/sda3 rw\n"
		    "5 1 8:4 /@h /part rw - btrfs /dev/sda4 rw\n");
	assert_int_equal(read_table(path, &mounts.table), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char one[64] = "", other[64] = "";
		bool found = mounts_whole_paths(&mounts, cases[i].dev, span_of(cases[i].known),
						span_of(cases[i].one), span_of(cases[i].other), one,
						other, sizeof(one));

		print_message("%s\n", cases[i].name);
		assert_int_equal(found, cases[i].whole != NULL);
		assert_string_equal(one, cases[i].whole ?: "");
		assert_string_equal(other, cases[i].whole_other ?: "");
	}
	assert_false(mounts_whole_paths(&mounts, 8 << 20 | 2, span_of(""), span_of("/ada/id"),
					span_of("/ada/other"), (char[12]){0}, (char[12]){0}, 12));
	table_free(mounts.table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_new_is_told_once, tmpdir_make,
						tmpdir_clean),
		cmocka_unit_test_setup_teardown(what_is_not_told_yet_stays_new, tmpdir_make,
						tmpdir_clean),
		cmocka_unit_test_setup_teardown(what_is_gone_is_told_once, tmpdir_make,
						tmpdir_clean),
		cmocka_unit_test(what_asks_a_server_does_not_answer_at_once),
		cmocka_unit_test_setup_teardown(names_in_a_file_system_are_those_of_the_host,
						tmpdir_make, tmpdir_clean),
		cmocka_unit_test(a_descriptor_is_known_by_its_mount),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
