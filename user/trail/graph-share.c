// SPDX-License-Identifier: GPL-2.0-or-later
/* Follows keys from process to process through what both have open. */
#include "trail/graph-internal.h"

static const char *const share_rules[SHARE_HOW_NR] = {
	[SHARE_PIPE] = "shares-pipe",
	[SHARE_SOCKET] = "shares-socket",
	[SHARE_MEMORY] = "shares-memory",
};

/* The process had the key before, and this is one more way by which it may have it. */
static void tell_again(struct trail_graph *g, const struct process *p, struct origin_key from,
		       uint64_t from_exec, const char *key, const char *rule, uint64_t time)
{
	struct process *giver = process_find(g, from);
	char from_name[TRAIL_NAME_MAX], to[TRAIL_NAME_MAX];

	if (giver && giver->exec_id == from_exec)
		tell_inheritance(g, giver, time);
	process_name(g, from, from_exec, from_name);
	process_name(g, p->id, p->exec_id, to);
	tell_edge(g, TRAIL_SHARED, TRAIL_INFERRED, key, from_name, to, rule, NULL, time);
}

/* What one process can write, another can read. Is told of who was forked and runs the same program
 * only if it does something that concerns the key: a shell forks for each part of a pipeline. */
void graph_share(struct trail_graph *g, const struct event *ev)
{
	const struct event_share *s = &ev->share;
	struct process *from = process_find(g, process_key(&s->from)), *p;
	struct origin_key from_id;
	uint64_t from_exec;
	struct slots keys;

	if (!from || !from->keys.nr || from->exec_id != s->from.exec_id ||
	    (unsigned)s->how >= SHARE_HOW_NR)
		return;
	keys = from->keys;
	from_id = from->id;
	from_exec = from->exec_id;
	p = process_of(g, &s->subject, s->exe, s->cgroup, ev->time);
	if (!p)
		return;
	if (!s->forked)
		tell_inheritance(g, p, ev->time);
	for (uint32_t i = 0; i < keys.nr; i++) {
		struct slot *slot;
		bool is_new;

		slot = slot_add(&p->keys, keys.items[i].key, &is_new);
		if (slot && !is_new && !s->forked)
			tell_again(g, p, from_id, from_exec, slot->key, share_rules[s->how],
				   ev->time);
		if (!slot || !is_new)
			continue;
		slot->origin = FROM_PROCESS;
		slot->from = from_id;
		slot->from_exec = from_exec;
		slot->by = TRAIL_SHARED;
		slot->unsure = share_rules[s->how];
		slot->pending = true;
	}
	if (!s->forked)
		tell_inheritance(g, p, ev->time);
}
