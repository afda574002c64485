/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads a BPF ring buffer through a window.
 *
 * libbpf's ring_buffer maps a ring's data as the kernel lays it out, twice in a row, and all of it:
 * rings of 14 MiB are 28 MiB of a process's resident memory from its start, though most of what
 * they hold is nothing. Here a part is mapped at a time, and moves on with the reader. What the
 * pages mean is the kernel's ABI (Documentation/bpf/ringbuf.rst, kernel/bpf/ringbuf.c): one with
 * the consumer's position, one with the producer's, then the data; positions count bytes for ever.
 *
 * One thread reads a ring. A callback may read another ring, never its own.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct ringreader {
	int fd; /* of the map; not owned */
	size_t size; /* bytes of data, a power of two and whole pages */
	uint64_t *consumer; /* ours to write */
	const uint64_t *producer;
	const uint8_t *window;
	size_t window_at, window_size; /* which part of the data; window_size 0: none yet */
};

/* What is not a page each is mapped later. 0, or negative errno and nothing to close. */
int ringreader_open(struct ringreader *r, int fd, size_t size);
void ringreader_close(struct ringreader *r); /* also of one that is all zero */

/*
 * Hands over records, oldest first, until the ring is empty or `max` bytes of it were taken (it
 * ends with the record that reaches that). `data` is valid during the callback and aligned to 8
 * bytes. Returns how many bytes were taken, headers and discarded records included; negative errno
 * if the ring cannot be read: -EBADMSG, there is a record in it that is larger than the window.
 */
long ringreader_take(struct ringreader *r, size_t max,
		     void (*record)(void *userdata, const void *data, size_t size), void *userdata);
