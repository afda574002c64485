// SPDX-License-Identifier: GPL-2.0-or-later
/* A trail for Graphviz. */
#include "trail/render.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

/* In a quoted string a quote ends it and a backslash begins an escape; all else stands as it is. */
static void put_quoted(FILE *f, const char *text)
{
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', f);
		fputc(*text, f);
	}
}

static void put_time(FILE *f, uint64_t ns)
{
	const time_t seconds = (time_t)(ns / 1000000000);
	char text[32];
	struct tm tm;

	if (gmtime_r(&seconds, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm))
		fputs(text, f);
}

static void put_node(FILE *f, size_t i, const struct trail_view_node *n)
{
	static const char *const shapes[TRAIL_NODE_NR] = {
		[TRAIL_KEY] = "octagon", [TRAIL_FILE] = "note",	      [TRAIL_DUMP] = "folder",
		[TRAIL_PROCESS] = "box", [TRAIL_DESTINATION] = "cds",
	};

	fprintf(f, "  n%zu [shape=%s%s, label=\"", i,
		(unsigned)n->kind < TRAIL_NODE_NR && shapes[n->kind] ? shapes[n->kind] : "box",
		n->alerts[0] ? ", color=red, penwidth=2" : "");
	if (n->kind == TRAIL_KEY) {
		put_quoted(f, n->about);
		fputs("\\n", f);
	}
	put_quoted(f, n->label[0] ? n->label : n->name);
	if (n->kind == TRAIL_PROCESS) {
		fprintf(f, "\\npid %" PRIu32 ", user ", n->pid);
		if (n->user[0])
			put_quoted(f, n->user);
		else
			fprintf(f, "%" PRIu32, n->uid);
		if (n->unit[0]) {
			fputs("\\n", f);
			put_quoted(f, n->unit);
		}
	}
	if (n->host[0]) {
		fputs("\\non ", f);
		put_quoted(f, n->host);
	}
	if (n->state == TRAIL_CLEAN)
		fputs("\\nscanned: no key found", f);
	if (n->alerts[0]) {
		fputs("\\n", f);
		put_quoted(f, n->alerts);
	}
	fputs("\"];\n", f);
}

static void put_edge(FILE *f, const struct trail_view_edge *e)
{
	fprintf(f, "  n%zu -> n%zu [style=%s, label=\"%s", e->from, e->to,
		e->evidence == TRAIL_INFERRED	 ? "dashed"
		: e->evidence == TRAIL_CONFIRMED ? "bold"
						 : "solid",
		trail_edge_kind_str(e->kind));
	if (e->detail[0]) {
		fputs(" (", f);
		put_quoted(f, e->detail);
		fputc(')', f);
	}
	fputs("\\n", f);
	put_time(f, e->first_ns);
	fprintf(f, "\\n%s", trail_evidence_str(e->evidence));
	if (e->rule[0]) {
		fputs(": ", f);
		put_quoted(f, e->rule);
	}
	if (e->count > 1)
		fprintf(f, "\\n%" PRIu64 " times", e->count);
	fputs("\"];\n", f);
}

void trail_render_dot(const struct trail_view *view, FILE *f)
{
	fputs("digraph trail {\n"
	      "  rankdir=LR;\n"
	      "  node [fontname=\"sans-serif\", fontsize=10];\n"
	      "  edge [fontname=\"sans-serif\", fontsize=9];\n",
	      f);
	for (size_t i = 0; i < view->nr_nodes; i++)
		put_node(f, i, &view->nodes[i]);
	for (size_t i = 0; i < view->nr_edges; i++)
		put_edge(f, &view->edges[i]);
	for (size_t i = 0; i < view->nr_gaps; i++) {
		fprintf(f, "  g%zu [shape=plaintext, fontcolor=red, label=\"gap: ", i);
		put_quoted(f, view->gaps[i].cause);
		fputs("\\n", f);
		put_time(f, view->gaps[i].from_ns);
		fputs("\\nuntil ", f);
		put_time(f, view->gaps[i].to_ns);
		fputs("\"];\n", f);
	}
	fputs("}\n", f);
}
