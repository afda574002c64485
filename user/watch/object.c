// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens what stands where an object is known to stand, if it is the object. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "watch/watcher-internal.h"

/* Of directories the number is enough: who owns one can change its generation. */
static bool is_object(const struct node *node, const struct inode_id *inodes, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (inode_id_same(&node->inode, &inodes[i]) &&
		    (node->is_dir || node->inode.gen == inodes[i].gen))
			return true;
	return false;
}

int place_open(const struct watcher *w, int at, bool dir, struct inode_id *out_inodes,
	       size_t *out_nr)
{
	char self[REACH_SELF_MAX];
	struct stat st;

	if (fstat(at, &st) < 0)
		return -errno;
	if (dir ? !S_ISDIR(st.st_mode) : !S_ISREG(st.st_mode))
		return -EINVAL;
	return w->ops->open(w->userdata, reach_self(at, self), out_inodes, PLACE_INODES_MAX,
			    out_nr);
}

int node_reach(struct watcher *w, const struct node *node, const char *suffix)
{
	const size_t more = strlen(suffix) + 1;
	char path[PATH_MAX];
	bool links = false;
	int len = tree_path(node, path, sizeof(path));

	if (len < 0)
		return len;
	if ((size_t)len + more > sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path + len, suffix, more);
	for (const struct node *up = node; up; up = up->parent)
		links |= up->by_link;
	return reach_path(&w->reach, path, links);
}

/*
 * By what the kernel says it is: stat() has other numbers on some overlays, and another file may
 * have the same (btrfs, a mount). Only of what cannot be opened (a socket, a file with a lease) is
 * the number asked that stat() tells.
 */
bool node_stands_at(const struct watcher *w, const struct node *node, int at)
{
	struct inode_id inodes[PLACE_INODES_MAX];
	_cleanup_close_ int fd = -1;
	struct stat st;
	size_t nr;

	fd = place_open(w, at, node->is_dir, inodes, &nr);
	if (fd >= 0)
		return is_object(node, inodes, nr);
	return fstat(at, &st) == 0 && st.st_ino == node->inode.ino;
}

int node_open(struct watcher *w, const struct node *node)
{
	/* It would be found on the way, too, but at some cost for each event. */
	_cleanup_close_ int at = node->apart && !w->find ? -EREMOTE : node_reach(w, node, "");
	struct inode_id inodes[PLACE_INODES_MAX];
	_cleanup_close_ int fd = -1;
	size_t nr;

	if (at < 0)
		return at;
	fd = place_open(w, at, node->is_dir, inodes, &nr);
	if (fd < 0)
		return fd;
	return is_object(node, inodes, nr) ? take_fd(fd) : -ESTALE;
}
