// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: mapped, the mapping's pages put into a pipe by vmsplice, read from the pipe. */
#include "way.h"

static int get_open(int fd)
{
	struct iovec iov = {.iov_len = WAY_BYTES};
	int ends[2];

	iov.iov_base = mmap(NULL, WAY_BYTES, PROT_READ, MAP_PRIVATE, fd, 0);
	if (iov.iov_base == MAP_FAILED)
		return way_failed("mmap");
	if (pipe2(ends, O_CLOEXEC) < 0)
		return way_failed("pipe");
	if (vmsplice(ends[1], &iov, 1, 0) < 0)
		return way_failed("vmsplice");
	return way_read(ends[0]);
}

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
