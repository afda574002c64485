// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: it is in the table of an io_uring, and nowhere else, when anybody begins to look.
 *
 * Opens the file, registers and closes it; says "open" on its standard output and waits until
 * standard input ends; then it reads by the file's place in the table.
 */
#include "ring.h"

int main(int argc, char **argv)
{
	char bytes[WAY_BYTES], byte;
	struct io_uring_sqe sqe = ring_read(0, bytes, sizeof(bytes));
	struct ring ring;
	int fd, r, n;

	if (argc != 2) {
		fprintf(stderr, "usage: hold-direct FILE\n");
		return 2;
	}
	r = ring_init(&ring, 0);
	if (r)
		return r;
	fd = way_open(argv[1]);
	if (fd < 0)
		return way_failed(argv[1]);
	if (syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &fd, 1) < 0)
		return way_failed("io_uring_register");
	close(fd);
	if (write(STDOUT_FILENO, "open\n", 5) != 5)
		return way_failed("standard output");
	while (read(STDIN_FILENO, &byte, 1) > 0)
		;
	sqe.flags = IOSQE_FIXED_FILE;
	n = ring_do(&ring, &sqe);
	return n < 0 ? ring_failed("read", n) : way_check(bytes, n);
}
