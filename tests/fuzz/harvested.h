/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For fuzzers of what is asked of a harvest: all the bytes, gathered. */
#pragma once

#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "scan/harvest.h"

/* The last byte tells whether things stand at any address. NULL: too little memory. */
static inline struct harvest *harvest_of(const uint8_t *data, size_t size)
{
	const struct harvest_place place = {.bytes = size && data[size - 1] & 1};
	/* On the heap and just as long, for AddressSanitizer to see a step too far. */
	uint8_t *copy = malloc(size ? size : 1);
	size_t max = size / (RUN_MIN + RUN_GAP) + 2, nr;
	struct run *runs = calloc(max, sizeof(*runs));
	struct harvest *h = NULL;

	if (copy && runs && harvest_new(1 << 17, &h) == 0) {
		memcpy(copy, data, size);
		nr = runs_find((struct bytes){copy, size}, 0, size, place.bytes, runs, max);
		for (size_t i = 0; i < nr; i++) {
			struct harvest_part parts[HARVEST_PARTS];
			size_t found =
				harvest_find((struct bytes){copy, size}, &runs[i], &place, parts);

			for (size_t k = 0; k < found; k++)
				harvest_keep(h, (struct bytes){copy, size}, &place, &parts[k]);
		}
		harvest_sort(h);
	}
	free(copy);
	free(runs);
	return h;
}
