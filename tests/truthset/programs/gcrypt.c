// SPDX-License-Identifier: GPL-2.0-or-later
/* libgcrypt: a signature by a key in an s-expression, or a cipher at work. */
#include "hold.h"

#include <gcrypt.h>

static void must(gcry_error_t error)
{
	if (error)
		hold_fail(gcry_strerror(error));
}

static void sign(const char *path)
{
	const char *form = strstr(path, "rsa") ? "(data (flags pkcs1)(hash sha256 %b))"
					       : "(data (flags raw)(value %b))";
	size_t len;
	unsigned char *file = hold_read(path, &len);
	gcry_sexp_t key, data, signature;

	must(gcry_sexp_new(&key, file, len, 1));
	hold_drop(file, len);
	must(gcry_sexp_build(&data, NULL, form, 32, "01234567890123456789012345678901"));
	must(gcry_pk_sign(&signature, data, key));
	hold();
}

static void cipher(const char *path, int encrypt)
{
	size_t len;
	unsigned char *key = hold_read(path, &len), iv[16] = {1}, in[64] = {9}, out[64];
	gcry_cipher_hd_t handle;

	must(gcry_cipher_open(&handle, len == 16 ? GCRY_CIPHER_AES128 : GCRY_CIPHER_AES256,
			      GCRY_CIPHER_MODE_CBC, 0));
	must(gcry_cipher_setkey(handle, key, len));
	hold_drop(key, len);
	must(gcry_cipher_setiv(handle, iv, sizeof(iv)));
	must(encrypt ? gcry_cipher_encrypt(handle, out, sizeof(out), in, sizeof(in))
		     : gcry_cipher_decrypt(handle, out, sizeof(out), in, sizeof(in)));
	hold();
}

/* gcrypt sign KEY | cipher KEY encrypt|decrypt */
int main(int argc, char **argv)
{
	if (argc < 3)
		hold_fail("usage");
	gcry_check_version(NULL);
	gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
	if (!strcmp(argv[1], "sign"))
		sign(argv[2]);
	cipher(argv[2], argc == 4 && !strcmp(argv[3], "encrypt"));
}
