// SPDX-License-Identifier: GPL-2.0-or-later
/* OpenSSL: a key loaded, used, or freed; a cipher at work; both ends of a TLS connection. */
#include "hold.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

static void fail(void)
{
	ERR_print_errors_fp(stderr);
	exit(2);
}

static EVP_PKEY *load(const char *path)
{
	BIO *bio = BIO_new_file(path, "r");
	EVP_PKEY *key = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;

	BIO_free(bio);
	if (!key)
		fail();
	return key;
}

static void sign(EVP_PKEY *key)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[1024];
	size_t len = sizeof(signature);
	const char *digest = EVP_PKEY_is_a(key, "ED25519") ? NULL : "SHA256";

	if (EVP_DigestSignInit_ex(ctx, NULL, digest, NULL, NULL, key, NULL) <= 0 ||
	    EVP_DigestSign(ctx, signature, &len, (const unsigned char *)"text", 4) <= 0)
		fail();
	EVP_MD_CTX_free(ctx);
}

static void cipher(const char *path, const char *name, int encrypt)
{
	EVP_CIPHER *type = EVP_CIPHER_fetch(NULL, name, NULL);
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	unsigned char iv[16] = {1, 2, 3}, in[64] = {9}, out[128];
	size_t len;
	unsigned char *key = hold_read(path, &len);
	int out_len;

	if (!EVP_CipherInit_ex2(ctx, type, key, iv, encrypt, NULL))
		fail();
	hold_drop(key, len);
	EVP_CipherUpdate(ctx, out, &out_len, in, sizeof(in));
	hold();
}

/* Both ends in one process, joined by a pair of BIOs. */
static void tls(const char *key, const char *certificate, int version)
{
	SSL_CTX *server_ctx = SSL_CTX_new(TLS_server_method());
	SSL_CTX *client_ctx = SSL_CTX_new(TLS_client_method());
	SSL *server, *client;
	BIO *a, *b;
	char text[8];

	SSL_CTX_set_max_proto_version(server_ctx, version);
	if (SSL_CTX_use_certificate_file(server_ctx, certificate, SSL_FILETYPE_PEM) <= 0 ||
	    SSL_CTX_use_PrivateKey_file(server_ctx, key, SSL_FILETYPE_PEM) <= 0)
		fail();
	server = SSL_new(server_ctx);
	client = SSL_new(client_ctx);
	BIO_new_bio_pair(&a, 0, &b, 0);
	SSL_set_bio(server, a, a);
	SSL_set_bio(client, b, b);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	for (int i = 0; i < 20; i++) {
		SSL_do_handshake(client);
		SSL_do_handshake(server);
	}
	if (!SSL_is_init_finished(server) || SSL_write(client, "hello", 5) != 5 ||
	    SSL_read(server, text, sizeof(text)) != 5)
		fail();
	hold();
}

/* openssl load|sign|free KEY | cipher KEY NAME encrypt|decrypt | tls KEY CERTIFICATE 12|13 */
int main(int argc, char **argv)
{
	EVP_PKEY *key;

	if (argc == 5 && !strcmp(argv[1], "cipher"))
		cipher(argv[2], argv[3], !strcmp(argv[4], "encrypt"));
	if (argc == 5 && !strcmp(argv[1], "tls"))
		tls(argv[2], argv[3], !strcmp(argv[4], "12") ? TLS1_2_VERSION : TLS1_3_VERSION);
	if (argc != 3)
		hold_fail("usage");
	key = load(argv[2]);
	if (strcmp(argv[1], "load"))
		sign(key);
	if (!strcmp(argv[1], "free"))
		EVP_PKEY_free(key);
	hold();
}
