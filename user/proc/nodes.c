// SPDX-License-Identifier: GPL-2.0-or-later
/* Nodes of the process table: pool, look-up, lists, and who goes when there is no room. */
#include "proc/nodes.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

struct proctab *proctab_new(uint32_t max_nodes, struct strtab *strings)
{
	struct proctab *tab = calloc(1, sizeof(*tab));
	uint32_t buckets = 64;

	if (!tab)
		return NULL;
	while (buckets < max_nodes)
		buckets *= 2;
	/* calloc: pages that no process ever needed are never backed by memory */
	tab->nr_nodes = max_nodes + 1;
	tab->nodes = calloc(tab->nr_nodes, sizeof(struct node));
	tab->by_image = calloc(buckets, sizeof(uint32_t));
	tab->by_pid = calloc(buckets, sizeof(uint32_t));
	tab->mask = buckets - 1;
	tab->untouched = 1;
	tab->strings = strings;
	if (!tab->nodes || !tab->by_image || !tab->by_pid) {
		proctab_free(tab);
		return NULL;
	}
	return tab;
}

void proctab_free(struct proctab *tab)
{
	if (!tab)
		return;
	for (uint32_t i = 1; tab->nodes && i < tab->untouched; i++) {
		strtab_put(tab->strings, tab->nodes[i].exe);
		strtab_put(tab->strings, tab->nodes[i].args);
		strtab_put(tab->strings, tab->nodes[i].cgroup);
		strtab_put(tab->strings, tab->nodes[i].script);
	}
	free(tab->nodes);
	free(tab->by_image);
	free(tab->by_pid);
	free(tab);
}

/* --- lists and tables ------------------------------------------------------------------ */

static void list_append(struct proctab *tab, struct node *node, enum life life)
{
	struct list *list = &tab->lists[life];
	uint32_t self = node_index(tab, node);

	node->life = life;
	node->before = list->last;
	node->after = NONE;
	if (list->last)
		node_at(tab, list->last)->after = self;
	else
		list->first = self;
	list->last = self;
}

static void list_remove(struct proctab *tab, struct node *node)
{
	struct list *list = &tab->lists[node->life];

	if (node->before)
		node_at(tab, node->before)->after = node->after;
	else
		list->first = node->after;
	if (node->after)
		node_at(tab, node->after)->before = node->before;
	else
		list->last = node->before;
}

static uint32_t *image_slot(const struct proctab *tab, const struct proc_id *id)
{
	uint64_t h = hash_u64(id->start ^ hash_u64((uint64_t)id->tgid << 32 ^ id->exec_id));

	return &tab->by_image[h & tab->mask];
}

static uint32_t *pid_slot(const struct proctab *tab, uint32_t tgid)
{
	return &tab->by_pid[hash_u64(tgid) & tab->mask];
}

struct node *node_find(const struct proctab *tab, const struct proc_id *id)
{
	struct node *node = node_at(tab, *image_slot(tab, id));

	while (node && !proc_id_eq(&node->id, id))
		node = node_at(tab, node->h_image);
	return node;
}

struct node *node_find_newest(const struct proctab *tab, uint32_t tgid, uint64_t start)
{
	struct node *node = node_at(tab, *pid_slot(tab, tgid));

	while (node && !(node->id.tgid == tgid && node->id.start == start))
		node = node_at(tab, node->h_pid);
	return node;
}

void node_pid_insert(struct proctab *tab, struct node *node)
{
	uint32_t *slot = pid_slot(tab, node->id.tgid);

	node->h_pid = *slot;
	node->newest = true;
	*slot = node_index(tab, node);
}

void node_pid_remove(struct proctab *tab, struct node *node)
{
	uint32_t *slot = pid_slot(tab, node->id.tgid);

	while (*slot != node_index(tab, node))
		slot = &node_at(tab, *slot)->h_pid;
	*slot = node->h_pid;
	node->newest = false;
}

static void image_remove(struct proctab *tab, struct node *node)
{
	uint32_t *slot = image_slot(tab, &node->id);

	while (*slot != node_index(tab, node))
		slot = &node_at(tab, *slot)->h_image;
	*slot = node->h_image;
}

/* --- life and death of a node ---------------------------------------------------------- */

/* Nodes that lost their last reference and ended long ago, by way of `after`: no recursion. */
struct doomed {
	uint32_t first;
};

static void unref(struct proctab *tab, struct proc_ref ref, uint64_t now, struct doomed *doomed)
{
	struct node *node = node_deref(tab, ref);

	if (!node || --node->refs || node->life != LIFE_DEAD)
		return;
	list_remove(tab, node);
	if (doomed && node->ended + PROCTAB_LINGER_NS <= now) {
		node->after = doomed->first;
		doomed->first = node_index(tab, node);
		node->life = LIFE_NR;
		return;
	}
	list_append(tab, node, LIFE_LEAF);
}

static void release_one(struct proctab *tab, struct node *node, uint64_t now, struct doomed *doomed)
{
	struct proc_ref prev = node->prev, parent = node->parent;
	uint32_t generation = node->generation + 1;

	image_remove(tab, node);
	if (node->newest) {
		struct node *older = node_deref(tab, prev);

		node_pid_remove(tab, node);
		/* The image before is then the newest that is known. */
		if (older)
			node_pid_insert(tab, older);
	}
	strtab_put(tab->strings, node->exe);
	strtab_put(tab->strings, node->args);
	strtab_put(tab->strings, node->cgroup);
	strtab_put(tab->strings, node->script);
	memset(node, 0, sizeof(*node));
	node->generation = generation;
	node->after = tab->free;
	tab->free = node_index(tab, node);
	tab->nr--;
	unref(tab, prev, now, doomed);
	unref(tab, parent, now, doomed);
}

/* The node is in no list any more. What only it had kept goes with it if it ended long ago. */
static void release(struct proctab *tab, struct node *node, uint64_t now)
{
	struct doomed doomed = {NONE};

	release_one(tab, node, now, &doomed);
	while (doomed.first) {
		struct node *next = node_at(tab, doomed.first);

		doomed.first = next->after;
		release_one(tab, next, now, &doomed);
	}
}

void node_end(struct proctab *tab, struct node *node, uint64_t time)
{
	if (node->life != LIFE_ALIVE)
		return;
	list_remove(tab, node);
	node->ended = time;
	list_append(tab, node, node->refs ? LIFE_DEAD : LIFE_LEAF);
}

static struct node *take_any(struct proctab *tab, uint64_t now)
{
	struct node *node;

	if (tab->free) {
		node = node_at(tab, tab->free);
		tab->free = node->after;
	} else if (tab->untouched < tab->nr_nodes) {
		node = node_at(tab, tab->untouched++);
	} else {
		static const enum life order[] = {LIFE_LEAF, LIFE_DEAD, LIFE_ALIVE};
		uint64_t *const counts[] = {&tab->dropped_leaves, &tab->dropped_dead,
					    &tab->dropped_live};
		size_t i = 0;

		while (!tab->lists[order[i]].first)
			i++;
		node = node_at(tab, tab->lists[order[i]].first);
		++*counts[i];
		list_remove(tab, node);
		release(tab, node, now);
		node = node_at(tab, tab->free);
		tab->free = node->after;
	}
	node->generation += node->generation == 0;
	node->after = NONE;
	tab->nr++;
	return node;
}

void node_link(struct proctab *tab, struct proc_ref *link, struct node *to, uint64_t now)
{
	struct proc_ref old = *link;

	if (to)
		node_pin(tab, to);
	*link = node_ref(tab, to);
	unref(tab, old, now, NULL);
}

struct node *node_take(struct proctab *tab, const struct proc_id *id, uint64_t now)
{
	struct node *node = take_any(tab, now);
	uint32_t *slot = image_slot(tab, id);

	node->used = true;
	node->id = *id;
	node->h_image = *slot;
	*slot = node_index(tab, node);
	list_append(tab, node, LIFE_ALIVE);
	return node;
}

struct node *node_first_with_pid(const struct proctab *tab, uint32_t tgid)
{
	return node_at(tab, *pid_slot(tab, tgid));
}

void node_pin(struct proctab *tab, struct node *node)
{
	node->refs++;
	if (node->life == LIFE_LEAF) {
		list_remove(tab, node);
		list_append(tab, node, LIFE_DEAD);
	}
}

void node_unpin(struct proctab *tab, struct proc_ref ref)
{
	unref(tab, ref, 0, NULL);
}

void node_expire(struct proctab *tab, uint64_t now)
{
	struct node *leaf;

	while ((leaf = node_at(tab, tab->lists[LIFE_LEAF].first)) &&
	       leaf->ended + PROCTAB_LINGER_NS <= now) {
		list_remove(tab, leaf);
		release(tab, leaf, now);
	}
}
