// SPDX-License-Identifier: GPL-2.0-or-later
/* Neighbours of a number that may be a prime, asked whether they are of its key. */
#include "scan/rsa-crt.h"

#include <openssl/bn.h>

#define EXPONENT 65537
#define AWAY	 4 /* of the five numbers one is no further from another */

/* The number that stands so many of its size further on, or before; false if there is no room. */
static bool neighbour(const struct harvest *h, const struct rsa_in_row *number, int away,
		      const uint8_t **out)
{
	long len = (long)limbs_size(number->layout, 64 * number->nr), at = number->at + away * len;

	if (!away || at < -HARVEST_MARGIN || at + len > number->stretch->len + HARVEST_MARGIN)
		return false;
	*out = stretch_bytes(h, number->stretch) + at;
	return true;
}

/* Of full words only: then the highest and the lowest 64 bits are the ends. */
static uint64_t end_of(enum finding_layout layout, const uint8_t *p, unsigned nr, bool highest)
{
	uint64_t x;

	if (highest == (layout == LAYOUT_LE))
		p += 8 * (size_t)(nr - 1);
	memcpy(&x, p, 8);
	return layout == LAYOUT_BE ? be64toh(x) : layout == LAYOUT_W32 ? x << 32 | x >> 32 : x;
}

static BIGNUM *number_at(enum finding_layout layout, const uint8_t *p, unsigned nr)
{
	uint64_t limbs[LIMBS_MAX];
	BIGNUM *bn;

	for (unsigned i = 0; i < nr; i++)
		limbs[i] = end_of(layout, p + 8 * (size_t)(layout == LAYOUT_LE ? i : nr - 1 - i), 1,
				  false);
	bn = BN_lebin2bn((const uint8_t *)limbs, (int)(8 * nr), NULL);
	explicit_bzero(limbs, sizeof(limbs));
	return bn;
}

/* k by the ends at the top, then the ends at the bottom: one of 2^63 that are no pair passes. */
static bool may_be_pair(uint64_t p_top, uint64_t p_low, uint64_t d_top, uint64_t d_low)
{
	uint64_t k = (uint64_t)((unsigned __int128)d_top * EXPONENT / p_top);
	uint64_t left = d_low * EXPONENT - 1;

	return k < EXPONENT && (left == k * (p_low - 1) || left == (k + 1) * (p_low - 1));
}

/* Is d the inverse of the exponent modulo p - 1? */
static bool is_pair(const BIGNUM *p, const BIGNUM *d, BN_CTX *ctx)
{
	BIGNUM *m, *r;
	bool ok;

	BN_CTX_start(ctx);
	m = BN_CTX_get(ctx);
	r = BN_CTX_get(ctx);
	ok = r && BN_copy(m, p) && BN_sub_word(m, 1) && BN_copy(r, d) && BN_mul_word(r, EXPONENT) &&
	     BN_mod(r, r, m, ctx) && BN_is_one(r);
	if (m)
		BN_clear(m);
	BN_CTX_end(ctx);
	return ok;
}

/* Stands the inverse of the exponent in the same row? Of p itself the ends are asked first. */
static bool has_exponent(const struct harvest *h, const struct rsa_in_row *number, BN_CTX *ctx)
{
	const uint8_t *p = stretch_bytes(h, number->stretch) + number->at, *d;
	uint64_t top = end_of(number->layout, p, number->nr, true);
	uint64_t low = end_of(number->layout, p, number->nr, false);
	bool found = false;

	for (int away = -AWAY; away <= AWAY && !found && top >> 63 && low & 1; away++) {
		BIGNUM *P, *D;

		if (!neighbour(h, number, away, &d) ||
		    !may_be_pair(top, low, end_of(number->layout, d, number->nr, true),
				 end_of(number->layout, d, number->nr, false)))
			continue;
		P = number_at(number->layout, p, number->nr);
		D = number_at(number->layout, d, number->nr);
		if (!ctx) /* the ends will do */
			found = true;
		else
			found = P && D && is_pair(P, D, ctx);
		BN_clear_free(P);
		BN_clear_free(D);
	}
	return found;
}

/* Is one of the row the inverse of q modulo p, or of p modulo q? */
static bool has_coefficient(const struct harvest *h, const struct rsa_in_row *number,
			    const BIGNUM *p, const BIGNUM *q, BN_CTX *ctx)
{
	BIGNUM *r = BN_new();
	bool found = false;
	const uint8_t *at;

	for (int away = -AWAY; away <= AWAY && !found && r; away++) {
		BIGNUM *x = neighbour(h, number, away, &at)
				    ? number_at(number->layout, at, number->nr)
				    : NULL;

		found = x && ((BN_mod_mul(r, x, q, p, ctx) && BN_is_one(r)) ||
			      (BN_mod_mul(r, x, p, q, ctx) && BN_is_one(r)));
		BN_clear_free(x);
	}
	BN_clear_free(r);
	return found;
}

static bool other_prime(const struct harvest *h, const struct rsa_in_row *number, const BIGNUM *p,
			BN_CTX *ctx, uint64_t *out_q)
{
	long len = (long)limbs_size(number->layout, 64 * number->nr);
	bool found = false;
	const uint8_t *at;

	for (int away = -AWAY; away <= AWAY && !found; away++) {
		struct rsa_in_row other = *number;
		BIGNUM *q;

		other.at += away * len;
		if (!neighbour(h, number, away, &at) || !has_exponent(h, &other, ctx))
			continue;
		q = number_at(number->layout, at, number->nr);
		found = q && BN_cmp(p, q) && has_coefficient(h, number, p, q, ctx) &&
			BN_bn2lebinpad(q, (uint8_t *)out_q, (int)(8 * number->nr)) > 0;
		BN_clear_free(q);
	}
	return found;
}

bool rsa_crt(const struct harvest *h, const struct rsa_in_row *number, uint64_t *out_p,
	     uint64_t *out_q)
{
	BIGNUM *p;
	BN_CTX *ctx;
	bool found;

	if ((number->layout != LAYOUT_LE && number->layout != LAYOUT_BE &&
	     number->layout != LAYOUT_W32 && number->layout != LAYOUT_W64) ||
	    !has_exponent(h, number, NULL))
		return false;
	ctx = BN_CTX_secure_new();
	p = number_at(number->layout, stretch_bytes(h, number->stretch) + number->at, number->nr);
	found = ctx && p && has_exponent(h, number, ctx) && other_prime(h, number, p, ctx, out_q) &&
		BN_bn2lebinpad(p, (uint8_t *)out_p, (int)(8 * number->nr)) > 0;
	BN_clear_free(p);
	BN_CTX_free(ctx);
	return found;
}
