// SPDX-License-Identifier: GPL-2.0-or-later
/* Nettle without GnuTLS: a signature by a key in PKCS#1, or an AES context. nettle sign|cipher FILE
 */
#include "../programs/hold.h"

#include <nettle/aes.h>
#include <nettle/rsa.h>
#include <nettle/sha2.h>

static void cipher(const char *path)
{
	struct {
		struct aes128_ctx aes128;
		struct aes192_ctx aes192;
		struct aes256_ctx aes256;
	} *ctx = calloc(1, sizeof(*ctx));
	size_t len;
	unsigned char *key = hold_read(path, &len);

	if (len == 16)
		aes128_set_encrypt_key(&ctx->aes128, key);
	else if (len == 24)
		aes192_set_encrypt_key(&ctx->aes192, key);
	else
		aes256_set_encrypt_key(&ctx->aes256, key);
	hold_drop(key, len);
	hold();
}

int main(int argc, char **argv)
{
	struct rsa_public_key *public = malloc(sizeof(*public));
	struct rsa_private_key *private = malloc(sizeof(*private));
	struct sha256_ctx hash;
	unsigned char *file;
	size_t len;
	mpz_t signature;

	if (argc != 3)
		hold_fail("usage");
	if (!strcmp(argv[1], "cipher"))
		cipher(argv[2]);
	file = hold_read(argv[2], &len);
	rsa_public_key_init(public);
	rsa_private_key_init(private);
	if (!rsa_keypair_from_der(public, private, 0, len, file))
		hold_fail("nettle: key");
	hold_drop(file, len);
	sha256_init(&hash);
	mpz_init(signature);
	if (!rsa_sha256_sign(private, &hash, signature))
		hold_fail("nettle: sign");
	hold();
}
