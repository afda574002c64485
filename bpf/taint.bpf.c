// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * What has got into a process image besides its executable: see taint.h. That files are mapped is
 * seen by on_mmap_file (files.bpf.c), beside the question whether they are watched; here is the
 * second way to make a mapping executable, and here are tracers.
 *
 * Of those who attach, open a process's memory for writing or write into it from afar, only others
 * than root are kept: root's debugger is news while it is attached, and root can change the
 * executable too.
 */
#include "taint.h"
#include "access.h"
#include "syscall.h"

static __always_inline int is_same(const struct taint *a, const struct taint *b)
{
	return a->start == b->start && a->exec_id == b->exec_id;
}

/* Adds to what is known of a process, or begins anew if that was of another image. */
static __always_inline void taint_put(kt_u32 tgid, const struct taint *taint)
{
	struct taint *old = bpf_map_lookup_elem(&taints, &tgid);

	if (!old) {
		if (!bpf_map_update_elem(&taints, &tgid, taint, BPF_NOEXIST)) {
			taint_count(tgid, 1);
			return;
		}
		/* Put there by another CPU at this moment, or there is no room. */
		old = bpf_map_lookup_elem(&taints, &tgid);
		if (!old) {
			taint_lose(tgid);
			count_drop(WIRE_DROP_TAINT_FULL);
			return;
		}
	}
	if (!is_same(old, taint)) {
		bpf_map_update_elem(&taints, &tgid, taint, BPF_EXIST);
		return;
	}
	if (taint->mapped)
		old->mapped = 1;
	if (taint->traced)
		old->traced = 1;
	if (taint->disguised)
		old->disguised = 1;
}

static __always_inline void fill_taint(struct taint *taint, struct task_struct *task)
{
	taint->start = BPF_CORE_READ(task, group_leader, start_boottime);
	taint->exec_id = BPF_CORE_READ(task, self_exec_id);
}

/* The thread that the memory of a task belongs to, 0 = none, or not known without CONFIG_MEMCG. */
static __always_inline struct task_struct *memory_owner(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	return mm && bpf_core_field_exists(mm->owner) ? BPF_CORE_READ(mm, owner) : 0;
}

static __always_inline kt_u32 taint_of_process(kt_u64 task_addr)
{
	struct task_struct *task = (void *)task_addr;
	kt_u32 tgid = BPF_CORE_READ(task, tgid), flags = 0;
	struct taint *known;

	if (BPF_CORE_READ(task, ptrace) || BPF_CORE_READ(task, group_leader, ptrace))
		flags |= WIRE_TAINT_TRACED;
	if (!taint_test(tgid))
		return flags;
	if (taint_is_lost(tgid))
		flags |= WIRE_TAINT_UNKNOWN;
	known = bpf_map_lookup_elem(&taints, &tgid);
	/* Not by is_same(): this is the deepest of the calls of all who tell, and there is no more
	 * stack. Nor is it a function by itself for that. */
	if (!known || known->start != BPF_CORE_READ(task, group_leader, start_boottime) ||
	    known->exec_id != BPF_CORE_READ(task, self_exec_id))
		return flags;
	if (known->mapped)
		flags |= WIRE_TAINT_MAPPED;
	if (known->traced)
		flags |= WIRE_TAINT_TRACED;
	if (known->disguised)
		flags |= WIRE_TAINT_DISGUISED;
	return flags;
}

__noinline kt_u32 taint_of(kt_u64 task_addr)
{
	struct task_struct *task = (void *)task_addr, *owner = memory_owner(task);
	kt_u32 flags = taint_of_process(task_addr);

	if (owner && BPF_CORE_READ(owner, tgid) != BPF_CORE_READ(task, tgid))
		flags |= taint_of_process((kt_u64)owner);
	else if (!owner && BPF_CORE_READ(task, flags) & PF_KTHREAD && BPF_CORE_READ(task, mm))
		flags |= WIRE_TAINT_UNKNOWN;
	return flags;
}

__noinline int taint_mapped(kt_u64 task_addr, kt_u64 inode_addr)
{
	struct task_struct *task = (void *)task_addr;
	struct taint taint = {.mapped = 1};

	/* Whose the executable is stands in each record by itself. */
	if ((kt_u64)BPF_CORE_READ(task, mm, exe_file, f_inode) == inode_addr)
		return 0;
	fill_taint(&taint, task);
	taint_put(BPF_CORE_READ(task, tgid), &taint);
	return 1;
}

/* Somebody other than root has the process of `task` in hand. */
__noinline int taint_traced(kt_u64 task_addr)
{
	struct task_struct *task = (void *)task_addr;
	struct taint taint = {.traced = 1};

	fill_taint(&taint, task);
	taint_put(BPF_CORE_READ(task, tgid), &taint);
	return 1;
}

/*
 * Before it is done, and whether it is allowed to or not: what is asked for stands in its own
 * memory and can be another thing a moment later. Who shares its memory has the new executable as
 * well.
 */
__noinline int taint_disguised(kt_u64 task_addr)
{
	struct task_struct *task = (void *)task_addr, *owner = memory_owner(task);
	struct taint taint = {.disguised = 1};
	kt_u32 tgid = BPF_CORE_READ(task, tgid);

	fill_taint(&taint, task);
	taint_put(tgid, &taint);
	if (owner && BPF_CORE_READ(owner, tgid) != tgid) {
		fill_taint(&taint, owner);
		taint_put(BPF_CORE_READ(owner, tgid), &taint);
	}
	return 0;
}

__noinline int taint_exec(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	taint_end(bpf_get_current_pid_tgid() >> 32);
	/* A tracer that stays, and may be gone before the image reads anything. */
	if (BPF_CORE_READ(task, ptrace) && BPF_CORE_READ(task, parent, real_cred, uid.val))
		taint_traced((kt_u64)task);
	return 0;
}

__noinline int taint_fork(kt_u32 parent_tgid, kt_u32 child_tgid, kt_u64 child)
{
	struct taint taint = {}, *parent = bpf_map_lookup_elem(&taints, &parent_tgid);

	if (taint_is_lost(parent_tgid))
		taint_lose(child_tgid);
	if (!parent)
		return 0;
	taint.mapped = parent->mapped;
	taint.traced = parent->traced;
	taint.disguised = parent->disguised;
	fill_taint(&taint, (void *)child);
	/* Of an image that was before the parent's: not kept, though its end was not seen. */
	if (taint.exec_id == parent->exec_id)
		taint_put(child_tgid, &taint);
	return 0;
}

/* A file that was mapped to be read becomes code. */
SEC("fentry/security_file_mprotect")
int BPF_PROG(on_file_mprotect, struct vm_area_struct *vma, unsigned long reqprot,
	     unsigned long prot)
{
	struct file *file;

	if (!(prot & PROT_EXEC))
		return 0;
	file = vma->vm_file;
	if (file && others_can_change_code(file))
		taint_mapped(bpf_get_current_task(), addr_of(file->f_inode));
	return 0;
}

/* ptrace attach and seize, process_vm_writev: the same check serves what only reads. */
SEC("fexit/security_ptrace_access_check")
int BPF_PROG(on_ptrace_taint, struct task_struct *child, unsigned int mode, int ret)
{
	long nr;

	if (ret || !(mode & PTRACE_MODE_ATTACH) || !(mode & PTRACE_MODE_REALCREDS) ||
	    !(kt_u32)bpf_get_current_uid_gid())
		return 0;
	nr = current_syscall();
	if (nr == NR_PROCESS_VM_READV || nr == NR_PIDFD_GETFD)
		return 0;
	taint_traced(addr_of(child));
	return 0;
}

/* /proc/PID/mem, opened to write. */
SEC("fexit/mem_open")
int BPF_PROG(on_mem_taint, struct inode *inode, struct file *file, int ret)
{
	struct mm_struct *mm;
	struct task_struct *owner;

	if (ret || !(file->f_mode & FMODE_WRITE) || !(kt_u32)bpf_get_current_uid_gid())
		return 0;
	mm = file->private_data;
	if (!mm || !bpf_core_field_exists(mm->owner)) /* CONFIG_MEMCG */
		return 0;
	owner = BPF_CORE_READ(mm, owner);
	if (owner && BPF_CORE_READ(owner, tgid) != bpf_get_current_pid_tgid() >> 32)
		taint_traced((kt_u64)owner);
	return 0;
}
