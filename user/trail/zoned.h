/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which zone a key belongs to, by the key's name in the trail: as the watch entry of its file says.
 * Kept when the file is gone, since its dumps are not; not over a restart of the daemon. Bounded:
 * when it is full a new key is refused and counted, for to forget one is to miss a breach.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define ZONED_MAX 16384

struct zoned;

struct zoned *zoned_new(void); /* NULL: out of memory */
void zoned_free(struct zoned *zoned);

/* Replaces what was known. Both are copied. */
void zoned_set(struct zoned *zoned, const char *key, const char *zone);
const char *zoned_find(const struct zoned *zoned, const char *key); /* NULL: none */
uint64_t zoned_refused(const struct zoned *zoned);
size_t zoned_bytes(const struct zoned *zoned);
