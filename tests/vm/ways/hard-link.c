// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: another hard link to it, outside of its directory. With WAY_ALSO in the
 * environment, at once a second one, of that name.
 */
#include "way.h"

static int get(const char *path)
{
	const char *also = getenv("WAY_ALSO");
	char alias[PATH_MAX];
	int r = way_alias(path, alias);

	if (r)
		return r;
	if (link(path, alias) < 0 || (also && link(path, also) < 0))
		return way_failed("link");
	r = way_with_open(alias, O_RDONLY, way_read);
	unlink(alias);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
