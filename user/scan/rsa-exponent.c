// SPDX-License-Identifier: GPL-2.0-or-later
/* Confirms the public exponent by the private ones that stand in the dump. */
#include "scan/rsa-exponent.h"

#include <openssl/bn.h>

#include "scan/limbs.h"

/* Enough of a number to know it by. */
#define TELLTALE 24

struct search {
	const struct harvest *harvest;
	BN_CTX *ctx;
};

/* A private exponent in the layouts that keep bytes together. */
static bool seen(const struct search *s, const BIGNUM *x)
{
	static const enum finding_layout layouts[] = {
		LAYOUT_LE,	     LAYOUT_BE,		  LAYOUT_W32,	    LAYOUT_W64,
		LAYOUT_LE_SWAPPED64, LAYOUT_LE_SWAPPED32, LAYOUT_DIGITS_60, LAYOUT_DIGITS_31,
		LAYOUT_DIGITS_30,    LAYOUT_DIGITS_28,	  LAYOUT_DIGITS_15,
	};
	uint64_t limbs[LIMBS_MAX] = {0};
	uint8_t out[8 * LIMBS_MAX * 8 / 7 + 64];
	unsigned nr = ((unsigned)BN_num_bits(x) + 63) / 64;
	bool found = false;

	if (!nr || nr > LIMBS_MAX || BN_num_bits(x) < 8 * TELLTALE * 3 / 2 ||
	    BN_bn2lebinpad(x, (uint8_t *)limbs, (int)(8 * nr)) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(layouts) && !found; i++) {
		limbs_store(layouts[i], limbs, 64 * nr, out);
		/* From a quarter on: the ends depend on how long the library takes it to be. */
		found = harvest_holds(s->harvest, out + limbs_size(layouts[i], 64 * nr) / 4 / 8 * 8,
				      TELLTALE, NULL);
	}
	explicit_bzero(limbs, sizeof(limbs));
	explicit_bzero(out, sizeof(out));
	return found;
}

static bool confirms(const struct search *s, uint64_t e, const BIGNUM *p, const BIGNUM *q)
{
	BIGNUM *E, *a, *b, *phi, *d;
	bool found = false;

	BN_CTX_start(s->ctx);
	E = BN_CTX_get(s->ctx);
	a = BN_CTX_get(s->ctx);
	b = BN_CTX_get(s->ctx);
	phi = BN_CTX_get(s->ctx);
	d = BN_CTX_get(s->ctx);
	if (d && BN_set_word(E, e) && BN_sub(a, p, BN_value_one()) &&
	    BN_sub(b, q, BN_value_one()) && BN_mul(phi, a, b, s->ctx)) {
		found = (BN_mod_inverse(d, E, a, s->ctx) && seen(s, d)) ||
			(BN_mod_inverse(d, E, b, s->ctx) && seen(s, d)) ||
			(BN_mod_inverse(d, E, phi, s->ctx) && seen(s, d));
		/* Newer standards divide by the least common multiple. */
		if (!found && BN_gcd(d, a, b, s->ctx) && BN_div(phi, NULL, phi, d, s->ctx) &&
		    BN_mod_inverse(d, E, phi, s->ctx))
			found = seen(s, d);
	}
	BN_CTX_end(s->ctx);
	return found;
}

uint64_t rsa_exponent(const struct harvest *harvest, const uint64_t *p, const uint64_t *q,
		      unsigned nr, bool only_usual)
{
	static const uint64_t usual[] = {65537, 3, 17, 257, 5, 7, 35, 37, 41, 65535, 65539, 11, 13};
	struct search s = {harvest, BN_CTX_secure_new()};
	BIGNUM *P = BN_lebin2bn((const uint8_t *)p, (int)(8 * nr), NULL);
	BIGNUM *Q = BN_lebin2bn((const uint8_t *)q, (int)(8 * nr), NULL);
	uint64_t e = 0;

	for (size_t i = 0; i < (only_usual ? 1 : ARRAY_SIZE(usual)) && !e && s.ctx && P && Q; i++)
		if (confirms(&s, usual[i], P, Q))
			e = usual[i];
	BN_clear_free(P);
	BN_clear_free(Q);
	BN_CTX_free(s.ctx);
	return e;
}
