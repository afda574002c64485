/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rule files for tokens (docs/tokens.md), read as strictly as a policy. */
#pragma once

#include "base/diag.h"
#include "model/tokenrule.h"

#define TOKEN_RULES_FILE KT_SYSCONFDIR "/tokens.yaml" /* instead of those that are built in */

/*
 * What is wrong is told to `diags` with its place, all of it at once, and is -EINVAL; -ENOMEM.
 * `file` names the text, and is kept by the rules. Patterns are compiled, and so checked further,
 * by token_search_new().
 */
int token_rules_parse(const char *file, const char *text, size_t len, struct diag_list *diags,
		      struct token_rules *out_rules);

/* path NULL: TOKEN_RULES_FILE if there is one, else the built-in rules. */
int token_rules_load(const char *path, struct diag_list *diags, struct token_rules *out_rules);
