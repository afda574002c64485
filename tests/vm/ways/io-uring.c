// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A way to a key: io_uring opens the file and reads it; no open and no read is ever called. Without
 * liburing: three system calls and two rings.
 */
#include <linux/io_uring.h>
#include <stdatomic.h>

#include "way.h"

struct ring {
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
	struct io_uring_params p;
};

static unsigned *field(char *base, unsigned offset)
{
	return (unsigned *)(base + offset);
}

static int ring_init(struct ring *ring)
{
	size_t sq_size, cq_size, sqe_size;

	ring->fd = syscall(SYS_io_uring_setup, 2, &ring->p);
	if (ring->fd < 0) /* EPERM: kernel.io_uring_disabled */
		return errno == EPERM ? way_lacks("io_uring_setup") : way_failed("io_uring_setup");
	sq_size = ring->p.sq_off.array + ring->p.sq_entries * sizeof(unsigned);
	cq_size = ring->p.cq_off.cqes + ring->p.cq_entries * sizeof(struct io_uring_cqe);
	sqe_size = ring->p.sq_entries * sizeof(struct io_uring_sqe);
	ring->sq = mmap(NULL, sq_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			IORING_OFF_SQ_RING);
	ring->cq = mmap(NULL, cq_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd,
			IORING_OFF_CQ_RING);
	ring->sqes =
		mmap(NULL, sqe_size, PROT_READ | PROT_WRITE, MAP_SHARED, ring->fd, IORING_OFF_SQES);
	if (ring->sq == MAP_FAILED || ring->cq == MAP_FAILED || ring->sqes == MAP_FAILED)
		return way_failed("mmap of the rings");
	return 0;
}

/* Submits one request and waits for its end. Returns its result: >= 0, or negative errno. */
static int ring_do(struct ring *ring, const struct io_uring_sqe *sqe)
{
	unsigned tail = *field(ring->sq, ring->p.sq_off.tail);
	unsigned at = tail & *field(ring->sq, ring->p.sq_off.ring_mask), head;
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(ring->cq + ring->p.cq_off.cqes);
	int res;

	ring->sqes[at] = *sqe;
	field(ring->sq, ring->p.sq_off.array)[at] = at;
	atomic_store((_Atomic unsigned *)field(ring->sq, ring->p.sq_off.tail), tail + 1);
	while (syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0)
		if (errno != EINTR)
			return -errno;
	head = *field(ring->cq, ring->p.cq_off.head);
	if (head == atomic_load((_Atomic unsigned *)field(ring->cq, ring->p.cq_off.tail)))
		return -EIO;
	res = cqes[head & *field(ring->cq, ring->p.cq_off.ring_mask)].res;
	atomic_store((_Atomic unsigned *)field(ring->cq, ring->p.cq_off.head), head + 1);
	return res;
}

static int read_by(struct ring *ring, const char *path)
{
	char bytes[WAY_BYTES];
	struct io_uring_sqe open_it = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)path,
		.open_flags = O_RDONLY | O_CLOEXEC,
	};
	struct io_uring_sqe read_it = {
		.opcode = IORING_OP_READ,
		.addr = (uintptr_t)bytes,
		.len = sizeof(bytes),
	};
	int fd = ring_do(ring, &open_it), n;

	if (fd < 0) {
		errno = -fd;
		return way_failed(path);
	}
	read_it.fd = fd;
	n = ring_do(ring, &read_it);
	close(fd);
	if (n < 0) {
		errno = -n;
		return way_failed("read");
	}
	return way_check(bytes, n);
}

static int get(const char *path)
{
	struct ring ring = {};
	int r = ring_init(&ring);

	return r ? r : read_by(&ring, path); /* the rings end with the process */
}

int main(int argc, char **argv)
{
	return way_each(argc, argv, get);
}
