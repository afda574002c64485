// SPDX-License-Identifier: GPL-2.0-or-later
/* base/ended.c: who is over, who is not, and who only looks like it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ended.h"

/* What follows the name in /proc/PID/stat: the state is the first. */
static const char *state_of(pid_t pid, char text[static 1024])
{
	char path[32], *end;
	size_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, 1023, f);
	fclose(f);
	text[n] = '\0';
	end = strrchr(text, ')');
	assert_non_null(end);
	return end + 2;
}

/* As /proc tells it: to a tick. */
static uint64_t start_of(pid_t pid)
{
	char text[1024];
	const char *p = state_of(pid, text);

	for (int i = 3; i < 22; i++)
		p = strchr(p, ' ') + 1;
	return strtoull(p, NULL, 10) * 10000000;
}

/* A child that does `part` and then waits to be told to end. */
static pid_t child(void (*part)(void), int *out_end)
{
	int ready[2], end[2];
	pid_t pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(end[1]);
		if (dup2(end[0], 100) != 100)
			_exit(1);
		if (write(ready[1], "r", 1) != 1)
			_exit(1);
		part();
		_exit(read(100, &c, 1) < 0);
	}
	close(end[0]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	*out_end = end[1];
	return pid;
}

static void odd_name(void)
{
	prctl(PR_SET_NAME, ") Z 1 (");
}

static void a_process_that_lives_is_not_over(void **state)
{
	int end;
	pid_t pid = child(odd_name, &end);
	uint64_t start = start_of(pid);

	assert_false(proc_ended((uint32_t)pid, start));
	assert_false(proc_ended((uint32_t)pid, start + 9999999)); /* within the tick */
	assert_true(proc_ended((uint32_t)pid, start + 10000000)); /* that was another */
	close(end);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

static void one_that_has_ended_is_asked_for_or_not(void **state)
{
	siginfo_t info;
	int end;
	pid_t pid = child(odd_name, &end);
	uint64_t start = start_of(pid);

	close(end);
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_true(proc_ended((uint32_t)pid, start));
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_true(proc_ended((uint32_t)pid, start));
}

static void *wait_for_the_end(void *unused)
{
	char c;

	syscall(SYS_exit_group, read(100, &c, 1) < 0);
	return NULL;
}

/* The first thread goes, the other waits. */
static void leave_a_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, wait_for_the_end, NULL))
		_exit(1);
	syscall(SYS_exit, 0);
}

static void one_whose_first_thread_has_ended_lives(void **state)
{
	int end;
	pid_t pid = child(leave_a_thread, &end);
	uint64_t start = start_of(pid);
	char text[1024];

	for (int i = 0; *state_of(pid, text) != 'Z'; i++) {
		assert_true(i < 60000);
		usleep(1000);
	}
	assert_false(proc_ended((uint32_t)pid, start));
	close(end);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_that_lives_is_not_over),
		cmocka_unit_test(one_that_has_ended_is_asked_for_or_not),
		cmocka_unit_test(one_whose_first_thread_has_ended_lives),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
