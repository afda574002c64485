// SPDX-License-Identifier: GPL-2.0-or-later
/* Dumps that are watched for what they are: no walk leads to them, and no name. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "watch/watcher-internal.h"

void watcher_set_dump_watch(struct watcher *w, uint32_t watch)
{
	w->dump_watch = watch;
}

static int add_dump(struct watcher *w, uint64_t object, const struct inode_id *inode,
		    const char *path)
{
	struct node *node;

	if (w->nr_dumps >= WATCHER_DUMPS_MAX)
		return -ENOSPC;
	node = tree_add_apart(&w->tree, object, path);
	if (!node)
		return -ENOMEM;
	w->nr_dumps++;
	tree_set_inode(&w->tree, node, inode);
	node->watch = w->dump_watch;
	node->born = BORN_DUMP;
	picture_tell(w, node, true);
	return 0;
}

static void dump_problem(struct watcher *w, const char *path, int error)
{
	const struct node apart = {.name = (char *)""};

	picture_problem(w, &apart, path + strspn(path, "/"), error);
}

/* The kernel side has marked a file into which a dump is being written. */
void born_event(struct watcher *w, const struct event_mark *m)
{
	char path[PATH_MAX];
	int r = -ENOENT;

	if (tree_find(&w->tree, m->object))
		return;
	snprintf(path, sizeof(path), "%.*s", (int)m->path.len, m->path.len ? m->path.p : "");
	if (w->dump_watch)
		r = add_dump(w, m->object, &m->inode, path);
	if (r < 0) {
		w->ops->unmark(w->userdata, &m->inode, m->object);
		dump_problem(w, path, r);
	}
}

int watcher_add_dump(struct watcher *w, int fd, const char *path, uint64_t *out_object)
{
	struct mark mark = {
		.object = tree_number(&w->tree),
		.watch = w->dump_watch,
		.flags = MARK_FILE | MARK_FOLLOW | MARK_KEEP,
	};
	struct inode_id inode;
	char self[64];
	int r;

	if (!w->dump_watch)
		return -ENOENT;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", fd);
	r = w->ops->mark(w->userdata, AT_FDCWD, self, &mark, &inode);
	if (!r && !tree_find(&w->tree, mark.object)) {
		r = add_dump(w, mark.object, &inode, path);
		if (r < 0)
			w->ops->unmark(w->userdata, &inode, mark.object);
	}
	if (r < 0) {
		dump_problem(w, path, r);
		return r;
	}
	*out_object = mark.object;
	return 0;
}

void watcher_name_born(struct watcher *w, uint64_t object, const char *path)
{
	struct node *node = tree_find(&w->tree, object);

	if (!node || (node->born != BORN_DUMP && node->born != BORN_COPY) ||
	    !strcmp(node->name, path))
		return;
	if (tree_rename_apart(node, path) < 0)
		dump_problem(w, path, -ENOMEM);
	else
		picture_tell(w, node, true);
}

/*
 * A file that is watched for what it is has another name, which is watched for nothing. The kernel
 * side tells the last name only, so it is found beside the one that it had: where what is written
 * under a name of its own is moved to (zip, rsync). Elsewhere it keeps its old one.
 */
void born_moved(struct watcher *w, const struct event_mark *m)
{
	struct node *node = tree_find(&w->tree, m->object);
	const char *last = node ? strrchr(node->name, '/') : NULL;
	_cleanup_close_ int at = -1;
	char path[PATH_MAX];
	size_t dir;

	if (!last || (node->born != BORN_DUMP && node->born != BORN_COPY))
		return;
	dir = (size_t)(last + 1 - node->name);
	if (!m->path.len || dir + m->path.len >= sizeof(path))
		return;
	memcpy(path, node->name, dir);
	memcpy(path + dir, m->path.p, m->path.len);
	path[dir + m->path.len] = '\0';
	at = reach_path(&w->reach, path, false);
	if (at >= 0 && node_stands_at(w, node, at))
		watcher_name_born(w, m->object, path);
}

void watcher_drop_dump(struct watcher *w, uint64_t object)
{
	struct node *node = tree_find(&w->tree, object);

	if (!node || node->born != BORN_DUMP)
		return;
	w->ops->unmark(w->userdata, &node->inode, object);
	picture_end(w, node);
}
