/* SPDX-License-Identifier: (GPL-2.0-only OR BSD-2-Clause) */
/* Somebody can read the memory of a key holder: the one function that says so. See memory.bpf.c. */
#pragma once

#include "state.h"

/*
 * Reports that `reader` has come to be able to read the memory of `target` (0: that of the machine)
 * by `how` (WIRE_MEMORY_*), if target holds a key and this was not told yet of these two images and
 * these keys. Pointers travel as numbers: see access.h. Returns 1 if it was told.
 */
int report_memory(kt_u64 reader, kt_u64 target, kt_u32 how);

/*
 * The process of `task` has come by an object with a mark of these flags, by `how` (WIRE_HOW_*). If
 * it is a key, tells of the one who traces the process already, if any.
 */
int tell_tracer(kt_u64 task, kt_u32 flags, kt_u32 how);
