/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a process has read, for records about its memory; and whether that memory may be dumped. */
#pragma once

#include "state.h"

static __always_inline void fill_held(struct wire_held *out, kt_u32 tgid)
{
}

/* 0 no, 1 yes, 2 for root only: SUID_DUMP_* of include/linux/sched/coredump.h. */
static __always_inline kt_u32 dumpable_of(struct task_struct *task)
{
	struct task_struct___v7 *task_v7 = (void *)task;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct mm_struct___v6_18 *mm_v6_18 = (void *)mm;

	if (bpf_core_field_exists(task_v7->exec_state))
		return BPF_CORE_READ(task_v7, exec_state, dumpable);
	if (bpf_core_field_exists(mm_v6_18->flags.__mm_flags))
		return BPF_CORE_READ(mm_v6_18, flags.__mm_flags[0]) & MMF_DUMPABLE_MASK;
	return BPF_CORE_READ(mm, flags) & MMF_DUMPABLE_MASK;
}

static __always_inline int holds_key(kt_u32 tgid)
{
	return 0;
}
