// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Counts marks by whom they are charged to. See quota.h. */
#include "quota.h"

kt_u32 quota_max = 0;

#define USERNS_DEPTH 33 /* kernel/user_namespace.c: deeper ones cannot be made */

/* Who made the user namespace directly below the host's that the current process is in. */
static __always_inline kt_u32 namespace_owner(struct user_namespace *ns)
{
	kt_u32 owner = QUOTA_SHARED;
	int i;

	for (i = 0; i < USERNS_DEPTH; i++) {
		if (!BPF_CORE_READ(ns, level))
			break;
		owner = BPF_CORE_READ(ns, owner.val);
		ns = BPF_CORE_READ(ns, parent);
	}
	return owner;
}

__noinline kt_u64 quota_account_of(kt_u64 inode_addr)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	const struct cred *cred = BPF_CORE_READ(task, real_cred);
	struct user_namespace *ns = BPF_CORE_READ(cred, user_ns);
	struct inode *inode = (void *)inode_addr;
	kt_u32 owner = BPF_CORE_READ(inode, i_uid.val);

	if (BPF_CORE_READ(inode, i_sb, s_magic) == MAGIC_FUSE)
		return QUOTA_FUSE;
	if (BPF_CORE_READ(ns, level) && owner == BPF_CORE_READ(cred, euid.val))
		return namespace_owner(ns);
	return owner;
}

static __always_inline struct quota_account *account_find(kt_u32 account)
{
	struct quota_account *found = bpf_map_lookup_elem(&quota_accounts, &account), fresh = {};

	if (found)
		return found;
	bpf_map_update_elem(&quota_accounts, &account, &fresh, BPF_NOEXIST);
	found = bpf_map_lookup_elem(&quota_accounts, &account);
	if (found)
		return found;
	account = QUOTA_SHARED;
	bpf_map_update_elem(&quota_accounts, &account, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&quota_accounts, &account);
}

/*
 * First taken, then looked whether that was one too many: two CPUs may both be refused the last
 * place, but never both have it.
 */
__noinline int quota_take(kt_u32 account)
{
	struct quota_account *a = account_find(account);
	kt_u64 *returned, now;

	if (!a)
		return 0;
	__sync_fetch_and_add(&a->taken, 1);
	returned = bpf_map_lookup_elem(&quota_returned, &account);
	now = *(volatile kt_u64 *)&a->taken - (returned ? *returned : 0);
	if (!account || !quota_max || now <= quota_max)
		return 0;
	__sync_fetch_and_add(&a->taken, -1);
	__sync_fetch_and_add(&a->refused, 1);
	return -122; /* EDQUOT */
}

__noinline int quota_give(kt_u32 account)
{
	struct quota_account *a = account_find(account);

	if (a)
		__sync_fetch_and_add(&a->taken, -1);
	return 0;
}
