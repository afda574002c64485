// SPDX-License-Identifier: GPL-2.0-or-later
/* Starting programs of our own: nothing is handed on but what is said. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/child.h"
#include "base/fdinfo.h"

/* What a shell started so prints on descriptor 1. */
static void run(const char *script, char *out, size_t size)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)script, NULL};
	int pipe_fds[2], null = open("/dev/null", O_RDWR | O_CLOEXEC), status;
	size_t len = 0;
	ssize_t n;
	pid_t pid;
	int high, nul;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	high = fcntl(pipe_fds[1], F_DUPFD_CLOEXEC, 20);
	nul = fcntl(null, F_DUPFD_CLOEXEC, 20);
	assert_int_equal(child_spawn("/bin/sh", argv, (const int[]){nul, high, nul}, 3, &pid), 0);
	close(pipe_fds[1]);
	close(high);
	close(nul);
	close(null);
	while (len < size - 1 && (n = read(pipe_fds[0], out + len, size - 1 - len)) > 0)
		len += (size_t)n;
	out[len] = '\0';
	close(pipe_fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void it_has_the_descriptors_that_were_given_and_no_other(void **state)
{
	int left_open = dup2(0, 12); /* not close-on-exec */
	char out[256];

	(void)state;
	/* Without a glob, for which the shell would open the directory. */
	run("for fd in 0 1 2 3 4 5 6 7 8 9 10 11 12 20 21; do "
	    "[ -e /proc/$$/fd/$fd ] && echo $fd; done; true",
	    out, sizeof(out));
	assert_string_equal(out, "0\n1\n2\n");
	close(left_open);
}

static void it_has_no_environment_and_no_blocked_signal(void **state)
{
	sigset_t term, old;
	char out[256];

	(void)state;
	setenv("KT_TEST_SECRET", "x", 1);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	sigprocmask(SIG_BLOCK, &term, &old);
	signal(SIGPIPE, SIG_IGN);
	/* Without the real-time signals that the C library keeps for itself. */
	run("echo \"${KT_TEST_SECRET-none}\"; while read -r k v; do case $k in SigBlk:|SigIgn:) "
	    "echo ${v#???????????};; esac; done </proc/$$/status",
	    out, sizeof(out));
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGPIPE, SIG_DFL);
	assert_string_equal(out, "none\n00000\n00000\n");
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
	char *argv[] = {(char *)"none", NULL};
	pid_t pid;

	(void)state;
	assert_int_equal(child_spawn("/nowhere/none", argv, (const int[]){0, 1, 2}, 3, &pid),
			 -ENOENT);
}

static void a_descriptor_tells_its_mount(void **state)
{
	int root = open("/", O_PATH | O_CLOEXEC), proc = open("/proc", O_PATH | O_CLOEXEC);

	(void)state;
	assert_true(fdinfo_mount(root) >= 0);
	assert_true(fdinfo_mount(proc) >= 0);
	assert_int_not_equal(fdinfo_mount(root), fdinfo_mount(proc));
	assert_int_equal(fdinfo_mount(4095), -1);
	close(root);
	close(proc);
}

static struct child_user user_by(const char *lines)
{
	FILE *f = fmemopen((char *)lines, strlen(lines), "r");
	struct child_user user;

	assert_non_null(f);
	user = child_user_of(f);
	fclose(f);
	return user;
}

static void a_user_of_its_own_or_nobody(void **state)
{
#define OTHERS "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n"
#define OWN    "keytrail-scan:x:990:991::/:/bin/false\n"
	static const struct {
		const char *lines;
		uid_t uid;
		gid_t gid;
	} cases[] = {
		{OTHERS OWN, 990, 991},
		{OWN OTHERS, 990, 991},
		{OTHERS, 65534, 65534},
		{"keytrail-scan:x:990", 65534, 65534},
		{"keytrail-scanner:x:990:991::/:\n", 65534, 65534},
		/* Never root, never with root's group, never who is somebody else, too. */
		{"keytrail-scan:x:0:0::/:\n", 65534, 65534},
		{"keytrail-scan:x:990:0::/:\n", 65534, 65534},
		{OWN "other:x:990:5::/:\n", 65534, 65534},
		{"other:x:990:5::/:\n" OWN, 65534, 65534},
		{"nobody:x:65534:65534::/:\nkeytrail-scan:x:65534:65534::/:\n", 65534, 65534},
		/* Of two lines the first counts, as everywhere. */
		{OWN "keytrail-scan:x:0:0::/:\n", 990, 991},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct child_user user = user_by(cases[i].lines);

		if (user.uid != cases[i].uid || user.gid != cases[i].gid ||
		    user.own != (cases[i].uid != 65534) || user.own != !user.fault)
			fail_msg("case %zu: %u %u", i, user.uid, user.gid);
	}
	assert_int_equal(child_user_of(NULL).uid, 65534);
	/* Which of the two it is, people are told. */
	assert_non_null(strstr(child_user_of(NULL).fault, "there is no user keytrail-scan"));
	assert_non_null(strstr(child_user_of(NULL).fault,
			       "useradd --system --uid 613 --user-group --shell "
			       "/usr/sbin/nologin keytrail-scan"));
	assert_non_null(strstr(user_by(OTHERS).fault, "there is no user keytrail-scan"));
	assert_non_null(strstr(user_by(OWN "other:x:990:5::/:\n").fault, "another user's"));
	assert_non_null(strstr(user_by(OWN "other:x:990:5::/:\n").fault,
			       "a number of its own, by usermod"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_has_the_descriptors_that_were_given_and_no_other),
		cmocka_unit_test(it_has_no_environment_and_no_blocked_signal),
		cmocka_unit_test(a_program_that_is_not_there_is_an_error),
		cmocka_unit_test(a_descriptor_tells_its_mount),
		cmocka_unit_test(a_user_of_its_own_or_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
