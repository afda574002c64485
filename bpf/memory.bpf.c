// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Memory of those who hold a key: who traces them, opens their /proc/PID/mem, reads it from afar;
 * and who reads the memory of the whole machine.
 *
 * What is told is who has come by the means, once for each two images and set of keys: a debugger
 * that peeks a million words is one record. The kernel's own look at a process (fork, exec, a core
 * dump) and one process's at itself pass none of these hooks or are left out here, and so does what
 * asks for PTRACE_MODE_READ only: ps, /proc/PID/maps, process_madvise, kcmp, perf.
 */
#include "memory.h"
#include "access.h"
#include "holders.h"
#include "record.h"
#include "syscall.h"

enum {
	EXE_AT = 0,
	CGROUP_AT = EXE_AT + WIRE_EXE_MAX,
	ARGS_AT = CGROUP_AT + WIRE_CGROUP_MAX,
	STRINGS = ARGS_AT + WIRE_ARGS_MAX,
};

struct memory_record {
	struct wire_memory m;
	char str[STRINGS + NAME_SLACK];
};

#define STR_OFF __builtin_offsetof(struct memory_record, str)

/* What was told already. LRU: to forget one is to tell it once more. */
struct seen_key {
	kt_u64 reader_start, reader_exec_id, target_start, target_exec_id;
	kt_u32 reader_tgid, target_tgid;
	kt_u32 how; /* the ways to all of a process's memory are one */
	kt_u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, struct seen_key);
	__type(value, kt_u32); /* keys it held */
} memory_seen SEC(".maps");

static __always_inline kt_u32 how_group(kt_u32 how)
{
	return how == WIRE_MEMORY_GETFD || how >= WIRE_MEMORY_ENVIRON ? how : WIRE_MEMORY_ATTACH;
}

static __always_inline void fill_seen(struct seen_key *seen, struct task_struct *reader,
				      struct task_struct *target, kt_u32 how)
{
	/* Straight to where it belongs: the stack is nearly used up here. */
	BPF_CORE_READ_INTO(&seen->reader_tgid, reader, tgid);
	BPF_CORE_READ_INTO(&seen->reader_start, reader, group_leader, start_boottime);
	BPF_CORE_READ_INTO(&seen->reader_exec_id, reader, self_exec_id);
	/* All 0 if there is none: a read through a null pointer gives that. */
	BPF_CORE_READ_INTO(&seen->target_tgid, target, tgid);
	BPF_CORE_READ_INTO(&seen->target_start, target, group_leader, start_boottime);
	BPF_CORE_READ_INTO(&seen->target_exec_id, target, self_exec_id);
	seen->how = how_group(how);
}

/* How many keys the target holds, 0 = it is the machine; -1: none, or this was told. */
__noinline int memory_news(kt_u64 reader_addr, kt_u64 target_addr, kt_u32 how)
{
	struct task_struct *reader = (void *)reader_addr;
	struct seen_key seen = {};
	struct holder *held;
	kt_u32 *told, nr_keys = 0;

	fill_seen(&seen, reader, (void *)target_addr, how);
	if (seen.reader_tgid == cfg_self_tgid)
		return -1;
	if (target_addr) {
		if (seen.target_tgid == seen.reader_tgid)
			return -1;
		held = holder_find(seen.target_tgid);
		if (!held || !(held->flags & HOLDER_KEY))
			return -1;
		nr_keys = held->nr_keys;
	}
	told = bpf_map_lookup_elem(&memory_seen, &seen);
	return told && *told == nr_keys ? -1 : nr_keys & 0x7fffffff;
}

__noinline int memory_told(kt_u64 reader_addr, kt_u64 target_addr, kt_u32 how, kt_u32 nr_keys)
{
	struct seen_key seen = {};

	fill_seen(&seen, (void *)reader_addr, (void *)target_addr, how);
	return bpf_map_update_elem(&memory_seen, &seen, &nr_keys, BPF_ANY);
}

static __always_inline void fill_target(struct wire_memory *m, struct task_struct *target)
{
	struct holder *held = holder_find(BPF_CORE_READ(target, tgid));
	kt_u32 i;

	fill_subject(&m->target, target);
	fill_parent(target, &m->target_parent_start, &m->target_parent_exec_id,
		    &m->target_parent_tgid);
	for (i = 0; held && i < WIRE_KEYS_MAX; i++)
		m->key[i] = held->key[i];
}

__noinline int report_memory(kt_u64 reader_addr, kt_u64 target_addr, kt_u32 how)
{
	struct task_struct *reader = (void *)reader_addr;
	struct memory_record *r;
	int nr_keys;

	if (!reader || (BPF_CORE_READ(reader, flags) & PF_KTHREAD))
		return 0;
	nr_keys = memory_news(reader_addr, target_addr, how);
	if (nr_keys < 0)
		return 0;
	r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 0; /* and is told at the next try */
	}
	memory_told(reader_addr, target_addr, how, nr_keys);
	__builtin_memset(&r->m, 0, sizeof(r->m));
	fill_header(&r->m.h, WIRE_MEMORY, sizeof(*r), RING_CRITICAL);
	r->m.h.flags |= put_exe(r->str, EXE_AT, WIRE_EXE_MAX, &r->m.exe, STR_OFF, reader);
	r->m.h.flags |=
		put_cgroup(r->str, CGROUP_AT, WIRE_CGROUP_MAX, &r->m.cgroup, STR_OFF, reader);
	if (reader_addr == bpf_get_current_task()) /* else its memory cannot be read from here */
		r->m.h.flags |=
			put_args(r->str, ARGS_AT, WIRE_ARGS_MAX, &r->m.args, STR_OFF, reader);
	fill_subject(&r->m.subject, reader);
	fill_parent(reader, &r->m.parent_start, &r->m.parent_exec_id, &r->m.parent_tgid);
	r->m.how = how;
	r->m.nr_keys = nr_keys;
	r->m.exe_nlink = BPF_CORE_READ(reader, mm, exe_file, f_inode, i_nlink);
	r->m.exe_mode = BPF_CORE_READ(reader, mm, exe_file, f_inode, i_mode);
	r->m.exe_uid = BPF_CORE_READ(reader, mm, exe_file, f_inode, i_uid.val);
	if (target_addr)
		fill_target(&r->m, (void *)target_addr);
	bpf_ringbuf_submit(r, 0);
	return 1;
}

__noinline int tell_tracer(kt_u64 task_addr, kt_u32 flags, kt_u32 how)
{
	struct task_struct *task = (void *)task_addr;
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	if (!(flags & MARK_KEY) || how == WIRE_HOW_CLOSE_WRITE)
		return 0;
	if (!BPF_CORE_READ(task, ptrace)) {
		if (!BPF_CORE_READ(leader, ptrace))
			return 0;
		task = leader;
	}
	return report_memory((kt_u64)BPF_CORE_READ(task, parent), (kt_u64)task, WIRE_MEMORY_TRACED);
}

/* --- a process's memory ------------------------------------------------------------------------
 */

/* ptrace attach and seize, process_vm_readv and _writev, pidfd_getfd: all ask here, and only what
 * was granted counts. /proc/PID files ask by the file system's credentials, and have hooks below.
 */
SEC("fexit/security_ptrace_access_check")
int BPF_PROG(on_ptrace_access, struct task_struct *child, unsigned int mode, int ret)
{
	kt_u32 how = WIRE_MEMORY_ATTACH;
	long nr;

	if (ret || !(mode & PTRACE_MODE_ATTACH) || !(mode & PTRACE_MODE_REALCREDS) ||
	    !holder_test(child->tgid))
		return 0;
	nr = current_syscall();
	if (nr == NR_PROCESS_VM_READV || nr == NR_PROCESS_VM_WRITEV)
		how = WIRE_MEMORY_PROCESS_VM;
	else if (nr == NR_PIDFD_GETFD)
		how = WIRE_MEMORY_GETFD;
	report_memory(bpf_get_current_task(), addr_of(child), how);
	return 0;
}

/* A holder lets its parent trace it. */
SEC("fexit/security_ptrace_traceme")
int BPF_PROG(on_ptrace_traceme, struct task_struct *parent, int ret)
{
	if (!ret && holder_test(bpf_get_current_pid_tgid() >> 32))
		report_memory(addr_of(parent), bpf_get_current_task(), WIRE_MEMORY_ATTACH);
	return 0;
}

/* PTRACE_PEEK, _POKE: a tracer that is older than the key, and than this program. */
SEC("fentry/ptrace_access_vm")
int BPF_PROG(on_ptrace_vm, struct task_struct *child)
{
	if (holder_test(child->tgid))
		report_memory(bpf_get_current_task(), addr_of(child), WIRE_MEMORY_PEEK);
	return 0;
}

/* /proc/PID/... keeps the memory, not the process: mm->owner is one of its threads. */
static __always_inline void foreign_mm(struct file *file, kt_u32 how)
{
	struct mm_struct *mm = file->private_data;
	struct task_struct *owner;

	if (!mm || !bpf_core_field_exists(mm->owner)) /* CONFIG_MEMCG */
		return;
	owner = BPF_CORE_READ(mm, owner);
	if (owner && holder_test(BPF_CORE_READ(owner, tgid)))
		report_memory(bpf_get_current_task(), (kt_u64)owner, how);
}

SEC("fexit/mem_open")
int BPF_PROG(on_mem_open, struct inode *inode, struct file *file, int ret)
{
	if (!ret)
		foreign_mm(file, WIRE_MEMORY_PROC_MEM);
	return 0;
}

/* Opened before the key was read, or handed over. */
SEC("fentry/mem_rw")
int BPF_PROG(on_mem_rw, struct file *file)
{
	foreign_mm(file, WIRE_MEMORY_PROC_MEM);
	return 0;
}

/* Where mem_rw is inlined into its two callers. */
SEC("fentry/mem_read")
int BPF_PROG(on_mem_read, struct file *file)
{
	foreign_mm(file, WIRE_MEMORY_PROC_MEM);
	return 0;
}

SEC("fentry/environ_read")
int BPF_PROG(on_environ_read, struct file *file)
{
	foreign_mm(file, WIRE_MEMORY_ENVIRON);
	return 0;
}

/* --- the machine's memory ----------------------------------------------------------------------
 */

/* /dev/mem and /dev/port share it. */
SEC("fexit/open_port")
int BPF_PROG(on_open_dev_mem, struct inode *inode, struct file *file, int ret)
{
	if (!ret && (inode->i_rdev & DEV_MINOR_MASK) == DEV_MEM_MINOR)
		report_memory(bpf_get_current_task(), 0, WIRE_MEMORY_DEV_MEM);
	return 0;
}

SEC("fentry/read_mem")
int BPF_PROG(on_read_dev_mem)
{
	report_memory(bpf_get_current_task(), 0, WIRE_MEMORY_DEV_MEM);
	return 0;
}

SEC("fexit/open_kcore")
int BPF_PROG(on_open_kcore, struct inode *inode, struct file *file, int ret)
{
	if (!ret)
		report_memory(bpf_get_current_task(), 0, WIRE_MEMORY_KCORE);
	return 0;
}

SEC("fentry/read_kcore_iter")
int BPF_PROG(on_read_kcore_iter)
{
	report_memory(bpf_get_current_task(), 0, WIRE_MEMORY_KCORE);
	return 0;
}

/* Before 6.4 (46c0d6d0904a "fs/proc/kcore: convert read_kcore() to read_kcore_iter()"), and where
 * that was not taken back. */
SEC("fentry/read_kcore")
int BPF_PROG(on_read_kcore)
{
	report_memory(bpf_get_current_task(), 0, WIRE_MEMORY_KCORE);
	return 0;
}

/* Only a kernel that was booted to save the memory of a crashed one has it. */
SEC("fentry/read_vmcore")
int BPF_PROG(on_read_vmcore)
{
	report_memory(bpf_get_current_task(), 0, WIRE_MEMORY_VMCORE);
	return 0;
}

SEC("fentry/mmap_vmcore")
int BPF_PROG(on_mmap_vmcore)
{
	report_memory(bpf_get_current_task(), 0, WIRE_MEMORY_VMCORE);
	return 0;
}
