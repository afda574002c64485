/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RSA private keys of which nothing stands in memory but bare numbers: what may be a prime or a
 * modulus, out of the harvest of a dump, joined. A modulus that one of the numbers divides is no
 * coincidence: nothing else about the dump has to be known or trusted. Both factors must be primes,
 * and different ones.
 *
 * Moduli of 1024 to 8192 bits (multiples of 128, 256, 512 or 1024 bits as they grow), primes of
 * half their size, in each layout of limbs.h. The prime and its modulus must be there; the other
 * prime need not.
 */
#pragma once

#include "base/cleanup.h"
#include "scan/finding.h"
#include "scan/harvest.h"
#include "scan/limbs.h"

#define RSA_BYTES_MAX (8 * LIMBS_MAX) /* of a modulus */

struct rsa_hit {
	const struct stretch *stretch; /* which the prime stands in */
	long prime_at; /* from its first byte; down to -HARVEST_MARGIN */
	enum finding_layout layout; /* of the prime */
	struct bytes prime, modulus; /* big endian; the modulus is public; valid during the call */
	uint64_t exponent; /* public; 0: nothing in the dump tells it */
};

struct rsa_join {
	/* Steps of some nanoseconds that the search may take: 0 for no limit. What is near in the
	 * dump is tried first. */
	uint64_t budget;
	/* The same for what is no packed or encrypted data, which then has the budget for itself;
	 * 0: both have the one. */
	uint64_t likely;
	void (*hit)(void *userdata, const struct rsa_hit *hit);
	void *userdata;
};

/* Calls hit once for each modulus that was factored. The harvest must be sorted. 0 or -ENOMEM.
 * *out_cut: the budget did not suffice for all pairs. */
int rsa_join(const struct harvest *harvest, const struct rsa_join *join, bool *out_cut);

/*
 * The same in steps: rsa_collect() for each share below RSA_SHARES, from as many threads at a time
 * as one likes, then rsa_search_join(). The harvest and the join stay the caller's, and the former
 * as it is, until rsa_search_free().
 */
#define RSA_SHARES 2
struct rsa_search;
struct rsa_search *rsa_search_new(const struct harvest *harvest, const struct rsa_join *join);
void rsa_collect(struct rsa_search *search, unsigned share);
int rsa_search_join(struct rsa_search *search, bool *out_cut);
/* Numbers that may be moduli or their primes and were not tried, as there was no budget or room for
 * them; the same number perhaps more than once. */
uint64_t rsa_search_untried(const struct rsa_search *search);
void rsa_search_free(struct rsa_search *search); /* wipes; NULL is fine */
DEFINE_CLEANUP(struct rsa_search *, rsa_search_free)
#define _cleanup_rsa_search_ _cleanup_(rsa_search_freep)
