// SPDX-License-Identifier: GPL-2.0-or-later
/* RSA numbers in each layout, size and alignment, with each other and alone. */
#include "scan/detect-rsa.h"

#include <string.h>

#include <openssl/rand.h>

#include "unit/numbers.h"
#include "unit/rsa_primes.h"

#define LEN (256 << 10)

static const enum finding_layout layouts[] = {
	LAYOUT_LE,	     LAYOUT_BE,		  LAYOUT_W32,	    LAYOUT_W64,
	LAYOUT_LE_SWAPPED64, LAYOUT_LE_SWAPPED32, LAYOUT_DIGITS_60, LAYOUT_DIGITS_31,
	LAYOUT_DIGITS_30,    LAYOUT_DIGITS_28,	  LAYOUT_DIGITS_15,
};

struct rsa {
	BIGNUM *n, *p, *q, *d, *dp;
	unsigned bits;
};

/* `other`: of 2048 bits there are two. */
static struct rsa make_rsa(unsigned bits, unsigned long e, bool other)
{
	struct rsa rsa = {.bits = bits, .n = BN_new(), .d = BN_new(), .dp = BN_new()};
	BIGNUM *E = BN_new(), *p1 = BN_new(), *phi = BN_new();
	BN_CTX *ctx = BN_CTX_new();

	for (size_t i = 0; i < ARRAY_SIZE(test_primes) && !rsa.p; i++) {
		if (test_primes[i].bits != bits || (other && test_primes[i + 1].bits == bits))
			continue;
		BN_hex2bn(&rsa.p, test_primes[i].p);
		BN_hex2bn(&rsa.q, test_primes[i].q);
	}
	assert_non_null(rsa.p);
	BN_set_word(E, e);
	BN_mul(rsa.n, rsa.p, rsa.q, ctx);
	BN_sub(p1, rsa.p, BN_value_one());
	BN_sub(phi, rsa.q, BN_value_one());
	BN_mul(phi, phi, p1, ctx);
	assert_non_null(BN_mod_inverse(rsa.d, E, phi, ctx));
	BN_mod(rsa.dp, rsa.d, p1, ctx);
	BN_free(E);
	BN_free(p1);
	BN_free(phi);
	BN_CTX_free(ctx);
	return rsa;
}

static void drop_rsa(struct rsa *rsa)
{
	BN_free(rsa->n);
	BN_free(rsa->p);
	BN_free(rsa->q);
	BN_free(rsa->d);
	BN_free(rsa->dp);
}

struct seen {
	unsigned nr;
	uint64_t at, exponent;
	enum finding_layout layout;
	size_t modulus_len;
	uint8_t modulus[RSA_BYTES_MAX];
};

static void see(void *userdata, const struct rsa_hit *hit)
{
	struct seen *seen = userdata;

	seen->nr++;
	seen->at = hit->stretch->offset + (uint64_t)hit->prime_at;
	seen->exponent = hit->exponent;
	seen->layout = hit->layout;
	seen->modulus_len = hit->modulus.len;
	memcpy(seen->modulus, hit->modulus.p, hit->modulus.len);
}

static struct seen search(const uint8_t *p, bool bytes)
{
	struct harvest *h = harvest_memory(p, LEN, bytes);
	struct seen seen = {.nr = 0};
	struct rsa_join join = {.budget = 50 << 20, .hit = see, .userdata = &seen};
	bool cut = true;

	assert_int_equal(rsa_join(h, &join, &cut), 0);
	assert_false(cut);
	harvest_free(h);
	return seen;
}

/* What surrounds keys: pointers, small numbers, text, zeros. */
static uint8_t *memory(void)
{
	uint8_t *p = calloc(1, LEN);

	for (size_t at = 0; at < LEN; at += 64) {
		memcpy(p + at, &(uint64_t){0x00007f1234560000 + at}, 8);
		memcpy(p + at + 16, &(uint64_t){at / 64}, 8);
		memcpy(p + at + 32, "/usr/lib/x86_64-", 16);
	}
	return p;
}

/* As in a chunk of its own: a head before it, nothing behind it. */
static void put_alone(uint8_t *p, size_t at, const BIGNUM *bn, unsigned bits,
		      enum finding_layout layout)
{
	memset(p + at - 16, 0, 32 + limbs_size(layout, bits));
	memcpy(p + at / 8 * 8 - 8, &(uint64_t){0x91}, at % 8 ? 0 : 8);
	put_bn(p + at, bn, bits, layout);
}

static void expect(const struct seen *seen, const struct rsa *rsa, const char *what,
		   unsigned number)
{
	uint8_t n[RSA_BYTES_MAX];

	BN_bn2binpad(rsa->n, n, (int)rsa->bits / 8);
	if (seen->nr != 1)
		fail_msg("%u bits, %s %u: %u found", rsa->bits, what, number, seen->nr);
	assert_int_equal(seen->modulus_len, rsa->bits / 8);
	assert_memory_equal(seen->modulus, n, rsa->bits / 8);
}

static void each_layout_of_each_size_is_joined(void **state)
{
	static const unsigned sizes[] = {1024, 1536, 2048, 3072, 4096, 8192};
	uint8_t *p = memory();

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct rsa rsa = make_rsa(sizes[i], 65537, false);

		for (size_t k = 0; k < ARRAY_SIZE(layouts); k++) {
			struct seen seen;
			uint8_t *m = malloc(LEN);

			memcpy(m, p, LEN);
			put_alone(m, 8192, rsa.n, sizes[i], layouts[k]);
			put_alone(m, 65536 - 64, rsa.p, sizes[i] / 2, layouts[k]);
			seen = search(m, false);
			expect(&seen, &rsa, "layout", layouts[k]);
			assert_int_equal(seen.layout, layouts[k]);
			assert_int_equal(seen.at, 65536 - 64);
			/* Alone each says nothing. */
			memset(m + 8192, 0, 2048);
			assert_int_equal(search(m, false).nr, 0);
			free(m);
		}
		drop_rsa(&rsa);
	}
	free(p);
}

/* What has a budget of its own is not cut off by that of the rest. */
static void what_is_likely_may_cost_more(void **state)
{
	struct rsa rsa = make_rsa(2048, 65537, false);
	uint8_t *p = memory();
	struct seen seen = {.nr = 0};
	struct rsa_join join = {.budget = 1, .hit = see, .userdata = &seen};
	struct harvest *h;
	bool cut = false;

	put_alone(p, 8192, rsa.n, 2048, LAYOUT_LE);
	put_alone(p, 65536 - 64, rsa.p, 1024, LAYOUT_LE);
	h = harvest_memory(p, LEN, false);
	assert_int_equal(rsa_join(h, &join, &cut), 0);
	assert_true(cut);
	assert_int_equal(seen.nr, 0);
	join.likely = 50 << 20;
	assert_int_equal(rsa_join(h, &join, &cut), 0);
	assert_false(cut);
	expect(&seen, &rsa, "layout", LAYOUT_LE);
	harvest_free(h);
	free(p);
	drop_rsa(&rsa);
}

/* Random bytes as begin a packed file, thousands of them: more numbers than are kept. */
static uint64_t untried_of_many(bool bulk)
{
	const size_t len = 1152, nr = 25000;
	struct harvest_place place = {.offset = 0};
	struct rsa_join join = {.budget = 1 << 20, .hit = see};
	_cleanup_harvest_ struct harvest *h = NULL;
	_cleanup_rsa_search_ struct rsa_search *search = NULL;
	uint8_t *p = calloc(1, len + 2 * HARVEST_MARGIN);
	bool cut;

	assert_int_equal(harvest_new(32 << 20, &h), 0);
	for (size_t i = 0; i < nr; i++) {
		struct harvest_part part = {HARVEST_MARGIN, (uint16_t)len, bulk};

		RAND_bytes(p + HARVEST_MARGIN, (int)len);
		place.offset += 16384;
		harvest_keep(h, (struct bytes){p, len + 2 * HARVEST_MARGIN}, &place, &part);
	}
	harvest_sort(h);
	search = rsa_search_new(h, &join);
	for (unsigned share = 0; share < RSA_SHARES; share++)
		rsa_collect(search, share);
	assert_int_equal(rsa_search_join(search, &cut), 0);
	free(p);
	return rsa_search_untried(search);
}

static void what_is_not_tried_of_packed_data_is_no_loss(void **state)
{
	assert_int_equal(untried_of_many(true), 0);
	assert_true(untried_of_many(false) > 0);
}

static void each_alignment_is_looked_at(void **state)
{
	static const struct {
		enum finding_layout layout;
		unsigned step;
		bool bytes;
	} cases[] = {
		{LAYOUT_LE, 4, false},	      {LAYOUT_LE, 1, true},
		{LAYOUT_BE, 1, false},	      {LAYOUT_BE, 1, true},
		{LAYOUT_W32, 4, false},	      {LAYOUT_DIGITS_30, 4, false},
		{LAYOUT_DIGITS_28, 4, false}, {LAYOUT_DIGITS_15, 2, false},
	};
	struct rsa rsa = make_rsa(2048, 65537, false);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		for (unsigned skew = 0; skew < 8; skew += cases[i].step) {
			uint8_t *p = memory();
			struct seen seen;

			put_alone(p, 8192 + skew, rsa.n, 2048, cases[i].layout);
			put_alone(p, 16384 + skew, rsa.q, 1024, cases[i].layout);
			seen = search(p, cases[i].bytes);
			expect(&seen, &rsa, "skew", skew);
			assert_int_equal(seen.at, 16384 + skew);
			free(p);
		}
	drop_rsa(&rsa);
}

/* CNG and the like: modulus and primes one after another. BearSSL: no modulus beside the primes. */
static void primes_inside_longer_runs_are_found(void **state)
{
	static const enum finding_layout kinds[] = {LAYOUT_LE, LAYOUT_BE, LAYOUT_W32};
	struct rsa rsa = make_rsa(2048, 65537, false);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		for (unsigned skew = 0; skew < 8; skew += kinds[i] == LAYOUT_BE ? 1 : 4) {
			uint8_t *p = memory();
			struct seen seen;

			put_alone(p, 8192 + skew, rsa.n, 2048, kinds[i]);
			put_bn(p + 8192 + skew + 256, rsa.p, 1024, kinds[i]);
			put_bn(p + 8192 + skew + 384, rsa.q, 1024, kinds[i]);
			seen = search(p, false);
			expect(&seen, &rsa, "skew", skew);
			free(p);
		}
	drop_rsa(&rsa);
}

static void the_exponent_is_confirmed_by_the_private_one(void **state)
{
	static const unsigned long exponents[] = {65537, 3, 17, 257, 65539};

	for (size_t i = 0; i < ARRAY_SIZE(exponents); i++) {
		struct rsa rsa = make_rsa(1024, exponents[i], false);
		uint8_t *p = memory();
		struct seen seen;

		put_alone(p, 8192, rsa.n, 1024, LAYOUT_LE);
		put_alone(p, 16384, rsa.p, 512, LAYOUT_LE);
		assert_int_equal(search(p, false).exponent, 0);
		put_alone(p, 32768, i & 1 ? rsa.d : rsa.dp, i & 1 ? 1024 : 512, layouts[i % 3]);
		seen = search(p, false);
		expect(&seen, &rsa, "exponent", (unsigned)exponents[i]);
		assert_int_equal(seen.exponent, exponents[i]);
		free(p);
		drop_rsa(&rsa);
	}
}

static void strangers_are_not_joined(void **state)
{
	struct rsa a = make_rsa(2048, 65537, false), b = make_rsa(2048, 65537, true);
	uint8_t *p = memory();

	put_alone(p, 8192, a.n, 2048, LAYOUT_LE);
	put_alone(p, 16384, b.p, 1024, LAYOUT_LE);
	put_alone(p, 32768, b.q, 1024, LAYOUT_BE);
	put_alone(p, 40960, a.n, 2048, LAYOUT_BE);
	assert_int_equal(search(p, false).nr, 0);
	for (size_t at = 0; at < LEN; at += 1024)
		RAND_bytes(p + at, 256 + (int)(at / 1024 % 512));
	assert_int_equal(search(p, false).nr, 0);
	free(p);
	drop_rsa(&a);
	drop_rsa(&b);
}

/* What libraries have of their own beside a key: squares of primes, a prime times something. */
static void products_that_are_no_modulus_are_left_out(void **state)
{
	struct rsa rsa = make_rsa(2048, 65537, false);
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = BN_new(), *other = BN_new();
	uint8_t *p = memory();

	BN_sqr(n, rsa.p, ctx);
	put_alone(p, 8192, n, 2048, LAYOUT_LE);
	put_alone(p, 16384, rsa.p, 1024, LAYOUT_LE);
	assert_int_equal(search(p, false).nr, 0);
	/* The next number without a small factor is no prime, by all chance. */
	BN_copy(other, rsa.q);
	for (uint64_t l[16] = {0}; !l[0] || limbs_small_factor(l, 16);) {
		BN_add_word(other, 2);
		BN_bn2lebinpad(other, (uint8_t *)l, sizeof(l));
	}
	assert_int_equal(BN_check_prime(other, ctx, NULL), 0);
	BN_mul(n, rsa.p, other, ctx);
	put_alone(p, 8192, n, 2048, LAYOUT_LE);
	assert_int_equal(search(p, false).nr, 0);
	put_alone(p, 8192, rsa.n, 2048, LAYOUT_LE);
	assert_int_equal(search(p, false).nr, 1);
	free(p);
	BN_free(n);
	BN_free(other);
	BN_CTX_free(ctx);
	drop_rsa(&rsa);
}

/* p, q, dp, dq, 1/q in a row, and no modulus (BearSSL). */
static void primes_with_their_exponents_need_no_modulus(void **state)
{
	static const unsigned sizes[] = {2048, 4096};
	static const enum finding_layout plain[] = {LAYOUT_LE, LAYOUT_BE, LAYOUT_W32, LAYOUT_W64};

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct rsa rsa = make_rsa(sizes[i], 65537, false);
		BN_CTX *ctx = BN_CTX_new();
		BIGNUM *q1 = BN_dup(rsa.q), *dq = BN_new(), *inverse = BN_new();
		const BIGNUM *row[] = {rsa.p, rsa.q, rsa.dp, dq, inverse};
		size_t len = sizes[i] / 16;

		BN_sub_word(q1, 1);
		BN_mod(dq, rsa.d, q1, ctx);
		BN_mod_inverse(inverse, rsa.q, rsa.p, ctx);
		for (size_t k = 0; k < ARRAY_SIZE(plain); k++) {
			uint8_t *m = memory();
			struct seen seen;

			memset(m + 8192 - 16, 0, 32 + 5 * len);
			for (size_t part = 0; part < ARRAY_SIZE(row); part++)
				put_bn(m + 8192 + part * len, row[part], sizes[i] / 2, plain[k]);
			seen = search(m, false);
			expect(&seen, &rsa, "in a row", plain[k]);
			/* Of one prime alone nobody knows whose it is. */
			memset(m + 8192 + 4 * len, 0, len);
			assert_int_equal(search(m, false).nr, 0);
			free(m);
		}
		BN_free(q1);
		BN_free(dq);
		BN_free(inverse);
		BN_CTX_free(ctx);
		drop_rsa(&rsa);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(primes_with_their_exponents_need_no_modulus),
		cmocka_unit_test(each_layout_of_each_size_is_joined),
		cmocka_unit_test(what_is_likely_may_cost_more),
		cmocka_unit_test(what_is_not_tried_of_packed_data_is_no_loss),
		cmocka_unit_test(each_alignment_is_looked_at),
		cmocka_unit_test(primes_inside_longer_runs_are_found),
		cmocka_unit_test(the_exponent_is_confirmed_by_the_private_one),
		cmocka_unit_test(strangers_are_not_joined),
		cmocka_unit_test(products_that_are_no_modulus_are_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
