/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/*
 * When the critical ring fills faster than it is read: repeats are counted, firsts are kept.
 *
 * Who floods the ring must not buy silence for his own next read of a key, nor for anybody else's.
 * While more than half of the ring waits to be read, an access of a kind (struct pressure_key) that
 * was told already costs a count instead of a record; the first of a kind is told by the ring, and
 * if that is full, by another one that takes nothing else. A uid may bring PRESSURE_UID_MAX kinds
 * into one turn; user space turns when it has read the rings (user/sensor/pressure.c).
 */
#pragma once

#include "state.h"

enum pressure {
	PRESSURE_NONE, /* the ring has room for all that comes */
	PRESSURE_FIRST, /* the first of its kind: must be told */
	PRESSURE_REPEAT, /* counted */
	PRESSURE_OVER, /* not known whether it is a repeat: no room to remember */
};

/*
 * Counts an access to `object` by the process of `task` if it is a repeat. A number for a pointer,
 * and enum pressure as the answer: see access.h.
 */
int pressure_on(kt_u64 task, kt_u64 object, kt_u32 what);

/* What pressure_on() took for told was not: there was no room in any ring. */
int pressure_untold(kt_u64 task, kt_u64 object, kt_u32 what);
