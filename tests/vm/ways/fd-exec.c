// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: a descriptor kept over exec, at number 3 or $WAY_FD. This program opens the file
 * and never reads it; fd-reader, which it becomes, does.
 */
#include <sys/resource.h>

#include "way.h"

static int become_reader(const char *path)
{
	struct rlimit files = {.rlim_cur = 1024, .rlim_max = 1024};
	char reader[PATH_MAX], *number = getenv("WAY_FD");
	int fd, at;

	if (!number)
		number = "3";
	at = atoi(number);
	way_beside("fd-reader", reader);
	closefrom(3);
	setrlimit(RLIMIT_NOFILE, &files); /* if it may not, dup2 says so */
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return way_failed(path);
	if (fd != at && (dup2(fd, at) < 0 || close(fd) < 0))
		return way_failed("dup2");
	execl(reader, "fd-reader", number, NULL);
	return way_failed(reader);
}

static int get(const char *path)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(become_reader(path));
	return way_wait(pid);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
