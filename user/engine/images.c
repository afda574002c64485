// SPDX-License-Identifier: GPL-2.0-or-later
/* Containers by their id: a pool with a hash table over it, in the order of their last use. */
#include "engine/images.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define BUCKETS 4096
#define NONE	0 /* links are index + 1 */

struct entry {
	char container[CONTAINER_ID_SIZE];
	struct container_image image;
	uint32_t next; /* in the bucket's chain */
	uint32_t newer, older; /* by use */
};

struct images {
	struct entry list[IMAGES_MAX];
	uint32_t nr; /* in use */
	uint32_t newest, oldest;
	uint32_t buckets[BUCKETS];
	uint64_t forgotten;
};

struct images *images_new(void)
{
	return calloc(1, sizeof(struct images));
}

void images_free(struct images *images)
{
	free(images);
}

static struct entry *at(struct images *images, uint32_t link)
{
	return &images->list[link - 1];
}

static uint32_t *bucket(struct images *images, struct span container)
{
	return &images->buckets[hash_bytes(container.p, container.len) & (BUCKETS - 1)];
}

static bool is(const char *text, struct span span)
{
	return strlen(text) == span.len && !memcmp(text, span.p, span.len);
}

static uint32_t lookup(struct images *images, struct span container)
{
	uint32_t i = *bucket(images, container);

	while (i != NONE && !is(at(images, i)->container, container))
		i = at(images, i)->next;
	return i;
}

static void order_unlink(struct images *images, uint32_t i)
{
	const struct entry *entry = at(images, i);

	if (entry->newer != NONE)
		at(images, entry->newer)->older = entry->older;
	else
		images->newest = entry->older;
	if (entry->older != NONE)
		at(images, entry->older)->newer = entry->newer;
	else
		images->oldest = entry->newer;
}

static void order_first(struct images *images, uint32_t i)
{
	struct entry *entry = at(images, i);

	entry->newer = NONE;
	entry->older = images->newest;
	if (images->newest != NONE)
		at(images, images->newest)->newer = i;
	else
		images->oldest = i;
	images->newest = i;
}

/* A place for one more: a free one, or that of the one unused longest. */
static uint32_t take(struct images *images)
{
	uint32_t i = images->oldest, *slot;

	if (images->nr < IMAGES_MAX)
		return ++images->nr;
	slot = bucket(images, span_of(at(images, i)->container));
	while (*slot != i)
		slot = &at(images, *slot)->next;
	*slot = at(images, i)->next;
	order_unlink(images, i);
	images->forgotten++;
	return i;
}

static void copy(char *out, size_t size, struct span text)
{
	size_t n = text.len < size ? text.len : 0;

	if (n)
		memcpy(out, text.p, n);
	out[n] = '\0';
}

void images_set(struct images *images, const struct event_container *told)
{
	struct entry *entry;
	uint32_t i, *slot;

	if (!told->id.len || told->id.len >= CONTAINER_ID_SIZE ||
	    memchr(told->id.p, 0, told->id.len))
		return;
	i = lookup(images, told->id);
	if (i != NONE) {
		order_unlink(images, i);
	} else {
		i = take(images);
		slot = bucket(images, told->id);
		entry = at(images, i);
		copy(entry->container, sizeof(entry->container), told->id);
		entry->next = *slot;
		*slot = i;
	}
	order_first(images, i);
	entry = at(images, i);
	copy(entry->image.name, sizeof(entry->image.name), told->image);
	copy(entry->image.id, sizeof(entry->image.id), told->image_id);
}

const struct container_image *images_find(struct images *images, struct span container)
{
	uint32_t i = container.len ? lookup(images, container) : NONE;

	if (i == NONE)
		return NULL;
	order_unlink(images, i);
	order_first(images, i);
	return &at(images, i)->image;
}

size_t images_count(const struct images *images)
{
	return images->nr;
}

uint64_t images_forgotten(const struct images *images)
{
	return images->forgotten;
}

size_t images_bytes(const struct images *images)
{
	return sizeof(*images) - sizeof(images->list) + images->nr * sizeof(struct entry);
}
