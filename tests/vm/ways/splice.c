// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, splice into a pipe, taken out at its other end. */
#include "way.h"

static int get_open(int fd)
{
	int ends[2], r;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return way_failed("pipe");
	/* A file system without splice_read says EINVAL. */
	if (splice(fd, NULL, ends[1], NULL, WAY_BYTES, 0) < 0)
		r = errno == EINVAL ? way_lacks("splice") : way_failed("splice");
	else
		r = way_read(ends[0]);
	close(ends[0]);
	close(ends[1]);
	return r;
}

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
