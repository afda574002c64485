/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Building records in place: header, subject, and the tail of strings.
 *
 * A record is reserved in the ring at its greatest size and filled there. Scratch memory per CPU
 * would be shared by programs that preempt each other on one CPU (6.12 and later may); a
 * reservation is ours alone. Strings stand in one array behind the fixed part, a region each. A
 * path is built from its end towards its beginning, since that is the way from a dentry to the
 * root.
 *
 * Positions are kept in the record and read back from there: the verifier then takes them for any
 * number, which the masks bound, and the states of a walk's steps become one. With positions in
 * registers each length of each path is a state of its own, and the programs do not load. For the
 * same reason strings come first in a record, before what needs branches: the verifier walks a loop
 * once for each state in which it arrives there.
 */
#pragma once

#include "state.h"
#include "taint.h"

#define NAME_SLACK   256 /* room behind the last region that the verifier asks for */
#define PATH_STEPS   40 /* components and mount crossings; deeper paths keep their end */
#define CGROUP_STEPS 16

static __always_inline void fill_header(struct wire_header *h, kt_u32 type, kt_u32 size,
					kt_u32 ring)
{
	kt_u64 *seq = bpf_map_lookup_elem(&st_records, &ring);

	h->type = type;
	h->version = WIRE_VERSION;
	h->size = size;
	h->flags = 0;
	h->cpu = bpf_get_smp_processor_id();
	h->seq = seq ? ++*seq : 0;
	h->time = bpf_ktime_get_boot_ns();
}

/* For submitting to the bulk ring: its reader is woken only when it is filling up. */
static __always_inline kt_u64 bulk_flags(void)
{
	return bpf_ringbuf_query(&ring_bulk, BPF_RB_AVAIL_DATA) > cfg_bulk_wakeup
		       ? BPF_RB_FORCE_WAKEUP
		       : BPF_RB_NO_WAKEUP;
}

static __always_inline void fill_inode(struct wire_inode *out, struct inode *inode)
{
	out->ino = BPF_CORE_READ(inode, i_ino);
	out->dev = BPF_CORE_READ(inode, i_sb, s_dev);
	out->gen = BPF_CORE_READ(inode, i_generation);
}

static __always_inline void fill_subject(struct wire_subject *s, struct task_struct *task)
{
	const struct cred *cred = BPF_CORE_READ(task, real_cred);
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);

	__builtin_memset(s, 0, sizeof(*s));
	s->start = BPF_CORE_READ(task, group_leader, start_boottime);
	s->exec_id = BPF_CORE_READ(task, self_exec_id);
	s->tgid = BPF_CORE_READ(task, tgid);
	s->tid = BPF_CORE_READ(task, pid);
	/* real_cred: overlayfs and io_uring put other subjective credentials on meanwhile. */
	s->uid = BPF_CORE_READ(cred, uid.val);
	s->euid = BPF_CORE_READ(cred, euid.val);
	s->gid = BPF_CORE_READ(cred, gid.val);
	s->loginuid = (kt_u32)-1;
	s->session = (kt_u32)-1;
	if (bpf_core_field_exists(task->loginuid)) /* CONFIG_AUDIT */
		s->loginuid = BPF_CORE_READ(task, loginuid.val);
	if (bpf_core_field_exists(task->sessionid))
		s->session = BPF_CORE_READ(task, sessionid);
	s->pidns = BPF_CORE_READ(task, nsproxy, pid_ns_for_children, ns.inum);
	if (exe)
		fill_inode(&s->exe, BPF_CORE_READ(exe, f_inode));
	bpf_probe_read_kernel_str(s->comm, sizeof(s->comm), &task->comm);
	s->taint = taint_of((kt_u64)task);
}

/*
 * fill_inode(), fill_subject() and fill_parent() for pointers that the verifier knows as what they
 * are (arguments of a hook): fields are loaded, not read by a helper each, at a tenth of the price.
 *
 * What may be null has to be asked for. The kernel means a load through it to give 0, but where a
 * program calls functions the fault's table may be looked for in the wrong one of its two symbols
 * and the kernel dies of it (mended by 0108a4e9f358, "bpf: ensure main program has an extable",
 * v6.5; Debian's 5.10 has no such mend).
 */
static __always_inline struct file *load_exe_file(struct task_struct *task)
{
	struct mm_struct *mm = task->mm; /* none of kernel threads, and of those that end */

	return mm ? mm->exe_file : 0;
}

static __always_inline void load_inode(struct wire_inode *out, struct inode *inode)
{
	out->ino = inode->i_ino;
	out->dev = inode->i_sb->s_dev;
	out->gen = inode->i_generation;
}

static __always_inline void load_subject(struct wire_subject *s, struct task_struct *task)
{
	const struct cred *cred = task->real_cred;
	struct file *exe = load_exe_file(task);
	struct nsproxy *nsproxy = task->nsproxy; /* none of those that end */

	s->start = task->group_leader->start_boottime;
	s->exec_id = task->self_exec_id;
	s->tgid = task->tgid;
	s->tid = task->pid;
	s->uid = cred->uid.val;
	s->euid = cred->euid.val;
	s->gid = cred->gid.val;
	s->loginuid = (kt_u32)-1;
	s->session = (kt_u32)-1;
	if (bpf_core_field_exists(task->loginuid)) /* CONFIG_AUDIT */
		s->loginuid = task->loginuid.val;
	if (bpf_core_field_exists(task->sessionid))
		s->session = task->sessionid;
	if (nsproxy)
		s->pidns = nsproxy->pid_ns_for_children->ns.inum;
	if (exe)
		load_inode(&s->exe, exe->f_inode);
	bpf_probe_read_kernel(s->comm, sizeof(s->comm), &task->comm);
	s->comm[sizeof(s->comm) - 1] = 0;
}

static __always_inline void load_parent(struct task_struct *task, kt_u64 *start, kt_u64 *exec_id,
					kt_u32 *tgid)
{
	struct task_struct *parent = task->real_parent;

	*start = parent->group_leader->start_boottime;
	*exec_id = parent->self_exec_id;
	*tgid = parent->tgid;
}

static __always_inline void fill_parent(struct task_struct *task, kt_u64 *start, kt_u64 *exec_id,
					kt_u32 *tgid)
{
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	*start = BPF_CORE_READ(parent, group_leader, start_boottime);
	*exec_id = BPF_CORE_READ(parent, self_exec_id);
	*tgid = BPF_CORE_READ(parent, tgid);
}

/*
 * Puts a name in front of what str[base + pos .. base + room) holds, and a slash in front of it
 * unless `bare`; the position is *pos, a field of the record. Returns 0, or 1 when there is no room
 * for it. `room` is a constant power of two.
 */
static __always_inline int prepend(char *str, kt_u32 base, kt_u32 room, volatile kt_u16 *pos,
				   const unsigned char *name, kt_u32 len, int bare)
{
	kt_u32 at = *pos;

	len &= 0xff;
	if (at < len + 1)
		return 1;
	at -= len;
	bpf_probe_read_kernel(&str[base + (at & (room - 1))], len, name);
	if (!bare) {
		at--;
		str[base + (at & (room - 1))] = '/';
	}
	*pos = at;
	return 0;
}

/* What a step of a path needs of a dentry; adjacent in it on all kernels known, see read_step(). */
struct path_step {
	struct dentry *parent;
	kt_u32 hash;
	kt_u32 len;
	const unsigned char *name;
};

/* One read where the fields are neighbours (the loader knows), three where they are not. */
static __always_inline void read_step(struct path_step *step, struct dentry *dentry)
{
	if (bpf_core_field_offset(dentry->d_name) ==
		    bpf_core_field_offset(dentry->d_parent) + sizeof(void *) &&
	    bpf_core_field_offset(dentry->d_name.len) ==
		    bpf_core_field_offset(dentry->d_name) + sizeof(kt_u32) &&
	    bpf_core_field_offset(dentry->d_name.name) ==
		    bpf_core_field_offset(dentry->d_name) + sizeof(kt_u64)) {
		if (bpf_probe_read_kernel(step, sizeof(*step), &dentry->d_parent))
			step->parent = 0;
		return;
	}
	step->parent = BPF_CORE_READ(dentry, d_parent);
	step->len = BPF_CORE_READ(dentry, d_name.len);
	step->name = BPF_CORE_READ(dentry, d_name.name);
}

/*
 * A walk from a dentry, or a cgroup's node, towards its root. The verifier follows each turn of a
 * loop, some thousand instructions for a path. From 5.17 on the kernel can be asked to call a
 * function so many times, and the verifier then looks at that function alone. An older kernel
 * refuses such a program even if it never gets there, so all is compiled for either
 * (user/sensor/object.c chooses).
 */
struct walk {
	char *str; /* where the region begins */
	volatile kt_u16 *pos;
	struct dentry *dentry, *root; /* root: of the mount */
	struct mount *mnt;
	struct kernfs_node *kn;
	kt_u64 flags; /* that the record gets: what is not whole */
};

#ifdef KT_BPF_LOOP
#define WALK_STEP		static __noinline __attribute__((unused))
#define WALK(step, steps, walk) bpf_loop(steps, step, walk, 0)
#else
#define WALK_STEP static __always_inline
#define WALK(step, steps, walk)                  \
	do {                                     \
		int nr;                          \
                                                 \
		for (nr = 0; nr < (steps); nr++) \
			if (step(nr, walk))      \
				break;           \
	} while (0)
#endif

/* 0, or 1 at the end. `room`: bytes of the region, a constant. */
static __always_inline int path_step(struct walk *w, kt_u32 room)
{
	/* Not w->mnt in BPF_CORE_READ(): that would be looked for in the kernel too. */
	struct mount *mnt = w->mnt, *up;
	struct dentry *dentry = w->dentry;
	struct path_step step = {};

	if (dentry == w->root) {
		up = BPF_CORE_READ(mnt, mnt_parent);
		if (up == mnt) {
			w->flags = 0;
			return 1;
		}
		w->dentry = BPF_CORE_READ(mnt, mnt_mountpoint);
		w->mnt = up;
		w->root = BPF_CORE_READ(up, mnt.mnt_root);
		return 0;
	}
	read_step(&step, dentry);
	if (step.parent == dentry) {
		/* Root of the file system; or in no tree at all: memfd, pipe. */
		if (*w->pos == room)
			prepend(w->str, 0, room, w->pos, step.name, step.len, 1);
		w->flags = 0;
		return 1;
	}
	if (prepend(w->str, 0, room, w->pos, step.name, step.len, 0))
		return 1;
	w->dentry = step.parent;
	return 0;
}

WALK_STEP long long_path_step(kt_u64 nr, struct walk *w)
{
	return path_step(w, WIRE_PATH_MAX);
}

WALK_STEP long exe_path_step(kt_u64 nr, struct walk *w)
{
	return path_step(w, WIRE_EXE_MAX);
}

WALK_STEP long cgroup_step(kt_u64 nr, struct walk *w)
{
	struct kernfs_node *kn = w->kn;
	struct kernfs_node___v6_15 *kn_new = (void *)kn;
	struct kernfs_node *parent;
	const char *name;
	kt_u32 len;

	if (bpf_core_field_exists(kn_new->__parent))
		parent = BPF_CORE_READ(kn_new, __parent);
	else
		parent = BPF_CORE_READ(kn, parent);
	if (!parent) { /* the root has no name of its own */
		w->flags = 0;
		return 1;
	}
	name = BPF_CORE_READ(kn, name);
	/* Names are not counted here: read to the slack, then again to its place. */
	len = bpf_probe_read_kernel_str(&w->str[WIRE_CGROUP_MAX], NAME_SLACK, name);
	if (len < 2 || len > NAME_SLACK)
		return 1;
	if (prepend(w->str, 0, WIRE_CGROUP_MAX, w->pos, (const unsigned char *)name, len - 1, 0))
		return 1;
	w->kn = parent;
	return 0;
}

/* After the walk. The string ends at base + room; no step at all is the root. */
static __always_inline kt_u32 put_walked(struct walk *w, struct kt_str *out, kt_u32 str_off,
					 kt_u32 base, kt_u32 room)
{
	if (*w->pos == room)
		prepend(w->str, 0, room, w->pos, 0, 0, 0);
	out->len = room - *w->pos;
	out->off = str_off + base + *w->pos;
	return w->flags;
}

/*
 * The path of a dentry, from the root of its mount namespace, through the mounts above `vfsmnt`. In
 * chroots and containers this is longer than what the process sees; it is what the host can use.
 * `room` is WIRE_PATH_MAX or WIRE_EXE_MAX. Returns WIRE_F_PATH_* flags.
 */
static __always_inline kt_u32 put_path(char *str, kt_u32 base, kt_u32 room, struct kt_str *out,
				       kt_u32 str_off, struct dentry *dentry,
				       struct vfsmount *vfsmnt)
{
	struct mount *mnt = (void *)vfsmnt - bpf_core_field_offset(struct mount, mnt);
	struct walk w = {
		.str = str + base,
		.pos = &out->off,
		.dentry = dentry,
		.root = BPF_CORE_READ(mnt, mnt.mnt_root),
		.mnt = mnt,
		.flags = WIRE_F_PATH_TRUNCATED,
	};

	out->off = room;
	if (room == WIRE_PATH_MAX)
		WALK(long_path_step, PATH_STEPS, &w);
	else
		WALK(exe_path_step, PATH_STEPS, &w);
	return put_walked(&w, out, str_off, base, room);
}

/*
 * The same, where the mount is not known: from the root of its file system. `room` is
 * WIRE_PATH_MAX.
 */
static __always_inline kt_u32 put_path_below_mount(char *str, kt_u32 base, kt_u32 room,
						   struct kt_str *out, kt_u32 str_off,
						   struct dentry *dentry)
{
	struct walk w = {
		.str = str + base,
		.pos = &out->off,
		.dentry = dentry,
		.flags = WIRE_F_PATH_TRUNCATED,
	};

	out->off = room;
	WALK(long_path_step, PATH_STEPS, &w);
	return put_walked(&w, out, str_off, base, room);
}

static __always_inline kt_u32 put_exe_path(char *str, kt_u32 base, kt_u32 room, struct kt_str *out,
					   kt_u32 str_off, struct dentry *dentry,
					   struct vfsmount *mnt)
{
	out->off = 0;
	out->len = 0;
	if (!dentry)
		return 0;
	return put_path(str, base, room, out, str_off, dentry, mnt) ? WIRE_F_EXE_TRUNCATED : 0;
}

static __always_inline kt_u32 put_exe(char *str, kt_u32 base, kt_u32 room, struct kt_str *out,
				      kt_u32 str_off, struct task_struct *task)
{
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);

	return put_exe_path(str, base, room, out, str_off, BPF_CORE_READ(exe, f_path.dentry),
			    BPF_CORE_READ(exe, f_path.mnt));
}

/* Path of a cgroup in the unified hierarchy, "/" for its root. `room` is WIRE_CGROUP_MAX. */
static __always_inline kt_u32 put_cgroup_path(char *str, kt_u32 base, kt_u32 room,
					      struct kt_str *out, kt_u32 str_off,
					      struct kernfs_node *kn)
{
	struct walk w = {
		.str = str + base,
		.pos = &out->off,
		.kn = kn,
		.flags = WIRE_F_CGROUP_TRUNCATED,
	};

	out->off = room;
	WALK(cgroup_step, CGROUP_STEPS, &w);
	return put_walked(&w, out, str_off, base, room);
}

static __always_inline kt_u32 put_cgroup(char *str, kt_u32 base, kt_u32 room, struct kt_str *out,
					 kt_u32 str_off, struct task_struct *task)
{
	return put_cgroup_path(str, base, room, out, str_off,
			       BPF_CORE_READ(task, cgroups, dfl_cgrp, kn));
}

/* argv of the current process from its own memory, NUL separated: for display only, it may lie. */
static __always_inline kt_u32 put_args_between(char *str, kt_u32 base, kt_u32 room,
					       struct kt_str *out, kt_u32 str_off,
					       unsigned long start, unsigned long end)
{
	kt_u32 flags = 0;
	kt_u64 len = end - start;

	out->off = 0;
	out->len = 0;
	if (!start || end <= start)
		return 0;
	if (len > room - 1) {
		len = room - 1;
		flags = WIRE_F_ARGS_TRUNCATED;
	}
	asm volatile("" : "+r"(len));
	len &= room - 1;
	if (bpf_probe_read_user(&str[base], len, (void *)start))
		return 0;
	out->off = str_off + base;
	out->len = len;
	return flags;
}

static __always_inline kt_u32 put_args(char *str, kt_u32 base, kt_u32 room, struct kt_str *out,
				       kt_u32 str_off, struct task_struct *task)
{
	return put_args_between(str, base, room, out, str_off, BPF_CORE_READ(task, mm, arg_start),
				BPF_CORE_READ(task, mm, arg_end));
}
