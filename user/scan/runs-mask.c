// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A first look at memory, 64 words at a time. Of zeros, small numbers and addresses, which a dump
 * is full of, the tops are enough. Eight bytes that machine code and tables are full of
 * are one in 32 by chance: a word with three of them is taken for such.
 */
#include "scan/runs-mask.h"

#include "base/cleanup.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#define CODE_BYTES_MAX	 2
#define CODE_BYTES_MAYBE 4

/* By their lower half: which upper halves are such bytes, a bit each (00 0f 24 48 89 8b e8 ff). */
enum { UP_0 = 1, UP_2 = 2, UP_4 = 4, UP_8 = 8, UP_E = 16, UP_F = 32 };
#define LOWER_HALVES UP_0, 0, 0, 0, UP_2, 0, 0, 0, UP_4 | UP_E, UP_8, 0, UP_8, 0, 0, 0, UP_0 | UP_F
#define UPPER_HALVES UP_0, 0, UP_2, 0, UP_4, 0, 0, 0, UP_8, 0, 0, 0, 0, 0, UP_E, UP_F

static const uint8_t lower[16] = {LOWER_HALVES}, upper[16] = {UPPER_HALVES};

static bool is_code_byte(uint8_t c)
{
	return lower[c & 15] & upper[c >> 4];
}

static void mask_plain(const uint8_t *p, struct word_mask *out)
{
	uint64_t random = 0, maybe = 0, high = 0;

	for (unsigned i = 0; i < 64; i++, p += 8) {
		uint64_t word;
		unsigned code = 0;

		memcpy(&word, p, sizeof(word));
		if (!run_word(p))
			continue;
		high |= (uint64_t)((word & 0x8080808080808080ULL) != 0) << i;
		for (unsigned k = 0; k < 8; k++)
			code += is_code_byte(p[k]);
		random |= (uint64_t)(code <= CODE_BYTES_MAX) << i;
		maybe |= (uint64_t)(code <= CODE_BYTES_MAYBE) << i;
	}
	*out = (struct word_mask){random, maybe, high};
}

#if defined(__x86_64__)
/* A bit for each of two words, from a mask in the lower half of each. */
static inline unsigned none2(__m128i bad)
{
	return (unsigned)~_mm_movemask_pd(_mm_castsi128_pd(_mm_slli_epi64(bad, 32))) & 3;
}

/* Two words: a mask as `random`, and two bits further on as `maybe`. */
static inline unsigned random2(__m128i v)
{
	static const uint8_t code_bytes[] = {0x0f, 0x24, 0x48, 0x89, 0x8b, 0xe8, 0xff};
	const __m128i zero = _mm_setzero_si128();
	__m128i code = _mm_cmpeq_epi8(v, zero), top, bad;

	/* The top 16 bits alone in 32-bit halves: equal to 0 or ffff? */
	top = _mm_srli_epi64(v, 48);
	bad = _mm_or_si128(_mm_cmpeq_epi32(top, zero),
			   _mm_cmpeq_epi32(top, _mm_set1_epi32(0xffff)));
	if (!none2(bad))
		return 0;
	for (unsigned i = 0; i < ARRAY_SIZE(code_bytes); i++)
		code = _mm_or_si128(code, _mm_cmpeq_epi8(v, _mm_set1_epi8((char)code_bytes[i])));
	/* Each match counts 255 in the sum of its word. */
	code = _mm_sad_epu8(code, zero);
	return none2(_mm_or_si128(bad,
				  _mm_cmpgt_epi32(code, _mm_set1_epi32(255 * CODE_BYTES_MAX)))) |
	       none2(_mm_or_si128(bad,
				  _mm_cmpgt_epi32(code, _mm_set1_epi32(255 * CODE_BYTES_MAYBE))))
		       << 2;
}

static inline unsigned high2(__m128i v)
{
	unsigned bytes = (unsigned)_mm_movemask_epi8(v);

	return (unsigned)((bytes & 0xff) != 0) | (unsigned)(bytes >> 8 != 0) << 1;
}

static void mask_sse2(const uint8_t *p, struct word_mask *out)
{
	uint64_t random = 0, maybe = 0, high = 0;

	for (unsigned i = 0; i < 32; i += 4) {
		__m128i v[4], any;

		for (unsigned k = 0; k < 4; k++)
			v[k] = _mm_loadu_si128((const __m128i *)(p + 16 * (i + k)));
		any = _mm_or_si128(_mm_or_si128(v[0], v[1]), _mm_or_si128(v[2], v[3]));
		if (_mm_movemask_epi8(_mm_cmpeq_epi8(any, _mm_setzero_si128())) == 0xffff)
			continue;
		for (unsigned k = 0; k < 4; k++) {
			unsigned two = random2(v[k]);

			random |= (uint64_t)(two & 3) << 2 * (i + k);
			maybe |= (uint64_t)(two >> 2) << 2 * (i + k);
			high |= (uint64_t)high2(v[k]) << 2 * (i + k);
		}
	}
	*out = (struct word_mask){random, maybe, high};
}

__attribute__((target("avx2"))) static inline unsigned none4(__m256i bad)
{
	bad = _mm256_slli_epi64(bad, 32);
	return ~(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(bad)) & 15;
}

__attribute__((target("avx2"))) static void mask_avx2(const uint8_t *p, struct word_mask *out)
{
	const __m256i zero = _mm256_setzero_si256(), ones = _mm256_set1_epi32(0xffff);
	const __m256i low_table = _mm256_setr_epi8(LOWER_HALVES, LOWER_HALVES);
	const __m256i high_table = _mm256_setr_epi8(UPPER_HALVES, UPPER_HALVES);
	const __m256i half = _mm256_set1_epi8(15);
	/* Each byte that is none counts 255 in the sum of its word. */
	const __m256i limit = _mm256_set1_epi32(255 * (8 - CODE_BYTES_MAX));
	const __m256i maybe_limit = _mm256_set1_epi32(255 * (8 - CODE_BYTES_MAYBE));
	uint64_t random = 0, maybe = 0, high = 0;

	for (unsigned i = 0; i < 16; i++) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(p + 32 * i));
		__m256i top = _mm256_srli_epi64(v, 48), code, bad;
		uint32_t bytes;

		bad = _mm256_or_si256(_mm256_cmpeq_epi32(top, zero), _mm256_cmpeq_epi32(top, ones));
		if (!none4(bad))
			continue;
		code = _mm256_and_si256(
			_mm256_shuffle_epi8(low_table, _mm256_and_si256(v, half)),
			_mm256_shuffle_epi8(high_table,
					    _mm256_and_si256(_mm256_srli_epi16(v, 4), half)));
		code = _mm256_cmpeq_epi8(code, zero);
		code = _mm256_sad_epu8(code, zero);
		random |= (uint64_t)none4(_mm256_or_si256(bad, _mm256_cmpgt_epi32(limit, code)))
			  << 4 * i;
		maybe |=
			(uint64_t)none4(_mm256_or_si256(bad, _mm256_cmpgt_epi32(maybe_limit, code)))
			<< 4 * i;
		/* Bit 7 of each byte, then whether a word has any. */
		bytes = (uint32_t)_mm256_movemask_epi8(v);
		bytes |= bytes >> 4;
		bytes |= bytes >> 2;
		bytes |= bytes >> 1;
		bytes &= 0x01010101;
		high |= (uint64_t)((bytes * 0x10204080U) >> 28 & 15) << 4 * i;
	}
	*out = (struct word_mask){random, maybe, high};
}

/* Bit 7 of each byte, as a number of eight bits. */
static inline uint64_t tops(uint64_t x)
{
	return ((x & 0x8080808080808080ULL) >> 7) * 0x0102040810204080ULL >> 56;
}

__attribute__((target("avx512f,avx512bw"))) static void mask_avx512(const uint8_t *p,
								    struct word_mask *out)
{
	const __m512i one = _mm512_set1_epi64(1), limit = _mm512_set1_epi64(0xfffe);
	const __m512i low_table = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)lower));
	const __m512i high_table = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)upper));
	const __m512i half = _mm512_set1_epi8(15);
	const uint64_t fives = 0x5555555555555555ULL, threes = 0x3333333333333333ULL;
	const uint64_t ones = 0x0101010101010101ULL, low7 = 0x7f7f7f7f7f7f7f7fULL;
	uint64_t random = 0, maybe = 0, high = 0;

	for (unsigned i = 0; i < 8; i++) {
		__m512i v = _mm512_loadu_si512(p + 64 * i);
		uint64_t top =
			_mm512_cmplt_epu64_mask(_mm512_sub_epi64(_mm512_srli_epi64(v, 48), one),
						limit);
		uint64_t code, bytes;
		__m512i a, b;

		if (!top)
			continue;
		a = _mm512_shuffle_epi8(low_table, _mm512_and_si512(v, half));
		b = _mm512_shuffle_epi8(high_table,
					_mm512_and_si512(_mm512_srli_epi16(v, 4), half));
		code = _mm512_test_epi8_mask(a, b);
		bytes = _mm512_movepi8_mask(v);
		/* How many there are in each byte of the mask, which is a word of memory. */
		code -= code >> 1 & fives;
		code = (code & threes) + (code >> 2 & threes);
		code = (code + (code >> 4)) & 0x0f0f0f0f0f0f0f0fULL;
		random |= (top & ~tops(code + ones * (127 - CODE_BYTES_MAX))) << 8 * i;
		maybe |= (top & ~tops(code + ones * (127 - CODE_BYTES_MAYBE))) << 8 * i;
		high |= tops(((bytes & low7) + low7) | bytes) << 8 * i;
	}
	*out = (struct word_mask){random, maybe, high};
}
#endif

word_mask_fn *word_mask_code(enum scan_code code)
{
	switch (code) {
	case CODE_PLAIN:
		return mask_plain;
#if defined(__x86_64__)
	case CODE_SSE2:
		return mask_sse2;
	case CODE_AVX2:
		return __builtin_cpu_supports("avx2") ? mask_avx2 : NULL;
	case CODE_AVX512:
		return __builtin_cpu_supports("avx512bw") ? mask_avx512 : NULL;
#endif
	default:
		return NULL;
	}
}
