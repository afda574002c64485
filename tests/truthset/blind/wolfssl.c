// SPDX-License-Identifier: GPL-2.0-or-later
/* wolfCrypt: a signature by a key in PKCS#8, or an AES context. wolfssl sign|cipher FILE */
#include "../programs/hold.h"

#include <wolfssl/options.h>
#include <wolfssl/wolfcrypt/aes.h>
#include <wolfssl/wolfcrypt/asn_public.h>
#include <wolfssl/wolfcrypt/ecc.h>
#include <wolfssl/wolfcrypt/ed25519.h>
#include <wolfssl/wolfcrypt/rsa.h>

static WC_RNG rng;

static void must(int r)
{
	if (r < 0)
		hold_fail(wc_GetErrorString(r));
}

static void sign_rsa(const byte *der, word32 len)
{
	RsaKey *key = malloc(sizeof(*key));
	byte out[512];
	word32 at = 0;

	must(wc_InitRsaKey(key, NULL));
	must(wc_RsaPrivateKeyDecode(der, &at, key, len));
	wc_RsaSetRNG(key, &rng);
	must(wc_RsaSSL_Sign((const byte *)"text", 4, out, sizeof(out), key, &rng));
}

static void sign_ecc(const byte *der, word32 len)
{
	ecc_key *key = malloc(sizeof(*key));
	byte out[256];
	word32 at = 0, out_len = sizeof(out);

	must(wc_ecc_init(key));
	must(wc_EccPrivateKeyDecode(der, &at, key, len));
	must(wc_ecc_sign_hash((const byte *)"0123456789012345678901234567890", 32, out, &out_len,
			      &rng, key));
}

static void sign_ed25519(const byte *der, word32 len)
{
	ed25519_key *key = malloc(sizeof(*key));
	byte out[64], public[32];
	word32 at = 0, out_len = sizeof(out);

	must(wc_ed25519_init(key));
	must(wc_Ed25519PrivateKeyDecode(der, &at, key, len));
	must(wc_ed25519_make_public(key, public, sizeof(public)));
	must(wc_ed25519_import_public(public, sizeof(public), key));
	must(wc_ed25519_sign_msg((const byte *)"text", 4, out, &out_len, key));
}

int main(int argc, char **argv)
{
	Aes *aes = malloc(sizeof(*aes));
	unsigned char *file;
	byte iv[16] = {1}, text[64] = {9};
	size_t len;

	if (argc != 3)
		hold_fail("usage");
	must(wc_InitRng(&rng));
	file = hold_read(argv[2], &len);
	if (!strcmp(argv[1], "cipher")) {
		must(wc_AesInit(aes, NULL, INVALID_DEVID));
		must(wc_AesSetKey(aes, file, (word32)len, iv, AES_ENCRYPTION));
		hold_drop(file, len);
		must(wc_AesCbcEncrypt(aes, text, text, sizeof(text)));
	} else {
		if (strstr(argv[2], "rsa"))
			sign_rsa(file, (word32)len);
		else if (strstr(argv[2], "p256"))
			sign_ecc(file, (word32)len);
		else
			sign_ed25519(file, (word32)len);
		hold_drop(file, len);
	}
	hold();
}
