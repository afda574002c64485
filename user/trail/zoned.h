/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which zones a key belongs to, by the key's name in the trail: as the watch entries of its files
 * say. Kept when the file is gone, since its dumps are not; not over a restart of the daemon.
 *
 * A file whose key is verified says it for sure. Another (an encrypted one with a public half
 * beside it) may hold anything: it counts as long as nothing verified is known of that key. So
 * nobody takes a key out of its zone by laying down a file elsewhere; at most a zone is added.
 *
 * Bounded: when it is full a new key, or another zone of a key, is refused and counted, for to
 * forget one is to miss a breach.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZONED_MAX	16384
#define ZONED_ZONES_MAX 4 /* of one key */

struct zoned;

struct zoned *zoned_new(void); /* NULL: out of memory */
void zoned_free(struct zoned *zoned);

/* The key belongs to this zone, too. Both are copied. */
void zoned_add(struct zoned *zoned, const char *key, const char *zone, bool verified);
/* Returns how many zones there are; the strings live until the next change. */
size_t zoned_find(const struct zoned *zoned, const char *key, const char *out[ZONED_ZONES_MAX]);

/*
 * The policy is another one. From here on what is said of a key replaces what was known of it
 * before, and zone NULL says that it belongs to none.
 */
void zoned_begin(struct zoned *zoned);
/* Ends that: zones that are not there any more (`there` says so by name) go, and keys without any.
 */
void zoned_end(struct zoned *zoned, bool (*there)(void *ctx, const char *zone), void *ctx);

/*
 * Of `nr` keys, the worst first, with zones by number (0 = none): which makes room for one more key
 * of `zone`. One that costs no zone; nr = none does, or `zone` is among them or 0.
 */
uint32_t zoned_spare(const uint32_t *zones, uint32_t nr, uint32_t zone);

uint64_t zoned_refused(const struct zoned *zoned);
size_t zoned_bytes(const struct zoned *zoned);
