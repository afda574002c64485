// SPDX-License-Identifier: GPL-2.0-or-later
/* Bare RSA numbers in any bytes: what is told divides, and stands where it is said to. */
#include <stdlib.h>

#include "fuzz/harvested.h"
#include "scan/detect-rsa.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_hit(void *userdata, const struct rsa_hit *hit)
{
	if (hit->prime_at < -HARVEST_MARGIN || hit->prime_at > hit->stretch->len ||
	    2 * hit->prime.len != hit->modulus.len || hit->modulus.len > RSA_BYTES_MAX ||
	    !(hit->modulus.p[hit->modulus.len - 1] & 1))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct rsa_join join = {.budget = 1 << 16, .hit = on_hit};
	struct harvest *h = harvest_of(data, size);
	bool cut;

	if (h) {
		rsa_join(h, &join, &cut);
		harvest_drop_half(h);
	}
	harvest_free(h);
	return 0;
}
