// SPDX-License-Identifier: GPL-2.0-or-later
/* The picture: which objects are known, by which name and entry, and what could not be marked. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/escape.h"
#include "watch/watcher-internal.h"

void picture_tell(struct watcher *w, const struct node *node, bool fresh)
{
	char path[PATH_MAX];
	struct watched watched = {
		.object = node->object,
		.inode = node->inode,
		.path = path,
		.watch = node->watch,
		.fresh = fresh,
	};

	if (w->find || node->is_dir || tree_path(node, path, sizeof(path)) < 0)
		return;
	w->ops->object(w->userdata, &watched);
}

void picture_problem(struct watcher *w, const struct node *dir, const char *name, int error)
{
	/* Gone between the look and the mark: that is what the kernel side is for. */
	if (error == -ENOENT)
		return;
	/* Counted by the kernel side, by user: one with too many files must not hide the others. */
	if (error == -EDQUOT)
		return;
	/* There is something there, which this walk has not seen (a lease on it, no descriptor
	 * left): it does not know what is gone. */
	if (error != -ENOTDIR)
		w->unsure = true;
	picture_left_out(w, dir, name, error);
}

void picture_left_out(struct watcher *w, const struct node *dir, const char *name, int error)
{
	struct watcher_problem *p;
	char path[PATH_MAX];
	size_t len;

	w->all_problems++;
	if (w->find) {
		apart_find(w, dir, name, NULL, NULL, BY_WALK, error);
		return;
	}
	if (w->nr_problems == WATCHER_PROBLEMS_MAX)
		memmove(&w->problems[0], &w->problems[1], --w->nr_problems * sizeof(*p));
	p = &w->problems[w->nr_problems++];
	if (tree_path(dir, path, sizeof(path)) < 0)
		path[0] = '\0';
	len = strlen(path);
	snprintf(path + len, sizeof(path) - len, "/%s", name);
	escape_bytes(path, strlen(path), p->path, sizeof(p->path), NULL);
	p->error = error;
}

/* The path of what is called `name` in a directory. -ENAMETOOLONG. */
int picture_path(const struct node *dir, const char *name, char *out, size_t size)
{
	int len = tree_path(dir, out, size), more;

	if (len < 0)
		return len;
	if (len == 1) /* the root */
		len = 0;
	more = snprintf(out + len, size - (size_t)len, "/%s", name);
	return (size_t)(len + more) < size ? len + more : -ENAMETOOLONG;
}

/* What is called so lies on a file system that may not answer. */
void picture_apart(struct watcher *w, const struct node *dir, const char *name)
{
	char path[PATH_MAX];

	if (picture_path(dir, name, path, sizeof(path)) >= 0)
		w->ops->apart(w->userdata, path);
}

/* No longer watched for what it is. */
static void picture_grown_up(struct watcher *w, struct node *node)
{
	w->nr_dumps -= node->born == BORN_DUMP;
	if (node->born == BORN_FOUND || node->born == BORN_COPY)
		found_uncharge(w, node);
	node->born = BORN_NOT;
}

void picture_drop(void *userdata, struct node *node)
{
	struct watcher *w = userdata;

	picture_grown_up(w, node);
	node->watch = 0;
	picture_tell(w, node, false);
}

void picture_unmark_and_drop(void *userdata, struct node *node)
{
	struct watcher *w = userdata;

	w->ops->unmark(w->userdata, &node->inode, node->object);
	picture_drop(w, node);
}

/*
 * The name that it is known by is another one and still there. A name on a file system that may not
 * answer is taken to be.
 */
static bool stands_elsewhere(const struct watcher *w, const struct node *node,
			     const struct node *dir, const char *name)
{
	_cleanup_close_ int at = -1;
	char path[PATH_MAX];

	if ((node->parent == dir && !strcmp(node->name, name)) ||
	    tree_path(node, path, sizeof(path)) < 0)
		return false;
	at = reach_path(&w->reach, path, false);
	return at < 0 ? at == -EREMOTE : node_stands_at(w, node, at);
}

/*
 * Whether an object that is known keeps its name and entry against this one. Of several entries the
 * one written first counts, so that a second name never brings a file under a rule that its reader
 * likes better; and no symbolic link takes over what is known otherwise.
 *
 * A walk of everything comes by all names, and may be for a policy whose entries have other
 * numbers. One of a part may come by the second name alone, and who made that can have such a walk
 * begin.
 */
static bool keeps(const struct watcher *w, const struct node *node, const struct node *dir,
		  const char *name, enum found found, uint32_t watch)
{
	if (node->born)
		return found == BY_LINK;
	if (node->is_dir)
		return found == BY_LINK && !node->by_link;
	switch (found) {
	case BY_LINK: /* what a walk of everything has not met otherwise may have another entry */
		return !w->applying || node->generation == w->generation;
	case BY_WALK: /* in an earlier walk: names of then may be gone */
		return !node->by_link && node->watch <= watch &&
		       (node->generation == w->generation ||
			(!w->applying && !w->find && stands_elsewhere(w, node, dir, name)));
	case BY_RENAME:
	case BY_HARD_LINK:
		return !node->by_link && node->watch <= watch;
	}
	return true;
}

/* The object that was just marked gets its place in the tree. NULL: no memory. */
struct node *picture_place(struct watcher *w, struct node *dir, const char *name,
			   const struct mark *mark, const struct inode_id *inode, enum found found)
{
	struct node *node = tree_find(&w->tree, mark->object);
	bool fresh = !node, renamed, other = false;

	if (!node) {
		node = tree_add(&w->tree, mark->object, dir, name);
		if (!node) {
			picture_problem(w, dir, name, -ENOMEM);
			return NULL;
		}
		node->watch = mark->watch;
		node->by_link = found == BY_LINK;
	} else {
		bool kept = keeps(w, node, dir, name, found, mark->watch);

		/* A renamed file has lost its old name, whatever rule it stays under. */
		renamed = (!kept || found == BY_RENAME) &&
			  (node->parent != dir || strcmp(node->name, name));
		if (renamed && tree_move(&w->tree, node, dir, name) < 0)
			picture_problem(w, dir, name, -ENOMEM);
		fresh = renamed || (!kept && node->watch != mark->watch);
		other = kept && node->watch != mark->watch;
		if (!kept) {
			picture_grown_up(w, node);
			node->watch = mark->watch;
			node->by_link = found == BY_LINK;
		}
	}
	node->is_dir = mark->flags & MARK_DIR;
	tree_set_inode(&w->tree, node, inode);
	node->state = mark->state;
	node->generation = w->generation;
	node->missed = false;
	/* It was marked by this name, and is of the entry of the other. */
	if (other && !node->is_dir && !w->find && (found == BY_WALK || found == BY_LINK))
		w->ops->remark(w->userdata, inode, mark->object, node->state, node->watch);
	node->apart = dir && dir->apart ? w->apart : 0;
	if (w->find && dir)
		apart_find(w, dir, name, mark, inode, found, 0);
	if (fresh)
		picture_tell(w, node, true);
	return node;
}

void picture_end(struct watcher *w, struct node *node)
{
	picture_drop(w, node);
	tree_remove(&w->tree, node);
}

int watcher_path(const struct watcher *w, uint64_t object, char *out, size_t size)
{
	const struct node *node = tree_find(&w->tree, object);

	return node ? tree_path(node, out, size) : -ENOENT;
}

int watcher_lookup(const struct watcher *w, uint64_t object, struct watched *out_watched,
		   char *path, size_t size)
{
	const struct node *node = tree_find(&w->tree, object);
	int r = node && !node->is_dir ? tree_path(node, path, size) : -ENOENT;

	if (r < 0)
		return r;
	*out_watched = (struct watched){.object = node->object,
					.inode = node->inode,
					.path = path,
					.watch = node->watch};
	return 0;
}

uint32_t watcher_watch(const struct watcher *w, uint64_t object)
{
	const struct node *node = tree_find(&w->tree, object);

	return node && !node->is_dir ? node->watch : 0;
}

struct each_call {
	void (*call)(void *userdata, const struct watched *watched);
	void *userdata;
};

static void call_each(void *userdata, const struct node *node)
{
	struct each_call *each = userdata;
	char path[PATH_MAX];
	struct watched watched = {.object = node->object,
				  .inode = node->inode,
				  .path = path,
				  .watch = node->watch};

	if (!node->is_dir && tree_path(node, path, sizeof(path)) >= 0)
		each->call(each->userdata, &watched);
}

void watcher_each(struct watcher *w, void (*call)(void *userdata, const struct watched *watched),
		  void *userdata)
{
	struct each_call each = {call, userdata};

	tree_each(&w->tree, call_each, &each);
}

static void count_node(void *userdata, const struct node *node)
{
	struct watcher_stats *s = userdata;

	if (node->is_dir)
		s->directories++;
	else
		s->files++;
	s->dumps += node->born == BORN_DUMP;
	s->found += node->born == BORN_FOUND;
	s->copies += node->born == BORN_COPY;
}

void watcher_stats(const struct watcher *w, struct watcher_stats *out_stats)
{
	struct watcher_stats s = {.visited = w->visited,
				  .problems = w->all_problems,
				  .missed = w->nr_missed,
				  .disturbed = w->disturbed,
				  .bounded = w->bounded || w->deep};

	tree_each(&w->tree, count_node, &s);
	*out_stats = s;
}

size_t watcher_problems(const struct watcher *w, const struct watcher_problem **out_first)
{
	*out_first = w->problems;
	return w->nr_problems;
}
