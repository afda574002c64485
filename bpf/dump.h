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
/* Processes that are handed dumps and live, and crashes that go to a pipe: 0 nearly always. */
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
