/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* What a process has read, for records about its memory; and whether that memory may be dumped. */
#pragma once

#include "holders.h"

/* At exit, what a key's holder held, for files that are closed only after its exit is told. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, kt_u32); /* tgid */
	__type(value, struct holder);
} gone_holders __weak SEC(".maps");

static __always_inline void keep_gone_holder(kt_u32 tgid)
{
	struct holder *holder = holder_find(tgid);

	if (holder && (holder->flags & HOLDER_KEY))
		bpf_map_update_elem(&gone_holders, &tgid, holder, BPF_ANY);
}

static __always_inline int holds_key(kt_u32 tgid)
{
	struct holder *holder = holder_find(tgid);

	return holder && (holder->flags & HOLDER_KEY);
}

/* What the process of `task` has read, if it has read a key; 0 if not. */
static __always_inline struct holder *key_holder(kt_u32 tgid, struct task_struct *task)
{
	struct holder *holder = holder_find(tgid);

	if (!holder && BPF_CORE_READ(task, flags) & PF_EXITING)
		holder = bpf_map_lookup_elem(&gone_holders, &tgid);
	if (!holder || !(holder->flags & HOLDER_KEY) ||
	    holder->start != BPF_CORE_READ(task, group_leader, start_boottime))
		return 0;
	return holder;
}

static __always_inline void put_held(struct wire_held *out, const struct holder *holder)
{
	kt_u32 i;

	out->nr = holder->nr_keys;
	out->other = !!(holder->flags & HOLDER_OTHER);
	for (i = 0; i < WIRE_HELD_MAX && i < HOLDER_KEYS_MAX; i++)
		out->key[i] = holder->key[i];
}

static __always_inline void fill_held(struct wire_held *out, kt_u32 tgid, struct task_struct *task)
{
	struct holder *holder = key_holder(tgid, task);

	if (holder)
		put_held(out, holder);
}

/* 0 no, 1 yes, 2 for root only: SUID_DUMP_* of include/linux/sched/coredump.h. */
static __always_inline kt_u32 dumpable_of(struct task_struct *task)
{
	struct task_struct___v7 *task_v7 = (void *)task;
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct mm_struct___v6_18 *mm_v6_18 = (void *)mm;

	if (bpf_core_field_exists(task_v7->exec_state))
		return BPF_CORE_READ(task_v7, exec_state, dumpable);
	if (bpf_core_field_exists(mm_v6_18->flags.__mm_flags))
		return BPF_CORE_READ(mm_v6_18, flags.__mm_flags[0]) & MMF_DUMPABLE_MASK;
	return BPF_CORE_READ(mm, flags) & MMF_DUMPABLE_MASK;
}
