// SPDX-License-Identifier: GPL-2.0-or-later
/* A likelihood ratio of single bytes, and what no table of single bytes sees: how many there are.
 */
#include "scan/chance.h"

#include "scan/code.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

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

static int weight_plain(const uint8_t p[CHANCE_BLOCK])
{
	int sum = 0;

	for (unsigned i = 0; i < CHANCE_BLOCK; i++)
		sum += weights[p[i]];
	return sum;
}

#if defined(__x86_64__)
#define BIAS 8 /* makes all weights positive */

/* The table in four registers; 128 of it are looked up at once, by the lower seven bits. */
__attribute__((target("avx512f,avx512bw,avx512vbmi"))) static int
weight_vbmi(const uint8_t p[CHANCE_BLOCK])
{
	__m512i v = _mm512_castsi256_si512(_mm256_loadu_si256((const __m256i *)p));
	__m512i low = _mm512_permutex2var_epi8(_mm512_loadu_si512(weights), v,
					       _mm512_loadu_si512(weights + 64));
	__m512i high = _mm512_permutex2var_epi8(_mm512_loadu_si512(weights + 128), v,
						_mm512_loadu_si512(weights + 192));
	__m256i sum =
		_mm512_castsi512_si256(_mm512_mask_blend_epi8(_mm512_movepi8_mask(v), low, high));
	__m128i half;

	sum = _mm256_sad_epu8(_mm256_add_epi8(sum, _mm256_set1_epi8(BIAS)), _mm256_setzero_si256());
	half = _mm_add_epi64(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1));
	return _mm_extract_epi16(half, 0) + _mm_extract_epi16(half, 4) - BIAS * CHANCE_BLOCK;
}
#endif

static int weight(const uint8_t p[CHANCE_BLOCK])
{
#if defined(__x86_64__)
	if (code_may(CODE_AVX512) && __builtin_cpu_supports("avx512vbmi") &&
	    __builtin_cpu_supports("avx512bw"))
		return weight_vbmi(p);
#endif
	return weight_plain(p);
}

static bool enough(const uint8_t p[CHANCE_BLOCK], int sum)
{
	/* Even if all were different. */
	if (DIFFERENT * CHANCE_BLOCK - sum < CHANCE)
		return false;
	return DIFFERENT * (int)different(p, CHANCE_BLOCK) - sum >= CHANCE;
}

bool chance_like(const uint8_t p[CHANCE_BLOCK])
{
	return enough(p, weight(p));
}

bool chance_like_plain(const uint8_t p[CHANCE_BLOCK])
{
	return enough(p, weight_plain(p));
}
