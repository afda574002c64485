// SPDX-License-Identifier: GPL-2.0-or-later
/* Keys that are watched for what they are, under names that no pattern knows; copies of keys. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
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

void watcher_set_copy_watch(struct watcher *w, uint32_t watch)
{
	w->copy_watch = watch;
}

static struct found_owner *find_owner(const struct watcher *w, uint32_t uid)
{
	struct found_owner *owner;

	HASH_FIND(hh, w->found_owners, &uid, sizeof(uid), owner);
	return owner;
}

static enum found_what what_of(enum born born)
{
	return born == BORN_COPY ? FOUND_COPIES : FOUND_KEYS;
}

static int charge(struct watcher *w, uint32_t uid, enum found_what what)
{
	struct found_owner *owner = find_owner(w, uid);

	if (!owner) {
		owner = calloc(1, sizeof(*owner));
		if (!owner)
			return -ENOMEM;
		owner->uid = uid;
		HASH_ADD(hh, w->found_owners, uid, sizeof(owner->uid), owner);
	}
	owner->nr[what]++;
	w->nr_found[what]++;
	return 0;
}

void found_uncharge(struct watcher *w, const struct node *node)
{
	struct found_owner *owner = find_owner(w, node->owner);
	const enum found_what what = what_of(node->born);

	w->nr_found[what]--;
	if (!owner)
		return;
	owner->nr[what]--;
	if (!owner->nr[FOUND_KEYS] && !owner->nr[FOUND_COPIES]) {
		HASH_DEL(w->found_owners, owner);
		free(owner);
	}
}

void found_fini(struct watcher *w)
{
	struct found_owner *owner, *tmp;

	HASH_ITER(hh, w->found_owners, owner, tmp)
	{
		HASH_DEL(w->found_owners, owner);
		free(owner);
	}
}

static int room(const struct watcher *w, uint32_t uid, enum found_what what)
{
	const struct found_owner *owner = find_owner(w, uid);

	if (w->nr_found[what] >= WATCHER_FOUND_MAX)
		return -ENOSPC;
	return owner && owner->nr[what] >= WATCHER_FOUND_OWNER_MAX ? -EDQUOT : 0;
}

int watcher_found_room(const struct watcher *w, uint32_t uid)
{
	return room(w, uid, FOUND_KEYS);
}

static struct node *find_inode(const struct watcher *w, const struct inode_id *inodes, size_t nr)
{
	struct node *node = NULL;

	for (size_t i = 0; i < nr && !node; i++)
		node = tree_find_inode(&w->tree, &inodes[i]);
	return node;
}

/* Known by another name by now. */
static void rename_found(struct watcher *w, struct node *node, const char *path)
{
	if ((node->born != BORN_FOUND && node->born != BORN_COPY) || !strcmp(node->name, path))
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

static int add(struct watcher *w, int fd, const char *path, uint32_t owner, enum born born,
	       uint32_t watch, uint64_t *out_object)
{
	struct mark mark = {
		.object = tree_number(&w->tree),
		.watch = watch,
		.flags = MARK_FILE | MARK_FOLLOW | MARK_KEEP,
	};
	char self[REACH_SELF_MAX];
	struct inode_id inode;
	struct node *node;
	int r;

	if (!watch)
		return -ENOENT;
	r = room(w, owner, what_of(born));
	if (r < 0)
		return r;
	r = w->ops->mark(w->userdata, AT_FDCWD, reach_self(fd, self), &mark, &inode);
	if (r < 0)
		return r;
	if (tree_find(&w->tree, mark.object)) { /* it has got a watched name meanwhile */
		*out_object = mark.object;
		return 0;
	}
	node = tree_add_apart(&w->tree, mark.object, path);
	if (!node || charge(w, owner, what_of(born)) < 0) {
		w->ops->unmark(w->userdata, &inode, mark.object);
		if (node)
			tree_remove(&w->tree, node);
		return -ENOMEM;
	}
	tree_set_inode(&w->tree, node, &inode);
	node->owner = owner;
	node->watch = watch;
	node->born = born;
	picture_tell(w, node, true);
	*out_object = mark.object;
	return 0;
}

int watcher_add_found(struct watcher *w, int fd, const char *path, uint32_t owner)
{
	uint64_t object;

	return add(w, fd, path, owner, BORN_FOUND, w->found_watch, &object);
}

bool watcher_copy_wanted(const struct watcher *w, const struct inode_id *inode,
			 uint64_t *out_object)
{
	const struct node *node = tree_find_inode(&w->tree, inode);

	if (!w->copy_watch || (node && node->watch && node->born != BORN_COPY))
		return false;
	*out_object = node && node->watch ? node->object : 0;
	return true;
}

int watcher_add_copy(struct watcher *w, int fd, const char *path, uint32_t owner,
		     uint64_t *out_object)
{
	return add(w, fd, path, owner, BORN_COPY, w->copy_watch, out_object);
}

static void drop(struct watcher *w, uint64_t object, enum born born)
{
	struct node *node = tree_find(&w->tree, object);

	if (!node || node->born != born)
		return;
	w->ops->unmark(w->userdata, &node->inode, object);
	picture_end(w, node);
}

void watcher_drop_copy(struct watcher *w, uint64_t object)
{
	drop(w, object, BORN_COPY);
}

void watcher_drop_found(struct watcher *w, uint64_t object)
{
	drop(w, object, BORN_FOUND);
}
