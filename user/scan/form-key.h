/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Private keys in their written forms, whole or cut off, from bytes to a key that is proven by
 * arithmetic: p * q = n, or 2^(e * d) = 2 modulo n, or d * G = Q.
 */
#pragma once

#include "scan/finding.h"
#include "scan/pubkey.h"

#define FORM_SECRET_MAX 1100 /* bytes: a prime of 8192 bits, a scalar, a seed */

/*
 * What is done of each sort has a share of its own, so that who writes much of what looks like one
 * of them does not hide the others: reading what may be text; JSON; asking the parser of key files;
 * proofs that are cheap; and dear ones, powers modulo RSA's n, curves, and what only libcrypto can
 * work out.
 */
enum form_pot {
	FORM_READING,
	FORM_JSON,
	FORM_ASKING,
	FORM_PROOFS,
	FORM_POWERS,
	FORM_CURVES,
	FORM_LIBCRYPTO,
	FORM_POTS
};

/*
 * What it may cost, in microseconds or so: counted by what it is, so that any machine comes to the
 * same verdict.
 */
struct form_work {
	bool all; /* of it is tried, whatever it costs */
	unsigned left[FORM_POTS];
	unsigned proven; /* for dear proofs of what turns out to be a key */
	uint64_t untried; /* what would have been tried, had there been more */
	/* RSA keys that were proven by a power: a key stands in memory more than once. In a ring.
	 */
	uint8_t known[16][32];
	unsigned nr_known;
};

#define FORM_COST_MAX 150000 /* of a proof: 2^d modulo n of 8192 bits takes 131072 */

/* Takes it off what is left, the last time more than that. False: there is nothing left. */
bool form_spend(struct form_work *work, enum form_pot pot, uint64_t cost);

/* The same of what is dear. *out_taken: for form_give_back(). False: or it is too dear by itself.
 */
bool form_spend_dear(struct form_work *work, enum form_pot pot, uint64_t cost, unsigned *out_taken);

/* It was a key. */
void form_give_back(struct form_work *work, enum form_pot pot, uint64_t cost, unsigned taken);

/* Of 2^exponent modulo a number of so many bits. */
static inline uint64_t form_cost_power(uint64_t bits, uint64_t exponent_bits)
{
	return bits * bits * exponent_bits >> 22;
}

struct form_key {
	struct form_work *work; /* of what is dear; NULL: all of it is tried. Set by the caller */
	bool proven; /* else it has the form, and nothing to prove it by */
	bool seed; /* the secret is a seed or in the order of the algorithm; else a number */
	struct pubkey pub; /* kind: of the key; big */
	size_t secret_len;
	uint8_t secret[FORM_SECRET_MAX]; /* a prime, a scalar, a seed; d of RSA if the file ends
					    there */
};

struct form_rsa {
	struct bytes n, e, d, p, q; /* without leading zeros; {NULL, 0}: not to be had */
};

void form_key_init(struct form_key *key); /* leaves `work` as it is */
void form_key_wipe(struct form_key *key);

/* Each fills *key, of form_key_init(), and is true if it is a private key. */
bool form_rsa(const struct form_rsa *numbers, struct form_key *key);
/* public: 04 || x || y, or empty. scalar: most significant byte first. */
bool form_ec(const struct curve *curve, struct bytes scalar, struct bytes public,
	     struct form_key *key);
/* Ed25519 and X25519; public may be empty. */
bool form_raw(enum key_kind kind, struct bytes seed, struct bytes public, struct form_key *key);

/* PKCS#1, SEC1, PKCS#8: the content may end before its length says. */
bool form_der(struct bytes der, struct form_key *key);

/* What OpenSSH's private section holds from the name of the type on. */
bool form_ssh(struct bytes private, struct form_key *key);

/* "openssh-key-v1", unencrypted. */
bool form_openssh(struct bytes raw, struct form_key *key);

/* An object of JSON with "kty": JWK. Escaped quotes are taken, too. */
bool form_jwk(struct bytes text, struct form_key *key);

/* CAPI's PRIVATEKEYBLOB or CNG's BCRYPT_*_PRIVATE blob, from its magic word on ("RSA2", "ECS2"). */
bool form_blob(struct bytes from_magic, bool capi, struct form_key *key);
