// SPDX-License-Identifier: GPL-2.0-or-later
/* Bare RSA numbers: candidates from the harvest, join on the lowest limb, exact division. */
#include "scan/detect-rsa.h"

#include <openssl/sha.h>

#include "scan/chance.h"
#include "scan/rsa-crt.h"
#include "scan/rsa-exponent.h"
#include "scan/spots.h"

#define NUMBERS_MAX  131072 /* of primes, and as many moduli */
#define FILTER_BITS  (1U << 22)
#define SIZES	     13
#define RICH_STEP    32 /* bytes: numbers are looked at 64 bytes at a time */
#define RICH_MIN     46 /* of 64 bytes are different */
#define RICH_DIGITS  42 /* the same where some bits of each word are none */
#define RICH_NR	     ((HARVEST_STRETCH_MAX + 2 * HARVEST_MARGIN) / RICH_STEP)
#define FITS_WITHIN  16 /* bytes between a modulus' end and its stretch's */
#define NEAR_MIN     64 /* primes that each modulus is always tried with */
#define DIVIDE_NEAR  12 /* so many without asking for the other prime; a quarter if weak */
#define FACTORED     4096 /* moduli of which copies are known again */
#define FACTORED_TRY 8 /* places that each may have */
/*
 * Steps for what divides a modulus exactly: whether both are primes, and the exponent. Products
 * that were made to look like keys are as dear as keys, which therefore have a share of their own,
 * and take nothing from the others': thousands of 2048 bits, a thousand of 4096, hundreds of 8192.
 */
#define PROOFS_MAX	 800000000
#define PROVEN_MAX	 4800000000ULL
#define COST_EXPONENT	 200000
#define COST_NO_EXPONENT 8000000 /* all were tried, and stand nowhere */
#define COST_NOT_65537	 600000 /* only this one was */
#define REGION		 65536 /* bytes around a strong modulus that may hold a prime anywhere */

/* Limbs of a prime; of a modulus twice that. */
static const uint8_t sizes[SIZES] = {8, 10, 12, 14, 16, 20, 24, 28, 32, 40, 48, 56, 64};

/* Both in one: the first SIZES are a prime's, all but the first FIRST_MODULUS a modulus'. */
#define LENGTHS	      17
#define FIRST_MODULUS 4
static const uint8_t lengths[LENGTHS] = {8,  10, 12, 14, 16, 20, 24,  28, 32,
					 40, 48, 56, 64, 80, 96, 112, 128};

static const enum finding_layout layouts[] = {
	LAYOUT_LE,	     LAYOUT_BE,		  LAYOUT_W32,	    LAYOUT_W64,
	LAYOUT_LE_SWAPPED64, LAYOUT_LE_SWAPPED32, LAYOUT_DIGITS_60, LAYOUT_DIGITS_31,
	LAYOUT_DIGITS_30,    LAYOUT_DIGITS_28,	  LAYOUT_DIGITS_15,
};

struct number {
	uint64_t low, inverse; /* the lowest limb, and its inverse modulo 2^64 */
	uint32_t stretch;
	int16_t at; /* in it */
	uint8_t layout;
	bool strong; /* a modulus: something says where it begins and ends */
};

struct numbers {
	struct number *items;
	size_t nr, size;
};

struct search {
	const struct harvest *harvest;
	const struct rsa_join *join;
	struct numbers primes[SIZES], moduli[SIZES];
	size_t kept;
	uint64_t *filter; /* lowest limbs of all primes: a set with false positives */
	uint64_t steps, limit; /* taken, of how many; 0: no limit */
	bool cut; /* there was no budget for more */
	uint64_t proofs, proven; /* steps taken for these, and for such as are keys */
	uint64_t untried; /* numbers that may be moduli or primes and were not tried */
	struct factored {
		uint64_t low; /* 0: no modulus */
		/* Who knows a modulus makes another one with its lowest limb. */
		uint8_t digest[SHA256_DIGEST_LENGTH];
	} factored[FACTORED]; /* moduli that were */
	/* Of the spot that is looked at: */
	const struct stretch *stretch;
	enum finding_layout layout;
	uint8_t different[RICH_NR]; /* of the 64 bytes at each RICH_STEP, from the margin on */
	const uint64_t *modulus_limbs; /* whose primes are looked for */
	unsigned size;
	bool found;
};

static bool affords(struct search *s, uint64_t steps)
{
	s->steps += steps;
	if (s->limit && s->steps > s->limit) {
		s->cut = true;
		return false;
	}
	return true;
}

static void filter_bits(uint64_t low, unsigned bit[2])
{
	uint64_t x = low * 0x9e3779b97f4a7c15ULL;

	bit[0] = (unsigned)(x >> 42) & (FILTER_BITS - 1);
	bit[1] = (unsigned)(x >> 20) & (FILTER_BITS - 1);
}

static bool in_filter(const struct search *s, uint64_t low)
{
	unsigned bit[2];

	filter_bits(low, bit);
	return s->filter[bit[0] / 64] >> bit[0] % 64 & s->filter[bit[1] / 64] >> bit[1] % 64 & 1;
}

static bool add(struct search *s, struct numbers *to, const struct number *number)
{
	if (s->kept == 2 * NUMBERS_MAX) {
		/* Of packed data it is no loss, as in factor_all(). */
		s->untried += !s->harvest->stretches[number->stretch].bulk;
		return true;
	}
	if (to->nr == to->size) {
		size_t size = to->size ? 2 * to->size : 256;
		struct number *items = calloc(size, sizeof(*items));

		/* realloc() would leave a copy behind. */
		if (!items)
			return false;
		if (to->nr) {
			memcpy(items, to->items, to->nr * sizeof(*items));
			explicit_bzero(to->items, to->nr * sizeof(*items));
		}
		free(to->items);
		to->items = items;
		to->size = size;
	}
	to->items[to->nr++] = *number;
	s->kept++;
	return true;
}

/* The length in front of big endian bytes and of the zero that keeps them positive: in DER and SSH,
 * the other way round in libgcrypt's s-expressions. */
static bool has_header(const uint8_t *p, size_t len)
{
	return p[-1] == 0 &&
	       ((size_t)(p[-3] << 8 | p[-2]) == len + 1 || (size_t)(p[-2] << 8 | p[-3]) == len + 1);
}

/* Is this the length that the number would have if it were a modulus? */
static bool modulus_fits(const struct search *s, const uint8_t *p, long at, size_t len,
			 bool *strong)
{
	long left = (long)s->stretch->len - at - (long)len;

	*strong = left >= -FITS_WITHIN && left <= 8;
	if (s->layout == LAYOUT_BE && at >= -HARVEST_MARGIN + 3 && has_header(p, len))
		return *strong = true;
	if (left >= -FITS_WITHIN && left <= FITS_WITHIN)
		return true;
	/* The usual sizes may be followed by what was there before. */
	return !(len & (len - 1));
}

/* The same of a prime: what follows it at once may be the other one, but then of a usual size. */
static bool prime_fits(const struct search *s, long at, size_t len, unsigned nr)
{
	long left = (long)s->stretch->len - at - (long)len;

	return (left >= -FITS_WITHIN && left <= FITS_WITHIN) || !(nr & (nr - 1)) || nr == 24;
}

/* Does all of it look like chance? */
static bool is_rich(const struct search *s, long at, size_t len)
{
	bool digits = s->layout >= LAYOUT_DIGITS_60 && s->layout <= LAYOUT_DIGITS_15;
	size_t from = (size_t)(at + HARVEST_MARGIN + RICH_STEP - 1) / RICH_STEP;
	size_t to = ((size_t)(at + HARVEST_MARGIN) + len - 64) / RICH_STEP;

	for (size_t i = from; i <= to && i < RICH_NR; i++)
		if (s->different[i] < (digits ? RICH_DIGITS : RICH_MIN))
			return false;
	return true;
}

static bool candidate(void *userdata, long at)
{
	struct search *s = userdata;
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) + at;
	long room = (long)s->stretch->len + HARVEST_MARGIN - at;
	uint64_t limbs[LIMBS_MAX];
	bool ok = true;

	if (room < 64 || !limbs_may_begin(s->layout, p))
		return true;
	for (unsigned i = 0; i < LENGTHS && ok; i++) {
		unsigned nr = lengths[i];
		size_t len = limbs_size(s->layout, 64 * nr);
		bool prime = i < SIZES && prime_fits(s, at, len, nr);
		bool modulus = i >= FIRST_MODULUS, strong = false;
		struct number number;

		if ((long)len > room)
			break;
		if (modulus)
			modulus = modulus_fits(s, p, at, len, &strong);
		if (!prime && !modulus)
			continue;
		if (!is_rich(s, at, len))
			break;
		if (!limbs_load(s->layout, p, 64 * nr, modulus ? 2 : 1, limbs))
			continue;
		prime &= limbs[nr - 1] >> 63;
		if ((!prime && !modulus) || limbs_small_factor(limbs, nr))
			continue;
		number = (struct number){
			.low = limbs[0],
			.inverse = limbs_inverse(limbs[0]),
			.stretch = (uint32_t)(s->stretch - s->harvest->stretches),
			.at = (int16_t)at,
			.layout = (uint8_t)s->layout,
			.strong = strong,
		};
		if (prime)
			ok = add(s, &s->primes[i], &number);
		if (modulus && ok)
			ok = add(s, &s->moduli[i - FIRST_MODULUS], &number);
	}
	explicit_bzero(limbs, sizeof(limbs));
	return ok;
}

/* Digits leave the top bits of each word free: nearly always enough to see that it is none. */
static bool may_be_digits(const uint8_t *p, enum finding_layout layout)
{
	static const uint64_t free_bits[LAYOUT_NR] = {
		[LAYOUT_DIGITS_60] = 0xf000000000000000, [LAYOUT_DIGITS_31] = 0x8000000080000000,
		[LAYOUT_DIGITS_30] = 0xc0000000c0000000, [LAYOUT_DIGITS_28] = 0xf0000000f0000000,
		[LAYOUT_DIGITS_15] = 0x8000800080008000,
	};
	uint64_t all = 0, word;

	for (unsigned i = 1; i < 7; i++) {
		memcpy(&word, p + 8 * i, 8);
		all |= word;
	}
	return !(all & free_bits[layout]);
}

/*
 * 64 random bytes have 57 different ones, of digits with four bits free 54; code has not so many.
 * Counts them all over the stretch; false if there are not enough anywhere near its beginning.
 */
static bool measure(struct search *s)
{
	const uint8_t *p = stretch_bytes(s->harvest, s->stretch) - HARVEST_MARGIN;
	size_t len = s->stretch->len + 2 * (size_t)HARVEST_MARGIN, nr = 0;
	bool any = false;

	for (size_t at = 0; at + 64 <= len && nr < RICH_NR; at += RICH_STEP) {
		s->different[nr] = (uint8_t)chance_different(p + at, 64);
		any |= s->different[nr++] >= RICH_DIGITS;
		if (nr == 4 && !any)
			return false;
	}
	return any;
}

static void collect(struct search *s, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		s->stretch = &s->harvest->stretches[i];
		if (s->stretch->len < 56 || !measure(s))
			continue;
		for (size_t k = 0; k < ARRAY_SIZE(layouts); k++) {
			s->layout = layouts[k];
			if (may_be_digits(stretch_bytes(s->harvest, s->stretch), s->layout))
				spots(s->harvest, s->stretch, s->layout, candidate, s);
		}
	}
}

static void fill_filter(struct search *s)
{
	for (unsigned size = 0; size < SIZES; size++)
		for (size_t i = 0; i < s->primes[size].nr; i++) {
			unsigned bit[2];

			filter_bits(s->primes[size].items[i].low, bit);
			s->filter[bit[0] / 64] |= 1ULL << bit[0] % 64;
			s->filter[bit[1] / 64] |= 1ULL << bit[1] % 64;
		}
}

static bool load(const struct search *s, const struct number *number, unsigned nr,
		 unsigned top_bits, uint64_t *out)
{
	const struct stretch *stretch = &s->harvest->stretches[number->stretch];

	return limbs_load(number->layout, stretch_bytes(s->harvest, stretch) + number->at, 64 * nr,
			  top_bits, out);
}

static void charge(struct search *s, uint64_t cost, bool is_key)
{
	if (is_key)
		s->proven += cost;
	else
		s->proofs += cost;
}

static void report(struct search *s, const struct stretch *stretch, long at,
		   enum finding_layout layout, const uint64_t *p, const uint64_t *q)
{
	uint8_t modulus[RSA_BYTES_MAX], prime[RSA_BYTES_MAX / 2];
	unsigned nr = sizes[s->size];
	bool hurry = s->join->budget && (s->proofs > PROOFS_MAX / 2 || s->proven > PROVEN_MAX / 2);
	struct rsa_hit hit = {
		.stretch = stretch,
		.prime_at = at,
		.layout = layout,
		.prime = {prime, 8 * (size_t)nr},
		.modulus = {modulus, 16 * (size_t)nr},
		.exponent = rsa_exponent(s->harvest, p, q, nr, hurry),
	};

	charge(s, hit.exponent ? COST_EXPONENT : hurry ? COST_NOT_65537 : COST_NO_EXPONENT, true);
	limbs_to_bytes(s->modulus_limbs, 2 * nr, modulus);
	limbs_to_bytes(p, nr, prime);
	s->join->hit(s->join->userdata, &hit);
	explicit_bzero(prime, sizeof(prime));
	s->found = true;
}

/* Steps are not counted against the budget of the search, which goes on with other pairs. */
static bool are_primes(struct search *s, const uint64_t *p, const uint64_t *q, unsigned nr)
{
	bool are;

	if (s->join->budget && (s->proofs > PROOFS_MAX || s->proven > PROVEN_MAX)) {
		s->untried++;
		return false;
	}
	are = limbs_prime(p, nr) && limbs_prime(q, nr);
	charge(s, 2 * 64 * (uint64_t)nr * nr * nr, are);
	return are;
}

/* Divides the modulus that is looked at by the number at this place. sieved: it was kept, as it has
 * no small factor. */
static bool try_prime(struct search *s, const struct stretch *stretch, long at,
		      enum finding_layout layout, bool sieved)
{
	uint64_t p[LIMBS_MAX], q[LIMBS_MAX];
	const uint8_t *bytes = stretch_bytes(s->harvest, stretch) + at;
	unsigned nr = sizes[s->size];

	if (!affords(s, nr * nr / 4U))
		return false;
	if (!limbs_load(layout, bytes, 64 * nr, 1, p) || (!sieved && limbs_small_factor(p, nr)) ||
	    !limbs_divide(p, nr, s->modulus_limbs, 2 * nr, q))
		goto out;
	/*
	 * Libraries have products of their own: squares of primes for Montgomery's arithmetic, a
	 * prime times what a signature was made of. A key's modulus has two primes, and different
	 * ones (FIPS 186-5, A.1.3).
	 */
	if (memcmp(p, q, 8 * (size_t)nr) && are_primes(s, p, q, nr))
		report(s, stretch, at, layout, p, q);
out:
	explicit_bzero(p, sizeof(p));
	explicit_bzero(q, sizeof(q));
	return true;
}

static bool before(const struct number *a, const struct number *b)
{
	return a->stretch < b->stretch;
}

/*
 * The primes of the same size, from the nearest on. Without asking whether the other prime's lowest
 * limb, which is n0 / p0 modulo 2^64, was seen, a pair costs a hundred times as much.
 */
static void factor_by_primes(struct search *s, const struct number *n, size_t most)
{
	const struct numbers *primes = &s->primes[s->size];
	size_t up = 0, high = primes->nr, down, tried = 0;
	size_t near = n->strong ? DIVIDE_NEAR : DIVIDE_NEAR / 4;

	while (up < high) {
		size_t middle = (up + high) / 2;

		if (before(&primes->items[middle], n))
			up = middle + 1;
		else
			high = middle;
	}
	for (down = up; tried < most && !s->found && (down > 0 || up < primes->nr); tried++) {
		bool go_up = up < primes->nr &&
			     (!down || primes->items[up].stretch - n->stretch <=
					       n->stretch - primes->items[down - 1].stretch);
		const struct number *p = &primes->items[go_up ? up++ : --down];

		if (!affords(s, 1))
			return;
		if (tried >= near && !in_filter(s, n->low * p->inverse))
			continue;
		if (!try_prime(s, &s->harvest->stretches[p->stretch], p->at, p->layout, true))
			return;
	}
}

static bool try_spot(void *userdata, long at)
{
	struct search *s = userdata;
	size_t len = limbs_size(s->layout, 64U * sizes[s->size]);

	if ((long)len > (long)s->stretch->len + HARVEST_MARGIN - at)
		return false;
	return affords(s, 1) && try_prime(s, s->stretch, at, s->layout, false) && !s->found;
}

/* Primes that stand in the middle of other numbers: in the modulus' own stretch, and around where
 * it is sure. */
static void factor_by_region(struct search *s, const struct number *n)
{
	static const enum finding_layout plain[] = {LAYOUT_LE, LAYOUT_BE, LAYOUT_W32, LAYOUT_W64};
	size_t bytes = 0;

	size_t most = n->strong ? REGION : 1;

	for (size_t i = 0; i < 2 * s->harvest->nr && bytes < most && !s->found; i++) {
		/* n's own stretch, one after it, one before it, ... */
		size_t away = (i + 1) / 2, at;

		if (i & 1 ? n->stretch + away >= s->harvest->nr : away > n->stretch)
			continue;
		at = i & 1 ? n->stretch + away : n->stretch - away;
		s->stretch = &s->harvest->stretches[at];
		bytes += s->stretch->len;
		for (size_t k = 0; k < ARRAY_SIZE(plain) && !s->found; k++) {
			s->layout = plain[k];
			spots_all(s->harvest, s->stretch, s->layout, try_spot, s);
		}
	}
}

/* What is bulk comes late, and what is not tried of it is no loss that is worth a word. */
enum pass { PASS_STRONG, PASS_WEAK, PASS_BULK, PASS_REGION, PASS_NR };

/* Where it is known, or has a place; who knows a modulus can make others that come to the same. */
static struct factored *factored_at(struct search *s, const uint64_t *n, unsigned nr,
				    bool *out_known)
{
	uint64_t first = n[0] * 0x9e3779b97f4a7c15ULL >> 32;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	struct factored *f;

	*out_known = false;
	for (unsigned i = 0; i < FACTORED_TRY; i++) {
		f = &s->factored[(first + i) % FACTORED];
		if (!f->low)
			return f;
		if (f->low != n[0])
			continue;
		SHA256((const uint8_t *)n, 8UL * nr, digest);
		*out_known = !memcmp(digest, f->digest, sizeof(digest));
		if (*out_known)
			return f;
	}
	return &s->factored[first % FACTORED];
}

/* A number stands in a dump more than once, and in more than one layout. */
static bool done_before(struct search *s, const uint64_t *n, unsigned nr)
{
	bool known;

	factored_at(s, n, nr, &known);
	return known;
}

static void is_done(struct search *s, const uint64_t *n, unsigned nr)
{
	bool known;
	struct factored *f = factored_at(s, n, nr, &known);

	f->low = n[0];
	SHA256((const uint8_t *)n, 8UL * nr, f->digest);
}

static bool in_pass(const struct search *s, const struct number *n, enum pass pass)
{
	bool bulk = s->harvest->stretches[n->stretch].bulk;

	switch (pass) {
	case PASS_STRONG:
		return n->strong && !bulk;
	case PASS_WEAK:
		return !n->strong && !bulk;
	case PASS_BULK:
		return bulk;
	default:
		return true;
	}
}

static void factor_all(struct search *s, enum pass pass, size_t most, bool *done)
{
	struct numbers *moduli = &s->moduli[s->size];
	uint64_t limbs[LIMBS_MAX];

	for (size_t i = 0; i < moduli->nr; i++) {
		const struct number *n = &moduli->items[i];

		if (s->cut) {
			s->untried += pass < PASS_BULK && !done[i] && in_pass(s, n, pass);
			continue;
		}
		if (done[i] || !in_pass(s, n, pass) || !load(s, n, 2U * sizes[s->size], 2, limbs) ||
		    done_before(s, limbs, 2U * sizes[s->size]))
			continue;
		s->modulus_limbs = limbs;
		s->found = false;
		if (pass == PASS_REGION)
			factor_by_region(s, n);
		else
			factor_by_primes(s, n, most);
		done[i] = s->found;
		if (s->found)
			is_done(s, limbs, 2U * sizes[s->size]);
	}
}

/* Steps for what comes now, and pairs of them for each modulus. */
static size_t set_limit(struct search *s, uint64_t limit, size_t moduli)
{
	s->limit = limit;
	return limit ? limit / moduli + NEAR_MIN : SIZE_MAX;
}

static int join_all(struct search *s, bool *out_cut)
{
	const struct rsa_join *join = s->join;
	size_t moduli = 1, most;
	bool *done[SIZES] = {NULL};
	int err = 0;

	for (unsigned i = 0; i < SIZES; i++) {
		moduli += s->moduli[i].nr;
		done[i] = calloc(s->moduli[i].nr + 1, sizeof(bool));
		if (!done[i])
			err = -ENOMEM;
	}
	most = set_limit(s, join->budget && join->likely ? join->likely : join->budget, moduli);
	for (enum pass pass = 0; pass < PASS_NR && !err; pass++) {
		if (pass == PASS_BULK) {
			*out_cut = s->cut;
			s->untried += s->cut; /* that which was at hand */
		}
		if (pass == PASS_BULK && join->likely) {
			most = set_limit(s, join->budget, moduli);
			s->steps = 0;
			s->cut = false;
		}
		if (pass == PASS_REGION) {
			/* One chance more: it has a share of its own, and may run out of it. */
			s->cut = false;
			s->steps = join->budget / 2;
		}
		for (s->size = 0; s->size < SIZES; s->size++)
			factor_all(s, pass, most, done[s->size]);
	}
	for (unsigned i = 0; i < SIZES; i++)
		free(done[i]);
	return err;
}

/* Keys without a modulus. They have a share of their own: what is not tried of it is no loss. */
static void crt_all(struct search *s)
{
	uint64_t p[LIMBS_MAX], q[LIMBS_MAX], n[LIMBS_MAX];

	s->cut = false;
	s->steps = s->join->budget / 2;
	for (s->size = 0; s->size < SIZES; s->size++)
		for (size_t i = 0; i < s->primes[s->size].nr && !s->cut; i++) {
			const struct number *prime = &s->primes[s->size].items[i];
			const struct rsa_in_row row = {
				.stretch = &s->harvest->stretches[prime->stretch],
				.at = prime->at,
				.layout = prime->layout,
				.nr = sizes[s->size],
			};

			if (!affords(s, 10) || !rsa_crt(s->harvest, &row, p, q))
				continue;
			limbs_multiply(p, row.nr, q, row.nr, n);
			if (n[2 * row.nr - 1] >> 62 && !done_before(s, n, 2 * row.nr) &&
			    are_primes(s, p, q, row.nr)) {
				is_done(s, n, 2 * row.nr);
				s->modulus_limbs = n;
				report(s, row.stretch, row.at, row.layout, p, q);
			}
		}
	explicit_bzero(p, sizeof(p));
	explicit_bzero(q, sizeof(q));
}

struct rsa_search {
	struct search shares[RSA_SHARES]; /* the first one has all in the end */
};

static void free_numbers(struct numbers *numbers)
{
	if (numbers->items)
		explicit_bzero(numbers->items, numbers->nr * sizeof(*numbers->items));
	free(numbers->items);
}

void rsa_search_free(struct rsa_search *search)
{
	if (!search)
		return;
	for (unsigned share = 0; share < RSA_SHARES; share++)
		for (unsigned i = 0; i < SIZES; i++) {
			free_numbers(&search->shares[share].primes[i]);
			free_numbers(&search->shares[share].moduli[i]);
		}
	free(search->shares[0].filter);
	free(search);
}

struct rsa_search *rsa_search_new(const struct harvest *harvest, const struct rsa_join *join)
{
	_cleanup_rsa_search_ struct rsa_search *search = calloc(1, sizeof(*search));

	if (!search)
		return NULL;
	for (unsigned share = 0; share < RSA_SHARES; share++) {
		search->shares[share].harvest = harvest;
		search->shares[share].join = join;
	}
	search->shares[0].filter = calloc(FILTER_BITS / 64, sizeof(uint64_t));
	return search->shares[0].filter ? take_ptr(search) : NULL;
}

void rsa_collect(struct rsa_search *search, unsigned share)
{
	size_t nr = search->shares[share].harvest->nr;

	collect(&search->shares[share], nr * share / RSA_SHARES, nr * (share + 1) / RSA_SHARES);
}

/* Stretches of later shares come later, which is the order that the search goes by. */
static bool append(struct search *s, struct numbers *to, const struct numbers *from)
{
	for (size_t i = 0; i < from->nr; i++)
		if (!add(s, to, &from->items[i]))
			return false;
	return true;
}

int rsa_search_join(struct rsa_search *search, bool *out_cut)
{
	struct search *s = &search->shares[0];
	bool cut = false, ok = true;
	int err;

	for (unsigned share = 1; share < RSA_SHARES; share++) {
		const struct search *other = &search->shares[share];

		s->untried += other->untried;
		for (unsigned i = 0; i < SIZES && ok; i++)
			ok = append(s, &s->primes[i], &other->primes[i]) &&
			     append(s, &s->moduli[i], &other->moduli[i]);
	}
	if (!ok)
		return -ENOMEM;
	fill_filter(s);
	err = join_all(s, &cut);
	crt_all(s);
	if (!err)
		*out_cut = cut;
	return err;
}

uint64_t rsa_search_untried(const struct rsa_search *search)
{
	return search->shares[0].untried;
}

int rsa_join(const struct harvest *harvest, const struct rsa_join *join, bool *out_cut)
{
	_cleanup_rsa_search_ struct rsa_search *search = rsa_search_new(harvest, join);

	if (!search)
		return -ENOMEM;
	for (unsigned share = 0; share < RSA_SHARES; share++)
		rsa_collect(search, share);
	return rsa_search_join(search, out_cut);
}
