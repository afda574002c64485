// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, readv into two buffers. */
#include "way.h"

static int get_open(int fd)
{
	char bytes[WAY_BYTES];
	struct iovec iov[] = {{bytes, 4}, {bytes + 4, sizeof(bytes) - 4}};
	ssize_t n = readv(fd, iov, 2);

	return n < 0 ? way_failed("readv") : way_check(bytes, n);
}

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
