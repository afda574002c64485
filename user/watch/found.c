// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys that are watched for what they are, under names that no pattern knows. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "watch/watcher-internal.h"

#define INODES_MAX 4 /* that one open goes through */

void watcher_set_found_watch(struct watcher *w, uint32_t watch)
{
	w->found_watch = watch;
}

/* Seldom enough for a walk through all. */
static struct node *find_inode(const struct watcher *w, const struct inode_id *inodes, size_t nr)
{
	for (struct node *node = w->tree.nodes; node; node = node->hh.next)
		for (size_t i = 0; i < nr && !node->is_dir; i++)
			if (inode_id_same(&node->inode, &inodes[i]))
				return node;
	return NULL;
}

/* Known by another name by now. */
static void rename_found(struct watcher *w, struct node *node, const char *path)
{
	if (node->born != BORN_FOUND || !strcmp(node->name, path))
		return;
	if (tree_rename_apart(node, path) == 0)
		picture_tell(w, node, true);
}

int watcher_open_found(struct watcher *w, const char *path, uint64_t dev, uint64_t ino)
{
	_cleanup_close_ int at = reach_path(&w->reach, path, false), fd = -1;
	struct inode_id inodes[INODES_MAX];
	char self[REACH_SELF_MAX];
	struct node *node;
	struct stat st;
	size_t nr;

	if (at < 0)
		return at;
	if (fstat(at, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if (st.st_dev != dev || st.st_ino != ino)
		return -ESTALE;
	fd = w->ops->open(w->userdata, reach_self(at, self), inodes, INODES_MAX, &nr);
	if (fd < 0)
		return fd;
	node = find_inode(w, inodes, nr);
	if (!node)
		return take_fd(fd);
	rename_found(w, node, path);
	return -EEXIST;
}

int watcher_add_found(struct watcher *w, int fd, const char *path)
{
	struct mark mark = {
		.object = tree_number(&w->tree),
		.watch = w->found_watch,
		.flags = MARK_FILE | MARK_FOLLOW | MARK_KEEP,
	};
	char self[REACH_SELF_MAX];
	struct inode_id inode;
	struct node *node;
	int r;

	if (!w->found_watch)
		return -ENOENT;
	if (w->nr_found >= WATCHER_FOUND_MAX)
		return -ENOSPC;
	r = w->ops->mark(w->userdata, AT_FDCWD, reach_self(fd, self), &mark, &inode);
	if (r < 0)
		return r;
	if (tree_find(&w->tree, mark.object))
		return 0; /* it has got a watched name meanwhile */
	node = tree_add_apart(&w->tree, mark.object, path);
	if (!node) {
		w->ops->unmark(w->userdata, &inode);
		return -ENOMEM;
	}
	w->nr_found++;
	node->inode = inode;
	node->watch = w->found_watch;
	node->born = BORN_FOUND;
	picture_tell(w, node, true);
	return 0;
}

void watcher_drop_found(struct watcher *w, uint64_t object)
{
	struct node *node = tree_find(&w->tree, object);

	if (!node || node->born != BORN_FOUND)
		return;
	w->ops->unmark(w->userdata, &node->inode);
	picture_end(w, node);
}
