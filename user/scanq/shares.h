/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each owner has used of the time of a common scanner, less a tenth of what went by since: who
 * waits until that is small again has a tenth of the time in the long run.
 *
 * Bounded: of more owners than that who has used least is forgotten, and begins at nothing. Plain
 * data; times are of the caller's clock, ns.
 */
#pragma once

#include <stdint.h>

#define SHARES_MAX 256

struct shares {
	struct share {
		uint32_t owner;
		uint64_t spent, at; /* as of then; 0: a free place */
	} items[SHARES_MAX];
};

uint64_t shares_spent(const struct shares *shares, uint32_t owner, uint64_t now);
void shares_charge(struct shares *shares, uint32_t owner, uint64_t now, uint64_t took);
