// SPDX-License-Identifier: GPL-2.0-or-later
/* The names of a public key: SubjectPublicKeyInfo, OpenSSH fingerprint, libgcrypt keygrip. */
#include "scan/pubkey.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "scan/base64.h"
#include "scan/der.h"

static const uint8_t oid_rsa[] = {0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01};
static const uint8_t oid_dsa[] = {0x2a, 0x86, 0x48, 0xce, 0x38, 0x04, 0x01};
static const uint8_t oid_ec[] = {0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01};
static const uint8_t oid_x25519[] = {0x2b, 0x65, 0x6e};
static const uint8_t oid_ed25519[] = {0x2b, 0x65, 0x70};
static const uint8_t oid_ed448[] = {0x2b, 0x65, 0x71};

#define BYTES_OF(array) ((struct bytes){(array), sizeof(array)})

/* SEQUENCE { SEQUENCE { oid, parameters }, BIT STRING }, the last of what was put before `end`. */
static void put_spki_head(struct der_out *out, const uint8_t *end, struct bytes oid,
			  const struct pubkey *pub)
{
	const uint8_t *mark, *parameters;

	der_put(out, (struct bytes){(const uint8_t[]){0}, 1});
	der_wrap(out, DER_BITS, end);
	mark = out->p;
	if (pub->kind == KEY_RSA) {
		der_wrap(out, DER_NULL, mark);
	} else if (pub->kind == KEY_DSA) {
		der_put_number(out, pubkey_get(pub, PUB_G));
		der_put_number(out, pubkey_get(pub, PUB_Q));
		der_put_number(out, pubkey_get(pub, PUB_P));
		der_wrap(out, DER_SEQUENCE, mark);
	} else if (pub->curve) {
		der_put(out, (struct bytes){pub->curve->oid, pub->curve->oid_len});
		der_wrap(out, DER_OID, mark);
	}
	parameters = out->p;
	der_put(out, oid);
	der_wrap(out, DER_OID, parameters);
	der_wrap(out, DER_SEQUENCE, mark);
	der_wrap(out, DER_SEQUENCE, end);
}

static bool spki_hash(const struct pubkey *pub, uint8_t hash[32])
{
	uint8_t memory[4 * PUBKEY_NUMBER_MAX + 128];
	struct der_out out;
	struct bytes oid;
	const uint8_t *end;

	if (pub->has_spki) {
		memcpy(hash, pub->spki, 32);
		return true;
	}
	der_out_init(&out, memory, sizeof(memory));
	end = out.p;
	switch (pub->kind) {
	case KEY_RSA:
		der_put_number(&out, pubkey_get(pub, PUB_E));
		der_put_number(&out, pubkey_get(pub, PUB_N));
		der_wrap(&out, DER_SEQUENCE, end);
		oid = BYTES_OF(oid_rsa);
		break;
	case KEY_DSA:
		der_put_number(&out, pubkey_get(pub, PUB_Y));
		oid = BYTES_OF(oid_dsa);
		break;
	case KEY_EC:
	case KEY_SK_EC:
		der_put(&out, pubkey_get(pub, PUB_POINT));
		oid = BYTES_OF(oid_ec);
		break;
	case KEY_ED25519:
	case KEY_SK_ED25519:
		der_put(&out, pubkey_get(pub, PUB_POINT));
		oid = BYTES_OF(oid_ed25519);
		break;
	case KEY_ED448:
		der_put(&out, pubkey_get(pub, PUB_POINT));
		oid = BYTES_OF(oid_ed448);
		break;
	case KEY_X25519:
		der_put(&out, pubkey_get(pub, PUB_POINT));
		oid = BYTES_OF(oid_x25519);
		break;
	default:
		return false;
	}
	put_spki_head(&out, end, oid, pub);
	if (out.full)
		return false;
	SHA256(out.p, (size_t)(out.end - out.p), hash);
	return true;
}

/* An OpenSSH blob in the making. */
struct blob {
	size_t len;
	uint8_t p[PUB_PARTS * (PUBKEY_NUMBER_MAX + 8) + 64];
};

static void blob_string(struct blob *blob, struct bytes s)
{
	uint8_t *to = blob->p + blob->len;

	to[0] = to[1] = 0; /* no part is that long */
	to[2] = (uint8_t)(s.len >> 8);
	to[3] = (uint8_t)s.len;
	if (s.len)
		memcpy(to + 4, s.p, s.len);
	blob->len += 4 + s.len;
}

static void blob_mpint(struct blob *blob, struct bytes number)
{
	uint8_t padded[PUBKEY_NUMBER_MAX + 1];

	if (!number.len || !(number.p[0] & 0x80)) {
		blob_string(blob, number);
		return;
	}
	padded[0] = 0;
	memcpy(padded + 1, number.p, number.len);
	blob_string(blob, (struct bytes){padded, number.len + 1});
}

static void blob_text(struct blob *blob, const char *text)
{
	blob_string(blob, (struct bytes){(const uint8_t *)text, strlen(text)});
}

/* The hash of the blob that OpenSSH would make; false for keys that it has no type for. */
static bool blob_hash(const struct pubkey *pub, uint8_t hash[32])
{
	struct blob blob = {.len = 0};

	if (!pub->len[0])
		return false;
	switch (pub->kind) {
	case KEY_RSA:
		blob_text(&blob, "ssh-rsa");
		blob_mpint(&blob, pubkey_get(pub, PUB_E));
		blob_mpint(&blob, pubkey_get(pub, PUB_N));
		break;
	case KEY_DSA:
		blob_text(&blob, "ssh-dss");
		for (int i = PUB_P; i <= PUB_Y; i++)
			blob_mpint(&blob, pubkey_get(pub, i));
		break;
	case KEY_EC:
		if (!pub->curve || !pub->curve->ssh_type)
			return false;
		blob_text(&blob, pub->curve->ssh_type);
		blob_text(&blob, pub->curve->name);
		blob_string(&blob, pubkey_get(pub, PUB_POINT));
		break;
	case KEY_SK_EC:
		blob_text(&blob, "sk-ecdsa-sha2-nistp256@openssh.com");
		blob_text(&blob, pub->curve->name);
		blob_string(&blob, pubkey_get(pub, PUB_POINT));
		blob_string(&blob, pubkey_get(pub, PUB_APPLICATION));
		break;
	case KEY_ED25519:
		blob_text(&blob, "ssh-ed25519");
		blob_string(&blob, pubkey_get(pub, PUB_POINT));
		break;
	case KEY_SK_ED25519:
		blob_text(&blob, "sk-ssh-ed25519@openssh.com");
		blob_string(&blob, pubkey_get(pub, PUB_POINT));
		blob_string(&blob, pubkey_get(pub, PUB_APPLICATION));
		break;
	default:
		return false;
	}
	SHA256(blob.p, blob.len, hash);
	return true;
}

void pubkey_identify(const struct pubkey *pub, struct key_identity *id)
{
	uint8_t hash[32];

	id->kind = pub->kind;
	id->bits = pub->bits;
	memset(id->curve, 0, sizeof(id->curve));
	if (pub->curve)
		memcpy(id->curve, pub->curve->name, strlen(pub->curve->name));
	id->has_spki = spki_hash(pub, id->spki);
	if (!id->has_spki)
		memset(id->spki, 0, sizeof(id->spki));
	memset(id->ssh_fp, 0, sizeof(id->ssh_fp));
	if (blob_hash(pub, hash)) {
		memcpy(id->ssh_fp, "SHA256:", 7);
		base64_encode(BYTES_OF(hash), id->ssh_fp + 7);
	}
}

/* One element of libgcrypt's hash: "(1:n" LENGTH ":" BYTES ")". */
static void grip_element(struct blob *blob, char name, struct bytes value)
{
	blob->len +=
		(size_t)snprintf((char *)blob->p + blob->len, 16, "(1:%c%zu:", name, value.len);
	if (value.len)
		memcpy(blob->p + blob->len, value.p, value.len);
	blob->len += value.len;
	blob->p[blob->len++] = ')';
}

/* With the zero before a set top bit, as libgcrypt writes numbers into its s-expressions. */
static struct bytes grip_signed(struct bytes number, uint8_t memory[PUBKEY_NUMBER_MAX + 1])
{
	if (!number.len || !(number.p[0] & 0x80))
		return number;
	memory[0] = 0;
	memcpy(memory + 1, number.p, number.len);
	return (struct bytes){memory, number.len + 1};
}

/* p, a, b, g, n of a Weierstrass curve, from libcrypto. */
static int grip_curve(struct blob *blob, const struct curve *curve)
{
	EC_GROUP *group = EC_GROUP_new_by_curve_name(OBJ_txt2nid(curve->group));
	BIGNUM *p = BN_new(), *a = BN_new(), *b = BN_new();
	uint8_t number[80], point[160];
	size_t len;
	int err = -ENOMEM;

	if (!group || !p || !a || !b || EC_GROUP_get_curve(group, p, a, b, NULL) != 1)
		goto out;
	grip_element(blob, 'p', (struct bytes){number, (size_t)BN_bn2bin(p, number)});
	grip_element(blob, 'a', (struct bytes){number, (size_t)BN_bn2bin(a, number)});
	grip_element(blob, 'b', (struct bytes){number, (size_t)BN_bn2bin(b, number)});
	len = EC_POINT_point2oct(group, EC_GROUP_get0_generator(group),
				 POINT_CONVERSION_UNCOMPRESSED, point, sizeof(point), NULL);
	grip_element(blob, 'g', (struct bytes){point, len});
	grip_element(blob, 'n',
		     (struct bytes){number, (size_t)BN_bn2bin(EC_GROUP_get0_order(group), number)});
	err = 0;
out:
	EC_GROUP_free(group);
	BN_free(p);
	BN_free(a);
	BN_free(b);
	return err;
}

static void grip_hex(struct blob *blob, char name, const char *hex)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t value[80];
	size_t len = 0;

	for (; hex[0] && hex[1]; hex += 2)
		value[len++] = (uint8_t)((strchr(digits, hex[0]) - digits) << 4 |
					 (strchr(digits, hex[1]) - digits));
	grip_element(blob, name, (struct bytes){value, len});
}

static void grip_25519(struct blob *blob, enum key_kind kind)
{
	bool edwards = kind == KEY_ED25519;

	grip_hex(blob, 'p', "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed");
	grip_hex(blob, 'a', edwards ? "01" : "01db41");
	grip_hex(blob, 'b',
		 edwards ? "2dfc9311d490018c7338bf8688861767ff8ff5b2bebe27548a14b235eca6874a"
			 : "01");
	grip_hex(blob, 'g',
		 edwards ? "04216936d3cd6e53fec0a4e231fdd6dc5c692cc7609525a7b2c9562d608f25d51a"
			   "6666666666666666666666666666666666666666666666666666666666666658"
			 : "040000000000000000000000000000000000000000000000000000000000000009"
			   "20ae19a1b8a086b4e01edd2c7748d14c923d4d7e6d7c61b229e9c5a27eced3d9");
	grip_hex(blob, 'n', "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed");
}

int pubkey_keygrip(const struct pubkey *pub, struct key_identity *id)
{
	uint8_t memory[PUBKEY_NUMBER_MAX + 1];
	struct blob blob = {.len = 0};
	struct bytes number;
	uint8_t hash[20];

	memset(id->keygrip, 0, sizeof(id->keygrip));
	switch (pub->kind) {
	case KEY_RSA:
		if (!pub->len[PUB_N])
			return 0;
		number = grip_signed(pubkey_get(pub, PUB_N), memory);
		memcpy(blob.p, number.p, number.len);
		blob.len = number.len;
		break;
	case KEY_DSA:
		for (int i = PUB_P; i <= PUB_Y; i++)
			grip_element(&blob, "pqgy"[i], grip_signed(pubkey_get(pub, i), memory));
		break;
	case KEY_EC:
		if (!pub->curve)
			return 0;
		if (grip_curve(&blob, pub->curve) < 0)
			return -ENOMEM;
		grip_element(&blob, 'q', pubkey_get(pub, PUB_POINT));
		break;
	case KEY_ED25519:
	case KEY_X25519:
		grip_25519(&blob, pub->kind);
		grip_element(&blob, 'q', pubkey_get(pub, PUB_POINT));
		break;
	default:
		return 0;
	}
	SHA1(blob.p, blob.len, hash);
	for (size_t i = 0; i < sizeof(hash); i++)
		snprintf(id->keygrip + 2 * i, 3, "%02X", hash[i]);
	return 0;
}
