// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A process that holds a private key, for the test of `keytrail sweep` and `doctor`.
 *
 *	holder plain|hidden FILE     reads a PEM key, uses it once, says "ready", waits for the end
 *	                             of standard input
 *
 * hidden: all of libcrypto's memory is left out of dumps (MADV_DONTDUMP), wiped in children
 * (MADV_WIPEONFORK) and locked, as a careful signer has it.
 */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define ARENA (6 << 20) /* below the usual limit of locked memory */

static uint8_t *arena;
static size_t used;

/* Before each block stands its size; nothing is given back, as one key does not need much. */
static void *arena_malloc(size_t size, const char *file, int line)
{
	size_t *block = (size_t *)(arena + used);

	if (size > ARENA - 64 || used + size + 64 > ARENA)
		return NULL;
	*block = size;
	used += (size + 16 + 31) & ~(size_t)15;
	return (uint8_t *)block + 16;
}

static void *arena_realloc(void *p, size_t size, const char *file, int line)
{
	size_t old = p ? *(size_t *)((uint8_t *)p - 16) : 0;
	void *more = arena_malloc(size, file, line);

	if (more && p)
		memcpy(more, p, old < size ? old : size);
	return more;
}

static void arena_free(void *p, const char *file, int line)
{
}

static int hide(void)
{
	arena = mmap(NULL, ARENA, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (arena == MAP_FAILED || madvise(arena, ARENA, MADV_DONTDUMP) < 0 ||
	    madvise(arena, ARENA, MADV_WIPEONFORK) < 0 || mlock(arena, ARENA) < 0) {
		perror("holder: hide");
		return -1;
	}
	return CRYPTO_set_mem_functions(arena_malloc, arena_realloc, arena_free) ? 0 : -1;
}

/* Without stdio, which would keep a copy of its own. */
static EVP_PKEY *read_key(const char *path)
{
	char *text = OPENSSL_malloc(65536);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 || !text ? -1 : read(fd, text, 65536);
	BIO *bio = n > 0 ? BIO_new_mem_buf(text, (int)n) : NULL;

	return bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
}

static int sign(EVP_PKEY *key)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t signature[1024];
	size_t len = sizeof(signature);

	return context && EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) == 1 &&
	       EVP_DigestSign(context, signature, &len, (const uint8_t *)"x", 1) == 1;
}

int main(int argc, char **argv)
{
	EVP_PKEY *key;
	char c;

	if (argc != 3 || (!strcmp(argv[1], "hidden") && hide() < 0))
		return 2;
	key = read_key(argv[2]);
	if (!key || !sign(key)) {
		fputs("holder: the key cannot be used\n", stderr);
		return 1;
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	return 0;
}
