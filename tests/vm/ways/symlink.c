// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: a symbolic link to it. */
#include "way.h"

static int get(const char *path)
{
	char alias[PATH_MAX], real[PATH_MAX];
	int r;

	if (!realpath(path, real))
		return way_failed(path);
	snprintf(alias, sizeof(alias), "/tmp/.way-%d", getpid());
	if (symlink(real, alias) < 0)
		return way_failed("symlink");
	r = way_with_open(alias, O_RDONLY, way_read);
	unlink(alias);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
