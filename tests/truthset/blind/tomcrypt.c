// SPDX-License-Identifier: GPL-2.0-or-later
/* LibTomCrypt on LibTomMath: a signature, or a cipher at work. tomcrypt sign|cipher FILE */
#define LTM_DESC
#include "../programs/hold.h"

#include <tomcrypt.h>

static void must(int r)
{
	if (r != CRYPT_OK)
		hold_fail(error_to_string(r));
}

int main(int argc, char **argv)
{
	symmetric_CBC *cbc = malloc(sizeof(*cbc));
	rsa_key *key = malloc(sizeof(*key));
	unsigned char *file, out[1024], hash[32] = {1}, iv[16] = {1}, text[64] = {9};
	unsigned long out_len = sizeof(out);
	prng_state random;
	size_t len;

	if (argc != 3)
		hold_fail("usage");
	ltc_mp = ltm_desc;
	register_cipher(&aes_desc);
	register_hash(&sha256_desc);
	register_prng(&sprng_desc);
	file = hold_read(argv[2], &len);
	if (!strcmp(argv[1], "cipher")) {
		must(cbc_start(find_cipher("aes"), iv, file, (int)len, 0, cbc));
		hold_drop(file, len);
		must(cbc_encrypt(text, text, sizeof(text), cbc));
		hold();
	}
	must(rsa_import(file, len, key));
	hold_drop(file, len);
	must(rng_make_prng(128, find_prng("sprng"), &random, NULL));
	must(rsa_sign_hash_ex(hash, sizeof(hash), out, &out_len, LTC_PKCS_1_V1_5, &random,
			      find_prng("sprng"), find_hash("sha256"), 0, key));
	hold();
}
