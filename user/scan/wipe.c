// SPDX-License-Identifier: GPL-2.0-or-later
/* Buffers that are wiped before they are given back, ours and libcrypto's. */
#include "scan/wipe.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/mman.h>

struct wipe_head {
	size_t len; /* of the user's part */
	size_t pad;
};

void *wipe_alloc(size_t len)
{
	struct wipe_head *head = calloc(1, sizeof(*head) + len);

	if (!head)
		return NULL;
	head->len = len;
	/* A limit of the machine, not of ours: the bytes are read either way. */
	mlock(head + 1, len);
	return head + 1;
}

void wipe_free(void *p)
{
	struct wipe_head *head = p;

	if (!p)
		return;
	head--;
	explicit_bzero(p, head->len);
	/* Not unlocked: a lock covers pages, which neighbours may have locked too. */
	free(head);
}

static void *crypto_alloc(size_t len, const char *file, int line)
{
	return malloc(len);
}

static void crypto_free(void *p, const char *file, int line)
{
	if (!p)
		return;
	explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *crypto_realloc(void *p, size_t len, const char *file, int line)
{
	size_t old = p ? malloc_usable_size(p) : 0;
	void *to;

	if (!len) {
		crypto_free(p, file, line);
		return NULL;
	}
	to = malloc(len);
	if (!to)
		return NULL;
	if (p)
		memcpy(to, p, old < len ? old : len);
	crypto_free(p, file, line);
	return to;
}

int wipe_libcrypto(void)
{
	return CRYPTO_set_mem_functions(crypto_alloc, crypto_realloc, crypto_free) ? 0 : -EALREADY;
}

__attribute__((noinline)) void wipe_stack(void)
{
	uint8_t deep[WIPE_STACK];

	explicit_bzero(deep, sizeof(deep));
}
