// SPDX-License-Identifier: GPL-2.0-or-later
/* Mbed TLS: a signature, or an AES context set up. */
#include "hold.h"

#include <mbedtls/aes.h>
#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/pk.h>

static void sign(const char *path)
{
	static mbedtls_entropy_context entropy;
	static mbedtls_ctr_drbg_context random;
	static mbedtls_pk_context key;
	unsigned char signature[1024], hash[32] = {1};
	size_t len;

	mbedtls_pk_init(&key);
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&random);
	if (mbedtls_pk_parse_keyfile(&key, path, NULL) ||
	    mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) ||
	    mbedtls_pk_sign(&key, MBEDTLS_MD_SHA256, hash, sizeof(hash), signature, &len,
			    mbedtls_ctr_drbg_random, &random))
		hold_fail("mbedtls");
	hold();
}

/* mbedtls sign KEY | cipher KEY encrypt|decrypt */
int main(int argc, char **argv)
{
	mbedtls_aes_context *aes = malloc(sizeof(*aes));
	unsigned char *key;
	size_t len;

	if (argc < 3 || !aes)
		hold_fail("usage");
	if (!strcmp(argv[1], "sign"))
		sign(argv[2]);
	key = hold_read(argv[2], &len);
	mbedtls_aes_init(aes);
	if (argc == 4 && !strcmp(argv[3], "decrypt"))
		mbedtls_aes_setkey_dec(aes, key, (unsigned)len * 8);
	else
		mbedtls_aes_setkey_enc(aes, key, (unsigned)len * 8);
	hold_drop(key, len);
	hold();
}
