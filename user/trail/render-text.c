// SPDX-License-Identifier: GPL-2.0-or-later
/* A trail as a tree of sentences. */
#include "trail/render.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"

#define DEPTH_SHOWN 20 /* what is deeper is not moved further to the right */
#define DEPTH_MAX   200 /* nor is it followed further */

struct tree {
	const struct trail_view *view;
	FILE *f;
	size_t key;
	bool *expanded; /* of nodes: what follows from them is told */
	bool *told; /* of edges */
	bool hosts; /* there are several */
};

static void put_time(FILE *f, uint64_t ns)
{
	const time_t seconds = (time_t)(ns / 1000000000);
	char text[32];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		fputs(text, f);
	else
		fputs("                  ?", f);
}

static const char *basename_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

static void put_user(FILE *f, const char *name, uint32_t uid)
{
	if (name[0])
		fputs(name, f);
	else
		fprintf(f, "%" PRIu32, uid);
}

static void put_process(const struct tree *t, const struct trail_view_node *n)
{
	FILE *f = t->f;

	if (!n->pid) { /* only named, never told */
		const char *pid = strrchr(n->name, '/');

		fprintf(f, "a process of which nothing is known (pid %.*s)",
			(int)strcspn(pid ? pid + 1 : n->name, "."), pid ? pid + 1 : n->name);
		return;
	}
	fprintf(f, "%s (pid %" PRIu32, n->label[0] ? basename_of(n->label) : "?", n->pid);
	if (n->uid != UINT32_MAX) {
		fputs(", user ", f);
		put_user(f, n->user, n->uid);
	}
	if (n->loginuid != UINT32_MAX && n->loginuid != n->uid) {
		fputs(", logged in as ", f);
		put_user(f, n->login, n->loginuid);
	}
	if (n->unit[0])
		fprintf(f, ", unit %s", n->unit);
	if (n->container[0])
		fprintf(f, ", container %s", n->container);
	fputc(')', f);
}

static void put_node(const struct tree *t, const struct trail_view_node *n)
{
	if (n->kind == TRAIL_PROCESS || !n->label[0])
		put_process(t, n);
	else
		fputs(n->label, t->f);
	if (t->hosts && n->host[0])
		fprintf(t->f, " on %s", n->host);
}

static void put_how(FILE *f, const struct trail_view_edge *e)
{
	if (e->detail[0])
		fprintf(f, " (%s)", e->detail);
}

static void put_deed(const struct tree *t, const struct trail_view_edge *e)
{
	static const char *const verbs[TRAIL_EDGE_NR] = {
		[TRAIL_HOLDS] = "kept in ",
		[TRAIL_READ] = "read by ",
		[TRAIL_INHERITED] = "inherited by ",
		[TRAIL_MEMORY_READ] = "its memory could be read by ",
		[TRAIL_CRASHED_INTO] = "crashed into ",
		[TRAIL_WROTE] = "wrote ",
		[TRAIL_FOUND_IN] = "found in ",
		[TRAIL_DUMP_READ] = "read by ",
		[TRAIL_SENT] = "talked to ",
		[TRAIL_SAME] = "the same content is in ",
		[TRAIL_SHARED] = "may have handed it to ",
	};
	const struct trail_view_node *to = &t->view->nodes[e->to];

	if (e->kind == TRAIL_RENAMED) {
		fprintf(t->f, "renamed; it was %s", e->detail[0] ? e->detail : "?");
		return;
	}
	if (e->kind == TRAIL_CRASHED_INTO && to->kind == TRAIL_PROCESS)
		fputs("crashed, and its memory was handed to ", t->f);
	else
		fputs((unsigned)e->kind < TRAIL_EDGE_NR && verbs[e->kind] ? verbs[e->kind] : "? ",
		      t->f);
	put_node(t, to);
	put_how(t->f, e);
	if (e->count > 1) {
		fprintf(t->f, ", %" PRIu64 " times, last ", e->count);
		put_time(t->f, e->last_ns);
	}
	if (e->rule[0])
		fprintf(t->f, ": %s [%s]", trail_rule_text(e->rule), e->rule);
}

static void put_head(const struct tree *t, uint64_t ns, const char *evidence, unsigned depth)
{
	put_time(t->f, ns);
	fprintf(t->f, "  %-9s  %*s", evidence, 2 * (int)(depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN),
		"");
}

/* What else there is to say of where an edge leads. */
static void put_notes(const struct tree *t, const struct trail_view_edge *e, unsigned depth)
{
	static const char *const states[TRAIL_STATE_NR] = {
		[TRAIL_CLEAN] = "scanned: no key was found in it",
		[TRAIL_INCOMPLETE] = "scanned in part: no key was found",
	};
	const struct trail_view_node *n = &t->view->nodes[e->to];
	const int column = 19 + 2 + 9 + 2 + 2 * (int)(depth < DEPTH_SHOWN ? depth : DEPTH_SHOWN);

	if ((unsigned)n->state < TRAIL_STATE_NR && states[n->state])
		fprintf(t->f, "%*s= %s\n", column, "", states[n->state]);
	if (n->alerts[0])
		fprintf(t->f, "%*s! %s\n", column, "", n->alerts);
	if (n->ended_ns) {
		fprintf(t->f, "%*s= ended ", column, "");
		put_time(t->f, n->ended_ns);
		fputc('\n', t->f);
	}
}

static void put_edge(struct tree *t, size_t i, unsigned depth)
{
	const struct trail_view_edge *e = &t->view->edges[i];

	t->told[i] = true;
	put_head(t, e->first_ns, trail_evidence_str(e->evidence), depth);
	put_deed(t, e);
	fputc('\n', t->f);
}

static void walk(struct tree *t, size_t node, unsigned depth);

/* An edge, what is known of where it leads, and what follows from there. */
static void follow(struct tree *t, size_t i, unsigned depth)
{
	const struct trail_view *view = t->view;
	const struct trail_view_edge *e = &view->edges[i];

	put_edge(t, i, depth);
	if (e->kind == TRAIL_RENAMED)
		return;
	put_notes(t, e, depth + 1);
	for (size_t k = 0; k < view->nr_edges && e->kind != TRAIL_FOUND_IN; k++) {
		const struct trail_view_edge *found = &view->edges[k];

		if (t->told[k] || found->kind != TRAIL_FOUND_IN || found->to != e->to ||
		    found->from != t->key || found->key != t->key)
			continue;
		t->told[k] = true;
		put_head(t, found->first_ns, trail_evidence_str(found->evidence), depth + 1);
		fputs("the key was found in it", t->f);
		put_how(t->f, found);
		fputc('\n', t->f);
	}
	if (t->expanded[e->to]) {
		for (size_t k = 0; k < view->nr_edges; k++) {
			if (view->edges[k].from == e->to && view->edges[k].key == t->key) {
				put_head(t, e->first_ns, "", depth + 1);
				fputs("(what follows stands above)\n", t->f);
				break;
			}
		}
		return;
	}
	if (depth < DEPTH_MAX)
		walk(t, e->to, depth + 1);
}

static bool leads_elsewhere(const struct tree *t, size_t file)
{
	for (size_t k = 0; k < t->view->nr_edges; k++) {
		const struct trail_view_edge *e = &t->view->edges[k];

		if (e->to == file && e->key == t->key && e->kind != TRAIL_FOUND_IN &&
		    e->kind != TRAIL_RENAMED)
			return true;
	}
	return false;
}

static void walk(struct tree *t, size_t node, unsigned depth)
{
	t->expanded[node] = true;
	for (size_t i = 0; i < t->view->nr_edges; i++) {
		const struct trail_view_edge *e = &t->view->edges[i];

		if (t->told[i] || e->from != node || e->key != t->key)
			continue;
		/* Told where the file itself is. */
		if (e->kind == TRAIL_FOUND_IN && leads_elsewhere(t, e->to))
			continue;
		follow(t, i, depth);
	}
}

/* How those came by it is not known (any longer): each is a beginning of its own. */
static void walk_rest(struct tree *t)
{
	const struct trail_view *view = t->view;

	for (size_t i = 0; i < view->nr_edges; i++) {
		const struct trail_view_edge *e = &view->edges[i];

		if (t->told[i] || e->key != t->key || t->expanded[e->from])
			continue;
		fputs("Not known is how these came by it: ", t->f);
		put_node(t, &view->nodes[e->from]);
		fputc('\n', t->f);
		walk(t, e->from, 1);
	}
	for (size_t i = 0; i < view->nr_edges; i++)
		if (!t->told[i] && view->edges[i].key == t->key)
			follow(t, i, 0);
}

static void put_key(const struct tree *t)
{
	const struct trail_view_node *n = &t->view->nodes[t->key];

	if (n->kind == TRAIL_KEY)
		fprintf(t->f, "Trail of %s%s%s\n", n->about, n->about[0] ? "  " : "",
			n->label[0] ? n->label : n->name);
	else
		fprintf(t->f, "Trail of the key in %s (which key it is, is not known)\n",
			n->label[0] ? n->label : n->name);
}

static void put_gaps(const struct trail_view *view, FILE *f)
{
	for (size_t i = 0; i < view->nr_gaps; i++) {
		const struct trail_view_gap *gap = &view->gaps[i];

		if (i == 0)
			fputs("Gaps, in which more may have happened:\n", f);
		put_time(f, gap->from_ns);
		fputs("  gap        until ", f);
		put_time(f, gap->to_ns);
		fprintf(f, ": %s", gap->cause);
		if (gap->count)
			fprintf(f, ", %" PRIu64 " lost", gap->count);
		if (gap->host[0])
			fprintf(f, " on %s", gap->host);
		fputc('\n', f);
	}
}

static bool several_hosts(const struct trail_view *view)
{
	const char *host = "";

	for (size_t i = 0; i < view->nr_nodes; i++) {
		if (!view->nodes[i].host[0])
			continue;
		if (host[0] && strcmp(host, view->nodes[i].host) != 0)
			return true;
		host = view->nodes[i].host;
	}
	return false;
}

void trail_render_text(const struct trail_view *view, FILE *f)
{
	_cleanup_free_ bool *told = calloc(view->nr_edges + 1, sizeof(*told));
	_cleanup_free_ bool *expanded = calloc(view->nr_nodes + 1, sizeof(*expanded));
	struct tree t = {.view = view, .f = f, .told = told, .hosts = several_hosts(view)};

	if (!told || !expanded) {
		fputs("(out of memory)\n", f);
		return;
	}
	t.expanded = expanded;
	for (size_t k = 0; k < view->nr_keys; k++) {
		if (k)
			fputc('\n', f);
		t.key = view->keys[k];
		memset(expanded, 0, view->nr_nodes * sizeof(*expanded));
		put_key(&t);
		walk(&t, t.key, 0);
		walk_rest(&t);
	}
	put_gaps(view, f);
	if (view->more)
		fputs("There are older steps than are shown: --limit says how many are.\n", f);
}
