// SPDX-License-Identifier: GPL-2.0-or-later
/* Zeros, and a word among others. */
#include "scan/sweep.h"

#include <string.h>

#include "scan/code.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

static bool is_zero_plain(const uint8_t *p, size_t len)
{
	uint64_t x, any = 0;

	for (; len >= 64 && !any; p += 64, len -= 64)
		for (unsigned i = 0; i < 64; i += sizeof(x)) {
			memcpy(&x, p + i, sizeof(x));
			any |= x;
		}
	for (; len; len--)
		any |= *p++;
	return !any;
}

static size_t find64_plain(const uint8_t *p, size_t at, size_t len, uint64_t word)
{
	uint64_t x;

	for (; at < len; at += sizeof(x)) {
		memcpy(&x, p + at, sizeof(x));
		if (x == word)
			break;
	}
	return at;
}

#if defined(__x86_64__)
static bool is_zero_sse2(const uint8_t *p, size_t len)
{
	for (; len >= 64; p += 64, len -= 64) {
		const __m128i *v = (const __m128i *)p;
		__m128i a = _mm_or_si128(_mm_loadu_si128(v), _mm_loadu_si128(v + 1));
		__m128i b = _mm_or_si128(_mm_loadu_si128(v + 2), _mm_loadu_si128(v + 3));

		a = _mm_cmpeq_epi8(_mm_or_si128(a, b), _mm_setzero_si128());
		if (_mm_movemask_epi8(a) != 0xffff)
			return false;
	}
	return is_zero_plain(p, len);
}

__attribute__((target("avx2"))) static bool is_zero_avx2(const uint8_t *p, size_t len)
{
	for (; len >= 128; p += 128, len -= 128) {
		const __m256i *v = (const __m256i *)p;
		__m256i a = _mm256_or_si256(_mm256_loadu_si256(v), _mm256_loadu_si256(v + 1));
		__m256i b = _mm256_or_si256(_mm256_loadu_si256(v + 2), _mm256_loadu_si256(v + 3));

		a = _mm256_or_si256(a, b);
		if (!_mm256_testz_si256(a, a))
			return false;
	}
	return is_zero_plain(p, len);
}

__attribute__((target("avx2"))) static size_t find64_avx2(const uint8_t *p, size_t len,
							  uint64_t word)
{
	const __m256i want = _mm256_set1_epi64x((long long)word);
	size_t at = 0;

	for (; at + 128 <= len; at += 128) {
		const __m256i *v = (const __m256i *)(p + at);
		__m256i a = _mm256_cmpeq_epi64(_mm256_loadu_si256(v), want);
		__m256i b = _mm256_cmpeq_epi64(_mm256_loadu_si256(v + 1), want);

		a = _mm256_or_si256(a, _mm256_cmpeq_epi64(_mm256_loadu_si256(v + 2), want));
		b = _mm256_or_si256(b, _mm256_cmpeq_epi64(_mm256_loadu_si256(v + 3), want));
		a = _mm256_or_si256(a, b);
		if (!_mm256_testz_si256(a, a))
			break;
	}
	return find64_plain(p, at, len, word);
}
#endif

bool sweep_is_zero(const uint8_t *p, size_t len)
{
#if defined(__x86_64__)
	if (code_may(CODE_AVX2) && __builtin_cpu_supports("avx2"))
		return is_zero_avx2(p, len);
	if (code_may(CODE_SSE2))
		return is_zero_sse2(p, len);
#endif
	return is_zero_plain(p, len);
}

size_t sweep_find64(const uint8_t *p, size_t len, uint64_t word)
{
#if defined(__x86_64__)
	if (code_may(CODE_AVX2) && __builtin_cpu_supports("avx2"))
		return find64_avx2(p, len, word);
#endif
	return find64_plain(p, 0, len, word);
}
