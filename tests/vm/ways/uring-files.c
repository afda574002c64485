// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: opened by its name, registered with io_uring, closed, read by its place. */
#include "ring.h"

static int get(const char *path)
{
	char bytes[WAY_BYTES];
	struct io_uring_sqe sqe = ring_read(0, bytes, sizeof(bytes));
	int fd = way_open(path), r, n;
	struct ring ring;

	if (fd < 0)
		return way_failed(path);
	r = ring_init(&ring, 0);
	if (r)
		return r;
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &fd, 1) < 0)
		return way_failed("io_uring_register");
	close(fd);
	sqe.flags = IOSQE_FIXED_FILE;
	n = ring_do(&ring, &sqe);
	return n < 0 ? ring_failed("read", n) : way_check(bytes, n);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
