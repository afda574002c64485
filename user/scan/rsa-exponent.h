/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which public exponent belongs to a factored modulus. Of each usual one the private exponents are
 * computed; the one whose d, or d modulo p - 1, stands in the harvest is the key's own.
 */
#pragma once

#include "scan/harvest.h"

/* p, q: the factors, of `nr` limbs each. 0 if no exponent is confirmed. only_usual: none but 65537
 * is tried. */
uint64_t rsa_exponent(const struct harvest *harvest, const uint64_t *p, const uint64_t *q,
		      unsigned nr, bool only_usual);
