// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: openat2 relative to its directory, which may not be left. */
#include <linux/openat2.h>

#include "way.h"

static int get(const char *path)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_BENEATH};
	char dir[PATH_MAX], *slash;
	int at, fd, r;

	if (!realpath(path, dir))
		return way_failed(path);
	slash = strrchr(dir, '/');
	*slash = '\0';
	at = open(slash == dir ? "/" : dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (at < 0)
		return way_failed(dir);
	fd = syscall(SYS_openat2, at, slash + 1, &how, sizeof(how));
	r = fd < 0 ? way_failed("openat2") : way_read(fd);
	close(fd);
	close(at);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
