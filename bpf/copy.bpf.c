// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Who has a key and writes a file, and how many of those are told. */
#include "copy.h"
#include "held.h"

struct copy_key {
	kt_u32 id;
	kt_u32 is_user; /* else a process */
};

struct copy_share {
	kt_u64 window;
	kt_u64 nr;
};

/* LRU: who pushes others' shares out of it has to be many users and processes that have keys. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, struct copy_key);
	__type(value, struct copy_share);
} copy_shares SEC(".maps");

static __always_inline struct pid *group_of(struct task_struct *task)
{
	return BPF_CORE_READ(task, signal, pids[PIDTYPE_PGID]);
}

__noinline kt_u32 copy_source(void)
{
	struct task_struct *task = (void *)bpf_get_current_task(), *parent;
	kt_u32 tgid = bpf_get_current_pid_tgid() >> 32;

	if (!copies_told)
		return COPY_OF_NOBODY;
	if (key_holder(tgid, task))
		return COPY_OF_SELF;
	if (copy_child(tgid))
		return COPY_OF_CHILD;
	parent = BPF_CORE_READ(task, real_parent);
	tgid = BPF_CORE_READ(parent, tgid);
	return key_holder(tgid, parent) && group_of(task) == group_of(parent) ? COPY_OF_PARENT
									      : COPY_OF_NOBODY;
}

/* Two CPUs may begin a window at once: a share is then a little larger. */
static __always_inline int take_one(kt_u32 id, kt_u32 is_user, kt_u64 max)
{
	struct copy_key key = {.id = id, .is_user = is_user};
	struct copy_share *share, first = {.window = bpf_ktime_get_ns() >> COPY_WINDOW_SHIFT};

	share = bpf_map_lookup_elem(&copy_shares, &key);
	if (!share || share->window != first.window) {
		first.nr = 1;
		bpf_map_update_elem(&copy_shares, &key, &first, BPF_ANY);
		return 1;
	}
	if (share->nr >= max)
		return 0;
	__sync_fetch_and_add(&share->nr, 1);
	return 1;
}

__noinline int copy_admit(kt_u32 tgid)
{
	kt_u32 uid = charged_uid((void *)bpf_get_current_task());
	kt_u32 zero = 0;
	kt_u64 *over;

	if (take_one(tgid, 0, COPIES_OF_PROCESS) && take_one(uid, 1, COPIES_OF_USER))
		return 1;
	over = bpf_map_lookup_elem(&st_copies_over, &zero);
	if (over)
		__sync_fetch_and_add(over, 1);
	return 0;
}
