// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: a process that is gone before anybody can look at it. Opens, reads and ends
 * within three system calls after it was forked; its parent learns the result and reaps it at once.
 */
#include "way.h"

static int get(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		char bytes[WAY_BYTES] = "";
		int fd = open(path, O_RDONLY);
		ssize_t n = read(fd, bytes, sizeof(bytes));

		_exit(n == sizeof(bytes) ? WAY_GOT : WAY_FAILED);
	}
	return way_wait(pid);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
