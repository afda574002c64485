// SPDX-License-Identifier: GPL-2.0-or-later
/* A BPF ring buffer, read a window at a time. */
#include "sensor/ringreader.h"

#include <errno.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

/*
 * To map a page costs what some ten instructions of each record in it do; a window of this size is
 * a hundred records of accesses, or a thousand of processes that begin and end.
 */
#define WINDOW_MAX (256UL * 1024)

static size_t page_size(void)
{
	return sysconf(_SC_PAGESIZE);
}

/* NULL with errno set. `at`: bytes from the beginning of the map. */
static void *map_at(const struct ringreader *r, size_t at, size_t size, int prot)
{
	void *p = mmap(NULL, size, prot, MAP_SHARED, r->fd, (off_t)at);

	return p == MAP_FAILED ? NULL : p;
}

int ringreader_open(struct ringreader *r, int fd, size_t size)
{
	const size_t page = page_size();

	*r = (struct ringreader){.fd = fd, .size = size};
	if (!size || size & (size - 1) || size % page)
		return -EINVAL;
	r->consumer = map_at(r, 0, page, PROT_READ | PROT_WRITE);
	r->producer = r->consumer ? map_at(r, page, page, PROT_READ) : NULL;
	if (!r->producer) {
		int err = -errno;

		ringreader_close(r);
		return err;
	}
	return 0;
}

static void close_window(struct ringreader *r)
{
	if (r->window_size)
		munmap((void *)r->window, r->window_size);
	r->window_size = 0;
}

void ringreader_close(struct ringreader *r)
{
	const size_t page = page_size();

	close_window(r);
	if (r->producer)
		munmap((void *)r->producer, page);
	if (r->consumer)
		munmap(r->consumer, page);
	*r = (struct ringreader){.fd = -1};
}

/*
 * `len` bytes of the data at a position, in one piece: behind the end the kernel has the beginning
 * again. Moves the window if they are not in it; what it handed out before is gone then. NULL with
 * errno set.
 */
static const uint8_t *data_at(struct ringreader *r, uint64_t pos, size_t len)
{
	const size_t page = page_size(), at = pos & (r->size - 1), first = at & ~(page - 1);
	const size_t size = r->size < WINDOW_MAX ? r->size : WINDOW_MAX;

	if (r->window_size && at >= r->window_at && at - r->window_at + len <= r->window_size)
		return r->window + (at - r->window_at);
	if (at - first + len > size) {
		errno = EBADMSG;
		return NULL;
	}
	close_window(r);
	r->window = map_at(r, 2 * page + first, size, PROT_READ);
	if (!r->window)
		return NULL;
	r->window_at = first;
	r->window_size = size;
	return r->window + (at - first);
}

/*
 * The record at a position: bytes it takes in the ring, 0 = it is still being written, negative
 * errno. *out_data: NULL = the writer thought better of it.
 */
static long record_at(struct ringreader *r, uint64_t pos, const uint8_t **out_data,
		      size_t *out_size)
{
	const uint8_t *at = data_at(r, pos, BPF_RINGBUF_HDR_SZ);
	uint32_t word;
	size_t size;

	if (!at)
		return -errno;
	/* Written last, when the record is whole. */
	word = __atomic_load_n((const uint32_t *)at, __ATOMIC_ACQUIRE);
	if (word & BPF_RINGBUF_BUSY_BIT)
		return 0;
	size = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
	at = data_at(r, pos, BPF_RINGBUF_HDR_SZ + size);
	if (!at)
		return -errno;
	*out_data = word & BPF_RINGBUF_DISCARD_BIT ? NULL : at + BPF_RINGBUF_HDR_SZ;
	*out_size = size;
	return (long)((BPF_RINGBUF_HDR_SZ + size + 7) & ~7UL);
}

long ringreader_take(struct ringreader *r, size_t max,
		     void (*record)(void *userdata, const void *data, size_t size), void *userdata)
{
	uint64_t pos = *r->consumer;
	size_t taken = 0;

	while (taken < max && pos != __atomic_load_n(r->producer, __ATOMIC_ACQUIRE)) {
		const uint8_t *data = NULL;
		size_t size = 0;
		long step = record_at(r, pos, &data, &size);

		if (step < 0)
			return step;
		if (!step)
			break;
		if (data)
			record(userdata, data, size);
		pos += step;
		taken += step;
		/* At each record: the kernel wakes nobody who has not come to the end (of what it
		 * sees), and has the room at once. */
		__atomic_store_n(r->consumer, pos, __ATOMIC_RELEASE);
	}
	return (long)taken;
}
