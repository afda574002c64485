/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dumps that wait to be scanned: bounded, the most urgent first, each content of a file once. Plain
 * data without time, files or processes; who puts an item in owns what hangs on it until it comes
 * out again.
 *
 * A content is told by inode, generation and time of change: a file that was written again while it
 * waited stands in the queue once, as it is now.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/event.h"

#define SCANQ_SMALL (64ULL << 20) /* bytes: a small dump does not wait for a large one */

enum scanq_rank {
	SCANQ_RANK_HOLDER = 0, /* of a process that had read a key */
	SCANQ_RANK_SMALL,
	SCANQ_RANK_OTHER,
};

struct scanq_item {
	struct inode_id inode;
	uint64_t changed; /* ns: st_ctim */
	uint64_t size; /* bytes */
	enum scanq_rank rank;
	uint32_t owner; /* uid */
	uint64_t turn; /* the queue's: order of arrival */
};

struct scanq;

enum scanq_answer {
	SCANQ_QUEUED, /* it is the queue's now */
	SCANQ_KNOWN, /* it waits already: the item stays the caller's */
	SCANQ_FULL, /* and all that wait are as urgent, or its owner has his share of it: the item
		     * stays the caller's */
};

/* max: items. NULL: out of memory. */
struct scanq *scanq_new(size_t max);
void scanq_free(struct scanq *queue); /* the items must have been taken out */

/* What is more than that waits on; only nothing is added to it. */
void scanq_set_max(struct scanq *queue, size_t max);

/* Of one owner; 0: as many as there are. */
void scanq_set_owner_max(struct scanq *queue, size_t max);

/*
 * *out_ousted: an item that came out for this one, the caller's from now on, or NULL; either the
 * same file as it was before, or, of a full queue, the least urgent one. Out of memory is
 * SCANQ_FULL.
 */
enum scanq_answer scanq_add(struct scanq *queue, struct scanq_item *item,
			    struct scanq_item **out_ousted);

struct scanq_item *scanq_take(struct scanq *queue); /* the most urgent one, NULL: none waits */

/* What it costs that the turn is this owner's. */
typedef uint64_t (*scanq_cost_fn)(void *userdata, uint32_t owner);

/* The most urgent one of an owner who costs least. NULL: none waits, or each costs more than `max`;
 * *out_cost: the least. */
struct scanq_item *scanq_take_cheapest(struct scanq *queue, scanq_cost_fn cost, void *userdata,
				       uint64_t max, uint64_t *out_cost);

size_t scanq_count(const struct scanq *queue);

bool scanq_same_file(const struct scanq_item *a, const struct scanq_item *b);
bool scanq_same_content(const struct scanq_item *a, const struct scanq_item *b);
