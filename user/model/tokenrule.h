/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a token looks like (API keys, access tokens of clouds, forges and chats): rules that a
 * person writes (docs/tokens.md), read by user/policy, searched by user/scan. Plain data.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOKEN_RULES_MAX	  256
#define TOKEN_NEAR_MAX	  8
#define TOKEN_PATTERN_MAX 512 /* characters of a pattern, and bytes that it may match */

/* What a match must pass besides its pattern. */
enum token_check {
	TOKEN_CHECK_NONE = 0,
	TOKEN_CHECK_CRC32, /* its last 6 characters are the CRC-32 of the 30 before: GitHub, npm */
	TOKEN_CHECK_JWT, /* RFC 7519: a JSON header with "alg", two more parts; reaches to their end
			  */
	TOKEN_CHECK_SERVICE_ACCOUNT, /* a JSON object around it has a private key */
	TOKEN_CHECK_NR
};

/* Where no letter or digit may stand beside it. */
enum token_bound { TOKEN_BOUND_BOTH = 0, TOKEN_BOUND_END, TOKEN_BOUND_NONE, TOKEN_BOUND_NR };

struct token_rule {
	char *name; /* [a-z0-9-]{1,40}; owned, as all of these */
	char *about;
	char *pattern; /* a regular expression of bounded length */
	enum token_check check;
	unsigned entropy; /* tenths of bits for each character of the match, at least */
	unsigned up_to; /* bytes: it goes on with letters, digits, _ - and = to at most this length
			 */
	bool ignore_case;
	enum token_bound bound;
	char *near[TOKEN_NEAR_MAX]; /* one of these stands within 128 bytes; any case; NULL: end */
	const char *file; /* the reader's caller keeps it */
	unsigned line; /* of the pattern */
};

struct token_rules {
	struct token_rule *items;
	size_t nr;
};

const char *token_check_str(enum token_check check); /* "crc32" */
const char *token_bound_str(enum token_bound bound); /* "both" */
void token_rules_fini(struct token_rules *rules);
