// SPDX-License-Identifier: GPL-2.0-or-later
/* Rule files for tokens: refused with a word, or made into rules that can be given back. */
#include <stdlib.h>

#include "policy/tokenrules.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag_list diags = {0};
	struct token_rules rules;
	int err = token_rules_parse("f", (const char *)data, size, &diags, &rules);

	if ((err == -EINVAL) != (diags.errors > 0))
		abort();
	if (err == 0) {
		for (size_t i = 0; i < rules.nr; i++)
			if (!rules.items[i].name || !rules.items[i].about ||
			    !rules.items[i].pattern)
				abort();
		token_rules_fini(&rules);
	}
	diag_list_fini(&diags);
	return 0;
}
