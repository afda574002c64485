// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: io_uring opens into a table of its own; there never is a descriptor. */
#include "ring.h"

static int get(const char *path)
{
	char bytes[WAY_BYTES];
	struct io_uring_sqe sqe = ring_open(path, 0);
	struct ring ring;
	int r = ring_init(&ring, 0), n;

	if (!r)
		r = ring_table(&ring, 1);
	if (r)
		return r;
	n = ring_do(&ring, &sqe);
	if (n < 0)
		return ring_failed(path, n);
	if (n > 0) { /* before 5.15 the place is ignored and this is a descriptor */
		errno = EOPNOTSUPP;
		return way_lacks("direct descriptors");
	}
	sqe = ring_read(0, bytes, sizeof(bytes));
	sqe.flags = IOSQE_FIXED_FILE;
	n = ring_do(&ring, &sqe);
	return n < 0 ? ring_failed("read", n) : way_check(bytes, n);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
