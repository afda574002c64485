// SPDX-License-Identifier: GPL-2.0-or-later
/* Whose files the search for keys has named. */
#include "daemon/search-owners.h"

#include <errno.h>
#include <stdlib.h>

#define HASH_NONFATAL_OOM 1 /* hh.tbl is then NULL */
#include <uthash.h>

struct owner {
	uint32_t uid;
	uint32_t asks; /* in this search */
	uint64_t left_out;
	bool told;
	UT_hash_handle hh;
};

struct search_owners {
	struct owner *owners; /* hash by uid */
	struct owner others; /* for whom there is no room */
};

int search_owners_new(struct search_owners **out_owners)
{
	struct search_owners *o = calloc(1, sizeof(*o));

	if (!o)
		return -ENOMEM;
	*out_owners = o;
	return 0;
}

void search_owners_free(struct search_owners *o)
{
	struct owner *owner, *tmp;

	if (!o)
		return;
	HASH_ITER(hh, o->owners, owner, tmp)
	{
		HASH_DEL(o->owners, owner);
		free(owner);
	}
	free(o);
}

static struct owner *get(struct search_owners *o, uint32_t uid)
{
	struct owner *owner;

	HASH_FIND(hh, o->owners, &uid, sizeof(uid), owner);
	if (owner)
		return owner;
	owner = HASH_COUNT(o->owners) < SEARCH_OWNERS_MAX ? calloc(1, sizeof(*owner)) : NULL;
	if (!owner)
		return &o->others;
	owner->uid = uid;
	HASH_ADD(hh, o->owners, uid, sizeof(owner->uid), owner);
	if (!owner->hh.tbl) {
		free(owner);
		return &o->others;
	}
	return owner;
}

void search_owners_begin(struct search_owners *o, bool whole)
{
	struct owner *owner, *tmp;

	o->others.asks = 0;
	if (whole)
		o->others.left_out = 0;
	HASH_ITER(hh, o->owners, owner, tmp)
	{
		owner->asks = 0;
		if (whole)
			owner->left_out = 0;
		if (owner->left_out || owner->told)
			continue;
		HASH_DEL(o->owners, owner);
		free(owner);
	}
}

bool search_owners_ask(struct search_owners *o, uint32_t uid)
{
	struct owner *owner = get(o, uid);

	if (owner->asks == SEARCH_ASKS_MAX)
		return false;
	owner->asks++;
	return true;
}

bool search_owners_left_out(struct search_owners *o, uint32_t uid)
{
	struct owner *owner = get(o, uid);
	const bool news = !owner->told;

	owner->left_out++;
	owner->told = true;
	return news;
}

bool search_owners_over(struct search_owners *o)
{
	bool told = o->others.told, left = o->others.left_out;

	for (struct owner *owner = o->owners; owner; owner = owner->hh.next) {
		told |= owner->told;
		left |= owner->left_out != 0;
		owner->told &= owner->left_out != 0;
	}
	o->others.told &= o->others.left_out != 0;
	return told && !left;
}
