// SPDX-License-Identifier: GPL-2.0-or-later
/* Findings and the keys that are known. */
#include "scan/known.h"

#include "scan/test-keys.h"

void known_name(const struct needles *needles, struct finding *finding)
{
	const struct needle *needle;

	if (finding->what == FINDING_TOKEN || !finding->id.has_spki)
		return;
	needle = needles && !finding->ref ? needles_by_spki(needles, finding->id.spki) : NULL;
	if (needle)
		finding->ref = (uint32_t)(needle - needles->items) + 1;
	/* Who watches a test key wants to hear of it. */
	if (!finding->ref && test_key(finding->id.spki))
		finding->class = CLASS_TEST;
}

void known_secret(const struct needles *needles, const uint8_t *key, size_t len,
		  struct finding *finding)
{
	const struct needle *needle = needles ? needles_by_secret(needles, key, len) : NULL;

	if (!needle)
		return;
	finding->ref = (uint32_t)(needle - needles->items) + 1;
	finding->class = CLASS_PROVEN;
}

const struct needle *known_needle(const struct needles *needles, const struct finding *finding)
{
	if (!needles || finding->what == FINDING_TOKEN || !finding->ref ||
	    finding->ref > needles->nr)
		return NULL;
	return &needles->items[finding->ref - 1];
}
