// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Is there room for this access in the critical ring, and was one like it told? See pressure.h. */
#include "pressure.h"

/* Whose share a process's accesses are charged to: its login's, whatever uid it took since. */
static __always_inline kt_u32 pressure_uid(struct task_struct *task)
{
	kt_u32 uid = (kt_u32)-1;

	if (bpf_core_field_exists(task->loginuid)) /* CONFIG_AUDIT */
		uid = BPF_CORE_READ(task, loginuid.val);
	return uid == (kt_u32)-1 ? BPF_CORE_READ(task, real_cred, uid.val) : uid;
}

/* 1 if that many kinds of this uid's are known in this turn; else there is one more of them. */
static __always_inline int pressure_over_share(const struct pressure_key *kind)
{
	struct pressure_key share = {.uid = kind->uid, .turn = kind->turn, .what = PRESSURE_SHARE};
	kt_u64 one = 1, *nr;

	nr = bpf_map_lookup_elem(&pressure_kinds, &share);
	if (!nr)
		return bpf_map_update_elem(&pressure_kinds, &share, &one, BPF_NOEXIST) == -7;
	if (*nr >= PRESSURE_UID_MAX)
		return 1;
	__sync_fetch_and_add(nr, 1);
	return 0;
}

static __always_inline void fill_kind(struct pressure_key *kind, struct task_struct *task,
				      kt_u64 object, kt_u32 what)
{
	struct file *exe = BPF_CORE_READ(task, mm, exe_file);

	kind->object = object;
	kind->exe_ino = BPF_CORE_READ(exe, f_inode, i_ino);
	kind->exe_dev = BPF_CORE_READ(exe, f_inode, i_sb, s_dev);
	kind->uid = pressure_uid(task);
	kind->what = what;
	kind->turn = pressure.turn & 1;
}

__noinline int pressure_on(kt_u64 task, kt_u64 object, kt_u32 what)
{
	struct pressure_key kind = {};
	kt_u64 zero = 0, *count;
	long err;

	if (!pressure_is_high())
		return PRESSURE_NONE;
	fill_kind(&kind, (void *)task, object, what);
	count = bpf_map_lookup_elem(&pressure_kinds, &kind);
	if (count) {
		__sync_fetch_and_add(count, 1);
		return PRESSURE_REPEAT;
	}
	pressure.used = 1;
	if (pressure_over_share(&kind))
		return PRESSURE_OVER;
	err = bpf_map_update_elem(&pressure_kinds, &kind, &zero, BPF_NOEXIST);
	if (err == -17 /* EEXIST: another CPU was first */) {
		count = bpf_map_lookup_elem(&pressure_kinds, &kind);
		if (count) {
			__sync_fetch_and_add(count, 1);
			return PRESSURE_REPEAT;
		}
	}
	return err ? PRESSURE_OVER : PRESSURE_FIRST;
}

__noinline int pressure_untold(kt_u64 task, kt_u64 object, kt_u32 what)
{
	struct pressure_key kind = {};

	fill_kind(&kind, (void *)task, object, what);
	return bpf_map_delete_elem(&pressure_kinds, &kind) ? 0 : 1;
}
