/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `keytrail scan` is told to look for besides unknown keys, and the words for what it found.
 */
#pragma once

#include "cli/cli.h"
#include "scanq/scan_verdict.h"
#include "model/tokenrule.h"
#include "scan/detect-token.h"
#include "scan/detector.h"
#include "scan/needle.h"

/* Stays where it is once it is loaded: parts of it point to others. */
struct scan_known {
	struct needles needles;
	struct token_rules rules;
	struct token_search *tokens; /* NULL: the processor cannot */
};

/*
 * Reads needle files, put together into one; where the site's public key is installed
 * (NEEDLE_SITE_KEY), only what it signed. And the rules for tokens, from `tokens` or, NULL, those
 * of the site or built in. Says what is wrong on standard error; then negative, and there is
 * nothing to free. What `options` points to afterwards is *out_known's.
 */
int scan_known_load(const struct cli_list *needles, const char *tokens,
		    struct scan_known *out_known, struct scan_options *options);
void scan_known_fini(struct scan_known *known);

/* Sets what the keys of a verdict are called; the words stay `known`'s. */
void scan_known_names(const struct scan_known *known, struct scan_verdict *verdict);
