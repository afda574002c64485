// SPDX-License-Identifier: GPL-2.0-or-later
/* Memory of mappings that are somebody else's, given back before he does it. */
#include "base/pages.h"

#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

/* The pages that lie in `size` bytes from `at` as a whole: *out_begin, and how many bytes. */
static size_t whole_pages(const void *at, size_t size, void **out_begin)
{
	const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
	const uintptr_t begin = ((uintptr_t)at + page - 1) & ~(page - 1);
	const uintptr_t end = ((uintptr_t)at + size) & ~(page - 1);

	*out_begin = (void *)begin;
	return begin < end ? end - begin : 0;
}

void pages_vacate(const void *at, size_t size)
{
	void *begin;

	size = whole_pages(at, size, &begin);
	if (size)
		(void)mmap(begin, size, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
}

void pages_release(const void *at, size_t size)
{
	void *begin;

	size = whole_pages(at, size, &begin);
	if (size)
		madvise(begin, size, MADV_DONTNEED);
}
