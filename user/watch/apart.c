// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * File systems that may not answer: walked by a child with a copy of the watcher, whose finds the
 * parent takes over. The parent itself never opens anything there. What appears later is told by
 * the kernel side, as everywhere; what a policy makes of what is known is worked out by name.
 */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "watch/watcher-internal.h"

/* Numbers of objects that a child may give. */
#define NUMBERS (1ULL << 32)

void watcher_begin_apart(struct watcher *w)
{
	w->apart++;
	w->tree.last_number += NUMBERS;
}

uint32_t watcher_apart_number(const struct watcher *w)
{
	return w->apart;
}

static bool enter(void *userdata, int fd)
{
	struct watcher *w = userdata;

	/* Only one way leads here; what is seen from here on lies behind it. */
	if (w->ops->answers && !w->ops->answers(w->userdata, fd))
		w->crossed = w->apart;
	return true;
}

bool watcher_walk_apart(struct watcher *w, const char *path,
			void (*find)(void *userdata, const struct watcher_find *find),
			void *userdata)
{
	const uint64_t problems = w->all_problems;

	w->tree.last_number -= NUMBERS;
	w->reach = (struct reach){enter, w};
	w->find = find;
	w->find_userdata = userdata;
	w->bounded = false;
	watcher_rescan(w, path);
	return w->all_problems == problems && !w->bounded;
}

void apart_find(struct watcher *w, const struct node *dir, const char *name,
		const struct mark *mark, const struct inode_id *inode, enum found found, int error)
{
	struct watcher_find find = {
		.dir = dir->object,
		.how = found,
		.apart = w->crossed,
		.error = error,
	};

	if (mark)
		find.mark = *mark;
	if (inode)
		find.inode = *inode;
	snprintf(find.name, sizeof(find.name), "%s", name);
	w->find(w->find_userdata, &find);
}

void watcher_take(struct watcher *w, const struct watcher_find *find)
{
	struct node *dir = tree_find(&w->tree, find->dir), *node;

	if (!dir)
		return; /* gone meanwhile, and with it what was found */
	if (find->error) {
		picture_problem(w, dir, find->name, find->error);
		return;
	}
	node = picture_place(w, dir, find->name, &find->mark, &find->inode, find->how);
	if (node)
		node->apart = find->apart;
	strays_note(w, find->mark.object);
}

struct seen {
	struct watcher *w;
	const char *path;
	uint32_t begun;
};

static bool is_unseen(void *userdata, const struct node *node)
{
	const struct seen *seen = userdata;
	size_t len = strlen(seen->path);
	char path[PATH_MAX];

	return node->apart && node->apart < seen->begun &&
	       tree_path(node, path, sizeof(path)) >= 0 && !strncmp(path, seen->path, len) &&
	       (!path[len] || path[len] == '/');
}

static void let_go(void *userdata, struct node *node)
{
	const struct seen *seen = userdata;

	seen->w->ops->unmark(seen->w->userdata, &node->inode, node->object);
	picture_drop(seen->w, node);
}

void watcher_seen_apart(struct watcher *w, const char *path, uint32_t begun)
{
	struct seen seen = {w, path, begun};

	tree_remove_if(&w->tree, is_unseen, let_go, &seen);
}

/* Where the set in force leads by this node's name; its parents come first. */
static void settle(struct watcher *w, struct node *node)
{
	struct watch_target target = {};
	const struct node *parent = node->parent;
	uint32_t watch;

	if (!node->apart || node->generation == w->generation)
		return;
	if (parent)
		settle(w, node->parent);
	node->generation = w->generation;
	if (parent && parent->generation == w->generation && parent->state)
		target = watchset_step(w->set, parent->state, span_of(node->name));
	watch = node->is_dir ? 0 : target.watch;
	node->state = node->is_dir ? target.state : 0;
	if (node->state || watch)
		w->ops->remark(w->userdata, &node->inode, node->object, node->state, watch);
	if (node->watch != watch && watch) {
		node->watch = watch;
		picture_tell(w, node, false);
	}
	node->watch = watch;
}

void apart_settle(struct watcher *w)
{
	struct node *node;

	TAILQ_FOREACH (node, &w->tree.all, all)
		settle(w, node);
}

bool apart_is_wanted(const struct node *node)
{
	return node->is_dir ? node->state : node->watch;
}
