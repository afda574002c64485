// SPDX-License-Identifier: GPL-2.0-or-later
/* The processes and files that are followed, in the order of their last use. */
#include "trail/graph-internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOK_FOR_ENDED 32 /* of the oldest, before one that still runs is forgotten */

struct origin_key process_key(const struct proc_id *id)
{
	return (struct origin_key){.a = id->start, .b = id->tgid};
}

struct origin_key file_key(const struct inode_id *inode)
{
	return (struct origin_key){.a = inode->ino, .b = inode->dev, .c = inode->gen};
}

/* The end of it, if it is too long: the name of a file says more than the top of a tree. */
static void keep(struct span from, char *to, size_t size, bool end)
{
	size_t len = from.p ? from.len : 0, skip = 0;

	if (len >= size) {
		skip = end ? len - (size - 1) : 0;
		len = size - 1;
	}
	if (len)
		memcpy(to, from.p + skip, len);
	to[len] = '\0';
}

static void tell_full(struct trail_graph *g, uint64_t time)
{
	if (g->full_told && time < g->full_told + TRAIL_FULL_NS)
		return;
	g->full_told = time ? time : 1;
	tell_gap(g, span_of("trail-full"), time, time, 0);
}

/* --- processes ---------------------------------------------------------------------------------
 */

struct process *process_find(const struct trail_graph *g, struct origin_key id)
{
	struct process *p;

	HASH_FIND(hh, g->processes, &id, sizeof(id), p);
	return p;
}

void process_forget(struct trail_graph *g, struct process *p)
{
	HASH_DEL(g->processes, p);
	p->next_spare = g->spare_processes;
	g->spare_processes = p;
}

static void make_room_for_process(struct trail_graph *g, uint64_t time)
{
	struct process *p = g->processes;

	for (int i = 0; p && !p->ended && i < LOOK_FOR_ENDED; i++)
		p = p->hh.next;
	if (!p || !p->ended) {
		p = g->processes;
		g->st.processes_forgotten++;
		tell_full(g, time);
	}
	process_forget(g, p);
}

struct process *process_add(struct trail_graph *g, struct origin_key id, uint64_t time)
{
	struct process *p;

	if (HASH_COUNT(g->processes) >= g->max_processes)
		make_room_for_process(g, time);
	p = g->spare_processes;
	if (p)
		g->spare_processes = p->next_spare;
	else
		p = &g->process_pool[g->processes_used++];
	memset(p, 0, sizeof(*p));
	p->id = id;
	p->uid = p->loginuid = UID_UNSET;
	HASH_ADD(hh, g->processes, id, sizeof(p->id), p);
	if (!p->hh.tbl) {
		p->next_spare = g->spare_processes;
		g->spare_processes = p;
		return NULL;
	}
	return p;
}

struct process *process_of(struct trail_graph *g, const struct subject *subject, struct span exe,
			   struct span cgroup, bool cut, uint64_t time)
{
	const struct origin_key id = process_key(&subject->id);
	struct process *p = process_find(g, id);

	if (p && p->exec_id < subject->id.exec_id) {
		/* Another program by now: what the one before had in memory is gone. */
		if (p->told)
			tell_process(g, p, time);
		process_forget(g, p);
		p = NULL;
	}
	if (p && p->exec_id > subject->id.exec_id)
		return NULL; /* that image is gone, and what it had */
	if (!p) {
		p = process_add(g, id, time);
		if (!p)
			return NULL;
		p->exec_id = subject->id.exec_id;
	} else if (p->hh.next) { /* used last from now on */
		HASH_DEL(g->processes, p);
		HASH_ADD(hh, g->processes, id, sizeof(p->id), p);
	}
	p->uid = subject->uid;
	p->loginuid = subject->loginuid;
	if (exe.len)
		keep(exe, p->exe, sizeof(p->exe), true);
	if (cgroup.len) {
		keep(cgroup, p->cgroup, sizeof(p->cgroup), false);
		p->cgroup_cut = cut;
	}
	return p;
}

/* --- files -------------------------------------------------------------------------------------
 */

struct file *file_find(const struct trail_graph *g, struct origin_key id)
{
	struct file *f;

	HASH_FIND(hh, g->files, &id, sizeof(id), f);
	return f;
}

void file_forget_readers(struct trail_graph *g, struct file *f)
{
	for (size_t i = 0; i < TRAIL_READERS_MAX; i++) {
		g->readers -= f->readers[i] != NULL;
		free(f->readers[i]);
		f->readers[i] = NULL;
	}
}

void file_forget(struct trail_graph *g, struct file *f)
{
	HASH_DEL(g->files, f);
	file_forget_readers(g, f);
	f->next_spare = g->spare_files;
	g->spare_files = f;
}

void file_set_path(struct file *f, struct span path)
{
	keep(path, f->path, sizeof(f->path), true);
}

/* To be forgotten, it is a loss: a key, or who has read it if one is found. */
static bool says_something(const struct file *f)
{
	return f->keys.nr || f->readers[0];
}

struct file *file_of(struct trail_graph *g, const struct inode_id *inode, uint64_t object,
		     struct span path, uint64_t time)
{
	const struct origin_key id = file_key(inode);
	struct file *f = file_find(g, id);

	if (!f) {
		if (HASH_COUNT(g->files) >= g->max_files) {
			struct file *oldest = g->files;

			for (int i = 0; oldest && says_something(oldest) && i < LOOK_FOR_ENDED; i++)
				oldest = oldest->hh.next;
			if (!oldest || says_something(oldest)) {
				oldest = g->files;
				g->st.files_forgotten++;
				tell_full(g, time);
			}
			file_forget(g, oldest);
		}
		f = g->spare_files;
		if (f)
			g->spare_files = f->next_spare;
		else
			f = &g->file_pool[g->files_used++];
		memset(f, 0, sizeof(*f));
		f->id = id;
		HASH_ADD(hh, g->files, id, sizeof(f->id), f);
		if (!f->hh.tbl) {
			f->next_spare = g->spare_files;
			g->spare_files = f;
			return NULL;
		}
	} else if (f->hh.next) {
		HASH_DEL(g->files, f);
		HASH_ADD(hh, g->files, id, sizeof(f->id), f);
	}
	if (object)
		f->object = object;
	if (path.len && !f->path[0])
		file_set_path(f, path);
	return f;
}

/* --- keys of one of them -----------------------------------------------------------------------
 */

struct slot *slot_find(struct slots *slots, const char *key)
{
	for (uint32_t i = 0; i < slots->nr; i++)
		if (!strcmp(slots->items[i].key, key))
			return &slots->items[i];
	return NULL;
}

struct slot *slot_add(struct slots *slots, const char *key, bool *out_new)
{
	struct slot *slot = slot_find(slots, key);

	*out_new = !slot;
	if (slot || slots->nr == TRAIL_KEYS_MAX)
		return slot;
	slot = &slots->items[slots->nr++];
	*slot = (struct slot){.origin = FROM_KEY};
	snprintf(slot->key, sizeof(slot->key), "%s", key);
	return slot;
}

void slot_remove(struct slots *slots, struct slot *slot)
{
	struct slot *last = &slots->items[--slots->nr];

	memmove(slot, slot + 1, (size_t)((char *)last - (char *)slot));
}
