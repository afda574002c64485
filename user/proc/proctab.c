// SPDX-License-Identifier: GPL-2.0-or-later
/* What events say about processes, as images that are linked to where they came from. */
#include "proc/proctab.h"

#include <string.h>

#include "proc/nodes.h"

#define FAR 8 /* ancestors at the far end that are told when not all can be */
#define WALK_MAX \
	16384 /* steps back: a chain of forks whose parents exit may be as long as the table */

/* --- building images ------------------------------------------------------------------- */

/* A pid that has a new process has no old one: whoever lost his exit record ends here. */
static bool end_older_owners(struct proctab *tab, const struct proc_id *id, uint64_t time)
{
	bool stale = false;

	for (struct node *node = node_first_with_pid(tab, id->tgid); node;
	     node = node_at(tab, node->h_pid)) {
		if (node->id.tgid != id->tgid)
			continue;
		if (node->id.start < id->start)
			node_end(tab, node, time);
		else if (node->id.start > id->start)
			stale = true;
	}
	return stale;
}

/* At most PROCTAB_IMAGES_MAX of one process: the oldest ones tell where it came from, the newest
 * what it is; the one before the newest goes. */
static void bound_images(struct proctab *tab, struct node *newest, uint64_t now)
{
	struct node *prev = node_deref(tab, newest->prev), *node = prev;
	unsigned n = 1;

	while (node) {
		n++;
		node = node_deref(tab, node->prev);
	}
	if (n > PROCTAB_IMAGES_MAX && prev)
		node_link(tab, &newest->prev, node_deref(tab, prev->prev), now);
}

static void set_parent(struct proctab *tab, struct node *node, struct node *parent,
		       enum origin origin, uint64_t now)
{
	if (!parent || parent == node || origin < node->origin ||
	    (origin == node->origin && node_deref(tab, node->parent)))
		return;
	node->origin = origin;
	node_link(tab, &node->parent, parent, now);
}

/* Puts a new image into its place among those that its process had before and (come late) after. */
static void link_image(struct proctab *tab, struct node *node, uint64_t now)
{
	struct node *newest = node_find_newest(tab, node->id.tgid, node->id.start);
	struct node *next = newest, *prev;

	if (!newest || newest->id.exec_id < node->id.exec_id) {
		if (newest) {
			node_pid_remove(tab, newest);
			node_link(tab, &node->prev, newest, now);
			set_parent(tab, node, node_deref(tab, newest->parent), newest->origin, now);
			node_end(tab, newest, now);
		}
		node_pid_insert(tab, node);
		bound_images(tab, node, now);
		return;
	}
	while ((prev = node_deref(tab, next->prev)) && prev->id.exec_id > node->id.exec_id)
		next = prev;
	node_link(tab, &node->prev, prev, now);
	node_link(tab, &next->prev, node, now);
	node_end(tab, node, now);
}

static struct node *get_image(struct proctab *tab, const struct proc_id *id, uint64_t time)
{
	struct node *node = node_find(tab, id);
	bool stale;

	if (node)
		return node;
	stale = end_older_owners(tab, id, time);
	node = node_take(tab, id, time);
	node->loginuid = node->session = UID_UNSET;
	link_image(tab, node, time);
	if (stale)
		node_end(tab, node, time);
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
	node = node_find_newest(tab, id->tgid, id->start);
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
	node->told = true;
}

/* No executable, and a child of the kernel's own: a zombie has no executable either. */
static void set_kernel_thread(const struct proctab *tab, struct node *node, const struct subject *s,
			      const struct proc_id *parent_id)
{
	const struct node *parent = node_find(tab, parent_id);

	node->kernel_thread =
		!s->exe.ino && !s->exe.dev &&
		(s->id.tgid == 2 || parent_id->tgid == 2 || (parent && parent->kernel_thread));
}

struct proc_ref proctab_fork(struct proctab *tab, uint64_t time, const struct event_fork *ev)
{
	struct node *parent = get_parent(tab, &ev->parent, time);
	struct proc_ref parent_ref = node_ref(tab, parent);
	struct node *node = get_image(tab, &ev->child.id, time);

	/* Making room for the child may have taken the parent's node. */
	parent = node_deref(tab, parent_ref);
	if (!node->told) {
		set_subject(node, &ev->child);
		set_kernel_thread(tab, node, &ev->child, &ev->parent);
	}
	node->forked = true;
	set_parent(tab, node, parent, ORIGIN_FORK, time);
	if (parent && !node->has_image) {
		copy_string(tab, &node->exe, parent->exe);
		copy_string(tab, &node->cgroup, parent->cgroup);
		if (!node->script)
			node->script_trust = parent->script_trust;
		copy_string(tab, &node->script, parent->script);
		if (!node->args) {
			copy_string(tab, &node->args, parent->args);
			node->args_truncated = parent->args_truncated;
		}
	}
	/* Images that came before their fork: tell them where they are from. */
	for (struct node *n = node_find_newest(tab, node->id.tgid, node->id.start); n && n != node;
	     n = node_deref(tab, n->prev))
		set_parent(tab, n, parent, ORIGIN_FORK, time);
	return node_ref(tab, node);
}

struct proc_ref proctab_exec(struct proctab *tab, uint64_t time, uint32_t flags, bool at_start,
			     const struct event_exec *ev)
{
	struct node *node = get_image(tab, &ev->subject.id, time);
	struct proc_ref self = node_ref(tab, node);

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

		node = node_deref(tab, self);
		if (node)
			set_parent(tab, node, parent, at_start ? ORIGIN_START : ORIGIN_LATE, time);
	}
	return self;
}

struct proc_ref proctab_script(struct proctab *tab, uint64_t time, const struct event_script *ev)
{
	struct node *node = get_image(tab, &ev->id, time);

	set_string(tab, &node->script, ev->path);
	node->script_trust = (uint8_t)(ev->trust < EXE_TRUST_NR ? ev->trust : EXE_UNKNOWN);
	return node_ref(tab, node);
}

void proctab_exit(struct proctab *tab, uint64_t time, const struct event_exit *ev)
{
	/* Made if it is not known: a picture taken before the exit may still come in after it. */
	struct node *node = get_image(tab, &ev->subject.id, time);
	struct node *newest = node_find_newest(tab, node->id.tgid, node->id.start);

	if (!node->told)
		set_subject(node, &ev->subject);
	node_end(tab, node, time);
	if (newest)
		node_end(tab, newest, time);
}

struct proc_ref proctab_access(struct proctab *tab, uint64_t time, uint32_t flags,
			       const struct event_access *ev)
{
	struct node *node = node_find(tab, &ev->subject.id);
	struct proc_ref self;

	if (!node)
		node = get_image(tab, &ev->subject.id, time);
	self = node_ref(tab, node);
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

		node = node_deref(tab, self);
		if (node)
			set_parent(tab, node, parent, ORIGIN_LATE, time);
	}
	return self;
}

void proctab_tick(struct proctab *tab, uint64_t now)
{
	node_expire(tab, now);
}

/* --- asking ---------------------------------------------------------------------------- */

struct proc_ref proctab_find(const struct proctab *tab, const struct proc_id *id)
{
	return node_ref(tab, node_find(tab, id));
}

void proctab_pin(struct proctab *tab, struct proc_ref ref)
{
	struct node *node = node_deref(tab, ref);

	if (node)
		node_pin(tab, node);
}

void proctab_unpin(struct proctab *tab, struct proc_ref ref)
{
	node_unpin(tab, ref);
}

static void fill_info(const struct node *node, struct proc_info *out)
{
	*out = (struct proc_info){
		.id = node->id,
		.uid = node->told ? node->uid : UID_UNSET,
		.euid = node->told ? node->euid : UID_UNSET,
		.loginuid = node->loginuid,
		.session = node->session,
		.exe = node->exe,
		.args = node->args,
		.cgroup = node->cgroup,
		.script = node->script,
		.script_trust = (enum exe_trust)node->script_trust,
		.args_truncated = node->args_truncated,
		.kernel_thread = node->kernel_thread,
		.ended = node->life != LIFE_ALIVE,
	};
	memcpy(out->comm, node->comm, sizeof(out->comm));
}

bool proctab_info(const struct proctab *tab, struct proc_ref ref, struct proc_info *out_info)
{
	const struct node *node = node_deref(tab, ref);

	if (node)
		fill_info(node, out_info);
	return node;
}

/* One step back. Clears *complete if records are missing between the two. */
static const struct node *ancestor(const struct proctab *tab, const struct node *node,
				   bool *complete)
{
	const struct node *prev = node_deref(tab, node->prev), *parent;

	if (prev) {
		if (node->id.exec_id - prev->id.exec_id != 1)
			*complete = false;
		if (!(prev->forked && !prev->has_image))
			return prev;
		node = prev; /* between fork and exec: a copy of the parent */
	} else if (node->prev.index) {
		*complete = false;
	}
	parent = node_deref(tab, node->parent);
	if (!parent || node->origin < ORIGIN_START)
		*complete = false;
	return parent;
}

size_t proctab_ancestry(const struct proctab *tab, struct proc_ref ref, struct proc_info *out_infos,
			size_t max, bool *out_complete)
{
	const struct node *node = node_deref(tab, ref), *far[FAR];
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
