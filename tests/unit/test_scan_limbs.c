// SPDX-License-Identifier: GPL-2.0-or-later
/* Numbers come back in each layout, and the sieve refuses just those that a small prime divides. */
#include "scan/limbs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <openssl/bn.h>
#include <openssl/rand.h>
#include <string.h>

#include "base/cleanup.h"

#define NUMBERS 4000

/* Which limbs_small_factor() asks for. */
static const BN_ULONG primes[] = {3, 5, 7, 11, 13, 17, 31, 41, 61, 97, 151, 241, 257, 641};

static bool by_openssl(const uint64_t *limbs, unsigned nr)
{
	BIGNUM *n = BN_lebin2bn((const uint8_t *)limbs, (int)(8 * nr), NULL);
	bool divides = false;

	assert_non_null(n);
	for (size_t i = 0; i < ARRAY_SIZE(primes); i++)
		divides |= BN_mod_word(n, primes[i]) == 0;
	BN_free(n);
	return divides;
}

static void the_sieve_refuses_what_a_small_prime_divides_and_nothing_else(void **state)
{
	static const unsigned sizes[] = {1, 2, 8, 10, 12, 16, 28, 64, 128};
	uint64_t limbs[LIMBS_MAX];
	unsigned left = 0;

	for (unsigned k = 0; k < NUMBERS; k++) {
		unsigned nr = sizes[k % ARRAY_SIZE(sizes)];

		RAND_bytes((uint8_t *)limbs, sizeof(limbs));
		/* Sums at their largest, and at their least. */
		for (unsigned i = 0; i < nr && k % 16 < 2; i++)
			limbs[i] = k & 1 ? ~0ULL : (uint64_t)(i == 0);
		if (k % 16 == 2)
			limbs[0] = ~0ULL - k;
		assert_int_equal(limbs_small_factor(limbs, nr), by_openssl(limbs, nr));
		left += !limbs_small_factor(limbs, nr);
	}
	assert_true(left > NUMBERS / 5);
}

static void each_small_prime_is_asked_for(void **state)
{
	uint64_t limbs[16];

	for (size_t i = 0; i < ARRAY_SIZE(primes); i++)
		for (unsigned k = 0; k < 50; k++) {
			BIGNUM *n = BN_new();

			assert_int_equal(BN_priv_rand(n, 1000, -1, 0), 1);
			assert_int_equal(BN_mul_word(n, primes[i]), 1);
			assert_int_equal(BN_bn2lebinpad(n, (uint8_t *)limbs, sizeof(limbs)),
					 sizeof(limbs));
			assert_true(limbs_small_factor(limbs, ARRAY_SIZE(limbs)));
			BN_free(n);
		}
}

static void numbers_come_back_in_each_layout(void **state)
{
	static const enum finding_layout layouts[] = {
		LAYOUT_LE,	     LAYOUT_BE,		  LAYOUT_W32,	    LAYOUT_W64,
		LAYOUT_LE_SWAPPED64, LAYOUT_LE_SWAPPED32, LAYOUT_DIGITS_60, LAYOUT_DIGITS_31,
		LAYOUT_DIGITS_30,    LAYOUT_DIGITS_28,	  LAYOUT_DIGITS_15,
	};
	uint8_t bytes[8 * LIMBS_MAX * 8 / 7 + 64];

	for (size_t i = 0; i < ARRAY_SIZE(layouts); i++)
		for (unsigned nr = 8; nr <= 128; nr += 8) {
			uint64_t limbs[LIMBS_MAX], back[LIMBS_MAX];

			RAND_bytes((uint8_t *)limbs, sizeof(limbs));
			limbs[0] |= 1;
			limbs[nr - 1] |= 1ULL << 63;
			limbs_store(layouts[i], limbs, 64 * nr, bytes);
			assert_true(limbs_load(layouts[i], bytes, 64 * nr, 1, back));
			assert_memory_equal(limbs, back, 8 * (size_t)nr);
			/* An even one is none. */
			limbs[0] &= ~1ULL;
			limbs_store(layouts[i], limbs, 64 * nr, bytes);
			assert_false(limbs_load(layouts[i], bytes, 64 * nr, 1, back));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_sieve_refuses_what_a_small_prime_divides_and_nothing_else),
		cmocka_unit_test(each_small_prime_is_asked_for),
		cmocka_unit_test(numbers_come_back_in_each_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
