// SPDX-License-Identifier: GPL-2.0-or-later
/* Bare RSA numbers: candidates, sieve, join on the lowest limb, exact division. */
#include "scan/detect-rsa.h"

#include <pthread.h>
#include <string.h>

#include "scan/wipe.h"

#define LIMBS_MAX   (RSA_BYTES_MAX / 8)
#define RUN_WORDS   8 /* 512 bits: the shortest prime */
#define ARENA	    (24 << 20) /* bytes of limbs that are kept */
#define NUMBERS_MAX 65536
#define CHECKS_MAX  (1ULL << 27) /* of modulus and prime: a second or so */
#define FILTER_BITS (1U << 22)

/* In limbs. A prime has one of the first five sizes, a modulus one of the last five. */
static const unsigned sizes[] = {8, 16, 24, 32, 48, 64, 96, 128};
#define PRIME_LIMBS_MAX	  64
#define MODULUS_LIMBS_MIN 16

struct number {
	uint64_t at;
	uint64_t low; /* the lowest limb, and its inverse modulo 2^64 */
	uint64_t inverse;
	uint32_t start; /* of its limbs in the arena */
	uint8_t limbs;
	uint8_t layout;
};

struct rsa_search {
	pthread_mutex_t lock; /* of all below, while it collects */
	struct number *numbers;
	uint64_t *arena;
	size_t nr, used;
	uint64_t *filter; /* the low limbs of all numbers: a set with false positives */
	uint32_t *table; /* open addressing by value, so that each is kept once; index + 1 */
	bool full;
};

#define TABLE_SIZE (4 * NUMBERS_MAX)

int rsa_search_new(struct rsa_search **out_search)
{
	_cleanup_rsa_search_ struct rsa_search *search = calloc(1, sizeof(*search));

	if (!search)
		return -ENOMEM;
	pthread_mutex_init(&search->lock, NULL);
	search->numbers = calloc(NUMBERS_MAX, sizeof(*search->numbers));
	search->table = calloc(TABLE_SIZE, sizeof(*search->table));
	search->arena = calloc(1, ARENA);
	search->filter = calloc(FILTER_BITS / 64, sizeof(*search->filter));
	if (!search->numbers || !search->table || !search->arena || !search->filter)
		return -ENOMEM;
	*out_search = take_ptr(search);
	return 0;
}

void rsa_search_free(struct rsa_search *search)
{
	if (!search)
		return;
	if (search->arena)
		explicit_bzero(search->arena, search->used * sizeof(uint64_t));
	if (search->numbers)
		explicit_bzero(search->numbers, search->nr * sizeof(*search->numbers));
	free(search->arena);
	free(search->filter);
	free(search->numbers);
	free(search->table);
	pthread_mutex_destroy(&search->lock);
	free(search);
}

static uint64_t load64(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return le64toh(x);
}

/* Pointers, counters and text have few different bytes; a number of a key has nearly what chance
 * gives. */
static bool looks_random(const uint8_t *p, size_t len)
{
	uint64_t seen[4] = {0};
	unsigned different = 0;

	for (size_t i = 0; i < len; i++)
		seen[p[i] >> 6] |= 1ULL << (p[i] & 63);
	for (int i = 0; i < 4; i++)
		different += (unsigned)__builtin_popcountll(seen[i]);
	/* 256 * (1 - exp(-len / 256)), less six standard deviations or so. */
	return different >= (len >= 384	  ? 170
			     : len >= 256 ? 135
			     : len >= 192 ? 108
			     : len >= 128 ? 78
					  : 42);
}

static bool small_factor(const uint64_t *limbs, unsigned nr)
{
	static const uint64_t products[] = {
		3ULL * 5 * 7 * 11 * 13 * 17 * 19 * 23 * 29 * 31 * 37 * 41 * 43 * 47,
		53ULL * 59 * 61 * 67 * 71 * 73 * 79 * 83 * 89,
		97ULL * 101 * 103 * 107 * 109 * 113 * 127 * 131,
	};

	for (size_t i = 0; i < ARRAY_SIZE(products); i++) {
		uint64_t a = 0, b = products[i];

		for (unsigned k = nr; k-- > 0;)
			a = (uint64_t)(((unsigned __int128)a << 64 | limbs[k]) % b);
		while (a) {
			uint64_t t = b % a;

			b = a;
			a = t;
		}
		if (b != 1)
			return true;
	}
	return false;
}

/* Odd, and with its top bit set, as key generation makes primes and moduli. */
static bool ends_fit(const uint8_t *p, size_t len, enum finding_layout layout)
{
	switch (layout) {
	case LAYOUT_LE:
		return p[0] & 1 && p[len - 1] & 0x80;
	case LAYOUT_W32:
		return p[len - 4] & 1 && p[3] & 0x80;
	default:
		return p[len - 1] & 1 && p[0] & 0x80;
	}
}

static void normalize(const uint8_t *p, unsigned nr, enum finding_layout layout, uint64_t *out)
{
	for (unsigned i = 0; i < nr; i++) {
		uint64_t x = load64(p + 8 * (layout == LAYOUT_LE ? i : nr - 1 - i));

		if (layout == LAYOUT_BE)
			x = __builtin_bswap64(x);
		else if (layout == LAYOUT_W32)
			x = x << 32 | x >> 32;
		out[i] = x;
	}
}

static uint64_t spread(uint64_t x)
{
	return (x * 0x9e3779b97f4a7c15ULL) >> 40;
}

/* The inverse of an odd number modulo 2^64. */
static uint64_t inverse(uint64_t a)
{
	uint64_t x = (3 * a) ^ 2;

	for (int i = 0; i < 4; i++)
		x *= 2 - a * x;
	return x;
}

static unsigned filter_bit(uint64_t low)
{
	return (unsigned)(low * 0x9e3779b97f4a7c15ULL >> 42) & (FILTER_BITS - 1);
}

static void keep(struct rsa_search *s, const uint64_t *limbs, unsigned nr, uint64_t at,
		 enum finding_layout layout)
{
	uint64_t slot = spread(limbs[0]) & (TABLE_SIZE - 1);

	for (; s->table[slot]; slot = (slot + 1) & (TABLE_SIZE - 1)) {
		const struct number *other = &s->numbers[s->table[slot] - 1];

		if (other->limbs == nr && !memcmp(s->arena + other->start, limbs, 8 * nr))
			return;
	}
	if (s->nr == NUMBERS_MAX || s->used + nr > ARENA / sizeof(uint64_t)) {
		s->full = true;
		return;
	}
	memcpy(s->arena + s->used, limbs, 8 * nr);
	s->numbers[s->nr] = (struct number){
		.at = at,
		.low = limbs[0],
		.inverse = inverse(limbs[0]),
		.start = (uint32_t)s->used,
		.limbs = (uint8_t)nr,
		.layout = (uint8_t)layout,
	};
	s->used += nr;
	s->filter[filter_bit(limbs[0]) / 64] |= 1ULL << filter_bit(limbs[0]) % 64;
	s->table[slot] = (uint32_t)++s->nr;
}

static void candidates(struct rsa_search *s, struct bytes rest, uint64_t at)
{
	uint64_t limbs[LIMBS_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(sizes) && 8 * sizes[i] <= rest.len; i++) {
		size_t len = 8 * sizes[i];

		if (!looks_random(rest.p, len))
			break; /* the run ended: longer numbers only add what is not random */
		for (enum finding_layout layout = LAYOUT_LE; layout <= LAYOUT_W32; layout++) {
			if (!ends_fit(rest.p, len, layout))
				continue;
			normalize(rest.p, sizes[i], layout, limbs);
			if (small_factor(limbs, sizes[i]))
				continue;
			pthread_mutex_lock(&s->lock);
			keep(s, limbs, sizes[i], at, layout);
			pthread_mutex_unlock(&s->lock);
		}
	}
	explicit_bzero(limbs, sizeof(limbs));
}

/* Neither a small number nor an address: those have 0 or ffff on top. */
static bool random_word(const uint8_t *p)
{
	uint16_t top = (uint16_t)(p[6] | p[7] << 8);

	return (uint16_t)(top - 1) < 0xfffe;
}

void rsa_collect(struct rsa_search *search, struct bytes memory, size_t from, size_t to,
		 uint64_t where)
{
	size_t at = (from + 7) / 8 * 8;
	bool before = at >= 8 && at - 8 + 8 <= memory.len && random_word(memory.p + at - 8);

	if (to > memory.len)
		to = memory.len;
	for (; at < to && at + 8 * RUN_WORDS <= memory.len; at += 8) {
		bool now = random_word(memory.p + at);

		if (now && !before) {
			unsigned run = 1;

			while (run < RUN_WORDS && random_word(memory.p + at + 8 * run))
				run++;
			if (run == RUN_WORDS)
				candidates(search, (struct bytes){memory.p + at, memory.len - at},
					   where + at);
		}
		before = now;
	}
}

/*
 * Exactly: takes multiples of p off n from below until only the upper half is left, which must be
 * nothing then. n has twice p's limbs.
 */
static bool divides(const uint64_t *p, unsigned nr, const uint64_t *n)
{
	uint64_t t[LIMBS_MAX], inv = inverse(p[0]), rest = 0;

	memcpy(t, n, 16 * nr);
	for (unsigned i = 0; i < nr; i++) {
		uint64_t q = t[i] * inv, carry = 0;

		for (unsigned j = 0; j < nr; j++) {
			unsigned __int128 m = (unsigned __int128)q * p[j] + carry;
			uint64_t low = (uint64_t)m;

			carry = (uint64_t)(m >> 64) + (t[i + j] < low);
			t[i + j] -= low;
		}
		for (unsigned j = i + nr; carry && j < 2 * nr; j++) {
			uint64_t borrow = t[j] < carry;

			t[j] -= carry;
			carry = borrow;
		}
		if (carry)
			return false;
	}
	for (unsigned i = 0; i < nr; i++)
		rest |= t[nr + i];
	return rest == 0;
}

static void write_be(const uint64_t *limbs, size_t len, uint8_t *out)
{
	for (size_t i = 0; i < len; i++)
		out[len - 1 - i] = (uint8_t)(limbs[i / 8] >> 8 * (i % 8));
}

static void report(const struct rsa_search *s, const struct number *n, const struct number *p,
		   void (*hit)(void *userdata, const struct rsa_hit *hit), void *userdata)
{
	uint8_t modulus[RSA_BYTES_MAX], prime[RSA_BYTES_MAX];
	size_t len = 8 * (size_t)n->limbs;
	struct rsa_hit found = {
		.prime_at = p->at,
		.modulus_at = n->at,
		.layout = p->layout,
		.prime = {prime, 8 * (size_t)p->limbs},
		.modulus = {modulus, len},
	};

	write_be(s->arena + n->start, len, modulus);
	write_be(s->arena + p->start, found.prime.len, prime);
	hit(userdata, &found);
	explicit_bzero(prime, sizeof(prime));
}

/*
 * A prime of this modulus among the numbers. cheap: only where the other prime's lowest limb, which
 * is n0 / p0 modulo 2^64, is one that was seen too; nearly all pairs fall at that. Otherwise each
 * pair is divided, which takes a hundred times as long.
 */
static bool factor(const struct rsa_search *s, const struct number *n, bool cheap, uint64_t *checks,
		   size_t *out_prime)
{
	for (size_t i = 0; i < s->nr && *checks < CHECKS_MAX; i++) {
		const struct number *p = &s->numbers[i];

		if (2 * p->limbs != n->limbs)
			continue;
		if (cheap) {
			unsigned bit = filter_bit(n->low * p->inverse);

			++*checks;
			if (!(s->filter[bit / 64] >> bit % 64 & 1))
				continue;
		}
		*checks += (uint64_t)p->limbs * p->limbs / 8;
		if (divides(s->arena + p->start, p->limbs, s->arena + n->start)) {
			*out_prime = i;
			return true;
		}
	}
	return false;
}

void rsa_join(struct rsa_search *search, void (*hit)(void *userdata, const struct rsa_hit *hit),
	      void *userdata, bool *out_full)
{
	uint64_t checks[2] = {0};
	size_t prime;

	for (size_t i = 0; i < search->nr; i++) {
		const struct number *n = &search->numbers[i];

		if (n->limbs >= MODULUS_LIMBS_MIN && (factor(search, n, true, &checks[0], &prime) ||
						      factor(search, n, false, &checks[1], &prime)))
			report(search, n, &search->numbers[prime], hit, userdata);
	}
	*out_full = search->full || checks[0] >= CHECKS_MAX || checks[1] >= CHECKS_MAX;
}
