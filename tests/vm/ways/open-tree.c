// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: its directory cloned as a mount that is attached nowhere (open_tree), opened
 * below that (root only).
 */
#include "way.h"

#ifndef OPEN_TREE_CLONE
#define OPEN_TREE_CLONE 1
#endif

static int get(const char *path)
{
	char dir[PATH_MAX], *name;
	int tree, fd, r;

	snprintf(dir, sizeof(dir), "%s", path);
	name = strrchr(dir, '/');
	*name++ = '\0';
	tree = syscall(SYS_open_tree, AT_FDCWD, dir, OPEN_TREE_CLONE | O_CLOEXEC);
	if (tree < 0)
		return way_failed("open_tree");
	fd = openat(tree, name, O_RDONLY | O_CLOEXEC);
	r = fd < 0 ? way_failed(name) : way_read(fd);
	close(fd);
	close(tree);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
