// SPDX-License-Identifier: GPL-2.0-or-later
/* Images of processes in a fixed pool, linked to where they came from. */
#include "proc/proctab.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"

#define NONE 0 /* index 0 is never handed out */

#define FAR 8 /* ancestors at the far end that are told when not all can be */
#define WALK_MAX \
	16384 /* steps back: a chain of forks whose parents exit may be as long as the table */

/* How well the parent is known. Higher replaces lower. */
enum origin {
	ORIGIN_NONE,
	ORIGIN_LATE, /* real_parent when an exec or access was seen: the fork's record is missing */
	ORIGIN_START, /* real_parent in the picture at start: as good as it gets for those */
	ORIGIN_FORK,
};

/* Which of the three lists a node is in: each in the order in which its members got there. */
enum life { LIFE_ALIVE, LIFE_DEAD, LIFE_LEAF, LIFE_NR };

struct node {
	struct proc_id id;
	struct proc_ref prev; /* image that this one replaced */
	struct proc_ref parent; /* image of the parent when it forked this process */
	uint32_t generation; /* grows when the node is given to another image */
	uint32_t refs; /* links from other nodes, and pins */
	uint32_t h_image, h_pid; /* next in the chains of the two tables */
	uint32_t before, after; /* neighbours in the list of its life; after: next free */
	uint64_t ended;
	struct str *exe, *args, *cgroup;
	uint32_t uid, euid, loginuid, session;
	uint8_t life, origin;
	bool used;
	bool newest; /* in the table by pid */
	bool has_image; /* an exec or the picture at start told of it, not a fork alone */
	bool forked; /* made by fork: what was before belongs to another process */
	bool args_truncated;
	bool kernel_thread;
	char comm[16];
};

struct list {
	uint32_t first, last;
};

struct proctab {
	struct node *nodes;
	uint32_t nr_nodes; /* capacity, index 0 included */
	uint32_t untouched; /* nodes from here on were never used */
	uint32_t free;
	uint32_t nr;
	uint32_t *by_image, *by_pid;
	uint32_t mask;
	struct list lists[LIFE_NR];
	struct strtab *strings;
	uint64_t dropped_leaves, dropped_dead, dropped_live;
};

static struct node *at(const struct proctab *tab, uint32_t index)
{
	return index ? &tab->nodes[index] : NULL;
}

static uint32_t index_of(const struct proctab *tab, const struct node *node)
{
	return (uint32_t)(node - tab->nodes);
}

static struct node *deref(const struct proctab *tab, struct proc_ref ref)
{
	struct node *node;

	if (ref.index == NONE || ref.index >= tab->nr_nodes)
		return NULL;
	node = &tab->nodes[ref.index];
	return node->used && node->generation == ref.generation ? node : NULL;
}

static struct proc_ref ref_of(const struct proctab *tab, const struct node *node)
{
	if (!node)
		return (struct proc_ref){0};
	return (struct proc_ref){index_of(tab, node), node->generation};
}

struct proctab *proctab_new(uint32_t max_nodes, struct strtab *strings)
{
	struct proctab *tab = calloc(1, sizeof(*tab));
	uint32_t buckets = 64;

	if (!tab)
		return NULL;
	while (buckets < max_nodes)
		buckets *= 2;
	/* calloc: pages that no process ever needed are never backed by memory */
	tab->nr_nodes = max_nodes + 1;
	tab->nodes = calloc(tab->nr_nodes, sizeof(struct node));
	tab->by_image = calloc(buckets, sizeof(uint32_t));
	tab->by_pid = calloc(buckets, sizeof(uint32_t));
	tab->mask = buckets - 1;
	tab->untouched = 1;
	tab->strings = strings;
	if (!tab->nodes || !tab->by_image || !tab->by_pid) {
		proctab_free(tab);
		return NULL;
	}
	return tab;
}

void proctab_free(struct proctab *tab)
{
	if (!tab)
		return;
	for (uint32_t i = 1; tab->nodes && i < tab->untouched; i++) {
		strtab_put(tab->strings, tab->nodes[i].exe);
		strtab_put(tab->strings, tab->nodes[i].args);
		strtab_put(tab->strings, tab->nodes[i].cgroup);
	}
	free(tab->nodes);
	free(tab->by_image);
	free(tab->by_pid);
	free(tab);
}

/* --- lists and tables ------------------------------------------------------------------ */

static void list_append(struct proctab *tab, struct node *node, enum life life)
{
	struct list *list = &tab->lists[life];
	uint32_t self = index_of(tab, node);

	node->life = life;
	node->before = list->last;
	node->after = NONE;
	if (list->last)
		at(tab, list->last)->after = self;
	else
		list->first = self;
	list->last = self;
}

static void list_remove(struct proctab *tab, struct node *node)
{
	struct list *list = &tab->lists[node->life];

	if (node->before)
		at(tab, node->before)->after = node->after;
	else
		list->first = node->after;
	if (node->after)
		at(tab, node->after)->before = node->before;
	else
		list->last = node->before;
}

static uint32_t *image_slot(const struct proctab *tab, const struct proc_id *id)
{
	uint64_t h = hash_u64(id->start ^ hash_u64((uint64_t)id->tgid << 32 ^ id->exec_id));

	return &tab->by_image[h & tab->mask];
}

static uint32_t *pid_slot(const struct proctab *tab, uint32_t tgid)
{
	return &tab->by_pid[hash_u64(tgid) & tab->mask];
}

static struct node *find_image(const struct proctab *tab, const struct proc_id *id)
{
	struct node *node = at(tab, *image_slot(tab, id));

	while (node && !proc_id_eq(&node->id, id))
		node = at(tab, node->h_image);
	return node;
}

static struct node *find_newest(const struct proctab *tab, uint32_t tgid, uint64_t start)
{
	struct node *node = at(tab, *pid_slot(tab, tgid));

	while (node && !(node->id.tgid == tgid && node->id.start == start))
		node = at(tab, node->h_pid);
	return node;
}

static void pid_insert(struct proctab *tab, struct node *node)
{
	uint32_t *slot = pid_slot(tab, node->id.tgid);

	node->h_pid = *slot;
	node->newest = true;
	*slot = index_of(tab, node);
}

static void pid_remove(struct proctab *tab, struct node *node)
{
	uint32_t *slot = pid_slot(tab, node->id.tgid);

	while (*slot != index_of(tab, node))
		slot = &at(tab, *slot)->h_pid;
	*slot = node->h_pid;
	node->newest = false;
}

static void image_remove(struct proctab *tab, struct node *node)
{
	uint32_t *slot = image_slot(tab, &node->id);

	while (*slot != index_of(tab, node))
		slot = &at(tab, *slot)->h_image;
	*slot = node->h_image;
}

/* --- life and death of a node ---------------------------------------------------------- */

/* Nodes that lost their last reference and ended long ago, by way of `after`: no recursion. */
struct doomed {
	uint32_t first;
};

static void unref(struct proctab *tab, struct proc_ref ref, uint64_t now, struct doomed *doomed)
{
	struct node *node = deref(tab, ref);

	if (!node || --node->refs || node->life != LIFE_DEAD)
		return;
	list_remove(tab, node);
	if (doomed && node->ended + PROCTAB_LINGER_NS <= now) {
		node->after = doomed->first;
		doomed->first = index_of(tab, node);
		node->life = LIFE_NR;
		return;
	}
	list_append(tab, node, LIFE_LEAF);
}

static void release_one(struct proctab *tab, struct node *node, uint64_t now, struct doomed *doomed)
{
	struct proc_ref prev = node->prev, parent = node->parent;
	uint32_t generation = node->generation + 1;

	image_remove(tab, node);
	if (node->newest) {
		struct node *older = deref(tab, prev);

		pid_remove(tab, node);
		/* The image before is then the newest that is known. */
		if (older)
			pid_insert(tab, older);
	}
	strtab_put(tab->strings, node->exe);
	strtab_put(tab->strings, node->args);
	strtab_put(tab->strings, node->cgroup);
	memset(node, 0, sizeof(*node));
	node->generation = generation;
	node->after = tab->free;
	tab->free = index_of(tab, node);
	tab->nr--;
	unref(tab, prev, now, doomed);
	unref(tab, parent, now, doomed);
}

/* The node is in no list any more. What only it had kept goes with it if it ended long ago. */
static void release(struct proctab *tab, struct node *node, uint64_t now)
{
	struct doomed doomed = {NONE};

	release_one(tab, node, now, &doomed);
	while (doomed.first) {
		struct node *next = at(tab, doomed.first);

		doomed.first = next->after;
		release_one(tab, next, now, &doomed);
	}
}

static void end_node(struct proctab *tab, struct node *node, uint64_t time)
{
	if (node->life != LIFE_ALIVE)
		return;
	list_remove(tab, node);
	node->ended = time;
	list_append(tab, node, node->refs ? LIFE_DEAD : LIFE_LEAF);
}

static struct node *take_node(struct proctab *tab, uint64_t now)
{
	struct node *node;

	if (tab->free) {
		node = at(tab, tab->free);
		tab->free = node->after;
	} else if (tab->untouched < tab->nr_nodes) {
		node = at(tab, tab->untouched++);
	} else {
		static const enum life order[] = {LIFE_LEAF, LIFE_DEAD, LIFE_ALIVE};
		uint64_t *const counts[] = {&tab->dropped_leaves, &tab->dropped_dead,
					    &tab->dropped_live};
		size_t i = 0;

		while (!tab->lists[order[i]].first)
			i++;
		node = at(tab, tab->lists[order[i]].first);
		++*counts[i];
		list_remove(tab, node);
		release(tab, node, now);
		node = at(tab, tab->free);
		tab->free = node->after;
	}
	node->generation += node->generation == 0;
	node->after = NONE;
	tab->nr++;
	return node;
}

static void set_link(struct proctab *tab, struct proc_ref *link, struct node *to, uint64_t now)
{
	struct proc_ref old = *link;

	if (to)
		to->refs++;
	if (to && to->life == LIFE_LEAF) {
		list_remove(tab, to);
		list_append(tab, to, LIFE_DEAD);
	}
	*link = ref_of(tab, to);
	unref(tab, old, now, NULL);
}

/* --- building images ------------------------------------------------------------------- */

/* A pid that has a new process has no old one: whoever lost his exit record ends here. */
static bool end_older_owners(struct proctab *tab, const struct proc_id *id, uint64_t time)
{
	bool stale = false;

	for (uint32_t i = *pid_slot(tab, id->tgid); i; i = at(tab, i)->h_pid) {
		struct node *node = at(tab, i);

		if (node->id.tgid != id->tgid)
			continue;
		if (node->id.start < id->start)
			end_node(tab, node, time);
		else if (node->id.start > id->start)
			stale = true;
	}
	return stale;
}

/* At most PROCTAB_IMAGES_MAX of one process: the oldest ones tell where it came from, the newest
 * what it is; the one before the newest goes. */
static void bound_images(struct proctab *tab, struct node *newest, uint64_t now)
{
	struct node *prev = deref(tab, newest->prev), *node = prev;
	unsigned n = 1;

	while (node) {
		n++;
		node = deref(tab, node->prev);
	}
	if (n > PROCTAB_IMAGES_MAX && prev)
		set_link(tab, &newest->prev, deref(tab, prev->prev), now);
}

static void set_parent(struct proctab *tab, struct node *node, struct node *parent,
		       enum origin origin, uint64_t now)
{
	if (!parent || parent == node || origin < node->origin ||
	    (origin == node->origin && deref(tab, node->parent)))
		return;
	node->origin = origin;
	set_link(tab, &node->parent, parent, now);
}

/* Puts a new image into its place among those that its process had before and (come late) after. */
static void link_image(struct proctab *tab, struct node *node, uint64_t now)
{
	struct node *newest = find_newest(tab, node->id.tgid, node->id.start);
	struct node *next = newest, *prev;

	if (!newest || newest->id.exec_id < node->id.exec_id) {
		if (newest) {
			pid_remove(tab, newest);
			set_link(tab, &node->prev, newest, now);
			set_parent(tab, node, deref(tab, newest->parent), newest->origin, now);
			end_node(tab, newest, now);
		}
		pid_insert(tab, node);
		bound_images(tab, node, now);
		return;
	}
	while ((prev = deref(tab, next->prev)) && prev->id.exec_id > node->id.exec_id)
		next = prev;
	set_link(tab, &node->prev, prev, now);
	set_link(tab, &next->prev, node, now);
	end_node(tab, node, now);
}

static struct node *get_image(struct proctab *tab, const struct proc_id *id, uint64_t time)
{
	struct node *node = find_image(tab, id);
	uint32_t *slot;
	bool stale;

	if (node)
		return node;
	stale = end_older_owners(tab, id, time);
	node = take_node(tab, time);
	node->used = true;
	node->id = *id;
	node->loginuid = node->session = UID_UNSET;
	slot = image_slot(tab, id);
	node->h_image = *slot;
	*slot = index_of(tab, node);
	list_append(tab, node, LIFE_ALIVE);
	link_image(tab, node, time);
	if (stale)
		end_node(tab, node, time);
	return node;
}

/* The node of a parent that an event names; made if it is not known, so that the pid at least is.
 */
static struct node *get_parent(struct proctab *tab, const struct proc_id *id, uint64_t time)
{
	struct node *node;

	if (!id->tgid)
		return NULL;
	if (id->exec_id)
		return get_image(tab, id, time);
	/* exec_id 0 is that of the kernel's own processes, and "not known" elsewhere. */
	node = find_newest(tab, id->tgid, id->start);
	return node ? node : get_image(tab, id, time);
}

static void set_string(struct proctab *tab, struct str **str, struct span bytes)
{
	struct str *old = *str;

	if (!bytes.len)
		return;
	if (old && old->len == bytes.len && !memcmp(old->s, bytes.p, bytes.len))
		return;
	*str = strtab_get(tab->strings, bytes);
	strtab_put(tab->strings, old);
}

static void copy_string(struct proctab *tab, struct str **str, struct str *from)
{
	if (!*str)
		*str = str_ref(from);
}

static void set_subject(struct node *node, const struct subject *s)
{
	node->uid = s->uid;
	node->euid = s->euid;
	node->loginuid = s->loginuid;
	node->session = s->session;
	memcpy(node->comm, s->comm, sizeof(node->comm));
}

/* No executable, and a child of the kernel's own: a zombie has no executable either. */
static void set_kernel_thread(const struct proctab *tab, struct node *node, const struct subject *s,
			      const struct proc_id *parent_id)
{
	const struct node *parent = find_image(tab, parent_id);

	node->kernel_thread =
		!s->exe.ino && !s->exe.dev &&
		(s->id.tgid == 2 || parent_id->tgid == 2 || (parent && parent->kernel_thread));
}

struct proc_ref proctab_fork(struct proctab *tab, uint64_t time, const struct event_fork *ev)
{
	struct node *parent = get_parent(tab, &ev->parent, time);
	struct proc_ref parent_ref = ref_of(tab, parent);
	struct node *node = get_image(tab, &ev->child.id, time);

	/* Making room for the child may have taken the parent's node. */
	parent = deref(tab, parent_ref);
	if (!node->has_image && !node->forked) {
		set_subject(node, &ev->child);
		set_kernel_thread(tab, node, &ev->child, &ev->parent);
	}
	node->forked = true;
	set_parent(tab, node, parent, ORIGIN_FORK, time);
	if (parent && !node->has_image) {
		copy_string(tab, &node->exe, parent->exe);
		copy_string(tab, &node->cgroup, parent->cgroup);
		if (!node->args) {
			copy_string(tab, &node->args, parent->args);
			node->args_truncated = parent->args_truncated;
		}
	}
	/* Images that came before their fork: tell them where they are from. */
	for (struct node *n = find_newest(tab, node->id.tgid, node->id.start); n && n != node;
	     n = deref(tab, n->prev))
		set_parent(tab, n, parent, ORIGIN_FORK, time);
	return ref_of(tab, node);
}

struct proc_ref proctab_exec(struct proctab *tab, uint64_t time, uint32_t flags, bool at_start,
			     const struct event_exec *ev)
{
	struct node *node = get_image(tab, &ev->subject.id, time);
	struct proc_ref self = ref_of(tab, node);

	if (!at_start || !node->has_image) {
		set_subject(node, &ev->subject);
		set_kernel_thread(tab, node, &ev->subject, &ev->parent);
	}
	node->has_image = true;
	set_string(tab, &node->exe, ev->exe);
	set_string(tab, &node->cgroup, ev->cgroup);
	if (ev->args.len) {
		set_string(tab, &node->args, ev->args);
		node->args_truncated = flags & EVENT_ARGS_TRUNCATED;
	}
	if (node->origin < ORIGIN_FORK) {
		struct node *parent = get_parent(tab, &ev->parent, time);

		node = deref(tab, self);
		if (node)
			set_parent(tab, node, parent, at_start ? ORIGIN_START : ORIGIN_LATE, time);
	}
	return self;
}

void proctab_exit(struct proctab *tab, uint64_t time, const struct event_exit *ev)
{
	/* Made if it is not known: a picture taken before the exit may still come in after it. */
	struct node *node = get_image(tab, &ev->subject.id, time);
	struct node *newest = find_newest(tab, node->id.tgid, node->id.start);

	if (!node->has_image && !node->forked && !node->comm[0])
		set_subject(node, &ev->subject);
	end_node(tab, node, time);
	if (newest)
		end_node(tab, newest, time);
}

struct proc_ref proctab_access(struct proctab *tab, uint64_t time, uint32_t flags,
			       const struct event_access *ev)
{
	struct node *node = find_image(tab, &ev->subject.id);
	struct proc_ref self;

	if (!node)
		node = get_image(tab, &ev->subject.id, time);
	self = ref_of(tab, node);
	set_subject(node, &ev->subject);
	if (!node->exe)
		set_string(tab, &node->exe, ev->exe);
	/* A process may be moved after its exec: pam_systemd does so with every login. */
	set_string(tab, &node->cgroup, ev->cgroup);
	if (!node->args && ev->args.len) {
		set_string(tab, &node->args, ev->args);
		node->args_truncated = flags & EVENT_ARGS_TRUNCATED;
	}
	if (node->origin == ORIGIN_NONE) {
		struct node *parent = get_parent(tab, &ev->parent, time);

		node = deref(tab, self);
		if (node)
			set_parent(tab, node, parent, ORIGIN_LATE, time);
	}
	return self;
}

void proctab_tick(struct proctab *tab, uint64_t now)
{
	struct node *leaf;

	while ((leaf = at(tab, tab->lists[LIFE_LEAF].first)) &&
	       leaf->ended + PROCTAB_LINGER_NS <= now) {
		list_remove(tab, leaf);
		release(tab, leaf, now);
	}
}

/* --- asking ---------------------------------------------------------------------------- */

struct proc_ref proctab_find(const struct proctab *tab, const struct proc_id *id)
{
	return ref_of(tab, find_image(tab, id));
}

struct proc_ref proctab_latest(const struct proctab *tab, uint32_t tgid, uint64_t start)
{
	return ref_of(tab, find_newest(tab, tgid, start));
}

void proctab_pin(struct proctab *tab, struct proc_ref ref)
{
	struct node *node = deref(tab, ref);

	if (!node)
		return;
	node->refs++;
	if (node->life == LIFE_LEAF) {
		list_remove(tab, node);
		list_append(tab, node, LIFE_DEAD);
	}
}

void proctab_unpin(struct proctab *tab, struct proc_ref ref)
{
	unref(tab, ref, 0, NULL);
}

static void fill_info(const struct node *node, struct proc_info *out)
{
	*out = (struct proc_info){
		.id = node->id,
		.uid = node->uid,
		.euid = node->euid,
		.loginuid = node->loginuid,
		.session = node->session,
		.exe = node->exe,
		.args = node->args,
		.cgroup = node->cgroup,
		.args_truncated = node->args_truncated,
		.kernel_thread = node->kernel_thread,
		.ended = node->life != LIFE_ALIVE,
	};
	memcpy(out->comm, node->comm, sizeof(out->comm));
}

bool proctab_info(const struct proctab *tab, struct proc_ref ref, struct proc_info *out_info)
{
	const struct node *node = deref(tab, ref);

	if (node)
		fill_info(node, out_info);
	return node;
}

/* One step back. Clears *complete if records are missing between the two. */
static const struct node *ancestor(const struct proctab *tab, const struct node *node,
				   bool *complete)
{
	const struct node *prev = deref(tab, node->prev), *parent;

	if (prev) {
		if (node->id.exec_id - prev->id.exec_id != 1)
			*complete = false;
		if (!(prev->forked && !prev->has_image))
			return prev;
		node = prev; /* between fork and exec: a copy of the parent */
	} else if (node->prev.index) {
		*complete = false;
	}
	parent = deref(tab, node->parent);
	if (!parent || node->origin < ORIGIN_START)
		*complete = false;
	return parent;
}

size_t proctab_ancestry(const struct proctab *tab, struct proc_ref ref, struct proc_info *out_infos,
			size_t max, bool *out_complete)
{
	const struct node *node = deref(tab, ref), *far[FAR];
	size_t near = max - FAR, nr = 0, nr_far;
	bool complete = true, reached = false;

	while (node && nr < WALK_MAX) {
		if (nr < near)
			fill_info(node, &out_infos[nr]);
		else
			far[(nr - near) % FAR] = node;
		nr++;
		reached = node->id.tgid == 1 || node->kernel_thread;
		node = reached ? NULL : ancestor(tab, node, &complete);
	}
	nr_far = nr > near ? nr - near : 0;
	if (nr_far > FAR)
		complete = false;
	for (size_t i = nr_far > FAR ? nr_far - FAR : 0, at_out = near; i < nr_far; i++)
		fill_info(far[i % FAR], &out_infos[at_out++]);
	*out_complete = reached && complete;
	return nr < max ? nr : max;
}

void proctab_stats(const struct proctab *tab, struct proctab_stats *out_stats)
{
	*out_stats = (struct proctab_stats){
		.nodes = tab->nr,
		.nodes_max = tab->nr_nodes - 1,
		.dropped_leaves = tab->dropped_leaves,
		.dropped_dead = tab->dropped_dead,
		.dropped_live = tab->dropped_live,
		.bytes = (uint64_t)(tab->untouched) * sizeof(struct node) +
			 2 * (uint64_t)(tab->mask + 1) * sizeof(uint32_t) +
			 strtab_bytes(tab->strings),
		.strings_refused = strtab_refused(tab->strings),
	};
}
