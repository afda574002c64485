// SPDX-License-Identifier: GPL-2.0-or-later
/* Crypto++: a signature by a key in PKCS#8, or a cipher at work. cryptopp sign|cipher FILE */
#include "../programs/hold.h"

#include <cryptopp/aes.h>
#include <cryptopp/eccrypto.h>
#include <cryptopp/filters.h>
#include <cryptopp/modes.h>
#include <cryptopp/osrng.h>
#include <cryptopp/rsa.h>
#include <cryptopp/sha.h>
#include <string>

using namespace CryptoPP;

template <class Signer> static void sign(const unsigned char *der, size_t len)
{
	static Signer signer;
	AutoSeededRandomPool random;
	StringSource source(der, len, true);
	std::string out;

	signer.AccessKey().Load(source);
	StringSource text("text", true, new SignerFilter(random, signer, new StringSink(out)));
}

int main(int argc, char **argv)
{
	static CBC_Mode<AES>::Encryption cbc;
	unsigned char *file, iv[16] = {1}, text[64] = {9};
	size_t len;

	if (argc != 3)
		hold_fail("usage");
	file = hold_read(argv[2], &len);
	if (!strcmp(argv[1], "cipher")) {
		cbc.SetKeyWithIV(file, len, iv);
		hold_drop(file, len);
		cbc.ProcessData(text, text, sizeof(text));
		hold();
	}
	if (strstr(argv[2], "rsa"))
		sign<RSASS<PKCS1v15, SHA256>::Signer>(file, len);
	else
		sign<ECDSA<ECP, SHA256>::Signer>(file, len);
	hold_drop(file, len);
	hold();
}
