/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * What has got into a process image that is not of its executable: code that others than root can
 * change, and the hands of a tracer. Whatever the executable is, such an image does not count as
 * it. Nor does one that says itself which executable it is of.
 *
 * Kept for an image (exec makes a new one), since what was mapped may be unmapped again, and who
 * traced may be gone, while what they did stays. A child that is forked has it too. What is asked
 * at each fork, exec and exit is a counter; only mappings and tracers of a kind that hardly any
 * process has come to a map.
 */
#pragma once

#include "state.h"

struct taint {
	kt_u64 start; /* start_boottime of the leader */
	kt_u64 exec_id; /* self_exec_id: of this image */
	/* Bytes, that two CPUs may set at once: BPF before 5.12 has no atomic or. */
	kt_u8 mapped; /* WIRE_TAINT_MAPPED */
	kt_u8 traced; /* WIRE_TAINT_TRACED */
	kt_u8 disguised; /* WIRE_TAINT_DISGUISED */
	kt_u8 pad[5];
};

/* Never LRU: to forget one is to trust it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 32768);
	__type(key, kt_u32); /* tgid */
	__type(value, struct taint);
} taints __weak SEC(".maps");

/* How many there are with a tgid that ends in these bits: 0 = surely none. */
#define TAINT_SLOT_BITS 14
#define TAINT_SLOTS	(1U << TAINT_SLOT_BITS)

extern kt_u32 taint_slots[TAINT_SLOTS];

/*
 * The process of such a tgid that found no room in the table, until its next exec or its end; 0 =
 * none. TAINT_LOST_ANY: there were several at a time, and from then on each process of these bits
 * is taken for one. So who fills the table gets nobody, himself least, taken for clean.
 */
#define TAINT_LOST_ANY ((kt_u32)-1)

extern kt_u32 taint_lost[TAINT_SLOTS];

/* Numbers for pointers, here and below: see access.h. */

/*
 * WIRE_TAINT_* of a task's image at this moment, a tracer that is attached now included; and of the
 * process that its memory belongs to, if that is another one: who shares it, or a kernel thread
 * that works for it (io_uring before 5.12).
 */
kt_u32 taint_of(kt_u64 task);
/* The process of `task` has mapped the file of `inode` to run what stands in it. */
int taint_mapped(kt_u64 task, kt_u64 inode);
/* The process of `task` sets which executable it is of. */
int taint_disguised(kt_u64 task);
/* The current process has a new image. */
int taint_exec(void);
/* Two processes, the second one just forked by the first. */
int taint_fork(kt_u32 parent_tgid, kt_u32 child_tgid, kt_u64 child);

/* False: surely none. */
static __always_inline int taint_test(kt_u32 tgid)
{
	kt_u32 slot = tgid & (TAINT_SLOTS - 1);

	return taint_slots[slot] || taint_lost[slot];
}

static __always_inline int taint_is_lost(kt_u32 tgid)
{
	kt_u32 lost = taint_lost[tgid & (TAINT_SLOTS - 1)];

	return lost == tgid || lost == TAINT_LOST_ANY;
}

static __always_inline void taint_lose(kt_u32 tgid)
{
	kt_u32 slot = tgid & (TAINT_SLOTS - 1), lost = taint_lost[slot];

	taint_lost[slot] = !lost || lost == tgid ? tgid : TAINT_LOST_ANY;
}

static __always_inline void taint_count(kt_u32 tgid, int by)
{
	__sync_fetch_and_add(&taint_slots[tgid & (TAINT_SLOTS - 1)], by);
}

static __always_inline void taint_end(kt_u32 tgid)
{
	kt_u32 slot = tgid & (TAINT_SLOTS - 1);

	if (!taint_test(tgid))
		return;
	if (!bpf_map_delete_elem(&taints, &tgid))
		taint_count(tgid, -1);
	if (taint_lost[slot] == tgid)
		taint_lost[slot] = 0;
}

/*
 * A list of who may shows its mask as the group's mode, whoever it names. Only a list that is known
 * not to be there (NULL) is none. tmpfs, btrfs and XFS know that of an inode without attributes;
 * ext4 only once somebody but the owner has asked to open it (check_acl() in fs/namei.c is what
 * looks), overlayfs and FUSE never. What is not known counts as a list.
 */
static __always_inline int has_list(struct inode *inode)
{
	return bpf_core_field_exists(inode->i_acl) && BPF_CORE_READ(inode, i_acl);
}

/*
 * Whether others than root can change what stands in a regular file. What has no name can be
 * reached by nobody but who has it open, whatever its mode says: there the owner counts. `inode` as
 * in filter_test().
 */
static __always_inline int others_can_change(struct inode *inode)
{
	kt_u32 mode = inode->i_mode;

	if ((mode & S_IFMT) != S_IFREG)
		return 0;
	if (inode->i_uid.val)
		return 1;
	if (!(mode & (S_IWGRP | S_IWOTH)) || !inode->i_nlink)
		return 0;
	return mode & S_IWOTH || inode->i_gid.val || has_list(inode);
}

/*
 * The same of what is mapped. Whose a file of a FUSE server is, the server says; a user's mounts
 * (fusermount3) are known by MNT_NOSUID, which it always sets and which a system's own file system
 * on FUSE (virtiofs) has not. Overlayfs hands on what its layer says, such a server's too, so what
 * somebody has mounted in a user namespace of his is never root's. Both are asked, the file's own
 * file system and that of its mount: before 6.8 a mapping of overlayfs has the layer's inode with
 * the mount of overlayfs.
 */
static __always_inline int others_can_change_code(struct file *file)
{
	struct inode *inode = file->f_inode;
	struct super_block *sb = inode->i_sb;
	struct vfsmount *mnt = file->f_path.mnt;

	if (others_can_change(inode))
		return 1;
	if (sb->s_user_ns->level || mnt->mnt_sb->s_user_ns->level)
		return 1;
	return sb->s_magic == MAGIC_FUSE && mnt->mnt_flags & MNT_NOSUID;
}
