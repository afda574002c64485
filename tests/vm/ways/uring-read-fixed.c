// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: opened by its name, read by io_uring into a registered buffer (READ_FIXED). */
#include "ring.h"

static char buffer[4096] __attribute__((aligned(4096)));

static int get_open(int fd)
{
	struct iovec iov = {.iov_base = buffer, .iov_len = sizeof(buffer)};
	struct io_uring_sqe sqe = ring_read(fd, buffer, WAY_BYTES);
	struct ring ring;
	int r = ring_init(&ring, 0), n;

	if (r)
		return r;
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &iov, 1) < 0)
		return way_failed("io_uring_register");
	sqe.opcode = IORING_OP_READ_FIXED;
	n = ring_do(&ring, &sqe);
	return n < 0 ? ring_failed("read", n) : way_check(buffer, n);
}

static int get(const char *path)
{
	return way_with_open(path, O_RDONLY, get_open);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
