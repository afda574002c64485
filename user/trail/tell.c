// SPDX-License-Identifier: GPL-2.0-or-later
/* What the graph tells its sink: named so that the same thing has the same name, and escaped. */
#include "trail/graph-internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/escape.h"
#include "proc/cgroup.h"

uint64_t graph_wall(const struct trail_graph *g, uint64_t time)
{
	return time + (uint64_t)g->wall_offset_ns;
}

void process_name(const struct trail_graph *g, struct origin_key id, uint64_t exec_id,
		  char out[static TRAIL_NAME_MAX])
{
	snprintf(out, TRAIL_NAME_MAX, "%s/process/%s/%" PRIu32 ".%" PRIu64 ".%" PRIu64, g->host,
		 g->boot, id.b, id.a, exec_id);
}

/* Device numbers may change over a restart of the host, and then it is another file to us. */
void file_name(const struct trail_graph *g, struct origin_key id, char out[static TRAIL_NAME_MAX])
{
	snprintf(out, TRAIL_NAME_MAX, "%s/file/%" PRIu32 ":%" PRIu64 ":%" PRIu32, g->host, id.b,
		 id.a, id.c);
}

bool trail_key_name(const struct key_identity *key, char out[static TRAIL_NAME_MAX])
{
	if (key->has_spki) {
		size_t n = (size_t)snprintf(out, TRAIL_NAME_MAX, "key/spki/");

		for (size_t i = 0; i < sizeof(key->spki); i++)
			n += (size_t)snprintf(out + n, TRAIL_NAME_MAX - n, "%02x", key->spki[i]);
	} else if (key->ssh_fp[0]) {
		snprintf(out, TRAIL_NAME_MAX, "key/ssh/%s", key->ssh_fp);
	} else if (key->keygrip[0]) {
		snprintf(out, TRAIL_NAME_MAX, "key/grip/%s", key->keygrip);
	} else {
		return false;
	}
	return true;
}

void tell_key(struct trail_graph *g, const char *name, const struct key_identity *key)
{
	char about[192], label[96];
	struct trail_node node = {.name = name, .kind = TRAIL_KEY, .uid = UID_UNSET};
	int n;

	node.loginuid = UID_UNSET;
	if (!g->sink.node)
		return;
	if (key) {
		n = snprintf(about, sizeof(about), "%s", key_kind_str(key->kind));
		if (key->bits)
			n += snprintf(about + n, sizeof(about) - (size_t)n, " %u", key->bits);
		if (key->comment[0])
			snprintf(about + n, sizeof(about) - (size_t)n, " %s", key->comment);
		if (key->ssh_fp[0])
			snprintf(label, sizeof(label), "%s", key->ssh_fp);
		else
			snprintf(label, sizeof(label), "%.*s", (int)sizeof(label) - 1,
				 strrchr(name, '/') + 1);
		node.label = label;
		node.about = about;
	}
	g->st.nodes++;
	g->sink.node(g->sink.ctx, &node);
}

void tell_file(struct trail_graph *g, struct file *f)
{
	char name[TRAIL_NAME_MAX], path[4 * PATH_MAX_K + 1];
	const struct trail_node node = {
		.name = name,
		.kind = f->dump ? TRAIL_DUMP : TRAIL_FILE,
		.host = g->host,
		.label = path,
		.about = f->watch,
		.state = f->state,
		.digests = &f->digests,
		.uid = UID_UNSET,
		.loginuid = UID_UNSET,
	};

	f->told = true;
	if (!g->sink.node)
		return;
	file_name(g, f->id, name);
	escape_bytes(f->path, strlen(f->path), path, sizeof(path), NULL);
	g->st.nodes++;
	g->sink.node(g->sink.ctx, &node);
}

void tell_process(struct trail_graph *g, struct process *p, uint64_t ended)
{
	char name[TRAIL_NAME_MAX], exe[4 * EXE_MAX + 1];
	struct cgroup_name group = {0};
	const struct trail_node node = {
		.name = name,
		.kind = TRAIL_PROCESS,
		.host = g->host,
		.label = exe,
		.unit = group.unit,
		.container = group.container,
		.pid = p->id.b,
		.uid = p->uid,
		.loginuid = p->loginuid,
		.ended_ns = ended ? graph_wall(g, ended) : 0,
		.verified = p->verified,
	};

	p->told = true;
	if (!g->sink.node)
		return;
	cgroup_parse(span_of(p->cgroup), &group);
	process_name(g, p->id, p->exec_id, name);
	escape_bytes(p->exe, strlen(p->exe), exe, sizeof(exe), NULL);
	g->st.nodes++;
	g->sink.node(g->sink.ctx, &node);
}

void tell_edge(struct trail_graph *g, enum trail_edge_kind kind, enum trail_evidence evidence,
	       const char *key, const char *from, const char *to, const char *rule,
	       const char *detail, uint64_t time)
{
	const struct trail_edge edge = {
		.kind = kind,
		.evidence = evidence,
		.key = key,
		.from = from,
		.to = to,
		.rule = rule,
		.detail = detail,
		.time_ns = graph_wall(g, time),
	};

	g->st.edges++;
	if (g->sink.edge)
		g->sink.edge(g->sink.ctx, &edge);
}

void tell_gap(struct trail_graph *g, struct span cause, uint64_t from, uint64_t to, uint64_t count)
{
	char text[256];
	const struct trail_gap gap = {
		.host = g->host,
		.cause = text,
		.from_ns = graph_wall(g, from),
		.to_ns = graph_wall(g, to),
		.count = count,
	};

	if (!g->sink.gap)
		return;
	escape_bytes(cause.p, cause.len, text, sizeof(text), NULL);
	g->sink.gap(g->sink.ctx, &gap);
}

void tell_inheritance(struct trail_graph *g, struct process *p, uint64_t time)
{
	char self[TRAIL_NAME_MAX], parent[TRAIL_NAME_MAX];

	for (uint32_t i = 0; i < p->keys.nr; i++) {
		struct slot *slot = &p->keys.items[i];
		struct process *from;

		if (!slot->pending)
			continue;
		slot->pending = false; /* before the parent's: no way goes in a circle */
		from = process_find(g, slot->from);
		if (from && from->exec_id == slot->from_exec)
			tell_inheritance(g, from, time);
		if (!p->told)
			tell_process(g, p, 0);
		process_name(g, slot->from, slot->from_exec, parent);
		process_name(g, p->id, p->exec_id, self);
		tell_edge(g, slot->by, TRAIL_INFERRED, slot->key, parent, self,
			  slot->by == TRAIL_SHARED ? slot->unsure : "fork-copies-memory", NULL,
			  time);
	}
}
