/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between detect-token.c and the checks of token-check.c. */
#pragma once

#include "scan/detect-token.h"

/*
 * Does the match at hit->at pass what its rule asks for besides the pattern? hit->len may grow to
 * the token's end; hit->proven is set.
 */
bool token_passes(const struct token_rule *rule, struct bytes memory, struct token_hit *hit);
