/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Within detect-ec.c: seeds of Ed25519 and scalars of X25519, whose public keys are bare bytes. */
#pragma once

#include <openssl/bn.h>

#include "scan/detect-ec.h"

struct ec_raw_search {
	const struct harvest *harvest;
	const struct ec_search *ask;
	uint64_t work, limit; /* done, of how much; 0: no limit */
	bool cut;
	const struct stretch *stretch;
	unsigned pass;
	size_t behind_lengths; /* stretches of which EC_RAW_LENGTH has tried all that it has to */
	BN_CTX *ctx;
	BIGNUM *field; /* 2^255 - 19 */
	size_t nr_found;
	uint8_t found[64][32]; /* public keys */
};

/* The likely first: 32 bytes in memory of their own, as seeds; as scalars; both in what is mapped
 * from files; those with their length before them, as in a container, but in no file; then all the
 * rest, but for what packed or encrypted data begins with (struct stretch: bulk); then that. */
enum ec_raw_pass {
	EC_RAW_ED25519 = 0,
	EC_RAW_X25519,
	EC_RAW_FILE,
	EC_RAW_LENGTH,
	EC_RAW_REST,
	EC_RAW_BULK,
	EC_RAW_PASS_NR
};

void ec_raw_detect(struct ec_raw_search *search, enum ec_raw_pass pass);
void ec_raw_fini(struct ec_raw_search *search);
