// SPDX-License-Identifier: GPL-2.0-or-later
/* GnuTLS: a signature, or a cipher at work. */
#include "hold.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

static void must(int r)
{
	if (r < 0)
		hold_fail(gnutls_strerror(r));
}

static void sign(const char *path)
{
	size_t len;
	unsigned char *file = hold_read(path, &len);
	gnutls_datum_t pem = {file, (unsigned)len}, text = {(unsigned char *)"text", 4}, signature;
	gnutls_privkey_t key;
	int ed25519;

	must(gnutls_privkey_init(&key));
	must(gnutls_privkey_import_x509_raw(key, &pem, GNUTLS_X509_FMT_PEM, NULL, 0));
	hold_drop(file, len);
	ed25519 = gnutls_privkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_EDDSA_ED25519;
	must(gnutls_privkey_sign_data(key, ed25519 ? GNUTLS_DIG_SHA512 : GNUTLS_DIG_SHA256, 0,
				      &text, &signature));
	hold();
}

static void cipher(const char *path)
{
	size_t len;
	unsigned char *bytes = hold_read(path, &len), iv_bytes[16] = {1, 2, 3}, text[64] = {9};
	gnutls_datum_t key = {bytes, (unsigned)len}, iv = {iv_bytes, sizeof(iv_bytes)};
	gnutls_cipher_hd_t handle;

	must(gnutls_cipher_init(&handle,
				len == 16 ? GNUTLS_CIPHER_AES_128_CBC : GNUTLS_CIPHER_AES_256_CBC,
				&key, &iv));
	hold_drop(bytes, len);
	must(gnutls_cipher_encrypt(handle, text, sizeof(text)));
	hold();
}

/* gnutls sign|cipher KEY */
int main(int argc, char **argv)
{
	if (argc != 3)
		hold_fail("usage");
	must(gnutls_global_init());
	if (!strcmp(argv[1], "sign"))
		sign(argv[2]);
	cipher(argv[2]);
}
