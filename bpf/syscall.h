/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Which system call a program runs in, where the hook itself does not say. */
#pragma once

#include "kernel.h"

/*
 * The system call that the current task is in. One check of the kernel's serves several of them,
 * and they are not the same to whoever reads the alert.
 */
static __always_inline long current_syscall(void)
{
	struct pt_regs___kt *regs;

	if (bpf_core_enum_value_exists(enum bpf_func_id, BPF_FUNC_task_pt_regs)) {
		regs = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	} else { /* before 5.15: where that helper finds them, on x86-64 of that time */
		struct task_struct *task = (void *)bpf_get_current_task();

		regs = BPF_CORE_READ(task, stack) + KERNEL_STACK_SIZE -
		       bpf_core_type_size(struct pt_regs___kt);
	}
	return BPF_CORE_READ(regs, orig_ax);
}
