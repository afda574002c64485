// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A state as the kernel side knows it: a short list of prefix*suffix, of which the first that
 * matches decides.
 *
 * So one entry has to answer for all names that reach it. Of a glob of the policy it can be said
 * for such names that none matches it, that all do, or that some may. What is watched goes by
 * "may", what is excluded by "all do": the kernel side marks at least what the policy means, and
 * user space drops the rest. More telling entries come first; a name that an earlier entry catches
 * no longer counts for the later ones, which keeps `*` from meaning everything at once.
 */
#include <string.h>

#include "policy/watchset-internal.h"

#define CANDIDATES_MAX 64

struct entry {
	struct watch_glob glob;
	bool skip;
};

struct entries {
	struct entry e[CANDIDATES_MAX];
	size_t nr;
};

static bool same_affixes(const struct watch_glob *a, const struct watch_glob *b)
{
	return watch_glob_covers(a, b) && watch_glob_covers(b, a);
}

static bool same_target(const struct watch_target *a, const struct watch_target *b)
{
	return a->state == b->state && a->watch == b->watch;
}

static bool affixes_match(const struct watch_glob *g, const char *name, size_t len)
{
	return (size_t)g->prefix_len + g->suffix_len <= len &&
	       !memcmp(name, g->prefix, g->prefix_len) &&
	       !memcmp(name + len - g->suffix_len, g->suffix, g->suffix_len);
}

struct watch_target kernel_glob_step(const struct watch_state *kernel, const char *name, size_t len)
{
	for (size_t i = 0; kernel && i < kernel->nr_globs; i++)
		if (affixes_match(&kernel->globs[i], name, len))
			return kernel->globs[i].to;
	return (struct watch_target){0};
}

/* --- which entries -----------------------------------------------------------------------------
 */

static int add_entry(const struct compiler *c, struct entries *list,
		     const struct watch_glob *affixes)
{
	for (size_t i = 0; i < list->nr; i++)
		if (same_affixes(&list->e[i].glob, affixes))
			return 0;
	if (list->nr == CANDIDATES_MAX) {
		limit_error(c, "more than 16 globs in one directory");
		return -E2BIG;
	}
	list->e[list->nr] = (struct entry){.glob = *affixes};
	list->e[list->nr].glob.to = (struct watch_target){0};
	list->e[list->nr++].glob.flags = 0;
	return 0;
}

static size_t affix_len(const struct watch_glob *g)
{
	return (size_t)g->prefix_len + g->suffix_len;
}

/* Exclusions first, then what says more. The rest only makes the order the same every time. */
static int compare_entries(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;
	int order;

	if (x->skip != y->skip)
		return x->skip ? -1 : 1;
	if (affix_len(&x->glob) != affix_len(&y->glob))
		return affix_len(&x->glob) > affix_len(&y->glob) ? -1 : 1;
	if (x->glob.prefix_len != y->glob.prefix_len)
		return x->glob.prefix_len > y->glob.prefix_len ? -1 : 1;
	order = memcmp(x->glob.prefix, y->glob.prefix, x->glob.prefix_len);
	return order ? order : memcmp(x->glob.suffix, y->glob.suffix, x->glob.suffix_len);
}

/* --- what an entry leads to --------------------------------------------------------------------
 */

/* Some name of the component may reach entry i: it has the affixes, and no earlier entry takes it.
 */
static bool may_reach(const struct component *glob, const struct entries *list, size_t i)
{
	if (!watch_globs_overlap(&glob->affixes, &list->e[i].glob))
		return false;
	for (size_t j = 0; j < i; j++)
		if (watch_glob_covers(&list->e[j].glob, &glob->affixes))
			return false;
	return true;
}

static bool takes_all(const struct component *glob, const struct watch_glob *affixes)
{
	return glob->exact && watch_glob_covers(&glob->affixes, affixes);
}

/* An exclusion by name that holds for every name with these affixes. */
static bool surely_excluded(const struct rests *r, uint32_t watch, const struct watch_glob *affixes)
{
	for (uint32_t i = r->first_exclude[watch]; i < r->first_exclude[watch + 1]; i++) {
		const struct component *component = &r->components[r->excludes[i]];

		if (!component->literal && takes_all(component, affixes))
			return true;
	}
	return false;
}

static bool surely_rejected(const struct compiler *c, uint32_t watch,
			    const struct watch_glob *affixes)
{
	const struct state *s = &c->set->states[c->at];

	for (size_t i = s->nr_finals; i-- > 0 && s->finals[i].reject;)
		if (s->finals[i].watch == watch &&
		    takes_all(&c->rests->components[s->finals[i].component], affixes))
			return true;
	return surely_excluded(c->rests, watch, affixes);
}

/* *out_any: some entry would take such a file if nothing were excluded. */
static uint32_t entry_watch(const struct compiler *c, const struct entries *list, size_t i,
			    bool *out_any)
{
	const struct state *s = &c->set->states[c->at];

	*out_any = false;
	for (size_t j = 0; j < s->nr_finals && !s->finals[j].reject; j++) {
		const struct final *f = &s->finals[j];

		if (!may_reach(&c->rests->components[f->component], list, i))
			continue;
		*out_any = true;
		if (!surely_rejected(c, f->watch, &list->e[i].glob))
			return f->watch;
	}
	return 0;
}

static int entry_state(struct compiler *c, const struct entries *list, size_t i,
		       uint32_t *out_state)
{
	const struct rests *r = c->rests;
	const char *by = "*";

	next_begin(c);
	for (size_t d = 0; d < c->nr_deep; d++)
		next_add(c, c->deep[d]);
	for (size_t w = 0; w < c->nr_wild; w++) {
		const struct group *g = &c->wild[w];
		const struct component *glob = &r->components[g->component];
		bool may = may_reach(glob, list, i), all = takes_all(glob, &list->e[i].glob);

		for (size_t n = 0; n < g->nr; n++) {
			const struct rest *rest = &r->rests[c->named[g->first + n]];

			if (r->rests[rest->next].kind == REST_END || !(rest->reject ? all : may))
				continue;
			next_add(c, rest->next);
			by = glob->key;
		}
	}
	return next_state(c, by, out_state);
}

/* --- whole -------------------------------------------------------------------------------------
 */

/* Entries for the state's globs and, with_skips, for exclusions; in order, without targets. */
static int collect(struct compiler *c, bool with_skips, struct entries *list)
{
	static const struct watch_glob all;
	const struct rests *r = c->rests;
	const struct state *s = &c->set->states[c->at];
	struct entries alone = {.nr = 1};
	size_t nr_named;
	bool any;
	int err;

	for (size_t i = 0; i < c->nr_wild; i++) {
		err = add_entry(c, list, &r->components[c->wild[i].component].affixes);
		if (err < 0)
			return err;
	}
	if (c->nr_deep) {
		err = add_entry(c, list, &all);
		if (err < 0)
			return err;
	}
	nr_named = list->nr;
	for (size_t i = 0; with_skips && i < s->nr_finals && !s->finals[i].reject; i++) {
		uint32_t watch = s->finals[i].watch;

		for (uint32_t j = r->first_exclude[watch]; j < r->first_exclude[watch + 1]; j++) {
			const struct component *component = &r->components[r->excludes[j]];

			if (!component->literal && component->exact && list->nr < CANDIDATES_MAX)
				add_entry(c, list, &component->affixes);
		}
	}
	/* An entry for an exclusion is of use only where nothing else takes what it excludes. */
	for (size_t i = list->nr; i-- > 0;) {
		alone.e[0] = list->e[i];
		list->e[i].skip = !entry_watch(c, &alone, 0, &any) && any;
		if (i >= nr_named && !list->e[i].skip)
			list->e[i] = list->e[--list->nr];
	}
	if (list->nr)
		qsort(list->e, list->nr, sizeof(list->e[0]), compare_entries);
	return 0;
}

/* Is entry i of no use, because what follows says the same of its names? */
static bool redundant(const struct entries *list, size_t i)
{
	const struct watch_glob *g = &list->e[i].glob;

	for (size_t j = i + 1; j < list->nr; j++) {
		const struct watch_glob *later = &list->e[j].glob;

		if (!watch_globs_overlap(g, later))
			continue;
		if (!same_target(&g->to, &later->to))
			return false;
		if (watch_glob_covers(later, g))
			return true;
	}
	return !g->to.state && !g->to.watch;
}

static int fill(struct compiler *c, bool with_skips, struct entries *list)
{
	bool any;
	int err;

	list->nr = 0;
	err = collect(c, with_skips, list);
	if (err < 0)
		return err;
	for (size_t i = 0; i < list->nr; i++) {
		struct watch_glob *g = &list->e[i].glob;

		g->to.watch = entry_watch(c, list, i, &any);
		g->flags = list->e[i].skip ? WATCH_GLOB_SKIP : 0;
		err = entry_state(c, list, i, &g->to.state);
		if (err < 0)
			return err;
	}
	for (size_t i = list->nr; i-- > 0;) {
		if (!redundant(list, i))
			continue;
		memmove(&list->e[i], &list->e[i + 1], (list->nr - i - 1) * sizeof(list->e[0]));
		list->nr--;
	}
	return 0;
}

int kernel_form(struct compiler *c)
{
	struct entries list;
	struct watch_state *kernel;
	int err = fill(c, true, &list);

	/* Without its exclusions the kernel side marks more than is meant, which user space sorts
	 * out. */
	if (err == 0 && list.nr > WATCH_GLOBS_MAX)
		err = fill(c, false, &list);
	if (err == 0 && list.nr > WATCH_GLOBS_MAX) {
		limit_error(c, "more than 16 globs in one directory");
		err = -E2BIG;
	}
	if (err < 0 || list.nr == 0)
		return err;
	kernel = calloc(1, sizeof(*kernel));
	if (!kernel)
		return -ENOMEM;
	kernel->nr_globs = (uint32_t)list.nr;
	for (size_t i = 0; i < list.nr; i++)
		kernel->globs[i] = list.e[i].glob;
	c->set->states[c->at].kernel = kernel;
	return 0;
}
