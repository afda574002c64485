// SPDX-License-Identifier: GPL-2.0-or-later
/* A likelihood ratio of single bytes, and what no table of single bytes sees: how many there are.
 */
#include "scan/chance.h"

#define DIFFERENT 6 /* what each different byte counts */
#define CHANCE	  125

/*
 * How much more often than by chance a byte stands in such blocks of programs and libraries (Debian
 * 12, amd64) as have 25 or more different bytes and few of the most frequent bytes of code: the
 * logarithm, in quarters of a bit.
 */
static const int8_t weights[256] = {
	/* clang-format off */
	15, 10, 10, 7, 8, 8, 8, 6, 5, 0, 4, 2, 4, 4, 5, 5,
	7, 1, -1, 0, 1, -1, -2, -1, 1, 0, -1, -1, -1, -4, -3, 1,
	4, 6, -2, -3, -1, -3, -3, -3, 0, -2, -2, -3, -1, -2, -2, -3,
	0, 2, -2, -5, -3, -5, -1, -3, 1, 0, -2, -2, -1, -3, -4, -5,
	8, 9, 2, 3, 2, 2, 0, -1, 7, 3, -2, -2, 1, 1, -2, -3,
	-1, -3, 0, -2, -1, -2, -4, -3, -3, -4, -5, 1, 1, 2, -1, 4,
	-2, 2, -1, 1, 0, 4, 2, -2, -2, 1, -5, -3, 1, 0, 2, 1,
	2, -5, 2, 3, 5, 2, -2, -3, -2, -2, -5, -5, -3, -3, -4, -3,
	1, -3, -5, 5, -1, 1, 3, -6, -3, 4, -5, 2, 3, 4, 2, 1,
	3, -5, -4, -6, -5, -6, 0, -5, -5, -6, -6, -7, -6, -7, -6, -7,
	4, 1, -2, -7, -4, -7, -6, -7, -4, -6, -3, -6, -4, -6, -6, -6,
	1, -7, -7, 0, -6, -7, -3, -5, -5, -7, -3, -6, -6, -7, -3, -3,
	7, 1, -3, 0, 0, -4, -3, -6, -4, -4, -6, -7, -4, -6, -6, -7,
	3, -5, -4, -6, -6, -7, -7, -7, 2, -7, -4, -5, -5, -6, -6, -6,
	-2, -3, -5, -6, -5, -5, -6, -6, 0, -3, -6, -3, -5, -5, -6, -5,
	-2, -5, -4, -5, -5, -2, -2, -4, -3, -4, -4, -2, 0, -5, -2, 3,
	/* clang-format on */
};

/*
 * Those places count that are the last of their value. It is asked of nearly all that is kept of a
 * dump, and a bit set for each byte would wait for the bit before.
 */
static inline unsigned different(const uint8_t *p, size_t len)
{
	uint8_t last[256]; /* place of each value; of those that are not there nobody asks */
	unsigned nr = 0;

	for (size_t i = 0; i < len; i++)
		last[p[i]] = (uint8_t)i;
	for (size_t i = 0; i < len; i++)
		nr += last[p[i]] == (uint8_t)i;
	return nr;
}

unsigned chance_different(const uint8_t *p, size_t len)
{
	return different(p, len);
}

bool chance_like(const uint8_t p[CHANCE_BLOCK])
{
	int sum = 0;

	for (unsigned i = 0; i < CHANCE_BLOCK; i++)
		sum += weights[p[i]];
	/* Even if all were different. */
	if (DIFFERENT * CHANCE_BLOCK - sum < CHANCE)
		return false;
	return DIFFERENT * (int)different(p, CHANCE_BLOCK) - sum >= CHANCE;
}
