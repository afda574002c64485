// SPDX-License-Identifier: GPL-2.0-or-later
/* search/search.c on real trees, with a clock and a reader of its own. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "search/head.h"
#include "search/pace.h"
#include "search/search.h"
#include "search/seen.h"

#define KEY "-----BEGIN OPENSSH PRIVATE KEY-----\nnot one, but it begins so\n"

static struct {
	uint64_t now, rested, rests;
	int64_t ahead; /* of the clock of files */
	int answer;
	unsigned asked, fds_at_rest, fds_at_ask;
	char paths[16][PATH_MAX];
} world;

static uint64_t fake_now(void *userdata)
{
	return world.now;
}

static int64_t fake_wall(void *userdata)
{
	return time(NULL) + world.ahead;
}

static unsigned open_fds(void)
{
	_cleanup_closedir_ DIR *d = opendir("/proc/self/fd");
	unsigned nr = 0;

	while (readdir(d))
		nr++;
	return nr;
}

static void count_fds(unsigned *most)
{
	const unsigned fds = open_fds();

	if (fds > *most)
		*most = fds;
}

static void fake_rest(void *userdata, uint64_t ns)
{
	world.now += ns;
	world.rested += ns;
	world.rests++;
	count_fds(&world.fds_at_rest);
}

static int fake_ask(void *userdata, const struct search_file *file)
{
	struct stat st;

	assert_int_equal(stat(file->path, &st), 0);
	assert_int_equal(st.st_ino, file->ino);
	assert_int_equal(st.st_dev, file->dev);
	count_fds(&world.fds_at_ask);
	assert_true(world.asked < 16);
	snprintf(world.paths[world.asked++], PATH_MAX, "%s", file->path);
	return world.answer;
}

static void fake_progress(void *userdata, const struct search_counts *so_far)
{
}

static const struct search_ops ops = {fake_now, fake_wall, fake_rest, fake_ask, fake_progress};
static const struct search_limits plenty = {1000000, 1000000, KEY_BYTES_MAX, 100000};

struct fixture {
	struct search *search;
	char *dir; /* without links */
};

static int setup(void **state)
{
	static struct fixture f;
	char template[] = "/tmp/keytrail-search-XXXXXX";

	memset(&world, 0, sizeof(world));
	world.ahead = 1000; /* all is old */
	assert_non_null(mkdtemp(template));
	f.dir = realpath(template, NULL);
	assert_int_equal(search_new(&ops, NULL, &f.search), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[PATH_MAX + 16];

	search_free(f->search);
	snprintf(command, sizeof(command), "rm -rf %s", f->dir);
	assert_int_equal(system(command), 0);
	free(f->dir);
	return 0;
}

static void put(const struct fixture *f, const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void make_dir(const struct fixture *f, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	assert_int_equal(mkdir(path, 0700), 0);
}

static struct search_counts run(struct fixture *f, const struct search_limits *limits, bool whole)
{
	struct search_counts counts;

	world.asked = 0;
	search_begin(f->search, limits, whole, false);
	assert_in_range(search_tree(f->search, f->dir, -1), 0, 1);
	search_end(f->search, &counts);
	return counts;
}

static void expect_asked(const struct fixture *f, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s", f->dir, name);
	for (unsigned i = 0; i < world.asked; i++)
		if (!strcmp(world.paths[i], path))
			return;
	fail_msg("%s was not asked about", name);
}

static void what_begins_as_a_key_is_asked_about(void **state)
{
	struct fixture *f = *state;
	struct search_counts counts;
	char from[PATH_MAX], to[PATH_MAX], *large = calloc(1, KEY_BYTES_MAX + 2);

	make_dir(f, "a");
	make_dir(f, "a/b");
	put(f, "holiday.txt", KEY);
	put(f, "a/b/deep", KEY);
	put(f, "prose", "These are words, enough of them to be looked at, and no key.\n");
	put(f, "short", "-----BEGIN PRIVATE KEY");
	memset(large, '-', KEY_BYTES_MAX + 1);
	memcpy(large, KEY, sizeof(KEY) - 1);
	put(f, "large", large);
	free(large);
	snprintf(from, sizeof(from), "%s/holiday.txt", f->dir);
	snprintf(to, sizeof(to), "%s/link", f->dir);
	assert_int_equal(symlink(from, to), 0);
	snprintf(to, sizeof(to), "%s/dirlink", f->dir);
	assert_int_equal(symlink("/etc", to), 0);
	snprintf(to, sizeof(to), "%s/fifo", f->dir);
	assert_int_equal(mkfifo(to, 0600), 0);

	counts = run(f, &plenty, true);
	assert_int_equal(world.asked, 2);
	expect_asked(f, "holiday.txt");
	expect_asked(f, "a/b/deep");
	assert_int_equal(counts.opened, 3);
	assert_int_equal(counts.dirs, 3);
	assert_int_equal(counts.bounded, 0);
}

static void what_was_looked_at_is_not_opened_again(void **state)
{
	struct fixture *f = *state;
	struct search_counts counts;
	char from[PATH_MAX], to[PATH_MAX];

	make_dir(f, "a");
	put(f, "a/key", KEY);
	put(f, "prose", "These are words, enough of them to be looked at, and no key.\n");
	run(f, &plenty, true);
	assert_int_equal(world.asked, 1);
	counts = run(f, &plenty, false);
	assert_int_equal(counts.opened + counts.names + counts.dirs, 0);
	counts = run(f, &plenty, true);
	assert_int_equal(counts.opened, 0);
	assert_int_equal(counts.names, 3);

	/* A directory that is moved is read, what is in it is known. */
	snprintf(from, sizeof(from), "%s/a", f->dir);
	snprintf(to, sizeof(to), "%s/moved", f->dir);
	assert_int_equal(rename(from, to), 0);
	counts = run(f, &plenty, false);
	assert_int_equal(counts.dirs, 2);
	assert_int_equal(counts.opened, 0);

	/* Unless nothing counts any more. */
	world.asked = 0;
	search_begin(f->search, &plenty, false, true);
	assert_int_equal(search_tree(f->search, f->dir, -1), 0);
	search_end(f->search, &counts);
	assert_int_equal(world.asked, 1);
	expect_asked(f, "moved/key");
}

static void what_appears_is_found_and_what_is_rewritten_by_a_whole_search(void **state)
{
	struct fixture *f = *state;

	make_dir(f, "a");
	put(f, "a/later", "These are words, enough of them to be looked at, and no key.\n");
	run(f, &plenty, true);
	assert_int_equal(world.asked, 0);
	put(f, "a/new", KEY);
	make_dir(f, "b");
	put(f, "b/new", KEY);
	run(f, &plenty, false);
	assert_int_equal(world.asked, 2);
	expect_asked(f, "a/new");
	expect_asked(f, "b/new");
	put(f, "a/later", KEY KEY);
	run(f, &plenty, false);
	assert_int_equal(world.asked, 0);
	run(f, &plenty, true);
	assert_int_equal(world.asked, 1);
	expect_asked(f, "a/later");
}

static void what_may_be_changing_still_is_looked_at_again(void **state)
{
	struct fixture *f = *state;
	struct search_counts counts;

	world.ahead = 0;
	put(f, "key", KEY);
	run(f, &plenty, true);
	assert_int_equal(world.asked, 1);
	counts = run(f, &plenty, false);
	assert_int_equal(world.asked, 1);
	assert_int_equal(counts.opened, 1);
	world.ahead = SEARCH_SETTLE_S + 5;
	run(f, &plenty, false); /* the last time */
	counts = run(f, &plenty, false);
	assert_int_equal(counts.opened, 0);
}

static void what_could_not_be_looked_into_is_asked_about_again(void **state)
{
	struct fixture *f = *state;
	struct search_counts counts;

	put(f, "key", KEY);
	world.answer = 1;
	run(f, &plenty, true);
	run(f, &plenty, false);
	assert_int_equal(world.asked, 1);
	world.answer = 0;
	run(f, &plenty, false);
	assert_int_equal(world.asked, 1);
	run(f, &plenty, false);
	assert_int_equal(world.asked, 0);

	put(f, "other", KEY);
	world.answer = -EPIPE;
	search_begin(f->search, &plenty, true, false);
	assert_int_equal(search_tree(f->search, f->dir, -1), -EPIPE);
	search_end(f->search, &counts);
}

static void what_was_left_out_is_asked_about_when_everything_is_read(void **state)
{
	struct fixture *f = *state;
	struct search_counts counts;

	put(f, "key", KEY);
	world.answer = 2;
	run(f, &plenty, true);
	assert_int_equal(world.asked, 1);
	counts = run(f, &plenty, false);
	assert_int_equal(world.asked + counts.names, 0);
	/* There may be room by the time that everything is read. */
	counts = run(f, &plenty, true);
	assert_int_equal(world.asked, 1);
	assert_int_equal(counts.asked, 1);
}

static void what_could_not_be_opened_is_tried_again(void **state)
{
	struct fixture *f = *state;
	struct search_counts counts;
	struct rlimit as_it_is, few;
	uint64_t unopened;
	rlim_t lowest;
	char path[PATH_MAX];
	int fd;

	/* Another has a lease to write on it. */
	put(f, "key", KEY);
	snprintf(path, sizeof(path), "%s/key", f->dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0);
	signal(SIGIO, SIG_IGN);
	assert_int_equal(fcntl(fd, F_SETLEASE, F_WRLCK), 0);
	counts = run(f, &plenty, true);
	assert_int_equal(world.asked, 0);
	assert_int_equal(counts.unreadable, 1);
	close(fd);
	counts = run(f, &plenty, false);
	assert_int_equal(world.asked, 1);
	assert_int_equal(counts.unreadable, 0);

	/* Descriptors are short: no directory is taken for gone, and none for read. */
	make_dir(f, "a");
	put(f, "a/key", KEY);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &as_it_is), 0);
	fd = open("/", O_PATH | O_CLOEXEC); /* the lowest that is free */
	lowest = (rlim_t)fd;
	close(fd);
	unopened = 0;
	for (rlim_t more = 0; more < 4; more++) {
		few = (struct rlimit){lowest + more, as_it_is.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		world.asked = 0;
		search_begin(f->search, &plenty, true, true);
		unopened += search_tree(f->search, f->dir, -1) < 0; /* not even the tree */
		search_end(f->search, &counts);
		unopened += counts.unreadable + counts.mounts;
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &as_it_is), 0);
		search_begin(f->search, &plenty, false, false);
		assert_int_equal(search_tree(f->search, f->dir, -1), 0);
		search_end(f->search, &counts);
		expect_asked(f, "a/key");
	}
	assert_true(unopened > 0); /* they were */
}

static void it_keeps_to_its_rate_and_rests_with_nothing_open(void **state)
{
	static const struct search_limits slow = {1000000, 10, KEY_BYTES_MAX, 100000};
	struct fixture *f = *state;
	unsigned before = open_fds();
	char name[32];

	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		put(f, name, "These are words, enough of them to be looked at, and no key.\n");
	}
	run(f, &slow, true);
	/* 50 files at 10 a second, the first one before any rest. */
	assert_in_range(world.rested, 4700000000ULL, 5100000000ULL);
	assert_true(world.rests > 20);
	assert_int_equal(world.fds_at_rest, before);
}

static void it_asks_with_nothing_open_and_goes_on_after(void **state)
{
	struct fixture *f = *state;
	unsigned before = open_fds();
	char name[32];

	for (int i = 0; i < 8; i++) {
		snprintf(name, sizeof(name), "key-%d", i);
		put(f, name, KEY);
	}
	make_dir(f, "below");
	put(f, "below/key", KEY);
	run(f, &plenty, true);
	assert_int_equal(world.asked, 9);
	assert_int_equal(world.fds_at_ask, before);
}

static void a_bound_is_told_and_a_gone_tree_is_forgotten(void **state)
{
	static const struct search_limits few = {1000000, 1000000, KEY_BYTES_MAX, 5};
	struct fixture *f = *state;
	struct search_counts counts;
	char name[32];

	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		put(f, name, "x");
	}
	counts = run(f, &few, true);
	assert_int_equal(counts.names, 5);
	assert_int_equal(counts.bounded, 1);
	/* Not taken for done. */
	counts = run(f, &plenty, false);
	assert_int_equal(counts.names, 10);

	search_begin(f->search, &plenty, false, false);
	search_end(f->search, &counts);
	counts = run(f, &plenty, false);
	assert_int_equal(counts.names, 10);
	search_begin(f->search, &plenty, false, false);
	assert_int_equal(search_tree(f->search, "/nonexistent/keytrail", -1), 0);
	assert_int_equal(search_tree(f->search, f->dir, 0x7fffffff), 0); /* another mount */
	search_end(f->search, &counts);
	assert_int_equal(counts.names, 0);
	assert_int_equal(counts.mounts, 1);
}

/* Searches these two in one search; what search_tree() says of each. */
static void run_two(struct fixture *f, const struct search_limits *limits, bool whole,
		    const char *const names[2], int out[2])
{
	struct search_counts counts;
	char path[PATH_MAX];

	world.asked = 0;
	search_begin(f->search, limits, whole, false);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, names[i]);
		out[i] = search_tree(f->search, path, -1);
	}
	search_end(f->search, &counts);
}

static void no_tree_takes_the_room_of_another(void **state)
{
	static const struct search_limits few = {1000000, 1000000, KEY_BYTES_MAX, 5};
	static const char *const names[] = {"large", "small"};
	struct fixture *f = *state;
	char name[32];
	int bounded[2];

	make_dir(f, "large");
	make_dir(f, "small");
	put(f, "small/key", KEY);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "large/file-%d", i);
		put(f, name, "x");
	}
	run_two(f, &few, true, names, bounded);
	expect_asked(f, "small/key");
	assert_int_equal(bounded[0], 1);
	assert_int_equal(bounded[1], 0);
	put(f, "small/new", KEY);
	run_two(f, &few, false, names, bounded);
	expect_asked(f, "small/new");
	assert_int_equal(bounded[0], 1);
	assert_int_equal(bounded[1], 0);
}

static void a_directory_beyond_the_bound_is_read_once_and_the_next_one_next_time(void **state)
{
	static const struct search_limits few = {1000000, 1000000, KEY_BYTES_MAX, 5};
	struct fixture *f = *state;
	struct search_counts counts;
	char name[32];

	make_dir(f, "a");
	make_dir(f, "b");
	put(f, "a/key", KEY);
	put(f, "b/key", KEY);
	for (int i = 0; i < 4; i++) {
		snprintf(name, sizeof(name), "%c/file-%d", i & 1 ? 'a' : 'b', i);
		put(f, name, "x");
	}
	/* Two names, three of one directory, none of the other: it is the next one's. */
	counts = run(f, &few, true);
	assert_int_equal(counts.names, 5);
	assert_int_equal(counts.bounded, 1);
	assert_int_equal(world.asked, 1);
	counts = run(f, &few, false);
	assert_int_equal(world.asked, 1);
	assert_int_equal(counts.names, 3);
	assert_int_equal(counts.bounded, 0);
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "b/more-%d", i);
		put(f, name, "x");
	}
	counts = run(f, &few, false);
	assert_int_equal(counts.names, 5);
	/* It will not have room next time: it is not read again, and not taken for done. */
	counts = run(f, &few, false);
	assert_int_equal(counts.names, 0);
	assert_int_equal(counts.bounded, 1);
	counts = run(f, &plenty, false);
	assert_int_equal(counts.bounded, 0);
}

static void a_large_directory_is_read_in_pieces(void **state)
{
	static const struct search_limits slow = {1000, 1000000, KEY_BYTES_MAX, 100000};
	struct fixture *f = *state;
	struct search_counts counts;
	unsigned before = open_fds();
	char name[32];

	put(f, "key", KEY);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "file-%d", i);
		put(f, name, "");
	}
	counts = run(f, &slow, true);
	assert_int_equal(counts.names, 5001);
	assert_int_equal(counts.dirs, 1);
	assert_int_equal(world.asked, 1);
	assert_int_equal(world.fds_at_rest, before);
	counts = run(f, &slow, false);
	assert_int_equal(counts.names, 0);
}

static void names_that_are_no_files_count_in_the_rate(void **state)
{
	static const struct search_limits slow = {1000, 1000000, KEY_BYTES_MAX, 100000};
	struct fixture *f = *state;
	char path[PATH_MAX];

	for (int i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "%s/link-%d", f->dir, i);
		assert_int_equal(symlink("nowhere", path), 0);
	}
	run(f, &slow, true);
	assert_in_range(world.rested, 2500000000ULL, 3100000000ULL);
}

static void what_is_kept_of_a_tree_is_bounded_in_bytes(void **state)
{
	struct fixture *f = *state;
	struct search_counts counts;
	char name[256];
	int fd = open(f->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* Each of the lowest ones has a path of more than 3500 bytes. */
	memset(name, 'n', 250);
	name[250] = '\0';
	for (int i = 0; i < 14; i++) {
		int next;

		assert_int_equal(mkdirat(fd, name, 0700), 0);
		next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(fd);
		fd = next;
	}
	for (unsigned i = 0; i < SEARCH_TREE_BYTES_MAX / 3500 + 10; i++) {
		snprintf(name, sizeof(name), "%u", i);
		assert_int_equal(mkdirat(fd, name, 0700), 0);
	}
	close(fd);
	counts = run(f, &plenty, true);
	assert_int_equal(counts.bounded, 1);
	assert_in_range(counts.dirs, 8000, SEARCH_TREE_BYTES_MAX / 3500);
	/* Nor is what was not kept forgotten. */
	counts = run(f, &plenty, false);
	assert_int_equal(counts.bounded, 1);
}

static void a_pace_makes_up_for_nothing(void **state)
{
	struct pace pace = {0};

	pace_spend(&pace, 0, 1, 10);
	assert_int_equal(pace_rest(&pace, 0), 0); /* within the slack */
	pace_spend(&pace, 0, 1, 10);
	assert_int_equal(pace_rest(&pace, 0), 200000000);
	assert_int_equal(pace_rest(&pace, 150000000), 0);
	pace_spend(&pace, 10000000000ULL, 1, 2);
	assert_int_equal(pace_rest(&pace, 10000000000ULL), 500000000);
}

static void what_was_seen_is_known_until_there_is_too_much(void **state)
{
	struct seen seen = {NULL};
	struct seen_file file = {.dev = 1, .ino = 7, .size = 100, .ctime_s = 5, .ctime_ns = 6};

	assert_false(seen_has(&seen, &file));
	seen_add(&seen, &file);
	assert_true(seen_has(&seen, &file));
	file.ctime_ns++;
	assert_false(seen_has(&seen, &file));
	for (uint64_t i = 0; i < SEEN_MAX + 10; i++)
		seen_add(&seen, &(struct seen_file){.ino = i});
	assert_true(seen.nr < 100);
	assert_true(seen_has(&seen, &(struct seen_file){.ino = SEEN_MAX + 9}));
	seen_fini(&seen);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_begins_as_a_key_is_asked_about),
		CASE(what_was_looked_at_is_not_opened_again),
		CASE(what_appears_is_found_and_what_is_rewritten_by_a_whole_search),
		CASE(what_may_be_changing_still_is_looked_at_again),
		CASE(what_could_not_be_looked_into_is_asked_about_again),
		CASE(what_was_left_out_is_asked_about_when_everything_is_read),
		CASE(what_could_not_be_opened_is_tried_again),
		CASE(it_keeps_to_its_rate_and_rests_with_nothing_open),
		CASE(it_asks_with_nothing_open_and_goes_on_after),
		CASE(a_bound_is_told_and_a_gone_tree_is_forgotten),
		CASE(no_tree_takes_the_room_of_another),
		CASE(a_directory_beyond_the_bound_is_read_once_and_the_next_one_next_time),
		CASE(a_large_directory_is_read_in_pieces),
		CASE(names_that_are_no_files_count_in_the_rate),
		CASE(what_is_kept_of_a_tree_is_bounded_in_bytes),
		cmocka_unit_test(a_pace_makes_up_for_nothing),
		cmocka_unit_test(what_was_seen_is_known_until_there_is_too_much),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
