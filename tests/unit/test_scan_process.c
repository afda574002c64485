// SPDX-License-Identifier: GPL-2.0-or-later
/* scan/process.c: what became of a child. */
#include "scan/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOMENT_US 10000
#define TRIES	  3000

static bool becomes(const struct scan_process *process, bool stopped)
{
	for (int i = 0; i < TRIES; i++) {
		if (scan_process_stopped(process) == stopped)
			return true;
		usleep(MOMENT_US);
	}
	return false;
}

static void one_that_was_stopped_is_told_from_one_that_runs(void **state)
{
	struct scan_process process;
	int status;
	pid_t pid = fork();

	if (!pid)
		for (;;)
			pause();
	process = scan_process_of(pid);
	assert_false(scan_process_stopped(&process));
	assert_int_equal(kill(pid, SIGSTOP), 0);
	assert_true(becomes(&process, true));
	assert_true(scan_process_stopped(&process)); /* it is not taken in by asking */
	scan_process_continue(&process);
	assert_true(becomes(&process, false));
	assert_int_equal(kill(pid, SIGTERM), 0);
	status = scan_process_wait(&process);
	assert_true(WIFSIGNALED(status));
	assert_in_set(WTERMSIG(status), ((const uintmax_t[]){SIGTERM, SIGKILL}), 2);
	assert_false(scan_process_stopped(&process));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_that_was_stopped_is_told_from_one_that_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
