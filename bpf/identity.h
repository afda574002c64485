/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Is this inode watched? The two questions, cheap one first, and the insertion of a mark. */
#pragma once

#include "quota.h"
#include "state.h"

#define MARK_OVER_QUOTA (-122) /* -EDQUOT */

/* Multiplicative hashing of (dev, ino): inode numbers of one directory are often neighbours. */
static __always_inline kt_u32 filter_slot(kt_u64 ino, kt_u32 dev)
{
	return (kt_u32)(((ino ^ ((kt_u64)dev << 32)) * 0x9e3779b97f4a7c15ULL) >>
			(64 - FILTER_BITS));
}

/* False: surely not marked. `inode` must be a trusted pointer (argument of the hook or reached from
 * it). */
static __always_inline int filter_test(struct inode *inode)
{
	return filter[filter_slot(inode->i_ino, inode->i_sb->s_dev) & (FILTER_SIZE - 1)];
}

static __always_inline struct mark *mark_find(kt_u64 ino, kt_u32 dev)
{
	struct mark_key key = {.ino = ino, .dev = dev};

	return bpf_map_lookup_elem(&marks, &key);
}

/*
 * The key under which an inode's mark stands if it has one: see MARK_DEV_BLOCK about block devices.
 * For an inode whose filter byte is set.
 */
static __always_inline void mark_key_of(struct mark_key *key, struct inode *inode)
{
	kt_u64 other = (BPF_CORE_READ(inode, i_mode) & S_IFMT) ^ S_IFBLK, block;

	/* All ones for a block device. A branch would have the verifier follow two ways from here.
	 */
	asm volatile("" : "+r"(other));
	block = -((other - 1) >> 63);
	key->ino = (BPF_CORE_READ(inode, i_ino) & ~block) | (BPF_CORE_READ(inode, i_rdev) & block);
	key->dev = BPF_CORE_READ(inode, i_sb, s_dev) | (kt_u32)(block & MARK_DEV_BLOCK);
	key->pad = 0;
}

static __always_inline struct mark *mark_of(struct inode *inode)
{
	if (!filter_test(inode))
		return 0;
	return mark_find(inode->i_ino, inode->i_sb->s_dev);
}

/*
 * Marks an inode whose owner has room for it: sets mark->account. 0 or negative errno, the failure
 * counted: -EDQUOT if its owner has not. First the map, then the filter: who sees the byte finds
 * the mark. A mark that is there is replaced, and its place given back to whom it was charged to.
 */
static __always_inline long mark_put(const struct mark_key *key, struct mark *mark, kt_u64 inode)
{
	struct mark *old = bpf_map_lookup_elem(&marks, key);
	kt_u32 old_account = 0, old_owner;
	kt_u64 account = QUOTA_REFUSED;
	long err;

	BPF_CORE_READ_INTO(&mark->owner, (struct inode *)inode, i_uid.val);
	if (old) {
		old_account = old->account;
		old_owner = old->owner;
		if (old_owner != mark->owner)
			account = quota_take(quota_account_of(inode));
		/* It has its place: who has none to pay for it does not take it away. */
		mark->account = account == QUOTA_REFUSED ? old_account : (kt_u32)account;
		err = bpf_map_update_elem(&marks, key, mark, BPF_EXIST);
		if (account != QUOTA_REFUSED)
			quota_give(err ? (kt_u32)account : old_account);
	} else {
		account = quota_take(quota_account_of(inode));
		if (account == QUOTA_REFUSED) {
			count_drop(WIRE_DROP_MARK_QUOTA);
			return MARK_OVER_QUOTA;
		}
		mark->account = account;
		err = bpf_map_update_elem(&marks, key, mark, BPF_NOEXIST);
		if (err)
			quota_give(account);
		if (err == -17 /* EEXIST: marked on another CPU at this moment */)
			err = 0;
	}
	if (err) {
		count_drop(err == -7 /* E2BIG: full */ ? WIRE_DROP_MARK_FULL : WIRE_DROP_MARK_BUSY);
		return err;
	}
	filter[filter_slot(key->ino, key->dev) & (FILTER_SIZE - 1)] = 1;
	return 0;
}

/* A number for an object that no one in user space has named yet: unique per boot. */
static __always_inline kt_u64 object_number(void)
{
	return MARK_OBJECT_KERNEL | (bpf_ktime_get_ns() << 8 & ~MARK_OBJECT_KERNEL) |
	       (bpf_get_smp_processor_id() & 0xff);
}
