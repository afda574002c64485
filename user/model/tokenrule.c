// SPDX-License-Identifier: GPL-2.0-or-later
/* Token rules: their words, and giving them back. */
#include "model/tokenrule.h"

#include "base/cleanup.h"

const char *token_check_str(enum token_check check)
{
	static const char *const words[TOKEN_CHECK_NR] = {"none", "crc32", "jwt",
							  "service-account"};

	return (unsigned)check < ARRAY_SIZE(words) ? words[check] : "?";
}

const char *token_bound_str(enum token_bound bound)
{
	static const char *const words[TOKEN_BOUND_NR] = {"both", "end", "none"};

	return (unsigned)bound < ARRAY_SIZE(words) ? words[bound] : "?";
}

void token_rules_fini(struct token_rules *rules)
{
	for (size_t i = 0; i < rules->nr; i++) {
		struct token_rule *rule = &rules->items[i];

		free(rule->name);
		free(rule->about);
		free(rule->pattern);
		for (size_t k = 0; k < TOKEN_NEAR_MAX; k++)
			free(rule->near[k]);
	}
	free(rules->items);
	*rules = (struct token_rules){.items = NULL};
}
