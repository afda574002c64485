// SPDX-License-Identifier: GPL-2.0-or-later
/* NSS: a signature by a key in PKCS#8, or a cipher at work. */
#include "hold.h"

#include <cryptohi.h>
#include <nss.h>
#include <pk11pub.h>

static void sign(const char *path)
{
	SECOidTag algorithm = strstr(path, "rsa") ? SEC_OID_PKCS1_SHA256_WITH_RSA_ENCRYPTION
						  : SEC_OID_ANSIX962_ECDSA_SHA256_SIGNATURE;
	size_t len;
	unsigned char *file = hold_read(path, &len);
	SECItem der = {siBuffer, file, (unsigned)len}, nickname = {siBuffer, NULL, 0}, signature;
	SECKEYPrivateKey *key = NULL;

	if (PK11_ImportDERPrivateKeyInfoAndReturnKey(PK11_GetInternalSlot(), &der, &nickname, NULL,
						     PR_FALSE, PR_TRUE, KU_ALL, &key,
						     NULL) != SECSuccess)
		hold_fail("nss: import");
	hold_drop(file, len);
	if (SEC_SignData(&signature, (unsigned char *)"text", 4, key, algorithm) != SECSuccess)
		hold_fail("nss: sign");
	hold();
}

static void cipher(const char *path)
{
	size_t len;
	unsigned char *bytes = hold_read(path, &len), iv_bytes[16] = {1}, in[64] = {1}, out[64];
	SECItem item = {siBuffer, bytes, (unsigned)len}, iv = {siBuffer, iv_bytes, 16};
	PK11SymKey *key = PK11_ImportSymKey(PK11_GetInternalSlot(), CKM_AES_CBC, PK11_OriginUnwrap,
					    CKA_ENCRYPT, &item, NULL);
	PK11Context *context =
		key ? PK11_CreateContextBySymKey(CKM_AES_CBC, CKA_ENCRYPT, key, &iv) : NULL;
	int out_len;

	hold_drop(bytes, len);
	if (!context || PK11_CipherOp(context, out, &out_len, sizeof(out), in, 64) != SECSuccess)
		hold_fail("nss: cipher");
	hold();
}

/* nss sign|cipher KEY */
int main(int argc, char **argv)
{
	if (argc != 3 || NSS_NoDB_Init(NULL) != SECSuccess)
		hold_fail("usage");
	if (!strcmp(argv[1], "sign"))
		sign(argv[2]);
	cipher(argv[2]);
}
