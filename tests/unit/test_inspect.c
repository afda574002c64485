// SPDX-License-Identifier: GPL-2.0-or-later
/* What executables are, worked out on a thread and kept. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "tmpdir.h"
#include "trust/inspect.h"
#include "trust/verity.h"

/* In place of the kernel, which keeps such digests on some file systems only. */
static const char *verity = "";
/* The thread comes by for each file, says at which priority, and waits if it is to. */
static struct pace {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool stop;
	unsigned come, gone;
	int at_coming[2], at_going[2];
} pace = {.lock = PTHREAD_MUTEX_INITIALIZER, .moved = PTHREAD_COND_INITIALIZER};

static void note_pace(void)
{
	pthread_mutex_lock(&pace.lock);
	if (pace.come < ARRAY_SIZE(pace.at_coming))
		pace.at_coming[pace.come] = getpriority(PRIO_PROCESS, 0);
	pace.come++;
	pthread_cond_broadcast(&pace.moved);
	while (pace.stop)
		pthread_cond_wait(&pace.moved, &pace.lock);
	if (pace.gone < ARRAY_SIZE(pace.at_going))
		pace.at_going[pace.gone] = getpriority(PRIO_PROCESS, 0);
	pace.gone++;
	pthread_mutex_unlock(&pace.lock);
}

int verity_measure(int fd, char out[static VERITY_TEXT])
{
	if (gettid() != getpid())
		note_pace();
	snprintf(out, VERITY_TEXT, "%s", verity);
	return *verity ? 0 : -ENODATA;
}

static struct {
	unsigned nr;
	struct inode_id id;
	enum package_state state;
	char digest[80], package[80], verity[VERITY_TEXT];
} told;
static bool answers = true;
static unsigned identified;

static int identify(void *userdata, int fd, struct inode_id *out_identity)
{
	struct stat st;

	identified++;
	assert_int_equal(fstat(fd, &st), 0);
	*out_identity = (struct inode_id){.ino = st.st_ino, .dev = (uint32_t)st.st_dev, .gen = 7};
	return 0;
}

static int open_path(void *userdata, const char *path)
{
	return answers ? open(path, O_PATH | O_CLOEXEC) : -EREMOTE;
}

static void on_told(void *userdata, const struct event_program *program)
{
	told.nr++;
	told.id = program->inode;
	told.state = program->state;
	snprintf(told.digest, sizeof(told.digest), "%.*s", (int)program->digest.len,
		 program->digest.p);
	snprintf(told.package, sizeof(told.package), "%.*s", (int)program->package.len,
		 program->package.p ? program->package.p : "");
	snprintf(told.verity, sizeof(told.verity), "%.*s", (int)program->verity.len,
		 program->verity.p);
}

static const struct inspect_ops ops = {
	.identify = identify,
	.open = open_path,
	.told = on_told,
};

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* This machine may have a database of rpm. */
static const char *const no_dirs[] = {NULL};
static const struct rpm_reader no_rpm = {.dirs = no_dirs};

static struct inspect *begin(void **state)
{
	struct inspect *in;
	char sums[PATH_MAX + 64];

	memset(&told, 0, sizeof(told));
	answers = true;
	verity = "";
	write_file(tmpdir_path(state, "program"), "abc");
	snprintf(sums, sizeof(sums), "900150983cd24fb0d6963f7d28e17f72  %s\n",
		 tmpdir_path(state, "program") + 1);
	write_file(tmpdir_path(state, "tool.md5sums"), sums);
	assert_int_equal(inspect_new(&ops, NULL, *state, &no_rpm, &in), 0);
	return in;
}

static void wait_told(struct inspect *in, unsigned nr)
{
	while (told.nr < nr) {
		struct pollfd p = {.fd = inspect_fd(in), .events = POLLIN};

		assert_int_equal(poll(&p, 1, 60000), 1);
		inspect_answer(in);
	}
	assert_int_equal(told.nr, nr);
}

static void want(struct inspect *in, const char *path)
{
	inspect_want(in, span_of(path), NULL, false);
}

static void a_program_is_told_once_with_package_and_digest(void **state)
{
	const char *path = tmpdir_path(state, "program");
	struct inspect *in = begin(state);
	struct inspect_stats stats;

	want(in, path);
	want(in, path); /* on its way */
	wait_told(in, 1);
	assert_int_equal(told.state, PACKAGE_INTACT);
	assert_string_equal(told.package, "tool");
	assert_memory_equal(told.digest, "sha256:ba7816bf", 15);
	assert_int_equal(told.id.gen, 7);
	want(in, path); /* known */
	assert_int_equal(told.nr, 1);
	inspect_tell(in, &told.id); /* but for who asks */
	assert_int_equal(told.nr, 2);
	assert_int_equal(told.state, PACKAGE_INTACT);
	assert_string_equal(told.package, "tool");
	inspect_tell(in, &(struct inode_id){.ino = 1}); /* of this nothing is known */
	assert_int_equal(told.nr, 2);
	inspect_stats(in, &stats);
	assert_int_equal(stats.done, 1);
	assert_int_equal(stats.waiting, 0);
	assert_int_equal(stats.known, 1);
	inspect_free(in);
}

static void what_changes_is_looked_at_again(void **state)
{
	const char *path = tmpdir_path(state, "program");
	struct inspect *in = begin(state);

	want(in, path);
	wait_told(in, 1);
	write_file(path, "abcd");
	want(in, path);
	/* What was told holds no longer, at once. */
	assert_int_equal(told.nr, 2);
	assert_int_equal(told.state, PACKAGE_PENDING);
	assert_string_equal(told.digest, "");
	wait_told(in, 3);
	assert_int_equal(told.state, PACKAGE_MODIFIED);
	assert_string_equal(told.package, "tool");
	inspect_free(in);
}

/* A package manager puts the file in place before its database says what it should be. */
static void what_the_database_says_later_is_found_when_asked_again(void **state)
{
	const char *path = tmpdir_path(state, "program");
	struct inspect *in = begin(state);
	struct inspect_stats stats;
	char sums[PATH_MAX + 64];

	write_file(path, "new");
	want(in, path);
	wait_told(in, 1);
	assert_int_equal(told.state, PACKAGE_MODIFIED);
	snprintf(sums, sizeof(sums), "22af645d1859cb5ca6da0c484f1f37ea  %s\n", path + 1);
	write_file(tmpdir_path(state, "tool.md5sums"), sums);
	path = tmpdir_path(state, "program");
	want(in, path);
	assert_int_equal(told.nr, 1); /* the file is what it was */
	inspect_again(in, span_of(path), &told.id, true);
	assert_int_equal(told.nr, 1); /* nor is it unknown meanwhile */
	inspect_tell(in, &told.id);
	assert_int_equal(told.state, PACKAGE_MODIFIED);
	wait_told(in, 3);
	assert_int_equal(told.state, PACKAGE_INTACT);
	/* Another file than the one that was asked about is none of this. */
	inspect_again(in, span_of(path), &(struct inode_id){.ino = 1}, true);
	inspect_stats(in, &stats);
	assert_int_equal(stats.waiting, 0);
	inspect_free(in);
}

/* What the kernel vouches for is not read again for a change of its mode. */
static void the_kernels_digest_stands_for_the_content(void **state)
{
	const char *path = tmpdir_path(state, "program");
	struct inspect *in = begin(state);
	struct inspect_stats stats;

	verity = "sha256:01";
	want(in, path);
	wait_told(in, 1);
	assert_string_equal(told.verity, "sha256:01");
	assert_int_equal(told.state, PACKAGE_INTACT);
	assert_int_equal(chmod(path, 0700), 0);
	want(in, path);
	inspect_stats(in, &stats);
	assert_int_equal(stats.waiting, 0);
	assert_int_equal(told.nr, 1);
	/* Another tree is another content, and so may be one without. */
	for (unsigned i = 0; i < 2; i++) {
		verity = i ? "" : "sha256:02";
		assert_int_equal(chmod(path, i ? 0700 : 0755), 0);
		want(in, path);
		assert_int_equal(told.nr, 2 + 2 * i);
		assert_int_equal(told.state, PACKAGE_PENDING);
		assert_string_equal(told.verity, "");
		wait_told(in, 3 + 2 * i);
		assert_string_equal(told.verity, verity);
	}
	inspect_free(in);
}

static void only_the_file_that_ran_is_looked_at(void **state)
{
	const struct inode_id other = {.ino = 1, .dev = 2, .gen = 3};
	const char *path = tmpdir_path(state, "program");
	struct inspect *in = begin(state);
	struct inspect_stats stats;

	inspect_want(in, span_of(path), &other, true);
	want(in, tmpdir_path(state, "missing"));
	want(in, *state); /* a directory */
	inspect_want(in, (struct span){}, NULL, true);
	answers = false;
	identified = 0;
	want(in, path); /* on a file system that may not answer: not even identified */
	assert_int_equal(identified, 0);
	inspect_stats(in, &stats);
	assert_int_equal(stats.waiting + stats.known + told.nr, 0);
	inspect_free(in);
}

/* Its path leads elsewhere by now; what is known of it is told all the same, when it may have been
 * forgotten. */
static void what_was_replaced_is_still_known(void **state)
{
	struct inspect *in = begin(state);
	const char *path = tmpdir_path(state, "program"), *next = tmpdir_path(state, "next");
	struct inode_id id;
	char other[PATH_MAX];

	want(in, path);
	wait_told(in, 1);
	id = told.id;
	write_file(next, "next");
	/* Not to have its number given to one of the next. */
	assert_int_equal(link(path, tmpdir_path(state, "kept")), 0);
	assert_int_equal(rename(next, path), 0);
	inspect_want(in, span_of(path), &id, true);
	assert_int_equal(told.nr, 1);
	for (unsigned i = 0; i < 600; i++) {
		snprintf(other, sizeof(other), "%s/p%u", (const char *)*state, i);
		write_file(other, "abc");
		want(in, other);
		wait_told(in, 2 + i);
	}
	inspect_want(in, span_of(path), &id, true);
	assert_int_equal(told.nr, 602);
	assert_int_equal(told.id.ino, id.ino);
	assert_string_equal(told.package, "tool");
	inspect_free(in);
}

/* Whom a rule asks about is refused meanwhile, and may be on a host where nobody ever is idle. */
static void what_is_wanted_first_does_not_wait_for_idle_processors(void **state)
{
	const char *others = tmpdir_path(state, "program");
	const int nice = getpriority(PRIO_PROCESS, 0);
	char first[PATH_MAX];
	struct inspect *in;

	snprintf(first, sizeof(first), "%s/first", (const char *)*state);
	write_file(first, "abc");
	pace.come = pace.gone = 0;
	pace.stop = true;
	in = begin(state);
	want(in, others);
	pthread_mutex_lock(&pace.lock);
	while (!pace.come)
		pthread_cond_wait(&pace.moved, &pace.lock);
	pthread_mutex_unlock(&pace.lock);
	inspect_want(in, span_of(first), NULL, true);
	pthread_mutex_lock(&pace.lock);
	pace.stop = false;
	pthread_cond_broadcast(&pace.moved);
	pthread_mutex_unlock(&pace.lock);
	wait_told(in, 2);
	assert_int_equal(pace.at_coming[0], 19);
	if (pace.at_going[0] == 19 && geteuid()) { /* RLIMIT_NICE could not be raised */
		inspect_free(in);
		skip();
	}
	assert_int_equal(pace.at_going[0], nice); /* with that behind it */
	assert_int_equal(pace.at_coming[1], nice);
	write_file(others, "abcd");
	pace.come = 0;
	want(in, others);
	wait_told(in, 4); /* that it is looked at, too */
	assert_int_equal(pace.at_coming[0], 19);
	inspect_free(in);
}

static void too_many_are_passed_over_and_counted(void **state)
{
	struct inspect *in = begin(state);
	struct inspect_stats stats;
	char path[PATH_MAX];

	for (unsigned i = 0; i < 200; i++) {
		snprintf(path, sizeof(path), "%s/p%u", (const char *)*state, i);
		write_file(path, "abc");
		inspect_want(in, span_of(path), NULL, i % 2);
	}
	inspect_stats(in, &stats);
	assert_in_range(stats.waiting, 1, 64);
	assert_int_equal(stats.waiting + stats.dropped, 200);
	inspect_free(in); /* with most of them waiting */
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_program_is_told_once_with_package_and_digest),
		CASE(what_changes_is_looked_at_again),
		CASE(what_the_database_says_later_is_found_when_asked_again),
		CASE(the_kernels_digest_stands_for_the_content),
		CASE(only_the_file_that_ran_is_looked_at),
		CASE(what_was_replaced_is_still_known),
		CASE(what_is_wanted_first_does_not_wait_for_idle_processors),
		CASE(too_many_are_passed_over_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
