// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: another hard link to it, outside of its directory. */
#include "way.h"

static int get(const char *path)
{
	char alias[PATH_MAX];
	int r = way_alias(path, alias);

	if (r)
		return r;
	if (link(path, alias) < 0)
		return way_failed("link");
	r = way_with_open(alias, O_RDONLY, way_read);
	unlink(alias);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
