/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For tests of needles: keys, their secrets as programs keep them, and the search for them. */
#pragma once

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "scan/code.h"
#include "scan/detect-needle.h"
#include "scan/needle-make.h"
#include "unit/keymaker.h"

static const uint8_t file_key[NEEDLE_KEY_SIZE] = {
	0x3b, 0x91, 0xf0, 0x07, 0xc4, 0x5d, 0xaa, 0x18, 0x22, 0x7e, 0x60,
	0xd9, 0x4f, 0x01, 0x95, 0xe6, 0x8c, 0x33, 0xbb, 0x54, 0x10, 0xfa,
	0x6d, 0x29, 0xe7, 0x48, 0x9f, 0x02, 0xd1, 0x76, 0x5a, 0xc3,
};

static inline _unused_ struct needles one(struct needle *needle)
{
	struct needles needles = {.made = 1764000000};

	memcpy(needles.key, file_key, sizeof(file_key));
	if (needle)
		assert_int_equal(needles_add(&needles, needle), 0);
	return needles;
}

static inline _unused_ struct needles make_of(struct bytes file, bool symmetric)
{
	struct needle needle = {.nr_forms = 0};

	assert_int_equal(needle_make(file, file_key, symmetric, &needle), 0);
	return one(&needle);
}

/* --- keys, and their secrets as memory has them ------------------------------------------------
 */

struct key {
	EVP_PKEY *pkey;
	uint8_t *der;
	int der_len;
	uint8_t number[2][1024]; /* big endian */
	size_t len[2];
};

static inline _unused_ void take_bn(struct key *key, int i, const char *name, int len)
{
	BIGNUM *bn = NULL;

	assert_int_equal(EVP_PKEY_get_bn_param(key->pkey, name, &bn), 1);
	key->len[i] = (size_t)(len ? len : BN_num_bytes(bn));
	assert_true(BN_bn2binpad(bn, key->number[i], (int)key->len[i]) > 0);
	BN_free(bn);
}

static inline _unused_ struct key *key_new(const char *type, const void *arg)
{
	struct key *key = calloc(1, sizeof(*key));

	if (!strcmp(type, "RSA")) {
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, type, (size_t)(uintptr_t)arg);
		take_bn(key, 0, OSSL_PKEY_PARAM_RSA_FACTOR1, 0);
		take_bn(key, 1, OSSL_PKEY_PARAM_RSA_FACTOR2, 0);
	} else if (!strcmp(type, "EC")) {
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, type, (const char *)arg);
		take_bn(key, 0, OSSL_PKEY_PARAM_PRIV_KEY, (EVP_PKEY_get_bits(key->pkey) + 7) / 8);
	} else {
		key->pkey = EVP_PKEY_Q_keygen(NULL, NULL, type);
		key->len[0] = sizeof(key->number[0]);
		assert_int_equal(EVP_PKEY_get_raw_private_key(key->pkey, key->number[0],
							      &key->len[0]),
				 1);
	}
	key->der_len = i2d_PrivateKey(key->pkey, &key->der);
	assert_true(key->der_len > 0);
	return key;
}

static inline _unused_ void key_free(struct key *key)
{
	EVP_PKEY_free(key->pkey);
	OPENSSL_free(key->der);
	free(key);
}

static inline _unused_ struct bytes der_of(const struct key *key)
{
	return (struct bytes){key->der, (size_t)key->der_len};
}

static inline _unused_ struct bytes secret_of(const struct key *key, int i)
{
	return (struct bytes){key->number[i], key->len[i]};
}

static inline _unused_ size_t as_bytes(struct bytes number, uint8_t *out)
{
	memcpy(out, number.p, number.len);
	return number.len;
}

static inline _unused_ size_t as_reversed(struct bytes number, uint8_t *out)
{
	for (size_t i = 0; i < number.len; i++)
		out[i] = number.p[number.len - 1 - i];
	return number.len;
}

static inline _unused_ size_t as_words32(struct bytes number, uint8_t *out)
{
	for (size_t i = 0; i < number.len; i++)
		out[i ^ 3] = number.p[i];
	return number.len;
}

static inline _unused_ size_t as_digits(struct bytes number, uint8_t *out, unsigned width,
					unsigned size)
{
	size_t nr = (8 * number.len + width - 1) / width;

	memset(out, 0, nr * size);
	for (size_t bit = 0; bit < 8 * number.len; bit++)
		if (number.p[number.len - 1 - bit / 8] >> (bit % 8) & 1)
			out[bit / width * size + bit % width / 8] |=
				(uint8_t)(1 << bit % width % 8);
	return nr * size;
}

static inline _unused_ size_t as_digits30(struct bytes number, uint8_t *out)
{
	return as_digits(number, out, 30, 4);
}

static inline _unused_ size_t as_digits28(struct bytes number, uint8_t *out)
{
	return as_digits(number, out, 28, 4);
}

static inline _unused_ size_t as_digits31(struct bytes number, uint8_t *out)
{
	return as_digits(number, out, 31, 4);
}

static inline _unused_ size_t as_digits60(struct bytes number, uint8_t *out)
{
	return as_digits(number, out, 60, 8);
}

/* --- searching ----------------------------------------------------------------------------------
 */

struct hits {
	unsigned nr;
	size_t at, end;
	enum needle_layout layout;
};

static inline _unused_ void on_hit(void *userdata, const struct needle_hit *hit)
{
	struct hits *hits = userdata;

	hits->nr++;
	hits->at = hit->at;
	hits->end = hit->at + hit->form->span;
	hits->layout = hit->form->layout;
}

static inline _unused_ struct hits search(const struct needles *needles, struct bytes memory,
					  bool any_alignment)
{
	_cleanup_needle_table_ struct needle_table *table = NULL;
	struct needle_last last = {0}, last_scalar = {0};
	struct hits hits = {0}, scalar = {0};

	assert_int_equal(needle_table_new(needles, 0, &table), 0);
	needle_detect_scalar(table, memory, 0, memory.len, any_alignment, 1000, &last_scalar,
			     on_hit, &scalar);
	/* By all code that the machine has, the best at last. */
	for (unsigned code = 0; code < CODE_NR; code++) {
		if (!code_limit((enum scan_code)code))
			continue;
		last = (struct needle_last){0};
		hits = (struct hits){0};
		needle_detect(table, memory, 0, memory.len, any_alignment, 1000, &last, on_hit,
			      &hits);
		assert_int_equal(hits.nr, scalar.nr);
		assert_int_equal(hits.at, scalar.at);
	}
	code_limit_none();
	return hits;
}

/* In random bytes at this place. */
static inline _unused_ struct hits search_at(const struct needles *needles, const uint8_t *p,
					     size_t len, size_t at, bool any_alignment)
{
	size_t size = at + len + 200;
	uint8_t *memory = malloc(size);
	struct hits hits;

	assert_int_equal(RAND_bytes(memory, (int)size), 1);
	memcpy(memory + at, p, len);
	hits = search(needles, (struct bytes){memory, size}, any_alignment);
	if (hits.nr) {
		assert_true(hits.at >= at);
		assert_true(hits.end <= at + len);
	}
	free(memory);
	return hits;
}

struct form {
	const char *name;
	size_t (*put)(struct bytes number, uint8_t *out);
	unsigned align;
	enum needle_layout layout;
};

static const _unused_ struct form forms[] = {
	{"big endian", as_bytes, 1, NEEDLE_BYTES},
	{"little endian", as_reversed, 1, NEEDLE_BYTES},
	{"words of 32 bits", as_words32, 4, NEEDLE_WORDS32},
	{"digits of 30 bits", as_digits30, 4, NEEDLE_DIGITS30},
	{"digits of 28 bits", as_digits28, 4, NEEDLE_DIGITS28},
	{"digits of 31 bits", as_digits31, 4, NEEDLE_DIGITS31},
	{"digits of 60 bits", as_digits60, 8, NEEDLE_DIGITS60},
};
