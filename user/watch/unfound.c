// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a walk has not found: let go, or kept until another walk has looked for it.
 *
 * A walk reads a directory and then looks at each name, and a file that is renamed meanwhile may
 * be met under neither of its names. Its owner could so have it unmarked at will, if that counted.
 * So a walk lets go of what is still marked, and has a name that the set wants, only if the walk
 * before has not found it either and no name was moved while this one went on: then it is known to
 * be called otherwise. What the kernel side has no mark of any more is gone in any case.
 */
#include <limits.h>

#include "watch/watcher-internal.h"

/* Watched on, as what the set in force makes of the name that it was last known by. */
static void keep(struct watcher *w, struct node *node, const struct watch_target *target)
{
	const uint32_t watch = node->is_dir ? 0 : target->watch;
	const bool other = node->watch != watch;

	node->missed = true;
	node->state = node->is_dir ? target->state : 0;
	node->watch = watch;
	w->nr_missed++;
	w->ops->remark(w->userdata, &node->inode, node->state, watch);
	if (other)
		picture_tell(w, node, false);
}

static bool is_over(struct watcher *w, struct node *node)
{
	struct watch_target target = {};
	char path[PATH_MAX];

	if (node->apart)
		return !apart_is_wanted(node);
	if (node->born) /* is found by no walk */
		return !born_watch(w, node);
	if (node->generation == w->generation)
		return false;
	if (tree_path(node, path, sizeof(path)) >= 0)
		target = watcher_target(w, path);
	if (!(node->is_dir ? target.state : target.watch) ||
	    !w->ops->is_marked(w->userdata, &node->inode, node->object))
		return true;
	if (node->missed && !w->disturbed)
		return true;
	keep(w, node, &target);
	return false;
}

static bool was_judged_over(void *userdata, const struct node *node)
{
	return node->over;
}

void unfound_settle(struct watcher *w)
{
	for (struct node *node = w->tree.nodes; node; node = node->hh.next)
		node->over = is_over(w, node);
	tree_remove_if(&w->tree, was_judged_over, picture_unmark_and_drop, w);
}
