// SPDX-License-Identifier: GPL-2.0-or-later
/* Puts a set of watched names in force: what it wants is marked, what it does not is let go. */
#include "watch/watcher.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "watch/watcher-internal.h"

int watcher_new(const struct watcher_ops *ops, void *userdata, struct watcher **out_watcher)
{
	struct watcher *w = calloc(1, sizeof(*w));

	if (!w)
		return -ENOMEM;
	w->ops = ops;
	w->userdata = userdata;
	w->reach = (struct reach){ops->answers, userdata};
	*out_watcher = w;
	return 0;
}

void watcher_free(struct watcher *w)
{
	if (!w)
		return;
	while (w->nr_late)
		free(w->late[--w->nr_late].path);
	tree_fini(&w->tree);
	found_fini(w);
	free(w);
}

static bool is_lost(void *userdata, const struct node *node)
{
	struct watcher *w = userdata;
	struct mark mark = {
		.object = node->object,
		.watch = node->watch,
		.flags = MARK_FILE | MARK_KEEP | MARK_FOLLOW,
	};
	char path[PATH_MAX], self[REACH_SELF_MAX];
	_cleanup_close_ int at = -1;
	struct inode_id inode;

	/* What is watched for what it is is found by no walk: it is marked anew where it was. */
	if (!node->born || tree_path(node, path, sizeof(path)) < 0)
		return true;
	at = reach_path(&w->reach, path, false);
	if (at < 0 || w->ops->mark(w->userdata, AT_FDCWD, reach_self(at, self), &mark, &inode) < 0)
		return true;
	if (inode_id_same(&inode, &node->inode) && mark.object == node->object)
		return false;
	if (mark.object == node->object)
		w->ops->unmark(w->userdata, &inode, node->object); /* another file by now */
	return true;
}

void watcher_forget(struct watcher *w)
{
	tree_remove_if(&w->tree, is_lost, picture_unmark_and_drop, w);
}

/* The entries of another policy have other numbers. */
static void retell_born(struct watcher *w)
{
	struct node *node;

	TAILQ_FOREACH (node, &w->tree.all, all) {
		if (!node->born || node->watch == born_watch(w, node))
			continue;
		node->watch = born_watch(w, node);
		picture_tell(w, node, false);
	}
}

void watcher_apply(struct watcher *w, const struct watchset *set, int root)
{
	const uint64_t moved = w->ops->names_moved(w->userdata);

	w->set = set;
	w->generation++;
	w->bounded = w->deep = false;
	w->unsure = false;
	w->nr_missed = 0;
	walk_begin(w);

	w->applying = true;
	if (watchset_nr_states(set)) {
		struct node *node = walk_mark_dir(w, NULL, "", root, watchset_root(set), BY_WALK);

		if (node)
			walk_dir(w, node, root, 0, 0);
	}
	w->applying = false;
	apart_settle(w);
	w->disturbed = w->unsure || w->ops->names_moved(w->userdata) != moved;
	unfound_settle(w);
	retell_born(w);
}

struct watch_target watcher_target(const struct watcher *w, const char *path)
{
	struct watch_target target = {.state = w->set ? watchset_root(w->set) : 0};
	char name[NAME_MAX + 1];
	int r;

	while ((r = reach_next(&path, name)) > 0) {
		if (!target.state)
			return (struct watch_target){};
		target = watchset_step(w->set, target.state, (struct span){name, (size_t)r});
	}
	if (r < 0)
		return (struct watch_target){};
	return target;
}

bool watcher_leads(const struct watcher *w, const char *path)
{
	const struct watch_target target = watcher_target(w, path);

	return target.state || target.watch;
}
