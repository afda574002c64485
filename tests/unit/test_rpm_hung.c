// SPDX-License-Identifier: GPL-2.0-or-later
/* trust/rpm.c and a child that does not end: it is counted, left, and taken in when it has gone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/types.h>

static pid_t spared; /* the last one that was to be killed */
static int hangs; /* as if it hung in the kernel */

static int kill_or_not(pid_t pid, int signal)
{
	spared = pid;
	return hangs ? 0 : kill(pid, signal);
}

#define kill kill_or_not
#include "trust/rpm.c"
#undef kill

#include <sys/stat.h>

#include "unit/tmpdir.h"

static void put(void **state, const char *name, const char *text)
{
	FILE *f = fopen(tmpdir_path(state, name), "we");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(tmpdir_path(state, name), 0755), 0);
}

/* Of a child that says nothing. */
static int ask_silent(void **state)
{
	const char *dirs[] = {*state, NULL};
	const struct rpm_reader reader = {
		.program = tmpdir_path(state, "silent"),
		.dirs = dirs,
		.timeout_ms = 50,
	};
	char package[PACKAGE_MAX];
	enum package_state found;

	return rpm_find(&reader, "/x", "sha256:0", "0", package, &found);
}

static void one_that_says_nothing_is_killed_and_counted(void **state)
{
	struct rpm_counts before, after;

	put(state, "rpmdb.sqlite", "");
	put(state, "silent", "#!/bin/sh\nexec sleep 1000\n");
	rpm_counts(&before);
	hangs = 0;
	assert_int_equal(ask_silent(state), -ETIMEDOUT);
	rpm_counts(&after);
	assert_int_equal(after.timed_out, before.timed_out + 1);
	assert_int_equal(after.answered, before.answered);
	assert_int_equal(after.left, 0);
	assert_int_equal(waitpid(spared, NULL, WNOHANG), -1); /* taken in */
}

static void those_that_do_not_go_are_bounded(void **state)
{
	struct rpm_counts now;
	pid_t one;

	put(state, "rpmdb.sqlite", "");
	put(state, "silent", "#!/bin/sh\nexec sleep 1000\n");
	hangs = 1;
	assert_int_equal(ask_silent(state), -ETIMEDOUT);
	one = spared;
	rpm_counts(&now);
	assert_int_equal(now.left, 1);
	/* As if that had happened so often. */
	for (; counts.left < RPM_LEFT_MAX; counts.left++)
		hung[counts.left] = one;
	spared = 0;
	assert_int_equal(ask_silent(state), -EBUSY);
	assert_int_equal(spared, 0); /* none was started */
	/* It comes to its end after all. */
	hangs = 0;
	kill(one, SIGKILL);
	do
		rpm_counts(&now);
	while (now.left);
	assert_int_equal(ask_silent(state), -ETIMEDOUT);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, tmpdir_make, tmpdir_clean)
	const struct CMUnitTest tests[] = {
		TEST(one_that_says_nothing_is_killed_and_counted),
		TEST(those_that_do_not_go_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
