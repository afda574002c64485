// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What was told as marked and has another object's mark, or none, for good.
 *
 * The daemon changes a mark by reading it and putting all of it back, and takes one off likewise.
 * If its object ends in between, and the kernel side (or a child that marks) gives the mark of its
 * inode number to another file, that has the old mark then, or none: it is judged by the wrong
 * entry, or not at all, and what is told of it is of an object that is none. To take the mark out
 * first to see what it was would leave each file unmarked for a moment. But the other file is told
 * as what it was marked as, and behind what was done to its mark. Mostly such a file has only ended
 * since, and that is told right behind; where it still stands a second later a walk marks it anew.
 *
 * That is noted in the node, and ends with it: however many have ended, none is walked for.
 */
#include "watch/watcher-internal.h"

static bool is_stray(const struct watcher *w, const struct node *node)
{
	return !w->ops->is_marked(w->userdata, &node->inode, node->object);
}

void strays_note(struct watcher *w, uint64_t object)
{
	struct node *node = tree_find(&w->tree, object);

	if (!node || node->stray || !is_stray(w, node))
		return;
	node->stray = STRAY_NOTED;
	w->strays = true;
}

bool watcher_has_strays(struct watcher *w)
{
	bool walk = false, left = false;
	struct node *node;

	if (!w->strays)
		return false;
	TAILQ_FOREACH (node, &w->tree.all, all) {
		if (!node->stray)
			continue;
		if (!is_stray(w, node)) {
			node->stray = STRAY_NOT;
			continue;
		}
		walk |= node->stray == STRAY_LOOKED;
		node->stray = STRAY_LOOKED;
		left = true;
	}
	/* The walk is for all of them. */
	if (walk)
		TAILQ_FOREACH (node, &w->tree.all, all)
			node->stray = STRAY_NOT;
	w->strays = left && !walk;
	return walk;
}
