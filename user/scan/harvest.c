// SPDX-License-Identifier: GPL-2.0-or-later
/* Stretches of memory that could be keys: carved out of runs, kept once each. */
#include "scan/harvest.h"

#include <openssl/sha.h>

#include "base/hash.h"
#include "scan/chance.h"
#include "scan/sort.h"
#include "scan/wipe.h"

#define STRETCHES_MAX	 98304
#define BLOCK		 CHANCE_BLOCK
#define DIFFERENT_MIN_24 18
#define CONTAINER_MAX	 256 /* bytes of a run in which what follows a length is looked at */

int harvest_new(size_t arena_size, struct harvest **out_harvest)
{
	_cleanup_harvest_ struct harvest *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	/* A stretch takes 80 bytes of the arena at least. */
	h->max = arena_size / 80 < STRETCHES_MAX ? arena_size / 80 : STRETCHES_MAX;
	h->slots = 2 * h->max + 1;
	h->arena = malloc(arena_size);
	h->stretches = calloc(h->max, sizeof(*h->stretches));
	h->prekeys = wipe_alloc(HARVEST_PREKEYS_MAX * sizeof(*h->prekeys));
	h->table = calloc(h->slots, sizeof(*h->table));
	/* Four bits to eight for each word that it can hold. */
	h->word_bits = 63 - (unsigned)__builtin_clzll(arena_size | 64);
	h->words = calloc(1U << (h->word_bits - 6), sizeof(*h->words));
	if (!h->arena || !h->stretches || !h->prekeys || !h->table || !h->words)
		return -ENOMEM;
	h->size = arena_size;
	*out_harvest = take_ptr(h);
	return 0;
}

void harvest_free(struct harvest *h)
{
	if (!h)
		return;
	/* What was never used was never touched: the machine did not even give the pages. */
	if (h->arena)
		explicit_bzero(h->arena, h->used);
	free(h->arena);
	free(h->stretches);
	free(h->table);
	free(h->words);
	wipe_free(h->prekeys);
	free(h);
}

/* The slot that holds the same bytes, or a free one. */
static uint32_t *slot_of(struct harvest *h, const uint8_t *p, size_t len)
{
	size_t slot = hash_bytes(p, len) % h->slots; /* keyed: a dump cannot choose it */

	for (; h->table[slot]; slot = (slot + 1) % h->slots) {
		const struct stretch *s = &h->stretches[h->table[slot] - 1];

		if (s->len == len && !memcmp(h->arena + s->at, p, len))
			break;
	}
	return &h->table[slot];
}

static void keep_stretch(struct harvest *h, struct bytes memory, const struct harvest_place *place,
			 const struct harvest_part *part)
{
	size_t at = part->at, len = part->len;
	size_t before = at < HARVEST_MARGIN ? at : HARVEST_MARGIN;
	size_t left = memory.len - at - len;
	size_t after = left < HARVEST_MARGIN ? left : HARVEST_MARGIN;
	uint32_t *slot = slot_of(h, memory.p + at, len);
	uint8_t *to;

	if (*slot)
		return;
	if (h->nr == h->max || len + 2 * HARVEST_MARGIN > h->size - h->used) {
		h->full = true;
		return;
	}
	to = h->arena + h->used;
	memset(to, 0, HARVEST_MARGIN - before);
	memset(to + HARVEST_MARGIN + len + after, 0, HARVEST_MARGIN - after);
	memcpy(to + HARVEST_MARGIN - before, memory.p + at - before, before + len + after);
	h->stretches[h->nr] = (struct stretch){
		.offset = place->offset + at,
		.vaddr = place->vaddr + at,
		.at = (uint32_t)(h->used + HARVEST_MARGIN),
		.len = part->len,
		.has_vaddr = place->has_vaddr,
		.bytes = place->bytes,
		.file = place->file,
		.bulk = part->bulk,
		.container = part->container,
	};
	h->used += len + 2 * HARVEST_MARGIN;
	*slot = (uint32_t)++h->nr;
}

static void keep_prekey(struct harvest *h, struct bytes memory, const struct harvest_place *place,
			const struct harvest_part *part)
{
	struct harvest_prekey *prekey = &h->prekeys[h->nr_prekeys];

	if (h->nr_prekeys == HARVEST_PREKEYS_MAX) {
		h->full = true;
		return;
	}
	SHA512(memory.p + part->at, HARVEST_BULK, prekey->key);
	for (const struct harvest_prekey *p = h->prekeys; p < prekey; p++) {
		if (!memcmp(p->key, prekey->key, sizeof(p->key))) {
			explicit_bzero(prekey->key, sizeof(prekey->key));
			return;
		}
	}
	prekey->offset = place->offset + part->at;
	h->nr_prekeys++;
}

void harvest_keep(struct harvest *h, struct bytes memory, const struct harvest_place *place,
		  const struct harvest_part *part)
{
	if (part->len)
		keep_stretch(h, memory, place, part);
	else
		keep_prekey(h, memory, place, part);
}

struct parts {
	struct harvest_part *items;
	size_t nr;
};

static void add(struct parts *parts, size_t at, size_t len, bool bulk)
{
	if (parts->nr < HARVEST_PARTS)
		parts->items[parts->nr++] =
			(struct harvest_part){(uint32_t)at, (uint16_t)len, bulk, false};
}

/* Half of its bytes are set: it may be a word of a number whose top 16 bits happen to be none. */
static bool half_full(const uint8_t *p)
{
	unsigned set = 0;

	for (unsigned i = 0; i < 8; i++)
		set += p[i] != 0;
	return set >= 4;
}

/*
 * A word near an end that was taken for code, text or an address by chance has cut off those
 * beyond, three at most. They are taken back.
 */
static void widen(struct bytes memory, size_t *from, size_t *to)
{
	const uint8_t *p = memory.p;

	for (unsigned i = 0; i < 4 && *from >= 16; i++) {
		if (!run_word(p + *from - 8) &&
		    !(half_full(p + *from - 8) && run_word(p + *from - 16)))
			break;
		*from -= 8;
	}
	for (unsigned i = 0; i < 4 && *to + 16 <= memory.len; i++) {
		if (!run_word(p + *to) && !(half_full(p + *to) && run_word(p + *to + 8)))
			break;
		*to += 8;
	}
}

/* The first block of a run: a key may begin in the middle of its first word, after the zeros of a
 * length or of nothing. */
static bool begins_with_chance(struct bytes memory, size_t at)
{
	const uint8_t *p = memory.p + at;

	if (chance_like(p))
		return true;
	for (size_t k = 7; k > 0; k--)
		if (!p[k - 1])
			return memory.len - at >= BLOCK + k && chance_like(p + k);
	return false;
}

/* That of a seed or a scalar, alone or with the zero that keeps it positive: what is longer fills a
 * block wherever it stands. */
static bool is_length(const uint8_t *p)
{
	return p[0] == 32 || p[0] == 48 || ((p[0] == 33 || p[0] == 49) && !p[1]);
}

/* The top bit of each byte of a word that may be one: 20, 21, 30 or 31, or comes after such. */
static uint64_t lengths_of(const uint8_t *p)
{
	const uint64_t each = 0x0101010101010101;
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	word = (le64toh(word) & 0xee * each) ^ 0x20 * each;
	return (word - each) & ~word & 0x80 * each;
}

/*
 * In a container of small numbers (s-expressions, DER, SSH, protobuf) each block may have some
 * bytes of a head, which ends with a length, or its zeros. The last bytes may be in a word that is
 * none of the run. Zeros alone would do, but code is full of them.
 */
static bool behind_a_length(struct bytes memory, size_t at, size_t end)
{
	const uint8_t *p = memory.p;

	if (memory.len - end >= 7)
		end += 7;
	for (; at + BLOCK < end; at += 8) {
		uint64_t may = lengths_of(p + at);

		for (; may; may &= may - 1) {
			size_t length = at + (size_t)__builtin_ctzll(may) / 8, number = length + 1;

			if (!is_length(p + length))
				continue;
			while (number < length + 5 && !p[number])
				number++;
			if (number + BLOCK <= end && chance_like(p + number))
				return true;
		}
	}
	return false;
}

/* Cuts out of [at, end) what has as many different bytes as chance gives, and a block around. */
static void carve(struct bytes memory, size_t at, size_t end, struct parts *parts)
{
	size_t limit = end - at >= HARVEST_BULK ? HARVEST_BULK_KEPT : HARVEST_STRETCH_MAX;
	size_t nr = (end - at) / BLOCK;
	size_t from = at, to = end, i = 0;

	while (i < nr) {
		size_t first, last;

		while (i < nr && !(i ? chance_like(memory.p + at + BLOCK * i)
				     : begins_with_chance(memory, at)))
			i++;
		if (i == nr)
			break;
		first = last = i;
		/* Two blocks that are not so good may be chance. */
		for (i++; i < nr && i <= last + 3 && i - first < limit / BLOCK; i++)
			if (chance_like(memory.p + at + BLOCK * i))
				last = i;
		from = at + BLOCK * (first ? first - 1 : 0);
		to = at + BLOCK * (last + 3);
		if (to > end || last + 1 == nr)
			to = end;
		widen(memory, &from, &to);
		if (to - from > HARVEST_STRETCH_MAX)
			to = from + HARVEST_STRETCH_MAX;
		add(parts, from, to - from, end - at >= HARVEST_BULK);
		if (end - at >= HARVEST_BULK)
			return;
		i = last + 3;
	}
	if (!parts->nr && end - at <= CONTAINER_MAX && behind_a_length(memory, at, end)) {
		widen(memory, &from, &to);
		add(parts, from, to - from, false);
		parts->items[0].container = true;
	}
}

/*
 * OpenSSH's prekey is 16 KiB of random bytes in a chunk of its own (sshkey.c,
 * SSHKEY_SHIELD_PREKEY_LEN): alone, or with the head of glibc's chunk before it.
 */
static void maybe_prekey(struct bytes memory, size_t at, size_t end, struct parts *parts)
{
	uint64_t before = 0;

	if (end - at < HARVEST_BULK - 64 || HARVEST_BULK > memory.len - at)
		return;
	if (at >= 8)
		memcpy(&before, memory.p + at - 8, 8);
	if ((before & ~0xfULL) != HARVEST_BULK + 0x10 && end - at > HARVEST_BULK + 64)
		return;
	add(parts, at, 0, true);
}

size_t harvest_find(struct bytes memory, const struct run *run, const struct harvest_place *place,
		    struct harvest_part out[static HARVEST_PARTS])
{
	size_t at = run->from, end = run->to;
	struct parts parts = {out, 0};

	/* The parts of words before and after. */
	if (place->bytes && end - at < BLOCK && at >= 8 && end + 8 <= memory.len) {
		if (chance_different(memory.p + at, 24) >= DIFFERENT_MIN_24)
			add(&parts, at - 8, 40, false);
		return parts.nr;
	}
	carve(memory, at, end, &parts);
	maybe_prekey(memory, at, end, &parts);
	return parts.nr;
}

bool harvest_is_full(const struct harvest *h)
{
	return h->size - h->used < (1 << 20) || h->nr + 4096 > h->max;
}

bool harvest_prekeys_full(const struct harvest *h)
{
	return h->nr_prekeys == HARVEST_PREKEYS_MAX;
}

size_t harvest_drop_prekeys(struct harvest *h)
{
	size_t first = h->nr_prekeys / 2, left = h->nr_prekeys - first;

	memmove(h->prekeys, h->prekeys + first, left * sizeof(*h->prekeys));
	explicit_bzero(h->prekeys + left, first * sizeof(*h->prekeys));
	h->nr_prekeys = left;
	h->full = true;
	return first;
}

static void fill_table(struct harvest *h)
{
	memset(h->table, 0, h->slots * sizeof(*h->table));
	for (size_t i = 0; i < h->nr; i++) {
		const struct stretch *s = &h->stretches[i];

		*slot_of(h, h->arena + s->at, s->len) = (uint32_t)i + 1;
	}
}

/* Two of the set. */
static void bits_of(const struct harvest *h, const uint8_t *p, uint32_t bit[2])
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	word *= 0x9e3779b97f4a7c15ULL;
	bit[0] = (uint32_t)(word >> (64 - h->word_bits));
	bit[1] = (uint32_t)(word >> (40 - h->word_bits)) & ((1U << h->word_bits) - 1);
}

/* They stand at multiples of 8 from the arena on: all that is put there has such a size. */
static void fill_words(struct harvest *h)
{
	uint32_t bit[2];

	memset(h->words, 0, sizeof(*h->words) << (h->word_bits - 6));
	for (size_t at = 0; at + 8 <= h->used; at += 8) {
		bits_of(h, h->arena + at, bit);
		h->words[bit[0] / 64] |= 1ULL << bit[0] % 64;
		h->words[bit[1] / 64] |= 1ULL << bit[1] % 64;
	}
}

static bool may_hold_word(const struct harvest *h, const uint8_t *p)
{
	uint32_t bit[2];

	bits_of(h, p, bit);
	return h->words[bit[0] / 64] >> bit[0] % 64 & h->words[bit[1] / 64] >> bit[1] % 64 & 1;
}

bool harvest_holds(const struct harvest *h, const uint8_t *p, size_t len, size_t *out_read)
{
	bool may = false;

	/* One of eight shifts is that of the arena's words. */
	for (size_t shift = 0; shift < 8 && !may; shift++) {
		may = true;
		for (size_t at = shift; at + 8 <= len && may; at += 8)
			may = may_hold_word(h, p + at);
	}
	if (out_read)
		*out_read = may ? h->used : 0;
	return may && memmem(h->arena, h->used, p, len);
}

static uint64_t by_offset(const void *p)
{
	return ((const struct stretch *)p)->offset;
}

void harvest_sort(struct harvest *h)
{
	sort_by(h->stretches, h->nr, sizeof(*h->stretches), by_offset);
	fill_table(h);
	fill_words(h);
}

static uint64_t by_arena(const void *p)
{
	return ((const struct stretch *)p)->at;
}

void harvest_drop_half(struct harvest *h)
{
	size_t first = h->nr / 2;
	uint32_t cut;

	if (!h->nr)
		return;
	/* In the order in which they came. */
	sort_by(h->stretches, h->nr, sizeof(*h->stretches), by_arena);
	cut = h->stretches[first].at - HARVEST_MARGIN;
	memmove(h->arena, h->arena + cut, h->used - cut);
	explicit_bzero(h->arena + h->used - cut, cut);
	memmove(h->stretches, h->stretches + first, (h->nr - first) * sizeof(*h->stretches));
	h->used -= cut;
	h->nr -= first;
	for (size_t i = 0; i < h->nr; i++)
		h->stretches[i].at -= cut;
	fill_table(h);
}
