// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Key and dump files: who opens one, is handed one, maps one, closes one after writing.
 *
 * All below the path look-up and below every system call that can do the deed. What these programs
 * cost a file that is not watched is what filter_test() costs.
 */
#include "access.h"
#include "copy.h"
#include "dump.h"
#include "identity.h"
#include "leave.h"
#include "record.h"
#include "taint.h"

/* Does with the inode as the slot says: the daemon has opened it with the marking flags. */
static __always_inline void marking_seen(struct marking_slot *slot, struct inode *inode)
{
	struct mark_key key = {};
	struct mark mark, *old;
	kt_u32 n = slot->nr;
	long err = 0;

	if (n < MARKING_INODES) {
		fill_inode(&slot->inode[n], inode);
		slot->nr = n + 1;
	}
	slot->size = inode->i_size;
	slot->mode = inode->i_mode;
	slot->nlink = inode->i_nlink;
	if (slot->op != MARKING_MARK)
		return;

	key.ino = inode->i_ino;
	key.dev = inode->i_sb->s_dev;
	mark = slot->mark;
	mark.flags &= MARK_LASTING;
	mark.gen = inode->i_generation;
	old = mark_find(key.ino, key.dev);
	/*
	 * A name that is walked by decides nothing about who is denied: sensor_regroup() does, when
	 * it is known which entry the file is of. Nor about what is beneath, which had no mark (it
	 * was copied up): by the first inode it is known which object's it is.
	 */
	if (old && old->gen == mark.gen) {
		mark.flags = (mark.flags & ~MARK_GROUP) | (old->flags & MARK_GROUP);
		if (!n && slot->mark.flags & MARK_KEEP) {
			slot->mark = *old;
			return;
		}
		if (!n) {
			slot->mark.object = mark.object = old->object;
			slot->mark.flags = mark.flags;
		}
	}
	err = mark_put(&key, &mark, addr_of(inode));
	if (err)
		slot->error = -err;
}

/* This thread's slot, if there is an order in it. */
static __always_inline struct marking_slot *marking_ours(void)
{
	kt_u32 tid = bpf_get_current_pid_tgid(), i;

	for (i = 0; i < MARKING_SLOTS; i++)
		if (marking[i].tid == tid && marking[i].op != MARKING_IDLE)
			break;
	barrier_var(i); /* the verifier has to see the comparison of what is the index then */
	return i < MARKING_SLOTS ? &marking[i] : 0;
}

/*
 * An open with the daemon's marking flags: if it is the daemon's, do as the slot says. Returns 1 if
 * it was. The comparison of flags comes first since it costs nothing on all other opens.
 */
static __always_inline int marking_open(struct file *file, struct inode *inode)
{
	struct marking_slot *slot;

	if ((file->f_flags & MARKING_FLAGS) != MARKING_FLAGS)
		return 0;
	slot = marking_ours();
	if (!slot)
		return 0;
	marking_seen(slot, inode);
	return 1;
}

/* Sockets are marked by listing their attributes: they cannot be opened. */
SEC("fentry/security_inode_listxattr")
int BPF_PROG(on_listxattr, struct dentry *dentry)
{
	struct marking_slot *slot = marking_ours();

	if (slot && (slot->mark.flags & MARK_SOCKET))
		marking_seen(slot, dentry->d_inode);
	return 0;
}

SEC("fentry/security_file_open")
int BPF_PROG(on_file_open, struct file *file)
{
	struct inode *inode = file->f_inode;

	if (marking_open(file, inode))
		return 0;
	dump_file_open(file);
	if (filter_test(inode) && !deny_live)
		report_access(addr_of(file), bpf_get_current_task(), WIRE_HOW_OPEN, 0, -1);
	if (file->f_mode & FMODE_WRITE)
		leaving_open(file);
	return 0;
}

/* SCM_RIGHTS, pidfd_getfd, seccomp's ADDFD, ...: the descriptor of another process arrives. */
SEC("fentry/security_file_receive")
int BPF_PROG(on_file_receive, struct file *file)
{
	struct inode *inode = file->f_inode;

	if (filter_test(inode))
		report_access(addr_of(file), bpf_get_current_task(), WIRE_HOW_RECEIVE, 0, -1);
	if (dump_helpers_live && (inode->i_mode & S_IFMT) == S_IFIFO)
		dump_pipe_received(addr_of(inode));
	return 0;
}

/*
 * What is mapped becomes code: `prot` is what was asked for, and by a personality that anybody may
 * set and a 32-bit program keeps over its exec, what can be read can be run. As the kernel goes on
 * to decide, which takes out what is mounted noexec: mmap_prot() in security/security.c, do_mmap().
 */
static __always_inline int becomes_code(struct file *file, unsigned long prot)
{
	struct task_struct *task;
	struct vfsmount *mnt;

	if ((prot & (PROT_READ | PROT_EXEC)) != PROT_READ)
		return prot & PROT_EXEC;
	task = (void *)bpf_get_current_task();
	if (!(BPF_CORE_READ(task, personality) & READ_IMPLIES_EXEC))
		return 0;
	mnt = file->f_path.mnt;
	return !(mnt->mnt_flags & MNT_NOEXEC) && !(mnt->mnt_sb->s_iflags & SB_I_NOEXEC);
}

SEC("fentry/security_mmap_file")
int BPF_PROG(on_mmap_file, struct file *file, unsigned long prot)
{
	kt_u32 mode = 0;
	int code;

	if (!file)
		return 0;
	code = becomes_code(file, prot);
	if (code && others_can_change_code(file))
		taint_mapped(bpf_get_current_task(), addr_of(file->f_inode));
	if (!filter_test(file->f_inode))
		return 0;
	if (prot & PROT_READ)
		mode |= WIRE_M_READ;
	if (prot & PROT_WRITE)
		mode |= WIRE_M_WRITE;
	if (code)
		mode |= WIRE_M_EXEC;
	report_access(addr_of(file), bpf_get_current_task(), WIRE_HOW_MMAP, mode, -1);
	return 0;
}

/* security_file_free comes too late: dentry and inode may be gone by then. */
SEC("fentry/__fput")
int BPF_PROG(on_fput, struct file *file)
{
	struct inode *inode;

	if (!(file->f_mode & FMODE_WRITE))
		return 0;
	inode = file->f_inode;
	if (!inode) /* of an open that failed; on loads through null: load_exe_file() */
		return 0;
	if (filter_test(inode))
		report_access(addr_of(file), bpf_get_current_task(), WIRE_HOW_CLOSE_WRITE, 0, -1);
	if ((kt_u64)inode->i_size >= dump_threshold || dump_helpers_live || copy_test(inode))
		dump_file_closed(addr_of(file));
	return 0;
}

/*
 * Each read of every file in the system passes here, by whatever call: attached only with `reads:
 * exact`. io_uring and AIO read in the name of the process whose request it is.
 */
SEC("fentry/security_file_permission")
int BPF_PROG(on_file_permission, struct file *file, int mask)
{
	if (!(mask & MAY_READ) || !filter_test(file->f_inode))
		return 0;
	report_access(addr_of(file), bpf_get_current_task(), WIRE_HOW_READ, WIRE_M_READ, -1);
	return 0;
}
