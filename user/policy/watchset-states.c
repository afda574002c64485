// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Collects sets of rests and numbers them: equal sets are one state. With rests as places in the
 * patterns this is the subset construction.
 */
#include <string.h>

#include "policy/watchset-internal.h"

/* --- collecting the next set -------------------------------------------------------------------
 */

void next_begin(struct compiler *c)
{
	c->nr_next = 0;
	c->epoch++;
}

void next_add(struct compiler *c, uint32_t rest)
{
	const struct rest *r = &c->rests->rests[rest];

	if (c->stamp[rest] == c->epoch)
		return;
	c->stamp[rest] = c->epoch;
	if (r->kind == REST_HOMES) {
		for (size_t i = 0; i < c->rests->nr_home_rests; i++)
			next_add(c, c->rests->home_rests[i]);
		return;
	}
	c->next[c->nr_next++] = rest;
	if (r->kind == REST_DEEP)
		next_add(c, r->next);
}

#define SEEN_ACCEPT	1
#define SEEN_EVERYTHING 2

/* Drops what cannot change any answer: so that fewer states differ, and dead ends are empty. */
static void prune(struct compiler *c)
{
	size_t kept = 0;
	bool homes = false;

	memset(c->seen, 0, c->policy->nr_watches + 1);
	for (size_t i = 0; i < c->nr_next; i++) {
		const struct rest *r = &c->rests->rests[c->next[i]];

		if (!r->watch)
			homes = true;
		else if (!r->reject)
			c->seen[r->watch] |= SEEN_ACCEPT;
		else if (r->everything)
			c->seen[r->watch] |= SEEN_EVERYTHING;
	}
	for (size_t i = 0; i < c->nr_next; i++) {
		const struct rest *r = &c->rests->rests[c->next[i]];
		bool all_excluded = c->seen[r->watch] & SEEN_EVERYTHING;
		bool nothing_to_exclude = r->reject && !(c->seen[r->watch] & SEEN_ACCEPT);

		/* On the way to a home it is not known yet what there will be to exclude. */
		if (homes || (!all_excluded && !nothing_to_exclude))
			c->next[kept++] = c->next[i];
	}
	c->nr_next = kept;
}

static int compare_u32(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static uint64_t hash_set(const uint32_t *set, size_t nr)
{
	uint64_t hash = WATCH_HASH_BASIS;

	for (size_t i = 0; i < nr; i++)
		hash = (hash ^ set[i]) * WATCH_HASH_PRIME;
	return hash ^ hash >> 32;
}

static int grow_slots(struct compiler *c)
{
	size_t size = c->nr_slots ? c->nr_slots * 2 : 64;
	uint32_t *slots;

	if (c->set->nr_states * 2 < c->nr_slots)
		return 0;
	slots = calloc(size, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (size_t i = 0; i < c->set->nr_states; i++) {
		size_t slot = c->origins[i].hash & (size - 1);

		while (slots[slot])
			slot = (slot + 1) & (size - 1);
		slots[slot] = (uint32_t)i + 1;
	}
	free(c->slots);
	c->slots = slots;
	c->nr_slots = size;
	return 0;
}

static int add_state(struct compiler *c, uint64_t hash, const char *by)
{
	struct watchset *set = c->set;
	uint32_t *copy;

	if (set->nr_states == WATCHSET_STATES_MAX) {
		limit_error(c, "more directories to tell apart than there are states");
		return -E2BIG;
	}
	if (policy_grow(&set->states, set->nr_states, sizeof(*set->states)) < 0 ||
	    policy_grow(&c->origins, set->nr_states, sizeof(*c->origins)) < 0)
		return -ENOMEM;
	copy = malloc(c->nr_next * sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	memcpy(copy, c->next, c->nr_next * sizeof(*copy));
	set->states[set->nr_states] = (struct state){0};
	c->origins[set->nr_states] = (struct origin){
		.rests = copy, .nr = c->nr_next, .hash = hash, .from = c->at, .by = by};
	set->nr_states++;
	return 0;
}

int next_state(struct compiler *c, const char *by, uint32_t *out_state)
{
	uint64_t hash;
	size_t slot;
	int err;

	prune(c);
	if (c->nr_next == 0) {
		*out_state = 0;
		return 0;
	}
	err = grow_slots(c);
	if (err < 0)
		return err;
	qsort(c->next, c->nr_next, sizeof(*c->next), compare_u32);
	hash = hash_set(c->next, c->nr_next);
	for (slot = hash & (c->nr_slots - 1); c->slots[slot];
	     slot = (slot + 1) & (c->nr_slots - 1)) {
		const struct origin *o = &c->origins[c->slots[slot] - 1];

		if (o->hash == hash && o->nr == c->nr_next &&
		    !memcmp(o->rests, c->next, c->nr_next * sizeof(*c->next))) {
			*out_state = c->set->first + c->slots[slot] - 1;
			return 0;
		}
	}
	err = add_state(c, hash, by);
	if (err < 0)
		return err;
	c->slots[slot] = (uint32_t)c->set->nr_states;
	*out_state = c->set->first + (uint32_t)c->set->nr_states - 1;
	return 0;
}

void limit_error(const struct compiler *c, const char *what)
{
	const char *names[PATTERN_COMPONENTS_MAX];
	const struct watch_rule *watch = NULL;
	char path[512] = "/";
	size_t nr = 0, len = 0;

	for (uint32_t i = c->at; i < c->set->nr_states && c->origins[i].by; i = c->origins[i].from)
		if (nr < ARRAY_SIZE(names))
			names[nr++] = c->origins[i].by;
	while (nr-- > 0 && len < sizeof(path))
		len += (size_t)snprintf(path + len, sizeof(path) - len, "/%s", names[nr]);
	if (c->at < c->set->nr_states) {
		const struct origin *o = &c->origins[c->at];

		for (size_t i = 0; i < o->nr; i++) {
			uint32_t w = c->rests->rests[o->rests[i]].watch;

			if (w && (!watch || &c->policy->watches[w - 1] > watch))
				watch = &c->policy->watches[w - 1];
		}
	}
	diag_add(c->diags, DIAG_ERROR, watch ? watch->place.file : NULL,
		 watch ? watch->place.line : 0, watch ? watch->place.column : 0,
		 "%s, in %s (watch entry '%s' and others before it)", what, path,
		 watch ? watch->entry.name : "?");
}
