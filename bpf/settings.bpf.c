// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Settings that decide whether the memory of a key's holder can end up in a dump: where cores go
 * and of whom (sysctls), and what the holder itself, or root for it, allows.
 *
 * Sysctls have no inode that could be marked. Their handlers are functions of their own, so these
 * programs run when somebody reads or writes just these two files.
 */
#include "access.h"
#include "held.h"
#include "record.h"
#include "taint.h"

enum {
	TEXT_AT = 0,
	EXE_AT = TEXT_AT + WIRE_SETTING_TEXT,
	CGROUP_AT = EXE_AT + WIRE_EXE_MAX,
	ARGS_AT = CGROUP_AT + WIRE_CGROUP_MAX,
	STRINGS = ARGS_AT + WIRE_ARGS_MAX,
};

struct setting_record {
	struct wire_setting s;
	char str[STRINGS + NAME_SLACK];
};

#define STR_OFF __builtin_offsetof(struct setting_record, str)

/* target: task of which, 0 = of the host. text: kernel string, 0 = none. */
__noinline int report_setting(kt_u32 what, kt_u64 target_addr, kt_u64 old_value, kt_u64 value,
			      kt_u64 text_addr)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *target = (void *)target_addr;
	struct setting_record *r;
	long len;

	r = bpf_ringbuf_reserve(&ring_critical, sizeof(*r), 0);
	if (!r) {
		count_drop(WIRE_DROP_RING_CRITICAL);
		return 0;
	}
	__builtin_memset(&r->s, 0, sizeof(r->s));
	fill_header(&r->s.h, WIRE_SETTING, sizeof(*r), RING_CRITICAL);
	r->s.h.flags |= put_exe(r->str, EXE_AT, WIRE_EXE_MAX, &r->s.exe, STR_OFF, task);
	r->s.h.flags |= put_cgroup(r->str, CGROUP_AT, WIRE_CGROUP_MAX, &r->s.cgroup, STR_OFF, task);
	r->s.h.flags |= put_args(r->str, ARGS_AT, WIRE_ARGS_MAX, &r->s.args, STR_OFF, task);
	fill_subject(&r->s.subject, task);
	fill_parent(task, &r->s.parent_start, &r->s.parent_exec_id, &r->s.parent_tgid);
	r->s.what = what;
	r->s.old_value = old_value;
	r->s.value = value;
	if (target) {
		r->s.target_tgid = BPF_CORE_READ(target, tgid);
		r->s.target_start = BPF_CORE_READ(target, group_leader, start_boottime);
		fill_held(&r->s.held, r->s.target_tgid, target);
	}
	r->s.exe_nlink = BPF_CORE_READ(task, mm, exe_file, f_inode, i_nlink);
	r->s.exe_mode = BPF_CORE_READ(task, mm, exe_file, f_inode, i_mode);
	r->s.exe_uid = BPF_CORE_READ(task, mm, exe_file, f_inode, i_uid.val);
	if (text_addr) {
		len = bpf_probe_read_kernel_str(&r->str[TEXT_AT], WIRE_SETTING_TEXT,
						(void *)text_addr);
		if (len > 1) {
			r->s.text.off = STR_OFF + TEXT_AT;
			r->s.text.len = len - 1;
		}
	}
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/* At the exit, where a value that the kernel refuses is not in force. */
SEC("fexit/proc_dostring_coredump")
int BPF_PROG(on_core_pattern, struct ctl_table *table, int write, void *buffer, void *lenp,
	     void *ppos, int ret)
{
	if (write && !ret)
		report_setting(WIRE_SETTING_CORE_PATTERN, 0, 0, 0,
			       (kt_u64)BPF_CORE_READ(table, data));
	return 0;
}

SEC("fexit/proc_dointvec_minmax_coredump")
int BPF_PROG(on_suid_dumpable, struct ctl_table *table, int write, void *buffer, void *lenp,
	     void *ppos, int ret)
{
	kt_u32 value = 0;

	if (!write || ret)
		return 0;
	if (bpf_probe_read_kernel(&value, sizeof(value), BPF_CORE_READ(table, data)))
		count_drop(WIRE_DROP_READ);
	report_setting(WIRE_SETTING_SUID_DUMPABLE, 0, 0, value, 0);
	return 0;
}

SEC("fentry/security_task_prctl")
int BPF_PROG(on_task_prctl, int option, unsigned long arg2)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	if (option == PR_SET_MM && (arg2 == PR_SET_MM_EXE || arg2 == PR_SET_MM_MAP))
		taint_disguised((kt_u64)task);
	if (option != PR_SET_DUMPABLE || arg2 > 1 || !holds_key(bpf_get_current_pid_tgid() >> 32))
		return 0;
	report_setting(WIRE_SETTING_DUMPABLE, bpf_get_current_task(), dumpable_of(task), arg2, 0);
	return 0;
}

SEC("fentry/security_task_setrlimit")
int BPF_PROG(on_task_setrlimit, struct task_struct *task, unsigned int resource,
	     struct rlimit *limit)
{
	if (resource != RLIMIT_CORE || !holds_key(task->tgid))
		return 0;
	report_setting(WIRE_SETTING_RLIMIT_CORE, addr_of(task),
		       BPF_CORE_READ(task, signal, rlim[RLIMIT_CORE].rlim_cur),
		       BPF_CORE_READ(limit, rlim_cur), 0);
	return 0;
}
