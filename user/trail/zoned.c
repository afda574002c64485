// SPDX-License-Identifier: GPL-2.0-or-later
/* Which zone a key belongs to. */
#include "trail/zoned.h"

#include <stdio.h>
#include <stdlib.h>
#define HASH_NONFATAL_OOM 1 /* hh.tbl is then NULL */
#include <uthash.h>

#include "trail/trail.h"

#define ZONE_MAX 65 /* as the policy bounds names, with NUL */

struct zone_of {
	char key[TRAIL_NAME_MAX];
	char zone[ZONE_MAX];
	UT_hash_handle hh;
};

struct zoned {
	struct zone_of *keys;
	uint64_t refused;
};

struct zoned *zoned_new(void)
{
	return calloc(1, sizeof(struct zoned));
}

void zoned_free(struct zoned *zoned)
{
	struct zone_of *of, *next;

	if (!zoned)
		return;
	HASH_ITER(hh, zoned->keys, of, next)
	{
		HASH_DEL(zoned->keys, of);
		free(of);
	}
	free(zoned);
}

void zoned_set(struct zoned *zoned, const char *key, const char *zone)
{
	struct zone_of *of;

	HASH_FIND_STR(zoned->keys, key, of);
	if (!of) {
		of = HASH_COUNT(zoned->keys) < ZONED_MAX ? calloc(1, sizeof(*of)) : NULL;
		if (!of) {
			zoned->refused++;
			return;
		}
		snprintf(of->key, sizeof(of->key), "%s", key);
		HASH_ADD_STR(zoned->keys, key, of);
		if (!of->hh.tbl) {
			free(of);
			zoned->refused++;
			return;
		}
	}
	snprintf(of->zone, sizeof(of->zone), "%s", zone);
}

const char *zoned_find(const struct zoned *zoned, const char *key)
{
	const struct zone_of *of;

	HASH_FIND_STR(zoned->keys, key, of);
	return of ? of->zone : NULL;
}

uint64_t zoned_refused(const struct zoned *zoned)
{
	return zoned->refused;
}

size_t zoned_bytes(const struct zoned *zoned)
{
	return sizeof(*zoned) + HASH_COUNT(zoned->keys) * sizeof(struct zone_of);
}
