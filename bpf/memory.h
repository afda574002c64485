/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Somebody can read the memory of a key holder: the one function that says so. See memory.bpf.c. */
#pragma once

#include "state.h"

/*
 * Reports that `reader` has come to be able to read the memory of `target` (0: that of the machine)
 * by `how` (WIRE_MEMORY_*), if target holds a key and this was not told yet of these two images and
 * these keys. Pointers travel as numbers: see access.h. Returns 1 if it was told.
 */
int report_memory(kt_u64 reader, kt_u64 target, kt_u32 how);

/* The process of `task` has come by a key: tells of the one who traces it already, if any. */
static __always_inline void tell_tracer(struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	if (!BPF_CORE_READ(task, ptrace)) {
		if (!BPF_CORE_READ(leader, ptrace))
			return;
		task = leader;
	}
	report_memory((kt_u64)BPF_CORE_READ(task, parent), (kt_u64)task, WIRE_MEMORY_TRACED);
}
