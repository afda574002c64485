// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who read a file first. What was read since the daemon began is known here; what was before, and
 * what was forgotten, by who keeps the trail. That is asked only when it matters.
 */
#include "trail/graph-internal.h"

#include <string.h>

#include "base/escape.h"

void graph_first_note(const struct trail_graph *g, struct file *f, const struct event_access *a)
{
	if (f->first.by.b)
		return;
	f->first = (struct first_read){
		.by = process_key(&a->subject.id),
		.exec_id = a->subject.id.exec_id,
		.position = g->sink.position ? g->sink.position(g->sink.ctx) : 0,
	};
}

/* By whatever way it came by it: there is an edge to whoever reads it. */
static bool has_trail(const struct file *f)
{
	for (uint32_t i = 0; i < f->keys.nr; i++)
		if (f->keys.items[i].confirmed)
			return true;
	return false;
}

bool trail_graph_first_reader(struct trail_graph *g, const struct inode_id *inode,
			      const struct proc_id *who)
{
	struct file *f = file_find(g, file_key(inode));
	const struct origin_key id = process_key(who);
	char name[TRAIL_NAME_MAX], path[4 * PATH_MAX_K + 1];
	int r = 0;

	if (!f || f->first.asked || f->first.exec_id != who->exec_id ||
	    memcmp(&f->first.by, &id, sizeof(id)) != 0 || !has_trail(f))
		return false;
	if (g->sink.was_read && f->first.position >= 0) {
		file_name(g, f->id, name);
		escape_bytes(f->path, strlen(f->path), path, sizeof(path), NULL);
		r = g->sink.was_read(g->sink.ctx, name, g->host, path, f->first.position);
	} else if (g->sink.was_read) {
		r = (int)f->first.position;
	}
	f->first.asked = r >= 0;
	return r == 0;
}
