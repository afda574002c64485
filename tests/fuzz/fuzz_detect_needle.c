// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Needles made of the first bytes, looked for in all of them: plain and vector code agree, what is
 * found lies in the memory, and the key is found where it stands.
 */
#include <stdlib.h>

#include "scan/detect-needle.h"
#include "scan/needle-make.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
	size_t len;
	uint64_t sum;
	bool at_start;
};

static void on_hit(void *userdata, const struct needle_hit *hit)
{
	struct seen *seen = userdata;

	if (hit->at > seen->len || hit->form->span > seen->len - hit->at)
		abort();
	seen->sum = seen->sum * 31 + hit->at + hit->reversed;
	seen->at_start |= hit->at == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t key[NEEDLE_KEY_SIZE] = {9, 1, 7, 3, 5, 2, 8, 6, 4};
	_cleanup_needle_table_ struct needle_table *table = NULL;
	struct needle_last last = {0}, last_scalar = {0};
	struct seen vector = {.len = size}, scalar = {.len = size};
	size_t len = size ? 16 + data[0] % 49 : 0;
	struct needles needles = {.made = 1};
	struct needle needle = {.nr_forms = 0};
	uint8_t *copy;
	bool any;

	memcpy(needles.key, key, sizeof(key));
	if (size < len || needle_make((struct bytes){data, len}, key, true, &needle) < 0)
		return 0;
	copy = malloc(size);
	if (!copy || needles_add(&needles, &needle) < 0 ||
	    needle_table_new(&needles, 0, &table) < 0)
		abort();
	memcpy(copy, data, size);
	any = data[len - 1] & 1;
	needle_detect(table, (struct bytes){copy, size}, 0, size, any, 0, &last, on_hit, &vector);
	needle_detect_scalar(table, (struct bytes){copy, size}, 0, size, any, 0, &last_scalar,
			     on_hit, &scalar);
	if (vector.sum != scalar.sum)
		abort();
	/* With windows at each alignment or at the start there is no way to miss it; digits of hex
	 * were another key. */
	if (any && !vector.at_start && needles.items[0].forms[0].span == len &&
	    needles.items[0].forms[0].nr == NEEDLE_WINDOWS_MAX)
		abort();
	free(copy);
	needles_fini(&needles);
	return 0;
}
