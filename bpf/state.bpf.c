// SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause)
/* Home of the global variables that state.h declares. */
#include "copy.h"
#include "dump.h"
#include "state.h"
#include "taint.h"

kt_u8 filter[FILTER_SIZE];
struct marking_slot marking[MARKING_SLOTS];
kt_u32 fd_slots[FD_SLOTS];
kt_u32 holder_slots[HOLDER_SLOTS];
kt_u32 nr_holders;
kt_u32 taint_slots[TAINT_SLOTS];
kt_u32 taint_lost[TAINT_SLOTS];

/* Grows with each policy: what was told under the one before is told again under the next. */
kt_u32 recent_epoch;

/* The program of deny.bpf.c is attached, and tells of opens in place of on_file_open. */
kt_u32 deny_live;
kt_u8 deny_groups[DENY_GROUPS];

/* Numbers of cgroups: see wire.h. */
kt_u64 cgroups_told[WIRE_CGROUPS_TOLD];

/* The daemon's process id in the initial pid namespace: what it opens is its own work. */
const volatile kt_u32 cfg_self_tgid = 0;

/* Set by the daemon, from the policy: see dump.h. */
kt_u64 dump_threshold = ~0ULL;
kt_u32 dump_watch = 0;
kt_u32 dump_helpers_live = 0;
kt_u32 tell_names = 0; /* names that watched files are given are told */
/* The same: see copy.h. */
kt_u32 copies_told = 0;
kt_u8 copy_parents[COPY_PARENTS];

/* Bytes in the bulk ring from which on its reader is woken; below, the reader's timer does. */
const volatile kt_u32 cfg_bulk_wakeup = 1 << 20;

/* Bytes in the critical ring from which on repeats are counted only. */
const volatile kt_u32 cfg_pressure = 4 << 20;
struct pressure_clock pressure;

/* How often something that is watched got another name, whether that could be told or not. Of two
 * names a walk may have looked for it under each while it had the other: see user/watch/watcher.h.
 */
kt_u64 names_moved;

/* The programs of memory.bpf.c and network.bpf.c are there. */
const volatile kt_u32 cfg_memory = 0;

char _license[] SEC("license") = "Dual BSD/GPL";
