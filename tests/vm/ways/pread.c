// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, pread. */
#include "way.h"

static int get_open(int fd)
{
	char bytes[WAY_BYTES];
	ssize_t n = pread(fd, bytes, sizeof(bytes), 0);

	return n < 0 ? way_failed("pread") : way_check(bytes, n);
}

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
