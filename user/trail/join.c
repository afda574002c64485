// SPDX-License-Identifier: GPL-2.0-or-later
/* Views put together: by names, then by digests. */
#include "trail/join.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"

#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#define CONTENTS_MAX 1024 /* files with digests that are compared, each with each */

/* --- by names ------------------------------------------------------------------------------------
 */

struct named {
	const char *name;
	size_t index;
	UT_hash_handle hh;
};

static void forget_named(struct named **table)
{
	struct named *n, *next;

	HASH_ITER(hh, *table, n, next)
	{
		HASH_DEL(*table, n);
		free(n);
	}
}

static int add_named(struct named **table, const char *name, size_t index)
{
	struct named *n = calloc(1, sizeof(*n));

	if (!n)
		return -ENOMEM;
	n->name = name;
	n->index = index;
	HASH_ADD_KEYPTR(hh, *table, n->name, strlen(n->name), n);
	if (!n->hh.tbl) {
		free(n);
		return -ENOMEM;
	}
	return 0;
}

static int grow(void *items, size_t nr, size_t more, size_t size)
{
	void **at = items, *to = reallocarray(*at, nr + more + 1, size);

	if (!to)
		return -ENOMEM;
	*at = to;
	return 0;
}

/* Moves a string; the other one is left without. */
#define MOVE_IF_EMPTY(to, from)              \
	do {                                 \
		if (!(to)[0] && (from)[0]) { \
			char *swap_ = (to);  \
			(to) = (from);       \
			(from) = swap_;      \
		}                            \
	} while (0)

static void enrich(struct trail_view_node *to, struct trail_view_node *from)
{
	MOVE_IF_EMPTY(to->label, from->label);
	MOVE_IF_EMPTY(to->about, from->about);
	MOVE_IF_EMPTY(to->alerts, from->alerts);
	if (!to->kind)
		to->kind = from->kind;
	if (!to->digests.file[0])
		to->digests = from->digests;
}

static bool has_key(const struct trail_view *view, size_t key)
{
	for (size_t i = 0; i < view->nr_keys; i++)
		if (view->keys[i] == key)
			return true;
	return false;
}

/* What `from` has goes over into `to`; map: where its nodes are there. */
static int move_all(struct trail_view *to, struct trail_view *from, struct named **table,
		    size_t *map)
{
	int r = 0;

	for (size_t i = 0; i < to->nr_nodes && r == 0; i++)
		r = add_named(table, to->nodes[i].name, i);
	for (size_t i = 0; i < from->nr_nodes && r == 0; i++) {
		struct named *known = NULL;
		const char *name = from->nodes[i].name;

		HASH_FIND(hh, *table, name, strlen(name), known);
		if (known) {
			map[i] = known->index;
			enrich(&to->nodes[known->index], &from->nodes[i]);
			continue;
		}
		map[i] = to->nr_nodes;
		to->nodes[to->nr_nodes++] = from->nodes[i];
		from->nodes[i] = (struct trail_view_node){0};
		r = add_named(table, to->nodes[map[i]].name, map[i]);
	}
	if (r < 0)
		return r;
	for (size_t i = 0; i < from->nr_edges; i++) {
		struct trail_view_edge *e = &to->edges[to->nr_edges++];

		*e = from->edges[i];
		e->key = map[e->key];
		e->from = map[e->from];
		e->to = map[e->to];
	}
	if (from->nr_gaps)
		memcpy(&to->gaps[to->nr_gaps], from->gaps, from->nr_gaps * sizeof(*from->gaps));
	to->nr_gaps += from->nr_gaps;
	for (size_t i = 0; i < from->nr_keys; i++)
		if (!has_key(to, map[from->keys[i]]))
			to->keys[to->nr_keys++] = map[from->keys[i]];
	to->more |= from->more;
	from->nr_edges = from->nr_gaps = from->nr_keys = 0;
	return 0;
}

/* `from` is used up, also where this fails. */
static int merge(struct trail_view *to, struct trail_view *from)
{
	_cleanup_free_ size_t *map = calloc(from->nr_nodes + 1, sizeof(*map));
	struct named *table = NULL;
	int r = map ? 0 : -ENOMEM;

	if (r == 0)
		r = grow(&to->nodes, to->nr_nodes, from->nr_nodes, sizeof(*to->nodes));
	if (r == 0)
		r = grow(&to->edges, to->nr_edges, from->nr_edges, sizeof(*to->edges));
	if (r == 0)
		r = grow(&to->gaps, to->nr_gaps, from->nr_gaps, sizeof(*to->gaps));
	if (r == 0)
		r = grow(&to->keys, to->nr_keys, from->nr_keys, sizeof(*to->keys));
	if (r == 0)
		r = move_all(to, from, &table, map);
	forget_named(&table);
	trail_view_fini(from);
	return r;
}

static int add_view(struct trail_store *store, const char *what, uint64_t max_edges,
		    struct trail_view *view)
{
	struct trail_view more = {0};
	int r = trail_store_view(store, what, max_edges, &more);

	return r < 0 ? r : merge(view, &more);
}

static bool knows(const struct trail_view *view, const char *key)
{
	for (size_t i = 0; i < view->nr_keys; i++)
		if (!strcmp(view->nodes[view->keys[i]].name, key))
			return true;
	return false;
}

/* The keys that `from` shows and `to` does not, out of its store. */
static int add_keys(struct trail_store *store, const struct trail_view *from, uint64_t max_edges,
		    struct trail_view *to)
{
	for (size_t i = 0; i < from->nr_keys; i++) {
		const char *key = from->nodes[from->keys[i]].name;
		int r = strncmp(key, "key/", 4) != 0 || knows(to, key)
				? 0
				: add_view(store, key, max_edges, to);

		if (r < 0 && r != -ENOENT)
			return r;
	}
	return 0;
}

int trail_join_view(struct trail_store *a, struct trail_store *b, const char *what,
		    uint64_t max_edges, struct trail_view *out_view)
{
	struct trail_view view_a = {0}, view_b = {0};
	int in_a = a ? trail_store_view(a, what, max_edges, &view_a) : -ENOENT;
	int in_b = b ? trail_store_view(b, what, max_edges, &view_b) : -ENOENT;
	int r = in_a < 0 && in_a != -ENOENT ? in_a : in_b < 0 && in_b != -ENOENT ? in_b : 0;

	if (r == 0 && in_a < 0 && in_b < 0)
		r = -ENOENT;
	if (r == 0 && b)
		r = add_keys(b, &view_a, max_edges, &view_b);
	if (r == 0 && a)
		r = add_keys(a, &view_b, max_edges, &view_a);
	if (r == 0)
		r = merge(&view_a, &view_b);
	if (r == 0)
		r = trail_join_contents(&view_a);
	if (r < 0) {
		trail_view_fini(&view_a);
		trail_view_fini(&view_b);
		return r;
	}
	*out_view = view_a;
	return 0;
}

/* --- by contents ---------------------------------------------------------------------------------
 */

struct content {
	size_t node;
	uint64_t since_ns; /* the first that is known of it */
};

static int by_since(const void *a, const void *b)
{
	const struct content *x = a, *y = b;

	if (x->since_ns != y->since_ns)
		return x->since_ns < y->since_ns ? -1 : 1;
	return x->node < y->node ? -1 : x->node > y->node;
}

static const char *digest_at(const struct digests *d, uint32_t i)
{
	return i == 0 ? d->file : d->content[i - 1];
}

/* The one that both have; NULL: none. */
static const char *common(const struct digests *a, const struct digests *b)
{
	if (!a->file[0] || !b->file[0])
		return NULL;
	for (uint32_t i = 0; i <= a->nr_content; i++)
		for (uint32_t k = 0; k <= b->nr_content; k++)
			if (!strcmp(digest_at(a, i), digest_at(b, k)))
				return digest_at(a, i);
	return NULL;
}

static uint64_t known_since(const struct trail_view *view, size_t node)
{
	uint64_t since = UINT64_MAX;

	for (size_t i = 0; i < view->nr_edges; i++)
		if ((view->edges[i].from == node || view->edges[i].to == node) &&
		    view->edges[i].first_ns < since)
			since = view->edges[i].first_ns;
	return since;
}

/* When the key and the file were first seen together; UINT64_MAX: never. */
static uint64_t had_key(const struct trail_view *view, size_t node, size_t key)
{
	uint64_t since = UINT64_MAX;

	for (size_t i = 0; i < view->nr_edges; i++) {
		const struct trail_view_edge *e = &view->edges[i];

		if (e->key == key && (e->from == node || e->to == node) && e->first_ns < since)
			since = e->first_ns;
	}
	return since;
}

static int add_same(struct trail_view *view, size_t key, const struct content *earlier,
		    const struct content *later, const char *digest)
{
	struct trail_view_edge *e;
	int r = grow(&view->edges, view->nr_edges, 1, sizeof(*view->edges));

	if (r < 0)
		return r;
	e = &view->edges[view->nr_edges];
	*e = (struct trail_view_edge){
		.kind = TRAIL_SAME,
		.evidence = TRAIL_INFERRED,
		.key = key,
		.from = earlier->node,
		.to = later->node,
		.first_ns = later->since_ns,
		.last_ns = later->since_ns,
		.count = 1,
		.rule = strdup("same-content"),
	};
	view->nr_edges++;
	if (asprintf(&e->detail, "SHA-256 %.16s...", digest) < 0)
		e->detail = NULL;
	return e->rule && e->detail ? 0 : -ENOMEM;
}

int trail_join_contents(struct trail_view *view)
{
	_cleanup_free_ struct content *contents = calloc(CONTENTS_MAX, sizeof(*contents));
	size_t nr = 0;
	int r = contents ? 0 : -ENOMEM;

	for (size_t i = 0; i < view->nr_nodes && r == 0 && nr < CONTENTS_MAX; i++)
		if (view->nodes[i].digests.file[0])
			contents[nr++] = (struct content){i, known_since(view, i)};
	if (nr > 1)
		qsort(contents, nr, sizeof(*contents), by_since);
	for (size_t i = 1; i < nr && r == 0; i++) {
		const struct content *first = NULL;
		const char *digest = NULL;

		for (size_t k = 0; k < i && !digest; k++) {
			digest = common(&view->nodes[contents[i].node].digests,
					&view->nodes[contents[k].node].digests);
			first = &contents[k];
		}
		for (size_t k = 0; digest && k < view->nr_keys && r == 0; k++)
			if (had_key(view, first->node, view->keys[k]) != UINT64_MAX &&
			    had_key(view, contents[i].node, view->keys[k]) != UINT64_MAX)
				r = add_same(view, view->keys[k], first, &contents[i], digest);
	}
	trail_view_sort(view);
	return r;
}
