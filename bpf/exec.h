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

/* All but the arguments, which only the process itself can read. */
static __always_inline void fill_exec(struct exec_record *r, struct task_struct *task, kt_u32 type)
{
	struct inode *exe;

	__builtin_memset(&r->e, 0, sizeof(r->e));
	fill_header(&r->e.h, type, sizeof(*r), RING_BULK);
	fill_subject(&r->e.subject, task);
	fill_parent(task, &r->e.parent_start, &r->e.parent_exec_id, &r->e.parent_tgid);
	exe = BPF_CORE_READ(task, mm, exe_file, f_inode);
	if (exe) {
		r->e.exe_mode = BPF_CORE_READ(exe, i_mode);
		r->e.exe_uid = BPF_CORE_READ(exe, i_uid.val);
		r->e.exe_nlink = BPF_CORE_READ(exe, i_nlink);
	}
	r->e.h.flags = put_exe(r->str, EXEC_EXE_AT, WIRE_EXE_MAX, &r->e.exe, EXEC_STR_OFF, task);
	r->e.h.flags |= put_cgroup(r->str, EXEC_CGROUP_AT, WIRE_CGROUP_MAX, &r->e.cgroup,
				   EXEC_STR_OFF, task);
}
