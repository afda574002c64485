/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Who has read a watched file, a key above all, and so may have it in memory.
 *
 * A process image becomes a holder when it opens, maps or is handed a watched file, or keeps the
 * descriptor of one over exec. A child that it forks is one too, since it has a copy of that
 * memory. It ends with the image (exec, exit): what the old image had in memory is gone with it,
 * and what the new one still has a descriptor of is found by the scan at exec. Writers count: who
 * writes a key has it.
 *
 * This is not fd_holders: those may have a descriptor, and stay what they are over exec.
 *
 * The question is asked on paths that everybody takes (connect, send), so it has a cheap half that
 * touches no map: holder_test().
 */
#pragma once

#include "state.h"

/* False: surely no holder. */
static __always_inline int holder_test(kt_u32 tgid)
{
	return holder_slots[tgid & (HOLDER_SLOTS - 1)];
}

static __always_inline struct holder *holder_find(kt_u32 tgid)
{
	if (!holder_test(tgid))
		return 0;
	return bpf_map_lookup_elem(&holders, &tgid);
}

/* A slot counts what is in the map: only who did insert or delete changes it. */
static __always_inline void holder_count(kt_u32 tgid, int by)
{
	__sync_fetch_and_add(&holder_slots[tgid & (HOLDER_SLOTS - 1)], by);
	__sync_fetch_and_add(&nr_holders, by);
}

static __always_inline void holder_put(kt_u32 tgid, const struct holder *holder)
{
	if (!bpf_map_update_elem(&holders, &tgid, holder, BPF_NOEXIST))
		holder_count(tgid, 1);
	else if (bpf_map_update_elem(&holders, &tgid, holder, BPF_EXIST))
		count_drop(WIRE_DROP_KEY_HOLDER_FULL);
}

static __always_inline void holder_end(kt_u32 tgid)
{
	if (holder_test(tgid) && !bpf_map_delete_elem(&holders, &tgid))
		holder_count(tgid, -1);
}

static __always_inline int holder_has(const struct holder *holder, kt_u64 object)
{
	kt_u32 i;

	for (i = 0; i < HOLDER_KEYS_MAX; i++)
		if (holder->key[i] == object)
			return 1;
	return holder->flags & HOLDER_OTHER && holder->other == object;
}

/* A key, into the list of those that are numbered. */
static __always_inline void holder_add_key(struct holder *holder, kt_u64 object, int sends)
{
	const int is_full = !!holder->key[HOLDER_KEYS_MAX - 1];
	kt_u32 i;

	holder->flags |= HOLDER_KEY;
	for (i = 0; i < HOLDER_KEYS_MAX; i++) {
		if (holder->key[i] != object)
			continue;
		if (sends)
			holder->flags |= HOLDER_KEY_SENDS(i);
		return;
	}
	holder->nr_keys++;
	for (i = 0; i < HOLDER_KEYS_MAX; i++) {
		/* Who reads four keys that nobody asks about does not hide the fifth by that. */
		if (holder->key[i] && !(is_full && sends && !(holder->flags & HOLDER_KEY_SENDS(i))))
			continue;
		holder->key[i] = object;
		if (sends)
			holder->flags |= HOLDER_KEY_SENDS(i);
		return;
	}
}

/*
 * The process of `task` has come by an object; flags: MARK_KEY, MARK_SEND of its mark. Two of its
 * threads may do so at once and one key be counted or numbered wrongly; that it is a holder stands
 * all the same.
 */
static __always_inline void holder_add(struct task_struct *task, kt_u64 object, kt_u32 flags)
{
	kt_u32 tgid = BPF_CORE_READ(task, tgid);
	struct holder *old = holder_find(tgid), holder = {};

	holder.start = BPF_CORE_READ(task, group_leader, start_boottime);
	holder.exec_id = BPF_CORE_READ(task, self_exec_id);
	if (old && old->start == holder.start && old->exec_id == holder.exec_id)
		holder = *old;
	if (flags & MARK_KEY) {
		holder_add_key(&holder, object, flags & MARK_SEND);
	} else if (flags & MARK_SEND) {
		holder.flags |= HOLDER_OTHER | HOLDER_OTHER_SENDS;
		holder.other = object;
	} else if (!(holder.flags & HOLDER_OTHER_SENDS)) {
		holder.flags |= HOLDER_OTHER;
		holder.other = object;
	}
	holder_put(tgid, &holder);
}

/* A process was forked: its memory is a copy. */
static __always_inline void holder_fork(kt_u32 parent_tgid, kt_u32 child_tgid,
					struct task_struct *child)
{
	struct holder *parent = holder_find(parent_tgid), holder;

	if (!parent)
		return;
	holder = *parent;
	holder.start = BPF_CORE_READ(child, start_boottime);
	holder.exec_id = BPF_CORE_READ(child, self_exec_id);
	holder_put(child_tgid, &holder);
}
