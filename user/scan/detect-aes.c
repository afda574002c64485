// SPDX-License-Identifier: GPL-2.0-or-later
/* AES schedules: a pattern over eight words, then the exact schedule. */
#include "scan/detect-aes.h"

#include <stdlib.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/cleanup.h"
#include "scan/code.h"

#define WORDS (AES_BLOCK / 4)

/* Which relations eight words show: by distance, in words, to the third one. */
enum { REL_128 = 1, REL_256 = 2, REL_192 = 4, REL_128_DEC = 8, REL_256_DEC = 16, REL_192_DEC = 32 };

struct tables {
	uint8_t sbox[256];
	uint32_t inverse_mix[256]; /* of a byte in the lowest place */
	/* Is this mask of eight words one that a schedule shows? */
	uint8_t four[256], six[256], six_dec[256];
};

static uint8_t times2(uint8_t a)
{
	return (uint8_t)(a << 1 ^ (a & 0x80 ? 0x1b : 0));
}

static uint8_t times(uint8_t a, uint8_t b)
{
	uint8_t r = 0;

	for (; b; b >>= 1, a = times2(a))
		if (b & 1)
			r ^= a;
	return r;
}

static uint8_t rotate8(uint8_t x, unsigned n)
{
	return (uint8_t)(x << n | x >> (8 - n));
}

static void fill(struct tables *t)
{
	uint8_t p = 1, q = 1; /* p runs through the field by powers of 3, q is its inverse */

	do {
		p ^= times2(p);
		q ^= (uint8_t)(q << 1);
		q ^= (uint8_t)(q << 2);
		q ^= (uint8_t)(q << 4);
		if (q & 0x80)
			q ^= 9;
		t->sbox[p] =
			q ^ rotate8(q, 1) ^ rotate8(q, 2) ^ rotate8(q, 3) ^ rotate8(q, 4) ^ 0x63;
	} while (p != 1);
	t->sbox[0] = 0x63;
	for (unsigned i = 0; i < 256; i++)
		t->inverse_mix[i] = times((uint8_t)i, 14) | (uint32_t)times((uint8_t)i, 9) << 8 |
				    (uint32_t)times((uint8_t)i, 13) << 16 |
				    (uint32_t)times((uint8_t)i, 11) << 24;
	for (unsigned phase = 0; phase < 6; phase++) {
		unsigned four = 0, six = 0;

		for (unsigned lane = 0; lane < WORDS; lane++) {
			four |= (unsigned)((lane + phase) % 4 != 0) << lane;
			six |= (unsigned)((lane + phase) % 6 != 0) << lane;
		}
		t->four[four] = 1;
		t->six[six] = 1;
	}
	/*
	 * With 192 bits and the rounds in reverse, the word a key's length before stands two words
	 * further on for the last two words of a round. It is so for each last one, and for the one
	 * before it in two rounds of three; it is not for the first two.
	 */
	for (unsigned phase = 0; phase < 4; phase++)
		for (unsigned third = 0; third < 4; third++) {
			unsigned mask = 0, seen = 0;

			for (unsigned lane = 0; lane < WORDS; lane++) {
				unsigned column = (lane + phase) % 4;

				if (column == 3 || (column == 2 && third >> seen++ & 1))
					mask |= 1U << lane;
			}
			t->six_dec[mask] = 1;
		}
}

static struct tables table;

__attribute__((constructor)) static void fill_table(void)
{
	fill(&table);
}

static uint32_t load(const uint8_t *p)
{
	uint32_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

static uint32_t load_as(const uint8_t *p, bool swapped)
{
	uint32_t x = load(p);

	return swapped ? __builtin_bswap32(x) : x;
}

static uint32_t rotate(uint32_t x, unsigned n)
{
	return x << n | x >> (32 - n);
}

static uint32_t sub_word(uint32_t x)
{
	return table.sbox[x & 255] | (uint32_t)table.sbox[x >> 8 & 255] << 8 |
	       (uint32_t)table.sbox[x >> 16 & 255] << 16 | (uint32_t)table.sbox[x >> 24] << 24;
}

static uint32_t inverse_mix(uint32_t x)
{
	return table.inverse_mix[x & 255] ^ rotate(table.inverse_mix[x >> 8 & 255], 8) ^
	       rotate(table.inverse_mix[x >> 16 & 255], 16) ^
	       rotate(table.inverse_mix[x >> 24], 24);
}

/* FIPS 197 section 5.2 from `from` on; words as little endian loads of their bytes. */
static void expand(uint32_t w[60], unsigned nk)
{
	uint8_t rcon = 1;

	for (unsigned i = nk; i < 4 * (nk + 7); i++) {
		uint32_t t = w[i - 1];

		if (i % nk == 0) {
			t = sub_word(rotate(t, 24)) ^ rcon;
			rcon = times2(rcon);
		} else if (nk > 6 && i % nk == 4) {
			t = sub_word(t);
		}
		w[i] = w[i - nk] ^ t;
	}
}

size_t aes_schedule(struct bytes key, bool mixed, uint8_t *out)
{
	unsigned nk = (unsigned)key.len / 4, rounds = nk + 6;
	uint32_t w[60];

	for (unsigned i = 0; i < nk; i++)
		w[i] = load(key.p + 4 * i);
	expand(w, nk);
	for (unsigned i = 0; i < 4 * (rounds + 1); i++) {
		unsigned r = i / 4;
		uint32_t x = mixed ? w[4 * (rounds - r) + i % 4] : w[i];

		if (mixed && r && r < rounds)
			x = inverse_mix(x);
		memcpy(out + 4 * i, &x, sizeof(x));
	}
	explicit_bzero(w, sizeof(w));
	return 16 * (size_t)(rounds + 1);
}

static bool is_encrypt(const uint8_t *p, unsigned nk, bool swapped, uint32_t w[60])
{
	for (unsigned i = 0; i < nk; i++)
		w[i] = load_as(p + 4 * i, swapped);
	if ((w[0] ^ sub_word(rotate(w[nk - 1], 24)) ^ 1) != load_as(p + 4 * nk, swapped))
		return false;
	expand(w, nk);
	for (unsigned i = nk; i < 4 * (nk + 7); i++)
		if (load_as(p + 4 * i, swapped) != w[i])
			return false;
	return true;
}

/* The rounds stand in reverse; all but the outer two went through InvMixColumns. */
static bool is_decrypt(const uint8_t *p, unsigned nk, bool swapped, uint32_t w[60])
{
	unsigned rounds = nk + 6;
	uint32_t next;

	for (unsigned i = 0; i < nk; i++) {
		unsigned at = i < 4 ? 4 * rounds + i : 4 * (rounds - 1) + i - 4;

		w[i] = load_as(p + 4 * at, swapped);
		/* MixColumns is the third power of its inverse. */
		if (i >= 4)
			w[i] = inverse_mix(inverse_mix(inverse_mix(w[i])));
	}
	/* The first word that is derived tells nearly always. */
	next = w[0] ^ sub_word(rotate(w[nk - 1], 24)) ^ 1;
	if (load_as(p + 4 * (4 * (rounds - nk / 4) + nk % 4), swapped) != inverse_mix(next))
		return false;
	expand(w, nk);
	for (unsigned r = 0; r <= rounds; r++)
		for (unsigned c = 0; c < 4; c++) {
			uint32_t want = w[4 * (rounds - r) + c];

			if (r && r < rounds)
				want = inverse_mix(want);
			if (load_as(p + 4 * (4 * r + c), swapped) != want)
				return false;
		}
	return true;
}

struct search {
	struct bytes memory;
	size_t *last_end;
	void (*hit)(void *userdata, const struct aes_hit *hit);
	void *userdata;
};

static bool try_at(const struct search *s, size_t at, unsigned relations)
{
	static const struct {
		unsigned relation, nk;
		bool decrypt;
	} forms[] = {
		{REL_128, 4, false},	{REL_256, 8, false},	{REL_192, 6, false},
		{REL_128_DEC, 4, true}, {REL_256_DEC, 8, true}, {REL_192_DEC, 6, true},
	};
	uint32_t w[60];

	for (size_t i = 0; i < 2 * ARRAY_SIZE(forms); i++) {
		unsigned nk = forms[i / 2].nk;
		bool swapped = i & 1, decrypt = forms[i / 2].decrypt;
		size_t size = 16 * (nk + 7);

		if (!(relations & forms[i / 2].relation) || size > s->memory.len - at)
			continue;
		if (decrypt ? is_decrypt(s->memory.p + at, nk, swapped, w)
			    : is_encrypt(s->memory.p + at, nk, swapped, w)) {
			struct aes_hit hit = {.at = at, .key_len = (uint8_t)(4 * nk)};

			hit.layout = decrypt   ? swapped ? LAYOUT_DECRYPT_W32 : LAYOUT_DECRYPT
				     : swapped ? LAYOUT_ENCRYPT_W32
					       : LAYOUT_ENCRYPT;
			memcpy(hit.key, w, hit.key_len);
			*s->last_end = at + size;
			s->hit(s->userdata, &hit);
			explicit_bzero(&hit, sizeof(hit));
			explicit_bzero(w, sizeof(w));
			return true;
		}
	}
	explicit_bzero(w, sizeof(w));
	return false;
}

static const struct {
	int distance; /* words */
	unsigned relation;
} relations_of[] = {
	{-4, REL_128},	  {-8, REL_256},    {-6, REL_192},
	{4, REL_128_DEC}, {8, REL_256_DEC}, {2, REL_192_DEC},
};

static unsigned pattern(unsigned relation, unsigned mask)
{
	const uint8_t *masks = relation == REL_192	 ? table.six
			       : relation == REL_192_DEC ? table.six_dec
							 : table.four;

	return masks[mask] ? relation : 0;
}

/* Which of eight words are the exclusive or of the one before and of the one at a distance. */
static unsigned mask_at(const uint8_t *p, int distance)
{
	unsigned mask = 0;

	for (int i = 0; i < WORDS; i++)
		mask |= (unsigned)((load(p + 4 * i) ^ load(p + 4 * i - 4)) ==
				   load(p + 4 * (i + distance)))
			<< i;
	return mask;
}

/* The shortest schedule has four blocks that show its pattern, one after another. */
static bool has_neighbour(const struct search *s, size_t at, int distance, unsigned relation)
{
	const uint8_t *p = s->memory.p + at;

	return (s->memory.len - at >= 3 * AES_BLOCK &&
		pattern(relation, mask_at(p + AES_BLOCK, distance))) ||
	       (at >= 2 * AES_BLOCK && pattern(relation, mask_at(p - AES_BLOCK, distance)));
}

/*
 * The block at `at` showed a pattern: the schedule starts somewhere before it, a multiple of its
 * period from the word that is no such sum.
 */
static void confirm(const struct search *s, size_t at, unsigned relations)
{
	size_t from = at > AES_SCHEDULE_MAX ? at - AES_SCHEDULE_MAX : at % 4;
	const uint8_t *p = s->memory.p + at;

	/* Zeros fulfil everything, and so do elements of an array that are all the same. Of a
	 * schedule's four blocks one has none, whatever the key. */
	for (unsigned i = 0; i < WORDS; i++)
		if (!load(p + 4 * (size_t)i) ||
		    load(p + 4 * (size_t)i) == load(p + 4 * (size_t)i - 4))
			return;
	for (size_t r = 0; r < ARRAY_SIZE(relations_of); r++) {
		unsigned relation = relations_of[r].relation & relations;
		unsigned period = relation == REL_192 ? 6 : relation == REL_192_DEC ? 1 : 4, mask;
		size_t start = at;

		if (!relation || !has_neighbour(s, at, relations_of[r].distance, relation))
			continue;
		mask = mask_at(p, relations_of[r].distance);
		if (period > 1)
			start += 4 * (size_t)__builtin_ctz(~mask);
		start = from + (start - from) % (4 * (size_t)period);
		for (; start <= at; start += 4 * (size_t)period)
			if (start >= *s->last_end && try_at(s, start, relation))
				return;
	}
}

/* The first and last blocks that have eight words on either side. */
static bool clip(struct bytes memory, size_t *from, size_t *to)
{
	if (memory.len < 3 * AES_BLOCK)
		return false;
	if (*from < AES_BLOCK)
		*from = AES_BLOCK;
	*from = (*from + AES_BLOCK - 1) / AES_BLOCK * AES_BLOCK;
	if (*to > memory.len - 2 * AES_BLOCK + 1)
		*to = memory.len - 2 * AES_BLOCK + 1;
	return *from < *to;
}

static unsigned block_scalar(const uint8_t *p)
{
	uint32_t x[WORDS];
	unsigned found = 0;
	bool any = false;

	for (unsigned i = 0; i < WORDS; i++) {
		x[i] = load(p + 4 * i) ^ load(p + 4 * i - 4);
		any |= x[i] != 0;
	}
	if (!any)
		return 0; /* a constant */
	for (size_t r = 0; r < ARRAY_SIZE(relations_of); r++) {
		unsigned mask = 0;

		for (unsigned i = 0; i < WORDS; i++)
			mask |= (unsigned)(x[i] ==
					   load(p + 4 * ((int)i + relations_of[r].distance)))
				<< i;
		found |= pattern(relations_of[r].relation, mask);
	}
	return found;
}

void aes_detect_scalar(struct bytes memory, size_t from, size_t to, size_t *last_end,
		       void (*hit)(void *userdata, const struct aes_hit *hit), void *userdata)
{
	struct search s = {memory, last_end, hit, userdata};

	if (!clip(memory, &from, &to))
		return;
	for (size_t at = from; at < to; at += AES_BLOCK) {
		unsigned found = block_scalar(memory.p + at);

		if (found)
			confirm(&s, at, found);
	}
}

#if defined(__x86_64__)
/* What every such processor has. Four words at a time. */
static unsigned block_sse2(const uint8_t *p)
{
#define AT(words) _mm_loadu_si128((const __m128i *)(p + 4 * (words)))
	__m128i low = _mm_xor_si128(AT(0), AT(-1)), high = _mm_xor_si128(AT(4), AT(3));
	unsigned found = 0;

	if (_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_or_si128(low, high), _mm_setzero_si128())) ==
	    0xffff)
		return 0;
	for (size_t r = 0; r < ARRAY_SIZE(relations_of); r++) {
		const int distance = relations_of[r].distance;
		__m128i l = _mm_cmpeq_epi32(low, AT(distance));
		__m128i h = _mm_cmpeq_epi32(high, AT(distance + 4));

		if (_mm_movemask_epi8(_mm_or_si128(l, h)))
			found |= pattern(relations_of[r].relation,
					 (unsigned)(_mm_movemask_ps(_mm_castsi128_ps(l)) |
						    _mm_movemask_ps(_mm_castsi128_ps(h)) << 4));
	}
#undef AT
	return found;
}

static void detect_sse2(const struct search *s, size_t from, size_t to)
{
	for (size_t at = from; at < to; at += AES_BLOCK) {
		unsigned found = block_sse2(s->memory.p + at);

		if (__builtin_expect(found != 0, 0))
			confirm(s, at, found);
	}
}

__attribute__((target("avx2"))) static unsigned block_avx2(const uint8_t *p)
{
#define AT(words) _mm256_loadu_si256((const __m256i *)(p + 4 * (words)))
	__m256i x = _mm256_xor_si256(AT(0), AT(-1));
	__m256i equal[ARRAY_SIZE(relations_of)];
	__m256i any = _mm256_setzero_si256();
	unsigned found = 0;

	if (_mm256_testz_si256(x, x))
		return 0;
	for (size_t r = 0; r < ARRAY_SIZE(relations_of); r++) {
		equal[r] = _mm256_cmpeq_epi32(x, AT(relations_of[r].distance));
		any = _mm256_or_si256(any, equal[r]);
	}
	if (__builtin_expect(_mm256_testz_si256(any, any), 1))
		return 0;
	for (size_t r = 0; r < ARRAY_SIZE(relations_of); r++)
		found |= pattern(relations_of[r].relation,
				 (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(equal[r])));
#undef AT
	return found;
}

__attribute__((target("avx2"))) static void detect_avx2(const struct search *s, size_t from,
							size_t to)
{
	for (size_t at = from; at < to; at += AES_BLOCK) {
		unsigned found = block_avx2(s->memory.p + at);

		if (__builtin_expect(found != 0, 0))
			confirm(s, at, found);
	}
}

/* Two blocks at a time. */
__attribute__((target("avx512f"))) static void detect_avx512(const struct search *s, size_t from,
							     size_t to)
{
#define AT(words) _mm512_loadu_si512(p + 4 * (words))
	size_t at = from;

	/* What the second block needs is there, if the first one has as much more. */
	for (; at < to && s->memory.len - at >= 4 * AES_BLOCK; at += 2 * AES_BLOCK) {
		const uint8_t *p = s->memory.p + at;
		__m512i x = _mm512_xor_si512(AT(0), AT(-1));
		unsigned equal[ARRAY_SIZE(relations_of)], any = 0, found[2] = {0};

		for (size_t r = 0; r < ARRAY_SIZE(relations_of); r++) {
			equal[r] = _mm512_cmpeq_epi32_mask(x, AT(relations_of[r].distance));
			any |= equal[r];
		}
		if (__builtin_expect(!any, 1))
			continue;
		for (size_t r = 0; r < ARRAY_SIZE(relations_of); r++) {
			found[0] |= pattern(relations_of[r].relation, equal[r] & 255);
			found[1] |= pattern(relations_of[r].relation, equal[r] >> 8);
		}
		for (size_t i = 0; i < 2; i++)
			if (__builtin_expect(found[i] && at + i * AES_BLOCK < to, 0))
				confirm(s, at + i * AES_BLOCK, found[i]);
	}
	detect_avx2(s, at, to);
#undef AT
}
#endif

void aes_detect(struct bytes memory, size_t from, size_t to, size_t *last_end,
		void (*hit)(void *userdata, const struct aes_hit *hit), void *userdata)
{
#if defined(__x86_64__)
	struct search s = {memory, last_end, hit, userdata};

	if (!clip(memory, &from, &to))
		return;
	if (code_may(CODE_AVX512) && __builtin_cpu_supports("avx512f"))
		detect_avx512(&s, from, to);
	else if (code_may(CODE_AVX2) && __builtin_cpu_supports("avx2"))
		detect_avx2(&s, from, to);
	else if (code_may(CODE_SSE2))
		detect_sse2(&s, from, to);
	else
		aes_detect_scalar(memory, from, to, last_end, hit, userdata);
#else
	aes_detect_scalar(memory, from, to, last_end, hit, userdata);
#endif
}
