/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Dumps as they come into being: what the hooks that everybody passes have to ask about them. All
 * these questions are answered by what is in a register or in one word of memory, as long as
 * nothing crashes. See dump.bpf.c.
 */
#pragma once

#include "access.h"

/* Files with at least so many bytes are told when they are closed after writing; ~0 = none. */
extern kt_u64 dump_threshold;
/* Watch entry under which dumps are watched wherever they lie; 0 = none. */
extern kt_u32 dump_watch;
/* Processes that are handed dumps and live: 0 nearly always. */
extern kt_u32 dump_helpers_live;

/*
 * How do_coredump() opens a file, and nearly nobody else. At security_file_open the flags are still
 * all there; do_dentry_open() takes some away only afterwards.
 */
#define DUMP_OPEN_FLAGS (O_CREAT | O_EXCL | O_NOFOLLOW)

int dump_file_opened(kt_u64 file_addr);
int dump_pipe_received(kt_u64 inode_addr);
int dump_file_closed(kt_u64 file_addr);
int dump_helper_forks(kt_u32 parent_tgid, kt_u64 child_addr);

/* on_file_open: the new file may be a dump. */
static __always_inline void dump_file_open(struct file *file)
{
	kt_u32 flags = file->f_flags;

	if ((flags & DUMP_OPEN_FLAGS) == DUMP_OPEN_FLAGS ||
	    (dump_helpers_live && flags & (O_CREAT | O_TMPFILE_BIT)))
		dump_file_opened(addr_of(file));
}

/* Processes that are handed a dump: started for it, their children, and who is passed the pipe. */
#define DUMP_HELPERS_MAX 1024

struct dump_helper {
	kt_u64 start; /* start_boottime of the leader */
	kt_u64 crashed_start; /* of the process that crashed */
	kt_u32 crashed_tgid;
	kt_u32 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, DUMP_HELPERS_MAX);
	__type(key, kt_u32); /* tgid */
	__type(value, struct dump_helper);
} dump_helpers __weak SEC(".maps");

/*
 * on_exit. A process that does not close its files itself has them closed after its exit is told,
 * so what it held is kept for a while.
 */
static __always_inline void dump_process_exits(kt_u32 tgid)
{
	if (dump_helpers_live && !bpf_map_delete_elem(&dump_helpers, &tgid))
		__sync_fetch_and_add(&dump_helpers_live, -1);
}
