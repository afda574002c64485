// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Asking a compiled set of watched names.
 */
#include "policy/watchset.h"

#include <string.h>
#include <sys/stat.h>

#include "policy/watchset-internal.h"

void watchset_free(struct watchset *set)
{
	if (!set)
		return;
	for (size_t i = 0; i < set->nr_states; i++) {
		struct state *s = &set->states[i];

		free(s->kernel);
		free(s->literals);
		free(s->finals);
		free(s->leading);
		free(s->branches);
	}
	free(set->states);
	rests_fini(&set->rests);
	free(set);
}

uint32_t watchset_root(const struct watchset *set)
{
	return set->root;
}

uint32_t watchset_first(const struct watchset *set)
{
	return set->first;
}

uint32_t watchset_nr_states(const struct watchset *set)
{
	return (uint32_t)set->nr_states;
}

static const struct state *find_state(const struct watchset *set, uint32_t state)
{
	if (state < set->first || state - set->first >= set->nr_states)
		return NULL;
	return &set->states[state - set->first];
}

const struct watch_state *watchset_state(const struct watchset *set, uint32_t state)
{
	static const struct watch_state no_globs;
	const struct state *s = find_state(set, state);

	if (!s)
		return NULL;
	return s->kernel ? s->kernel : &no_globs;
}

bool watchset_literal(const struct watchset *set, uint32_t state, size_t i, const char **out_name,
		      struct watch_target *out_target)
{
	const struct state *s = find_state(set, state);

	if (!s || i >= s->nr_literals)
		return false;
	*out_name = s->literals[i].name;
	*out_target = s->literals[i].to;
	return true;
}

bool watchset_has_globs(const struct watchset *set, uint32_t state)
{
	const struct state *s = find_state(set, state);

	return s && s->kernel;
}

uint64_t watch_name_hash(const char *name, size_t len)
{
	uint64_t hash = WATCH_HASH_BASIS;

	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (unsigned char)name[i]) * WATCH_HASH_PRIME;
	return hash;
}

/* --- steps -------------------------------------------------------------------------------------
 */

static int compare_name(const char *a, size_t len_a, const char *b, size_t len_b)
{
	if (len_a != len_b)
		return len_a < len_b ? -1 : 1;
	return memcmp(a, b, len_a);
}

static int compare_literals(const void *a, const void *b)
{
	const struct literal *x = a, *y = b;

	return compare_name(x->name, x->len, y->name, y->len);
}

void sort_literals(struct state *state)
{
	if (state->nr_literals)
		qsort(state->literals, state->nr_literals, sizeof(*state->literals),
		      compare_literals);
}

const struct literal *state_literal(const struct state *state, const char *name, size_t len)
{
	size_t low = 0, high = state->nr_literals;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct literal *l = &state->literals[middle];
		int order = compare_name(l->name, l->len, name, len);

		if (order == 0)
			return l;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

/* The policy excludes the name itself, whatever the path. */
static bool is_excluded(const struct rests *rests, uint32_t watch, const char *name, size_t len)
{
	for (uint32_t i = rests->first_exclude[watch]; i < rests->first_exclude[watch + 1]; i++)
		if (component_matches(&rests->components[rests->excludes[i]], name, len))
			return true;
	return false;
}

static bool is_rejected(const struct rests *rests, const struct final *finals, size_t nr,
			uint32_t watch, const char *name, size_t len)
{
	while (nr-- > 0 && finals[nr].reject)
		if (finals[nr].watch == watch &&
		    component_matches(&rests->components[finals[nr].component], name, len))
			return true;
	return is_excluded(rests, watch, name, len);
}

uint32_t finals_watch(const struct rests *rests, const struct final *finals, size_t nr,
		      const char *name, size_t len)
{
	for (size_t i = 0; i < nr && !finals[i].reject; i++)
		if (component_matches(&rests->components[finals[i].component], name, len) &&
		    !is_rejected(rests, finals, nr, finals[i].watch, name, len))
			return finals[i].watch;
	return 0;
}

struct watch_target state_glob_step(const struct watchset *set, const struct state *s,
				    const char *name, size_t len)
{
	struct watch_target to = {0};
	size_t low = 0, high = s->nr_branches;
	uint32_t mask = 0;

	for (size_t i = 0; i < s->nr_leading; i++)
		if (component_matches(&set->rests.components[s->leading[i]], name, len))
			mask |= 1u << i;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (s->branches[middle].mask == mask) {
			to.state = s->branches[middle].state;
			break;
		}
		if (s->branches[middle].mask < mask)
			low = middle + 1;
		else
			high = middle;
	}
	to.watch = finals_watch(&set->rests, s->finals, s->nr_finals, name, len);
	return to;
}

struct watch_target watchset_step(const struct watchset *set, uint32_t state, struct span name)
{
	const struct state *s = find_state(set, state);
	const struct literal *l;

	if (!s || name.len == 0 || name.len > WATCH_NAME_MAX)
		return (struct watch_target){0};
	l = state_literal(s, name.p, name.len);
	return l ? l->to : state_glob_step(set, s, name.p, name.len);
}

struct watch_target watchset_kernel_target(const struct watchset *set, struct watch_target target)
{
	const struct watch_entry *entry = policy_watch(set->policy, target.watch);

	if (entry && object_class_holds_keys(entry->object_class))
		target.watch |= WATCH_KEY;
	if (entry && entry->object_class == CLASS_AGENT_SOCKET)
		target.watch |= WATCH_SOCKET;
	if (entry && entry->on & 1U << ACTION_SEND)
		target.watch |= WATCH_SEND;
	return target;
}

bool watchset_wants(const struct watchset *set, uint32_t watch, uint32_t mode)
{
	const struct watch_entry *entry = policy_watch(set->policy, watch);

	if (!entry)
		return false;
	return entry->object_class == CLASS_AGENT_SOCKET ? S_ISSOCK(mode) : S_ISREG(mode);
}

struct watch_state watchset_kernel_state(const struct watchset *set, uint32_t state)
{
	const struct watch_state *kernel = watchset_state(set, state);
	struct watch_state copy = {0};

	if (kernel)
		copy = *kernel;
	for (uint32_t i = 0; i < copy.nr_globs; i++)
		copy.globs[i].to = watchset_kernel_target(set, copy.globs[i].to);
	return copy;
}

uint32_t watchset_match(const struct watchset *set, struct span path)
{
	struct watch_target at = {.state = set->root};
	const char *p = path.p, *end = p + path.len;

	if (path.len == 0 || *p != '/' || end[-1] == '/')
		return 0;
	while (p < end && at.state) {
		const char *slash;

		p++;
		slash = memchr(p, '/', (size_t)(end - p));
		if (!slash)
			slash = end;
		if (slash == p) /* `//` is `/` */
			continue;
		at = watchset_step(set, at.state, (struct span){p, (size_t)(slash - p)});
		p = slash;
	}
	return p == end ? at.watch : 0;
}
