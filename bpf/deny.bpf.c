// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * `mode: deny`: an open of a marked file is refused to whoever is not known to be allowed.
 *
 * The questions, in order. Is the file of a group that is in force, and is this what the group
 * denies? Is it the daemon, or its child? Is what runs one of the executables that the policy
 * allows, as user space has verified them, with nobody else's code in it and in nobody's hands? Yes
 * to one of the last two, or no to the first: the open goes on. All that is not known is a no, and
 * the open fails with EACCES, as it would by the file's mode; EPERM would say that nobody can.
 *
 * Attached only while the policy has such an entry. It then tells of all opens of marked files in
 * place of on_file_open, which cannot know how this one decides: as a tracing program that comes
 * before, as an LSM program it may come behind, and not at all.
 *
 * A tracing program that modifies the return value may be attached to functions called security_*
 * (since 5.7), whatever `lsm=` says. Where the kernel can be preempted it may be skipped, so from
 * 6.2 on it is an LSM program if BPF is among those that are active: user/sensor/hooks.c.
 */
#include "access.h"
#include "identity.h"
#include "taint.h"

#define EACCES 13

/* Written by user space only. Those of two policies are there at once while one replaces the other.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2 * PERMITS_MAX);
	__type(key, struct permit_key);
	__type(value, struct permit_value);
	__uint(map_flags, BPF_F_NO_PREALLOC);
} permits SEC(".maps");

/*
 * What the open is for, as DENY_*. Who has made the file by it finds nothing in it to read. To
 * empty it is to write, whatever it is opened for.
 */
static __always_inline kt_u32 asked_for(struct file *file)
{
	kt_u32 mode = BPF_CORE_READ(file, f_mode), asked = 0;

	if (mode & FMODE_READ && !(mode & FMODE_CREATED))
		asked |= DENY_READ;
	if (mode & FMODE_WRITE ||
	    (BPF_CORE_READ(file, f_flags) & O_TRUNC && !(mode & FMODE_CREATED)))
		asked |= DENY_WRITE;
	return asked;
}

/* What the current image may do to files of a group, as DENY_*. */
__noinline kt_u32 permitted(kt_u32 group)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct inode *exe = BPF_CORE_READ(task, mm, exe_file, f_inode);
	struct permit_key key = {.group = group};
	struct permit_value *value;
	kt_u32 may;

	key.ino = BPF_CORE_READ(exe, i_ino);
	key.dev = BPF_CORE_READ(exe, i_sb, s_dev);
	key.gen = BPF_CORE_READ(exe, i_generation);
	value = bpf_map_lookup_elem(&permits, &key);
	if (!value)
		return 0;
	may = value->may;
	if (may & PERMIT_PAST && BPF_CORE_READ(exe, i_nlink) &&
	    BPF_CORE_READ(task, group_leader, start_boottime) >= value->before)
		return 0;
	/* Verified it was; its owner and mode may have changed since. */
	if (BPF_CORE_READ(exe, i_uid.val) || BPF_CORE_READ(exe, i_mode) & S_IWOTH)
		return 0;
	return taint_of((kt_u64)task) ? 0 : may;
}

/*
 * On btrfs a file in another subvolume may have the number of a marked one: there a generation that
 * is not the marked one's means a stranger. Elsewhere the file's owner may have set it (ext4).
 */
static __always_inline int is_another(struct inode *inode, kt_u32 gen, kt_u32 dev)
{
	return BPF_CORE_READ(inode, i_sb, s_magic) == MAGIC_BTRFS &&
	       is_stranger((kt_u64)inode, gen, dev);
}

/* Returns 1 if the open is refused, which is told by then, as is one that is not. */
__noinline int deny_open(kt_u64 file_addr)
{
	kt_u64 task = bpf_get_current_task();
	struct file *file = (void *)file_addr;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct mark *found, mark;
	kt_u32 group, denied;
	struct mark_key key;

	mark_key_of(&key, inode);
	found = bpf_map_lookup_elem(&marks, &key);
	if (!found || !(found->flags & MARK_FILE))
		return 0;
	/* A removed mark's memory is given to another inode's at once. */
	mark = *found;
	group = (mark.flags & MARK_GROUP) >> MARK_GROUP_SHIFT;
	denied = group ? deny_groups[group & (DENY_GROUPS - 1)] & asked_for(file) : 0;
	if (!denied || is_ours(task, mark.object) || is_told_above(file_addr, WIRE_HOW_OPEN) ||
	    is_another(inode, mark.gen, key.dev) || !(denied & ~permitted(group))) {
		report_access(file_addr, task, WIRE_HOW_OPEN, 0, -1);
		return 0;
	}
	report_denied(file_addr, mark.object);
	return 1;
}

/* The daemon's opens that mark were seen by on_file_open; is_ours() lets them pass. */
SEC("fmod_ret/security_file_open")
int BPF_PROG(on_deny_open, struct file *file)
{
	if (!filter_test(file->f_inode) || !deny_live)
		return 0;
	return deny_open(addr_of(file)) ? -EACCES : 0;
}
