// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: io_uring with a kernel thread that takes requests by itself (SQPOLL): the thread
 * opens. */
#include "ring.h"

static int get(const char *path)
{
	char bytes[WAY_BYTES];
	struct io_uring_sqe sqe = ring_open(path, -1);
	struct ring ring;
	int r = ring_init(&ring, IORING_SETUP_SQPOLL), fd, n;

	if (r)
		return r;
	fd = ring_do(&ring, &sqe);
	if (fd < 0)
		return ring_failed(path, fd);
	sqe = ring_read(fd, bytes, sizeof(bytes));
	n = ring_do(&ring, &sqe);
	close(fd);
	return n < 0 ? ring_failed("read", n) : way_check(bytes, n);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
