// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: in another mount namespace, by its own name there (root only). */
#include <sched.h>

#include "way.h"

static int read_apart(const char *path)
{
	if (unshare(CLONE_NEWNS) < 0)
		return errno == EPERM ? way_lacks("unshare") : way_failed("unshare");
	return way_with_open(path, O_RDONLY, way_read);
}

static int get(const char *path)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(read_apart(path));
	return way_wait(pid);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
