// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: name_to_handle_at, open_by_handle_at. No path is walked (root only). */
#include "way.h"

struct handle {
	struct file_handle h;
	char space[MAX_HANDLE_SZ];
};

static int get(const char *path)
{
	struct handle handle = {.h.handle_bytes = MAX_HANDLE_SZ};
	char dir[PATH_MAX], *slash;
	int mount_id, mount, fd, r;

	if (!realpath(path, dir))
		return way_failed(path);
	if (name_to_handle_at(AT_FDCWD, dir, &handle.h, &mount_id, 0) < 0)
		return way_failed("name_to_handle_at");
	slash = strrchr(dir, '/');
	slash[slash == dir] = '\0';
	mount = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (mount < 0)
		return way_failed(dir);
	fd = open_by_handle_at(mount, &handle.h, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		r = errno == EPERM ? way_lacks("open_by_handle_at")
				   : way_failed("open_by_handle_at");
	else
		r = way_read(fd);
	close(fd);
	close(mount);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
