/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * Accesses that say nothing new are counted, not told. What is nothing new depends on how much the
 * critical ring has to hold:
 *
 * - Always: the same image has the same object by the same way (struct recent_key), and that was
 *   told less than REPEAT_NS ago. Who opens a key a hundred thousand times is told once a second,
 *   and costs a look-up otherwise. Entries give way to newer ones; what that costs is a record.
 *
 * - While more than half of the ring waits to be read: the same executable, login and object come
 *   together in the same way (struct pressure_key), in whichever process. Many processes, or many
 *   ways, could else fill the ring and so buy silence, for the next read of a key by themselves or
 *   by anybody else: the upper half is there for the first of each kind. Names are not told at all
 *   then, user space walks instead. A login may bring PRESSURE_UID_MAX kinds into one turn; user
 *   space begins the next when it has read the ring (user/sensor/pressure.c).
 *
 * Where the ring is full in spite of that (it may be set small, and the daemon may wait for a CPU
 * for seconds), a first of its kind is told in short in another ring, which holds as many as a
 * login may bring (report_spare() in access.bpf.c).
 *
 * So the first access by each (object, executable, login) is told; of the processes that do it only
 * in a flood some are not.
 */
#pragma once

#include "state.h"

#define REPEAT_NS 1000000000ULL

enum repeat {
	REPEAT_NO, /* to be told */
	REPEAT_FIRST, /* to be told: the first of its kind, under pressure */
	REPEAT_SELF, /* counted: this image is known to have the object */
	REPEAT_KIND, /* counted: one like it was told */
	REPEAT_OVER, /* not known whether it is a repeat, and this login has had its share */
};

static __always_inline int pressure_is_high(void)
{
	return bpf_ringbuf_query(&ring_critical, BPF_RB_AVAIL_DATA) >= cfg_pressure;
}

/*
 * Whether the process of `task` says something new by its access to `object`: enum repeat, counted
 * if it does not. how, mode: WIRE_HOW_*, WIRE_M_*; of a name that was given, a hash of it. `each`:
 * no repeat of what the same image did. A number for a pointer: see access.h.
 */
int repeat_of(kt_u64 task, kt_u64 object, kt_u32 how, kt_u32 mode, int each);

/* There was no room to tell what repeat_of() gave `answer` to: the next one like it is as new. */
int repeat_untold(kt_u64 task, kt_u64 object, kt_u32 how, kt_u32 mode, int answer);
