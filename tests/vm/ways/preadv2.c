// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, preadv2 with a flag (RWF_HIPRI), which takes another path in the kernel. */
#include "way.h"

static int get_open(int fd)
{
	char bytes[WAY_BYTES];
	struct iovec iov = {bytes, sizeof(bytes)};
	ssize_t n = preadv2(fd, &iov, 1, 0, RWF_HIPRI);

	return n < 0 ? way_failed("preadv2") : way_check(bytes, n);
}

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
