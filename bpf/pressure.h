/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * When the critical ring fills faster than it is read: repeats are counted, firsts are kept.
 *
 * Who floods the ring must not buy silence for his own next read of a key, nor for anybody else's.
 * While more than half of the ring waits to be read, an access of a kind (struct pressure_key) that
 * was told already costs a count instead of a record, and of names nothing is told (user space
 * walks instead): the upper half is there for the first access of each kind. A uid may bring
 * PRESSURE_UID_MAX kinds into one turn; user space turns when it has read the ring
 * (user/sensor/pressure.c).
 */
#pragma once

#include "state.h"

enum pressure {
	PRESSURE_NONE, /* the ring has room for all that comes */
	PRESSURE_FIRST, /* the first of its kind: must be told */
	PRESSURE_REPEAT, /* counted */
	PRESSURE_OVER, /* not known whether it is a repeat, and this uid has had its share */
};

static __always_inline int pressure_is_high(void)
{
	return bpf_ringbuf_query(&ring_critical, BPF_RB_AVAIL_DATA) >= cfg_pressure;
}

/*
 * Counts an access to `object` by the process of `task` if it is a repeat. A number for a pointer,
 * and enum pressure as the answer: see access.h.
 */
int pressure_on(kt_u64 task, kt_u64 object, kt_u32 what);

/* What pressure_on() took for told was not: there was no room in any ring. */
int pressure_untold(kt_u64 task, kt_u64 object, kt_u32 what);
