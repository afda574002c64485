// SPDX-License-Identifier: GPL-2.0-or-later
/* Tokens by the built-in rules over any bytes: what is found lies in them, on one side of a seam.
 */
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "policy/tokenrules.h"
#include "scan/detect-token.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct token_rules rules;
static struct token_search *search;
static struct token_scratch *scratch;

struct seen {
	size_t len, from, to;
	unsigned nr;
};

static void on_hit(void *userdata, const struct token_hit *hit)
{
	struct seen *seen = userdata;

	if (hit->rule >= rules.nr || hit->at < seen->from || hit->at >= seen->to ||
	    hit->at > seen->len || hit->len > seen->len - hit->at || !hit->len)
		abort();
	seen->nr++;
}

static unsigned look(const uint8_t *p, size_t len, size_t from, size_t to)
{
	struct seen seen = {.len = len, .from = from, .to = to};

	token_detect(search, scratch, (struct bytes){p, len}, from, to, on_hit, &seen);
	return seen.nr;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct diag_list diags = {0};
	/* Just as long, for AddressSanitizer to see a step too far. */
	uint8_t *copy = malloc(size ? size : 1);
	size_t seam = size ? data[0] % size : 0;

	if (!search && (token_rules_load("policy/scan/tokens.yaml", &diags, &rules) < 0 ||
			token_search_new(&rules, &diags, &search) < 0 ||
			token_scratch_new(search, &scratch) < 0))
		abort();
	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	look(copy, size, 0, size);
	look(copy, size, 0, seam);
	look(copy, size, seam, size);
	token_jwt_len((struct bytes){copy, size});
	free(copy);
	return 0;
}
