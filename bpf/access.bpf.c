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

/* What is told of an access where there is no room for all of it: report_spare(). */
struct spare_record {
	struct wire_access a;
	char str[2 * WIRE_EXE_MAX + NAME_SLACK]; /* path, executable */
};

/* A name that was given to an object: two paths. The strings of access_record, and one more. */
struct name_record {
	struct wire_access a;
	char str[STRINGS + WIRE_PATH_MAX + NAME_SLACK];
};

#define FROM_AT STRINGS

#define SPARE_STR_OFF __builtin_offsetof(struct spare_record, str)

/* May have a descriptor. */
static __always_inline void remember_holder(struct task_struct *task, const struct mark_key *object)
{
	kt_u32 tgid = BPF_CORE_READ(task, tgid), at;
	kt_u64 start = BPF_CORE_READ(task, group_leader, start_boottime);
	struct fd_holder *known = fd_holder_find(tgid);
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
	fd_holder_put(tgid, &holder);
}

/*
 * What report_access() asks before it tells stands in global functions of its own. A global
 * function is verified by itself, and for its caller there is one way through it: with these
 * branches inlined the verifier would walk the loops over paths for each combination of them.
 */

/*
 * A file that a file system opens for itself beneath one that somebody opened (overlayfs; FUSE with
 * passthrough): if that one is watched too, it is the one that is told.
 */
__noinline int is_told_above(kt_u64 file_addr, kt_u32 how)
{
	struct file *file = (void *)file_addr;
	struct backing_file *backing = (void *)file;
	struct inode *above;
	struct mark *mark;

	if (how != WIRE_HOW_OPEN && how != WIRE_HOW_READ)
		return 0;
	if (!bpf_core_field_exists(backing->user_path))
		above = BPF_CORE_READ(file, f_path.dentry, d_inode);
	else if (BPF_CORE_READ(file, f_mode) & FMODE_BACKING)
		above = BPF_CORE_READ(backing, user_path.dentry, d_inode);
	else
		return 0;
	if (!above || above == BPF_CORE_READ(file, f_inode))
		return 0;
	mark = mark_find(BPF_CORE_READ(above, i_ino), BPF_CORE_READ(above, i_sb, s_dev));
	return mark && mark->flags & MARK_FILE;
}

/* The daemon, and its scan children, which it hands open descriptors. */
__noinline int is_ours(kt_u64 task_addr, kt_u64 object)
{
	struct task_struct *task = (void *)task_addr;

	return object != MARK_OBJECT_CANARY &&
	       (BPF_CORE_READ(task, tgid) == cfg_self_tgid ||
		BPF_CORE_READ(task, real_parent, tgid) == cfg_self_tgid);
}

/* WIRE_M_*: what the file was opened for, and `mode`, what it is mapped for. */
__noinline kt_u32 access_mode(kt_u64 file_addr, kt_u32 how, kt_u32 mode)
{
	kt_u32 f_mode = BPF_CORE_READ((struct file *)file_addr, f_mode);

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
	return mode;
}

/*
 * What a process has open of the image that forked it is that image's access, which is known: who
 * holds the object by his parent's holding it. A picture would tell it once more, as the child's.
 *
 * A picture also comes by processes that are no holders yet, or no more: copy_process() of
 * kernel/fork.c puts the child on the list before on_fork sees it, do_exit() of kernel/exit.c closes
 * files after on_exit. Such a one is still the image that was forked if neither it nor its parent
 * has started another since: parent_exec_id is what the parent had at the fork.
 */
__noinline int is_by_fork(kt_u64 task_addr, kt_u64 object)
{
	struct task_struct *leader = BPF_CORE_READ((struct task_struct *)task_addr, group_leader);
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent);
	struct holder *mine = holder_find(BPF_CORE_READ(leader, tgid));
	struct holder *theirs = holder_find(BPF_CORE_READ(parent, tgid));
	kt_u64 image = BPF_CORE_READ(leader, self_exec_id);

	if (!theirs || theirs->start != BPF_CORE_READ(parent, group_leader, start_boottime) ||
	    theirs->exec_id != BPF_CORE_READ(parent, self_exec_id) || theirs->exec_id != image ||
	    !holder_has(theirs, object))
		return 0;
	if (mine && mine->start == BPF_CORE_READ(leader, start_boottime) && mine->exec_id == image)
		return holder_has(mine, object);
	return bpf_core_field_exists(leader->parent_exec_id) &&
	       BPF_CORE_READ(leader, parent_exec_id) == image;
}

/* The mark that was found may be that of another inode with the same number. */
__noinline int is_stranger(kt_u64 inode_addr, kt_u32 gen, kt_u32 dev)
{
	return dev != MARK_DEV_BLOCK &&
	       gen != BPF_CORE_READ((struct inode *)inode_addr, i_generation);
}

/* The process of `task` has come by an object. */
__noinline int remember(kt_u64 task_addr, kt_u64 inode_addr, kt_u64 object, kt_u32 flags,
			kt_u32 how)
{
	struct task_struct *task = (void *)task_addr;
	struct mark_key key;

	if (how == WIRE_HOW_CLOSE_WRITE)
		return 0;
	if (how != WIRE_HOW_MMAP && how != WIRE_HOW_READ) {
		mark_key_of(&key, (void *)inode_addr);
		remember_holder(task, &key);
	}
	holder_add(task, object, flags);
	return 1;
}

/* What is the same whoever tells of it. */
static __always_inline void fill_wire_access(struct wire_access *a, kt_u32 size, kt_u32 ring,
					     struct task_struct *task, kt_u64 object, kt_u32 how)
{
	__builtin_memset(a, 0, sizeof(*a));
	fill_header(&a->h, WIRE_ACCESS, size, ring);
	fill_subject(&a->subject, task);
	fill_parent(task, &a->parent_start, &a->parent_exec_id, &a->parent_tgid);
	a->object = object;
	a->how = how;
	a->exe_nlink = BPF_CORE_READ(task, mm, exe_file, f_inode, i_nlink);
	a->exe_mode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_mode);
	a->exe_uid = BPF_CORE_READ(task, mm, exe_file, f_inode, i_uid.val);
}

static __always_inline void fill_access(struct access_record *r, struct task_struct *task,
					kt_u64 object, kt_u32 how)
{
	fill_wire_access(&r->a, sizeof(*r), RING_CRITICAL, task, object, how);
}

/* What an access through a file has besides. */
static __always_inline void fill_file(struct wire_access *a, struct file *file, kt_u32 mode,
				      kt_u32 fd, int stranger)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);

	fill_inode(&a->inode, inode);
	a->size = BPF_CORE_READ(inode, i_size);
	a->mode = mode;
	a->open_flags = BPF_CORE_READ(file, f_flags);
	a->fd = fd;
	a->owner = BPF_CORE_READ(inode, i_uid.val);
	a->nlink = BPF_CORE_READ(inode, i_nlink);
	if (stranger)
		a->h.flags |= WIRE_F_GENERATION;
}

/* Gathered in the record, not in a register: one state for the verifier instead of many. */
static __always_inline void put_strings(struct wire_access *a, char *str, struct task_struct *task)
{
	a->h.flags |= put_exe(str, EXE_AT, WIRE_EXE_MAX, &a->exe, STR_OFF, task);
	a->h.flags |= put_cgroup(str, CGROUP_AT, WIRE_CGROUP_MAX, &a->cgroup, STR_OFF, task);
	if ((kt_u64)task == bpf_get_current_task()) /* else its memory cannot be read from here */
		a->h.flags |= put_args(str, ARGS_AT, WIRE_ARGS_MAX, &a->args, STR_OFF, task);
}

/*
 * The first of its kind, and the critical ring is full: the daemon has not come to read it for
 * long. Told in short, in a ring that holds nothing else, without the path (the object has one) and
 * what the process's own records say. `way`: how << 16 | mode << 8 | stranger. Returns 1 if there
 * was room.
 */
__noinline int report_spare(kt_u64 file_addr, kt_u64 task_addr, kt_u64 object, kt_u32 way,
			    kt_u32 fd)
{
	struct task_struct *task = (void *)task_addr;
	struct file *file = (void *)file_addr;
	struct spare_record *r = bpf_ringbuf_reserve(&ring_spare, sizeof(*r), 0);

	if (!r)
		return 0;
	fill_wire_access(&r->a, sizeof(*r), RING_SPARE, task, object, way >> 16);
	r->a.h.flags |=
		put_path(r->str, 0, WIRE_EXE_MAX, &r->a.path, SPARE_STR_OFF,
			 BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	r->a.h.flags |= put_exe(r->str, WIRE_EXE_MAX, WIRE_EXE_MAX, &r->a.exe, SPARE_STR_OFF, task);
	fill_file(&r->a, file, way >> 8 & 0xff, fd, way & 1);
	bpf_ringbuf_submit(r, 0);
	return 1;
}

__noinline int report_access(kt_u64 file_addr, kt_u64 task_addr, kt_u32 how, kt_u32 mode, kt_u32 fd)
{
	struct file *file = (void *)file_addr;
	struct task_struct *task = (void *)task_addr;
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct access_record *r;
	struct mark_key key;
	struct mark *found, mark;
	int repeat, stranger;

	mark_key_of(&key, inode);
	found = bpf_map_lookup_elem(&marks, &key);
	if (!found || !(found->flags & MARK_FILE))
		return 0;
	/* A removed mark's memory is given to another inode's at once. */
	mark = *found;
	if (is_ours(task_addr, mark.object) || is_told_above(file_addr, how))
		return 1;
	mode = access_mode(file_addr, how, mode);
	/* Such a one is always new: user space finds out which of the two it is. */
	stranger = is_stranger((kt_u64)inode, mark.gen, key.dev);
	if (how == WIRE_HOW_FOUND && !stranger && is_by_fork(task_addr, mark.object)) {
		/* The kernel may have skipped on_fork, for another that it interrupted. */
		if (!(BPF_CORE_READ(task, flags) & PF_EXITING))
			remember(task_addr, (kt_u64)inode, mark.object, mark.flags, how);
		return 1;
	}
	repeat = repeat_of(task_addr, mark.object, how, mode, stranger);
	if (repeat == REPEAT_SELF)
		return 1;
	remember(task_addr, (kt_u64)inode, mark.object, mark.flags, how);
	if (cfg_memory)
		tell_tracer(task_addr, mark.flags, how);
	if (repeat == REPEAT_KIND)
		return 1;
	r = repeat == REPEAT_OVER ? 0 : bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		if (repeat == REPEAT_FIRST && report_spare(file_addr, task_addr, mark.object,
							   how << 16 | mode << 8 | stranger, fd))
			return 1;
		if (repeat != REPEAT_OVER)
			repeat_untold(task_addr, mark.object, how, mode, repeat);
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 1;
	}
	fill_access(r, task, mark.object, how);
	r->a.h.flags |=
		put_path(r->str, PATH_AT, WIRE_PATH_MAX, &r->a.path, STR_OFF,
			 BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	put_strings(&r->a, r->str, task);
	fill_file(&r->a, file, mode, fd, stranger);
	bpf_ringbuf_submit(r, 0);
	return 1;
}

__noinline int report_inferred(kt_u32 n)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct fd_holder *holder = fd_holder_find(tgid);
	struct access_record *r;
	struct mark_key key;
	struct mark *mark;

	if (!holder || is_ours((kt_u64)task, 0))
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
	r->a.h.flags |= WIRE_F_FD_SCAN_BOUND;
	r->a.inode.ino = key.ino;
	r->a.inode.dev = key.dev;
	r->a.inode.gen = mark->gen;
	r->a.mode = WIRE_M_READ;
	r->a.fd = -1;
	r->a.owner = -1;
	put_strings(&r->a, r->str, task);
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
	fill_access(r, task, object, WIRE_HOW_CONNECT);
	r->a.h.flags |= put_path(r->str, PATH_AT, WIRE_PATH_MAX, &r->a.path, STR_OFF, dentry,
				 (void *)mnt_addr);
	put_strings(&r->a, r->str, task);
	fill_inode(&r->a.inode, inode);
	r->a.mode = WIRE_M_READ | WIRE_M_WRITE;
	r->a.fd = -1;
	r->a.owner = BPF_CORE_READ(inode, i_uid.val);
	r->a.nlink = BPF_CORE_READ(inode, i_nlink);
	if (gen != r->a.inode.gen)
		r->a.h.flags |= WIRE_F_GENERATION;
	bpf_ringbuf_submit(r, 0);
	return 1;
}

/*
 * Told once a second for an image, object and new name (repeat_of()), so that who renames a file to
 * and fro is told seldom. Who gives it ever new names is told of each, until the ring is half full:
 * then the first one of his program, login and object is. What tells names apart is their hash,
 * which has the directory in it: a file system that lies on another (overlayfs) renames there too,
 * and that may be told and counted twice.
 */
__noinline int report_name(kt_u64 from_addr, kt_u64 to_addr, kt_u32 how)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct dentry *from = (void *)from_addr;
	struct inode *inode = BPF_CORE_READ(from, d_inode);
	struct name_record *r;
	struct mark *found, mark;
	kt_u32 name;
	int repeat;

	found = mark_find(BPF_CORE_READ(inode, i_ino), BPF_CORE_READ(inode, i_sb, s_dev));
	if (!found || !(found->flags & (MARK_FILE | MARK_SOCKET)))
		return 0;
	mark = *found;
	if (is_ours((kt_u64)task, mark.object))
		return 1;
	name = BPF_CORE_READ((struct dentry *)to_addr, d_name.hash);
	repeat = repeat_of((kt_u64)task, mark.object, how, name, 0);
	if (repeat == REPEAT_SELF || repeat == REPEAT_KIND)
		return 1;
	r = repeat == REPEAT_OVER ? 0 : bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		if (repeat != REPEAT_OVER)
			repeat_untold((kt_u64)task, mark.object, how, name, repeat);
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 1;
	}
	fill_wire_access(&r->a, sizeof(*r), RING_CRITICAL, task, mark.object, how);
	r->a.h.flags |= put_path_below_mount(r->str, PATH_AT, WIRE_PATH_MAX, &r->a.path, STR_OFF,
					     (void *)to_addr);
	r->a.h.flags |=
		put_path_below_mount(r->str, FROM_AT, WIRE_PATH_MAX, &r->a.from, STR_OFF, from);
	put_strings(&r->a, r->str, task);
	fill_inode(&r->a.inode, inode);
	r->a.size = BPF_CORE_READ(inode, i_size);
	r->a.fd = -1;
	r->a.owner = BPF_CORE_READ(inode, i_uid.val);
	r->a.nlink = BPF_CORE_READ(inode, i_nlink);
	if (is_stranger((kt_u64)inode, mark.gen, r->a.inode.dev))
		r->a.h.flags |= WIRE_F_GENERATION;
	bpf_ringbuf_submit(r, 0);
	return 1;
}
