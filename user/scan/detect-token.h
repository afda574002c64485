/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tokens by rules (model/tokenrule.h): all patterns are one Hyperscan (or Vectorscan) automaton, so
 * the time does not depend on what stands in memory; what it finds must then pass the rule's
 * checks.
 *
 * The automaton is compiled before hostile bytes are near, and shared by forks and threads; each
 * thread has its own scratch space.
 */
#pragma once

#include "base/diag.h"
#include "model/tokenrule.h"
#include "scan/bytes.h"

#define TOKEN_MAX 8192 /* bytes of the longest token (a JWT) */

struct token_search;
struct token_scratch;

struct token_hit {
	size_t at, len;
	unsigned rule;
	bool proven; /* by a checksum */
};

/*
 * rules: must outlive the search. A pattern that cannot be compiled, matches nothing, or has no
 * bound is told to `diags` with its place, -EINVAL. -ENOTSUP: the processor is older than Hyperscan
 * needs (SSSE3). -ENOMEM.
 */
int token_search_new(const struct token_rules *rules, struct diag_list *diags,
		     struct token_search **out_search);
void token_search_free(struct token_search *search);
DEFINE_CLEANUP(struct token_search *, token_search_free)
#define _cleanup_token_search_ _cleanup_(token_search_freep)

int token_scratch_new(const struct token_search *search, struct token_scratch **out_scratch);
void token_scratch_free(struct token_scratch *scratch); /* wipes */

/* Tokens that begin in [from, to) of `memory`; they may reach beyond `to`. */
void token_detect(const struct token_search *search, struct token_scratch *scratch,
		  struct bytes memory, size_t from, size_t to,
		  void (*hit)(void *userdata, const struct token_hit *hit), void *userdata);

/* The checks by themselves, for tests. */
bool token_crc32_holds(
	struct bytes token); /* 30 characters and their CRC-32 in base 62 at its end */
size_t token_jwt_len(struct bytes memory); /* of the JWT that begins it; 0: none */
unsigned token_entropy(struct bytes token); /* tenths of bits for each byte */
