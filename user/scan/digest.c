// SPDX-License-Identifier: GPL-2.0-or-later
/* SHA-256 by libcrypto. */
#include "scan/digest.h"

#include <openssl/evp.h>

#define ZEROS 65536

struct digest {
	EVP_MD_CTX *ctx;
	uint64_t at, zeros;
	bool bad;
};

struct digest *digest_new(void)
{
	struct digest *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->ctx = EVP_MD_CTX_new();
	if (!d->ctx || EVP_DigestInit_ex(d->ctx, EVP_sha256(), NULL) != 1) {
		digest_free(d);
		return NULL;
	}
	return d;
}

void digest_free(struct digest *d)
{
	if (!d)
		return;
	EVP_MD_CTX_free(d->ctx);
	free(d);
}

uint64_t digest_at(const struct digest *d)
{
	return d->at;
}

void digest_add(struct digest *d, const void *p, size_t len)
{
	d->bad |= !d->bad && EVP_DigestUpdate(d->ctx, p, len) != 1;
	d->at += len;
}

void digest_add_zeros(struct digest *d, uint64_t len)
{
	static const uint8_t zeros[ZEROS];

	d->zeros += len;
	d->bad |= d->zeros > DIGEST_HOLES || d->zeros < len;
	if (d->bad) {
		d->at += len;
		return;
	}
	while (len) {
		const size_t n = len < ZEROS ? (size_t)len : ZEROS;

		digest_add(d, zeros, n);
		len -= n;
	}
}

void digest_void(struct digest *d)
{
	d->bad = true;
}

bool digest_is_void(const struct digest *d)
{
	return d->bad;
}

bool digest_end(struct digest *d, uint8_t out[static DIGEST_BYTES])
{
	return !d->bad && EVP_DigestFinal_ex(d->ctx, out, NULL) == 1;
}
