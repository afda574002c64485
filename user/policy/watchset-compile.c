// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Works the states off: for each, where every name leads.
 *
 * A state is a set of rests (watchset-states.c). For each literal name in it the next set is worked
 * out at once. All other names are told apart only by which globs of the state they match; so there
 * is one branch for each combination of globs that can match one name together and lead on to
 * directories. Globs that end a path need no branch: they are asked when a name is looked up.
 */
#include <string.h>

#include "policy/watchset-internal.h"

/* --- working off one state ---------------------------------------------------------------------
 */

static int compare_named(const void *a, const void *b, void *compiler)
{
	const struct rests *r = ((struct compiler *)compiler)->rests;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	uint32_t cx = r->rests[x].component, cy = r->rests[y].component;

	if (cx != cy)
		return cx < cy ? -1 : 1;
	return x < y ? -1 : x > y;
}

/* Sorts the state's rests by what their component is. */
static void make_groups(struct compiler *c)
{
	const struct origin *o = &c->origins[c->at];
	const struct rests *r = c->rests;
	size_t nr = 0;

	c->nr_deep = c->nr_wild = c->nr_literal = 0;
	for (size_t i = 0; i < o->nr; i++) {
		if (r->rests[o->rests[i]].kind == REST_DEEP)
			c->deep[c->nr_deep++] = o->rests[i];
		else
			c->named[nr++] = o->rests[i];
	}
	qsort_r(c->named, nr, sizeof(*c->named), compare_named, c);
	for (size_t i = 0, first = 0; i < nr; i++) {
		uint32_t component = r->rests[c->named[i]].component;
		struct group g = {component, first, i + 1 - first};

		if (i + 1 < nr && r->rests[c->named[i + 1]].component == component)
			continue;
		if (r->components[component].literal)
			c->literal[c->nr_literal++] = g;
		else
			c->wild[c->nr_wild++] = g;
		first = i + 1;
	}
}

/* Takes the group's rests one component further; finals are the caller's business. */
static void lead_on(struct compiler *c, const struct group *g)
{
	for (size_t i = 0; i < g->nr; i++) {
		const struct rest *r = &c->rests->rests[c->named[g->first + i]];

		if (c->rests->rests[r->next].kind != REST_END)
			next_add(c, r->next);
	}
}

static bool leads_on(const struct compiler *c, const struct group *g)
{
	for (size_t i = 0; i < g->nr; i++) {
		const struct rest *r = &c->rests->rests[c->named[g->first + i]];

		if (c->rests->rests[r->next].kind != REST_END)
			return true;
	}
	return false;
}

static int compare_finals(const void *a, const void *b)
{
	const struct final *x = a, *y = b;

	if (x->reject != y->reject)
		return x->reject ? 1 : -1;
	if (x->watch != y->watch)
		return x->watch < y->watch ? -1 : 1;
	return x->component < y->component ? -1 : x->component > y->component;
}

/* Appends the group's rests that end here. */
static int add_finals(struct compiler *c, const struct group *g, struct final **finals, size_t *nr)
{
	for (size_t i = 0; i < g->nr; i++) {
		const struct rest *r = &c->rests->rests[c->named[g->first + i]];

		if (c->rests->rests[r->next].kind != REST_END)
			continue;
		if (policy_grow(finals, *nr, sizeof(**finals)) < 0)
			return -ENOMEM;
		(*finals)[(*nr)++] = (struct final){g->component, r->watch, r->reject};
	}
	return 0;
}

static int make_finals(struct compiler *c)
{
	struct state *s = &c->set->states[c->at];

	for (size_t i = 0; i < c->nr_wild; i++)
		if (add_finals(c, &c->wild[i], &s->finals, &s->nr_finals) < 0)
			return -ENOMEM;
	if (s->nr_finals)
		qsort(s->finals, s->nr_finals, sizeof(*s->finals), compare_finals);
	return 0;
}

/* What the name, which is literal component g->component, leads to; globs included. */
static int literal_target(struct compiler *c, const struct group *g,
			  struct watch_target *out_target)
{
	const struct state *s = &c->set->states[c->at];
	const struct component *name = &c->rests->components[g->component];
	_cleanup_free_ struct final *finals = NULL;
	struct watch_target to = {0};
	size_t nr = 0;
	int err;

	for (size_t i = 0; i < s->nr_finals; i++) {
		err = policy_grow(&finals, nr, sizeof(*finals));
		if (err < 0)
			return err;
		finals[nr++] = s->finals[i];
	}
	err = add_finals(c, g, &finals, &nr);
	if (err < 0)
		return err;
	if (nr)
		qsort(finals, nr, sizeof(*finals), compare_finals);
	to.watch = finals_watch(c->rests, finals, nr, name->literal, name->literal_len);

	next_begin(c);
	for (size_t i = 0; i < c->nr_deep; i++)
		next_add(c, c->deep[i]);
	for (size_t i = 0; i < c->nr_wild; i++)
		if (component_matches(&c->rests->components[c->wild[i].component], name->literal,
				      name->literal_len))
			lead_on(c, &c->wild[i]);
	lead_on(c, g);
	err = next_state(c, name->key, &to.state);
	if (err == 0)
		*out_target = to;
	return err;
}

static int add_literal(struct compiler *c, const struct group *g)
{
	const struct component *name = &c->rests->components[g->component];
	struct watch_target to;
	struct state *s;
	int err = literal_target(c, g, &to);

	if (err < 0)
		return err;
	if (c->set->nr_literals == WATCHSET_LITERALS_MAX) {
		limit_error(c, "more names to look up than there is room for");
		return -E2BIG;
	}
	s = &c->set->states[c->at];
	if (policy_grow(&s->literals, s->nr_literals, sizeof(*s->literals)) < 0)
		return -ENOMEM;
	s->literals[s->nr_literals++] = (struct literal){name->literal, name->literal_len, to};
	c->set->nr_literals++;
	return 0;
}

/* The literal exclusions of entries whose globs may end a path here are names to look up too. */
static int add_excluded_names(struct compiler *c)
{
	const struct rests *r = c->rests;
	size_t nr_finals = c->set->states[c->at].nr_finals;

	for (size_t i = 0; i < nr_finals; i++) {
		/* The array of states moves as states are added. */
		const struct final *f = &c->set->states[c->at].finals[i];
		uint32_t end;

		if (f->reject || (i && f[-1].watch == f->watch))
			continue;
		end = r->first_exclude[f->watch + 1];
		for (uint32_t j = r->first_exclude[f->watch]; j < end; j++) {
			struct group none = {.component = r->excludes[j]};
			int err;

			if (!r->components[none.component].literal ||
			    state_literal(&c->set->states[c->at],
					  r->components[none.component].literal,
					  r->components[none.component].literal_len))
				continue;
			err = add_literal(c, &none);
			if (err < 0)
				return err;
			sort_literals(&c->set->states[c->at]);
		}
	}
	return 0;
}

static int make_literals(struct compiler *c)
{
	int err;

	for (size_t i = 0; i < c->nr_literal; i++) {
		err = add_literal(c, &c->literal[i]);
		if (err < 0)
			return err;
	}
	sort_literals(&c->set->states[c->at]);
	return add_excluded_names(c);
}

/* --- branches ----------------------------------------------------------------------------------
 */

static int add_branch(struct compiler *c, uint32_t mask)
{
	struct state *s = &c->set->states[c->at];
	const char *by = "*";
	uint32_t state;
	int err;

	next_begin(c);
	for (size_t i = 0; i < c->nr_deep; i++)
		next_add(c, c->deep[i]);
	for (size_t i = 0; i < c->nr_wild; i++) {
		const struct component *glob = &c->rests->components[c->wild[i].component];
		bool matches = glob->any;

		for (size_t bit = 0; bit < s->nr_leading; bit++)
			if (s->leading[bit] == c->wild[i].component && mask & 1u << bit) {
				matches = true;
				by = glob->key;
			}
		if (matches)
			lead_on(c, &c->wild[i]);
	}
	err = next_state(c, by, &state);
	if (err < 0)
		return err;
	s = &c->set->states[c->at];
	if (policy_grow(&s->branches, s->nr_branches, sizeof(*s->branches)) < 0)
		return -ENOMEM;
	s->branches[s->nr_branches++] = (struct branch){mask, state};
	return 0;
}

/*
 * May one name match the globs of the mask, and `bit` or not, and no other glob before `bit`? True
 * when in doubt.
 */
static bool possible(const struct compiler *c, uint32_t mask, size_t bit, bool matches)
{
	const struct state *s = &c->set->states[c->at];
	const struct component *glob = &c->rests->components[s->leading[bit]];

	for (size_t i = 0; i < bit; i++) {
		const struct component *other = &c->rests->components[s->leading[i]];
		bool also = mask & 1u << i;

		if (matches && also && !watch_globs_overlap(&glob->affixes, &other->affixes))
			return false;
		if (matches && !also && other->exact &&
		    watch_glob_covers(&other->affixes, &glob->affixes))
			return false;
		if (!matches && also && glob->exact &&
		    watch_glob_covers(&glob->affixes, &other->affixes))
			return false;
	}
	return true;
}

/* Bit by bit; what is impossible so far is not followed. */
static int add_branches(struct compiler *c, uint32_t mask, size_t bit)
{
	const struct state *s = &c->set->states[c->at];
	int err = 0;

	if (bit == s->nr_leading && s->nr_branches == STATE_BRANCHES_MAX) {
		limit_error(c, "too many ways in which one name can match several globs");
		return -E2BIG;
	}
	if (bit == s->nr_leading)
		return add_branch(c, mask);
	if (possible(c, mask, bit, false))
		err = add_branches(c, mask, bit + 1);
	if (err == 0 && possible(c, mask, bit, true))
		err = add_branches(c, mask | 1u << bit, bit + 1);
	return err;
}

static int compare_branches(const void *a, const void *b)
{
	const struct branch *x = a, *y = b;

	return x->mask < y->mask ? -1 : x->mask > y->mask;
}

static int make_branches(struct compiler *c)
{
	struct state *s = &c->set->states[c->at];
	int err;

	for (size_t i = 0; i < c->nr_wild; i++) {
		uint32_t component = c->wild[i].component;

		if (c->rests->components[component].any || !leads_on(c, &c->wild[i]))
			continue;
		if (s->nr_leading == STATE_GLOBS_MAX) {
			limit_error(c, "more than 24 globs lead on to directories");
			return -E2BIG;
		}
		if (policy_grow(&s->leading, s->nr_leading, sizeof(*s->leading)) < 0)
			return -ENOMEM;
		s->leading[s->nr_leading++] = component;
	}
	err = add_branches(c, 0, 0);
	if (err < 0)
		return err;
	s = &c->set->states[c->at];
	qsort(s->branches, s->nr_branches, sizeof(*s->branches), compare_branches);
	return 0;
}

/* --- whole -------------------------------------------------------------------------------------
 */

/* A literal that leads where its globs lead need not be looked up: so homes cost nothing each. */
static void drop_literals(struct compiler *c)
{
	struct state *s = &c->set->states[c->at];
	size_t kept = 0;

	for (size_t i = 0; i < s->nr_literals; i++) {
		const struct literal *l = &s->literals[i];
		struct watch_target exact = state_glob_step(c->set, s, l->name, l->len);
		struct watch_target kernel = kernel_glob_step(s->kernel, l->name, l->len);

		if (exact.state != l->to.state || exact.watch != l->to.watch ||
		    kernel.state != l->to.state || kernel.watch != l->to.watch)
			s->literals[kept++] = *l;
	}
	c->set->nr_literals -= s->nr_literals - kept;
	s->nr_literals = kept;
}

static int work_off(struct compiler *c)
{
	int err;

	make_groups(c);
	err = make_finals(c);
	if (err == 0)
		err = make_literals(c);
	if (err == 0)
		err = make_branches(c);
	if (err == 0)
		err = kernel_form(c);
	if (err == 0)
		drop_literals(c);
	return err;
}

static int compile(struct compiler *c)
{
	struct watchset *set = c->set;
	int err;

	c->at = UINT32_MAX;
	next_begin(c);
	for (size_t i = 0; i < c->rests->nr_roots; i++)
		next_add(c, c->rests->roots[i]);
	err = next_state(c, NULL, &set->root);
	for (c->at = 0; err == 0 && c->at < set->nr_states; c->at++)
		err = work_off(c);
	return err;
}

static int compiler_init(struct compiler *c)
{
	size_t nr = c->rests->nr + 1;

	c->next = calloc(nr, sizeof(*c->next));
	c->stamp = calloc(nr, sizeof(*c->stamp));
	c->deep = calloc(nr, sizeof(*c->deep));
	c->named = calloc(nr, sizeof(*c->named));
	c->wild = calloc(nr, sizeof(*c->wild));
	c->literal = calloc(nr, sizeof(*c->literal));
	c->seen = calloc(c->policy->nr_watches + 1, sizeof(*c->seen));
	return c->next && c->stamp && c->deep && c->named && c->wild && c->literal && c->seen
		       ? 0
		       : -ENOMEM;
}

static void compiler_fini(struct compiler *c)
{
	for (size_t i = 0; c->origins && i < c->set->nr_states; i++)
		free(c->origins[i].rests);
	free(c->origins);
	free(c->slots);
	free(c->next);
	free(c->stamp);
	free(c->deep);
	free(c->named);
	free(c->wild);
	free(c->literal);
	free(c->seen);
}

int watchset_compile(const struct policy *policy, const char *const *homes, size_t nr_homes,
		     uint32_t first_state, struct diag_list *diags, struct watchset **out_set)
{
	_cleanup_(watchset_freep) struct watchset *set = calloc(1, sizeof(*set));
	struct compiler c = {.policy = policy, .diags = diags, .set = set};
	int err;

	if (!set)
		return -ENOMEM;
	set->policy = policy;
	set->first = first_state;
	c.rests = &set->rests;
	err = rests_init(&set->rests, policy, homes, nr_homes, diags);
	if (err == 0)
		err = compiler_init(&c);
	if (err == 0)
		err = compile(&c);
	compiler_fini(&c);
	if (err < 0)
		return err;
	rests_trim(&set->rests);
	*out_set = take_ptr(set);
	return 0;
}
