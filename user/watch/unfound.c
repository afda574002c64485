// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a walk has not found: let go, or kept until another walk has looked for it.
 *
 * A walk reads a directory and then looks at each name, and a file that is renamed meanwhile may
 * be met under neither of its names. Its owner could so have it unmarked at will, if that counted.
 * So a walk lets go of what is still marked, and has a name that the set wants, only if the walk
 * before has not found it either, no name was moved while this one went on, and it could look
 * everywhere: then it is known to be called otherwise. What the kernel side has no mark of any more
 * is gone in any case.
 *
 * What is out of sight is kept as long as it is so: what lies under a mount, which a user can make
 * over a directory of his (FUSE) and end, what lies in a directory too deep to be read, and what a
 * symbolic link led to. Its target has no watched name that the kernel side could see going and
 * coming back.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "watch/watcher-internal.h"

/* The directory that a node is in, O_PATH; its path may lead over links that are watched. */
static int open_parent(struct watcher *w, const struct node *node)
{
	char path[PATH_MAX];
	bool links = false;
	int len = tree_path(node->parent, path, sizeof(path));

	for (const struct node *up = node->parent; up; up = up->parent)
		links |= up->by_link;
	return len < 0 ? len : reach_path(&w->reach, path, links);
}

/* Whether what stands where `node` was, in a directory that this walk has read, may hide it. */
static bool is_hidden_here(struct watcher *w, const struct node *node)
{
	_cleanup_close_ int dir = open_parent(w, node),
			    at = dir < 0 ? dir : reach_name(&w->reach, dir, node->name);
	struct statx st;

	/* Something that may not answer is mounted there (-EREMOTE), or we cannot look now. */
	if (at < 0)
		return at != -ENOENT && at != -ENOTDIR;
	if (statx(at, "", AT_EMPTY_PATH, STATX_TYPE, &st) < 0)
		return true;
	return st.stx_attributes & STATX_ATTR_MOUNT_ROOT || (node->by_link && S_ISLNK(st.stx_mode));
}

/* By the topmost directory on its way that the walk has not come by: once for all below that. */
static bool is_hidden(struct watcher *w, struct node *node)
{
	while (node->parent && node->parent->generation != w->generation)
		node = node->parent;
	if (!node->parent)
		return false;
	if (node->parent->visited != w->walk) /* come by, and left unread */
		return true;
	if (node->looked != w->walk) {
		node->looked = w->walk;
		node->hidden = is_hidden_here(w, node);
	}
	return node->hidden;
}

/* Watched on, as what the set in force makes of the name that it was last known by. */
static void keep(struct watcher *w, struct node *node, const struct watch_target *target)
{
	const uint32_t watch = node->is_dir ? 0 : target->watch;
	const bool other = node->watch != watch;

	node->state = node->is_dir ? target->state : 0;
	node->watch = watch;
	w->ops->remark(w->userdata, &node->inode, node->object, node->state, watch);
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
	if (is_hidden(w, node)) { /* another walk would find no more */
		node->missed = false;
	} else {
		if (node->missed && !w->disturbed && !w->bounded)
			return true;
		/* One that was cut short has not looked for it. */
		node->missed |= !w->bounded;
		w->nr_missed++;
	}
	keep(w, node, &target);
	return false;
}

static bool was_judged_over(void *userdata, const struct node *node)
{
	return node->over;
}

void unfound_settle(struct watcher *w)
{
	struct node *node;

	TAILQ_FOREACH (node, &w->tree.all, all)
		node->over = is_over(w, node);
	tree_remove_if(&w->tree, was_judged_over, picture_unmark_and_drop, w);
}
