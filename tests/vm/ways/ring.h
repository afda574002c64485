/* SPDX-License-Identifier: GPL-2.0-or-later */
/* io_uring without liburing, for the ways that go through one: three system calls and two rings. */
#pragma once

#include <linux/io_uring.h>
#include <stdatomic.h>

#include "way.h"

#define RING_ENTRIES 8

struct ring {
	int fd;
	char *sq, *cq;
	struct io_uring_sqe *sqes;
	struct io_uring_params p;
};

_way_ unsigned *ring_field(char *base, unsigned offset)
{
	return (unsigned *)(base + offset);
}

_way_ void *ring_map(int fd, size_t size, off_t offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
}

/* 0, WAY_FAILED or WAY_LACKS. flags: IORING_SETUP_*. The rings end with the process. */
_way_ int ring_init(struct ring *ring, unsigned flags)
{
	*ring = (struct ring){.p.flags = flags, .p.sq_thread_idle = 1000};
	ring->fd = syscall(SYS_io_uring_setup, RING_ENTRIES, &ring->p);
	if (ring->fd < 0) /* EPERM: kernel.io_uring_disabled */
		return errno == EPERM ? way_lacks("io_uring_setup") : way_failed("io_uring_setup");
	ring->sq = ring_map(ring->fd, ring->p.sq_off.array + ring->p.sq_entries * sizeof(unsigned),
			    IORING_OFF_SQ_RING);
	ring->cq = ring_map(ring->fd,
			    ring->p.cq_off.cqes + ring->p.cq_entries * sizeof(struct io_uring_cqe),
			    IORING_OFF_CQ_RING);
	ring->sqes = ring_map(ring->fd, ring->p.sq_entries * sizeof(struct io_uring_sqe),
			      IORING_OFF_SQES);
	if (ring->sq == MAP_FAILED || ring->cq == MAP_FAILED || ring->sqes == MAP_FAILED)
		return way_failed("mmap of the rings");
	return 0;
}

/* Tells the kernel of the requests that were put, and waits for `wait` results. */
_way_ int ring_enter(struct ring *ring, unsigned submit, unsigned wait)
{
	unsigned flags = IORING_ENTER_GETEVENTS;

	if (ring->p.flags & IORING_SETUP_SQPOLL)
		flags |= IORING_ENTER_SQ_WAKEUP;
	while (syscall(SYS_io_uring_enter, ring->fd, submit, wait, flags, NULL, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

_way_ void ring_put(struct ring *ring, const struct io_uring_sqe *sqe)
{
	unsigned tail = *ring_field(ring->sq, ring->p.sq_off.tail);
	unsigned at = tail & *ring_field(ring->sq, ring->p.sq_off.ring_mask);

	ring->sqes[at] = *sqe;
	ring_field(ring->sq, ring->p.sq_off.array)[at] = at;
	atomic_store((_Atomic unsigned *)ring_field(ring->sq, ring->p.sq_off.tail), tail + 1);
}

/* The next result: >= 0, or negative errno; and whose it is. There must be one, else -EIO. */
_way_ int ring_take_of(struct ring *ring, uint64_t *out_user_data)
{
	unsigned head = *ring_field(ring->cq, ring->p.cq_off.head);
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(ring->cq + ring->p.cq_off.cqes);
	int res;

	if (head == atomic_load((_Atomic unsigned *)ring_field(ring->cq, ring->p.cq_off.tail)))
		return -EIO;
	cqes += head & *ring_field(ring->cq, ring->p.cq_off.ring_mask);
	res = cqes->res;
	*out_user_data = cqes->user_data;
	atomic_store((_Atomic unsigned *)ring_field(ring->cq, ring->p.cq_off.head), head + 1);
	return res;
}

/* The same, where there is one request at a time. */
_way_ int ring_take(struct ring *ring)
{
	return ring_take_of(ring, &(uint64_t){0});
}

/* Submits one request and waits for its end. Returns its result: >= 0, or negative errno. */
_way_ int ring_do(struct ring *ring, const struct io_uring_sqe *sqe)
{
	int r;

	ring_put(ring, sqe);
	r = ring_enter(ring, 1, 1);
	return r < 0 ? r : ring_take(ring);
}

/* A request to open; `slot` >= 0: into the ring's own table. Its flags are zero. */
_way_ struct io_uring_sqe ring_open(const char *path, int slot)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_OPENAT,
		.fd = AT_FDCWD,
		.addr = (uintptr_t)path,
		.open_flags = O_RDONLY | (slot < 0 ? O_CLOEXEC : 0),
	};

	sqe.file_index = slot + 1;
	return sqe;
}

_way_ struct io_uring_sqe ring_read(int fd, void *bytes, size_t len)
{
	return (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = fd,
		.addr = (uintptr_t)bytes,
		.len = len,
	};
}

/* A table of the ring's own with `nr` free places. 0, or the way's result. */
_way_ int ring_table(struct ring *ring, unsigned nr)
{
	int fds[RING_ENTRIES];

	for (unsigned i = 0; i < nr; i++)
		fds[i] = -1;
	if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES, fds, nr) < 0)
		return errno == EINVAL || errno == EBADF ? way_lacks("sparse table")
							 : way_failed("io_uring_register");
	return 0;
}

/* What a request's failure means for the way: a kernel without it says EINVAL. */
_way_ int ring_failed(const char *what, int res)
{
	errno = -res;
	return res == -EINVAL ? way_lacks(what) : way_failed(what);
}
