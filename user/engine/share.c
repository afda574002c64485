// SPDX-License-Identifier: GPL-2.0-or-later
/* How many alerts each user has had in his window, and how many were held back. */
#include "engine/share.h"

#include <stdlib.h>

#include "base/hash.h"

enum kind { FREE, CAUSED, OWNED };

struct slot {
	enum kind kind;
	uint32_t user;
	uint32_t sent;
	bool held; /* it was said that alerts are */
	uint64_t start;
	uint64_t count, first, last; /* of those held back */
};

struct share {
	struct slot slots[SHARE_MAX];
	size_t end; /* of those that were ever in use */
	uint64_t oldest; /* none of them began before */
	uint64_t told[SHARE_TOLD]; /* objects of others, by hash */
	share_fn fn;
	void *ctx;
};

struct share *share_new(share_fn fn, void *ctx)
{
	struct share *share = calloc(1, sizeof(*share));

	if (!share)
		return NULL;
	share->fn = fn;
	share->ctx = ctx;
	share->oldest = UINT64_MAX;
	return share;
}

void share_free(struct share *share)
{
	free(share);
}

static void close_slot(struct share *share, struct slot *slot)
{
	if (slot->count)
		share->fn(share->ctx, slot->user, slot->start, slot->count, slot->first,
			  slot->last);
	*slot = (struct slot){.kind = FREE};
}

/* Only when an alert is to go out: so seldom that a search will do. `keep` does not give way. */
static struct slot *get_slot(struct share *share, enum kind kind, uint32_t user, uint64_t now,
			     const struct slot *keep)
{
	struct slot *unused = NULL, *first = NULL;

	for (size_t i = 0; i < share->end; i++) {
		struct slot *slot = &share->slots[i];

		if (slot->kind == kind && slot->user == user)
			return slot;
		if (slot->kind == FREE)
			unused = slot;
		else if (slot != keep && (!first || slot->start < first->start))
			first = slot;
	}
	if (!unused && share->end < SHARE_MAX)
		unused = &share->slots[share->end++];
	if (!unused) {
		unused = first;
		close_slot(share, unused);
	}
	*unused = (struct slot){.kind = kind, .user = user, .start = now};
	if (now < share->oldest)
		share->oldest = now;
	return unused;
}

/* Was the object told in this window? If not, it is from now on. */
static bool was_told(struct share *share, const struct slot *slot, uint64_t object)
{
	const uint64_t parts[] = {slot->user, slot->start, object};
	uint64_t hash = hash_bytes(parts, sizeof(parts));
	uint64_t *told = &share->told[hash % SHARE_TOLD];

	if (*told == hash)
		return true;
	*told = hash;
	return false;
}

bool share_admit(struct share *share, const struct share_case *c, uint64_t count, uint64_t first,
		 uint64_t last, uint64_t now, uint32_t limit)
{
	struct slot *user = get_slot(share, CAUSED, c->user, now, NULL), *owner;

	if (c->others && !was_told(share, user, c->object)) {
		owner = get_slot(share, OWNED, c->owner, now, user);
		if (owner->sent < SHARE_OTHERS) {
			owner->sent++;
			return true;
		}
	}
	if (user->sent < limit) {
		user->sent++;
		return true;
	}
	if (!user->count || first < user->first)
		user->first = first;
	if (last > user->last)
		user->last = last;
	user->count += count;
	if (!user->held) {
		user->held = true;
		share->fn(share->ctx, user->user, user->start, 0, first, last);
	}
	return false;
}

void share_tick(struct share *share, uint64_t now, uint64_t window)
{
	uint64_t oldest = UINT64_MAX;

	if (share->oldest == UINT64_MAX || now < share->oldest + window)
		return;
	for (size_t i = 0; i < share->end; i++) {
		struct slot *slot = &share->slots[i];

		if (slot->kind == FREE)
			continue;
		if (slot->start + window <= now)
			close_slot(share, slot);
		else if (slot->start < oldest)
			oldest = slot->start;
	}
	share->oldest = oldest;
}

uint64_t share_next(const struct share *share, uint64_t window)
{
	return share->oldest == UINT64_MAX ? UINT64_MAX : share->oldest + window;
}

void share_flush(struct share *share)
{
	for (size_t i = 0; i < share->end; i++)
		if (share->slots[i].kind != FREE)
			close_slot(share, &share->slots[i]);
	share->oldest = UINT64_MAX;
}

size_t share_bytes(const struct share *share)
{
	return sizeof(*share);
}
