/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of detectors: memory with keys in it, through the harvest. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/rand.h>
#include <stdlib.h>

#include "scan/harvest.h"
#include "scan/limbs.h"

/* Puts a number of `bits` there as a library with this layout would. */
static inline _unused_ size_t put_bn(uint8_t *to, const BIGNUM *bn, unsigned bits,
				     enum finding_layout layout)
{
	uint64_t limbs[LIMBS_MAX] = {0};

	assert_true(BN_bn2lebinpad(bn, (uint8_t *)limbs, (int)bits / 8) > 0);
	limbs_store(layout, limbs, bits, to);
	return limbs_size(layout, bits);
}

/* All of the memory, in windows of 64 KiB that see as much beyond. */
static inline _unused_ struct harvest *harvest_memory(const uint8_t *p, size_t len, bool bytes)
{
	struct harvest *h;

	assert_int_equal(harvest_new(4 << 20, &h), 0);
	for (size_t at = 0; at < len; at += 65536) {
		size_t from = at < 512 ? at : 512;
		struct harvest_place place = {.offset = at - from, .bytes = bytes};
		size_t left = len - (at - from);
		size_t want = from + 65536 + 16384;

		struct bytes memory = {p + at - from, left < want ? left : want};
		struct run runs[65536 / 32];
		size_t nr = runs_find(memory, from, from + 65536, bytes, runs, ARRAY_SIZE(runs));

		for (size_t i = 0; i < nr; i++) {
			struct harvest_part parts[HARVEST_PARTS];
			size_t found = harvest_find(memory, &runs[i], &place, parts);

			for (size_t k = 0; k < found; k++)
				harvest_keep(h, memory, &place, &parts[k]);
		}
	}
	harvest_sort(h);
	return h;
}
