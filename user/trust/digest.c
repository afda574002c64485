// SPDX-License-Identifier: GPL-2.0-or-later
/* Hashes of a file's content. */
#include "trust/digest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "base/cleanup.h"

#define AT_ONCE 65536

static void to_hex(const unsigned char *bytes, size_t n, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		out[2 * i] = digits[bytes[i] >> 4];
		out[2 * i + 1] = digits[bytes[i] & 15];
	}
	out[2 * n] = '\0';
}

static int hash(int fd, uint64_t max, EVP_MD_CTX *sha256, EVP_MD_CTX *md5)
{
	_cleanup_free_ unsigned char *buf = malloc(AT_ONCE);
	uint64_t at = 0;
	ssize_t n;

	if (!buf)
		return -ENOMEM;
	while ((n = pread(fd, buf, AT_ONCE, (off_t)at)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += (uint64_t)n;
		if (at > max)
			return -EFBIG;
		if (!EVP_DigestUpdate(sha256, buf, (size_t)n) ||
		    !EVP_DigestUpdate(md5, buf, (size_t)n))
			return -ENOMEM;
	}
	return 0;
}

int digest_file(int fd, uint64_t max, char out_sha256[static DIGEST_TEXT],
		char out_md5[static DIGEST_MD5])
{
	static const char prefix[] = "sha256:";
	EVP_MD_CTX *sha256 = EVP_MD_CTX_new(), *md5 = EVP_MD_CTX_new();
	unsigned char bytes[EVP_MAX_MD_SIZE];
	int r = -ENOMEM;

	if (sha256 && md5 && EVP_DigestInit_ex(sha256, EVP_sha256(), NULL) &&
	    EVP_DigestInit_ex(md5, EVP_md5(), NULL))
		r = hash(fd, max, sha256, md5);
	if (!r && EVP_DigestFinal_ex(sha256, bytes, NULL)) {
		memcpy(out_sha256, prefix, sizeof(prefix));
		to_hex(bytes, 32, out_sha256 + sizeof(prefix) - 1);
		if (EVP_DigestFinal_ex(md5, bytes, NULL))
			to_hex(bytes, 16, out_md5);
		else
			r = -ENOMEM;
	} else if (!r) {
		r = -ENOMEM;
	}
	EVP_MD_CTX_free(sha256);
	EVP_MD_CTX_free(md5);
	return r;
}
