// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Counts marks by whom they are charged to. See quota.h. */
#include "quota.h"

kt_u32 quota_max = 0;
struct quota_range quota_ranges[QUOTA_RANGES_MAX];

#define USERNS_DEPTH 33 /* kernel/user_namespace.c: deeper ones cannot be made */
#define EXTENTS_MAX  64 /* looked at, of the 340 that there may be */

/* 5.10's verifier loses what it knew of a number when it is multiplied, unless it was just bounded.
 */
static __always_inline struct quota_range *range_at(kt_u32 at)
{
	barrier_var(at);
	return &quota_ranges[at & (QUOTA_RANGES_MAX - 1)];
}

/*
 * Who the host has given this uid to, itself if to nobody. A search by halves without a branch:
 * with them the verifier would go all ways through it.
 */
__noinline kt_u32 quota_given_to(kt_u32 uid)
{
	struct quota_range *range;
	kt_u32 at = 0, step;

	/* The last one that does not begin above it. */
	for (step = QUOTA_RANGES_MAX / 2; step; step >>= 1) {
		kt_u64 first = range_at(at | step)->first;

		at |= step & -(kt_u32)((first - uid - 1) >> 63);
	}
	range = range_at(at);
	return uid - range->first < range->count ? range->account : uid;
}

/* Who made the user namespace directly below the host's that the current process is in. */
static __always_inline kt_u32 namespace_owner(struct user_namespace *ns)
{
	kt_u32 owner = 0;
	int i;

	for (i = 0; i < USERNS_DEPTH; i++) {
		if (!BPF_CORE_READ(ns, level))
			break;
		owner = BPF_CORE_READ(ns, owner.val);
		ns = BPF_CORE_READ(ns, parent);
	}
	return owner;
}

/* First uid of the host in the range of the namespace's that has `uid`; -1: it has no such uid. */
__noinline kt_u32 quota_mapped(kt_u64 ns_addr, kt_u32 uid)
{
	struct user_namespace *ns = (void *)ns_addr;
	kt_u32 nr = BPF_CORE_READ(ns, uid_map.nr_extents), i;
	struct uid_gid_extent e, *extents;

	if (nr > UIDS_IN_MAP)
		extents = BPF_CORE_READ(ns, uid_map.forward);
	else
		extents = (void *)ns + bpf_core_field_offset(struct user_namespace, uid_map.extent);
	for (i = 0; i < EXTENTS_MAX && i < nr; i++) {
		if (bpf_probe_read_kernel(&e, sizeof(e), &extents[i]))
			break;
		if (uid - e.lower_first < e.count)
			return e.lower_first;
	}
	return (kt_u32)-1;
}

__noinline kt_u64 quota_account_of(kt_u64 inode_addr)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct user_namespace *ns = BPF_CORE_READ(task, real_cred, user_ns);
	struct inode *inode = (void *)inode_addr;
	kt_u32 owner = BPF_CORE_READ(inode, i_uid.val), account, first;

	if (BPF_CORE_READ(inode, i_sb, s_magic) == MAGIC_FUSE)
		return QUOTA_FUSE;
	account = quota_given_to(owner);
	if (account != owner || !BPF_CORE_READ(ns, level))
		return account;
	first = quota_mapped((kt_u64)ns, owner);
	if (first == (kt_u32)-1)
		return owner;
	account = namespace_owner(ns);
	if (account)
		return quota_given_to(account);
	return first ? first : owner;
}

/* The account's row, or the one that is shared. */
static __always_inline struct quota_account *account_find(kt_u32 *account)
{
	struct quota_account *found = bpf_map_lookup_elem(&quota_accounts, account), fresh = {};

	if (found)
		return found;
	bpf_map_update_elem(&quota_accounts, account, &fresh, BPF_NOEXIST);
	found = bpf_map_lookup_elem(&quota_accounts, account);
	if (found)
		return found;
	*account = QUOTA_SHARED;
	return bpf_map_lookup_elem(&quota_accounts, account);
}

/*
 * First taken, then looked whether that was one too many: two CPUs may both be refused the last
 * place, but never both have it.
 */
__noinline kt_u64 quota_take(kt_u32 account)
{
	kt_u32 row = account;
	struct quota_account *a = account_find(&row);
	kt_u64 *returned, now;

	if (!a)
		return row;
	__sync_fetch_and_add(&a->taken, 1);
	returned = bpf_map_lookup_elem(&quota_returned, &row);
	now = *(volatile kt_u64 *)&a->taken - (returned ? *returned : 0);
	if (!account || !quota_max || now <= quota_max)
		return row;
	__sync_fetch_and_add(&a->taken, -1);
	__sync_fetch_and_add(&a->refused, 1);
	return QUOTA_REFUSED;
}

__noinline int quota_give(kt_u32 account)
{
	struct quota_account *a = bpf_map_lookup_elem(&quota_accounts, &account);

	if (a)
		__sync_fetch_and_add(&a->taken, -1);
	return 0;
}
