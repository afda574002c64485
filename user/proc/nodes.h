/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process table's images as nodes of a fixed pool: found by image and by pid, linked by
 * references that notice when their node was given away, kept in lists by how they live. For
 * proctab.c only, which knows what the links mean; here it is only known who may go.
 */
#pragma once

#include "proc/proctab.h"

#define NONE 0 /* index 0 is never handed out */

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
	struct str *exe, *args, *cgroup, *script;
	uint32_t uid, euid, loginuid, session;
	uint8_t life, origin, script_trust;
	bool used;
	bool newest; /* in the table by pid */
	bool has_image; /* an exec or the picture at start told of it, not a fork alone */
	bool told; /* uid and the like are known: not just named as somebody's parent */
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

static inline struct node *node_at(const struct proctab *tab, uint32_t index)
{
	return index ? &tab->nodes[index] : NULL;
}

static inline uint32_t node_index(const struct proctab *tab, const struct node *node)
{
	return (uint32_t)(node - tab->nodes);
}

/* NULL if what the reference named is gone. */
static inline struct node *node_deref(const struct proctab *tab, struct proc_ref ref)
{
	struct node *node;

	if (ref.index == NONE || ref.index >= tab->nr_nodes)
		return NULL;
	node = &tab->nodes[ref.index];
	return node->used && node->generation == ref.generation ? node : NULL;
}

static inline struct proc_ref node_ref(const struct proctab *tab, const struct node *node)
{
	if (!node)
		return (struct proc_ref){0};
	return (struct proc_ref){node_index(tab, node), node->generation};
}

struct node *node_find(const struct proctab *tab, const struct proc_id *id);
/* The newest image of (pid, start) that is known. */
struct node *node_find_newest(const struct proctab *tab, uint32_t tgid, uint64_t start);
/* First of those with this pid (and others: compare), in the order of `h_pid`. */
struct node *node_first_with_pid(const struct proctab *tab, uint32_t tgid);

/* A node for an image that is not in the table yet: alive, without links. Makes room if there is
 * none. */
struct node *node_take(struct proctab *tab, const struct proc_id *id, uint64_t now);
/* Which image of its process a node is looked up as by pid: the newest one. */
void node_pid_insert(struct proctab *tab, struct node *node);
void node_pid_remove(struct proctab *tab, struct node *node);

void node_end(struct proctab *tab, struct node *node, uint64_t time);
/* Points a link at another node (or NULL); both nodes' references are counted. */
void node_link(struct proctab *tab, struct proc_ref *link, struct node *to, uint64_t now);
/* One more and one less reference by somebody outside. */
void node_pin(struct proctab *tab, struct node *node);
void node_unpin(struct proctab *tab, struct proc_ref ref);
/* Lets go of those without descendants that ended PROCTAB_LINGER_NS ago. */
void node_expire(struct proctab *tab, uint64_t now);
