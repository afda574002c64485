// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: its directory renamed, read there, put back. */
#include "way.h"

static int get(const char *path)
{
	char dir[PATH_MAX], away[PATH_MAX], name[PATH_MAX], *slash;
	int r = way_alias(path, away);

	if (r)
		return r;
	snprintf(dir, sizeof(dir), "%s", path);
	slash = strrchr(dir, '/');
	*slash = '\0';
	/* "DIR/../.way": DIR is about to go, so its parent is named by another way. */
	snprintf(away, sizeof(away), "%.*s/.way-%d", (int)(strrchr(dir, '/') - dir), dir, getpid());
	if (rename(dir, away) < 0)
		return way_failed("rename");
	if (snprintf(name, sizeof(name), "%s/%s", away, slash + 1) >= (int)sizeof(name))
		return WAY_FAILED;
	r = way_with_open(name, O_RDONLY, way_read);
	if (rename(away, dir) < 0)
		return way_failed("rename back");
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
