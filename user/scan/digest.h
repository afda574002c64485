/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SHA-256 over bytes that come in order. Not thread safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

#define DIGEST_BYTES 32

struct digest;

struct digest *digest_new(void); /* NULL: out of memory */
void digest_free(struct digest *digest); /* NULL is fine */

uint64_t digest_at(const struct digest *digest); /* how many bytes there were */
/* What cannot be added makes it void: digest_end() says so. */
void digest_add(struct digest *digest, const void *p, size_t len);
/* Of a hole; more than DIGEST_HOLES in all make it void: nobody waits for terabytes of nothing. */
#define DIGEST_HOLES (8ULL << 30)
void digest_add_zeros(struct digest *digest, uint64_t len);
void digest_void(struct digest *digest);
bool digest_is_void(const struct digest *digest);

/* False: it is void. Nothing may be added any more. */
bool digest_end(struct digest *digest, uint8_t out[static DIGEST_BYTES]);
