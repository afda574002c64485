// SPDX-License-Identifier: GPL-2.0-or-later
/* Private keys proven: arithmetic over the numbers that a form holds. */
#include "scan/form-key.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/sha.h>

#include "base/cleanup.h"

#define COST_CURVE 500 /* P-384 takes more, P-521 less */

bool form_spend(struct form_work *work, enum form_pot pot, uint64_t cost)
{
	unsigned *left = &work->left[pot];

	if (work->all)
		return true;
	if (!*left) {
		work->untried++;
		return false;
	}
	*left -= cost < *left ? (unsigned)cost : *left;
	return true;
}

bool form_spend_dear(struct form_work *work, enum form_pot pot, uint64_t cost, unsigned *out_taken)
{
	unsigned *left = &work->left[pot];

	*out_taken = 0;
	if (work->all || !cost)
		return true;
	if (!*left || cost > FORM_COST_MAX) {
		work->untried++;
		return false;
	}
	*out_taken = cost < *left ? (unsigned)cost : *left;
	*left -= *out_taken;
	return true;
}

void form_give_back(struct form_work *work, enum form_pot pot, uint64_t cost, unsigned taken)
{
	if (!taken || cost > work->proven)
		return;
	work->proven -= (unsigned)cost;
	work->left[pot] += taken;
}

/* Of a proof that costs more than what its candidate has paid for already. */
static bool affords(struct form_key *key, enum form_pot pot, uint64_t cost, unsigned *out_taken)
{
	*out_taken = 0;
	return !key->work || form_spend_dear(key->work, pot, cost, out_taken);
}

static void give_back(struct form_key *key, enum form_pot pot, uint64_t cost, unsigned taken)
{
	if (key->work)
		form_give_back(key->work, pot, cost, taken);
}

void form_key_init(struct form_key *key)
{
	key->proven = key->seed = false;
	key->secret_len = 0;
	pubkey_init(&key->pub);
}

void form_key_wipe(struct form_key *key)
{
	explicit_bzero(key->secret, sizeof(key->secret));
}

static bool keep(struct form_key *key, struct bytes secret)
{
	if (secret.len > sizeof(key->secret))
		return false;
	if (secret.len)
		memcpy(key->secret, secret.p, secret.len);
	key->secret_len = secret.len;
	return true;
}

static BIGNUM *number(struct bytes b)
{
	return BN_bin2bn(b.p, (int)b.len, NULL);
}

static bool divides(const struct form_rsa *in, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *p = number(in->p), *q = number(in->q), *m = BN_new();
	bool ok = p && q && m && BN_num_bits(p) > 64 && BN_num_bits(q) > 64 &&
		  BN_mul(m, p, q, ctx) && BN_cmp(m, n) == 0;

	/* The other prime need not be there. */
	if (!ok && p && m && BN_num_bits(p) > 64 && BN_num_bits(p) < BN_num_bits(n) - 64)
		ok = BN_mod(m, n, p, ctx) && BN_is_zero(m);
	BN_clear_free(p);
	BN_clear_free(q);
	BN_clear_free(m);
	return ok;
}

static bool undoes(const struct form_rsa *in, const BIGNUM *n, BN_CTX *ctx)
{
	BIGNUM *e = number(in->e), *d = number(in->d), *m = BN_new();
	bool ok = e && d && m && BN_num_bits(e) > 1 && BN_num_bits(d) > BN_num_bits(n) / 4 &&
		  BN_num_bits(d) <= BN_num_bits(n) && BN_set_word(m, 2) &&
		  BN_mod_exp(m, m, e, n, ctx) && BN_mod_exp(m, m, d, n, ctx) && BN_is_word(m, 2);

	BN_free(e);
	BN_clear_free(d);
	BN_clear_free(m);
	return ok;
}

static bool digest_of(const struct form_rsa *in, uint8_t out[SHA256_DIGEST_LENGTH])
{
	const struct bytes *const parts[] = {&in->n, &in->e, &in->d};
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1;

	for (size_t i = 0; i < ARRAY_SIZE(parts) && ok; i++)
		ok = EVP_DigestUpdate(ctx, &parts[i]->len, sizeof(parts[i]->len)) == 1 &&
		     EVP_DigestUpdate(ctx, parts[i]->p, parts[i]->len) == 1;
	ok = ok && EVP_DigestFinal_ex(ctx, out, NULL) == 1;
	EVP_MD_CTX_free(ctx);
	return ok;
}

/* The same by d, which costs a power of that size, but for what was proven before. */
static bool by_exponents(const struct form_rsa *in, const BIGNUM *n, struct form_key *key,
			 BN_CTX *ctx)
{
	uint64_t cost = form_cost_power(8 * in->n.len, 8 * (in->d.len + in->e.len));
	struct form_work *work = key->work;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	bool has_digest;
	unsigned taken;

	if (!in->d.len || !in->e.len)
		return false;
	has_digest = work && digest_of(in, digest);
	for (unsigned i = 0; has_digest && i < ARRAY_SIZE(work->known) && i < work->nr_known; i++)
		if (!memcmp(work->known[i], digest, sizeof(digest)))
			return true;
	if (!affords(key, FORM_POWERS, cost, &taken) || !undoes(in, n, ctx))
		return false;
	give_back(key, FORM_POWERS, cost, taken);
	if (has_digest)
		memcpy(work->known[work->nr_known++ % ARRAY_SIZE(work->known)], digest,
		       sizeof(digest));
	return true;
}

bool form_rsa(const struct form_rsa *in, struct form_key *key)
{
	BN_CTX *ctx = BN_CTX_new();
	BIGNUM *n = number(in->n);
	bool by_p = false, ok = false;

	if (in->n.len >= 64 && in->n.len <= 2 * FORM_SECRET_MAX && ctx && n && BN_is_odd(n)) {
		by_p = in->p.len && divides(in, n, ctx);
		ok = by_p || by_exponents(in, n, key, ctx);
	}
	BN_free(n);
	BN_CTX_free(ctx);
	key->proven = ok;
	return ok && pubkey_set_number(&key->pub, PUB_N, in->n) &&
	       pubkey_set_number(&key->pub, PUB_E, in->e) && pubkey_finish(&key->pub, KEY_RSA) &&
	       keep(key, by_p ? in->p : in->d);
}

bool form_ec(const struct curve *curve, struct bytes scalar, struct bytes public,
	     struct form_key *key)
{
	const bool cheap = curve && !strcmp(curve->group, "prime256v1");
	unsigned taken = 0;
	EC_GROUP *group = curve && (cheap || affords(key, FORM_CURVES, COST_CURVE, &taken))
				  ? EC_GROUP_new_by_curve_name(OBJ_txt2nid(curve->group))
				  : NULL;
	EC_POINT *point = group ? EC_POINT_new(group) : NULL;
	BIGNUM *d = number(scalar);
	BN_CTX *ctx = BN_CTX_new();
	uint8_t out[1 + 2 * 66];
	size_t len = 0;
	bool ok;

	if (point && d && ctx && !BN_is_zero(d) && BN_cmp(d, EC_GROUP_get0_order(group)) < 0 &&
	    BN_num_bits(d) > 64 && EC_POINT_mul(group, point, d, NULL, NULL, ctx))
		len = EC_POINT_point2oct(group, point, POINT_CONVERSION_UNCOMPRESSED, out,
					 sizeof(out), ctx);
	BN_clear_free(d);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	BN_CTX_free(ctx);
	key->pub.curve = curve;
	key->proven = public.len > 1 && public.len <= len &&
		      !memcmp(out + 1, public.p + 1, public.len - 1);
	/* A public half that is another's: then the scalar is not one. */
	ok = len && (key->proven || !public.len);
	if (key->proven)
		give_back(key, FORM_CURVES, COST_CURVE, taken);
	return ok && pubkey_set(&key->pub, PUB_POINT, (struct bytes){out, len}) &&
	       pubkey_finish(&key->pub, KEY_EC) && keep(key, scalar);
}

bool form_raw(enum key_kind kind, struct bytes seed, struct bytes public, struct form_key *key)
{
	EVP_PKEY *pkey;
	uint8_t out[32];
	size_t len = sizeof(out);
	bool ok;

	if (seed.len != 32)
		return false;
	pkey = EVP_PKEY_new_raw_private_key(kind == KEY_X25519 ? EVP_PKEY_X25519 : EVP_PKEY_ED25519,
					    NULL, seed.p, seed.len);
	ok = pkey && EVP_PKEY_get_raw_public_key(pkey, out, &len) == 1 && len == 32;
	EVP_PKEY_free(pkey);
	key->proven = ok && public.len == 32 && !memcmp(out, public.p, 32);
	key->seed = true;
	return ok && (key->proven || !public.len) &&
	       pubkey_set(&key->pub, PUB_POINT, (struct bytes){out, 32}) &&
	       pubkey_finish(&key->pub, kind) && keep(key, seed);
}
