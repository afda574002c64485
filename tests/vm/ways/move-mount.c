// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: its directory cloned as a mount and attached elsewhere (open_tree, move_mount),
 * in a mount namespace of its own (root only).
 */
#include <sched.h>
#include <sys/mount.h>

#include "way.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE		1
#define MOVE_MOUNT_F_EMPTY_PATH 4
#endif

static int read_moved(const char *path, const char *at)
{
	char dir[PATH_MAX], moved[PATH_MAX], *name;
	int tree;

	snprintf(dir, sizeof(dir), "%s", path);
	name = strrchr(dir, '/');
	*name++ = '\0';
	if (unshare(CLONE_NEWNS) < 0)
		return way_failed("unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 && errno != EINVAL)
		return way_failed("mount --make-rprivate /");
	tree = syscall(SYS_open_tree, AT_FDCWD, dir, OPEN_TREE_CLONE | O_CLOEXEC);
	if (tree < 0)
		return way_failed("open_tree");
	if (syscall(SYS_move_mount, tree, "", AT_FDCWD, at, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return way_failed("move_mount");
	if (snprintf(moved, sizeof(moved), "%s/%s", at, name) >= (int)sizeof(moved))
		return WAY_FAILED;
	return way_with_open(moved, O_RDONLY, way_read);
}

static int get(const char *path)
{
	char at[] = "/tmp/.way-XXXXXX";
	pid_t pid;
	int r;

	if (!mkdtemp(at))
		return way_failed(at);
	pid = fork();
	if (pid == 0)
		_exit(read_moved(path, at));
	r = way_wait(pid);
	rmdir(at);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
