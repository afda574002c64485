// SPDX-License-Identifier: GPL-2.0-or-later
/* Three table lookups for each place, or two for two. */
#include "scan/markers.h"

#include "scan/code.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

void markers_init(struct markers *m, const struct marker3 *list, size_t nr)
{
	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < nr; i++)
		for (unsigned k = 0; k < 3; k++) {
			uint8_t c = list[i].bytes[k], bit = (uint8_t)(1U << list[i].group);

			m->low[k][c & 15] |= bit;
			m->high[k][c >> 4] |= bit;
		}
	for (unsigned k = 0; k < 3; k++)
		for (unsigned c = 0; c < 256; c++)
			m->exact[k][c] = m->low[k][c & 15] & m->high[k][c >> 4];
	for (unsigned k = 0; k < 2; k++)
		for (unsigned c = 0; c < 256; c++)
			m->pair[k][c] = (uint16_t)(m->exact[k][c] | m->exact[k + 1][c] << 8);
}

/* Every second place is looked at: there stand the first two bytes of a marker, or its last two. */
void markers_find_plain(const struct markers *m, struct bytes memory, size_t from, size_t to,
			void (*hit)(void *userdata, size_t at, unsigned groups), void *userdata)
{
	const uint8_t *p = memory.p;

	if (memory.len < 3)
		return;
	if (to > memory.len - 2)
		to = memory.len - 2;
	for (size_t i = from; from < to && i <= to; i += 2) {
		unsigned groups = m->pair[0][p[i]] & m->pair[1][p[i + 1]], before;

		if (!groups)
			continue;
		before = i > from ? groups >> 8 & m->exact[0][p[i - 1]] : 0;
		groups = i < to ? groups & m->exact[2][p[i + 2]] : 0;
		if (before)
			hit(userdata, i - 1, before);
		if (groups)
			hit(userdata, i, groups);
	}
}

#if defined(__x86_64__)
__attribute__((target("avx2"))) static inline __m256i look_up(__m256i v, __m256i low, __m256i high)
{
	const __m256i half = _mm256_set1_epi8(15);

	return _mm256_and_si256(_mm256_shuffle_epi8(low, _mm256_and_si256(v, half)),
				_mm256_shuffle_epi8(high, _mm256_and_si256(_mm256_srli_epi16(v, 4),
									   half)));
}

__attribute__((target("avx2"))) static size_t
find_avx2(const struct markers *m, const uint8_t *p, size_t from, size_t to,
	  void (*hit)(void *userdata, size_t at, unsigned groups), void *userdata)
{
	const __m256i zero = _mm256_setzero_si256();
	__m256i low[3], high[3];
	size_t i = from;

	for (unsigned k = 0; k < 3; k++) {
		low[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)m->low[k]));
		high[k] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)m->high[k]));
	}
	for (; i + 34 <= to; i += 32) {
		__m256i v = _mm256_loadu_si256((const __m256i *)(p + i)), r;
		uint32_t mask;

		if (_mm256_testz_si256(v, v))
			continue;
		r = look_up(v, low[0], high[0]);
		r = _mm256_and_si256(r, look_up(_mm256_loadu_si256((const __m256i *)(p + i + 1)),
						low[1], high[1]));
		r = _mm256_and_si256(r, look_up(_mm256_loadu_si256((const __m256i *)(p + i + 2)),
						low[2], high[2]));
		mask = ~(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(r, zero));
		for (; __builtin_expect(mask != 0, 0); mask &= mask - 1) {
			size_t at = i + (unsigned)__builtin_ctz(mask);

			hit(userdata, at,
			    m->exact[0][p[at]] & m->exact[1][p[at + 1]] & m->exact[2][p[at + 2]]);
		}
	}
	return i;
}

__attribute__((target("avx512f,avx512bw"))) static inline __m512i
look_up_wide(__m512i v, __m512i low, __m512i high)
{
	const __m512i half = _mm512_set1_epi8(15);

	return _mm512_and_si512(_mm512_shuffle_epi8(low, _mm512_and_si512(v, half)),
				_mm512_shuffle_epi8(high, _mm512_and_si512(_mm512_srli_epi16(v, 4),
									   half)));
}

__attribute__((target("avx512f,avx512bw"))) static size_t
find_avx512(const struct markers *m, const uint8_t *p, size_t from, size_t to,
	    void (*hit)(void *userdata, size_t at, unsigned groups), void *userdata)
{
	__m512i low[3], high[3];
	size_t i = from;

	for (unsigned k = 0; k < 3; k++) {
		low[k] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)m->low[k]));
		high[k] = _mm512_broadcast_i32x4(_mm_loadu_si128((const __m128i *)m->high[k]));
	}
	for (; i + 66 <= to; i += 64) {
		__m512i v = _mm512_loadu_si512(p + i), r;
		uint64_t mask;

		if (!_mm512_test_epi8_mask(v, v))
			continue;
		r = look_up_wide(v, low[0], high[0]);
		r = _mm512_and_si512(r,
				     look_up_wide(_mm512_loadu_si512(p + i + 1), low[1], high[1]));
		mask = _mm512_test_epi8_mask(r, look_up_wide(_mm512_loadu_si512(p + i + 2), low[2],
							     high[2]));
		for (; __builtin_expect(mask != 0, 0); mask &= mask - 1) {
			size_t at = i + (unsigned)__builtin_ctzll(mask);

			hit(userdata, at,
			    m->exact[0][p[at]] & m->exact[1][p[at + 1]] & m->exact[2][p[at + 2]]);
		}
	}
	return i;
}
#endif

void markers_find(const struct markers *m, struct bytes memory, size_t from, size_t to,
		  void (*hit)(void *userdata, size_t at, unsigned groups), void *userdata)
{
#if defined(__x86_64__)
	if (memory.len >= 3 && code_may(CODE_AVX2) && __builtin_cpu_supports("avx2")) {
		size_t limit = to < memory.len - 2 ? to + 2 : memory.len;

		if (from < to && code_may(CODE_AVX512) && __builtin_cpu_supports("avx512bw"))
			from = find_avx512(m, memory.p, from, limit, hit, userdata);
		else if (from < to)
			from = find_avx2(m, memory.p, from, limit, hit, userdata);
	}
#endif
	markers_find_plain(m, memory, from, to, hit, userdata);
}
