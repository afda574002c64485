// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: bound to another path in a mount namespace that nobody else sees (root only). */
#include <sched.h>
#include <sys/mount.h>

#include "way.h"

static int read_bound(const char *path, const char *at)
{
	if (unshare(CLONE_NEWNS) < 0)
		return errno == EPERM ? way_lacks("unshare") : way_failed("unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 && errno != EINVAL)
		return way_failed("mount --make-rprivate /");
	if (mount(path, at, NULL, MS_BIND, NULL) < 0)
		return way_failed("mount --bind");
	return way_with_open(at, O_RDONLY, way_read);
}

static int get(const char *path)
{
	char at[] = "/tmp/.way-XXXXXX";
	int fd = mkstemp(at), r;
	pid_t pid;

	if (fd < 0)
		return way_failed(at);
	close(fd);
	pid = fork();
	if (pid == 0)
		_exit(read_bound(path, at));
	r = way_wait(pid);
	unlink(at);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
