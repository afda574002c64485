/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * RSA private keys of which nothing stands in memory but bare numbers: collects what may be a prime
 * or a modulus while the dump goes by, and joins them at the end. A modulus that one of the primes
 * divides is no coincidence: nothing else about the dump has to be known or trusted.
 *
 * Numbers of 512 to 4096 bits are taken where a run of random-looking 8-byte words begins, in three
 * layouts (finding.h). Both the prime and its modulus must be there; the other prime need not.
 */
#pragma once

#include "base/cleanup.h"
#include "scan/bytes.h"
#include "scan/finding.h"

#define RSA_BYTES_MAX 1024 /* of a modulus: 8192 bits */

struct rsa_search;

struct rsa_hit {
	uint64_t prime_at, modulus_at; /* as they were given to rsa_collect() */
	enum finding_layout layout; /* of the prime */
	struct bytes prime; /* big endian; secret; valid during the call */
	struct bytes modulus; /* big endian; public; valid during the call */
};

int rsa_search_new(struct rsa_search **out_search); /* -ENOMEM */
void rsa_search_free(struct rsa_search *search); /* wipes */
DEFINE_CLEANUP(struct rsa_search *, rsa_search_free)
#define _cleanup_rsa_search_ _cleanup_(rsa_search_freep)

/*
 * Looks at the runs that begin in [from, to) of `memory`; numbers may reach beyond `to` as far as
 * `memory` does. Words are taken at multiples of 8 from memory.p. `where` is added to positions.
 * Several threads may collect for one search.
 */
void rsa_collect(struct rsa_search *search, struct bytes memory, size_t from, size_t to,
		 uint64_t where);

/* Calls hit once for each modulus that was factored. *out_full: a table ran over meanwhile. */
void rsa_join(struct rsa_search *search, void (*hit)(void *userdata, const struct rsa_hit *hit),
	      void *userdata, bool *out_full);
