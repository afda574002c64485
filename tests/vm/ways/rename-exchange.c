// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: exchanged with another file (RENAME_EXCHANGE), read under that one's name. */
#include "way.h"

static int get(const char *path)
{
	char alias[PATH_MAX];
	int r = way_alias(path, alias), fd;

	if (r)
		return r;
	fd = open(alias, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return way_failed(alias);
	close(fd);
	if (renameat2(AT_FDCWD, path, AT_FDCWD, alias, RENAME_EXCHANGE) < 0) {
		r = errno == EINVAL ? way_lacks("RENAME_EXCHANGE") : way_failed("renameat2");
	} else {
		r = way_with_open(alias, O_RDONLY, way_read);
		if (renameat2(AT_FDCWD, path, AT_FDCWD, alias, RENAME_EXCHANGE) < 0)
			r = way_failed("exchange back");
	}
	unlink(alias);
	return r;
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
