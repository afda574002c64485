// SPDX-License-Identifier: GPL-2.0-or-later
/* BearSSL: a signature by a key in DER, or AES of the constant-time kind. bearssl sign|cipher FILE
 */
#include "../programs/hold.h"

#include <bearssl.h>

int main(int argc, char **argv)
{
	br_skey_decoder_context *decoder = malloc(sizeof(*decoder));
	br_aes_ct64_cbcenc_keys *aes = malloc(sizeof(*aes));
	unsigned char *file, out[1024], hash[32] = {1}, iv[16] = {1}, text[64] = {9};
	size_t len;

	if (argc != 3)
		hold_fail("usage");
	file = hold_read(argv[2], &len);
	if (!strcmp(argv[1], "cipher")) {
		br_aes_ct64_cbcenc_init(aes, file, len);
		hold_drop(file, len);
		br_aes_ct64_cbcenc_run(aes, iv, text, sizeof(text));
		hold();
	}
	br_skey_decoder_init(decoder);
	br_skey_decoder_push(decoder, file, len);
	if (br_skey_decoder_last_error(decoder))
		hold_fail("decoder");
	hold_drop(file, len);
	if (br_skey_decoder_key_type(decoder) == BR_KEYTYPE_RSA) {
		const br_rsa_private_key *key = br_skey_decoder_get_rsa(decoder);

		if (!br_rsa_pkcs1_sign_get_default()(BR_HASH_OID_SHA256, hash, sizeof(hash), key,
						     out))
			hold_fail("sign");
	} else if (!br_ecdsa_sign_asn1_get_default()(br_ec_get_default(), &br_sha256_vtable, hash,
						     br_skey_decoder_get_ec(decoder), out)) {
		hold_fail("sign");
	}
	hold();
}
