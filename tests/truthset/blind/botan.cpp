// SPDX-License-Identifier: GPL-2.0-or-later
/* Botan 2: a signature, or a cipher at work. botan sign|cipher FILE */
#include "../programs/hold.h"

#include <botan/auto_rng.h>
#include <botan/block_cipher.h>
#include <botan/data_src.h>
#include <botan/pkcs8.h>
#include <botan/pubkey.h>
#include <memory>

int main(int argc, char **argv)
{
	static Botan::AutoSeeded_RNG rng;
	static std::unique_ptr<Botan::Private_Key> key;
	static std::unique_ptr<Botan::BlockCipher> cipher;

	if (argc != 3)
		hold_fail("usage");
	if (!strcmp(argv[1], "sign")) {
		Botan::DataSource_Stream source(argv[2]);
		key = Botan::PKCS8::load_key(source);
		const char *form = key->algo_name() == "RSA"	   ? "EMSA3(SHA-256)"
				   : key->algo_name() == "Ed25519" ? "Pure"
								   : "EMSA1(SHA-256)";
		static Botan::PK_Signer signer(*key, rng, form);
		signer.sign_message(std::vector<uint8_t>(4), rng);
	} else {
		size_t len;
		unsigned char *file = hold_read(argv[2], &len);
		uint8_t text[64] = {9};
		cipher = Botan::BlockCipher::create(len == 16 ? "AES-128" : "AES-256");
		cipher->set_key(file, len);
		hold_drop(file, len);
		cipher->encrypt_n(text, text, 4);
	}
	hold();
}
