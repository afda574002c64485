// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: an open descriptor in a message (SCM_RIGHTS).
 *
 * This program opens the file and never reads it; the one that gets it is another: scm-receiver, or
 * $WAY_RECEIVER, a shell command. The socket is its standard input.
 */
#include "way.h"

static int receive(int sock)
{
	const char *other = getenv("WAY_RECEIVER");
	char path[PATH_MAX];

	if (dup2(sock, STDIN_FILENO) < 0)
		return way_failed("dup2");
	if (other) {
		execl("/bin/sh", "sh", "-c", other, NULL);
		return way_failed("/bin/sh");
	}
	way_beside("scm-receiver", path);
	execl(path, "scm-receiver", NULL);
	return way_failed(path);
}

static int get(const char *path)
{
	int ends[2], fd, r;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return way_failed("socketpair");
	/* Before the file is open, so that the receiver inherits nothing. */
	pid = fork();
	if (pid == 0)
		_exit(receive(ends[1]));
	close(ends[1]);
	fd = way_open(path);
	if (fd < 0)
		r = way_failed(path);
	else
		r = way_send_fd(ends[0], fd) < 0 ? way_failed("send") : WAY_GOT;
	close(fd);
	close(ends[0]);
	if (pid > 0 && r != WAY_GOT)
		way_wait(pid);
	else
		r = way_wait(pid);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
