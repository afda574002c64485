/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers as libraries lay them out in memory, and the little arithmetic that tells candidates from
 * the rest: 64-bit limbs, lowest first, whatever the layout was.
 */
#pragma once

#include "scan/bytes.h"
#include "scan/finding.h"

#define LIMBS_MAX 128 /* 8192 bits */

/* Bytes that a number of `bits` (of 64) takes in a layout; 0: that layout has no such numbers. */
size_t limbs_size(enum finding_layout layout, unsigned bits);

/* Can a number begin with these 8 bytes that limbs_load() reads, of any length? */
bool limbs_may_begin(enum finding_layout layout, const uint8_t *p);

/*
 * Reads a number of just that many bits, odd and with its top bit set, as key generation makes
 * primes and moduli (for a modulus the second bit will do: top_bits 2). False for anything else.
 * p: limbs_size() bytes.
 */
bool limbs_load(enum finding_layout layout, const uint8_t *p, unsigned bits, unsigned top_bits,
		uint64_t *out);

/* The other way, for tests and for the search of what belongs to a key. limbs_size() bytes. */
void limbs_store(enum finding_layout layout, const uint64_t *limbs, unsigned bits, uint8_t *out);

/* Has it a factor among the small primes? Cheap; finds two of three numbers that have one. */
bool limbs_small_factor(const uint64_t *limbs, unsigned nr);

uint64_t limbs_inverse(uint64_t odd); /* modulo 2^64 */

/*
 * Does p divide n, and what is the other factor? n has `sum` limbs, p has `nr`, and the other one
 * must fit the rest, so that all is exact. out_q: sum - nr limbs, untouched if not; may be NULL.
 * sum > nr, p odd.
 */
bool limbs_divide(const uint64_t *p, unsigned nr, const uint64_t *n, unsigned sum, uint64_t *out_q);

/* out: nr + len limbs, which are none of the factors'. */
void limbs_multiply(const uint64_t *p, unsigned nr, const uint64_t *q, unsigned len, uint64_t *out);

/* Is it all but surely a prime? Takes a tenth of a millisecond to some. False without memory. */
bool limbs_prime(const uint64_t *limbs, unsigned nr);

/* Big endian bytes; 8 for each limb. */
void limbs_to_bytes(const uint64_t *limbs, unsigned nr, uint8_t *out);
