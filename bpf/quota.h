/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * How many marks each user may have: so that nobody fills the map of marks for all others.
 *
 * A mark is charged to the owner of its inode, whoever looks the file up first: a stranger who goes
 * through somebody's files must not pay for them. Two exceptions. One who has subordinate uids
 * would have all their quotas: what such a uid owns is charged to who the host has given it to
 * (quota_ranges), and what any uid owns that the user namespace of the process maps, to who made
 * the outermost one; if root did, to the first uid of the range that he mapped. What lies on FUSE
 * is charged to one account for all of it, since who serves it may say of each file that it is
 * anybody's. Root has none: he can do worse.
 *
 * What is given back is written down in the mark itself, and not what the owner is by then; and a
 * mark that is set again stays charged as it was, as long as its file's owner is the same.
 */
#pragma once

#include "state.h"

#define QUOTA_ACCOUNTS 16384

/*
 * Nobody is evicted: with no room for another account, its owner shares QUOTA_SHARED. That row and
 * root's are made by user space before anything is attached.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, QUOTA_ACCOUNTS);
	__type(key, kt_u32); /* account */
	__type(value, struct quota_account);
} quota_accounts __weak SEC(".maps");

/* Marks that user space took off, which cannot subtract from a count that the kernel side adds to.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, QUOTA_ACCOUNTS);
	__type(key, kt_u32); /* account */
	__type(value, kt_u64);
} quota_returned __weak SEC(".maps");

/* Marks that an account may have; 0 = as many as there is room for. Read at each mark. */
extern kt_u32 quota_max;
extern struct quota_range quota_ranges[QUOTA_RANGES_MAX];

/* The account that a mark of this inode is charged to, by the current process. */
kt_u64 quota_account_of(kt_u64 inode);

/* One more mark: the account that has it now, to be given back to; or QUOTA_REFUSED, and counted.
 * Never more than quota_max at a time. */
#define QUOTA_REFUSED (1ULL << 32)
kt_u64 quota_take(kt_u32 account);

/* One less, of what quota_take() said. */
int quota_give(kt_u32 account);
