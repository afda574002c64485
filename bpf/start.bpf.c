// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * The picture at start: processes that are there, and watched files that are open already. Read by
 * the daemon once, after the hooks are live, so that nothing falls between.
 */
#include "access.h"
#include "exec.h"
#include "identity.h"
#include "taint.h"

/* Only the daemon's one read() at a time runs the iterator, so one record is enough. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, kt_u32);
	__type(value, struct exec_record);
} scratch_proc SEC(".maps");

SEC("iter/task")
int on_iter_task(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct seq_file *seq = ctx->meta->seq;
	struct exec_record *r;
	kt_u32 zero = 0;

	if (!task || task->pid != task->tgid)
		return 0;
	r = bpf_map_lookup_elem(&scratch_proc, &zero);
	if (!r)
		return 0;
	fill_exec(r, task, WIRE_PROC, 0);
	r->e.h.seq = 0; /* not a record of the ring */
	bpf_seq_write(seq, r, sizeof(*r));
	return 0;
}

SEC("iter/task_file")
int on_iter_task_file(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct inode *inode;

	if (!task || !file)
		return 0;
	inode = file->f_inode;
	/* Which nodes a block device has is not known before one is opened. */
	if (filter_test(inode) || (inode->i_mode & S_IFMT) == S_IFBLK)
		report_access(addr_of(file), addr_of(task), WIRE_HOW_FOUND, 0, ctx->fd);
	return 0;
}

/* A mapping outlives its descriptor. */
SEC("iter/task_vma")
int on_iter_task_vma(struct bpf_iter__task_vma *ctx)
{
	struct task_struct *task = ctx->task;
	struct vm_area_struct *vma = ctx->vma;
	struct file *file;
	kt_u32 mode = 0;

	if (!task || !vma)
		return 0;
	file = vma->vm_file;
	if (!file)
		return 0;
	if (BPF_CORE_READ(vma, vm_flags) & VM_EXEC && others_can_change_code(file))
		taint_mapped(addr_of(task), addr_of(file->f_inode));
	if (!filter_test(file->f_inode))
		return 0;
	if (BPF_CORE_READ(vma, vm_flags) & VM_WRITE)
		mode |= WIRE_M_WRITE;
	if (BPF_CORE_READ(vma, vm_flags) & VM_EXEC)
		mode |= WIRE_M_EXEC;
	report_access(addr_of(file), addr_of(task), WIRE_HOW_FOUND, mode, -1);
	return 0;
}
