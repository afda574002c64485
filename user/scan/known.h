/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known about a finding's key from elsewhere: a needle, or that it is in every copy of a
 * library. */
#pragma once

#include "scan/finding.h"
#include "scan/needle.h"

/*
 * By the public half: sets `ref` if a needle has it, and the class of keys that distributions ship.
 * needles may be NULL.
 */
void known_name(const struct needles *needles, struct finding *finding);

/* By the bytes of a symmetric key: sets `ref`, and the class to proven, if a needle has its MAC. */
void known_secret(const struct needles *needles, const uint8_t *key, size_t len,
		  struct finding *finding);

/* The needle's own words; NULL if `ref` is none of a needle. */
const struct needle *known_needle(const struct needles *needles, const struct finding *finding);
