// SPDX-License-Identifier: GPL-2.0-or-later
/* Opens a watched object for who wants to read it, and what stands beside it. */
#include <errno.h>

#include "base/cleanup.h"
#include "watch/watcher-internal.h"

int watcher_open(struct watcher *w, uint64_t object, const char *suffix, int *out_sibling)
{
	const struct node *node = tree_find(&w->tree, object);
	int fd = !node ? -ENOENT : node->is_dir ? -EISDIR : node_open(w, node);

	if (fd >= 0 && suffix && out_sibling) {
		_cleanup_close_ int at = node_reach(w, node, suffix);
		struct inode_id inodes[PLACE_INODES_MAX];
		size_t nr;
		int sibling = at < 0 ? at : place_open(w, at, false, inodes, &nr);

		*out_sibling = sibling < 0 ? -1 : sibling;
	}
	return fd;
}
