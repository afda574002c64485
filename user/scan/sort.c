// SPDX-License-Identifier: GPL-2.0-or-later
/* Insertion where that is short, else heapsort: no memory, no bad cases. */
#include "scan/sort.h"

#include <stdbool.h>
#include <string.h>

#define ITEM_MAX 512
#define MOVES	 4 /* for each item: most often all is nearly in order */

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
	uint8_t tmp[ITEM_MAX];

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

/* By insertion; false if there is too much to move. */
static bool insert(const struct array *a, size_t nr)
{
	size_t left = MOVES * nr;

	for (size_t i = 1; i < nr; i++)
		for (size_t k = i; k && a->key(item(a, k - 1)) > a->key(item(a, k)); k--) {
			if (!left--)
				return false;
			swap(a, k - 1, k);
		}
	return true;
}

void sort_by(void *items, size_t nr, size_t size, uint64_t (*key)(const void *item))
{
	const struct array a = {items, size, key};
	size_t i;

	if (size > ITEM_MAX || insert(&a, nr))
		return;
	for (i = nr / 2; i-- > 0;)
		sift(&a, i, nr);
	for (i = nr; i-- > 1;) {
		swap(&a, 0, i);
		sift(&a, 0, i);
	}
}
