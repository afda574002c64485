// SPDX-License-Identifier: GPL-2.0-or-later
/* A queue of some dozens of items: looked through from end to end, which no scan will notice. */
#include "scanq/scanq.h"

#include <stdlib.h>
#include <string.h>

struct scanq {
	struct scanq_item **items;
	size_t nr, room, max, owner_max;
	uint64_t turn;
};

struct scanq *scanq_new(size_t max)
{
	struct scanq *queue = calloc(1, sizeof(*queue));

	if (queue)
		queue->max = max;
	return queue;
}

void scanq_free(struct scanq *queue)
{
	if (!queue)
		return;
	free(queue->items);
	free(queue);
}

void scanq_set_max(struct scanq *queue, size_t max)
{
	queue->max = max;
}

void scanq_set_owner_max(struct scanq *queue, size_t max)
{
	queue->owner_max = max;
}

static bool has_share(const struct scanq *queue, uint32_t owner)
{
	size_t nr = 0;

	for (size_t i = 0; i < queue->nr; i++)
		nr += queue->items[i]->owner == owner;
	return queue->owner_max && nr >= queue->owner_max;
}

bool scanq_same_file(const struct scanq_item *a, const struct scanq_item *b)
{
	return a->inode.ino == b->inode.ino && a->inode.dev == b->inode.dev &&
	       a->inode.gen == b->inode.gen;
}

bool scanq_same_content(const struct scanq_item *a, const struct scanq_item *b)
{
	return scanq_same_file(a, b) && a->changed == b->changed && a->size == b->size;
}

static bool more_urgent(const struct scanq_item *a, const struct scanq_item *b)
{
	return a->rank != b->rank ? a->rank < b->rank : a->turn < b->turn;
}

/* Position of the most (or least) urgent one of at least one. */
static size_t extreme(const struct scanq *queue, bool most)
{
	size_t found = 0;

	for (size_t i = 1; i < queue->nr; i++)
		if (more_urgent(queue->items[i], queue->items[found]) == most)
			found = i;
	return found;
}

static struct scanq_item *remove_at(struct scanq *queue, size_t at)
{
	struct scanq_item *item = queue->items[at];

	queue->items[at] = queue->items[--queue->nr];
	return item;
}

static bool make_room(struct scanq *queue)
{
	size_t room = queue->room ? queue->room * 2 : 16;
	struct scanq_item **items;

	if (queue->nr < queue->room)
		return true;
	items = reallocarray(queue->items, room, sizeof(struct scanq_item *));
	if (!items)
		return false;
	queue->items = items;
	queue->room = room;
	return true;
}

enum scanq_answer scanq_add(struct scanq *queue, struct scanq_item *item,
			    struct scanq_item **out_ousted)
{
	*out_ousted = NULL;
	for (size_t i = 0; i < queue->nr; i++) {
		struct scanq_item *known = queue->items[i];

		if (!scanq_same_file(known, item))
			continue;
		if (scanq_same_content(known, item)) {
			if (item->rank < known->rank)
				known->rank = item->rank;
			return SCANQ_KNOWN;
		}
		/* It keeps its turn: who writes again and again would never have one. */
		item->turn = known->turn;
		if (known->rank < item->rank)
			item->rank = known->rank;
		queue->items[i] = item;
		*out_ousted = known;
		return SCANQ_QUEUED;
	}
	if (has_share(queue, item->owner))
		return SCANQ_FULL;
	item->turn = ++queue->turn;
	if (queue->nr >= queue->max) {
		size_t least;

		if (!queue->nr)
			return SCANQ_FULL;
		least = extreme(queue, false);
		if (!more_urgent(item, queue->items[least]))
			return SCANQ_FULL;
		*out_ousted = remove_at(queue, least);
	}
	if (!make_room(queue))
		return SCANQ_FULL;
	queue->items[queue->nr++] = item;
	return SCANQ_QUEUED;
}

struct scanq_item *scanq_take(struct scanq *queue)
{
	return queue->nr ? remove_at(queue, extreme(queue, true)) : NULL;
}

struct scanq_item *scanq_take_cheapest(struct scanq *queue, scanq_cost_fn cost, void *userdata,
				       uint64_t max, uint64_t *out_cost)
{
	size_t found = 0;

	*out_cost = 0;
	for (size_t i = 0; i < queue->nr; i++) {
		const uint64_t costs = cost(userdata, queue->items[i]->owner);

		if (i &&
		    (costs > *out_cost ||
		     (costs == *out_cost && !more_urgent(queue->items[i], queue->items[found]))))
			continue;
		found = i;
		*out_cost = costs;
	}
	return queue->nr && *out_cost <= max ? remove_at(queue, found) : NULL;
}

size_t scanq_count(const struct scanq *queue)
{
	return queue->nr;
}
