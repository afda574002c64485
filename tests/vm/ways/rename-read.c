// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: moved out of its directory first, read there, put back. */
#include "way.h"

static int get(const char *path)
{
	char alias[PATH_MAX];
	int r = way_alias(path, alias);

	if (r)
		return r;
	if (rename(path, alias) < 0)
		return way_failed("rename");
	r = way_with_open(alias, O_RDONLY, way_read);
	if (rename(alias, path) < 0)
		return way_failed("rename back");
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
