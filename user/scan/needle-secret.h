/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The private half of a key file, for making a needle of it. For the files needle-*.c only. */
#pragma once

#include "scan/bytes.h"
#include "scan/needle.h"

#define SECRET_NUMBER_MAX 1024 /* a prime of RSA with 16384 bits */

/* Where a body of base64 has the secret, if it were written so. */
enum secret_body { BODY_PKCS1, BODY_PKCS8, BODY_OPENSSH, BODY_JWK, BODY_NR };

/* Big, and secret: on the heap by wipe_alloc(). */
struct needle_secret {
	struct key_identity id; /* kind KEY_OTHER: symmetric */
	unsigned nr; /* numbers: 2 for RSA, else 1 */
	uint8_t number[2][SECRET_NUMBER_MAX]; /* p and q, big endian; scalar, likewise; seed, key */
	size_t len[2];
	uint8_t public[NEEDLE_PUBLIC_MAX];
	size_t public_len;
	/* Bytes of the body before number[0]; 0: it is not written so. */
	size_t body_at[BODY_NR];
};

/*
 * From a file's bytes: PEM (PKCS#1, PKCS#8, SEC1, OpenSSH) or DER. *out must be zeroed. 0; -ENOKEY:
 * no private key that is understood; -EACCES: it has a passphrase; -ENOTSUP: a kind of key that no
 * needle can be made of; -ENOMEM.
 */
int needle_secret_read(struct bytes file, struct needle_secret *out);

/* A symmetric key: as many bytes, or twice as many digits of hex on a line. -EINVAL: neither. */
int needle_secret_read_symmetric(struct bytes file, struct needle_secret *out);

/* False for what somebody may have typed or counted up: guesses would be checked by the file. */
bool needle_secret_is_random(struct bytes secret);
