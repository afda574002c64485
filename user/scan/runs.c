// SPDX-License-Identifier: GPL-2.0-or-later
/* Runs of words that look random, by masks of 64 words each. */
#include "scan/runs.h"

#include "scan/runs-mask.h"

#define GAP_MAX 5 /* windows of four words without one word that is no key's */

static word_mask_fn *best_code(void)
{
	word_mask_fn *fn = NULL;

	for (unsigned code = CODE_NR; code-- > 0 && !fn;)
		if (code_may((enum scan_code)code))
			fn = word_mask_code((enum scan_code)code);
	return fn;
}

/* The masks of the words from `at` on; behind the end of memory there are none. */
static struct word_mask masks(word_mask_fn *mask_of, struct bytes memory, size_t at)
{
	struct word_mask m = {0, 0, 0};

	if (at + MASK_BYTES <= memory.len) {
		mask_of(memory.p + at, &m);
	} else if (at + 8 <= memory.len) {
		uint8_t tail[MASK_BYTES] = {0};

		memcpy(tail, memory.p + at, (memory.len - at) / 8 * 8);
		mask_of(tail, &m);
		explicit_bzero(tail, sizeof(tail));
	}
	return m;
}

/*
 * A bit for each word that begins four of them, of which one may look like code, with a byte over
 * 7f in each half. Where things stand at any address, 32 bytes have but three whole words.
 */
static uint64_t windows(struct word_mask now, struct word_mask next, bool three)
{
	unsigned __int128 r = (unsigned __int128)next.random << 64 | now.random;
	unsigned __int128 m = (unsigned __int128)next.maybe << 64 | now.maybe;
	unsigned __int128 h = (unsigned __int128)next.high << 64 | now.high;
	unsigned __int128 both = r & r >> 1, any = r | r >> 1;

	if (three)
		return (uint64_t)(m & m >> 1 & m >> 2 & (both | both >> 1 | (r & r >> 2)) &
				  (h | h >> 1) & (h >> 1 | h >> 2));
	m &= m >> 1;
	m &= m >> 2;
	h |= h >> 1;
	h &= h >> 2;
	return (uint64_t)(m & h & ((both & any >> 2) | (any & both >> 2)));
}

/* Where the stretch that begins at `at` ends, followed no further than RUN_REACH. */
static size_t end_of(word_mask_fn *mask_of, struct bytes memory, size_t at, bool three)
{
	struct word_mask now = masks(mask_of, memory, at);
	size_t last = at, width = three ? 24 : 32;

	for (size_t block = at; block < at + RUN_REACH; block += MASK_BYTES) {
		struct word_mask next = masks(mask_of, memory, block + MASK_BYTES);
		uint64_t w = windows(now, next, three);

		if (w == ~0ULL) {
			last = block + MASK_BYTES - 8;
		} else {
			for (size_t i = 0; i < 64; i++) {
				size_t here = block + 8 * i;

				if (w >> i & 1)
					last = here;
				else if (here - last > 8 * (size_t)GAP_MAX)
					return last + width;
			}
		}
		now = next;
	}
	return last + width;
}

size_t runs_find(struct bytes memory, size_t from, size_t to, bool bytes, struct run *out,
		 size_t max)
{
	size_t at = (from + 7) / 8 * 8, taken = at, nr = 0;
	word_mask_fn *mask_of = best_code();
	struct word_mask now;
	uint64_t before = 0;

	if (to > memory.len)
		to = memory.len;
	if (at >= to)
		return 0;
	/* What has begun before is another's. */
	if (at >= 8)
		before = windows(masks(mask_of, memory, at - 8), (struct word_mask){0, 0, 0},
				 bytes) &
			 1;
	now = masks(mask_of, memory, at);
	for (; at < to; at += MASK_BYTES) {
		struct word_mask next = masks(mask_of, memory, at + MASK_BYTES);
		uint64_t w = now.random | next.random ? windows(now, next, bytes) : 0;
		uint64_t starts = w & ~(w << 1 | before);

		for (; starts; starts &= starts - 1) {
			size_t start = at + 8 * (size_t)__builtin_ctzll(starts);

			if (start >= to || nr == max)
				break;
			if (start < taken)
				continue;
			taken = end_of(mask_of, memory, start, bytes);
			out[nr++] = (struct run){(uint32_t)start, (uint32_t)taken};
		}
		before = w >> 63;
		now = next;
		/* What a long stretch covers was looked at already. */
		if (taken >= at + 3 * (size_t)MASK_BYTES) {
			at = taken - MASK_BYTES;
			before = windows(masks(mask_of, memory, taken - 8),
					 (struct word_mask){0, 0, 0}, bytes) &
				 1;
			now = masks(mask_of, memory, taken);
		}
	}
	return nr;
}
