// SPDX-License-Identifier: GPL-2.0-or-later
/* Bitmap, table, MAC: the three sieves of the search for known keys. */
#include "scan/detect-needle.h"

#include <errno.h>
#include <openssl/crypto.h>

#include "base/hash.h"
#include "scan/code.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/*
 * Bits of the bitmap for each tag at least, and its bounds, as powers of two: 16 KiB to 2 MiB. Up
 * to 1,000 RSA keys it takes a quarter of a usual second-level cache.
 */
#define BITS_PER_TAG   24
#define BITMAP_LOG_MIN 17
#define BITMAP_LOG_MAX 24

struct entry {
	uint32_t tag;
	uint32_t ref; /* form's number in `forms` * 8 + the window's, + 1; 0: free */
};

struct form_ref {
	uint32_t needle;
	uint32_t form;
};

struct needle_table {
	const struct needles *needles;
	struct needle_hash hash;
	unsigned shift; /* of a hash, to the first bit; five less, to the second */
	uint32_t *bitmap;
	struct form_ref *forms;
	struct entry *entries;
	size_t mask;
	bool has_bits[33]; /* which sizes of tags there are */
};

static size_t slot(const struct needle_table *t, uint32_t tag, unsigned bits)
{
	return (size_t)hash_u64((uint64_t)tag << 8 | bits) & t->mask;
}

/*
 * Two bits in one word of the bitmap, which the upper bits of the hash name: with one, a word in 60
 * would pass at 1,000 keys. A tag of fewer bits stands for all that begin with them.
 */
static void mark(struct needle_table *t, uint32_t tag, unsigned bits)
{
	unsigned second = t->shift - 5;
	uint32_t first = tag >> second;
	uint32_t nr = 32 - bits > second ? 1U << (32 - bits - second) : 1;

	for (uint32_t at = first; at - first < nr; at++)
		t->bitmap[at >> 10] |= 1U << (at >> 5 & 31) | 1U << (at & 31);
}

static void insert(struct needle_table *t, uint32_t tag, unsigned bits, uint32_t ref)
{
	size_t at = slot(t, tag, bits);

	while (t->entries[at].ref)
		at = (at + 1) & t->mask;
	t->entries[at] = (struct entry){tag, ref};
	t->has_bits[bits] = true;
	mark(t, tag, bits);
}

static bool expired(const struct needle *n, int64_t now)
{
	return now && n->expires && n->expires <= now;
}

static size_t count_tags(const struct needles *needles, int64_t now, size_t *out_forms)
{
	size_t nr = 0, forms = 0;

	for (size_t i = 0; i < needles->nr; i++) {
		const struct needle *n = &needles->items[i];

		for (unsigned f = 0; f < n->nr_forms && !expired(n, now); f++, forms++)
			nr += n->forms[f].nr;
	}
	*out_forms = forms;
	return nr;
}

static void fill(struct needle_table *t, int64_t now)
{
	uint32_t nr = 0;

	for (size_t i = 0; i < t->needles->nr; i++) {
		const struct needle *n = &t->needles->items[i];

		if (expired(n, now))
			continue;
		for (unsigned f = 0; f < n->nr_forms; f++, nr++) {
			const struct needle_form *form = &n->forms[f];

			t->forms[nr] = (struct form_ref){(uint32_t)i, f};
			for (unsigned w = 0; w < form->nr; w++)
				insert(t, form->windows[w].tag, form->tag_bits,
				       nr * NEEDLE_WINDOWS_MAX + w + 1);
		}
	}
}

int needle_table_new(const struct needles *needles, int64_t now, struct needle_table **out_table)
{
	_cleanup_needle_table_ struct needle_table *t = calloc(1, sizeof(*t));
	unsigned log = BITMAP_LOG_MIN;
	size_t forms, nr = 64;
	size_t tags = count_tags(needles, now, &forms);

	if (!t)
		return -ENOMEM;
	while (3 * nr < 4 * tags)
		nr *= 2;
	while (log < BITMAP_LOG_MAX && (1UL << log) < BITS_PER_TAG * tags)
		log++;
	t->needles = needles;
	t->hash = needle_hash(needles->key);
	t->shift = 32 - log;
	t->mask = nr - 1;
	t->forms = calloc(forms + 1, sizeof(*t->forms));
	t->entries = calloc(nr, sizeof(*t->entries));
	t->bitmap = calloc(1, 1UL << (log - 3));
	if (!t->forms || !t->entries || !t->bitmap)
		return -ENOMEM;
	fill(t, now);
	*out_table = take_ptr(t);
	return 0;
}

void needle_table_free(struct needle_table *t)
{
	if (!t)
		return;
	free(t->forms);
	free(t->entries);
	free(t->bitmap);
	free(t);
}

struct search {
	const struct needle_table *table;
	struct bytes memory;
	size_t to;
	uint64_t base;
	struct needle_last *last;
	void (*hit)(void *userdata, const struct needle_hit *hit);
	void *userdata;
};

/* Is all of the form there, around its window at `at`? */
static bool prove(const struct search *s, const struct needle *n, const struct needle_form *form,
		  unsigned window, size_t at, bool reversed)
{
	unsigned in = form->windows[window].at;
	size_t before = reversed ? form->span - in - NEEDLE_WINDOW : in;
	uint8_t span[NEEDLE_SPAN_MAX], mac[16];
	size_t start = at - before;
	bool same;

	if (at < before || form->span > s->memory.len - start)
		return false;
	if (s->last->needle == n && s->last->place == s->base + start)
		return true;
	for (unsigned i = 0; i < form->span; i++)
		span[reversed ? form->span - 1U - i : i] = s->memory.p[start + i];
	same = needle_mac(s->table->needles->key, form->part, form->layout, span, form->span,
			  mac) == 0 &&
	       CRYPTO_memcmp(mac, form->mac, sizeof(mac)) == 0;
	explicit_bzero(span, sizeof(span));
	if (!same)
		return false;
	*s->last = (struct needle_last){s->base + start, n};
	s->hit(s->userdata, &(struct needle_hit){start, n, form, reversed});
	return true;
}

static void try(const struct search *s, uint32_t ref, unsigned bits, size_t at)
{
	const struct form_ref *r = &s->table->forms[ref / NEEDLE_WINDOWS_MAX];
	const struct needle *n = &s->table->needles->items[r->needle];
	const struct needle_form *form = &n->forms[r->form];
	unsigned window = ref % NEEDLE_WINDOWS_MAX;

	if (form->tag_bits == bits && !prove(s, n, form, window, at, false) &&
	    form->layout == NEEDLE_BYTES)
		prove(s, n, form, window, at, true);
}

/* The bitmap has said that this word may be one. */
static void __attribute__((noinline)) look_up(const struct search *s, size_t at, uint32_t hash)
{
	static const uint8_t sizes[] = {32, 24, 16};
	const struct needle_table *t = s->table;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned bits = sizes[i];
		uint32_t tag = hash & ~0U << (32 - bits);

		if (!t->has_bits[bits])
			continue;
		for (size_t pos = slot(t, tag, bits); t->entries[pos].ref;
		     pos = (pos + 1) & t->mask)
			if (t->entries[pos].tag == tag)
				try(s, t->entries[pos].ref - 1, bits, at);
	}
}

static inline bool in_bitmap(const struct needle_table *t, uint32_t hash)
{
	uint32_t at = hash >> (t->shift - 5);
	uint32_t word = t->bitmap[at >> 10];

	return word >> (at >> 5 & 31) & word >> (at & 31) & 1;
}

static void search_scalar(const struct search *s, size_t from)
{
	const struct needle_table *t = s->table;

	for (size_t at = from; at < s->to && s->memory.len - at >= NEEDLE_WINDOW; at += 8) {
		const uint8_t *p = s->memory.p + at;
		uint32_t hash;

		if (needle_has_zero(p))
			continue;
		hash = needle_tag(t->hash, needle_fold(p));
		if (in_bitmap(t, hash))
			look_up(s, at, hash);
	}
}

#if defined(__x86_64__)
/* 8 words at a time. */
__attribute__((target("avx2"))) static void search_avx2(const struct search *s, size_t from)
{
	const struct needle_table *t = s->table;
	/* In each half of a vector: the bytes of both upper words, reversed, then moved down. */
	const __m256i upper =
		_mm256_setr_epi8(7, 6, 5, 4, 15, 14, 13, 12, -1, -1, -1, -1, -1, -1, -1, -1, 7, 6,
				 5, 4, 15, 14, 13, 12, -1, -1, -1, -1, -1, -1, -1, -1);
	const __m256i lower =
		_mm256_setr_epi8(0, 1, 2, 3, 8, 9, 10, 11, -1, -1, -1, -1, -1, -1, -1, -1, 0, 1, 2,
				 3, 8, 9, 10, 11, -1, -1, -1, -1, -1, -1, -1, -1);
	const __m256i mask = _mm256_set1_epi32((int)t->hash.mask);
	const __m256i multiplier = _mm256_set1_epi32((int)t->hash.multiplier);
	const __m256i zero = _mm256_setzero_si256();
	const __m128i shift = _mm_cvtsi32_si128((int)t->shift - 5);
	const __m256i five = _mm256_set1_epi32(31);
	size_t at = from;

	for (; at + 64 <= s->memory.len && at + 56 < s->to; at += 64) {
		const __m256i *p = (const __m256i *)(s->memory.p + at);
		__m256i a = _mm256_loadu_si256(p), b = _mm256_loadu_si256(p + 1);
		__m256i za = _mm256_cmpeq_epi64(_mm256_cmpeq_epi8(a, zero), zero);
		__m256i zb = _mm256_cmpeq_epi64(_mm256_cmpeq_epi8(b, zero), zero);
		unsigned full = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(za)) |
				(unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(zb)) << 4;
		__m256i fa, fb, hash, bit, words, hits;
		uint32_t hashes[8];
		unsigned m;

		if (!full)
			continue;
		/* Words 0 1 of a, 0 1 of b, 2 3 of a, 2 3 of b. */
		fa = _mm256_xor_si256(_mm256_shuffle_epi8(a, lower), _mm256_shuffle_epi8(a, upper));
		fb = _mm256_xor_si256(_mm256_shuffle_epi8(b, lower), _mm256_shuffle_epi8(b, upper));
		hash = _mm256_xor_si256(_mm256_unpacklo_epi64(fa, fb), mask);
		hash = _mm256_permute4x64_epi64(hash, 0xd8);
		hash = _mm256_mullo_epi32(hash, multiplier);
		bit = _mm256_srl_epi32(hash, shift);
		words = _mm256_i32gather_epi32((const int *)t->bitmap, _mm256_srli_epi32(bit, 10),
					       4);
		hits = _mm256_srlv_epi32(words, _mm256_and_si256(bit, five));
		bit = _mm256_and_si256(_mm256_srli_epi32(bit, 5), five);
		hits = _mm256_and_si256(hits, _mm256_srlv_epi32(words, bit));
		m = (unsigned)_mm256_movemask_ps(_mm256_castsi256_ps(_mm256_slli_epi32(hits, 31))) &
		    full;
		if (__builtin_expect(!m, 1))
			continue;
		_mm256_storeu_si256((__m256i *)hashes, hash);
		for (; m; m &= m - 1) {
			unsigned i = (unsigned)__builtin_ctz(m);

			look_up(s, at + 8 * i, hashes[i]);
		}
	}
	search_scalar(s, at);
}

/* Up to so many of 16 words are looked up one by one: a gather takes its time for all of them. */
#define SPARSE 3

/* 16 words at a time. */
__attribute__((target("avx512f,avx512bw,avx512vl"))) static void
search_avx512(const struct search *s, size_t from)
{
	const struct needle_table *t = s->table;
	const __m512i upper = _mm512_broadcast_i32x4(
		_mm_setr_epi8(7, 6, 5, 4, -1, -1, -1, -1, 15, 14, 13, 12, -1, -1, -1, -1));
	const __m512i mask = _mm512_set1_epi32((int)t->hash.mask);
	const __m512i multiplier = _mm512_set1_epi32((int)t->hash.multiplier);
	const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
	const __m128i shift = _mm_cvtsi32_si128((int)t->shift - 5);
	size_t at = from;

	for (; at + 128 <= s->memory.len && at + 120 < s->to; at += 128) {
		__m512i a = _mm512_loadu_si512(s->memory.p + at);
		__m512i b = _mm512_loadu_si512(s->memory.p + at + 64);
		__mmask64 za = _mm512_testn_epi8_mask(a, a), zb = _mm512_testn_epi8_mask(b, b);
		__mmask8 fa = _mm512_cmpeq_epi64_mask(_mm512_movm_epi8(za), zero);
		__mmask8 fb = _mm512_cmpeq_epi64_mask(_mm512_movm_epi8(zb), zero);
		__mmask16 full = (__mmask16)(fa | fb << 8), m;
		__m512i hash, bit, words;
		uint32_t hashes[16];

		if (!full)
			continue;
		a = _mm512_xor_si512(a, _mm512_shuffle_epi8(a, upper));
		b = _mm512_xor_si512(b, _mm512_shuffle_epi8(b, upper));
		hash = _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvtepi64_epi32(a)),
					  _mm512_cvtepi64_epi32(b), 1);
		hash = _mm512_mullo_epi32(_mm512_xor_si512(hash, mask), multiplier);
		bit = _mm512_srl_epi32(hash, shift);
		if (__builtin_popcount(full) <= SPARSE) {
			_mm512_storeu_si512(hashes, hash);
			for (unsigned left = full; left; left &= left - 1) {
				unsigned i = (unsigned)__builtin_ctz(left);

				if (in_bitmap(t, hashes[i]))
					look_up(s, at + 8 * i, hashes[i]);
			}
			continue;
		}
		words = _mm512_mask_i32gather_epi32(zero, full, _mm512_srli_epi32(bit, 10),
						    t->bitmap, 4);
		/* Counts of a rotation are taken modulo 32. */
		m = _mm512_mask_test_epi32_mask(full, _mm512_rorv_epi32(words, bit), one);
		m = _mm512_mask_test_epi32_mask(m,
						_mm512_rorv_epi32(words, _mm512_srli_epi32(bit, 5)),
						one);
		if (__builtin_expect(!m, 1))
			continue;
		_mm512_storeu_si512(hashes, hash);
		for (unsigned bits = m; bits; bits &= bits - 1) {
			unsigned i = (unsigned)__builtin_ctz(bits);

			look_up(s, at + 8 * i, hashes[i]);
		}
	}
	search_scalar(s, at);
}
#endif

static void search(const struct search *s, size_t from, bool scalar)
{
#if defined(__x86_64__)
	if (!scalar && code_may(CODE_AVX512) && __builtin_cpu_supports("avx512bw") &&
	    __builtin_cpu_supports("avx512vl")) {
		search_avx512(s, from);
		return;
	}
	if (!scalar && code_may(CODE_AVX2) && __builtin_cpu_supports("avx2")) {
		search_avx2(s, from);
		return;
	}
#endif
	search_scalar(s, from);
}

static void detect(const struct search *s, size_t from, bool any_alignment, bool scalar)
{
	if (!s->table->needles->nr)
		return;
	if (!any_alignment) {
		search(s, (from + 7) / 8 * 8, scalar);
		return;
	}
	for (size_t shift = 0; shift < 8; shift++)
		search(s, from + shift, scalar);
}

void needle_detect(const struct needle_table *table, struct bytes memory, size_t from, size_t to,
		   bool any_alignment, uint64_t base, struct needle_last *last,
		   void (*hit)(void *userdata, const struct needle_hit *hit), void *userdata)
{
	struct search s = {table, memory,  to < memory.len ? to : memory.len, base, last,
			   hit,	  userdata};

	detect(&s, from, any_alignment, false);
}

void needle_detect_scalar(const struct needle_table *table, struct bytes memory, size_t from,
			  size_t to, bool any_alignment, uint64_t base, struct needle_last *last,
			  void (*hit)(void *userdata, const struct needle_hit *hit), void *userdata)
{
	struct search s = {table, memory,  to < memory.len ? to : memory.len, base, last,
			   hit,	  userdata};

	detect(&s, from, any_alignment, true);
}
