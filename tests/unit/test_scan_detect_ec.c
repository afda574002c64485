// SPDX-License-Identifier: GPL-2.0-or-later
/* Scalars and seeds in each form, with their public halves in each. */
#include "scan/detect-ec.h"

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <string.h>

#include "unit/numbers.h"

#define LEN (64 << 10)

struct seen {
	unsigned nr;
	uint64_t at;
	enum key_kind kind;
	size_t secret_len;
	uint8_t secret[72];
};

static void see(void *userdata, const struct ec_hit *hit)
{
	struct seen *seen = userdata;

	seen->nr++;
	seen->at = hit->stretch->offset + (uint64_t)hit->at;
	seen->kind = hit->kind;
	seen->secret_len = hit->secret.len;
	memcpy(seen->secret, hit->secret.p, hit->secret.len);
}

static struct seen search(const uint8_t *p, bool bytes)
{
	struct harvest *h = harvest_memory(p, LEN, bytes);
	struct seen seen = {.nr = 0};
	struct ec_search ask = {.hit = see, .userdata = &seen};
	bool cut = true, rest = true;

	assert_int_equal(ec_detect(h, &ask, &cut, &rest), 0);
	assert_false(cut);
	assert_false(rest);
	harvest_free(h);
	return seen;
}

static void just_one(unsigned nr, const char *what)
{
	if (nr != 1)
		fail_msg("%s: %u found", what, nr);
}

/*
 * Bytes for keys, always the same: a detector of bare numbers misses one key in some thousands, by
 * nature, where a word of it looks like an address (its upper 16 bits all equal, two of 65,536, at
 * each of the three places that matter). With random keys no test could demand that each is found.
 */
static void fixed_bytes(unsigned nr, uint8_t out[SHA512_DIGEST_LENGTH])
{
	uint8_t from[] = {'k', 'e', 'y', (uint8_t)(nr >> 8), (uint8_t)nr};

	SHA512(from, sizeof(from), out);
}

static void make_key(enum ec_curve curve, BIGNUM **d, BIGNUM *x, BIGNUM *y)
{
	static const int nids[] = {
		[EC_P256] = NID_X9_62_prime256v1,
		[EC_SECP256K1] = NID_secp256k1,
		[EC_P384] = NID_secp384r1,
		[EC_P521] = NID_secp521r1,
	};
	EC_GROUP *group = EC_GROUP_new_by_curve_name(nids[curve]);
	EC_POINT *point = EC_POINT_new(group);
	uint8_t bytes[2 * SHA512_DIGEST_LENGTH];

	BN_CTX *ctx = BN_CTX_new();

	fixed_bytes(2 * curve, bytes);
	fixed_bytes(2 * curve + 1, bytes + SHA512_DIGEST_LENGTH);
	*d = BN_bin2bn(bytes, (int)ec_curve_field(curve) + 8, NULL);
	BN_nnmod(*d, *d, EC_GROUP_get0_order(group), ctx);
	assert_int_equal(EC_POINT_mul(group, point, *d, NULL, NULL, NULL), 1);
	assert_int_equal(EC_POINT_get_affine_coordinates(group, point, x, y, NULL), 1);
	EC_POINT_free(point);
	EC_GROUP_free(group);
	BN_CTX_free(ctx);
}

/* Pointers and small numbers. */
static void clear(uint8_t *p)
{
	memset(p, 0, LEN);
	for (size_t at = 0; at < LEN; at += 64)
		memcpy(p + at, &(uint64_t){0x0000561234560000 + at}, 8);
}

static void put(uint8_t *p, const BIGNUM *bn, const struct ec_group *g, enum ec_form form)
{
	size_t size = ec_form_size(g, form);
	uint8_t be[EC_FIELD_MAX];
	BIGNUM *v = BN_dup(bn);

	if (form == EC_MONTGOMERY) {
		BN_lshift(v, v, (int)(8 * g->words));
		BN_mod(v, v, g->p, g->ctx);
	}
	BN_bn2binpad(v, be, (int)size);
	memset(p - 16, 0, size + 48);
	for (size_t i = 0; i < size; i++)
		p[i] = form == EC_BYTES	  ? be[i]
		       : form == EC_WORDS ? be[i / 4 * 4 + 3 - i % 4]
					  : be[size - 1 - i];
	BN_free(v);
}

static void each_curve_and_form_is_found(void **state)
{
	static const enum ec_form scalars[] = {EC_BYTES, EC_LIMBS, EC_WORDS};
	static const char *const names[] = {"P-256", "secp256k1", "P-384", "P-521"};
	uint8_t *p = malloc(LEN);

	for (enum ec_curve curve = 0; curve < EC_CURVE_NR; curve++) {
		BIGNUM *d = NULL, *x = BN_new(), *y = BN_new();
		struct ec_group g;
		uint8_t want[66];

		assert_int_equal(ec_group_init(&g, curve), 0);
		make_key(curve, &d, x, y);
		BN_bn2binpad(d, want, (int)g.field);
		for (size_t i = 0; i < ARRAY_SIZE(scalars); i++)
			for (enum ec_form form = 0; form < EC_FORM_NR; form++) {
				size_t size = ec_form_size(&g, form);
				struct seen seen;

				clear(p);
				put(p + 8192, d, &g, scalars[i]);
				/* Certificates and the like: 04 || x || y at any address. */
				put(p + 16384 + (form ? 0 : 13), x, &g, form);
				if (form == EC_BYTES) {
					p[16384 + 12] = 4;
					BN_bn2binpad(y, p + 16384 + 13 + size, (int)size);
				} else {
					put(p + 16384 + 192, y, &g, form);
				}
				seen = search(p, false);
				just_one(seen.nr, names[curve]);
				assert_int_equal(seen.kind, KEY_EC);
				assert_int_equal(seen.secret_len, g.field);
				assert_memory_equal(seen.secret, want, g.field);
				/* A point alone, or a scalar alone, is no key. */
				memset(p + 8192, 0, 80);
				assert_int_equal(search(p, false).nr, 0);
			}
		BN_free(d);
		BN_free(x);
		BN_free(y);
		ec_group_fini(&g);
	}
	free(p);
}

static void seeds_are_found_by_their_public_keys(void **state)
{
	static const int types[] = {EVP_PKEY_ED25519, EVP_PKEY_X25519};
	uint8_t *p = malloc(LEN);

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		for (unsigned skew = 0; skew < 8; skew++) {
			uint8_t seed[SHA512_DIGEST_LENGTH], public[32];
			size_t len = 32;
			struct seen seen;
			EVP_PKEY *pkey;

			fixed_bytes(100 + 8 * (unsigned)i + skew, seed);
			pkey = EVP_PKEY_new_raw_private_key(types[i], NULL, seed, 32);
			EVP_PKEY_get_raw_public_key(pkey, public, &len);
			EVP_PKEY_free(pkey);
			clear(p);
			memcpy(p + 8192 + 16 + skew, seed, 32);
			memcpy(p + 16384 + 24 + (skew * 3) % 8, public, 32);
			seen = search(p, skew);
			just_one(seen.nr, "seed");
			assert_int_equal(seen.kind, i ? KEY_X25519 : KEY_ED25519);
			assert_int_equal(seen.at, 8192 + 16 + skew);
			assert_memory_equal(seen.secret, seed, 32);
			memset(p + 16384, 0, 64);
			assert_int_equal(search(p, skew).nr, 0);
			/* Both in a row, as many libraries keep them. */
			memcpy(p + 8192 + 16 + skew + 32, public, 32);
			just_one(search(p, skew).nr, "pair");
		}
	free(p);
}

/* RFC 8032, 5.1.5 */
static void expanded_scalars_are_found(void **state)
{
	uint8_t *p = malloc(LEN), seed[SHA512_DIGEST_LENGTH], both[64], public[32];
	size_t len = 32;
	struct seen seen;
	EVP_PKEY *pkey;

	fixed_bytes(77, seed);
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
	EVP_PKEY_get_raw_public_key(pkey, public, &len);
	EVP_PKEY_free(pkey);
	SHA512(seed, 32, both);
	both[0] &= 248;
	both[31] = (both[31] & 127) | 64;
	clear(p);
	/* The scalar, the prefix, the public key, in a row, as ring keeps them. */
	memcpy(p + 8192, both, 64);
	memcpy(p + 8192 + 64, public, 32);
	seen = search(p, false);
	just_one(seen.nr, "scalar");
	assert_int_equal(seen.kind, KEY_ED25519);
	assert_int_equal(seen.at, 8192);
	assert_memory_equal(seen.secret, both, 32);
	/* Another bit, another point. */
	p[8192 + 9] ^= 1;
	assert_int_equal(search(p, false).nr, 0);
	free(p);
}

static void scalars_in_montgomerys_form_are_found(void **state)
{
	struct ec_group g;
	uint8_t *p = malloc(LEN), d[SHA512_DIGEST_LENGTH], xy[64], r[32];
	BIGNUM *scalar = BN_new(), *x = BN_new();
	struct seen seen;

	assert_int_equal(ec_group_init(&g, EC_P256), 0);
	fixed_bytes(99, d);
	d[0] &= 0x7f;
	assert_true(ec_public(&g, EC_BYTES, d, xy));
	assert_non_null(BN_bin2bn(d, 32, scalar));
	assert_true(BN_lshift(x, scalar, 256));
	assert_true(BN_mod(x, x, g.order, g.ctx));
	assert_int_equal(BN_bn2lebinpad(x, r, 32), 32);
	clear(p);
	memcpy(p + 8192, r, 32);
	p[16384] = 4;
	memcpy(p + 16385, xy, 64);
	seen = search(p, false);
	just_one(seen.nr, "scalar");
	assert_int_equal(seen.at, 8192);
	assert_memory_equal(seen.secret, d, 32);
	p[8192 + 9] ^= 1;
	assert_int_equal(search(p, false).nr, 0);
	BN_free(scalar);
	BN_free(x);
	ec_group_fini(&g);
	free(p);
}

/* What stands before a public key, between it and the seed, and behind that. */
struct container {
	const char *name;
	struct bytes head, between, tail;
};

#define PIECE(...)                                                                     \
	{                                                                              \
		(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}) \
	}

static const struct container containers[] = {
	/* ... eddsa)(q ...)(d ...))) as it is in memory: 1 and the length before each token. */
	{"libgcrypt", PIECE(1, 5, 0, 'e', 'd', 'd', 's', 'a', 4, 3, 1, 1, 0, 'q', 1, 32, 0),
	 PIECE(4, 3, 1, 1, 0, 'd', 1, 32, 0), PIECE(4, 4, 4, 0)},
	{"DER", PIECE(0x30, 0x47, 2, 1, 0, 4, 32), PIECE(4, 32), PIECE(2, 1, 1)},
	{"SSH",
	 PIECE(0, 0, 0, 11, 's', 's', 'h', '-', 'e', 'd', '2', '5', '5', '1', '9', 0, 0, 0, 32),
	 PIECE(0, 0, 0, 64), PIECE(0, 0, 0, 1, 'k', 1, 2, 3)},
	{"protobuf", PIECE(8, 1, 0x12, 32), PIECE(0x1a, 32), PIECE(0x20, 1)},
	{"CBOR", PIECE(0xa4, 1, 1, 0x20, 6, 0x21, 0x58, 32), PIECE(0x23, 0x58, 32), PIECE(0x18)},
};

static size_t put_bytes(uint8_t *p, struct bytes piece)
{
	memcpy(p, piece.p, piece.len);
	return piece.len;
}

/* Each of its bytes may be the first, and no block of 32 at a multiple of 8 be all of a number. */
static void seeds_in_containers_are_found_at_any_address(void **state)
{
	enum { KEYS = 200, AT_ONCE = 50, APART = 1024 };
	static uint8_t seeds[KEYS][32], publics[KEYS][32];
	uint8_t *p = malloc(LEN);

	for (unsigned i = 0; i < KEYS; i++) {
		uint8_t bytes[SHA512_DIGEST_LENGTH];
		size_t len = 32;
		EVP_PKEY *pkey;

		fixed_bytes(1000 + i, bytes);
		memcpy(seeds[i], bytes, 32);
		pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, 32);
		EVP_PKEY_get_raw_public_key(pkey, publics[i], &len);
		EVP_PKEY_free(pkey);
	}
	for (size_t c = 0; c < ARRAY_SIZE(containers); c++)
		for (unsigned shift = 0; shift < 8; shift++)
			for (unsigned first = 0; first < (c ? AT_ONCE : KEYS); first += AT_ONCE) {
				const struct container *in = &containers[c];
				unsigned nr;

				memset(p, 0, LEN);
				for (unsigned i = 0; i < AT_ONCE; i++) {
					uint8_t *to = p + 4096 + APART * i + shift;

					to += put_bytes(to, in->head);
					memcpy(to, publics[first + i], 32);
					to += put_bytes(to + 32, in->between) + 32;
					memcpy(to, seeds[first + i], 32);
					put_bytes(to + 32, in->tail);
				}
				nr = search(p, false).nr;
				if (nr != AT_ONCE)
					fail_msg("%s, %u bytes behind a word: %u of %u", in->name,
						 shift, nr, AT_ONCE);
			}
	free(p);
}

/* Before it there is more that could be a seed amid other bytes than there is work for. */
static void a_seed_behind_its_length_comes_before_the_rest(void **state)
{
	const struct container *in = &containers[0];
	uint8_t *p = calloc(1, LEN), *to = p + LEN - 1024, bytes[SHA512_DIGEST_LENGTH];
	struct seen seen = {.nr = 0};
	struct ec_search ask = {.budget = 100000, .hit = see, .userdata = &seen};
	EVP_PKEY *pkey;
	struct harvest *h;
	bool cut, rest;
	size_t len = 32;

	/* Of 120 bytes, which are no seeds in a row. */
	for (unsigned i = 0; i < 250; i++) {
		fixed_bytes(2000 + i, p + 256 + 224 * (size_t)i);
		fixed_bytes(3000 + i, p + 256 + 224 * (size_t)i + 56);
		for (size_t at = 9; at < 96; at += 43)
			p[256 + 224 * (size_t)i + at] = 0;
	}
	fixed_bytes(1000, bytes);
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, 32);
	to += put_bytes(to, in->head);
	EVP_PKEY_get_raw_public_key(pkey, to, &len);
	to += put_bytes(to + 32, in->between) + 32;
	memcpy(to, bytes, 32);
	put_bytes(to + 32, in->tail);
	h = harvest_memory(p, LEN, false);
	assert_int_equal(ec_detect(h, &ask, &cut, &rest), 0);
	assert_true(rest);
	just_one(seen.nr, "a seed amid others");
	EVP_PKEY_free(pkey);
	harvest_free(h);
	free(p);
}

/* A seed with nothing around it that says so, its public key behind it. */
static size_t put_amid_others(uint8_t *to, unsigned nr)
{
	uint8_t bytes[SHA512_DIGEST_LENGTH];
	size_t len = 32;
	EVP_PKEY *pkey;

	fixed_bytes(1000, bytes);
	pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, bytes, 32);
	memcpy(to + 12, bytes, 32);
	memcpy(to + 44, "somename", 8);
	fixed_bytes(nr, bytes);
	memcpy(to + 52, bytes, 20);
	EVP_PKEY_get_raw_public_key(pkey, to + 136, &len);
	EVP_PKEY_free(pkey);
	return 232;
}

/* Behind it there is more of what looks like seeds behind a length than there is work for. */
static void what_is_behind_lengths_takes_nothing_from_the_rest(void **state)
{
	static const uint8_t head[] = {8, 5, 10, 32}, tail[] = "\22\14name-of-file";

	uint8_t *p = calloc(1, LEN), *to = p + 1024;
	struct seen seen = {.nr = 0};
	struct ec_search ask = {.budget = 100000, .hit = see, .userdata = &seen};
	struct harvest *h;
	bool cut, rest;

	to += put_amid_others(to, 1001);
	for (unsigned i = 0; i < 400; i++, to += 80) {
		uint8_t bytes[SHA512_DIGEST_LENGTH];

		fixed_bytes(2000 + i, bytes);
		memcpy(to + 16, head, sizeof(head));
		memcpy(to + 20, bytes, 32);
		memcpy(to + 52, tail, sizeof(tail));
	}
	h = harvest_memory(p, LEN, false);
	assert_int_equal(ec_detect(h, &ask, &cut, &rest), 0);
	assert_false(cut);
	assert_true(rest);
	just_one(seen.nr, "a seed amid others");
	harvest_free(h);
	free(p);
}

static void random_bytes_and_work_are_bounded(void **state)
{
	uint8_t *p = malloc(LEN);
	struct seen seen = {.nr = 0};
	struct ec_search ask = {.budget = 100000, .hit = see, .userdata = &seen};
	struct harvest *h;
	bool cut = false, rest = false;

	clear(p);
	for (size_t at = 0; at + 128 < LEN; at += 64)
		RAND_bytes(p + at + 16, 32);
	h = harvest_memory(p, LEN, false);
	assert_int_equal(ec_detect(h, &ask, &cut, &rest), 0);
	assert_true(rest);
	assert_int_equal(seen.nr, 0);
	harvest_free(h);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_curve_and_form_is_found),
		cmocka_unit_test(seeds_are_found_by_their_public_keys),
		cmocka_unit_test(expanded_scalars_are_found),
		cmocka_unit_test(scalars_in_montgomerys_form_are_found),
		cmocka_unit_test(seeds_in_containers_are_found_at_any_address),
		cmocka_unit_test(a_seed_behind_its_length_comes_before_the_rest),
		cmocka_unit_test(what_is_behind_lengths_takes_nothing_from_the_rest),
		cmocka_unit_test(random_bytes_and_work_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
