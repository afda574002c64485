/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A thread that waits for the disk, so that nobody else has to. One file at a time. All calls from
 * one thread.
 */
#pragma once

#include <stdbool.h>

#include "base/cleanup.h"

struct syncer;

/* sync: as fdatasync(2). */
int syncer_new(int (*sync)(int fd), struct syncer **out_syncer);
int syncer_free(struct syncer *syncer); /* waits for what is under way; the last result */

/* Has the file synced, by a descriptor of its own. -EBUSY: one is under way; errno of dup(2). */
int syncer_start(struct syncer *syncer, int fd);
/* Whether one is under way. If one has ended, *out_result is what it returned, 0 or -errno. */
bool syncer_busy(struct syncer *syncer, int *out_result);
