/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* The record of a process image: of a new one (WIRE_EXEC) or of one found at start (WIRE_PROC). */
#pragma once

#include "record.h"

enum {
	EXEC_EXE_AT = 0,
	EXEC_CGROUP_AT = EXEC_EXE_AT + WIRE_EXE_MAX,
	EXEC_ARGS_AT = EXEC_CGROUP_AT + WIRE_CGROUP_MAX,
	EXEC_STRINGS = EXEC_ARGS_AT + WIRE_ARGS_MAX,
};

struct exec_record {
	struct wire_exec e;
	char str[EXEC_STRINGS + NAME_SLACK];
};

#define EXEC_STR_OFF __builtin_offsetof(struct exec_record, str)

/*
 * A record that was reserved before this one has the path. A build starts programs by the thousand,
 * all of them in one cgroup, and the way to its root costs more than the rest of the record. Who
 * was told of stands here after that record was reserved, and records are read in the order in
 * which they were.
 */
static __always_inline int is_told(kt_u64 cgroup)
{
	return cgroups_told[cgroup % WIRE_CGROUPS_TOLD] == cgroup;
}

/*
 * All but the arguments, which only the process itself can read. `told`: is_told() of the task's
 * cgroup, asked before the record was reserved, or it might stand before the one with the path.
 */
static __always_inline void fill_exec(struct exec_record *r, struct task_struct *task, kt_u32 type,
				      int told)
{
	struct kernfs_node *cgroup = task->cgroups->dfl_cgrp->kn;
	struct file *exe_file = load_exe_file(task);

	__builtin_memset(&r->e, 0, sizeof(r->e));
	fill_header(&r->e.h, type, sizeof(*r), RING_BULK);
	load_subject(&r->e.subject, task);
	load_parent(task, &r->e.parent_start, &r->e.parent_exec_id, &r->e.parent_tgid);
	if (exe_file) {
		struct inode *exe = exe_file->f_inode;

		r->e.exe_mode = exe->i_mode;
		r->e.exe_uid = exe->i_uid.val;
		r->e.exe_nlink = exe->i_nlink;
		r->e.h.flags =
			put_exe_path(r->str, EXEC_EXE_AT, WIRE_EXE_MAX, &r->e.exe, EXEC_STR_OFF,
				     exe_file->f_path.dentry, exe_file->f_path.mnt);
	}
	r->e.cgroup_no = cgroup->id;
	if (told)
		return;
	r->e.h.flags |= put_cgroup_path(r->str, EXEC_CGROUP_AT, WIRE_CGROUP_MAX, &r->e.cgroup,
					EXEC_STR_OFF, cgroup);
	if (type == WIRE_EXEC && !(r->e.h.flags & WIRE_F_CGROUP_TRUNCATED))
		cgroups_told[cgroup->id % WIRE_CGROUPS_TOLD] = cgroup->id;
}
