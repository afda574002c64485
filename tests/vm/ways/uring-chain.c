// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, read and close as one linked chain, submitted by one system call. */
#include "ring.h"

static int get(const char *path)
{
	char bytes[WAY_BYTES];
	struct io_uring_sqe open_it = ring_open(path, 0);
	struct io_uring_sqe read_it = ring_read(0, bytes, sizeof(bytes));
	struct io_uring_sqe close_it = {.opcode = IORING_OP_CLOSE, .file_index = 1};
	int results[3], r;
	struct ring ring;

	r = ring_init(&ring, 0);
	if (!r)
		r = ring_table(&ring, 1);
	if (r)
		return r;
	open_it.flags = IOSQE_IO_LINK;
	read_it.flags = IOSQE_IO_LINK | IOSQE_FIXED_FILE;
	ring_put(&ring, &open_it);
	ring_put(&ring, &read_it);
	ring_put(&ring, &close_it);
	r = ring_enter(&ring, 3, 3);
	for (int i = 0; r >= 0 && i < 3; i++)
		results[i] = ring_take(&ring);
	if (r < 0)
		return ring_failed("io_uring_enter", r);
	if (results[0] < 0)
		return ring_failed(path, results[0]);
	/* Before 5.15 the place is ignored; until 5.18 a link's file is looked up too early. */
	if (results[1] == -EBADF) {
		errno = EBADF;
		return way_lacks("a chain with a direct descriptor");
	}
	return results[1] < 0 ? ring_failed("read", results[1]) : way_check(bytes, results[1]);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
