// SPDX-License-Identifier: GPL-2.0-or-later
/* The walls around the child that searches, from inside. */
#include "search/shut.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* What the child may do with a file to which anybody may write: 0 or an errno. */
static int open_inside(const char *path, uint64_t flags)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		struct open_how how = {.flags = flags};

		if (shut_in() < 0)
			_exit(255);
		_exit(syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof(how)) < 0 ? errno : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void it_reads_and_changes_nothing(void **state)
{
	long version =
		syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	char path[] = "/tmp/keytrail-shut-XXXXXX";
	int fd = mkstemp(path);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(fchmod(fd, 0666), 0);
	assert_int_equal(write(fd, "text", 4), 4);
	assert_int_equal(open_inside(path, O_RDONLY), 0);
	assert_int_equal(open_inside("/tmp", O_RDONLY | O_DIRECTORY), 0);
	if (version >= 1) {
		assert_int_equal(open_inside(path, O_WRONLY), EACCES);
		assert_int_equal(open_inside(path, O_RDWR), EACCES);
		assert_int_equal(open_inside("/tmp", O_RDWR | O_TMPFILE), EACCES);
	}
	if (version >= 3)
		assert_int_equal(open_inside(path, O_RDONLY | O_TRUNC), EACCES);
	unlink(path);
	if (version < 3) {
		close(fd);
		skip(); /* no Landlock, or one that does not know of O_TRUNC */
	}
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, 4);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
