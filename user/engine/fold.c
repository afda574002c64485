// SPDX-License-Identifier: GPL-2.0-or-later
/* Windows in which repeats are counted, and images that have had their alert. */
#include "engine/fold.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define NONE	      UINT32_MAX
#define GROUP_BUCKETS 1024
#define IMAGE_BUCKETS 8192

struct group {
	uint64_t key; /* hash of all but the process: 64 bits under this run's secret */
	uint64_t start;
	uint64_t count, first, last;
	uint32_t sent;
	uint32_t next; /* in its bucket; next free */
	uint32_t before, after; /* age */
	struct alert *like;
};

struct image {
	struct proc_id id;
	uint64_t object;
	enum alert_type type;
	uint32_t next;
	uint32_t before, after; /* by last use */
};

struct fold {
	struct group groups[FOLD_GROUPS_MAX];
	struct image images[FOLD_IMAGES_MAX];
	uint32_t group_buckets[GROUP_BUCKETS], image_buckets[IMAGE_BUCKETS];
	uint32_t groups_untouched, images_untouched, groups_free;
	uint32_t group_first, group_last, image_first, image_last;
	uint32_t nr_groups;
	fold_fn fn;
	void *ctx;
};

struct fold *fold_new(fold_fn fn, void *ctx)
{
	struct fold *fold = calloc(1, sizeof(*fold));

	if (!fold)
		return NULL;
	memset(fold->group_buckets, 0xff, sizeof(fold->group_buckets));
	memset(fold->image_buckets, 0xff, sizeof(fold->image_buckets));
	fold->groups_free = NONE;
	fold->group_first = fold->group_last = NONE;
	fold->image_first = fold->image_last = NONE;
	fold->fn = fn;
	fold->ctx = ctx;
	return fold;
}

void fold_free(struct fold *fold)
{
	if (!fold)
		return;
	for (uint32_t i = fold->group_first; i != NONE; i = fold->groups[i].after)
		alert_free(fold->groups[i].like);
	free(fold);
}

static uint64_t group_key(const struct fold_key *key)
{
	const struct container_image *image = key->made_from;
	uint64_t parts[6] = {key->type, key->uid, key->object};

	parts[3] = key->exe.len ? hash_bytes(key->exe.p, key->exe.len) : 0;
	if (image) {
		parts[4] = hash_bytes(image->name, strlen(image->name));
		parts[5] = hash_bytes(image->id, strlen(image->id));
	}
	return hash_bytes(parts, sizeof(parts));
}

static struct group *find_group(struct fold *fold, uint64_t key)
{
	uint32_t i = fold->group_buckets[key & (GROUP_BUCKETS - 1)];

	while (i != NONE && fold->groups[i].key != key)
		i = fold->groups[i].next;
	return i == NONE ? NULL : &fold->groups[i];
}

/* Tells what was counted, then forgets the window. */
static void close_group(struct fold *fold, struct group *group)
{
	uint32_t index = (uint32_t)(group - fold->groups);
	uint32_t *slot = &fold->group_buckets[group->key & (GROUP_BUCKETS - 1)];

	if (group->count && group->like)
		fold->fn(fold->ctx, group->like, group->count, group->first, group->last);
	while (*slot != index)
		slot = &fold->groups[*slot].next;
	*slot = group->next;
	if (group->before != NONE)
		fold->groups[group->before].after = group->after;
	else
		fold->group_first = group->after;
	if (group->after != NONE)
		fold->groups[group->after].before = group->before;
	else
		fold->group_last = group->before;
	alert_free(group->like);
	*group = (struct group){.next = fold->groups_free};
	fold->groups_free = index;
	fold->nr_groups--;
}

static struct group *open_group(struct fold *fold, uint64_t key, uint64_t now)
{
	uint32_t index, *slot = &fold->group_buckets[key & (GROUP_BUCKETS - 1)];
	struct group *group;

	if (fold->groups_free == NONE && fold->groups_untouched == FOLD_GROUPS_MAX)
		close_group(fold, &fold->groups[fold->group_first]);
	if (fold->groups_free != NONE) {
		index = fold->groups_free;
		fold->groups_free = fold->groups[index].next;
	} else {
		index = fold->groups_untouched++;
	}
	group = &fold->groups[index];
	*group = (struct group){
		.key = key,
		.start = now,
		.next = *slot,
		.before = fold->group_last,
		.after = NONE,
	};
	*slot = index;
	if (fold->group_last != NONE)
		fold->groups[fold->group_last].after = index;
	else
		fold->group_first = index;
	fold->group_last = index;
	fold->nr_groups++;
	return group;
}

static uint32_t *image_slot(struct fold *fold, const struct fold_key *key)
{
	uint64_t h = hash_u64(key->image.start ^
			      hash_u64((uint64_t)key->image.tgid << 32 ^ key->image.exec_id));

	return &fold->image_buckets[hash_u64(h ^ key->object ^ (uint64_t)key->type << 56) &
				    (IMAGE_BUCKETS - 1)];
}

static void image_unlink(struct fold *fold, struct image *image)
{
	if (image->before != NONE)
		fold->images[image->before].after = image->after;
	else
		fold->image_first = image->after;
	if (image->after != NONE)
		fold->images[image->after].before = image->before;
	else
		fold->image_last = image->before;
}

static void image_append(struct fold *fold, struct image *image)
{
	uint32_t index = (uint32_t)(image - fold->images);

	image->before = fold->image_last;
	image->after = NONE;
	if (fold->image_last != NONE)
		fold->images[fold->image_last].after = index;
	else
		fold->image_first = index;
	fold->image_last = index;
}

/* Has this image had its alert? If not, it has from now on. */
static bool image_seen(struct fold *fold, const struct fold_key *key)
{
	uint32_t *slot = image_slot(fold, key), index;
	struct image *image;

	for (index = *slot; index != NONE; index = image->next) {
		image = &fold->images[index];
		if (image->object != key->object || image->type != key->type ||
		    !proc_id_eq(&image->id, &key->image))
			continue;
		image_unlink(fold, image);
		image_append(fold, image);
		return true;
	}
	if (fold->images_untouched < FOLD_IMAGES_MAX) {
		index = fold->images_untouched++;
		image = &fold->images[index];
	} else {
		struct fold_key old;
		uint32_t *at;

		index = fold->image_first;
		image = &fold->images[index];
		old = (struct fold_key){.type = image->type,
					.image = image->id,
					.object = image->object};
		for (at = image_slot(fold, &old); *at != index; at = &fold->images[*at].next)
			;
		*at = image->next;
		image_unlink(fold, image);
	}
	image->id = key->image;
	image->object = key->object;
	image->type = key->type;
	image->next = *slot;
	*slot = index;
	image_append(fold, image);
	return false;
}

enum fold_answer fold_admit(struct fold *fold, const struct fold_key *key, uint64_t count,
			    uint64_t first, uint64_t last, uint64_t now, uint32_t burst)
{
	bool repeat = key->image.tgid && image_seen(fold, key);
	uint64_t hash = group_key(key);
	struct group *group = find_group(fold, hash);

	if (!group)
		group = open_group(fold, hash, now);
	if (!repeat && group->sent < burst) {
		group->sent++;
		return FOLD_SEND;
	}
	if (!group->count || first < group->first)
		group->first = first;
	if (last > group->last)
		group->last = last;
	group->count += count;
	return group->like ? FOLD_COUNTED : FOLD_KEEP;
}

void fold_keep(struct fold *fold, const struct fold_key *key, struct alert *alert)
{
	struct group *group = find_group(fold, group_key(key));

	if (group && !group->like)
		group->like = alert;
	else
		alert_free(alert);
}

void fold_tick(struct fold *fold, uint64_t now, uint64_t window)
{
	while (fold->group_first != NONE && fold->groups[fold->group_first].start + window <= now)
		close_group(fold, &fold->groups[fold->group_first]);
}

uint64_t fold_next(const struct fold *fold, uint64_t window)
{
	return fold->group_first == NONE ? UINT64_MAX
					 : fold->groups[fold->group_first].start + window;
}

void fold_flush(struct fold *fold)
{
	while (fold->group_first != NONE)
		close_group(fold, &fold->groups[fold->group_first]);
}

size_t fold_count(const struct fold *fold)
{
	return fold->nr_groups;
}

size_t fold_bytes(const struct fold *fold)
{
	/* What an alert that is kept takes, on average: strings of some ancestors. */
	return sizeof(*fold) + fold->nr_groups * 4096;
}
