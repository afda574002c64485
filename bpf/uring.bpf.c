// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Descriptors of io_uring that are in no descriptor table.
 *
 * A file that is opened straight into a ring's own table passes security_file_open like any other.
 * But IORING_OP_MSG_RING hands it on into the table of another ring, whose process then reads it by
 * number: no open, and no security_file_receive. Whose ring that is says the memory it is charged
 * to, since the task that installs the descriptor may be the sender.
 */
#include "access.h"
#include "identity.h"

SEC("fentry/__io_fixed_fd_install")
int BPF_PROG(on_fixed_fd_install, struct io_ring_ctx *ring, struct file *file)
{
	struct task_struct *current = (void *)bpf_get_current_task(), *owner;

	if (!filter_test(file->f_inode))
		return 0;
	owner = BPF_CORE_READ(ring, mm_account, owner);
	/* To oneself: told as the open that it is. */
	if (owner && BPF_CORE_READ(owner, tgid) != BPF_CORE_READ(current, tgid))
		report_access(addr_of(file), (kt_u64)owner, WIRE_HOW_RECEIVE, 0, -1);
	return 0;
}
