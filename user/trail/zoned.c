// SPDX-License-Identifier: GPL-2.0-or-later
/* Which zones a key belongs to. */
#include "trail/zoned.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define HASH_NONFATAL_OOM 1 /* hh.tbl is then NULL */
#include <uthash.h>

#include "trail/trail.h"

#define ZONE_MAX 65 /* as the policy bounds names, with NUL */

struct zone_of {
	char key[TRAIL_NAME_MAX];
	char zones[ZONED_ZONES_MAX][ZONE_MAX];
	uint32_t nr, round; /* of which policy they are */
	bool verified;
	UT_hash_handle hh;
};

struct zoned {
	struct zone_of *keys;
	uint32_t round;
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

static struct zone_of *add_key(struct zoned *zoned, const char *key)
{
	struct zone_of *of = HASH_COUNT(zoned->keys) < ZONED_MAX ? calloc(1, sizeof(*of)) : NULL;

	if (!of)
		return NULL;
	snprintf(of->key, sizeof(of->key), "%s", key);
	HASH_ADD_STR(zoned->keys, key, of);
	if (of->hh.tbl)
		return of;
	free(of);
	return NULL;
}

void zoned_add(struct zoned *zoned, const char *key, const char *zone, bool verified)
{
	struct zone_of *of;

	HASH_FIND_STR(zoned->keys, key, of);
	if (!of && zone)
		of = add_key(zoned, key);
	if (!of) {
		zoned->refused += zone != NULL;
		return;
	}
	if (of->verified && !verified)
		return;
	if (of->round != zoned->round) {
		of->nr = 0;
		of->verified = false;
		of->round = zoned->round;
	}
	if (verified && !of->verified)
		of->nr = 0;
	of->verified = verified;
	if (!zone)
		return;
	for (uint32_t i = 0; i < of->nr; i++)
		if (!strcmp(of->zones[i], zone))
			return;
	if (of->nr == ZONED_ZONES_MAX)
		zoned->refused++;
	else
		snprintf(of->zones[of->nr++], ZONE_MAX, "%s", zone);
}

size_t zoned_find(const struct zoned *zoned, const char *key, const char *out[ZONED_ZONES_MAX])
{
	const struct zone_of *of;

	HASH_FIND_STR(zoned->keys, key, of);
	for (uint32_t i = 0; of && i < of->nr; i++)
		out[i] = of->zones[i];
	return of ? of->nr : 0;
}

void zoned_begin(struct zoned *zoned)
{
	zoned->round++;
}

void zoned_end(struct zoned *zoned, bool (*there)(void *ctx, const char *zone), void *ctx)
{
	struct zone_of *of, *next;

	HASH_ITER(hh, zoned->keys, of, next)
	{
		uint32_t nr = 0;

		for (uint32_t i = 0; i < of->nr; i++)
			if (there(ctx, of->zones[i]))
				memmove(of->zones[nr++], of->zones[i], ZONE_MAX);
		of->nr = nr;
		of->round = zoned->round;
		if (!nr) {
			HASH_DEL(zoned->keys, of);
			free(of);
		}
	}
}

uint32_t zoned_spare(const uint32_t *zones, uint32_t nr, uint32_t zone)
{
	for (uint32_t i = 0; i < nr; i++)
		if (!zone || zones[i] == zone)
			return nr;
	for (uint32_t at = nr; at-- > 0;) {
		bool spare = !zones[at];

		for (uint32_t i = 0; i < at; i++)
			spare |= zones[i] == zones[at];
		if (spare)
			return at;
	}
	return nr;
}

uint64_t zoned_refused(const struct zoned *zoned)
{
	return zoned->refused;
}

size_t zoned_bytes(const struct zoned *zoned)
{
	return sizeof(*zoned) + HASH_COUNT(zoned->keys) * sizeof(struct zone_of);
}
