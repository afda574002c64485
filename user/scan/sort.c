// SPDX-License-Identifier: GPL-2.0-or-later
/* Heapsort: no memory, no bad cases. */
#include "scan/sort.h"

#include <string.h>

struct array {
	uint8_t *p;
	size_t size;
	uint64_t (*key)(const void *item);
};

static void *item(const struct array *a, size_t i)
{
	return a->p + i * a->size;
}

static void swap(const struct array *a, size_t i, size_t k)
{
	uint8_t tmp[512];

	memcpy(tmp, item(a, i), a->size);
	memcpy(item(a, i), item(a, k), a->size);
	memcpy(item(a, k), tmp, a->size);
	explicit_bzero(tmp, a->size);
}

static void sift(const struct array *a, size_t root, size_t nr)
{
	for (size_t child; (child = 2 * root + 1) < nr; root = child) {
		if (child + 1 < nr && a->key(item(a, child)) < a->key(item(a, child + 1)))
			child++;
		if (a->key(item(a, root)) >= a->key(item(a, child)))
			return;
		swap(a, root, child);
	}
}

void sort_by(void *items, size_t nr, size_t size, uint64_t (*key)(const void *item))
{
	const struct array a = {items, size, key};
	size_t i = 1;

	/* Most often all is in order. */
	while (i < nr && key(item(&a, i - 1)) <= key(item(&a, i)))
		i++;
	if (i >= nr || size > 512)
		return;
	for (i = nr / 2; i-- > 0;)
		sift(&a, i, nr);
	for (i = nr; i-- > 1;) {
		swap(&a, 0, i);
		sift(&a, 0, i);
	}
}
