/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Files that may be copies of a key: what is closed after writing by a process that has a key; by a
 * child that such a process runs for it, as `tar -z` runs gzip; or by the parent of one that has
 * just ended, as a shell that has opened `>file` for it before it forked, and closes it afterwards
 * (dash, busybox). What went from one to the other is not seen. A child counts while its parent is
 * a holder and both are of one process group, which those of a login and of services are not; a
 * parent for COPY_PARENT_NS.
 *
 * Everybody who closes a file after writing is asked, so the first answer is a look into the table
 * of holders' slots. What is told is bounded for each process and each login in a window of time;
 * what is more is counted. See copy.bpf.c.
 */
#pragma once

#include "holders.h"

/* Not 0: they are told, whatever their size. */
extern kt_u32 copies_told;

/* So many in a window of 2^COPY_WINDOW_SHIFT ns (69 s). */
#define COPY_WINDOW_SHIFT 36
#define COPIES_OF_PROCESS 128
#define COPIES_OF_USER	  512

/* Counted instead of told. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, kt_u32);
	__type(value, kt_u64);
} st_copies_over __weak SEC(".maps");

#define COPY_PARENT_NS 2000000000ULL

/* A holder of a key that has ended. */
struct gone_child {
	struct holder holder;
	kt_u64 ended; /* ktime, ns */
	kt_u32 tgid;
	kt_u32 pad;
};

/* The last one of each parent. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 512);
	__type(key, kt_u32); /* tgid of the parent */
	__type(value, struct gone_child);
} gone_children __weak SEC(".maps");

/* When there was one with a parent whose tgid ends in these bits, as copy_parent_window(); 0:
 * never.
 */
#define COPY_PARENTS 16384
extern kt_u8 copy_parents[COPY_PARENTS];

/* What ended in the COPY_PARENT_NS before `time` is of the window of `time` or of the last one. */
#define COPY_PARENT_SHIFT 31

static __always_inline kt_u8 copy_parent_window(kt_u64 time)
{
	return (time >> COPY_PARENT_SHIFT & 0xff) | 1;
}

/* False: surely no holder with this parent has just ended. */
static __always_inline int copy_parent_test(kt_u32 tgid)
{
	kt_u8 seen = copy_parents[tgid & (COPY_PARENTS - 1)];
	kt_u64 now;

	if (!seen)
		return 0;
	now = bpf_ktime_get_ns();
	return seen == copy_parent_window(now) ||
	       seen == copy_parent_window(now - (1ULL << COPY_PARENT_SHIFT));
}

/* Whose key may stand in what the current process has written. */
enum copy_source { COPY_OF_NOBODY = 0, COPY_OF_SELF, COPY_OF_PARENT, COPY_OF_CHILD };

kt_u32 copy_source(void);

/* A holder ends: before it is one no longer. */
static __always_inline void copy_holder_ends(struct task_struct *task)
{
	kt_u32 tgid = task->tgid, parent;
	struct holder *holder = copies_told ? holder_find(tgid) : 0;
	struct gone_child gone = {.tgid = tgid};

	if (!holder || !(holder->flags & HOLDER_KEY))
		return;
	parent = BPF_CORE_READ(task, real_parent, tgid);
	gone.holder = *holder;
	gone.ended = bpf_ktime_get_ns();
	copy_parents[parent & (COPY_PARENTS - 1)] = copy_parent_window(gone.ended);
	bpf_map_update_elem(&gone_children, &parent, &gone, BPF_ANY);
}

static __always_inline struct gone_child *copy_child(kt_u32 tgid)
{
	struct gone_child *gone;

	if (!copy_parent_test(tgid))
		return 0;
	gone = bpf_map_lookup_elem(&gone_children, &tgid);
	return gone && bpf_ktime_get_ns() - gone->ended < COPY_PARENT_NS ? gone : 0;
}

/* One more of the current process and its user. Returns 0, and counts it, if they had their share.
 */
int copy_admit(kt_u32 tgid);

/* False: surely not. At its end a process is no holder any longer, but closes what it wrote. */
static __always_inline int copy_test(struct inode *inode)
{
	kt_u32 tgid = bpf_get_current_pid_tgid() >> 32;
	struct task_struct *task;

	if (!copies_told || inode->i_size <= 0 || (inode->i_mode & S_IFMT) != S_IFREG)
		return 0;
	if (holder_test(tgid) || copy_parent_test(tgid))
		return 1;
	task = (void *)bpf_get_current_task();
	return BPF_CORE_READ(task, flags) & PF_EXITING ||
	       holder_test(BPF_CORE_READ(task, real_parent, tgid));
}
