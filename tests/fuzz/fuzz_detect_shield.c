// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Shielded keys. That any bytes decrypt to one would never come about, so those that come are
 * shielded first, by the key that the harvest is then given.
 */
#include <openssl/evp.h>
#include <stdlib.h>

#include "fuzz/harvested.h"
#include "scan/detect-shield.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_hit(void *userdata, const struct shield_hit *hit)
{
	if (hit->at < -HARVEST_MARGIN || hit->at > hit->stretch->len)
		abort();
}

/* In place. */
static void shield(uint8_t *p, size_t len, const uint8_t key[64])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int out = 0;

	if (!ctx || EVP_EncryptInit_ex(ctx, EVP_aes_256_ctr(), NULL, key, key + 32) != 1 ||
	    EVP_EncryptUpdate(ctx, p, &out, p, (int)len) != 1)
		abort();
	EVP_CIPHER_CTX_free(ctx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t key[64] = {7}, *copy;
	struct harvest *h;
	uint64_t untried;

	if (size < 64 || size > 4096)
		return 0;
	copy = malloc(size);
	if (!copy)
		return 0;
	memcpy(copy, data, size);
	shield(copy, size, key);
	h = harvest_of(copy, size);
	if (h) {
		memcpy(h->prekeys[0].key, key, sizeof(key));
		h->nr_prekeys = 1;
		shield_detect(h, on_hit, NULL, false, &untried);
	}
	harvest_free(h);
	free(copy);
	return 0;
}
