// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: the descriptor of a process that has it open (hold-open), by pidfd_getfd. */
#include "way.h"

#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd 438
#endif

enum { ITS_FIRST = 3 }; /* of hold-open */

static int steal(pid_t pid)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0), fd, r;

	if (pidfd < 0)
		return way_failed("pidfd_open");
	fd = syscall(SYS_pidfd_getfd, pidfd, ITS_FIRST, 0);
	if (fd < 0)
		r = errno == EPERM ? way_lacks("pidfd_getfd") : way_failed("pidfd_getfd");
	else
		r = way_read(fd);
	close(fd);
	close(pidfd);
	return r;
}

static int hold(const char *path, int in, int out)
{
	char holder[PATH_MAX];

	way_beside("hold-open", holder);
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		return way_failed("dup2");
	closefrom(ITS_FIRST);
	execl(holder, "hold-open", path, NULL);
	return way_failed(holder);
}

static int get(const char *path)
{
	int end[2], open_now[2], r = WAY_FAILED;
	char word[5];
	pid_t pid;

	if (pipe2(end, O_CLOEXEC) < 0 || pipe2(open_now, O_CLOEXEC) < 0)
		return way_failed("pipe");
	pid = fork();
	if (pid == 0)
		_exit(hold(path, end[0], open_now[1]));
	close(end[0]);
	close(open_now[1]);
	if (read(open_now[0], word, sizeof(word)) == (ssize_t)sizeof(word))
		r = steal(pid);
	close(end[1]);
	close(open_now[0]);
	way_wait(pid);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
