// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Turns patterns and homes into rests.
 */
#include "policy/rests.h"

#include <string.h>

static uint64_t mix(uint64_t hash, uint64_t value)
{
	hash = (hash ^ value) * WATCH_HASH_PRIME;
	return hash ^ hash >> 29;
}

static uint64_t hash_text(bool literal, const char *text, size_t len)
{
	uint64_t hash = mix(WATCH_HASH_BASIS, literal);

	for (size_t i = 0; i < len; i++)
		hash = mix(hash, (unsigned char)text[i]);
	return hash;
}

/* Doubles a table of slots; `hash_of(r, i)` is the hash of element i, of which there are nr. */
static int rehash(struct rests *r, uint32_t **slots, size_t *nr_slots, size_t nr,
		  uint64_t (*hash_of)(const struct rests *, uint32_t))
{
	size_t size = *nr_slots ? *nr_slots * 2 : 64;
	uint32_t *bigger;

	if (nr * 2 < *nr_slots)
		return 0;
	bigger = calloc(size, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	for (uint32_t i = 0; i < nr; i++) {
		size_t slot = hash_of(r, i) & (size - 1);

		while (bigger[slot])
			slot = (slot + 1) & (size - 1);
		bigger[slot] = i + 1;
	}
	free(*slots);
	*slots = bigger;
	*nr_slots = size;
	return 0;
}

/* --- components --------------------------------------------------------------------------------
 */

static uint64_t component_hash(const struct rests *r, uint32_t i)
{
	const struct component *c = &r->components[i];

	if (c->literal)
		return hash_text(true, c->literal, c->literal_len);
	return hash_text(false, c->key, strlen(c->key));
}

static bool component_equal(const struct component *a, const struct component *b)
{
	if (!a->literal != !b->literal)
		return false;
	if (a->literal)
		return a->literal_len == b->literal_len &&
		       !memcmp(a->literal, b->literal, a->literal_len);
	return !strcmp(a->key, b->key);
}

static int intern_component(struct rests *r, const struct component *c, uint32_t *out_component)
{
	size_t slot;
	int err = rehash(r, &r->component_slots, &r->nr_component_slots, r->nr_components,
			 component_hash);

	if (err < 0 || (err = policy_grow(&r->components, r->nr_components, sizeof(*c))) < 0)
		return err;
	r->components[r->nr_components] = *c;
	slot = component_hash(r, (uint32_t)r->nr_components);
	for (;; slot++) {
		slot &= r->nr_component_slots - 1;
		if (!r->component_slots[slot])
			break;
		if (component_equal(&r->components[r->component_slots[slot] - 1], c)) {
			*out_component = r->component_slots[slot] - 1;
			return 0;
		}
	}
	*out_component = (uint32_t)r->nr_components++;
	r->component_slots[slot] = *out_component + 1;
	return 0;
}

static int glob_component(struct rests *r, const struct glob *glob, const char *text,
			  uint32_t *out_component)
{
	struct component c = {.glob = glob, .key = text, .any = glob_is_any(glob)};

	c.literal = glob_literal(glob, &c.literal_len);
	if (!c.literal)
		c.exact = glob_affixes(glob, &c.affixes);
	return intern_component(r, &c, out_component);
}

bool component_matches(const struct component *c, const char *name, size_t len)
{
	if (c->literal)
		return len == c->literal_len && !memcmp(c->literal, name, len);
	return c->any || glob_match(c->glob, name, len);
}

/* --- rests -------------------------------------------------------------------------------------
 */

static uint64_t rest_hash(const struct rests *r, uint32_t i)
{
	const struct rest *rest = &r->rests[i];
	uint64_t hash = mix(mix(WATCH_HASH_BASIS, rest->kind), rest->component);

	return mix(mix(mix(hash, rest->next), rest->watch), rest->reject);
}

static int intern_rest(struct rests *r, struct rest rest, uint32_t *out_rest)
{
	size_t slot;
	int err = rehash(r, &r->rest_slots, &r->nr_rest_slots, r->nr, rest_hash);

	if (err < 0 || (err = policy_grow(&r->rests, r->nr, sizeof(rest))) < 0)
		return err;
	if (rest.kind == REST_DEEP && rest.reject) {
		const struct rest *next = &r->rests[rest.next];

		rest.everything = next->kind == REST_NAME && r->components[next->component].any &&
				  r->rests[next->next].kind == REST_END;
	}
	r->rests[r->nr] = rest;
	slot = rest_hash(r, r->nr);
	for (;; slot++) {
		const struct rest *other;

		slot &= r->nr_rest_slots - 1;
		if (!r->rest_slots[slot])
			break;
		other = &r->rests[r->rest_slots[slot] - 1];
		if (other->kind == rest.kind && other->component == rest.component &&
		    other->next == rest.next && other->watch == rest.watch &&
		    other->reject == rest.reject) {
			*out_rest = r->rest_slots[slot] - 1;
			return 0;
		}
	}
	*out_rest = r->nr++;
	r->rest_slots[slot] = *out_rest + 1;
	return 0;
}

static int append(uint32_t **array, size_t *nr, uint32_t value)
{
	int err = policy_grow(array, *nr, sizeof(**array));

	if (err == 0)
		(*array)[(*nr)++] = value;
	return err;
}

/* Built from the end, so that equal ends meet. */
static int add_pattern(struct rests *r, const struct pattern *p, uint32_t watch, bool reject)
{
	struct rest rest = {.kind = REST_END, .watch = watch, .reject = reject};
	uint32_t next;
	int err = intern_rest(r, rest, &next);

	for (size_t i = p->nr; err == 0 && i-- > 0;) {
		rest.kind = p->components[i].deep ? REST_DEEP : REST_NAME;
		rest.next = next;
		rest.component = 0;
		if (!p->components[i].deep)
			err = glob_component(r, p->components[i].glob, p->components[i].text,
					     &rest.component);
		if (err == 0)
			err = intern_rest(r, rest, &next);
	}
	if (err < 0)
		return err;
	return p->start == PATTERN_HOME ? append(&r->home_rests, &r->nr_home_rests, next)
					: append(&r->roots, &r->nr_roots, next);
}

static int add_watch(struct rests *r, const struct watch_rule *rule, uint32_t watch,
		     size_t *nr_excludes)
{
	int err = 0;

	for (size_t i = 0; err == 0 && i < rule->nr_paths; i++)
		err = add_pattern(r, rule->paths[i], watch, false);
	for (size_t i = 0; err == 0 && i < rule->nr_excludes; i++) {
		const struct pattern *p = rule->excludes[i];
		uint32_t component;

		if (p->start != PATTERN_LAST) {
			err = add_pattern(r, p, watch, true);
			continue;
		}
		err = glob_component(r, p->components[0].glob, p->components[0].text, &component);
		if (err == 0)
			err = append(&r->excludes, nr_excludes, component);
	}
	return err;
}

/* --- homes -------------------------------------------------------------------------------------
 */

/* Components of a home, in place: NULs for slashes. Their number, 0 for `/`, -EINVAL. */
static int split_home(char *path, char *out_names[PATTERN_COMPONENTS_MAX])
{
	int nr = 0;

	if (*path != '/')
		return -EINVAL;
	for (char *save = NULL, *name = strtok_r(path, "/", &save); name;
	     name = strtok_r(NULL, "/", &save)) {
		if (!strcmp(name, ".") || !strcmp(name, "..") || strlen(name) > WATCH_NAME_MAX ||
		    nr == PATTERN_COMPONENTS_MAX)
			return -EINVAL;
		out_names[nr++] = name;
	}
	return nr;
}

/* The way down to a home; with `any`, to every directory beside it. */
static int add_way(struct rests *r, char *const *names, int nr, bool any)
{
	struct rest rest = {.kind = REST_HOMES};
	uint32_t next;
	int err = intern_rest(r, rest, &next);

	for (int i = nr; err == 0 && i-- > 0;) {
		rest = (struct rest){.kind = REST_NAME, .next = next};
		if (any && i == nr - 1) {
			err = glob_component(r, r->any, "*", &rest.component);
		} else {
			struct component c = {.literal = names[i], .key = names[i]};

			c.literal_len = strlen(names[i]);
			err = intern_component(r, &c, &rest.component);
		}
		if (err == 0)
			err = intern_rest(r, rest, &next);
	}
	return err < 0 ? err : append(&r->roots, &r->nr_roots, next);
}

/* 1 = added, 0 = refused with a warning. */
static int add_home(struct rests *r, const char *home, struct diag_list *diags)
{
	char *names[PATTERN_COMPONENTS_MAX];
	char *path;
	int nr, err;

	err = policy_grow(&r->names, r->nr_names, sizeof(*r->names));
	if (err < 0)
		return err;
	path = strdup(home);
	if (!path)
		return -ENOMEM;
	r->names[r->nr_names++] = path;
	nr = split_home(path, names);
	if (nr < 0) {
		diag_add(diags, DIAG_WARNING, NULL, 0, 0,
			 "home directory '%.128s' is no absolute path that a user can have: it is "
			 "not watched",
			 home);
		return 0;
	}
	/* What stands beside it would be all of `/`: there only the home itself is meant. */
	err = add_way(r, names, nr, nr > 1);
	return err < 0 ? err : 1;
}

/* Homes come by the thousand, their parents do not: of each parent one is enough. */
static int compare_homes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool same_parent(const char *a, const char *b)
{
	const char *end_a = strrchr(a, '/'), *end_b = strrchr(b, '/');

	if (!strcmp(a, b))
		return true;
	return end_a && end_b && end_a > a && end_a - a == end_b - b && end_a[1] && end_b[1] &&
	       !strncmp(a, b, (size_t)(end_a - a));
}

static int add_homes(struct rests *r, const char *const *homes, size_t nr, struct diag_list *diags)
{
	_cleanup_free_ const char **sorted = NULL;
	const char *last = NULL, *why;
	int err = glob_new("*", 1, &r->any, &why);

	if (err < 0 || nr == 0)
		return err;
	sorted = calloc(nr, sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	memcpy(sorted, homes, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), compare_homes);
	for (size_t i = 0; i < nr; i++) {
		if (last && same_parent(last, sorted[i]))
			continue;
		err = add_home(r, sorted[i], diags);
		if (err < 0)
			return err;
		if (err)
			last = sorted[i];
	}
	return 0;
}

/* --- whole -------------------------------------------------------------------------------------
 */

int rests_init(struct rests *r, const struct policy *policy, const char *const *homes,
	       size_t nr_homes, struct diag_list *diags)
{
	struct rest none = {.kind = REST_END, .watch = UINT32_MAX};
	size_t nr_excludes = 0;
	uint32_t number;
	int err;

	*r = (struct rests){0};
	r->first_exclude = calloc(policy->nr_watches + 2, sizeof(*r->first_exclude));
	if (!r->first_exclude)
		return -ENOMEM;
	err = intern_rest(r, none, &number); /* takes number 0 */
	for (size_t i = 0; err == 0 && i < policy->nr_watches; i++) {
		err = add_watch(r, &policy->watches[i], (uint32_t)i + 1, &nr_excludes);
		r->first_exclude[i + 2] = (uint32_t)nr_excludes;
	}
	if (err == 0 && r->nr_home_rests)
		err = add_homes(r, homes, nr_homes, diags);
	return err;
}

void rests_trim(struct rests *r)
{
	free(r->rests);
	free(r->roots);
	free(r->home_rests);
	free(r->component_slots);
	free(r->rest_slots);
	r->rests = NULL;
	r->roots = r->home_rests = r->component_slots = r->rest_slots = NULL;
}

void rests_fini(struct rests *r)
{
	rests_trim(r);
	free(r->components);
	free(r->excludes);
	free(r->first_exclude);
	glob_free(r->any);
	for (size_t i = 0; i < r->nr_names; i++)
		free(r->names[i]);
	free(r->names);
	*r = (struct rests){0};
}
