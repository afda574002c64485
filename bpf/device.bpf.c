// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The block device under a file system: who opens that reads every key on it, and no file is
 * opened.
 *
 * The device is known by its number, so it does not matter by which node, or by whose mknod. This
 * is asked where block devices are opened and nowhere else: other opens do not pay for it.
 */
#include "access.h"
#include "identity.h"

SEC("fentry/blkdev_open")
int BPF_PROG(on_blkdev_open, struct inode *inode, struct file *file)
{
	/* The node's inode: with stacked file systems `inode` can be another one. */
	struct inode *node = file->f_inode;

	if (report_access(addr_of(file), bpf_get_current_task(), WIRE_HOW_OPEN, 0, -1))
		/* From here on this node's descriptors are found wherever files' are. */
		filter[filter_slot(node->i_ino, node->i_sb->s_dev) & (FILTER_SIZE - 1)] = 1;
	return 0;
}
