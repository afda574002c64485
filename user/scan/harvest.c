// SPDX-License-Identifier: GPL-2.0-or-later
/* Stretches of memory that could be keys: found by masks of words, carved, kept once each. */
#include "scan/harvest.h"

#include <openssl/sha.h>

#include "scan/harvest-mask.h"
#include "scan/sort.h"
#include "scan/wipe.h"

#define STRETCHES_MAX	 65536
#define BLOCK		 32 /* bytes that are looked at for what chance gives */
#define DIFFERENT_MIN	 25 /* of 32 random bytes 30 are different, all but never fewer than 25 */
#define DIFFERENT_MIN_24 18
#define CODE_MAX	 9 /* bytes of 32 that code is full of: two by chance */
#define GAP_MAX		 5 /* windows of four words without one word that is no key's */
#define REACH		 (HARVEST_BULK + 256) /* how far a stretch is followed */

static word_mask_fn *mask_of;

__attribute__((constructor)) static void choose(void)
{
	for (int code = HARVEST_CODE_NR - 1; !mask_of; code--)
		mask_of = word_mask_code((enum harvest_code)code);
}

bool harvest_use(enum harvest_code code)
{
	word_mask_fn *fn = word_mask_code(code);

	if (fn)
		mask_of = fn;
	return fn != NULL;
}

int harvest_new(size_t arena_size, struct harvest **out_harvest)
{
	_cleanup_harvest_ struct harvest *h = calloc(1, sizeof(*h));

	if (!h)
		return -ENOMEM;
	pthread_mutex_init(&h->lock, NULL);
	/* A stretch takes 80 bytes of the arena at least. */
	h->max = arena_size / 80 < STRETCHES_MAX ? arena_size / 80 : STRETCHES_MAX;
	h->slots = 2 * h->max + 1;
	h->arena = malloc(arena_size);
	h->stretches = calloc(h->max, sizeof(*h->stretches));
	h->prekeys = wipe_alloc(HARVEST_PREKEYS_MAX * sizeof(*h->prekeys));
	h->table = calloc(h->slots, sizeof(*h->table));
	if (!h->arena || !h->stretches || !h->prekeys || !h->table)
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
	wipe_free(h->prekeys);
	pthread_mutex_destroy(&h->lock);
	free(h);
}

unsigned harvest_different(const uint8_t *p, size_t len)
{
	uint64_t seen[4] = {0};
	unsigned different = 0;

	for (size_t i = 0; i < len; i++)
		seen[p[i] >> 6] |= 1ULL << (p[i] & 63);
	for (int i = 0; i < 4; i++)
		different += (unsigned)__builtin_popcountll(seen[i]);
	return different;
}

/* The most frequent bytes of programs for x86-64 and their tables. */
static const uint64_t code_bytes[4] = {
	1ULL << 0x00 | 1ULL << 0x01 | 1ULL << 0x05 | 1ULL << 0x0f | 1ULL << 0x24,
	1ULL << (0x44 - 64) | 1ULL << (0x45 - 64) | 1ULL << (0x48 - 64) | 1ULL << (0x4c - 64),
	1ULL << (0x83 - 128) | 1ULL << (0x89 - 128) | 1ULL << (0x8b - 128) | 1ULL << (0x8d - 128),
	1ULL << (0xc7 - 192) | 1ULL << (0xe8 - 192) | 1ULL << (0xff - 192),
};

/* Do BLOCK bytes look like chance? */
static bool like_chance(const uint8_t *p)
{
	uint64_t seen[4] = {0};
	unsigned different = 0, code = 0;

	for (unsigned i = 0; i < BLOCK; i++) {
		seen[p[i] >> 6] |= 1ULL << (p[i] & 63);
		code += code_bytes[p[i] >> 6] >> (p[i] & 63) & 1;
	}
	for (int i = 0; i < 4; i++)
		different += (unsigned)__builtin_popcountll(seen[i]);
	return different >= DIFFERENT_MIN && code <= CODE_MAX;
}

/* The masks of the words from `at` on; behind the end of memory there are none. */
static struct word_mask masks(struct bytes memory, size_t at)
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

/* Where the stretch that begins at `at` ends, followed no further than REACH. */
static size_t end_of(struct bytes memory, size_t at, bool three)
{
	struct word_mask now = masks(memory, at);
	size_t last = at, width = three ? 24 : 32;

	for (size_t block = at; block < at + REACH; block += MASK_BYTES) {
		struct word_mask next = masks(memory, block + MASK_BYTES);
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

static uint32_t hash_of(const uint8_t *p, size_t len)
{
	uint64_t a, b;

	memcpy(&a, p, 8);
	memcpy(&b, p + len - 16, 8);
	return (uint32_t)((a * 0x9e3779b97f4a7c15ULL ^ b * 0xc2b2ae3d27d4eb4fULL ^ len) >> 40);
}

/* The slot that holds the same bytes, or a free one. */
static uint32_t *slot_of(struct harvest *h, const uint8_t *p, size_t len)
{
	size_t slot = hash_of(p, len) % h->slots;

	for (; h->table[slot]; slot = (slot + 1) % h->slots) {
		const struct stretch *s = &h->stretches[h->table[slot] - 1];

		if (s->len == len && !memcmp(h->arena + s->at, p, len))
			break;
	}
	return &h->table[slot];
}

static void keep(struct harvest *h, struct bytes memory, size_t at, size_t len,
		 const struct harvest_place *place)
{
	size_t before = at < HARVEST_MARGIN ? at : HARVEST_MARGIN;
	size_t left = memory.len - at - len;
	size_t after = left < HARVEST_MARGIN ? left : HARVEST_MARGIN;
	uint32_t *slot;
	uint8_t *to;

	pthread_mutex_lock(&h->lock);
	slot = slot_of(h, memory.p + at, len);
	if (*slot)
		goto out;
	if (h->nr == h->max || len + 2 * HARVEST_MARGIN > h->size - h->used) {
		h->full = true;
		goto out;
	}
	to = h->arena + h->used;
	memset(to, 0, len + 2 * HARVEST_MARGIN);
	memcpy(to + HARVEST_MARGIN - before, memory.p + at - before, before + len + after);
	h->stretches[h->nr] = (struct stretch){
		.offset = place->offset + at,
		.vaddr = place->vaddr + at,
		.at = (uint32_t)(h->used + HARVEST_MARGIN),
		.len = (uint16_t)len,
		.has_vaddr = place->has_vaddr,
		.bytes = place->bytes,
		.heap = place->heap,
	};
	h->used += len + 2 * HARVEST_MARGIN;
	*slot = (uint32_t)++h->nr;
out:
	pthread_mutex_unlock(&h->lock);
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
		if (!harvest_word(p + *from - 8) &&
		    !(half_full(p + *from - 8) && harvest_word(p + *from - 16)))
			break;
		*from -= 8;
	}
	for (unsigned i = 0; i < 4 && *to + 16 <= memory.len; i++) {
		if (!harvest_word(p + *to) && !(half_full(p + *to) && harvest_word(p + *to + 8)))
			break;
		*to += 8;
	}
}

/* Cuts out of [at, end) what has as many different bytes as chance gives, and a block around. */
static void carve(struct harvest *h, struct bytes memory, size_t at, size_t end,
		  const struct harvest_place *place)
{
	size_t limit = end - at >= HARVEST_BULK ? HARVEST_BULK_KEPT : HARVEST_STRETCH_MAX;
	size_t nr = (end - at) / BLOCK;
	size_t i = 0;

	while (i < nr) {
		size_t first, last, from, to;

		while (i < nr && !like_chance(memory.p + at + BLOCK * i))
			i++;
		if (i == nr)
			return;
		first = last = i;
		/* Two blocks that are not so good may be chance. */
		for (i++; i < nr && i <= last + 3 && i - first < limit / BLOCK; i++)
			if (like_chance(memory.p + at + BLOCK * i))
				last = i;
		from = at + BLOCK * (first ? first - 1 : 0);
		to = at + BLOCK * (last + 3);
		if (to > end || last + 1 == nr)
			to = end;
		widen(memory, &from, &to);
		if (to - from > HARVEST_STRETCH_MAX)
			to = from + HARVEST_STRETCH_MAX;
		keep(h, memory, from, to - from, place);
		if (end - at >= HARVEST_BULK)
			return;
		i = last + 3;
	}
}

/*
 * OpenSSH's prekey is 16 KiB of random bytes in a chunk of its own (sshkey.c,
 * SSHKEY_SHIELD_PREKEY_LEN): alone, or with the head of glibc's chunk before it.
 */
static void maybe_prekey(struct harvest *h, struct bytes memory, size_t at, size_t end,
			 const struct harvest_place *place)
{
	uint64_t before = 0;

	if (end - at < HARVEST_BULK - 64 || HARVEST_BULK > memory.len - at)
		return;
	if (at >= 8)
		memcpy(&before, memory.p + at - 8, 8);
	if ((before & ~0xfULL) != HARVEST_BULK + 0x10 && end - at > HARVEST_BULK + 64)
		return;
	pthread_mutex_lock(&h->lock);
	if (h->nr_prekeys < HARVEST_PREKEYS_MAX) {
		struct harvest_prekey *prekey = &h->prekeys[h->nr_prekeys++];

		prekey->offset = place->offset + at;
		SHA512(memory.p + at, HARVEST_BULK, prekey->key);
	} else {
		h->full = true;
	}
	pthread_mutex_unlock(&h->lock);
}

static size_t take(struct harvest *h, struct bytes memory, size_t at,
		   const struct harvest_place *place)
{
	size_t end = end_of(memory, at, place->bytes);

	/* The parts of words before and after. */
	if (place->bytes && end - at < BLOCK && at >= 8 && end + 8 <= memory.len) {
		if (harvest_different(memory.p + at, 24) >= DIFFERENT_MIN_24)
			keep(h, memory, at - 8, 40, place);
		return end;
	}
	carve(h, memory, at, end, place);
	maybe_prekey(h, memory, at, end, place);
	return end;
}

void harvest_collect(struct harvest *h, struct bytes memory, size_t from, size_t to,
		     const struct harvest_place *place)
{
	size_t at = (from + 7) / 8 * 8, taken = at;
	struct word_mask now;
	uint64_t before = 0;

	if (to > memory.len)
		to = memory.len;
	if (at >= to)
		return;
	/* What has begun before is another's. */
	if (at >= 8)
		before = windows(masks(memory, at - 8), (struct word_mask){0, 0, 0}, place->bytes) &
			 1;
	now = masks(memory, at);
	for (; at < to; at += MASK_BYTES) {
		struct word_mask next = masks(memory, at + MASK_BYTES);
		uint64_t w = now.random | next.random ? windows(now, next, place->bytes) : 0;
		uint64_t starts = w & ~(w << 1 | before);

		for (; starts; starts &= starts - 1) {
			size_t start = at + 8 * (size_t)__builtin_ctzll(starts);

			if (start >= to)
				break;
			if (start >= taken)
				taken = take(h, memory, start, place);
		}
		before = w >> 63;
		now = next;
		/* What a long stretch covers was looked at already. */
		if (taken >= at + 3 * (size_t)MASK_BYTES) {
			at = taken - MASK_BYTES;
			before = windows(masks(memory, taken - 8), (struct word_mask){0, 0, 0},
					 place->bytes) &
				 1;
			now = masks(memory, taken);
		}
	}
}

bool harvest_is_full(const struct harvest *h)
{
	return h->size - h->used < (1 << 20) || h->nr + 4096 > h->max;
}

static void fill_table(struct harvest *h)
{
	memset(h->table, 0, h->slots * sizeof(*h->table));
	for (size_t i = 0; i < h->nr; i++) {
		const struct stretch *s = &h->stretches[i];

		*slot_of(h, h->arena + s->at, s->len) = (uint32_t)i + 1;
	}
}

static uint64_t by_offset(const void *p)
{
	return ((const struct stretch *)p)->offset;
}

void harvest_sort(struct harvest *h)
{
	sort_by(h->stretches, h->nr, sizeof(*h->stretches), by_offset);
	fill_table(h);
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
