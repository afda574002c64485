// SPDX-License-Identifier: GPL-2.0-or-later
/* A trail as JSON. Each name in here stands in docs/trail.md. */
#include "trail/render.h"

#include <errno.h>
#include <jansson.h>
#include <time.h>

struct object {
	json_t *json;
	bool failed;
};

static void put(struct object *o, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(o->json, name, value))
		o->failed = true;
}

static json_t *timestamp(uint64_t ns)
{
	const time_t seconds = (time_t)(ns / 1000000000);
	char date[32], full[64];
	struct tm tm;

	if (!ns || !gmtime_r(&seconds, &tm) ||
	    !strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm))
		return json_null();
	snprintf(full, sizeof(full), "%s.%09uZ", date, (unsigned)(ns % 1000000000));
	return json_string(full);
}

static json_t *id(uint32_t number)
{
	return number == UINT32_MAX ? json_null() : json_integer(number);
}

static void append(json_t *list, struct object *o, bool *failed)
{
	*failed |= o->failed || json_array_append_new(list, o->json);
}

static void put_digests(struct object *o, const struct digests *digests)
{
	json_t *contents;

	if (!digests->file[0])
		return;
	contents = json_array();
	put(o, "sha256", json_string(digests->file));
	for (uint32_t i = 0; i < digests->nr_content; i++)
		o->failed |= json_array_append_new(contents, json_string(digests->content[i])) != 0;
	put(o, "content_sha256", contents);
}

static json_t *nodes(const struct trail_view *view, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->nr_nodes; i++) {
		const struct trail_view_node *n = &view->nodes[i];
		struct object o = {json_object(), false};

		put(&o, "name", json_string(n->name));
		put(&o, "kind", json_string(n->kind ? trail_node_kind_str(n->kind) : ""));
		put(&o, "host", json_string(n->host));
		put(&o, "label", json_string(n->label));
		put(&o, "about", json_string(n->about));
		if (n->kind == TRAIL_PROCESS) {
			put(&o, "pid", json_integer(n->pid));
			put(&o, "uid", id(n->uid));
			put(&o, "user", json_string(n->user));
			put(&o, "loginuid", id(n->loginuid));
			put(&o, "login_user", json_string(n->login));
			put(&o, "unit", json_string(n->unit));
			put(&o, "container", json_string(n->container));
			put(&o, "ended", timestamp(n->ended_ns));
		}
		if (n->kind == TRAIL_DUMP || n->kind == TRAIL_FILE) {
			put(&o, "scan", json_string(trail_state_str(n->state)));
			put_digests(&o, &n->digests);
		}
		put(&o, "alerts", json_string(n->alerts));
		append(list, &o, failed);
	}
	return list;
}

static json_t *edges(const struct trail_view *view, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->nr_edges; i++) {
		const struct trail_view_edge *e = &view->edges[i];
		struct object o = {json_object(), false};

		put(&o, "kind", json_string(trail_edge_kind_str(e->kind)));
		put(&o, "evidence", json_string(trail_evidence_str(e->evidence)));
		put(&o, "rule", json_string(e->rule));
		put(&o, "key", json_string(view->nodes[e->key].name));
		put(&o, "from", json_string(view->nodes[e->from].name));
		put(&o, "to", json_string(view->nodes[e->to].name));
		put(&o, "detail", json_string(e->detail));
		put(&o, "first", timestamp(e->first_ns));
		put(&o, "last", timestamp(e->last_ns));
		put(&o, "count", json_integer((json_int_t)e->count));
		append(list, &o, failed);
	}
	return list;
}

static json_t *gaps(const struct trail_view *view, bool *failed)
{
	json_t *list = json_array();

	for (size_t i = 0; i < view->nr_gaps; i++) {
		const struct trail_view_gap *gap = &view->gaps[i];
		struct object o = {json_object(), false};

		put(&o, "host", json_string(gap->host));
		put(&o, "cause", json_string(gap->cause));
		put(&o, "from", timestamp(gap->from_ns));
		put(&o, "to", timestamp(gap->to_ns));
		put(&o, "count", json_integer((json_int_t)gap->count));
		append(list, &o, failed);
	}
	return list;
}

int trail_render_json(const struct trail_view *view, FILE *f)
{
	struct object o = {json_object(), false};
	json_t *keys = json_array();
	int r = -ENOMEM;

	for (size_t i = 0; i < view->nr_keys; i++)
		o.failed |=
			json_array_append_new(keys, json_string(view->nodes[view->keys[i]].name)) !=
			0;
	put(&o, "schema", json_integer(1));
	put(&o, "keys", keys);
	put(&o, "nodes", nodes(view, &o.failed));
	put(&o, "edges", edges(view, &o.failed));
	put(&o, "gaps", gaps(view, &o.failed));
	put(&o, "more", json_boolean(view->more));
	if (o.json && !o.failed)
		r = json_dumpf(o.json, f, JSON_INDENT(1) | JSON_PRESERVE_ORDER) ? -EIO : 0;
	if (r == 0)
		fputc('\n', f);
	json_decref(o.json);
	return r;
}
