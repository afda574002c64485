// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/*
 * Which script is it that an interpreter runs? Of one that was started by its first line the kernel
 * knows: it opened the file, read "#!" and put the file's name among the interpreter's arguments
 * (fs/binfmt_script.c). What arguments alone say is not looked at here.
 *
 * Whoever hands a file on to another program says so by bprm_change_interp(): the first lines of
 * scripts, and binfmt_misc. Execs of programs, which are nearly all, never come there and pay
 * nothing. The script's file is put away after it, so what is told of it is kept from there to the
 * end of the exec (tracepoint sched_process_exec), under the process: within one process one exec
 * at a time is on its way (signal->cred_guard_mutex).
 *
 * The questions, and where it is not known the answer is no script: did this exec end with the
 * program behind exactly the file that was kept? An exec that failed leaves its script here until
 * the next one of this process, or its end; of a program that was handed nothing no script is told.
 */
#include "script.h"
#include "access.h"
#include "record.h"

#define SCRIPT_NAME_AT WIRE_EXE_MAX
#define SCRIPT_STRINGS (SCRIPT_NAME_AT + WIRE_SCRIPT_NAME_MAX)

struct script_record {
	struct wire_script s;
	char str[SCRIPT_STRINGS + NAME_SLACK];
};

#define SCRIPT_STR_OFF __builtin_offsetof(struct script_record, str)

/* Never LRU: an element that is given to another process while it is filled would mix two. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 2048);
	__type(key, kt_u32); /* tgid */
	__type(value, struct script_record);
} scripts __weak SEC(".maps");

kt_u32 nr_scripts; /* in the table: 0 = nothing to look for */

static const struct script_record no_script;

__noinline int script_end(kt_u32 tgid)
{
	if (!nr_scripts || bpf_map_delete_elem(&scripts, &tgid))
		return 0;
	__sync_fetch_and_add(&nr_scripts, -1);
	return 1;
}

/* The kernel has read the first line of `bprm`'s file, and its name stands in `interp` still. */
__noinline int keep_script(kt_u64 bprm_addr)
{
	struct linux_binprm *bprm = (void *)bprm_addr;
	kt_u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct file *file = BPF_CORE_READ(bprm, file);
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct script_record *r;
	long len;

	script_end(tgid);
	if (bpf_map_update_elem(&scripts, &tgid, &no_script, BPF_NOEXIST)) {
		count_drop(WIRE_DROP_SCRIPT_FULL);
		return 0;
	}
	__sync_fetch_and_add(&nr_scripts, 1);
	r = bpf_map_lookup_elem(&scripts, &tgid);
	if (!r)
		return 0;
	r->s.h.flags =
		put_path(r->str, 0, WIRE_EXE_MAX, &r->s.path, SCRIPT_STR_OFF,
			 BPF_CORE_READ(file, f_path.dentry), BPF_CORE_READ(file, f_path.mnt));
	fill_inode(&r->s.inode, inode);
	r->s.nlink = BPF_CORE_READ(inode, i_nlink);
	r->s.mode = BPF_CORE_READ(inode, i_mode);
	r->s.uid = BPF_CORE_READ(inode, i_uid.val);
	len = bpf_probe_read_kernel_str(&r->str[SCRIPT_NAME_AT], WIRE_SCRIPT_NAME_MAX,
					BPF_CORE_READ(bprm, interp));
	/* One that fills its room may have been cut: another name than the one that is opened. */
	if (len > 1 && len < WIRE_SCRIPT_NAME_MAX) {
		r->s.name.off = SCRIPT_STR_OFF + SCRIPT_NAME_AT;
		r->s.name.len = len - 1;
	}
	return 1;
}

SEC("fentry/bprm_change_interp")
int BPF_PROG(on_change_interp, const char *interp, struct linux_binprm *bprm)
{
	if (bprm->buf[0] == '#' && bprm->buf[1] == '!')
		keep_script(addr_of(bprm));
	else /* binfmt_misc: what a first line named is itself handed on, and runs no script */
		script_end(bpf_get_current_pid_tgid() >> 32);
	return 0;
}

__noinline int report_script(kt_u64 bprm_addr)
{
	struct linux_binprm *bprm = (void *)bprm_addr;
	struct task_struct *task = (void *)bpf_get_current_task();
	kt_u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct script_record *script = nr_scripts ? bpf_map_lookup_elem(&scripts, &tgid) : 0;
	struct script_record *r;

	if (!script)
		return 0;
	/* The same: an exec that was handed to nobody, after one that failed. */
	if (BPF_CORE_READ(bprm, interp) != BPF_CORE_READ(bprm, filename)) {
		r = bpf_ringbuf_reserve(&ring_bulk, sizeof(*r), 0);
		if (r) {
			bpf_probe_read_kernel(r, sizeof(*r), script);
			fill_header(&r->s.h, WIRE_SCRIPT, sizeof(*r), RING_BULK);
			r->s.h.flags = script->s.h.flags;
			r->s.start = BPF_CORE_READ(task, group_leader, start_boottime);
			r->s.exec_id = BPF_CORE_READ(task, self_exec_id);
			r->s.tgid = tgid;
			r->s.by = bpf_get_current_uid_gid();
			bpf_ringbuf_submit(r, bulk_flags());
		} else {
			count_drop(WIRE_DROP_RING_BULK);
		}
	}
	script_end(tgid);
	return 1;
}
