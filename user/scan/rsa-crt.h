/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RSA keys of which no modulus is kept: libraries that compute with the primes alone hold p, q, dp,
 * dq and 1/q in a row (BearSSL; the fields of PKCS#1, RFC 8017, A.1.2). A prime and its exponent
 * prove each other, as e * dp = 1 + k * (p - 1) with a k below e; two primes, as the coefficient is
 * one's inverse modulo the other.
 */
#pragma once

#include "scan/harvest.h"
#include "scan/limbs.h"

/* A number that may be a prime, as it stands in a stretch of the harvest. */
struct rsa_in_row {
	const struct stretch *stretch;
	long at; /* from its first byte */
	enum finding_layout layout;
	unsigned nr; /* limbs */
};

/*
 * Is it the prime of such a key, whose other numbers stand before or after it? Some ten
 * multiplications if it is not. out_p, out_q: nr limbs each, secret. The exponent is 65537. That
 * they are primes is left to the caller, since it is dear: it may know the key.
 */
bool rsa_crt(const struct harvest *harvest, const struct rsa_in_row *number, uint64_t *out_p,
	     uint64_t *out_q);
