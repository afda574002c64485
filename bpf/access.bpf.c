// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Writes the record of an access, for whichever hook saw it. */
#include "access.h"
#include "holders.h"
#include "identity.h"
#include "record.h"

enum {
	PATH_AT = 0,
	EXE_AT = PATH_AT + WIRE_PATH_MAX,
	CGROUP_AT = EXE_AT + WIRE_EXE_MAX,
	ARGS_AT = CGROUP_AT + WIRE_CGROUP_MAX,
	STRINGS = ARGS_AT + WIRE_ARGS_MAX,
};

struct access_record {
	struct wire_access a;
	char str[STRINGS + NAME_SLACK];
};

#define STR_OFF __builtin_offsetof(struct access_record, str)

/* May have a descriptor. */
static __always_inline void remember_holder(struct task_struct *task)
{
	kt_u32 tgid = BPF_CORE_READ(task, tgid);
	kt_u64 start = BPF_CORE_READ(task, group_leader, start_boottime);

	if (bpf_map_update_elem(&fd_holders, &tgid, &start, BPF_ANY))
		count_drop(WIRE_DROP_HOLDER_FULL);
}

__noinline int report_access(kt_u64 file_addr, kt_u64 task_addr, kt_u32 how, kt_u32 mode, kt_u32 fd)
{
	struct file *file = (void *)file_addr;
	struct task_struct *task = (void *)task_addr;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct access_record *r;
	struct mark *found, mark;
	kt_u32 f_mode, f_flags;

	found = mark_find(BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev));
	if (!found || !(found->flags & MARK_FILE))
		return 0;
	/* A removed mark's memory is given to another inode's at once. */
	mark = *found;
	/* The daemon, and its scan children, which it hands open descriptors. */
	if (mark.object != MARK_OBJECT_CANARY &&
	    (BPF_CORE_READ(task, tgid) == cfg_self_tgid ||
	     BPF_CORE_READ(task, real_parent, tgid) == cfg_self_tgid))
		return 1;
	if (how != WIRE_HOW_MMAP && how != WIRE_HOW_CLOSE_WRITE)
		remember_holder(task);
	if (how != WIRE_HOW_CLOSE_WRITE)
		holder_add(task, mark.object, mark.flags & MARK_KEY);

	r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 1;
	}
	__builtin_memset(&r->a, 0, sizeof(r->a));
	fill_header(&r->a.h, WIRE_ACCESS, sizeof(*r), RING_CRITICAL);
	fill_subject(&r->a.subject, task);
	fill_inode(&r->a.inode, inode);
	fill_parent(task, &r->a.parent_start, &r->a.parent_exec_id, &r->a.parent_tgid);
	f_mode = BPF_CORE_READ(file, f_mode);
	f_flags = BPF_CORE_READ(file, f_flags);
	if (how != WIRE_HOW_MMAP) {
		if (f_mode & FMODE_READ)
			mode |= WIRE_M_READ;
		if (f_mode & FMODE_WRITE)
			mode |= WIRE_M_WRITE;
	}
	if (f_mode & FMODE_EXEC)
		mode |= WIRE_M_EXEC;
	/* The flag stays for the description's life; only the open itself found the file empty. */
	if (how == WIRE_HOW_OPEN && (f_mode & FMODE_CREATED))
		mode |= WIRE_M_CREATED;
	r->a.object = mark.object;
	r->a.size = BPF_CORE_READ(inode, i_size);
	r->a.how = how;
	r->a.mode = mode;
	r->a.open_flags = f_flags;
	r->a.fd = fd;
	r->a.owner = BPF_CORE_READ(inode, i_uid.val);
	r->a.nlink = BPF_CORE_READ(inode, i_nlink);
	r->a.exe_nlink = BPF_CORE_READ(task, mm, exe_file, f_inode, i_nlink);
	r->a.exe_mode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_mode);
	r->a.exe_uid = BPF_CORE_READ(task, mm, exe_file, f_inode, i_uid.val);

	/* Gathered in the record, not in a register: one state for the verifier instead of many. */
	if (mark.gen != r->a.inode.gen)
		r->a.h.flags |= WIRE_F_GENERATION;
	r->a.h.flags |=
		put_path(r->str, PATH_AT, WIRE_PATH_MAX, &r->a.path, STR_OFF,
			 BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), 1);
	r->a.h.flags |= put_exe(r->str, EXE_AT, WIRE_EXE_MAX, &r->a.exe, STR_OFF, task);
	r->a.h.flags |= put_cgroup(r->str, CGROUP_AT, WIRE_CGROUP_MAX, &r->a.cgroup, STR_OFF, task);
	if (task_addr == bpf_get_current_task()) /* else its memory cannot be read from here */
		r->a.h.flags |= put_args(r->str, ARGS_AT, WIRE_ARGS_MAX, &r->a.args, STR_OFF, task);
	bpf_ringbuf_submit(r, 0);
	return 1;
}
