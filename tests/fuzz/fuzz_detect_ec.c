// SPDX-License-Identifier: GPL-2.0-or-later
/* Scalars, seeds and points in any bytes: what is told stands where it is said to. */
#include <stdlib.h>

#include "fuzz/harvested.h"
#include "scan/detect-ec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_hit(void *userdata, const struct ec_hit *hit)
{
	if (hit->at < -HARVEST_MARGIN || hit->at > hit->stretch->len || !hit->secret.len ||
	    hit->secret.len > EC_FIELD_MAX || hit->curve >= EC_CURVE_NR)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct ec_search search = {.budget = 10000, .hit = on_hit};
	struct harvest *h = harvest_of(data, size);
	bool cut, rest;

	if (h)
		ec_detect(h, &search, &cut, &rest);
	harvest_free(h);
	return 0;
}
