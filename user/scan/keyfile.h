/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whose key stands in a key file: bytes in, the public names of the key out.
 *
 * Runs in the scan child only (and in tests): the bytes are a user's. Everything that held private
 * parts is wiped before return, except for what libcrypto has on its heap: call
 * wipe_libcrypto() first thing in the program to have that wiped too. Never asks for a
 * passphrase, never computes with an encrypted key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/keyid.h"
#include "scan/bytes.h"

/* What libcrypto works out to name the public half of a key in DER, or to check it. */
struct keyfile_work {
	bool curve; /* points of a curve, by its parameters */
	bool own; /* those of a curve that has code of its own: Ed448, X448 */
	bool dsa; /* five numbers as DSA has them, and nothing else */
	uint64_t modulus_bits, exponent_bits; /* else a power modulo a number; 0: none */
};

#define KEYFILE_MAX 65536 /* bytes; a larger file is no key file */

/*
 * file: the key file. sibling: the .pub, or a certificate, that stands beside it, {NULL, 0} if
 * there is none; it counts only where the key file itself does not show its public half (encrypted
 * keys), and then the source says so.
 *
 * 0: *out_id is filled; kind KEY_NONE if there is no private key in the file, KEY_OTHER if there is
 * one whose type cannot be seen. -EFBIG: over KEYFILE_MAX. -ENOMEM. Reentrant, threads may differ.
 */
int keyfile_identify(struct bytes file, struct bytes sibling, struct key_identity *out_id);

/*
 * The same for bytes out of a dump, of which it is to be proven that they are a key: *out_proven if
 * the private half belongs to the public one by libcrypto's own check (p * q = n, d * G = Q). Costs
 * up to some 100 ms.
 */
int keyfile_prove(struct bytes file, struct key_identity *out_id, bool *out_proven);

/* der: a whole SEQUENCE. False: by its shape it is no private key, and nothing is worked out. */
bool keyfile_der_work(struct bytes der, struct keyfile_work *out_work);
