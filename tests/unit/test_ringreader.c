// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader of BPF ring buffers, on a file that is laid out as the kernel lays out a ring: a page
 * with the consumer's position, one with the producer's, the data, the data once more.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>
#include <linux/bpf.h>

#include "sensor/ringreader.h"

#define RING_SIZE (1UL << 20) /* larger than a window */
#define HEAD	  BPF_RINGBUF_HDR_SZ

struct fixture {
	int fd;
	size_t page;
	uint64_t *consumer, *producer;
	uint8_t *data;
	struct ringreader reader;
	/* of what was handed over */
	unsigned nr, wrong;
	uint32_t next; /* first word of the next record */
	size_t largest;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){.page = sysconf(_SC_PAGESIZE)};
	f.fd = memfd_create("ring", MFD_CLOEXEC);
	if (f.fd < 0 || ftruncate(f.fd, (off_t)(2 * f.page + 2 * RING_SIZE)))
		return -1;
	f.consumer =
		mmap(NULL, 2 * f.page + 2 * RING_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f.fd, 0);
	if (f.consumer == MAP_FAILED)
		return -1;
	f.producer = (uint64_t *)((uint8_t *)f.consumer + f.page);
	f.data = (uint8_t *)f.consumer + 2 * f.page;
	*state = &f;
	return ringreader_open(&f.reader, f.fd, RING_SIZE);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	ringreader_close(&f->reader);
	munmap(f->consumer, 2 * f->page + 2 * RING_SIZE);
	close(f->fd);
	return 0;
}

/* Both copies of what the kernel has once. */
static void put(struct fixture *f, uint64_t pos, const void *from, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t at = (pos + i) & (RING_SIZE - 1);

		f->data[at] = f->data[RING_SIZE + at] = ((const uint8_t *)from)[i];
	}
}

/* A record of `size` bytes whose first word is `no`; `bits` go into its header. */
static void produce(struct fixture *f, uint32_t no, uint32_t size, uint32_t bits)
{
	uint32_t header[2] = {size | bits, 0};

	put(f, *f->producer, header, HEAD);
	put(f, *f->producer + HEAD, &no, size < sizeof(no) ? size : sizeof(no));
	if (size >= 8) /* and at its end, which may be behind that of the ring */
		put(f, *f->producer + HEAD + size - sizeof(no), &no, sizeof(no));
	*f->producer += (HEAD + size + 7) & ~7UL;
}

static void check(void *userdata, const void *data, size_t size)
{
	struct fixture *f = userdata;
	uint32_t first, last;

	assert_int_equal((uintptr_t)data & 7, 0);
	memcpy(&first, data, sizeof(first));
	memcpy(&last, (const uint8_t *)data + size - sizeof(last), sizeof(last));
	f->wrong += first != f->next || last != first;
	f->next = first + 1;
	f->nr++;
	if (size > f->largest)
		f->largest = size;
}

static void test_empty(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ringreader_take(&f->reader, RING_SIZE, check, f), 0);
	assert_int_equal(f->nr, 0);
}

/* Three times around, in all sizes, so that records lie across windows and across the end. */
static void test_around(void **state)
{
	struct fixture *f = *state;
	uint32_t no = 0;

	while (*f->producer < 3 * RING_SIZE + 12345) {
		uint64_t before = *f->producer;
		unsigned i;

		for (i = 0; i < 50; i++, no++)
			produce(f, no, 8 + no * 37 % 5000, 0);
		assert_int_equal(ringreader_take(&f->reader, RING_SIZE, check, f),
				 *f->producer - before);
		assert_int_equal(*f->consumer, *f->producer);
	}
	assert_int_equal(f->nr, no);
	assert_int_equal(f->wrong, 0);
	assert_true(f->largest > 4096);
}

/* What is mapped is a part of the ring, or there would be no need of all this. */
static void test_window(void **state)
{
	struct fixture *f = *state;

	produce(f, 0, 100, 0);
	assert_true(ringreader_take(&f->reader, RING_SIZE, check, f) > 0);
	assert_true(f->reader.window_size && f->reader.window_size <= RING_SIZE / 4);
}

static void test_busy_and_discarded(void **state)
{
	struct fixture *f = *state;
	uint64_t busy;
	uint32_t header;

	produce(f, 0, 24, 0);
	produce(f, 99, 4000, BPF_RINGBUF_DISCARD_BIT);
	produce(f, 1, 24, 0);
	busy = *f->producer;
	produce(f, 2, 24, BPF_RINGBUF_BUSY_BIT);
	produce(f, 3, 24, 0);
	assert_int_equal(ringreader_take(&f->reader, RING_SIZE, check, f), busy);
	assert_int_equal(f->nr, 2);
	assert_int_equal(*f->consumer, busy);
	/* It is whole now. */
	header = 24;
	put(f, busy, &header, sizeof(header));
	assert_int_equal(ringreader_take(&f->reader, RING_SIZE, check, f), *f->producer - busy);
	assert_int_equal(f->nr, 4);
	assert_int_equal(f->wrong, 0);
}

/* It ends though there is more: with the record that reaches the bound. */
static void test_bound(void **state)
{
	struct fixture *f = *state;

	for (uint32_t i = 0; i < 10; i++)
		produce(f, i, 24, 0);
	assert_int_equal(ringreader_take(&f->reader, 65, check, f), 96);
	assert_int_equal(f->nr, 3);
	assert_int_equal(ringreader_take(&f->reader, RING_SIZE, check, f), 7 * 32);
	assert_int_equal(f->wrong, 0);
}

/* Nothing of ours is as large; a length that is not true must not be believed. */
static void test_impossible(void **state)
{
	struct fixture *f = *state;

	produce(f, 0, RING_SIZE - 64, 0);
	assert_int_equal(ringreader_take(&f->reader, RING_SIZE, check, f), -EBADMSG);
	assert_int_equal(f->nr, 0);
	assert_int_equal(*f->consumer, 0);
}

static void test_open(void **state)
{
	struct fixture *f = *state;
	struct ringreader r;

	assert_int_equal(ringreader_open(&r, f->fd, 0), -EINVAL);
	assert_int_equal(ringreader_open(&r, f->fd, f->page * 3), -EINVAL);
	assert_int_equal(ringreader_open(&r, -1, f->page), -EBADF);
	r = (struct ringreader){};
	ringreader_close(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_empty, setup, teardown),
		cmocka_unit_test_setup_teardown(test_around, setup, teardown),
		cmocka_unit_test_setup_teardown(test_window, setup, teardown),
		cmocka_unit_test_setup_teardown(test_busy_and_discarded, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_impossible, setup, teardown),
		cmocka_unit_test_setup_teardown(test_open, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
