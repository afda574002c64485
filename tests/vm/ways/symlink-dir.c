// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: by a symbolic link to its directory. */
#include "way.h"

static int get(const char *path)
{
	char dir[PATH_MAX], link[PATH_MAX], name[PATH_MAX], *slash;
	int r = way_alias(path, link);

	if (r)
		return r;
	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	*slash = '\0';
	if (symlink(dir, link) < 0)
		return way_failed("symlink");
	if (snprintf(name, sizeof(name), "%s/%s", link, slash + 1) >= (int)sizeof(name))
		return WAY_FAILED;
	r = way_with_open(name, O_RDONLY, way_read);
	unlink(link);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
