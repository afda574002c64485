/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* A watched object and a process came together: the one function that says so. See access.bpf.c. */
#pragma once

#include "state.h"

/*
 * Reports that the process of `task` has `file` by way of `how`, if its inode is
 * marked as an object. `mode` as WIRE_M_*, added to what the file was opened for; fd (kt_u32)-1 =
 * none. Pointers travel as numbers because 5.10 takes nothing else in a global function, and a
 * global function is verified once, not for each call. Returns 1 if the inode is marked.
 */
int report_access(kt_u64 file, kt_u64 task, kt_u32 how, kt_u32 mode, kt_u32 fd);

/* The process of `task` is the daemon or its child, and `object` is not for such to be told of. */
int is_ours(kt_u64 task, kt_u64 object);

/*
 * `file` is opened by a file system for itself, beneath one that is watched, too: what is told and
 * judged is that one.
 */
int is_told_above(kt_u64 file, kt_u32 how);

/* The mark of this generation and device (key) is not the inode's, by all that is known here. */
int is_stranger(kt_u64 inode, kt_u32 gen, kt_u32 dev);

/* Reports that the current process was refused `file`, of a marked inode, by deny.bpf.c. */
int report_denied(kt_u64 file, kt_u64 object);

/*
 * Reports that the current image was probably started with a descriptor of the `n`th of the objects
 * that its process held last (see struct fd_holder): it has more of them than are looked through.
 * Returns 1 if there was such an object.
 */
int report_inferred(kt_u32 n);

/*
 * Reports that the current process connects to a marked socket, found at the mount and dentry given
 * as numbers; object and gen are its mark's. Always 1.
 */
int report_socket(kt_u64 object, kt_u32 gen, kt_u64 dentry, kt_u64 mnt);

/*
 * Reports that the current process gave what `from` names the name `to`, two dentries, by `how`
 * (WIRE_HOW_LINK, WIRE_HOW_RENAME), if it is watched. Returns 1 if it is.
 */
int report_name(kt_u64 from, kt_u64 to, kt_u32 how);

/* Where a name leads from a state: watch.h. Above the state for a directory, below the watch entry.
 */
kt_u64 watch_lookup(kt_u32 state, kt_u64 name_addr, kt_u32 name_len);

/* The number of a pointer that the verifier knows as one. Helpers that read memory give plain
 * numbers. */
static __always_inline kt_u64 addr_of(const void *pointer)
{
	kt_u64 addr = 0;

	bpf_probe_read_kernel(&addr, sizeof(addr), &pointer);
	return addr;
}
