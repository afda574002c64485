// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The other end of uring-msg: makes a ring, writes its descriptor's number to standard output,
 * waits until a file has been sent into it, reads that.
 */
#include "ring.h"

int main(void)
{
	char bytes[WAY_BYTES];
	struct io_uring_sqe sqe = ring_read(0, bytes, sizeof(bytes));
	struct ring ring;
	int r = ring_init(&ring, 0), n;

	if (!r)
		r = ring_table(&ring, 1);
	if (r)
		return r;
	if (write(STDOUT_FILENO, &ring.fd, sizeof(ring.fd)) != sizeof(ring.fd))
		return way_failed("standard output");
	n = ring_enter(&ring, 0, 1);
	if (n >= 0)
		n = ring_take(&ring); /* that of the message */
	if (n < 0)
		return ring_failed("message", n);
	sqe.flags = IOSQE_FIXED_FILE;
	n = ring_do(&ring, &sqe);
	return n < 0 ? ring_failed("read", n) : way_check(bytes, n);
}
