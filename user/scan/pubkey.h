/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The public half of a key in one form, whatever container it came from, and the names that are
 * computed from it: OpenSSH fingerprint, SHA-256 of the SubjectPublicKeyInfo, libgcrypt keygrip.
 */
#pragma once

#include <openssl/evp.h>

#include "model/keyid.h"
#include "scan/bytes.h"

#define PUBKEY_NUMBER_MAX 2048 /* bytes of a number: RSA up to 16384 bits, as libcrypto */

struct curve {
	const char *name; /* OpenSSH's where it has one, else libcrypto's */
	const char *ssh_type; /* "ecdsa-sha2-nistp256", NULL if OpenSSH does not know it */
	const char *group; /* libcrypto's group name */
	const char *gpg; /* libgcrypt's name */
	uint16_t bits;
	uint8_t oid_len;
	uint8_t oid[10]; /* content of the OBJECT IDENTIFIER */
};

enum pubkey_part {
	PUB_N = 0, /* RSA */
	PUB_E = 1,
	PUB_P = 0, /* DSA */
	PUB_Q = 1,
	PUB_G = 2,
	PUB_Y = 3,
	PUB_POINT = 0, /* EC: 04 || x || y; Edwards and Montgomery curves: the raw public key */
	PUB_APPLICATION = 1, /* FIDO keys: "ssh:" */
	PUB_PARTS = 4
};

/* Big; embedded in nothing, kept as a local. Holds no secret. Owns its bytes. */
struct pubkey {
	enum key_kind kind; /* KEY_NONE: empty */
	const struct curve *curve; /* KEY_EC, KEY_SK_EC; may be NULL for a foreign curve (from
				      libcrypto only) */
	uint16_t bits;
	uint16_t len[PUB_PARTS]; /* numbers without leading zeros */
	uint8_t part[PUB_PARTS][PUBKEY_NUMBER_MAX];
	uint8_t spki[32]; /* set where the form we have is libcrypto's own, else computed when asked
			     for */
	bool has_spki;
};

const struct curve *curve_by_ssh_name(struct bytes name); /* "nistp256" */
const struct curve *curve_by_group(const char *group);
const struct curve *curve_by_gpg_name(struct bytes name); /* any spelling of libgcrypt's */
const struct curve *curve_by_oid(struct bytes oid);

void pubkey_init(struct pubkey *pub);
struct bytes pubkey_get(const struct pubkey *pub, enum pubkey_part part);
bool pubkey_set(struct pubkey *pub, enum pubkey_part part,
		struct bytes value); /* false: too long */
bool pubkey_set_number(struct pubkey *pub, enum pubkey_part part, struct bytes number);

/* Settles kind and bits after the parts were set; false if they cannot be such a key. */
bool pubkey_finish(struct pubkey *pub, enum key_kind kind);

/*
 * An OpenSSH public key blob, whole. False: not one, or a type that is unknown or has no key of its
 * own (certificates).
 */
bool pubkey_from_ssh(struct bytes blob, struct pubkey *out_pub);

/* From libcrypto's key, of which only public parts are asked. False: a type without such a form. */
bool pubkey_from_evp(const EVP_PKEY *pkey, struct pubkey *out_pub);

bool pubkey_eq(const struct pubkey *a, const struct pubkey *b);

/* Fills kind, bits, curve, spki and ssh_fp; leaves the rest. */
void pubkey_identify(const struct pubkey *pub, struct key_identity *id);

/* Fills keygrip for the kinds that libgcrypt has; leaves it empty for others. -ENOMEM. */
int pubkey_keygrip(const struct pubkey *pub, struct key_identity *id);
