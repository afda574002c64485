// SPDX-License-Identifier: GPL-2.0-or-later
/* Which files were looked at: a table of hashes. */
#include "search/seen.h"

#include <stdlib.h>

#include "base/hash.h"

#define ROOM_FIRST 1024
#define ROOM_MAX   (2 * (size_t)SEEN_MAX)

void seen_fini(struct seen *seen)
{
	free(seen->slots);
	*seen = (struct seen){NULL};
}

/* Two files in 2^64 are taken for one: that one of them is passed over is less likely than a fault
 * of the disk. */
static uint64_t hash_of(const struct seen_file *file)
{
	const uint64_t words[] = {file->dev, file->ino, file->size, (uint64_t)file->ctime_s,
				  file->ctime_ns};
	uint64_t hash = hash_bytes(words, sizeof(words));

	return hash ? hash : 1;
}

/* Where it stands, or would. */
static uint64_t *find(const struct seen *seen, uint64_t hash)
{
	size_t at = hash & (seen->room - 1);

	while (seen->slots[at] && seen->slots[at] != hash)
		at = (at + 1) & (seen->room - 1);
	return &seen->slots[at];
}

static bool make_room(struct seen *seen)
{
	struct seen more = {.room = seen->room ? 2 * seen->room : ROOM_FIRST, .nr = seen->nr};

	if (2 * (seen->nr + 1) <= seen->room)
		return true;
	if (seen->room == ROOM_MAX)
		seen_fini(seen);
	if (!seen->room)
		more = (struct seen){.room = ROOM_FIRST};
	more.slots = calloc(more.room, sizeof(*more.slots));
	if (!more.slots)
		return false;
	for (size_t i = 0; i < seen->room; i++)
		if (seen->slots[i])
			*find(&more, seen->slots[i]) = seen->slots[i];
	free(seen->slots);
	*seen = more;
	return true;
}

bool seen_has(const struct seen *seen, const struct seen_file *file)
{
	return seen->room && *find(seen, hash_of(file));
}

void seen_add(struct seen *seen, const struct seen_file *file)
{
	uint64_t hash = hash_of(file), *slot;

	if (!make_room(seen))
		return;
	slot = find(seen, hash);
	seen->nr += !*slot;
	*slot = hash;
}
