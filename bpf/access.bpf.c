// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Writes the record of an access, for whichever hook saw it. */
#include "access.h"
#include "holders.h"
#include "identity.h"
#include "memory.h"
#include "record.h"
#include "repeat.h"

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
static __always_inline void remember_holder(struct task_struct *task, const struct mark_key *object)
{
	kt_u32 tgid = BPF_CORE_READ(task, tgid), at;
	kt_u64 start = BPF_CORE_READ(task, group_leader, start_boottime);
	struct fd_holder *known = bpf_map_lookup_elem(&fd_holders, &tgid);
	struct fd_holder holder = {.start = start, .next = 1, .object[0] = *object};

	if (known && known->start == start) {
		at = (known->next - 1) % FD_HOLDER_OBJECTS;
		if (known->object[at].ino == object->ino && known->object[at].dev == object->dev)
			return;
		at = known->next % FD_HOLDER_OBJECTS;
		known->object[at] = *object;
		known->next = at + 1;
		return;
	}
	if (bpf_map_update_elem(&fd_holders, &tgid, &holder, BPF_ANY))
		count_drop(WIRE_DROP_HOLDER_FULL);
}

/*
 * A file that a file system opens for itself beneath one that somebody opened (overlayfs; FUSE with
 * passthrough): if that one is watched too, it is the one that is told.
 */
static __always_inline int is_told_above(struct file *file, struct inode *inode, kt_u32 f_mode)
{
	struct backing_file *backing = (void *)file;
	struct inode *above;
	struct mark *mark;

	if (!bpf_core_field_exists(backing->user_path))
		above = BPF_CORE_READ(file, f_path.dentry, d_inode);
	else if (f_mode & FMODE_BACKING)
		above = BPF_CORE_READ(backing, user_path.dentry, d_inode);
	else
		return 0;
	if (!above || above == inode)
		return 0;
	mark = mark_find(BPF_CORE_READ(above, i_ino), BPF_CORE_READ(above, i_sb, s_dev));
	return mark && mark->flags & MARK_FILE;
}

/* The daemon, and its scan children, which it hands open descriptors. */
static __always_inline int is_ours(struct task_struct *task)
{
	return BPF_CORE_READ(task, tgid) == cfg_self_tgid ||
	       BPF_CORE_READ(task, real_parent, tgid) == cfg_self_tgid;
}

/* What is the same whoever tells of it. */
static __always_inline void fill_access(struct access_record *r, struct task_struct *task,
					kt_u64 object, kt_u32 how)
{
	__builtin_memset(&r->a, 0, sizeof(r->a));
	fill_header(&r->a.h, WIRE_ACCESS, sizeof(*r), RING_CRITICAL);
	fill_subject(&r->a.subject, task);
	fill_parent(task, &r->a.parent_start, &r->a.parent_exec_id, &r->a.parent_tgid);
	r->a.object = object;
	r->a.how = how;
	r->a.exe_nlink = BPF_CORE_READ(task, mm, exe_file, f_inode, i_nlink);
	r->a.exe_mode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_mode);
	r->a.exe_uid = BPF_CORE_READ(task, mm, exe_file, f_inode, i_uid.val);
}

/* Gathered in the record, not in a register: one state for the verifier instead of many. */
static __always_inline void put_strings(struct access_record *r, struct task_struct *task)
{
	r->a.h.flags |= put_exe(r->str, EXE_AT, WIRE_EXE_MAX, &r->a.exe, STR_OFF, task);
	r->a.h.flags |= put_cgroup(r->str, CGROUP_AT, WIRE_CGROUP_MAX, &r->a.cgroup, STR_OFF, task);
	if ((kt_u64)task == bpf_get_current_task()) /* else its memory cannot be read from here */
		r->a.h.flags |= put_args(r->str, ARGS_AT, WIRE_ARGS_MAX, &r->a.args, STR_OFF, task);
}

/* By which way an image's repeats are known; 0: each time is new. */
static __always_inline kt_u32 way_of(kt_u32 how, kt_u32 mode)
{
	if (how == WIRE_HOW_OPEN || how == WIRE_HOW_RECEIVE || how == WIRE_HOW_MMAP ||
	    how == WIRE_HOW_READ)
		return how << 8 | mode;
	return 0;
}

static __always_inline kt_u32 pressure_what(kt_u32 how, kt_u32 f_mode)
{
	if (how == WIRE_HOW_CLOSE_WRITE)
		return PRESSURE_CLOSE_WRITE;
	if (how == WIRE_HOW_READ || how == WIRE_HOW_MMAP)
		return PRESSURE_READ;
	return f_mode & FMODE_READ ? PRESSURE_MEANS : PRESSURE_ACCESS;
}

/* The process of `task` has come by what `key` names. */
static __always_inline void remember(struct task_struct *task, const struct mark_key *key,
				     const struct mark *mark, kt_u32 how)
{
	if (how == WIRE_HOW_CLOSE_WRITE)
		return;
	if (how != WIRE_HOW_MMAP && how != WIRE_HOW_READ)
		remember_holder(task, key);
	holder_add(task, mark->object, mark->flags & MARK_KEY);
	if (cfg_memory && mark->flags & MARK_KEY)
		tell_tracer(task);
}

__noinline int report_access(kt_u64 file_addr, kt_u64 task_addr, kt_u32 how, kt_u32 mode, kt_u32 fd)
{
	struct file *file = (void *)file_addr;
	struct task_struct *task = (void *)task_addr;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	kt_u32 f_mode = BPF_CORE_READ(file, f_mode);
	struct access_record *r;
	struct mark_key key;
	struct mark *found, mark;
	kt_u32 what, way, stranger;
	int repeat;

	mark_key_of(&key, inode);
	found = bpf_map_lookup_elem(&marks, &key);
	if (!found || !(found->flags & MARK_FILE))
		return 0;
	/* A removed mark's memory is given to another inode's at once. */
	mark = *found;
	if (mark.object != MARK_OBJECT_CANARY && is_ours(task))
		return 1;
	if ((how == WIRE_HOW_OPEN || how == WIRE_HOW_READ) && is_told_above(file, inode, f_mode))
		return 1;
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
	/* Two files may have one number: told each, and user space finds out which it was. */
	stranger = key.dev != MARK_DEV_BLOCK && mark.gen != BPF_CORE_READ(inode, i_generation);
	what = pressure_what(how, f_mode);
	way = stranger ? 0 : way_of(how, mode);
	repeat = repeat_of(task_addr, mark.object, what, way);
	if (repeat == REPEAT_SELF)
		return 1;
	remember(task, &key, &mark, how);
	if (repeat == REPEAT_KIND)
		return 1;
	r = repeat == REPEAT_OVER ? 0 : bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		if (repeat != REPEAT_OVER)
			repeat_untold(task_addr, mark.object, what, way, repeat);
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 1;
	}
	fill_access(r, task, mark.object, how);
	fill_inode(&r->a.inode, inode);
	r->a.size = BPF_CORE_READ(inode, i_size);
	r->a.mode = mode;
	r->a.open_flags = BPF_CORE_READ(file, f_flags);
	r->a.fd = fd;
	r->a.owner = BPF_CORE_READ(inode, i_uid.val);
	r->a.nlink = BPF_CORE_READ(inode, i_nlink);
	if (stranger)
		r->a.h.flags |= WIRE_F_GENERATION;
	r->a.h.flags |=
		put_path(r->str, PATH_AT, WIRE_PATH_MAX, &r->a.path, STR_OFF,
			 BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt), 1);
	put_strings(r, task);
	bpf_ringbuf_submit(r, 0);
	return 1;
}

__noinline int report_inferred(kt_u32 n)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct fd_holder *holder = bpf_map_lookup_elem(&fd_holders, &tgid);
	struct access_record *r;
	struct mark_key key;
	struct mark *mark;

	if (!holder || is_ours(task))
		return 0;
	key = holder->object[n % FD_HOLDER_OBJECTS];
	mark = key.ino || key.dev ? bpf_map_lookup_elem(&marks, &key) : 0;
	if (!mark || !(mark->flags & MARK_FILE))
		return 0;
	r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 1;
	}
	fill_access(r, task, mark->object, WIRE_HOW_EXEC_FD);
	r->a.h.flags = WIRE_F_FD_SCAN_BOUND;
	r->a.inode.ino = key.ino;
	r->a.inode.dev = key.dev;
	r->a.inode.gen = mark->gen;
	r->a.mode = WIRE_M_READ;
	r->a.fd = -1;
	r->a.owner = -1;
	put_strings(r, task);
	bpf_ringbuf_submit(r, 0);
	return 1;
}

__noinline int report_socket(kt_u64 object, kt_u32 gen, kt_u64 dentry_addr, kt_u64 mnt_addr)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct dentry *dentry = (void *)dentry_addr;
	struct inode *inode = BPF_CORE_READ(dentry, d_inode);
	struct access_record *r;

	if (BPF_CORE_READ(task, tgid) == cfg_self_tgid)
		return 1;
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
	r->a.object = object;
	r->a.how = WIRE_HOW_CONNECT;
	r->a.mode = WIRE_M_READ | WIRE_M_WRITE;
	r->a.fd = -1;
	r->a.owner = BPF_CORE_READ(inode, i_uid.val);
	r->a.nlink = BPF_CORE_READ(inode, i_nlink);
	r->a.exe_nlink = BPF_CORE_READ(task, mm, exe_file, f_inode, i_nlink);
	r->a.exe_mode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_mode);
	r->a.exe_uid = BPF_CORE_READ(task, mm, exe_file, f_inode, i_uid.val);
	if (gen != r->a.inode.gen)
		r->a.h.flags |= WIRE_F_GENERATION;
	r->a.h.flags |= put_path(r->str, PATH_AT, WIRE_PATH_MAX, &r->a.path, STR_OFF, dentry,
				 (void *)mnt_addr, 1);
	r->a.h.flags |= put_exe(r->str, EXE_AT, WIRE_EXE_MAX, &r->a.exe, STR_OFF, task);
	r->a.h.flags |= put_cgroup(r->str, CGROUP_AT, WIRE_CGROUP_MAX, &r->a.cgroup, STR_OFF, task);
	r->a.h.flags |= put_args(r->str, ARGS_AT, WIRE_ARGS_MAX, &r->a.args, STR_OFF, task);
	bpf_ringbuf_submit(r, 0);
	return 1;
}
