// SPDX-License-Identifier: GPL-2.0-or-later
/* A way to a key: open, read and close as one linked chain, submitted by one system call. */
#include "ring.h"

enum { OPEN, READ, CLOSE, STEPS };

static int get(const char *path)
{
	char bytes[WAY_BYTES];
	struct io_uring_sqe step[STEPS] = {
		[OPEN] = ring_open(path, 0),
		[READ] = ring_read(0, bytes, sizeof(bytes)),
		[CLOSE] = {.opcode = IORING_OP_CLOSE, .file_index = 1},
	};
	int results[STEPS] = {-EIO, -EIO, -EIO}, r;
	struct ring ring;

	r = ring_init(&ring, 0);
	if (!r)
		r = ring_table(&ring, 1);
	if (r)
		return r;
	step[OPEN].flags = IOSQE_IO_LINK;
	step[READ].flags = IOSQE_IO_LINK | IOSQE_FIXED_FILE;
	for (int i = 0; i < STEPS; i++) {
		step[i].user_data = i;
		ring_put(&ring, &step[i]);
	}
	r = ring_enter(&ring, STEPS, STEPS);
	if (r < 0)
		return ring_failed("io_uring_enter", r);
	/* Of a chain that fails, what was cancelled may come before what failed, and some not at
	 * all. */
	for (int i = 0; i < STEPS; i++) {
		uint64_t whose = STEPS;

		r = ring_take_of(&ring, &whose);
		if (whose < STEPS)
			results[whose] = r;
	}
	/*
	 * Before 5.15 there is no place to open into, and until 5.18 the file of a link is looked
	 * up when the chain is submitted: then nothing can be read that the chain itself opens.
	 */
	if (results[OPEN] == -EINVAL || results[READ] == -EBADF) {
		errno = results[OPEN] == -EINVAL ? EINVAL : EBADF;
		return way_lacks("a chain that reads what it opens");
	}
	if (results[OPEN] < 0)
		return ring_failed(path, results[OPEN]);
	return results[READ] < 0 ? ring_failed("read", results[READ])
				 : way_check(bytes, results[READ]);
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
