// SPDX-License-Identifier: GPL-2.0-or-later
/* Public keys, taken apart: OpenSSH blobs and libcrypto's keys to numbers and points. */
#include "scan/pubkey.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "base/cleanup.h"

static const struct curve curves[] = {
	{"nistp256",
	 "ecdsa-sha2-nistp256",
	 "prime256v1",
	 "NIST P-256",
	 256,
	 8,
	 {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07}},
	{"nistp384",
	 "ecdsa-sha2-nistp384",
	 "secp384r1",
	 "NIST P-384",
	 384,
	 5,
	 {0x2b, 0x81, 0x04, 0x00, 0x22}},
	{"nistp521",
	 "ecdsa-sha2-nistp521",
	 "secp521r1",
	 "NIST P-521",
	 521,
	 5,
	 {0x2b, 0x81, 0x04, 0x00, 0x23}},
	{"secp256k1", NULL, "secp256k1", "secp256k1", 256, 5, {0x2b, 0x81, 0x04, 0x00, 0x0a}},
	{"brainpoolP256r1",
	 NULL,
	 "brainpoolP256r1",
	 "brainpoolP256r1",
	 256,
	 9,
	 {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07}},
	{"brainpoolP384r1",
	 NULL,
	 "brainpoolP384r1",
	 "brainpoolP384r1",
	 384,
	 9,
	 {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b}},
	{"brainpoolP512r1",
	 NULL,
	 "brainpoolP512r1",
	 "brainpoolP512r1",
	 512,
	 9,
	 {0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d}},
};

const struct curve *curve_by_ssh_name(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (curves[i].ssh_type && bytes_is(name, curves[i].name))
			return &curves[i];
	return NULL;
}

const struct curve *curve_by_group(const char *group)
{
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (strcmp(group, curves[i].group) == 0)
			return &curves[i];
	return NULL;
}

const struct curve *curve_by_gpg_name(struct bytes name)
{
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (bytes_is(name, curves[i].gpg) || bytes_is(name, curves[i].name) ||
		    bytes_is(name, curves[i].group))
			return &curves[i];
	return NULL;
}

const struct curve *curve_by_oid(struct bytes oid)
{
	for (size_t i = 0; i < ARRAY_SIZE(curves); i++)
		if (bytes_eq(oid, (struct bytes){curves[i].oid, curves[i].oid_len}))
			return &curves[i];
	return NULL;
}

void pubkey_init(struct pubkey *pub)
{
	pub->kind = KEY_NONE;
	pub->curve = NULL;
	pub->bits = 0;
	pub->has_spki = false;
	memset(pub->len, 0, sizeof(pub->len));
}

struct bytes pubkey_get(const struct pubkey *pub, enum pubkey_part part)
{
	return (struct bytes){pub->part[part], pub->len[part]};
}

bool pubkey_set(struct pubkey *pub, enum pubkey_part part, struct bytes value)
{
	if (value.len > PUBKEY_NUMBER_MAX)
		return false;
	if (value.len)
		memcpy(pub->part[part], value.p, value.len);
	pub->len[part] = (uint16_t)value.len;
	return true;
}

bool pubkey_set_number(struct pubkey *pub, enum pubkey_part part, struct bytes number)
{
	return pubkey_set(pub, part, bytes_trim_zeros(number));
}

static uint16_t number_bits(const struct pubkey *pub, enum pubkey_part part)
{
	unsigned bits = pub->len[part] * 8U;

	if (bits)
		bits -= (unsigned)__builtin_clz(pub->part[part][0]) - 24;
	return (uint16_t)bits;
}

bool pubkey_finish(struct pubkey *pub, enum key_kind kind)
{
	size_t point = pub->len[PUB_POINT];

	switch (kind) {
	case KEY_RSA:
		/* Shorter ones are examples and tests; libcrypto refuses them too. */
		if (number_bits(pub, PUB_N) < 512 || !pub->len[PUB_E])
			return false;
		pub->bits = number_bits(pub, PUB_N);
		break;
	case KEY_DSA:
		if (number_bits(pub, PUB_P) < 512 || !pub->len[PUB_Q] || !pub->len[PUB_G] ||
		    !pub->len[PUB_Y])
			return false;
		pub->bits = number_bits(pub, PUB_P);
		break;
	case KEY_EC:
	case KEY_SK_EC:
		if (!pub->curve || point != 1 + 2 * ((pub->curve->bits + 7U) / 8) ||
		    pub->part[PUB_POINT][0] != 4)
			return false;
		pub->bits = pub->curve->bits;
		break;
	case KEY_ED25519:
	case KEY_SK_ED25519:
		if (point != 32)
			return false;
		pub->bits = 256;
		break;
	case KEY_X25519:
		if (point != 32)
			return false;
		pub->bits = 253;
		break;
	case KEY_ED448:
		if (point != 57)
			return false;
		pub->bits = 456;
		break;
	default:
		return false;
	}
	pub->kind = kind;
	return true;
}

static bool mpint(struct bytes *in, struct pubkey *pub, enum pubkey_part part)
{
	struct bytes number;

	return bytes_string(in, &number) && pubkey_set_number(pub, part, number);
}

static bool parts_from_ssh(struct bytes type, struct bytes *in, struct pubkey *pub)
{
	struct bytes name, value;

	if (bytes_is(type, "ssh-rsa"))
		return mpint(in, pub, PUB_E) && mpint(in, pub, PUB_N) &&
		       pubkey_finish(pub, KEY_RSA);
	if (bytes_is(type, "ssh-dss"))
		return mpint(in, pub, PUB_P) && mpint(in, pub, PUB_Q) && mpint(in, pub, PUB_G) &&
		       mpint(in, pub, PUB_Y) && pubkey_finish(pub, KEY_DSA);
	if (bytes_is(type, "ssh-ed25519"))
		return bytes_string(in, &value) && pubkey_set(pub, PUB_POINT, value) &&
		       pubkey_finish(pub, KEY_ED25519);
	if (bytes_is(type, "ssh-ed448"))
		return bytes_string(in, &value) && pubkey_set(pub, PUB_POINT, value) &&
		       pubkey_finish(pub, KEY_ED448);
	if (bytes_is(type, "sk-ssh-ed25519@openssh.com"))
		return bytes_string(in, &value) && pubkey_set(pub, PUB_POINT, value) &&
		       bytes_string(in, &value) && pubkey_set(pub, PUB_APPLICATION, value) &&
		       pubkey_finish(pub, KEY_SK_ED25519);
	if (bytes_is(type, "sk-ecdsa-sha2-nistp256@openssh.com")) {
		if (!bytes_string(in, &name) || !bytes_is(name, "nistp256"))
			return false;
		pub->curve = curve_by_ssh_name(name);
		return bytes_string(in, &value) && pubkey_set(pub, PUB_POINT, value) &&
		       bytes_string(in, &value) && pubkey_set(pub, PUB_APPLICATION, value) &&
		       pubkey_finish(pub, KEY_SK_EC);
	}
	if (!bytes_starts(type, "ecdsa-sha2-") || !bytes_string(in, &name))
		return false;
	pub->curve = curve_by_ssh_name(name);
	return pub->curve && bytes_is(type, pub->curve->ssh_type) && bytes_string(in, &value) &&
	       pubkey_set(pub, PUB_POINT, value) && pubkey_finish(pub, KEY_EC);
}

bool pubkey_from_ssh(struct bytes blob, struct pubkey *out_pub)
{
	struct bytes type;

	pubkey_init(out_pub);
	if (!bytes_string(&blob, &type) || !parts_from_ssh(type, &blob, out_pub) || blob.len) {
		pubkey_init(out_pub);
		return false;
	}
	return true;
}

static bool number_from_evp(const EVP_PKEY *pkey, const char *name, struct pubkey *pub,
			    enum pubkey_part part)
{
	uint8_t number[PUBKEY_NUMBER_MAX];
	BIGNUM *bn = NULL;
	bool ok = false;

	if (EVP_PKEY_get_bn_param(pkey, name, &bn) == 1 && BN_num_bytes(bn) <= (int)sizeof(number))
		ok = pubkey_set(pub, part, (struct bytes){number, (size_t)BN_bn2bin(bn, number)});
	BN_free(bn);
	return ok;
}

static bool octets_from_evp(const EVP_PKEY *pkey, struct pubkey *pub)
{
	size_t len = 0;

	if (EVP_PKEY_get_raw_public_key(pkey, NULL, &len) != 1 || len > PUBKEY_NUMBER_MAX ||
	    EVP_PKEY_get_raw_public_key(pkey, pub->part[PUB_POINT], &len) != 1)
		return false;
	pub->len[PUB_POINT] = (uint16_t)len;
	return true;
}

/* The point as 04 || x || y, however the key writes it itself. */
static bool ec_from_evp(const EVP_PKEY *pkey, struct pubkey *pub)
{
	char group[64];
	BIGNUM *x = NULL, *y = NULL;
	size_t field;
	bool ok = false;

	if (EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group, sizeof(group),
					   NULL) != 1)
		return false;
	pub->curve = curve_by_group(group);
	if (!pub->curve)
		return false;
	field = (pub->curve->bits + 7U) / 8;
	if (EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_X, &x) == 1 &&
	    EVP_PKEY_get_bn_param(pkey, OSSL_PKEY_PARAM_EC_PUB_Y, &y) == 1) {
		pub->part[PUB_POINT][0] = 4;
		ok = BN_bn2binpad(x, pub->part[PUB_POINT] + 1, (int)field) == (int)field &&
		     BN_bn2binpad(y, pub->part[PUB_POINT] + 1 + field, (int)field) == (int)field;
		pub->len[PUB_POINT] = ok ? (uint16_t)(1 + 2 * field) : 0;
	}
	BN_free(x);
	BN_free(y);
	return ok;
}

static bool parts_from_evp(const EVP_PKEY *pkey, struct pubkey *pub)
{
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		return number_from_evp(pkey, OSSL_PKEY_PARAM_RSA_N, pub, PUB_N) &&
		       number_from_evp(pkey, OSSL_PKEY_PARAM_RSA_E, pub, PUB_E) &&
		       pubkey_finish(pub, KEY_RSA);
	case EVP_PKEY_DSA:
		return number_from_evp(pkey, OSSL_PKEY_PARAM_FFC_P, pub, PUB_P) &&
		       number_from_evp(pkey, OSSL_PKEY_PARAM_FFC_Q, pub, PUB_Q) &&
		       number_from_evp(pkey, OSSL_PKEY_PARAM_FFC_G, pub, PUB_G) &&
		       number_from_evp(pkey, OSSL_PKEY_PARAM_PUB_KEY, pub, PUB_Y) &&
		       pubkey_finish(pub, KEY_DSA);
	case EVP_PKEY_EC:
		if (ec_from_evp(pkey, pub))
			return pubkey_finish(pub, KEY_EC);
		/* A curve that we have no name for still has a size and a SubjectPublicKeyInfo. */
		pub->kind = KEY_EC;
		pub->curve = NULL;
		pub->len[PUB_POINT] = 0;
		pub->bits = (uint16_t)EVP_PKEY_get_bits(pkey);
		return true;
	case EVP_PKEY_ED25519:
		return octets_from_evp(pkey, pub) && pubkey_finish(pub, KEY_ED25519);
	case EVP_PKEY_ED448:
		return octets_from_evp(pkey, pub) && pubkey_finish(pub, KEY_ED448);
	case EVP_PKEY_X25519:
		return octets_from_evp(pkey, pub) && pubkey_finish(pub, KEY_X25519);
	default:
		pub->kind = KEY_OTHER;
		pub->bits = (uint16_t)EVP_PKEY_get_bits(pkey);
		return true;
	}
}

bool pubkey_from_evp(const EVP_PKEY *pkey, struct pubkey *out_pub)
{
	unsigned char *der = NULL;
	int len;

	pubkey_init(out_pub);
	if (!parts_from_evp(pkey, out_pub)) {
		pubkey_init(out_pub);
		return false;
	}
	/* RSA-PSS, explicit curve parameters: only libcrypto knows what its own SPKI says. */
	len = i2d_PUBKEY(pkey, &der);
	if (len > 0) {
		SHA256(der, (size_t)len, out_pub->spki);
		out_pub->has_spki = true;
		/* OpenSSH does not take PSS keys: they have no name there. */
		if (EVP_PKEY_get_base_id(pkey) == EVP_PKEY_RSA_PSS)
			out_pub->len[PUB_N] = out_pub->len[PUB_E] = 0;
	}
	OPENSSL_free(der);
	if (!out_pub->has_spki)
		pubkey_init(out_pub);
	return out_pub->has_spki;
}

bool pubkey_eq(const struct pubkey *a, const struct pubkey *b)
{
	if (a->kind != b->kind || a->curve != b->curve)
		return false;
	for (int i = 0; i < PUB_PARTS; i++)
		if (!bytes_eq(pubkey_get(a, i), pubkey_get(b, i)))
			return false;
	/* Without parts there is only the hash to compare. */
	if (!a->len[0])
		return a->has_spki && b->has_spki && memcmp(a->spki, b->spki, sizeof(a->spki)) == 0;
	return true;
}
