/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Memory that may hold secrets: zeroed when it is given back, kept out of swap where allowed. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

/* NULL without memory. Zeroed; locked into RAM as far as the limits allow. len > 0. */
void *wipe_alloc(size_t len);
void wipe_free(void *p); /* of wipe_alloc(); NULL is fine */
DEFINE_CLEANUP(uint8_t *, wipe_free)
#define _cleanup_wipe_ _cleanup_(wipe_freep)

/*
 * Makes libcrypto wipe all that it frees, not only what it thinks is secret (its DER decoders keep
 * plain copies). Call before anything else of libcrypto; -EALREADY if it has been used before.
 */
int wipe_libcrypto(void);

/* Overwrites the part of the stack that deeper calls of the past may have used: so many bytes of
 * it, from the caller's frame on. Detectors with all below them were seen to take 55 KiB. */
#define WIPE_STACK (256 << 10)
void wipe_stack(void);
